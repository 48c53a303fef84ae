"""The page that hangs a unit under another superior, and its preview."""

import re
from datetime import date

import pytest

from activities.models import UnitTotal
from activities.moves.move_preview import move_as_previewed, preview_move
from activities.moves.moving import move_unit
from targets.years import close_year
from tests.factories import approve, grant, make_activity, make_unit, make_user
from units import access
from units.models import Move, Placement

THIS_YEAR = date.today().year


@pytest.fixture
def mover(world):
    """An admin of both provinces."""
    grant(world.admin, access.ADMIN, world.p2)
    return world.admin


@pytest.fixture
def page(world, mover, client):
    client.force_login(mover)
    return lambda **query: client.get("/don-vi/b11/chuyen/", query)


def log(world, unit, author, value, hosts=()):
    reviewer = world.secretary if unit in (world.b11, world.b12) else world.stranger
    return approve(make_activity(unit, author, world.planting, {world.trees: value}, hosts=hosts), reviewer)


def totals_of(unit, year=2024):
    rows = UnitTotal.objects.filter(unit=unit, year=year, month=0)
    found = {}
    for row in rows:
        found[row.indicator_id] = found.get(row.indicator_id, 0) + row.value
    return found


def test_the_preview_says_exactly_what_the_move_does(world, mover):
    """Joint activities inside, across the old superior, and already shared with the new one."""
    make_unit("cd1", "chi-doan", world.b11)
    log(world, world.b11, world.cadre, 7)
    log(world, world.b11, world.cadre, 10, hosts=[world.b12])
    log(world, world.b11, world.cadre, 100, hosts=[world.b21, world.b12])
    log(world, world.b12, world.other_cadre, 1000)
    log(world, world.b21, make_user("c21", access.CADRE, world.b21), 10_000, hosts=[world.b11, world.b22])
    approve(make_activity(world.b11, world.cadre, world.declaring, {world.members: 80}), world.secretary)
    make_activity(world.b11, world.cadre, world.planting, {world.trees: 1})
    preview = preview_move(unit=world.b11, parent=world.k2, year=2024)
    first, second = preview.years
    assert (first.year, first.old, first.units, first.counted, first.others) == (2024, world.k1, 2, 5, 1)
    assert (second.year, second.units, second.counted, second.lines) == (THIS_YEAR, 2, 0, [])
    lines = {line.indicator: line for line in first.lines}
    assert lines[world.trees].unit == "10.117"
    assert (lines[world.trees].old_before, lines[world.trees].old_after) == ("11.117", "1.110")
    assert (lines[world.trees].new_before, lines[world.trees].new_after) == ("10.100", "10.117")
    assert (lines[world.members].old_before, lines[world.members].old_after) == ("80", "0")
    assert (lines[world.members].new_before, lines[world.members].new_after) == ("–", "80")
    move_as_previewed(unit=world.b11, parent=world.k2, year=2024, actor=mover, reason="QĐ 1", seal=preview.seal)
    for line in first.lines:
        pk, show = line.indicator.pk, line.indicator.format
        assert show(totals_of(world.b11)[pk]) == line.unit
        assert show(totals_of(world.k1).get(pk, 0)) == line.old_after
        assert show(totals_of(world.k2).get(pk, 0)) == line.new_after


def test_a_common_superior_keeps_its_totals(world, mover):
    log(world, world.b11, world.cadre, 7)
    (line, _) = preview_move(unit=world.b11, parent=world.p1, year=2024).years[0].lines
    assert (line.old_before, line.old_after, line.new_before, line.new_after) == ("7", "0", "", "")


def test_the_page_offers_superiors_outside_the_unit(world, page):
    response = page()
    assert [row.unit.code for row in response.context["found"]] == ["k2", "p1", "p2", "b12", "b21", "b22"]
    assert [row.unit.code for row in page(tim="DON VI k").context["found"]] == ["k2"]


def test_nobody_is_offered_a_superior_of_a_lower_level(world, mover, page, client):
    found = client.get("/don-vi/k1/chuyen/").context["found"]
    assert [row.unit.code for row in found] == ["p2", "k2"]


def test_seeing_the_preview_changes_nothing_and_doing_it_does(world, page, client):
    log(world, world.b11, world.cadre, 7)
    before = list(Placement.objects.order_by("pk").values())
    response = page(**{"cap-tren": "k2", "tu-nam": "2024"})
    assert response.status_code == 200
    assert list(Placement.objects.order_by("pk").values()) == before
    seal = re.search(r'name="seal" value="(\w+)"', response.content.decode())[1]
    url = "/don-vi/b11/chuyen/?cap-tren=k2&tu-nam=2024"
    response = client.post(url, {"reason": "QĐ số 12 (minh họa)", "seal": seal})
    assert (response.status_code, response.url) == (302, "/don-vi/b11/")
    assert list(
        Move.objects.order_by("year").values_list("year", "from_parent__code", "to_parent__code", "reason")
    ) == [
        (2024, "k1", "k2", "QĐ số 12 (minh họa)"),
        (THIS_YEAR, "k1", "k2", "QĐ số 12 (minh họa)"),
    ]
    assert [sum(totals_of(unit).values()) for unit in (world.k1, world.k2)] == [0, 8]
    response = client.post(url, {"reason": "lần nữa", "seal": seal})
    assert (response.status_code, Move.objects.count()) == (422, 2)
    assert "đang trực thuộc" in response.content.decode()


def test_by_default_a_move_begins_with_the_current_year(world, page, client):
    seal = page(**{"cap-tren": "k2"}).context["preview"].seal
    client.post("/don-vi/b11/chuyen/?cap-tren=k2", {"reason": "QĐ", "seal": seal})
    parents = Placement.objects.filter(unit=world.b11).order_by("year").values_list("year", "parent__code")
    assert list(parents) == [(2024, "k1"), (THIS_YEAR, "k2")]


def test_closed_years_stay_as_they_were(world, page, client):
    close_year(year=2024)
    response = page(**{"cap-tren": "k2", "tu-nam": "2024"})
    assert [each.year for each in response.context["preview"].years] == [THIS_YEAR]
    close_year(year=THIS_YEAR)
    response = page(**{"cap-tren": "k2"})
    assert (response.status_code, "Không có năm công tác nào đang mở" in response.content.decode()) == (200, True)


def test_a_stale_preview_is_refused_and_shown_anew(world, mover, page, client):
    seal = page(**{"cap-tren": "k2"}).context["preview"].seal
    make_unit("cd1", "chi-doan", world.b11)
    url = "/don-vi/b11/chuyen/?cap-tren=k2"
    response = client.post(url, {"reason": "QĐ 5", "seal": seal})
    assert response.status_code == 422
    assert list(response.context["form"].errors.values()) == [
        ["Cây đơn vị vừa thay đổi so với lúc xem trước. Xem lại phần dưới rồi chuyển lần nữa."]
    ]
    page_text = response.content.decode()
    assert 'value="QĐ 5"' in page_text
    assert Move.objects.count() == 0
    seal = re.search(r'name="seal" value="(\w+)"', page_text)[1]
    assert client.post(url, {"reason": "QĐ 5", "seal": seal}).status_code == 302


def test_a_move_needs_a_reason(world, page, client):
    seal = page(**{"cap-tren": "k2"}).context["preview"].seal
    response = client.post("/don-vi/b11/chuyen/?cap-tren=k2", {"reason": " ", "seal": seal})
    assert (response.status_code, dict(response.context["form"].errors)) == (
        422,
        {"reason": ["Ghi lý do hoặc số quyết định chuyển đơn vị."]},
    )


@pytest.mark.parametrize(
    ("superior", "message"),
    [
        ("b11", "Không thể chuyển một đơn vị vào chính nó hoặc đơn vị cấp dưới của nó."),
        ("cd1", "Đoàn cơ sở không thể trực thuộc chi đoàn “Đơn vị cd1”: cấp trên ở cấp thấp hơn."),
        ("k1", "“Đơn vị b11” đang trực thuộc “Đơn vị k1” rồi."),
        ("tw", "Không có đơn vị mã “tw” trong phạm vi bạn quản trị."),
        ("không có", "Không có đơn vị mã “không có” trong phạm vi bạn quản trị."),
    ],
)
def test_superiors_that_cannot_be_are_refused_in_words(world, page, superior, message):
    make_unit("cd1", "chi-doan", world.b11)
    response = page(**{"cap-tren": superior})
    assert (response.status_code, [error["message"] for error in response.context["errors"]]) == (422, [message])


def test_a_superior_younger_than_the_first_year_is_named(world, page):
    make_unit("k3", "doan-khoi", world.p1, founded=date(2025, 1, 1))
    response = page(**{"cap-tren": "k3", "tu-nam": "2024"})
    assert [error["message"] for error in response.context["errors"]] == [
        "“Đơn vị k3” không có trong cây đơn vị năm 2024; chọn áp dụng từ năm sau đó."
    ]


def test_moving_needs_the_unit_in_scope_and_both_superiors(world, client):
    both = make_user("both", access.ADMIN, world.p2)
    grant(both, access.VIEWER, world.p1)
    own = make_user("own", access.ADMIN, world.k1)
    expected = {
        world.cadre: [403, 403, 403],
        world.secretary: [403, 403, 403],
        world.viewer: [403, 403, 403],
        world.admin: [200, 200, 404],
        both: [403, 403, 200],
        own: [403, 200, 404],
    }
    for user, statuses in expected.items():
        access.forget_grants(user)
        client.force_login(user)
        urls = [f"/don-vi/{code}/chuyen/" for code in ("k1", "b11", "b21")]
        assert [client.get(url).status_code for url in urls] == statuses, user
    client.force_login(own)
    response = client.post("/don-vi/b11/chuyen/?cap-tren=k2", {"reason": "QĐ", "seal": "x"})
    assert (response.status_code, Move.objects.count()) == (422, 0)


def test_moving_again_and_back_leaves_every_total_as_it_was(world, mover):
    log(world, world.b11, world.cadre, 10, hosts=[world.b12, world.b21])
    before = list(UnitTotal.objects.exclude(value=0, overlap=0).order_by("unit", "month", "indicator").values())
    move_unit(unit=world.b11, parent=world.k2, year=2024, actor=mover, reason="đi")
    move_unit(unit=world.b11, parent=world.k1, year=2024, actor=mover, reason="về")
    after = list(UnitTotal.objects.exclude(value=0, overlap=0).order_by("unit", "month", "indicator").values())
    assert after == before
