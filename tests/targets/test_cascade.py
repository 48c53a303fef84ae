import pytest

from targets.cascade import Source, plans_for
from targets.models import Assignment
from tests.factories import assign, make_target, make_unit
from units.models import Placement


def plans(*units, year=2024):
    placements = Placement.objects.filter(unit__in=units, year=year).select_related("unit")
    return plans_for(placements, year)


def plan_of(measure, unit):
    """(planned, registered, source) of one measure, or None where it does not reach."""
    found = {plan.measure: plan for plan in plans(unit)[unit.pk]}.get(measure)
    return found and (found.planned, found.registered, found.source)


@pytest.fixture
def rate(world):
    fields = {"kind": "rate", "value": 8000, "indicators": [world.members], "denominators": [world.members]}
    return make_target(world.tw, 2024, [fields]).measures.get()


@pytest.fixture
def total(world):
    return make_target(world.p1, 2024, [{"kind": "total", "value": 700, "indicators": [world.trees]}]).measures.get()


def test_a_total_reaches_only_the_issuer_and_those_given_a_number(world, total):
    assign(total, world.k1, 300, registered=350)
    assert [plan_of(total, unit) for unit in (world.tw, world.p1, world.k1, world.b11, world.p2)] == [
        None,
        (700, None, Source.OWN),
        (300, 350, Source.GIVEN),
        None,
        None,
    ]


def test_a_total_only_registered_is_not_given(world, total):
    assign(total, world.k1, None, registered=350)
    assert plan_of(total, world.k1) is None


def test_a_rate_passes_down_unchanged(world, rate):
    assert [plan_of(rate, unit) for unit in (world.tw, world.p1, world.b22)] == [
        (8000, None, Source.OWN),
        (8000, None, Source.INHERITED),
        (8000, None, Source.INHERITED),
    ]


def test_an_override_in_between_holds_below_it_and_the_nearest_one_wins(world, rate):
    assign(rate, world.p1, 8500)
    assign(rate, world.k1, 9000)
    assert [plan_of(rate, unit) for unit in (world.p1, world.k1, world.b11, world.p2, world.b21)] == [
        (8500, None, Source.GIVEN),
        (9000, None, Source.GIVEN),
        (9000, None, Source.INHERITED),
        (8000, None, Source.INHERITED),
        (8000, None, Source.INHERITED),
    ]


def test_what_is_only_registered_in_between_overrides_nothing(world, rate):
    assign(rate, world.p1, 8500)
    assign(rate, world.k1, None, registered=9900)
    assert [plan_of(rate, unit) for unit in (world.k1, world.b11)] == [
        (8500, 9900, Source.INHERITED),
        (8500, None, Source.INHERITED),
    ]


def test_an_override_of_zero_is_an_override(world, rate):
    assign(rate, world.p1, 0)
    assert plan_of(rate, world.k1) == (0, None, Source.INHERITED)


def test_a_milestone_given_without_a_number_is_given(world):
    milestone = make_target(world.tw, 2024, [{"kind": "milestone"}]).measures.get()
    Assignment.objects.create(measure=milestone, unit=world.p1)
    assert [plan_of(milestone, unit) for unit in (world.p1, world.p2)] == [
        (None, None, Source.GIVEN),
        (None, None, Source.INHERITED),
    ]


def test_a_coverage_of_bases_stops_at_bases_and_keeps_to_its_sector(world):
    school = make_unit("truong", "doan-co-so", world.k1, sector="trường học")
    branch = make_unit("cd1", "chi-doan", school, sector="trường học")
    everywhere, schools = make_target(
        world.tw,
        2024,
        [
            {"kind": "coverage", "value": 10000, "floor": 3, "indicators": [world.trees]},
            {"kind": "coverage", "value": 10000, "floor": 3, "indicators": [world.trees], "sector": "trường học"},
        ],
    ).measures.all()
    assert [
        [plan_of(m, u) is not None for u in (world.k1, world.b11, school, branch)] for m in (everywhere, schools)
    ] == [
        [True, True, True, False],
        [True, False, True, False],
    ]


def test_a_rate_of_a_sector_reaches_the_branches_of_that_sector(world):
    school = make_unit("truong", "doan-co-so", world.k1, sector="trường học")
    same, other = (
        make_unit(code, "chi-doan", school, sector=sector) for code, sector in (("a", "trường học"), ("b", ""))
    )
    fields = {"kind": "rate", "value": 8000, "indicators": [world.members], "denominators": [world.members]}
    measure = make_target(world.tw, 2024, [fields | {"sector": "trường học"}]).measures.get()
    assert [plan_of(measure, unit) is not None for unit in (world.k1, school, same, other)] == [True, True, True, False]


def test_targets_come_from_the_highest_issuer_down_by_number_and_letter(world):
    rate = {"kind": "rate", "value": 8000, "indicators": [world.members], "denominators": [world.members]}
    make_target(world.k1, 2024, [rate], number=1)
    make_target(world.tw, 2024, [rate, rate], number=12)
    make_target(world.tw, 2024, [rate], number=2)
    make_target(world.p1, 2024, [rate], number=3)
    make_target(world.k2, 2024, [rate], number=1)
    make_target(world.tw, 2024, [rate], number=7)
    found = [(plan.measure.target.issuer.code, str(plan.measure)) for plan in plans(world.b11)[world.b11.pk]]
    assert found == [("tw", "2a"), ("tw", "7a"), ("tw", "12a"), ("tw", "12b"), ("p1", "3a"), ("k1", "1a")]


def test_another_years_targets_do_not_reach(world, rate):
    other = Placement.objects.exclude(year=2024).values_list("year", flat=True).first()
    assert plans(world.b11, year=other) == {world.b11.pk: []}


def test_four_statements_for_one_unit_and_for_thirty(world, rate, total, django_assert_num_queries):
    many = [make_unit(f"x{i}", "doan-co-so", world.k1) for i in range(30)]
    for unit in (world.b11, *many):
        assign(rate, unit, 9000)
    for units in ([world.b11], many):
        placements = list(Placement.objects.filter(unit__in=units, year=2024).select_related("unit"))
        with django_assert_num_queries(4):
            plans_for(placements, 2024)
