"""Tính vào: which chỉ tiêu of a unit the figures of an activity will feed once it is approved."""

from dataclasses import dataclass

from targets import cascade
from targets.models import MeasureKind
from unionwork.numbers import format_number
from units.models import Placement

FED = (MeasureKind.TOTAL, MeasureKind.RATE, MeasureKind.COVERAGE)
LONGEST = 70  # characters of a measure's name


@dataclass(frozen=True)
class Contribution:
    """ "CT5" "Cây xanh trồng mới" "+35", and whose chỉ tiêu it is."""

    number: str
    name: str
    amount: str
    issuer: str


def contributions(unit, year, figures, indicators):
    """[Contribution] of an activity of `unit` in the work year `year` with `figures` {indicator: value}.

    `indicators`: {id: Indicator}, all of them. Five statements, none without figures.
    """
    if unit is None or year is None or not figures:
        return []
    placement = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit").first()
    if placement is None:
        return []
    return fed(cascade.plans_for([placement], year.pk)[unit.pk], figures, indicators)


def fed(plans, figures, indicators):
    """What each of `plans` gains, in their order; those that gain nothing are left out.

    A figure feeds its indicator and every whole it is part of, as the stored totals do.
    """
    gains = {}
    for indicator, value in figures.items():
        whole = indicator
        while whole:
            gains[whole.pk] = gains.get(whole.pk, 0) + value
            whole = indicators.get(whole.part_of_id)
    found = []
    for plan in plans:
        measured = list(plan.measure.indicators.all()) if plan.measure.kind in FED else []
        gain = sum(gains.get(indicator.pk, 0) for indicator in measured)
        if gain:
            found.append(_contribution(plan.measure, measured, gain))
    return found


def _contribution(measure, measured, gain):
    number = f"CT{measure.target.number}{measure.letter if measure.siblings > 1 else ''}"
    name = measured[0].name if len(measured) == 1 else measure.text or measure.target.text
    if len(name) > LONGEST:
        name = f"{name[:LONGEST].rstrip()}…"
    return Contribution(number, name, f"+{format_number(gain, measured[0].decimals)}", str(measure.target.issuer))
