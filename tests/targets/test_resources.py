import csv
import io
from datetime import date

import pytest
from django.conf import settings
from django.utils import timezone

from targets.models import Assignment, AssignmentVersion, Indicator, Measure, Target, WorkYear
from targets.resources import RESOURCES
from targets.years import close_year
from tests.factories import assign, make_target, make_unit, make_user
from unionwork.imports import run_import
from unionwork.workbooks import read_rows, template_workbook
from units import access

FIXTURES = settings.BASE_DIR / "fixtures"
HEADERS = {
    "indicators": "Mã|Tên|Đơn vị tính|Tính chất|Số chữ số lẻ|Nhóm|Thuộc chỉ số",
    "targets": "Năm|Mã đơn vị ban hành|Số|Nội dung|Ý|Cách tính|Chỉ số|Mẫu số|Ngưỡng|Cấp tính|Khối đối tượng|Giá trị|Hạn"
    "|Kết hợp",
    "assignments": "Năm|Mã đơn vị ban hành|Số|Ý|Mã đơn vị|Giao|Đăng ký|Số quyết định|Ngày quyết định",
}


def imported(what, user, *rows, check=False):
    file = io.BytesIO(template_workbook(HEADERS[what].split("|"), rows))
    return run_import(RESOURCES[what](user=user), file, check=check)


def target_row(**changes):
    """A row of the targets' workbook: 100 trees of khối k1."""
    row = dict.fromkeys(HEADERS["targets"].split("|"))
    row |= {"Năm": 2024, "Mã đơn vị ban hành": "k1", "Số": 1, "Nội dung": "Trồng cây", "Ý": "a"}
    row |= {"Cách tính": "Tổng", "Chỉ số": "thu-cay-xanh", "Giá trị": 100, "Kết hợp": "Tất cả"}
    return list((row | changes).values())


def given_row(**changes):
    row = dict.fromkeys(HEADERS["assignments"].split("|"))
    row |= {"Năm": 2024, "Mã đơn vị ban hành": "k1", "Số": 1, "Ý": "a", "Mã đơn vị": "b11", "Giao": 300}
    return list((row | changes).values())


@pytest.mark.parametrize("what", HEADERS)
def test_the_headers_are_those_of_the_contract(world, what):
    template = RESOURCES[what](user=world.central).template()
    assert read_rows(io.BytesIO(template)).headers == HEADERS[what].split("|")


# --- targets ---


def test_rows_of_one_number_become_one_target(world):
    coverage = {"Ý": "b", "Nội dung": None, "Kết hợp": None, "Cách tính": "Độ phủ", "Ngưỡng": 3, "Giá trị": "100%"}
    milestone = {"Số": 2, "Cách tính": "mốc", "Chỉ số": None, "Giá trị": None, "Hạn": "31/05/2024"}
    outcome = imported("targets", world.staff, target_row(), target_row(**coverage), target_row(**milestone))
    assert (outcome.summary(), outcome.errors) == ("3 thêm mới, 0 cập nhật, 0 lỗi", [])
    first, second = Target.objects.all()
    assert [(row.letter, row.kind, row.value, row.floor) for row in first.measures.all()] == [
        ("a", "total", 100, None),
        ("b", "coverage", 10000, 3),
    ]
    assert (first.join, first.group) == ("all", "movement")
    assert second.measures.get().deadline == date(2024, 5, 31)


def test_importing_again_updates_and_keeps_what_the_sheet_does_not_say(world):
    target = make_target(
        world.k1,
        2024,
        [
            {"kind": "total", "value": 5, "indicators": [world.trees], "year_end_only": True},
            {"kind": "milestone", "text": "Có báo cáo"},
        ],
        number=1,
        note="Giữ",
        join="any",
    )
    measures = list(target.measures.all())
    assign(measures[0], world.b11, 3)
    outcome = imported("targets", world.staff, target_row(**{"Kết hợp": None, "Giá trị": "2,5 nghìn"}))
    assert (outcome.summary(), outcome.errors) == ("0 thêm mới, 1 cập nhật, 0 lỗi", [])
    target.refresh_from_db()
    assert (target.text, target.note, target.join) == ("Trồng cây", "Giữ", "any")
    assert [(row.pk, row.value, row.text, row.year_end_only) for row in target.measures.all()] == [
        (measures[0].pk, 2500, "", True),
        (measures[1].pk, None, "Có báo cáo", False),
    ]


def test_a_year_that_was_never_opened_is_opened_and_a_closed_one_is_not(world):
    assert imported("targets", world.staff, target_row(**{"Năm": 2022})).errors == []
    assert WorkYear.objects.filter(pk=2022, is_open=True).exists()
    close_year(year=2022)
    outcome = imported("targets", world.staff, target_row(**{"Năm": 2022, "Số": 5}))
    assert outcome.errors == ['dòng 2, cột "Năm": Năm công tác 2022 đã đóng.']


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"Mã đơn vị ban hành": "k2"}, 'cột "Mã đơn vị ban hành": không có đơn vị mã "k2" mà bạn được đặt chỉ tiêu'),
        ({"Mã đơn vị ban hành": "p1"}, 'cột "Mã đơn vị ban hành": không có đơn vị mã "p1" mà bạn được đặt chỉ tiêu'),
        ({"Chỉ số": "khong-co+thu-luot"}, 'cột "Chỉ số": không có chỉ số mã "khong-co" trong danh mục'),
        ({"Chỉ số": None}, 'cột "Chỉ số": Chọn ít nhất một chỉ số.'),
        ({"Giá trị": "gần 500"}, 'cột "Giá trị": Kế hoạch cần số chính xác, không kèm “gần”.'),
        ({"Giá trị": None}, 'cột "Giá trị": Nhập kế hoạch, lớn hơn 0.'),
        ({"Ý": "1"}, 'cột "Ý": Ghi ý bằng chữ cái a, b, c…'),
        ({"Nội dung": None}, 'cột "Nội dung": Chỉ tiêu mới cần nội dung.'),
        ({"Số": 0}, 'cột "Số": Số thứ tự từ 1 đến 999.'),
        ({"Số": 1_000_000}, 'cột "Số": Số thứ tự từ 1 đến 999.'),
        ({"Năm": 1990}, 'cột "Năm": Năm công tác phải từ 2000 đến 2100.'),
        ({"Hạn": "31/05/2023"}, 'cột "Hạn": Hạn phải trong năm công tác (01/01/2024 đến 31/12/2024).'),
        (
            {"Cách tính": "Tỷ lệ", "Mẫu số": "thu-luot", "Giá trị": 0.8},
            'cột "Giá trị": ô này có hai cách hiểu: 0,8% hay 80%. Gõ thành chữ, ví dụ: 80%',
        ),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_saved(world, changes, error):
    outcome = imported("targets", world.staff, target_row(**{"Số": 9}), target_row(**changes))
    assert outcome.errors == [f"dòng 3, {error}"]
    assert Target.objects.count() == 0


def test_rows_of_one_target_must_agree_and_not_repeat(world):
    outcome = imported(
        "targets",
        world.staff,
        target_row(),
        target_row(**{"Ý": "b", "Nội dung": "Khác"}),
        target_row(**{"Ý": "c", "Kết hợp": "Một trong"}),
        target_row(**{"Ý": "A"}),
    )
    assert outcome.errors == [
        'dòng 3, cột "Nội dung": Nội dung khác với dòng 2 của cùng chỉ tiêu; ghi giống nhau hoặc để trống.',
        'dòng 4, cột "Kết hợp": Kết hợp khác với dòng 2 của cùng chỉ tiêu; ghi giống nhau hoặc để trống.',
        'dòng 5, cột "Ý": Ý a của chỉ tiêu này đã ghi ở dòng 2.',
    ]
    assert Target.objects.count() == 0


def test_an_import_cannot_change_what_a_measure_given_out_counts(world):
    target = make_target(world.k1, 2024, [{"kind": "total", "value": 5, "indicators": [world.trees]}], number=1)
    assign(target.measures.get(), world.b11, 3)
    outcome = imported("targets", world.staff, target_row(**{"Chỉ số": "thu-luot"}))
    assert [error[:28] for error in outcome.errors] == ["dòng 2: Không đổi cách tính,"]
    assert list(target.measures.get().indicators.all()) == [world.trees]


def test_a_check_writes_nothing(world):
    outcome = imported("targets", world.staff, target_row(**{"Năm": 2022}), check=True)
    assert outcome.summary() == "1 thêm mới, 0 cập nhật, 0 lỗi"
    assert (Target.objects.count(), WorkYear.objects.filter(pk=2022).count()) == (0, 0)


# --- the fixtures ---


@pytest.mark.parametrize("name", ["targets-2024", "targets-khoi-2024"])
def test_the_workbook_says_what_its_readable_source_says(name):
    with (FIXTURES / f"{name}.csv").open(encoding="utf-8", newline="") as source:
        headers, *rows = csv.reader(source)
    workbook = read_rows(FIXTURES / f"{name}.xlsx")
    assert workbook.headers == headers == HEADERS["targets"].split("|")
    assert [["" if cell is None else str(cell) for cell in cells] for _, cells in workbook.rows] == rows


@pytest.fixture
def national(world):
    tw = make_unit("TW", "trung-uong")
    return make_user("tw-van-phong", access.STAFF, tw)


def test_the_central_targets_of_2024_are_12_with_19_measures(national):
    outcome = run_import(RESOURCES["targets"](user=national), FIXTURES / "targets-2024.xlsx", check=False)
    assert outcome.errors == []
    plans = [(str(row), row.kind, row.value) for row in Measure.objects.order_by("target__number", "letter")]
    assert plans == [
        ("1a", "rate", 10000),
        ("1b", "rate", 8000),
        ("2a", "total", 12_000_000),
        ("3a", "total", 50_000),
        ("4a", "rate", 6000),
        ("4b", "rate", 4500),
        ("4c", "rate", 5500),
        ("5a", "total", 20_000_000),
        ("6a", "total", 63),
        ("7a", "total", 3_000_000_000_000),
        ("7b", "total", 1400),
        ("8a", "total", 2_400_000),
        ("8b", "total", 600_000),
        ("9a", "total", 1_400_000),
        ("10a", "total", 800_000),
        ("11a", "rate", 5000),
        ("11b", "rate", 6650),
        ("12a", "total", 200_000),
        ("12b", "milestone", None),
    ]
    assert Target.objects.count() == 12


def test_the_targets_of_the_khoi_are_six_and_count_only_schools_where_they_say_so(world):
    khoi = make_unit("DK-A", "doan-khoi", world.p1)
    make_unit("truong", parent=khoi, sector="Trường học")
    user = make_user("khoi-van-phong", access.STAFF, khoi)
    outcome = run_import(RESOURCES["targets"](user=user), FIXTURES / "targets-khoi-2024.xlsx", check=False)
    assert outcome.errors == []
    rows = Measure.objects.order_by("target__number", "letter")
    assert [(str(row), row.kind, row.value, row.floor, row.sector) for row in rows] == [
        ("1a", "rate", 10000, None, ""),
        ("1b", "rate", 8000, None, ""),
        ("2a", "coverage", 10000, 3, ""),
        ("3a", "coverage", 10000, 1, ""),
        ("4a", "total", 1, None, ""),
        ("5a", "total", 2, None, ""),
        ("5b", "total", 700, None, ""),
        ("6a", "rate", 8000, None, "Trường học"),
    ]


# --- assignments ---


@pytest.fixture
def total(world):
    fields = [{"kind": "total", "value": 700, "indicators": [world.trees]}]
    return make_target(world.k1, 2024, fields, number=1).measures.get()


def standing():
    rows = Assignment.objects.order_by("unit__code")
    return [(row.unit.code, row.planned, row.registered, row.decision_number, row.decision_date) for row in rows]


def test_numbers_are_given_and_given_again(world, total):
    rows = [
        given_row(**{"Số quyết định": "05-QĐ", "Ngày quyết định": "05/01/2024"}),
        given_row(**{"Mã đơn vị": "b12", "Giao": "1,5 nghìn", "Đăng ký": 1600}),
    ]
    outcome = imported("assignments", world.staff, *rows)
    assert (outcome.summary(), outcome.errors) == ("2 thêm mới, 0 cập nhật, 0 lỗi", [])
    assert standing() == [("b11", 300, None, "05-QĐ", date(2024, 1, 5)), ("b12", 1500, 1600, "", None)]
    again = imported("assignments", world.staff, given_row(Giao=310), given_row(**{"Mã đơn vị": "b12", "Giao": None}))
    assert (again.summary(), again.errors) == ("0 thêm mới, 2 cập nhật, 0 lỗi", [])
    assert standing() == [("b11", 310, None, "05-QĐ", date(2024, 1, 5)), ("b12", 1500, 1600, "", None)]
    versions = AssignmentVersion.objects.order_by("pk")
    assert list(versions.values_list("number", "planned", "in_force_from", "reason")) == [
        (1, 300, date(2024, 1, 5), "Nhập từ tệp Excel"),
        (1, 1500, timezone.localdate(), "Nhập từ tệp Excel"),
        (2, 310, timezone.localdate(), "Nhập từ tệp Excel"),  # not from the day of the decision that said 300
    ]


def test_a_draft_target_takes_no_numbers_for_units_below(world, total):
    Target.objects.filter(pk=total.target_id).update(issued_on=None)
    refused = imported("assignments", world.staff, given_row())
    assert "bản nháp: ban hành rồi mới nhập số giao" in str(refused.errors)
    assert (imported("assignments", world.staff, given_row(Giao=None)).errors, standing()) == ([], [])


def test_a_superiors_measure_is_given_on_within_the_own_reach(world):
    fields = [{"kind": "rate", "value": 8000, "indicators": [world.members], "denominators": [world.times]}]
    make_target(world.p1, 2024, fields, number=4)
    row = {"Mã đơn vị ban hành": "p1", "Số": 4, "Giao": "66,5%"}
    assert imported("assignments", world.staff, given_row(**row)).errors == []
    assert standing() == [("b11", 6650, None, "", None)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"Mã đơn vị": "b21"}, 'cột "Mã đơn vị": không có đơn vị mã "b21" mà bạn được giao chỉ tiêu'),
        ({"Mã đơn vị ban hành": "k2"}, 'không có chỉ tiêu nào của đơn vị mã "k2" trong phạm vi của bạn'),
        ({"Số": 5}, 'cột "Số": Đơn vị k1 không có chỉ tiêu 5 ý a năm 2024.'),
        ({"Ý": "b"}, 'cột "Số": Đơn vị k1 không có chỉ tiêu 1 ý b năm 2024.'),
        ({"Năm": 2019}, 'cột "Năm": Chưa mở năm công tác 2019.'),
        ({"Giao": "-5"}, 'cột "Giao": “-5” là số âm; chỉ nhập số từ 0 trở lên. Ví dụ: 1.234'),
        ({"Mã đơn vị": "b12"}, 'cột "Mã đơn vị": Đơn vị này của cùng một ý đã ghi ở dòng 2.'),
    ],
)
def test_a_bad_assignment_is_named_and_nothing_is_saved(world, total, changes, error):
    make_target(world.k2, 2024, [{"kind": "total", "value": 1, "indicators": [world.trees]}], number=1)
    outcome = imported("assignments", world.staff, given_row(**{"Mã đơn vị": "b12"}), given_row(**changes))
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith("dòng 3, ")
    assert outcome.errors[0].endswith(error)
    assert standing() == []


def test_a_unit_beside_the_issuer_is_refused(world, total):
    outcome = imported("assignments", world.central, given_row(**{"Mã đơn vị": "b21"}))
    assert outcome.errors == ['dòng 2, cột "Mã đơn vị": Đơn vị b21 không thuộc Đơn vị k1 trong cây đơn vị năm 2024.']


def test_a_closed_year_is_refused(world, total):
    close_year(year=2024)
    outcome = imported("assignments", world.staff, given_row())
    assert outcome.errors == ['dòng 2, cột "Năm": Năm công tác 2024 đã đóng.']


def test_every_bad_number_is_named_at_its_own_row(world, total):
    fields = {"indicators": [world.members], "denominators": [world.times]}
    make_target(world.k1, 2024, [{"kind": "rate", "value": 8000} | fields], number=2)
    make_target(world.k1, 2024, [{"kind": "milestone"}], number=3)
    rows = [
        given_row(Số=2, Giao="90%"),
        given_row(Số=2, Giao="150%", **{"Mã đơn vị": "b12"}),
        given_row(Số=2, Giao=None, **{"Mã đơn vị": "k1", "Đăng ký": "101%"}),
        given_row(Số=3, Giao=5),
        given_row(Giao=9, **{"Mã đơn vị": "k1"}),
    ]
    assert imported("assignments", world.staff, *rows).errors == [
        'dòng 3, cột "Giao": Tỷ lệ không quá 100%.',
        'dòng 4, cột "Đăng ký": Tỷ lệ không quá 100%.',
        'dòng 5, cột "Giao": “Mốc” áp dụng chung cho mọi đơn vị cấp dưới, không giao số.',
        'dòng 6, cột "Mã đơn vị": Đơn vị k1 ban hành chỉ tiêu này: kế hoạch của chính mình ghi ở chỉ tiêu, không giao.',
    ]
    assert standing() == []


def test_the_issuer_may_register_for_its_own_measure(world, total):
    row = given_row(**{"Mã đơn vị": "k1", "Giao": None, "Đăng ký": 800})
    assert imported("assignments", world.staff, row).summary() == "1 thêm mới, 0 cập nhật, 0 lỗi"
    assert standing() == [("k1", None, 800, "", None)]


def test_rows_left_blank_are_not_counted(world, total):
    outcome = imported("assignments", world.staff, given_row(), given_row(**{"Mã đơn vị": "b12", "Giao": None}))
    assert (outcome.summary(), len(standing())) == ("1 thêm mới, 0 cập nhật, 0 lỗi", 1)


def test_a_hundred_rows_cost_hardly_more_than_two(world, total, django_assert_max_num_queries):
    units = [make_unit(f"m{i}", parent=world.k1) for i in range(100)]
    with django_assert_max_num_queries(240):  # a savepoint a row, and little else
        outcome = imported("assignments", world.staff, *(given_row(**{"Mã đơn vị": unit.code}) for unit in units))
    assert outcome.created == 100


# --- indicators ---


def indicator_row(code, **changes):
    row = dict.fromkeys(HEADERS["indicators"].split("|"))
    row |= {"Mã": code, "Tên": f"Tên {code}", "Đơn vị tính": "cái", "Tính chất": "Phát sinh"}
    row |= {"Nhóm": "Công tác giáo dục"}
    return list((row | changes).values())


def test_indicators_are_added_with_their_parts_and_changed(world):
    rows = [indicator_row("moi"), indicator_row("moi-con", **{"Thuộc chỉ số": "moi", "Số chữ số lẻ": 0})]
    assert imported("indicators", world.central, *rows).summary() == "2 thêm mới, 0 cập nhật, 0 lỗi"
    assert Indicator.objects.get(code="moi-con").part_of.code == "moi"
    assert imported("indicators", world.central, indicator_row("moi", Tên="Tên khác")).updated == 1
    assert Indicator.objects.get(code="moi").name == "Tên khác"


def test_no_two_indicators_answer_to_one_header(world):
    rows = [
        indicator_row("THU-CAY-XANH"),
        indicator_row("moi", Tên="chỉ số  THU-CAY-XANH"),
        indicator_row("moi-1", Tên="moi-2"),
        indicator_row("moi-2"),
        indicator_row("moi-3", **{"Số chữ số lẻ": 7}),
    ]
    assert imported("indicators", world.central, *rows).errors == [
        'dòng 2, cột "Mã": Trùng với mã hoặc tên của chỉ số “Chỉ số thu-cay-xanh”; đặt khác đi.',
        'dòng 3, cột "Tên": Trùng với mã hoặc tên của chỉ số “Chỉ số thu-cay-xanh”; đặt khác đi.',
        'dòng 5, cột "Mã": Trùng với mã hoặc tên của chỉ số “moi-2”; đặt khác đi.',
        'dòng 6, cột "Số chữ số lẻ": Nhiều nhất 6 chữ số lẻ.',
    ]


def test_a_used_indicator_keeps_its_scale(world):
    row = indicator_row("thu-cay-xanh", **{"Số chữ số lẻ": 2})
    outcome = imported("indicators", world.central, row)
    assert outcome.errors == [
        'dòng 2, cột "Số chữ số lẻ": Chỉ số đã dùng nên không đổi số chữ số lẻ được; thêm chỉ số mới.'
    ]


def test_only_the_central_office_imports_indicators(world):
    for user in (world.staff, world.admin, world.cadre):
        outcome = imported("indicators", user, indicator_row("moi"))
        assert outcome.errors == ["Chỉ văn phòng hoặc quản trị Trung ương sửa được danh mục chỉ số."]
    assert not Indicator.objects.filter(code="moi").exists()


def test_nobody_gives_the_own_unit_another_number_by_workbook(world):
    target = make_target(world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}], number=1)
    assign(target.measures.get(), world.k1, 5)
    row = {"Mã đơn vị ban hành": "p1", "Mã đơn vị": "k1"}
    words = 'dòng 2, cột "Giao": Số giao cho Đơn vị k1 do cấp trên của đơn vị ghi; bạn chỉ ghi được cột “Đăng ký”.'
    assert imported("assignments", world.staff, given_row(**row, Giao=1)).errors == [words]
    assert imported("assignments", world.staff, given_row(**row | {"Giao": 5, "Số quyết định": "giả"})).errors == [
        words
    ]
    assert imported("assignments", world.staff, given_row(**row | {"Giao": 5, "Đăng ký": 7})).errors == []
    assert imported("assignments", world.central, given_row(**row | {"Giao": 6})).errors == []
    assert list(Assignment.objects.values_list("planned", "registered")) == [(6, 7)]
