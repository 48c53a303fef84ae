import io
from datetime import date
from types import SimpleNamespace

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports import giving_table_reading
from reports.giving_table import GivingTable, build, file_name
from reports.giving_table_reading import read
from targets import giving
from targets.models import DraftAssignment
from targets.years import close_year
from tests.factories import assign, make_indicator, make_target, make_unit
from tests.reports.sheets import calculated, formulas, header_row, reopened

LARGE = 9_000_000_000_000_000_000
LARGEST = "9.000.000.000.000.000.000"


@pytest.fixture
def table(world):
    """k1 gives b11, b12 and three more of every kind: in force, drafted, in common, with decimals, notes, huge."""
    made = SimpleNamespace(
        world=world, more=[make_unit(f"00{n}", parent=world.k1, name=f"=Đơn vị {n}") for n in range(3)]
    )
    made.length = make_indicator("thu-duong", decimals=2, unit_of_measure="km")
    made.money = make_indicator("thu-tien", unit_of_measure="tỷ đồng")
    rate = {"kind": "rate", "value": 8_000, "indicators": [world.times], "denominators": [world.members]}
    cover = {"kind": "coverage", "value": 10_000, "floor": 3, "indicators": [world.count], "sector": "trường học"}
    numbers = [{"kind": "total", "value": 700, "indicators": [row]} for row in (world.trees, made.length, made.money)]
    made.rate, _, made.deadline = make_target(
        world.tw, 2024, [rate, cover, {"kind": "milestone", "deadline": date(2024, 5, 31)}], number=1
    ).measures.all()
    made.trees, made.roads, made.sums = make_target(world.k1, 2024, numbers, number=1).measures.all()
    row = assign(made.trees, world.b11, 300)
    row.decision_number, row.decision_date, row.note = "05-QĐ/ĐK", date(2024, 2, 15), "Gồm cả vườn ươm: 2 ha"
    row.save()
    assign(made.rate, world.b12, 6_650)
    assign(made.roads, world.b11, 1_234)
    assign(made.sums, world.b12, LARGE)
    draft(made, made.trees, world.b12, 0, note="Chờ\nđất")
    draft(made, made.roads, world.b11, 40)
    draft(made, made.rate, made.more[0], 10_000)
    return made


def draft(made, measure, unit, planned, **fields):
    actor = made.world.staff
    DraftAssignment.objects.create(
        measure=measure, giver=made.world.k1, unit=unit, planned=planned, actor=actor, **fields
    )


def of(made, drafts=True):
    return GivingTable(made.world.k1, made.world.year, made.world.staff, drafts=drafts)


def drafts_now(made):
    rows = DraftAssignment.objects.filter(giver=made.world.k1).select_related("unit")
    return {(row.measure_id, row.unit.code): (row.planned, row.note) for row in rows}


class Book:
    """The exported workbook, to be edited by what its cells say."""

    def __init__(self, made):
        self.book = openpyxl.load_workbook(io.BytesIO(build(of(made))))
        self.sheet = self.book.active

    def column(self, key):
        """Number of a measure's column, or of a header's."""
        cells = [cell for row in self.sheet.iter_rows() for cell in row]
        wanted = key if isinstance(key, str) else f"y{key.pk}"
        return next(cell.column for cell in cells if cell.value == wanted)

    def row(self, code):
        column = self.column("Mã đơn vị")
        return next(row for row in range(1, self.sheet.max_row + 1) if self.sheet.cell(row, column).value == code)

    def cell(self, measure, code):
        return self.sheet.cell(self.row(code), self.column(measure))

    def saved(self):
        stream = io.BytesIO()
        self.book.save(stream)
        stream.seek(0)
        return stream


def read_back(made, book):
    return read(book.saved(), of(made))


def changed(made, book):
    """{(measure, unit code): new number} of a file without errors."""
    found = read_back(made, book)
    assert found.errors == []
    return {(row.column.measure, row.child.unit.code): row.planned for row in found.changes}


def test_the_table_is_an_official_document(table):
    live, values = reopened(build(of(table)))
    sheet, shown = live.active, values.active
    words = [cell.value for row in sheet.iter_rows(max_row=8) for cell in row if cell.value]
    assert words[:2] == ["ĐƠN VỊ P1", "ĐOÀN TNCS HỒ CHÍ MINH"]
    assert words[-2:] == [
        "BẢNG GIAO CHỈ TIÊU NĂM 2024",
        "Dự thảo điều chỉnh Quyết định số 05-QĐ/ĐK ngày 15/02/2024",
    ]
    top = header_row(sheet, "STT")
    assert [cell.value for cell in sheet[top]] == [
        "STT",
        "Mã đơn vị",
        "Đơn vị",
        "1a. Chỉ số thu-luot (%) – Đơn vị tw",
        "1b. Chỉ số thu-so-hoat-dong (%) – Đơn vị tw",
        "1a. Chỉ số thu-cay-xanh (cây) – Đơn vị k1",
        "1b. Chỉ số thu-duong (km) – Đơn vị k1",
        "1c. Chỉ số thu-tien (tỷ đồng) – Đơn vị k1",
        "Ghi chú",
    ]
    assert [[cell.value for cell in row[1:]] for row in shown.iter_rows(min_row=top + 2, max_row=top + 9)] == [
        ["000", "=Đơn vị 0", 1, None, None, None, None, None],
        ["001", "=Đơn vị 1", 0.8, None, None, None, None, None],
        ["002", "=Đơn vị 2", 0.8, None, None, None, None, None],
        ["b11", "Đơn vị b11", 0.8, None, 300, 0.4, None, "1a (Đơn vị k1): Gồm cả vườn ươm: 2 ha"],
        ["b12", "Đơn vị b12", 0.665, None, 0, None, "9.000.000.000.000.000.000", "1a (Đơn vị k1): Chờ đất"],
        [None, "Tổng đã giao", None, None, 300, 0.4, "9.000.000.000.000.000.000", None],
        [None, "Kế hoạch của đơn vị", 0.8, 1, 700, 7, 700, None],
        [None, "Còn lại (số âm: giao vượt)", None, None, 400, 6.6, None, None],
    ]
    found = formulas(sheet)
    assert len(found) == 4
    for cell in found:
        assert float(calculated(sheet, cell.value)) == pytest.approx(shown[cell.coordinate].value)
    assert {sheet.cell(top + 5, column).number_format for column in (6, 7)} == {"[$-42A]#,##0", "[$-42A]#,##0.00"}
    page = sheet.page_setup
    assert (page.paperSize, page.orientation, sheet.print_title_rows) == (9, "landscape", f"${top}:${top}")
    assert (sheet.freeze_panes, sheet.row_dimensions[top + 1].hidden) == (f"D{top + 1}", True)
    assert file_name(of(table)) == "GiaoChiTieu_k1_2024.xlsx"


def test_what_comes_back_unchanged_changes_nothing(table):
    assert read(io.BytesIO(build(of(table))), of(table)).changes == []
    assert changed(table, Book(table)) == {}  # saved by another program, its formulas without values


@given(data=st.data())
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_numbers_come_back_as_they_went(table, data):
    """Whatever stands in force and in drafts; and of a changed file exactly the changed cells."""
    DraftAssignment.objects.all().delete()
    tops = {table.trees: 10**18, table.roads: 10**14, table.sums: 10**15 + 5, table.rate: 10_000}
    units = [*table.more, table.world.b11, table.world.b12]
    numbers = {top: st.none() | st.integers(0, top) for top in tops.values()}
    for measure, top in tops.items():
        for unit in data.draw(st.sets(st.sampled_from(units))):
            note = data.draw(st.sampled_from(["", "ghi chú", "a: b"]))
            draft(table, measure, unit, data.draw(numbers[top]), note=note)
    before = of(table)
    assert read(io.BytesIO(build(before)), before).changes == []
    book, wanted = Book(table), {}
    for measure in data.draw(st.sets(st.sampled_from([table.trees, table.rate]), min_size=1)):
        unit, number = data.draw(st.sampled_from(units)), data.draw(st.integers(0, 10_000))
        book.cell(measure, unit.code).value = number / 10_000 if measure == table.rate else number
        column = next(column for column in before.columns if column.measure == measure)
        child = next(row for row in before.children if row.unit == unit)
        if before.shown(column, child) != number:
            wanted[measure, unit.code] = number
    assert changed(table, book) == wanted


def test_rows_and_columns_may_be_moved_or_left_out(table):
    book = Book(table)
    sheet = book.sheet
    book.cell(table.trees, "001").value = "1.200"
    book.cell(table.rate, "002").value = "66,5%"
    first, last = book.row("000"), book.row("b12")
    rows = [
        [sheet.cell(row, column).value for column in range(1, sheet.max_column + 1)] for row in range(first, last + 1)
    ]
    for row, values in enumerate(reversed(rows), first):
        for column, value in enumerate(values, 1):
            sheet.cell(row, column).value = value
    sheet.merged_cells.ranges.clear()
    sheet.delete_cols(book.column(table.roads))
    sheet.delete_cols(book.column("STT"))
    sheet.insert_rows(first + 2, 3)
    sheet.insert_rows(1, 2)
    sheet.delete_rows(book.row("000"))
    found = read_back(table, book)
    assert found.errors == []
    assert {(row.column.measure, row.child.unit.code): row.planned for row in found.changes} == {
        (table.trees, "001"): 1_200,
        (table.rate, "002"): 6_650,
    }
    assert [unit.code for unit in found.missing] == ["000"]


def test_blank_takes_back_and_notes_are_read(table):
    book = Book(table)
    book.cell(table.trees, "b11").value = None
    book.cell(table.rate, "b12").value = None
    book.sheet.cell(book.row("b12"), book.column("Ghi chú")).value = "1A (đơn vị K1) : Đủ đất\n1b (Đơn vị k1): Chờ vốn"
    found = read_back(table, book)
    assert [
        (row.column.measure, row.planned, row.note, row.text(row.seen), row.text(row.planned)) for row in found.changes
    ] == [
        (table.trees, None, None, "300 cây", "–"),
        (table.rate, None, None, "66,5%", "80% (chung)"),
        (table.trees, 0, "Đủ đất", "0 cây", "0 cây"),
        (table.roads, None, "Chờ vốn", "–", "–"),
    ]


def test_every_wrong_cell_is_said_in_words_and_nothing_is_saved(client, table):
    more = [make_unit(f"x{n}", parent=table.world.k1, name=f"Đơn vị x{n}") for n in range(4)]
    book = Book(table)
    wrong = {"000": "nhiều", "001": 1.5, "002": -5, "b11": 10**30, "b12": date(2024, 1, 1), "x0": "=1+1"}
    for code, value in wrong.items():
        book.cell(table.trees, code).value = value
    book.cell(table.rate, "001").value = 1.01
    rows = {code: book.row(code) for code in (*wrong, *(unit.code for unit in more))}
    code_column, notes = book.column("Mã đơn vị"), book.column("Ghi chú")
    for code, value in (("x1", "b21"), ("x2", "b12"), ("x3", None)):
        book.sheet.cell(rows[code], code_column).value = value
    book.sheet.cell(rows["000"], notes).value = "không rõ"
    book.sheet.cell(rows["001"], notes).value = "1a (Đơn vị k1): " + "x" * 201
    before = drafts_now(table)
    client.force_login(table.world.staff)
    response = upload(client, book.saved().read())
    assert (response.status_code, drafts_now(table)) == (422, before)
    said = {error["message"] for error in response.context["errors"]}
    where = {code: f"Ô F{row} (Đơn vị {code}, chỉ tiêu 1a (Đơn vị k1))" for code, row in rows.items()}
    where |= {f"00{n}": where[f"00{n}"].replace("Đơn vị 00", "=Đơn vị ", 1) for n in range(3)}
    large = "1" + ".000" * 10
    assert said == {
        f"{where['000']}: “nhiều” không phải là số. Ví dụ: 1.234",
        f"{where['001']}: “1,5” phải là số nguyên; hàng nghìn ngăn bằng dấu chấm. Ví dụ: 1.234",
        f"{where['002']}: “-5” là số âm; chỉ nhập số từ 0 trở lên. Ví dụ: 1.234",
        f"{where['b11']}: “{large.replace('.', '')}” quá lớn. Kiểm tra lại số chữ số; số lớn nhất là {LARGEST}",
        f"{where['b12']}: là ngày, không phải số",
        f"{where['x0']}: là công thức chưa được tính; mở tệp bằng Excel, lưu lại rồi thử lại",
        f"Ô D{rows['001']} (=Đơn vị 1, chỉ tiêu 1a (Đơn vị tw)): Tỷ lệ không quá 100%.",
        f"Dòng {rows['x1']}: Đơn vị k1 không có đơn vị trực thuộc mã “b21”",
        f"Dòng {rows['x2']}: Đơn vị b12 đã có ở dòng {rows['b12']}.",
        f"Dòng {rows['x3']}: thiếu mã đơn vị.",
        f"Ô I{rows['000']} (=Đơn vị 0, Ghi chú): mỗi dòng ghi chú bắt đầu bằng số chỉ tiêu, ví dụ “1a (Đơn vị tw): …”",
        f"Ô I{rows['001']} (=Đơn vị 1, Ghi chú): ghi chú dài hơn 200 ký tự",
    }


def test_a_foreign_or_broken_table_is_refused(table, monkeypatch):
    monkeypatch.setattr(giving_table_reading, "read_cells", plain_cells)
    keys = "giao-chi-tieu 2024 k1"

    def told(edit):
        book = Book(table)
        edit(book, book.row(keys), book.column(table.trees))
        try:
            return read_back(table, book).errors
        except giving_table_reading.Refused as refused:
            return str(refused)

    def key(value):
        return lambda book, row, column: setattr(book.sheet.cell(row, column), "value", value)

    header = "“1a. Chỉ số thu-cay-xanh (cây) – Đơn vị k1”"
    unknown = f"Cột F {header}: Đơn vị k1 không có chỉ tiêu này để giao. Tải lại bảng."
    assert told(key("y999999")) == [unknown]
    assert told(key(f"y{table.deadline.pk}")) == [unknown]
    assert told(key(None)) == [f"Cột F {header} không có trong bảng tải về: xoá cột này khỏi tệp."]
    assert told(key(f"y{table.rate.pk}")) == [f"Cột F {header} viết hai lần, ở D và F."]
    other = "Tệp này là bảng của đơn vị hoặc năm khác, không phải của Đơn vị k1 năm 2024: chọn đúng tệp."
    for text in ("giao-chi-tieu 2023 k1", "giao-chi-tieu 2024 k2"):
        assert told(lambda book, row, column, text=text: setattr(book.sheet.cell(row, 2), "value", text)) == other
    no_code = "Không thấy cột “Mã đơn vị” ở trang tính đầu tiên: đây không phải bảng giao chỉ tiêu tải từ hệ thống."
    assert told(lambda book, row, column: book.sheet.delete_cols(2)) == no_code
    assert told(lambda book, row, column: book.sheet.delete_rows(1, 200)) == no_code
    assert told(lambda book, row, column: book.sheet.delete_rows(row)) == giving_table_reading.NO_KEYS
    nothing = ["Tệp không còn dòng nào của đơn vị trực thuộc."]
    assert told(lambda book, row, column: book.sheet.delete_rows(row + 1, 5)) == nothing


def plain_cells(file, **limits):
    """The reader without a process of its own."""
    sheet = openpyxl.load_workbook(file).active
    rows = enumerate(sheet.iter_rows(), 1)
    return [(number, [_plain(cell) for cell in row]) for number, row in rows if any(cell.value for cell in row)]


def _plain(cell):
    is_percent = "%" in cell.number_format and isinstance(cell.value, int | float)
    return f"{cell.value:.2%}".replace(".", ",") if is_percent else cell.value


def upload(client, content, **query):
    url = reverse("giving_table_import") + "?" + "&".join(f"{k}={v}" for k, v in ({"nam": 2024} | query).items())
    return client.post(url, {"tep": SimpleUploadedFile("giao.xlsx", content)})


def confirm(client, page):
    url = reverse("giving_table_import") + "?nam=2024"
    return client.post(url, {"xac-nhan": "1", "thay-doi": page.context["signed"]}, follow=True)


def test_a_changed_file_is_previewed_then_kept_as_drafts(client, table):
    book = Book(table)
    book.cell(table.trees, "000").value = 500
    book.cell(table.rate, "b11").value = 0.5
    client.force_login(table.world.staff)
    before = drafts_now(table)
    page = upload(client, book.saved().read())
    assert drafts_now(table) == before
    assert [(row["unit"].code, row["label"], row["old"], row["new"]) for row in page.context["changes"]] == [
        ("000", "1a (Đơn vị k1)", "–", "500 cây"),
        ("b11", "1a (Đơn vị tw)", "80% (chung)", "50%"),
    ]
    assert "đã chia 800 cây trên 700 cây, vượt 100 cây (được phép)" in page.content.decode()
    done = confirm(client, page)
    assert "Đã lưu 2 thay đổi vào bản nháp." in done.content.decode()
    assert drafts_now(table) == before | {(table.trees.pk, "000"): (500, ""), (table.rate.pk, "b11"): (5_000, "")}
    assert "Không có số nào thay đổi." in confirm(client, page).content.decode()
    assert upload(client, build(of(table))).context.get("changes") is None


def test_numbers_others_wrote_meanwhile_are_not_overwritten(client, table):
    book = Book(table)
    book.cell(table.trees, "000").value = 500
    book.cell(table.rate, "b11").value = 0.5
    client.force_login(table.world.staff)
    page = upload(client, book.saved().read())
    wish = giving.Wish(table.more[0], 60, None)
    giving.save_draft(measure=table.trees, giver=table.world.k1, wishes=[wish], actor=table.world.central)
    before = drafts_now(table)
    refused = confirm(client, page)
    assert (refused.status_code, drafts_now(table)) == (409, before)  # the other measure's change neither
    assert [(row["unit"].code, row["old"], row["new"]) for row in refused.context["changes"]] == [
        ("000", "60 cây", "500 cây"),
        ("b11", "80% (chung)", "50%"),
    ]
    assert confirm(client, refused).status_code == 200
    assert drafts_now(table) == before | {(table.trees.pk, "000"): (500, ""), (table.rate.pk, "b11"): (5_000, "")}


def test_a_preview_is_signed_for_its_reader_and_table(client, table):
    book = Book(table)
    book.cell(table.trees, "000").value = 500
    world = table.world
    client.force_login(world.staff)
    signed = upload(client, book.saved().read()).context["signed"]
    before = drafts_now(table)
    url = reverse("giving_table_import")
    for user, query, sent in (
        (world.staff, "?nam=2024", f"{signed}x"),
        (world.staff, "?nam=2024", ""),
        (world.staff, "?nam=2024", "\0"),
        (world.secretary, "?nam=2024", signed),
        (world.central, "?nam=2024&don-vi=p1", signed),
    ):
        client.force_login(user)
        assert client.post(url + query, {"xac-nhan": "1", "thay-doi": sent}).status_code in (400, 422)
    close_year(year=2024)
    client.force_login(world.staff)
    answer = client.post(f"{url}?nam=2024", {"xac-nhan": "1", "thay-doi": signed})
    assert "đã đóng" in answer.content.decode()
    assert drafts_now(table) == before


@pytest.mark.parametrize("content", [b"", b"abc", b"PK\x03\x04" + b"x" * 99, b"\xd0\xcf\x11\xe0" + b"\0" * 600, None])
def test_what_is_no_workbook_is_refused_in_words(client, table, content):
    client.force_login(table.world.staff)
    url = f"{reverse('giving_table_import')}?nam=2024"
    response = upload(client, content) if content is not None else client.post(url)
    assert response.status_code == 422
    assert response.context["form"].errors["tep"]


def test_drafts_are_for_those_who_set_the_targets(client, table):
    world, url = table.world, reverse("giving_table_xlsx")

    def seen(user, **query):
        client.force_login(user)
        response = client.get(url, {"nam": 2024} | query)
        if response.status_code != 200:
            return response.status_code
        sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
        row = next(row for row in sheet.iter_rows(values_only=True) if row[1] == "b11")
        return sheet["A7"].value, row[6]

    assert seen(world.staff, **{"don-vi": "k1"})[1] == 0.4
    assert seen(world.viewer, **{"don-vi": "k1"})[1] == 12.34
    assert seen(world.stranger, **{"don-vi": "k1"}) == 404
    DraftAssignment.objects.all().delete()
    assert of(table).state == "Kèm theo Quyết định số 05-QĐ/ĐK ngày 15/02/2024"
    client.force_login(world.cadre)
    assert client.get(reverse("giving_table_import")).status_code == 403


def test_statements_do_not_grow_with_the_children(table):
    def count():
        with CaptureQueriesContext(connection) as queries:
            build(of(table))
        return len(queries)

    _, before = count(), count()
    for n in range(20):
        assign(table.trees, make_unit(f"them{n}", parent=table.world.k1), n)
    assert count() == before <= 9
