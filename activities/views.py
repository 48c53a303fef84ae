"""Reading: the list of records behind every number, and one record with its history."""

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from activities import evidence, hosting, listing, review
from activities.filters import ActivityFilter
from activities.models import EDITABLE, Activity, RecordNature, Status, Step
from activities.tables import ActivityTable
from targets.years import chosen_year
from unionwork.list_files import csv_response, xlsx_response
from unionwork.numbers import format_number
from unionwork.policy import policy
from unionwork.tables import paginate
from units import access
from units.models import Placement

SUMS_SHOWN = 6  # of a list; the others are folded away
FILES = {"xlsx": xlsx_response, "csv": csv_response}


def _filtered(request):
    """(year, the filter the address describes)."""
    year = chosen_year(request)
    mine = Activity.objects.visible_to(request.user).filter(year=year)
    return year, ActivityFilter(request.GET, queryset=mine, user=request.user, year=year)


@policy(access.VIEW, relation="subtree")
def activity_list(request):
    year, filters = _filtered(request)
    found = filters.qs
    table = paginate(request, ActivityTable(found.for_list()))
    indicator = filters.form.cleaned_data.get("chi_so") if filters.form.is_valid() else None
    total = found.counting_for(request.user).sum_of(filters.family) if indicator else None
    # Of a list too long to be counted the sums would cost seconds on the page everybody opens.
    summed = [] if indicator or table.paginator.is_capped else listing.sums_of(found.counting_for(request.user))
    sums = [_sum_in_words(row) for row in summed]
    query = urlencode([(key, value) for key, values in request.GET.lists() for value in values if key != "page"])
    context = {
        "filters": filters,
        "form": filters.form,
        "table": table,
        "count": table.paginator.count,
        "is_capped": table.paginator.is_capped,
        "indicator": indicator,
        "total": total,
        "sums_first": sums[:SUMS_SHOWN],
        "sums_more": sums[SUMS_SHOWN:],
        "file_urls": [] if table.paginator.count == 0 else _file_urls(query, year),
        "chips": filters.chips(),
        "clear_query": urlencode({"nam": year.pk}) if year else "",
        "clear_url": request.path + (f"?nam={year.pk}" if year else ""),
        "can_log": access.LOG.held_by(request.user),
        "invitations": hosting.waiting_for(request.user).count(),
    }
    return render(request, "activities/activity_list.html", context)


def _sum_in_words(row):
    """ "Cây xanh: 412 cây (chờ duyệt 35)", "Đơn vị máu: chờ duyệt 18 đơn vị"."""
    indicator, unit = row.indicator, row.indicator.unit_of_measure
    waiting = "" if row.waiting is None else f"chờ duyệt {indicator.format(row.waiting)}"
    if row.counted is None:
        return f"{indicator.name}: {waiting} {unit}"
    return f"{indicator.name}: {indicator.format(row.counted)} {unit}" + (f" ({waiting})" if waiting else "")


def _file_urls(query, year):
    query = query or f"nam={year}"
    return [(kind, f"{reverse(f'activity_list_{kind}')}?{query}") for kind in FILES]


@policy(access.VIEW, relation="subtree")
def activity_list_file(request, kind):
    """The filtered list, all its pages, as .xlsx or .csv."""
    year, filters = _filtered(request)
    found = filters.qs
    if not filters.form.is_valid() or found.order_by()[: listing.MOST_ROWS + 1].count() > listing.MOST_ROWS:
        if filters.form.is_valid():
            most = format_number(listing.MOST_ROWS)
            messages.error(request, f"Danh sách dài hơn {most} dòng. Lọc hẹp lại (theo đơn vị, tháng) rồi tải.")
        return redirect(f"{reverse('activity_list')}?{request.GET.urlencode()}")
    return FILES[kind](f"HoatDong_{year or ''}", *listing.table_of(found))


@policy(access.VIEW, relation="subtree")
def activity_detail(request, pk):
    user = request.user
    rights = {
        "may_write": Exists(Activity.objects.editable_by(user).filter(pk=OuterRef("pk"))),
        "may_decide": Exists(Activity.objects.decidable_by(user).filter(pk=OuterRef("pk"))),
    }
    found = Activity.objects.visible_to(user).annotate(**rights)
    found = found.select_related("unit", "kind", "year", "author", "approver", "milestone__target")
    activity = get_object_or_404(found, pk=pk)
    writes, decides = activity.may_write, activity.may_decide and access.REVIEW.held_by(user)
    context = {
        "activity": activity,
        "evidence": evidence.of_record(activity, user=user, compared=decides),
        "figures": activity.figures.select_related("indicator"),
        "hosts": activity.hosts.for_record(user),
        "takes_answers": hosting.can_answer(activity),
        "events": activity.events.select_related("actor"),
        "edit_place": activity.edit_place,
        "address": request.build_absolute_uri(request.path),
        "reviewer": _reviewer(activity) if activity.status == Status.PENDING else "",
        "is_draft": activity.status in (Status.DRAFT, Status.RETURNED),
        "is_waiting": activity.status == Status.PENDING,
        "is_returned": activity.status == Status.RETURNED,
        "is_cancelled": activity.status == Status.CANCELLED,
        "can_repeat": writes and activity.kind.nature == RecordNature.FLOW,
        "can_edit": writes and activity.status in EDITABLE and activity.year.is_open,
        "can_submit": writes and review.can(Step.SUBMIT, activity),
        "can_withdraw": writes and review.can(Step.WITHDRAW, activity),
        "can_cancel": writes and review.can(Step.CANCEL, activity),
        "can_restore": writes and review.can(Step.RESTORE, activity),
        "can_approve": decides and review.can(Step.APPROVE, activity),
        "can_return": decides and review.can(Step.RETURN, activity),
        "can_unapprove": decides and review.can(Step.UNAPPROVE, activity),
        "just_approved": request.GET.get("vua-duyet") == str(pk),
        "can_log": access.LOG.held_by(user),
    }
    return render(request, "activities/activity_detail.html", context)


def _reviewer(activity):
    """Who decides about a record that waits, in words: the secretary of the superior, or a second one of the unit."""
    place = Placement.objects.current().filter(unit=activity.unit_id).select_related("parent").first()
    units = [place.parent] if place and place.parent else []
    if place and place.level in access.REVIEWS_ITSELF:
        units.append(activity.unit)
    return " hoặc ".join(f"bí thư {unit}" for unit in units) or "cấp trên"
