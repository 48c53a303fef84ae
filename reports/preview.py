"""The year-end report as a page shows it: every cell formatted, with the address of the records behind it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from reports.breakdown import LEVELS
from reports.rows import records_url, shown
from reports.workbook_figures import in_order
from reports.workbook_targets import WORDS, note
from targets.models import Group, MeasureKind
from targets.wording import describe, unit_of
from unionwork.dates import format_date
from unionwork.numbers import format_number, format_percent
from units.models import Level

LEVEL_NAMES = {
    Level.CENTRAL: "Trung ương",
    Level.PROVINCE: "Cấp tỉnh",
    Level.DISTRICT: "Cấp khối/huyện",
    Level.BASE: "Cấp cơ sở",
}

TOTAL = "Toàn đơn vị"


@dataclass(frozen=True)
class Cell:
    text: str
    url: str = ""


class Preview:
    """`cut`: the day asked for, so that the lists behind the numbers end on it too."""

    def __init__(self, report, cut=None):
        self.report, self.cut = report, cut
        self.levels = [level for level in LEVELS if level != Level.CENTRAL or self._has_central()]

    def _has_central(self):
        return any(line.by_level.get(Level.CENTRAL) for line in self.report.lines)

    # --- kết quả chỉ tiêu ---

    def targets(self):
        for result in self.report.targets:
            target = result.target
            yield {
                "number": target.number,
                "text": target.text,
                "issuer": target.issuer.label,
                "state": result.state,
                "rows": [self._measure(row) for row in result.measures],
            }

    def _measure(self, result):
        measure = result.measure
        url = records_url(measure, self.report.unit, self.report.year) + self._until()
        change = None
        if result.actual is not None and result.last_year is not None:
            change = result.actual - result.last_year
        return {
            "number": str(measure),
            "text": measure.text or describe(measure),
            "unit": unit_of(measure) if measure.kind != MeasureKind.MILESTONE else "",
            "plan": self._plan(result),
            "registered": shown(result, result.plan.registered),
            "actual": Cell(shown(result, result.actual), url if result.actual is not None else ""),
            "percent": format_percent(result.percent),
            "last_year": shown(result, result.last_year),
            "change": f"{'+' if change and change > 0 else ''}{shown(result, change)}",
            "word": WORDS[result.state],
            "state": result.state,
            "note": note(result),
        }

    def _plan(self, result):
        if result.measure.kind == MeasureKind.MILESTONE:
            return format_date(result.measure.deadline) or "–"
        return shown(result, result.plan.planned)

    # --- số liệu phong trào ---

    def level_names(self):
        return [LEVEL_NAMES[level] for level in self.levels]

    @property
    def width(self):
        """Columns of the table of figures."""
        return 5 + len(self.levels)

    def groups(self):
        """[(heading, lines)] in the order of the six headings."""
        by_group = {}
        for line in in_order(self.report.lines):
            by_group.setdefault(line.indicator.group, []).append(self._line(line))
        return [(Group(group).label, lines) for group, lines in by_group.items()]

    def _line(self, line):
        indicator, unit = line.indicator, self.report.unit
        return {
            "name": indicator.name,
            "is_part": indicator.part_of_id is not None,
            "unit": indicator.unit_of_measure,
            "by_level": [self._cell(indicator, line.by_level.get(level), unit) for level in self.levels],
            "total": self._cell(indicator, line.total, unit),
            "own": self._cell(indicator, line.own, unit),
            "overlap": format_number(line.overlap, indicator.decimals) if line.overlap else "–",
        }

    # --- đơn vị × chỉ tiêu ---

    def columns(self):
        return [f"{line.indicator.name} ({line.indicator.unit_of_measure})" for line in self.report.asked]

    def children(self):
        lines = self.report.asked
        for child in self.report.children:
            found = [(line.indicator, child.totals.get(line.indicator.pk)) for line in lines]
            yield {
                "name": child.unit.label,
                "url": f"{reverse('year_report')}?{urlencode(self._query(child.unit))}{self._day('den-ngay')}",
                "cells": [self._cell(indicator, value, child.unit) for indicator, value in found],
            }

    def sums(self):
        """[(label, cells)]: children added up, own, counted twice, and the unit's own total."""
        lines = self.report.asked
        added = [[child.totals.get(line.indicator.pk) for child in self.report.children] for line in lines]
        known = [[value for value in values if value is not None] for values in added]
        rows = (
            ("Cộng các đơn vị trực thuộc", [sum(values) if values else None for values in known]),
            ("Tự đơn vị ghi nhận", [line.own for line in lines]),
            ("Trừ trùng (hoạt động phối hợp)", [line.overlap_here or None for line in lines]),
            (TOTAL, [line.total for line in lines]),
        )
        for label, values in rows:
            is_total = label == TOTAL
            cells = zip(lines, values, strict=True)
            yield label, [self._cell(line.indicator, value, is_total and self.report.unit) for line, value in cells]

    # --- addresses ---

    def _cell(self, indicator, value, unit):
        """A number that leads to the records of `unit` behind it; without `unit` or a figure it leads nowhere."""
        text = format_number(value, indicator.decimals)
        if value is None or not unit:
            return Cell(text)
        query = self._query(unit) | {"chi-so": indicator.code, "trang-thai": "da-duyet"}
        return Cell(text, f"{reverse('activity_list')}?{urlencode(query)}{self._until()}")

    def _query(self, unit):
        return {"nam": self.report.year.pk, "don-vi": unit.code}

    def _until(self):
        return self._day("den")

    def _day(self, name):
        return f"&{urlencode({name: format_date(self.cut)})}" if self.cut else ""
