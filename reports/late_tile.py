"""The tile of the first page: how many of the units right below have not reported about the period asked for now."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from activities.reporting import lateness
from activities.reporting.lateness import Tally
from targets.models import Period, WorkYear
from unionwork.numbers import format_number
from units.models import Placement


@dataclass(frozen=True)
class LateTile:
    """`url`: of the list behind the numbers."""

    tally: Tally
    period: Period
    url: str

    @property
    def text(self):
        must, missing = format_number(self.tally.must), format_number(self.tally.missing)
        said = f"Chưa báo cáo {missing}/{must}" if self.tally.missing else f"Cả {must} đơn vị đã báo cáo"
        return f"{said} · {self.period}"


def late_tile(user, placement, year, periods):
    """The tile of a unit in an open year; None when nobody below it has to report. At most five statements.

    `periods`: those of the unit in that year. In the first days of a work year, before anything is
    due, it is about the year before.
    """
    if not year.is_open:
        return None
    today, here = timezone.localdate(), placement
    periods = lateness.begun(periods, today)
    if not any(period.due <= today for period in periods):
        before = Placement.objects.filter(unit=placement.unit_id, year=year.pk - 1).first()
        if before and WorkYear.objects.filter(pk=before.year, is_open=True).exists():
            here, periods = before, lateness.periods_of(before, today)
    period = lateness.latest_due(periods, today)
    if period is None:
        return None
    below = lateness.below(user, here).filter(parent=placement.unit_id)
    tally = lateness.tallies([period], below, len(here.path)).get((here.path, period.pk))
    query = urlencode({"nam": here.year, "don-vi": placement.unit.code, "ky": period.pk})
    return LateTile(tally, period, f"{reverse('late_list')}?{query}") if tally else None
