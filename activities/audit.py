"""Recomputing every stored total from the records, by another path than `activities.totals` takes.

The tree is climbed by `Placement.parent` instead of read from paths; a joint activity reaches the set union of its
hosts' superiors instead of losing overlaps at common ancestors; declared levels are looked up for every month
instead of chained; the month is worked out anew from the date. Only the definitions are shared (DESIGN.md §3):
the records behind a cell are its (host, figure) pairs, and of a joint activity the first host below a unit, in
tree order, carries the value to that unit while the others' figures are its overlap.

One indicator at a time, figures streamed: memory grows with the units, not with the records.
"""

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection, transaction

from activities.models import COUNTED, Activity, Figure, Host, HostState, UnitTotal
from targets.models import Indicator, Nature, WorkYear
from units.models import Placement, Unit

CHUNK = 5000
NOTHING = (0, 0, 0)


@dataclass(frozen=True)
class Difference:
    """A cell whose stored (value, overlap, records) are not what the records say."""

    unit: str
    year: int
    month: int
    indicator: str
    province: str
    stored: tuple
    recomputed: tuple


@dataclass
class Outcome:
    compared: int
    differences: list


class Tree:
    """One year's tree, climbed by `Placement.parent`."""

    def __init__(self, year):
        self.parents = dict(Placement.objects.filter(year=year).values_list("unit_id", "parent_id"))
        self._lines = {}

    def line(self, unit):
        """(root, …, unit); () when the unit does not stand in this tree."""
        if unit not in self._lines:
            climbed, above = [], unit
            while above in self.parents and above not in climbed:
                climbed.append(above)
                above = self.parents[above]
            self._lines[unit] = tuple(reversed(climbed))
        return self._lines[unit]


def audit(year):
    """Compare every stored cell of a work year with its records. Returns an `Outcome`.

    Sees one moment: on PostgreSQL a snapshot that stops nobody, on SQLite no writer works meanwhile.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor == "postgresql" and outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return _audit(WorkYear.objects.get(pk=year))


def _audit(year):
    tree, hosts = Tree(year.pk), _further_hosts(year)
    recorded = set(_figures(year).order_by().values_list("indicator_id", flat=True).distinct())
    stored = set(UnitTotal.objects.filter(year=year).order_by().values_list("indicator_id", flat=True).distinct())
    wholes = _wholes()
    outcome = Outcome(0, [])
    touched = stored | {whole for indicator in recorded for whole in wholes[indicator]}
    for indicator in Indicator.objects.filter(pk__in=touched).order_by("pk"):
        parts = [part for part, above in wholes.items() if indicator.pk in above]
        cells = defaultdict(lambda: [0, 0, 0])
        if indicator.nature == Nature.FLOW:
            _add_flows(cells, _figures(year).filter(indicator__in=parts), year, tree, hosts)
        else:
            _add_levels(cells, _figures(year).filter(indicator__in=parts), year, tree)
        _compare(cells, year, indicator, outcome)
    return outcome


def _figures(year):
    """Every figure that counts in the year."""
    return Figure.objects.filter(activity__year=year, activity__status__in=COUNTED)


def _further_hosts(year):
    """{activity: [units beside the lead that did not decline]} of the joint ones."""
    hosts = defaultdict(list)
    rows = Host.objects.filter(activity__in=Activity.objects.filter(year=year, status__in=COUNTED)).order_by()
    for activity, unit, state in rows.values_list("activity_id", "unit_id", "state").iterator(CHUNK):
        if state in (HostState.INVITED, HostState.CONFIRMED):
            hosts[activity].append(unit)
    return hosts


def _wholes():
    """{indicator: itself and everything it is part of}."""
    part_of = dict(Indicator.objects.order_by().values_list("pk", "part_of_id"))
    wholes = {}
    for indicator in part_of:
        found, above = set(), indicator
        while above is not None and above not in found:
            found.add(above)
            above = part_of[above]
        wholes[indicator] = found
    return wholes


def _province(line):
    return line[1] if len(line) > 1 else line[0]


def _add_flows(cells, figures, year, tree, hosts):
    rows = figures.order_by().values_list("activity_id", "activity__unit_id", "activity__last_day", "value")
    for activity, lead, day, value in rows.iterator(CHUNK):
        month = year.month_of(day)
        lines = sorted(tree.line(unit) for unit in {lead, *hosts.get(activity, ())})
        first_below = {}
        for line in lines:
            for unit in line:
                first = first_below.setdefault(unit, line) is line
                for when in (0, month):
                    cell = cells[unit, when, _province(line)]
                    cell[0 if first else 1] += value
                    cell[2] += 1


def _add_levels(cells, figures, year, tree):
    declared = defaultdict(list)
    rows = figures.order_by().values_list(
        "activity__unit_id", "indicator_id", "activity__last_day", "activity_id", "value"
    )
    for unit, indicator, day, activity, value in rows.iterator(CHUNK):
        declared[unit, indicator].append((day, activity, value))
    for (unit, _), levels in declared.items():
        line = tree.line(unit)
        months = sorted({year.month_of(day) for day, *_ in levels})
        for month, before in zip([0, *months], [0, 0, *months], strict=False):
            change = _level(levels, year, month or 12) - _level(levels, year, before)
            records = sum(1 for day, *_ in levels if month in (0, year.month_of(day)))
            for above in line:
                cell = cells[above, month, _province(line)]
                cell[0] += change
                cell[2] += records


def _level(levels, year, month):
    """The level at the end of a month: that of the latest declaration until then, 0 before the first."""
    until = [level for level in levels if year.month_of(level[0]) <= month]
    return max(until)[2] if until else 0


def _compare(cells, year, indicator, outcome):
    """Hold the stored cells of an indicator against the recomputed ones; a missing cell is zeros."""
    rows = UnitTotal.objects.filter(year=year, indicator=indicator).order_by()
    fields = ("unit_id", "month", "province_id", "value", "overlap", "records")
    wrong = []
    for unit, month, province, *stored in rows.values_list(*fields).iterator(CHUNK):
        recomputed = tuple(cells.pop((unit, month, province), NOTHING))
        outcome.compared += 1
        if tuple(stored) != recomputed:
            wrong.append((unit, month, province, tuple(stored), recomputed))
    outcome.compared += len(cells)
    wrong += [(*cell, NOTHING, tuple(value)) for cell, value in cells.items() if any(value)]
    if wrong:
        codes = dict(Unit.objects.order_by().values_list("pk", "code"))
        outcome.differences += [
            Difference(codes[unit], year.pk, month, indicator.code, codes[province], stored, recomputed)
            for unit, month, province, stored, recomputed in sorted(wrong)
        ]
