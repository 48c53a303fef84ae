"""Sentences about many records and totals."""

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Sum, Window
from django.db.models.functions import RowNumber

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

    def with_figure_of(self, indicators):
        """Records that carry a figure of one of `indicators` (ids)."""
        from activities.models import Figure

        return self.filter(Exists(Figure.objects.filter(activity=OuterRef("pk"), indicator__in=indicators)))

    def sum_of(self, indicators):
        """Sum of the figures of `indicators` (ids) over these records, each record once; None without any figure.

        Of declared levels only the latest of each unit counts, as in the totals.
        """
        from activities.models import Figure

        figures = Figure.objects.filter(activity__in=self.order_by().values("pk"), indicator__in=indicators).order_by()
        flows = figures.filter(indicator__nature="flow").aggregate(sum=Sum("value"))["sum"]
        latest = Window(
            RowNumber(),
            partition_by=["activity__unit_id", "indicator_id"],
            order_by=[F("activity__last_day").desc(), F("activity_id").desc()],
        )
        levels = figures.filter(indicator__nature="stock").annotate(place=latest).filter(place=1)
        levels = levels.aggregate(sum=Sum("value"))["sum"]
        return None if flows is None and levels is None else (flows or 0) + (levels or 0)

    def most_used_kinds(self, unit):
        """{kind id: how many records of it the unit has}."""
        rows = self.filter(unit=unit).order_by().values_list("kind_id").annotate(n=Count("pk"))
        return dict(rows.values_list("kind_id", "n"))

    def declared_values(self, unit, *, without=None):
        """{indicator id: the latest level the unit declared}, whatever its status but cancelled."""
        from activities.models import Figure, Status

        rows = Figure.objects.filter(activity__unit=unit, indicator__nature="stock")
        rows = rows.exclude(activity__status=Status.CANCELLED).exclude(activity=without.pk if without else None)
        return dict(rows.order_by("activity__last_day", "activity_id").values_list("indicator_id", "value"))

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
