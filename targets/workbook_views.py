"""Targets and numbers given out by workbook: take the file home, check it, then import it."""

import base64
import binascii
import io

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from targets.in_view import address, unit_in_view
from targets.models import Target
from targets.resources import RESOURCES
from targets.workbook_rows import assignment_rows, target_rows
from targets.years import chosen_year
from unionwork.imports import run_import
from unionwork.policy import policy
from unionwork.text import fold
from units import access
from units.models import Placement, Unit

KINDS = {"chi-tieu": "targets", "so-giao": "assignments"}
WORDS = {"chi-tieu": "Chỉ tiêu của đơn vị", "so-giao": "Số giao cho đơn vị trực thuộc"}
LARGEST = 1 << 20  # bytes; thousands of rows. The checked file travels in the page until it is confirmed.
SHOWN_ERRORS = 200
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class WorkbookForm(forms.Form):
    """A chosen file, or (`kept`) the one just checked, which the page sends back as it came."""

    tep = forms.ChoiceField(label="Nội dung tệp", choices=list(WORDS.items()), widget=forms.RadioSelect)
    file = forms.FileField(
        label="Tệp Excel (.xlsx)", required=False, widget=forms.FileInput(attrs={"accept": ".xlsx"}), max_length=200
    )
    kept = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self):
        cleaned = super().clean()
        if self.errors:
            return cleaned
        content = self._content(cleaned)
        if len(content) > LARGEST:
            self.add_error("file", "Tệp lớn hơn 1 MB: xoá ảnh và trang tính thừa, hoặc chia thành nhiều tệp.")
        cleaned["content"] = content
        return cleaned

    def _content(self, cleaned):
        if cleaned["file"]:
            return cleaned["file"].read(LARGEST + 1)
        if not cleaned["kept"]:
            raise ValidationError({"file": "Chọn tệp Excel."})
        try:
            return base64.b64decode(cleaned["kept"], validate=True)
        except (binascii.Error, ValueError):
            raise ValidationError({"file": "Tệp đã kiểm tra không còn nguyên: chọn lại tệp."}) from None


@policy(access.SET_TARGETS, relation="own")
def target_export(request):
    """The unit's targets, or what it gave its children, as the workbook that can be imported back."""
    unit, year = unit_in_view(request, access.SET_TARGETS), chosen_year(request)
    kind = request.GET.get("tep") if request.GET.get("tep") in KINDS else "chi-tieu"
    rows, choices = (_targets if kind == "chi-tieu" else _given)(request.user, unit, year)
    resource = RESOURCES[KINDS[kind]](user=request.user)
    response = HttpResponse(resource.template(rows, choices=choices, title=WORDS[kind]), content_type=CONTENT_TYPE)
    name = fold(f"{kind} {unit.code} {year or ''}").strip().replace(" ", "-")
    response["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return response


def _targets(user, unit, year):
    """The unit's own targets; without any, a first row to write on."""
    found = Target.objects.editable_by(user).filter(issuer=unit, year=year).with_measures() if year else []
    return target_rows(found) or [[year and year.pk, unit.code]], None


def _given(user, unit, year):
    placement = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit").first() if year else None
    if placement is None:
        return [], None
    mine = Unit.objects.reached(user, access.SET_TARGETS)
    children = Placement.objects.filter(parent=unit, year=year.pk, unit__in=mine).in_order()
    rows = assignment_rows(placement, children, year.pk, targets=Target.objects.visible_to(user))
    return rows, {"Mã đơn vị": [row.unit.code for row in children]}


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def target_import(request):
    """Check a workbook and say what it would do; import it once that was read."""
    unit, year = unit_in_view(request, access.SET_TARGETS), chosen_year(request)
    context = {
        "unit": unit,
        "year": year,
        "downloads": [
            {"label": label, "url": address("target_export", year=year, unit=unit, tep=kind)}
            for kind, label in WORDS.items()
        ],
        "list_url": address("target_list", year=year, unit=unit),
    }
    if request.method == "GET":
        form = WorkbookForm(initial={"tep": "chi-tieu"})
        return render(request, "targets/target_import.html", context | {"form": form})
    form = WorkbookForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "targets/target_import.html", context | {"form": form}, status=422)
    kind, content = form.cleaned_data["tep"], form.cleaned_data["content"]
    is_confirmed = "nhap" in request.POST
    outcome = run_import(RESOURCES[KINDS[kind]](user=request.user), io.BytesIO(content), check=not is_confirmed)
    if is_confirmed and not outcome.errors:
        messages.success(request, f"Đã nhập {WORDS[kind].lower()}: {outcome.summary()}.")
        return redirect(context["list_url"])
    context |= {
        "form": WorkbookForm(initial={"tep": kind}),
        "checked": WORDS[kind],
        "kind": kind,
        "outcome": outcome,
        "problems": outcome.errors[:SHOWN_ERRORS],
        "more": max(0, len(outcome.errors) - SHOWN_ERRORS),
        "errors": [{"id": "ket-qua", "message": "Tệp có chỗ cần sửa: xem từng dòng bên dưới."}]
        if outcome.errors
        else [],
        "kept": "" if outcome.errors else base64.b64encode(content).decode(),
    }
    return render(request, "targets/target_import.html", context, status=422 if outcome.errors else 200)
