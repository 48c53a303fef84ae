"""How a target is shared out below one unit: what the unit has, what its children were given, what is left."""

from django.utils.functional import cached_property

from targets import intake
from targets.cascade import Source, plans_for
from targets.models import Assignment, MeasureKind
from targets.wording import describe, plan_in_words
from units import access
from units.models import Placement, Unit
from units.tree import ancestor_ids


class Sharing:
    """A target below `unit` in the tree of the target's year. Eleven statements, whatever the number of children."""

    def __init__(self, target, unit, user):
        self.target = target
        self.unit = unit
        self.user = user
        self.year = target.year

    @cached_property
    def placement(self):
        """Where the unit stands in the year's tree; None when it does not."""
        return Placement.objects.filter(unit=self.unit, year=self.year.pk).select_related("unit").first()

    @cached_property
    def children(self):
        """The direct children in the year's tree that are alive and in the user's scope."""
        return list(
            Placement.objects.filter(parent=self.unit, year=self.year.pk, unit__in=Unit.objects.visible_to(self.user))
            .exclude(unit__dissolved__lt=self.year.first_day)
            .in_order()
        )

    @cached_property
    def plans(self):
        """{(unit id, measure id): Plan} of the unit and its children."""
        placements = [row for row in [self.placement, *self.children] if row]
        return {
            (unit, plan.measure.pk): plan
            for unit, plans in plans_for(placements, self.year).items()
            for plan in plans
            if plan.measure.target_id == self.target.pk
        }

    @cached_property
    def registered(self):
        """{(unit id, measure id): number}: units may register before they are given anything."""
        units = [self.unit.pk, *(row.unit_id for row in self.children)]
        rows = Assignment.objects.filter(measure__target=self.target, unit__in=units, registered__isnull=False)
        return {(row.unit_id, row.measure_id): row.registered for row in rows}

    @cached_property
    def is_mine(self):
        """Whether the user sets targets for the unit in view."""
        return Unit.objects.reached(self.user, access.SET_TARGETS).filter(pk=self.unit.pk).exists()

    def plan(self, measure, unit=None):
        return self.plans.get(((unit or self.unit).pk, measure.pk))

    def balance(self, measure):
        """For TOTAL in words: {from, given, shared, left, is_over}; None for other kinds or without children."""
        plan = self.plan(measure)
        if measure.kind != MeasureKind.TOTAL or plan is None or not self.children:
            return None
        rows = [self.plan(measure, row.unit) for row in self.children]
        shared = sum(row.planned or 0 for row in rows if row)
        left = (plan.planned or 0) - shared
        return {
            "from": "Kế hoạch" if plan.source == Source.OWN else "Cấp trên giao",
            "given": plan_in_words(measure, plan.planned),
            "shared": plan_in_words(measure, shared),
            "left": plan_in_words(measure, abs(left)),
            "is_over": left < 0,
        }

    @cached_property
    def measures(self):
        """The measures as the page prints them."""
        return [self._measure(measure) for measure in self.target.measures.all()]

    def _measure(self, measure):
        plan = self.plan(measure)
        registered = self.registered.get((self.unit.pk, measure.pk))
        may_set = self.is_mine and self.year.is_open and measure.kind != MeasureKind.MILESTONE
        return {
            "pk": measure.pk,
            "letter": measure.letter,
            "text": measure.text,
            "kind": measure.get_kind_display(),
            "description": describe(measure),
            "value": plan_in_words(measure, measure.value),
            "deadline": measure.deadline,
            "year_end_only": measure.year_end_only,
            "indicators": list(measure.indicators.all()),
            "denominators": list(measure.denominators.all()),
            "plan": plan_in_words(measure, plan.planned) if plan else "",
            "source": plan.source.label if plan else "",
            "registered": "" if registered is None else measure.format_plan(registered),
            "balance": self.balance(measure),
            "can_assign": may_set and plan is not None and bool(self.children),
            "can_register": may_set and self.may_register,
            "can_answer": self.is_mine and self.year.is_open and self.may_register and plan is not None,
        }

    @cached_property
    def has_tree(self):
        """Whether there is anything below the unit down which the target can be followed."""
        return bool(self.children) and self.target.issuer_id in ancestor_ids(self.placement.path)

    @cached_property
    def may_register(self):
        """Whether the unit stands below the one that has issued the target; its own plan nobody registers for."""
        if self.placement is None or not self.target.issued_on:
            return False
        return self.target.issuer_id in ancestor_ids(self.placement.path)[:-1]

    @cached_property
    def columns(self):
        """The measures with a column in the table of children."""
        return [measure for measure in self.target.measures.all() if measure.kind != MeasureKind.MILESTONE]

    @cached_property
    def rows(self):
        """The children with what each was given and registered, in words."""
        return [
            {
                "unit": row.unit,
                "cells": [cell for measure in self.columns for cell in self._cells(measure, row.unit)],
                "reply": self._reply(row.unit),
            }
            for row in self.children
        ]

    @cached_property
    def received(self):
        """{(unit id, measure id): intake.Received} of the children: what they answered."""
        plans = {row.unit_id: [] for row in self.children}
        for (unit, _), plan in self.plans.items():
            if unit in plans:
                plans[unit].append(plan)
        return intake.received(self.children, self.year, plans)

    def _reply(self, unit):
        """What a child answered to the measures that reach it, in words; the same of all is said once."""
        found = [self.received.get((unit.pk, measure.pk)) for measure in self.target.measures.all()]
        said = [(row.measure.letter, row.state) for row in found if row]
        if len({state for _, state in said}) < 2:
            return said[0][1] if said else "–"
        return "; ".join(f"{letter}) {state}" for letter, state in said)

    def _cells(self, measure, unit):
        plan = self.plan(measure, unit)
        single = len(self.columns) == 1
        for label, value in (("Giao", plan and plan.planned), ("Đăng ký", self.registered.get((unit.pk, measure.pk)))):
            text = "–" if value is None else measure.format_plan(value)
            is_common = value is not None and label == "Giao" and plan.source == Source.INHERITED
            yield {
                "label": label if single else f"{measure.letter}) {label}",
                "text": f"{text} (chung)" if is_common else text,
            }
