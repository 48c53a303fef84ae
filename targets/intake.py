"""Tiếp nhận: what superiors gave a unit, how it changed since, and whether the unit has answered it as it now stands.

An answer holds until what it was about changes: the number given to the unit, or for what applies in common the
measure itself. That the unit registers a number of its own changes nothing of this.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

from django.core.exceptions import ValidationError

from targets import replies
from targets.cascade import Plan, Source, plans_for
from targets.models import Assignment, AssignmentVersion, Decision, MeasureVersion, Reply
from targets.scale import floor_scale
from targets.wording import plan_in_words
from unionwork.dates import format_date
from unionwork.numbers import format_number
from unionwork.verbs import verb
from units import access, journal
from units.tree import ancestor_ids

RECEIVED = (Source.GIVEN, Source.INHERITED)


@dataclass(frozen=True)
class Change:
    """One step in what was asked: `before` is blank when it was given for the first time."""

    before: str
    after: str
    since: date
    at: datetime
    reason: str = ""
    decision: Decision | None = None
    number: int | None = None  # of the unit's own assignment version


@dataclass(frozen=True)
class Received:
    """One measure of a superior as it stands at one unit, with the unit's last word about it."""

    plan: Plan
    given: Assignment | None
    latest: AssignmentVersion | None
    steps: list[Change] = field(default_factory=list)
    reply: Reply | None = None

    @property
    def measure(self):
        return self.plan.measure

    @property
    def version(self):
        """What `replies.reply` wants to know was read."""
        return self.given.version if self.given else 0

    @property
    def token(self):
        """Says on a form which state of which measure is answered."""
        return f"{self.measure.pk}:{len(self.steps)}"

    @property
    def changes(self):
        """The steps after the first giving."""
        return [step for step in self.steps if step.before]

    @property
    def is_open(self):
        """Whether the unit has not answered it as it now stands."""
        said = self.reply
        return said is None or any(
            step.number > said.version if step.number else step.at > said.at for step in self.steps
        )

    @property
    def state(self):
        """For the superior, in words."""
        if self.is_open:
            return "chưa trả lời số mới" if self.reply else "chưa trả lời"
        return "đã tiếp nhận" if self.reply.accepted else f"có ý kiến: {self.reply.remark}"


def received(placements, year, plans=None):
    """{(unit id, measure id): Received} of everything issued that superiors gave these units, in the order of
    `plans_for`. Four statements, and those of `plans_for` when its answer is not handed in (`plans`)."""
    placements = list(placements)
    plans = plans_for(placements, year.pk) if plans is None else plans
    lines = {row.unit_id: ancestor_ids(row.path) for row in placements}
    given = {
        (unit, plan.measure.pk): plan
        for unit, rows in plans.items()
        for plan in rows
        if plan.source in RECEIVED and plan.measure.target.issued_on
    }
    history = _History({measure for _, measure in given}, lines)
    return {
        (unit, measure): Received(
            plan,
            history.given.get((unit, measure)),
            next(reversed(history.versions[unit, measure]), None),
            history.steps(plan, lines[unit]),
            history.replies.get((unit, measure)),
        )
        for (unit, measure), plan in given.items()
    }


def open_for(user, placement, year, plans):
    """How many chỉ tiêu of superiors wait for an answer of this unit; 0 for people who do not answer for it."""
    if not year.is_open or placement.unit_id not in {grant.unit_id for grant in access.SET_TARGETS.grants(user)}:
        return 0
    unit = placement.unit_id
    plans = [plan for plan in plans if plan.source in RECEIVED and plan.measure.target.issued_on]
    said = replies.latest([unit], [plan.measure.pk for plan in plans])
    waiting = {plan.measure.target_id for plan in plans if (unit, plan.measure.pk) not in said}
    if said:  # only then may something have changed since
        rows = received([placement], year, {unit: plans}).values()
        waiting |= {row.measure.target_id for row in rows if row.is_open}
    return len(waiting)


@verb("Trả lời chỉ tiêu được giao")
def answer(*, placement, year, tokens, accepted, actor, remark=""):
    """Reply to the measures that `tokens` name, all or none. Raises ValidationError when one of them is not what was
    read any more, when a remark is missing, and in a closed year."""
    if not year.is_open:
        raise ValidationError(f"Năm công tác {year} đã đóng nên không trả lời được nữa.")
    known = {row.token: row for row in received([placement], year).values()}
    if not tokens or set(tokens) - set(known):
        raise ValidationError("Cấp trên vừa điều chỉnh chỉ tiêu. Xem số mới bên dưới rồi trả lời lại.")
    with journal.kept() as notes:
        for token in dict.fromkeys(tokens):
            row = known[token]
            replies.reply(
                measure=row.measure,
                unit=placement.unit,
                version=row.version,
                accepted=accepted,
                actor=actor,
                remark=remark,
            )
    journal.write(notes)
    return len(set(tokens))


class _History:
    """Every version of the measures and of what the units and their superiors were given of them."""

    def __init__(self, measures, lines):
        units = set(lines)
        everybody = units | {unit for line in lines.values() for unit in line}
        rows = AssignmentVersion.objects.filter(assignment__measure__in=measures, assignment__unit__in=everybody)
        self.given, self.versions, self.measures = {}, defaultdict(list), defaultdict(list)
        for row in rows.select_related("assignment", "decision").order_by("number"):
            self.versions[row.assignment.unit_id, row.assignment.measure_id].append(row)
        for row in Assignment.objects.filter(measure__in=measures, unit__in=everybody):
            self.given[row.unit_id, row.measure_id] = row
        for row in MeasureVersion.objects.filter(measure__in=measures).order_by("number"):
            self.measures[row.measure_id].append(row)
        self.replies = replies.latest(units, measures)

    def steps(self, plan, line):
        """What was asked of the unit at the end of `line`, step by step, the latest last."""
        measure, unit = plan.measure, line[-1]
        steps = list(_given_steps(measure, self.versions[unit, measure.pk], own=True))
        names = ["floor", "deadline"]
        if plan.source == Source.INHERITED:
            above = [(pk, measure.pk) for pk in reversed(line[:-1])]
            over = next((key for key in above if key in self.given and self.given[key].planned is not None), None)
            if over:
                steps += [step for step in _given_steps(measure, self.versions[over]) if step.before]
            else:
                names.insert(0, "value")
        steps += _measure_steps(measure, self.measures[measure.pk], names)
        return sorted(steps, key=lambda step: step.at)


def _given_steps(measure, versions, *, own=False):
    """The versions at which the number given changed; registering one is none."""
    before, first = None, True
    for row in versions:
        if row.planned == before:
            continue
        yield Change(
            "" if first else _planned(measure, before),
            _planned(measure, row.planned),
            row.in_force_from,
            row.at,
            row.reason,
            row.decision,
            row.number if own else None,
        )
        before, first = row.planned, False


def _planned(measure, value):
    if value is None:
        return "theo mức chung" if measure.is_inherited else "không giao"
    return plan_in_words(measure, value)


def _measure_steps(measure, versions, names):
    for old, new in pairwise(versions):
        for name in names:
            before, after = getattr(old, name), getattr(new, name)
            if before != after:
                shown = _SHOWN[name]
                yield Change(shown(measure, before), shown(measure, after), new.in_force_from, new.at, new.reason)


def _floor(measure, value):
    decimals, unit = floor_scale(measure.indicators.all())
    return f"ngưỡng {format_number(value, decimals)} {unit}".strip()


def _deadline(measure, value):
    return f"hạn {format_date(value)}" if value else "không hạn"


_SHOWN = {"value": plan_in_words, "floor": _floor, "deadline": _deadline}
