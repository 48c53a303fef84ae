"""Every page with something of everything on it: laid out, worded, reachable by keyboard, and refusing in words.

One world and one server for the whole file (`site`): building both for each test would take minutes. The tests here
therefore leave the records alone, except those that write one of their own.
"""

import gzip
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from activities.models import Activity, Status
from targets.models import MeasureKind
from tests.browser.checks import check_page, listen
from tests.browser.conftest import LAPTOP, PHONE, keep_pictures, new_context
from tests.browser.keyboard import tab_walk
from tests.browser.worlds import LONG_NAME, FullWorld
from tests.test_policy import routes

pytestmark = pytest.mark.django_db(transaction=True)
SCREENS = {"360": PHONE, "1280": LAPTOP}
YEAR = "nam=2024"


def at(name, **kwargs):
    """The address of a page in 2024; `query`: what else stands behind the question mark."""
    query = kwargs.pop("query", "")
    return f"{reverse(name, kwargs=kwargs)}?{YEAR}{query and '&'}{query}"


# Route → [(who, what is to be seen, the address)]. Who: an attribute of the world; None: not signed in.
SAMPLES = {
    "login": [(None, "", lambda w: reverse("login"))],
    "password_change": [("cadre", "", lambda w: reverse("password_change"))],
    "dashboard": [(role, role, lambda w: at("dashboard")) for role in ("cadre", "secretary", "viewer")],
    "help": [("cadre", "", lambda w: at("help"))],
    "progress": [
        ("secretary", "matrix", lambda w: at("progress")),
        ("secretary", "coverage", lambda w: at("progress", query=f"y={w.measure(MeasureKind.COVERAGE).pk}")),
        ("viewer", "province", lambda w: at("progress")),
    ],
    "year_report": [("secretary", "", lambda w: at("year_report"))],
    "unit_tree": [
        ("admin", "open", lambda w: at("unit_tree", query="mo=p1&mo=k1&mo=b11")),
        ("secretary", "found", lambda w: at("unit_tree", query="q=chi+doan")),
    ],
    "unit_detail": [
        ("admin", "khối", lambda w: at("unit_detail", code="k1")),
        ("admin", "many", lambda w: at("unit_detail", code="b12")),
        ("secretary", "long", lambda w: at("unit_detail", code=w.long.code)),
        ("admin", "moved", lambda w: at("unit_detail", code="chuyen-den")),
    ],
    "journal_list": [
        ("admin", "", lambda w: at("journal_list")),
        ("admin", "nothing", lambda w: at("journal_list", query="q=khong+co+gi")),
    ],
    "history": [("secretary", "", lambda w: at("history", slug="nam", key=2024))],
    "unit_search": [("cadre", "", lambda w: at("unit_search", query="q=don+vi"))],
    "unit_add": [
        ("admin", "choose", lambda w: at("unit_add")),
        ("admin", "form", lambda w: at("unit_add", query="cap-tren=k1")),
    ],
    "unit_rename": [("admin", "", lambda w: at("unit_rename", code=w.long.code))],
    "unit_move": [
        ("admin", "choose", lambda w: at("unit_move", code="b11")),
        ("admin", "preview", lambda w: at("unit_move", code="b11", query="cap-tren=p1&tu-nam=2024")),
    ],
    "activity_list": [
        ("secretary", "all", lambda w: at("activity_list")),
        ("secretary", "filtered", lambda w: at("activity_list", query="trang-thai=da-duyet&chi-so=thu-cay-xanh")),
        ("secretary", "nothing", lambda w: at("activity_list", query="q=khong+co+gi")),
        ("secretary", "columns", lambda w: at("activity_list", query="cot=nguoi-ghi,cs.thu-cay-xanh,canh-bao&xep=la")),
    ],
    "list_columns": [("secretary", "", lambda w: at("list_columns", query="cot=cs.thu-cay-xanh"))],
    "saved_filter_add": [("secretary", "", lambda w: at("saved_filter_add", query="trang-thai=pending"))],
    "saved_filter_edit": [("secretary", "", lambda w: at("saved_filter_edit", pk=w.saved_filter.pk))],
    "activity_detail": [
        ("cadre", "draft", lambda w: at("activity_detail", pk=w.draft.pk)),
        ("secretary", "pending", lambda w: at("activity_detail", pk=w.pending.pk)),
        ("cadre", "returned", lambda w: at("activity_detail", pk=w.returned.pk)),
        ("secretary", "approved", lambda w: at("activity_detail", pk=w.approved.pk)),
        ("cadre", "cancelled", lambda w: at("activity_detail", pk=w.cancelled.pk)),
        ("secretary", "published", lambda w: at("activity_detail", pk=w.published.pk)),
        ("secretary", "unbroken", lambda w: at("activity_detail", pk=w.unbroken.pk)),
    ],
    "activity_create": [
        ("cadre", "blank", lambda w: at("activity_create")),
        ("staff", "works", lambda w: at("activity_create", query="loai=cong-trinh")),
    ],
    "activity_edit": [
        ("cadre", "returned", lambda w: at("activity_edit", pk=w.returned.pk)),
        ("cadre", "approved", lambda w: at("activity_edit", pk=w.approved.pk)),
        ("staff", "declaration", lambda w: at("activity_edit", pk=w.declared.pk)),
    ],
    "activity_repeat": [("cadre", "", lambda w: at("activity_repeat", pk=w.approved.pk))],
    "quick_table": [
        ("cadre", "blank", lambda w: at("quick_table")),
        ("staff", "works", lambda w: at("quick_table", query="loai=cong-trinh")),
    ],
    "activities_send": [("cadre", "", lambda w: at("activities_send"))],
    "activity_return": [("secretary", "", lambda w: at("activity_return", pk=w.pending.pk))],
    "activity_correct": [("secretary", "", lambda w: at("activity_correct", pk=w.pending.pk))],
    "review_compare": [
        ("secretary", "which", lambda w: at("review_compare")),
        ("secretary", "two", lambda w: at("review_compare", query=f"a={w.pending.pk}&b={w.approved.pk}")),
    ],
    "correction_list": [("secretary", "", lambda w: at("correction_list"))],
    "correction_refuse": [("secretary", "", lambda w: at("correction_refuse", pk=w.correction.pk))],
    "activity_unapprove": [("secretary", "", lambda w: at("activity_unapprove", pk=w.approved.pk))],
    "activity_cancel": [("cadre", "", lambda w: at("activity_cancel", pk=w.draft.pk))],
    "review_feeds": [("secretary", "", lambda w: at("review_feeds", pk=w.pending.pk))],
    "review_queue": [
        ("secretary", "", lambda w: at("review_queue")),
        ("secretary", "chosen", lambda w: at("review_queue", query=f"hd={w.pending.pk}")),
        ("secretary", "unbroken", lambda w: at("review_queue", query=f"hd={w.unbroken.pk}")),
        ("secretary", "nothing", lambda w: at("review_queue", query="xem=khong-canh-bao&don-vi=b21")),
    ],
    "review_recent": [("secretary", "", lambda w: at("review_recent"))],
    "digest": [("secretary", "", lambda w: at("digest")), ("viewer", "nothing", lambda w: at("digest"))],
    "notice_list": [("cadre", "", lambda w: at("notice_list"))],
    "account": [("cadre", "", lambda w: at("account"))],
    "hosting_list": [("other_cadre", "", lambda w: at("hosting_list"))],
    "hosting_decline": [("other_cadre", "", lambda w: at("hosting_decline", pk=w.invited.pk))],
    "period_list": [("secretary", "", lambda w: at("period_list"))],
    "period_report": [("cadre", "", lambda w: at("period_report"))],
    "period_children": [("secretary", "", lambda w: at("period_children"))],
    "reports_accept": [("secretary", "", lambda w: at("reports_accept", query=f"chon={w.report.pk}"))],
    "report_detail": [("secretary", "", lambda w: at("report_detail", pk=w.report.pk))],
    "report_send_back": [("secretary", "", lambda w: at("report_send_back", pk=w.report.pk))],
    "report_reopen": [("secretary", "", lambda w: at("report_reopen", pk=w.accepted.pk))],
    "period_settings": [("secretary", "", lambda w: at("period_settings"))],
    "period_edit": [("central", "", lambda w: at("period_edit", pk=w.report.period_id))],
    "campaign_add": [("staff", "", lambda w: at("campaign_add"))],
    "campaign_edit": [("staff", "", lambda w: at("campaign_edit", pk=w.campaign.pk))],
    "campaign_remove": [("staff", "", lambda w: at("campaign_remove", pk=w.campaign.pk))],
    "late_list": [
        ("secretary", "late", lambda w: at("late_list")),
        ("secretary", "everybody", lambda w: at("late_list", query="ca-cay=1&tinh-trang=phai")),
    ],
    "rate_table": [
        ("secretary", "months", lambda w: at("rate_table")),
        ("viewer", "one", lambda w: at("rate_table", query=f"ky={w.year.periods.get(kind='month', number=10).pk}")),
    ],
    "unlock_list": [("secretary", "", lambda w: at("unlock_list"))],
    "unlock_create": [
        ("secretary", "", lambda w: at("unlock_create", query="don-vi=b12&tu=01/02/2024&den=29/02/2024"))
    ],
    "declaration_list": [("secretary", "", lambda w: at("declaration_list"))],
    "declaration_create": [("cadre", "", lambda w: at("declaration_create"))],
    "declaration_table": [("staff", "", lambda w: at("declaration_table"))],
    "milestone_create": [("cadre", "", lambda w: at("milestone_create", measure=w.milestone.pk))],
    "target_list": [("staff", "", lambda w: at("target_list"))],
    "target_add": [("staff", "", lambda w: at("target_add"))],
    "target_detail": [
        ("staff", "own", lambda w: at("target_detail", pk=w.measure(MeasureKind.RATE).target_id)),
        ("staff", "given", lambda w: at("target_detail", pk=given(w).target_id, query="don-vi=k1")),
    ],
    "target_delete": [
        ("staff", "draft", lambda w: at("target_delete", pk=w.draft_target.pk)),
        ("staff", "issued", lambda w: at("target_delete", pk=w.measure(MeasureKind.RATE).target_id)),
    ],
    "target_copy": [("staff", "", lambda w: at("target_copy"))],
    "target_import": [("staff", "", lambda w: at("target_import"))],
    "intake": [("staff", "", lambda w: at("intake")), ("cadre", "read only", lambda w: at("intake"))],
    "target_edit": [("staff", "", lambda w: at("target_edit", pk=w.measure(MeasureKind.RATE).target_id))],
    "measure_assign": [("staff", "", lambda w: at("measure_assign", pk=given(w).pk, query="don-vi=k1"))],
    "draft_discard": [("staff", "", lambda w: at("draft_discard", pk=w.drafted.pk))],
    "issue": [("staff", "", lambda w: at("issue"))],
    "decision_detail": [("staff", "", lambda w: at("decision_detail", pk=w.decision.pk))],
    "measure_tree": [
        ("central", "open", lambda w: at("measure_tree", pk=given(w).pk, query="don-vi=p1&cap=branch")),
        ("viewer", "common", lambda w: at("measure_tree", pk=w.measure(MeasureKind.RATE).pk, query="don-vi=k1")),
    ],
    "target_checks": [("staff", "", lambda w: at("target_checks"))],
    "giving_table_import": [("staff", "", lambda w: at("giving_table_import"))],
    "measure_register": [("staff", "", lambda w: at("measure_register", pk=given(w).pk, query="don-vi=k1"))],
    "indicator_list": [("central", "", lambda w: at("indicator_list"))],
    "indicator_add": [("central", "", lambda w: at("indicator_add"))],
    "indicator_edit": [("central", "", lambda w: at("indicator_edit", pk=w.trees.pk))],
    "year_list": [("central", "", lambda w: at("year_list"))],
    "year_open": [("central", "", lambda w: at("year_open"))],
    "year_editing": [("central", "", lambda w: at("year_editing", year=2024))],
    "year_close": [("central", "", lambda w: at("year_close", year=2024))],
    "year_reopen": [("central", "", lambda w: at("year_reopen", year=2023))],
}
NOT_PAGES = {
    "review_item",
    "month_list",
    "activity_list_csv",
    "activity_list_xlsx",
    "journal_csv",
    "journal_xlsx",
    "saved_filter",
    "late_list_csv",
    "late_list_xlsx",
    "rate_table_csv",
    "rate_table_xlsx",
    "target_export",
    "activity_figures",
    "giving_table_xlsx",
    "year_report_xlsx",
    "fresh_token",
    "evidence_file",
    "evidence_thumbnail",
    "decision_file",
}  # a piece of the form, files, an address that moved
# Everything on a phone, where room is scarce; the first of each route on a laptop too, where axe reads again only what
# is made for laptops.
FOR_LAPTOPS = {"dashboard", "review_queue", "activity_list", "measure_assign", "declaration_table", "journal_list"}
SHOWN = [
    (
        f"{name}-{what}-{screen}".replace("--", "-"),
        (who, where),
        screen,
        {"contrast": screen == "360" and number == 0, "axe": screen == "360" or name in FOR_LAPTOPS},
    )
    for name, rows in SAMPLES.items()
    for number, (who, what, where) in enumerate(rows)
    for screen in SCREENS
    if screen == "360" or number == 0
]


def given(world):
    """The measure that the province gave to k1."""
    return world.measure(MeasureKind.TOTAL, world.p1)


@pytest.fixture(autouse=True)
def _django_db_marker():
    """In place of pytest-django's own: the mark has the database made, but no test here empties it."""


@pytest.fixture(scope="module")
def site(browser, django_db_setup, django_db_blocker):
    """The world and the server that shows it, with a session cookie for each of its people."""
    with django_db_blocker.unblock():
        assert Path(connection.settings_dict["NAME"]).name.startswith("test")  # never empty anything else
        server = None
        try:
            world = FullWorld()
            server = LiveServer("localhost")
            site = SimpleNamespace(world=world, url=server.url, cookies={}, pages={})
            yield site
            for page in site.pages.values():
                page.context.close()
        finally:
            if server:
                server.stop()
            call_command("flush", verbosity=0, interactive=False)  # and first content again, as after any test


@pytest.fixture
def visit(browser, site, request):
    """visit(who, address, screen): the page of this person on this screen, gone there, and the response. Pages are kept
    for all tests: a new one costs a process, and fetches style sheets and scripts again."""
    used = {}

    def open_page(who, address, screen="360"):
        if (who, screen) not in site.pages:
            site.pages[who, screen] = _signed_in(browser, site, who, screen)
        page = used[who, screen] = site.pages[who, screen]
        if page.url != "about:blank":
            # What the test before left running is not heard by this one … From a blank page the next one would begin
            # in a new process, which takes as long as everything else.
            page.goto(f"{site.url}/static/unionwork/error.css")
            page.storage.send("Storage.clearDataForOrigin", {"origin": site.url, "storageTypes": "local_storage"})
        page.heard.clear()  # … nor is what it left typed
        return page, page.goto(address)

    yield open_page
    keep_pictures(request.node, used.values())
    if getattr(request.node, "failed", False) or any(page.is_closed() for page in used.values()):
        for key in used:
            site.pages.pop(key).context.close()


def _signed_in(browser, site, who, screen):
    context = new_context(browser, base_url=site.url, **SCREENS[screen])
    if who:
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session(site, who), "url": site.url}
        context.add_cookies([cookie])
    page = listen(context.new_page())
    page.storage = context.new_cdp_session(page)
    return page


def session(site, who):
    if who not in site.cookies:
        client = Client()
        client.force_login(getattr(site.world, who))
        site.cookies[who] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return site.cookies[who]


# --- Every page ------------------------------------------------------------------------


def test_every_page_has_a_sample():
    readable = {entry.name for _, entry in routes() if "GET" in entry.callback.policy.methods}
    assert readable - NOT_PAGES == set(SAMPLES)
    assert readable >= NOT_PAGES


@pytest.mark.parametrize(("sample", "screen", "how"), [row[1:] for row in SHOWN], ids=[row[0] for row in SHOWN])
def test_page(visit, site, sample, screen, how):
    who, where = sample
    page, response = visit(who, where(site.world), screen)
    assert response.status == 200
    check_page(page, **how)


@pytest.mark.parametrize(
    ("who", "address", "status", "title"),
    [
        ("cadre", "/duyet/", 403, "Bạn không có quyền xem mục này"),
        ("cadre", "/don-vi/b21/", 404, "Không tìm thấy trang"),
        (None, "/khong-co/", 404, "Không tìm thấy trang"),
    ],
)
@pytest.mark.parametrize("screen", SCREENS)
def test_page_of_a_refusal(visit, who, address, status, title, screen):
    page, response = visit(who, address, screen)
    assert (response.status, page.title()) == (status, f"{title} – unionwork")
    check_page(page)


def test_long_names_are_shown_whole(visit, site):
    page, _ = visit("secretary", at("unit_detail", code=site.world.long.code))
    assert page.locator("h1").inner_text() == LONG_NAME
    box = page.locator("h1").evaluate("(e) => [e.scrollWidth <= e.clientWidth, e.scrollHeight <= e.clientHeight + 1]")
    assert box == [True, True]


# --- Open menus and steps between pages ---------------------------------------------------


def test_the_phone_menu(visit):
    page, _ = visit("secretary", at("dashboard"))
    page.get_by_text("Thêm", exact=True).click()
    assert page.get_by_role("button", name="Đăng xuất").last.is_visible()
    check_page(page)


def test_the_filters(visit):
    page, _ = visit("secretary", at("activity_list"))
    page.get_by_text("Lọc và tìm").click()
    check_page(page)


def test_what_ticked_records_will_count_is_said_before_they_do(visit, site):
    page, _ = visit("secretary", at("review_queue"))
    page.locator("input[name=chon]").nth(0).check()
    page.locator("input[name=chon]").nth(1).check()
    page.get_by_role("button", name="Duyệt 2 mục").click()
    assert page.locator("h1").inner_text() == "Duyệt 2 hoạt động của 2 đơn vị"
    check_page(page)


def test_choosing_a_kind_brings_its_figures_and_keeps_what_was_typed(visit):
    page, _ = visit("cadre", at("activity_create"))
    page.get_by_label(re.compile("^Tên")).fill("Tết trồng cây")
    page.get_by_text(re.compile("^Loại khác")).click()
    page.get_by_text("Loại thu-trong-cay", exact=True).click()
    page.get_by_label("Chỉ số thu-cay-xanh").fill("35")
    page.get_by_text("Thêm số liệu khác").click()
    page.get_by_label("Chỉ số", exact=True).select_option(index=1)
    page.get_by_role("button", name="Thêm số liệu").click()
    page.locator("input[name=khac]").wait_for(state="attached")
    assert page.get_by_label("Chỉ số thu-cay-xanh").input_value() == "35"
    assert page.get_by_label(re.compile("^Tên")).input_value() == "Tết trồng cây"
    check_page(page)


def test_partners_are_found_while_typing(visit):
    page, _ = visit("cadre", at("activity_create"))
    page.get_by_text(re.compile("^Thêm chi tiết")).click()
    page.get_by_label(re.compile("^Tìm theo tên")).press_sequentially("don vi b2")
    page.get_by_label("Đơn vị b21, Đơn vị k2").check()
    check_page(page)


# --- Forms that are refused ------------------------------------------------------------------

# Form: who, address, {field id: what is typed}, the ids that must be complained of (None: said above the form alone).
REFUSED = {
    "login": (None, lambda w: reverse("login"), {"id_username": "nguoi-la", "id_password": "sai"}, None),
    "login-empty": (None, lambda w: reverse("login"), {}, ["id_username", "id_password"]),
    "password_change": (
        "cadre",
        lambda w: reverse("password_change"),
        {"id_old_password": "sai", "id_new_password1": "123", "id_new_password2": "124"},
        ["id_old_password", "id_new_password2"],
    ),
    "activity_create": (
        "cadre",
        lambda w: at("activity_create", query="loai=cong-trinh"),
        {"id_first_day": "31/02/2024", "id_sl-tri-gia-cong-trinh": "1,234,567", "id_title": "Con đường hoa"},
        ["id_first_day", "id_sl-tri-gia-cong-trinh"],
    ),
    "activity_create-empty": (
        "cadre",
        lambda w: at("activity_create"),
        {"id_first_day": ""},
        ["id_kind", "id_first_day"],
    ),
    "activity_edit": (
        "cadre",
        lambda w: at("activity_edit", pk=w.returned.pk),
        {"id_first_day": "20/05/2024", "id_last_day": "32/05/2024", "id_sl-thu-luot": "nhiều"},
        ["id_last_day", "id_sl-thu-luot"],
    ),
    "activity_edit-order": (
        "cadre",
        lambda w: at("activity_edit", pk=w.returned.pk),
        {"id_first_day": "20/05/2024", "id_last_day": "19/05/2024"},
        ["id_last_day"],
    ),
    "declaration_create": (
        "cadre",
        lambda w: at("declaration_create"),
        {"id_last_day": "mai", "id_sl-doan-vien": "-5"},
        ["id_last_day", "id_sl-doan-vien"],
    ),
    "milestone_create": (
        "cadre",
        lambda w: at("milestone_create", measure=w.milestone.pk),
        {"id_last_day": "", "id_description": "Đại hội xong"},
        ["id_last_day"],
    ),
    "activity_return": ("secretary", lambda w: at("activity_return", pk=w.pending.pk), {}, ["id_reason"]),
    "activity_repeat": (
        "cadre",
        lambda w: at("activity_repeat", pk=w.approved.pk),
        {"id_days": "31/02/2024", "id_sl-thu-luot": "nhiều"},
        ["id_days", "id_sl-thu-luot"],
    ),
    "quick_table": (
        "cadre",
        lambda w: at("quick_table", query="loai=cong-trinh"),
        {"id_ngay-1": "31/02/2024", "id_o-2-tri-gia-cong-trinh": "1,234,567"},
        ["id_ngay-1", "id_ngay-2", "id_o-2-tri-gia-cong-trinh"],
    ),
    "target_import": ("staff", lambda w: at("target_import"), {}, ["id_file"]),
    "activity_unapprove": ("secretary", lambda w: at("activity_unapprove", pk=w.approved.pk), {}, ["id_reason"]),
    "activity_cancel": ("cadre", lambda w: at("activity_cancel", pk=w.approved.pk), {}, ["id_reason"]),
    "unit_add": (
        "admin",
        lambda w: at("unit_add", query="cap-tren=k1"),
        {"id_code": "mã có dấu", "id_name": "Đơn vị thử", "id_founded": "hôm kia"},
        ["id_code", "id_kind", "id_founded"],
    ),
    "unit_rename": ("admin", lambda w: at("unit_rename", code="b11"), {"id_name": ""}, ["id_name"]),
    "unit_move": (
        "admin",
        lambda w: at("unit_move", code="b11", query="cap-tren=p1&tu-nam=2024"),
        {"id_reason": ""},
        ["id_reason"],
    ),
    "target_add": (
        "staff",
        lambda w: at("target_add"),
        {"id_number": "không", "id_y-0-value": "12 cây rưỡi"},
        ["id_number", "id_text", "id_y-0-value"],
    ),
    "target_add-no-indicator": (
        "staff",
        lambda w: at("target_add"),
        {"id_text": "Trồng cây", "id_y-0-value": "12"},
        ["id_y-0-indicators"],
    ),
    "target_edit": (
        "staff",
        lambda w: at("target_edit", pk=w.measure(MeasureKind.RATE).target_id),
        {"id_text": "", "id_y-0-value": "một trăm"},
        ["id_text", "id_y-0-value"],
    ),
    "measure_assign": (
        "staff",
        lambda w: at("measure_assign", pk=given(w).pk, query="don-vi=k1"),
        {"dv": "bốn mươi"},
        ["dv"],
    ),
    "issue": (
        "staff",
        lambda w: at("issue"),
        {"id_number": "", "id_day": "31/02/2024"},
        ["id_number", "id_day"],
    ),
    "measure_register": (
        "staff",
        lambda w: at("measure_register", pk=given(w).pk, query="don-vi=k1"),
        {"id_registered": "-1"},
        ["id_registered"],
    ),
    "indicator_add": (
        "central",
        lambda w: at("indicator_add"),
        {"id_code": "có dấu", "id_position": "đầu"},
        ["id_code", "id_name", "id_unit_of_measure", "id_group", "id_position"],
    ),
    "indicator_edit": ("central", lambda w: at("indicator_edit", pk=w.trees.pk), {"id_name": ""}, ["id_name"]),
    "year_open": (
        "central",
        lambda w: at("year_open"),
        {"id_year": "năm sau", "id_first_day": "01/13/2030"},
        ["id_year", "id_first_day"],
    ),
    "activity_list": ("secretary", lambda w: at("activity_list"), {"id_tu": "31/02/2024"}, ["id_tu"]),
    "year_report": ("secretary", lambda w: at("year_report"), {"id_den-ngay": "01/01/2025"}, ["id_den-ngay"]),
}


def field_id(world, name):
    return f"p-{world.b11.pk}" if name == "dv" else name


@pytest.mark.parametrize("form", REFUSED)
def test_a_refused_form_says_what_and_where(visit, site, form):
    who, where, typed, expected = REFUSED[form]
    page, _ = visit(who, where(site.world))
    typed = {field_id(site.world, name): text for name, text in typed.items()}
    page.evaluate("() => document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
    for name, text in typed.items():
        page.locator(f"[id='{name}']").fill(text)
    with page.expect_response(lambda each: each.request.resource_type in ("document", "fetch")) as answered:
        submit(page)  # the form of an activity is sent by a script
    assert answered.value.status == (200 if form == "activity_list" else 422)  # a filter changes nothing
    page.locator(".error-summary:focus").wait_for()
    summary = page.locator(".error-summary")
    assert page.title().startswith("Lỗi: ")
    assert summary.evaluate("(e) => e === document.activeElement")
    links = [link.get_attribute("href") for link in summary.locator("a").all()]
    assert list(dict.fromkeys(links)) == [f"#{field_id(site.world, name)}" for name in expected or []]
    for link in range(len(links)):
        summary.locator("a").nth(link).click()
        assert page.evaluate(LANDED, links[link][1:]) == []
    if not expected:
        assert summary.locator("li").count() >= 1
    for name, text in typed.items():
        if "password" not in name:
            assert page.locator(f"[id='{name}']").input_value() == text
    check_page(page, contrast=form == "target_add")


def submit(page):
    """Press the form's own button: the primary one, or the only one."""
    forms = page.locator("main form").filter(has=page.locator("button.btn-primary, button.btn-danger"))
    form = forms.last if forms.count() else page.locator("main form").first
    primary = form.locator("button.btn-primary, button.btn-danger")
    (primary.first if primary.count() else form.locator("button").last).click()


# What is wrong with the place an error link led to: it must have the focus, be marked, and carry the words.
LANDED = """(id) => {
    const field = document.getElementById(id), wrong = [];
    if (!field) return [`no #${id}`];
    if (document.activeElement !== field) wrong.push(`focus on ${document.activeElement.outerHTML.slice(0, 80)}`);
    if (field.tagName !== "FIELDSET" && field.getAttribute("aria-invalid") !== "true") wrong.push("not aria-invalid");
    const words = (field.getAttribute("aria-describedby") || "").split(" ").map((one) => document.getElementById(one));
    if (!words.some((one) => one && one.matches(".field-error") && one.innerText.trim())) wrong.push("no words");
    return wrong;
}"""


# --- Without a mouse, without JavaScript ---------------------------------------------------------


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(
    ("who", "where"),
    [
        ("cadre", lambda w: at("activity_edit", pk=w.returned.pk)),
        ("secretary", lambda w: at("review_queue", query="per_page=3")),
    ],
    ids=["form", "queue"],
)
def test_the_tab_key_reaches_every_control_in_order(visit, site, who, where, screen):
    page, _ = visit(who, where(site.world), screen)
    for link in page.locator(".review-feeds a:visible").all():
        link.wait_for(state="detached")  # what it leads to has come
    assert tab_walk(page) == []


def test_an_activity_is_logged_and_approved_without_javascript(new_page, site):
    page = new_page(base_url=site.url, java_script_enabled=False, **PHONE)
    sign_in(page, "cadre")
    page.goto(reverse("activity_create"))
    page.get_by_text(re.compile("^Loại khác")).click()
    page.get_by_text("Loại thu-trong-cay", exact=True).click()
    page.get_by_role("button", name="Chọn loại").click()
    page.get_by_label("Ngày", exact=True).fill("27/03/2024")
    page.get_by_label(re.compile("^Tên")).first.fill("Trồng cây không cần JavaScript")
    page.get_by_label("Chỉ số thu-cay-xanh").fill("1.234")
    page.get_by_role("button", name="Gửi duyệt").click()
    assert page.locator("h1").inner_text() == "Trồng cây không cần JavaScript"
    activity = Activity.objects.get(title="Trồng cây không cần JavaScript")
    assert activity.status == Status.PENDING

    page = new_page(base_url=site.url, java_script_enabled=False, **PHONE)
    sign_in(page, "secretary")
    page.goto(f"{reverse('review_queue')}?page=2")
    page.get_by_role("link", name="Trồng cây không cần JavaScript").click()
    page.get_by_role("button", name="Duyệt Trồng cây không cần JavaScript").click()
    activity.refresh_from_db()
    assert (activity.status, activity.approver) == (Status.APPROVED, site.world.secretary)
    assert page.locator(".banner-success").inner_text().startswith(f"Đã duyệt {activity.code}")


def sign_in(page, username):
    page.goto(reverse("login"))
    page.get_by_label("Số điện thoại hoặc tên đăng nhập").fill(username)
    page.get_by_label("Mật khẩu", exact=True).fill("mat-khau-thu-nghiem")
    page.get_by_role("button", name="Đăng nhập").click()


# --- Weight ------------------------------------------------------------------------------------

# Compressed KB of the page and everything it needs on the first visit, and of its HTML alone.
BUDGETS = {
    "login": (60, 4),
    "activity_create": (90, 10),
    "dashboard": (90, 15),
    "activity_list": (100, 15),
    "review_queue": (190, 15),
}
CEILING = (200, 40)


@cache
def weight(file):
    """KB of a static file as it is sent."""
    return len(brotli.compress(Path(finders.find(file)).read_bytes())) / 1024


@pytest.mark.parametrize("name", SAMPLES)
def test_page_is_light(site, name):
    who, _, where = SAMPLES[name][0]
    client = Client()
    if who:
        client.cookies[settings.SESSION_COOKIE_NAME] = session(site, who)
    body = client.get(where(site.world)).content
    html = len(gzip.compress(body)) / 1024
    files = set(re.findall(r'(?:href|src)="/static/([^"]+)"', body.decode()))
    weights = {file: weight(file) for file in files}
    cold, most_html = BUDGETS.get(name, CEILING)
    assert html <= most_html
    assert html + sum(weights.values()) <= cold
    assert sum(weights[file] for file in files if file.endswith(".js")) <= 45
    assert sum(weights[file] for file in files if file.endswith(".css")) <= 35
    assert len(files) + 1 <= 8
