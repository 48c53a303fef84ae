"""Of which unit, in which year's tree, a page of reporting tells."""

from targets.years import chosen_year
from units.models import Placement, Unit
from units.scope import chosen_unit


def in_view(request):
    """(work year, unit, its placement in that year or None) of `?nam=&don-vi=`; by default the user's own unit, of
    people without one the first they see. Raises Http404 for a unit or year that is not in sight."""
    year = chosen_year(request)
    unit = chosen_unit(request.user, request.GET.get("don-vi")) or Unit.objects.visible_to(request.user).first()
    return year, unit, placement_of(unit, year)


def placement_of(unit, year):
    """Where the unit stands in the year's tree; None when it does not, or there is no year or unit at all."""
    if unit is None or year is None:
        return None
    return Placement.objects.select_related("unit").filter(unit=unit, year=year.pk).first()
