"""Excel workbooks from and for people: reading uploads safely, writing templates."""

import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from unionwork.workbook_reader import DAMAGED

logger = logging.getLogger(__name__)

if not openpyxl.DEFUSEDXML:
    raise ImportError("openpyxl đọc XML không qua defusedxml: cài defusedxml và bỏ OPENPYXL_DEFUSEDXML.")

NUMBER_FORMAT = "[$-42A]#,##0"  # 1.234.567 whatever the language of the reader's Excel
DATE_FORMAT = "dd/mm/yyyy"
MAX_BYTES = 10 << 20
READER = Path(__file__).with_name("workbook_reader.py")
LAST_RESORT = 40  # seconds; the reader ends itself long before
LAST_WORDS = 4096  # bytes, more than the reader's last line
LISTS = "Danh mục"
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\]")


class BadWorkbook(Exception):
    """A file that is not read; `message` is one Vietnamese sentence that says why and what to do."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message


class Uncalculated:
    """In a cell that `read_cells` returns: a formula that nobody has calculated yet."""


UNCALCULATED = Uncalculated()


@dataclass(frozen=True)
class Rows:
    """A sheet: `headers` (row 1, "" where blank) and `rows`, each (its row number in Excel, cells as wide as headers).

    Cells are str (NFC, stripped), int, float, date or None.
    """

    headers: list[str]
    rows: list[tuple[int, list]]


def read_rows(path_or_file, *, max_rows=20_000, max_columns=120):
    """The first visible sheet of an .xlsx, blank rows left out. Raises BadWorkbook.

    A child process does the reading, within limits of time and memory.
    """
    with _on_disk(path_or_file) as source, tempfile.TemporaryFile() as answer:
        return _table(_lines(answer, _run_reader(source, answer, max_rows, max_columns)))


def read_cells(path_or_file, *, max_rows=20_000, max_columns=120):
    """[(row number in Excel, cells)] of the first visible sheet: for a table below a heading, wherever it begins.

    Read like `read_rows`. Cells end with the row's last value; a formula without a value is UNCALCULATED.
    """
    with _on_disk(path_or_file) as source, tempfile.TemporaryFile() as answer:
        return _lines(answer, _run_reader(source, answer, max_rows, max_columns, "anywhere"))


@contextmanager
def _on_disk(path_or_file):
    """The upload as an open file at its beginning, which a child process can inherit."""
    if isinstance(path_or_file, str | os.PathLike):
        path = Path(path_or_file)
        if not path.is_file() or not os.access(path, os.R_OK):
            raise BadWorkbook(f"Không mở được tệp {path.name}.")
        _check_size(path.stat().st_size)
        with path.open("rb") as source:
            yield source
        return
    with tempfile.TemporaryFile() as source:
        path_or_file.seek(0)
        while chunk := path_or_file.read(1 << 16):
            source.write(chunk)
            _check_size(source.tell())
        source.seek(0)
        yield source


def _check_size(size):
    if size > MAX_BYTES:
        limit = f"{MAX_BYTES >> 20} MB"
        raise BadWorkbook(f"Tệp lớn hơn {limit}: xoá ảnh và trang tính thừa, hoặc chia thành nhiều tệp.")


def _run_reader(source, answer, max_rows, max_columns, *anywhere):
    """Exit status of the reader; None when it had to be ended from here."""
    command = [sys.executable, "-I", str(READER), str(max_rows), str(max_columns), *anywhere]
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    try:
        return subprocess.run(
            command,
            stdin=source,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=LAST_RESORT,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def _lines(answer, ended):
    """[(row number, cells)] as the reader said. Raises BadWorkbook unless it came to the end."""
    said = _last_line(answer)
    if said == "end":
        answer.seek(0)
        lines = (json.loads(line) for line in answer)
        return [(line[0], [_cell(cell) for cell in line[1]]) for line in lines if isinstance(line, list)]
    if isinstance(said, dict) and "refused" in said:
        raise BadWorkbook(said["refused"])
    logger.info("Workbook refused: reader said %.100r and ended with %s", said, ended)
    if said is None and (ended is None or ended < 0):
        raise BadWorkbook("Tệp đọc quá lâu nên đã dừng: xoá hàng, cột và định dạng thừa, hoặc chia thành nhiều tệp.")
    raise BadWorkbook(DAMAGED)


def _last_line(answer):
    """What the reader said last: how it went. None when it was ended before it could say."""
    answer.seek(max(0, answer.seek(0, os.SEEK_END) - LAST_WORDS))
    *_, last = [b"", *answer.read().splitlines()]
    try:
        said = json.loads(last)
    except ValueError:  # cut off, or nothing
        return None
    return None if isinstance(said, list) else said


def _cell(said):
    if isinstance(said, list):
        return date.fromisoformat(said[0]) if said else UNCALCULATED
    return said


def _table(found):
    width = max(len(cells) for _, cells in found)
    for _, cells in found:
        cells += [None] * (width - len(cells))
    (_, headers), *rows = found
    return Rows(["" if header is None else str(header) for header in headers], rows)


# --- writing ---


def text_cell(cell, value):
    """Writes user text as text: never a formula, without characters that Excel refuses."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", str(value))[:32_767]
    cell.data_type = "s"


def template_workbook(headers, rows=(), *, choices=None, title="", text_columns=()):
    """Bytes of a workbook to fill in: styled, frozen header row, `rows` of values prefilled.

    `choices`: {header: labels} become drop-down lists. `text_columns`: headers below which 001 stays 001.
    """
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = _NOT_IN_SHEET_NAMES.sub(" ", title)[:31].strip() or "Nhập liệu"
    sheet.freeze_panes = "A2"
    for place, header in enumerate(headers, 1):
        _header(sheet, place, header, as_text=header in text_columns)
    for number, row in enumerate(rows, 2):
        for place, value in enumerate(row, 1):
            _prefill(sheet.cell(number, place), value)
    _drop_downs(workbook, sheet, list(headers), choices or {})
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _header(sheet, place, header, *, as_text):
    cell = sheet.cell(1, place)
    text_cell(cell, header)
    cell.font = Font(bold=True, color="FFFFFF")
    cell.fill = PatternFill("solid", fgColor="1F4E79")
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    column = sheet.column_dimensions[get_column_letter(place)]
    column.width = min(max(len(header) + 4, 12), 40)
    if as_text:
        column.number_format = "@"


def _prefill(cell, value):
    if value is None or value == "":
        return
    if isinstance(value, date):
        cell.value, cell.number_format = value, DATE_FORMAT
    elif isinstance(value, int | float):
        cell.value = value
        cell.number_format = NUMBER_FORMAT if isinstance(value, int) else "General"
    else:
        text_cell(cell, value)
        cell.number_format = "@"


def _drop_downs(workbook, sheet, headers, choices):
    """One list per column on a hidden second sheet: a list inside the cell rule may hold only 255 characters."""
    if not choices:
        return
    lists = workbook.create_sheet(LISTS)
    lists.sheet_state = "hidden"
    for place, (header, labels) in enumerate(choices.items(), 1):
        text_cell(lists.cell(1, place), header)
        for number, label in enumerate(labels, 2):
            text_cell(lists.cell(number, place), label)
        letter = get_column_letter(place)
        rule = DataValidation(
            type="list",
            formula1=f"{quote_sheetname(LISTS)}!${letter}$2:${letter}${len(labels) + 1}",
            allow_blank=True,
            showErrorMessage=True,
            errorTitle="Không có trong danh mục",
            error="Chọn một giá trị trong danh sách.",
        )
        target = get_column_letter(headers.index(header) + 1)
        rule.add(f"{target}2:{target}20001")
        sheet.add_data_validation(rule)
