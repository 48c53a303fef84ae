"""Báo cáo tổng kết: the preview page and the workbook to download."""

from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from reports import workbook
from reports.preview import Preview
from reports.yearend import NotInTree, gather
from targets.years import chosen_year
from unionwork.dates import format_date
from unionwork.fields import VietnameseDateField
from unionwork.policy import policy
from units import access
from units.scope import chosen_unit


class AsOfForm(forms.Form):
    """Up to which day to count; blank: the whole year."""

    def __init__(self, *args, year, **kwargs):
        super().__init__(*args, **kwargs)
        self.year = year
        self.fields["den-ngay"] = VietnameseDateField(label="Số liệu đến ngày", required=False)

    def clean(self):
        day = self.cleaned_data.get("den-ngay")
        if day and not self.year.first_day <= day <= self.year.last_day:
            first, last = format_date(self.year.first_day), format_date(self.year.last_day)
            self.add_error("den-ngay", f"Năm công tác {self.year} từ {first} đến {last}; chọn một ngày trong năm.")

    @property
    def day(self):
        return self.cleaned_data.get("den-ngay") if self.is_valid() else None


@policy(access.VIEW, relation="subtree", methods="GET")
def year_report(request):
    """The three tables of a unit and year as they will stand in the workbook, with what to know before sending it."""
    unit, year = _chosen(request)
    context = {"unit": unit}
    if unit is None or year is None:
        return render(request, "reports/year_report.html", context)
    form = AsOfForm(request.GET, year=year)
    context |= {"form": form, "unit": unit}
    if not form.is_valid():
        return render(request, "reports/year_report.html", context, status=422)
    try:
        report = gather(unit, year, form.day)
    except NotInTree as missing:
        return render(request, "reports/year_report.html", context | {"missing": str(missing)})
    query = {"nam": year.pk, "don-vi": unit.code} | ({"den-ngay": format_date(form.day)} if form.day else {})
    context |= {
        "report": report,
        "preview": Preview(report, form.day),
        "workbook_url": f"{reverse('year_report_xlsx')}?{urlencode(query)}",
    }
    return render(request, "reports/year_report.html", context)


@policy(access.VIEW, relation="subtree", methods="GET")
def year_report_xlsx(request):
    """The workbook as a download; a bad day, or a unit outside that year's tree, goes to the page, which explains."""
    unit, year = _chosen(request)
    form = AsOfForm(request.GET, year=year)
    explained = redirect(f"{reverse('year_report')}?{request.GET.urlencode()}")
    if unit is None or year is None or not form.is_valid():
        return explained
    try:
        report = gather(unit, year, form.day)
    except NotInTree:
        return explained
    response = HttpResponse(workbook.build(report), content_type=workbook.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{workbook.file_name(report)}"'
    return response


def _chosen(request):
    return chosen_unit(request.user, request.GET.get("don-vi")), chosen_year(request)
