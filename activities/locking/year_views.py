"""Closing and re-opening a work year: what that does, what is still open, and the words that confirm it."""

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render

from activities.happened import last_act
from activities.locking import year_closing
from activities.locks import WrongState
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


ASK, CLOSE, DROP = "de-nghi", "chot", "bo"  # `viec`: what the page offered
MEANWHILE = {
    ASK: "Đề nghị chốt năm này vừa được bỏ. Muốn chốt thì đề nghị lại.",
    CLOSE: "Vừa có người khác đề nghị chốt năm này: xem lại rồi chốt.",
}


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def year_close(request, year):
    """Ask for a work year to be closed, or close it when somebody else asked, after seeing what is still open in it."""
    work_year = get_object_or_404(WorkYear.objects.select_related("closing_asker"), pk=year)
    if not work_year.is_open:
        return _too_late(request, work_year)
    offered = _offered(work_year, request.user)
    form, status = CloseForm(request.POST if request.method == "POST" else None, year=year), 200
    if request.method == "POST":
        wanted, status = request.POST.get("viec"), 422
        if wanted == DROP:
            return _dropped(request, year)
        if offered is None:  # the form sent twice
            messages.info(request, f"Bạn đã đề nghị chốt năm công tác {year}: chờ một người khác chốt.")
            return redirect("year_close", year)
        if form.is_valid() and wanted == offered:
            return _asked(request, year) if offered == ASK else _closed(request, work_year)
        if wanted in MEANWHILE and wanted != offered:
            form.add_error(None, MEANWHILE[offered])
            status = 409
    context = {
        "work_year": work_year,
        "form": form,
        "offered": offered,
        "is_asked": offered != ASK,
        "is_closing": offered == CLOSE,
        "is_alone": year_closing.is_alone(request.user),
        "items": year_closing.open_items(work_year, request.user),
    }
    return render(request, "activities/year_close.html", context, status=status)


def _offered(work_year, user):
    """What this person may do next; None for whoever asked, who waits for somebody else."""
    if work_year.closing_asker_id is None:
        return ASK
    return None if work_year.closing_asker_id == user.pk else CLOSE


def _asked(request, year):
    if year_closing.ask(year=year, actor=request.user):
        done = f"Đã đề nghị chốt năm công tác {year}. Một người khác của văn phòng Trung ương xem lại và chốt."
        messages.success(request, done)
    else:
        messages.info(request, MEANWHILE[CLOSE])
    return redirect("year_close", year)


def _dropped(request, year):
    if year_closing.drop(year=year, actor=request.user):
        messages.success(request, f"Đã bỏ đề nghị chốt năm công tác {year}.")
    else:
        messages.info(request, f"Năm công tác {year} không còn đề nghị chốt nào.")
    return redirect("year_close", year)


def _closed(request, work_year):
    try:
        is_new = year_closing.close(year=work_year.pk, actor=request.user)
    except WrongState as refused:
        messages.error(request, refused.messages[0])
        return redirect("year_close", work_year.pk)
    if not is_new:
        return _too_late(request, work_year)
    messages.success(request, f"Đã chốt và đóng năm công tác {work_year}.")
    return redirect("year_list")


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
