"""Bản sửa: in a year that keeps approved figures (`WorkYear.keeps_approved`) an approved record is changed by a
correction that waits beside it. The record counts as it was until somebody else adopts the correction.
"""

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from activities import events, locks, recording, review, totals
from activities.locks import WrongState
from activities.models import Activity, Correction, CorrectionState, Event, RecordNature, Status, Step
from activities.rules import Entry, Rules, missing, reached_already
from targets.models import Indicator
from unionwork.numbers import Parsed
from unionwork.verbs import verb
from units import notices, tree
from units.models import NoticeKind, Unit

FIELDS = (*recording.FIELDS, "milestone_id")
DAYS = ("first_day", "last_day")


@verb("Đề nghị sửa")
def propose(*, entry, actor, version, reason):
    """Keep what an approved record shall say; it counts as it is meanwhile. Returns the Correction, None when nothing
    differs.

    `entry.activity` carries the new fields and is not saved. Raises `recording.Stale` when the record is no longer at
    `version`, `WrongState`, ValidationError by field.
    """
    tree.lock_shared()  # before the rules read which years are open
    rules = Rules()
    rules.settle(entry)
    if wrong := missing(entry, rules):
        raise ValidationError(wrong)
    pk = entry.activity.pk
    with totals.counting([pk]) as records:
        before = Activity.objects.select_related("year").get(pk=pk)
        changes = recording.differences(before, entry, rules)
        if changes and before.version != version:
            raise recording.Stale("Hoạt động này vừa được người khác sửa. Xem bản mới bên cạnh rồi lưu lại.")
        if before.status != Status.APPROVED or not before.year.keeps_approved:
            raise WrongState("Hoạt động này được sửa thẳng, không qua bản sửa: tải lại trang.")
        if not changes:
            return None
        recording.demand_reason(reason)
        if waiting := before.corrections.filter(state=CorrectionState.PENDING).select_related("author").first():
            raise WrongState(f"Đã có một bản sửa của {waiting.author} chờ duyệt: rút hoặc duyệt bản đó trước.")
        nature = rules.kinds[entry.activity.kind_id].nature
        locks.refuse([locks.spot_of(entry.activity, nature, entry.hosts)])
        correction = Correction.objects.create(
            activity=before,
            entry=_stored(entry),
            changes=changes,
            version=version,
            reason=reason.strip()[: review.LONGEST_REASON],
            author=actor,
        )
    event = review.event_of(Step.PROPOSE, records[pk], actor, reason, to=Status.APPROVED, changes=changes)
    event.touches = []  # nothing has changed yet
    events.write(propose.code, [event])
    return correction


@verb("Nhận bản sửa")
def adopt(*, correction, actor):
    """The record says what the correction says, approved by `actor`, and the totals move from old to new at once.

    Only somebody who may decide the record and wrote neither. Raises `review.Changed` when the record changed since the
    correction was sent, `WrongState` when it waits no longer, ValidationError when it is not right any more.
    """
    tree.lock_shared()
    rules = Rules()
    entry = entry_of(correction)
    activity, nature = entry.activity, rules.kinds[entry.activity.kind_id].nature
    rules.settle(entry)
    into = () if nature == RecordNature.FLOW else {(activity.unit_id, activity.year_id)}
    with totals.counting([activity.pk], into) as records:
        before = _still(correction, Step.ADOPT, actor)
        if already := reached_already(activity):  # since the rules looked
            raise WrongState(already)
        changes = recording.differences(before, entry, rules)
        _decide(correction, CorrectionState.ADOPTED, actor)
        activity.prepare()
        activity.status, activity.version = Status.APPROVED, before.version + 1
        activity.approver, activity.decided_at = actor, timezone.now()
        activity.save(force_update=True)
        recording.keep_figures(entry, rules)
        recording.keep_hosts(activity, entry.hosts)
        if not Activity.objects.decidable_by(actor).filter(pk=activity.pk).exists():
            raise WrongState("Bản sửa chuyển hoạt động sang một đơn vị ngoài phần việc duyệt của bạn.")
    _tell(correction, f"Bản sửa {activity.code} “{activity.title}” đã được duyệt; số mới đã được tính.")
    reason = f"{correction.reason} (bản sửa của {correction.author})"
    event = review.event_of(Step.ADOPT, records[activity.pk], actor, reason, to=Status.APPROVED, changes=changes)
    event.activity = activity  # it may stand in another unit or year now
    events.write(adopt.code, [event])


@verb("Không nhận bản sửa")
def refuse(*, correction, actor, reason):
    """Leave the record as it is, in a locked period too; the correction's author is told why."""
    review.demand(reason, "Ghi lý do để người gửi biết vì sao bản sửa không được nhận.")
    activity = correction.activity
    _may_decide(correction, actor)
    _decide(correction, CorrectionState.REFUSED, actor, reason)
    _tell(correction, f"Bản sửa {activity.code} “{activity.title}” không được nhận: {reason}")
    _note(refuse, Step.REFUSE, correction, actor, reason)


@verb("Rút bản sửa")
def withdraw(*, correction, actor):
    """Its author takes a waiting correction back, in a locked period too: no figure changes."""
    if correction.author_id != actor.pk:
        raise PermissionDenied("Chỉ người gửi bản sửa rút lại được.")
    _decide(correction, CorrectionState.WITHDRAWN, actor)
    _note(withdraw, Step.WITHDRAW, correction, actor, "Rút bản sửa")


def waiting(activity):
    """The correction that waits beside this record, or None."""
    return activity.corrections.filter(state=CorrectionState.PENDING).select_related("author").first()


def is_kept(activity):
    """Whether this record is changed by a correction while it counts as it is."""
    return activity.status == Status.APPROVED and activity.year.keeps_approved


def entry_of(correction):
    """What the record shall say, on an instance of it that is not saved. Raises `WrongState` when that names what is
    not there any more."""
    said = correction.entry
    activity = Activity.objects.select_related("year").get(pk=correction.activity_id)
    for name in FIELDS:
        value = said["fields"][name]
        setattr(activity, name, date.fromisoformat(value) if name in DAYS else value)
    indicators = Indicator.objects.in_bulk([int(pk) for pk in said["figures"]])
    units = Unit.objects.in_bulk(said["hosts"])
    if len(indicators) < len(said["figures"]) or len(units) < len(said["hosts"]):
        raise WrongState("Bản sửa nói đến chỉ số hoặc đơn vị không còn nữa: không nhận bản này và ghi bản sửa mới.")
    figures = {indicators[int(pk)]: Parsed(*parsed) for pk, parsed in said["figures"].items()}
    return Entry(activity, figures, [units[pk] for pk in said["hosts"]])


def _stored(entry):
    fields = {name: getattr(entry.activity, name) for name in FIELDS}
    return {
        "fields": fields | {name: fields[name].isoformat() for name in DAYS},
        "figures": {row.pk: [parsed.value, parsed.word] for row, parsed in entry.figures.items()},
        "hosts": [unit.pk for unit in entry.hosts],
    }


def _still(correction, step, actor):
    """The record as it is, when the correction still starts from it and `actor` may decide."""
    _may_decide(correction, actor)
    before = Activity.objects.get(pk=correction.activity_id)
    if before.status != Status.APPROVED or before.version != correction.version:
        raise review.Changed("Hoạt động đã thay đổi sau khi gửi bản sửa này: không nhận bản sửa và đề nghị ghi lại.")
    return before


def _may_decide(correction, actor):
    may = Activity.objects.decidable_by(actor).filter(pk=correction.activity_id).exists()
    if not may or correction.author_id == actor.pk:
        raise PermissionDenied("Bản sửa do người khác có quyền duyệt quyết định, không phải người gửi.")


def _decide(correction, state, actor, answer=""):
    """The conditional UPDATE: a correction is decided once."""
    waits = Correction.objects.filter(pk=correction.pk, state=CorrectionState.PENDING)
    if not waits.update(state=state, decider=actor, decided_at=timezone.now(), answer=answer):
        raise WrongState("Bản sửa này không còn chờ duyệt.")


def _tell(correction, text):
    notices.tell(
        users=[correction.author],
        unit=correction.activity.unit,
        kind=NoticeKind.CORRECTION,
        text=text,
        url=reverse("activity_detail", args=[correction.activity_id]),
    )


def _note(act, step, correction, actor, reason):
    """A step that leaves the record where it is: while a correction waits, approved."""
    stays = {"from_status": Status.APPROVED, "to_status": Status.APPROVED}
    events.write(act.code, [Event(activity_id=correction.activity_id, step=step, actor=actor, reason=reason, **stays)])
