"""Declarations (levels at a date) and milestones: records with their own forms, on the same path."""

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render

from activities import declared
from activities.declaring.declaration_filters import DeclaredForm
from activities.declaring.declaration_table import LevelsTable, declare
from activities.models import Activity, RecordNature
from activities.rules import Rules
from activities.tables import DeclarationTable
from activities.writing import repeating, warnings
from activities.writing.declaration_form import DeclarationForm, chosen_kind
from activities.writing.form_views import SEND, opened, record_page
from activities.writing.forms import MilestoneForm
from targets.in_view import address
from targets.models import Group, Measure, MeasureKind, Target
from targets.years import chosen_year
from unionwork.dates import DateError, parse_date
from unionwork.policy import policy
from unionwork.tables import paginate
from units import access
from units.models import Placement, Unit
from units.scope import chosen_unit

MOST_ROWS = 100  # units of a table on one page


@policy(access.LOG, relation="subtree", methods="GET POST")
def declaration_create(request):
    rules = Rules()
    start = opened(request) | _opening_day(request)

    def make(**how):
        return DeclarationForm(user=request.user, rules=rules, opened=start, **how)

    return record_page(request, make, Activity(), {"heading": "Kê khai số liệu"})


@policy(access.LOG, relation="subtree", methods="GET POST")
def milestone_create(request, measure):
    """A milestone a superior (or the own unit) set, for one of the user's units."""
    wanted = Measure.objects.filter(kind=MeasureKind.MILESTONE, target__in=Target.objects.visible_to(request.user))
    found = get_object_or_404(wanted.select_related("target__issuer"), pk=measure)
    rules = Rules()

    def make(**how):
        return MilestoneForm(user=request.user, rules=rules, measure=found, opened=opened(request), **how)

    return record_page(request, make, Activity(), {"heading": "Ghi mốc hoàn thành", "measure": found})


@policy(access.VIEW, relation="subtree")
def declaration_list(request):
    year, unit = chosen_year(request), _unit_in_view(request)
    form = DeclaredForm(request.GET, year=year)
    is_right = form.is_valid() and unit is not None and year is not None
    since, until = form.days if is_right else (None, None)
    overview = declared.below(unit, year, request.user, since, until) if is_right else declared.Overview()
    rows = form.chosen(overview.rows) if is_right else []
    declared.add_people(rows, request.user)
    table = DeclarationTable(rows, year=year.pk if year else None, overview=overview, until=until)
    context = {
        "unit": unit,
        "form": form,
        "overview": overview,
        "rows": rows,
        "table": paginate(request, table),
        "period": form.period if is_right else "",
        "until": until,
        "clear_url": address("declaration_list", year=year, unit=unit),
        "can_log": access.LOG.held_by(request.user),
        "table_url": address("declaration_table", year=year, unit=unit)
        if any(row.may_log for row in overview.rows)
        else "",
        "denominators": declared.denominators(unit, year, list(overview.total)) if is_right else [],
        "recent": declared.recent(unit, year, request.user) if is_right else [],
    }
    return render(request, "activities/declaration_list.html", context, status=200 if form.is_valid() else 422)


@policy(access.LOG, relation="subtree", methods="GET POST")
def declaration_table(request):
    """A table over the direct children for which the user declares: one group of levels, one day, sent together."""
    year, unit, rules = chosen_year(request), _unit_in_view(request), Rules()
    kind = chosen_kind(
        [kind for kind in rules.kinds.values() if kind.nature == RecordNature.STOCK and kind.is_active],
        request.GET.get("loai"),
    )
    groups = _groups(kind)
    group = request.GET.get("nhom") if request.GET.get("nhom") in groups else next(iter(groups), None)
    indicators = groups[group] if groups else []
    page = Paginator(_children(request.user, unit, year), _most_rows(indicators)).get_page(request.GET.get("page"))
    table = {"units": list(page), "indicators": indicators, "kind": kind, "rules": rules}
    status = 200
    if request.method == "GET" or not indicators:
        form = LevelsTable(**table, day=_opening_day(request).get("last_day"))
    elif request.POST.get("luu") != SEND:
        form = LevelsTable(**table, typed=request.POST)
    else:
        form, status = LevelsTable(request.POST, **table), 422
        if form.is_valid() and _declared(request, form):
            return redirect(address("declaration_list", year=year, unit=unit))
    context = {
        "unit": unit,
        "form": form,
        "errors": form.wrong,
        "page": page,
        "groups": [(code, Group(code).label) for code in groups],
        "group": group,
        "indicators": indicators,
        "kind": kind,
        "list_url": address("declaration_list", year=year, unit=unit),
    }
    return render(request, "activities/declaration_table.html", context, status=status)


def _declared(request, form):
    """Whether the table was sent; else what is wrong stands on it."""
    entries = form.entries()
    if not entries:
        messages.info(request, "Không có số nào thay đổi nên không có gì để gửi. Đánh dấu “không đổi” để xác nhận.")
        return True
    try:
        sent = declare(
            entries=entries,
            actor=request.user,
            asked=request.POST.getlist("da-hoi"),
            reason=form.cleaned_data["warning_reason"],
        )
    except repeating.Refused as refused:
        form.take(refused.errors)
        return False
    except warnings.Unanswered as unanswered:
        form.ask(unanswered)
        return False
    if not sent:
        messages.info(request, "Bảng này đã được gửi trước đó; không ghi thêm lần nữa.")
        return True
    left = len(form.rows) - len(entries)
    unchanged = f" {left} đơn vị không đổi nên không kê khai lại." if left else ""
    messages.success(request, f"Đã gửi kê khai của {sent} đơn vị, chờ duyệt.{unchanged}")
    return True


def _unit_in_view(request):
    unit = chosen_unit(request.user, request.GET.get("don-vi"))
    return unit or Unit.objects.visible_to(request.user).first()


def _children(user, unit, year):
    """The direct children in the year's tree for which the user may declare."""
    if unit is None or year is None:
        return []
    mine = Unit.objects.reached(user, access.LOG)
    places = Placement.objects.filter(parent=unit, year=year.pk, unit__in=mine).in_order()
    return [place.unit for place in places]


def _groups(kind):
    """{group: [Indicator, …]} of the levels the kind asks for, in the kind's order; what must not be missing is in
    every group, because each unit's row becomes a declaration of its own."""
    asked = kind.asked if kind else []
    groups = dict.fromkeys(row.indicator.group for row in asked)
    return {group: [row.indicator for row in asked if row.required or row.indicator.group == group] for group in groups}


def _most_rows(indicators):
    """Units a page: what one sends (a box, perhaps a question, a level; a tick a unit) stays below the limit."""
    fields = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS - 20
    return max(1, min(MOST_ROWS, fields // (2 * len(indicators) + 1)))


def _opening_day(request):
    """{"last_day": …} of `?ngay=`, when it is a day."""
    try:
        return {"last_day": parse_date(request.GET.get("ngay", ""))}
    except DateError:
        return {}
