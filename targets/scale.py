"""In which unit the numbers of a measure are written, and how a typed or imported one is read. See `Measure.value`."""

from decimal import Decimal

from targets.models import MeasureKind
from unionwork.numbers import NumberError, parse_number

MINIMUMS = ("ít nhất", "tối thiểu", "không dưới")  # what every plan means anyway
PERCENT = (2, "%")


def scale(kind, indicators):
    """(decimals, unit): of the indicators for TOTAL, hundredths of a percent for RATE and COVERAGE."""
    if kind != MeasureKind.TOTAL:
        return PERCENT
    return floor_scale(indicators)


def floor_scale(indicators):
    """(decimals, unit) of a COVERAGE's floor: those of the first indicator."""
    first = next(iter(indicators), None)
    return (first.decimals, first.unit_of_measure) if first else (0, "")


def scale_of(measure):
    """(decimals, unit) in which plans of this measure are written."""
    return scale(measure.kind, measure.indicators.all())


def read_plan(cell, decimals, unit):
    """A plan as an integer in the smallest unit, None when blank. Raises NumberError.

    A percent cell of a workbook holds 0.8 for 80%: a number from 0 to 1 reads two ways and is asked about.
    """
    if (decimals, unit) == PERCENT and isinstance(cell, int | float) and 0 < cell <= 1:
        small, large = (format(Decimal(repr(cell)) * times, "f").replace(".", ",") for times in (1, 100))
        large = large.rstrip("0").rstrip(",") if "," in large else large
        raise NumberError(f"ô này có hai cách hiểu: {small}% hay {large}%. Gõ thành chữ, ví dụ: {large}%")
    return exact(parse_number(cell, decimals, unit))


def exact(parsed):
    """The value of a `Parsed`; "ít nhất" is understood, "gần" is no plan. Raises NumberError."""
    if parsed.word and parsed.word not in MINIMUMS:
        raise NumberError(f"Kế hoạch cần số chính xác, không kèm “{parsed.word}”.")
    return parsed.value
