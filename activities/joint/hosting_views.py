"""The co-host's side of a joint activity: what asks for an answer, and the two answers."""

from functools import partial

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render

from activities.joint import hosting
from activities.models import Host
from activities.reviewing.deciding_views import take, with_reason
from activities.tables import HostTable
from unionwork.policy import policy
from unionwork.tables import paginate
from units import access

DECLINE_REASONS = ["Đơn vị không tham gia", "Đơn vị đã ghi hoạt động này", "Ghi nhầm đơn vị"]


@policy(access.LOG, relation="subtree")
def hosting_list(request):
    """Joint activities of the user's own units that others lead, unanswered first; `?cap-duoi`: of all units below."""
    below = "cap-duoi" in request.GET
    table = paginate(request, HostTable(hosting.asked(request.user, below=below).for_list()))
    context = {
        "table": table,
        "count": table.paginator.count,
        "waiting": hosting.waiting_for(request.user, below=below).count(),
        "below": below,
    }
    return render(request, "activities/hosting_list.html", context)


@policy(access.LOG, relation="subtree", methods="POST")
def hosting_confirm(request, pk):
    host = _answered_by(request.user, pk)
    done = f"Đã xác nhận: {host.unit} cùng làm “{host.activity.title}”."
    return take(request, host.activity, partial(hosting.confirm, unit=host.unit), done)


@policy(access.LOG, relation="subtree", methods="GET POST")
def hosting_decline(request, pk):
    host = _answered_by(request.user, pk)
    words = {
        "heading": f"Từ chối phối hợp: {host.activity.title}",
        "explains": f"“{host.activity.unit}” sẽ thấy lý do này. Hoạt động không còn được tính cho “{host.unit}”; "
        "xác nhận lại được cho đến khi năm công tác khoá.",
        "button": "Từ chối phối hợp",
    }
    done = f"Đã từ chối: “{host.activity.title}” không được tính cho {host.unit}."
    return with_reason(request, host.activity, partial(hosting.decline, unit=host.unit), DECLINE_REASONS, words, done)


def _answered_by(user, pk):
    """A host this user may answer for. 404 when the record is out of scope, 403 when it is another unit's answer."""
    found = Host.objects.visible_to(user).select_related("unit", "activity__unit", "activity__year")
    host = get_object_or_404(found, pk=pk)
    if not Host.objects.answerable_by(user).filter(pk=pk).exists():
        raise PermissionDenied
    return host
