import io
import json
from datetime import date

import openpyxl
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from activities.models import Activity, Status, UnitTotal
from reports.workbook_kinds import RESOURCES
from targets.models import Assignment, Target, WorkYear
from tests.factories import assign, make_target, make_user
from tests.reports.worlds import indicator
from unionwork.workbooks import template_workbook
from units import access
from units.models import Placement, Unit

UNITS = ["Mã", "Tên", "Tên ngắn", "Loại", "Mã cấp trên", "Khối đối tượng", "Ngày thành lập", "Ngày giải thể"]
UNITS += ["Mã đơn vị kế thừa"]
ACTIVITIES = ["Mã đơn vị", "Loại hoạt động", "Tên hoạt động", "Từ ngày", "Đến ngày", "Địa điểm", "Cấp công trình"]
ACTIVITIES += ["Đơn vị phối hợp", "thu-cay-xanh"]
HEADERS = {
    "units": UNITS,
    "users": ["Tên đăng nhập", "Họ và tên", "Điện thoại", "Vai trò", "Mã đơn vị"],
    "indicators": ["Mã", "Tên", "Đơn vị tính", "Tính chất", "Số chữ số lẻ", "Nhóm", "Thuộc chỉ số"],
    "targets": [
        "Năm", "Mã đơn vị ban hành", "Số", "Nội dung", "Ý", "Cách tính", "Chỉ số", "Mẫu số", "Ngưỡng", "Cấp tính",
        "Khối đối tượng", "Giá trị", "Hạn", "Kết hợp",
    ],
    "assignments": [
        "Năm", "Mã đơn vị ban hành", "Số", "Ý", "Mã đơn vị", "Giao", "Đăng ký", "Số quyết định", "Ngày quyết định",
    ],
    "activities": ACTIVITIES[:-1],
    "declarations": ["Mã đơn vị", "Ngày chốt"],
}  # fmt: skip


def run(*args, **options):
    out = io.StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


def refused(*args, **options):
    """(what was printed, the last sentence)."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command(*args, stdout=out, **options)
    assert error.value.returncode == 1
    return out.getvalue(), str(error.value)


def workbook(path, headers, rows):
    path.write_bytes(template_workbook(headers, rows))
    return str(path)


# --- report ---


def test_report_writes_json_and_xlsx(khoi, tmp_path):
    for name in ("r.json", "r.XLSX"):
        said = run("report", unit="k1", year=2024, to=str(tmp_path / name))
        assert said == (f"Đã ghi {tmp_path / name}: hoàn thành 1/5 chỉ tiêu, trong đó 1 chỉ tiêu vượt kế hoạch.\n")
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["summary"]["met"] == 1
    assert openpyxl.load_workbook(tmp_path / "r.XLSX").sheetnames[0] == "Kết quả chỉ tiêu"


def test_report_as_of_a_day(khoi, tmp_path):
    path = tmp_path / "r.json"
    run("report", unit="k1", year=2024, as_of="2024-03-25", to=str(path))
    found = json.loads(path.read_text("utf-8"))
    assert (found["as_of"], found["targets"][0]["measures"][0]["actual"]) == ("2024-03-25", None)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"unit": "khong-co"}, "Không có đơn vị mã “khong-co”."),
        ({"year": 2031}, "Chưa mở năm công tác 2031."),
        ({"as_of": "31/02/2024"}, "“31/02/2024”: không có ngày 31 tháng 2; viết ngày/tháng/năm. Ví dụ: 26/03/2024"),
        ({"to": "r.docx"}, "Không ghi được tệp đuôi “.docx”: chọn tên tệp có đuôi .xlsx hoặc .json."),
        ({"to": "r"}, "Không ghi được tệp đuôi “”: chọn tên tệp có đuôi .xlsx hoặc .json."),
        ({"to": "/khong/co/r.json"}, "Không ghi được /khong/co/r.json: No such file or directory."),
    ],
)
def test_report_says_what_is_wrong(world, tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    assert refused("report", **({"unit": "k1", "year": 2024, "to": "r.json"} | options)) == ("", sentence)
    assert list(tmp_path.iterdir()) == []


# --- import_workbook ---


def test_import_writes_what_the_person_may_write(world, tmp_path):
    row = ["b11", "Loại thu-trong-cay", "Trồng cây đầu xuân", date(2024, 2, 20), None, "Sân trường", None, "b12", 35]
    path = workbook(tmp_path / "a.xlsx", ACTIVITIES, [row])
    assert run("import_workbook", "activities", path, username="cadre", check=True) == (
        "1 thêm mới, 0 cập nhật, 0 lỗi\n"
    )
    assert not Activity.objects.exists()
    assert run("import_workbook", "activities", path, username="cadre") == "1 thêm mới, 0 cập nhật, 0 lỗi\n"
    activity = Activity.objects.get()
    assert (activity.author, activity.title, activity.month) == (world.cadre, "Trồng cây đầu xuân", 2)
    assert [(row.indicator.code, row.value) for row in activity.figures.all()] == [
        ("thu-cay-xanh", 35),
        ("thu-so-hoat-dong", 1),
    ]


def test_records_of_past_periods_arrive_approved_by_a_second_person(world, tmp_path):
    row = ["b11", "Loại thu-trong-cay", "Trồng cây đầu xuân", date(2024, 2, 20), None, None, None, None, 35]
    path = workbook(tmp_path / "a.xlsx", ACTIVITIES, [row])
    run("import_workbook", "activities", path, username="cadre", approved_by="secretary")
    activity = Activity.objects.get()
    assert (activity.status, activity.approver) == (Status.APPROVED, world.secretary)
    assert UnitTotal.objects.get(unit=world.tw, indicator=world.trees, month=0).value == 35


def test_one_bad_row_and_nothing_is_written(world, tmp_path):
    good = ["b11", "Loại thu-trong-cay", "Trồng cây", date(2024, 2, 20), None, None, None, None, 35]
    bad = ["b21", "Loại thu-trong-cay", "Trồng cây", date(2024, 2, 20), None, None, None, None, "1,5"]
    path = workbook(tmp_path / "a.xlsx", ACTIVITIES, [good, bad])
    for check, created in ((False, 0), (True, 1)):
        said, last = refused("import_workbook", "activities", path, username="cadre", check=check)
        first, *errors = said.splitlines()
        assert first == f"{created} thêm mới, 0 cập nhật, {len(errors)} lỗi"
        assert [error.split(":")[0] for error in errors] == ['dòng 3, cột "Mã đơn vị"', 'dòng 3, cột "thu-cay-xanh"']
        assert last == "Không ghi gì vào hệ thống: sửa các chỗ trên rồi nhập lại."
    assert not Activity.objects.exists()


def test_units_are_added_and_moved_with_their_totals(khoi, tmp_path):
    world = khoi.world
    make_user("root", is_superuser=True)
    rows = [
        ["b11", "Đơn vị b11", None, "Đoàn cơ sở", "k2", None, None, None, None],
        ["b13", "Đoàn cơ sở mới", None, "Đoàn cơ sở", "k1", None, None, None, None],
    ]
    path = workbook(tmp_path / "u.xlsx", UNITS, rows)
    assert run("import_workbook", "units", path, username="root") == "1 thêm mới, 1 cập nhật, 0 lỗi\n"
    assert Unit.objects.get(code="b13").name == "Đoàn cơ sở mới"
    assert Placement.objects.current().get(unit=world.b11).parent == world.k2
    assert Placement.objects.get(unit=world.b11, year=2024).parent == world.k1
    call_command("audit_totals", stdout=io.StringIO())


def test_targets_of_a_year_never_opened_open_it(world, tmp_path):
    row = [2022, "k1", 1, "Trồng 100 cây", "a", "Tổng", "thu-cay-xanh", None, None, None, None, 100, None, None]
    path = workbook(tmp_path / "t.xlsx", HEADERS["targets"], [row])
    assert run("import_workbook", "targets", path, username="staff") == "1 thêm mới, 0 cập nhật, 0 lỗi\n"
    assert WorkYear.objects.filter(pk=2022).exists()
    assert Target.objects.get().measures.get().value == 100


@pytest.mark.parametrize(
    ("args", "options", "sentence"),
    [
        (
            ("khac", "a.xlsx"),
            {"username": "cadre"},
            f"Không có loại tệp “khac”; chọn một trong: {', '.join(RESOURCES)}.",
        ),
        (("units", "khong-co.xlsx"), {"username": "cadre"}, "Không tìm thấy tệp khong-co.xlsx."),
        (("units", "a.xlsx"), {"username": "ai-do"}, "Không có tài khoản “ai-do” đang hoạt động."),
        (("units", "a.xlsx"), {"username": "gone"}, "Không có tài khoản “gone” đang hoạt động."),
        (
            ("activities", "a.xlsx"),
            {"username": "cadre", "approved_by": "ai-do"},
            "Không có tài khoản “ai-do” đang hoạt động.",
        ),
        (
            ("activities", "a.xlsx"),
            {"username": "cadre", "approved_by": "cadre"},
            "Người duyệt phải là người khác với người nhập.",
        ),
        (
            ("units", "a.xlsx"),
            {"username": "cadre", "approved_by": "secretary"},
            "--approved-by chỉ dùng khi nhập hoạt động hoặc kê khai, không dùng cho units.",
        ),
    ],
)
def test_import_says_in_one_sentence_what_is_wrong(world, tmp_path, monkeypatch, args, options, sentence):
    make_user("gone", access.CADRE, world.b11, is_active=False)
    monkeypatch.chdir(tmp_path)
    workbook(tmp_path / "a.xlsx", ACTIVITIES, [])
    assert refused("import_workbook", *args, **options) == ("", sentence)


def test_a_file_that_is_no_workbook_is_one_error(world, tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_text("đây không phải Excel", encoding="utf-8")
    said, _ = refused("import_workbook", "units", str(path), username="admin")
    first, error = said.splitlines()
    assert first == "0 thêm mới, 0 cập nhật, 1 lỗi"
    assert error


# --- template ---


def test_the_kinds_are_those_of_the_contract():
    assert list(RESOURCES) == list(HEADERS)


@pytest.mark.parametrize("what", HEADERS)
def test_every_template_has_the_contracts_headers_first(world, tmp_path, what):
    path = tmp_path / "m.xlsx"
    for more in ({}, {"unit": "k1", "year": 2024}):
        assert run("template", what, to=str(path), **more) == f"Đã ghi {path}.\n"
        headers = [cell.value for cell in openpyxl.load_workbook(path).worksheets[0][1]]
        assert headers[: len(HEADERS[what])] == HEADERS[what]


def filled(tmp_path, what, **options):
    """[headers, rows] of a template for k1 in 2024."""
    path = tmp_path / "m.xlsx"
    run("template", what, to=str(path), unit="k1", year=2024, **options)
    headers, *rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    return list(headers), [list(row) for row in rows]


def test_templates_hold_the_units_own_codes(world, tmp_path):
    _, units = filled(tmp_path, "units")
    assert [row[0] for row in units] == ["k1", "b11", "b12"]
    headers, declarations = filled(tmp_path, "declarations")
    assert [(row[0], row[1].date()) for row in declarations] == [
        (code, date(2024, 12, 31)) for code in ("k1", "b11", "b12")
    ]
    assert {"Đoàn viên", "Chỉ số thu-doan-vien"} <= set(headers)
    assert "Chỉ số thu-cay-xanh" not in headers
    _, [target] = filled(tmp_path, "targets")
    assert target[:2] == [2024, "k1"]
    headers, activities = filled(tmp_path, "activities")
    assert ("Chỉ số thu-cay-xanh" in headers, "Chỉ số thu-so-hoat-dong" in headers, activities) == (True, False, [])


def test_a_template_of_a_year_never_opened_has_the_tree_it_will_get(world, tmp_path):
    Unit.objects.filter(code="b12").update(founded=date(2023, 5, 1))
    path = tmp_path / "m.xlsx"
    run("template", "declarations", to=str(path), unit="k1", year=2022)
    _, *rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    assert [(row[0], row[1].date()) for row in rows] == [("k1", date(2022, 12, 31)), ("b11", date(2022, 12, 31))]
    assert refused("template", "declarations", to=str(path), unit="k1", year=99_999) == (
        "",
        "Năm công tác phải từ 2000 đến 2100.",
    )


def test_a_template_of_assignments_comes_back_unchanged(world, tmp_path):
    make_target(
        world.k1,
        2024,
        [
            {"kind": "total", "value": 5000, "indicators": [indicator("duong-lam-moi")]},
            {"kind": "coverage", "value": 10_000, "floor": 3, "indicators": [world.trees]},
            {"kind": "milestone"},
        ],
        number=4,
    )
    total, coverage, _ = Target.objects.get().measures.all()
    assign(total, world.b11, 1250, registered=1300)
    assign(coverage, world.b12, 6650)
    _, rows = filled(tmp_path, "assignments")
    assert [row[:7] for row in rows] == [
        [2024, "k1", 4, "a", "b11", "12,5", "13"],
        [2024, "k1", 4, "a", "b12", None, None],
        [2024, "k1", 4, "b", "b11", None, None],
        [2024, "k1", 4, "b", "b12", "66,5%", None],
    ]
    path = workbook(tmp_path / "back.xlsx", HEADERS["assignments"], [rows[0], rows[3]])
    assert run("import_workbook", "assignments", path, username="staff") == "0 thêm mới, 2 cập nhật, 0 lỗi\n"
    assert list(Assignment.objects.order_by("pk").values_list("planned", "registered")) == [(1250, 1300), (6650, None)]


@pytest.mark.parametrize(
    ("args", "options", "sentence"),
    [
        (("khac",), {"to": "m.xlsx"}, f"Không có loại tệp “khac”; chọn một trong: {', '.join(RESOURCES)}."),
        (("units",), {"to": "m.csv"}, "Tệp mẫu là tệp Excel: chọn tên tệp có đuôi .xlsx."),
        (("units",), {"to": "m.xlsx", "unit": "xx"}, "Không có đơn vị mã “xx”."),
        (("units",), {"to": "/khong/co/m.xlsx"}, "Không ghi được /khong/co/m.xlsx: No such file or directory."),
    ],
)
def test_template_says_what_is_wrong(world, tmp_path, monkeypatch, args, options, sentence):
    monkeypatch.chdir(tmp_path)
    assert refused("template", *args, **options) == ("", sentence)
