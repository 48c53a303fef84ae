"""Sentences about many records and totals."""

from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Sum, When, Window
from django.db.models.functions import Cast, RowNumber
from django.db.models.lookups import Contains
from django.utils import timezone

from unionwork.text import fold
from units import access
from units.models import Placement, Unit


def warned(doubt=""):
    """Q: a record was sent with a warning, or with one of this kind (a `Doubt`)."""
    if not doubt:
        return ~Q(warnings=[])
    # [[code, sentence], …] reads alike as text in both databases, and a sentence's own quotes are escaped in it.
    return Q(Contains(Cast("warnings", models.TextField()), f'["{doubt}", "'))


class ActivityQuerySet(models.QuerySet):
    def reached(self, user, act):
        """Records of units on which the user may do `act`."""
        return self.filter(unit__in=Unit.objects.reached(user, act))

    def visible_to(self, user):
        """Records led or co-hosted by a unit in the user's scope, those it declined too: it may change its mind."""
        from activities.models import Host

        return self._of_units_of(user, Host.objects.all())

    def counting_for(self, user):
        """Of the visible ones those that count for a unit in the user's scope: not what it only declined to host."""
        from activities.models import Host

        return self._of_units_of(user, Host.objects.counting())

    def _of_units_of(self, user, hosts):
        if any(grant.path == "" for grant in access.VIEW.grants(user)):
            return self
        units = Unit.objects.visible_to(user).values("pk")
        return self.filter(Q(unit__in=units) | Exists(hosts.filter(activity=OuterRef("pk"), unit__in=units)))

    def editable_by(self, user):
        """Records the user may write: those led by a unit for which the user logs."""
        return self.reached(user, access.LOG)

    def decidable_by(self, user):
        """Records this user may decide: as a secretary above the unit, or beside the writer in a unit of a level that
        reviews itself; and never what the user wrote, changed or proposed to change (two people). Correcting figures
        while deciding makes nobody a writer."""
        from activities.models import Event, Step

        units = Q(pk__in=[])
        for grant in access.REVIEW.grants(user):
            below = Placement.objects.current().filter(path__startswith=grant.path)
            if grant.level not in access.REVIEWS_ITSELF:
                below = below.exclude(path=grant.path)
            units |= Q(unit__in=below.values("unit_id"))
        written = Event.objects.filter(
            activity=OuterRef("pk"), actor=user, step__in=[Step.CREATE, Step.EDIT, Step.PROPOSE]
        )
        return self.filter(units, ~Exists(written))

    def reviewable_by(self, user):
        """What waits for this user's decision."""
        from activities.models import Status

        return self.decidable_by(user).filter(status=Status.PENDING)

    def counted(self):
        from activities.models import COUNTED

        return self.filter(status__in=COUNTED)

    def hosted_within(self, path, year):
        """Records of `year` with a host at or below `path` in that year's tree: the lead or one not declined."""
        from activities.models import Host

        units = Placement.objects.filter(year=year, path__startswith=path).values("unit_id")
        return self.filter(
            Q(unit__in=units) | Exists(Host.objects.counting().filter(activity=OuterRef("pk"), unit__in=units)),
            year=year,
        )

    def matching(self, text):
        found = self
        for word in fold(text[:200]).split():
            found = found.filter(Q(search__contains=word) | Q(unit__search__contains=word))
        return found

    def warned_of(self, doubt=""):
        """Records that were sent with a warning, or with one of this kind (a `Doubt`)."""
        return self.filter(warned(doubt))

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

    def for_list(self):
        """With what a row of a list shows."""
        return self.select_related("unit", "kind", "author").prefetch_related("figures__indicator", "hosts__unit")


class HostQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The further hosts of the records in the user's scope."""
        from activities.models import Activity

        return self.filter(activity__in=Activity.objects.visible_to(user).order_by().values("pk"))

    def answerable_by(self, user):
        """Hosts for which the user may say yes or no: those whose records the user may write."""
        return self.filter(unit__in=Unit.objects.reached(user, access.LOG).values("pk"))

    def counting(self):
        """Hosts for whom the record counts: all that did not decline."""
        from activities.models import HostState

        return self.exclude(state=HostState.DECLINED)

    def for_record(self, user):
        """With what the page of the record shows; `may_answer`: whether it is for this user to answer."""
        mine = Unit.objects.reached(user, access.LOG).filter(pk=OuterRef("unit_id"))
        return self.select_related("unit").annotate(may_answer=Exists(mine))

    def for_list(self):
        """With what a row of a list shows; those without an answer first, then the latest."""
        from activities.models import HostState

        rows = self.select_related("unit", "activity__unit").prefetch_related("activity__figures__indicator")
        answered = Case(When(state=HostState.INVITED, then=0), default=1)
        return rows.order_by(answered, "-activity__last_day", "-activity_id", "pk")


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


class EvidenceQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Evidence of the activities in the user's scope, and what the user sent for a form not saved yet."""
        from activities.models import Activity

        return self.filter(Q(activity__in=Activity.objects.visible_to(user)) | Q(activity=None, uploader=user))


class CorrectionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Corrections of the records in the user's scope."""
        from activities.models import Activity

        return self.filter(activity__in=Activity.objects.visible_to(user).order_by().values("pk"))

    def reviewable_by(self, user):
        """Corrections that wait for this user: of records the user may decide, and not the user's own."""
        from activities.models import Activity, CorrectionState

        # Few corrections wait: each is looked at, instead of listing every record the user may decide.
        records = Activity.objects.decidable_by(user).order_by().filter(pk=OuterRef("activity"))
        return self.filter(Exists(records), state=CorrectionState.PENDING).exclude(author=user)

    def for_list(self):
        """With what a list shows; those that waited longest first."""
        from activities.models import Host

        hosts = models.Prefetch("activity__hosts", Host.objects.select_related("unit"))
        return self.select_related("activity__unit", "author").prefetch_related(hosts).order_by("at", "pk")


class PeriodReportQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(unit__in=Unit.objects.visible_to(user).values("pk"))

    def decidable_by(self, user):
        """Reports this user may accept, send back or open again: those of units strictly below one of which the user
        is secretary."""
        below = Q(pk__in=[])
        for grant in access.REVIEW.grants(user):
            below |= Q(path__startswith=grant.path) & ~Q(path=grant.path)
        return self.filter(unit__in=Placement.objects.current().filter(below).values("unit_id"))

    def touching(self, first_day, last_day):
        """About periods that hold one of these days."""
        return self.filter(period__first_day__lte=last_day, period__last_day__gte=first_day)

    def given(self):
        """Words that stand: sent or accepted."""
        from activities.models import GIVEN

        return self.filter(state__in=GIVEN)


class UnlockQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(unit__in=Unit.objects.visible_to(user).values("pk"))

    def active(self):
        """Those that still hold."""
        return self.filter(closed_at=None, until__gt=timezone.now())


class SavedFilterQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The user's own, and those shared within a unit the user sees."""
        shared = Q(unit__in=Unit.objects.visible_to(user).values("pk"))
        return self.filter(Q(user=user) | shared).exclude(name="")

    def offered_to(self, user):
        """Of the visible ones the own, and those shared with the people of a unit on which the user has a role."""
        mine = [grant.unit_id for grant in access.VIEW.grants(user) if grant.unit_id]
        return self.visible_to(user).filter(Q(user=user) | Q(unit__in=mine))
