from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.models import ActivityKind
from reports.yearend import NotInTree, gather, stated_otherwise
from targets.models import WorkYear
from tests.factories import make_unit, make_year
from tests.reports.worlds import DAY, indicator
from units.models import UnitKind
from units.structure import compare


def lines(report):
    return {line.indicator.code: (line.total, line.own, line.overlap, dict(line.by_level)) for line in report.lines}


def test_every_line_by_level_and_what_is_the_units_own(khoi):
    world = khoi.world
    assert lines(gather(world.k1, world.year)) == {
        "thu-cay-xanh": (103, 11, 81, {"base": 92, "district": 11}),
        "thu-so-hoat-dong": (5, 1, 2, {"base": 4, "district": 1}),
        "cong-trinh-phan-viec": (4, 2, 0, {"base": 1, "district": 2, "province": 1}),
        "cong-trinh": (4, 2, 0, {"base": 1, "district": 2, "province": 1}),
        "cong-trinh-tinh": (1, 1, 0, {"province": 1}),
        "cong-trinh-khoi": (2, 1, 0, {"district": 2}),
        "cong-trinh-co-so": (1, None, 0, {"base": 1}),
        "tri-gia-cong-trinh-phan-viec": (
            720_000_000,
            500_000_000,
            0,
            {"base": 20_000_000, "district": 200_000_000, "province": 500_000_000},
        ),
        "tri-gia-cong-trinh": (
            710_000_000,
            500_000_000,
            0,
            {"base": 10_000_000, "district": 200_000_000, "province": 500_000_000},
        ),
        "buoi-don-ve-sinh": (2, None, 0, {"base": 2}),
        "duong-lam-moi": (2240, None, 0, {"base": 2240}),
        "sang-kien": (None, None, 0, {}),
        "thu-da-hoc": (133, None, 0, {"base": 133}),
        "thu-doan-vien": (200, None, 0, {"base": 200}),
    }


def test_levels_add_up_to_the_total_everywhere(khoi):
    world = khoi.world
    for unit in (world.tw, world.p1, world.k1, world.b11, world.b12, world.k2, world.b21, khoi.branch):
        for as_of in (None, date(2024, 3, 26), date(2024, 3, 25), date(2024, 11, 2)):
            for line in gather(unit, world.year, as_of).lines:
                assert sum(line.by_level.values()) == (line.total or 0), (unit, as_of, line)


def test_children_and_own_minus_overlap_are_the_total_everywhere(khoi):
    world = khoi.world
    for unit in (world.tw, world.p1, world.p2, world.k1, world.b11, world.k2, khoi.branch):
        report = gather(unit, world.year)
        for line in report.lines:
            children = sum(child.totals.get(line.indicator.pk, 0) for child in report.children)
            assert children + (line.own or 0) - line.overlap_here == (line.total or 0), (unit, line)


def test_a_declaration_counts_at_its_latest_level(khoi):
    world = khoi.world
    khoi.record(world.b11, world.declaring, {world.members: 300}, date(2024, 6, 1))
    khoi.record(world.k1, world.declaring, {world.members: 7}, date(2024, 6, 1))
    khoi.record(world.k1, world.declaring, {world.members: 5}, date(2024, 2, 1))
    khoi.record(world.k1, world.declaring, {world.members: 9}, date(2024, 7, 2))
    found = {day: lines(gather(world.k1, world.year, day))["thu-doan-vien"] for day in (None, date(2024, 7, 1))}
    assert found == {
        None: (409, 9, 0, {"base": 400, "district": 9}),
        date(2024, 7, 1): (407, 7, 0, {"base": 400, "district": 7}),
    }


def test_targets_summary_and_the_column_order_of_their_indicators(khoi):
    report = gather(khoi.world.k1, khoi.world.year)
    assert [(row.target.issuer.code, row.target.number, row.state.value) for row in report.targets] == [
        ("p1", 1, "vuot"),
        ("k1", 2, "chua_dat"),
        ("k1", 3, "chua_dat"),
        ("k1", 4, "chua_dat"),
        ("k1", 5, "chua_co_so"),
    ]
    assert report.summary.sentence == "hoàn thành 1/5 chỉ tiêu, trong đó 1 chỉ tiêu vượt kế hoạch"
    assert [line.indicator.code for line in report.asked] == [
        "thu-cay-xanh",
        "thu-da-hoc",
        "thu-doan-vien",
        "duong-lam-moi",
        "sang-kien",
    ]


def test_children_in_vietnamese_order_with_their_totals(khoi):
    world = khoi.world
    report = gather(world.k1, world.year)
    trees = [(child.unit.code, child.totals.get(world.trees.pk)) for child in report.children]
    assert trees == [("s1", None), ("b11", 72), ("b12", 101)]


def test_warnings_name_what_a_reader_must_know(khoi):
    world = khoi.world
    world.k1.stated_parts = {"đoàn cơ sở": 13, "chi đoàn cơ sở": 32}
    world.k1.save(update_fields=["stated_parts"])
    assert gather(world.k1, world.year).warnings == [
        "1 chỉ tiêu có ý chưa có số liệu: số 5",
        "1/3 đơn vị trực thuộc chưa có số liệu nào được duyệt: Đoàn trường",
        "Văn bản nêu 13 + 32 = 45, hệ thống có 3 cơ sở",
        "1 hoạt động chờ duyệt chưa tính",
    ]
    assert gather(world.k1, world.year, date(2024, 1, 31)).warnings[-1].startswith("Văn bản nêu")


@pytest.mark.parametrize(
    ("stated", "counts", "sentence"),
    [
        (
            {"đoàn cơ sở": 13, "chi đoàn cơ sở": 32},
            {"doan-co-so": 15, "chi-doan-co-so": 40},
            "Văn bản nêu 13 + 32 = 45, hệ thống có 55 cơ sở",
        ),
        ({"đoàn cơ sở": 13, "chi đoàn cơ sở": 32}, {"doan-co-so": 13, "chi-doan-co-so": 32}, None),
        (
            {"tổng": 55, "đoàn cơ sở": 13, "chi đoàn cơ sở": 32},
            {"doan-co-so": 55},
            "Văn bản nêu 13 + 32 = 45, tổng 55, hệ thống có 55 cơ sở",
        ),
        ({"tổng": 55}, {"doan-co-so": 54}, "Văn bản nêu tổng 55, hệ thống có 54 cơ sở"),
        ({"tổng": 55}, {"doan-co-so": 55}, None),
        (
            {"đoàn khối": 2, "huyện đoàn": 18},
            {"doan-khoi": 1, "huyen-doan": 18, "doan-co-so": 500},
            "Văn bản nêu 2 + 18 = 20, hệ thống có 19 đơn vị",
        ),
        ({}, {"doan-co-so": 55}, None),
    ],
)
def test_stated_parts_are_compared_and_never_corrected(db, stated, counts, sentence):
    assert stated_otherwise(compare(stated, counts, list(UnitKind.objects.all()))) == sentence


def test_a_dissolved_unit_is_listed_only_while_it_has_figures(khoi):
    world = khoi.world
    for unit in (world.b12, khoi.school):
        unit.dissolved = date(2023, 6, 1)
        unit.save(update_fields=["dissolved"])
    report = gather(world.k1, world.year)
    assert [(child.unit.code, child.is_alive) for child in report.children] == [("b11", True), ("b12", False)]
    assert "chưa có số liệu nào được duyệt" not in " ".join(report.warnings)


def test_as_of_is_the_last_day_that_counts(khoi):
    world = khoi.world
    running = WorkYear.objects.exclude(pk=2024).get()
    today = date.today()
    assert [gather(world.k1, year, day).as_of for year, day in (
        (world.year, None), (world.year, date(2024, 4, 5)), (world.year, date(2025, 4, 5)), (running, None),
    )] == [date(2024, 12, 31), date(2024, 4, 5), date(2024, 12, 31), today]  # fmt: skip


def test_a_unit_outside_that_years_tree_is_refused(world):
    new = make_unit("moi", "doan-co-so", world.k1, founded=date(date.today().year, 1, 1))
    with pytest.raises(NotInTree, match="không có trong cây đơn vị năm 2024"):
        gather(new, world.year)


@pytest.mark.parametrize("as_of", [None, date(2024, 3, 27)])
def test_as_many_statements_for_sixty_children_as_for_three(khoi, as_of):
    world = khoi.world
    make_year(2023)

    def statements():
        with CaptureQueriesContext(connection) as captured:
            report = gather(world.k1, world.year, as_of)
        return len(report.children), len(captured)

    few, before = statements()
    works = ActivityKind.objects.get(code="cong-trinh")
    for number in range(57):
        unit = make_unit(f"x{number}", "doan-co-so", world.k1)
        khoi.record(unit, works, {indicator("ngay-cong"): 5}, DAY, work_level="base")
    many, after = statements()
    assert (few, many, after) == (3, 60, before)
    assert after <= (70 if as_of else 35)
