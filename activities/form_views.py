"""Writing a record down and changing it: one page for each kind of record, working without JavaScript."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from activities import recording, review
from activities.forms import ActivityForm, DeclarationForm, MilestoneForm
from activities.models import EDITABLE, Activity, RecordNature, Status
from activities.rules import Rules
from unionwork.policy import policy
from units import access
from units.models import Unit

SEND, KEEP = "gui", "nhap"
TEMPLATES = {
    RecordNature.FLOW: "activities/activity_form.html",
    RecordNature.STOCK: "activities/declaration_form.html",
    RecordNature.MILESTONE: "activities/milestone_form.html",
}


@policy(access.LOG, relation="subtree", methods="GET POST")
def activity_create(request):
    rules = Rules()

    def make(**how):
        return ActivityForm(user=request.user, rules=rules, opened=opened(request), **how)

    return record_page(request, make, Activity(), {"heading": "Ghi hoạt động"})


@policy(access.LOG, relation="subtree", methods="GET POST")
def activity_edit(request, pk):
    activity = written_by(request.user, pk)
    if activity.status not in EDITABLE or not activity.year.is_open:
        messages.error(request, f"Không sửa được hoạt động ở trạng thái “{activity.get_status_display()}”.")
        return redirect("activity_detail", pk=pk)
    rules = Rules()
    classes = {RecordNature.STOCK: DeclarationForm, RecordNature.MILESTONE: MilestoneForm}
    form_class = classes.get(activity.kind.nature, ActivityForm)
    fixed = {"measure": activity.milestone} if form_class is MilestoneForm else {}

    def make(**how):
        return form_class(user=request.user, rules=rules, activity=activity, **fixed, **how)

    return record_page(request, make, activity, {"heading": f"Sửa: {activity.title}"})


@policy(access.LOG, relation="subtree")
def activity_figures(request):
    """The figure block of the kind now chosen, with what was typed for the same indicators."""
    form = ActivityForm(user=request.user, rules=Rules(), typed=request.GET)
    address = request.htmx.current_url_abs_path or reverse("activity_create")
    return render(request, "activities/_figures.html", {"form": form, "form_url": address})


def written_by(user, pk):
    """A record the user may write. 404 outside the scope, 403 inside it without the right."""
    activity = get_object_or_404(Activity.objects.visible_to(user).select_related("kind", "year", "unit"), pk=pk)
    if not Activity.objects.editable_by(user).filter(pk=pk).exists():
        raise PermissionDenied
    return activity


def opened(request):
    """What the address says a new form starts with: the unit, when the user may write for it, and the kind."""
    code = request.GET.get("don-vi", "").replace("\0", "")
    unit = Unit.objects.reached(request.user, access.LOG).filter(code=code).first() if code else None
    return {"kind": request.GET.get("loai", "")} | ({"unit": unit} if unit else {})


def record_page(request, make, activity, context):
    """The page of a form built by `make`: shown, saved (then the record), or shown again with what is wrong.

    200: the form's small buttons (choose kind, search, add a figure); 409: changed meanwhile; 422: errors.
    """
    is_new, saved_status = activity.pk is None, activity.status
    status, stored = 200, None
    if request.method == "GET":
        form = make()
    elif request.POST.get("luu") not in (SEND, KEEP):
        form = make(typed=request.POST)
    else:
        form = make(data=request.POST)
        done = form.is_valid() and _save(request, form, activity)
        if done:
            return redirect("activity_detail", pk=done.pk)
        status = 422
        if form.is_stale:
            status, stored = 409, _stored(form, activity)
    context |= form.layout() | {
        "form": form,
        "form_url": request.path,
        "record_pk": None if is_new else activity.pk,
        "is_new": is_new,
        "was_approved": saved_status == Status.APPROVED,
        "is_sent": saved_status in (Status.PENDING, Status.APPROVED),
        "return_reason": activity.return_reason if saved_status == Status.RETURNED else "",
        "stored": stored,
        "version": stored["version"] if stored else form["version"].value(),
    }
    return render(request, TEMPLATES[form.nature], context, status=status)


def _save(request, form, activity):
    """The saved record, or None with the reasons on the form. Written and sent in one transaction, or neither."""
    is_new = activity.pk is None
    try:
        with transaction.atomic():
            entry = form.entry(activity)
            if is_new:
                saved = recording.create(entry=entry, actor=request.user)
                if saved is not activity:
                    messages.info(request, f"Đã lưu trước đó với mã {saved.code}; không ghi thêm lần nữa.")
                    return saved
            else:
                version = form.cleaned_data["version"] or 0
                saved = recording.edit(entry=entry, actor=request.user, version=version)
            if request.POST["luu"] == SEND and saved.status in (Status.DRAFT, Status.RETURNED):
                review.submit(activity=saved, actor=request.user)
                saved.status = Status.PENDING
    except recording.Stale:
        form.is_stale = True
        return None
    except ValidationError as refused:
        form.take(refused)
        return None
    if saved.status == Status.PENDING:
        messages.success(request, f"Đã gửi {saved.code}. Số liệu được tính vào chỉ tiêu ngay khi cấp trên duyệt.")
    else:
        messages.success(request, f"Đã lưu nháp {saved.code}. Bấm “Gửi duyệt” khi ghi xong.")
    return saved


def _stored(form, activity):
    """What is stored now beside what was typed, for somebody whose form went stale."""
    now = Activity.objects.get(pk=activity.pk)
    last = now.events.select_related("actor").last()
    return {
        "version": now.version,
        "status": now.status,
        "status_label": now.get_status_display(),
        "differences": recording.differences(now, form.entry(activity), form.rules),
        "actor": last.actor,
        "at": last.at,
    }
