import re
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities.moves.moving import move_unit
from targets import giving, issuing
from targets.cascade import plans_for
from targets.giving import Wish
from targets.models import Assignment, AssignmentVersion, Decision, DraftAssignment, Target
from targets.years import close_year
from tests.factories import assign, make_target, make_unit
from tests.kernel.test_uploads import pdf
from units.models import Placement

DAY = date(2024, 2, 1)
PDF = pdf()


@pytest.fixture
def total(world):
    return make_target(
        world.k1, 2024, [{"kind": "total", "value": 700, "indicators": [world.trees]}], text="Trồng cây"
    ).measures.get()


def draft(world, measure, *wishes, actor=None, giver=None):
    return giving.save_draft(measure=measure, giver=giver or world.k1, wishes=list(wishes), actor=actor or world.staff)


def issue(world, *measures, **fields):
    fields = {"number": "05-QĐ/ĐK", "day": DAY, "targets": [], "giver": world.k1} | fields
    return giving.issue(year=world.year, measures=measures, actor=world.staff, **fields)


def planned(measure):
    found = {row.unit.code: row.planned for row in DraftAssignment.objects.filter(measure=measure)}
    return dict(sorted(found.items()))


def in_force(measure, unit, day=None):
    places = Placement.objects.filter(unit=unit, year=2024).select_related("unit")
    return next((p.planned for p in plans_for(places, 2024, as_of=day)[unit.pk] if p.measure == measure), None)


# --- the draft ---


def test_nothing_reaches_a_unit_below_before_it_is_issued_and_then_by_decision(world, total):
    draft(world, total, Wish(world.b11, 300, None), Wish(world.b12, 0, None, "đồng bào vùng sâu"))
    assert (in_force(total, world.b11), planned(total)) == (None, {"b11": 300, "b12": 0})
    decision = issue(world, total)
    assert (in_force(total, world.b11), in_force(total, world.b12), planned(total)) == (300, 0, {})
    assert [(row.planned, row.decision_id, row.note) for row in AssignmentVersion.objects.order_by("-planned")] == [
        (300, decision.pk, ""),
        (0, decision.pk, "đồng bào vùng sâu"),
    ]
    with pytest.raises(ValidationError, match="Không có gì mới"):
        issue(world, total)
    assert Decision.objects.count() == 1


def test_a_later_number_needs_a_reason_and_a_report_of_an_earlier_day_keeps_the_earlier_one(world, total):
    draft(world, total, Wish(world.b11, 50, None))
    issue(world, total)
    draft(world, total, Wish(world.b11, 60, 50))
    with pytest.raises(ValidationError) as refused:
        issue(world, total, day=date(2024, 6, 1))
    assert (list(refused.value.message_dict), in_force(total, world.b11)) == (["reason"], 50)
    assert Decision.objects.count() == 1
    issue(world, total, day=date(2024, 6, 1), number="09", reason="Bổ sung diện tích")
    assert [in_force(total, world.b11, date(2024, *day)) for day in ((1, 5), (5, 31), (6, 1))] == [50, 50, 60]
    versions = AssignmentVersion.objects.order_by("number").values_list("planned", "reason", "decision__number")
    assert list(versions) == [(50, "", "05-QĐ/ĐK"), (60, "Bổ sung diện tích", "09")]


def test_two_people_merge_what_each_of_them_changed(world, total):
    draft(world, total, Wish(world.b11, 300, None, "cũ", True), Wish(world.b12, 100, None))
    seen = {"seen_note": "cũ", "seen_fixed": True}
    draft(world, total, Wish(world.b11, 310, 300, "mới", True, **seen))
    saved = draft(
        world,
        total,
        Wish(world.b11, 300, 300, "cũ", False, **seen),
        Wish(world.b12, 120, 100, "", False, "", False),
        actor=world.secretary,
    )
    assert (saved.theirs, planned(total)) == ([world.b11], {"b11": 310, "b12": 120})
    kept = DraftAssignment.objects.get(unit=world.b11)
    assert (kept.note, kept.fixed) == ("mới", False)
    for wish in (Wish(world.b11, 320, 300, "cũ", False, "cũ", False), Wish(world.b11, 310, 310, "khác", False, "cũ")):
        with pytest.raises(giving.Conflict) as conflict:
            draft(world, total, wish, Wish(world.b12, 1, 120))
        assert [conflict.value.units, conflict.value.standings[world.b11.pk].planned] == [[world.b11], 310]
        assert planned(total) == {"b11": 310, "b12": 120}
    draft(world, total, Wish(world.b11, 320, 310))
    assert planned(total)["b11"] == 320


def test_a_draft_stays_with_the_unit_that_wrote_it_when_the_one_below_moves(world, total):
    draft(world, total, Wish(world.b11, 400, None))
    move_unit(unit=world.b11, parent=world.k2, year=2024, actor=world.central, reason="QĐ chuyển")
    assert giving.standings(total, world.k2, [world.b11])[world.b11.pk].planned is None
    assert issuing.open_count(world.k1, world.year) == 0


def test_a_draft_that_says_nothing_new_leaves_no_row_and_discarding_keeps_what_is_in_force(world, total):
    assign(total, world.b11, 300)
    assert draft(world, total, Wish(world.b11, 300, 300)).changed == []
    draft(world, total, Wish(world.b11, 310, 300))
    draft(world, total, Wish(world.b11, 300, 310))
    assert planned(total) == {}
    draft(world, total, Wish(world.b11, None, 300), Wish(world.b12, 5, None))
    assert giving.discard(measure=total, giver=world.k1, actor=world.staff) == 2
    assert (planned(total), in_force(total, world.b11)) == ({}, 300)


def test_only_direct_children_of_an_open_year_are_given_numbers(world, total):
    milestone = make_target(world.k1, 2024, [{"kind": "milestone"}]).measures.get()
    rate = make_target(
        world.k1, 2024, [{"kind": "rate", "value": 8000, "indicators": [world.trees], "denominators": [world.members]}]
    ).measures.get()
    for measure, wishes, words in [
        (total, [Wish(world.b21, 1, None)], "không trực thuộc"),
        (total, [Wish(world.b11, 1, None), Wish(world.b11, 2, None)], "ghi hai lần"),
        (milestone, [Wish(world.b11, None, None)], "“Mốc”"),
        (rate, [Wish(world.b11, 10_001, None)], "không quá 100%"),
    ]:
        with pytest.raises(ValidationError, match=words):
            draft(world, measure, *wishes)
    draft(world, total, Wish(world.b11, 1, None))
    close_year(year=2024)
    for act in (lambda: draft(world, total, Wish(world.b11, 2, 1)), lambda: _issue_fresh(world, total)):
        with pytest.raises(ValidationError, match="đã đóng"):
            act()
    assert (planned(total), Decision.objects.count()) == ({"b11": 1}, 0)


def _issue_fresh(world, total):
    world.year.refresh_from_db()
    issue(world, total)


def test_a_draft_target_is_seen_below_only_once_it_is_issued_and_names_its_decision(client, world):
    target = make_target(
        world.k1,
        2024,
        [{"kind": "coverage", "value": 10_000, "floor": 3, "indicators": [world.trees]}],
        issued_on=None,
    )
    measure = target.measures.get()
    seen = lambda: Target.objects.visible_to(world.cadre).filter(pk=target.pk).exists()  # noqa: E731
    assert (seen(), in_force(measure, world.b11), issuing.open_count(world.k1, world.year)) == (False, None, 1)
    issue(world, targets=[target])
    assert (seen(), in_force(measure, world.b11), issuing.open_count(world.k1, world.year)) == (True, 10_000, 0)
    client.force_login(world.cadre)  # of a unit below, that was given no number of its own
    address = reverse("decision_detail", args=[Decision.objects.get().pk])
    assert "Chỉ tiêu thử" in client.get(address).content.decode()
    assert address in client.get(reverse("intake"), {"nam": "2024", "don-vi": "b11"}).content.decode()
    client.force_login(world.stranger)
    assert client.get(address).status_code == 404


# --- the pages ---


def page(client, **query):
    return client.get(reverse("issue"), {"nam": "2024", "don-vi": "k1"} | query)


def confirmed(response, **fields):
    """What a browser sends: everything as ticked, with the decision."""
    context = response.context
    data = {"number": "05-QĐ/ĐK", "day": "01/02/2024", "reason": "", **fields}
    data["chi-tieu"] = [row["target"].pk for row in context["targets"] if row["ticked"]]
    data["y"] = [row["measure"].pk for row in context["proposals"] if row["ticked"]]
    data |= {f"da-xem-{row['measure'].pk}": row["fingerprint"] for row in context["proposals"]}
    return data


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


ISSUE = "/chi-tieu/ban-hanh/?nam=2024&don-vi=k1"


def test_what_waits_is_shown_and_issued_with_its_file_and_each_unit_sees_its_own_lines(client, world, total):
    fresh = make_target(world.k1, 2024, [{"kind": "milestone"}], text="Đại hội", issued_on=None)
    draft(world, total, Wish(world.b11, 300, None), Wish(world.b12, 100, None))
    make_unit("b13", parent=world.k1)
    client.force_login(world.staff)
    shown = page(client)
    text = text_of(shown)
    assert "Kế hoạch: 700 cây · đang có hiệu lực 0 cây · sau khi ban hành 400 cây · còn lại 300 cây chưa chia" in text
    assert "1 đơn vị chưa có số: Đơn vị b13." in text
    narrowed = page(client, y=str(total.pk)).context
    assert [row["ticked"] for row in narrowed["proposals"] + narrowed["targets"]] == [True, False]
    data = confirmed(shown)
    assert client.post(ISSUE, data | {"number": ""}).status_code == 422
    assert client.post(ISSUE, data | {"day": "31/02/2024"}).status_code == 422
    assert client.post(ISSUE, data | {"day": "01/01/2099"}).context["form"].errors == {
        "day": ["Ngày quyết định chưa tới."]
    }
    bad = SimpleUploadedFile("quyet-dinh.pdf", b"<html>")
    assert list(client.post(ISSUE, data | {"file": bad}).context["form"].errors) == ["file"]
    assert (Decision.objects.count(), in_force(total, world.b11)) == (0, None)
    sent = client.post(ISSUE, data | {"file": SimpleUploadedFile("quyet-dinh.pdf", PDF)}, follow=True)
    decision = Decision.objects.get()
    assert sent.redirect_chain[0][0] == reverse("decision_detail", args=[decision.pk])
    assert [row["unit"].code for one in sent.context["measures"] for row in one["rows"]] == ["b11", "b12"]
    assert list(sent.context["targets"]) == [fresh]
    again = client.post(ISSUE, data)  # a double tap
    assert (again.status_code, Decision.objects.count()) == (422, 1)
    for user, units in [(world.cadre, ["b11"]), (world.other_cadre, ["b12"]), (world.viewer, ["b11", "b12"])]:
        client.force_login(user)
        seen = client.get(reverse("decision_detail", args=[decision.pk]))
        assert [row["unit"].code for one in seen.context["measures"] for row in one["rows"]] == units
        file = client.get(reverse("decision_file", args=[decision.pk]))
        assert (b"".join(file.streaming_content), file["Content-Type"]) == (PDF, "application/pdf")
    client.force_login(world.stranger)
    for name in ("decision_detail", "decision_file"):
        assert [client.get(reverse(name, args=[pk])).status_code for pk in (decision.pk, 10**25)] == [404, 404]


def test_a_draft_changed_after_it_was_shown_is_not_issued_unseen(client, world, total):
    draft(world, total, Wish(world.b11, 300, None))
    client.force_login(world.staff)
    data = confirmed(page(client))
    draft(world, total, Wish(world.b11, 999, 300), actor=world.secretary)
    stale = client.post(ISSUE, data)
    assert (stale.status_code, in_force(total, world.b11)) == (422, None)
    assert "Bản nháp vừa được người khác sửa." in text_of(stale)
    assert stale.context["proposals"][0]["changes"][0]["new"] == "999 cây"
    assert client.post(ISSUE, confirmed(stale)).status_code == 302
    assert in_force(total, world.b11) == 999


def test_hostile_confirmations_are_answered_in_words(client, world, total):
    draft(world, total, Wish(world.b11, 300, None))
    client.force_login(world.staff)
    for data in (
        {},
        {"number": "\0", "day": "1/2/2024"},
        {"number": "x" * 51, "day": "9" * 400, "y": "\0"},
        {"number": "1", "day": "1/2/2024", "y": ["9" * 30, "-1"], "chi-tieu": "abc"},
    ):
        assert client.post(ISSUE, data).status_code == 422
    assert (Decision.objects.count(), planned(total)) == (0, {"b11": 300})


def test_the_issue_page_asks_the_same_number_of_questions_for_1_and_30_units(client, world, total):
    client.force_login(world.staff)

    def asked():
        page(client)
        with CaptureQueriesContext(connection) as captured:
            assert page(client).status_code == 200
        return len(captured)

    draft(world, total, Wish(world.b11, 1, None))
    one = asked()
    units = [make_unit(f"m{number}", parent=world.k1) for number in range(30)]
    draft(world, total, *(Wish(unit, 7, None) for unit in units))
    assert asked() == one


def test_a_draft_is_thrown_away_after_a_question(client, world, total):
    draft(world, total, Wish(world.b11, 300, None))
    client.force_login(world.staff)
    where = reverse("draft_discard", args=[total.pk])
    assert "bản nháp của 1 đơn vị" in text_of(client.get(where))
    assert planned(total) == {"b11": 300}
    assert client.post(where).status_code == 302
    assert (planned(total), Assignment.objects.count()) == ({}, 0)
    client.force_login(world.cadre)
    assert client.get(where).status_code == 403
