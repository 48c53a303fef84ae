"""Reading the stored totals: of units, at a date, of the units of a level, and what still waits."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

from django.db.models import Count, Q, Sum, Value
from django.db.models.functions import Substr

from activities import totals
from activities.models import Activity, Figure, Status, UnitTotal
from targets.models import Indicator, Nature
from units.models import Placement


@dataclass(frozen=True)
class Total:
    """`value` counts joint activities once; `overlap` was subtracted for that; `records` figures stand behind it."""

    value: int = 0
    overlap: int = 0
    records: int = 0

    def __add__(self, other):
        return Total(self.value + other.value, self.overlap + other.overlap, self.records + other.records)


NOTHING = Total()


def months_through(work_year, as_of):
    """(whole months that lie before or end on `as_of`, the month `as_of` cuts or None); None, None: the whole year."""
    if as_of is None or as_of >= work_year.last_day:
        return None, None
    if as_of < work_year.first_day:
        return 0, None
    month = work_year.month_of(as_of)
    whole = work_year.month_of(as_of + timedelta(days=1)) > month
    return (month, None) if whole else (month - 1, month)


def totals_at(unit_ids, work_year, as_of=None):
    """{(unit id, indicator id): Total} of the subtrees of `unit_ids`: one statement, a few more when a month is
    cut."""
    unit_ids = set(unit_ids)
    through, cut = months_through(work_year, as_of)
    rows = UnitTotal.objects.of_year(work_year.pk, through=through).filter(unit__in=unit_ids)
    found = {
        (row["unit_id"], row["indicator_id"]): Total(row["total"], row["overlapped"], row["figures"])
        for row in rows.by_unit_and_indicator()
    }
    if cut:
        for (unit, indicator), total in _cut_month(unit_ids, work_year, cut, as_of).items():
            if unit in unit_ids:
                found[unit, indicator] = found.get((unit, indicator), NOTHING) + total
    return found


def _cut_month(unit_ids, work_year, month, as_of):
    """{(unit, indicator): Total} of one month up to `as_of`, computed from the records hosted near `unit_ids`."""
    paths = Placement.objects.filter(unit__in=unit_ids, year=work_year.pk).values_list("path", flat=True)
    above = _above(paths)
    counted = Activity.objects.counted().hosted_within(above, work_year.pk).filter(last_day__lte=as_of)
    note = totals.Note()
    note.add_flows(list(counted.filter(month=month).order_by("pk").values_list("pk", flat=True)))
    declared = counted.filter(month=month, kind__nature=Nature.STOCK).order_by()
    note.add_levels(set(declared.values_list("unit_id", "year_id")), until=as_of)
    found = defaultdict(lambda: NOTHING)
    for (unit, _, when, indicator, _), cell in note.cells.items():
        if when == month:
            found[unit, indicator] += Total(*cell)
    return found


@dataclass(frozen=True)
class LevelRow:
    """The subtree total of one unit of a level, with where it stands and whom it gathers."""

    path: str
    level: str
    sector: str
    indicator_id: int
    value: int


def level_rows(paths, work_year, levels, indicator_ids, as_of=None):
    """[LevelRow] of the living units of `levels` below `paths`: what COVERAGE and the RATE of a sector count."""
    if not indicator_ids:
        return []
    placements = _alive(paths, work_year).filter(level__in=levels)
    through, cut = months_through(work_year, as_of)
    if cut:
        units = {row.unit_id: row for row in placements.select_related("unit")}
        found = totals_at(units, work_year, as_of)
        return [
            LevelRow(units[unit].path, units[unit].level, units[unit].unit.sector, indicator, total.value)
            for (unit, indicator), total in found.items()
            if indicator in indicator_ids
        ]
    rows = (
        UnitTotal.objects.of_year(work_year.pk, through=through)
        .filter(
            indicator__in=indicator_ids,
            unit__placements__in=placements,
        )
        .order_by()
        .values_list("unit__placements__path", "unit__placements__level", "unit__sector", "indicator_id")
        .annotate(total=Sum("value"))
    )
    return [LevelRow(*row) for row in rows]


def level_counts(paths, work_year, levels):
    """{path of `paths`: {(level, sector): number of living units at or below it}}: one statement."""
    counts = {path: defaultdict(int) for path in paths}
    by_length = [
        _alive([path for path in paths if len(path) == length], work_year)
        .filter(level__in=levels)
        .annotate(head=Substr("path", 1, length), length=Value(length))
        .order_by()
        .values_list("head", "length", "level", "unit__sector")
        .annotate(n=Count("pk"))
        for length in sorted({len(path) for path in paths})
    ]
    for head, length, level, sector, n in by_length[0].union(*by_length[1:], all=True) if by_length else ():
        if head in counts and len(head) == length:  # a shorter head stands above these paths
            counts[head][level, sector] += n
    return counts


def _alive(paths, work_year):
    """Placements of the year near `paths` (at or below what lies above them all: one condition, however many paths)
    whose unit was not dissolved before the year began. Callers pick what is below each path."""
    return Placement.objects.filter(alive_in(work_year), year=work_year.pk, path__startswith=_above(paths))


def alive_in(work_year):
    """Q: a placement whose unit was not dissolved before the work year began."""
    return Q(unit__dissolved__isnull=True) | Q(unit__dissolved__gte=work_year.first_day)


def _above(paths):
    """The path of the lowest common ancestor of `paths`; "" (everything) of none."""
    return reduce(totals.common, paths) if paths else ""


def milestones_done(measure_ids, unit_ids, as_of=None):
    """{(measure id, unit id): day} of the approved milestones reached by `as_of`."""
    if not measure_ids:
        return {}
    rows = Activity.objects.counted().filter(milestone__in=measure_ids, unit__in=unit_ids).order_by("-last_day")
    if as_of:
        rows = rows.filter(last_day__lte=as_of)
    return {(measure, unit): day for measure, unit, day in rows.values_list("milestone_id", "unit_id", "last_day")}


def waiting(path, work_year):
    """{indicator id: sum of the figures that wait for approval} below `path`, wholes included; STOCK left out."""
    ids = Activity.objects.filter(status=Status.PENDING).hosted_within(path, work_year.pk).values("pk")
    rows = (
        Figure.objects.filter(activity__in=ids, indicator__nature=Nature.FLOW)
        .order_by()
        .values_list("indicator_id")
        .annotate(total=Sum("value"))
    )
    chains = Indicator.objects.chains()
    sums = defaultdict(int)
    for indicator, total in rows:
        for of in chains[indicator]:
            sums[of] += total
    return sums
