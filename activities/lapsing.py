"""What becomes of a correction when its record leaves the place it starts from: cancelled, un-approved, merged ..."""

from django.urls import reverse
from django.utils import timezone

from activities import events
from activities.models import Correction, CorrectionState, Step
from units import notices
from units.models import NoticeKind

LAPSED = "Hoạt động đã thay đổi sau khi gửi bản sửa."
ENDED = "Không còn hiệu lực"


def lapse(rows, *, step, actor, reason=""):
    """End what still waits for these records (`rows` of the door), inside the transaction of what ends it.

    The author of each correction is told what happened to the record and why, unless it was the author who did it.
    Returns {record id: [[what, old, new]]} for the history of the records.
    """
    rows = {row["id"]: row for row in rows}
    waiting = Correction.objects.filter(activity__in=rows, state=CorrectionState.PENDING).order_by("pk")
    found = list(waiting.select_related("author").select_for_update(of=("self",)))
    if not found:
        return {}
    waiting.update(state=CorrectionState.WITHDRAWN, decider=actor, decided_at=timezone.now(), answer=LAPSED)
    why = f"{Step(step).label}: {reason}" if reason else str(Step(step).label)
    told, changes = [], {}
    for correction in found:
        row = rows[correction.activity_id]
        was = str(correction.get_state_display())
        changes[row["id"]] = [[f"Bản sửa của {correction.author}", was, ENDED]]
        if correction.author_id != actor.pk:
            record = events.record_of(row)
            text = f"Bản sửa {record.code} “{record.title}” không còn chờ duyệt vì hoạt động đã thay đổi ({why})."
            told.append((correction.author, record.unit_id, text, reverse("activity_detail", args=[record.pk])))
    notices.tell_each(kind=NoticeKind.CORRECTION, rows=told)
    return changes
