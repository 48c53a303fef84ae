"""Which unit a target page is about, and the addresses of such pages."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode

from units import access
from units.models import Placement, Unit
from units.scope import home_unit


def unit_in_view(request, act=access.VIEW, default=None):
    """The unit named by `?don-vi=`, else `default`, else the one the user does `act` for. Raises Http404."""
    reached = Unit.objects.reached(request.user, act)
    code = request.GET.get("don-vi", "").replace("\0", "")
    if code:
        return get_object_or_404(reached, code=code)
    if default:
        return default
    home = home_unit(request.user)
    if home and reached.filter(pk=home.pk).exists():
        return home
    top = Placement.objects.reached(request.user, act).select_related("unit").order_by("path").first()
    if top is None:
        raise Http404
    return top.unit


def address(name, *args, year=None, unit=None, **more):
    """The address of a page, with the year and the unit in view."""
    query = query_of(year=year, unit=unit, **more)
    return reverse(name, args=args) + (f"?{query}" if query else "")


def query_of(*, year=None, unit=None, **more):
    """What an address says of the year and the unit in view."""
    query = {"nam": str(year)} if year else {}
    query |= {"don-vi": unit.code} if unit else {}
    return urlencode(query | more)
