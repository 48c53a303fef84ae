"""Writing a record down and changing it: one page for each kind of record, working without JavaScript."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from activities import drafts, evidence, evidence_views, recording, review, warnings
from activities.declaration_form import DeclarationForm
from activities.draft_views import onward, opened_draft, read_key, sent_twice
from activities.forms import ActivityForm, MilestoneForm
from activities.models import EDITABLE, Activity, RecordNature, Status, Step
from activities.repeating import started_from
from activities.rules import Rules
from unionwork.policy import policy
from units import access
from units.models import Unit

SEND, KEEP = "gui", "nhap"
REPEAT = "tu"  # in the address: the record to do again
ASK = "hoi"  # in the address: show what is doubtful about the saved record
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
        return onward(request, "activity_detail", pk=pk)
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
    only_feeds = request.htmx.target == "tinh-vao"  # a figure was typed: the boxes stay as they are
    template = "activities/_feeds_typed.html" if only_feeds else "activities/_kind_chosen.html"
    return render(request, template, {"form": form, "form_url": address})


def written_by(user, pk):
    """A record the user may write. 404 outside the scope, 403 inside it without the right."""
    activity = get_object_or_404(Activity.objects.visible_to(user).select_related("kind", "year", "unit"), pk=pk)
    if not Activity.objects.editable_by(user).filter(pk=pk).exists():
        raise PermissionDenied
    return activity


def opened(request):
    """What the address says a new form starts with: a record to do again, or the unit, when the user may write for it,
    and the kind. 404, 403: not a record the user may write."""
    if REPEAT in request.GET:
        number = request.GET[REPEAT]
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            raise Http404
        return started_from(written_by(request.user, int(number)))
    code = request.GET.get("don-vi", "").replace("\0", "")
    unit = Unit.objects.reached(request.user, access.LOG).filter(code=code).first() if code else None
    return {"kind": request.GET.get("loai", "")} | ({"unit": unit} if unit else {})


def record_page(request, make, activity, context):
    """The page of a form built by `make`: shown, saved (then the record), or shown again with what is wrong.

    200: the form's small buttons (choose kind, search, add a figure); 409: changed meanwhile, or sent before with
    other content; 422: errors.
    """
    is_new, saved_status = activity.pk is None, activity.status
    status, stored, draft, refused_files = 200, None, None, []
    if request.method == "GET":
        draft = opened_draft(request)
        if isinstance(draft, Activity):
            return redirect("activity_detail", pk=draft.pk)
        form = make(typed=drafts.fields_of(draft)) if draft else make()
        if activity.pk and ASK in request.GET:
            form.doubts = warnings.of_saved(activity, form.rules)
    elif request.POST.get("luu") not in (SEND, KEEP):
        form = make(typed=request.POST)
        refused_files = evidence_views.take(request)
    else:
        form = make(data=request.POST)
        refused_files = evidence_views.take(request)
        try:
            done = form.is_valid() and not refused_files and _save(request, form, activity)
        except recording.SentOtherwise as other:
            return sent_twice(request, form, other.already)
        if done:
            return onward(request, "activity_detail", pk=done.pk)
        status = 422
        if form.is_stale:
            status, stored = 409, _stored(form, activity)
    context |= form.layout() | {
        "form": form,
        "form_url": request.get_full_path(),
        "record_pk": None if is_new else activity.pk,
        "is_new": is_new,
        "was_approved": saved_status == Status.APPROVED,
        "is_sent": saved_status in (Status.PENDING, Status.APPROVED),
        "return_reason": activity.return_reason if saved_status == Status.RETURNED else "",
        "stored": stored,
        "draft": draft,
        "is_filled": form.source is not None,
        "replaced_key": read_key(request.POST.get("thay-khoa")),
        "evidence": evidence_views.listed(request.user, form, None if is_new else activity),
        "refused_files": refused_files,
        "errors": [{"id": "tep", "message": message} for message in refused_files],
        "version": stored["version"] if stored else form["version"].value(),
    }
    return render(request, TEMPLATES[form.nature], context, status=status)


def _save(request, form, activity):
    """The saved record, or None with the reasons on the form. Written and sent in one transaction, or neither."""
    is_new, was_saved = activity.pk is None, False
    form_key = form.cleaned_data["form_key"]
    try:
        with transaction.atomic():
            entry = form.entry(activity)
            if is_new:
                saved = recording.create(entry=entry, actor=request.user)
                was_saved = saved is not activity
                if old_key := read_key(request.POST.get("thay-khoa")):
                    drafts.carry_over(user=request.user, old_key=old_key, form_key=form_key)
                if not was_saved:
                    evidence.claim(activity=saved, actor=request.user)
            else:
                version = form.cleaned_data["version"] or 0
                saved = recording.edit(entry=entry, actor=request.user, version=version)
            if request.POST["luu"] == SEND and _is_unsent(saved, was_saved):
                review.submit(activity=saved, actor=request.user)
                saved.status, was_saved = Status.PENDING, False
            if request.POST["luu"] == SEND and not was_saved:
                entry.activity = saved
                warnings.answer(entry=entry, rules=form.rules, **form.answer)
            drafts.drop(user=request.user, key=form_key)
    except recording.Stale:
        form.is_stale = True
        return None
    except warnings.Unanswered as unanswered:
        form.ask(unanswered)
        return None
    except ValidationError as refused:
        form.take(refused)
        return None
    if was_saved:
        messages.info(request, f"Đã lưu trước đó với mã {saved.code}; không ghi thêm lần nữa.")
    elif saved.status == Status.PENDING:
        messages.success(request, f"Đã gửi {saved.code}. Số liệu được tính vào chỉ tiêu ngay khi cấp trên duyệt.")
    else:
        messages.success(request, f"Đã lưu nháp {saved.code}. Bấm “Gửi duyệt” khi ghi xong.")
    return saved


def _is_unsent(saved, was_saved):
    """Whether “Gửi duyệt” still has something to do. A form that comes once more does not undo what was done since:
    a record once sent is sent again from its own page."""
    if was_saved and saved.events.filter(step=Step.SUBMIT).exists():
        return False
    return saved.status in (Status.DRAFT, Status.RETURNED)


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
