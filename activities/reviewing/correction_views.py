"""Bản sửa của hoạt động đã duyệt: those that wait for this reviewer, and the answers to them."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render

from activities import histories
from activities.models import Activity, Correction, CorrectionState
from activities.reviewing.deciding_views import back, say, with_reason
from activities.writing import corrections
from unionwork.policy import policy
from units import access

PER_PAGE = 20
REFUSE_REASONS = ["Số cũ đúng", "Thiếu minh chứng cho số mới", "Chưa rõ vì sao sửa"]


@policy(access.REVIEW, relation="superior")
def correction_list(request):
    """What waits, the oldest first, each with before → after."""
    waiting = Correction.objects.reviewable_by(request.user).for_list()
    page = Paginator(waiting, PER_PAGE).get_page(request.GET.get("page"))
    here = [unit for row in page for unit in (row.activity.unit, *(host.unit for host in row.activity.hosts.all()))]
    histories.told(page, request.user, here)
    return render(request, "activities/correction_list.html", {"page": page, "count": page.paginator.count})


@policy(access.REVIEW, relation="superior", methods="POST")
def correction_adopt(request, pk):
    correction = _decided_by(request.user, pk)
    try:
        corrections.adopt(correction=correction, actor=request.user)
    except ValidationError as refused:
        say(request, refused)
    else:
        code = correction.activity.code
        messages.success(request, f"Đã nhận bản sửa của {code}: các tổng đã chuyển từ số cũ sang số mới.")
    return redirect(back(request, correction.activity_id))


@policy(access.REVIEW, relation="superior", methods="GET POST")
def correction_refuse(request, pk):
    correction = _decided_by(request.user, pk)
    activity = correction.activity
    if request.method == "GET" and correction.state != CorrectionState.PENDING:
        messages.info(request, f"Bản sửa của {activity.code} không còn chờ: {correction.get_state_display().lower()}.")
        return redirect("correction_list")
    words = {
        "heading": f"Không nhận bản sửa: {activity.title}",
        "explains": f"Số cũ vẫn được tính như bây giờ. {correction.author} sẽ thấy lý do này.",
        "button": "Không nhận",
    }

    def refuse(*, activity, actor, reason):
        corrections.refuse(correction=correction, actor=actor, reason=reason)

    return with_reason(request, activity, refuse, REFUSE_REASONS, words, f"Không nhận bản sửa của {activity.code}.")


@policy(access.LOG, relation="subtree", methods="POST")
def correction_withdraw(request, pk):
    """Its author takes it back."""
    correction = _visible(request.user, pk)
    if correction.author_id != request.user.pk:
        raise PermissionDenied
    try:
        corrections.withdraw(correction=correction, actor=request.user)
    except ValidationError as refused:
        say(request, refused)
    else:
        messages.success(request, f"Đã rút bản sửa của {correction.activity.code}; số đã duyệt giữ nguyên.")
    return redirect("activity_detail", pk=correction.activity_id)


def _visible(user, pk):
    found = Correction.objects.visible_to(user).select_related("activity__unit", "activity__year", "author")
    return get_object_or_404(found, pk=pk)


def _decided_by(user, pk):
    """404 outside the scope, 403 inside it for whoever may not decide about it (its author, above all)."""
    correction = _visible(user, pk)
    may = Activity.objects.decidable_by(user).filter(pk=correction.activity_id).exists()
    if not may or correction.author_id == user.pk:
        raise PermissionDenied
    return correction
