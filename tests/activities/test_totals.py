from datetime import date

import pytest

from activities import review
from activities.models import UnitTotal
from activities.moves.moving import move_unit
from tests.factories import approve, make_activity


def net(unit, indicator, month=0):
    rows = UnitTotal.objects.filter(unit=unit, indicator=indicator, month=month)
    return sum(row.value for row in rows), sum(row.overlap for row in rows)


def test_an_approval_reaches_every_ancestor_once(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    approve(activity, world.secretary)
    assert [net(u, world.trees) for u in (world.b11, world.k1, world.p1, world.tw, world.b12, world.p2)] == [
        (35, 0),
        (35, 0),
        (35, 0),
        (35, 0),
        (0, 0),
        (0, 0),
    ]
    assert net(world.tw, world.trees, 3) == (35, 0)
    assert net(world.tw, world.count) == (1, 0)
    review.unapprove(activity=activity, actor=world.secretary, reason="nhầm")
    assert net(world.tw, world.trees) == (0, 0)


def test_a_joint_activity_counts_once_at_common_ancestors(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 10}, hosts=[world.b12, world.b21])
    approve(activity, world.secretary)
    assert [net(u, world.trees) for u in (world.b11, world.b12, world.b21, world.k1, world.k2, world.p1, world.tw)] == [
        (10, 0),
        (10, 0),
        (10, 0),
        (10, 10),
        (10, 0),
        (10, 10),
        (10, 20),
    ]


def test_a_declaration_replaces_the_level_before(world):
    for day, value in ((date(2024, 1, 5), 100), (date(2024, 4, 5), 90), (date(2024, 2, 5), 95)):
        approve(make_activity(world.b11, world.cadre, world.declaring, {world.members: value}, day), world.secretary)
    assert [net(world.k1, world.members, m)[0] for m in (0, 1, 2, 3, 4)] == [90, 100, -5, 0, -5]


def test_moving_a_unit_takes_its_totals_along(world):
    approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 7}, hosts=[world.b21]), world.secretary)
    move_unit(unit=world.b11, parent=world.k2, year=2024, actor=world.admin, reason="QĐ 1")
    assert [net(u, world.trees) for u in (world.k1, world.p1, world.k2, world.p2, world.tw)] == [
        (0, 0),
        (0, 0),
        (7, 7),
        (7, 7),
        (7, 7),
    ]


def test_a_second_approval_is_refused_and_not_counted(world):
    activity = approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}), world.secretary)
    with pytest.raises(review.WrongState):
        review.approve(activity=activity, actor=world.secretary)
    assert net(world.tw, world.trees) == (5, 0)


def test_one_approval_needs_few_statements(world, django_assert_max_num_queries):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5, world.times: 3})
    review.submit(activity=activity, actor=world.cadre)
    # 9 of the approval itself, 3 of the locks (who stands above, what is accepted, the look afterwards), 4 of the
    # journal; one more on PostgreSQL: the tree lock
    with django_assert_max_num_queries(17) as captured:
        review.approve(activity=activity, actor=world.secretary)
    assert len(captured) >= 5
