"""How the reporting of periods stands: who has to report, what a unit said, how late it was, what it logged meanwhile.

A period's records are those of the unit and everything below it, as in every other number of a unit; declarations are
no activity and left out.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db.models import Q, Subquery
from django.utils import timezone

from activities.models import ReportState
from units.models import Placement
from units.tree import ancestor_ids

# --- Who has to report ---


def asked(period, placements):
    """Of `placements` (a queryset of one year's tree) those of the units that have to report: of the period's levels,
    alive at its end, and below its issuer. No statement of its own."""
    if not period.is_asked:
        return placements.none()
    found = placements.filter(
        Q(unit__founded=None) | Q(unit__founded__lte=period.last_day),
        Q(unit__dissolved=None) | Q(unit__dissolved__gt=period.last_day),
        level__in=period.levels,
        parent__isnull=False,
    )
    if period.issuer_id:
        issuer = Placement.objects.filter(unit=period.issuer_id, year=period.year_id).values("path")
        found = found.filter(path__startswith=Subquery(issuer)).exclude(unit=period.issuer_id)
    return found


def is_asked(period, placement):
    """The same for one placement whose unit is at hand: no statement."""
    unit = placement.unit
    return (
        period.is_asked
        and placement.level in period.levels
        and placement.parent_id is not None
        and (unit.founded is None or unit.founded <= period.last_day)
        and (unit.dissolved is None or unit.dissolved > period.last_day)
        and (period.issuer_id is None or period.issuer_id in ancestor_ids(placement.path)[:-1])
    )


# --- How a word stands ---


class Stage(StrEnum):
    """Where the report of one unit about one period is. Without a word: the first four."""

    AHEAD = "ahead"
    WAITING = "waiting"
    GRACE = "grace"
    LATE = "late"
    SENT = "sent"
    NOTHING = "nothing"
    RETURNED = "returned"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class State:
    """`kind`: a `Stage`; `words`: for people; `days_late`: `late_by` of the word, of silence until today (0: on time;
    within the grace they are counted too); `in_grace`: late, but no more than the period allows."""

    kind: Stage
    words: str
    days_late: int = 0
    in_grace: bool = False

    @property
    def is_given(self):
        """Whether a word stands."""
        return self.kind in (Stage.SENT, Stage.NOTHING, Stage.ACCEPTED)


def late_by(period, report, today):
    """How many days late the word of a unit is that stands (`report`), or that is sent `today`. Pure.

    The first word decides, also when it was reworded. One that was sent back is put right within as many days as the
    grace has, or the days that it then lay with the unit after the due day are added. One taken back was none.
    """
    if report is None or report.state == ReportState.WITHDRAWN:
        return max(0, (today - period.due).days)
    if report.state != ReportState.RETURNED or report.decided_at is None:
        return report.days_late
    more = (today - max(period.due, timezone.localdate(report.decided_at))).days
    return report.days_late + (more if more > period.grace else 0)


def state_of(period, report, today):
    """The `State` of a report (or None) about `period`. Pure."""
    if report is None or report.state == ReportState.WITHDRAWN:
        return _silent(period, today)
    late = late_by(period, report, today)
    in_grace = 0 < late <= period.grace
    if report.state == ReportState.RETURNED:
        by = f", trễ {late} ngày" if late > period.grace else ""
        return State(Stage.RETURNED, f"Bị trả lại{by}: {report.reason}", late, in_grace)
    if report.state == ReportState.ACCEPTED:
        word = "không phát sinh, " if report.nothing else ""
        return State(Stage.ACCEPTED, f"Đã nhận, đã khoá ({word}{_punctual(late, in_grace)})", late, in_grace)
    if report.nothing:
        return State(Stage.NOTHING, f"Không phát sinh, {_punctual(late, in_grace)}", late, in_grace)
    return State(Stage.SENT, f"Đã gửi {_punctual(late, in_grace)}", late, in_grace)


def _punctual(late, in_grace):
    if not late:
        return "đúng hạn"
    return f"trong gia hạn, sau hạn {late} ngày" if in_grace else f"trễ {late} ngày"


def _silent(period, today):
    late = late_by(period, None, today)
    if today < period.first_day:
        return State(Stage.AHEAD, "Chưa tới")
    if not late:
        return State(Stage.WAITING, f"Chưa đến hạn (hạn {period.due:%d/%m})")
    if late <= period.grace:
        until = period.due + timedelta(days=period.grace)
        return State(Stage.GRACE, f"Đang gia hạn (đến {until:%d/%m})", late, True)
    return State(Stage.LATE, f"Trễ {late} ngày", late)
