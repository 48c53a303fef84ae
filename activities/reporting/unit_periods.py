"""One period at one unit: what was logged in its days by the unit and everything below it, what was said of it, and
what there is to do now. A word given is no lock: what is logged afterwards is allowed, and shown beside the word, until
the superior accepts it.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Max, Value
from django.db.models.functions import Substr
from django.utils import timezone

from activities.models import (
    COUNTED,
    SENT,
    Activity,
    Correction,
    CorrectionState,
    Host,
    PeriodReport,
    RecordNature,
    ReportState,
    Status,
)
from activities.reporting.period_states import Stage, State, is_asked, state_of
from targets.models import Period, PeriodKind
from unionwork.numbers import format_number
from units.models import Placement
from units.scope import STEP, within

MARKS = {
    Stage.WAITING: "○",
    Stage.GRACE: "▲",
    Stage.LATE: "■",
    Stage.NOTHING: "–",
    Stage.RETURNED: "↩",
    Stage.ACCEPTED: "◆",
}  # any other: ✓
SOON = timedelta(days=5)


@dataclass(frozen=True)
class Counts:
    """How many records of a period there are; `approved` are among the `sent`. `latest`: when the last was written."""

    sent: int = 0
    approved: int = 0
    returned: int = 0
    drafts: int = 0
    latest: datetime | None = None

    @property
    def logged(self):
        return self.sent + self.returned + self.drafts

    @property
    def pending(self):
        return self.sent - self.approved

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
class UnitPeriod:
    """One period at one unit; `report`: the word it gave, unless it was taken back."""

    period: Period
    placement: Placement
    state: State
    is_asked: bool
    today: date
    counts: Counts = Counts()
    report: PeriodReport | None = None

    @property
    def name(self):
        return self.period.name

    @property
    def called(self):
        """The name inside a sentence: "tháng 7", "quý III"; that of a campaign as it is."""
        return self.name if self.period.issuer_id else self.name[0].lower() + self.name[1:]

    @property
    def short(self):
        """A month, for the head of a narrow column."""
        return f"T{self.period.number}"

    @property
    def has_begun(self):
        return self.period.first_day <= self.today

    @property
    def is_empty(self):
        return self.counts.logged == 0

    @property
    def is_own(self):
        """Whether the unit asks this of others itself."""
        return self.period.issuer_id == self.placement.unit_id

    @property
    def takes_words(self):
        return self.has_begun and self.period.year.is_open and not self.is_own and self.placement.parent_id is not None

    @property
    def is_sent(self):
        """Whether the word waits for the superior."""
        return self.report is not None and self.report.state == ReportState.SENT

    @property
    def is_returned(self):
        return self.report is not None and self.report.state == ReportState.RETURNED

    @property
    def can_report(self):
        """Whether there is a word to give: none was given, it came back, or it was another one."""
        if not self.takes_words:
            return False
        return self.report is None or self.is_returned or (self.is_sent and self.report.nothing != self.is_empty)

    @property
    def offers_report(self):
        """Whether lists have a button for that word; nobody is led to speak about what is not asked."""
        return self.can_report and (self.is_asked or self.is_returned)

    @property
    def is_pressing(self):
        """Whether the superior asks for a word now: it is due within days, or came back."""
        return self.offers_report and (self.is_returned or self.period.due <= self.today + SOON)

    @property
    def can_change(self):
        """Whether the word that waits for the superior may be worded anew."""
        return self.takes_words and self.is_sent and not self.can_report

    @property
    def can_withdraw(self):
        return self.takes_words and self.is_sent

    @property
    def has_later(self):
        """Whether something was logged after the word."""
        return bool(self.report and self.counts.latest and self.counts.latest > self.report.at)

    @property
    def said(self):
        """What to say of it now: “không phát sinh”, or “không phát sinh thêm” once something was logged."""
        return f"{self.name} {'không phát sinh' if self.is_empty else 'không phát sinh thêm'}"

    @property
    def words(self):
        """How the reporting stands."""
        if self.is_own:
            return "Đợt do đơn vị đặt"
        if self.report is None and not self.is_asked:
            return "Không phải báo cáo"
        return self.state.words

    @property
    def sign(self):
        """For a cell of the superior's grid: how many were sent, and a mark for the word."""
        if not self.has_begun:
            return ""
        is_silent = self.report is None and not self.is_asked
        mark = "" if is_silent else MARKS.get(self.state.kind, "✓")
        return f"{format_number(self.counts.sent) if self.counts.sent else ''} {mark}".strip()


def of_units(placements, periods):
    """{unit id: [UnitPeriod]} of units that stand on one level of one branch, in the order of the periods.

    Two statements, however many units. `placements` with their units, `periods` (of one work year) with their year.
    """
    return with_counts(said(placements, periods))


def said(placements, periods):
    """The same without what was logged. One statement."""
    placements, periods, today = list(placements), list(periods), timezone.localdate()
    found = PeriodReport.objects.filter(unit__in=[row.unit_id for row in placements], period__in=periods)
    found = found.exclude(state=ReportState.WITHDRAWN).select_related("actor", "decider")
    words = {(row.unit_id, row.period_id): row for row in found} if placements and periods else {}
    return {
        row.unit_id: [
            UnitPeriod(
                period=period,
                placement=row,
                state=state_of(period, words.get((row.unit_id, period.pk)), today),
                is_asked=is_asked(period, row),
                today=today,
                report=words.get((row.unit_id, period.pk)),
            )
            for period in periods
        ]
        for row in placements
    }


def with_counts(rows):
    """{unit id: [UnitPeriod]} with what was logged. One statement."""
    paths = sorted({row.placement.path for found in rows.values() for row in found})
    periods = list({row.period.pk: row.period for found in rows.values() for row in found}.values())
    if not periods:
        return rows
    above = paths[0] if len(paths) == 1 else paths[0][:-STEP]
    counts = _counts(above, len(paths[0]), periods)
    return {
        unit: [replace(row, counts=counts.get((row.placement.path, row.period.pk), Counts())) for row in found]
        for unit, found in rows.items()
    }


def of_unit(placement, periods):
    """[UnitPeriod] of one unit."""
    return of_units([placement], periods)[placement.unit_id]


def periods_of(placement):
    """The periods of the unit that stands there, campaigns last; with their year. One statement."""
    periods = Period.objects.of_path(placement.path).filter(year=placement.year).select_related("year", "issuer")
    order = list(PeriodKind)
    return sorted(periods, key=lambda row: (order.index(row.kind), row.first_day, row.last_day, row.pk))


def months_of(year):
    """The months of a work year: of everybody."""
    months = Period.objects.standard().filter(year=year.pk, kind=PeriodKind.MONTH)
    return list(months.select_related("year").order_by("number"))


def waiting_besides(placements, period):
    """(declarations, corrections) that wait for a decision, of these units and everything below them, dated within the
    period. Two statements."""
    below = Placement.objects.filter(within([place.path for place in placements]), year=period.year_id)
    records = Activity.objects.filter(
        year=period.year_id,
        unit__in=below.values("unit_id"),
        last_day__gte=period.first_day,
        last_day__lte=period.last_day,
    ).order_by()
    declarations = records.filter(status=Status.PENDING, kind__nature=RecordNature.STOCK)
    corrections = Correction.objects.filter(state=CorrectionState.PENDING, activity__in=records.values("pk"))
    return declarations.count(), corrections.order_by().count()


def _counts(above, length, periods):
    """{(path of `length`, period id): Counts} below `above`: what each branch leads, and what it hosts beside."""
    moment, holds = _moments(periods)
    records = Activity.objects.exclude(status=Status.CANCELLED).filter(
        year=periods[0].year_id,
        kind__nature__in=[RecordNature.FLOW, RecordNature.MILESTONE],
        last_day__gte=min(period.first_day for period in periods),
        last_day__lte=max(period.last_day for period in periods),
    )
    led = (
        records.filter(unit__placements__year=periods[0].year_id, unit__placements__path__startswith=above)
        .annotate(head=Substr("unit__placements__path", 1, length), moment=moment(""))
        .order_by()
        .values_list("head", "moment", "status")
        .annotate(records=Count("pk"), latest=Max("created_at"))
    )
    hosted = (
        Host.objects.counting()
        .filter(
            activity__in=records.order_by().values("pk"),
            unit__placements__year=periods[0].year_id,
            unit__placements__path__startswith=above,
            activity__unit__placements__year=periods[0].year_id,
        )
        .annotate(
            head=Substr("unit__placements__path", 1, length),
            lead=Substr("activity__unit__placements__path", 1, length),
            moment=moment("activity__"),
        )
        .exclude(head=F("lead"))
        .order_by()
        .values_list("head", "moment", "activity__status")
        .annotate(records=Count("activity", distinct=True), latest=Max("activity__created_at"))
    )
    found = defaultdict(Counts)
    for head, at, status, count, latest in led.union(hosted, all=True):
        for period in holds(at):
            found[head, period] = found[head, period].plus(status, count, latest)
    return found


def _moments(periods):
    """By what the records are grouped, as coarse as the periods allow, and which periods hold such a moment."""
    if len(periods) == 1:
        return lambda prefix: Value(0), lambda at: [periods[0].pk]
    if all(period.kind == PeriodKind.MONTH for period in periods):
        months = {period.number: [period.pk] for period in periods}
        return lambda prefix: F(f"{prefix}month"), lambda at: months.get(at, [])
    return (
        lambda prefix: F(f"{prefix}last_day"),
        lambda at: [period.pk for period in periods if period.first_day <= at <= period.last_day],
    )
