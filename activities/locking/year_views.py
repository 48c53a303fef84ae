"""Closing and re-opening a work year: what that does, what is still open, and the words that confirm it."""

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render

from activities.happened import last_act
from activities.locking import year_closing
from targets.models import WorkYear
from unionwork.policy import policy
from unionwork.text import nfc
from units import access


class CloseForm(forms.Form):
    """Typed, so that nobody closes a year by one wrong tap."""

    words = forms.CharField(max_length=40, error_messages={"required": "Nhập dòng xác nhận."})

    def __init__(self, data=None, *, year):
        super().__init__(data)
        self.expected = f"CHỐT {year}"
        self.fields["words"].label = f"Nhập {self.expected} để xác nhận"
        self.fields["words"].widget.attrs |= {"autocomplete": "off", "autocapitalize": "characters"}

    def clean_words(self):
        if nfc(self.cleaned_data["words"]).upper() != self.expected:
            raise forms.ValidationError(f"Nhập đúng “{self.expected}”, có dấu.")
        return self.expected


class ReopenForm(forms.Form):
    reason = forms.CharField(
        label="Lý do mở lại",
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": "Ghi lý do mở lại năm đã chốt."},
    )


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def year_close(request, year):
    """Close a work year, after saying what that does and what is still open."""
    work_year = get_object_or_404(WorkYear, pk=year)
    if not work_year.is_open:
        return _too_late(request, work_year)
    form = CloseForm(request.POST or None, year=year)
    if request.method == "POST" and form.is_valid():
        if not year_closing.close(year=year, actor=request.user):
            return _too_late(request, work_year)
        messages.success(request, f"Đã chốt và đóng năm công tác {year}.")
        return redirect("year_list")
    items = year_closing.open_items(work_year, request.user)
    context = {"work_year": work_year, "form": form, "items": items}
    return render(request, "activities/year_close.html", context, status=422 if form.errors else 200)


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def year_reopen(request, year):
    """Open a closed work year again, after saying what that does; with a reason."""
    work_year = get_object_or_404(WorkYear, pk=year)
    if work_year.is_open:
        return _too_late(request, work_year)
    form = ReopenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not year_closing.reopen(year=year, actor=request.user, reason=form.cleaned_data["reason"]):
            return _too_late(request, work_year)
        messages.success(request, f"Đã mở lại năm công tác {year}.")
        return redirect("year_list")
    context = {"work_year": work_year, "form": form}
    return render(request, "activities/year_reopen.html", context, status=422 if form.errors else 200)


def _too_late(request, work_year):
    """Back to the years: this one is what the reader wants it to be already. Says who made it so."""
    work_year.refresh_from_db()
    state, act = ("đang mở", year_closing.reopen) if work_year.is_open else ("đã chốt", year_closing.close)
    said = [f"Năm công tác {work_year} {state}", last_act(work_year, act)]
    messages.info(request, ": ".join(filter(None, said)) + ".")
    return redirect("year_list")
