"""A list as a file: .xlsx in constant memory, .csv as a stream.

Cells: text, whole numbers, Decimals, dates, moments (naive, local) or None.
"""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from tempfile import TemporaryFile

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse

from unionwork.dates import format_date

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Excel writes 1.234 only with a Vietnamese number format.
WHOLE, SPLIT = "[$-42A]#,##0", "[$-42A]#,##0.00"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
WIDEST = 60


def xlsx_response(name, headers, rows, caption=""):
    """The rows as a download `name`.xlsx, below one line that says what they are. Text stays text, whatever it begins
    with."""
    file = TemporaryFile()  # noqa: SIM115 – the response closes it
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet("Danh sách")
        formats = {
            int: book.add_format({"num_format": WHOLE}),
            Decimal: book.add_format({"num_format": SPLIT}),
            date: book.add_format({"num_format": "dd/mm/yyyy", "align": "left"}),
            datetime: book.add_format({"num_format": "dd/mm/yyyy hh:mm", "align": "left"}),
        }
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        top = 1 if caption else 0
        if caption:
            sheet.write_string(0, 0, caption)
        for place, header in enumerate(headers):
            sheet.set_column(place, place, min(WIDEST, max(12, len(header) + 2)))
            sheet.write_string(top, place, header, bold)
        sheet.freeze_panes(top + 1, 0)
        last = top
        for last, row in enumerate(rows, top + 1):
            for place, value in enumerate(row):
                _write(sheet, last, place, value, formats)
        sheet.autofilter(top, 0, last, len(headers) - 1)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)


def _write(sheet, row, place, value, formats):
    if value is None or value == "":
        return
    if isinstance(value, date):
        sheet.write_datetime(row, place, value, formats[type(value)])
    elif isinstance(value, int | Decimal):
        sheet.write_number(row, place, value, formats[type(value)])
    else:
        sheet.write_string(row, place, value)


def csv_response(name, headers, rows):
    """The rows as a download `name`.csv: UTF-8 with the mark by which Excel knows it, sent while it is written."""
    response = StreamingHttpResponse(_csv_lines(headers, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


FILES = {"xlsx": xlsx_response, "csv": csv_response}


def _csv_lines(headers, rows):
    line = io.StringIO()
    writer = csv.writer(line)
    line.write("\ufeff")
    for row in chain([headers], rows):
        writer.writerow([_csv_cell(value) for value in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _csv_cell(value):
    """Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%H:%M} {format_date(value)}" if isinstance(value, datetime) else format_date(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
