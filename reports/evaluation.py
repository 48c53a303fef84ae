"""Every measure of some units against plan, registered and last year, from the stored totals.

One call evaluates any number of units of one year in a fixed number of statements. Arithmetic: `reports.arithmetic`;
which measures reach a unit: `targets.cascade`; what was reached: `activities.reading`.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from activities import reading
from reports.arithmetic import WORST_FIRST, State, share, state_of, state_of_milestone, state_of_ratio, state_of_target
from targets.cascade import DEPTH, Plan, Source, concerns, plans_for
from targets.models import Join, MeasureKind, Target, WorkYear
from units.models import Placement


@dataclass(frozen=True)
class MeasureResult:
    """One measure of one unit.

    TOTAL: `actual`, `planned`, `difference`, `last_year`, `pending` in the indicators' smallest unit.
    RATE, COVERAGE: `actual`, `planned`, `difference`, `last_year` in hundredths of a percent, with the `numerator`
    and `denominator` behind. MILESTONE: `numerator` of `denominator` children (or the unit itself) done.
    `percent`: of the plan, in hundredths of a percent.
    """

    plan: Plan
    state: State
    actual: int | None = None
    numerator: int | None = None
    denominator: int | None = None
    percent: int | None = None
    difference: int | None = None
    last_year: int | None = None
    pending: int = 0
    overlap: int = 0

    @property
    def measure(self):
        return self.plan.measure


@dataclass(frozen=True)
class TargetResult:
    target: Target
    state: State
    measures: list[MeasureResult]


def evaluate(placements, work_year, *, as_of=None, today=None, pending=None, compare=True, measures=None):
    """{unit id: [TargetResult, ...]} in the order of `targets.cascade.plans_for`.

    `placements`: rows of that year's tree with `unit` selected. `pending`: {indicator id: waiting sum} of a single
    unit (`activities.reading.waiting`), for its bars. `compare`: read last year too; `today`: only up to the same
    day, while the year still runs. `measures`: only these, the TOTAL ones also for units that were given no number.
    """
    placements = list(placements)
    only = None if measures is None else [measure.pk for measure in measures]
    plans = plans_for(placements, work_year.pk, as_of, only=only)
    if measures is not None:
        plans = {unit: _only(rows, measures) for unit, rows in plans.items()}
    figures = _Figures(placements, plans, work_year, as_of)
    before = _figures_of_last_year(placements, plans, work_year, as_of or today) if compare else None
    results = {}
    for placement in placements:
        by_target = defaultdict(list)
        for plan in plans[placement.unit_id]:
            by_target[plan.measure.target].append(_result(plan, placement, figures, before, pending or {}))
        results[placement.unit_id] = [
            TargetResult(
                target,
                state_of_target(
                    (row.state for row in rows),
                    any_of=target.join == Join.ANY,
                    exceeded_when=settings.TARGET_EXCEEDED_WHEN,
                ),
                rows,
            )
            for target, rows in by_target.items()
        ]
    return results


def _only(plans, measures):
    """The plans of `measures` in their order; a TOTAL without a plan is followed all the same."""
    known = {plan.measure: plan for plan in plans}
    rows = [
        known.get(row) or (Plan(row, None, None, Source.NONE) if row.kind == MeasureKind.TOTAL else None)
        for row in measures
    ]
    return [row for row in rows if row]


def reached(measure, placements, work_year):
    """What `measure` came to in `work_year`, also one of another year that was not asked then.

    ({unit id: figure in the measure's scale or None}, {(unit id, indicator id): reading.Total}). `measure` with its
    indicators and denominators prefetched, `placements` of that year's tree.
    """
    placements = list(placements)
    plans = {row.unit_id: [Plan(measure, None, None, Source.NONE)] for row in placements}
    figures = _Figures(placements, plans, work_year, None)
    results = {row.unit_id: _result(plans[row.unit_id][0], row, figures, None, {}) for row in placements}
    return {unit: result.actual for unit, result in results.items()}, figures.totals


def result_for(measure, placement, work_year):
    """MeasureResult of one unit for a measure that need not be saved: what it would have been in `work_year`."""
    plan = Plan(measure, measure.value, None, Source.OWN)
    figures = _Figures([placement], {placement.unit_id: [plan]}, work_year, None)
    return _result(plan, placement, figures, None, {})


def badness(result):
    """Sort key, worst first: missed before no data before met, the lowest percentage of plan first."""
    return WORST_FIRST.index(result.state), result.percent or 0


class _Figures:
    """Everything the measures of `placements` need at one date, read in a fixed number of statements."""

    def __init__(self, placements, plans, work_year, as_of):
        measures = {plan.measure for rows in plans.values() for plan in rows}
        units = [row.unit_id for row in placements]
        paths = [row.path for row in placements]
        self.places = {row.unit_id: row for row in placements}
        self.totals = reading.totals_at(units, work_year, as_of)
        spread = [row for row in measures if row.kind == MeasureKind.COVERAGE or _of_sector(row)]
        levels = {row.level for row in spread}
        wanted = {pk for row in spread for pk in _ids(row.indicators) + _ids(row.denominators)}
        self.rows = reading.level_rows(paths, work_year, levels, wanted, as_of)
        self.counts = reading.level_counts(paths, work_year, levels) if levels else {}
        self.children, self.done = self._milestones(measures, units, work_year, as_of)
        self._heads = {}

    def _milestones(self, measures, units, work_year, as_of):
        wanted = {row.pk for row in measures if row.kind == MeasureKind.MILESTONE}
        if not wanted:
            return {}, {}
        children = defaultdict(list)
        below = Placement.objects.filter(year=work_year.pk, parent__in=units).select_related("unit")
        for row in below:
            if row.unit.dissolved is None or row.unit.dissolved >= work_year.first_day:
                children[row.parent_id].append(row)
        everybody = [*units, *(row.unit_id for rows in children.values() for row in rows)]
        return children, reading.milestones_done(wanted, everybody, as_of)

    def sum(self, unit_id, indicators):
        """reading.Total over several indicators of one unit."""
        return sum((self.totals.get((unit_id, pk), reading.NOTHING) for pk in indicators), reading.NOTHING)

    def _below(self, path, measure, indicators):
        """The level rows at or below `path` that the measure counts."""
        if len(path) not in self._heads:
            heads = self._heads[len(path)] = defaultdict(list)
            for row in self.rows:
                heads[row.path[: len(path)]].append(row)
        return [
            row
            for row in self._heads[len(path)][path]
            if row.level == measure.level and measure.sector in ("", row.sector) and row.indicator_id in indicators
        ]

    def sum_of_sector(self, path, measure, indicators):
        """reading.Total over the units of the measure's level and sector below `path`."""
        rows = self._below(path, measure, indicators)
        return reading.Total(sum(row.value for row in rows), 0, len(rows))

    def reached(self, path, measure):
        """(units at or above the floor, all units) of the measure's level and sector below `path`."""
        sums = defaultdict(int)
        for row in self._below(path, measure, _ids(measure.indicators)):
            sums[row.path] += row.value
        total = sum(
            n
            for (level, sector), n in self.counts[path].items()
            if level == measure.level and measure.sector in ("", sector)
        )
        return sum(value >= measure.floor for value in sums.values()), total


def _figures_of_last_year(placements, plans, work_year, as_of):
    last = WorkYear.objects.filter(pk=work_year.pk - 1).first()
    if last is None:
        return None
    there = Placement.objects.filter(unit__in=[row.unit_id for row in placements], year=last.pk)
    return _Figures(list(there), plans, last, as_of and _a_year_before(as_of))


def _a_year_before(day):
    """The same day of the year before; the end of February stays the end of February."""
    if day.month == 2 and day.day >= 28 and (day + timedelta(days=1)).month == 3:
        return date(day.year - 1, 3, 1) - timedelta(days=1)
    return day.replace(year=day.year - 1)


def _result(plan, placement, figures, before, pending):
    measure = plan.measure
    if measure.kind == MeasureKind.TOTAL:
        return _total(plan, placement, figures, before, pending)
    if measure.kind == MeasureKind.MILESTONE:
        return _milestone(plan, placement, figures)
    return _ratio(plan, placement, figures, before)


def _total(plan, placement, figures, before, pending):
    indicators = _ids(plan.measure.indicators)
    found = figures.sum(placement.unit_id, indicators)
    actual = found.value if found.records else None
    last = before.sum(placement.unit_id, indicators) if before else reading.NOTHING
    known = actual is not None and plan.planned is not None
    return MeasureResult(
        plan,
        state_of(actual, plan.planned),
        actual=actual,
        percent=share(actual, plan.planned),
        difference=actual - plan.planned if known else None,
        last_year=last.value if last.records else None,
        pending=sum(pending.get(pk, 0) for pk in indicators),
        overlap=found.overlap,
    )


def _ratio(plan, placement, figures, before):
    numerator, denominator = _fraction(plan.measure, placement.unit_id, figures)
    actual = share(numerator, denominator)
    state = state_of_ratio(numerator, denominator, plan.planned)
    if state is State.MISSED:
        actual = min(actual, plan.planned - 1)  # 79,998% of 80% must not print as 80%
    last = share(*_fraction(plan.measure, placement.unit_id, before)) if before else None
    known = actual is not None and plan.planned is not None
    return MeasureResult(
        plan,
        state,
        actual=actual,
        numerator=numerator,
        denominator=denominator,
        percent=_percent_of_plan(numerator, denominator, plan.planned),
        difference=actual - plan.planned if known else None,
        last_year=last,
    )


def _fraction(measure, unit_id, figures):
    """(numerator, denominator) of a RATE or COVERAGE; None where nothing was recorded."""
    place = figures.places.get(unit_id)
    if place is None:  # not in that year's tree
        return None, None
    if measure.kind == MeasureKind.COVERAGE:
        reached, units = figures.reached(place.path, measure)
        recorded = figures.sum(unit_id, _ids(measure.indicators)).records
        return (reached if recorded else None), units
    sides = (_ids(measure.indicators), _ids(measure.denominators))
    if _of_sector(measure) and DEPTH[place.level] < DEPTH[measure.level]:
        found = [figures.sum_of_sector(place.path, measure, side) for side in sides]
    else:
        found = [figures.sum(unit_id, side) for side in sides]
    return tuple(total.value if total.records else None for total in found)


def _percent_of_plan(numerator, denominator, planned):
    """How much of the planned percentage was reached, computed from the fraction itself."""
    if numerator is None or not denominator or not planned:
        return None
    return share(numerator * 10_000, denominator * planned)


def _milestone(plan, placement, figures):
    """Done by the unit itself, or by all its children that the measure concerns."""
    measure, unit = plan.measure, placement.unit_id
    own = (measure.pk, unit) in figures.done
    children = [row.unit_id for row in figures.children.get(unit, []) if concerns(measure, row)]
    done = sum((measure.pk, child) in figures.done for child in children)
    whole = len(children) or 1
    part = whole if own else done
    reached = share(part, whole) if part else None
    return MeasureResult(
        plan,
        state_of_milestone(part == whole, part > 0),
        numerator=part,
        denominator=whole,
        actual=reached,
        percent=reached,
    )


def _of_sector(measure):
    return measure.kind == MeasureKind.RATE and measure.sector


def _ids(related):
    """Primary keys of a prefetched relation."""
    return [row.pk for row in related.all()]
