"""The review queue as a secretary works through it on a laptop: by keys, by ticking, and taking it back."""

import re
from datetime import date

import pytest
from django.urls import reverse

from activities import recording, review
from activities.models import Activity, Event, Status, Step, UnitTotal
from activities.rules import Entry
from tests.browser.checks import check_page
from tests.factories import World
from unionwork.numbers import Parsed

QUEUE = reverse("review_queue")
ITEMS = 20
# A promise of the next answer on the page: looking for it again and again would take longer.
SWAPPED = """() => {
  window.swapped = new Promise((done) => addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "hang-cho") done();
  }));
}"""


@pytest.fixture
def world(transactional_db):
    """Twenty records of two units wait; 1, 2, 4, … trees, so that every total names its records. One has a doubt."""
    world, day, entries = World(), date(2024, 3, 26), []
    for number in range(ITEMS + 1):
        fields = {"kind": world.planting, "title": f"Trồng cây số {number}", "first_day": day, "last_day": day}
        activity = Activity(unit=(world.b11, world.b12)[number % 2], **fields)
        entries.append(Entry(activity, {world.trees: Parsed(2**number)}))
    records = recording.create_many(entries=entries, actor=world.staff)
    review.submit_many(ids=[record.pk for record in records], actor=world.staff)
    Activity.objects.filter(pk=records[-1].pk).update(warnings=[["unusual", "Nhiều hơn mọi khi."]])
    return world


def totals():
    """{(unit, month, indicator): value} of everything that counts."""
    rows = UnitTotal.objects.exclude(value=0).values_list("unit__code", "month", "indicator__code", "value")
    return {row[:3]: row[3] for row in rows}


def trees(unit="k1"):
    return totals().get((unit, 0, "thu-cay-xanh"), 0)


def shown(page):
    return page.locator("[data-shown] h2").inner_text()


@pytest.fixture
def queue(laptop, login, world):
    login(laptop, world.secretary)
    laptop.clock.install()
    laptop.goto(QUEUE)
    laptop.pressed = 0
    return laptop


def press(page, key):
    page.clock.fast_forward(260)  # a record is decided only after it stood there for a moment
    page.keyboard.press(key)
    page.pressed += 1


def lose_the_network(page):
    """Then it is said, and nothing is approved or skipped."""
    page.clock.fast_forward(260)
    page.context.set_offline(True)
    page.keyboard.press("a")
    page.locator("#da-noi", has_text="Chưa gửi được").wait_for()
    page.context.set_offline(False)
    page.heard.clear()
    assert (shown(page), trees()) == ("Trồng cây số 0", 0)


def test_twenty_records_are_approved_by_keyboard_and_each_taken_back(queue, world):
    lose_the_network(queue)
    loaded = []
    queue.on("framenavigated", lambda frame: loaded.append(frame.url))
    press(queue, "j")  # the second one is looked at first
    queue.locator("[data-shown] h2", has_text=re.compile("^Trồng cây số 1$")).wait_for()
    queue.keyboard.press("k")
    queue.locator("[data-shown] h2", has_text=re.compile("^Trồng cây số 0$")).wait_for()
    queue.keyboard.press("a")  # too soon after it appeared: nothing
    for number in range(ITEMS):
        assert shown(queue) == f"Trồng cây số {number}"
        queue.evaluate(SWAPPED)
        press(queue, "a")
        queue.keyboard.press("a")  # the second press of a double one
        queue.pressed += 1
        queue.evaluate("() => window.swapped")
    assert shown(queue) == f"Trồng cây số {ITEMS}"
    assert queue.pressed <= 45
    assert [url for url in loaded if QUEUE not in url] == []
    assert queue.locator("nav .badge-count").first.inner_text().split()[0] == "1"
    assert (Activity.objects.filter(status=Status.APPROVED).count(), trees()) == (ITEMS, 2**ITEMS - 1)
    assert Event.objects.filter(step=Step.APPROVE).count() == ITEMS
    check_page(queue)

    press(queue, "z")
    queue.locator("#da-noi", has_text="lại chờ bạn duyệt").wait_for()
    assert (shown(queue), trees()) == ("Trồng cây số 19", 2 ** (ITEMS - 1) - 1)

    press(queue, "t")  # in the form the letters are letters
    queue.locator("#tra-lai input:focus").wait_for()
    queue.keyboard.press("a")
    queue.get_by_label("Thiếu minh chứng").check()
    queue.get_by_label("Lý do", exact=True).fill("ảnh jka")
    queue.locator("#tra-lai").get_by_role("button", name="Trả lại").click()
    queue.locator("#da-noi", has_text="Đã trả lại").wait_for()
    returned = Activity.objects.get(title="Trồng cây số 19")
    assert (returned.status, returned.return_reason) == (Status.RETURNED, "Thiếu minh chứng: ảnh jka")
    press(queue, "?")
    queue.locator("dialog[open]").wait_for()
    check_page(queue, contrast=False)
    queue.keyboard.press("a")
    queue.get_by_role("button", name="Tắt phím tắt").click()
    queue.locator("#hang-cho:not([data-keys])").wait_for()
    press(queue, "a")
    assert Activity.objects.filter(status=Status.APPROVED).count() == ITEMS - 1


def test_what_has_no_warning_is_approved_in_three_clicks_and_undone_in_one(queue, world):
    before = totals()
    queue.get_by_role("link", name=re.compile("^Không cảnh báo")).click()
    queue.get_by_label("Chọn cả trang").check()
    queue.get_by_role("button", name="Duyệt 20 mục").click()
    assert queue.locator("h1").inner_text() == "Duyệt 20 hoạt động của 2 đơn vị"
    assert "+1.048.575 cây" in queue.locator("main").inner_text()
    check_page(queue)
    queue.get_by_role("button", name="Duyệt 20 hoạt động").click()
    queue.locator("#da-noi", has_text="Đã duyệt 20 hoạt động").wait_for()
    assert (trees("b11"), trees("b12"), trees("tw")) == (349525, 699050, 2**ITEMS - 1)
    queue.get_by_role("button", name="Hoàn tác").click()
    queue.locator("#da-noi", has_text="20 hoạt động lại chờ bạn duyệt").wait_for()
    assert totals() == before == {}
    assert Activity.objects.filter(status=Status.PENDING).count() == ITEMS + 1


def test_the_back_button_never_asks_to_send_again(queue, world):
    """Through a refused form, a form shown again and the decision: every page on the way back opens."""
    title = shown(queue)
    queue.get_by_role("link", name="Sửa & duyệt").click()
    for trees_typed, heading in (("mười", "Lỗi: "), ("9", "")):
        queue.get_by_label("Chỉ số thu-cay-xanh").fill(trees_typed)
        queue.get_by_label("Lý do").fill("Đếm lại theo ảnh")
        queue.get_by_role("button", name="Xem số cũ → số mới").click()
        queue.wait_for_url("**/sua-duyet/**")
        assert queue.title().startswith(f"{heading}Sửa & duyệt: {title}")
    queue.get_by_role("button", name="Duyệt với số đã sửa").click()
    queue.wait_for_url(f"**{QUEUE}?**")
    for _ in range(3):  # the page before → after, the refused one, the empty one
        queue.go_back()
        assert queue.locator("h1").inner_text() == "Chờ duyệt"
    assert trees("b11") == 9
