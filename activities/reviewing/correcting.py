"""Sửa & duyệt: a reviewer puts figures right and approves in one act, seen by everybody who reads the record."""

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from activities import events, recording, review, totals
from activities.models import Activity, Step
from activities.rules import Rules, entry_of, missing
from unionwork.verbs import verb
from units import notices, tree
from units.models import NoticeKind

NO_REASON = "Ghi lý do sửa để đơn vị biết vì sao số của họ thay đổi."
NOTHING_CHANGED = "Chưa có số nào khác với số của đơn vị: nếu số đã đúng thì bấm “Duyệt”."


@verb("Sửa và duyệt")
def correct_and_approve(*, activity, actor, figures, reason, seen):
    """Change figures of a waiting record and count it; its author is told. Its other fields stay.

    `figures`: {Indicator: Parsed}, None as value takes one away; those not named stay. `seen`: the version the reviewer
    read. Two people: only whoever may decide the record, and this makes nobody its writer. Raises `review.Changed`,
    `review.WrongState`, PermissionDenied, and ValidationError by field (indicator codes).
    """
    review.demand(reason, NO_REASON)
    tree.lock_shared()  # before the rules read which years are open
    rules = Rules()
    with totals.counting([activity.pk]) as records:
        record = records.get(activity.pk)
        decided = {"approver": actor, "decided_at": timezone.now(), "return_reason": "", "return_place": ""}
        review.move(Step.CORRECT, record, activity.pk, actor, decides=True, seen=seen, **decided)
        before = Activity.objects.select_related("unit", "year", "author").get(pk=activity.pk)
        entry = corrected(before, figures, rules)
        changes = recording.differences(before, entry, rules)
        if not changes:
            raise ValidationError(NOTHING_CHANGED)
        recording.keep_figures(entry, rules)
    _tell(before, changes, reason)
    events.write(
        correct_and_approve.code,
        [review.event_of(Step.CORRECT, record, actor, reason, changes=changes)],
    )


def preview(*, activity, actor, figures, reason, seen):
    """[[what, old, new]] that `correct_and_approve` would change now, nothing written. Raises as it does."""
    review.demand(reason, NO_REASON)
    rules, before = Rules(), Activity.objects.select_related("unit", "year").get(pk=activity.pk)
    if before.version != seen:
        raise review.Changed(review.CHANGED)
    changes = recording.differences(before, corrected(before, figures, rules), rules)
    if not changes:
        raise ValidationError(NOTHING_CHANGED)
    return changes


def corrected(activity, figures, rules):
    """What a saved record would say with these figures. Raises ValidationError by field when that is not right."""
    entry = entry_of(activity, rules)
    together = entry.figures | figures
    entry.figures = {indicator: parsed for indicator, parsed in together.items() if parsed.value is not None}
    rules.settle(entry)
    if wrong := missing(entry, rules):
        raise ValidationError(wrong)
    return entry


def _tell(activity, changes, reason):
    said = "; ".join(f"{what}: {old or '–'} → {new or '–'}" for what, old, new in changes)
    notices.tell(
        users=[activity.author],
        unit=activity.unit,
        kind=NoticeKind.CORRECTED,
        text=f"{activity.code} “{activity.title}” đã duyệt sau khi sửa: {said}. Lý do: {reason}",
        url=reverse("activity_detail", args=[activity.pk]),
    )
