"""Việc hôm nay: what waits for one person, by what the person may do. The page and the daily mail say the same."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Min, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from activities.joint import hosting
from activities.models import Activity, Correction, PeriodReport, ReportState, Status
from activities.reporting import lateness
from activities.reporting.period_states import is_asked, state_of
from activities.reporting.reminders import full_name
from targets import intake, years
from targets.in_view import address
from targets.models import Period, WorkYear
from unionwork.dates import format_date
from unionwork.numbers import format_number
from units import access
from units.models import Notice, Placement

SOON = 5  # days before a report is due
LOOKS_BACK = 180  # days: what fell due earlier is nobody's task of today (the late list still has it)
MOST_LINES = 3
MOST_UNREAD = 99  # above that nobody wants to know how many


@dataclass(frozen=True)
class Line:
    """One thing among those that wait; `url` may be blank."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Item:
    """One kind of work: what waits, where it is done, and the first few (`more`: how many are not listed)."""

    text: str
    url: str
    action: str
    detail: str = ""
    lines: list[Line] = field(default_factory=list)
    more: int = 0


def digest_of(user, work_years=None):
    """[Item] in the order of doing; empty when nothing waits. Reads only what is in the user's scope; the same number
    of statements however much waits. `work_years`: all there are, where they are at hand."""
    me = Reader(user, work_years)
    return [
        *_to_decide(me),
        *_to_accept(me),
        *_returned(me),
        *_own_reports(me),
        *_late_below(me),
        *_joint(me),
        *_received(me),
        *_closings(me),
        *_unread(me),
    ]


class Reader:
    """Whose day it is, and what more than one kind of work asks for. `logs_for`, `reviews_for`, `leads`: ids of the
    units on which the person holds a role that may."""

    def __init__(self, user, work_years=None):
        self.user, self.today, self._work_years = user, timezone.localdate(), work_years
        self.logs_for, self.reviews_for, self.leads = (
            {grant.unit_id for grant in act.grants(user) if grant.unit_id}
            for act in (access.LOG, access.REVIEW, access.SET_TARGETS)
        )

    @cached_property
    def work_years(self):
        return list(WorkYear.objects.all()) if self._work_years is None else self._work_years

    @cached_property
    def year(self):
        return years.current_year(self.work_years)

    @cached_property
    def periods(self):
        """Those that people are asked about these days, the latest first."""
        if not self.logs_for and not self.leads:
            return []
        due = Period.objects.visible_to(self.user).filter(
            is_asked=True,
            year__is_open=True,
            due__gte=self.today - timedelta(days=LOOKS_BACK),
            due__lte=self.today + timedelta(days=SOON),
        )
        return list(due.order_by("-due", "-pk"))

    @cached_property
    def _places(self):
        asked = {period.year_id for period in self.periods} | ({self.year.pk} if self.year else set())
        places = Placement.objects.filter(year__in=asked, unit__in=self.logs_for | self.leads)
        return list(places.select_related("unit").order_by("path"))

    def places_of(self, units, year):
        """Where these units stand in a year's tree, the highest first."""
        return [place for place in self._places if place.year == year and place.unit_id in units]


def _item(lines, text, url, action, detail=""):
    return Item(text, url, action, detail, lines[:MOST_LINES], max(0, len(lines) - MOST_LINES))


# --- Of the people who log ---


def _returned(me):
    if not me.logs_for:
        return
    mine = Activity.objects.editable_by(me.user).filter(author=me.user, status=Status.RETURNED, year__is_open=True)
    rows = list(mine.order_by("decided_at", "pk"))
    if rows:
        lines = [
            Line(f"{row.title}: {row.return_reason}", reverse("activity_edit", args=[row.pk]) + row.edit_place)
            for row in rows
        ]
        url = f"{reverse('activity_list')}?trang-thai={Status.RETURNED}"
        yield _item(lines, f"{format_number(len(rows))} hoạt động cần bổ sung", url, "Xem danh sách")


def _joint(me):
    if me.logs_for and (count := hosting.waiting_for(me.user).count()):
        text = f"{format_number(count)} hoạt động phối hợp chờ đơn vị bạn xác nhận"
        yield Item(text, reverse("hosting_list"), "Trả lời")


# --- Of those who decide ---


def _to_decide(me):
    if not me.reviews_for:
        return
    for rows, since, words, url, action in (
        (Activity.objects.reviewable_by(me.user), "submitted_at", "hoạt động chờ bạn duyệt", "review_queue", "Duyệt"),
        (Correction.objects.reviewable_by(me.user), "at", "bản sửa chờ bạn quyết định", "correction_list", "Xem"),
    ):
        found = rows.order_by().aggregate(count=Count("pk"), oldest=Min(since))
        if found["count"]:
            yield Item(
                f"{format_number(found['count'])} {words}", reverse(url), action, _waits(found["oldest"], me.today)
            )


def _to_accept(me):
    """Reports of the units right below, in the tree of their year or in today's: a unit that moved here since stands in
    no list of that year, so its line leads to the report. Those further down are their own superiors' to accept. A
    line's number is that of the rows behind its link."""
    if not me.reviews_for:
        return
    below = Placement.objects.filter(parent__in=me.reviews_for)
    then = below.filter(year=OuterRef("year"), unit=OuterRef("unit")).values("parent__code")
    sent = PeriodReport.objects.decidable_by(me.user).filter(state=ReportState.SENT, year__is_open=True)
    sent = sent.exclude(actor=me.user).annotate(above=Subquery(then))
    sent = sent.filter(Q(above__isnull=False) | Q(unit__in=below.current().values("unit")))
    rows = list(sent.select_related("period", "unit").order_by("at", "pk"))
    if not rows:
        return
    lines = []
    for (period, above, moved), count in Counter(
        (row.period, row.above, None if row.above else row) for row in rows
    ).items():
        if moved:
            lines.append(Line(f"{full_name(period)}: {moved.unit}", reverse("report_detail", args=[moved.pk])))
            continue
        url = address("period_children", year=period.year_id, **{"don-vi": above, "ky": period.pk, "loc": "cho-ban"})
        lines.append(Line(f"{full_name(period)}: {format_number(count)} đơn vị", url))
    text = f"{format_number(len(rows))} báo cáo kỳ chờ bạn nhận"
    action = "Xem báo cáo" if len(lines) == 1 else "Xem kỳ chờ lâu nhất"
    yield _item(lines, text, lines[0].url, action, _waits(rows[0].at, me.today))


def _waits(oldest, today):
    days = (today - timezone.localdate(oldest)).days if oldest else 0
    return f"Cũ nhất: {format_number(days)} ngày." if days > 0 else "Gửi hôm nay."


# --- Period reports: the own ones that are due, and those from below that are late ---


def _own_reports(me):
    asked = [(period, place) for period in me.periods for place in me.places_of(me.logs_for, period.year_id)]
    asked = [(period, place) for period, place in asked if is_asked(period, place)]
    if not asked:
        return
    rows = PeriodReport.objects.filter(period__in=me.periods, unit__in=me.logs_for)
    said, lines = {(row.unit_id, row.period_id): row for row in rows}, []
    for period, place in asked:
        state = state_of(period, said.get((place.unit_id, period.pk)), me.today)
        if not state.is_given:
            url = address("period_report", year=period.year_id, unit=place.unit, ky=period.pk)
            lines.append(Line(f"{full_name(period)}, {place.unit}: {state.words}", url))
    if lines:
        text = f"{format_number(len(lines))} báo cáo kỳ phải gửi"
        yield _item(lines, text, reverse("period_list"), "Mở báo cáo")


def _late_below(me):
    """Of the units right below each unit the person leads, as on the page of the late."""
    over = [period for period in me.periods if period.due + timedelta(days=period.grace) < me.today]
    lines, count = [], 0
    for year in dict.fromkeys(period.year_id for period in over):
        periods = [period for period in over if period.year_id == year]
        for place in me.places_of(me.leads, year):
            below = lateness.below(me.user, place).filter(parent=place.unit_id)
            found = lateness.tallies(periods, below, len(place.path))
            for period in periods:
                tally = found.get((place.path, period.pk))
                if tally and tally.missing:
                    count += tally.missing
                    lines.append(_late_line(period, place, tally))
    if lines:
        text = f"{format_number(count)} báo cáo kỳ của cấp dưới trễ hạn"
        yield _item(lines, text, lines[0].url, "Xem đơn vị trễ")


def _late_line(period, place, tally):
    text = f"{full_name(period)} (hạn {format_date(period.due)}): {_of(tally)} chưa gửi"
    return Line(text, address("late_list", year=period.year_id, unit=place.unit, ky=period.pk))


def _of(tally):
    return f"{format_number(tally.missing)}/{format_number(tally.must)} đơn vị"


# --- What superiors gave ---


def _received(me):
    if not me.leads or me.year is None or not me.year.is_open:
        return
    year, places = me.year, me.places_of(me.leads, me.year.pk)
    waiting = defaultdict(set)
    for (unit, _), row in intake.received(places, year).items():
        if row.is_open:
            waiting[unit].add(row.measure.target_id)
    for place in places:
        if count := len(waiting[place.unit_id]):
            text = f"{format_number(count)} chỉ tiêu năm {year} chờ {place.unit} tiếp nhận"
            yield Item(text, address("intake", year=year, unit=place.unit), "Tiếp nhận")


# --- Closing a year ---


def _closings(me):
    """Work years that somebody else of the central office wants closed."""
    if not access.MANAGE_CATALOGUE.held_by(me.user):
        return
    for year in me.work_years:
        if year.is_open and year.closing_asker_id not in (None, me.user.pk):
            yield Item(f"Năm công tác {year} có đề nghị chốt", reverse("year_close", args=[year.pk]), "Xem lại và chốt")


# --- Notices ---


def _unread(me):
    unread = Notice.objects.visible_to(me.user).unread()
    lines = [Line(text) for text in unread.values_list("text", flat=True)[: MOST_UNREAD + 1]]
    if lines:
        url = f"{reverse('notice_list')}?chua-doc=1"
        count = f"Hơn {MOST_UNREAD}" if len(lines) > MOST_UNREAD else len(lines)
        yield _item(lines, f"{count} thông báo chưa đọc", url, "Xem thông báo")
