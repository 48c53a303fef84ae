"""A unit's targets and the numbers it gave out as rows of the import's own workbooks (CONTRACT.md): what is exported
comes back unchanged."""

from targets.cascade import plans_for
from targets.forms import PlanField
from targets.models import Assignment, MeasureKind
from targets.scale import PERCENT, floor_scale, scale_of

LARGEST_EXACT = 10**15  # Excel keeps 15 digits of a number


def target_rows(targets):
    """A row for every measure of `targets` (with measures): the columns of `resources.TargetResource`."""
    rows = []
    for target in targets:
        for measure in target.measures.all():
            indicators = measure.indicators.all()
            rows.append(
                [
                    target.year_id,
                    target.issuer.code,
                    target.number,
                    target.text,
                    measure.letter,
                    measure.get_kind_display(),
                    _codes(indicators),
                    _codes(measure.denominators.all()),
                    cell(measure.floor, *floor_scale(indicators)),
                    measure.get_level_display(),
                    measure.sector,
                    cell(measure.value, *scale_of(measure)),
                    measure.deadline,
                    target.get_join_display(),
                ]
            )
    return rows


def assignment_rows(placement, children, year, targets=None):
    """A row for every child and every measure the unit at `placement` issued or was given, with what is in force: the
    columns of `resources.AssignmentResource`. `targets`: only these (what the asking person may see)."""
    children = list(children)
    measures = [plan.measure for plan in plans_for([placement], year)[placement.unit_id]]
    if targets is not None:
        visible = set(targets.filter(year=year).values_list("pk", flat=True))
        measures = [measure for measure in measures if measure.target_id in visible]
    given = {
        (row.measure_id, row.unit_id): row
        for row in Assignment.objects.filter(measure__in=measures, unit__in=[row.unit_id for row in children])
    }
    return [
        _assignment(measure, child.unit, given.get((measure.pk, child.unit_id)))
        for measure in measures
        if measure.kind != MeasureKind.MILESTONE
        for child in children
    ]


def _assignment(measure, unit, given):
    target = measure.target
    row = [target.year_id, target.issuer.code, target.number, measure.letter, unit.code]
    if given is None:
        return row
    numbers = (cell(number, *scale_of(measure)) for number in (given.planned, given.registered))
    return [*row, *numbers, given.decision_number, given.decision_date]


def cell(value, decimals, unit):
    """A stored number as the import reads it back: a number where Excel keeps it exactly, else text."""
    if value is None:
        return None
    if decimals == 0 and value < LARGEST_EXACT:
        return value
    shown = PlanField(decimals=decimals, unit=unit).prepare_value(value)
    return f"{shown}%" if (decimals, unit) == PERCENT else shown


def _codes(indicators):
    return "+".join(row.code for row in indicators)
