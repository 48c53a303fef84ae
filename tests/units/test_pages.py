import html
import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from targets.years import close_year
from tests.factories import grant, make_unit, make_user, make_year
from units import access, organising
from units.models import Placement, Unit, User

THIS_YEAR = date.today().year


@pytest.fixture
def as_user(client):
    def log_in(user):
        access.forget_grants(user)
        client.force_login(user)
        return client

    return log_in


def codes_shown(response):
    """Codes of the units whose own page the tree links to, from top to bottom."""
    tree = response.content.decode().split('<nav aria-label="Cây đơn vị">')
    return re.findall(r'href="/don-vi/([^/"]+)/["?]', tree[1].split("</nav>")[0]) if len(tree) > 1 else []


def errors_of(response):
    return {field: list(messages) for field, messages in response.context["form"].errors.items()}


# --- the tree ---


def test_the_tree_begins_at_the_top_of_the_scope_with_one_level_open(world, as_user):
    assert codes_shown(as_user(world.viewer).get("/don-vi/")) == ["p1", "k1"]
    assert codes_shown(as_user(world.central).get("/don-vi/")) == ["tw", "p1", "p2"]
    assert codes_shown(as_user(world.cadre).get("/don-vi/")) == ["b11"]


def test_what_is_open_stands_in_the_address_and_opens_its_superiors(world, as_user):
    client = as_user(world.central)
    assert codes_shown(client.get("/don-vi/", {"mo": ["k1", "p2"]})) == ["tw", "p1", "k1", "b11", "b12", "p2", "k2"]
    assert codes_shown(client.get("/don-vi/", {"mo": ""})) == ["tw"]
    assert codes_shown(client.get("/don-vi/", {"mo": ["k1", "khong-co"]})) == ["tw", "p1", "k1", "b11", "b12", "p2"]


def test_a_toggle_closes_what_is_below_and_opens_one_more(world, as_user):
    response = as_user(world.central).get("/don-vi/", {"mo": ["k1"], "nam": "2024"})
    (tw,) = response.context["nodes"]
    p1, p2 = tw.children
    assert (p2.toggle_url, p1.toggle_url, tw.toggle_url) == (
        "/don-vi/?nam=2024&mo=tw&mo=p1&mo=k1&mo=p2",
        "/don-vi/?nam=2024&mo=tw",
        "/don-vi/?nam=2024&mo=",
    )


def test_search_without_dau_keeps_the_superiors_in_view(world, as_user):
    organising.rename_unit(
        unit=world.b12, name="Chi đoàn Đồng Tháp (minh họa)", short_name="", was="Đơn vị b12", actor=world.admin
    )
    client = as_user(world.central)
    response = client.get("/don-vi/", {"q": "  dong THAP"})
    assert codes_shown(response) == ["tw", "p1", "k1", "b12"]
    assert [response.context["outline"].found, response.context["outline"].capped] == [1, False]
    assert codes_shown(client.get("/don-vi/", {"q": "don vi b12"})) == ["tw", "p1", "k1", "b12"]
    assert "trước đây: Đơn vị b12" in client.get("/don-vi/", {"q": "don vi b12"}).content.decode()
    assert codes_shown(client.get("/don-vi/", {"q": "không có đâu"})) == []


def test_search_never_leaves_the_scope(world, as_user):
    assert codes_shown(as_user(world.stranger).get("/don-vi/", {"q": "b1"})) == []
    assert codes_shown(as_user(world.secretary).get("/don-vi/", {"q": "b1"})) == ["k1", "b11", "b12"]


def test_the_tree_of_another_year_is_that_years(world, as_user):
    make_unit("b13", "doan-co-so", world.k1, founded=date(2025, 1, 1))
    client = as_user(world.viewer)
    assert codes_shown(client.get("/don-vi/", {"mo": "k1", "nam": "2024"})) == ["p1", "k1", "b11", "b12"]
    assert codes_shown(client.get("/don-vi/", {"mo": "k1"})) == ["p1", "k1", "b11", "b12", "b13"]
    assert [client.get("/don-vi/", {"nam": year}).status_code for year in ("2019", "abc", "²⁰²⁴")] == [404, 404, 404]


def test_somebody_with_two_roles_sees_both_subtrees(world, as_user):
    grant(world.secretary, access.VIEWER, world.b21)
    assert codes_shown(as_user(world.secretary).get("/don-vi/", {"mo": "k1"})) == ["b21", "k1", "b11", "b12"]


@pytest.mark.parametrize("query", [{"mo": "k1"}, {"q": "don vi"}, {}])
def test_the_tree_asks_the_same_number_of_questions_for_one_and_three_children(world, as_user, query):
    def questions():
        client = as_user(world.central)
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/don-vi/", query).status_code == 200
        return len(captured)

    Placement.objects.filter(unit=world.b12).delete()
    one = questions()
    for i in range(2):
        make_unit(f"them{i}", "doan-co-so", world.k1)
        make_user(f"nguoi{i}", access.CADRE, Unit.objects.get(code=f"them{i}"))
    assert questions() == one


def test_a_wide_unit_shows_its_first_units_and_says_how_many_more(world, as_user, monkeypatch):
    monkeypatch.setattr("units.outline.MOST_CHILDREN", 1)
    response = as_user(world.secretary).get("/don-vi/")
    assert codes_shown(response) == ["k1", "b11"]
    assert "Còn 1 đơn vị nữa" in response.content.decode()


def test_an_empty_organisation_has_a_page_too(db, as_user):
    boss = User.objects.create_superuser("boss", full_name="Người cài đặt", password="x")
    response = as_user(boss).get("/don-vi/")
    assert (response.status_code, "Chưa có đơn vị nào" in response.content.decode()) == (200, True)


# --- finding any unit ---


def test_search_for_hosts_names_any_unit_with_its_superior_and_nothing_else(world, as_user):
    Unit.objects.filter(pk=world.b21.pk).update(sector="bí mật", former_names="tên cũ bí mật")
    client = as_user(world.cadre)
    fragment = client.get("/don-vi/tim/", {"q": "b2"}, headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r'name="hosts" value="([^"]+)"', fragment) == ["b21", "b22"]
    assert re.findall(r"<label[^>]*>([^<]+)</label>", fragment) == ["Đơn vị b21, Đơn vị k2", "Đơn vị b22, Đơn vị k2"]
    assert "bí mật" not in fragment
    page = client.get("/don-vi/tim/", {"q": "don vi b"}).content.decode().split("<main")[1].split("</main>")[0]
    assert re.findall(r'href="/don-vi/(b[^/]+)/"', page) == ["b11"]
    assert re.findall(r"Đơn vị (b\d+)", page) == ["b11", "b12", "b21", "b22"]


def test_search_for_hosts_keeps_what_is_ticked_and_stops_at_twenty(world, as_user):
    for i in range(25):
        make_unit(f"n{i:02}", "doan-co-so", world.k2)
    response = as_user(world.cadre).get("/don-vi/tim/", {"q": "n", "hosts": ["b12", "x"]}, headers={"HX-Request": "1"})
    assert "Gõ ít nhất 2 chữ" in response.content.decode()
    response = as_user(world.cadre).get("/don-vi/tim/", {"q": "vi n", "hosts": ["n03"]}, headers={"HX-Request": "true"})
    assert re.findall(r'value="([^"]+)" id="[^"]+" checked', response.content.decode()) == ["n03"]
    assert len(response.context["found"]) == 20
    assert "Còn đơn vị khác" in response.content.decode()


def test_dissolved_units_host_nothing(world, as_user):
    Unit.objects.filter(pk=world.b22.pk).update(dissolved=date(2024, 1, 1))
    response = as_user(world.cadre).get("/don-vi/tim/", {"q": "b2"}, headers={"HX-Request": "true"})
    assert [row.unit.code for row in response.context["found"]] == ["b21"]


# --- adding and renaming ---

NEW = {"code": "b13", "name": "Chi đoàn Bến Hàn (minh họa)", "kind": "chi-doan-co-so", "founded": "26/3/2020"}


def test_an_admin_adds_a_unit_below(world, as_user):
    client = as_user(world.admin)
    assert client.get("/don-vi/them/?cap-tren=k1").status_code == 200
    response = client.post("/don-vi/them/?cap-tren=k1", NEW)
    assert (response.status_code, response.url) == (302, "/don-vi/b13/")
    unit = Unit.objects.get(code="b13")
    assert (unit.name, unit.kind_id, unit.founded) == (NEW["name"], "chi-doan-co-so", date(2020, 3, 26))
    placed = Placement.objects.filter(unit=unit).order_by("year").values_list("year", "parent__code", "level")
    assert list(placed) == [(2024, "k1", "base"), (THIS_YEAR, "k1", "base")]


def test_without_a_superior_one_chooses_it_first(world, as_user):
    response = as_user(world.admin).get("/don-vi/them/", {"tim": "DON VI k"})
    assert [unit.code for unit in response.context["found"]] == ["k1"]
    assert "?cap-tren=k1" in response.content.decode()


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        (
            {"code": "", "name": " ", "kind": ""},
            {"code": ["Nhập mã đơn vị."], "name": ["Nhập tên đơn vị."], "kind": ["Chọn loại đơn vị."]},
        ),
        (
            {"code": "đk 01"},
            {"code": ["Mã chỉ gồm chữ cái không dấu, chữ số và . - _, bắt đầu bằng chữ hoặc số, ví dụ DK-TINH.01."]},
        ),
        ({"code": ".."}, None),
        ({"code": "Tim"}, {"code": ["Mã “Tim” dành riêng cho hệ thống; chọn mã khác."]}),
        ({"code": "B21"}, {"code": ["Đã có đơn vị mang mã này."]}),
        ({"kind": "khong-co"}, {"kind": ["Chọn một loại trong danh sách."]}),
        (
            {"kind": "tinh-doan"},
            {"__all__": ["Tỉnh đoàn không thể trực thuộc đoàn khối “Đơn vị k1”: cấp trên ở cấp thấp hơn."]},
        ),
        (
            {"founded": "01/01/2027"},
            {"founded": ["Không có năm công tác đang mở nào mà đơn vị và cấp trên cùng tồn tại."]},
        ),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(world, as_user, given, errors):
    typed = NEW | {"sector": "Sông & <núi>"} | given
    response = as_user(world.admin).post("/don-vi/them/?cap-tren=k1", typed)
    assert response.status_code == 422
    assert errors_of(response) == errors if errors else "code" in errors_of(response)
    page = html.unescape(response.content.decode())
    assert "Sông & <núi>" in page
    assert f'value="{typed["code"]}"' in page or not typed["code"]
    assert "<title>Lỗi: " in page
    assert Unit.objects.count() == 9


def test_a_bad_date_is_said_in_words(world, as_user):
    response = as_user(world.admin).post("/don-vi/them/?cap-tren=k1", NEW | {"founded": "31/2/2020"})
    assert (response.status_code, list(errors_of(response))) == (422, ["founded"])
    assert 'value="31/2/2020"' in response.content.decode()


def test_units_are_added_only_where_one_manages(world, as_user):
    urls = ["/don-vi/them/?cap-tren=k1", "/don-vi/them/?cap-tren=k2", "/don-vi/them/?goc=1"]
    both = make_user("both", access.ADMIN, world.p2)
    grant(both, access.VIEWER, world.p1)
    expected = {
        world.cadre: [403, 403, 403],
        world.secretary: [403, 403, 403],
        world.staff: [403, 403, 403],
        world.viewer: [403, 403, 403],
        world.admin: [200, 404, 403],
        both: [403, 200, 403],
    }
    for user, statuses in expected.items():
        client = as_user(user)
        assert [client.get(url).status_code for url in urls] == statuses, user
        assert [client.post(url, NEW).status_code for url in urls if statuses[urls.index(url)] != 200] == [
            status for status in statuses if status != 200
        ]
    assert not Unit.objects.filter(code="b13").exists()


def test_only_a_superuser_founds_a_root(db, as_user):
    boss = User.objects.create_superuser("boss", full_name="Người cài đặt", password="x")
    client = as_user(boss)
    assert client.get("/don-vi/them/").status_code == 200
    assert client.post("/don-vi/them/?goc=1", NEW | {"code": "TW", "kind": "trung-uong"}).status_code == 302
    assert list(Placement.objects.values_list("unit__code", "year", "parent")) == [("TW", THIS_YEAR, None)]


def test_renaming_keeps_the_old_name_searchable(world, as_user):
    client = as_user(world.admin)
    typed = {"name": "Đoàn  cơ sở Mới (minh họa)", "short_name": "CS Mới", "was": "Đơn vị b11"}
    response = client.post("/don-vi/b11/doi-ten/", typed)
    assert (response.status_code, response.url) == (302, "/don-vi/b11/")
    unit = Unit.objects.get(code="b11")
    assert (unit.name, unit.former_names) == ("Đoàn cơ sở Mới (minh họa)", "Đơn vị b11")
    for text in ("don vi b11", "co so moi", "cs moi", "b11"):
        assert [found.pk for found in Unit.objects.matching(text)] == [unit.pk]
    assert "Đơn vị b11" in client.get("/don-vi/b11/").content.decode()
    client.post("/don-vi/b11/doi-ten/", {"name": "Đơn vị b11", "short_name": "", "was": unit.name})
    unit.refresh_from_db()
    assert (unit.name, unit.former_names) == ("Đơn vị b11", "Đoàn cơ sở Mới (minh họa)")


def test_a_stale_or_empty_name_is_refused(world, as_user):
    client = as_user(world.admin)
    response = client.post("/don-vi/b11/doi-ten/", {"name": "Tên của tôi", "short_name": "", "was": "Tên cũ rồi"})
    assert (response.status_code, errors_of(response)) == (
        422,
        {"__all__": ["Đơn vị vừa được người khác đổi tên thành “Đơn vị b11”. Xem lại rồi lưu."]},
    )
    assert 'value="Tên của tôi"' in response.content.decode()
    response = client.post("/don-vi/b11/doi-ten/", {"name": "", "short_name": "x", "was": "Đơn vị b11"})
    assert (response.status_code, errors_of(response)) == (422, {"name": ["Nhập tên đơn vị."]})
    assert Unit.objects.get(code="b11").name == "Đơn vị b11"


def test_renaming_needs_the_unit_in_scope_and_the_right(world, as_user):
    both = make_user("both", access.ADMIN, world.p2)
    grant(both, access.VIEWER, world.p1)
    own = make_user("own", access.ADMIN, world.k1)
    expected = {
        world.cadre: [403, 403],
        world.secretary: [403, 403],
        world.staff: [403, 403],
        world.admin: [200, 404],
        both: [403, 200],
        own: [200, 404],
    }
    for user, statuses in expected.items():
        client = as_user(user)
        assert [client.get(f"/don-vi/{code}/doi-ten/").status_code for code in ("k1", "k2")] == statuses, user


def test_strangers_to_the_system_are_asked_to_sign_in(world, client):
    for name, args in (("unit_tree", []), ("unit_search", []), ("unit_add", []), ("unit_rename", ["k1"])):
        response = client.get(reverse(name, args=args))
        assert (response.status_code, response.url.split("?")[0]) == (302, "/dang-nhap/")


def test_a_new_unit_stays_out_of_closed_years(world, as_user):
    make_year(2023)
    close_year(year=2023)
    as_user(world.admin).post("/don-vi/them/?cap-tren=k1", NEW)
    years = Placement.objects.filter(unit__code="b13").order_by("year").values_list("year", flat=True)
    assert list(years) == [2024, THIS_YEAR]


@pytest.mark.parametrize(
    "address", ["/don-vi/tim/?q=don+vi+b1", "/don-vi/them/?tim=don+vi+b1", "/don-vi/b21/chuyen/?tim=don+vi+b1"]
)
def test_lists_of_units_ask_the_same_number_of_questions_for_one_and_three_rows(world, as_user, address):
    grant(world.admin, access.ADMIN, world.p2)

    def questions(rows):
        client = as_user(world.admin)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address)
        assert len(response.context["found"]) == rows
        return len(captured)

    Placement.objects.filter(unit=world.b12).delete()
    one = questions(1)
    for i in range(2):
        make_unit(f"them{i}", "doan-co-so", world.k1, name=f"Đơn vị b1 số {i}")
    assert questions(3) == one
