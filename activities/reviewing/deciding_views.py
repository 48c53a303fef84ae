"""Small pages that ask before a step in a record's life is taken: return, correct and approve, un-approve, cancel."""

from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from activities import histories, review
from activities.models import COMMENTED, Activity, RecordNature, Status, Step
from activities.places import places_of
from activities.reasons import ReasonForm, reason_page
from activities.reviewing import correcting, decided, merging
from activities.reviewing.correction_form import CorrectionForm
from activities.reviewing.queue import AFTER, CHOSEN
from activities.rules import Rules
from activities.writing import corrections
from activities.writing.form_views import written_by
from unionwork.parameters import way_back, whole_number
from unionwork.policy import policy
from units import access

RETURN_REASONS = list(COMMENTED)
UNAPPROVE_REASONS = ["Duyệt nhầm", "Cần kiểm tra lại số liệu", "Trùng với hoạt động khác"]
CANCEL_REASONS = ["Ghi trùng", "Ghi nhầm đơn vị", "Hoạt động không diễn ra"]


@policy(access.LOG, relation="subtree", methods="GET POST")
def activity_cancel(request, pk):
    activity = written_by(request.user, pk)
    words = {
        "heading": f"Huỷ: {activity.title}",
        "explains": "Hoạt động đã huỷ không được tính ở đâu nữa nhưng vẫn xem lại và khôi phục được.",
        "button": "Huỷ hoạt động",
        "is_danger": True,
    }
    if is_too_late(request, Step.CANCEL, activity):
        return onward(request, pk)
    return with_reason(request, activity, review.cancel, CANCEL_REASONS, words, f"Đã huỷ {activity.code}.")


@policy(access.REVIEW, relation="superior", methods="GET POST")
def activity_return(request, pk):
    activity = decided_by(request.user, pk)
    words = {
        "heading": f"Trả lại: {activity.title}",
        "explains": f"“{activity.unit}” sẽ thấy lý do này và sửa rồi gửi lại.",
        "button": "Trả lại",
    }
    if is_too_late(request, Step.RETURN, activity):
        return onward(request, pk)
    done = f"Đã trả lại {activity.code} cho {activity.unit}."
    act = partial(review.return_to_author, seen=whole_number(request.POST.get("version", "")) or 0)
    places = places_of(activity, Rules())
    return with_reason(request, activity, act, RETURN_REASONS, words, done, places)


@policy(access.REVIEW, relation="superior", methods="GET POST")
def activity_correct(request, pk):
    """Sửa & duyệt: the figures typed, then before → after to be confirmed. 409: changed since the page was opened."""
    activity, rules = decided_by(request.user, pk), Rules()
    if is_too_late(request, Step.CORRECT, activity):
        return onward(request, pk)
    form = CorrectionForm(request.POST if request.method == "POST" else None, activity=activity, rules=rules)
    status, changes = 200, None
    if request.method == "POST" and "sua" not in request.POST:
        status = 422
        if form.is_valid():
            is_final = "xac-nhan" in request.POST
            act = correcting.correct_and_approve if is_final else correcting.preview
            try:
                changes = act(activity=activity, actor=request.user, **form.answer)
            except review.Changed as changed:
                form.add_error(None, changed.messages)
                status = 409
            except review.WrongState as refused:
                say(request, refused)
                return redirect(back(request, pk))
            except ValidationError as refused:
                form.take(refused)
            else:
                status = 200
                if is_final:
                    return _done(request, pk, f"Đã sửa và duyệt {activity.code}. Số liệu đã sửa đã được tính.")
    context = {
        "activity": activity,
        "form": form,
        "changes": changes,
        "version": activity.version,
        **ways(request, pk),
    }
    return render(request, "activities/correct.html", context, status=status)


@policy(access.REVIEW, relation="superior", methods="GET POST")
def activity_unapprove(request, pk):
    activity = decided_by(request.user, pk)
    words = {
        "heading": f"Bỏ duyệt: {activity.title}",
        "explains": "Số liệu rời khỏi mọi tổng ngay và hoạt động trở lại chờ duyệt.",
        "button": "Bỏ duyệt",
    }
    if is_too_late(request, Step.UNAPPROVE, activity):
        return onward(request, pk)
    done = f"Đã bỏ duyệt {activity.code}; hoạt động trở lại chờ duyệt và không còn được tính."
    return with_reason(request, activity, review.unapprove, UNAPPROVE_REASONS, words, done)


def decided_by(user, pk):
    """A record this user may decide. 404 outside the scope, 403 inside it (own records, or below own unit's level)."""
    found = Activity.objects.visible_to(user).select_related("unit", "year")
    activity = get_object_or_404(found, pk=pk)
    if not Activity.objects.decidable_by(user).filter(pk=pk).exists():
        raise PermissionDenied
    return activity


def is_too_late(request, step, activity):
    """Whether the page that asks before a step is opened, as by the back button, when the step can no longer be taken;
    says how the record came to that."""
    if request.method != "GET" or review.can(step, activity):
        return False
    said = decided.last_step(activity.pk)
    state = f"{activity.code} đang ở trạng thái “{activity.get_status_display()}”"
    messages.info(request, f"{state}: {said}." if said else f"{state}.")
    return True


def onward(request, pk):
    """Back to where the reader came from; the whole page also when only a piece of this one was asked for."""
    address = back(request, pk)
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def take(request, activity, verb, done):
    """Take the step, say what came of it, and go back to where the reader came from."""
    try:
        verb(activity=activity, actor=request.user)
    except ValidationError as refused:
        say(request, refused)
    else:
        messages.success(request, done)
    return redirect(back(request, activity.pk))


def with_reason(request, activity, verb, presets, words, done, places=None):
    """A small page that asks why, and what it is about among `places`; POST takes the step."""
    form = ReasonForm(request.POST if request.method == "POST" else None, presets=presets, places=places)

    def refused(error):
        say(request, error)
        return redirect(back(request, activity.pk))

    return reason_page(
        request,
        form,
        partial(verb, activity=activity, actor=request.user),
        template="activities/reason.html",
        context=words | {"activity": activity} | ways(request, activity.pk),
        refused=refused,
        done=lambda: _done(request, activity.pk, done),
    )


def back(request, pk):
    """Where the reader came from (`tiep`, only within this site), else the record."""
    return way_back(request) or reverse("activity_detail", kwargs={"pk": pk})


def ways(request, pk):
    """`next`: where taking the step leads; `leave`: there too, but nothing was decided."""
    address = back(request, pk)
    return {"next": address, "leave": address.replace(f"{AFTER}={pk}", f"{CHOSEN}={pk}")}


def _done(request, pk, words):
    """On to where the reader came from; the queue says by itself what was decided."""
    address = back(request, pk)
    if f"{AFTER}={pk}" not in address:
        messages.success(request, words)
    return redirect(address)


def say(request, refused):
    for message in refused.messages:
        messages.error(request, message)


def beside(activity, user, *, decides, here):
    """What the page of a record shows about its doubles and corrections, as far as this user may decide (`decides`).
    `here`: the record's units."""
    correction = corrections.waiting(activity) if activity.status == Status.APPROVED else None
    if correction:
        histories.told([correction], user, here)
    found = Activity.objects.visible_to(user)
    doubles = decided.named(user, merging.doubles_of(activity)) if decides else {}
    return {
        "correction": correction,
        "can_adopt": bool(correction) and decides and correction.author_id != user.pk,
        "can_recall_correction": bool(correction) and correction.author_id == user.pk,
        "can_correct": decides
        and review.can(Step.CORRECT, activity)
        and activity.kind.nature != RecordNature.MILESTONE,
        "suspected": merging.suspected_among(doubles, activity),
        "merged_into": found.filter(pk=activity.merged_into_id).first() if activity.merged_into_id else None,
        "can_unmerge": decides and bool(activity.merged_into_id),
    }
