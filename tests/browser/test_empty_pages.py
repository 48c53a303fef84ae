"""A system with nothing in it yet: every page says so, says what comes next, and none breaks."""

from django.test import Client
from django.urls import resolve, reverse

from reports.shell import NAV
from tests.browser.checks import check_page
from tests.browser.worlds import make_bare_unit, make_newcomers
from units import access

WITHOUT_ROLE = ("dashboard", "indicator_list", "year_list", "help", "password_change")


def visit_all(page, names, *, axe=True):
    for number, name in enumerate(names):
        response = page.goto(reverse(name))
        assert (name, response.status) == (name, 200)
        check_page(page, contrast=number == 0, axe=axe)


def test_the_first_day(page, login, db):
    nobody, superuser = make_newcomers()
    is_phone = page.viewport_size["width"] < 500
    login(page, nobody)
    visit_all(page, WITHOUT_ROLE, axe=is_phone)
    login(page, superuser)
    visit_all(page, [name for name, _ in NAV if name not in ("review_queue", "target_list")], axe=is_phone)
    assert page.goto(reverse("target_list")).status == 404  # no unit to look at


def opened_by(person):
    """The pages of the menu that this person may open."""
    return [name for name, _ in NAV if resolve(reverse(name)).func.policy.act.held_by(person)]


def test_a_unit_with_nothing_to_show(phone, login, db):
    """Between them the secretary and the admin open every page; what the others see of these breaks for nobody."""
    people = make_bare_unit()
    seen = {role: opened_by(people[role]) for role in (access.SECRETARY, access.ADMIN)}
    assert set().union(*seen.values()) == {name for name, _ in NAV}
    for role, names in seen.items():
        login(phone, people[role])
        visit_all(phone, [name for name in names if role == access.SECRETARY or name not in seen[access.SECRETARY]])
        assert phone.locator("main").inner_text().strip() != ""
    for role in (access.CADRE, access.STAFF, access.ADMIN, access.VIEWER):
        client = Client()
        client.force_login(people[role])
        statuses = {name: client.get(reverse(name)).status_code for name in opened_by(people[role])}
        assert statuses == dict.fromkeys(statuses, 200), role


def test_an_empty_list_names_the_one_next_step(phone, login, db):
    people = make_bare_unit()
    login(phone, people[access.SECRETARY])
    steps = {}
    for name in ("activity_list", "review_queue", "target_list"):
        phone.goto(reverse(name))
        steps[name] = phone.locator(".empty a").all_inner_texts()
    assert steps == {
        "activity_list": ["Ghi hoạt động đầu tiên"],
        "review_queue": ["Xem các hoạt động"],
        "target_list": ["Thêm chỉ tiêu đầu tiên"],
    }


def test_a_year_without_the_unit_is_explained(phone, login, db):
    people = make_bare_unit()
    login(phone, people[access.SECRETARY])
    said = {}
    for name in ("dashboard", "year_report", "declaration_list", "target_list"):
        assert phone.goto(f"{reverse(name)}?nam=2023").status == 200
        check_page(phone, contrast=False)
        said[name] = phone.locator(".empty").all_inner_texts()
    assert {name: len(texts) for name, texts in said.items()} == dict.fromkeys(said, 1)
    assert said["dashboard"] == ["Đơn vị không có trong cây tổ chức của năm này. Chọn năm khác ở trên."]
