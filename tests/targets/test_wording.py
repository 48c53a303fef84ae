from datetime import date

import pytest

from targets.models import Indicator, Nature
from targets.wording import describe, plan_in_words
from tests.factories import make_indicator, make_target

pytestmark = pytest.mark.django_db


def measure(world, **fields):
    return make_target(world.k1, 2024, [fields]).measures.get()


def known(*codes):
    return [Indicator.objects.get(code=code) for code in codes]


def test_a_total_adds_up_its_indicators(world):
    one = measure(world, kind="total", value=20_000_000, indicators=known("cay-xanh"))
    assert describe(one) == "Được tính: tổng số cây xanh trồng mới"
    assert plan_in_words(one, one.value) == "20.000.000 cây"
    two = measure(world, kind="total", value=5, indicators=known("cong-trinh", "phan-viec"))
    assert describe(two) == "Được tính: tổng số công trình thanh niên + phần việc thanh niên"


def test_money_is_said_in_short_and_never_rounded(world):
    one = measure(world, kind="total", value=3_000_000_000_000, indicators=known("giai-ngan"))
    assert describe(one) == "Được tính: tổng vốn giải ngân cho thanh niên vay"
    assert plan_in_words(one, one.value) == "3 nghìn tỷ đồng"
    assert plan_in_words(one, 1_234_567) == "1.234.567 đồng"


def test_a_total_of_fractions_keeps_its_decimals(world):
    roads = make_indicator("duong", name="Đường mới", unit_of_measure="km", decimals=2)
    assert plan_in_words(measure(world, kind="total", value=1250, indicators=[roads]), 1250) == "12,5 km"


def test_a_rate_names_both_sides_and_its_sector(world):
    fields = {
        "kind": "rate",
        "value": 6650,
        "indicators": known("doan-vien", "hoi-vien"),
        "denominators": known("thanh-nien"),
    }
    one = measure(world, **fields)
    assert describe(one) == "Được tính: (số đoàn viên + số thanh niên là hội viên) / số thanh niên"
    assert plan_in_words(one, one.value) == "66,5%"
    schools = measure(world, sector="Trường học", **fields)
    assert describe(schools) == describe(one) + ", chỉ tính các đơn vị thuộc khối Trường học"


def test_a_coverage_names_the_floor_and_the_units_counted(world):
    one = measure(world, kind="coverage", value=10000, floor=3, indicators=known("hoat-dong-tinh-nguyen"))
    assert describe(one) == "Được tính: số cơ sở có từ 3 hoạt động tình nguyện trở lên / tổng số cơ sở"
    assert plan_in_words(one, one.value) == "100%"
    schools = measure(
        world,
        kind="coverage",
        value=8000,
        floor=12,
        indicators=known("don-vi-mau"),
        level="branch",
        sector="Trường học",
    )
    assert (
        describe(schools)
        == "Được tính: số chi đoàn khối Trường học có từ 12 đơn vị máu trở lên / tổng số chi đoàn khối Trường học"
    )


def test_a_floor_is_written_with_its_unit_when_the_name_does_not_begin_with_it(world):
    money = make_indicator("tien-quy", Nature.FLOW, name="Trị giá quà", unit_of_measure="đồng")
    one = measure(world, kind="coverage", value=10000, floor=5_000_000, indicators=[money])
    assert describe(one) == "Được tính: số cơ sở có trị giá quà từ 5.000.000 đồng trở lên / tổng số cơ sở"


def test_a_milestone_says_by_when(world):
    one = measure(world, kind="milestone", deadline=date(2024, 5, 31))
    assert describe(one) == (
        "Được tính: đã hoàn thành, có văn bản kèm theo; ở cấp trên: số đơn vị trực thuộc đã hoàn thành "
        "/ tổng số đơn vị trực thuộc"
    )
    assert plan_in_words(one, None) == "hoàn thành trước 31/05/2024"
    assert plan_in_words(measure(world, kind="milestone"), None) == "hoàn thành trong năm"


def test_a_plan_not_given_is_a_dash_and_zero_is_zero(world):
    one = measure(world, kind="total", value=5, indicators=[world.trees])
    assert (plan_in_words(one, None), plan_in_words(one, 0)) == ("–", "0 cây")
