import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from targets import setting
from targets.assignment import Row, assign
from targets.intake import received
from targets.models import Decision, Reply
from targets.replies import reply
from targets.years import close_year
from tests.factories import make_target, make_unit, make_user
from units import access
from units.models import Placement

YEAR = "?nam=2024"
PAGE = reverse("intake") + YEAR
ANSWER = reverse("intake_answer") + YEAR


@pytest.fixture
def staff(client, world):
    client.force_login(world.staff)
    return client


@pytest.fixture
def given(world):
    """50 trees given to the khối, and what applies in common: floor 3 at every base unit."""
    coverage = {"kind": "coverage", "value": 8000, "floor": 3, "indicators": [world.trees]}
    trees = {"kind": "total", "value": 900, "indicators": [world.trees]}
    target = make_target(world.p1, 2024, [trees, coverage], number=2, text="Trồng cây")
    total = target.measures.get(letter="a")
    decision = Decision.objects.create(
        giver=world.p1, year=world.year, number="05-QĐ/TĐ", day=date(2024, 1, 15), actor=world.central
    )
    assign(
        measure=total,
        rows=[Row(world.k1, planned=50, note="Ưu tiên đồi trọc")],
        actor=world.central,
        decision_number="05-QĐ/TĐ",
        decision_date=date(2024, 1, 15),
        decision=decision,
    )
    make_target(world.tw, 2024, [{"kind": "milestone"}], number=9, text="Còn nháp ở trên", issued_on=None)
    return target


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def tokens(response):
    return [one["row"].token for group in response.context["groups"] for one in group["measures"]]


def open_numbers(client):
    """Which measures still wait for an answer."""
    page = client.get(PAGE)
    rows = [one["row"] for group in page.context["groups"] for one in group["measures"]]
    return [f"{row.measure.target.number}{row.measure.letter}" for row in rows if row.is_open]


def banner(client):
    response = client.get(reverse("dashboard"), {"nam": 2024})
    return response.context.get("unanswered"), "mới được giao" in response.content.decode()


def test_what_was_given_is_shown_accepted_and_asked_again_when_it_changes(staff, world, given):
    total, coverage = given.measures.all()
    page = text_of(staff.get(PAGE))
    assert "Ý a: 50 cây" in page
    assert "Quyết định 05-QĐ/TĐ , ngày 15/01/2024" in page
    assert "Ghi chú Ưu tiên đồi trọc" in page
    assert "Còn nháp" not in page
    assert banner(staff) == (1, True)
    assert staff.post(ANSWER, {"y": tokens(staff.get(PAGE)), "accepted": "on"}).status_code == 302
    assert open_numbers(staff) == []
    assert banner(staff) == (0, False)
    assert sorted(Reply.objects.values_list("measure", "version", "accepted")) == [
        (total.pk, 1, True),
        (coverage.pk, 0, True),
    ]
    assign(measure=total, rows=[Row(world.k1, registered=70)], actor=world.staff)  # its own word asks nobody again
    assert open_numbers(staff) == []
    assign(measure=total, rows=[Row(world.k1, planned=60)], actor=world.central, reason="Tỉnh giao thêm")
    assert open_numbers(staff) == ["2a"]
    page = text_of(staff.get(PAGE))
    assert "50 cây → 60 cây" in page
    assert ": Tỉnh giao thêm" in page
    assert "chưa trả lời số mới; lần trước đã tiếp nhận" in page
    measures = [setting.draft_of(row) for row in given.measures.all()]
    measures[1].floor = 5
    setting.edit_target(target=given, measures=measures, actor=world.central, reason="Nâng ngưỡng")
    assert open_numbers(staff) == ["2a", "2b"]
    page = text_of(staff.get(PAGE))
    assert "ngưỡng 3 cây → ngưỡng 5 cây" in page
    assert banner(staff) == (1, True)


def test_an_override_on_the_way_down_asks_the_units_below_again(world, given):
    coverage = given.measures.get(letter="b")
    place = Placement.objects.select_related("unit").get(unit=world.b11, year=2024)

    def standing():
        row = received([place], world.year)[world.b11.pk, coverage.pk]
        return row.is_open, [(step.before, step.after) for step in row.changes]

    reply(measure=coverage, unit=world.b11, version=0, accepted=True, actor=world.staff)
    assert standing() == (False, [])
    assign(measure=coverage, rows=[Row(world.k1, planned=9000)], actor=world.central)
    assign(measure=coverage, rows=[Row(world.k1, planned=9500)], actor=world.central, reason="Nâng")
    assert standing() == (True, [("90%", "95%")])


def test_a_remark_reaches_the_superior_and_nothing_else_is_taken(client, staff, world, given):
    total, coverage = tokens(staff.get(PAGE))
    for data, words in [
        ({"y": total, "remark": " "}, "Chưa tiếp nhận thì ghi ý kiến"),
        ({"y": total, "remark": "x" * 501}, "Ý kiến: "),
        ({"y": total, "remark": "a\0b"}, "Ý kiến: "),
        ({"y": [f"{total}1", total], "accepted": "on"}, "Cấp trên vừa điều chỉnh"),
        ({"accepted": "on"}, "Cấp trên vừa điều chỉnh"),
    ]:
        response = staff.post(ANSWER, data)
        assert (response.status_code, words in text_of(response)) == (422, True), data
        assert Reply.objects.count() == 0
    assert staff.post(ANSWER, {"y": total, "remark": "Xin giảm còn 40"}).status_code == 302
    assert staff.post(ANSWER, {"y": coverage, "accepted": "on"}).status_code == 302
    assert open_numbers(staff) == []
    client.force_login(world.central)
    page = client.get(reverse("target_detail", args=[given.pk]), {"don-vi": "p1"})
    assert [row["reply"] for row in page.context["sharing"].rows] == ["a) có ý kiến: Xin giảm còn 40; b) đã tiếp nhận"]
    close_year(year=2024)
    client.force_login(world.staff)
    assert client.post(ANSWER, {"y": total, "accepted": "on"}).status_code == 422


def test_who_sees_and_who_answers(client, world, given):
    make_user("base-secretary", access.SECRETARY, world.b11)
    for user, code, see, answer in [
        (world.staff, "k1", 200, 422),
        (world.cadre, "b11", 200, 403),
        (world.viewer, "k1", 200, 403),
        (world.stranger, "k1", 404, 404),
        (world.staff, "p1", 404, 404),
    ]:
        client.force_login(user)
        assert client.get(f"{PAGE}&don-vi={code}").status_code == see, user
        assert client.post(f"{ANSWER}&don-vi={code}").status_code == answer, user
    client.force_login(world.cadre)
    assert "Tiếp nhận tất cả" not in client.get(PAGE).content.decode()
    assert banner(client) == (0, False)
    client.force_login(world.staff)  # a superior follows the unit, but does not answer for it
    assert client.get(reverse("dashboard"), {"nam": 2024, "don-vi": "b11"}).context["unanswered"] == 0


def test_an_own_target_of_another_kind_answers_the_superiors(staff, world, given):
    page = staff.get(PAGE)
    url = page.context["groups"][0]["own_url"]
    form = staff.get(url).context["form"]
    assert (form["text"].value(), form.initial["answers"], form["number"].value()) == ("Trồng cây", given, 1)
    foreign = make_target(world.k2, 2024, [{"kind": "milestone"}])
    for wanted in (foreign.pk, "abc", "9" * 30):
        assert staff.get(reverse("target_add") + f"{YEAR}&thuc-hien={wanted}").status_code == 404
    own = make_target(world.k1, 2024, [{"kind": "milestone"}], number=4, text="Mỗi cơ sở ba việc", answers=given)
    assert [one["target"] for one in staff.get(PAGE).context["groups"][0]["own"]] == [own]


def test_the_page_asks_the_same_number_of_questions_for_one_and_three_targets(staff, world, given):
    def count():
        staff.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            assert staff.get(PAGE).status_code == 200
        return len(captured)

    one = count()
    for number in (5, 6):
        target = make_target(
            world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}], number=number
        )
        assign(measure=target.measures.get(), rows=[Row(world.k1, planned=5)], actor=world.central)
    make_unit("b13", parent=world.k1)
    assert len(staff.get(PAGE).context["groups"]) == 3
    assert count() == one
