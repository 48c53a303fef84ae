"""Reading one record with its history."""

from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, render

from activities import histories, locks, review
from activities.joint import hosting
from activities.locking import unlocking
from activities.models import EDITABLE, Activity, RecordNature, Status, Step
from activities.reviewing import decided
from activities.reviewing.deciding_views import beside
from activities.reviewing.queue import AFTER
from activities.writing import evidence
from unionwork.policy import policy
from units import access
from units.models import Placement, Unit


@policy(access.VIEW, relation="subtree")
def activity_detail(request, pk):
    user = request.user
    activity = _sought(user, pk)
    writes, decides = activity.may_write, activity.may_decide and access.REVIEW.held_by(user)
    hosts = list(activity.hosts.for_record(user))
    standing = locks.of_record(activity, hosts)
    edits, judges = writes and not standing.lock, decides and not standing.lock
    here = [activity.unit, *(host.unit for host in hosts)]
    aside = beside(activity, user, decides=judges, here=here)
    context = {
        "activity": activity,
        "standing": standing,
        "unlock_urls": unlocking.of_record(activity, hosts, standing, user) if standing.lock else [],
        "evidence": evidence.of_record(activity, user=user, compared=decides),
        "shows_warnings": activity.is_led_here,
        "figures": activity.figures.select_related("indicator"),
        "hosts": hosts,
        "takes_answers": hosting.can_answer(activity) and not standing.lock,
        "events": histories.told(activity.events.select_related("actor"), user, here),
        "edit_place": activity.edit_place,
        "address": request.build_absolute_uri(request.path),
        "reviewer": _reviewer(activity) if activity.status == Status.PENDING else "",
        "is_draft": activity.status in (Status.DRAFT, Status.RETURNED),
        "is_waiting": activity.status == Status.PENDING,
        "is_returned": activity.status == Status.RETURNED,
        "is_cancelled": activity.status == Status.CANCELLED,
        "can_repeat": writes and activity.kind.nature == RecordNature.FLOW,
        "can_edit": edits and activity.status in EDITABLE and not aside["correction"],
        "can_submit": edits and review.can(Step.SUBMIT, activity),
        "can_withdraw": edits and review.can(Step.WITHDRAW, activity),
        "can_cancel": edits and review.can(Step.CANCEL, activity),
        "can_restore": edits and review.can(Step.RESTORE, activity),
        "can_approve": judges and review.can(Step.APPROVE, activity),
        "can_return": judges and review.can(Step.RETURN, activity),
        "can_unapprove": judges and review.can(Step.UNAPPROVE, activity),
        **aside,
        "just_decided": decided.of(user, [pk]) if request.GET.get(AFTER) == str(pk) else [],
        "can_log": access.LOG.held_by(user),
    }
    return render(request, "activities/activity_detail.html", context)


def _sought(user, pk):
    """The record, with what this user may do. `is_led_here`: whether its lead is in the user's scope, not a co-host
    alone; what names other units than the hosts is for those."""
    rights = {
        "may_write": Activity.objects.editable_by(user).filter(pk=OuterRef("pk")),
        "may_decide": Activity.objects.decidable_by(user).filter(pk=OuterRef("pk")),
        "is_led_here": Unit.objects.visible_to(user).filter(pk=OuterRef("unit")),
    }
    found = Activity.objects.visible_to(user).annotate(**{name: Exists(rows) for name, rows in rights.items()})
    found = found.select_related("unit", "kind", "year", "author", "approver", "milestone__target")
    return get_object_or_404(found, pk=pk)


def _reviewer(activity):
    """Who decides about a record that waits, in words: the secretary of the superior, or a second one of the unit."""
    if not activity.is_led_here:
        return f"cấp trên của {activity.unit}"
    place = Placement.objects.current().filter(unit=activity.unit_id).select_related("parent").first()
    units = [place.parent] if place and place.parent else []
    if place and place.level in access.REVIEWS_ITSELF:
        units.append(activity.unit)
    return " hoặc ".join(f"bí thư {unit}" for unit in units) or "cấp trên"
