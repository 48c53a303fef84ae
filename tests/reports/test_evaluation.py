from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.models import ActivityKind
from activities.moves.moving import move_unit
from reports.arithmetic import State
from reports.evaluation import badness, evaluate
from targets.models import Nature, WorkYear
from tests.factories import (
    approve,
    assign,
    make_activity,
    make_indicator,
    make_kind,
    make_target,
    make_unit,
    make_user,
    make_year,
)
from units import access
from units.models import Placement

E, M, X, N = State.EXCEEDED, State.MET, State.MISSED, State.NO_DATA


class Book:
    """Approved records of a world, written in one line each."""

    def __init__(self, world):
        self.world = world
        self.boss = make_user("boss", access.SECRETARY, world.tw)

    def planted(self, unit, trees, day=date(2024, 3, 26), hosts=()):
        return self.approved(unit, self.world.planting, {self.world.trees: trees}, day, hosts=hosts)

    def declared(self, unit, values, day=date(2024, 3, 26)):
        kind = self.world.declaring
        return self.approved(unit, kind, values, day)

    def done(self, unit, measure, day=date(2024, 5, 30)):
        kind = ActivityKind.objects.get(code="moc")
        return self.approved(unit, kind, {}, day, milestone=measure, document="QĐ 01-QĐ/ĐTN")

    def approved(self, unit, kind, figures, day, **fields):
        return approve(make_activity(unit, self.world.cadre, kind, figures, day, **fields), self.boss)


@pytest.fixture
def book(world):
    return Book(world)


def results(*units, year=2024, **options):
    placements = Placement.objects.filter(unit__in=units, year=year).select_related("unit")
    return evaluate(placements, WorkYear.objects.get(pk=year), **options)


def measure_of(unit, **options):
    """The only measure of the only target of `unit`."""
    [[target]] = results(unit, **options).values()
    [result] = target.measures
    return result


def one(world, kind="total", issuer=None, **fields):
    fields = {"kind": kind, "indicators": [world.trees]} | fields
    return make_target(issuer or world.k1, 2024, [fields]).measures.get()


def test_a_total_against_its_plan(world, book):
    one(world, value=100)
    unknown = measure_of(world.k1)
    assert (unknown.state, unknown.actual, unknown.percent, unknown.difference) == (N, None, None, None)
    for trees, expected in ((60, (X, 60, 6000, -40)), (40, (M, 100, 10_000, 0)), (1, (E, 101, 10_100, 1))):
        book.planted(world.b11, trees)
        found = measure_of(world.k1)
        assert (found.state, found.actual, found.percent, found.difference) == expected


def test_an_approved_zero_is_missed_not_unknown(world, book):
    one(world, value=100)
    book.planted(world.b11, 0)
    found = measure_of(world.k1)
    assert (found.state, found.actual, found.percent) == (X, 0, 0)


def test_a_total_of_several_indicators_adds_them(world, book):
    one(world, value=10, indicators=[world.trees, world.times])
    book.approved(world.b11, world.planting, {world.trees: 4, world.times: 5}, date(2024, 1, 2))
    assert measure_of(world.k1).actual == 9


def test_a_whole_counts_what_its_parts_recorded(world, book):
    part = make_indicator("thu-bo-phan", part_of=world.trees)
    one(world, value=10)
    book.planted(world.b11, 4)
    book.approved(world.b12, make_kind("thu-khac", [part]), {part: 6}, date(2024, 1, 2))
    assert measure_of(world.k1).actual == 10


def test_a_joint_activity_counts_once_for_a_common_superior(world, book):
    measure = one(world, value=100, issuer=world.tw)
    for unit, planned in ((world.p1, 50), (world.k1, 30), (world.b11, 20), (world.b12, 20), (world.k2, 30)):
        assign(measure, unit, planned)
    book.planted(world.b11, 30, hosts=[world.b12, world.b21])
    book.planted(world.b11, 5)
    found = {
        unit.code: (row.actual, row.overlap)
        for unit in (world.tw, world.p1, world.k1, world.b11, world.b12, world.k2)
        for row in [measure_of(unit)]
    }
    assert found == {
        "tw": (35, 60),
        "p1": (35, 30),
        "k1": (35, 30),
        "b11": (35, 0),
        "b12": (30, 0),
        "k2": (30, 0),
    }


def test_a_rate_is_the_sum_over_the_sum(world, book):
    learned = make_indicator("thu-da-hoc", Nature.STOCK)
    one(world, "rate", value=6650, indicators=[learned], denominators=[world.members])
    book.declared(world.b11, {learned: 9, world.members: 10})
    assert measure_of(world.k1).state is E
    book.declared(world.b12, {learned: 124, world.members: 190})
    found = measure_of(world.k1)  # 133/200 = 66,5%; the mean of 90% and 65,26% would be 77,6%
    assert (found.state, found.actual, found.numerator, found.denominator) == (M, 6650, 133, 200)
    assert (found.percent, found.difference) == (10_000, 0)


def test_a_rate_without_a_side_is_unknown(world, book):
    learned = make_indicator("thu-da-hoc", Nature.STOCK)
    one(world, "rate", value=8000, indicators=[learned], denominators=[world.members])
    book.declared(world.b11, {learned: 9})
    found = measure_of(world.k1)
    assert (found.state, found.actual, found.numerator, found.denominator) == (N, None, 9, None)


def test_a_rate_just_below_its_plan_does_not_print_as_the_plan(world, book):
    learned = make_indicator("thu-da-hoc", Nature.STOCK)
    one(world, "rate", value=8000, indicators=[learned], denominators=[world.members])
    book.declared(world.b11, {learned: 79_998, world.members: 100_000})
    found = measure_of(world.k1)
    assert (found.state, found.actual, found.difference, found.percent) == (X, 7_999, -1, 9_999)


def test_a_rate_of_a_sector_leaves_the_others_out(world, book):
    learned = make_indicator("thu-da-hoc", Nature.STOCK)
    school = make_unit("truong", "doan-co-so", world.k1, sector="trường học")
    branch = make_unit("lop", "chi-doan", school, sector="trường học")
    sides = {"indicators": [learned], "denominators": [world.members], "sector": "trường học"}
    one(world, "rate", value=8000, **sides)
    book.declared(world.b11, {learned: 0, world.members: 500})
    assert measure_of(world.k1).state is N
    book.declared(school, {learned: 6, world.members: 8})
    book.declared(branch, {learned: 2, world.members: 2})
    found = {unit.code: measure_of(unit) for unit in (world.k1, school, branch)}
    assert {code: (row.numerator, row.denominator, row.actual, row.state) for code, row in found.items()} == {
        "k1": (8, 10, 8000, M),
        "truong": (8, 10, 8000, M),
        "lop": (2, 2, 10_000, E),
    }
    assert results(world.b11) == {world.b11.pk: []}


def test_a_coverage_counts_bases_at_or_above_the_floor(world, book):
    make_unit("b13", "doan-co-so", world.k1)
    one(world, "coverage", value=10_000, floor=3)
    assert measure_of(world.k1).state is N
    book.planted(world.b11, 2)
    found = measure_of(world.k1)
    assert (found.numerator, found.denominator, found.actual, found.state) == (0, 3, 0, X)
    book.planted(world.b11, 1)
    book.planted(world.b12, 4)
    found = measure_of(world.k1)
    assert (found.numerator, found.denominator, found.actual, found.percent) == (2, 3, 6667, 6667)
    assert (found.state, found.difference) == (X, -3333)


def test_a_coverage_counts_a_joint_activity_for_each_host_and_branches_for_their_base(world, book):
    branch = make_unit("lop", "chi-doan", world.b11)
    one(world, "coverage", value=10_000, floor=3)
    book.planted(branch, 2)
    book.planted(world.b12, 3, hosts=[world.b11])
    found = measure_of(world.k1)
    assert (found.numerator, found.denominator, found.state) == (2, 2, M)


@pytest.mark.parametrize("branches", [1, 2, 3])
def test_a_base_asked_together_with_its_branches_is_one_base(world, book, branches):
    below = [make_unit(f"chi-{n}", "chi-doan", world.b11) for n in range(branches)]
    book.planted(world.b11, 3)
    coverage = one(world, "coverage", value=10_000, floor=3)
    for units in ([world.b11], [world.b11, *below], [world.k1, world.b11, world.b12, *below]):
        rows = {row.measure: row for target in results(*units)[world.b11.pk] for row in target.measures}
        assert (rows[coverage].numerator, rows[coverage].denominator) == (1, 1)


def test_a_coverage_of_a_sector_and_of_another_level(world, book):
    make_unit("truong", "doan-co-so", world.k1, sector="trường học")
    one(world, "coverage", value=5000, floor=3, sector="trường học")
    book.planted(world.b11, 9)
    assert (measure_of(world.k1).numerator, measure_of(world.k1).denominator) == (0, 1)
    one(world, "coverage", value=5000, floor=3, level="district", issuer=world.p2)
    book.planted(world.b21, 2)
    book.planted(world.b22, 1)
    assert (measure_of(world.p2).numerator, measure_of(world.p2).denominator) == (1, 1)


def test_dissolved_units_are_counted_in_the_year_they_still_lived(world, book):
    gone, late = (make_unit(code, "doan-co-so", world.k1) for code in ("gone", "late"))
    book.planted(gone, 5)
    one(world, "coverage", value=10_000, floor=1)
    for unit, day in ((gone, date(2023, 12, 31)), (late, date(2024, 6, 30))):
        unit.dissolved, unit.successor = day, world.b11
        unit.save(update_fields=["dissolved", "successor"])
    found = measure_of(world.k1)
    assert (found.numerator, found.denominator) == (0, 3)
    one(world, value=5, issuer=world.p1)
    assert [
        row.actual for target in results(world.p1)[world.p1.pk] for row in target.measures if row.measure.value == 5
    ] == [5]


def test_a_milestone_is_the_units_own_or_that_of_all_children(world, book):
    measure = one(world, "milestone", indicators=[], level="base")
    branch = make_unit("lop", "chi-doan", world.b11)
    shown = lambda unit: (lambda r: (r.numerator, r.denominator, r.actual, r.state))(measure_of(unit))  # noqa: E731
    assert shown(world.k1) == (0, 2, None, N)
    book.done(world.b11, measure)
    assert [shown(unit) for unit in (world.k1, world.b11, world.b12)] == [
        (1, 2, 5000, X),
        (1, 1, 10_000, M),
        (0, 1, None, N),
    ]
    assert results(branch) == {branch.pk: []}
    book.done(world.b12, measure)
    assert shown(world.k1) == (2, 2, 10_000, M)


def test_a_milestone_asks_no_child_it_does_not_concern(world, book):
    school = make_unit("truong", "doan-co-so", world.k1, sector="trường học")
    make_unit("cu", "doan-co-so", world.k1, sector="trường học", dissolved=date(2023, 1, 1))
    measure = one(world, "milestone", indicators=[], level="base", sector="trường học")
    assert measure_of(world.k1).denominator == 1
    book.done(school, measure)
    assert measure_of(world.k1).state is M


def test_as_of_leaves_later_milestones_out(world, book):
    measure = one(world, "milestone", indicators=[])
    book.done(world.k1, measure, date(2024, 5, 30))
    assert [measure_of(world.k1, as_of=day).state for day in (date(2024, 5, 29), date(2024, 5, 30))] == [N, M]


@pytest.mark.parametrize(
    ("as_of", "trees", "members"),
    [
        (date(2023, 12, 31), None, None),
        (date(2024, 1, 9), None, None),
        (date(2024, 1, 31), 1, 100),
        (date(2024, 2, 29), 3, 90),
        (date(2024, 3, 14), 3, 90),
        (date(2024, 3, 15), 7, 95),
        (date(2024, 3, 30), 7, 80),
        (date(2024, 3, 31), 15, 80),
        (date(2024, 12, 31), 31, 70),
        (None, 31, 70),
    ],
)
def test_as_of_a_day_counts_what_ended_by_then(world, book, as_of, trees, members):
    for day, value in (((1, 10), 1), ((2, 29), 2), ((3, 15), 4), ((3, 31), 8), ((12, 31), 16)):
        book.planted(world.b11, value, date(2024, *day), hosts=[world.b12])
    for day, value in (((1, 20), 100), ((2, 1), 90), ((3, 15), 95), ((3, 16), 80), ((4, 1), 70)):
        book.declared(world.b11, {world.members: value}, date(2024, *day))
    one(world, value=10)
    one(world, value=100, indicators=[world.members])
    found = {
        row.measure.value: row for target in results(world.k1, as_of=as_of)[world.k1.pk] for row in target.measures
    }
    assert (found[10].actual, found[100].actual) == (trees, members)
    assert found[10].overlap == (trees or 0)


def test_as_of_a_day_holds_for_coverage_and_sectors_too(world, book):
    learned = make_indicator("thu-da-hoc", Nature.STOCK)
    school = make_unit("truong", "doan-co-so", world.k1, sector="trường học")
    sides = {"indicators": [learned], "denominators": [world.members], "sector": "trường học"}
    rate, coverage = one(world, "rate", value=8000, **sides), one(world, "coverage", value=10_000, floor=3)
    book.planted(school, 2, date(2024, 3, 5))
    book.planted(school, 1, date(2024, 3, 20))
    book.planted(world.b12, 3, date(2024, 2, 2))
    book.declared(school, {learned: 1, world.members: 10}, date(2024, 2, 2))
    book.declared(school, {learned: 7, world.members: 10}, date(2024, 3, 20))
    found = {}
    for day in (date(2024, 3, 19), date(2024, 3, 20)):
        rows = [row for target in results(world.k1, as_of=day)[world.k1.pk] for row in target.measures]
        found[day.day] = {row.measure: (row.numerator, row.denominator) for row in rows}
    assert found == {19: {rate: (1, 10), coverage: (1, 3)}, 20: {rate: (7, 10), coverage: (2, 3)}}


def test_last_year_is_read_to_the_same_day_and_where_the_unit_then_stood(world, book):
    make_year(2023)
    one(world, value=10, issuer=world.p1)
    coverage = one(world, "coverage", value=10_000, floor=3, issuer=world.p2)
    move_unit(unit=world.k1, parent=world.p2, year=2024, actor=world.admin, reason="QĐ 1")
    for day, value in (((3, 15), 4), ((3, 16), 8), ((12, 31), 16)):
        book.planted(world.b11, value, date(2023, *day))
    rows = results(world.p1, world.p2, world.k1, as_of=date(2024, 3, 15))
    assert [row.last_year for target in rows[world.p1.pk] for row in target.measures] == [4]
    assert measure_of(world.p1).last_year == 28
    assert measure_of(world.p1, today=date(2024, 3, 16)).last_year == 12
    assert measure_of(world.p1, compare=False).last_year is None
    in_k1 = {row.measure: row for target in rows[world.k1.pk] for row in target.measures}[coverage]
    assert (in_k1.numerator, in_k1.denominator, in_k1.last_year) == (None, 2, 5000)


def test_the_end_of_february_is_compared_with_the_end_of_february(world, book):
    make_year(2025)
    for day in (date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)):
        book.planted(world.b11, 1, day)
    target = make_target(world.k1, 2025, [{"kind": "total", "value": 5, "indicators": [world.trees]}])
    found = [measure_of(world.k1, year=2025, as_of=date(2025, *day)).last_year for day in ((2, 27), (2, 28), (3, 1))]
    assert (target.year_id, found) == (2025, [None, 2, 3])


def test_a_unit_that_was_not_there_last_year_has_no_last_year(world):
    make_year(2023)
    new = make_unit("moi", "doan-co-so", world.k1, founded=date(2024, 1, 1))
    one(world, "coverage", value=10_000, floor=1)
    assert measure_of(new).last_year is None


def test_all_measures_or_the_best_one_decide(world, book, settings):
    measures = [{"kind": "total", "value": value, "indicators": [world.trees]} for value in (10, 11, 12)]
    for count, join in ((2, "all"), (2, "any"), (3, "all"), (3, "any")):
        make_target(world.k1, 2024, measures[:count], join=join, text=f"{count} {join}")
    book.planted(world.b11, 11)

    def states():
        return {result.target.text: result.state for result in results(world.k1)[world.k1.pk]}

    assert states() == {"2 all": E, "2 any": E, "3 all": X, "3 any": E}
    settings.TARGET_EXCEEDED_WHEN = "all"
    assert states()["2 all"] is M


def test_an_override_in_between_is_what_a_lower_unit_is_held_to(world, book):
    measure = one(world, "coverage", value=10_000, floor=3, issuer=world.tw)
    assign(measure, world.p1, 5000)
    book.planted(world.b11, 3)
    book.planted(world.b21, 3)
    assert [(measure_of(u).plan.planned, measure_of(u).state) for u in (world.tw, world.p1, world.k1, world.k2)] == [
        (10_000, X),
        (5000, M),
        (5000, M),
        (10_000, X),
    ]


def test_waiting_figures_are_shown_beside_and_never_counted(world, book):
    one(world, value=100)
    book.planted(world.b11, 7)
    found = measure_of(world.k1, pending={world.trees.pk: 30})
    assert (found.actual, found.pending) == (7, 30)


def test_worst_first_is_missed_then_unknown_then_met(world, book):
    measures = [{"kind": "total", "value": value, "indicators": [world.trees]} for value in (10, 5, 40, 20)]
    make_target(world.k1, 2024, [*measures, {"kind": "total", "value": 1, "indicators": [world.times]}])
    book.planted(world.b11, 10)
    [target] = results(world.k1)[world.k1.pk]
    assert [row.measure.value for row in sorted(target.measures, key=badness)] == [40, 20, 1, 10, 5]


@pytest.mark.parametrize("as_of", [None, date(2024, 3, 15)])
def test_as_many_statements_for_thirty_units_as_for_one(world, book, as_of):
    make_year(2023)
    learned = make_indicator("thu-da-hoc", Nature.STOCK)
    many = [make_unit(f"x{i}", "doan-co-so", world.k1, sector="trường học") for i in range(30)]
    sides = {"indicators": [learned], "denominators": [world.members]}
    measure = one(world, value=100, issuer=world.tw)
    one(world, "rate", value=8000, issuer=world.tw, **sides)
    one(world, "rate", value=8000, sector="trường học", issuer=world.tw, **sides)
    one(world, "coverage", value=10_000, floor=3, issuer=world.tw)
    one(world, "milestone", indicators=[], issuer=world.tw)
    for unit in many:
        assign(measure, unit, 5)
        book.planted(unit, 3)
    book.planted(many[0], 3, date(2023, 3, 3))

    def statements(units):
        placements = list(Placement.objects.filter(unit__in=units, year=2024).select_related("unit"))
        with CaptureQueriesContext(connection) as captured:
            found = evaluate(placements, world.year, as_of=as_of)
        assert [len(rows) for rows in found.values()] == [5] * len(units)
        return len(captured)

    assert statements(many[:1]) == statements(many)
