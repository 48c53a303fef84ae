import random
from collections import Counter, defaultdict

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reports.whole_tree import MOST_ROWS
from targets.models import Assignment, DraftAssignment
from targets.years import close_year
from tests.factories import approve, assign, make_activity, make_target, make_user
from units import access, tree
from units.models import Unit, UnitKind


@pytest.fixture
def trees(world):
    """20.000 cây of the centre: p1 got 12.000, k1 5.000 of them, b11 3.000 and reached 1.200; p2 has nothing yet."""
    target = make_target(world.tw, 2024, [{"kind": "total", "value": 20_000, "indicators": [world.trees]}], number=5)
    measure = target.measures.get()
    assign(measure, world.p1, 12_000, registered=13_000)
    assign(measure, world.k1, 5_000)
    assign(measure, world.b11, 3_000)
    assign(measure, world.b12, None, registered=700)
    DraftAssignment.objects.create(measure=measure, giver=world.tw, unit=world.p2, planned=777, actor=world.central)
    approve(
        make_activity(world.b11, world.cadre, world.planting, {world.trees: 1_200, world.times: 9}), world.secretary
    )
    return measure


def address(measure, **query):
    return reverse("measure_tree", args=[measure.pk]), query


def shown(client, user, measure, **query):
    """{code: (depth, assigned, registered, actual, given, passed)} of the rows on the page."""
    client.force_login(user)
    response = client.get(*address(measure, **query))
    keys = ("planned", "registered", "actual", "given", "passed")
    return {
        node.unit.code: (node.depth, *(node.texts[key] for key in keys)) for node in response.context["nodes"]
    }, response


def test_one_measure_down_every_level(client, world, trees):
    rows, response = shown(client, world.central, trees, cap="base")
    assert rows == {
        "tw": (0, "20.000 cây", "–", "1.200 cây", "1/2 (50%)", "1/2"),
        "p1": (1, "12.000 cây", "13.000 cây", "1.200 cây", "1/1 (100%)", "1/1"),
        "k1": (2, "5.000 cây", "–", "1.200 cây", "1/2 (50%)", "–"),
        "b11": (3, "3.000 cây", "–", "1.200 cây", "–", "–"),
        "b12": (3, "chưa giao", "700 cây", "chưa có số", "–", "–"),
        "p2": (1, "chưa giao", "–", "chưa có số", "0/1 (0%)", "0/1"),
        "k2": (2, "chưa giao", "–", "chưa có số", "0/2 (0%)", "–"),
        "b21": (3, "chưa giao", "–", "chưa có số", "–", "–"),
        "b22": (3, "chưa giao", "–", "chưa có số", "–", "–"),
    }
    states = {node.unit.code: (node.state, node.texts["percent"]) for node in response.context["nodes"]}
    assert (states["p1"], states["b11"], states["p2"]) == (
        ("chua_dat", "10%"),
        ("chua_dat", "40%"),
        ("chua_co_so", "–"),
    )
    assert "777 cây" not in response.content.decode()  # a draft reaches nobody, nor this page
    nodes = {node.unit.code: node for node in response.context["nodes"]}
    assert nodes["k1"].urls["grid"] == f"{reverse('measure_assign', args=[trees.pk])}?nam=2024&don-vi=k1"
    assert nodes["k1"].urls["detail"] == f"{reverse('target_detail', args=[trees.target_id])}?nam=2024&don-vi=k1"
    assert "grid" not in nodes["b11"].urls


def test_rows_open_and_close_by_the_address(client, world, trees):
    def codes(**query):
        return list(shown(client, world.central, trees, **query)[0])

    assert codes() == ["tw", "p1", "p2"]
    assert codes(mo=["p1", "k1", "khong-co"]) == ["tw", "p1", "k1", "b11", "b12", "p2"]
    assert codes(mo="k1") == ["tw", "p1", "p2"]  # below what is closed nothing shows
    assert codes(cap="base", dong=["k1", "p2"]) == ["tw", "p1", "k1", "p2"]
    assert codes(dong="tw") == ["tw"]
    assert codes(cap="khong-co", **{"don-vi": "k1"}) == ["k1", "b11", "b12"]
    _, response = shown(client, world.central, trees, cap="district", mo="k1")
    links = {node.unit.code: node.urls["toggle"] for node in response.context["nodes"]}
    assert list(links) == ["tw", "p1", "k1", "b11", "b12", "p2", "k2"]
    for code, after in (("k1", ["tw", "p1", "k1", "p2", "k2"]), ("p1", ["tw", "p1", "p2", "k2"])):
        closed = client.get(links[code]).context["nodes"]
        assert [node.unit.code for node in closed] == after
        again = {node.unit.code: node.urls["toggle"] for node in closed}[code]
        reopened = [node.unit.code for node in client.get(again).context["nodes"]]
        assert reopened == list(links)
    assert links["b11"] == ""


def test_what_applies_in_common_and_what_is_answered_otherwise(client, world):
    rate = {"kind": "rate", "value": 8_000, "indicators": [world.times], "denominators": [world.members]}
    cover = {"kind": "coverage", "value": 10_000, "floor": 3, "indicators": [world.count]}
    measure, covered = make_target(world.tw, 2024, [rate, cover]).measures.all()
    assign(measure, world.p1, 9_000)
    own = make_target(world.k2, 2024, [cover], answers=measure.target, text="Mỗi cơ sở ít nhất 3 hoạt động")
    make_target(world.k1, 2024, [cover], answers=measure.target, issued_on=None, text="Chưa ban hành")
    rows, response = shown(client, world.central, measure, cap="base")
    assert {code: row[1] for code, row in rows.items()} == {
        "tw": "80%",
        "p1": "90%",
        "p2": "80% (chung)",
        **dict.fromkeys(("k1", "b11", "b12"), "90% (chung)"),
        **dict.fromkeys(("k2", "b21", "b22"), "80% (chung)"),
    }
    assert (rows["tw"][4], rows["p2"][4], rows["tw"][5]) == ("chung, 1 giao riêng", "áp dụng chung", "0/2")
    assert (rows["p1"][5], rows["p2"][5]) == ("0/1", "1/1")  # k2 passes it on as a target of its own
    assert {node.unit.code: node.answers for node in response.context["nodes"] if node.answers} == {"k2": [own]}
    assert "thực hiện bằng chỉ tiêu riêng" in response.content.decode()
    assert shown(client, world.central, covered)[0]["p1"][1] == "100% (chung)"


def test_the_scope_is_that_of_the_user(client, world, trees):
    rows, response = shown(client, world.viewer, trees, cap="base")
    assert list(rows) == ["p1", "k1", "b11", "b12"]
    assert [node.urls.get("grid") for node in response.context["nodes"]] == [None] * 4  # looks on, shares nothing out
    for code, status in (("p2", 404), ("tw", 404), ("k1", 200), ("khong-co", 404)):
        assert client.get(*address(trees, **{"don-vi": code})).status_code == status
    foreign = make_target(world.p2, 2024, [{"kind": "total", "value": 1, "indicators": [world.trees]}]).measures.get()
    assert client.get(*address(foreign)).status_code == 404
    client.force_login(world.central)
    assert client.get(*address(foreign, **{"don-vi": "k1"})).status_code == 404  # not in the line of p2
    assert client.get(*address(foreign, **{"don-vi": "k2"})).status_code == 200
    close_year(year=2024)
    _, response = shown(client, world.central, trees)
    assert ["grid" in node.urls for node in response.context["nodes"]] == [False] * 3


def test_five_thousand_units_take_no_more_statements_than_nine(client, world):
    """And the counts are those of a brute-force count over the same random tree."""
    rng = random.Random(5)
    kinds = {kind.pk: kind for kind in UnitKind.objects.all()}
    parents = {}

    def add(count, kind, above):
        made = [Unit(code=f"{kind}-{n}", name=f"Đơn vị {kind} {n}", kind=kinds[kind]) for n in range(count)]
        for unit in made:
            unit.prepare()
        for unit in Unit.objects.bulk_create(made):
            parents[unit] = rng.choice(above)
        return made

    provinces = add(60, "tinh-doan", [world.tw])
    districts = add(900, "doan-khoi", provinces)
    add(4_040, "doan-co-so", districts)
    tree.place_many(pairs=list(parents.items()))
    parents |= {world.p1: world.tw, world.p2: world.tw, world.k1: world.p1, world.k2: world.p2}
    for unit in (world.b11, world.b12, world.b21, world.b22):
        parents[unit] = world.k1 if unit in (world.b11, world.b12) else world.k2
    measures = [
        {"kind": "total", "value": 20_000_000, "indicators": [world.trees]},
        {"kind": "coverage", "value": 10_000, "floor": 1, "indicators": [world.trees]},
    ]
    total, cover = make_target(world.tw, 2024, measures).measures.all()
    given = {unit for unit in parents if rng.random() < 0.4}
    Assignment.objects.bulk_create(Assignment(measure=total, unit=unit, planned=1) for unit in given)

    children = defaultdict(list)
    for unit, above in parents.items():
        children[above].append(unit)
    boss = make_user("boss", access.SECRETARY, world.tw)
    client.force_login(boss)
    openings = (total, {}, 63), (total, {"cap": "branch"}, 1 + MOST_ROWS), (cover, {"cap": "branch"}, 1 + MOST_ROWS)
    for measure, opening, rows in openings:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(*address(measure, **opening))
        nodes = response.context["nodes"]
        assert (len(queries) <= 20, len(nodes)) == (True, rows), len(queries)
        below = Counter(node.placement.parent_id for node in nodes)
        for node in nodes if measure == total else ():
            here = children[node.unit]
            passing = [unit for unit in here if children[unit]]
            passed = [unit for unit in passing if given.intersection(children[unit])]
            found = (node.below.units, node.below.given, node.below.passing, node.below.passed)
            assert found == (len(here), len(given.intersection(here)), len(passing), len(passed))
            assert node.hidden == (len(here) - below[node.unit.pk]) * node.is_open
    assert response.context["nodes"][0].texts["actual"] == "chưa có số"
