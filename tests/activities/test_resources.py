import io
from datetime import date, datetime
from time import process_time

import pytest

from activities import review
from activities.models import Activity, Event, Status, UnitTotal
from activities.resources import ActivityResource, DeclarationResource
from targets.models import Indicator, WorkYear
from targets.years import close_year
from tests.factories import make_activity, make_indicator, make_kind
from unionwork.imports import run_import
from unionwork.workbooks import template_workbook

HEADERS = [
    "Mã đơn vị",
    "Loại hoạt động",
    "Tên hoạt động",
    "Từ ngày",
    "Đến ngày",
    "Địa điểm",
    "Cấp công trình",
    "Đơn vị phối hợp",
]
KIND = "Loại thu-trong-cay"


def line(
    unit="b11", kind=KIND, title="Trồng cây", start="26/03/2024", *figures, end=None, place="", level="", hosts=""
):
    return [unit, kind, title, start, end, place, level, hosts, *figures]


def load(resource, rows, extra=("thu-cay-xanh",), headers=HEADERS, check=False):
    file = io.BytesIO(template_workbook([*headers, *extra], rows))
    return run_import(resource, file, check=check)


def total(unit, indicator, year=2024):
    rows = UnitTotal.objects.filter(unit=unit, indicator=indicator, month=0, year=year)
    return sum(rows.values_list("value", flat=True))


def test_activities_arrive_waiting_for_approval(world):
    rows = [
        line("b11", KIND, "Đợt 1", "26/03/2024", "trên 1.250", 40, end="28/03/2024", place="Đồi", hosts="b12; b21"),
        line("b12", KIND.upper(), None, datetime(2024, 4, 1), 30, None),
    ]
    outcome = load(ActivityResource(user=world.staff), rows, extra=("THU-CAY-XANH", "Chỉ số thu-luot"))
    assert (outcome.created, outcome.updated, outcome.errors) == (2, 0, [])
    first, second = Activity.objects.order_by("pk")
    assert (first.unit, first.title, first.first_day, first.last_day, first.place, first.status, first.author) == (
        world.b11,
        "Đợt 1",
        date(2024, 3, 26),
        date(2024, 3, 28),
        "Đồi",
        Status.PENDING,
        world.staff,
    )
    assert sorted(first.figures.values_list("indicator__code", "value", "word")) == [
        ("thu-cay-xanh", 1250, "trên"),
        ("thu-luot", 40, ""),
        ("thu-so-hoat-dong", 1, ""),
    ]
    assert [row.unit.code for row in first.hosts.order_by("unit__code")] == ["b12", "b21"]
    assert (second.title, second.last_day, second.submitted_at is None) == (KIND, date(2024, 4, 1), False)
    assert sorted(second.figures.values_list("indicator__code", "value")) == [
        ("thu-cay-xanh", 30),
        ("thu-so-hoat-dong", 1),
    ]
    assert list(first.events.values_list("step", flat=True)) == ["create", "submit"]
    assert total(world.tw, world.trees) == 0


def test_with_an_approver_they_arrive_counted(world):
    rows = [line("b11", KIND, f"Đợt {number}", "26/03/2024", number) for number in (10, 20)]
    outcome = load(ActivityResource(user=world.staff, approver=world.secretary), rows)
    assert (outcome.created, outcome.errors) == (2, [])
    assert (total(world.b11, world.trees), total(world.tw, world.trees)) == (30, 30)
    assert set(Activity.objects.values_list("status", "approver")) == {(Status.APPROVED, world.secretary.pk)}
    assert Event.objects.count() == 6


@pytest.mark.parametrize("who", ["staff", "stranger", "cadre", "viewer"])
def test_an_approver_without_the_right_stops_the_whole_file(world, who):
    rows = [line("b11", KIND, "Đợt 1", "26/03/2024", 10)]
    approver = getattr(world, who)
    outcome = load(ActivityResource(user=world.staff, approver=approver), rows)
    assert outcome.errors == [
        f"dòng 2: {approver} không duyệt được: Người ghi không tự duyệt: hoạt động do bí thư cấp trên, hoặc một người"
        " khác ở cấp khối trở lên, duyệt."
    ]
    assert (Activity.objects.count(), total(world.tw, world.trees)) == (0, 0)


def test_every_bad_row_is_named_and_nothing_is_written(world):
    works = make_kind("thu-cong-trinh", [world.times], name="Công trình thử", has_work_level=True)
    works.kind_figures.update(required=True)
    rows = [
        line("b11", KIND, "Tốt", "26/03/2024", 10, None),
        line("b21", KIND, "Ngoài phạm vi", "26/03/2024", 10, None),
        line("b11", "Loại lạ", "x", "26/03/2024", 10, None),
        line("b11", KIND, "x", "31/02/2024", 10, None),
        line("b11", KIND, "y", "26/03/2024", 10, None, end="25/03/2024"),
        line("b11", KIND, "z", "26/03/2024", "1,234,567", None),
        line("b11", KIND, "u", "26/03/2024", 10, None, level="Khối / huyện"),
        line("b11", KIND, "v", "26/03/2024", 10, None, hosts="b11"),
        line("b11", KIND, "w", "26/03/2024", 10, None, hosts="khong-co"),
        line("b11", "Công trình thử", "k", "26/03/2024", None, None),
        line("b11", KIND, "tương lai", "26/03/2099", 10, None),
        line("b11", KIND, "  tỐt ", "26/03/2024", 99, None),
        line("b11", KIND, "quá lớn", "26/03/2024", 10**16, None),
    ]
    outcome = load(ActivityResource(user=world.staff), rows, extra=("thu-cay-xanh", "Chỉ số thu-luot"))
    assert [error.partition(": ")[0] for error in outcome.errors] == [
        'dòng 3, cột "Mã đơn vị"',
        'dòng 4, cột "Loại hoạt động"',
        'dòng 5, cột "Từ ngày"',
        'dòng 6, cột "Đến ngày"',
        'dòng 7, cột "thu-cay-xanh"',
        'dòng 8, cột "Cấp công trình"',
        'dòng 9, cột "Đơn vị phối hợp"',
        'dòng 10, cột "Đơn vị phối hợp"',
        'dòng 11, cột "Chỉ số thu-luot"',
        'dòng 11, cột "Cấp công trình"',
        'dòng 12, cột "Từ ngày"',
        "dòng 13",
        'dòng 14, cột "thu-cay-xanh"',
    ]
    assert outcome.errors[0] == 'dòng 3, cột "Mã đơn vị": không có đơn vị mã "b21" trong phạm vi của bạn'
    assert outcome.errors[11] == (
        "dòng 13: trùng với dòng 2: cùng đơn vị, loại, tên và ngày; nếu là hoạt động khác, đặt tên khác"
    )
    assert (outcome.created, Activity.objects.count()) == (0, 0)


def test_the_same_file_twice_is_refused_naming_the_records(world):
    rows = [line("b11", KIND, f"Đợt {number}", "26/03/2024", number) for number in (10, 20)]
    load(ActivityResource(user=world.staff), rows)
    first, second = Activity.objects.order_by("pk")
    outcome = load(ActivityResource(user=world.staff), rows)
    why = "cùng đơn vị, loại, tên và ngày; nếu là hoạt động khác, đặt tên khác"
    assert outcome.errors == [
        f"dòng 2: trùng với {first.code} đã có: {why}",
        f"dòng 3: trùng với {second.code} đã có: {why}",
    ]
    assert Activity.objects.count() == 2
    for record in (first, second):
        review.cancel(activity=record, actor=world.staff)
    assert load(ActivityResource(user=world.staff), rows).created == 2


def test_stock_columns_are_told_where_they_belong(world):
    rows = [line("b11", KIND, "Đợt 1", "26/03/2024", 10, 5, 6)]
    outcome = load(ActivityResource(user=world.staff), rows, extra=("thu-cay-xanh", "thu-doan-vien", "cột lạ"))
    assert outcome.errors == [
        'dòng 1, cột "thu-doan-vien": là số liệu tại một thời điểm: nhập bằng mẫu Kê khai (declarations)',
        'dòng 1, cột "cột lạ": không có cột này trong mẫu',
    ]


def test_an_indicator_the_kind_does_not_ask_for_is_taken(world):
    make_indicator("thu-mau", unit_of_measure="đơn vị")
    load(ActivityResource(user=world.staff), [line("b11", KIND, "x", "26/03/2024", 10)], extra=("thu-mau",))
    assert Activity.objects.get().figures.get(indicator__code="thu-mau").value == 10


def test_counted_figures_are_not_typed(world):
    outcome = load(
        ActivityResource(user=world.staff), [line("b11", KIND, "x", "26/03/2024", 1)], extra=("thu-so-hoat-dong",)
    )
    assert outcome.errors == [
        'dòng 2, cột "thu-so-hoat-dong": “Chỉ số thu-so-hoat-dong” do hệ thống tự đếm, không nhập.'
    ]


def test_records_of_a_year_never_opened_open_it(world):
    rows = [line("b11", KIND, "x", "26/03/2022", 10), line("b11", KIND, "y", "26/03/2023", 20)]
    resource = ActivityResource(user=world.staff, approver=world.secretary)
    assert load(resource, rows, check=True).created == 2
    assert not WorkYear.objects.filter(year__in=[2022, 2023]).exists()
    assert load(ActivityResource(user=world.staff, approver=world.secretary), rows).created == 2
    assert sorted(WorkYear.objects.filter(year__lt=2024).values_list("year", flat=True)) == [2022, 2023]
    assert (total(world.tw, world.trees, 2022), total(world.tw, world.trees, 2023)) == (10, 20)


def test_a_closed_year_takes_no_import(world):
    close_year(year=2024)
    outcome = load(ActivityResource(user=world.staff), [line("b11", KIND, "x", "26/03/2024", 10)])
    assert outcome.errors == ['dòng 2, cột "Từ ngày": Năm công tác 2024 đã khoá nên không thay đổi được nữa.']


def test_what_is_wrong_with_the_last_day_stands_at_the_day_that_was_typed(world):
    rows = [
        line("b11", KIND, "x", "26/03/1999", 10),
        line("b11", KIND, "y", "26/03/1999", 10, end="27/03/1999"),
        line("b11", KIND, "z", "26/03/2099", 10),
        line("b11", KIND, "u", "26/03/2024", 10, end="27/03/2099"),
    ]
    outcome = load(ActivityResource(user=world.staff), rows)
    assert [error.partition(": ")[0] for error in outcome.errors] == [
        'dòng 2, cột "Từ ngày"',
        'dòng 3, cột "Đến ngày"',
        'dòng 4, cột "Từ ngày"',
        'dòng 5, cột "Đến ngày"',
    ]
    assert outcome.errors[0].endswith(": Năm công tác phải từ 2000 đến 2100.")


def test_check_judges_and_writes_nothing(world):
    outcome = load(ActivityResource(user=world.staff), [line("b11", KIND, "x", "26/03/2024", 10)], check=True)
    assert (outcome.created, outcome.errors, Activity.objects.count()) == (1, [], 0)


def test_a_viewer_imports_nothing(world):
    outcome = load(ActivityResource(user=world.viewer), [line("b11", KIND, "x", "26/03/2024", 10)])
    assert outcome.errors == ['dòng 2, cột "Mã đơn vị": không có đơn vị mã "b11" trong phạm vi của bạn']


# --- declarations ---


def declare(resource, rows, extra=("doan-vien",)):
    return load(resource, rows, extra, headers=["Mã đơn vị", "Ngày chốt"])


def test_declarations_replace_the_level_and_only_filled_cells_are_stored(world):
    rows = [["b11", "31/01/2024", 100, 500], ["b11", "30/06/2024", 90, None], ["b12", "31/01/2024", None, 7]]
    resource = DeclarationResource(user=world.staff, approver=world.secretary)
    outcome = declare(resource, rows, extra=("Đoàn viên", "thanh-nien"))
    assert (outcome.created, outcome.errors) == (3, [])
    members, youth = Indicator.objects.get(code="doan-vien"), Indicator.objects.get(code="thanh-nien")
    assert (total(world.k1, members), total(world.k1, youth)) == (90, 507)
    assert Activity.objects.order_by("pk")[1].figures.count() == 1
    assert set(Activity.objects.values_list("kind__code", flat=True)) == {"ke-khai"}


def test_bad_declarations(world):
    rows = [
        ["b11", "31/01/2024", None],
        ["b11", "31/03/2024", 5],
        ["b11", "31/03/2024", 6],
        ["b21", "31/03/2024", 6],
        ["b12", "31/03/2099", 6],
        ["b12", "31/03/1999", 6],
    ]
    outcome = declare(DeclarationResource(user=world.staff), rows)
    assert [error.partition(": ")[0] for error in outcome.errors] == [
        "dòng 2",
        "dòng 4",
        'dòng 5, cột "Mã đơn vị"',
        'dòng 6, cột "Ngày chốt"',
        'dòng 7, cột "Ngày chốt"',
    ]
    assert outcome.errors[0] == ("dòng 2: chưa có số liệu nào: điền ít nhất một cột số liệu, hoặc xoá dòng này")
    assert declare(DeclarationResource(user=world.staff), rows[:1], extra=("luot-dvtn",)).errors == [
        'dòng 1, cột "luot-dvtn": là số liệu phát sinh: nhập bằng mẫu Hoạt động (activities)'
    ]


def test_a_declaration_of_the_same_day_and_indicator_is_refused(world):
    declare(DeclarationResource(user=world.staff), [["b11", "31/01/2024", 100]])
    record = Activity.objects.get()
    outcome = declare(DeclarationResource(user=world.staff), [["b11", "31/01/2024", 120]])
    assert outcome.errors == [
        f"dòng 2: trùng với {record.code} đã có: cùng đơn vị, ngày chốt và chỉ số; sửa bản kê khai ấy nếu số đổi"
    ]
    assert declare(DeclarationResource(user=world.staff), [["b11", "31/01/2024", 7]], extra=("hoi-vien",)).created == 1


def test_template_and_import_agree(world):
    row = ["b11", KIND, "Đợt 1", "26/03/2024", None, None, None, None, 12]
    file = ActivityResource(user=world.staff).template([row], extra=["thu-cay-xanh"], title="Hoạt động")
    outcome = run_import(ActivityResource(user=world.staff), io.BytesIO(file), check=False)
    assert (outcome.created, outcome.errors) == (1, [])


def test_statements_do_not_grow_with_the_rows(world, django_assert_max_num_queries):
    make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 1})
    rows = [line("b11", KIND, f"Đợt {number}", "26/03/2024", number, hosts="b12") for number in range(1, 41)]
    with django_assert_max_num_queries(145):  # two savepoint statements a row, the rest does not grow
        assert load(ActivityResource(user=world.staff, approver=world.secretary), rows).created == 40


def test_five_thousand_rows_are_taken_in_time(world):
    rows = [
        line(("b11", "b12")[n % 2], KIND, f"Đợt {n}", "26/03/2024", n, 3, hosts="b21" if n % 5 else "")
        for n in range(1, 5001)
    ]
    file = io.BytesIO(template_workbook([*HEADERS, "thu-cay-xanh", "thu-luot"], rows))
    began = process_time()  # seconds of work: those of the clock depend on what else the machine does
    outcome = run_import(ActivityResource(user=world.staff, approver=world.secretary), file, check=False)
    assert process_time() - began < 30
    assert (outcome.created, outcome.errors) == (5000, [])
    assert total(world.tw, world.trees) == 5000 * 5001 // 2
