"""The page of one unit."""

import html
import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities.moves.moving import move_unit
from targets.models import Nature
from tests.factories import approve, grant, make_activity, make_indicator, make_unit, make_user
from units import access, organising
from units.models import Unit

THIS_YEAR = date.today().year


@pytest.fixture
def page(client):
    def get(user, code, **query):
        access.forget_grants(user)
        client.force_login(user)
        return client.get(f"/don-vi/{code}/", query)

    return get


def main(response):
    text = response.content.decode()
    return html.unescape(text.split("<main")[1].split("</main>")[0])


def declare(world, unit, author, value, day=date(2024, 5, 5)):
    return approve(make_activity(unit, author, world.declaring, {world.members: value}, day), world.secretary)


def headcount(response, indicator):
    (row,) = [row for row in response.context["headcounts"] if row["indicator"] == indicator]
    return row["own"], row["whole"]


def test_who_sees_which_unit(world, page):
    expected = {
        world.cadre: [404, 404, 404, 200, 404, 404],
        world.secretary: [404, 404, 200, 200, 200, 404],
        world.viewer: [404, 200, 200, 200, 200, 404],
        world.central: [200, 200, 200, 200, 200, 200],
        world.stranger: [404, 404, 404, 404, 404, 200],
    }
    for user, statuses in expected.items():
        assert [page(user, code).status_code for code in ("tw", "p1", "k1", "b11", "b12", "k2")] == statuses
    nobody = make_user("nobody")
    assert page(nobody, "b11").status_code == 403


def test_superiors_out_of_scope_are_named_but_not_linked(world, page):
    response = page(world.secretary, "b11")
    assert [(step["unit"].code, step["is_mine"]) for step in response.context["line"]] == [
        ("tw", False),
        ("p1", False),
        ("k1", True),
    ]
    assert re.findall(r'href="/don-vi/(tw|p1|k1)/', response.content.decode()) == ["k1"]


def test_headcounts_tell_own_from_subtree_and_blank_from_zero(world, page):
    cd1 = make_unit("cd1", "chi-doan", world.b11)
    cadre = make_user("cd-cadre", access.CADRE, cd1)
    declare(world, world.b11, world.cadre, 5, date(2024, 1, 5))
    declare(world, world.b11, world.cadre, 3, date(2024, 6, 5))
    declare(world, cd1, cadre, 1250)
    declare(world, world.b12, world.other_cadre, 0)
    empty = make_indicator("thu-trong", Nature.STOCK)
    k1, b11, b12, cd = (page(world.secretary, code, nam=2024) for code in ("k1", "b11", "b12", "cd1"))
    assert [headcount(response, world.members) for response in (k1, b11, b12, cd)] == [
        ("–", "1.253"),
        ("3", "1.253"),
        ("0", "0"),
        ("1.250", "1.250"),
    ]
    assert headcount(k1, empty) == ("–", "–")
    assert headcount(page(world.secretary, "k1"), world.members) == ("–", "–")


def test_kinds_are_counted_below_and_a_mismatch_with_the_documents_is_said(world, page):
    for i in range(3):
        make_unit(f"c{i}", "chi-doan-co-so", world.k1)
    make_unit("cu", "chi-doan-co-so", world.k1, dissolved=date(2023, 6, 1))
    organising.state_parts(unit=world.k1, parts={"đoàn cơ sở": 2, "chi đoàn cơ sở": 2}, total=5, actor=world.admin)
    response = page(world.secretary, "k1", nam=2024)
    structure = response.context["structure"]
    assert structure.kinds == [("Đoàn cơ sở", 2), ("Chi đoàn cơ sở", 3)]
    assert structure.warnings == ["Số nêu trong văn bản không khớp: 2 + 2 = 4, trong khi tổng nêu là 5."]
    text = " ".join(main(response).split())
    assert "đoàn cơ sở 2, chi đoàn cơ sở 3" in text
    assert "tổng 5, trong đó đoàn cơ sở 2, chi đoàn cơ sở 2" in text
    assert structure.warnings[0] in text


def test_people_stand_with_role_and_phone(world, page):
    world.secretary.phone = "0912345678"
    world.secretary.save(update_fields=["phone"])
    gone = make_user("gone", access.SECRETARY, world.k1, full_name="Người Đã Nghỉ")
    gone.is_active = False
    gone.save(update_fields=["is_active"])
    response = page(world.viewer, "k1")
    assert [(role.user.username, role.role) for role in response.context["roles"]] == [
        ("secretary", "secretary"),
        ("staff", "staff"),
    ]
    assert 'href="tel:0912345678"' in response.content.decode()


def test_moves_clusters_and_former_names_are_told(world, page):
    move_unit(unit=world.b11, parent=world.k2, year=2024, actor=world.admin, reason="QĐ 7 (minh họa)")
    organising.form_cluster(
        year=2024, organizer=world.p2, name="Cụm 3 (minh họa)", members=[world.b11, world.b21], actor=world.admin
    )
    organising.rename_unit(
        unit=world.b11, name="Tên mới (minh họa)", short_name="", was="Đơn vị b11", actor=world.admin
    )
    text = " ".join(main(page(world.central, "b11", nam=2024)).split())
    assert "áp dụng cho năm 2024: Đơn vị k1 → Đơn vị k2. QĐ 7 (minh họa)" in text
    assert "Cụm 3 (minh họa) (Đơn vị p2)" in text
    assert "<dt>Trước đây</dt><dd>Đơn vị b11</dd>" in text
    assert "Cụm 3" not in main(page(world.central, "b11"))


def test_a_dissolved_unit_leads_to_its_successor(world, page):
    organising.update_unit(unit=world.b11, dissolved=date(2025, 7, 1), successor=world.b12, actor=world.admin)
    assert "Đã giải thể ngày 01/07/2025; đơn vị kế thừa:" in main(page(world.secretary, "b11"))
    assert "<dt>Kế thừa từ</dt><dd>Đơn vị b11</dd>" in main(page(world.secretary, "b12"))


def test_a_year_without_the_unit_says_so(world, page):
    make_unit("k3", "doan-khoi", world.p1, founded=date(2025, 1, 1))
    response = page(world.admin, "k3", nam=2024)
    assert (response.status_code, "không có trong cây năm 2024" in main(response)) == (200, True)
    assert page(world.admin, "k3", nam="abcd").status_code == 404


def test_buttons_are_those_of_what_one_may_do(world, page):
    own = make_user("own", access.ADMIN, world.k1)
    buttons = {}
    for user in (world.secretary, own, world.admin):
        text = page(user, "k1").content.decode()
        buttons[user.username] = [
            name for name in ("them/?cap-tren=k1", "k1/doi-ten/", "k1/chuyen/") if f"/don-vi/{name}" in text
        ]
    assert buttons == {
        "secretary": [],
        "own": ["them/?cap-tren=k1", "k1/doi-ten/"],
        "admin": ["them/?cap-tren=k1", "k1/doi-ten/", "k1/chuyen/"],
    }


def test_many_children_come_in_pages_and_can_be_searched(world, page):
    for i in range(30):
        make_unit(f"c{i:02}", "chi-doan-co-so", world.k1, name=f"Chi đoàn Số {i}")
    first = page(world.secretary, "k1")
    shown = [row.record.unit.name for row in first.context["children"].paginated_rows]
    assert (len(shown), shown[:3]) == (25, ["Chi đoàn Số 0", "Chi đoàn Số 1", "Chi đoàn Số 2"])
    second = page(world.secretary, "k1", page=2)
    assert len(second.context["children"].paginated_rows) == 7
    found = page(world.secretary, "k1", q="doan so 11")
    assert [row.record.unit.name for row in found.context["children"].paginated_rows] == ["Chi đoàn Số 11"]
    assert page(world.secretary, "k1", page="9999").status_code == 200


def test_the_page_asks_the_same_number_of_questions_for_one_and_three_children(world, page, client):
    def questions():
        client.force_login(world.secretary)
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/don-vi/k1/", {"nam": 2024}).status_code == 200
        return len(captured)

    Unit.objects.get(code="b12").placements.all().delete()
    declare(world, world.b11, world.cadre, 5)
    one = questions()
    for i in range(2):
        unit = make_unit(f"c{i}", "doan-co-so", world.k1)
        declare(world, unit, make_user(f"c{i}", access.CADRE, unit), 5)
        grant(make_user(f"s{i}"), access.STAFF, world.k1)
    move_unit(unit=world.b21, parent=world.k1, year=2024, actor=world.admin, reason="x")
    assert questions() == one
