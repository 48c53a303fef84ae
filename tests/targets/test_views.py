import re
from datetime import date

import pytest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from targets.models import Target
from targets.setting import fingerprint
from targets.years import close_year
from tests.factories import assign, make_target, make_unit

LIST = reverse("target_list")
ADD = reverse("target_add") + "?nam=2024"


@pytest.fixture
def staff(client, world):
    client.force_login(world.staff)
    return client


@pytest.fixture
def planting(world):
    return make_target(
        world.k1, 2024, [{"kind": "total", "value": 700, "indicators": [world.trees]}], number=1, text="Trồng cây"
    )


def measure_fields(place=0, **fields):
    """What a browser sends for one measure: all its controls, also those that the kind does not need."""
    fields = {
        "pk": "",
        "kind": "total",
        "indicators": ["thu-cay-xanh", ""],
        "denominators": ["", ""],
        "value": "9.000",
        "floor": "",
        "level": "base",
        "sector": "",
        "deadline": "",
        "text": "",
    } | fields
    return {f"y-{place}-{name}": value for name, value in fields.items()}


def typed(*measures, initial=0, **fields):
    fields = {"number": "7", "text": "Trồng cây", "group": "", "join": "all", "answers": "", "note": ""} | fields
    data = fields | {"y-TOTAL_FORMS": len(measures), "y-INITIAL_FORMS": initial}
    for place, measure in enumerate(measures):
        data |= measure_fields(place, **measure)
    return data


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def listed(response):
    return [
        (line.number, line.source, [one["plan"] for one in line.measures]) for line in response.context["table"].data
    ]


# --- the list ---


def test_the_list_shows_own_given_and_inherited_targets_and_no_others(staff, world, planting):
    rate = {"kind": "rate", "value": 6650, "indicators": [world.members], "denominators": [world.members]}
    make_target(world.tw, 2024, [rate], number=3)
    given = make_target(world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}], number=4)
    assign(given.measures.get(), world.k1, 5)
    waiting = make_target(world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}], number=5)
    make_target(world.k2, 2024, [{"kind": "milestone"}], number=6)
    make_target(world.k1, date.today().year, [{"kind": "milestone"}], number=7)
    response = staff.get(LIST, {"nam": 2024})
    assert listed(response) == [
        (3, "Áp dụng chung từ cấp trên", ["66,5%"]),
        (4, "Cấp trên giao", ["5 cây"]),
        (1, "Tự đặt ra", ["700 cây"]),
    ]
    assert [one["target"] for one in response.context["not_given"]] == [waiting]


def test_a_unit_without_targets_is_told_what_to_do_next(staff, client, world):
    assert "Thêm chỉ tiêu đầu tiên" in text_of(staff.get(LIST, {"nam": 2024}))
    client.force_login(world.cadre)
    page = text_of(client.get(LIST, {"nam": 2024}))
    assert "Văn phòng hoặc bí thư của đơn vị thêm chỉ tiêu" in page
    assert "Thêm chỉ tiêu đầu tiên" not in page


def test_the_list_of_a_foreign_unit_or_year_is_not_found(staff, world):
    assert staff.get(LIST, {"don-vi": "k2"}).status_code == 404
    assert staff.get(LIST, {"don-vi": "p1"}).status_code == 404
    assert staff.get(LIST, {"don-vi": "b11\0"}).status_code == 400
    assert staff.get(LIST, {"nam": "1999"}).status_code == 404


def test_without_any_year_the_list_says_so(client, db):
    from tests.factories import make_unit, make_user
    from units import access

    unit = make_unit("goc", "trung-uong")
    client.force_login(make_user("mot-minh", access.STAFF, unit))
    assert "Chưa mở năm công tác nào" in text_of(client.get(LIST))
    assert "Chưa mở năm công tác nào" in text_of(client.get(reverse("target_add")))


def queries(client, url, connection):
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_list_asks_the_same_number_of_questions_for_one_and_three_targets(staff, world, planting):
    from django.db import connection

    one = queries(staff, LIST + "?nam=2024", connection)
    for _ in range(2):
        make_target(world.k1, 2024, [{"kind": "total", "value": 7, "indicators": [world.trees]}] * 2)
    assert queries(staff, LIST + "?nam=2024", connection) == one


# --- a target's page ---


def detail(target, unit=None):
    return reverse("target_detail", args=[target.pk]) + (f"?don-vi={unit.code}" if unit else "")


def test_the_page_shows_plan_shares_and_what_is_left(staff, world, planting):
    measure = planting.measures.get()
    assign(measure, world.b11, 300, registered=350)
    assign(measure, world.b12, 500)
    page = text_of(staff.get(detail(planting)))
    assert "Được tính: tổng số chỉ số thu-cay-xanh" in page
    assert "Kế hoạch 700 cây" in page
    assert "Đã giao 800 cây" in page
    assert "Giao vượt 100 cây" in page
    assert "Đơn vị b11 300 cây 350 cây chưa trả lời Đơn vị b12 500 cây – chưa trả lời" in page


def test_targets_outside_the_scope_are_not_found(client, world, planting):
    for user, status in [
        (world.cadre, 200),
        (world.viewer, 200),
        (world.central, 200),
        (world.stranger, 404),
    ]:
        client.force_login(user)
        assert client.get(detail(planting)).status_code == status, user
    client.logout()
    assert client.get(detail(planting)).status_code == 302


def test_the_targets_of_superiors_are_seen_from_below_without_their_other_units(client, world):
    target = make_target(world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}])
    make_unit("k3", "doan-khoi", world.p1)
    assign(target.measures.get(), world.k1, 4)
    client.force_login(world.staff)
    response = client.get(detail(target))
    assert response.context["unit"] == world.k1
    assert [row["unit"].code for row in response.context["sharing"].rows] == ["b11", "b12"]
    assert client.get(detail(target, world.p1)).status_code == 404


def test_a_superiors_draft_is_seen_by_nobody_below(client, world):
    draft = make_target(world.p1, 2024, [{"kind": "milestone"}], number=8, text="Còn nháp", issued_on=None)
    for user, status in [(world.staff, 404), (world.cadre, 404), (world.viewer, 200), (world.central, 200)]:
        client.force_login(user)
        assert client.get(detail(draft)).status_code == status, user
    client.force_login(world.staff)
    assert client.get(LIST, {"nam": 2024}).context["not_given"] == []
    assert draft not in client.get(ADD).context["form"].fields["answers"].queryset
    client.force_login(world.central)
    page = client.get(LIST, {"nam": 2024, "don-vi": "p1"})
    assert [(line.number, line.is_draft) for line in page.context["table"].data] == [(8, True)]


def test_choosing_another_year_on_the_page_leads_to_that_years_list(staff, world, planting):
    this_year = date.today().year
    response = staff.get(detail(planting), {"nam": this_year})
    assert (response.status_code, response.headers["Location"]) == (302, f"{LIST}?nam={this_year}&don-vi=k1")
    assert staff.get(detail(planting), {"nam": 2024}).status_code == 200
    assert staff.get(detail(planting), {"nam": "1999"}).status_code == 404


def test_targets_link_to_what_they_answer_and_to_who_answers_them(client, world):
    above = make_target(world.p1, 2024, [{"kind": "milestone"}], number=2)
    own = make_target(world.k1, 2024, [{"kind": "milestone"}], number=3, answers=above)
    foreign = make_target(world.k2, 2024, [{"kind": "milestone"}], number=4, answers=above)
    client.force_login(world.staff)
    assert client.get(detail(own)).context["answers"] == above
    assert list(client.get(detail(above)).context["answered_by"]) == [own]
    client.force_login(world.central)
    assert list(client.get(detail(above)).context["answered_by"]) == [own, foreign]


def test_the_page_asks_the_same_number_of_questions_for_one_and_three_children(staff, world, planting):
    from django.db import connection

    world.b12.placements.all().delete()
    assign(planting.measures.get(), world.b11, 5)
    one = queries(staff, detail(planting), connection)
    for code in ("b13", "b14"):
        assign(planting.measures.get(), make_unit(code, parent=world.k1), 5)
    assert queries(staff, detail(planting), connection) == one


# --- adding ---


def test_a_target_with_two_measures_is_added(staff, world):
    coverage = {"kind": "coverage", "value": "100%", "floor": "3", "deadline": "30/11/2024"}
    response = staff.post(ADD, typed({"value": "ít nhất 2,5 nghìn"}, coverage))
    target = Target.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("target_detail", args=[target.pk]) + "?nam=2024&don-vi=k1"
    assert (target.issuer, target.year_id, target.number) == (world.k1, 2024, 7)
    rows = [(row.letter, row.kind, row.value, row.floor, row.deadline) for row in target.measures.all()]
    assert rows == [("a", "total", 2500, None, None), ("b", "coverage", 10000, 3, date(2024, 11, 30))]


def test_adding_a_measure_shows_one_more_and_saves_and_judges_nothing(staff, world):
    response = staff.post(ADD, typed({"value": "gõ dở"}, text="") | {"them-y": "1"})
    assert response.status_code == 200
    assert "Lỗi: " not in response.content.decode()
    assert response.context["formset"].total_form_count() == 2
    assert [form["value"].value() for form in response.context["formset"]] == ["gõ dở", None]
    assert response.context["formset"].forms[0]["indicators"].value() == ["thu-cay-xanh"]
    assert Target.objects.count() == 0


def errors_of(response):
    assert response.status_code == 422
    assert "<title>Lỗi: " in response.content.decode()
    return [error["message"] for error in response.context["errors"]] + [
        message for found in response.context["form"].errors.values() for message in found
    ]


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ({"value": "abc"}, "Ý 1 – Kế hoạch: “abc” không phải là số. Ví dụ: 1.234"),
        ({"value": "gần 500"}, "Ý 1 – Kế hoạch: Kế hoạch cần số chính xác, không kèm “gần”."),
        ({"value": ""}, "Ý 1 – Kế hoạch: Nhập kế hoạch, lớn hơn 0."),
        ({"indicators": ["khong-co"]}, "Ý 1 – Chỉ số: Không có chỉ số mã “khong-co”."),
        ({"deadline": "31/5"}, "Ý 1 – Hạn: “31/5” thiếu năm. Ví dụ: 26/03/2024"),
        ({"deadline": "31/05/2023"}, "Ý 1 – Hạn: Hạn phải trong năm công tác (01/01/2024 đến 31/12/2024)."),
        ({"kind": "rate", "value": "120%"}, "Ý 1 – Kế hoạch: Tỷ lệ kế hoạch không quá 100%."),
    ],
)
def test_bad_measures_are_answered_in_words_and_nothing_is_saved(staff, world, measure, message):
    if measure.get("kind") == "rate":
        measure = measure | {"indicators": ["thu-doan-vien"], "denominators": ["thu-luot"]}
    response = staff.post(ADD, typed(measure))
    assert errors_of(response) == [message]
    assert Target.objects.count() == 0
    if "value" in measure:
        assert response.context["formset"].forms[0]["value"].value() == measure["value"]


def test_a_target_needs_a_measure_and_a_number_of_its_own(staff, world, planting):
    assert errors_of(staff.post(ADD, typed({"DELETE": "on"}))) == ["Chỉ tiêu cần ít nhất một ý đo được."]
    again = staff.post(ADD, typed({}, number="1"))
    assert errors_of(again) == ["Đơn vị đã có chỉ tiêu mang số này trong năm."]
    assert Target.objects.count() == 1


def test_a_form_with_its_counters_cut_off_is_answered_in_words(staff, world):
    data = {name: value for name, value in typed({}).items() if "FORMS" not in name}
    assert staff.post(ADD, data).status_code == 422
    assert staff.post(ADD, data | {"them-y": "1"}).status_code == 422
    assert Target.objects.count() == 0


def test_who_may_add_where(client, world):
    for user, code, status in [
        (world.staff, "k1", 200),
        (world.staff, "b11", 200),
        (world.staff, "p1", 404),
        (world.staff, "k2", 404),
        (world.secretary, "k1", 200),
        (world.central, "k1", 200),
        (world.cadre, "b11", 403),
        (world.viewer, "p1", 403),
        (world.admin, "p1", 403),
    ]:
        client.force_login(user)
        assert client.get(f"{ADD}&don-vi={code}").status_code == status, (user, code)


def test_a_closed_year_offers_no_form(staff, world, planting):
    close_year(year=2024)
    assert staff.post(ADD, typed({})).context["year"] == world.year
    page = text_of(staff.get(reverse("target_edit", args=[planting.pk])))
    assert "Năm công tác này đã đóng" in page
    assert Target.objects.count() == 1


# --- editing ---


def edit_data(target, **changes):
    measure = target.measures.get()
    fields = {"pk": measure.pk, "value": "700"} | changes.pop("measure", {})
    return typed(fields, initial=1, number=target.number, seen=fingerprint(target), **changes)


def test_what_an_issued_target_asks_changes_with_a_reason_only(staff, world, planting):
    url = reverse("target_edit", args=[planting.pk])
    assert "reason" in staff.get(url).context["form"].fields
    assert staff.post(url, edit_data(planting, text="Trồng rừng")).status_code == 302  # words need none
    planting.refresh_from_db()
    data = edit_data(planting, measure={"value": "900"})
    response = staff.post(url, data)
    assert errors_of(response) == ["Ghi lý do vì kế hoạch đã ban hành bị sửa (ý a)."]
    assert response.context["form"]["reason"].errors
    assert staff.post(url, data | {"reason": "Điều chỉnh giữa năm"}).status_code == 302
    versions = planting.measures.get().versions.values_list("value", "reason")
    assert list(versions) == [(700, ""), (900, "Điều chỉnh giữa năm")]
    Target.objects.update(issued_on=None)
    assert "reason" not in staff.get(url).context["form"].fields


def test_an_edit_keeps_the_measures_identity(staff, world, planting):
    measure = planting.measures.get()
    url = reverse("target_edit", args=[planting.pk])
    page = staff.get(url)
    assert page.context["formset"].forms[0]["value"].value() == "700"
    data = edit_data(planting, text="Trồng rừng", reason="Giao thêm", measure={"value": "1,2 nghìn"})
    assert staff.post(url, data).status_code == 302
    planting.refresh_from_db()
    assert (planting.text, planting.measures.get().pk, planting.measures.get().value) == (
        "Trồng rừng",
        measure.pk,
        1200,
    )


def test_an_edit_of_a_stale_form_is_refused_in_words(staff, world, planting):
    data = edit_data(planting, text="Của tôi")
    Target.objects.filter(pk=planting.pk).update(text="Của người khác")
    response = staff.post(reverse("target_edit", args=[planting.pk]), data)
    assert errors_of(response) == ["Chỉ tiêu này vừa được người khác sửa. Xem nội dung mới rồi sửa lại."]
    assert Target.objects.get().text == "Của người khác"


def test_an_edit_that_does_not_say_what_it_saw_is_stale(staff, world, planting):
    data = edit_data(planting, text="Của tôi")
    del data["seen"]
    response = staff.post(reverse("target_edit", args=[planting.pk]), data)
    assert errors_of(response) == ["Chỉ tiêu này vừa được người khác sửa. Xem nội dung mới rồi sửa lại."]
    assert Target.objects.get().text == planting.text


def test_a_measure_of_another_target_cannot_be_taken_over(staff, world, planting):
    other = make_target(world.k2, 2024, [{"kind": "milestone"}]).measures.get()
    response = staff.post(reverse("target_edit", args=[planting.pk]), edit_data(planting, measure={"pk": other.pk}))
    assert errors_of(response) == ["Một ý của chỉ tiêu không còn nữa. Xem nội dung mới rồi sửa lại."]
    other.refresh_from_db()
    assert other.target != planting


def test_who_may_edit(client, world, planting):
    url = reverse("target_edit", args=[planting.pk])
    for user, status in [
        (world.staff, 200),
        (world.secretary, 200),
        (world.central, 200),
        (world.cadre, 403),
        (world.viewer, 403),
        (world.stranger, 404),
    ]:
        client.force_login(user)
        assert client.get(url).status_code == status, user
    above = make_target(world.p1, 2024, [{"kind": "milestone"}])
    client.force_login(world.staff)
    assert client.get(reverse("target_edit", args=[above.pk])).status_code == 403
