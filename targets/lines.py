"""The targets of a unit as its list and pages print them: one line a target, texts ready made."""

from dataclasses import dataclass, field

from targets.cascade import Source, plans_for
from targets.models import Target
from targets.wording import describe, plan_in_words
from units.models import Placement


@dataclass
class Line:
    """One target of the list, with the measures that reach the unit."""

    target: Target
    source: str
    measures: list = field(default_factory=list)

    @property
    def is_draft(self):
        return self.target.issued_on is None

    def __getattr__(self, name):
        """A table's columns: what is not here is the target's own."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.target, name)


def lines_for(unit, year, user):
    """The year's targets of `unit` that `user` may see: superiors' first, then its own."""
    placement = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit").first()
    if placement is None:
        return []
    visible = set(Target.objects.visible_to(user).filter(year=year).values_list("pk", flat=True))
    lines = {}
    for plan in plans_for([placement], year)[unit.pk]:
        target = plan.measure.target
        if target.pk not in visible:
            continue
        line = lines.setdefault(target.pk, Line(target, plan.source.label))
        if plan.source == Source.GIVEN:
            line.source = plan.source.label
        line.measures.append(_shown(plan))
    for line in lines.values():
        if len(line.measures) == 1 and line.measures[0]["letter"] == "a":
            line.measures[0]["letter"] = ""
    return list(lines.values())


def not_given(unit, year, user, lines):
    """Targets of superiors of which nothing was given to `unit` yet."""
    above = Target.objects.visible_to(user).reaching(unit, year.pk).exclude(issuer=unit)
    here = [line.target.pk for line in lines]
    return above.exclude(pk__in=here).select_related("issuer").order_by("issuer_id", "number", "pk")


def _shown(plan):
    measure = plan.measure
    return {
        "letter": measure.letter,
        "text": measure.text,
        "plan": plan_in_words(measure, plan.planned),
        "registered": "" if plan.registered is None else measure.format_plan(plan.registered),
        "description": describe(measure),
    }
