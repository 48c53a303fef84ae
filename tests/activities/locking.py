"""Locked periods for tests: the rows as accepting leaves them."""

from datetime import date, timedelta

from django.utils import timezone

from activities.locking import unlocking
from activities.models import PeriodReport, ReportState
from targets.models import Period, PeriodKind
from targets.years import close_year

YEAR = 2024


def period(number=3, kind=PeriodKind.MONTH):
    """A standard period of 2024; by default March."""
    return Period.objects.standard().get(year=YEAR, kind=kind, number=number)


def lock(unit, actor, decider, number=3, kind=PeriodKind.MONTH, state=ReportState.ACCEPTED):
    """The unit's report about a period, accepted."""
    now = timezone.now()
    said = {"actor": actor, "at": now, "first_at": now, "nothing": False, "state": state}
    decided = {"decider": decider, "decided_at": now} if state == ReportState.ACCEPTED else {}
    row, _ = PeriodReport.objects.update_or_create(
        unit=unit, period=period(number, kind), defaults={"year_id": YEAR} | said | decided
    )
    return row


def lock_own(world):
    """March of b11, which its khối's secretary accepted."""
    return lock(world.b11, world.cadre, world.secretary)


def lock_superior(world):
    """The first quarter of the khối above b11."""
    return lock(world.k1, world.secretary, world.central, number=1, kind=PeriodKind.QUARTER)


def lock_year(world):
    return close_year(year=YEAR)


def unlock(unit, actor, first_day=date(YEAR, 3, 1), last_day=date(YEAR, 3, 31), days=3, reason="Sửa số cây"):
    until = timezone.now() + timedelta(days=days)
    return unlocking.unlock(
        unit=unit, year=period().year, first_day=first_day, last_day=last_day, until=until, reason=reason, actor=actor
    )
