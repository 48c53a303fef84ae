"""Sheet “Kết quả chỉ tiêu”: every measure against what was given, registered and reached last year."""

from reports.arithmetic import State, share
from reports.export_json import plain, scale_of
from reports.workbook_page import PERCENT, Page, number_format, reference, signed_percent
from targets.cascade import Source
from targets.models import MeasureKind
from targets.wording import describe
from unionwork.dates import format_date
from unionwork.numbers import format_number, format_percent

NAME = "Kết quả chỉ tiêu"
HEADERS = (
    "STT",
    "Nội dung",
    "ĐVT",
    "Chỉ tiêu cấp trên giao",
    "Đăng ký",
    "Kết quả",
    "Tỷ lệ %",
    "Cùng kỳ năm trước",
    "Tăng/giảm",
    "Đánh giá",
    "Ghi chú",
)
WIDTHS = (6, 46, 13, 16, 15, 16, 11, 16, 15, 13, 36)
PLANNED, REGISTERED, ACTUAL, OF_PLAN, LAST_YEAR, CHANGE, STATE, NOTE = range(3, 11)
WORDS = {State.EXCEEDED: "Vượt", State.MET: "Đạt", State.MISSED: "Chưa đạt", State.NO_DATA: "Chưa có số"}


def write(workbook, styles, report):
    title = f"Kết quả thực hiện chỉ tiêu năm {report.year}"
    page = Page(workbook, styles, report, NAME, title, HEADERS, WIDTHS)
    issuers = {result.target.issuer_id for result in report.targets}
    shown = None
    for result in report.targets:
        target = result.target
        if len(issuers) > 1 and target.issuer_id != shown:
            page.band(f"Chỉ tiêu do {target.issuer.name} ban hành")
            shown = target.issuer_id
        _target(page, result)
        for row in result.measures:
            _measure(page, row)
    sentence = report.summary.sentence
    page.band(f"{sentence[:1].upper()}{sentence[1:]}.", italic=True)
    page.sign()
    page.close(frozen_columns=2)


def _target(page, result):
    row = page.row
    page.sheet.write_number(row, 0, result.target.number, page.style(border=1, bold=True, align="center"))
    page.text(row, 1, result.target.text, bold=True)
    page.blank(row, range(2, STATE))
    page.text(row, STATE, WORDS[result.state], bold=True, align="center")
    page.text(row, NOTE, result.target.note)
    page.row += 1


def _measure(page, result):
    row, measure = page.row, result.measure
    page.text(row, 0, measure, align="center")
    page.text(row, 1, measure.text or describe(measure))
    page.text(row, 2, _unit(measure), align="center")
    if measure.kind == MeasureKind.TOTAL:
        _total(page, result)
    else:
        _ratio(page, result)
    page.text(row, STATE, WORDS[result.state], align="center")
    page.text(row, NOTE, note(result))
    page.row += 1


def _total(page, result):
    row, decimals = page.row, scale_of(result.measure)
    cells = ((PLANNED, result.plan.planned), (REGISTERED, result.plan.registered), (ACTUAL, result.actual))
    for column, value in (*cells, (LAST_YEAR, result.last_year)):
        page.number(row, column, value, decimals)
    _of_plan(page, result, f"{reference(row, ACTUAL)}/{reference(row, PLANNED)}")
    change = None
    if result.actual is not None and result.last_year is not None:
        change = plain(result.actual - result.last_year, decimals)
    _change(page, change, number_format(decimals, signed=True))


def _ratio(page, result):
    """The result is its fraction, written out, so that a reader sees what was divided by what."""
    row, measure = page.row, result.measure
    fraction = f"{result.numerator}/{result.denominator}"
    if measure.kind == MeasureKind.MILESTONE and measure.deadline:
        page.date(row, PLANNED, measure.deadline)
    else:
        page.percent(row, PLANNED, result.plan.planned)
    page.percent(row, REGISTERED, result.plan.registered)
    if result.actual is None:
        page.percent(row, ACTUAL, None)
    else:
        rounded = f"ROUND({fraction},4)"
        if share(result.numerator, result.denominator) != result.actual or result.actual == 9_999:
            rounded = f"MIN({rounded},{result.actual / 10_000})"
        page.formula(row, ACTUAL, rounded, result.actual / 10_000, PERCENT)
    page.percent(row, LAST_YEAR, result.last_year)
    if measure.kind == MeasureKind.MILESTONE:
        _of_plan(page, result, reference(row, ACTUAL))
    else:
        _of_plan(page, result, f"{fraction}/{reference(row, PLANNED)}")
    known = result.actual is not None and result.last_year is not None
    _change(page, (result.actual - result.last_year) / 10_000 if known else None, signed_percent())


def _of_plan(page, result, ratio):
    """Rounded as everywhere: below 100% never shows as 100%."""
    if result.percent is None:
        page.percent(page.row, OF_PLAN, None)
        return
    formula = f"IF({ratio}<1,MIN(ROUND({ratio},4),0.9999),ROUND({ratio},4))"
    page.formula(page.row, OF_PLAN, formula, result.percent / 10_000, PERCENT)


def _change(page, change, num_format):
    if change is None:
        page.blank(page.row, [CHANGE])
    else:
        row = page.row
        page.formula(row, CHANGE, f"{reference(row, ACTUAL)}-{reference(row, LAST_YEAR)}", change, num_format)


def _unit(measure):
    if measure.kind == MeasureKind.TOTAL:
        return next((row.unit_of_measure for row in measure.indicators.all()), "")
    return "hoàn thành" if measure.kind == MeasureKind.MILESTONE else "%"


def note(result):
    """What the percentage alone does not say: by how much, of how many, given by whom."""
    measure, parts = result.measure, []
    if measure.kind != MeasureKind.TOTAL and result.numerator is not None and result.denominator:
        units = "" if measure.kind == MeasureKind.RATE else " đơn vị"
        parts.append(f"{format_number(result.numerator)}/{format_number(result.denominator)}{units}")
    if result.difference:
        parts.append(_compared(result, result.difference, "kế hoạch"))
    registered = result.plan.registered
    if registered is not None and result.actual is not None and result.actual != registered:
        parts.append(_compared(result, result.actual - registered, "đăng ký"))
    if measure.kind == MeasureKind.MILESTONE and measure.deadline:
        parts.append(f"hạn {format_date(measure.deadline)}")
    if result.overlap:
        parts.append(f"đã trừ trùng {format_number(result.overlap, scale_of(measure))}")
    if result.plan.source == Source.OWN:
        parts.append("đơn vị tự đặt ra")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _compared(result, difference, against):
    if result.measure.kind == MeasureKind.TOTAL:
        amount = f"{format_number(abs(difference), scale_of(result.measure))} {_unit(result.measure)}"
    else:
        amount = f"{format_percent(abs(difference)).removesuffix('%')} điểm phần trăm"
    return f"{'vượt' if difference > 0 else 'thiếu'} {amount} so với {against}"
