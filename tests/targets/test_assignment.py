from datetime import date

import pytest
from django.core.exceptions import ValidationError

from targets.assignment import NEW, Row, assign, register
from targets.models import Assignment, AssignmentVersion, Measure
from targets.setting import Stale
from targets.years import close_year
from tests.factories import make_target, make_unit


@pytest.fixture
def total(world):
    return make_target(world.k1, 2024, [{"kind": "total", "value": 700, "indicators": [world.trees]}]).measures.get()


def give(world, measure, *rows, **kwargs):
    return assign(measure=measure, rows=list(rows), actor=world.staff, **kwargs)


def standing(measure):
    rows = Assignment.objects.filter(measure=measure).order_by("unit__code")
    return [(row.unit.code, row.planned, row.registered, row.version) for row in rows]


def test_many_units_are_given_their_numbers_at_once(world, total):
    rows = [Row(world.b11, 300), Row(world.b12, 0)]
    assert give(world, total, *rows, decision_number="05-QĐ", decision_date=date(2024, 2, 1)) == (2, 0)
    assert standing(total) == [("b11", 300, None, 1), ("b12", 0, None, 1)]
    versions = AssignmentVersion.objects.values_list("number", "planned", "decision_number", "decision_date", "actor")
    assert list(versions.order_by("assignment__unit__code")) == [
        (1, 300, "05-QĐ", date(2024, 2, 1), world.staff.pk),
        (1, 0, "05-QĐ", date(2024, 2, 1), world.staff.pk),
    ]


def test_the_number_of_statements_does_not_grow_with_the_units(world, total, django_assert_num_queries):
    units = [make_unit(f"m{i}", parent=world.k1) for i in range(60)]
    total = Measure.objects.select_related("target__year", "target__issuer").prefetch_related("indicators")
    total = total.get(target__issuer=world.k1)
    with django_assert_num_queries(12):  # five are the journal's, whose chains begin here
        give(world, total, *(Row(unit, 5) for unit in units[:1]))
    with django_assert_num_queries(12):
        give(world, total, *(Row(unit, 5) for unit in units[1:]))
    assert Assignment.objects.filter(measure=total, planned=5).count() == 60


def test_what_says_nothing_new_leaves_no_version(world, total):
    give(world, total, Row(world.b11, 300))
    assert give(world, total, Row(world.b11, 300), Row(world.b12, None)) == (0, 0)
    assert standing(total) == [("b11", 300, None, 1)]
    assert AssignmentVersion.objects.count() == 1


def test_changing_a_number_given_needs_a_reason(world, total):
    give(world, total, Row(world.b11, 300), Row(world.b12, 100))
    with pytest.raises(ValidationError) as error:
        give(world, total, Row(world.b11, 310), Row(world.b12, 100), reason="  ")
    assert error.value.message_dict == {"reason": ["Ghi lý do vì có số đã giao bị sửa: Đơn vị b11."]}
    assert give(world, total, Row(world.b11, 310), reason="Sáp nhập") == (0, 1)
    versions = AssignmentVersion.objects.filter(assignment__unit=world.b11)
    assert list(versions.values_list("number", "planned", "reason")) == [(1, 300, ""), (2, 310, "Sáp nhập")]


def test_a_decision_alone_needs_no_reason_and_keeps_the_number(world, total):
    give(world, total, Row(world.b11, 300))
    assert give(world, total, Row(world.b11), decision_number="06-QĐ") == (0, 1)
    assert standing(total) == [("b11", 300, None, 2)]
    assert Assignment.objects.get().decision_number == "06-QĐ"


def test_a_number_somebody_else_wrote_since_is_not_overwritten(world, total):
    give(world, total, Row(world.b11, 300))
    seen = Assignment.objects.get().version
    give(world, total, Row(world.b11, 310), reason="Người khác")
    with pytest.raises(Stale) as error:
        give(world, total, Row(world.b11, 500, version=seen), Row(world.b12, 5, version=NEW), reason="Tôi")
    assert "Đơn vị b11" in error.value.messages[0]
    assert "b12" not in error.value.messages[0]
    assert standing(total) == [("b11", 310, None, 2)]


def test_a_row_that_appeared_meanwhile_is_not_overwritten(world, total):
    give(world, total, Row(world.b11, 300))
    with pytest.raises(Stale):
        give(world, total, Row(world.b11, 500, version=NEW), reason="Tôi")
    assert standing(total) == [("b11", 300, None, 1)]


def test_a_unit_registers_beside_what_it_was_given(world, total):
    give(world, total, Row(world.b11, 300))
    register(measure=total, unit=world.b11, registered=350, actor=world.staff, version=1)
    register(measure=total, unit=world.b12, registered=20, actor=world.staff)
    assert standing(total) == [("b11", 300, 350, 2), ("b12", None, 20, 1)]


def test_only_units_below_the_issuer_in_the_years_tree(world, total):
    for outsider in (world.b21, world.p1):
        with pytest.raises(ValidationError) as error:
            give(world, total, Row(world.b11, 1), Row(outsider, 5))
        assert list(error.value.message_dict) == ["unit"]
    assert standing(total) == []


def test_percentages_end_at_the_whole(world):
    fields = {"kind": "rate", "value": 8000, "indicators": [world.members], "denominators": [world.members]}
    rate = make_target(world.k1, 2024, [fields]).measures.get()
    with pytest.raises(ValidationError):
        give(world, rate, Row(world.b11, 10_001))
    assert give(world, rate, Row(world.b11, 10_000)) == (1, 0)


def test_a_milestone_takes_no_number(world):
    milestone = make_target(world.k1, 2024, [{"kind": "milestone"}]).measures.get()
    with pytest.raises(ValidationError):
        give(world, milestone, Row(world.b11, 1))
    assert standing(milestone) == []


def test_a_closed_year_takes_no_number(world, total):
    close_year(year=2024)
    total.target.year.refresh_from_db()
    with pytest.raises(ValidationError) as error:
        give(world, total, Row(world.b11, 1))
    assert error.value.messages == ["Năm công tác 2024 đã đóng nên không giao chỉ tiêu được nữa."]


def test_one_unit_twice_is_refused(world, total):
    with pytest.raises(ValidationError):
        give(world, total, Row(world.b11, 1), Row(world.b11, 2))
    assert standing(total) == []
