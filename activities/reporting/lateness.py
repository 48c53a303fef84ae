"""Who has not reported, and how well units report: counted over the tree of the period's year.

Who has to report and how a word stands are `activities.period_states`' to say. Superiors look at what stands below
them; what the reader may not see is neither listed nor counted.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Substr
from django.utils import timezone

from activities.models import PeriodReport, Reminder, ReportState
from activities.reading import alive_in
from activities.reporting.period_states import Stage, State, asked, is_asked, state_of
from targets.models import Period
from units import access, notices
from units.models import Placement, Unit
from units.outline import visible_in

WHOLE = 10_000  # 100% in hundredths of a percent


@dataclass(frozen=True)
class Tally:
    """Of the units that `must` report about a period so many have (`given`), and so many of these by the due day."""

    must: int = 0
    given: int = 0
    on_time: int = 0

    def __add__(self, other):
        return Tally(self.must + other.must, self.given + other.given, self.on_time + other.on_time)

    @property
    def missing(self):
        return self.must - self.given

    @property
    def rate(self):
        """Given of must in hundredths of a percent; None when nobody has to."""
        return share(self.given, self.must)

    @property
    def on_time_rate(self):
        return share(self.on_time, self.must)


def share(part, whole):
    """part of whole in hundredths of a percent, rounded half up, but 100% only when it is all; None of nothing."""
    if not whole:
        return None
    percent = (2 * part * WHOLE + whole) // (2 * whole)
    return min(percent, WHOLE - 1) if part < whole else percent


@dataclass
class Row:
    """One unit that has to report about a period, and how that stands; `superior`: right above it that year; `people`:
    who reports for it.

    `reminder`: the last one about this period; `reminded_today`: the one of today, about whichever period.
    `may_remind`: whether it is for the reader to remind it.
    """

    unit: Unit
    superior: Unit
    state: State
    report: PeriodReport | None = None
    people: list = field(default_factory=list)
    reminder: Reminder | None = None
    reminded_today: Reminder | None = None
    may_remind: bool = False

    @property
    def takes_reminder(self):
        """Whether a box stands beside it: it has not reported, and there is somebody to tell."""
        return self.may_remind and not self.state.is_given and bool(self.people)

    @property
    def is_chosen(self):
        """Whether the box is ticked from the start."""
        return self.takes_reminder and self.reminded_today is None

    @property
    def shown_report(self):
        """The report behind the state; None when there is none, or it was taken back."""
        return self.report if self.report and self.report.state != ReportState.WITHDRAWN else None

    @property
    def reminded_of_another(self):
        """The period it was reminded about today, when that is another one; None."""
        today, this = self.reminded_today, self.reminder
        return today.period if today and today != this else None

    @property
    def days_late(self):
        """After the due day, until today or the first word; None for a word that is not late, or not due yet."""
        return self.state.days_late or None


# --- Which units, which periods ---


def below(user, here):
    """Placements strictly below `here` (of its year's tree) whose units the user may see."""
    return visible_in(user, here.year).filter(path__startswith=here.path).exclude(pk=here.pk)


def children(user, here, work_year):
    """Of those the ones right below, alive in the year, in Vietnamese order."""
    return below(user, here).filter(alive_in(work_year), parent=here.unit_id).in_order()


def periods_of(here, today):
    """The periods of a placement's year that are asked for and have begun, by due day."""
    return begun(Period.objects.of_path(here.path).filter(year=here.year), today)


def begun(periods, today):
    """Those of `periods` that are asked for and have begun, by due day."""
    found = [period for period in periods if period.is_asked and period.first_day <= today]
    return sorted(found, key=lambda period: (period.due, period.first_day, period.pk))


def latest_due(periods, today):
    """The one people are asked about now: that whose due day came last; before the first one that which runs."""
    due = [period for period in periods if period.due <= today]
    return due[-1] if due else next(iter(periods), None)


def tallies(periods, placements, length):
    """{(path of `length`, period id): Tally} of `placements`, each branch with everything below it. One statement."""
    found = [_tally(period, placements, length) for period in periods]
    rows = found[0].union(*found[1:], all=True) if found else ()
    return {(head, period): Tally(*numbers) for head, period, *numbers in rows}


def _tally(period, placements, length):
    late = Subquery(_words(period).values("days_late")[:1], output_field=IntegerField())
    rows = asked(period, placements).annotate(
        head=Substr("path", 1, length), period=Value(period.pk, IntegerField()), late=late
    )
    return (
        rows.order_by()
        .values_list("head", "period")
        .annotate(
            must=Count("pk"),
            given=Count("pk", filter=Q(late__isnull=False)),
            on_time=Count("pk", filter=Q(late=0)),
        )
    )


def _words(period):
    """The words about a period that stand, of the unit of an outer placement."""
    return PeriodReport.objects.given().filter(period=period.pk, unit=OuterRef("unit")).order_by()


def missing(period, placements):
    """Of `placements` those of the units that have to report about the period and have not."""
    return asked(period, placements).exclude(Exists(_words(period)))


def given(period, placements, *, on_time=False):
    """Of `placements` those of the units that have to report and have; `on_time`: by the due day."""
    words = _words(period).filter(days_late=0) if on_time else _words(period)
    return asked(period, placements).filter(Exists(words))


# --- The list ---


def rows_of(placements, period, user):
    """[Row] of placements (with their superiors) of units that have to report. Five statements, however many."""
    today, places = timezone.localdate(), list(placements)
    ids = [place.unit_id for place in places]
    reports = {row.unit_id: row for row in PeriodReport.objects.filter(period=period.pk, unit__in=ids)}
    people = notices.people_of(Unit.objects.visible_to(user).filter(pk__in=ids).values("pk"), access.LOG)
    mine = set(remindable_by(user).filter(pk__in=ids).values_list("pk", flat=True))
    rows = []
    for place in places:
        report = reports.get(place.unit_id)
        state = state_of(period, report, today)
        there = people.get(place.unit_id, [])
        rows.append(Row(place.unit, place.parent, state, report, there, may_remind=place.unit_id in mine))
    _add_reminders(rows, period, today)
    return rows


def _add_reminders(rows, period, today):
    by_unit = {row.unit.pk: row for row in rows}
    found = Reminder.objects.filter(Q(period=period.pk) | Q(day=today), unit__in=list(by_unit))
    for reminder in found.select_related("actor", "period").order_by("at", "pk"):
        row = by_unit[reminder.unit_id]
        row.reminder = reminder if reminder.period_id == period.pk else row.reminder
        row.reminded_today = reminder if reminder.day == today else row.reminded_today


def remindable_by(user):
    """Units whose reporting this user sees to: those strictly below one for which the user sets targets, as
    secretaries and office staff do."""
    under = Q(pk__in=[])
    for grant in access.SET_TARGETS.grants(user):
        under |= Q(path__startswith=grant.path) & ~Q(path=grant.path)
    return Unit.objects.filter(pk__in=Placement.objects.current().filter(under).values("unit_id"))


# --- For scoring ---


@dataclass(frozen=True)
class Score:
    """The reporting of one unit in a work year. Late: after the due day, within the grace too, as the first word came;
    missing: no word stands, and the grace is over."""

    on_time: int = 0
    late: int = 0
    days_late: int = 0
    missing: int = 0

    def __add__(self, other):
        return Score(
            self.on_time + other.on_time,
            self.late + other.late,
            self.days_late + other.days_late,
            self.missing + other.missing,
        )


def scores(unit_ids, year):
    """{unit id: {PeriodKind: Score}} of the periods of a work year that were due. Three statements."""
    today, ids = timezone.localdate(), list(unit_ids)
    periods = list(Period.objects.filter(year=year.pk, is_asked=True, first_day__lte=today))
    reports = {
        (row.unit_id, row.period_id): row for row in PeriodReport.objects.filter(year=year.pk, unit__in=ids).given()
    }
    found = {unit: defaultdict(Score) for unit in ids}
    for place in Placement.objects.filter(year=year.pk, unit__in=ids).select_related("unit"):
        for period in periods:
            if is_asked(period, place):
                state = state_of(period, reports.get((place.unit_id, period.pk)), today)
                found[place.unit_id][period.kind] += _score(state)
    return {unit: dict(kinds) for unit, kinds in found.items()}


def _score(state):
    if state.is_given:
        late = bool(state.days_late)
        return Score(on_time=not late, late=late, days_late=state.days_late)
    return Score(missing=state.kind == Stage.LATE)


def sentence(unit, year):
    """ "Báo cáo năm 2026: 9 đúng hạn, 1 trễ (2 ngày), 1 thiếu", over all kinds; "" when nothing was due."""
    score = sum(scores([unit.pk], year)[unit.pk].values(), Score())
    late = f"{score.late} trễ ({score.days_late} ngày)" if score.late else ""
    parts = [f"{score.on_time} đúng hạn" if score.on_time else "", late, f"{score.missing} thiếu" * bool(score.missing)]
    said = ", ".join(part for part in parts if part)
    return f"Báo cáo năm {year}: {said}" if said else ""
