"""The catalogue of indicators, and the work years: kept by the central office, seen by everyone."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render

from targets import catalogue, years
from targets.filters import IndicatorFilter
from targets.forms import EditingForm, IndicatorForm, YearForm, show_refusal
from targets.models import Indicator, WorkYear
from targets.tables import EditableIndicatorTable, IndicatorTable
from unionwork.policy import ANY_USER, policy
from unionwork.tables import paginate
from units import access


@policy(ANY_USER, relation="none")
def indicator_list(request):
    """The catalogue: search without dấu, group, nature, whole."""
    filtered = IndicatorFilter(
        request.GET, queryset=Indicator.objects.select_related("part_of").order_by("position", "pk")
    )
    may_edit = access.MANAGE_CATALOGUE.held_by(request.user)
    table = paginate(request, (EditableIndicatorTable if may_edit else IndicatorTable)(filtered.qs))
    context = {"filter": filtered, "table": table, "may_edit": may_edit, "count": table.page.paginator.count}
    return render(request, "targets/indicator_list.html", context)


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def indicator_add(request):
    return _indicator_form(request, Indicator(), "Thêm chỉ số", locked=())


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def indicator_edit(request, pk):
    indicator = get_object_or_404(Indicator, pk=pk)
    locked = ("code", "nature", "decimals", "part_of") if catalogue.is_used(indicator) else ("code",)
    return _indicator_form(request, indicator, f"Sửa chỉ số {indicator.code}", locked=locked)


def _indicator_form(request, indicator, heading, *, locked):
    form = IndicatorForm(request.POST or None, instance=indicator, locked=locked)
    if request.method == "POST" and form.is_valid():
        try:
            catalogue.save_indicator(indicator=form.instance, actor=request.user)
        except ValidationError as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, f"Đã lưu chỉ số “{indicator.name}”.")
            return redirect("indicator_list")
    context = {"form": form, "heading": heading}
    return render(request, "targets/indicator_form.html", context, status=422 if form.errors else 200)


@policy(ANY_USER, relation="none")
def year_list(request):
    context = {"years": WorkYear.objects.all(), "may_edit": access.MANAGE_CATALOGUE.held_by(request.user)}
    return render(request, "targets/year_list.html", context)


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def year_editing(request, year):
    """What happens while an approved record of the year is being corrected."""
    work_year = get_object_or_404(WorkYear, pk=year)
    form = EditingForm(request.POST or None, initial={"keeps": int(work_year.keeps_approved)})
    if request.method == "POST" and form.is_valid():
        keeps = form.cleaned_data["keeps"]
        try:
            years.set_keeps_approved(year=year, keeps=keeps, actor=request.user)
        except ValidationError as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, f"Năm {year}, khi sửa hoạt động đã duyệt: {years.EDITING[keeps].lower()}.")
            return redirect("year_list")
    context = {"form": form, "work_year": work_year}
    return render(request, "targets/year_editing.html", context, status=422 if form.errors else 200)


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def year_open(request):
    """Open a work year: it gets a tree of its own, a copy of the nearest year's."""
    form = YearForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = years.open_year(**form.cleaned_data, actor=request.user)
        except ValidationError as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, f"Đã mở năm công tác {opened}.")
            return redirect("year_list")
    return render(request, "targets/year_open.html", {"form": form}, status=422 if form.errors else 200)
