"""Steps in a record's life, one POST each, and the queue of what waits for a decision."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from activities import locks, review
from activities.models import COUNTED, Activity, Status
from activities.reasons import ReasonForm
from activities.refused import keep_refused, refused_before
from activities.reviewing import decided, merging
from activities.reviewing.deciding_views import RETURN_REASONS, back, decided_by, say, take
from activities.reviewing.queue import AFTER, CHOSEN, MOST_AT_ONCE, Queue, sums_of
from activities.rules import Rules
from activities.writing import evidence, sending, warnings
from activities.writing.form_views import ASK, written_by
from unionwork.parameters import numbered_pairs, whole_number
from unionwork.policy import policy
from units import access

NOT_FOUND = "Không tìm thấy hoạt động này trong danh sách chờ bạn duyệt."


@policy(access.LOG, relation="subtree", methods="POST")
def activity_submit(request, pk):
    activity = written_by(request.user, pk)
    try:
        sending.send(activity=activity, actor=request.user, rules=Rules())
    except warnings.Unanswered:
        messages.warning(request, "Chưa gửi: kiểm tra lại trước khi gửi.")
        return redirect(f"{reverse('activity_edit', args=[pk])}?{ASK}=1")
    except review.WrongState as refused:
        say(request, refused)
    except ValidationError as incomplete:
        say(request, incomplete)
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


@policy(access.REVIEW, relation="superior", methods="POST")
def activity_approve(request, pk):
    """Approve the version the reviewer read (`version`); a record changed since then is refused in words.

    From the queue (`hang`: its address) the next record follows.
    """
    activity = decided_by(request.user, pk)
    seen = whole_number(request.POST.get("version", "")) or 0  # which no record has: nothing is approved unseen
    from_queue = "hang" in request.POST
    try:
        review.approve(activity=activity, actor=request.user, seen=seen)
    except ValidationError as refused:
        if not _say_who_did(request, pk):
            say(request, refused)
        return _queue_again(request, chosen=pk, after=activity) if from_queue else redirect(back(request, pk))
    if from_queue:
        return _queue_again(request, after=activity, done=[pk])
    return redirect(f"{reverse('activity_detail', args=[pk])}?{AFTER}={pk}")


def _say_who_did(request, pk):
    """Somebody else, or the same button pressed twice, was quicker: no error, and who it was."""
    activity = Activity.objects.get(pk=pk)
    if activity.status not in COUNTED:
        return False
    messages.info(request, f"{activity.code} đã được duyệt rồi: {decided.last_step(pk)}. Số liệu chỉ tính một lần.")
    return True


# --- The queue ---


@policy(access.REVIEW, relation="superior", methods="GET POST")
def review_queue(request):
    """GET: what waits, oldest first, and one of it beside the list. POST: say what deciding the ticked ones will do
    (`viec`: return them, else approve); POST again with `xac-nhan`: do it."""
    if request.method != "POST":
        return render(request, "activities/review_queue.html", _queue_context(request, request.GET))
    seen = _ticked(request)
    if not seen:
        messages.error(request, "Chọn ít nhất một hoạt động trong danh sách.")
        return redirect(_address(_kept(request).place))
    if request.POST.get("viec") == "tra-lai":
        return _return_ticked(request, seen)
    return _approve_ticked(request, seen) if "xac-nhan" in request.POST else _confirm(request, seen)


@policy(access.REVIEW, relation="superior")
def review_item(request, pk):
    """One record as the queue shows it beside its list: the piece that htmx asks for, else the page with it."""
    decided_by(request.user, pk)
    if not request.htmx:
        return redirect(_address(request.GET.urlencode(), {CHOSEN: pk}))
    queue = Queue(request.user, request.GET)
    item = queue.item(pk)
    known = decided.named(request.user, merging.doubles_of(item) if item else {pk})
    shown = _shown(request.user, queue, item, known) if item else {"gone": _gone(known.get(pk))}
    return render(request, "activities/_review_item.html", {"queue": queue} | shown)


@policy(access.REVIEW, relation="superior", methods="POST")
def review_undo(request):
    """Take the reader's own decisions back (`chon`: id and version of each). `tiep`: the page to go back to."""
    pairs = _ticked(request)
    known = Activity.objects.visible_to(request.user).in_bulk(pairs)
    outcome = review.undo(decided={pk: pairs[pk] for pk in known}, actor=request.user)
    if outcome.done:
        what = known[outcome.done[0]].code if len(outcome.done) == 1 else f"{len(outcome.done)} hoạt động"
        messages.success(request, f"Đã hoàn tác: {what} lại chờ bạn duyệt.")
    if outcome.corrected:
        messages.warning(request, "Số liệu bạn đã sửa khi duyệt được giữ nguyên như bạn sửa.")
    for pk, why in outcome.refused:
        messages.warning(request, f"{known[pk].code} {known[pk].title}: {why}")
    if not known:
        messages.warning(request, "Không tìm thấy quyết định để hoàn tác.")
    if request.POST.get("tiep") and pairs:
        return redirect(back(request, min(pairs)))
    return _queue_again(request, chosen=min(outcome.done, default=None))


@policy(access.REVIEW, relation="superior")
def review_recent(request):
    """The reader's latest decisions that can still be undone."""
    return render(request, "activities/review_recent.html", {"rows": decided.recent(request.user)})


def _queue_context(request, params):
    """What the queue shows, on its page and in the piece that replaces it after a decision.

    What it names beside its rows (decided just now, not decided, suspected doubles, gone) is read in one statement.
    """
    user, queue = request.user, Queue(request.user, params)
    asked, done = params.get(CHOSEN, ""), [whole_number(text) for text in params.get(AFTER, "").split(".")]
    done = [pk for pk in done if pk is not None][:MOST_AT_ONCE]
    wanted = whole_number(asked)
    page, item = queue.page(wanted=wanted, after=done[0] if not asked and len(done) == 1 else None)
    is_gone = bool(asked) and not item
    is_open = bool(item) or is_gone
    item = item or next(iter(page.object_list), None)
    refused = refused_before(request, params)
    ids = {*done, *(pk for pk, _ in refused)}
    ids |= ({wanted} - {None}) if is_gone else merging.doubles_of(item) if item else set()
    known = decided.named(user, ids)
    request.waiting = queue.everything  # the frame need not count again
    return {
        "queue": queue,
        "page": page,
        "form": queue.form,
        "is_open": is_open,
        "just_decided": decided.among(user, [known[pk] for pk in sorted(set(done)) if pk in known]),
        "refused": [(known[pk], why) for pk, why in refused if pk in known],
        "gone": _gone(known.get(wanted)) if is_gone else "",
        **(_shown(user, queue, item, known) if item and not is_gone else {}),
    }


def _shown(user, queue, item, known):
    """What is shown of one record beside the list. `known`: the records it may be a double of, among others."""
    return {
        "item": item,
        "evidence": evidence.of_record(item, user=user, compared=True),
        "suspected": merging.suspected_among(known, item),
        "back_address": _address(queue.place, {AFTER: item.pk}),
    }


def _gone(activity):
    """Why a record that the address names (None: out of sight, or none at all) is not in the list."""
    if activity is None:
        return NOT_FOUND
    if activity.status == Status.PENDING:
        return f"{activity.code} không nằm trong danh sách đang xem."
    said = decided.last_step(activity.pk)
    return f"{activity.code} không còn chờ duyệt{': ' if said else ''}{said}."


def _queue_again(request, *, chosen=None, after=None, done=()):
    """The queue after a decision: at the record `chosen` while it waits, else at what follows the record `after`."""
    queue = _kept(request)
    item = queue.waiting.filter(pk=chosen).first() if chosen else None
    item = item or (queue.next_after(after) if after else None)
    address = _address(queue.place, _named(done) | ({CHOSEN: item.pk} if item else {}))
    if not request.htmx:
        return redirect(address)
    context = _queue_context(request, QueryDict(urlsplit(address).query)) | {"is_piece": True}
    response = render(request, "activities/_review_answer.html", context)
    response.headers["HX-Replace-Url"] = address
    return response


def _kept(request):
    """The queue from which a form was sent."""
    return Queue(request.user, QueryDict(request.POST.get("hang", "")[:2000]))


def _named(done):
    return {AFTER: ".".join(str(pk) for pk in done)} if done else {}


def _address(query, more=()):
    query = "&".join(part for part in (query, urlencode(more)) if part)
    return reverse("review_queue") + (f"?{query}" if query else "")


# --- Many at once ---


def _confirm(request, seen, form=None):
    """What deciding the ticked ones would do: how many of how many units, and what they add. Those whose period is
    locked are left out. `form`: why to return."""
    rows = list(Activity.objects.reviewable_by(request.user).filter(pk__in=seen).select_related("unit").order_by("pk"))
    gone, locked = len(seen) - len(rows), _locked(rows)
    rows = [row for row in rows if row not in dict(locked)]
    sums, flows, levels = sums_of([row.pk for row in rows]) if form is None else ((), (), ())
    context = {
        "queue": _kept(request),
        "rows": rows,
        "ticked": [f"{row.pk}:{seen[row.pk]}" for row in rows],
        "units": len({row.unit_id for row in rows}),
        "verb": "Duyệt" if form is None else "Trả lại",
        "sums": sums,
        "flows": flows,
        "levels": levels,
        "gone": gone,
        "locked": locked,
        "form": form,
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "activities/review_confirm.html", context, status=status)


def _locked(rows):
    """[(record, why)] of those whose period is locked."""
    records = locks.read([row.pk for row in rows])
    standings = locks.standings({pk: locks.spot(record) for pk, record in records.items()})
    return [(row, standings[row.pk].lock) for row in rows if standings[row.pk].lock]


def _approve_ticked(request, seen):
    known = _sighted(request, seen)
    outcome = review.approve_many(ids=known, actor=request.user, seen=seen)
    return _outcome(request, outcome.done, outcome.refused, missing=len(seen) - len(known))


def _return_ticked(request, seen):
    form = ReasonForm(request.POST if "xac-nhan" in request.POST else None, presets=RETURN_REASONS)
    if "xac-nhan" in request.POST and form.is_valid() and not form.cleaned_data["why"]:
        form.add_error("reason", "Ghi lý do để các đơn vị biết cần bổ sung gì.")
    if not form.is_valid():
        return _confirm(request, seen, form)
    known = {pk: seen[pk] for pk in _sighted(request, seen)}
    done, refused = decided.return_each(seen=known, actor=request.user, reason=form.cleaned_data["why"])
    return _outcome(request, done, refused, missing=len(seen) - len(known))


def _sighted(request, seen):
    """Ids among the ticked that the reader may see at all."""
    return list(Activity.objects.visible_to(request.user).filter(pk__in=seen).values_list("pk", flat=True))


def _outcome(request, done, refused, missing):
    """Back to the queue, which offers to undo what was done and says row by row what was not."""
    if missing:
        messages.warning(request, f"{missing} hoạt động đã chọn không tìm thấy.")
    return redirect(_address(_kept(request).place, _named(done) | keep_refused(request, refused)))


def _ticked(request):
    """{id: version read} of the ticked rows."""
    return numbered_pairs(request.POST.getlist("chon")[:MOST_AT_ONCE])
