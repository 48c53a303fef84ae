"""Sentences about many records and totals."""

from django.db import models
from django.db.models import Exists, OuterRef, Q, Sum

from unionwork.text import fold
from units import access
from units.models import Placement, Unit


class ActivityQuerySet(models.QuerySet):
    def reached(self, user, act):
        """Records of units on which the user may do `act`."""
        return self.filter(unit__in=Unit.objects.reached(user, act))

    def visible_to(self, user):
        """Records led or co-hosted by a unit in the user's scope."""
        from activities.models import Host

        if any(grant.path == "" for grant in access.VIEW.grants(user)):
            return self
        units = Unit.objects.visible_to(user).values("pk")
        return self.filter(Q(unit__in=units) | Exists(Host.objects.filter(activity=OuterRef("pk"), unit__in=units)))

    def editable_by(self, user):
        """Records the user may write: those led by a unit for which the user logs."""
        return self.reached(user, access.LOG)

    def decidable_by(self, user):
        """Records this user may decide: as a secretary above the unit, or beside the writer in a unit of a level that
        reviews itself; and never what the user wrote or changed (two people)."""
        from activities.models import Event, Step

        units = Q(pk__in=[])
        for grant in access.REVIEW.grants(user):
            below = Placement.objects.current().filter(path__startswith=grant.path)
            if grant.level not in access.REVIEWS_ITSELF:
                below = below.exclude(path=grant.path)
            units |= Q(unit__in=below.values("unit_id"))
        written = Event.objects.filter(activity=OuterRef("pk"), actor=user, step__in=[Step.CREATE, Step.EDIT])
        return self.filter(units, ~Exists(written))

    def reviewable_by(self, user):
        """What waits for this user's decision."""
        from activities.models import Status

        return self.decidable_by(user).filter(status=Status.PENDING)

    def counted(self):
        from activities.models import COUNTED

        return self.filter(status__in=COUNTED)

    def hosted_within(self, path, year):
        """Records of `year` with at least one host at or below `path` in that year's tree."""
        from activities.models import Host

        units = Placement.objects.filter(year=year, path__startswith=path).values("unit_id")
        return self.filter(
            Q(unit__in=units) | Exists(Host.objects.filter(activity=OuterRef("pk"), unit__in=units)), year=year
        )

    def matching(self, text):
        found = self
        for word in fold(text[:200]).split():
            found = found.filter(Q(search__contains=word) | Q(unit__search__contains=word))
        return found

    def for_list(self):
        """With what a row of a list shows."""
        return self.select_related("unit", "kind", "author").prefetch_related("figures__indicator", "hosts__unit")


class UnitTotalQuerySet(models.QuerySet):
    def of_year(self, year, *, through=None):
        """Cells of a work year: the whole year, or its months 1..through."""
        if through is None:
            return self.filter(year=year, month=0)
        return self.filter(year=year, month__gte=1, month__lte=through)

    def by_unit_and_indicator(self):
        """Rows (unit_id, indicator_id) → value, overlap, records, summed over provinces and months."""
        return (
            self.order_by()
            .values("unit_id", "indicator_id")
            .annotate(total=Sum("value"), overlapped=Sum("overlap"), figures=Sum("records"))
        )
