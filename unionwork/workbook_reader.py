"""Reads one workbook in a process of its own, so that a hostile file can only hurt that process.

Started by `unionwork.workbooks` with the file as standard input and the limits as arguments; knows neither Django nor
our other modules. Prints JSON lines: [row number, [cells]] with a date as ["2024-03-26"], then "end"; or, at any
point, {"refused": sentence}, or {"failed": name of the exception}. A third argument: the table may begin in any row,
and a formula without a value is [].
"""

import json
import os
import re
import signal
import sys
import unicodedata
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from time import process_time

MEGABYTE = 1 << 20
MAX_ENTRIES = 500
MAX_INFLATED = 100 * MEGABYTE
MAX_RATIO = 100  # of parts that inflate to more than a megabyte
MAX_CELLS = 300_000
MAX_OUTPUT = 48 * MEGABYTE
MEMORY = 512 * MEGABYTE
SECONDS = 3.5  # of processor time; a file with many cells gets more, because reading takes time in proportion
CELLS_A_SECOND = 12_500
CHUNK = 1 << 16

RESAVE = "mở tệp bằng Excel rồi lưu lại kiểu “Excel Workbook (*.xlsx)”"
DAMAGED = f"Tệp bị hỏng hoặc tải lên chưa hết: {RESAVE}."
UNCALCULATED = object()
CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")


class Refused(Exception):
    """The one sentence for the user."""


def main(max_rows, max_columns, anywhere=False):
    limit_resources()
    with open(1, "w", encoding="ascii", closefd=False) as answer:
        say = Answer(answer)
        try:
            with open(0, "rb", closefd=False) as source:
                cells = check_archive(source)
                allow(SECONDS + cells / CELLS_A_SECOND)
                for row in read_sheet(source, max_rows, max_columns, anywhere):
                    say.row(row)
            say.last("end")
        except Refused as refused:
            say.last({"refused": str(refused)})
        except MemoryError:
            say.last({"refused": "Tệp quá lớn để đọc: hãy chia thành nhiều tệp nhỏ hơn."})
        except Exception as error:  # openpyxl, zipfile and expat know some dozen ways to fail on a broken file
            say.last({"failed": type(error).__name__})


class Answer:
    """JSON lines, bounded: one long shared text may stand in very many cells."""

    def __init__(self, stream):
        self.stream = stream
        self.left = MAX_OUTPUT

    def row(self, value):
        line = json.dumps(value, separators=(",", ":"))
        self.left -= len(line)
        if self.left < 0:
            raise Refused("Tệp có quá nhiều chữ: hãy chia thành nhiều tệp nhỏ hơn.")
        self.stream.write(line + "\n")

    def last(self, value):
        self.stream.write(json.dumps(value) + "\n")


def limit_resources():
    """Memory and processor time; where the system has no such limits the parent's time-out remains, of wall time."""
    try:
        import resource
    except ImportError:
        return
    for limit, value in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, 30), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):
            continue
    allow(SECONDS)


def allow(seconds):
    """Of processor time, counted from the start, so that a busy server refuses no honest file; the kernel then ends
    this process, whatever C code it is in."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, max(seconds - process_time(), 0.001))


# --- the archive, before anything is parsed ---


def check_archive(source):
    """Number of cells (an estimate). Raises Refused for what is no harmless .xlsx."""
    check_beginning(source)
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Refused(DAMAGED) from None
    entries = archive.infolist()
    check_entries(entries, archive.start_dir)
    check_names([entry.filename for entry in entries])
    cells = inflate(archive, entries)
    if cells > MAX_CELLS:
        shown = f"{MAX_CELLS:,}".replace(",", ".")
        raise Refused(f"Tệp có hơn {shown} ô: chỉ giữ trang tính cần nhập, xoá hàng và cột thừa, hoặc chia nhỏ tệp.")
    return cells


def check_beginning(source):
    head = source.read(4096)
    if not head:
        raise Refused("Tệp rỗng.")
    if head.startswith(b"PK\x03\x04"):
        return
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in head + source.read():
            raise Refused("Tệp đặt mật khẩu: bỏ mật khẩu (Tệp → Thông tin → Bảo vệ sổ làm việc), lưu lại rồi thử lại.")
        raise Refused(f"Tệp kiểu .xls đời cũ: {RESAVE}.")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        raise Refused(f"Tệp là trang web hoặc XML đổi đuôi, không phải sổ tính Excel: {RESAVE}.")
    raise Refused(f"Tệp không phải sổ tính Excel (.xlsx): {RESAVE}.")


def check_entries(entries, directory):
    bomb = Refused("Tệp nén bất thường (có thể gây hại) nên không được đọc.")
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_INFLATED:
        raise bomb
    if len({entry.filename.casefold() for entry in entries}) < len(entries):
        raise bomb
    entries = sorted(entries, key=lambda entry: entry.header_offset)
    for entry, following in zip(entries, [entry.header_offset for entry in entries[1:]] + [directory], strict=True):
        if entry.flag_bits & 1:
            raise Refused("Tệp đặt mật khẩu: bỏ mật khẩu, lưu lại rồi thử lại.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise bomb
        if entry.file_size > MEGABYTE and entry.file_size > MAX_RATIO * entry.compress_size:
            raise bomb
        if entry.header_offset + 30 + len(entry.filename) + entry.compress_size > following:  # 30: a local header
            raise bomb


def check_names(names):
    lower = [name.casefold() for name in names]
    if "mimetype" in lower:
        raise Refused(f"Tệp kiểu OpenDocument (.ods), không phải .xlsx: {RESAVE}.")
    if "xl/workbook.bin" in lower:
        raise Refused(f"Tệp kiểu .xlsb: {RESAVE}.")
    if any(name.endswith("vbaproject.bin") or "macrosheets/" in name for name in lower):
        raise Refused("Tệp có macro nên không được đọc: lưu lại kiểu “Excel Workbook (*.xlsx)”, không macro.")
    if any(name.endswith((".zip", ".xlsx", ".xlsm", ".xls", ".rar", ".7z")) for name in lower):
        raise Refused("Tệp chứa tệp khác bên trong: chọn đúng tệp .xlsx, hoặc xoá tệp đính kèm trong sổ tính.")
    if "[content_types].xml" not in lower or not any(name.startswith("xl/") for name in lower):
        raise Refused(f"Tệp không phải sổ tính Excel (.xlsx): {RESAVE}.")


def inflate(archive, entries):
    """Reads every part once, keeping nothing: sizes as they are, not as declared. Returns the number of cells."""
    left = MAX_INFLATED
    cells = 0
    for entry in entries:
        is_sheet = "/worksheets/" in entry.filename
        before = b""
        try:
            with archive.open(entry) as part:
                while chunk := part.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise Refused("Tệp nén bất thường (có thể gây hại) nên không được đọc.")
                    check_chunk(chunk, before)
                    cells += len(CELL.findall(chunk)) if is_sheet else 0
                    before = chunk[-16:]
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
            raise Refused(DAMAGED) from None
    return cells


def check_chunk(chunk, before):
    """`before`: the end of the previous chunk, empty at the beginning of a part."""
    if not before and chunk.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Refused("Tệp chứa tệp khác bên trong: chọn đúng tệp .xlsx, hoặc xoá tệp đính kèm trong sổ tính.")
    joined = before + chunk
    if b"<!DOCTYPE" in joined or b"<!ENTITY" in joined:
        raise Refused("Tệp có khai báo XML nguy hiểm nên không được đọc.")


# --- the sheet ---


def read_sheet(source, max_rows, max_columns, anywhere):
    """Yields [row number, cells] of the first visible sheet, blank rows left out, cells cut after the last value."""
    os.environ["OPENPYXL_LXML"] = "False"  # before the import: only the standard parser goes through defusedxml
    import openpyxl
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    if not openpyxl.DEFUSEDXML:
        raise ImportError("defusedxml")
    ReadOnlyWorksheet._get_size = lambda sheet: None  # reads a whole sheet in search of a dimension we do not believe
    source.seek(0)
    workbook = openpyxl.load_workbook(source, read_only=True, data_only=True, keep_links=False)
    if not workbook.worksheets:
        raise Refused("Tệp không có trang tính nào.")
    sheet = next((sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"), workbook.worksheets[0])
    percents = percent_styles(workbook)
    last, headed = 0, False
    for number, found in parser(workbook, sheet, anywhere).parse():
        if number <= last:
            raise Refused(DAMAGED)
        last = number
        cells = []
        for cell in found:
            value = plain(cell["value"], cell["style_id"] in percents)
            if value is None:
                continue
            column = cell["column"]
            if number > max_rows + 1 or column > max_columns:
                limits = f"{max_rows:,} dòng và {max_columns} cột".replace(",", ".")
                place = f"{get_column_letter(column)}{number}"
                raise Refused(f"Ô {place} nằm ngoài {limits} đầu: xoá ô thừa hoặc chia nhỏ tệp.")
            if column <= len(cells):
                raise Refused(DAMAGED)
            cells += [None] * (column - 1 - len(cells)) + [value]
        if cells:
            if not headed and number > 1 and not anywhere:
                break
            headed = True
            yield [number, cells]
    if not headed and not anywhere:
        raise Refused("Dòng 1 của trang tính đầu tiên để trống: dòng này phải là tên các cột.")


def parser(workbook, sheet, anywhere):
    """openpyxl's parser of one sheet, below `iter_rows`: that drops repeated rows and cells out of order in silence,
    believes the declared dimension and fills gaps up to a far cell."""
    from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG, WorkSheetParser

    class Parser(WorkSheetParser):
        def parse_cell(self, element):
            cell = super().parse_cell(element)
            is_text = element.get("t") == "str" and element.find(VALUE_TAG) is not None  # a formula may give ""
            if cell["value"] is None and element.find(FORMULA_TAG) is not None and not is_text:
                if anywhere:
                    return cell | {"value": UNCALCULATED}
                raise Refused(f"Ô {element.get('r')} là công thức chưa được tính: {RESAVE}.")
            return cell

    return Parser(
        sheet._get_source(),
        sheet._shared_strings,
        data_only=True,
        epoch=workbook.epoch,
        date_formats=workbook._date_formats,
        timedelta_formats=workbook._timedelta_formats,
    )


def percent_styles(workbook):
    """Style ids whose number format shows a percentage: their cells hold 0.665 for 66,5%."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    own = workbook._number_formats
    formats = BUILTIN_FORMATS | {BUILTIN_FORMATS_MAX_SIZE + i: code for i, code in enumerate(own)}
    return {i for i, style in enumerate(workbook._cell_styles) if "%" in formats.get(style.numFmtId, "")}


def plain(value, is_percent):
    """A cell's value as the user sees it: text, int, float, [ISO date] or None."""
    if value is None or value is UNCALCULATED:
        return None if value is None else []
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip() or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return percent(value) if is_percent else as_shown(value)
    if isinstance(value, datetime | date):
        return [value.date().isoformat() if isinstance(value, datetime) else value.isoformat()]
    if isinstance(value, time):
        return value.isoformat("minutes")
    return str(value) if isinstance(value, timedelta) else str(value).strip() or None


def as_shown(number):
    """Excel shows 15 significant digits: 0.1 + 0.2 is 0.3. Integers come as int, infinities as text."""
    if isinstance(number, int):
        return number
    number = float(f"{number:.15g}")
    if number != number or abs(number) == float("inf"):
        return str(number)
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number


def percent(number):
    shown = f"{Decimal(repr(as_shown(number))) * 100:f}" if abs(number) < 1e12 else repr(number)
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown).replace(".", ",") + "%"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), bool(sys.argv[3:]))
