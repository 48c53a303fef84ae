import uuid
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities.audit import audit
from activities.models import Activity, Status
from targets import years
from targets.models import Nature
from tests.factories import approve, make_activity, make_indicator, make_unit

TABLE = reverse("declaration_table")
K1 = {"nam": "2024", "don-vi": "k1", "loai": "thu-ke-khai"}
ADDRESS = f"{TABLE}?nam=2024&don-vi=k1&loai=thu-ke-khai"


@pytest.fixture
def staff(client, world):
    client.force_login(world.staff)
    return client


@pytest.fixture
def youth(world):
    """A second level of the same group."""
    youth = make_indicator("thu-thanh-nien", Nature.STOCK, unit_of_measure="người", position=950)
    world.declaring.kind_figures.create(indicator=youth, position=9)
    return youth


def declare(world, unit, value, day=date(2024, 3, 31), reviewer=None):
    record = make_activity(unit, world.cadre, world.declaring, {world.members: value}, day)
    return approve(record, reviewer or world.secretary)


def cell(unit, indicator):
    return f"o-{unit.pk}-{indicator.pk}"


def sent(cells, **fields):
    """`cells`: {(unit, indicator): text}"""
    page = {"form_key": str(uuid.uuid4()), "last_day": "30/06/2024", "luu": "gui"}
    return page | {cell(*where): text for where, text in cells.items()} | fields


def records():
    """[(unit, day, status, {indicator: value}, reason)] of what waits."""
    return [
        (row.unit.code, row.last_day, {f.indicator.code: f.value for f in row.figures.all()}, row.warning_reason)
        for row in Activity.objects.filter(status=Status.PENDING).order_by("unit__code", "pk")
    ]


def shown(response):
    """{unit: [text in each box]}"""
    return {row.unit.code: [one.text for one in row.cells] for row in response.context["form"].rows}


def wrong(response):
    return [row["message"] for row in response.context["errors"]]


def test_the_boxes_hold_what_each_unit_declared_before_the_day(staff, world, youth):
    declare(world, world.b11, 120)
    declare(world, world.b11, 150, date(2024, 9, 30))
    declare(world, world.b21, 999, reviewer=world.stranger)
    page = staff.get(TABLE, K1 | {"ngay": "30/06/2024"})
    assert shown(page) == {"b11": ["120", ""], "b12": ["", ""]}
    first = page.context["form"].rows[0].cells[0]
    assert (first.before, first.day) == ("120", "31/03/2024")
    # Another day brings its own levels into the boxes nobody touched, and leaves the others.
    typed = sent({(world.b11, world.members): "120", (world.b12, world.members): "70"}, luu="xem", quy="30/09/2024")
    response = staff.post(ADDRESS, typed | {"da-dien": "2024-06-30"})
    assert (response.status_code, shown(response)) == (200, {"b11": ["150", ""], "b12": ["70", ""]})
    assert response.context["form"]["last_day"].value() == "30/09/2024"


def test_each_changed_unit_becomes_a_declaration_of_its_own(staff, world, youth):
    b13 = make_unit("b13", "doan-co-so", world.k1)
    for unit in (world.b11, world.b12, b13):
        declare(world, unit, 100)
    data = sent(
        {
            (world.b11, world.members): "110",
            (world.b11, youth): "0",
            (world.b12, world.members): "100",
            (b13, world.members): "100",
        }
    )
    response = staff.post(ADDRESS, data | {f"giu-{b13.pk}": "on"}, follow=True)
    day = date(2024, 6, 30)
    assert records() == [
        ("b11", day, {"thu-doan-vien": 110, "thu-thanh-nien": 0}, ""),
        ("b13", day, {"thu-doan-vien": 100}, ""),
    ]
    said = "Đã gửi kê khai của 2 đơn vị, chờ duyệt. 1 đơn vị không đổi nên không kê khai lại."
    assert [str(message) for message in response.context["messages"]] == [said]
    # The same page once more adds nothing; with other numbers it is refused in words.
    again = staff.post(ADDRESS, data | {f"giu-{b13.pk}": "on"}, follow=True)
    assert ([str(message) for message in again.context["messages"]], len(records())) == (
        ["Bảng này đã được gửi trước đó; không ghi thêm lần nữa."],
        2,
    )
    other = staff.post(ADDRESS, data | {cell(world.b11, world.members): "111"})
    assert (other.status_code, len(wrong(other)), len(records())) == (422, 1, 2)


def test_nothing_is_written_while_one_box_is_wrong(staff, world, youth):
    data = sent(
        {
            (world.b11, world.members): "110",
            (world.b11, youth): "1.5",
            (world.b12, world.members): "9" * 17,
            (world.b12, youth): "12\0e\u0302",
        },
        last_day="30/06/2024",
    )
    response = staff.post(ADDRESS, data)
    assert (response.status_code, len(wrong(response)), Activity.objects.count()) == (422, 2, 0)
    assert wrong(response)[0].startswith("Chỉ số thu-thanh-nien, Đơn vị b11: “1.5” viết chưa đúng")
    assert shown(response)["b11"] == ["110", "1.5"]
    response = staff.post(ADDRESS, data | {cell(world.b11, youth): "", cell(world.b12, youth): ""})
    assert (response.status_code, wrong(response)) == (
        422,
        ["Chỉ số thu-doan-vien, Đơn vị b12: Số quá lớn. Kiểm tra lại số chữ số; nhiều nhất 1.000.000.000.000.000."],
    )
    assert Activity.objects.count() == 0
    empty = staff.post(ADDRESS, sent({}, last_day="31/02/2024", form_key="x") | {f"giu-{world.b12.pk}": "on"})
    assert (empty.status_code, sorted(empty.context["form"].errors), len(wrong(empty))) == (
        422,
        ["form_key", "last_day"],
        1,
    )


def test_one_reason_answers_for_every_large_change(staff, world):
    declare(world, world.b11, 100)
    declare(world, world.b12, 100)
    data = sent({(world.b11, world.members): "116", (world.b12, world.members): "85"})
    asked = staff.post(ADDRESS, data)
    question = "Đơn vị b11: “Chỉ số thu-doan-vien” 100 → 116 đoàn viên: +16% so với số kê khai 31/03/2024."
    assert (asked.status_code, [one.sentence for one in asked.context["form"].doubts]) == (422, [question])
    assert "Kiểm tra lại trước khi gửi" in asked.content.decode()
    silent = staff.post(ADDRESS, data | {"da-hoi": question})
    assert (silent.status_code, silent.context["form"].errors) == (
        422,
        {"warning_reason": ["Ghi lý do thay đổi, rồi gửi lại."]},
    )
    # What was typed since is asked about too.
    more = data | {cell(world.b12, world.members): "84", "da-hoi": question, "warning_reason": "Sáp nhập"}
    assert (staff.post(ADDRESS, more).status_code, records()) == (422, [])
    assert staff.post(ADDRESS, data | {"da-hoi": question, "warning_reason": "Sáp nhập"}).status_code == 302
    day = date(2024, 6, 30)
    assert records() == [
        ("b11", day, {"thu-doan-vien": 116}, "Sáp nhập"),
        ("b12", day, {"thu-doan-vien": 85}, ""),
    ]
    assert Activity.objects.get(unit=world.b11, last_day=day).warnings == [
        ["change", question.removeprefix("Đơn vị b11: ")]
    ]


def test_a_backdated_declaration_is_counted_where_it_belongs(staff, world):
    declare(world, world.b11, 100, date(2024, 9, 30))
    staff.post(ADDRESS, sent({(world.b11, world.members): "90", (world.b12, world.members): "40"}))
    for record in Activity.objects.filter(status=Status.PENDING):
        client_answer = staff.post(reverse("activity_approve", args=[record.pk]))
        assert client_answer.status_code == 403  # two people
    staff.force_login(world.secretary)
    for record in Activity.objects.filter(status=Status.PENDING):
        staff.post(reverse("activity_approve", args=[record.pk]), {"version": record.version})
    listed = reverse("declaration_list")
    levels = {
        quarter: {
            row.unit.code: list(row.values.values())
            for row in staff.get(listed, {"nam": 2024, "quy": quarter}).context["rows"]
        }
        for quarter in ("1", "2", "3")
    }
    assert levels == {
        "1": {"b11": [], "b12": []},
        "2": {"b11": [90], "b12": [40]},
        "3": {"b11": [100], "b12": [40]},
    }
    assert audit(2024).differences == []


def test_a_closed_year_and_days_to_come_are_refused_in_words(staff, world):
    data = sent({(world.b11, world.members): "110"}, last_day=date.today().replace(day=1).strftime("31/12/%Y"))
    if date.today() < date(date.today().year, 12, 31):
        response = staff.post(ADDRESS, data)
        assert (response.status_code, list(response.context["form"].errors)) == (422, ["last_day"])
    years.close_year(year=2024)
    response = staff.post(ADDRESS, sent({(world.b11, world.members): "110"}))
    assert (response.status_code, response.context["form"].errors) == (
        422,
        {"last_day": ["Năm công tác 2024 đã khoá nên không thay đổi được nữa."]},
    )
    assert (Activity.objects.count(), response.context["form"].quarters) == (0, [])


def test_only_units_one_declares_for_stand_in_the_table(client, world):
    client.force_login(world.cadre)
    branch = make_unit("cd1", "chi-doan", world.b11)
    page = client.get(TABLE, {"nam": 2024, "loai": "thu-ke-khai"})
    assert shown(page) == {"cd1": [""]}
    data = sent({(world.b12, world.members): "5", (branch, world.members): "7"})
    client.post(f"{TABLE}?nam=2024&loai=thu-ke-khai", data)
    assert records() == [("cd1", date(2024, 6, 30), {"thu-doan-vien": 7}, "")]
    assert [client.get(TABLE, {"don-vi": code}).status_code for code in ("k1", "b12", "khong-co")] == [404] * 3
    client.force_login(world.viewer)
    assert client.get(TABLE).status_code == 403


def test_the_table_asks_as_often_for_three_units_as_for_one(staff, world, youth):
    make_unit("b13", "doan-co-so", world.k1)
    units = [world.b11, world.b12, row_unit("b13")]
    reads, writes = [], []
    for number, day in ((2, "30/06/2024"), (3, "30/09/2024")):
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(TABLE, K1).status_code == 200
        reads.append(len(captured))
        data = sent({(unit, world.members): f"{number}00" for unit in units[:number]}, last_day=day)
        data |= {
            "warning_reason": "Kỳ đầu",
            "da-hoi": [
                f"Đơn vị {code}: “Chỉ số thu-doan-vien” 200 → 300 đoàn viên: +50% so với số kê khai 30/06/2024."
                for code in ("b11", "b12")
            ],
        }
        with CaptureQueriesContext(connection) as captured:
            assert staff.post(ADDRESS, data).status_code == 302
        writes.append(len(captured))
    assert (reads[0], writes[0]) == (reads[1], writes[1])


def row_unit(code):
    from units.models import Unit

    return Unit.objects.get(code=code)
