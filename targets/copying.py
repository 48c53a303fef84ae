"""Copying last year's set of targets into the new year, as drafts."""

from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError

from targets import setting
from targets.models import MeasureKind, Target
from unionwork.text import header_key
from unionwork.verbs import verb
from units import journal


@dataclass(frozen=True)
class Candidate:
    """A target of the year before. `taken_by`: the target of the new year that has its number or its text already."""

    target: Target
    taken_by: Target | None = None


@dataclass(frozen=True)
class Copied:
    created: list
    skipped: list  # of Candidates that are there already


def candidates(issuer, year):
    """What `issuer` asked the year before, in the order of numbers, each with what stands in its place already."""
    before = Target.objects.filter(issuer=issuer, year=year.pk - 1).with_measures().order_by("number")
    now = list(Target.objects.filter(issuer=issuer, year=year))
    numbers = {target.number: target for target in now}
    texts = {header_key(target.text): target for target in now}
    return [Candidate(old, texts.get(header_key(old.text)) or numbers.get(old.number)) for old in before]


@verb("Chép chỉ tiêu năm trước")
def copy_targets(*, issuer, year, values, actor):
    """Write drafts of `year` after last year's targets. Returns `Copied`; what is there already is left alone.

    `values`: {target id of last year: {measure id: the new plan, or None for a milestone}}. Deadlines move a year; a
    target answers the superior's of the new year that follows the one it answered. Raises ValidationError, of a bad
    plan with {"m<measure id>": …}.
    """
    if not year.is_open:
        raise ValidationError(f"Năm công tác {year} đã đóng nên không thêm chỉ tiêu được nữa.")
    type(year).objects.select_for_update(no_key=True).get(pk=year.pk)  # two people copying: one after the other
    wanted = [row for row in candidates(issuer, year) if row.target.pk in values]
    copied = Copied([], [row for row in wanted if row.taken_by])
    drafts = {row.target.pk: _drafts(row.target, values[row.target.pk], year) for row in wanted if row.taken_by is None}
    with journal.kept() as notes:
        for row in wanted:
            if row.taken_by is None:
                copied.created.append(_copy(row.target, year, drafts[row.target.pk], actor))
    journal.write(replace(note, verb=copy_targets.code) for note in notes)
    return copied


def _copy(old, year, drafts, actor):
    return setting.create_target(
        year=year,
        issuer=old.issuer,
        number=old.number,
        text=old.text,
        group=old.group,
        join=old.join,
        note=old.note,
        answers=_answers(old, year),
        measures=drafts,
        actor=actor,
    )


def new_day(day, year):
    """A deadline of last year in `year`: the same day, 28 February after the 29th, never outside the year."""
    if day is None:
        return None
    last_day = 28 if (day.month, day.day) == (2, 29) else day.day
    moved = day.replace(year=day.year + 1, day=last_day)
    return min(max(moved, year.first_day), year.last_day)


def _drafts(old, values, year):
    """The measures as they shall be, each judged, so that every bad plan is told at once."""
    drafts, errors = [], {}
    for measure in old.measures.all():
        draft = setting.draft_of(measure)
        draft.pk = None
        draft.deadline = new_day(measure.deadline, year)
        if measure.kind != MeasureKind.MILESTONE:
            draft.value = values.get(measure.pk)
        try:
            setting.check_measure(draft, year)
        except ValidationError as refused:
            errors[f"m{measure.pk}"] = refused.messages
        drafts.append(draft)
    if errors:
        raise ValidationError(errors)
    return drafts


def _answers(old, year):
    """What the superior issued in the new year with the text, else the number, of the target that was answered."""
    if old.answers is None:
        return None
    above = Target.objects.filter(issuer=old.answers.issuer_id, year=year, issued_on__isnull=False)
    same = [row for row in above if header_key(row.text) == header_key(old.answers.text)]
    return next(iter(same), None) or above.filter(number=old.answers.number).first()
