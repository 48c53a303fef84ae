"""Period reports of the demo: a campaign of Khối A and the latest months, with words of its cơ sở in every state."""

from datetime import timedelta

from activities.models import PeriodReport
from activities.reporting import periods, unit_periods
from targets import periods as calendar
from targets.models import Period, WorkYear
from units.models import Level, Placement, Unit, User

BUSY = 3  # the first units have people of their own, and records that wait: nothing of theirs is locked
DIFFICULTIES = "Đoàn viên làm ca nên khó họp đủ (minh họa).\nKinh phí cho hoạt động còn ít (minh họa)."
PROPOSALS = "Xin tập huấn nghiệp vụ cho bí thư mới (minh họa)."
SENT_BACK = "Còn thiếu hoạt động (minh họa): bổ sung buổi sinh hoạt chi đoàn."


def report(today):
    """Reports by the office of Khối A for its units, answered by its secretary. Returns how many words were given."""
    bloc, office = Unit.objects.get(code="DK-A"), User.objects.get(username="vp.dka")
    secretary = User.objects.get(username="bt.dka")
    year = WorkYear.objects.get(year=today.year)
    places = Placement.objects.filter(year=year.pk, parent=bloc).select_related("unit").order_by("unit__code")
    places = list(places)[BUSY : BUSY + 16]
    campaign = calendar.add_campaign(
        year=year,
        issuer=bloc,
        name="Đợt thi đua cao điểm (minh họa)",
        first_day=max(year.first_day, today - timedelta(days=30)),
        last_day=min(year.last_day, today + timedelta(days=10)),
        due=today + timedelta(days=15),
        grace=2,
        levels=[Level.BASE],
        actor=office,
    )
    months = [month for month in unit_periods.months_of(year) if month.first_day <= today]
    over = [month for month in months if month.last_day < today][-2:]
    _begin_with(over[0].first_day if over else today, year)
    given = 0
    for period, silent in [(month, 4 * place) for place, month in enumerate(over)] + [(campaign, 8), (months[-1], 12)]:
        speaking = places[: len(places) - silent]
        _say(period, speaking, office)
        if period != months[-1]:
            _answer(period, speaking, secretary, locks=period in over)
        given += len(speaking)
    return given


def _begin_with(day, year):
    """Nobody is asked about what ended before the demo's units began to report."""
    central = User.objects.get(username="vp.tw")
    for period in Period.objects.standard().filter(year=year.pk, last_day__lt=day):
        now = {"due": period.due, "grace": period.grace, "levels": period.levels}
        calendar.set_period(period=period, **now, is_asked=False, actor=central)


def _say(period, places, office):
    for number, place in enumerate(places):
        here = unit_periods.of_unit(place, [period])[0]
        periods.report(
            unit=place.unit,
            period=period,
            nothing=here.is_empty,
            difficulties=DIFFICULTIES if number % 3 == 0 else "",
            proposals=PROPOSALS if number % 4 == 0 else "",
            actor=office,
        )


def _answer(period, places, secretary, *, locks):
    """The last two words wait, the one before came back, the others are accepted when the period is over."""
    said = PeriodReport.objects.filter(period=period, unit__in=[place.unit_id for place in places])
    said = list(said.order_by("unit__code"))
    periods.send_back(report=said[-3], actor=secretary, reason=SENT_BACK, version=said[-3].version)
    if locks:
        periods.accept_many(seen={row.pk: row.version for row in said[:-3]}, actor=secretary)
