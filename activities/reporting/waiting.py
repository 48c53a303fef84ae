"""Period reports that wait for a superior, in a whole subtree: since when, and who is to accept them."""

from dataclasses import dataclass

from django.utils import timezone

from activities.models import PeriodReport, ReportState
from activities.reporting.late_filters import EVERY_PERIOD, WAITING
from targets import in_view
from units import access, notices, tree
from units.models import Placement, Unit


@dataclass(frozen=True)
class Row:
    """A report that waits. `superior`: the nearest unit above with somebody who may accept it, `people`: these; without
    any in sight the unit right above. `days`: that it has waited."""

    report: PeriodReport
    superior: Unit | None
    people: list
    days: int


def reports_of(places, year, period=None):
    """Reports of a work year of the units of `places` (placements) that were sent and not accepted, the one that waits
    longest first; `period`: only about this one. No statement of its own."""
    units = places.order_by().values("unit_id")
    found = PeriodReport.objects.filter(year=year.pk, state=ReportState.SENT, unit__in=units)
    found = found.select_related("unit", "period", "actor")
    return (found.filter(period=period.pk) if period else found).order_by("at", "pk")


def rows_of(reports, user):
    """[Row] of reports (a queryset or a page of one). Five statements, however many."""
    reports, today = list(reports), timezone.localdate()
    lines, parents = _lines(reports), _parents(reports)
    above = {unit for line in lines.values() for unit in line}
    units = Unit.objects.visible_to(user).in_bulk(sorted(above))
    people = notices.people_of(list(units), access.REVIEW)
    rows = []
    for row in reports:
        there = ((unit, _others(people.get(unit, ()), row)) for unit in lines.get(row.unit_id, ()))
        unit, found = next(((unit, found) for unit, found in there if found), (None, []))
        superior = units[unit] if found else parents.get(row.unit_id)
        rows.append(Row(row, superior, found, (today - timezone.localtime(row.at).date()).days))
    return rows


def _others(people, report):
    """Nobody accepts what they sent."""
    return [person for person in people if person.pk != report.actor_id]


def _lines(reports):
    """{unit id: ids of its superiors, the nearest first} in today's tree, which says who decides."""
    today = Placement.objects.current().filter(unit__in={row.unit_id for row in reports})
    return {unit: tree.ancestor_ids(path)[-2::-1] for unit, path in today.values_list("unit_id", "path")}


def _parents(reports):
    """{unit id: the unit right above it} in the tree of the reports' year."""
    years, units = {row.year_id for row in reports}, {row.unit_id for row in reports}
    places = Placement.objects.filter(year__in=years, unit__in=units).select_related("parent")
    return {place.unit_id: place.parent for place in places}


def address(unit, year):
    """Of the list of everything that waits below a unit in a year."""
    shown = {"ky": EVERY_PERIOD, "tinh-trang": WAITING, "ca-cay": 1}
    return in_view.address("late_list", year=year, unit=unit, **shown)
