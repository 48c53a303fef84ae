"""Sheet “Đơn vị × chỉ tiêu”: what each direct child reached, and how the sum becomes the unit's own figure."""

from reports.export_json import plain
from reports.workbook_page import Page, number_format, reference

NAME = "Đơn vị × chỉ tiêu"


def write(workbook, styles, report):
    lines, measures = report.asked, _measures(report)
    headers = ["STT", "Đơn vị", *(f"{line.indicator.name} ({line.indicator.unit_of_measure})" for line in lines)]
    headers += [f"% kế hoạch chỉ tiêu {label}" for label in measures.values()]
    if len(headers) == 2:
        headers.append("Số liệu")
    widths = [6, 42, *(18 for _ in headers[2:])]
    title = f"Kết quả của các đơn vị trực thuộc năm {report.year}"
    page = Page(workbook, styles, report, NAME, title, headers, widths)
    first = page.row
    for number, child in enumerate(report.children, 1):
        page.sheet.write_number(page.row, 0, number, page.style(border=1, align="center"))
        page.text(page.row, 1, child.unit.name)
        for column, line in enumerate(lines, 2):
            page.number(page.row, column, child.totals.get(line.indicator.pk), line.indicator.decimals)
        found = {row.measure.pk: row.percent for result in child.targets for row in result.measures}
        for column, measure in enumerate(measures, 2 + len(lines)):
            page.percent(page.row, column, found.get(measure))
        page.row += 1
    _sums(page, report, lines, measures, first)
    page.sign()
    page.close(frozen_columns=2)


def _measures(report):
    """{measure id: label} of the unit's measures that reach a child too."""
    reached = {row.measure.pk for child in report.children for result in child.targets for row in result.measures}
    several = len({result.target.issuer_id for result in report.targets}) > 1
    return {
        row.measure.pk: f"{row.measure} của {result.target.issuer.label}" if several else str(row.measure)
        for result in report.targets
        for row in result.measures
        if row.measure.pk in reached
    }


def _sums(page, report, lines, measures, first):
    """Children added up, the unit's own records, minus what was counted twice: the stored total."""
    labels = ("Cộng các đơn vị trực thuộc", "Tự đơn vị ghi nhận", "Trừ trùng (hoạt động phối hợp)", "Toàn đơn vị")
    top = page.row
    for label in labels:
        page.blank(page.row, [0, *range(2, page.last + 1)])
        page.text(page.row, 1, label, bold=True)
        page.row += 1
    for column, line in enumerate(lines, 2):
        _sum(page, line, report.children, column, first, top)
    percents = {row.measure.pk: row.percent for result in report.targets for row in result.measures}
    for column, measure in enumerate(measures, 2 + len(lines)):
        page.percent(top + 3, column, percents[measure], bold=True)


def _sum(page, line, children, column, first, top):
    if line.total is None:
        return
    decimals = line.indicator.decimals
    shape = number_format(decimals)
    terms = []
    if children:
        added = sum(child.totals.get(line.indicator.pk, 0) for child in children)
        cells = f"SUM({reference(first, column)}:{reference(top - 1, column)})"
        page.formula(top, column, cells, plain(added, decimals), shape, bold=True)
        terms.append(reference(top, column))
    page.number(top + 1, column, line.own, decimals)
    page.number(top + 2, column, line.overlap_here or None, decimals)
    terms.append(reference(top + 1, column))
    formula = f"{'+'.join(terms)}-{reference(top + 2, column)}"
    page.formula(top + 3, column, formula, plain(line.total, decimals), shape, bold=True)
