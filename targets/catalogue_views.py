"""The catalogue of indicators, and the work years: kept by the central office, seen by everyone."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render

from targets import catalogue, years
from targets.filters import IndicatorFilter
from targets.forms import IndicatorForm, YearForm, show_refusal
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
            catalogue.save_indicator(indicator=form.instance)
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
def year_open(request):
    """Open a work year: it gets a tree of its own, a copy of the nearest year's."""
    form = YearForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = years.open_year(**form.cleaned_data)
        except ValidationError as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, f"Đã mở năm công tác {opened}.")
            return redirect("year_list")
    return render(request, "targets/year_open.html", {"form": form}, status=422 if form.errors else 200)


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def year_close(request, year):
    """Close a work year, after saying what that does."""
    return _confirm(request, year, years.close_year, "targets/year_close.html", "Đã đóng năm công tác {}.")


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def year_reopen(request, year):
    """Open a closed work year again, after saying what that does."""
    return _confirm(request, year, years.reopen_year, "targets/year_reopen.html", "Đã mở lại năm công tác {}.")


def _confirm(request, year, act, template, done):
    work_year = get_object_or_404(WorkYear, pk=year)
    if request.method == "GET":
        return render(request, template, {"work_year": work_year})
    if act(year=year):
        messages.success(request, done.format(year))
    else:
        messages.info(request, f"Năm công tác {year} đã ở trạng thái này rồi.")
    return redirect("year_list")
