"""Steps in a record's life, one POST each, and the queue of what waits for a decision."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Sum
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from activities import review, warnings
from activities.form_views import ASK, written_by
from activities.forms import ReasonForm
from activities.models import COMMENTED, Activity, Figure, Status
from activities.rules import Rules, entry_of
from activities.tables import ReviewTable
from targets.models import Nature
from unionwork.policy import policy
from unionwork.tables import paginate
from units import access

RETURN_REASONS = list(COMMENTED)
UNAPPROVE_REASONS = ["Duyệt nhầm", "Cần kiểm tra lại số liệu", "Trùng với hoạt động khác"]
CANCEL_REASONS = ["Ghi trùng", "Ghi nhầm đơn vị", "Hoạt động không diễn ra"]
MOST_AT_ONCE = 100


@policy(access.LOG, relation="subtree", methods="POST")
def activity_submit(request, pk):
    activity = written_by(request.user, pk)
    rules = Rules()
    try:
        with transaction.atomic():
            review.submit(activity=activity, actor=request.user)
            warnings.answer(entry=entry_of(activity, rules), rules=rules)
    except warnings.Unanswered:
        messages.warning(request, "Chưa gửi: kiểm tra lại trước khi gửi.")
        return redirect(f"{reverse('activity_edit', args=[pk])}?{ASK}=1")
    except review.WrongState as refused:
        _say(request, refused)
    except ValidationError as incomplete:
        _say(request, incomplete)
        return redirect("activity_edit", pk=pk)
    else:
        messages.success(request, f"Đã gửi {activity.code}. Số liệu được tính vào chỉ tiêu ngay khi cấp trên duyệt.")
    return redirect("activity_detail", pk=pk)


@policy(access.LOG, relation="subtree", methods="POST")
def activity_withdraw(request, pk):
    activity = written_by(request.user, pk)
    return take(request, activity, review.withdraw, f"Đã rút {activity.code} về bản nháp.")


@policy(access.LOG, relation="subtree", methods="POST")
def activity_restore(request, pk):
    activity = written_by(request.user, pk)
    return take(request, activity, review.restore, f"Đã khôi phục {activity.code} thành bản nháp.")


@policy(access.LOG, relation="subtree", methods="GET POST")
def activity_cancel(request, pk):
    activity = written_by(request.user, pk)
    words = {
        "heading": f"Huỷ: {activity.title}",
        "explains": "Hoạt động đã huỷ không được tính ở đâu nữa nhưng vẫn xem lại và khôi phục được.",
        "button": "Huỷ hoạt động",
        "is_danger": True,
    }
    return with_reason(request, activity, review.cancel, CANCEL_REASONS, words, f"Đã huỷ {activity.code}.")


@policy(access.REVIEW, relation="superior", methods="POST")
def activity_approve(request, pk):
    """Approve the version the reviewer read (`version`); a record changed since then is refused in words."""
    activity = get_object_or_404(Activity.objects.visible_to(request.user), pk=pk)
    version = request.POST.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None
    try:
        review.approve(activity=activity, actor=request.user, seen=seen)
    except ValidationError as refused:
        _say(request, refused)
        return redirect(_back(request, pk))
    messages.success(request, f"Đã duyệt {activity.code}: {activity.title}. Số liệu đã được tính.")
    return redirect(_back(request, pk, approved=pk))


@policy(access.REVIEW, relation="superior", methods="GET POST")
def activity_return(request, pk):
    activity = _decided_by(request.user, pk)
    words = {
        "heading": f"Trả lại: {activity.title}",
        "explains": f"“{activity.unit}” sẽ thấy lý do này và sửa rồi gửi lại.",
        "button": "Trả lại",
    }
    done = f"Đã trả lại {activity.code} cho {activity.unit}."
    return with_reason(request, activity, review.return_to_author, RETURN_REASONS, words, done)


@policy(access.REVIEW, relation="superior", methods="GET POST")
def activity_unapprove(request, pk):
    activity = _decided_by(request.user, pk)
    words = {
        "heading": f"Bỏ duyệt: {activity.title}",
        "explains": "Số liệu rời khỏi mọi tổng ngay và hoạt động trở lại chờ duyệt.",
        "button": "Bỏ duyệt",
    }
    done = f"Đã bỏ duyệt {activity.code}; hoạt động trở lại chờ duyệt và không còn được tính."
    return with_reason(request, activity, review.unapprove, UNAPPROVE_REASONS, words, done)


@policy(access.REVIEW, relation="superior", methods="GET POST")
def review_queue(request):
    """GET: what waits, oldest first. POST: say what the ticked ones will count; POST again with `xac-nhan`: approve."""
    if request.method == "POST":
        seen = _ticked(request)
        if not seen:
            messages.error(request, "Chọn ít nhất một hoạt động để duyệt.")
            return redirect("review_queue")
        return _approve_ticked(request, seen) if "xac-nhan" in request.POST else _confirm(request, seen)
    waiting = Activity.objects.reviewable_by(request.user).order_by("submitted_at", "pk")
    table = paginate(request, ReviewTable(waiting.for_list()))
    context = {"table": table, "count": table.paginator.count, "just_approved": _just_approved(request)}
    return render(request, "activities/review_queue.html", context)


def _just_approved(request):
    """The record whose approval the reader may take back at once, if any."""
    pk = request.GET.get("vua-duyet", "")
    decided = Activity.objects.decidable_by(request.user).filter(status=Status.APPROVED, year__is_open=True)
    return decided.filter(pk=int(pk)).first() if _is_pk(pk) else None


def _confirm(request, seen):
    """What approving the ticked ones would count: units, and the sum of each figure."""
    waiting = Activity.objects.reviewable_by(request.user).filter(pk__in=seen)
    rows = list(waiting.select_related("unit").order_by("submitted_at", "pk"))
    sums = (
        Figure.objects.filter(activity__in=[row.pk for row in rows])
        .order_by("indicator__position", "indicator_id")
        .values("indicator__name", "indicator__unit_of_measure", "indicator__decimals", "indicator__nature")
        .annotate(sum=Sum("value"))
    )
    context = {
        "rows": rows,
        "ticked": [f"{row.pk}:{seen[row.pk]}" for row in rows],
        "units": len({row.unit_id for row in rows}),
        "flows": [row for row in sums if row["indicator__nature"] == Nature.FLOW],
        "levels": [row for row in sums if row["indicator__nature"] == Nature.STOCK],
        "gone": len(seen) - len(rows),
    }
    return render(request, "activities/review_confirm.html", context)


def _approve_ticked(request, seen):
    codes = {row.pk: f"{row.code} {row.title}" for row in Activity.objects.visible_to(request.user).filter(pk__in=seen)}
    outcome = review.approve_many(ids=list(codes), actor=request.user, seen=seen)
    if outcome.approved:
        messages.success(request, f"Đã duyệt {len(outcome.approved)} hoạt động. Số liệu đã được tính.")
    for pk, why in outcome.refused:
        messages.warning(request, f"Chưa duyệt {codes[pk]}: {why}")
    if len(seen) > len(codes):
        messages.warning(request, f"{len(seen) - len(codes)} hoạt động đã chọn không tìm thấy.")
    return redirect("review_queue")


def _ticked(request):
    """{id: version read} of the ticked rows ("12:3"); what is not of that form is left out."""
    pairs = (text.partition(":") for text in request.POST.getlist("chon")[:MOST_AT_ONCE])
    return {int(pk): int(version) for pk, _, version in pairs if _is_pk(pk) and _is_pk(version)}


def _is_pk(text):
    return text.isascii() and text.isdigit() and len(text) < 16


def _decided_by(user, pk):
    """A record this user may decide. 404 outside the scope, 403 inside it (own records, or below own unit's level)."""
    found = Activity.objects.visible_to(user).select_related("unit", "year")
    activity = get_object_or_404(found, pk=pk)
    if not Activity.objects.decidable_by(user).filter(pk=pk).exists():
        raise PermissionDenied
    return activity


def take(request, activity, verb, done):
    """Take the step, say what came of it, and go back to where the reader came from."""
    try:
        verb(activity=activity, actor=request.user)
    except ValidationError as refused:
        _say(request, refused)
    else:
        messages.success(request, done)
    return redirect(_back(request, activity.pk))


def with_reason(request, activity, verb, presets, words, done):
    """A small page that asks why; POST takes the step."""
    form = ReasonForm(request.POST if request.method == "POST" else None, presets=presets)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                verb(activity=activity, actor=request.user, reason=form.cleaned_data["why"])
            except review.WrongState as refused:
                _say(request, refused)
                return redirect(_back(request, activity.pk))
            except ValidationError as refused:
                form.add_error("reason", refused.messages)
            else:
                messages.success(request, done)
                return redirect(_back(request, activity.pk))
    context = words | {
        "activity": activity,
        "form": form,
        "next": request.POST.get("tiep", request.GET.get("tiep", "")),
    }
    return render(request, "activities/reason.html", context, status=status)


def _back(request, pk, **approved):
    """Where the reader came from (`tiep`, only within this site), else the record."""
    address = request.POST.get("tiep", "")
    if not url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        address = reverse("activity_detail", kwargs={"pk": pk})
    if approved:
        address += ("&" if "?" in address else "?") + urlencode({"vua-duyet": pk})
    return address


def _say(request, refused):
    for message in refused.messages:
        messages.error(request, message)
