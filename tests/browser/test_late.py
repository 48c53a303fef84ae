"""Who has not reported is seen on the first page, and reminded with two clicks."""

import re

import pytest

from tests.browser.checks import check_page
from tests.factories import World
from units import notices


@pytest.fixture
def world(transactional_db, monkeypatch):
    monkeypatch.setattr(notices, "next_loud", lambda moment: moment)  # the test may run at night
    return World()


def test_the_late_are_reminded_in_two_clicks_and_once_a_day(world, laptop, login):
    login(laptop, world.secretary)
    laptop.goto("/bao-cao-ky/cham/")
    beside = laptop.context.new_page()  # the same list, opened before anybody was reminded
    beside.goto(laptop.url)

    laptop.goto("/")
    laptop.get_by_role("link", name="Chưa báo cáo 2/2 · ").click()
    laptop.get_by_role("button", name="Nhắc 2 đơn vị").click()
    laptop.get_by_text(re.compile(r"^Đã nhắc 2 đơn vị báo cáo .+ \(2 người nhận thông báo\)\.$")).wait_for()
    assert laptop.locator("input[name=chon]").count() == 0
    check_page(laptop)

    beside.get_by_label("Đơn vị b11").uncheck()
    beside.get_by_text("Lời nhắc để dán vào nhóm chat").first.click()
    assert beside.locator("#loi-nhan").input_value().startswith("Kính gửi: Đơn vị b12.\n")
    beside.get_by_role("button", name="Nhắc 1 đơn vị").click()
    beside.get_by_text("1 đơn vị đã được nhắc hôm nay nên không nhắc lại: Đơn vị b12.").wait_for()

    login(laptop, world.cadre)
    laptop.goto("/thong-bao/")
    assert laptop.get_by_text(re.compile(r"^Nhắc báo cáo .+: hạn \d\d/\d\d")).count() == 1
