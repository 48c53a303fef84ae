"""Kỳ báo cáo as data: when the standard periods of a work year are due and who has to report, and the campaigns (đợt)
that a unit sets for everything below it."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Max

from targets.models import Period, PeriodKind, WorkYear
from targets.setting import Stale
from targets.usage import used
from unionwork.dates import format_date
from unionwork.text import fold, nfc
from unionwork.verbs import verb
from units import journal, tree
from units.models import Level

LEVELS = (Level.PROVINCE, Level.DISTRICT, Level.BASE, Level.BRANCH)  # those that have a superior to report to
LONGEST_GRACE = 60  # days
LATEST_DUE = 366  # days after the end of a period
WORDS = {
    "name": "Tên",
    "first_day": "Từ ngày",
    "last_day": "Đến ngày",
    "due": "Hạn nộp",
    "grace": "Số ngày gia hạn",
    "is_asked": "Phải báo cáo",
    "levels": "Cấp phải báo cáo",
}


@verb("Sửa kỳ báo cáo")
def set_period(*, period, due, grace, is_asked, levels, alike=False, actor, seen=None):
    """Say until when a standard period is due, and for whom; `alike`: all of its kind in the year as many days after
    their end. Its days stay, and reports that were given keep the number of days they were late.

    Returns how many periods that changed. Raises `Stale` as `change_campaign`, ValidationError.
    """
    fresh = _fresh(period)
    if fresh.issuer_id:
        raise ValidationError(f"“{fresh}” là đợt riêng của “{fresh.issuer}”.")
    fields = {"grace": grace, "is_asked": is_asked, "levels": levels}
    _check_seen(fresh, seen, fields | {"due": due})
    rows = [fresh]
    if alike:
        others = Period.objects.standard().filter(year=fresh.year_id, kind=fresh.kind).exclude(pk=fresh.pk)
        rows += others.select_related("year").order_by("number")
    after = due - fresh.last_day
    notes = [note for row in rows for note in _change(set_period, row, actor, due=row.last_day + after, **fields)]
    journal.write(notes)
    return len(notes)


@verb("Đặt đợt báo cáo")
def add_campaign(*, year, issuer, name, first_day, last_day, due, grace, levels, actor):
    """A campaign of `issuer` for everything below it, numbered within the year. Returns it. Raises ValidationError."""
    tree.lock_exclusive()
    _check_open(WorkYear.objects.get(pk=year.pk))
    campaigns = Period.objects.filter(year=year.pk, issuer=issuer, kind=PeriodKind.CAMPAIGN)
    period = Period(
        year=year,
        kind=PeriodKind.CAMPAIGN,
        number=(campaigns.aggregate(last=Max("number"))["last"] or 0) + 1,
        issuer=issuer,
        name=nfc(name),
        first_day=first_day,
        last_day=last_day,
        due=due,
        grace=grace,
        levels=_in_order(levels),
    )
    _check(period)
    period.save(force_insert=True)
    changes = [[WORDS[name], "", _shown(period, name)] for name in WORDS if name != "is_asked"]
    journal.write([_note(add_campaign, period, actor, changes)])
    return period


@verb("Sửa đợt báo cáo")
def change_campaign(*, period, name, first_day, last_day, due, grace, levels, actor, seen=None):
    """Change a campaign; its days only while no unit has reported about it. Returns whether that changed anything.

    `seen`: {field: value} that the person was shown before changing it (None for one that cannot be read). Raises
    `Stale` when somebody else has changed one of them since, ValidationError.
    """
    fresh = _campaign(period)
    fields = {"first_day": first_day, "last_day": last_day, "due": due, "grace": grace, "levels": levels}
    _check_seen(fresh, seen, fields | {"name": nfc(name)})
    if (first_day, last_day) != (fresh.first_day, fresh.last_day) and is_reported(fresh):
        raise ValidationError(
            {"first_day": "Đã có đơn vị báo cáo về đợt này nên không đổi ngày được nữa; hạn nộp và tên vẫn đổi được."}
        )
    notes = _change(change_campaign, fresh, actor, name=nfc(name), **fields)
    journal.write(notes)
    return bool(notes)


@verb("Xoá đợt báo cáo")
def remove_campaign(*, period, actor):
    """Remove a campaign about which nobody has reported or was reminded. Raises ValidationError."""
    fresh = _campaign(period)
    if is_reported(fresh):
        raise ValidationError(f"Đã có đơn vị báo cáo hoặc được nhắc về “{fresh}” nên không xoá được.")
    pk = fresh.pk
    fresh.delete()
    fresh.pk = pk  # the journal names what is gone
    journal.write([_note(remove_campaign, fresh, actor, [])])


def is_reported(period):
    """Whether anything refers to the period: a report (one that was taken back too), a reminder."""
    return bool(used(Period, [period.pk]))


def _fresh(period):
    """The period as it is now, while nobody reports about it and nobody closes its year."""
    tree.lock_exclusive()
    fresh = Period.objects.select_related("year", "issuer").filter(pk=period.pk).first()
    if fresh is None:
        raise ValidationError("Kỳ báo cáo này vừa bị xoá.")
    _check_open(fresh.year)
    return fresh


def _campaign(period):
    fresh = _fresh(period)
    if fresh.issuer_id is None:
        raise ValidationError(f"“{fresh}” là kỳ chung, không phải một đợt riêng.")
    return fresh


def _check_open(year):
    if not year.is_open:
        raise ValidationError(f"Năm công tác {year} đã khoá nên không đổi kỳ báo cáo được nữa.")


def _check_seen(period, seen, wanted):
    """Raises `Stale` when the period is no longer what somebody was shown who wants it to be something else (`wanted`).

    It is locked: what is compared here is what is written over.
    """
    is_so = all(_said(name, value) == _shown(period, name) for name, value in wanted.items())
    if seen is None or is_so:  # the same form sent twice finds its own words
        return
    before = {name: _said(name, value) for name, value in seen.items()}
    moved = [name for name in WORDS if name in before and before[name] != _shown(period, name)]
    if moved:
        now = "; ".join(f"{WORDS[name]} {before[name] or '–'} → {_shown(period, name)}" for name in moved)
        last = journal.of(period).first()
        who = f" bởi {last.actor}" if last and last.actor else ""
        raise Stale(
            f"“{period}” vừa được sửa{who} sau khi bạn mở trang ({now}). Các ô giữ như bạn đã nhập: xem lại rồi lưu."
        )


def _change(act, period, actor, **fields):
    """Change one period. Returns what to write in the journal."""
    fields["levels"] = _in_order(fields["levels"])
    before = {name: _shown(period, name) for name in fields}
    for name, value in fields.items():
        setattr(period, name, value)
    _check(period)
    changes = [[WORDS[name], before[name], _shown(period, name)] for name in fields]
    changes = [change for change in changes if change[1] != change[2]]
    if not changes:
        return []
    period.save(update_fields=sorted(fields))
    return [_note(act, period, actor, changes)]


def _check(period):
    """Raises ValidationError unless the period is one people can keep."""
    wrong, year = {}, period.year
    if not period.name:
        wrong["name"] = "Ghi tên đợt."
    elif len(period.name) > 100:
        wrong["name"] = "Tên dài nhất 100 ký tự."
    elif period.issuer_id and _has_namesake(period):
        wrong["name"] = "Đơn vị đã có đợt mang tên này trong năm."
    if period.first_day > period.last_day:
        wrong["last_day"] = "Ngày cuối của kỳ phải sau hoặc trùng ngày đầu."
    elif not (year.first_day <= period.first_day and period.last_day <= year.last_day):
        days = f"{format_date(year.first_day)} – {format_date(year.last_day)}"
        wrong["first_day"] = f"Kỳ phải nằm trong năm công tác {year} ({days})."
    elif not (period.first_day <= period.due <= period.last_day + timedelta(days=LATEST_DUE)):
        wrong["due"] = "Hạn nộp phải từ ngày đầu của kỳ đến nhiều nhất một năm sau khi hết kỳ."
    if not 0 <= period.grace <= LONGEST_GRACE:
        wrong["grace"] = f"Số ngày gia hạn từ 0 đến {LONGEST_GRACE}."
    if not set(period.levels) <= set(LEVELS):
        wrong["levels"] = "Chọn trong các cấp của danh sách."
    elif period.is_asked and not period.levels:
        wrong["levels"] = "Chọn ít nhất một cấp phải báo cáo."
    if wrong:
        raise ValidationError(wrong)


def _has_namesake(period):
    others = Period.objects.filter(year=period.year_id, issuer=period.issuer_id).exclude(pk=period.pk)
    return any(fold(name) == fold(period.name) for name in others.values_list("name", flat=True))


def _in_order(levels):
    """The known levels first, the highest first."""
    wanted = set(levels)
    return [level.value for level in LEVELS if level in wanted] + sorted(wanted - set(LEVELS))


def levels_below(level):
    """The levels a unit of `level` may ask."""
    return [each for each in LEVELS if list(Level).index(each) > list(Level).index(level)] or [Level.BRANCH]


def levels_in_words(levels):
    """ "Tỉnh, Khối / huyện"."""
    return ", ".join(str(Level(level).label) for level in levels if level in Level.values)


def _shown(period, name):
    return _said(name, getattr(period, name))


def _said(name, value):
    """The value of a field in words; "" for none."""
    if value is None:
        return ""
    if name == "levels":
        return levels_in_words(_in_order(value))
    if name == "name":
        return nfc(value)
    if name == "is_asked":
        return "có" if value else "không"
    return format_date(value) if name in ("first_day", "last_day", "due") else str(value)


def _note(act, period, actor, changes):
    return journal.Note(act.code, period, actor, period.issuer_id, period.year_id, str(period), changes=changes)
