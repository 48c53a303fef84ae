from datetime import date

import pytest
from django.urls import reverse

from activities import review
from tests.factories import approve, assign, make_activity, make_target, make_unit
from units import access


@pytest.fixture
def planned(world):
    """A TOTAL of trees given from Trung ương down to the khối, and a RATE that passes down by itself."""
    target = make_target(
        world.tw,
        2024,
        [
            {"kind": "total", "value": 1000, "indicators": [world.trees]},
            {"kind": "coverage", "value": 10000, "floor": 3, "indicators": [world.trees]},
        ],
        text="Trồng cây",
    )
    total = target.measures.get(letter="a")
    for unit, planned in ((world.p1, 500), (world.k1, 100), (world.b11, 40)):
        assign(total, unit, planned)
    return world


def page(client, user, name="dashboard", **query):
    client.force_login(user)
    return client.get(reverse(name), {"nam": 2024} | query)


def texts(response, key="rows"):
    return [(row.number, row.actual, row.percent, row.state.value) for row in response.context[key]]


def test_a_cadre_sees_the_units_own_targets_and_what_is_to_do(client, planned):
    draft = make_activity(planned.b11, planned.cadre, planned.planting, {planned.trees: 5}, title="Bản nháp của tôi")
    make_activity(planned.b12, planned.other_cadre, planned.planting, {planned.trees: 5}, title="Của đơn vị khác")
    response = page(client, planned.cadre)
    number = response.context["rows"][0].number[:-1]
    assert sorted(texts(response)) == [
        (f"{number}a", "chưa có số", "–", "chua_co_so"),
        (f"{number}b", "chưa có số", "–", "chua_co_so"),
    ]
    assert [row.title for row in response.context["drafts"]] == [draft.title]
    assert "waiting" not in response.context
    assert "Của đơn vị khác" not in response.content.decode()


def test_a_secretary_sees_approved_and_waiting_figures_worst_first(client, planned):
    approve(make_activity(planned.b11, planned.cadre, planned.planting, {planned.trees: 60}), planned.secretary)
    waiting = make_activity(planned.b12, planned.other_cadre, planned.planting, {planned.trees: 15})
    review.submit(activity=waiting, actor=planned.other_cadre)
    response = page(client, planned.secretary)
    total, coverage = sorted(response.context["rows"], key=lambda row: row.number)
    assert (total.actual, total.plan, total.percent, total.difference) == (
        "60 cây",
        "100 cây",
        "60%",
        "còn thiếu 40 cây",
    )
    assert (total.pending, total.bar.approved_width, total.bar.pending_width) == ("15 cây", 60.0, 15.0)
    assert (coverage.actual, coverage.percent, coverage.state.value) == ("1/2 đơn vị", "50%", "chua_dat")
    assert [row.percent for row in response.context["rows"]] == ["50%", "60%"]
    assert list(response.context["waiting"]) == [waiting]
    assert response.context["summary"].sentence == "hoàn thành 0/1 chỉ tiêu"


def test_a_person_without_a_role_is_told_what_to_do(client, world):
    world.cadre.roles.all().delete()
    access.forget_grants(world.cadre)
    assert "chưa được gắn với đơn vị nào" in page(client, world.cadre).content.decode()


def test_another_unit_out_of_scope_is_not_found(client, planned):
    assert page(client, planned.secretary, **{"don-vi": "k2"}).status_code == 404
    assert page(client, planned.secretary, "progress", **{"don-vi": "k2"}).status_code == 404


def test_every_number_leads_to_the_records_that_sum_to_it(client, planned):
    approve(make_activity(planned.b11, planned.cadre, planned.planting, {planned.trees: 60}), planned.secretary)
    approve(make_activity(planned.b12, planned.other_cadre, planned.planting, {planned.trees: 7}), planned.secretary)
    total = next(row for row in page(client, planned.secretary).context["rows"] if row.number.endswith("a"))
    listed = client.get(total.records_url)
    assert (
        sum(
            figure.value
            for row in listed.context["table"].data
            for figure in row.figures.filter(indicator=planned.trees)
        )
        == 67
    )


def test_a_measure_is_drilled_down_to_the_children_worst_first(client, planned):
    approve(make_activity(planned.b11, planned.cadre, planned.planting, {planned.trees: 60}), planned.secretary)
    row = next(row for row in page(client, planned.secretary).context["rows"] if row.number.endswith("a"))
    client.force_login(planned.secretary)
    response = client.get(row.units_url)
    lines = [
        (child.unit.code, child.row.plan, child.row.actual, child.row.state.value)
        for child in response.context["children"]
    ]
    assert lines == [("b12", "–", "chưa có số", "chua_co_so"), ("b11", "40 cây", "60 cây", "vuot")]


@pytest.mark.parametrize("y", ["0", "999999", "x", "99999999999999999999", ""])
def test_an_unknown_measure_is_not_found(client, planned, y):
    assert page(client, planned.secretary, "progress", y=y).status_code == 404


@pytest.mark.parametrize("name", ["dashboard", "progress"])
def test_statements_do_not_grow_with_the_units(client, planned, name, django_assert_max_num_queries):
    approve(make_activity(planned.b11, planned.cadre, planned.planting, {planned.trees: 60}), planned.secretary)
    client.force_login(planned.secretary)
    with django_assert_max_num_queries(26 if name == "dashboard" else 40) as few:
        client.get(reverse(name), {"nam": 2024})
    for n in range(40):
        make_unit(f"them-{n}", "doan-co-so", planned.k1)
    with django_assert_max_num_queries(len(few)) as many:
        client.get(reverse(name), {"nam": 2024})
    assert len(many) == len(few)


def test_an_unknown_year_is_not_found_and_an_empty_system_still_answers(client, world):
    client.force_login(world.secretary)
    assert client.get("/?nam=1999").status_code == 404
    assert client.get("/?nam=abc").status_code == 404
    assert client.get("/", {"nam": date.today().year}).status_code == 200


def test_a_unit_of_very_many_children_is_shown_page_by_page(client, planned):
    for n in range(120):
        make_unit(f"them-{n}", "doan-co-so", planned.k1)
    first = page(client, planned.secretary, "progress")
    second = page(client, planned.secretary, "progress", page=2)
    assert [len(response.context["children"]) for response in (first, second)] == [100, 22]
    assert "Trang 2/2" in second.content.decode()
