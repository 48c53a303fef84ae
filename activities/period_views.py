"""Báo cáo tháng: a unit's twelve months with what was logged and said, and its children's at a glance."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from activities import periods
from targets.years import chosen_year
from unionwork.policy import policy
from units import access
from units.models import Placement
from units.scope import chosen_unit

CHILDREN_A_PAGE = 50
WORDS = {"khong": True, "du": False}  # what the form sends → `nothing`


@policy(access.VIEW, relation="subtree")
def month_list(request):
    """`?nam=&don-vi=`: the unit's months, and the grid of its children (read only)."""
    year = chosen_year(request)
    unit = chosen_unit(request.user, request.GET.get("don-vi"))
    placement = _placement(unit, year)
    context = {"unit": unit, "placement": placement, "months": []}
    if placement:
        months = periods.months_of([placement], year)[unit.pk]
        alive = Q(unit__dissolved__isnull=True) | Q(unit__dissolved__gte=year.first_day)
        below = Placement.objects.filter(alive, year=year.pk, parent=unit).in_order()
        page = Paginator(below, CHILDREN_A_PAGE).get_page(request.GET.get("page"))
        rows = periods.months_of(page, year)
        context |= {
            "months": months,
            "may_report": periods.may_report(request.user, unit),
            "page": page,
            "children": [(place.unit, _address("month_list", place.unit, year), rows[place.unit_id]) for place in page],
        }
    return render(request, "activities/month_list.html", context)


@policy(access.LOG, relation="subtree", methods="GET POST")
def month_report(request):
    """“Tháng 7 không phát sinh”: what will be said, and the button that says it. `?thang=`: by default this month."""
    unit, year, month = _spoken_of(request)
    errors, status = [], 200
    if request.method == "POST":
        try:
            _report(request, unit, year, month)
        except ValidationError as refused:
            errors, status = refused.messages, 422
        else:
            return redirect(_back(request, unit, year))
    context = {
        "unit": unit,
        "month": month,
        "errors": [{"id": "bao", "message": message} for message in errors],
        "next": _next(request),
        "list_url": _address("month_list", unit, year),
    }
    return render(request, "activities/month_report.html", context, status=status)


def _report(request, unit, year, month):
    """Give the word that the form shows. Raises ValidationError."""
    if request.POST.get("loai") not in WORDS:
        raise ValidationError("Xem lại nội dung bên dưới rồi bấm xác nhận.")
    nothing = WORDS[request.POST["loai"]]
    changed = periods.report_month(unit=unit, year=year, number=month.number, nothing=nothing, actor=request.user)
    messages.success(request, f"{'Đã báo' if changed else 'Đã báo trước đó'}: {month.said}.")


@policy(access.LOG, relation="subtree", methods="POST")
def month_withdraw(request):
    unit, year, month = _spoken_of(request)
    try:
        gone = periods.withdraw_month(unit=unit, year=year, number=month.number, actor=request.user)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, f"{'Đã rút lại' if gone else 'Không còn'} báo cáo {month.name.lower()}.")
    return redirect(_back(request, unit, year))


def _spoken_of(request):
    """(unit, year, Month) the address names. 404: no such unit in sight or month; 403: not for this user to say."""
    year, unit = chosen_year(request), chosen_unit(request.user, request.GET.get("don-vi"))
    placement = _placement(unit, year)
    if placement is None:
        raise Http404
    if not periods.may_report(request.user, unit):
        raise PermissionDenied
    months = periods.months_of([placement], year)[unit.pk]
    begun = [month for month in months if month.has_begun] or months[:1]
    wanted = request.GET.get("thang") or str(begun[-1].number)
    month = next((month for month in months if str(month.number) == wanted), None)
    if month is None:
        raise Http404
    return unit, year, month


def _placement(unit, year):
    if unit is None or year is None:
        return None
    return Placement.objects.select_related("unit").filter(unit=unit, year=year.pk).first()


def _address(name, unit, year):
    return f"{reverse(name)}?{urlencode({'nam': year.pk, 'don-vi': unit.code})}"


def _next(request):
    """Where the reader came from (`tiep`), only within this site."""
    address = request.POST.get("tiep", request.GET.get("tiep", ""))
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""


def _back(request, unit, year):
    return _next(request) or _address("month_list", unit, year)
