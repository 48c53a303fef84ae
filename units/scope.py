"""Scope is a door: every queryset that reaches a page begins with `visible_to` or `editable_by`."""

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from unionwork.text import fold
from units import access

STEP = 6  # characters a level of `Placement.path`


def within(paths, prefix=""):
    """Q over a path column: at or below any of `paths`. No path at all matches nothing."""
    condition = Q(pk__in=[])
    for path in paths:
        if path == "":
            return Q()
        condition |= Q(**{f"{prefix}path__startswith": path})
    return condition


def shortest(paths):
    """`paths` without those that lie below another one."""
    kept = []
    for path in sorted(paths):
        if not any(path.startswith(shorter) for shorter in kept):
            kept.append(path)
    return kept


def trees_until_today():
    from units.models import TreeYear

    return TreeYear.objects.filter(year__lte=timezone.localdate().year).order_by("-year")


def current_year():
    """Subquery: the year whose tree decides who may see what (the latest not after today)."""
    return Subquery(trees_until_today().values("year")[:1])


def chosen_tree(text):
    """The TreeYear named by `?nam=`; today's when blank, None when there is none. Raises Http404 for no such year."""
    from units.models import TreeYear

    if not text:
        return trees_until_today().first()
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise Http404
    return get_object_or_404(TreeYear, pk=int(text))


class PlacementQuerySet(models.QuerySet):
    def current(self):
        return self.filter(year=current_year())

    def reached(self, user, act):
        """Today's placements of the units on which the user may do `act`."""
        return self.current().filter(within(shortest(grant.path for grant in act.grants(user))))

    def visible_to(self, user):
        return self.reached(user, access.VIEW)

    def below(self, path):
        """The subtree at `path`, itself included."""
        return self.filter(path__startswith=path)

    def in_order(self):
        """Parents before children, siblings in Vietnamese order."""
        return self.select_related("unit", "unit__kind").order_by("unit__sort", "unit_id")


class UnitQuerySet(models.QuerySet):
    def reached(self, user, act):
        """Units on which the user may do `act`, by today's tree."""
        from units.models import Placement

        if any(grant.path == "" for grant in act.grants(user)):
            return self
        return self.filter(pk__in=Placement.objects.reached(user, act).values("unit_id"))

    def visible_to(self, user):
        return self.reached(user, access.VIEW)

    def editable_by(self, user):
        return self.reached(user, access.MANAGE_UNITS)

    def movable_by(self, user):
        """Units the user may hang elsewhere: those that stand under a unit the user manages too."""
        from units.models import Placement

        if any(grant.path == "" for grant in access.MANAGE_UNITS.grants(user)):
            return self
        below = Placement.objects.current().filter(parent__in=self.model.objects.editable_by(user))
        return self.filter(pk__in=below.values("unit_id"))

    def with_today(self):
        """Annotates `today_path` and `today_level`: where the unit stands in the current tree."""
        from units.models import Placement

        here = Placement.objects.current().filter(unit=OuterRef("pk"))
        return self.annotate(
            today_path=Subquery(here.values("path")[:1]), today_level=Subquery(here.values("level")[:1])
        )

    def matching(self, text):
        """Search without dấu, any case, any order of words; old names and codes too."""
        units = self
        for word in fold(text[:200]).split():
            units = units.filter(search__contains=word)
        return units


def home_unit(user):
    """The unit a user works for: that of the highest role; None for people without one. No statement of its own."""
    placed = [grant for grant in access.grants(user) if grant.unit]
    return min(placed, key=lambda grant: (len(grant.path), grant.path)).unit if placed else None


def chosen_unit(user, code):
    """The unit named by `?don-vi=`, by default the user's own; None for people without a role.

    Raises Http404 for a unit out of scope.
    """
    from units.models import Unit

    return get_object_or_404(Unit.objects.visible_to(user), code=code) if code else home_unit(user)
