"""Reading: the list of records behind every number, and one record with its history."""

from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode

from activities import review
from activities.filters import ActivityFilter
from activities.models import EDITABLE, Activity, Status, Step
from activities.tables import ActivityTable
from targets.years import chosen_year
from unionwork.policy import policy
from unionwork.tables import paginate
from units import access


@policy(access.VIEW, relation="subtree")
def activity_list(request):
    year = chosen_year(request)
    mine = Activity.objects.visible_to(request.user).filter(year=year)
    filters = ActivityFilter(request.GET, queryset=mine, user=request.user, year=year)
    found = filters.qs
    table = paginate(request, ActivityTable(found.for_list()))
    indicator = filters.form.cleaned_data.get("chi_so") if filters.form.is_valid() else None
    total = found.sum_of(filters.family) if indicator else None
    context = {
        "filters": filters,
        "form": filters.form,
        "table": table,
        "count": table.paginator.count,
        "is_capped": table.paginator.is_capped,
        "indicator": indicator,
        "total": total,
        "chips": filters.chips(),
        "clear_query": urlencode({"nam": year.pk}) if year else "",
        "clear_url": request.path + (f"?nam={year.pk}" if year else ""),
        "can_log": access.LOG.held_by(request.user),
    }
    return render(request, "activities/activity_list.html", context)


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
        "figures": activity.figures.select_related("indicator"),
        "hosts": [row.unit for row in activity.hosts.select_related("unit")],
        "events": activity.events.select_related("actor"),
        "is_draft": activity.status in (Status.DRAFT, Status.RETURNED),
        "is_waiting": activity.status == Status.PENDING,
        "is_returned": activity.status == Status.RETURNED,
        "is_cancelled": activity.status == Status.CANCELLED,
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
