from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import review
from tests.factories import approve, make_activity, make_unit

LIST = reverse("declaration_list")


def declare(world, unit, value, day=date(2024, 3, 31)):
    return make_activity(unit, world.cadre, world.declaring, {world.members: value}, day)


def rows(response):
    """{unit code: (done, expected, members in force)}."""
    return {
        row.record.unit.code: (row.record.done, row.record.expected, list(row.record.values.values()))
        for row in response.context["table"].rows
    }


def test_a_khoi_sees_which_of_its_units_have_declared(client, world):
    approve(declare(world, world.b11, 90, date(2024, 1, 31)), world.secretary)
    approve(declare(world, world.b11, 120), world.secretary)
    declare(world, world.b12, 50)
    declare(world, world.b21, 70)
    client.force_login(world.secretary)
    response = client.get(LIST, {"nam": 2024})
    assert rows(response) == {"b11": (1, 1, [120]), "b12": (0, 1, [])}
    assert (response.context["done"], response.context["expected"]) == (1, 2)


def test_a_declaration_that_waits_has_been_made_but_is_not_in_force(client, world):
    review.submit(activity=declare(world, world.b12, 50), actor=world.cadre)
    client.force_login(world.secretary)
    assert rows(client.get(LIST, {"nam": 2024})) == {"b11": (0, 1, []), "b12": (1, 1, [])}


def test_higher_units_see_how_many_below_each(client, world):
    approve(declare(world, world.b11, 120), world.secretary)
    approve(declare(world, world.b21, 70), world.stranger)
    client.force_login(world.central)
    response = client.get(LIST, {"nam": 2024})
    assert rows(response) == {"p1": (1, 2, [120]), "p2": (1, 2, [70])}
    assert (response.context["done"], response.context["expected"]) == (2, 4)
    assert rows(client.get(LIST, {"nam": 2024, "don-vi": "p2"})) == {"k2": (1, 2, [70])}
    assert f"{reverse('activity_list')}?nam=2024&amp;don-vi=p1&amp;chi-so=thu-doan-vien&amp;trang-thai=da-duyet" in (
        response.content.decode()
    )


def test_a_base_sees_itself_and_its_branches(client, world):
    branch = make_unit("cd1", "chi-doan", world.b11)
    approve(declare(world, world.b11, 120), world.secretary)
    approve(declare(world, branch, 30), world.secretary)
    client.force_login(world.cadre)
    response = client.get(LIST, {"nam": 2024})
    assert rows(response) == {"b11": (1, 1, [150]), "cd1": (1, 1, [30])}
    assert [record.unit.code for record in response.context["recent"]] == ["b11"]


@pytest.mark.parametrize("code", ["b21", "khong-co"])
def test_units_out_of_scope_are_not_found(client, world, code):
    client.force_login(world.secretary)
    assert client.get(LIST, {"don-vi": code}).status_code == 404


def test_the_list_asks_as_often_for_three_units_as_for_one(client, world):
    client.force_login(world.secretary)
    counts = []
    for unit in (world.b11, world.b12, make_unit("b13", "doan-co-so", world.k1)):
        approve(declare(world, unit, 10), world.secretary)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST, {"nam": 2024}).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[2]


def test_a_viewer_reads_but_does_not_declare(client, world):
    client.force_login(world.viewer)
    assert client.get(LIST, {"nam": 2024}).status_code == 200
    assert client.get(reverse("declaration_create")).status_code == 403
