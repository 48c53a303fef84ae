"""A printed page of a workbook in the form of the Đoàn's documents: heading, table, signature, print set-up."""

from xlsxwriter.utility import xl_rowcol_to_cell

from reports.export_json import plain
from units.models import Level

FONT = "Times New Roman"
LONGEST = 32_767  # characters a cell of Excel holds
VIETNAMESE = "[$-42A]"  # 1.234.567 whatever the language of the reader's Excel
PERCENT = f"{VIETNAMESE}0.0#%"
DATE = "dd/mm/yyyy"
HEADING_ROWS = 8


def number_format(decimals, *, signed=False):
    shape = "#,##0" + (f".{'0' * decimals}" if decimals else "")
    return f"{VIETNAMESE}+{shape};{VIETNAMESE}-{shape};{VIETNAMESE}0" if signed else VIETNAMESE + shape


def signed_percent():
    return f"{VIETNAMESE}+0.0#%;{VIETNAMESE}-0.0#%;{VIETNAMESE}0%"


def reference(row, column):
    return xl_rowcol_to_cell(row, column)


class Page:
    """One sheet. Rows and columns count from 0; `row` is the next free one below the header."""

    def __init__(self, workbook, styles, report, name, title, headers, widths, *, number="……-BC/ĐTN", note=None):
        self.workbook, self.styles, self.report = workbook, styles, report
        self.last = len(headers) - 1
        self.sheet = workbook.add_worksheet(name)
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)
        self._heading(title, number, note)
        for column, header in enumerate(headers):
            self.text(HEADING_ROWS, column, header, bold=True, align="center", bg_color="#DDE6F2")
        self.header_row, self.row = HEADING_ROWS, HEADING_ROWS + 1

    # --- cells ---

    def style(self, **properties):
        key = tuple(sorted(properties.items()))
        if key not in self.styles:
            base = {"font_name": FONT, "font_size": 12, "valign": "vcenter"}
            self.styles[key] = self.workbook.add_format(base | properties)
        return self.styles[key]

    def text(self, row, column, value, *, border=1, **properties):
        """User text, always as text: never a formula, a link or a number."""
        value = str(value)[:LONGEST]
        if not value:
            self.sheet.write_blank(row, column, None, self.style(border=border, **properties))
            return
        if value.startswith(("=", "+", "-", "@")):
            properties["quote_prefix"] = True
        self.sheet.write_string(row, column, value, self.style(border=border, text_wrap=True, **properties))

    def number(self, row, column, value, decimals=0, **properties):
        """A value in its smallest unit; None leaves the cell blank, which is not 0."""
        style = self.style(border=1, num_format=number_format(decimals), **properties)
        if value is None:
            self.sheet.write_blank(row, column, None, style)
        else:
            self.sheet.write_number(row, column, plain(value, decimals), style)

    def percent(self, row, column, hundredths, **properties):
        style = self.style(border=1, num_format=PERCENT, **properties)
        if hundredths is None:
            self.sheet.write_blank(row, column, None, style)
        else:
            self.sheet.write_number(row, column, hundredths / 10_000, style)

    def formula(self, row, column, formula, value, num_format, **properties):
        """A live formula with its value, so that readers that do not calculate see the stored figure."""
        style = self.style(border=1, num_format=num_format, **properties)
        self.sheet.write_formula(row, column, f"={formula}", style, value)

    def date(self, row, column, day):
        self.sheet.write_datetime(row, column, day, self.style(border=1, num_format=DATE, align="center"))

    def blank(self, row, columns):
        for column in columns:
            self.sheet.write_blank(row, column, None, self.style(border=1))

    def band(self, text, **properties):
        """A heading over the whole width of the table."""
        self.sheet.merge_range(self.row, 0, self.row, self.last, "", self.style(border=1, bold=True, **properties))
        self.text(self.row, 0, text, bold=True, **properties)
        self.row += 1

    # --- the document around the table ---

    def _heading(self, title, number, note):
        """`number`: the document's; `note`: the line below the title."""
        report, half = self.report, self.last // 2
        left = [report.superior.name.upper()] if report.superior else []
        left += [report.unit.name.upper(), "***", f"Số: {number}"]
        right = ["ĐOÀN TNCS HỒ CHÍ MINH", "……………, ngày …… tháng …… năm ………"]
        for row, text in enumerate(left):
            self._across(row, 0, half, text, bold=text == report.unit.name.upper())
        self._across(0, half + 1, self.last, right[0], bold=True, underline=1)
        self._across(1, half + 1, self.last, right[1], italic=True)
        self._across(5, 0, self.last, title.upper(), bold=True, font_size=14)
        until = note or f"Số liệu đã duyệt, chốt đến ngày {report.as_of:%d/%m/%Y}"
        self._across(6, 0, self.last, until, italic=True)

    def _across(self, row, first, last, text, **properties):
        properties |= {"align": "center"}
        if last > first:
            self.sheet.merge_range(row, first, row, last, "", self.style(border=0, text_wrap=True, **properties))
        self.text(row, first, text, border=0, **properties)

    def sign(self):
        """TM. BAN THƯỜNG VỤ / BÍ THƯ; a chi đoàn has no ban thường vụ."""
        is_branch = self.report.level == Level.BRANCH or self.report.unit.kind.name.startswith("Chi đoàn")
        body = "TM. BAN CHẤP HÀNH" if is_branch else "TM. BAN THƯỜNG VỤ"
        first = self.last // 2 + 1
        self._across(self.row + 1, first, self.last, body, bold=True)
        self._across(self.row + 2, first, self.last, "BÍ THƯ", bold=True)
        self.row += 7  # room for signature and seal

    def close(self, *, frozen_columns):
        """A4 across, fitted to the width, header repeated and frozen, nothing printed beyond the table."""
        sheet = self.sheet
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.center_horizontally()
        sheet.set_footer("&C&P/&N")
        sheet.repeat_rows(self.header_row)
        sheet.freeze_panes(self.header_row + 1, frozen_columns)
        sheet.print_area(0, 0, self.row, self.last)
