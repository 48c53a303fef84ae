"""Nhắc báo cáo: superiors remind units that have not reported, once a day each; and the calendar reminds by itself."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from activities.models import Reminder
from activities.reporting import lateness
from targets.in_view import address
from targets.models import Period
from unionwork.dates import format_date
from unionwork.text import nfc
from unionwork.verbs import verb
from units import access, journal, notices, tree
from units.models import Notice, NoticeKind, Placement, Unit

BATCH = 200  # units nudged in one transaction
NUDGED = (-5, 0, 2)  # days after the due day; a run that was missed is made up for until the next one
LAST_NUDGE = 7  # days after the due day; later it is for people to remind


@dataclass
class Outcome:
    """What became of the units to be reminded. `people`: how many were told; `already`: reminded today before;
    `reported`: nothing to remind of (any more); `unreached`: nobody there has an account."""

    reminded: list = field(default_factory=list)
    people: int = 0
    already: list = field(default_factory=list)
    reported: list = field(default_factory=list)
    unreached: list = field(default_factory=list)


@verb("Nhắc báo cáo")
def remind(*, units, period, actor):
    """Remind those of `units` that have not reported about `period`, each at most once a day. Returns `Outcome`.

    Raises PermissionDenied for a unit whose reporting is not the actor's to see to (`lateness.remindable_by`: superiors
    who set targets), ValidationError for a closed year, a period that has not begun, or one that is gone.
    """
    tree.lock_shared()  # nobody closes the year meanwhile
    today, ids = timezone.localdate(), sorted({unit.pk for unit in units})
    if lateness.remindable_by(actor).filter(pk__in=ids).count() < len(ids):
        raise PermissionDenied("Chỉ nhắc được các đơn vị cấp dưới của mình.")
    period = _still(period, today)
    locked = _lock(ids)
    missing = _missing(period, ids)
    before = set(Reminder.objects.filter(unit__in=ids, day=today).values_list("unit_id", flat=True))
    people = notices.people_of(ids, access.LOG)
    outcome = _sorted_out(locked, missing, before, people)
    made = Reminder.objects.bulk_create(
        [Reminder(unit=unit, period=period, day=today, actor=actor) for unit in outcome.reminded], batch_size=1000
    )
    text = f"Nhắc báo cáo {period}: {standing(period, today)}"
    _tell(outcome.reminded, people, period, text)
    journal.write(
        journal.Note(
            verb=remind.code,
            about=row,
            actor=actor,
            unit=row.unit_id,
            year=period.year_id,
            label=f"{period}: {row.unit}",
        )
        for row in made
    )
    return outcome


def _sorted_out(units, missing, before, people):
    """The `Outcome` for these units; `missing`, `before`: ids of those that are late, that were reminded today."""
    outcome, told = Outcome(), set()
    for unit in units:
        if unit.pk not in missing:
            outcome.reported.append(unit)
        elif unit.pk in before:
            outcome.already.append(unit)
        elif unit.pk not in people:
            outcome.unreached.append(unit)
        else:
            outcome.reminded.append(unit)
            told |= {user.pk for user in people[unit.pk]}
    outcome.people = len(told)
    return outcome


def _still(period, today):
    """The period as it is now, under the tree lock. Raises ValidationError when it is not one to remind of."""
    period = Period.objects.select_related("year").filter(pk=period.pk).first()
    if period is None:
        raise ValidationError("Kỳ báo cáo này vừa bị xoá.")
    if not period.year.is_open:
        raise ValidationError(f"Năm công tác {period.year_id} đã khoá nên không nhắc báo cáo được nữa.")
    if today < period.first_day:
        raise ValidationError(f"{period} chưa bắt đầu nên chưa nhắc báo cáo được.")
    return period


def _lock(ids):
    """The units, held until the transaction ends: two people reminding the same ones come one after the other."""
    return list(Unit.objects.filter(pk__in=ids).select_for_update(no_key=True).order_by("pk"))


def _missing(period, ids):
    """Ids among `ids` of the units that have to report about the period and have not."""
    places = Placement.objects.filter(year=period.year_id, unit__in=ids)
    return set(lateness.missing(period, places).values_list("unit_id", flat=True))


def _tell(units, people, period, text):
    """Leave the notice for `people` ({unit id: [User]}) of each unit."""
    rows = [(user, unit.pk, text, report_url(unit, period)) for unit in units for user in people[unit.pk]]
    notices.tell_each(kind=NoticeKind.REMINDED, rows=rows)


def report_url(unit, period):
    """The page on which the unit reports."""
    return address("period_report", year=period.year_id, unit=unit, ky=period.pk)


def standing(period, today):
    """ "hạn 05/11, trễ 3 ngày": where the day lies against the due day, for those who have not reported."""
    return f"hạn {period.due:%d/%m}, {_distance(period, today)}"


def _distance(period, today):
    late = (today - period.due).days
    if late > period.grace:
        return f"trễ {late} ngày"
    if late > 0:
        return f"đang gia hạn đến {period.due + timedelta(days=period.grace):%d/%m}"
    return f"còn {-late} ngày" if late else "đến hạn hôm nay"


def full_name(period):
    """A period's name with its year: "Tháng 10 năm 2026", "6 tháng đầu năm 2026"."""
    if str(period.year_id) in period.name:
        return period.name
    return f"{period.name}{'' if period.name.endswith('năm') else ' năm'} {period.year_id}"


def message(*, units, period, sender, superior):
    """The reminder as a text to paste in a chat. `units`: labels; `superior`: in whose name `sender` asks."""
    today = timezone.localdate()
    contact = f"{sender}, điện thoại {sender.phone}" if sender.phone else str(sender)
    return (
        f"Kính gửi: {', '.join(units)}.\n"
        f"Đến ngày {format_date(today)}, {superior} chưa nhận được báo cáo {full_name(period)} của đơn vị "
        f"(hạn nộp {format_date(period.due)}, {_distance(period, today)}). Đề nghị đơn vị sớm gửi báo cáo; "
        "nếu không có hoạt động thì báo “không phát sinh”.\n"
        f"Cần hỗ trợ xin liên hệ {contact}. Trân trọng cảm ơn."
    )


# --- By the calendar ---


@dataclass
class Nudged:
    """How many units were told of a due day, and how many notices that made."""

    units: int = 0
    notices: int = 0


def nudge_all():
    """Tell the units that have not reported: 5 days before the due day, on it, and 2 days after it. Returns `Nudged`.

    Once each, however often it runs; the run of a day that was missed is made up for by the next one. A transaction for
    every few units.
    """
    today, done = timezone.localdate(), Nudged()
    latest, first = today - timedelta(days=NUDGED[0]), today - timedelta(days=LAST_NUDGE)
    asked = Period.objects.filter(is_asked=True, year__is_open=True, first_day__lte=today)
    for period in asked.filter(due__gte=first, due__lte=latest).order_by("due", "pk"):
        places = Placement.objects.filter(year=period.year_id)
        ids = sorted(lateness.missing(period, places).values_list("unit_id", flat=True))
        for start in range(0, len(ids), BATCH):
            told = nudge(period=period, unit_ids=ids[start : start + BATCH])
            done.units, done.notices = done.units + told.units, done.notices + told.notices
    return done


@verb("Nhắc hạn báo cáo theo lịch")
def nudge(*, period, unit_ids):
    """Tell those of these units that have not reported how far the due day is, unless they were told since the last of
    the `NUDGED` days."""
    tree.lock_shared()
    today = timezone.localdate()
    period = _still(period, today)
    texts, units = _texts(period, today), _lock(unit_ids)
    missing, people = _missing(period, unit_ids), notices.people_of(unit_ids, access.LOG)
    before = Notice.objects.filter(unit__in=unit_ids, kind=NoticeKind.REMINDED, text__in=texts)
    before = set(before.values_list("unit_id", "url"))
    told = [
        unit
        for unit in units
        if unit.pk in missing & people.keys() and (unit.pk, report_url(unit, period)) not in before
    ]
    _tell(told, people, period, texts[-1])
    if told:
        label = f"{period} ({period.year_id}): {len(told)} đơn vị"
        journal.write([journal.Note(verb=nudge.code, about=period, actor=None, year=period.year_id, label=label)])
    return Nudged(len(told), sum(len(people[unit.pk]) for unit in told))


def _texts(period, today):
    """What is said of the period today, after what was to be said since the last of the `NUDGED` days."""
    passed = (today - period.due).days
    last = max([days for days in NUDGED if days <= passed], default=passed)
    days = [period.due + timedelta(days=each) for each in range(last, passed + 1)]
    return [nfc(f"Báo cáo {period}: {standing(period, day)}") for day in days]
