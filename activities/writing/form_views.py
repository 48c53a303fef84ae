"""Writing a record down and changing it: one page for each kind of record, working without JavaScript."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from activities import locks, recording, review
from activities.models import EDITABLE, Activity, RecordNature, Status, Step
from activities.rules import Rules
from activities.writing import corrections, drafts, evidence, evidence_views, warnings
from activities.writing.declaration_form import DeclarationForm
from activities.writing.draft_views import onward, opened_draft, sent_twice
from activities.writing.forms import ActivityForm, MilestoneForm
from activities.writing.repeating import started_from
from unionwork.parameters import uuid_of, whole_number
from unionwork.policy import policy
from units import access, journal
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
    lock = locks.of_record(activity).lock
    if lock or activity.status not in EDITABLE:
        wrong = f"Không sửa được hoạt động ở trạng thái “{activity.get_status_display()}”."
        messages.error(request, lock or wrong)
        return onward(request, "activity_detail", pk=pk)
    if request.method == "GET" and corrections.is_kept(activity) and (waits := corrections.waiting(activity)):
        messages.info(request, f"Đã có một bản sửa của {waits.author} chờ duyệt: rút hoặc duyệt bản đó trước.")
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
        number = whole_number(request.GET[REPEAT])
        if number is None:
            raise Http404
        return started_from(written_by(request.user, number))
    code = request.GET.get("don-vi", "")
    unit = Unit.objects.reached(request.user, access.LOG).filter(code=code).first() if code else None
    return {"kind": request.GET.get("loai", "")} | ({"unit": unit} if unit else {})


def record_page(request, make, activity, context):
    """The page of a form built by `make`: shown, saved (then the record), or shown again with what is wrong.

    200: the form's small buttons (choose kind, search, add a figure); 409: changed meanwhile, or sent before with
    other content; 422: errors.
    """
    is_new, saved_status = activity.pk is None, activity.status
    is_kept = not is_new and corrections.is_kept(activity)
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
            done = form.is_valid() and not refused_files and _save(request, form, activity, is_kept)
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
        "is_kept": is_kept,
        "was_approved": saved_status == Status.APPROVED,
        "is_sent": saved_status in (Status.PENDING, Status.APPROVED),
        "return_reason": activity.return_reason if saved_status == Status.RETURNED else "",
        "stored": stored,
        "draft": draft,
        "is_filled": form.source is not None,
        "replaced_key": uuid_of(request.POST.get("thay-khoa")),
        "evidence": evidence_views.listed(request.user, form, None if is_new else activity),
        "refused_files": refused_files,
        "errors": [{"id": "tep", "message": message} for message in refused_files],
        "version": stored["version"] if stored else form["version"].value(),
    }
    return render(request, TEMPLATES[form.nature], context, status=status)


def _save(request, form, activity, is_kept):
    """The saved record, or None with the reasons on the form. Everything in one transaction, or nothing.

    `is_kept`: the record counts as it is; what was typed becomes a correction that waits beside it.
    """
    write = _propose if is_kept else _write
    try:
        with transaction.atomic():
            with journal.kept() as notes:  # several verbs: the ends of the journal are locked after the last of them
                saved, say, words = write(request, form, form.entry(activity))
                drafts.drop(user=request.user, key=form.cleaned_data["form_key"])
            journal.write(notes)
    except recording.Stale:
        form.is_stale = True
        return None
    except warnings.Unanswered as unanswered:
        form.ask(unanswered)
        return None
    except ValidationError as refused:
        form.take(refused)
        return None
    say(request, words)
    return saved


def _write(request, form, entry):
    """(the record written and, with “Gửi duyệt”, sent; how to say it, in words)."""
    activity, is_new, was_saved = entry.activity, entry.activity.pk is None, False
    if is_new:
        saved = recording.create(entry=entry, actor=request.user)
        was_saved = saved is not activity
        if old_key := uuid_of(request.POST.get("thay-khoa")):
            drafts.carry_over(user=request.user, old_key=old_key, form_key=form.cleaned_data["form_key"])
        if not was_saved:
            evidence.claim(activity=saved, actor=request.user)
    else:
        saved = recording.edit(entry=entry, actor=request.user, **_said(form))
    if request.POST["luu"] == SEND and _is_unsent(saved, was_saved):
        review.submit(activity=saved, actor=request.user)
        saved.status, was_saved = Status.PENDING, False
    if saved.status == Status.PENDING and not was_saved:  # sent now, or changed while it waits
        entry.activity = saved
        warnings.answer(entry=entry, rules=form.rules, **form.answer)
    if was_saved:
        return saved, messages.info, f"Đã lưu trước đó với mã {saved.code}; không ghi thêm lần nữa."
    if saved.status == Status.PENDING:
        sent = f"Đã gửi {saved.code}. Số liệu được tính vào chỉ tiêu ngay khi cấp trên duyệt."
        return saved, messages.success, sent
    if saved.status == Status.APPROVED:
        return saved, messages.info, f"{saved.code} vẫn như cũ: không có gì thay đổi."
    return saved, messages.success, f"Đã lưu nháp {saved.code}. Bấm “Gửi duyệt” khi ghi xong."


def _propose(request, form, entry):
    """(the record, which stays as it is; how to say it, in words)."""
    code = entry.activity.code
    if corrections.propose(entry=entry, actor=request.user, **_said(form)) is None:
        return entry.activity, messages.info, f"{code} vẫn như cũ: không có gì thay đổi."
    sent = f"Đã gửi bản sửa của {code}. Số cũ vẫn được tính cho tới khi bản sửa được duyệt."
    return entry.activity, messages.success, sent


def _said(form):
    """What the form says about a change beside its content."""
    return {"version": form.cleaned_data["version"] or 0, "reason": form.cleaned_data.get("change_reason", "")}


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
