"""What ban hành would put in force for the units below one, as somebody confirms it; and doing just that."""

from collections import defaultdict
from dataclasses import dataclass, field

from targets import giving
from targets.cascade import Source, plans_for
from targets.models import Assignment, DraftAssignment, Measure, MeasureKind, Target
from targets.setting import Stale
from targets.wording import plan_in_words
from unionwork.verbs import verb
from units.models import Placement, Unit


@dataclass
class Change:
    """One unit's number before and after, in the measure's scale."""

    unit: Unit
    old: int | None
    new: int | None
    note: str = ""


@dataclass
class Proposal:
    """One measure whose drafts wait. `received`: what the giver itself has of it; `missing`: units without a number.

    `before`, `after`: sums over the units below, for TOTAL only.
    """

    measure: Measure
    changes: list = field(default_factory=list)
    received: int | None = None
    is_own: bool = False
    before: int = 0
    after: int = 0
    missing: list = field(default_factory=list)

    @property
    def is_total(self):
        return self.measure.kind == MeasureKind.TOTAL

    @property
    def left(self):
        return self.received - self.after if self.is_total and self.received is not None else None

    @property
    def replaces(self):
        """Whether a number in force changes: that needs a reason."""
        return any(row.old is not None and row.old != row.new for row in self.changes)

    @property
    def fingerprint(self):
        """What the person who confirms has seen."""
        return ";".join(f"{row.unit.pk}:{row.old}:{row.new}:{row.note}" for row in self.changes)

    def words(self, value):
        return plan_in_words(self.measure, value)


def unissued(giver, year):
    """The drafts of chỉ tiêu that `giver` wrote and has not issued yet."""
    rows = Target.objects.filter(issuer=giver, year=year, issued_on=None)
    return rows.prefetch_related("measures__indicators").order_by("number")


def open_count(giver, year):
    """How many chỉ tiêu of the year wait to be issued by `giver`: own ones, and those whose numbers are in draft."""
    waiting = {row.measure.target_id for row in giving.waiting(giver, year)}
    return len(waiting | set(unissued(giver, year).values_list("pk", flat=True)))


def proposals(giver, year):
    """[Proposal] of every measure with drafts that wait. The same number of statements for any number of units."""
    drafts = giving.waiting(giver, year)
    if not drafts:
        return []
    found = {}
    for row in drafts:
        found.setdefault(row.measure_id, Proposal(row.measure))
    children = list(Placement.objects.filter(year=year.pk, parent=giver).in_order())
    children = [row.unit for row in children if not row.unit.dissolved or row.unit.dissolved >= year.first_day]
    in_force, after = _numbers(giver, found, children)
    for row in drafts:
        change = Change(row.unit, in_force[row.measure_id].get(row.unit_id), row.planned, row.note)
        found[row.measure_id].changes.append(change)
    plans = {plan.measure.pk: plan for plan in _plans_of(giver, year)}
    for pk, proposal in found.items():
        plan = plans.get(pk)
        proposal.received = plan.planned if plan else None
        proposal.is_own = bool(plan) and plan.source == Source.OWN
        proposal.before, proposal.after = (
            sum(value or 0 for value in numbers[pk].values()) for numbers in (in_force, after)
        )
        if proposal.is_total:
            proposal.missing = [unit for unit in children if after[pk].get(unit.pk) is None]
    return list(found.values())


def _numbers(giver, measures, children):
    """({measure id: {unit id: number in force}}, the same with the drafts of `giver` laid over)."""
    in_force, after = defaultdict(dict), defaultdict(dict)
    for row in Assignment.objects.filter(measure__in=measures, unit__in=children):
        in_force[row.measure_id][row.unit_id] = after[row.measure_id][row.unit_id] = row.planned
    for row in DraftAssignment.objects.filter(giver=giver, measure__in=measures, unit__in=children):
        after[row.measure_id][row.unit_id] = row.planned
    return in_force, after


def _plans_of(giver, year):
    here = Placement.objects.filter(unit=giver, year=year.pk).select_related("unit")
    return plans_for(here, year.pk).get(giver.pk, [])


@verb("Ban hành chỉ tiêu")
def issue_seen(*, giver, year, targets, measures, seen, **decision):
    """`giving.issue` when the drafts are still those that were confirmed (`seen`: {measure id: fingerprint}).

    Raises `Stale` when somebody changed one meanwhile, and what `giving.issue` raises, which also tells the journal.
    """
    wanted = sorted(measure.pk for measure in measures)
    list(Measure.objects.select_for_update().filter(pk__in=wanted).order_by("pk").values_list("pk"))
    now = {row.measure.pk: row.fingerprint for row in proposals(giver, year)}
    if any(now.get(pk) != seen.get(pk) for pk in wanted):
        raise Stale("Bản nháp vừa được người khác sửa. Xem lại các số mới rồi ban hành.")
    return giving.issue(giver=giver, year=year, targets=targets, measures=measures, **decision)
