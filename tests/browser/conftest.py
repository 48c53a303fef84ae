"""Real pages in Debian's Chromium: `phone` (360 × 740, touch), `laptop` (1280 × 800), `page` (the test runs on both).

Addresses are relative to live_server: `page.goto("/tien-do/")`. `login(page, user)` first.
"""

import re
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import sync_playwright

from tests.browser.checks import listen

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
LAPTOP = {"viewport": {"width": 1280, "height": 800}}
PICTURES = settings.BASE_DIR / "test-results"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Everything here is a browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.failed = report.failed
    return report


@pytest.fixture(scope="session")
def browser():
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Chromium: sudo apt install chromium")
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's loop runs in this thread, so Django takes the tests' own queries for queries of async code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
            yield browser
            connections.close_all()  # those of the loop, which nobody else will close
            browser.close()


def new_context(browser, **options):
    context = browser.new_context(locale="vi-VN", timezone_id=settings.TIME_ZONE, reduced_motion="reduce", **options)
    context.set_default_timeout(30_000)  # a busy machine is slow, not wrong
    return context


@pytest.fixture
def new_page(browser, request):
    """new_page(**PHONE): a page of its own context that writes down everything it complains of."""
    contexts = []

    def open_page(**options):
        contexts.append(new_context(browser, **options))
        return listen(contexts[-1].new_page())

    yield open_page
    for number, context in enumerate(contexts):
        keep_pictures(request.node, context.pages, number)
        context.close()


def keep_pictures(test, pages, number=0):
    """What a failed test saw, under test-results/."""
    if getattr(test, "failed", False):
        name = re.sub(r"\W+", "-", f"{test.name}-{number}")
        for page in pages:
            page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture
def phone(new_page, live_server):
    return new_page(base_url=live_server.url, **PHONE)


@pytest.fixture
def laptop(new_page, live_server):
    return new_page(base_url=live_server.url, **LAPTOP)


@pytest.fixture(params=[PHONE, LAPTOP], ids=["360", "1280"])
def page(request, new_page, live_server):
    return new_page(base_url=live_server.url, **request.param)


@pytest.fixture
def login(live_server):
    """login(page, user): sign in by session, without walking through the login page."""

    def sign_in(page, user):
        client = Client()
        client.force_login(user)
        page.context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                    "url": live_server.url,
                }
            ]
        )

    return sign_in
