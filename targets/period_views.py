"""The periods of a work year: the standard ones, kept by the central office, and the campaigns of every unit's."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect, render

from targets import periods
from targets.forms import show_refusal
from targets.in_view import address, unit_in_view
from targets.models import Period, PeriodKind
from targets.period_forms import CampaignForm, PeriodForm
from targets.setting import Stale
from targets.years import chosen_year
from unionwork.policy import ANY_USER, policy
from units import access
from units.models import Placement


@policy(ANY_USER, relation="none")
def period_settings(request):
    """Every period of the year: until when, asked of whom, and for those who may, where to change that."""
    year = chosen_year(request)
    shown = Period.objects.visible_to(request.user).filter(year=year.pk if year else None).select_related("issuer")
    rows = list(shown)
    for row in rows:
        row.asked_words = periods.levels_in_words(row.levels) if row.is_asked else "Không phải báo cáo"
    mine = set(
        Period.objects.editable_by(request.user).filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True)
    )
    is_open = bool(year and year.is_open)
    may_edit = is_open and access.MANAGE_CATALOGUE.held_by(request.user)
    may_add = is_open and access.SET_TARGETS.held_by(request.user)
    standard = [row for row in rows if row.issuer_id is None]
    context = {
        "year": year,
        "kinds": [
            (kind.label, [row for row in standard if row.kind == kind])
            for kind in PeriodKind
            if kind != PeriodKind.CAMPAIGN
        ],
        "has_standard": bool(standard),
        "may_edit": may_edit,
        "campaigns": [(row, is_open and row.pk in mine) for row in rows if row.issuer_id],
        "add_url": address("campaign_add", year=year) if may_add else "",
    }
    return render(request, "targets/period_settings.html", context)


@policy(access.MANAGE_CATALOGUE, relation="none", methods="GET POST")
def period_edit(request, pk):
    """When a standard period is due, and who has to report."""
    period = get_object_or_404(Period.objects.standard().select_related("year"), pk=pk)
    form = PeriodForm(request.POST or None, period=period)
    act = partial(periods.set_period, period=period, actor=request.user, seen=form.seen)
    if _saves(request, form, act, period):
        messages.success(request, f"Đã lưu {period}.")
        return redirect(_list_of(period.year))
    return _page(request, form, period, f"Sửa kỳ báo cáo {period}")


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def campaign_add(request):
    """A campaign of the unit in view, for everything below it."""
    year, unit = chosen_year(request), unit_in_view(request, access.SET_TARGETS)
    if year is None or not year.is_open:
        messages.error(request, "Không có năm công tác nào đang mở để đặt đợt báo cáo.")
        return redirect("period_settings")
    form = CampaignForm(request.POST or None, level=_level(unit, year))
    if _saves(request, form, partial(periods.add_campaign, year=year, issuer=unit, actor=request.user)):
        messages.success(request, f"Đã đặt đợt “{form.cleaned_data['name']}” cho các đơn vị trực thuộc {unit.label}.")
        return redirect(_list_of(year))
    return _page(request, form, Period(year=year, issuer=unit), "Đặt đợt báo cáo")


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def campaign_edit(request, pk):
    period = _own_campaign(request.user, pk)
    form = CampaignForm(request.POST or None, level=_level(period.issuer, period.year), period=period)
    act = partial(periods.change_campaign, period=period, actor=request.user, seen=form.seen)
    if _saves(request, form, act, period):
        messages.success(request, f"Đã lưu đợt “{form.cleaned_data['name']}”.")
        return redirect(_list_of(period.year))
    return _page(request, form, period, f"Sửa đợt {period}")


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def campaign_remove(request, pk):
    """Remove a campaign about which nobody has reported, after asking."""
    period = _own_campaign(request.user, pk)
    refusal, status = "", 200
    if request.method == "POST":
        try:
            periods.remove_campaign(period=period, actor=request.user)
        except ValidationError as refused:
            refusal, status = " ".join(refused.messages), 422
        else:
            messages.success(request, f"Đã xoá đợt “{period}”.")
            return redirect(_list_of(period.year))
    elif periods.is_reported(period):
        refusal = f"Đã có đơn vị báo cáo hoặc được nhắc về “{period}” nên không xoá được."
    context = {"period": period, "refusal": refusal, "list_url": _list_of(period.year)}
    return render(request, "targets/campaign_remove.html", context, status=status)


def _level(unit, year):
    """The level on which the unit stands in the year's tree; by its kind when it has no place in it."""
    place = Placement.objects.filter(unit=unit, year=year.pk).first()
    return place.level if place else unit.kind.level


def _own_campaign(user, pk):
    """A campaign this user may change: 404 out of sight and for a standard period, else 403."""
    shown = Period.objects.visible_to(user).exclude(issuer=None).select_related("year", "issuer")
    period = get_object_or_404(shown, pk=pk)
    if not Period.objects.editable_by(user).filter(pk=pk).exists():
        raise PermissionDenied
    return period


def _saves(request, form, act, period=None):
    """Whether what was sent is right and is done now; what is wrong stands beside the fields. `period`: the one that is
    changed; when somebody else was quicker, the form is shown again and knows what they wrote."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        act(**form.cleaned_data)
    except Stale as refused:
        show_refusal(form, refused)
        form.is_stale = True
        form.show(Period.objects.get(pk=period.pk))
        return False
    except ValidationError as refused:
        show_refusal(form, refused)
        return False
    return True


def _page(request, form, period, heading):
    context = {"form": form, "period": period, "heading": heading, "list_url": _list_of(period.year)}
    status = 409 if form.is_stale else 422 if form.errors else 200
    return render(request, "targets/period_form.html", context, status=status)


def _list_of(year):
    return address("period_settings", year=year)
