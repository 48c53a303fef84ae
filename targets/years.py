"""Opening and closing a work year."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from targets.models import WorkYear
from units import tree


@transaction.atomic
def open_year(*, year, first_day=None, last_day=None, theme=""):
    """Open a work year (default: the calendar year) and give it a tree. Returns it; a no-op when it is there."""
    if not 2000 <= year <= 2100:
        raise ValidationError({"year": "Năm công tác phải từ 2000 đến 2100."})
    tree.open_year(year=year)
    work_year, _ = WorkYear.objects.get_or_create(
        year=year,
        defaults={
            "first_day": first_day or date(year, 1, 1),
            "last_day": last_day or date(year, 12, 31),
            "theme": theme,
        },
    )
    return work_year


@transaction.atomic
def close_year(*, year):
    """Close a work year: nothing dated in it changes any more, and its tree is frozen."""
    if WorkYear.objects.filter(year=year, is_open=True).update(is_open=False):
        tree.freeze(year=year)


@transaction.atomic
def reopen_year(*, year):
    if WorkYear.objects.filter(year=year, is_open=False).update(is_open=True):
        tree.freeze(year=year, frozen=False)


def current_year():
    """The work year of today; else the latest that began before today; None when there is none at all."""
    today = timezone.localdate()
    return (
        WorkYear.objects.containing(today)
        or WorkYear.objects.filter(first_day__lte=today).order_by("-year").first()
        or WorkYear.objects.order_by("year").first()
    )


def chosen_year(text):
    """The work year named by `?nam=`; the current one when blank. Raises Http404 for a year that is not there."""
    if not text:
        return current_year()
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise Http404
    return get_object_or_404(WorkYear, pk=int(text))
