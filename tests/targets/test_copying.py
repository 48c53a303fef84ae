import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from targets.copying import new_day
from targets.models import Target, WorkYear
from targets.years import close_year, open_year
from tests.factories import approve, make_activity, make_target

PAGE = reverse("target_copy") + "?nam=2025"


@pytest.fixture
def staff(client, world):
    client.force_login(world.staff)
    return client


@pytest.fixture
def last(world):
    """k1's set of 2024: trees with a rate beside them, answering the province's; a milestone; and the year 2025."""
    world.next = open_year(year=2025, actor=None)
    world.above = make_target(world.p1, 2024, [{"kind": "milestone"}], number=7, text="Trồng cây toàn tỉnh")
    trees = {"kind": "total", "value": 333, "indicators": [world.trees], "deadline": date(2024, 2, 29)}
    coverage = {"kind": "coverage", "value": 10_000, "floor": 3, "indicators": [world.trees], "sector": "trường học"}
    world.first = make_target(
        world.k1, 2024, [trees, coverage], number=1, text="Trồng cây", answers=world.above, join="any", note="Ghi chú"
    )
    milestone = {"kind": "milestone", "deadline": date(2024, 5, 31), "text": "Có báo cáo"}
    world.second = make_target(world.k1, 2024, [milestone], number=2, text="Đại hội", group="building")
    make_target(world.k2, 2024, [{"kind": "milestone"}], number=3, text="Của khối khác")
    approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 120}), world.secretary)
    return world


def typed(page, *targets, **plans):
    """What the browser sends: everything as shown, but these ticked and these plans typed over (by letter)."""
    data = {"chon": [target.pk for target in targets]}
    for row in page.context["rows"]:
        for one in row.measures:
            data[f"m{one.pk}"] = plans.get(one.letter, one.text)
    return data


def copied(world):
    return [(row.number, row.text, row.issued_on) for row in Target.objects.filter(year=2025, issuer=world.k1)]


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_last_years_set_is_shown_with_plan_and_result_and_copied_as_drafts(staff, last):
    new_above = make_target(last.p1, 2025, [{"kind": "milestone"}], number=9, text="trồng cây  toàn tỉnh")
    page = staff.get(PAGE)
    assert [(row.target, row.is_ticked) for row in page.context["rows"]] == [(last.first, True), (last.second, True)]
    trees, coverage = page.context["rows"][0].measures
    assert (trees.plan, trees.result, trees.text, trees.deadline) == ("333 cây", "120 cây", "333", "28/02/2025")
    assert (coverage.plan, coverage.text) == ("100%", "100")
    response = staff.post(PAGE, typed(page, last.first, last.second, a="1,5 nghìn"), follow=True)
    assert "Đã chép 2 chỉ tiêu thành bản nháp năm 2025." in text_of(response)
    assert copied(last) == [(1, "Trồng cây", None), (2, "Đại hội", None)]
    first, second = Target.objects.filter(year=2025, issuer=last.k1)
    assert (first.answers, first.join, first.note, second.group) == (new_above, "any", "Ghi chú", "building")
    rows = [
        (row.kind, row.value, row.floor, row.sector, row.deadline, [one.code for one in row.indicators.all()])
        for row in first.measures.all()
    ]
    assert rows == [
        ("total", 1500, None, "", date(2025, 2, 28), ["thu-cay-xanh"]),
        ("coverage", 10_000, 3, "trường học", None, ["thu-cay-xanh"]),
    ]
    assert second.measures.get().deadline == date(2025, 5, 31)
    assert Target.objects.filter(year=2024, issuer=last.k1).count() == 2
    again = staff.get(PAGE)
    assert [row.taken_by for row in again.context["rows"]] == [first, second]
    assert staff.post(PAGE, {"chon": [last.first.pk, last.second.pk]}).status_code == 422
    assert len(copied(last)) == 2


def test_what_has_the_number_or_the_text_already_is_left_alone(staff, last):
    page = staff.get(PAGE)
    same_number = make_target(last.k1, 2025, [{"kind": "milestone"}], number=1, text="Việc khác")
    same_text = make_target(last.k1, 2025, [{"kind": "milestone"}], number=8, text="đại  hội")
    assert [row.taken_by for row in staff.get(PAGE).context["rows"]] == [same_number, same_text]
    staff.post(PAGE, typed(page, last.first, last.second))
    assert [row[0] for row in copied(last)] == [1, 8]
    same_number.delete()
    assert "Bỏ qua" not in text_of(staff.post(PAGE, typed(page, last.first, last.second), follow=True))
    assert copied(last)[0] == (1, "Trồng cây", None)


def test_every_number_rises_by_a_percentage_and_rates_do_not(staff, last):
    page = staff.get(PAGE)
    data = typed(page, last.first) | {"tang": "1", "rise": "10"}
    response = staff.post(PAGE, data)
    (trees, coverage), _ = (row.measures for row in response.context["rows"])
    assert (response.status_code, trees.text, coverage.text) == (200, "366", "100")  # 366,3
    assert [row.is_ticked for row in response.context["rows"]] == [True, False]
    assert copied(last) == []
    for rise in ("-100", "abc", "1" * 40):
        assert staff.post(PAGE, data | {"rise": rise}).status_code == 422


def test_a_bad_plan_is_told_beside_its_field_and_nothing_is_copied(staff, last):
    page = staff.get(PAGE)
    for value, words in (("abc", "không phải là số"), ("", "Nhập kế hoạch"), ("9" * 40, "Chỉ tiêu 1a"), ("a\0", "")):
        response = staff.post(PAGE, typed(page, last.first, last.second, a=value))
        assert (response.status_code, words in text_of(response)) == (422, True), value
        assert response.context["rows"][0].measures[0].text == value
    assert "quá 100%" in text_of(staff.post(PAGE, typed(page, last.first, b="120")))
    assert copied(last) == []


def test_who_copies_where_and_not_into_a_closed_year(client, staff, last):
    for user, code, status in [
        (last.staff, "k1", 200),
        (last.staff, "p1", 404),
        (last.stranger, "k1", 404),
        (last.cadre, "b11", 403),
    ]:
        client.force_login(user)
        assert client.get(f"{PAGE}&don-vi={code}").status_code == status, user
    client.force_login(last.staff)
    page = client.get(PAGE)
    client.post(PAGE, typed(page) | {"chon": Target.objects.get(issuer=last.k2).pk})
    assert copied(last) == []
    close_year(year=2025)
    client.post(PAGE, typed(page, last.first))
    assert copied(last) == []


def test_the_list_asks_the_same_number_of_questions_for_one_and_three_targets(staff, last):
    def count():
        staff.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(PAGE).status_code == 200
        return len(captured)

    two = count()
    for number in (4, 5):
        make_target(
            last.k1, 2024, [{"kind": "total", "value": 9, "indicators": [last.times]}], number=number, text=number
        )
    assert count() == two


def test_a_deadline_stays_within_the_new_year():
    year = WorkYear(year=2025, first_day=date(2024, 12, 15), last_day=date(2025, 12, 14))
    assert [new_day(day, year) for day in (None, date(2024, 12, 31), date(2024, 2, 29), date(2024, 3, 1))] == [
        None,
        date(2025, 12, 14),
        date(2025, 2, 28),
        date(2025, 3, 1),
    ]


# --- the preview of a measure ---

PREVIEW = reverse("target_preview") + "?nam=2025"


def fields(**changes):
    data = {
        "kind": "coverage",
        "indicators": ["thu-cay-xanh"],
        "value": "100%",
        "floor": "3",
        "level": "base",
    } | changes
    return {"y-TOTAL_FORMS": 1, "y-INITIAL_FORMS": 0, "number": 1, "text": "Trồng cây"} | {
        f"y-0-{name}": value for name, value in data.items()
    }


def test_the_preview_says_what_is_counted_and_last_years_result(staff, last):
    def say(**changes):
        response = staff.post(f"{PREVIEW}&y=1", fields(**changes), headers={"HX-Request": "true"})
        assert response.status_code == 200
        return text_of(response).strip()

    counted = "Được tính: số cơ sở có chỉ số thu-cay-xanh từ {} cây trở lên / tổng số cơ sở"
    assert say() == f"{counted.format(3)} Năm 2024: 1/2 cơ sở"
    assert say(floor="500") == f"{counted.format(500)} Năm 2024: 0/2 cơ sở"
    assert say(kind="total", value="") == (
        "Được tính: tổng số chỉ số thu-cay-xanh Năm 2024: 120 cây; kế hoạch 333 cây Còn thiếu: Nhập kế hoạch, lớn hơn 0"
    )
    assert say(indicators=[]) == "Còn thiếu: Chọn ít nhất một chỉ số"
    assert say(kind="milestone").startswith("Được tính: đã hoàn thành")
    assert say(value="9" * 50).startswith("Được tính")
    assert Target.objects.filter(year=2025).count() == 0


def test_without_javascript_the_page_comes_back_with_the_preview_and_nothing_is_saved(staff, last):
    response = staff.post(PREVIEW, fields(value="80%", text="gõ dở"))
    assert response.status_code == 200
    assert "Năm 2024: 1/2 cơ sở" in text_of(response)
    assert response.context["formset"].forms[0]["value"].value() == "80%"
    assert f'action="{reverse("target_add")}?nam=2025&amp;don-vi=k1"' in response.content.decode()
    assert staff.post(PREVIEW).status_code == 422  # the counters are missing
    assert staff.post(f"{PREVIEW}&y=x", headers={"HX-Request": "true"}).content == b""
    edit = staff.post(f"{reverse('target_preview')}?chi-tieu={last.first.pk}", fields())
    assert "Sửa chỉ tiêu 1" in text_of(edit)
    assert f'action="{reverse("target_edit", args=[last.first.pk])}?nam=2024"' in edit.content.decode()
    assert staff.post(f"{PREVIEW}&chi-tieu={last.above.pk}", fields()).status_code == 403
    assert staff.post(f"{PREVIEW}&chi-tieu=0", fields()).status_code == 404


# --- throwing a draft away ---


def test_a_draft_nobody_refers_to_is_deleted_after_asking(client, last):
    draft = make_target(last.k1, 2025, [{"kind": "milestone"}], number=1, text="Viết nhầm", issued_on=None)
    url = reverse("target_delete", args=[draft.pk])
    for user, status in [(last.stranger, 404), (last.cadre, 403), (last.staff, 200)]:
        client.force_login(user)
        assert client.get(url).status_code == status, user
    own = make_target(last.b11, 2025, [{"kind": "milestone"}], number=1, answers=draft)
    assert client.post(url).status_code == 422
    own.delete()
    Target.objects.filter(pk=draft.pk).update(issued_on=date(2025, 1, 5))
    assert "đã ban hành nên không xoá được" in text_of(client.post(url))
    Target.objects.filter(pk=draft.pk).update(issued_on=None)
    assert client.post(url).status_code == 302
    assert not Target.objects.filter(pk=draft.pk).exists()
    assert client.post(url).status_code == 404
