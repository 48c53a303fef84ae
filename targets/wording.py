"""A measure in plain Vietnamese: what is counted, and how much is asked. Pure; expects indicators prefetched."""

from targets.models import MeasureKind
from unionwork.dates import format_date
from unionwork.numbers import format_money_short, format_number
from units.models import Level

COUNTED_UNITS = {
    Level.CENTRAL: "đơn vị cấp Trung ương",
    Level.PROVINCE: "đơn vị cấp tỉnh",
    Level.DISTRICT: "đơn vị cấp khối, huyện",
    Level.BASE: "cơ sở",
    Level.BRANCH: "chi đoàn",
}


def describe(measure):
    """One sentence: how the figure of this measure comes about."""
    sentence = {
        MeasureKind.TOTAL: _total,
        MeasureKind.RATE: _rate,
        MeasureKind.COVERAGE: _coverage,
        MeasureKind.MILESTONE: _milestone,
    }[measure.kind](measure)
    return f"Được tính: {sentence}"


def plan_in_words(measure, value):
    """A plan of this measure with its unit; large sums of money in short."""
    if measure.kind == MeasureKind.MILESTONE:
        return f"hoàn thành trước {format_date(measure.deadline)}" if measure.deadline else "hoàn thành trong năm"
    if measure.kind == MeasureKind.TOTAL and value is not None and unit_of(measure) == "đồng":
        return format_money_short(value)
    return measure.format_plan(value)


def unit_of(measure):
    """The unit of measure in which plans are written."""
    if measure.kind != MeasureKind.TOTAL:
        return "%"
    first = next(iter(measure.indicators.all()), None)
    return first.unit_of_measure if first else ""


def _total(measure):
    named = _named(measure.indicators.all())
    return f"tổng {named}" if unit_of(measure) == "đồng" else f"tổng số {named}"


def _rate(measure):
    numerators, denominators = measure.indicators.all(), measure.denominators.all()
    text = f"{_bracketed(numerators)} / {_bracketed(denominators)}"
    return text + (f", chỉ tính các đơn vị thuộc khối {measure.sector}" if measure.sector else "")


def _coverage(measure):
    units = _units(measure)
    indicators = list(measure.indicators.all())
    first = indicators[0] if indicators else None
    floor = format_number(measure.floor, first.decimals if first else 0)
    named = _named(indicators)
    if first and not named.startswith(first.unit_of_measure):
        return f"số {units} có {named} từ {floor} {first.unit_of_measure} trở lên / tổng số {units}"
    return f"số {units} có từ {floor} {named} trở lên / tổng số {units}"


def _milestone(measure):
    units = "đơn vị trực thuộc" + (f" khối {measure.sector}" if measure.sector else "")
    return f"đã hoàn thành, có văn bản kèm theo; ở cấp trên: số {units} đã hoàn thành / tổng số {units}"


def _units(measure):
    units = COUNTED_UNITS[measure.level]
    return f"{units} khối {measure.sector}" if measure.sector else units


def _bracketed(indicators):
    named = [f"số {_small(indicator.name)}" for indicator in indicators]
    return f"({' + '.join(named)})" if len(named) > 1 else "".join(named)


def _named(indicators):
    return " + ".join(_small(indicator.name) for indicator in indicators)


def _small(name):
    return name[:1].lower() + name[1:]
