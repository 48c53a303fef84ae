"""The frame around every page: who sees which way, the year in view, what waits."""

import re
from datetime import date

import pytest
from django.test import RequestFactory
from django.urls import reverse

from activities import review
from reports.shell import NAV, shell
from tests.factories import make_activity, make_user

HELP = "/tro-giup/"
EVERYBODY = ["Tổng quan", "Chỉ số", "Năm công tác", "Trợ giúp"]
ONLY = {"Duyệt": {"secretary"}, "Nhật ký": {"admin"}}  # ways that not everybody with a role has
THIS_YEAR = date.today().year


def frame(client, user, url=HELP):
    client.force_login(user)
    return client.get(url).content.decode()


def part(html, opening):
    """The element that begins with `opening`, up to the end of its nav or form."""
    start = html.index(opening)
    return html[start : html.index(f"</{opening[1:].split()[0]}>", start)]


def links(html):
    """(address, words) of the links, badges taken out."""
    found = re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', html, re.S)
    return [
        (url.replace("&amp;", "&"), re.sub(r"<span.*</span>", "", words, flags=re.S).strip()) for url, words in found
    ]


@pytest.mark.parametrize("name", [name for name, _ in NAV] + ["activity_create", "login", "logout", "password_change"])
def test_every_way_leads_to_a_page(name):
    assert reverse(name).startswith("/")


@pytest.mark.parametrize("role", ["cadre", "secretary", "staff", "viewer", "admin", "central"])
def test_side_navigation_shows_what_the_role_may_open(client, world, role):
    nav = part(frame(client, getattr(world, role)), '<nav class="side-nav"')
    expected = [label for _, label in NAV if role in ONLY.get(label, {role})]
    assert [words for _, words in links(nav)] == expected


def test_a_person_without_role_is_led_nowhere_forbidden(client, world):
    nav = part(frame(client, make_user("khong-vai-tro")), '<nav class="side-nav"')
    assert [words for _, words in links(nav)] == EVERYBODY


@pytest.mark.parametrize("role", ["cadre", "secretary", "viewer", "admin", "central"])
def test_every_link_of_the_frame_opens(client, world, role):
    html = frame(client, getattr(world, role))
    targets = links(part(html, '<nav class="side-nav"')) + links(part(html, '<nav class="bottom-bar"'))
    assert {url: client.get(url).status_code for url, _ in targets} == {url: 200 for url, _ in targets}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (
            "cadre",
            [("/", "Trang chủ"), ("/hoat-dong/ghi/", "Ghi"), ("/viec-hom-nay/", "Việc của tôi")],
        ),
        ("secretary", [("/", "Trang chủ"), ("/hoat-dong/ghi/", "Ghi"), ("/duyet/", "Duyệt")]),
        ("viewer", [("/", "Trang chủ"), ("/tien-do/", "Tiến độ")]),
    ],
)
def test_bottom_bar_by_role(client, world, role, expected):
    bar = part(frame(client, getattr(world, role)), '<nav class="bottom-bar"')
    found = re.findall(r'<a href="([^"]*)" class="[^"]*"[^>]*>(.*?)(?:</a>|<span)', bar, re.S)
    assert [(url, words.strip()) for url, words in found] == expected


def test_badge_counts_what_waits_for_the_reviewer_alone(client, world):
    for day in (1, 2):
        record = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, day=date(2024, 3, day))
        review.submit(activity=record, actor=world.cadre)
    badge = '<span class="badge-count">2<'
    assert frame(client, world.secretary).count(badge) == 3  # side, “Thêm”, the bar
    for other in (world.stranger, world.cadre, world.viewer):
        assert "badge-count" not in frame(client, other)


def test_badge_of_a_cadre_counts_the_own_returned_records(client, world):
    for day in (1, 2):
        record = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, day=date(2024, 3, day))
        review.submit(activity=record, actor=world.cadre)
    review.return_to_author(activity=record, actor=world.secretary, reason="Thiếu ảnh")
    assert frame(client, world.cadre).count('<span class="badge-count">1<') == 1
    assert "badge-count" not in frame(client, world.other_cadre)


def test_the_current_year_stays_out_of_the_links(client, world):
    html = frame(client, world.cadre)
    assert "?nam=" not in html
    assert f'<option value="{THIS_YEAR}" selected>' in part(html, '<form class="year-switcher"')


def test_another_year_goes_with_every_link(client, world):
    html = frame(client, world.cadre, f"{HELP}?nam=2024&q=c%C3%A2y&page=3")
    switcher = part(html, '<form class="year-switcher"')
    assert '<option value="2024" selected>' in switcher
    assert re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', switcher) == [("q", "cây")]
    personal = (reverse("account"), reverse("password_change"))
    every = links(part(html, '<nav class="side-nav"')) + links(part(html, '<nav class="bottom-bar"'))
    assert [url for url, _ in every if "nam=2024" not in url and url not in personal] == []


@pytest.mark.parametrize("year", ["1999", "abc", "２０２４", "2024'--"])
def test_a_year_that_is_not_there_leaves_the_frame_standing(client, world, year):
    html = frame(client, world.cadre, f"{HELP}?nam={year}")
    assert f'<option value="{THIS_YEAR}" selected>' in html


def test_a_closed_year_says_so(client, world):
    world.year.is_open = False
    world.year.save(update_fields=["is_open"])
    assert "2024 (đã khoá)" in frame(client, world.cadre)


@pytest.mark.parametrize("records", [1, 3])
def test_the_frame_costs_the_same_whatever_waits(client, world, django_assert_num_queries, records):
    for day in range(1, records + 1):
        record = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, day=date(2024, 3, day))
        review.submit(activity=record, actor=world.cadre)
    client.force_login(world.secretary)
    with django_assert_num_queries(6):  # session, user, grants; then the bell, years, what waits
        client.get(HELP)


def test_what_waits_is_counted_no_further_than_it_is_said(client, world, monkeypatch):
    monkeypatch.setattr("reports.shell.MOST_WAITING", 2)
    for records in (2, 3):
        for day in range(1, records + 1):
            record = make_activity(
                world.b11, world.cadre, world.planting, {world.trees: 5}, day=date(2024, records, day)
            )
            review.submit(activity=record, actor=world.cadre)
        assert (f'badge-count">{"2" if records == 2 else "2+"}<' in frame(client, world.secretary)) is True


def test_a_page_before_sign_in_asks_the_database_nothing(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/dang-nhap/").status_code == 200


def test_a_fragment_that_shows_no_frame_pays_nothing(world, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.user = world.secretary
    with django_assert_num_queries(0):
        shell(request)


def test_help_line_at_the_same_place(client, world, settings):
    settings.HELP_CONTACT = "Văn phòng minh họa, 0203 000 000"
    line = "<p>Cần giúp đỡ: Văn phòng minh họa, 0203 000 000</p>"
    assert line in frame(client, world.cadre)
    client.logout()
    assert line in client.get("/dang-nhap/").content.decode()


def test_unit_names_are_escaped(client, world):
    type(world.b11).objects.filter(pk=world.b11.pk).update(name="<script>alert(1)</script>", short_name="")
    html = frame(client, world.cadre)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
