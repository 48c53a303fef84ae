"""Reading uploads: good files whole and exact, hostile ones refused in one sentence, quickly, at no cost to us."""

import io
import random
import struct
import sys
import time
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.utils import get_column_letter

from unionwork.workbooks import NUMBER_FORMAT, BadWorkbook, read_rows, template_workbook, text_cell

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEADERS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Mã</t></is></c><c r="B1" t="inlineStr"><is><t>Tên</t></is></c></row>'
)
ROW_2 = '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>'
PARTS = {
    "[Content_Types].xml": f"""<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType=
"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{SHEET_TYPE}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET_TYPE}.worksheet+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="{SHEET_TYPE}.sharedStrings+xml"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Target=
"xl/workbook.xml" Type="{OFFICE}/officeDocument"/></Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="A" sheetId="1" r:id="r1"/>
</sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1"
Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>""",
    "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>x</t></si></sst>',
}
SHEET = "xl/worksheets/sheet1.xml"


def sheet(rows, before=""):
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData></worksheet>'


def xlsx(rows=HEADERS + ROW_2, before="", parts=(), prolog=""):
    """A workbook written part by part, so that any part can be wrong. `parts` replace or add."""
    everything = PARTS | {SHEET: prolog + sheet(rows, before)} | dict(parts)
    return pack(everything)


def pack(parts, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def with_part(name, chunks):
    """The workbook with one part streamed in, so that building a bomb needs no memory either."""
    stream = io.BytesIO(xlsx() if name != SHEET else pack(PARTS))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as part:
        for chunk in chunks:
            part.write(chunk)
    return stream.getvalue()


def ole(*streams):
    names = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + names + bytes(4096)


def patched(content, name, **fields):
    """Overwrites fields of the central directory entry of `name`."""
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(name.encode()))
    places = {"flag_bits": (8, "<H"), "crc": (16, "<I"), "file_size": (24, "<I"), "header_offset": (42, "<I")}
    changed = bytearray(content)
    for field, value in fields.items():
        place, form = places[field]
        struct.pack_into(form, changed, at + place, value)
    return bytes(changed)


def lying_about_size():
    """A part that inflates to 30 MB and says 100 bytes."""
    return patched(with_part("xl/media/a.bin", [bytes(1 << 20)] * 30), "xl/media/a.bin", file_size=100)


def overlapping():
    """Two names for one stream of compressed bytes."""
    content = xlsx(parts={"xl/a.xml": "<a/>", "xl/b.xml": "<a/>"})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        offset = archive.getinfo("xl/a.xml").header_offset
    return patched(content, "xl/b.xml", header_offset=offset)


def slow():
    """Small, few cells, well below every size limit: millions of elements that mean nothing."""
    digits = random.Random(7)
    block = "".join(f'<x a="{digits.randrange(10)}"/>' for _ in range(6_000)).encode()
    start, end = sheet("|").encode().split(b"|")
    return with_part(SHEET, [start, *[block] * 1_600, end])


def grid(rows, columns, cell):
    """Cells with their coordinates: `cell` has {} for it."""
    letters = [get_column_letter(n) for n in range(1, columns + 1)]
    return "".join(
        f'<row r="{n}">{"".join(cell.format(f"{letter}{n}") for letter in letters)}</row>' for n in range(1, rows + 1)
    )


def flood():
    """One long shared text in very many cells: 180 KB to us for each twenty bytes of theirs."""
    cells = grid(1_000, 100, '<c r="{}" t="s"><v>0</v></c>')
    return xlsx(cells, parts={"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>{"ă" * 30_000}</t></si></sst>'})


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB_SAYS = "Tệp nén bất thường (có thể gây hại) nên không được đọc."
XML_SAYS = "Tệp có khai báo XML nguy hiểm nên không được đọc."
RESAVE = "mở tệp bằng Excel rồi lưu lại kiểu “Excel Workbook (*.xlsx)”."
DAMAGED = f"Tệp bị hỏng hoặc tải lên chưa hết: {RESAVE}"
INSIDE = "Tệp chứa tệp khác bên trong: chọn đúng tệp .xlsx, hoặc xoá tệp đính kèm trong sổ tính."
OUTSIDE = "nằm ngoài 20.000 dòng và 120 cột đầu: xoá ô thừa hoặc chia nhỏ tệp."

HOSTILE = {
    "empty": (lambda: b"", "Tệp rỗng."),
    "text": (lambda: "Mã;Tên\n1;2".encode(), f"Tệp không phải sổ tính Excel (.xlsx): {RESAVE}"),
    "pdf": (lambda: b"%PDF-1.7\n" + bytes(5000), f"Tệp không phải sổ tính Excel (.xlsx): {RESAVE}"),
    "html renamed": (
        lambda: b"\xef\xbb\xbf\r\n<html><table><tr><td>1</td></tr></table></html>",
        f"Tệp là trang web hoặc XML đổi đuôi, không phải sổ tính Excel: {RESAVE}",
    ),
    "xls": (lambda: ole("Root Entry", "Workbook"), f"Tệp kiểu .xls đời cũ: {RESAVE}"),
    "encrypted": (
        lambda: ole("Root Entry", "EncryptionInfo", "EncryptedPackage"),
        "Tệp đặt mật khẩu: bỏ mật khẩu (Tệp → Thông tin → Bảo vệ sổ làm việc), lưu lại rồi thử lại.",
    ),
    "encrypted zip": (
        lambda: patched(xlsx(), SHEET, flag_bits=1),
        "Tệp đặt mật khẩu: bỏ mật khẩu, lưu lại rồi thử lại.",
    ),
    "truncated": (lambda: xlsx()[:900], DAMAGED),
    "damaged inside": (lambda: patched(xlsx(), SHEET, crc=1), DAMAGED),
    "xml cut off": (lambda: xlsx(parts={SHEET: sheet(HEADERS)[:-20]}), DAMAGED),
    "random after magic": (lambda: b"PK\x03\x04" + random.Random(1).randbytes(5000), DAMAGED),
    "zip": (lambda: pack({"báo cáo.xlsx": xlsx()}), INSIDE),
    "zip of text": (lambda: pack({"a.txt": "1"}), f"Tệp không phải sổ tính Excel (.xlsx): {RESAVE}"),
    "word": (
        lambda: pack({"[Content_Types].xml": "<Types/>", "word/document.xml": "<a/>"}),
        f"Tệp không phải sổ tính Excel (.xlsx): {RESAVE}",
    ),
    "ods": (
        lambda: pack({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<a/>"}),
        f"Tệp kiểu OpenDocument (.ods), không phải .xlsx: {RESAVE}",
    ),
    "xlsb": (lambda: xlsx(parts={"xl/workbook.bin": b"\x83"}), f"Tệp kiểu .xlsb: {RESAVE}"),
    "macro": (
        lambda: xlsx(parts={"xl/vbaProject.bin": b"\xd0\xcf"}),
        "Tệp có macro nên không được đọc: lưu lại kiểu “Excel Workbook (*.xlsx)”, không macro.",
    ),
    "zip in zip": (lambda: xlsx(parts={"xl/embeddings/a.zip": pack({"b": "1"})}), INSIDE),
    "zip in zip under another name": (lambda: xlsx(parts={"xl/media/a.png": pack({"b": "1"})}), INSIDE),
    "bomb": (lambda: with_part("xl/media/a.bin", [bytes(1 << 20)] * 90), BOMB_SAYS),
    "bomb above all limits": (lambda: with_part("xl/media/a.bin", [bytes(1 << 20)] * 200), BOMB_SAYS),
    "many entries": (lambda: xlsx(parts={f"xl/{n}.xml": "<a/>" for n in range(600)}), BOMB_SAYS),
    "same name twice": (lambda: xlsx(parts={"XL/WORKBOOK.XML": "<a/>"}), BOMB_SAYS),
    "overlapping": (overlapping, BOMB_SAYS),
    "declared size lies": (lying_about_size, DAMAGED),
    "odd compression": (lambda: pack(PARTS | {SHEET: sheet(HEADERS)}, zipfile.ZIP_BZIP2), BOMB_SAYS),
    "far cell": (
        lambda: xlsx(HEADERS + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        f"Ô XFD1048576 {OUTSIDE}",
    ),
    "far column": (lambda: xlsx(HEADERS + '<row r="2"><c r="XFD2"><v>1</v></c></row>'), f"Ô XFD2 {OUTSIDE}"),
    "far row": (lambda: xlsx(HEADERS + '<row r="20002"><c r="A20002"><v>1</v></c></row>'), f"Ô A20002 {OUTSIDE}"),
    "impossible row": (lambda: xlsx(HEADERS + '<row r="999999999"><c><v>1</v></c></row>'), f"Ô A999999999 {OUTSIDE}"),
    "row twice": (lambda: xlsx(HEADERS + ROW_2 + ROW_2), DAMAGED),
    "rows backwards": (lambda: xlsx(HEADERS + '<row r="3"><c><v>1</v></c></row>' + ROW_2), DAMAGED),
    "cell twice": (lambda: xlsx(HEADERS + '<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>'), DAMAGED),
    "no such shared text": (lambda: xlsx(HEADERS + '<row r="2"><c r="A2" t="s"><v>99</v></c></row>'), DAMAGED),
    "number of 9,000 digits": (lambda: xlsx(HEADERS + f'<row r="2"><c r="A2"><v>{"9" * 9000}</v></c></row>'), DAMAGED),
    "formula never calculated": (
        lambda: xlsx(HEADERS + '<row r="2"><c r="A2"><f>1+1</f></c></row>'),
        f"Ô A2 là công thức chưa được tính: {RESAVE}",
    ),
    "formula never calculated, with room for its value": (
        lambda: xlsx(HEADERS + '<row r="2"><c r="A2"><f>1+1</f><v></v></c></row>'),
        f"Ô A2 là công thức chưa được tính: {RESAVE}",
    ),
    "no headers": (
        lambda: xlsx('<row r="3"><c r="A3"><v>1</v></c></row>'),
        "Dòng 1 của trang tính đầu tiên để trống: dòng này phải là tên các cột.",
    ),
    "nothing": (
        lambda: xlsx(""),
        "Dòng 1 của trang tính đầu tiên để trống: dòng này phải là tên các cột.",
    ),
    "external entity": (
        lambda: xlsx(prolog='<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>'),
        XML_SAYS,
    ),
    "billion laughs": (lambda: xlsx(prolog=f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]>'), XML_SAYS),
    "entities in UTF-16": (
        lambda: xlsx(
            parts={
                SHEET: (
                    f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]>'
                    + sheet('<row r="1"><c r="A1" t="str"><v>&l9;</v></c></row>')
                ).encode("utf-16")
            }
        ),
        DAMAGED,
    ),
    "too many cells": (
        lambda: xlsx(grid(3_010, 100, '<c r="{}"/>')),
        "Tệp có hơn 300.000 ô: chỉ giữ trang tính cần nhập, xoá hàng và cột thừa, hoặc chia nhỏ tệp.",
    ),
    "flood of text": (flood, "Tệp có quá nhiều chữ: hãy chia thành nhiều tệp nhỏ hơn."),
    "slow": (slow, "Tệp đọc quá lâu nên đã dừng: xoá hàng, cột và định dạng thừa, hoặc chia thành nhiều tệp."),
    "over 10 MB": (
        lambda: bytes(11 << 20),
        "Tệp lớn hơn 10 MB: xoá ảnh và trang tính thừa, hoặc chia thành nhiều tệp.",
    ),
}


def refusal(content):
    with pytest.raises(BadWorkbook) as refused:
        read_rows(io.BytesIO(content))
    return refused.value.message


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.alone  # five seconds of a machine that has nothing else to do
def test_a_bad_file_is_refused_in_one_sentence_within_five_seconds(case):
    build, sentence = HOSTILE[case]
    content = build()
    start = time.monotonic()
    said = refusal(content)
    assert (said, time.monotonic() - start < 5) == (sentence, True)


def peak():
    """Peak memory of this process in MB since `forget_peak`."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("case", ["bomb", "far cell", "flood of text", "billion laughs", "declared size lies"])
def test_a_bad_file_costs_this_process_no_memory(case):
    content = io.BytesIO(HOSTILE[case][0]())
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    with pytest.raises(BadWorkbook):
        read_rows(content)
    assert peak() - before < 60  # the flood may answer with 48 MB on disk, never in memory at once


def test_a_missing_file_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "không có.xlsx", tmp_path):
        with pytest.raises(BadWorkbook) as refused:
            read_rows(path)
        assert refused.value.message == f"Không mở được tệp {path.name}."


def test_the_hand_written_workbook_that_the_bad_ones_vary_is_good(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx())
    read = read_rows(path)
    assert (read.headers, read.rows) == (["Mã", "Tên"], [(2, [1, 2])])
    assert read_rows(str(path)) == read_rows(io.BytesIO(xlsx())) == read


def test_a_clean_large_file_is_read_whole():
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    page = book.add_worksheet()
    page.write_row(0, 0, [f"Cột {c}" for c in range(10)])
    for row in range(1, 20_001):
        page.write_row(row, 0, [f"Chi đoàn số {row}", *range(row, row + 9)])
    book.close()
    read = read_rows(stream)
    assert len(read.rows) == 20_000
    assert read.rows[0] == (2, ["Chi đoàn số 1", *range(1, 10)])
    assert read.rows[-1] == (20_001, ["Chi đoàn số 20000", *range(20_000, 20_009)])


@pytest.mark.parametrize("dimension", ["A1", "A1:B1", "A1:XFD1048576"])
def test_a_wrong_dimension_hides_no_row(dimension):
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, 102))
    content = xlsx(HEADERS + rows, before=f'<dimension ref="{dimension}"/>')
    assert read_rows(io.BytesIO(content)).rows == [(n, [n, None]) for n in range(2, 102)]


def saved(*rows, edit=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if edit:
        edit(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream


def test_headers_and_text_come_in_nfc_and_stripped():
    nfd = "Ma\u0303 đo\u031bn vi\u0323"
    read = read_rows(saved([f" {nfd}\u00a0", "Tên"], [f"{nfd} ", "  "]))
    assert (read.headers, read.rows) == (["Mã đơn vị", "Tên"], [(2, ["Mã đơn vị", None])])


def test_rows_keep_their_own_numbers_when_blank_rows_stand_between():
    read = read_rows(saved(["A", "B"], [1], [], [None, " "], ["x", 2]))
    assert read.rows == [(2, [1, None]), (5, ["x", 2])]


def test_every_kind_of_cell_comes_as_people_see_it():
    cells = [
        (1234567, 1234567),
        (5.0, 5),
        (66.5, 66.5),
        (0.1 + 0.2, 0.3),
        (datetime(2024, 3, 26, 17, 30), date(2024, 3, 26)),
        (date(2024, 3, 26), date(2024, 3, 26)),
        (True, "TRUE"),
        ("#REF!", "#REF!"),
        ("2,819 tỷ", "2,819 tỷ"),
        (1e308, 1e308),
    ]
    read = read_rows(saved([f"C{n}" for n in range(len(cells))], [cell for cell, _ in cells]))
    assert read.rows == [(2, [shown for _, shown in cells])]


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.665, "0.0%", "66,5%"),
        (0.8, "0%", "80%"),
        (1, "0.00%", "100%"),
        (0.285, '0.0" "%', "28,5%"),
        (0.665, "0.0", 0.665),
    ],
)
def test_a_percentage_cell_is_read_as_the_percentage_it_shows(value, code, shown):
    def formatted(book):
        book.active["A2"].number_format = code

    assert read_rows(saved(["Giá trị"], [value], edit=formatted)).rows == [(2, [shown])]


def test_a_formula_gives_the_value_excel_calculated():
    cells = '<c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>""</f><v></v></c>'  # as Excel writes them
    assert read_rows(io.BytesIO(xlsx(f'{HEADERS}<row r="2">{cells}</row>'))).rows == [(2, [2, None])]


def test_dates_counted_from_1904_are_right():
    def old_mac(book):
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    assert read_rows(saved(["Ngày"], [date(2024, 3, 26)], edit=old_mac)).rows == [(2, [date(2024, 3, 26)])]


def test_the_first_visible_sheet_is_read():
    def reordered(book):
        lists = book.create_sheet("Danh mục", 0)
        lists.append(["không phải"])
        lists.sheet_state = "hidden"
        book.create_sheet("Khác").append(["cũng không"])

    assert read_rows(saved(["Mã"], ["x"], edit=reordered)).headers == ["Mã"]


def test_a_blank_header_above_values_is_kept_and_trailing_blank_columns_are_cut():
    read = read_rows(saved(["A", None, None, None], [1, None, 3, None]))
    assert (read.headers, read.rows) == (["A", "", ""], [(2, [1, None, 3])])


def test_a_file_with_headers_only_has_no_rows():
    assert read_rows(saved(["A"])).rows == []


PAYLOADS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    '=HYPERLINK("http://a")',
    "{=1}",
    "001",
    "https://example.vn",
    "a\x00b",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_is_never_written_as_a_formula(payload):
    book = openpyxl.Workbook()
    text_cell(book.active["A1"], payload)
    stream = io.BytesIO()
    book.save(stream)
    cell = openpyxl.load_workbook(stream).active["A1"]
    assert (cell.data_type, cell.value, cell.hyperlink) == ("s", payload.replace("\x00", ""), None)


def test_a_template_reads_back_as_it_was_prefilled():
    rows = [["001", "=1+1", 12_500_000, date(2024, 3, 26), None], ["ĐK01", "Chi đoàn", None, None, 66.5]]
    content = template_workbook(
        ["Mã", "Tên", "Giá trị", "Ngày", "Tỷ lệ"], rows, choices={"Tên": ["a", "b"]}, title="Đơn vị: 2/3"
    )
    assert read_rows(io.BytesIO(content)).rows == [(2, rows[0]), (3, rows[1])]


def test_a_template_has_frozen_headers_drop_downs_text_columns_and_grouped_numbers():
    content = template_workbook(
        ["Mã", "Loại", "Giá trị"],
        [["001", "Chi đoàn", 5]],
        choices={"Loại": ["Chi đoàn", "=Đoàn"]},
        text_columns={"Mã"},
    )
    book = openpyxl.load_workbook(io.BytesIO(content))
    page, lists = book.worksheets
    (rule,) = page.data_validations.dataValidation
    assert (page.freeze_panes, page.column_dimensions["A"].number_format) == ("A2", "@")
    assert (page["A2"].number_format, page["C2"].number_format) == ("@", NUMBER_FORMAT)
    assert (str(rule.sqref), rule.formula1) == ("B2:B20001", "'Danh mục'!$A$2:$A$3")
    assert (lists.sheet_state, [cell.value for cell in lists["A"]]) == ("hidden", ["Loại", "Chi đoàn", "=Đoàn"])
    assert {cell.data_type for cell in lists["A"]} == {"s"}
