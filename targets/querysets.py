"""Sentences about many rows of what is asked."""

from django.db import models
from django.db.models import Q

from unionwork.text import fold
from units import access
from units.models import Placement, Unit
from units.tree import ancestor_ids


class IndicatorQuerySet(models.QuerySet):
    def matching(self, text):
        found = self
        for word in fold(text[:200]).split():
            found = found.filter(search__contains=word)
        return found

    def chains(self):
        """{indicator id: [its own id, that of the indicator it is part of, ...]}: one statement."""
        parts = dict(self.order_by().values_list("pk", "part_of_id"))
        chains = {}
        for indicator in parts:
            chain, of = [], indicator
            while of:
                chain.append(of)
                of = parts[of]
            chains[indicator] = chain
        return chains


class TargetQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Targets of units in the user's scope, and what superiors have issued that reaches a unit in it."""
        paths = [grant.path for grant in access.VIEW.grants(user)]
        if "" in paths:
            return self
        above = {pk for path in paths for pk in ancestor_ids(path)}
        return self.filter(Q(issuer__in=above, issued_on__isnull=False) | Q(issuer__in=Unit.objects.visible_to(user)))

    def editable_by(self, user):
        """Targets whose issuing unit the user may set targets for."""
        return self.filter(issuer__in=Unit.objects.reached(user, access.SET_TARGETS))

    def reaching(self, unit, year):
        """The year's targets of `unit`: its own, and those of its superiors (given or inherited).

        Which measures of a superior's target apply is `targets.cascade`'s to say.
        """
        path = Placement.objects.filter(unit=unit, year=year).values_list("path", flat=True).first()
        return self.filter(year=year, issuer__in=ancestor_ids(path or ""))

    def with_measures(self):
        return self.select_related("issuer").prefetch_related("measures__indicators", "measures__denominators")


class MeasureQuerySet(models.QuerySet):
    def editable_by(self, user):
        return self.filter(target__issuer__in=Unit.objects.reached(user, access.SET_TARGETS))


class AssignmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(unit__in=Unit.objects.visible_to(user))


class DecisionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Decisions of units in the user's scope, and those that gave something to one or issued what reaches one."""
        units = Unit.objects.visible_to(user)
        paths = [grant.path for grant in access.VIEW.grants(user)]
        above = {pk for path in paths for pk in ancestor_ids(path)}
        reaching = Q(giver__in=above, targets__isnull=False)
        return self.filter(Q(giver__in=units) | reaching | Q(versions__assignment__unit__in=units)).distinct()


class PeriodQuerySet(models.QuerySet):
    def standard(self):
        """The periods everybody has: months, quarters, halves, the year."""
        return self.filter(issuer=None)

    def visible_to(self, user):
        """The standard periods, the campaigns of units in scope, and those of superiors."""
        above = {pk for grant in access.VIEW.grants(user) for pk in ancestor_ids(grant.path)}
        return self.filter(Q(issuer=None) | Q(issuer__in=above) | Q(issuer__in=Unit.objects.visible_to(user)))

    def editable_by(self, user):
        """The campaigns of units for which the user sets targets. (The standard periods: `access.MANAGE_CATALOGUE`.)"""
        return self.filter(issuer__in=Unit.objects.reached(user, access.SET_TARGETS).values("pk"))

    def of_path(self, path):
        """The periods of the unit that stands at `path`: the standard ones, its own, and its superiors' campaigns."""
        return self.filter(Q(issuer=None) | Q(issuer__in=ancestor_ids(path)))
