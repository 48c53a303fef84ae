"""Báo cáo kỳ: a unit's periods of a year with what was logged and said, and the page that gives a word.

What its superior sees and does: `activities.report_views`.
"""

from itertools import groupby

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from activities.locks import WrongState
from activities.models import PeriodReport, ReportState
from activities.reporting import lateness, periods, unit_periods, waiting
from activities.reporting.in_view import in_view, placement_of
from targets.in_view import address, query_of
from targets.models import PeriodKind
from targets.years import chosen_year
from unionwork.parameters import way_back, whole_number
from unionwork.policy import policy
from units import access
from units.scope import chosen_unit

CHILDREN_A_PAGE = 50
WORDS = {"khong": True, "du": False}  # what the form sends → `nothing`


class WordForm(forms.Form):
    """The word as the page shows it, two texts for the superior, and the version of the word that stood (`ban`)."""

    ban = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput)
    loai = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput)
    difficulties = forms.CharField(
        label="Khó khăn", required=False, max_length=periods.LONGEST_NOTE, widget=forms.Textarea({"rows": 2})
    )
    proposals = forms.CharField(
        label="Đề xuất", required=False, max_length=periods.LONGEST_NOTE, widget=forms.Textarea({"rows": 2})
    )

    def clean(self):
        said = super().clean()
        if said.get("loai") not in WORDS:
            self.errors.pop("loai", None)
            self.add_error(None, "Xem lại nội dung bên dưới rồi bấm xác nhận.")
        return said


@policy(access.VIEW, relation="subtree")
def period_list(request):
    """`?nam=&don-vi=`: the unit's periods by kind, and the grid of its children's months."""
    year, unit, placement = in_view(request)
    context = {"unit": unit, "placement": placement, "kinds": []}
    if placement:
        rows = unit_periods.of_unit(placement, unit_periods.periods_of(placement))
        below = _grid(request, placement, year)
        lines = [(row, below["waiting"].get(row.period.pk, 0)) for row in rows]
        kinds = groupby(lines, key=lambda line: line[0].period.kind)
        may_report, reviews = periods.may_report(request.user, unit), access.REVIEW.held_by(request.user)
        context |= below | {
            "kinds": [(PeriodKind(kind).label, list(found)) for kind, found in kinds],
            "may_report": may_report,
            "pressing": [row for row in rows if may_report and row.is_pressing],
            "answers": [(row, waiting) for row, waiting in lines if waiting and reviews],
            "query": query_of(year=year, unit=unit),
            "waiting_url": waiting.address(unit, year),
        }
    return render(request, "activities/period_list.html", context)


def _grid(request, here, year):
    """The children of a unit, each with its months."""
    below = lateness.children(request.user, here, year)
    page = Paginator(below, CHILDREN_A_PAGE).get_page(request.GET.get("page"))
    months = unit_periods.months_of(year)
    rows = unit_periods.of_units(page, months)
    children = [(place.unit, address("period_list", year=year, unit=place.unit), rows[place.unit_id]) for place in page]
    return {"page": page, "months": months, "children": children, "waiting": _waiting(below, year)}


def _waiting(below, year):
    """{period id: how many reports of these units wait for an answer}. One statement."""
    units = below.order_by().values("unit_id")
    sent = PeriodReport.objects.filter(year=year.pk, state=ReportState.SENT, unit__in=units)
    return dict(sent.order_by().values_list("period").annotate(n=Count("pk")))


@policy(access.VIEW, relation="subtree")
def month_list(request):
    """The address that the months had alone."""
    query = request.GET.urlencode()
    return redirect(reverse("period_list") + (f"?{query}" if query else ""), permanent=True)


@policy(access.LOG, relation="subtree", methods="GET POST")
def period_report(request):
    """“Tháng 7 không phát sinh”: what will be said, and the button that says it. `?ky=`: by default this month."""
    unit, year, here = _spoken_of(request)
    form, status = WordForm(request.POST.copy() if request.method == "POST" else None, initial=_said(here)), 200
    refused = None
    if request.method == "POST":
        if form.is_valid() and not (refused := _report(request, form, unit, here)):
            return redirect(_back(request, unit, year))
        status = 409 if isinstance(refused, WrongState) else 422
        here = unit_periods.of_unit(here.placement, [here.period])[0]
        form.data.update(_seen(here))  # what the page shows now is what the next press says
    context = {
        "unit": unit,
        "here": here,
        "form": form,
        "other": here.report if status == 409 and here.is_sent else None,
        "next": way_back(request),
        "list_url": address("period_list", year=year, unit=unit),
    }
    return render(request, "activities/period_report.html", context, status=status)


def _said(here):
    """What the form shows: the word that the records allow, and the texts sent before."""
    sent = here.report
    texts = {"difficulties": sent.difficulties, "proposals": sent.proposals} if sent else {}
    return _seen(here) | texts


def _seen(here):
    """The word that the page offers, and the version of the one that stands."""
    return {"loai": "khong" if here.is_empty else "du", "ban": str(here.report.version if here.report else 0)}


def _report(request, form, unit, here):
    """Give the word that the form shows. Returns the ValidationError with which it was refused, or None."""
    said = form.cleaned_data
    try:
        changed = periods.report(
            unit=unit,
            period=here.period,
            nothing=WORDS[said["loai"]],
            difficulties=said["difficulties"],
            proposals=said["proposals"],
            actor=request.user,
            seen=whole_number(said["ban"]),
        )
    except ValidationError as refused:
        form.add_error(None, refused.messages)
        return refused
    messages.success(request, f"{'Đã báo' if changed else 'Đã báo trước đó'}: {here.said}.")
    return None


@policy(access.LOG, relation="subtree", methods="POST")
def period_withdraw(request):
    unit, year, here = _spoken_of(request)
    try:
        gone = periods.withdraw_report(unit=unit, period=here.period, actor=request.user)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        again = " Gửi lại thì số ngày trễ tính theo lần gửi lại." if here.today > here.period.due else ""
        messages.success(request, f"{'Đã rút lại' if gone else 'Không còn'} báo cáo {here.called}.{again}")
    return redirect(_back(request, unit, year))


def _spoken_of(request):
    """(unit, year, UnitPeriod) the address names. 404: no such unit in sight or period; 403: not for this user."""
    year, unit = chosen_year(request), chosen_unit(request.user, request.GET.get("don-vi"))  # nobody's by default
    placement = placement_of(unit, year)
    if placement is None:
        raise Http404
    if not periods.may_report(request.user, unit):
        raise PermissionDenied
    period = chosen_period(request, placement)
    return unit, year, unit_periods.of_unit(placement, [period])[0]


# --- What the pages of a period share ---


def chosen_period(request, placement):
    """The period named by `?ky=`, one of the unit's; by default the latest month that has begun. Raises Http404."""
    found, wanted = unit_periods.periods_of(placement), request.GET.get("ky")
    if not wanted:
        months, today = [row for row in found if row.kind == PeriodKind.MONTH], timezone.localdate()
        found = [row for row in months if row.first_day <= today][-1:] or months[:1]
        wanted = str(found[0].pk) if found else ""
    period = next((row for row in found if str(row.pk) == wanted), None)
    if period is None:
        raise Http404
    return period


def _back(request, unit, year):
    return way_back(request) or address("period_list", year=year, unit=unit)
