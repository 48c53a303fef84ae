"""A measure that is still being written, in plain words: what will be counted, and what it came to last year."""

from dataclasses import dataclass

from reports.evaluation import result_for
from reports.rows import NO_FIGURE, row_of
from targets.models import Measure, MeasureKind, Target, WorkYear
from targets.wording import COUNTED_UNITS, describe, plan_in_words
from units.models import Placement

CALM = {"value", "deadline"}  # a sentence can do without these


@dataclass(frozen=True)
class Preview:
    """`missing`: what has to be filled in before anything can be said."""

    sentence: str = ""
    last_year: str = ""
    missing: str = ""


def preview(form, unit, year):
    """Preview of a bound `MeasureForm` for the unit that will issue the target."""
    form.is_valid()
    missing = "; ".join(dict.fromkeys(message.rstrip(".") for found in form.errors.values() for message in found))
    if set(form.errors) - CALM:
        return Preview(missing=missing)
    for name in CALM:
        form.cleaned_data.setdefault(name, None)
    draft = form.draft
    return Preview(describe(_sketch(draft, unit, year)), _last_year(draft, unit, year), missing)


def _sketch(draft, unit, year):
    """The draft as the measure it will be, saved nowhere."""
    names = ("kind", "value", "floor", "level", "sector", "deadline")
    measure = Measure(pk=0, **{name: getattr(draft, name) for name in names})
    measure.target, measure.siblings = Target(pk=0, issuer=unit, year=year, number=1), 1
    measure._prefetched_objects_cache = {"indicators": draft.indicators, "denominators": draft.denominators}
    return measure


def _last_year(draft, unit, year):
    """ "Năm 2023: 41/55 cơ sở (74,55%); kế hoạch 100%". Nothing for a milestone, which differs from year to year."""
    last = WorkYear.objects.filter(pk=year.pk - 1).first()
    if last is None or draft.kind == MeasureKind.MILESTONE:
        return ""
    placement = Placement.objects.filter(unit=unit, year=last.pk).select_related("unit").first()
    if placement is None:
        return f"Năm {last}: đơn vị chưa có trong cây tổ chức."
    result = result_for(_sketch(draft, unit, last), placement, last)
    shown = row_of(result, unit, last).actual
    if draft.kind == MeasureKind.COVERAGE and shown != NO_FIGURE:
        shown = f"{result.numerator}/{result.denominator} {COUNTED_UNITS[draft.level]}"
    before = _asked_last_year(draft, unit, last)
    plan = f"; kế hoạch {plan_in_words(before, before.value)}" if before else ""
    return f"Năm {last}: {shown}{plan}"


def _asked_last_year(draft, unit, last):
    """The measure by which the unit asked the same last year, or None."""
    rows = Measure.objects.filter(target__issuer=unit, target__year=last, kind=draft.kind, sector=draft.sector)
    wanted = (set(draft.indicators), set(draft.denominators))
    for row in rows.prefetch_related("indicators", "denominators").order_by("target__number", "letter"):
        if (set(row.indicators.all()), set(row.denominators.all())) == wanted:
            return row
    return None
