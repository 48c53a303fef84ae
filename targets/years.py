"""Opening and closing a work year."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from targets.calendar import standard_periods
from targets.models import Period, WorkYear
from unionwork.dates import format_date
from unionwork.verbs import verb
from units import journal, tree

LONGEST = 366  # days
# What happens while an approved record is being corrected, by `WorkYear.keeps_approved`.
EDITING = {
    False: "Ra khỏi các tổng cho tới khi được duyệt lại",
    True: "Số cũ vẫn được tính cho tới khi bản sửa được duyệt",
}


@verb("Mở năm công tác")
def open_year(*, year, actor, first_day=None, last_day=None, theme=""):
    """Open a work year (default: the calendar year) and give it a tree. Returns it; a no-op when it is there.

    Raises ValidationError when its days are out of order, too many, or belong to another work year.
    """
    check_year(year)
    tree.open_year(year=year)  # takes the tree lock: two people opening at once come one after the other
    already = WorkYear.objects.filter(pk=year).first()
    if already:
        return already
    opened = WorkYear(
        year=year,
        first_day=first_day or date(year, 1, 1),
        last_day=last_day or date(year, 12, 31),
        theme=theme,
    )
    opened.full_clean()
    _check_days(opened)
    opened.save(force_insert=True)
    Period.objects.bulk_create(standard_periods(opened))
    days = f"{format_date(opened.first_day)} đến {format_date(opened.last_day)}"
    _note(open_year, opened, actor, changes=[["Ngày", "", days]])
    return opened


def check_year(year):
    """Raises ValidationError for a number that is no work year."""
    if not 2000 <= year <= 2100:
        raise ValidationError({"year": "Năm công tác phải từ 2000 đến 2100."})


def _check_days(opened):
    first, last = opened.first_day, opened.last_day
    if opened.year not in (first.year, last.year):
        raise ValidationError(
            {"first_day": f"Năm công tác {opened.year} phải có ngày đầu hoặc ngày cuối trong năm đó."}
        )
    if (last - first).days + 1 > LONGEST:
        raise ValidationError({"last_day": "Năm công tác dài nhiều nhất 12 tháng."})
    other = WorkYear.objects.filter(first_day__lte=last, last_day__gte=first).order_by("year").first()
    if other:
        days = f"{format_date(other.first_day)} đến {format_date(other.last_day)}"
        raise ValidationError({"first_day": f"Trùng ngày với năm công tác {other.year} ({days})."})


@transaction.atomic
def close_year(*, year):
    """Close a work year: nothing dated in it changes any more, and its tree is frozen. False: it was not open.

    Part of the verb `activities.year_closing.close`, which sees to it that two people want it, and ends the unlocks
    that hold in it. Waits for the writers at work, who hold the tree lock too: none of them lands in the year
    afterwards.
    """
    tree.lock_exclusive()
    closed = WorkYear.objects.filter(year=year, is_open=True).update(is_open=False)
    if closed:
        tree.freeze(year=year)
    return bool(closed)


@transaction.atomic
def reopen_year(*, year):
    """Let a closed work year and its tree change again. False: it was not closed. Part of `year_closing.reopen`."""
    tree.lock_exclusive()
    closed = WorkYear.objects.filter(year=year, is_open=False)
    reopened = closed.update(is_open=True, closing_asker=None, closing_asked_at=None)
    if reopened:
        tree.freeze(year=year, frozen=False)
    return bool(reopened)


@verb("Đổi cách sửa số đã duyệt")
def set_keeps_approved(*, year, keeps, actor):
    """Whether an approved record that is being corrected counts as it was until the correction is approved (`keeps`),
    or leaves the totals meanwhile. False: it was so already. Raises ValidationError for a closed year."""
    tree.lock_exclusive()  # who is changing a record now goes on as the year said
    if not WorkYear.objects.filter(year=year, is_open=True).exists():
        raise ValidationError(f"Năm công tác {year} đã đóng nên không đổi được nữa.")
    changed = WorkYear.objects.filter(year=year, keeps_approved=not keeps).update(keeps_approved=keeps)
    if changed:
        words = [EDITING[not keeps], EDITING[keeps]]
        _note(set_keeps_approved, WorkYear(year=year), actor, changes=[["Khi sửa hoạt động đã duyệt", *words]])
    return bool(changed)


def _note(act, work_year, actor, **said):
    journal.write([note(act, work_year.pk, actor, **said)])


def note(act, year, actor, **said):
    """What the journal says of a verb (`act`) that changed a work year."""
    label = f"Năm công tác {year}"
    return journal.Note(verb=act.code, about=WorkYear(year=year), actor=actor, year=year, label=label, **said)


def of_request(request):
    """Every work year, the latest first: read once a request."""
    if not hasattr(request, "work_years"):
        request.work_years = list(WorkYear.objects.all())
    return request.work_years


def current_year(work_years):
    """The work year of today; else the latest that began before today; None when there is none at all."""
    today = timezone.localdate()
    begun = [year for year in work_years if year.first_day <= today]
    running = [year for year in begun if today <= year.last_day]
    return next(iter(running or begun or list(work_years)[-1:]), None)


def chosen_year(request):
    """The work year named by `?nam=`; the current one when blank. Raises Http404 for a year that is not there."""
    named, work_years = request.GET.get("nam"), of_request(request)
    if not named:
        return current_year(work_years)
    found = next((year for year in work_years if str(year) == named), None)
    if found is None:
        raise Http404
    return found
