"""What a workbook to fill in already holds: the unit's own codes, its targets, a column per indicator."""

from datetime import date

from django.utils import timezone

from activities.models import KindFigure
from targets.models import Indicator, Nature, WorkYear
from targets.workbook_rows import assignment_rows
from units.models import Placement
from units.tree import nearest_year

UNIT = "Mã đơn vị"


def prefilled(what, unit=None, year=None):
    """Arguments for `StrictResource.template` of one kind of workbook; units and users prefill themselves.

    `year`: that of the tree and the targets, by default this year's.
    """
    fill = {
        "targets": _targets,
        "assignments": _assignments,
        "activities": _activities,
        "declarations": _declarations,
    }.get(what)
    return fill(unit, year) if fill else {"unit": unit, "year": year}


def _targets(unit, year):
    return {"rows": [[year, unit.code]] if unit else [], "title": "Chỉ tiêu"}


def _assignments(unit, year):
    """A row for every child and every measure that the unit issued or was given, with what is given now."""
    placement = _placement(unit, year)
    if placement is None:
        return {"title": "Giao chỉ tiêu"}
    children = Placement.objects.filter(year=placement.year, parent=unit).in_order()
    rows = assignment_rows(placement, children, year or placement.year)
    return {"rows": rows, "choices": {UNIT: [row.unit.code for row in children]}, "title": "Giao chỉ tiêu"}


def _activities(unit, year):
    """Columns of what is typed; what the system counts has none."""
    counted = KindFigure.objects.filter(counted=True).values("indicator")
    typed = Indicator.objects.filter(nature=Nature.FLOW).exclude(pk__in=counted)
    return {"extra": _names(typed), "choices": {UNIT: _codes(unit, year)}, "title": "Hoạt động"}


def _declarations(unit, year):
    """A row for every unit, with the last day of the year, or today while it runs."""
    day = timezone.localdate()
    if year:
        work_year = WorkYear.objects.filter(pk=year).first()
        day = min(day, work_year.last_day if work_year else date(year, 12, 31))
    codes = _codes(unit, year)
    return {
        "rows": [[code, day] for code in codes],
        "extra": _names(Indicator.objects.filter(nature=Nature.STOCK)),
        "choices": {UNIT: codes},
        "title": "Kê khai",
    }


def _placement(unit, year):
    """Where the unit stands in the tree that year has or will get, today's without a year; None when it does not."""
    if unit is None:
        return None
    placements = Placement.objects.filter(year=nearest_year(year)) if year else Placement.objects.current()
    return placements.select_related("unit").filter(unit=unit).first()


def _codes(unit, year):
    """Codes of the unit and everything below it, superiors first."""
    here = _placement(unit, year)
    if here is None:
        return []
    below = Placement.objects.filter(year=here.year).below(here.path).order_by("path")
    below = below.exclude(unit__founded__year__gt=year or here.year)  # not there yet: opening the year leaves it out
    return list(below.values_list("unit__code", flat=True))


def _names(indicators):
    return list(indicators.values_list("name", flat=True))
