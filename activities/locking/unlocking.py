"""Mở khoá có thời hạn: letting the records of a unit (and of everything below it) change although they are locked.

Only somebody who may decide every accepted report that locks these days for the unit, its own and its superiors', opens
them; in a closed year only the central office. An unlock closes itself (`activities.locks` compares `until` with the
moment of the writing); `close_unlock` does so earlier, as does accepting the period again.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from activities.models import Activity, PeriodReport, ReportState, Unlock
from targets.models import WorkYear
from unionwork.dates import format_date
from unionwork.text import nfc
from unionwork.verbs import verb
from units import access, journal, notices, tree
from units.models import NoticeKind, Placement, Unit

MOST_DAYS = 14
SAME_END = timedelta(hours=1)  # "3 ngày" said twice in a row ends at two moments, and means one
LONGEST_REASON = 500
NOTHING = (
    "Những ngày này không bị khoá nên không cần mở. Bản kê khai bị khoá bởi kỳ về sau thì chọn đến ngày của kỳ ấy."
)


@dataclass
class Held:
    """What stands in the way of changing some days of a unit, and what an unlock would touch.

    `reports`: the accepted ones of the unit and its superiors that hold one of the days; `below`: how many more of the
    units below it do; `counted`: approved records of these days. `openings`: unlocks of the unit or its superiors that
    hold for some of these days, with their own in words. `why_not`: why the reader cannot open them; `is_foreign`:
    whatever their state.
    """

    is_closed: bool
    reports: list = field(default_factory=list)
    below: int = 0
    counted: int = 0
    openings: list = field(default_factory=list)
    why_not: str = ""
    is_foreign: bool = False

    @property
    def is_locked(self):
        return self.is_closed or bool(self.reports) or bool(self.below)


def held(*, unit, year, first_day, last_day, user):
    """The `Held` of days of a unit, as `user` finds it. Raises ValidationError for a unit that is not in the tree."""
    place = Placement.objects.filter(unit=unit, year=year.pk).first()
    if place is None:
        raise ValidationError(f"“{unit}” không có trong cây đơn vị năm {year}.")
    accepted, line = _accepted(year, first_day, last_day), tree.ancestor_ids(place.path)
    reports = list(accepted.filter(unit__in=line).select_related("period", "unit", "decider").order_by("pk"))
    openings = Unlock.objects.active().filter(year=year.pk, unit__in=line)
    openings = openings.filter(first_day__lte=last_day, last_day__gte=first_day).select_related("unit", "actor")
    records = Activity.objects.counted().hosted_within(place.path, year.pk)
    found = Held(
        is_closed=not year.is_open,
        reports=reports,
        below=accepted.filter(unit__in=_units_below(place)).count(),
        counted=records.filter(last_day__range=(first_day, last_day)).order_by().count(),
        openings=[(row, days_of(row)) for row in openings],
        is_foreign=year.is_open and not Unit.objects.reached(user, access.REVIEW).filter(pk=unit.pk).exists(),
    )
    found.why_not = _why_not(user, year, found)
    return found


def _accepted(year, first_day, last_day):
    """The reports of everybody that lock one of the days."""
    return PeriodReport.objects.touching(first_day, last_day).filter(year=year.pk, state=ReportState.ACCEPTED)


def _units_below(place):
    found = Placement.objects.filter(year=place.year, path__startswith=place.path).exclude(unit=place.unit_id)
    return found.values("unit")


def _why_not(user, year, found):
    """Why `user` cannot open the days, in words; "" when they may."""
    if not year.is_open:
        return "" if access.MANAGE_CATALOGUE.held_by(user) else f"Năm {year} đã đóng: chỉ văn phòng Trung ương mở khoá."
    if found.is_foreign:
        return "Chỉ bí thư của cấp trên mở khoá được."
    mine = PeriodReport.objects.decidable_by(user).filter(pk__in=[row.pk for row in found.reports])
    mine = set(mine.values_list("pk", flat=True))
    others = [f"{row.period} của {row.unit}" for row in found.reports if row.pk not in mine]
    if not others:
        return ""
    return f"Những ngày này còn do báo cáo đã nhận của cấp cao hơn khoá ({'; '.join(others)}): bí thư cấp ấy mở khoá."


@verb("Mở khoá")
def unlock(*, unit, year, first_day, last_day, until, reason, actor):
    """Open the days of `unit` and everything below it until the moment `until`. Returns the Unlock; tells the unit.

    Sent twice it opens once: what this person opened before, the same days until about the same moment, is returned as
    it is (`is_new` False) while it opens all that locks them.

    Raises ValidationError by field for days outside the year, an end that is past or more than `MOST_DAYS` ahead, a
    missing reason, and days that nothing locks; PermissionDenied for whoever may not decide all that locks them.
    """
    tree.lock_exclusive()
    year = WorkYear.objects.get(pk=year.pk)
    reason = nfc(reason or "")
    if errors := _wrong(year, first_day, last_day, until, reason):
        raise ValidationError(errors)
    found = held(unit=unit, year=year, first_day=first_day, last_day=last_day, user=actor)
    if found.why_not:
        raise PermissionDenied(found.why_not)
    if not found.is_locked:
        raise ValidationError(NOTHING)
    said = {"unit": unit, "year": year, "first_day": first_day, "last_day": last_day, "actor": actor}
    if before := _given_before(until, **said):
        before.is_new = False
        return before
    row = Unlock.objects.create(until=until, reason=reason, **said)
    row.is_new = True
    people = notices.people_of([unit.pk], access.LOG).get(unit.pk, [])
    notices.tell(
        users=[person for person in people if person.pk != actor.pk],
        unit=unit,
        kind=NoticeKind.UNLOCKED,
        text=f"Số liệu {days_of(row)} của {unit} được mở khoá đến {moment(until)}: {reason}",
        url=_records(row),
    )
    _note(unlock, row, actor, reason=reason, changes=[["Mở đến", "", moment(until)]])
    return row


def _given_before(until, **said):
    """The unlock that the same wish opened before, while it still opens all that locks the days; None.

    What was accepted after it stays locked (`activities.locks`), so that the wish is a new one.
    """
    same = Unlock.objects.active().filter(**said, until__range=(until - SAME_END, until + SAME_END))
    row = same.select_related("unit").order_by("-pk").first()
    if row is None:
        return None
    place = Placement.objects.get(unit=row.unit_id, year=row.year_id)
    around = Q(unit__in=tree.ancestor_ids(place.path)) | Q(unit__in=_units_below(place))
    accepted = _accepted(row.year, row.first_day, row.last_day).filter(around, decided_at__gt=row.at)
    return None if accepted.exists() else row


def _wrong(year, first_day, last_day, until, reason):
    """{field: sentence}."""
    errors, now = {}, timezone.now()
    if not year.first_day <= first_day <= year.last_day:
        errors["first_day"] = f"Ngày {format_date(first_day)} không thuộc năm công tác {year}."
    if not year.first_day <= last_day <= year.last_day:
        errors["last_day"] = f"Ngày {format_date(last_day)} không thuộc năm công tác {year}."
    elif last_day < first_day:
        errors["last_day"] = "Ngày cuối phải sau hoặc trùng ngày đầu."
    if until <= now:
        errors["until"] = "Thời điểm khoá lại phải sau lúc này."
    elif timezone.localdate(until) > timezone.localdate(now) + timedelta(days=MOST_DAYS):
        errors["until"] = f"Mở nhiều nhất {MOST_DAYS} ngày; cần lâu hơn thì mở lại lần nữa."
    if not reason:
        errors["reason"] = "Ghi lý do mở khoá: đơn vị và người kiểm tra sau này đều thấy."
    elif len(reason) > LONGEST_REASON:
        errors["reason"] = f"Lý do dài nhất {LONGEST_REASON} ký tự."
    return errors


@verb("Đóng mở khoá")
def close_unlock(*, unlock, actor):
    """Lock again before the time is over. Returns False when it holds no more; PermissionDenied for other people."""
    tree.lock_exclusive()
    if not closable_by(actor, [unlock]):
        raise PermissionDenied("Chỉ người đã mở, bí thư của cấp trên hoặc văn phòng Trung ương đóng lại được.")
    closed = Unlock.objects.active().filter(pk=unlock.pk).update(closed_at=timezone.now(), closer=actor)
    if closed:
        _note(close_unlock, unlock, actor)
    return bool(closed)


def end(unlocks, *, act, actor):
    """Close those of the `unlocks` (a queryset) that still hold, for a verb (`act`) after which they open nothing.

    Returns the notes that the verb is to write. It holds the tree lock.
    """
    rows = list(unlocks.active().select_related("unit").order_by("pk"))
    Unlock.objects.filter(pk__in=[row.pk for row in rows]).update(closed_at=timezone.now(), closer=actor)
    return [_noted(act, row, actor, label=f"Đóng mở khoá {days_of(row)} của {row.unit}") for row in rows]


def how_it_ended(row):
    """Why an unlock holds no more, in words; "" while it holds."""
    if row.closed_at:
        return f"{row.closer or 'Hệ thống'} đã đóng mở khoá này lúc {moment(row.closed_at)}."
    return "" if row.until > timezone.now() else f"Mở khoá này đã tự đóng khi hết hạn, lúc {moment(row.until)}."


def closable_by(user, unlocks):
    """Ids of the unlocks that this user may close: who gave it, secretaries of the unit's line, the central office."""
    if access.MANAGE_CATALOGUE.held_by(user):
        return {row.pk for row in unlocks}
    units = Unit.objects.reached(user, access.REVIEW).filter(pk__in=[row.unit_id for row in unlocks])
    mine = set(units.values_list("pk", flat=True))
    return {row.pk for row in unlocks if row.actor_id == user.pk or row.unit_id in mine}


def of_record(activity, hosts, standing, user):
    """[(unit, address)]: where this user may go to open a locked record, for each unit that needs it."""
    units = {unit.pk: unit for unit in (activity.unit, *(host.unit for host in hosts))}
    mine = Unit.objects.reached(user, access.REVIEW).filter(pk__in=standing.shut)
    if not activity.year.is_open and access.MANAGE_CATALOGUE.held_by(user):
        mine = Unit.objects.filter(pk__in=standing.shut)
    back = urlencode({"tiep": reverse("activity_detail", args=[activity.pk])})
    found = []
    for pk in mine.order_by("pk").values_list("pk", flat=True):
        days = {"first_day": activity.last_day, "last_day": standing.shut[pk]}
        found.append((units[pk], f"{address(unit=units[pk], year=activity.year_id, **days)}&{back}"))
    return found


def days_of(row):
    """The days of an unlock in words."""
    return in_days(row.first_day, row.last_day)


def in_days(first_day, last_day):
    """ "ngày 26/03/2024", "từ 01/03/2024 đến 31/03/2024"."""
    first, last = format_date(first_day), format_date(last_day)
    return f"ngày {first}" if first == last else f"từ {first} đến {last}"


def moment(at):
    """ "09:30 31/07/2024", local time."""
    return f"{timezone.localtime(at):%H:%M %d/%m/%Y}"


def address(*, unit, year, first_day, last_day):
    """Of the page that opens these days."""
    query = {"nam": year, "don-vi": unit.code, "tu": format_date(first_day), "den": format_date(last_day)}
    return f"{reverse('unlock_create')}?{urlencode(query)}"


def _records(row):
    query = {"nam": row.year_id, "don-vi": row.unit.code}
    query |= {"tu": format_date(row.first_day), "den": format_date(row.last_day)}
    return f"{reverse('activity_list')}?{urlencode(query)}"


def _note(act, row, actor, **said):
    journal.write([_noted(act, row, actor, label=f"{row.unit}: {days_of(row)}", **said)])


def _noted(act, row, actor, **said):
    return journal.Note(verb=act.code, about=row, actor=actor, unit=row.unit_id, year=row.year_id, **said)
