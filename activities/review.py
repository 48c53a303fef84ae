"""What happens to a record after it was written: submit, approve, return, undo, cancel.

Every verb is one transaction: the record is locked, its state changed by a conditional UPDATE, the step noted as
an `Event`, and the totals made right by `totals.counting`. Raises `WrongState` (a ValidationError in words) when
the record is no longer in a state the verb starts from, `PermissionDenied` when the person may not.
"""

from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F
from django.utils import timezone

from activities import events, locks, totals
from activities.locks import WrongState
from activities.models import COUNTED, Activity, Event, Status, Step
from activities.rules import check_complete
from unionwork.verbs import verb
from units import tree

CHANGED = "Hoạt động vừa được sửa sau khi bạn mở trang: xem lại số liệu mới rồi duyệt."
BATCH = 5000  # ids in one statement


FROM = {
    Step.SUBMIT: (Status.DRAFT, Status.RETURNED),
    Step.WITHDRAW: (Status.PENDING,),
    Step.APPROVE: (Status.PENDING,),
    Step.RETURN: (Status.PENDING,),
    Step.UNAPPROVE: (Status.APPROVED,),
    Step.CANCEL: (Status.DRAFT, Status.PENDING, Status.RETURNED, Status.APPROVED),
    Step.RESTORE: (Status.CANCELLED,),
}
TO = {
    Step.SUBMIT: Status.PENDING,
    Step.WITHDRAW: Status.DRAFT,
    Step.APPROVE: Status.APPROVED,
    Step.RETURN: Status.RETURNED,
    Step.UNAPPROVE: Status.PENDING,
    Step.CANCEL: Status.CANCELLED,
    Step.RESTORE: Status.DRAFT,
}


def can(step, activity):
    """Whether the record's state allows the step (who may take it: `units.access`; whether it is locked: `locks`)."""
    return activity.status in FROM[step]


@verb("Gửi duyệt")
def submit(*, activity, actor):
    """Send a draft or a completed record to the reviewer. Raises ValidationError when something required is missing."""
    check_complete(activity)
    _step(submit, Step.SUBMIT, activity.pk, actor, submitted_at=timezone.now(), return_reason="")


@verb("Gửi duyệt")
def submit_many(*, ids, actor):
    """Send drafts whose completeness (`rules.missing`) the caller has checked, in few statements."""
    tree.lock_shared()
    ids, sent = sorted(ids), []
    locks.refuse(locks.spot(record) for record in locks.read(ids).values())
    for start in range(0, len(ids), BATCH):
        drafts = Activity.objects.filter(pk__in=ids[start : start + BATCH], status=Status.DRAFT)
        found = list(drafts.order_by("pk").values_list("pk", flat=True))
        drafts.update(status=Status.PENDING, submitted_at=timezone.now(), version=F("version") + 1)
        sent += found
    events.write(submit_many.code, [_event(Step.SUBMIT, pk, Status.DRAFT, actor) for pk in sent])


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
def return_to_author(*, activity, actor, reason):
    """Send a waiting record back with a reason."""
    _demand(reason, "Ghi lý do để đơn vị biết cần bổ sung gì.")
    _step(
        return_to_author,
        Step.RETURN,
        activity.pk,
        actor,
        decides=True,
        reason=reason,
        return_reason=reason,
        decided_at=timezone.now(),
    )


@verb("Bỏ duyệt")
def unapprove(*, activity, actor, reason):
    """Undo an approval: the record waits again and leaves every total."""
    _demand(reason, "Ghi lý do bỏ duyệt.")
    _step(unapprove, Step.UNAPPROVE, activity.pk, actor, decides=True, reason=reason, approver=None, decided_at=None)


@verb("Huỷ hoạt động")
def cancel(*, activity, actor, reason=""):
    """Cancel a record: it stays to be seen and restored, and counts nowhere. An approved one needs a reason."""
    if activity.status == Status.APPROVED:
        _demand(reason, "Ghi lý do huỷ một hoạt động đã duyệt.")
    _step(cancel, Step.CANCEL, activity.pk, actor, reason=reason, approver=None)


@verb("Khôi phục hoạt động")
def restore(*, activity, actor):
    """Bring a cancelled record back as a draft."""
    _step(restore, Step.RESTORE, activity.pk, actor)


@dataclass
class BulkOutcome:
    approved: list = field(default_factory=list)
    refused: list = field(default_factory=list)  # (activity id, why)


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
    touched = {pk: records[pk]["touches"] for pk in approved}
    events.write(
        approve_many.code, [_event(Step.APPROVE, pk, Status.PENDING, actor, "", touched[pk]) for pk in approved]
    )
    refused = [(pk, _why_not(Step.APPROVE, records.get(pk), pk in unread)) for pk in sorted(set(ids) - set(approved))]
    return BulkOutcome(approved, refused)


def _step(act, step, pk, actor, *, decides=False, seen=None, reason="", **fields):
    """Take one step inside the door. `decides`: only a reviewer of this record may (two people)."""
    allowed = Activity.objects.decidable_by(actor) if decides else Activity.objects.all()
    if seen is not None:
        allowed = allowed.filter(version=seen)
    with totals.counting([pk]) as records:
        moved = allowed.filter(pk=pk, status__in=FROM[step]).update(status=TO[step], version=F("version") + 1, **fields)
        record = records.get(pk)
        if not moved:
            raise _refusal(step, record, seen is not None and record is not None and record["version"] != seen)
    counts = record["status"] in COUNTED or TO[step] in COUNTED
    events.write(act.code, [_event(step, pk, record["status"], actor, reason, record["touches"] if counts else [])])


def _refusal(step, record, changed):
    if record and record["status"] in FROM[step] and not changed:
        return PermissionDenied(_why_not(step, record))
    return WrongState(_why_not(step, record, changed))


def _why_not(step, record, changed=False):
    """Why a record could not take the step, in words."""
    if record is None:
        return "Không tìm thấy hoạt động."
    if record["lock"]:
        return record["lock"]
    if record["status"] not in FROM[step]:
        return f"Không {step.label.lower()} được: hoạt động đang ở trạng thái “{Status(record['status']).label}”."
    if changed:
        return CHANGED
    return "Người ghi không tự duyệt: hoạt động do bí thư cấp trên, hoặc một người khác ở cấp khối trở lên, duyệt."


def _event(step, pk, from_status, actor, reason="", touches=()):
    return Event(
        activity_id=pk,
        step=step,
        from_status=from_status,
        to_status=TO[step],
        actor=actor,
        reason=reason,
        touches=list(touches),
    )


def _demand(reason, message):
    if not reason.strip():
        raise ValidationError({"reason": message})
