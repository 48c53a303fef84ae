"""The page “Việc hôm nay”."""

from django.shortcuts import render
from django.utils import timezone

from reports.digest import digest_of
from targets import years
from unionwork.policy import policy
from units import access


@policy(access.VIEW, relation="none")
def digest(request):
    """What waits for the person today, or that nothing does."""
    items = digest_of(request.user, years.of_request(request))
    return render(request, "reports/digest.html", {"items": items, "today": timezone.localdate()})
