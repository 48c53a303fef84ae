"""Báo cáo tháng: how the months of a unit stand, and its word that one is complete, with or without activity.

A month's records are those of the unit and everything below it, as in every other number of a unit; declarations are
no activity and left out. A word given is no lock: what is logged afterwards is allowed, and shown beside the word.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, F, Max
from django.db.models.functions import Substr
from django.utils import timezone

from activities.models import COUNTED, GIVEN, SENT, Activity, Host, PeriodReport, RecordNature, ReportState, Status
from targets.calendar import first_day_of
from targets.models import Period, PeriodKind, WorkYear
from unionwork.numbers import format_number
from units import access, tree
from units.models import Placement, Unit
from units.scope import STEP


@dataclass(frozen=True)
class Counts:
    """How many records of a month there are; `approved` are among the `sent`. `latest`: when the last was written."""

    sent: int = 0
    approved: int = 0
    returned: int = 0
    drafts: int = 0
    latest: datetime | None = None

    @property
    def logged(self):
        return self.sent + self.returned + self.drafts

    def plus(self, status, records, latest):
        """With `records` more of a status."""
        return replace(
            self,
            sent=self.sent + records * (status in SENT),
            approved=self.approved + records * (status in COUNTED),
            returned=self.returned + records * (status == Status.RETURNED),
            drafts=self.drafts + records * (status == Status.DRAFT),
            latest=max(filter(None, (self.latest, latest)), default=None),
        )


@dataclass(frozen=True)
class Month:
    """One month of a work year at one unit; `report`: the word it gave."""

    number: int
    name: str
    first_day: date
    last_day: date
    has_begun: bool
    is_open: bool
    counts: Counts = Counts()
    report: PeriodReport | None = None

    @property
    def is_empty(self):
        return self.counts.logged == 0

    @property
    def short(self):
        """For the head of a narrow column."""
        return f"T{self.number}"

    @property
    def said(self):
        """What to say of it now: “không phát sinh”, or “không phát sinh thêm” once something was logged."""
        return f"{self.name} {'không phát sinh' if self.is_empty else 'không phát sinh thêm'}"

    @property
    def can_report(self):
        """Whether there is a word to give: none was given, or it was another one."""
        return self.takes_words and (self.report is None or self.report.nothing != self.is_empty)

    @property
    def can_withdraw(self):
        return self.takes_words and self.report is not None

    @property
    def takes_words(self):
        return self.has_begun and self.is_open

    @property
    def has_later(self):
        """Whether something was logged after the word."""
        return bool(self.report and self.counts.latest and self.counts.latest > self.report.at)

    @property
    def state(self):
        """How the reporting stands, in words."""
        if not self.has_begun:
            return "Chưa tới"
        if self.report is None:
            return "Chưa báo"
        return "Đã báo không phát sinh" if self.report.nothing else "Đã báo đủ"

    @property
    def sign(self):
        """For a cell of the superior's grid: ○ silence, ● with what was sent, ✓ complete, – nothing happened."""
        if self.report and self.report.nothing and not self.counts.sent:
            return "–"
        sent = f"● {format_number(self.counts.sent)}" if self.counts.sent else ""
        complete = "✓" if self.report and not self.report.nothing else ""
        return f"{sent} {complete}".strip() or ("○" if self.has_begun else "")


# --- The months of a work year ---


def calendar(year):
    """[Month] of a work year, without anything in them."""
    today, found = timezone.localdate(), []
    for number in range(1, 13):
        first = first_day_of(year, number)
        if first > year.last_day:
            break
        last = year.last_day if number == 12 else min(first_day_of(year, number + 1) - timedelta(days=1), year.last_day)
        name = f"Tháng {first.month}" if first.day == 1 else f"Kỳ {first:%d/%m} – {last:%d/%m}"
        found.append(Month(number, name, first, last, first <= today, year.is_open))
    return found


# --- How they stand ---


def months_of(placements, year):
    """{unit id: [Month]} of units that stand on one level of one branch. Two statements, however many units."""
    placements = list(placements)
    if not placements:
        return {}
    length = len(placements[0].path)
    above = placements[0].path if len(placements) == 1 else placements[0].path[:-STEP]
    counts = _counts(above, length, year)
    reports = PeriodReport.objects.filter(
        unit__in=[row.unit_id for row in placements],
        period__year=year.pk,
        period__kind=PeriodKind.MONTH,
        state__in=GIVEN,
    )
    said = {(row.unit_id, row.period.number): row for row in reports.select_related("actor", "period")}
    blank = calendar(year)
    return {
        row.unit_id: [
            replace(
                month,
                counts=counts.get((row.path, month.number), Counts()),
                report=said.get((row.unit_id, month.number)),
            )
            for month in blank
        ]
        for row in placements
    }


def _counts(above, length, year):
    """{(path of `length`, month): Counts} below `above`: what each branch leads, and what it hosts beside."""
    found = defaultdict(Counts)
    records = Activity.objects.exclude(status=Status.CANCELLED).filter(
        year=year.pk, kind__nature__in=[RecordNature.FLOW, RecordNature.MILESTONE]
    )
    led = (
        records.filter(unit__placements__year=year.pk, unit__placements__path__startswith=above)
        .annotate(head=Substr("unit__placements__path", 1, length))
        .order_by()
        .values_list("head", "month", "status")
        .annotate(records=Count("pk"), latest=Max("created_at"))
    )
    hosted = (
        Host.objects.counting()
        .filter(
            activity__in=records.order_by().values("pk"),
            unit__placements__year=year.pk,
            unit__placements__path__startswith=above,
            activity__unit__placements__year=year.pk,
        )
        .annotate(
            head=Substr("unit__placements__path", 1, length),
            lead=Substr("activity__unit__placements__path", 1, length),
        )
        .exclude(head=F("lead"))
        .order_by()
        .values_list("head", "activity__month", "activity__status")
        .annotate(records=Count("activity", distinct=True), latest=Max("activity__created_at"))
    )
    for head, month, status, count, latest in led.union(hosted, all=True):
        found[head, month] = found[head, month].plus(status, count, latest)
    return found


# --- The word ---


def may_report(user, unit):
    """Whether the user logs for the unit; of a unit on which the user holds such a role no statement is needed."""
    if any(grant.unit_id == unit.pk for grant in access.LOG.grants(user)):
        return True
    return Unit.objects.reached(user, access.LOG).filter(pk=unit.pk).exists()


@transaction.atomic
def report_month(*, unit, year, number, nothing, actor):
    """Say that a month is complete; `nothing`: without any activity. Returns whether that changed anything.

    Raises ValidationError for a closed year, a month that has not begun, and a word that the records contradict;
    PermissionDenied for people who do not log for the unit.
    """
    month = _month(unit, year, number, actor)
    if nothing and not month.is_empty:
        raise ValidationError(
            f"{month.name} đã ghi {month.counts.logged} hoạt động. Nếu không còn gì nữa, báo “không phát sinh thêm”."
        )
    if not nothing and month.is_empty:
        raise ValidationError(f"{month.name} chưa ghi hoạt động nào. Báo “không phát sinh”, hoặc ghi hoạt động trước.")
    period = Period.objects.standard().get(year=year.pk, kind=PeriodKind.MONTH, number=number)
    now = timezone.now()
    word = {"nothing": nothing, "actor": actor, "at": now, "state": ReportState.SENT}
    late = max(0, (timezone.localdate() - period.due).days)
    report, is_new = PeriodReport.objects.get_or_create(
        unit=unit, period=period, defaults=word | {"year_id": year.pk, "first_at": now, "days_late": late}
    )
    if is_new:
        return True
    same = PeriodReport.objects.filter(pk=report.pk, nothing=nothing, state__in=GIVEN)
    if same.exists():
        return False
    return bool(PeriodReport.objects.filter(pk=report.pk).update(**word))


@transaction.atomic
def withdraw_month(*, unit, year, number, actor):
    """Take the word back. Returns whether there was one. Raises as `report_month`."""
    _month(unit, year, number, actor)
    found = PeriodReport.objects.filter(
        unit=unit, period__year=year.pk, period__kind=PeriodKind.MONTH, period__number=number, state=ReportState.SENT
    )
    return bool(found.update(state=ReportState.WITHDRAWN))


def _month(unit, year, number, actor):
    """The month as it stands, once it is clear that this person may speak about it now."""
    tree.lock_shared()  # nobody closes the year meanwhile
    if not may_report(actor, unit):
        raise PermissionDenied(f"Chỉ người ghi số liệu của “{unit}” báo cáo tháng được.")
    year = WorkYear.objects.get(pk=year.pk)
    if not year.is_open:
        raise ValidationError(f"Năm công tác {year} đã khoá nên không báo cáo tháng được nữa.")
    placement = Placement.objects.filter(unit=unit, year=year.pk).first()
    if placement is None:
        raise ValidationError(f"“{unit}” không có trong cây đơn vị năm {year}.")
    month = next((month for month in months_of([placement], year)[unit.pk] if month.number == number), None)
    if month is None:
        raise ValidationError(f"Năm công tác {year} không có tháng thứ {number}.")
    if not month.has_begun:
        raise ValidationError(f"{month.name} chưa tới nên chưa báo cáo được.")
    return month
