"""Giao chỉ tiêu in two steps: a draft that only the giver's people see, then ban hành, which puts it in force.

What a draft says of a unit is laid over what is in force: `Standing.planned`. Nothing reaches a unit below before
`issue`.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils import timezone

from targets import announcing, assignment, notes
from targets.models import Assignment, Decision, DraftAssignment, Measure, MeasureKind, Target
from unionwork.dates import format_date
from unionwork.verbs import verb
from units import journal
from units.models import Placement, Unit


class Conflict(ValidationError):
    """Somebody else wrote other numbers for the same units. `standings`: {unit id: Standing} as they are now."""

    def __init__(self, units, standings):
        super().__init__(
            f"Vừa có người khác sửa số của {assignment.labels(units)}. Số mới ghi cạnh ô nhập; xem lại rồi lưu lần nữa."
        )
        self.units, self.standings = units, standings


@dataclass
class Standing:
    """What one unit has of a measure: in force, and in the giver's draft. Numbers in the measure's scale."""

    given: Assignment | None
    draft: DraftAssignment | None

    @property
    def in_force(self):
        return self.given.planned if self.given else None

    @property
    def planned(self):
        """What the unit will have once the draft is issued."""
        return self.draft.planned if self.draft else self.in_force

    @property
    def note(self):
        if self.draft:
            return self.draft.note
        return self.given.note if self.given else ""

    @property
    def fixed(self):
        return bool(self.draft and self.draft.fixed)

    @property
    def registered(self):
        return self.given.registered if self.given else None

    @property
    def waits(self):
        """Whether issuing would change something for the unit."""
        return self.draft is not None and (self.planned, self.note) != (
            self.in_force,
            self.given.note if self.given else "",
        )


@dataclass
class Wish:
    """What somebody typed for one unit. `seen`: the planned number the page showed, to find what others wrote;
    `seen_note`, `seen_fixed`: the same of the rest, None to write over whatever is there."""

    unit: Unit
    planned: int | None
    seen: int | None
    note: str = ""
    fixed: bool = False
    seen_note: str | None = None
    seen_fixed: bool | None = None


@dataclass(frozen=True)
class Saved:
    """`changed`: units whose draft this save changed; `theirs`: units others changed meanwhile, left as they are."""

    changed: list
    theirs: list


def standings(measure, giver, units):
    """{unit id: Standing} of `units`, with the drafts of `giver`. Two statements."""
    given = {row.unit_id: row for row in Assignment.objects.filter(measure=measure, unit__in=units)}
    drafts = DraftAssignment.objects.filter(measure=measure, giver=giver, unit__in=units).select_related("actor")
    drafts = {row.unit_id: row for row in drafts}
    return {unit.pk: Standing(given.get(unit.pk), drafts.get(unit.pk)) for unit in units}


@verb("Lưu bản nháp giao chỉ tiêu")
def save_draft(*, measure, giver, wishes, actor):
    """Keep what was typed for the children of `giver`, unseen by them. Returns `Saved`.

    A number others wrote for a unit since `seen` stays unless this page typed another one over it: that raises
    `Conflict`, and nothing is written. Raises ValidationError for what cannot be given. No word of it in the journal:
    nothing in force changed.
    """
    measure = Measure.objects.select_for_update().select_related("target__year", "target__issuer").get(pk=measure.pk)
    _check_giver(measure, giver, [wish.unit for wish in wishes])
    for wish in wishes:
        assignment.check_row(measure, assignment.Row(wish.unit, planned=wish.planned))
    now = standings(measure, giver, [wish.unit for wish in wishes])
    clashes, theirs, changed = [], [], []
    for wish in wishes:
        current = now[wish.unit.pk]
        if _clash(wish, current):
            clashes.append(wish.unit)
            continue
        if wish.planned == wish.seen != current.planned:
            theirs.append(wish.unit)
            wish.planned = current.planned
        if wish.note == wish.seen_note:
            wish.note = current.note
        if wish.fixed == wish.seen_fixed:
            wish.fixed = current.fixed
        changed.append(wish)
    if clashes:
        raise Conflict(clashes, now)
    written = [wish.unit for wish in changed if _keep(measure, giver, wish, now[wish.unit.pk], actor)]
    return Saved(written, theirs)


def _clash(wish, current):
    """Whether both this page and somebody else changed the number, or the note, to different things."""
    notes_differ = wish.seen_note is not None and wish.note not in (wish.seen_note, current.note)
    return (wish.planned not in (wish.seen, current.planned) and current.planned != wish.seen) or (
        notes_differ and current.note != wish.seen_note
    )


def _keep(measure, giver, wish, standing, actor):
    """Write the draft row of one unit when it says something new. Whether it did."""
    if (wish.planned, wish.note, wish.fixed) == (standing.planned, standing.note, standing.fixed):
        return False
    row = standing.draft or DraftAssignment(measure=measure, unit=wish.unit)
    row.giver, row.planned, row.note, row.fixed, row.actor = giver, wish.planned, wish.note, wish.fixed, actor
    if not row.fixed and not Standing(standing.given, row).waits:
        if row.pk:
            row.delete()
        return True
    row.save()
    return True


@verb("Bỏ bản nháp giao chỉ tiêu")
def discard(*, measure, giver, actor):
    """Throw the giver's draft of a measure away: what is in force stays, so the journal is silent. Returns how many
    units had one."""
    Measure.objects.select_for_update().get(pk=measure.pk)
    return DraftAssignment.objects.filter(measure=measure, giver=giver).delete()[0]


def waiting(giver, year):
    """[DraftAssignment] of `giver` that issuing would put in force: those of its children whose numbers differ."""
    drafts = DraftAssignment.objects.filter(
        giver=giver, measure__target__year=year, unit__in=_children(giver, year).values("unit")
    )
    drafts = drafts.select_related("measure__target__issuer", "unit").prefetch_related("measure__indicators")
    drafts = list(
        drafts.order_by("measure__target__issuer", "measure__target__number", "measure__letter", "unit__sort")
    )
    given = {
        (row.measure_id, row.unit_id): row
        for row in Assignment.objects.filter(measure__in={row.measure_id for row in drafts})
    }
    return [row for row in drafts if Standing(given.get((row.measure_id, row.unit_id)), row).waits]


@verb("Ban hành chỉ tiêu")
def issue(*, giver, year, targets, measures, number, day, actor, reason="", upload=None):
    """Ban hành: put the drafts of `measures` in force and let `targets` of `giver` reach the units below.

    One `Decision` (number, day, file) for all. `upload`: an `unionwork.uploads.Upload` or None. Changing a number in
    force needs a reason. Returns the Decision. Raises ValidationError when there is nothing to issue. The journal
    gets an entry of the decision, of each target that is issued by it, and of each unit's number.
    """
    if not year.is_open:
        raise ValidationError(f"Năm công tác {year} đã đóng nên không ban hành được nữa.")
    if day > timezone.localdate():
        raise ValidationError({"day": "Ngày quyết định chưa tới."})
    if not number.strip():
        raise ValidationError({"number": "Ghi số quyết định."})
    wanted = sorted({measure.pk for measure in measures})
    locked = {row.pk: row for row in Measure.objects.select_for_update().filter(pk__in=wanted).order_by("pk")}
    unissued = Target.objects.filter(issuer=giver, year=year, issued_on=None)
    chosen = set(unissued.filter(pk__in=[target.pk for target in targets]).values_list("pk", flat=True))
    drafts = [row for row in waiting(giver, year) if row.measure_id in locked]
    if not chosen and not drafts:
        raise ValidationError("Không có gì mới để ban hành: các số trong bản nháp đã có hiệu lực.")
    decision = Decision(giver=giver, year=year, number=number.strip(), day=day, reason=reason.strip(), actor=actor)
    decision.save()
    with journal.kept() as written:
        for pk in wanted:
            if mine := [row for row in drafts if row.measure_id == pk]:
                _put_in_force(locked[pk], mine, decision)
                chosen.add(locked[pk].target_id)
    first_issued = list(unissued.filter(pk__in=chosen).order_by("number"))
    ids = [target.pk for target in first_issued]
    unissued.filter(pk__in=ids).update(issued_on=day, decision=decision)
    announcing.announce(decision=decision, drafts=drafts, issued=ids)
    if upload:  # last, so that nothing refused above leaves a file behind
        decision.file_name, decision.content_type = upload.name, upload.content_type
        decision.file.save(upload.name, ContentFile(upload.content))
    journal.write([*_notes(decision, first_issued), *written])
    return decision


def _notes(decision, issued):
    """What the journal says of a decision and of the targets that it issued."""
    words = f"Quyết định {decision} ngày {format_date(decision.day)}"
    changes = [["Chỉ tiêu được ban hành", "", ", ".join(str(target.number) for target in issued)]] if issued else []
    changes += [["Tệp", "", decision.file_name]] if decision.file else []
    common = {"actor": decision.actor, "reason": decision.reason}
    giver, year = decision.giver_id, decision.year_id
    yield journal.Note(issue.code, decision, unit=giver, year=year, label=words, changes=changes, **common)
    for target in issued:
        yield notes.note(issue.code, target, changes=[["Tình trạng", "bản nháp", words]], **common)


def _put_in_force(measure, drafts, decision):
    assignment.assign(
        measure=measure,
        rows=[assignment.Row(row.unit, planned=row.planned, note=row.note) for row in drafts],
        actor=decision.actor,
        decision_number=decision.number,
        decision_date=decision.day,
        reason=decision.reason,
        decision=decision,
    )
    DraftAssignment.objects.filter(pk__in=[row.pk for row in drafts if not row.fixed]).delete()


def _children(giver, year):
    """The placements directly under `giver` in the year's tree."""
    return Placement.objects.filter(year=getattr(year, "pk", year), parent=giver)


def _check_giver(measure, giver, units):
    year = measure.target.year
    if not year.is_open:
        raise ValidationError(f"Năm công tác {year} đã đóng nên không giao chỉ tiêu được nữa.")
    if measure.kind == MeasureKind.MILESTONE:
        raise ValidationError("“Mốc” áp dụng chung cho mọi đơn vị cấp dưới nên không cần giao số.")
    placed = set(_children(giver, year).filter(unit__in=units).values_list("unit_id", flat=True))
    strangers = [unit for unit in units if unit.pk not in placed]
    if strangers:
        raise ValidationError(
            f"{assignment.labels(strangers)}: không trực thuộc {giver} trong cây đơn vị năm {year}. Tải lại trang."
        )
    if len(placed) < len(units):
        raise ValidationError("Một đơn vị ghi hai lần.")
