"""The year-end report as JSON: names, order and scales are a promise to others (CONTRACT.md)."""

import json

from reports.breakdown import LEVELS
from targets.models import MeasureKind


def as_json(report):
    """Text of the file for a reports.yearend.YearEnd."""
    return json.dumps(as_dict(report), ensure_ascii=False, indent=2) + "\n"


def as_dict(report):
    """Numbers are in the indicators' own units, percentages in percent; null: no figure."""
    summary = report.summary
    indicators = {line.indicator.pk: line.indicator for line in report.lines}
    return {
        "unit": {"code": report.unit.code, "name": report.unit.name, "level": str(report.level)},
        "year": report.year.pk,
        "as_of": report.as_of.isoformat(),
        "summary": {
            "targets": summary.targets,
            "met": summary.met,
            "exceeded": summary.exceeded,
            "missed": summary.missed,
            "no_data": summary.no_data,
            "sentence": summary.sentence,
            "sentence_short": summary.sentence_short,
        },
        "targets": [_target(result) for result in report.targets],
        "indicators": [_line(line) for line in report.lines],
        "children": [_child(child, indicators) for child in report.children],
        "awards": report.awards,
        "warnings": report.warnings,
    }


def _target(result):
    target = result.target
    return {
        "number": target.number,
        "text": target.text,
        "issuer": target.issuer.code,
        "state": result.state.value,
        "measures": [_measure(row) for row in result.measures],
    }


def _measure(result):
    measure = result.measure
    decimals = scale_of(measure)
    sides = _side_scales(measure)
    return {
        "letter": measure.letter,
        "kind": measure.kind,
        "planned": plain(result.plan.planned, decimals),
        "registered": plain(result.plan.registered, decimals),
        "actual": plain(result.actual, decimals),
        "numerator": plain(result.numerator, sides[0]),
        "denominator": plain(result.denominator, sides[1]),
        "percent": plain(result.percent, 2),
        "difference": plain(result.difference, decimals),
        "last_year": plain(result.last_year, decimals),
        "state": result.state.value,
    }


def _line(line):
    indicator, decimals = line.indicator, line.indicator.decimals
    levels = {level.value: plain(line.by_level.get(level, 0), decimals) for level in LEVELS}
    own = line.own if line.total is None else line.own or 0
    return {
        "code": indicator.code,
        "name": indicator.name,
        "unit_of_measure": indicator.unit_of_measure,
        "nature": indicator.nature,
        "total": plain(line.total, decimals),
        "own": plain(own, decimals),
        "overlap": plain(line.overlap, decimals),
        "by_level": {} if line.total is None else levels,
    }


def _child(child, indicators):
    return {
        "code": child.unit.code,
        "name": child.unit.name,
        "indicators": {
            indicator.code: plain(child.totals[pk], indicator.decimals)
            for pk, indicator in indicators.items()
            if pk in child.totals
        },
    }


def scale_of(measure):
    """Decimals of the measure's values: those of its indicators for TOTAL, of hundredths of a percent otherwise."""
    return _decimals(measure.indicators) if measure.kind == MeasureKind.TOTAL else 2


def _side_scales(measure):
    """Decimals of numerator and denominator: indicators for RATE, units for the others."""
    if measure.kind != MeasureKind.RATE:
        return 0, 0
    return _decimals(measure.indicators), _decimals(measure.denominators)


def _decimals(related):
    return next((row.decimals for row in related.all()), 0)


def plain(value, decimals):
    """Smallest units as a plain number: 39780 with 2 decimals is 397.8, whole numbers are int; None stays None."""
    if value is None:
        return None
    whole, rest = divmod(value, 10**decimals)
    return value / 10**decimals if rest else whole
