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
from activities.models import Unlock
from targets.years import chosen_year
from unionwork.fields import VietnameseDateField
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
    """Unlocks that hold in the user's scope."""
    found = Unlock.objects.visible_to(request.user).active().select_related("unit", "actor")
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    closable = unlocking.closable_by(request.user, page)
    rows = [(row, unlocking.days_of(row), row.pk in closable) for row in page]
    return render(request, "activities/unlock_list.html", {"page": page, "rows": rows})


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
    context = {"unit": unit, "days": days, "next": way_back(request)}
    held, form = _held(request, unit, year, days), UnlockForm(request.POST or None)
    if request.method == "POST" and held:
        if held.why_not:
            raise PermissionDenied
        if form.is_valid() and _opened(request, form, unit, year, days):
            return redirect(context["next"] or "unlock_list")
    wrong = days.errors or form.errors
    return render(
        request, "activities/unlock_create.html", context | {"held": held, "form": form}, status=422 if wrong else 200
    )


def _held(request, unit, year, days):
    """What stands in the way; None with the reasons on the form of the days."""
    if not days.is_valid():
        return None
    first_day, last_day = days.cleaned_data["tu"], days.cleaned_data["den"]
    try:
        return unlocking.held(unit=unit, year=year, first_day=first_day, last_day=last_day, user=request.user)
    except ValidationError as refused:
        days.add_error(None, refused.messages[0])
        return None


def _opened(request, form, unit, year, days):
    said = {"first_day": days.cleaned_data["tu"], "last_day": days.cleaned_data["den"], "until": form.end}
    try:
        row = unlocking.unlock(unit=unit, year=year, reason=form.cleaned_data["reason"], actor=request.user, **said)
    except ValidationError as refused:
        show_refusal(form, refused)
        return False
    messages.success(
        request,
        f"Đã mở khoá số liệu {unlocking.days_of(row)} của {unit}; tự khoá lại lúc {unlocking.moment(row.until)}.",
    )
    return True


@policy(access.VIEW, relation="superior", methods="POST")
def unlock_close(request, pk):
    row = get_object_or_404(Unlock.objects.visible_to(request.user).select_related("unit"), pk=pk)
    if unlocking.close_unlock(unlock=row, actor=request.user):
        messages.success(request, f"Đã khoá lại số liệu {unlocking.days_of(row)} của {row.unit}.")
    else:
        messages.info(request, "Mở khoá này đã hết hiệu lực trước đó.")
    return redirect("unlock_list")
