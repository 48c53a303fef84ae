import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from targets.assignment import Row, assign
from targets.models import Assignment
from targets.years import close_year
from tests.factories import make_target, make_unit


@pytest.fixture
def staff(client, world):
    client.force_login(world.staff)
    return client


@pytest.fixture
def total(world):
    return make_target(world.k1, 2024, [{"kind": "total", "value": 700, "indicators": [world.trees]}]).measures.get()


def address(measure, unit=None, name="measure_assign"):
    return reverse(name, args=[measure.pk]) + (f"?don-vi={unit.code}" if unit else "")


def typed(client, measure, unit=None, decision="", reason="", day="", **numbers):
    """What a browser sends when it opens the page and types over the rows named (by unit code)."""
    context = client.get(address(measure, unit)).context
    data = {"decision_number": decision, "decision_date": day, "reason": reason}
    for row in context["rows"]:
        prefix = row["form"].prefix
        shown = row["form"]["planned"].value() or ""
        data |= {
            f"{prefix}-version": row["form"]["version"].value(),
            f"initial-{prefix}-planned": shown,
            f"{prefix}-planned": numbers.get(row["unit"].code, shown),
        }
    return data


def standing(measure):
    rows = Assignment.objects.filter(measure=measure).order_by("unit__code")
    return [(row.unit.code, row.planned, row.version) for row in rows]


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_numbers_are_given_and_the_balance_is_shown(staff, world, total):
    data = typed(staff, total, decision="05-QĐ/ĐK", day="05/01/2024", b11="300", b12="1,5 nghìn")
    response = staff.post(address(total), data, follow=True)
    assert standing(total) == [("b11", 300, 1), ("b12", 1500, 1)]
    page = text_of(response)
    assert "Đã giao cho 2 đơn vị, sửa 0 đơn vị." in page
    assert "Kế hoạch 700 cây Đã giao 1.800 cây Giao vượt 1.100 cây" in page
    assert page.count("05-QĐ/ĐK") == 2


def test_rows_left_alone_are_not_written(staff, world, total):
    staff.post(address(total), typed(staff, total, b11="300", b12="100"))
    data = typed(staff, total, reason="Điều chỉnh", b11="310")
    assign(measure=total, rows=[Row(world.b12, 120)], actor=world.secretary, reason="Song song")
    assert staff.post(address(total), data).status_code == 302
    assert standing(total) == [("b11", 310, 2), ("b12", 120, 2)]


def test_a_number_can_be_taken_back_with_a_reason(staff, world, total):
    staff.post(address(total), typed(staff, total, b11="300"))
    response = staff.post(address(total), typed(staff, total, b11=""))
    assert response.status_code == 422
    assert response.context["form"].errors["reason"] == ["Ghi lý do vì có số đã giao bị sửa: Đơn vị b11."]
    assert standing(total) == [("b11", 300, 1)]
    staff.post(address(total), typed(staff, total, reason="Giao nhầm", b11=""))
    assert standing(total) == [("b11", None, 2)]


def test_a_later_decision_is_noted_on_rows_that_have_none(staff, world, total):
    staff.post(address(total), typed(staff, total, decision="01", b11="300"))
    staff.post(address(total), typed(staff, total, b12="100"))
    staff.post(address(total), typed(staff, total, decision="02"))
    assert list(Assignment.objects.order_by("unit__code").values_list("decision_number", flat=True)) == ["01", "02"]


def test_a_bad_number_saves_nothing_and_keeps_what_was_typed(staff, world, total):
    response = staff.post(address(total), typed(staff, total, b11="300", b12="2 cây rưỡi"))
    assert response.status_code == 422
    assert [error["message"][:13] for error in response.context["errors"]] == ["Đơn vị b12: “"]
    assert [row["form"]["planned"].value() for row in response.context["rows"]] == ["300", "2 cây rưỡi"]
    assert standing(total) == []


def test_what_others_wrote_meanwhile_is_shown_before_it_is_replaced(staff, world, total):
    staff.post(address(total), typed(staff, total, b11="300"))
    data = typed(staff, total, reason="Tôi sửa", b11="320")
    assign(measure=total, rows=[Row(world.b11, 999)], actor=world.secretary, reason="Người khác")
    response = staff.post(address(total), data)
    assert response.status_code == 422
    assert standing(total) == [("b11", 999, 2)]
    page = text_of(response)
    assert "Vừa có người khác sửa số của Đơn vị b11." in page
    assert "hiện nay: 999 cây" in page
    again = data | {f"{row['form'].prefix}-version": row["form"]["version"].value() for row in response.context["rows"]}
    assert staff.post(address(total), again).status_code == 302
    assert standing(total) == [("b11", 320, 3)]


def test_a_unit_that_joined_after_the_page_was_opened_is_left_alone(staff, world, total):
    data = typed(staff, total, b11="300")
    make_unit("b13", parent=world.k1)
    assert staff.post(address(total), data).status_code == 302
    assert standing(total) == [("b11", 300, 1)]


def test_units_that_are_no_children_cannot_be_slipped_in(staff, world, total):
    extra = {
        f"dv-{world.b21.pk}-version": "0",
        f"dv-{world.b21.pk}-planned": "5",
        f"initial-dv-{world.b21.pk}-planned": "",
    }
    staff.post(address(total), typed(staff, total, b11="300") | extra)
    assert standing(total) == [("b11", 300, 1)]


def test_a_percentage_passes_down_and_a_blank_means_the_common_one(staff, world):
    fields = {"kind": "rate", "value": 8000, "indicators": [world.members], "denominators": [world.members]}
    rate = make_target(world.p1, 2024, [fields]).measures.get()
    assert "theo chung: 80%" in text_of(staff.get(address(rate)))
    staff.post(address(rate), typed(staff, rate, b11="66,5%"))
    assert standing(rate) == [("b11", 6650, 1)]
    response = staff.post(address(rate), typed(staff, rate, b12="101"))
    assert response.status_code == 422
    assert response.context["form"].non_field_errors() == ["Tỷ lệ không quá 100%."]


def test_a_measure_received_from_above_is_given_on(staff, world):
    received = make_target(
        world.p1, 2024, [{"kind": "total", "value": 900, "indicators": [world.trees]}]
    ).measures.get()
    page = staff.get(address(received))
    assert page.context["refusal"] == "Ý này chưa được giao cho Đơn vị k1 nên chưa giao tiếp cho cấp dưới được."
    assert staff.post(address(received), {}).status_code == 422
    assign(measure=received, rows=[Row(world.k1, 500)], actor=world.central)
    assert "Cấp trên giao 500 cây Đã giao 0 cây Còn lại 500 cây" in text_of(staff.get(address(received)))
    staff.post(address(received), typed(staff, received, b11="500"))
    assert standing(received) == [("b11", 500, 1), ("k1", 500, 1)]


def test_nothing_to_give_is_said_in_words(staff, world, total):
    milestone = make_target(world.k1, 2024, [{"kind": "milestone"}]).measures.get()
    assert staff.get(address(milestone)).context["refusal"] == (
        "“Mốc” áp dụng chung cho mọi đơn vị cấp dưới nên không cần giao số."
    )
    assign(measure=total, rows=[Row(world.b11, 5)], actor=world.staff)
    assert staff.get(address(total, world.b11)).context["refusal"] == (
        "Đơn vị b11 không có đơn vị trực thuộc trong năm 2024."
    )
    data = typed(staff, total, b12="5")
    close_year(year=2024)
    response = staff.post(address(total), data)
    assert response.status_code == 422
    assert standing(total) == [("b11", 5, 1)]


def test_who_may_give(client, world, total):
    above = make_target(world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}]).measures.get()
    for user, measure, unit, status in [
        (world.staff, total, None, 200),
        (world.secretary, total, None, 200),
        (world.central, total, world.k1, 200),
        (world.staff, above, None, 200),
        (world.staff, above, world.p1, 404),
        (world.staff, total, world.k2, 404),
        (world.central, total, world.p1, 404),
        (world.central, total, world.k2, 404),
        (world.stranger, total, None, 404),
        (world.stranger, above, None, 404),
        (world.cadre, total, None, 403),
        (world.viewer, total, world.k1, 403),
    ]:
        client.force_login(user)
        assert client.get(address(measure, unit)).status_code == status, (user, measure, unit)


@pytest.mark.parametrize("page", ["measure_assign", "measure_register"])
def test_a_number_no_measure_can_have_is_not_found(staff, page):
    assert [staff.get(reverse(page, args=[pk])).status_code for pk in (10**9, 10**25)] == [404, 404]


def test_seeing_a_unit_is_not_enough_to_give_there(client, world, total):
    from tests.factories import grant
    from units import access

    grant(world.viewer, access.STAFF, world.b21)
    client.force_login(world.viewer)
    assert client.get(address(total, world.k1)).status_code == 403


def test_the_page_asks_the_same_number_of_questions_for_one_and_three_children(staff, world, total):
    world.b12.placements.all().delete()

    def asked():
        staff.get(address(total))
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(address(total)).status_code == 200
        return len(captured)

    one = asked()
    for code in ("b13", "b14"):
        make_unit(code, parent=world.k1)
    assert asked() == one
    assign(measure=total, rows=[Row(world.b11, 1)], actor=world.staff)
    assert asked() == one


def test_a_hundred_children_are_given_at_once(staff, world, total):
    codes = [f"m{i:03}" for i in range(100)]
    for code in codes:
        make_unit(code, parent=world.k1)
    data = typed(staff, total, **dict.fromkeys(codes, "7"))
    assert staff.post(address(total), data).status_code == 302
    assert standing(total) == [(code, 7, 1) for code in codes]


# --- registering ---


def test_a_unit_registers_its_own_number(staff, world):
    above = make_target(world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}]).measures.get()
    url = address(above, name="measure_register")
    assert staff.get(url).status_code == 200
    assert staff.post(url, {"registered": "1,2 nghìn", "version": "0", "reason": ""}).status_code == 302
    assert list(Assignment.objects.values_list("unit__code", "planned", "registered")) == [("k1", None, 1200)]
    stale = staff.post(url, {"registered": "5", "version": "0", "reason": ""})
    assert stale.status_code == 422
    assert Assignment.objects.get().registered == 1200


def test_who_may_register_for_what(client, world, total):
    for user, unit, status in [
        (world.staff, world.b11, 200),
        (world.staff, world.k1, 404),
        (world.cadre, world.b11, 403),
        (world.stranger, None, 404),
    ]:
        client.force_login(user)
        assert client.get(address(total, unit, name="measure_register")).status_code == status, (user, unit)
