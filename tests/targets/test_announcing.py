"""Who is told that targets were issued, and of how many."""

from datetime import date

from django.db import connection
from django.test.utils import CaptureQueriesContext

from targets import giving
from targets.giving import Wish
from tests.factories import assign, grant, make_target, make_unit, make_user
from units import access
from units.models import Notice, NoticeKind

DAY = date(2024, 2, 1)


def issue(giver, actor, year, targets, wishes, number="03-QĐ/ĐTN", **decision):
    """`wishes`: {measure: {unit: number}}, drafted and put in force together with `targets`."""
    for measure, numbers in wishes.items():
        now = giving.standings(measure, giver, numbers)
        typed = [Wish(unit, planned, now[unit.pk].planned) for unit, planned in numbers.items()]
        giving.save_draft(measure=measure, giver=giver, wishes=typed, actor=actor)
    given = {"giver": giver, "year": year, "targets": targets, "measures": list(wishes)}
    giving.issue(**given, number=number, day=DAY, actor=actor, **decision)


def told():
    """{user name: (unit code, text)} of the notices there are, which are then forgotten."""
    rows = list(Notice.objects.filter(kind=NoticeKind.ASSIGNED).select_related("user", "unit"))
    Notice.objects.all().delete()
    assert len({row.user_id for row in rows}) == len(rows)
    assert {row.url for row in rows} <= {f"/chi-tieu/tiep-nhan/?nam=2024&don-vi={row.unit.code}" for row in rows}
    return {row.user.username: (row.unit.code, row.text) for row in rows}


def words(count, number="03-QĐ/ĐTN"):
    return f"Chỉ tiêu năm 2024 được giao: {count} chỉ tiêu (Quyết định {number})"


def test_those_who_got_a_number_are_told_once_and_nobody_else(world):
    trees = {"kind": "total", "value": 700, "indicators": [world.trees]}
    one, two = (make_target(world.k1, 2024, [trees]).measures.get() for _ in range(2))
    helper = make_user("helper", access.STAFF, world.b11)
    grant(helper, access.CADRE, world.b12)  # works for both units: told once, of all of it
    make_user("looks-on", access.VIEWER, world.b11)
    issue(world.k1, world.staff, world.year, [], {one: {world.b11: 300}, two: {world.b11: 5, world.b12: 7}})
    assert told() == {
        "cadre": ("b11", words(2)),
        "other-cadre": ("b12", words(1)),
        "helper": ("b11", words(2)),
    }
    changed = {one: {world.b11: 310}, two: {world.b12: 7}}
    issue(world.k1, world.staff, world.year, [], changed, "04-QĐ/ĐTN", reason="Điều chỉnh")
    assert told() == {"cadre": ("b11", words(1, "04-QĐ/ĐTN")), "helper": ("b11", words(1, "04-QĐ/ĐTN"))}


def test_what_applies_in_common_is_told_to_everybody_it_reaches(world):
    rate = {"kind": "rate", "value": 8000, "indicators": [world.trees], "denominators": [world.times]}
    total = {"kind": "total", "value": 700, "indicators": [world.trees]}
    common = make_target(world.tw, 2024, [rate], issued_on=None)
    alone = make_target(world.tw, 2024, [total], issued_on=None)  # reaches nobody before it is given
    issue(world.tw, world.central, world.year, [common, alone], {})
    everybody = {"cadre": "b11", "other-cadre": "b12", "secretary": "k1", "staff": "k1", "stranger": "k2"}
    assert told() == {name: (code, words(1)) for name, code in everybody.items()}
    # One province gets another rate: whoever follows it is told, a unit with a rate of its own is not.
    measure = common.measures.get()
    assign(measure, world.b12, 9000)
    issue(world.tw, world.central, world.year, [], {measure: {world.p1: 8500}}, "04-QĐ/ĐTN")
    assert told() == {name: (everybody[name], words(1, "04-QĐ/ĐTN")) for name in ("cadre", "secretary", "staff")}


def test_telling_takes_the_same_statements_for_few_and_many_units(world):
    asked = []
    for number in (1, 2, 20):  # the first one begins the journal of the unit
        units = [make_unit(f"x{number}-{i}", "doan-co-so", world.k1) for i in range(number)]
        for unit in units:
            make_user(f"user-{unit.code}", access.CADRE, unit)
        rate = {"kind": "rate", "value": 8000, "indicators": [world.trees], "denominators": [world.times]}
        target = make_target(world.k1, 2024, [rate], issued_on=None)
        with CaptureQueriesContext(connection) as captured:
            issue(world.k1, world.staff, world.year, [target], {})
        asked.append(len(captured))
    assert asked[1] == asked[2]
    assert Notice.objects.filter(unit__code__startswith="x20-").count() == 20
