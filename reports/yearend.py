"""Báo cáo tổng kết: everything the page, the workbook and the JSON of one unit and year show, read once."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date

from django.utils import timezone

from activities import reading
from activities.models import Activity, Status
from reports.breakdown import Parts, take_apart
from reports.evaluation import TargetResult, evaluate
from reports.summary import Summary, summarise
from targets.models import Indicator, WorkYear
from unionwork.numbers import format_number
from unionwork.text import fold
from units.models import Placement, Unit
from units.structure import structure_of

NAMED = 5  # so many units without figures are named, more only counted


class NotInTree(Exception):
    """The unit has no place in that year's tree."""


@dataclass(frozen=True)
class Line:
    """One indicator, in its smallest unit. None: no figure at all, which is not 0.

    `total` counts joint activities once, `overlap` was subtracted for that somewhere in the subtree, `overlap_here`
    between the children and the unit itself: Σ children + own - overlap_here = total.
    """

    indicator: Indicator
    total: int | None
    own: int | None
    overlap: int
    overlap_here: int
    by_level: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Child:
    """A direct child. `totals`: {indicator id: value}, only where there are figures."""

    unit: Unit
    level: str
    totals: dict
    targets: list[TargetResult]
    is_alive: bool


@dataclass(frozen=True)
class YearEnd:
    """`as_of`: the last day that is counted."""

    unit: Unit
    superior: Unit | None
    level: str
    year: WorkYear
    as_of: date
    summary: Summary
    targets: list[TargetResult]
    lines: list[Line]
    children: list[Child]
    awards: list
    warnings: list[str]

    @property
    def asked(self):
        """The lines of the targets' indicators, in the order of the targets; without targets all lines."""
        by_id = {line.indicator.pk: line for line in self.lines}
        wanted = [pk for target in self.targets for result in target.measures for pk in indicator_ids(result.measure)]
        return [by_id[pk] for pk in dict.fromkeys(wanted)] or self.lines


def gather(unit, work_year, as_of=None):
    """The YearEnd of `unit`, up to the day `as_of` (default: the year's last day, or today while it runs).

    The number of statements does not depend on the number of units. Raises NotInTree.
    """
    placement = Placement.objects.select_related("unit__kind", "parent").filter(unit=unit, year=work_year.pk).first()
    if placement is None:
        raise NotInTree(f"“{unit}” không có trong cây đơn vị năm {work_year}.")
    today = timezone.localdate()
    if as_of and as_of >= work_year.last_day:
        as_of = None
    below = list(Placement.objects.filter(year=work_year.pk, parent=unit).in_order())
    results = evaluate([placement, *below], work_year, as_of=as_of, today=today)
    totals = _totals([placement, *below], work_year, as_of)
    targets = results[unit.pk]
    children = [_child(row, totals[row.unit_id], results[row.unit_id], work_year) for row in below]
    children = [child for child in children if child.is_alive or child.totals]
    return YearEnd(
        unit=placement.unit,
        superior=placement.parent,
        level=placement.level,
        year=work_year,
        as_of=as_of or min(work_year.last_day, today),
        summary=summarise(targets),
        targets=targets,
        lines=_lines(targets, totals, placement, below, take_apart(placement, work_year, as_of)),
        children=children,
        awards=[],
        warnings=list(_warnings(placement, work_year, as_of, targets, children)),
    )


def indicator_ids(measure):
    """Of numerator and denominator, from what was prefetched."""
    return [row.pk for related in (measure.indicators, measure.denominators) for row in related.all()]


def _totals(placements, work_year, as_of):
    """{unit id: {indicator id: reading.Total}} where there are figures."""
    totals = defaultdict(dict)
    for (unit, indicator), total in reading.totals_at([row.unit_id for row in placements], work_year, as_of).items():
        if total.records:
            totals[unit][indicator] = total
    return totals


def _child(placement, totals, targets, work_year):
    dissolved = placement.unit.dissolved
    return Child(
        unit=placement.unit,
        level=placement.level,
        totals={indicator: total.value for indicator, total in totals.items()},
        targets=targets,
        is_alive=dissolved is None or dissolved >= work_year.first_day,
    )


def _lines(targets, totals, placement, below, parts):
    """A line of every indicator with figures in the subtree or in a target, in the catalogue's order."""
    mine = totals[placement.unit_id]
    asked = {pk for target in targets for result in target.measures for pk in indicator_ids(result.measure)}
    overlaps = defaultdict(int)
    for row in below:
        for indicator, total in totals[row.unit_id].items():
            overlaps[indicator] += total.overlap
    lines = []
    for indicator in Indicator.objects.filter(pk__in=asked | set(mine)):
        total, part = mine.get(indicator.pk), parts.get(indicator.pk, Parts())
        line = Line(indicator, None, None, 0, 0)
        if total:
            here = total.overlap - overlaps[indicator.pk]
            line = replace(
                line, total=total.value, own=part.own, overlap=total.overlap, overlap_here=here, by_level=part.by_level
            )
        lines.append(line)
    return lines


def _warnings(placement, work_year, as_of, targets, children):
    """What a reader must know before trusting the figures."""
    silent = [result.target.number for result in targets if not result.state.is_met and _unmeasured(result)]
    if silent:
        yield f"{len(silent)} chỉ tiêu có ý chưa có số liệu: số {', '.join(map(str, silent))}"
    alive = [child for child in children if child.is_alive]
    idle = [child.unit.label for child in alive if not child.totals]
    if idle:
        named = f": {', '.join(idle)}" if len(idle) <= NAMED else ""
        yield f"{len(idle)}/{len(alive)} đơn vị trực thuộc chưa có số liệu nào được duyệt{named}"
    if placement.unit.stated_parts:
        mismatch = stated_otherwise(structure_of(placement.unit, placement, work_year.first_day))
        if mismatch:
            yield mismatch
    waiting = Activity.objects.filter(status=Status.PENDING).hosted_within(placement.path, work_year.pk)
    count = (waiting.filter(last_day__lte=as_of) if as_of else waiting).count()
    if count:
        yield f"{count} hoạt động chờ duyệt chưa tính"


def _unmeasured(result):
    return any(row.actual is None for row in result.measures)


def stated_otherwise(structure):
    """A sentence when what a document states disagrees with its own sum or with the tree; None when all agree.

    Nothing is corrected silently (DESIGN.md §4).
    """
    if not structure.warnings:
        return None
    stated = []
    if structure.parts:
        added = " + ".join(format_number(part.stated) for part in structure.parts)
        stated.append(f"{added} = {format_number(structure.stated_sum)}")
    if structure.stated_total is not None:
        stated.append(f"tổng {format_number(structure.stated_total)}")
    of_bases = all("co so" in fold(part.label) for part in structure.parts)
    what = "cơ sở" if of_bases else "đơn vị"
    return f"Văn bản nêu {', '.join(stated)}, hệ thống có {format_number(structure.counted)} {what}"
