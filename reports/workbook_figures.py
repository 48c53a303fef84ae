"""Sheet “Số liệu phong trào”: every indicator by level, under the six headings of a report."""

from itertools import groupby

from reports.export_json import plain
from reports.workbook_page import Page, number_format, reference
from targets.models import Group
from units.models import Level

NAME = "Số liệu phong trào"
COLUMNS = ((Level.PROVINCE, "Cấp tỉnh"), (Level.DISTRICT, "Cấp khối/huyện"), (Level.BASE, "Cấp cơ sở"))
CENTRAL = (Level.CENTRAL, "Trung ương")
# Indicator code → that of its value in đồng, printed on the same line.
VALUES = {
    "cong-trinh-phan-viec": "tri-gia-cong-trinh-phan-viec",
    "cong-trinh": "tri-gia-cong-trinh",
    "phan-viec": "tri-gia-phan-viec",
    "suat-qua": "tri-gia-qua",
    "dot-kham-benh": "tri-gia-kham-benh",
    "chuong-trinh-thieu-nhi": "tri-gia-thieu-nhi",
}


def write(workbook, styles, report):
    lines = in_order(report.lines)
    levels = list(COLUMNS)
    if any(line.by_level.get(Level.CENTRAL) for line in lines):
        levels.append(CENTRAL)
    headers = ["Chỉ số", "ĐVT", *(label for _, label in levels), "Tổng", "Trị giá (đồng)", "Tự đơn vị", "Trừ trùng"]
    widths = [52, 15, *(17 for _ in levels), 19, 21, 17, 14]
    page = Page(workbook, styles, report, NAME, f"Số liệu phong trào năm {report.year}", headers, widths)
    rows = _rows(lines, page.row)
    for group, found in groupby(lines, key=lambda line: line.indicator.group):
        page.band(Group(group).label)
        for line in found:
            _line(page, line, levels, rows, lines)
            page.row += 1
    page.sign()
    page.close(frozen_columns=2)


def in_order(lines):
    """By group, and parts right below their whole."""
    by_whole = {}
    ids = {line.indicator.pk for line in lines}
    for line in lines:
        whole = line.indicator.part_of_id if line.indicator.part_of_id in ids else None
        by_whole.setdefault(whole, []).append(line)
    groups = list(Group)
    heads = sorted(by_whole.get(None, []), key=lambda line: groups.index(line.indicator.group))
    return [row for head in heads for row in _with_parts(head, by_whole)]


def _with_parts(line, by_whole):
    yield line
    for part in by_whole.get(line.indicator.pk, []):
        yield from _with_parts(part, by_whole)


def _rows(lines, first):
    """{indicator id: its row}, knowing that every group has a heading."""
    rows, group = {}, None
    for line in lines:
        if line.indicator.group != group:
            group, first = line.indicator.group, first + 1
        rows[line.indicator.pk] = first
        first += 1
    return rows


def _line(page, line, levels, rows, lines):
    row, indicator, decimals = page.row, line.indicator, line.indicator.decimals
    parts = [other for other in lines if other.indicator.part_of_id == indicator.pk]
    page.text(row, 0, indicator.name, indent=_depth(line, lines), bold=bool(parts))
    page.text(row, 1, indicator.unit_of_measure, align="center")
    for column, (level, _) in enumerate(levels, 2):
        _cell(
            page,
            column,
            line.by_level.get(level),
            [(rows[p.indicator.pk], p.by_level.get(level)) for p in parts],
            decimals,
        )
    total = 2 + len(levels)
    if line.total is None:
        page.blank(row, [total])
    else:
        cells = f"SUM({reference(row, 2)}:{reference(row, total - 1)})"
        page.formula(row, total, cells, plain(line.total, decimals), number_format(decimals), bold=True)
    _value(page, total + 1, indicator, rows, lines, total)
    page.number(row, total + 2, line.own, decimals)
    page.number(row, total + 3, line.overlap or None, decimals)


def _cell(page, column, value, parts, decimals):
    """A whole adds its parts as they stand on the sheet, and what was recorded on the whole itself."""
    found = [(row, part) for row, part in parts if part is not None]
    if value is None or not found:
        page.number(page.row, column, value, decimals)
        return
    formula = "+".join(reference(row, column) for row, _ in found)
    itself = value - sum(part for _, part in found)
    if itself:
        formula += f"{plain(itself, decimals):+}"
    page.formula(page.row, column, formula, plain(value, decimals), number_format(decimals))


def _value(page, column, indicator, rows, lines, total):
    """The total of the value indicator that belongs to the line, taken from its own line."""
    code = VALUES.get(indicator.code)
    line = next((line for line in lines if line.indicator.code == code and line.total is not None), None)
    if line is None:
        page.blank(page.row, [column])
        return
    cell = reference(rows[line.indicator.pk], total)
    page.formula(page.row, column, cell, plain(line.total, line.indicator.decimals), number_format(0))


def _depth(line, lines):
    by_id = {other.indicator.pk: other for other in lines}
    depth, whole = 0, by_id.get(line.indicator.part_of_id)
    while whole:
        depth, whole = depth + 1, by_id.get(whole.indicator.part_of_id)
    return depth
