"""The official table of a unit to download, and the same file read back into drafts after a preview."""

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from reports import giving_table
from reports import giving_table_reading as reading
from targets.giving import Conflict
from targets.in_view import address, unit_in_view
from targets.years import chosen_year
from unionwork.policy import policy
from unionwork.workbooks import BadWorkbook
from units import access
from units.models import Unit

SALT = "giao-chi-tieu"
DAY = 86_400  # seconds
TOO_OLD = "Bản xem trước đã cũ: chọn lại tệp để xem với số hiện nay."


class UploadForm(forms.Form):
    tep = forms.FileField(
        label="Tệp bảng giao chỉ tiêu (.xlsx)",
        help_text="Chính tệp đã tải về từ trang này, sau khi sửa số trong Excel.",
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
        error_messages={"required": "Chọn tệp đã sửa.", "empty": "Tệp rỗng: chọn lại tệp."},
        max_length=300,
    )


@policy(access.VIEW, relation="subtree")
def giving_table_xlsx(request):
    """The table as a workbook; drafts are in it only for those who set the unit's targets."""
    year, unit = chosen_year(request), unit_in_view(request)
    if year is None:
        raise Http404
    sets = Unit.objects.reached(request.user, access.SET_TARGETS).filter(pk=unit.pk).exists()
    try:
        table = giving_table.GivingTable(unit, year, request.user, drafts=sets)
    except giving_table.NotInTree as missing:
        messages.error(request, str(missing))
        return redirect(address("target_list", year=year, unit=unit))
    response = HttpResponse(giving_table.build(table), content_type=giving_table.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{giving_table.file_name(table)}"'
    return response


@policy(access.SET_TARGETS, relation="subtree", methods="GET POST")
def giving_table_import(request):
    """Upload, preview of every cell that changes, then save as drafts."""
    year, unit = chosen_year(request), unit_in_view(request, access.SET_TARGETS)
    if year is None:
        raise Http404
    context = {
        "year": year,
        "unit": unit,
        "list_url": address("target_list", year=year, unit=unit),
        "table_url": address("giving_table_xlsx", year=year, unit=unit),
    }
    try:
        table = giving_table.GivingTable(unit, year, request.user, drafts=True)
    except giving_table.NotInTree as missing:
        return render(request, "reports/giving_table_import.html", context | {"refusal": str(missing)})
    context["refusal"] = _refusal(table)
    if request.method == "POST" and "xac-nhan" in request.POST and not context["refusal"]:
        return _confirmed(request, table, context)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    context["form"] = form
    if request.method == "POST" and not context["refusal"] and form.is_valid():
        return _preview(request, table, form, context)
    status = 422 if request.method == "POST" else 200
    return render(request, "reports/giving_table_import.html", context, status=status)


def _refusal(table):
    if not table.year.is_open:
        return f"Năm công tác {table.year} đã đóng nên không giao chỉ tiêu được nữa."
    if not table.children:
        return f"{table.unit} không có đơn vị trực thuộc trong năm {table.year}."
    return "" if table.columns else f"{table.unit} chưa được giao và chưa đặt ra chỉ tiêu nào có số trong năm này."


def _preview(request, table, form, context):
    try:
        found = reading.read(form.cleaned_data["tep"], table)
    except (BadWorkbook, reading.Refused) as refused:
        form.add_error("tep", str(refused))
        return render(request, "reports/giving_table_import.html", context, status=422)
    errors = [{"id": "", "message": sentence} for sentence in found.errors]
    context |= {"errors": errors, "is_read": True, "missing": found.missing}
    if found.changes:
        context |= _shown(request, table, found.changes)
    return render(request, "reports/giving_table_import.html", context, status=422 if errors else 200)


def _shown(request, table, changes):
    """The changes as the page lists them, and signed for the next step."""
    rows = [
        {
            "unit": row.child.unit,
            "label": row.column.label,
            "title": row.column.header,
            "old": row.text(row.seen),
            "new": row.text(row.planned),
            "note": row.note,
            "is_same": row.planned == row.seen,
        }
        for row in changes
    ]
    said = {"who": request.user.pk, "keys": table.keys, "rows": reading.packed(changes)}
    return {
        "changes": rows,
        "balances": reading.balances(table, changes),
        "signed": signing.dumps(said, salt=SALT, compress=True),
    }


def _confirmed(request, table, context):
    context["form"] = UploadForm()
    try:
        said = signing.loads(request.POST.get("thay-doi", ""), salt=SALT, max_age=DAY)
    except signing.BadSignature:
        said = {}
    if said.get("who") != request.user.pk or said.get("keys") != table.keys:
        context["errors"] = [{"id": "", "message": TOO_OLD}]
        return render(request, "reports/giving_table_import.html", context, status=422)
    changes = reading.unpacked(said["rows"], table)
    try:
        saved = reading.save(table, changes, actor=request.user)
    except ValidationError as refused:
        is_conflict = isinstance(refused, Conflict)
        context["errors"] = [{"id": "", "message": message} for message in refused.messages]
        if is_conflict:
            again = reading.against(changes, table)
            context["errors"] = [{"id": "", "message": _who_changed(refused)}]
            context |= {"is_read": True} | (_shown(request, table, again) if again else {})
        return render(request, "reports/giving_table_import.html", context, status=409 if is_conflict else 422)
    if saved:
        messages.success(request, f"Đã lưu {saved} thay đổi vào bản nháp. Cấp dưới chỉ thấy sau khi ban hành.")
    else:
        messages.info(request, "Không có số nào thay đổi.")
    return redirect(context["list_url"])


def _who_changed(conflict):
    names = ", ".join(unit.label for unit in conflict.units[:5])
    return f"Chưa lưu gì: vừa có người khác sửa số của {names}. Bảng dưới đây so với số mới; xem lại rồi lưu."
