"""Logging an activity: how many taps, how heavy, what the form says by itself, and all of it without JavaScript."""

import gzip
import io
import re
from datetime import timedelta

import brotli
import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from activities.models import Activity, Status
from targets.models import Indicator
from tests.browser.checks import check_page
from tests.browser.conftest import PHONE
from tests.factories import World, assign, make_target
from unionwork.dates import format_date

PHOTO_TAPS = 3  # the button, the shutter, “OK”


@pytest.fixture
def planned(transactional_db):
    """The small organisation; b11 was given trees this year."""
    world = World()
    trees = [{"kind": "total", "value": 100_000, "indicators": [Indicator.objects.get(code="cay-xanh")]}]
    target = make_target(world.k1, timezone.localdate().year, trees, number=5)
    assign(target.measures.get(), world.b11, 100)
    return world


def photo():
    picture = io.BytesIO()
    Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(picture, "JPEG")
    return {"name": "anh.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}


def test_two_figures_and_a_photo_take_nine_taps_at_most(planned, phone, login):
    login(phone, planned.cadre)
    phone.goto("/")
    taps = 0

    def tap(place):
        nonlocal taps
        taps += 1
        place.tap()

    tap(phone.get_by_role("link", name="Ghi hoạt động").first)
    tap(phone.get_by_text("Trồng cây", exact=True))
    tap(phone.get_by_label("Cây xanh trồng mới"))
    phone.keyboard.type("35")
    taps += 1
    phone.keyboard.press("Enter")  # the phone's “next” key
    phone.keyboard.type("50")
    taps += PHOTO_TAPS
    phone.get_by_label("Chụp ảnh").set_input_files(photo())
    phone.get_by_role("link", name=re.compile("anh.jpg")).wait_for()
    phone.locator("#tinh-vao").get_by_text("+35").wait_for()
    tap(phone.get_by_role("button", name="Gửi duyệt"))
    phone.wait_for_url(re.compile(r"/hoat-dong/\d+/$"))
    activity = Activity.objects.get()
    figures = {row.indicator.code: row.value for row in activity.figures.select_related("indicator")}
    assert figures == {"cay-xanh": 35, "luot-dvtn": 50}
    assert (activity.status, activity.title, activity.evidence.count()) == (Status.PENDING, "Trồng cây", 1)
    assert taps <= 9
    check_page(phone)


def choose(phone, kind, label):
    """Tap a kind and wait until its boxes listen: a script types faster than htmx settles, people do not."""
    phone.get_by_text(kind, exact=True).tap()
    phone.get_by_label(label).wait_for()
    expect(phone.locator(".htmx-request, .htmx-swapping, .htmx-added, .htmx-settling")).to_have_count(0)


def test_the_form_is_light_speaks_up_and_asks_before_it_sends(planned, phone, login):
    login(phone, planned.cadre)
    answers = []
    phone.on("response", lambda answer: answers.append(answer))
    phone.goto("/hoat-dong/ghi/?loai=phan-viec")
    phone.wait_for_load_state("networkidle")
    bodies = {answer.url: answer.body() for answer in answers}
    sizes = {url: len(brotli.compress(body)) / 1024 for url, body in bodies.items() if "/static/" in url}
    html = len(gzip.compress(bodies[phone.url])) / 1024
    assert len(bodies) <= 8
    assert html <= 10
    assert html + sum(sizes.values()) <= 90
    warm = [body for url, body in bodies.items() if "/static/" not in url]
    assert sum(len(gzip.compress(body)) for body in warm) / 1024 <= 15
    assert sum(size for url, size in sizes.items() if url.endswith(".js")) <= 45

    choose(phone, "Trồng cây", "Cây xanh trồng mới")
    phone.get_by_label("Cây xanh trồng mới").fill("1.035")
    phone.locator("#tinh-vao").get_by_text("+1.035").wait_for()
    assert phone.get_by_label("Tên", exact=True).input_value() == "Trồng cây"
    phone.get_by_label("Tên", exact=True).fill("Đồi thông")
    choose(phone, "Phần việc thanh niên", "Trị giá phần việc thanh niên")
    phone.get_by_label("Trị giá phần việc thanh niên").fill("12,5 triệu")
    phone.get_by_text("= 12 triệu 500 nghìn đồng").wait_for()
    assert phone.get_by_label("Tên", exact=True).input_value() == "Đồi thông"
    assert phone.get_by_label("Cây xanh trồng mới").input_value() == "1.035"
    yesterday = timezone.localdate() - timedelta(days=1)
    phone.get_by_role("button", name="Hôm qua").tap()
    assert phone.get_by_label("Ngày", exact=True).input_value() == format_date(yesterday)
    assert phone.get_by_role("button", name="Chọn loại").count() == 0
    check_page(phone)

    phone.get_by_role("button", name="Gửi duyệt").tap()
    phone.get_by_role("heading", name="Kiểm tra lại trước khi gửi").wait_for()
    check_page(phone)
    phone.get_by_role("link", name="Xác nhận rồi gửi").tap()
    phone.get_by_label("Đã kiểm tra lại, số liệu đúng").tap()
    phone.get_by_role("button", name="Gửi duyệt").tap()
    phone.wait_for_url(re.compile(r"/hoat-dong/\d+/$"))
    activity = Activity.objects.get()
    assert (activity.first_day, activity.warning_reason) == (yesterday, "Đã kiểm tra lại, số liệu đúng.")
    assert [code for code, _ in activity.warnings] == ["evidence"]
    check_page(phone)


def test_everything_needed_to_log_works_without_javascript(planned, new_page, live_server, login):
    page = new_page(base_url=live_server.url, java_script_enabled=False, **PHONE)
    login(page, planned.cadre)
    page.goto("/hoat-dong/ghi/")
    page.get_by_text("Phần việc thanh niên", exact=True).tap()
    page.get_by_role("button", name="Chọn loại").tap()
    page.get_by_label("Trị giá phần việc thanh niên").fill("2 triệu")
    page.get_by_role("button", name="Hôm qua").tap()
    page.get_by_text("= 2 triệu đồng").wait_for()
    page.get_by_label("Lượt đoàn viên, thanh niên tham gia").fill("gần 40")
    page.get_by_label("Chọn từ máy").set_input_files(photo())
    page.get_by_role("button", name="Gửi duyệt").tap()
    page.wait_for_url(re.compile(r"/hoat-dong/\d+/$"))
    activity = Activity.objects.get()
    assert (activity.status, activity.title) == (Status.PENDING, "Phần việc thanh niên")
    assert activity.first_day == timezone.localdate() - timedelta(days=1)
    assert (activity.evidence.count(), activity.warnings) == (1, [])
