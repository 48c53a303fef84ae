"""Levels typed on a phone: how far each moved is said at once, in the server's words, and answered for once."""

from datetime import date

from django.urls import reverse

from activities.level_changes import in_words, is_big
from activities.models import Activity, Status
from tests.browser.checks import check_page
from tests.factories import World, approve, make_activity
from unionwork.numbers import format_number, parse_number

LEVELS = [
    (0, 0),
    (0, 7),
    (1, 1001),
    (8, 9),
    (100, 115),
    (1000, 1151),
    (1000, 849),
    (10**15, 10**15 - 1),
    (3, 2),
    (7, 7),
]
TYPED = ["1.234", "1234", "0", "007", "1.000.000.000.000.000", "397,8", "12,50"]
UNSAID = ["", "gần 900", "1.5", "12.34", "1,2345", "-5", "1.234.56", "2 triệu", "٣"]


def test_a_change_is_said_while_one_types_and_answered_once(transactional_db, phone, login):
    world = World()
    for day, value in ((date(2024, 3, 31), 1000), (date(2024, 9, 30), 2000)):
        record = make_activity(world.b11, world.cadre, world.declaring, {world.members: value}, day)
        approve(record, world.secretary)
    login(phone, world.cadre)
    phone.goto(f"{reverse('declaration_create')}?loai=thu-ke-khai&ngay=30/06/2024")
    box, change, big = (phone.locator(what) for what in ("#id_sl-thu-doan-vien", "[data-change]", "[data-big]"))
    assert (box.input_value(), change.inner_text(), big.is_visible()) == ("1.000", "không đổi", False)
    check_page(phone)
    box.fill("1.150")
    assert (change.inner_text(), big.is_visible()) == ("+15%", False)
    box.fill("gần 1.200")
    assert (change.inner_text(), big.is_visible()) == ("", False)
    box.fill("1.200")
    assert (change.inner_text(), big.is_visible()) == ("+20%", True)
    assert [phone.evaluate("([a, b]) => changeInWords(BigInt(a), BigInt(b))", [str(a), str(b)]) for a, b in LEVELS] == [
        in_words(*pair) for pair in LEVELS
    ]
    assert [phone.evaluate("([a, b]) => isBig(BigInt(a), BigInt(b))", [str(a), str(b)]) for a, b in LEVELS] == [
        is_big(*pair) for pair in LEVELS
    ]
    read = "text => String(plainNumber(text, 2))"
    assert [phone.evaluate(read, text) for text in TYPED] == [str(parse_number(text, 2).value) for text in TYPED]
    assert {phone.evaluate(read, text) for text in UNSAID} == {"null"}
    # Another day brings its own level into a box nobody touched; this one keeps what was typed.
    phone.locator("#id_last_day").fill("30/9/2024")
    phone.get_by_role("button", name="Xem số lần trước").click()
    phone.locator("td", has_text=format_number(2000)).wait_for()
    assert (box.input_value(), change.inner_text(), big.is_visible()) == ("1.200", "−40%", True)
    phone.get_by_role("button", name="Gửi duyệt").click()
    phone.get_by_role("heading", name="Kiểm tra lại trước khi gửi").wait_for()
    check_page(phone)
    phone.get_by_label("Lý do thay đổi").fill("Rà soát lại danh sách")
    phone.get_by_role("button", name="Gửi duyệt").click()
    phone.get_by_text("Chờ duyệt").first.wait_for()
    record = Activity.objects.get(status=Status.PENDING)
    assert (record.last_day, record.warning_reason) == (date(2024, 9, 30), "Rà soát lại danh sách")
