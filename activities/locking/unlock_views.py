"""Mở khoá có thời hạn: the page that opens locked days of a unit, and the list of what is open now."""

from datetime import datetime, time, timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from activities.locking import unlocking
from activities.locking.opened import why_open
from activities.models import Unlock
from targets.years import chosen_year
from unionwork.fields import VietnameseDateField, check_order
from unionwork.parameters import way_back
from unionwork.policy import policy
from units import access
from units.forms import show_refusal
from units.scope import chosen_unit

ROWS_A_PAGE = 50
OTHER = "khac"
PRESETS = [("1", "1 ngày"), ("3", "3 ngày"), ("7", "7 ngày"), (OTHER, "Đến hết một ngày khác")]


class DaysForm(forms.Form):
    """The days that are looked at; in the address."""

    tu = VietnameseDateField(label="Từ ngày", error_messages={"required": "Nhập ngày, ví dụ 01/07/2024."})
    den = VietnameseDateField(label="Đến ngày", error_messages={"required": "Nhập ngày, ví dụ 31/07/2024."})

    def clean(self):
        said = super().clean()
        check_order(self)
        return said


class UnlockForm(forms.Form):
    how_long = forms.ChoiceField(
        label="Mở trong",
        choices=PRESETS,
        initial="3",
        widget=forms.RadioSelect,
        error_messages={"required": "Chọn thời hạn."},
    )
    until = VietnameseDateField(
        label="Ngày khác",
        required=False,
        help_text=f"chỉ khi chọn “Đến hết một ngày khác”; nhiều nhất {unlocking.MOST_DAYS} ngày",
        needs_year=True,
    )
    reason = forms.CharField(
        label="Lý do",
        max_length=unlocking.LONGEST_REASON,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": "Ghi lý do mở khoá: đơn vị và người kiểm tra sau này đều thấy."},
    )

    def clean(self):
        said = super().clean()
        if said.get("how_long") == OTHER and not said.get("until") and "until" not in self.errors:
            self.add_error("until", "Nhập ngày khoá lại.")
        return said

    @property
    def end(self):
        """The moment the unlock closes itself."""
        said = self.cleaned_data
        if said["how_long"] != OTHER:
            return timezone.now() + timedelta(days=int(said["how_long"]))
        return timezone.make_aware(datetime.combine(said["until"], time(23, 59, 59)))


@policy(access.VIEW, relation="subtree")
def unlock_list(request):
    """Unlocks that hold in the user's scope; `?nam=`: only those of a year."""
    found = Unlock.objects.visible_to(request.user).active().select_related("unit", "actor")
    year = chosen_year(request) if "nam" in request.GET else None
    if year:
        found = found.filter(year=year.pk)
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    closable = unlocking.closable_by(request.user, page)
    rows = [(row, unlocking.days_of(row), row.pk in closable) for row in page]
    return render(request, "activities/unlock_list.html", {"page": page, "rows": rows, "only": year})


@policy(access.VIEW, relation="superior", methods="GET POST")
def unlock_create(request):
    """`?don-vi=&nam=&tu=&den=`: what locks these days, what an unlock touches, and the form that opens them."""
    if not (access.REVIEW.held_by(request.user) or access.MANAGE_CATALOGUE.held_by(request.user)):
        raise PermissionDenied
    year, unit = chosen_year(request), chosen_unit(request.user, request.GET.get("don-vi"))
    if unit is None or year is None:
        raise Http404
    whole = {"tu": year.first_day, "den": year.last_day}
    days = DaysForm({name: request.GET.get(name) or day for name, day in whole.items()})
    held, form = _held(request, unit, year, days), UnlockForm(request.POST or None)
    context = {"unit": unit, "days": days, "next": way_back(request), "held": held, "form": form}
    if request.method == "POST" and held and held.is_foreign:
        raise PermissionDenied
    if held and not held.is_locked and _comes_too_late(request):
        messages.info(request, why_open(unit=unit, year=year, **_first_and_last(days)))
        return redirect(context["next"] or "unlock_list")
    status = 200
    if request.method == "POST" and held:
        if held.why_not:  # somebody above accepted these days, or closed the year, since the page was opened
            status = 409
        elif form.is_valid() and _opened(request, form, unit, year, days):
            return redirect(context["next"] or "unlock_list")
    status = 422 if days.errors or (status == 200 and form.errors) else status
    return render(request, "activities/unlock_create.html", context, status=status)


def _comes_too_late(request):
    """Whether somebody came to open certain days; not while they look for the days that are locked (`xem`)."""
    return request.method == "POST" or (bool(way_back(request)) and "xem" not in request.GET)


def _first_and_last(days):
    return {"first_day": days.cleaned_data["tu"], "last_day": days.cleaned_data["den"]}


def _held(request, unit, year, days):
    """What stands in the way; None with the reasons on the form of the days."""
    if not days.is_valid():
        return None
    try:
        return unlocking.held(unit=unit, year=year, user=request.user, **_first_and_last(days))
    except ValidationError as refused:
        days.add_error(None, refused.messages[0])
        return None


def _opened(request, form, unit, year, days):
    said = _first_and_last(days) | {"until": form.end, "reason": form.cleaned_data["reason"]}
    try:
        row = unlocking.unlock(unit=unit, year=year, actor=request.user, **said)
    except ValidationError as refused:
        show_refusal(form, refused)
        return False
    words = f"mở khoá số liệu {unlocking.days_of(row)} của {unit}"
    if row.is_new:
        messages.success(request, f"Đã {words}; tự khoá lại lúc {unlocking.moment(row.until)}.")
    else:
        messages.info(request, f"Bạn đã {words} trước đó, đến {unlocking.moment(row.until)}; không mở thêm lần nữa.")
    return True


@policy(access.VIEW, relation="superior", methods="POST")
def unlock_close(request, pk):
    row = get_object_or_404(Unlock.objects.visible_to(request.user).select_related("unit"), pk=pk)
    if unlocking.close_unlock(unlock=row, actor=request.user):
        messages.success(request, f"Đã khoá lại số liệu {unlocking.days_of(row)} của {row.unit}.")
    else:
        row = Unlock.objects.select_related("closer").get(pk=pk)
        messages.info(request, unlocking.how_it_ended(row))
    return redirect("unlock_list")
