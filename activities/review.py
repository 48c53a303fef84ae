"""What happens to a record after it was written: submit, approve, return, take back, cancel.

Every verb is one transaction: the record is locked, its state changed by a conditional UPDATE, the step noted as
an `Event`, and the totals made right by `totals.counting`. Raises `WrongState` (a ValidationError in words) when
the record is no longer in a state the verb starts from, `PermissionDenied` when the person may not.
"""

from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Max, Q
from django.urls import reverse
from django.utils import timezone

from activities import events, lapsing, locks, totals
from activities.locks import WrongState
from activities.models import COUNTED, Activity, Event, Status, Step
from activities.places import places_of
from activities.rules import Rules, check_complete, reached_already
from unionwork.verbs import verb
from units import notices, tree
from units.models import Notice, NoticeKind

TAKEN_BACK = "Hoàn tác"
CHANGED = "Hoạt động vừa được sửa sau khi bạn mở trang: xem lại số liệu mới rồi quyết định."
ALREADY = {  # two doing the same at once: nothing went wrong for the second
    Step.SUBMIT: "Đã được gửi duyệt trước đó rồi, không gửi thêm lần nữa.",
    Step.APPROVE: "Đã được duyệt trước đó rồi, không tính thêm lần nữa.",
    Step.RETURN: "Đã được trả lại trước đó rồi.",
}
LONGEST_REASON = 500
BATCH = 5000  # ids in one statement

# What somebody may take back (`undo`), and what may happen to a record meanwhile: it leaves state and content alone.
DECISIONS = (Step.APPROVE, Step.CORRECT, Step.RETURN)
BESIDE = Q(step__in=(Step.CONFIRM, Step.DECLINE, Step.ATTACH, Step.DETACH, Step.PROPOSE, Step.REFUSE))
BESIDE |= Q(step=Step.WITHDRAW, from_status=F("to_status"))  # of a correction


FROM = {
    Step.SUBMIT: (Status.DRAFT, Status.RETURNED),
    Step.WITHDRAW: (Status.PENDING,),
    Step.APPROVE: (Status.PENDING,),
    Step.RETURN: (Status.PENDING,),
    Step.CORRECT: (Status.PENDING,),
    Step.UNAPPROVE: (Status.APPROVED,),
    Step.CANCEL: (Status.DRAFT, Status.PENDING, Status.RETURNED, Status.APPROVED),
    Step.RESTORE: (Status.CANCELLED,),
}
TO = {
    Step.SUBMIT: Status.PENDING,
    Step.WITHDRAW: Status.DRAFT,
    Step.APPROVE: Status.APPROVED,
    Step.RETURN: Status.RETURNED,
    Step.CORRECT: Status.APPROVED,
    Step.UNAPPROVE: Status.PENDING,
    Step.RECALL: Status.PENDING,
    Step.CANCEL: Status.CANCELLED,
    Step.RESTORE: Status.DRAFT,
}


class Changed(WrongState):
    """Somebody changed the record after the reviewer read it."""


class Already(WrongState):
    """Somebody else, or the same person, did the same before."""


def can(step, activity):
    """Whether the record's state allows the step (who may take it: `units.access`; whether it is locked: `locks`)."""
    if step == Step.RESTORE and activity.merged_into_id:
        return False  # it lives on in the other record
    return activity.status in FROM[step]


@verb("Gửi duyệt")
def submit(*, activity, actor, seen=None):
    """Send a draft or a completed record to the reviewer. Raises ValidationError when something required is missing.

    `seen`: the version the sender read, as in `approve`.
    """
    sent = {"submitted_at": timezone.now(), "return_reason": "", "return_place": ""}
    step = _take(Step.SUBMIT, activity.pk, actor, seen=seen, **sent)
    check_complete(Activity.objects.get(pk=activity.pk))  # as it stands now that nobody else changes it
    events.write(submit.code, [step])


@verb("Gửi duyệt")
def submit_many(*, ids, actor):
    """Send drafts whose completeness (`rules.missing`) the caller has checked, in few statements."""
    tree.lock_shared()
    ids, sent = sorted(ids), []
    records = locks.read(ids)
    locks.refuse(locks.spot(record) for record in records.values())
    for start in range(0, len(ids), BATCH):
        drafts = Activity.objects.filter(pk__in=ids[start : start + BATCH], status=Status.DRAFT)
        found = list(drafts.order_by("pk").select_for_update().values_list("pk", flat=True))
        drafts.update(status=Status.PENDING, submitted_at=timezone.now(), version=F("version") + 1)
        sent += found
    events.write(submit_many.code, [event_of(Step.SUBMIT, records[pk], actor) for pk in sent])


@verb("Rút lại")
def withdraw(*, activity, actor):
    """Take a waiting record back to draft."""
    _step(withdraw, Step.WITHDRAW, activity.pk, actor)


@verb("Duyệt")
def approve(*, activity, actor, seen=None):
    """Count a waiting record. Somebody else having approved it already is `WrongState`, never a second count.

    `seen`: the version the reviewer read; a record changed since then is `WrongState` too.
    """
    decided = {"approver": actor, "decided_at": timezone.now(), "return_reason": ""}
    _step(approve, Step.APPROVE, activity.pk, actor, decides=True, seen=seen, **decided)


@verb("Trả lại")
def return_to_author(*, activity, actor, reason, place="", seen=None):
    """Send a waiting record back with a reason; its author gets a notice.

    `place`: the id of what is wrong on the writer's form (`places.places_of`). Raises ValidationError for another one.
    `seen`: the version the reviewer read, as in `approve`.
    """
    demand(reason, "Ghi lý do để đơn vị biết cần bổ sung gì.")
    if place and place not in places_of(activity, Rules()):
        raise ValidationError({"place": "Chọn chỗ cần sửa trong danh sách."})
    step = _take(
        Step.RETURN,
        activity.pk,
        actor,
        decides=True,
        seen=seen,
        reason=reason,
        return_reason=reason,
        return_place=place,
        decided_at=timezone.now(),
    )
    notices.tell(
        users=[activity.author],
        unit=activity.unit,
        kind=NoticeKind.RETURNED,
        text=f"{activity.code} “{activity.title}” cần bổ sung: {reason}",
        url=_returned_url(activity.pk) + (f"#{place}" if place else ""),
    )
    events.write(return_to_author.code, [step])


def _returned_url(pk):
    return reverse("activity_edit", args=[pk])


@verb("Bỏ duyệt")
def unapprove(*, activity, actor, reason):
    """Take an approval back, whoever gave it: the record waits again and leaves every total."""
    demand(reason, "Ghi lý do bỏ duyệt.")
    _step(unapprove, Step.UNAPPROVE, activity.pk, actor, decides=True, reason=reason, approver=None, decided_at=None)


@verb("Huỷ hoạt động")
def cancel(*, activity, actor, reason=""):
    """Cancel a record: it stays to be seen and restored, and counts nowhere. An approved one needs a reason."""
    step = _take(Step.CANCEL, activity.pk, actor, reason=reason, approver=None, decided_at=None)
    if step.from_status == Status.APPROVED:  # perhaps since the writer opened the page
        demand(reason, "Ghi lý do huỷ một hoạt động đã duyệt.")
    events.write(cancel.code, [step])


@verb("Khôi phục hoạt động")
def restore(*, activity, actor):
    """Bring a cancelled record back as a draft. Raises `WrongState` for one merged into another (that is unmerged) and
    for a milestone that was recorded anew."""
    step = _take(Step.RESTORE, activity.pk, actor)
    restored = Activity.objects.select_related("merged_into", "unit").get(pk=activity.pk)
    if restored.merged_into:
        raise WrongState(f"Hoạt động đã gộp vào {restored.merged_into.code}: nhờ người duyệt bấm “Tách lại” ở đây.")
    if already := reached_already(restored):
        raise WrongState(f"Không khôi phục được: {already}")
    events.write(restore.code, [step])


@dataclass
class BulkOutcome:
    """What became of many: ids done; [(id, why)] refused; of those taken back the ids whose corrected figures stay."""

    done: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    corrected: list = field(default_factory=list)


@verb("Duyệt")
def approve_many(*, ids, actor, seen=None):
    """Approve all that wait among `ids` in one transaction; the others are refused one by one, with why.

    `seen`: {id: version the reviewer read}; a record changed since then is refused.
    """
    ids, seen = sorted(set(ids)), seen or {}
    approved = []
    with totals.counting(ids, each=True) as records:
        unread = {pk for pk, version in seen.items() if pk in records and records[pk]["version"] != version}
        for start in range(0, len(ids), BATCH):
            batch = [pk for pk in ids[start : start + BATCH] if pk in records and pk not in unread]
            batch = [pk for pk in batch if not records[pk]["lock"]]
            mine = Activity.objects.reviewable_by(actor).filter(pk__in=batch)
            found = sorted(mine.values_list("pk", flat=True))
            Activity.objects.filter(pk__in=found).update(
                status=Status.APPROVED,
                approver=actor,
                decided_at=timezone.now(),
                return_reason="",
                version=F("version") + 1,
            )
            approved += found
    events.write(approve_many.code, [event_of(Step.APPROVE, records[pk], actor) for pk in approved])
    refused = [(pk, _why_not(Step.APPROVE, records.get(pk), pk in unread)) for pk in sorted(set(ids) - set(approved))]
    return BulkOutcome(approved, refused)


@verb("Hoàn tác")
def undo(*, decided, actor):
    """Take back this person's own last decision of each record: what was approved or returned waits again.

    `decided`: {id: the version the decision left}; a record changed since then, locked, or decided by somebody else is
    refused, with why. Corrected figures stay as they were corrected (`BulkOutcome.corrected`).
    """
    ids, outcome = sorted(decided), BulkOutcome()
    taken, recalled = [], []
    with totals.counting(ids, each=True) as records:
        mine = _own_decisions(ids, actor)
        for pk in ids:
            step, record = mine.get(pk), records.get(pk)
            if why := _why_not_undone(record, step, decided[pk]):
                outcome.refused.append((pk, why))
                continue
            outcome.done.append(pk)
            (recalled if step == Step.RETURN else taken).append(pk)
            if step == Step.CORRECT:
                outcome.corrected.append(pk)
        again = {"status": Status.PENDING, "decided_at": None, "version": F("version") + 1}
        Activity.objects.filter(pk__in=taken).update(approver=None, **again)
        Activity.objects.filter(pk__in=recalled).update(return_reason="", return_place="", **again)
        lapsed = lapsing.lapse([records[pk] for pk in taken], step=Step.UNAPPROVE, actor=actor, reason=TAKEN_BACK)
    if recalled:
        told = [Q(user=records[pk]["author_id"], url__startswith=_returned_url(pk)) for pk in recalled]
        Notice.objects.filter(reduce(or_, told), kind=NoticeKind.RETURNED, read_at=None).delete()
    steps = {pk: Step.RECALL if pk in recalled else Step.UNAPPROVE for pk in outcome.done}
    events.write(
        undo.code,
        [event_of(step, records[pk], actor, TAKEN_BACK, changes=lapsed.get(pk, ())) for pk, step in steps.items()],
    )
    return outcome


def _own_decisions(ids, actor):
    """{id: step} where the last thing that happened to the record's state is a decision of `actor`, who may still
    decide it."""
    found = {}
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        last = Event.objects.filter(activity__in=batch).exclude(BESIDE).order_by()
        last = last.values("activity").annotate(last=Max("pk")).values("last")
        mine = Activity.objects.decidable_by(actor).filter(pk__in=batch).order_by()
        own = Event.objects.filter(pk__in=last, actor=actor, step__in=DECISIONS, activity__in=mine.values("pk"))
        found |= dict(own.values_list("activity_id", "step"))
    return found


def _why_not_undone(record, step, version):
    """Why a decision is not taken back, in words; None when it is."""
    if record is None:
        return "Không tìm thấy hoạt động."
    if step is None:
        return "Không hoàn tác được: quyết định gần nhất không phải của bạn, hoặc hoạt động đã thay đổi sau đó."
    if record["lock"]:
        return record["lock"]
    if record["version"] != version:
        return "Không hoàn tác được: hoạt động đã thay đổi sau quyết định này."
    expected = Status.RETURNED if step == Step.RETURN else Status.APPROVED
    return _state_of(record, "hoàn tác") if record["status"] != expected else None


def _step(act, step, pk, actor, **how):
    """Take one step and keep it."""
    events.write(act.code, [_take(step, pk, actor, **how)])


def _take(step, pk, actor, *, decides=False, seen=None, reason="", **fields):
    """Take one step inside the door. `decides`: only a reviewer of this record may (two people). Returns the event to
    be written."""
    with totals.counting([pk]) as records:
        move(step, records.get(pk), pk, actor, decides=decides, seen=seen, **fields)
        counted = [row for row in records.values() if row["status"] in COUNTED]
        lapsed = lapsing.lapse(counted, step=step, actor=actor, reason=reason)
    return event_of(step, records[pk], actor, reason, changes=lapsed.get(pk, ()))


def move(step, record, pk, actor, *, decides=False, seen=None, **fields):
    """The conditional UPDATE of a step, for a verb that holds the door open: the record is counted or not from here.

    `record`: its row of the door, None when there is none. Raises as the verbs of this module do.
    """
    allowed = Activity.objects.decidable_by(actor) if decides else Activity.objects.all()
    if seen is not None:
        allowed = allowed.filter(version=seen)
    moved = allowed.filter(pk=pk, status__in=FROM[step]).update(status=TO[step], version=F("version") + 1, **fields)
    if not moved:
        raise _refusal(step, record, seen is not None and record is not None and record["version"] != seen)


def _refusal(step, record, changed):
    if record and record["status"] in FROM[step] and not changed:
        return PermissionDenied(_why_not(step, record))
    why = _why_not(step, record, changed)
    kinds = {CHANGED: Changed} | dict.fromkeys(ALREADY.values(), Already)
    return kinds.get(why, WrongState)(why)


def _why_not(step, record, changed=False):
    """Why a record could not take the step, in words."""
    if record is None:
        return "Không tìm thấy hoạt động."
    if record["lock"]:
        return record["lock"]
    if step in ALREADY and record["status"] == TO[step]:
        return ALREADY[step]
    if record["status"] not in FROM[step]:
        return _state_of(record, step.label.lower())
    if changed:
        return CHANGED
    return "Người ghi không tự duyệt: hoạt động do bí thư cấp trên, hoặc một người khác ở cấp khối trở lên, duyệt."


def _state_of(record, what):
    return f"Không {what} được: hoạt động đang ở trạng thái “{Status(record['status']).label}”."


def event_of(step, record, actor, reason="", *, to=None, changes=()):
    """The event of a step from a row of the door. `to`: the status it led to, when the step alone does not say it.

    What counted before or counts now touches the period reports its figures are in.
    """
    to = to or TO[step]
    counts = record["status"] in COUNTED or to in COUNTED
    return Event(
        activity=events.record_of(record),
        step=step,
        from_status=record["status"],
        to_status=to,
        actor=actor,
        reason=reason,
        changes=list(changes),
        touches=list(record["touches"]) if counts else [],
    )


def demand(reason, message, field="reason"):
    """Raises ValidationError when no reason was given, or one too long to be kept."""
    if not reason.strip():
        raise ValidationError({field: message})
    if len(reason) > LONGEST_REASON:
        raise ValidationError({field: f"Lý do dài {len(reason)} ký tự; rút gọn còn nhiều nhất {LONGEST_REASON}."})
