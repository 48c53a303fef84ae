import pytest
from django.urls import reverse

from activities.contributions import contributions
from targets.models import Indicator, Nature
from tests.factories import assign, make_indicator, make_target


@pytest.fixture
def planned(world):
    """b11 was given trees; all cơ sở must be active; a rate of members; and what does not concern b11."""
    part = make_indicator("thu-cay-thong", part_of=world.trees)
    total = {"kind": "total", "value": 1_000}
    given = make_target(
        world.k1, 2024, [total | {"indicators": [world.trees], "text": "Trồng cây"}, total], number=5
    ).measures.first()
    assign(given, world.b11, 100)
    make_target(
        world.tw,
        2024,
        [{"kind": "coverage", "value": 10_000, "floor": 3, "indicators": [world.count, world.times]}],
        number=2,
        text="Mỗi cơ sở " + "rất " * 20 + "tích cực",
    )
    make_target(
        world.k1,
        2024,
        [{"kind": "rate", "value": 8_000, "indicators": [world.members], "denominators": [world.members]}],
    )
    make_target(world.k1, 2024, [total | {"indicators": [world.times]}])  # given to nobody
    make_target(world.k2, 2024, [{"kind": "coverage", "value": 10_000, "floor": 1, "indicators": [world.trees]}])
    return part


def told(world, figures, unit=None, year=None):
    indicators = {indicator.pk: indicator for indicator in Indicator.objects.all()}
    found = contributions(unit or world.b11, year or world.year, figures, indicators)
    return [(one.number, one.name, one.amount, one.issuer) for one in found]


def test_a_figure_feeds_the_measures_of_the_unit_and_of_the_wholes_it_is_part_of(world, planned):
    assert told(world, {planned: 35, world.trees: 1_000, world.times: 50, world.count: 1}) == [
        ("CT2", "Mỗi cơ sở rất rất rất rất rất rất rất rất rất rất rất rất rất rất rất…", "+51", "Đơn vị tw"),
        ("CT5a", "Chỉ số thu-cay-xanh", "+1.035", "Đơn vị k1"),
    ]


def test_nothing_is_fed_by_zero_by_levels_elsewhere_or_without_a_plan(world, planned):
    other = make_indicator("thu-khac")
    assert told(world, {other: 5, world.trees: 0}) == []
    assert told(world, {}) == []
    assert told(world, {world.trees: 5}, unit=world.b12) == []
    assert told(world, {make_indicator("thu-muc", Nature.STOCK): 5}) == []


def test_the_form_says_it_live_and_the_boxes_stay(client, world, planned):
    money = make_indicator("thu-tien", unit_of_measure="đồng")
    client.force_login(world.cadre)
    typed = {
        "unit": "b11",
        "kind": world.planting.code,
        "first_day": "26/03/2024",
        "khac": "thu-tien",
        "sl-thu-cay-xanh": "gần 35",
        "sl-thu-luot": "nhiều",
        "sl-thu-tien": "12,5 triệu",
    }
    address = reverse("activity_figures")
    response = client.get(address, typed, headers={"HX-Request": "true", "HX-Target": "tinh-vao"})
    page = " ".join(response.content.decode().split())
    assert [(one.number, one.amount) for one in response.context["form"].feeds] == [("CT2", "+1"), ("CT5a", "+35")]
    assert page.count(f'<output class="hint words" id="chu-sl-{money.code}"') == 1
    assert page.count('hx-swap-oob="true">= 12 triệu 500 nghìn đồng</output>') == 1
    assert page.count("<input") == 0
    whole = client.get(address, typed | {"kind": ""}, headers={"HX-Request": "true"})
    assert [one.number for one in whole.context["form"].feeds] == ["CT5a"]
    none = client.get(address, typed | {"first_day": "26/03/2019"}, headers={"HX-Request": "true"})
    assert none.content.decode().count("Chưa tính vào chỉ tiêu nào của đơn vị.") == 1
