"""Tiếp nhận: a unit answers what it was given; its superior sees who has and who has not."""

from django.core.exceptions import ValidationError

from targets import notes
from targets.models import Assignment, Reply
from unionwork.verbs import verb
from units import journal


@verb("Trả lời chỉ tiêu được giao")
def reply(*, measure, unit, version, accepted, actor, remark=""):
    """`unit` accepts a measure as given, or answers with a remark. Returns the Reply.

    `version`: of the assignment that was read (0: it applies in common); raises ValidationError when another one is in
    force now, or when it is neither accepted nor remarked upon. Saying the same again adds nothing.
    """
    given = Assignment.objects.select_for_update().filter(measure=measure, unit=unit).first()
    if version != (given.version if given else 0):
        raise ValidationError("Cấp trên vừa điều chỉnh số này. Xem số mới rồi trả lời lại.")
    row = Reply(measure=measure, unit=unit, version=version, accepted=accepted, remark=remark.strip(), actor=actor)
    row.full_clean()
    last = latest([unit.pk], [measure.pk]).get((unit.pk, measure.pk))
    if last and (last.version, last.accepted, last.remark) == (row.version, row.accepted, row.remark):
        return last
    row.save(force_insert=True)
    note = journal.Note(
        reply.code,
        row,
        actor,
        unit=unit.pk,
        year=measure.target.year_id,
        label=f"{notes.measure_title(measure)}: {unit.label}",
        changes=journal.changed([("Trả lời", last and _said(last), _said(row))]),
    )
    journal.write([note])
    return row


def _said(row):
    return ": ".join(filter(None, ["tiếp nhận" if row.accepted else "có ý kiến", row.remark]))


def latest(units, measures):
    """{(unit id, measure id): Reply}: the last word of each unit. One statement; whether it is about what is in force
    now is for the reader to compare (`Reply.version`)."""
    rows = Reply.objects.filter(unit__in=units, measure__in=measures).select_related("actor").order_by("pk")
    return {(row.unit_id, row.measure_id): row for row in rows}
