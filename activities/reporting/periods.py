"""Báo cáo kỳ: a unit's word that a period is complete, with or without activity, and its superior's answer.

Accepting a report locks its days for the unit and everything below it (`activities.locks`). How late a unit was says
`period_states.late_by`. Raises `WrongState` (a ValidationError in words) when the report is no longer in a state the
verb starts from, `PermissionDenied` when the person may not.
"""

from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from activities.happened import last_act
from activities.locks import WrongState
from activities.models import PeriodReport, ReportState, Unlock
from activities.reporting import unit_periods
from activities.reporting.period_states import late_by
from activities.review import Changed
from targets.models import Period
from unionwork.dates import format_date
from unionwork.text import nfc
from unionwork.verbs import verb
from units import access, journal, notices, tree
from units.models import NoticeKind, Placement, Unit
from units.tree import ancestor_ids

LONGEST_NOTE, LONGEST_REASON = 2000, 500
CHANGED = "Báo cáo vừa được thay đổi sau khi bạn mở trang: xem lại rồi làm tiếp."
TWO_PERSONS = "Người gửi báo cáo không tự nhận hay trả lại báo cáo đó: nhờ một bí thư khác của cấp trên."


def may_report(user, unit):
    """Whether the user logs for the unit; of a unit on which the user holds such a role no statement is needed."""
    if any(grant.unit_id == unit.pk for grant in access.LOG.grants(user)):
        return True
    return Unit.objects.reached(user, access.LOG).filter(pk=unit.pk).exists()


# --- The unit's word ---


@verb("Báo cáo kỳ")
def report(*, unit, period, nothing, difficulties="", proposals="", actor, seen=None):
    """Say that a period is complete; `nothing`: without any (further) activity. Returns whether that changed anything.

    `seen`: the version of the word that stood when the person began to write (0: none). Raises ValidationError for a
    closed year, a period that has not begun or was accepted, and a word that the records contradict; WrongState when
    somebody else has given another word since; PermissionDenied for people who do not log for the unit.
    """
    here = _speaking(unit, period, actor)
    counts, words = here.counts, {"nothing": bool(nothing)}
    if nothing and not here.is_empty:
        raise ValidationError(
            f"{here.name} đã ghi {counts.logged} hoạt động. Nếu không còn gì nữa, báo “không phát sinh thêm”."
        )
    if not nothing and here.is_empty:
        raise ValidationError(f"{here.name} chưa ghi hoạt động nào. Báo “không phát sinh”, hoặc ghi hoạt động trước.")
    words |= {"difficulties": _note("Khó khăn", difficulties), "proposals": _note("Đề xuất", proposals)}
    before, now = PeriodReport.objects.filter(unit=unit, period=here.period).first(), timezone.now()
    late = late_by(here.period, before, here.today)
    first = {"first_at": now, "days_late": late}
    if before is None:
        new = words | first | {"year_id": here.period.year_id, "actor": actor, "at": now}
        said, is_new = PeriodReport.objects.get_or_create(unit=unit, period=here.period, defaults=new)
        if not is_new:  # somebody else's word came in between
            raise WrongState(CHANGED)
        _tell_journal(report, said, actor, changes=_changes(None, said))
        return True
    if before.state == ReportState.SENT and all(getattr(before, name) == value for name, value in words.items()):
        return False
    is_gone = before.state == ReportState.WITHDRAWN
    if seen is not None and seen != (0 if is_gone else before.version):
        raise WrongState(CHANGED)
    words |= first if is_gone else {"days_late": late}  # nobody stays in time by an early word that was taken back
    stands = PeriodReport.objects.filter(pk=before.pk, version=before.version).exclude(state=ReportState.ACCEPTED)
    if not stands.update(state=ReportState.SENT, actor=actor, at=now, version=F("version") + 1, **words):
        raise WrongState(CHANGED)
    said = PeriodReport.objects.get(pk=before.pk)
    _tell_journal(report, said, actor, changes=_changes(before, said))
    return True


@verb("Rút lại báo cáo kỳ")
def withdraw_report(*, unit, period, actor):
    """Take the word back while the superior has not accepted it. Returns whether there was one. Raises as `report`."""
    here = _speaking(unit, period, actor)
    if not here.is_sent:
        return False
    stands = PeriodReport.objects.filter(pk=here.report.pk, state=ReportState.SENT)
    if not stands.update(state=ReportState.WITHDRAWN, version=F("version") + 1):
        return False
    _tell_journal(withdraw_report, here.report, actor)
    return True


def _speaking(unit, period, actor):
    """The UnitPeriod as it stands, once it is clear that this person may speak about it now."""
    tree.lock_shared()  # nobody closes the year or accepts the report meanwhile
    if not may_report(actor, unit):
        raise PermissionDenied(f"Chỉ người ghi số liệu của “{unit}” báo cáo kỳ được.")
    period = Period.objects.select_related("year").filter(pk=period.pk).first()
    if period is None:
        raise ValidationError("Kỳ báo cáo này vừa bị xoá.")
    if not period.year.is_open:
        raise ValidationError(f"Năm công tác {period.year} đã khoá nên không báo cáo được nữa.")
    placement = Placement.objects.select_related("unit").filter(unit=unit, year=period.year_id).first()
    if placement is None:
        raise ValidationError(f"“{unit}” không có trong cây đơn vị năm {period.year}.")
    if not (period.issuer_id is None or period.issuer_id in ancestor_ids(placement.path)):
        raise ValidationError(f"“{period}” không phải kỳ báo cáo của “{unit}”.")
    here = unit_periods.of_unit(placement, [period])[0]
    if here.is_own:
        raise ValidationError(f"“{unit}” đặt “{period}” cho các đơn vị trực thuộc nên không tự báo cáo.")
    if placement.parent_id is None:
        raise ValidationError(f"“{unit}” không có cấp trên để báo cáo.")
    if not here.has_begun:
        raise ValidationError(f"{period} chưa tới nên chưa báo cáo được.")
    if here.report and here.report.state == ReportState.ACCEPTED:
        raise WrongState(f"{period} đã được cấp trên nhận và khoá. Cần đổi thì đề nghị cấp trên mở lại báo cáo.")
    return here


def _note(name, text):
    """A text of several lines, each tidied. Raises ValidationError when it is too long."""
    text = "\n".join(nfc(line) for line in (text or "").splitlines()).strip()
    if len(text) > LONGEST_NOTE:
        raise ValidationError(f"{name}: dài nhất {LONGEST_NOTE} ký tự.")
    return text


def _changes(before, said):
    """[[what, old, new]] in words."""
    rows = [
        ["Nội dung", before and _kind(before), _kind(said)],
        ["Khó khăn", before and before.difficulties, said.difficulties],
        ["Đề xuất", before and before.proposals, said.proposals],
        ["Số ngày trễ", before and before.days_late, said.days_late],
    ]
    return [[what, old or "", new] for what, old, new in rows if (old or "") != (new or "")]


def _kind(report):
    return "không phát sinh" if report.nothing else "có hoạt động"


# --- The superior's answer ---


@dataclass
class Outcome:
    """What happened to several reports: ids of those that are accepted now, and (id, why) of the others."""

    done: list = field(default_factory=list)
    refused: list = field(default_factory=list)


@verb("Nhận báo cáo kỳ")
def accept(*, report, actor, version):
    """Accept a report as it was read (`version`) and lock its days for the unit and everything below it.

    Unlocks of the unit within the days are closed. Returns False when somebody else has accepted it already.
    """
    outcome = _accept(accept, {report.pk: version}, actor)
    for pk, why in outcome.refused:
        row = PeriodReport.objects.select_related("unit", "period", "year").get(pk=pk)
        if row.state == ReportState.ACCEPTED:
            return False
        raise WrongState(in_the_way(accept, row, actor) or why)
    return True


@verb("Nhận báo cáo kỳ")
def accept_many(*, seen, actor):
    """Accept reports ({id: version that was read}); the others are refused one by one, with why. An `Outcome`."""
    return _accept(accept_many, dict(seen), actor)


def _accept(act, seen, actor):
    tree.lock_exclusive()  # no writer lands in the periods behind our back
    rows = PeriodReport.objects.filter(pk__in=seen).select_related("unit", "period", "year", "actor", "decider")
    rows = {row.pk: row for row in rows}
    mine = set(PeriodReport.objects.decidable_by(actor).filter(pk__in=rows).values_list("pk", flat=True))
    why = {pk: _why_not(rows.get(pk), seen[pk], actor, pk in mine) for pk in sorted(seen)}
    if act is accept and not mine:
        raise PermissionDenied("Chỉ bí thư của cấp trên nhận báo cáo kỳ.")
    outcome = Outcome([pk for pk in why if not why[pk]], [(pk, words) for pk, words in why.items() if words])
    now, taken = timezone.now(), [rows[pk] for pk in outcome.done]
    moved = PeriodReport.objects.filter(pk__in=outcome.done, state=ReportState.SENT).update(
        state=ReportState.ACCEPTED, decider=actor, decided_at=now, reason="", version=F("version") + 1
    )
    if moved != len(taken):
        raise WrongState(CHANGED)
    unlocks = _relock(taken, actor, now)
    _tell_senders(taken, actor, lambda row: f"{row.period} của {row.unit}: cấp trên đã nhận báo cáo và khoá số liệu.")
    journal.write(
        [_journal_note(act, row, actor) for row in taken]
        + [journal.Note(act.code, unlock, actor, unlock.unit_id, unlock.year_id, _words(unlock)) for unlock in unlocks]
    )
    return outcome


def _why_not(row, version, actor, is_mine):
    """Why a report cannot be accepted, in words; "" when it can."""
    if row is None:
        return "Không tìm thấy báo cáo."
    if not is_mine:
        return "Bạn không phải bí thư cấp trên của đơn vị này."
    if not row.year.is_open:
        return f"Năm công tác {row.year} đã khoá."
    if row.state == ReportState.ACCEPTED:
        return f"Báo cáo đã được {row.decider} nhận trước đó."
    if row.state != ReportState.SENT:
        return f"Báo cáo đang ở trạng thái “{row.get_state_display()}”."
    if row.actor_id == actor.pk:
        return TWO_PERSONS
    return "" if row.version == version else CHANGED


def _relock(reports, actor, now):
    """Close the unlocks that still hold for the units within the days of what is accepted. Returns them."""
    active = Unlock.objects.active().filter(unit__in={row.unit_id for row in reports}).select_related("unit")
    days = [(row.unit_id, row.period.first_day, row.period.last_day) for row in reports]
    closed = [
        unlock
        for unlock in active.order_by("pk")
        if any(
            unlock.unit_id == unit and first <= unlock.first_day and unlock.last_day <= last
            for unit, first, last in days
        )
    ]
    if closed:
        Unlock.objects.filter(pk__in=[unlock.pk for unlock in closed]).update(closed_at=now, closer=actor)
    return closed


def _words(unlock):
    days = f"{format_date(unlock.first_day)} – {format_date(unlock.last_day)}"
    return f"Đóng mở khoá {days} của {unlock.unit}"


@verb("Trả lại báo cáo kỳ")
def send_back(*, report, actor, reason, version):
    """Send a report back to its unit with a reason. It counts as not given until it is sent again."""
    row = _deciding(send_back, report, actor)
    reason = _reason(reason, "Ghi lý do để đơn vị biết cần bổ sung gì.")
    decided = {"decider": actor, "decided_at": timezone.now(), "reason": reason}
    _move(row, ReportState.SENT, ReportState.RETURNED, version, **decided)
    _tell_senders([row], actor, lambda row: f"Báo cáo {row.period} của {row.unit} bị trả lại: {reason}")
    _tell_journal(send_back, row, actor, reason=reason)


@verb("Mở lại báo cáo kỳ")
def reopen_report(*, report, actor, reason, version):
    """Take an acceptance back: the report waits again and locks nothing. Raises WrongState while a longer period of
    the unit, or one of its superiors, is accepted and keeps these days locked anyway."""
    row = _deciding(reopen_report, report, actor)
    reason = _reason(reason, "Ghi lý do mở lại.")
    _move(row, ReportState.ACCEPTED, ReportState.SENT, version, decider=None, decided_at=None)
    _tell_senders([row], actor, lambda row: f"Báo cáo {row.period} của {row.unit} được mở lại: {reason}")
    _tell_journal(reopen_report, row, actor, reason=reason)


def in_the_way(act, report, actor):
    """Why `accept`, `send_back` or `reopen_report` (`act`) is impossible as the report stands, in words that say what
    somebody did to it; "" when it is possible. Who may decide about it is another question."""
    if not report.year.is_open:
        return f"Năm công tác {report.year} đã khoá."
    if report.state != (ReportState.ACCEPTED if act is reopen_report else ReportState.SENT):
        state = f"{report.period} của {report.unit} đang ở trạng thái “{report.get_state_display()}”"
        return ": ".join(filter(None, [state, last_act(report)])) + "."
    if act is not reopen_report:
        return TWO_PERSONS if report.actor_id == actor.pk else ""
    if cover := _cover(report):
        return (
            f"{cover.period} của {cover.unit} đã được nhận nên những ngày này vẫn khoá: mở lại báo cáo đó trước, "
            "hoặc mở khoá có thời hạn."
        )
    return ""


def _cover(report):
    """Another accepted report of the unit or its superiors that locks all the days of this one; None."""
    path = Placement.objects.filter(unit=report.unit_id, year=report.year_id).values_list("path", flat=True).first()
    above = PeriodReport.objects.filter(
        unit__in=ancestor_ids(path or ""),
        state=ReportState.ACCEPTED,
        period__first_day__lte=report.period.first_day,
        period__last_day__gte=report.period.last_day,
    )
    return above.exclude(pk=report.pk).select_related("period", "unit").order_by("pk").first()


def _deciding(act, report, actor):
    """The report as it is now, once it is clear that this person decides about it and that it can be done."""
    tree.lock_exclusive()
    row = PeriodReport.objects.decidable_by(actor).filter(pk=report.pk)
    row = row.select_related("unit", "period", "year", "actor").first()
    if row is None:
        raise PermissionDenied("Chỉ bí thư của cấp trên quyết định về báo cáo kỳ.")
    if why := in_the_way(act, row, actor):
        raise WrongState(why)
    return row


def _move(row, before, after, version, **fields):
    stands = PeriodReport.objects.filter(pk=row.pk, state=before, version=version)
    if not stands.update(state=after, version=F("version") + 1, **fields):
        raise Changed(CHANGED)


def _reason(reason, missing):
    reason = nfc(reason or "")
    if not reason:
        raise ValidationError({"reason": missing})
    if len(reason) > LONGEST_REASON:
        raise ValidationError({"reason": f"Lý do dài nhất {LONGEST_REASON} ký tự."})
    return reason


# --- What is left behind ---


def _tell_senders(rows, actor, words):
    """A notice for whoever sent each report; `words`: of a report."""
    told = [
        (row.actor, row.unit_id, words(row), reverse("report_detail", args=[row.pk]))
        for row in rows
        if row.actor_id != actor.pk
    ]
    notices.tell_each(kind=NoticeKind.REPORT, rows=told)


def _journal_note(act, row, actor, reason="", changes=()):
    return journal.Note(act.code, row, actor, row.unit_id, row.year_id, str(row), reason, list(changes))


def _tell_journal(act, row, actor, reason="", changes=()):
    journal.write([_journal_note(act, row, actor, reason, changes)])
