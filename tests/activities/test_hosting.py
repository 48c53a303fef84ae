from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import recording, review
from activities.audit import audit
from activities.joint import hosting
from activities.models import Activity, Event, Host, HostState, Step, UnitTotal
from activities.moves import moving
from activities.moves.move_preview import preview_move
from activities.reading import level_rows, totals_at, waiting
from activities.rules import Entry
from reports.breakdown import take_apart
from targets import years
from tests.factories import make_activity, make_unit, make_user
from unionwork.numbers import Parsed
from units import access
from units.models import Placement

PARENT = {
    "b11": "k1",
    "b12": "k1",
    "b13": "k3",
    "b21": "k2",
    "k1": "p1",
    "k3": "p1",
    "k2": "p2",
    "p1": "tw",
    "p2": "tw",
}
LIST, INVITATIONS = reverse("activity_list"), reverse("hosting_list")


@pytest.fixture
def three(world):
    """An activity of 10 trees by three hosts in two khối of one province, waiting: b11 leads, b12 and b13 are asked."""
    world.k3 = make_unit("k3", "doan-khoi", world.p1)
    world.b13 = make_unit("b13", "doan-co-so", world.k3)
    world.cadre13 = make_user("cadre-13", access.CADRE, world.b13)
    world.boss = make_user("boss", access.SECRETARY, world.p1)
    world.joint = sent(world, hosts=[world.b12, world.b13])
    return world


def sent(world, value=10, **fields):
    made = make_activity(world.b11, world.cadre, world.planting, {world.trees: value}, **fields)
    review.submit(activity=made, actor=world.cadre)
    return made


def decline(world, activity=None, unit=None, actor=None, reason="Không tham gia"):
    activity, unit = activity or world.joint, unit or world.b13
    return hosting.decline(activity=activity, unit=unit, actor=actor or world.boss, reason=reason)


def change(world, value, hosts, **fields):
    activity = Activity.objects.get(pk=world.joint.pk)
    for name, new in fields.items():
        setattr(activity, name, new)
    entry = Entry(activity, {world.trees: Parsed(value)}, hosts)
    recording.edit(entry=entry, actor=world.cadre, version=activity.version, reason="Đếm lại")


def stored(indicator):
    """{unit: (value, overlap, records)} of the year, zeros left out."""
    found = {}
    for row in UnitTotal.objects.filter(indicator=indicator, month=0).select_related("unit"):
        before = found.get(row.unit.code, (0, 0, 0))
        found[row.unit.code] = tuple(map(sum, zip(before, (row.value, row.overlap, row.records), strict=True)))
    return {code: cell for code, cell in found.items() if any(cell)}


def counted(value, *hosts):
    """The same by DESIGN.md §3, from nothing but who hosts: once at every superior, the rest is overlap."""
    reached = {}
    for unit in hosts:
        while unit:
            reached[unit] = reached.get(unit, 0) + 1
            unit = PARENT.get(unit)
    return {unit: (value, value * (times - 1), times) for unit, times in reached.items()}


def states(activity):
    return dict(activity.hosts.order_by("unit__code").values_list("unit__code", "state"))


def test_only_hosts_that_did_not_decline_count_whatever_happens_to_the_record(three):
    def holds(value, *hosts):
        assert stored(three.trees) == counted(value, *hosts)
        assert stored(three.count) == counted(1, *hosts)
        assert audit(2024).differences == []

    assert decline(three, unit=three.b12)
    hosting.confirm(activity=three.joint, unit=three.b12, actor=three.other_cadre)
    assert stored(three.trees) == {}
    review.approve(activity=three.joint, actor=three.secretary)
    holds(10, "b11", "b12", "b13")
    decline(three)
    holds(10, "b11", "b12")
    decline(three, unit=three.b12)
    holds(10, "b11")
    hosting.confirm(activity=three.joint, unit=three.b13, actor=three.cadre13)
    holds(10, "b11", "b13")
    assert states(three.joint) == {"b12": "declined", "b13": "confirmed"}

    change(three, 7, [three.b12, three.b13, three.b21], last_day=date(2024, 4, 1))
    assert stored(three.trees) == {}
    assert states(three.joint) == {"b12": "declined", "b13": "confirmed", "b21": "invited"}
    review.approve(activity=three.joint, actor=three.secretary)
    holds(7, "b11", "b13", "b21")

    # A former host leads, the former lead is asked anew; a host that was taken out and asked again has not answered.
    change(three, 8, [three.b11, three.b21], unit=three.b12)
    review.approve(activity=three.joint, actor=three.secretary)
    assert states(three.joint) == {"b11": "invited", "b21": "invited"}
    holds(8, "b11", "b12", "b21")
    change(three, 8, [three.b13], unit=three.b11)
    review.approve(activity=three.joint, actor=three.secretary)
    assert states(three.joint) == {"b13": "invited"}
    decline(three)
    moving.move_unit(unit=three.b13, parent=three.k2, year=2024, actor=three.admin, reason="QĐ 1")
    holds(8, "b11")


def test_every_reader_of_figures_leaves_a_declined_host_out(three):
    waiting_below = {unit.code: Placement.objects.get(unit=unit, year=2024).path for unit in (three.b13, three.k1)}
    decline(three)
    assert [waiting(path, three.year)[three.trees.pk] for path in waiting_below.values()] == [0, 10]
    decline(three, unit=three.b12)
    review.approve(activity=three.joint, actor=three.secretary)
    units = [three.b11.pk, three.b12.pk, three.b13.pk, three.k1.pk]
    for day in (None, date(2024, 3, 28)):  # the whole year, and a month that is cut
        at = totals_at(units, three.year, day)
        assert {unit: at[unit, three.trees.pk].value for unit in units if (unit, three.trees.pk) in at} == {
            three.b11.pk: 10,
            three.k1.pk: 10,
        }
        paths = [Placement.objects.get(unit=three.tw, year=2024).path]
        rows = level_rows(paths, three.year, ["base"], {three.trees.pk}, day)
        assert [row.value for row in rows if row.value] == [10]
    parts = {
        unit.code: take_apart(Placement.objects.get(unit=unit, year=2024), three.year) for unit in (three.b13, three.k1)
    }
    assert dict(parts["b13"]) == {}
    assert parts["k1"][three.trees.pk].own is None
    # b13 takes nothing along, and b11 everything: the declined co-host is no reason to keep a share.
    lines = preview_move(unit=three.b11, parent=three.k2, year=2024).years[0].lines
    assert {(line.old_before, line.old_after, line.new_before, line.new_after) for line in lines} == {
        ("10", "0", "–", "10"),
        ("1", "0", "–", "1"),
    }
    assert preview_move(unit=three.b13, parent=three.k2, year=2024).years[0].counted == 0


def test_the_same_answer_twice_is_one_effect_and_every_answer_is_in_the_history(three):
    review.approve(activity=three.joint, actor=three.secretary)
    version = Activity.objects.get(pk=three.joint.pk).version
    assert decline(three, actor=three.cadre13, reason="  Trùng lịch ") is True
    assert decline(three, actor=three.boss, reason="Lý do khác") is False
    host = Host.objects.get(activity=three.joint, unit=three.b13)
    assert (host.state, host.reason, host.actor, host.at is None) == ("declined", "Trùng lịch", three.cadre13, False)
    assert [hosting.confirm(activity=three.joint, unit=three.b13, actor=three.boss) for _ in range(2)] == [True, False]
    host.refresh_from_db()
    assert (host.state, host.reason, host.actor) == ("confirmed", "", three.boss)
    events = Event.objects.filter(activity=three.joint, step__in=[Step.CONFIRM, Step.DECLINE])
    assert [(row.step, row.actor, row.reason, row.from_status, row.to_status, row.said) for row in events] == [
        ("decline", three.cadre13, "Trùng lịch", "approved", "approved", [["Đơn vị b13", "Chờ xác nhận", "Từ chối"]]),
        ("confirm", three.boss, "", "approved", "approved", [["Đơn vị b13", "Từ chối", "Đã xác nhận"]]),
    ]
    assert Activity.objects.get(pk=three.joint.pk).version == version  # nobody's open form went stale


def test_answers_are_refused_in_words_when_it_is_not_the_time_or_not_their_unit(three):
    def refused(kind, act, *arguments, **named):
        before = (stored(three.trees), states(three.joint), Event.objects.count())
        with pytest.raises(kind) as refusal:
            act(*arguments, **named)
        assert (stored(three.trees), states(three.joint), Event.objects.count()) == before
        return getattr(refusal.value, "messages", None)

    for actor in (three.cadre, three.secretary, three.stranger, three.admin, three.viewer):
        refused(PermissionDenied, decline, three, actor=actor)
    for reason in ("", "  \n", "x" * 301):
        refused(ValidationError, decline, three, reason=reason)
    assert refused(review.WrongState, decline, three, unit=three.b22) == [
        "“Đơn vị b22” không còn trong danh sách phối hợp của hoạt động này."
    ]
    draft = make_activity(three.b11, three.cadre, three.planting, {three.trees: 1}, hosts=[three.b13])
    assert refused(review.WrongState, decline, three, draft) == [
        "Không trả lời được: hoạt động đang ở trạng thái “Nháp”."
    ]
    review.approve(activity=three.joint, actor=three.secretary)
    years.close_year(year=2024)
    assert refused(review.WrongState, decline, three) == ["Năm công tác 2024 đã khoá nên không thay đổi được nữa."]
    years.reopen_year(year=2024)
    review.cancel(activity=three.joint, actor=three.cadre, reason="Trùng")
    assert "Đã huỷ" in refused(review.WrongState, decline, three)[0]


# --- Pages -------------------------------------------------------------------------------


def test_a_co_host_finds_what_asks_for_an_answer_and_answers(client, three):
    review.approve(activity=three.joint, actor=three.secretary)
    sent(three, title="Chỉ của b12", hosts=[three.b12])
    make_activity(three.b11, three.cadre, three.planting, {three.trees: 1}, hosts=[three.b13], title="Còn nháp")
    host = three.joint.hosts.get(unit=three.b13)
    client.force_login(three.cadre13)
    assert "Chờ đơn vị bạn xác nhận phối hợp (1)" in client.get(LIST, {"nam": 2024}).content.decode()
    page = client.get(INVITATIONS)
    assert [row.record.pk for row in page.context["table"].rows] == [host.pk]
    assert page.context["waiting"] == 1
    decline_at = reverse("hosting_decline", args=[host.pk])
    assert f'href="{decline_at}?tiep=/phoi-hop/"' in page.content.decode()

    assert client.post(decline_at, {}).status_code == 422
    assert client.post(decline_at, {"reason": "a\x00b"}).status_code == 422
    assert client.post(reverse("activity_create"), {"q": "b", "hosts": ["b\x00"]}).status_code == 200
    assert client.post(decline_at, {"reason": "x" * 350}).status_code == 422
    assert states(three.joint) == {"b12": "invited", "b13": "invited"}
    said = {"usual": "Đơn vị không tham gia", "reason": "Trùng lịch", "tiep": INVITATIONS}
    assert client.post(decline_at, said).url == INVITATIONS
    page = client.get(INVITATIONS)
    assert page.context["waiting"] == 0
    assert "Đơn vị không tham gia: Trùng lịch" in page.content.decode()
    assert "Chờ đơn vị bạn" not in client.get(LIST, {"nam": 2024}).content.decode()

    # Still in their list, marked, but in no sum of theirs; under their own unit's number it is not listed.
    listed = client.get(LIST, {"nam": 2024, "chi-so": "thu-cay-xanh", "trang-thai": "da-duyet"})
    assert [row.record.pk for row in listed.context["table"].rows] == [three.joint.pk]
    assert "Đơn vị b13 (từ chối)" in listed.content.decode()
    assert listed.context["total"] is None
    own = {"nam": 2024, "chi-so": "thu-cay-xanh", "trang-thai": "da-duyet", "don-vi": "b13"}
    narrowed = client.get(LIST, own)
    assert (narrowed.context["count"], narrowed.context["total"]) == (0, None)

    client.post(reverse("hosting_confirm", args=[host.pk]))
    assert states(three.joint) == {"b12": "invited", "b13": "confirmed"}
    assert client.get(LIST, own).context["total"] == 10
    years.close_year(year=2024)
    assert client.post(decline_at, said).status_code == 302
    assert states(three.joint) == {"b12": "invited", "b13": "confirmed"}
    assert client.get(INVITATIONS).context["count"] == 0


def test_superiors_answer_for_units_below_but_are_asked_only_for_their_own(client, three):
    assert [host.unit for host in hosting.waiting_for(three.secretary)] == []
    below = hosting.waiting_for(three.boss, below=True)
    assert sorted(host.unit.code for host in below) == ["b12", "b13"]
    client.force_login(three.secretary)
    page = client.get(INVITATIONS, {"cap-duoi": "1"})
    assert [row.record.unit for row in page.context["table"].rows] == [three.b12]
    assert client.get(INVITATIONS).context["count"] == 0


def test_lead_and_reviewer_see_who_confirmed_and_why_one_declined(client, three):
    hosting.confirm(activity=three.joint, unit=three.b12, actor=three.other_cadre)
    decline(three, reason="Đơn vị <b>không</b> tham gia")
    sent(three, hosts=[three.b12, three.b13, three.b21])
    client.force_login(three.cadre)
    page = client.get(reverse("activity_detail", args=[three.joint.pk]))
    assert [(host.unit.code, host.state, host.may_answer) for host in page.context["hosts"]] == [
        ("b12", HostState.CONFIRMED, False),
        ("b13", HostState.DECLINED, False),
    ]
    text = page.content.decode()
    assert "Lý do: Đơn vị &lt;b&gt;không&lt;/b&gt; tham gia" in text
    assert [word for word in ("/xac-nhan/", "/tu-choi/") if word in text] == []
    # What names other units than the hosts is not for the other line.
    doubt = "“Đơn vị b99” đã ghi một hoạt động giống thế này."
    Activity.objects.filter(pk=three.joint.pk).update(warnings=[["joint", doubt]])
    shown, superior, unnamed = {}, "bí thư Đơn vị k1 duyệt", "cấp trên của Đơn vị b11 duyệt"
    for who in (three.cadre, three.cadre13, three.boss):
        client.force_login(who)
        text = client.get(reverse("activity_detail", args=[three.joint.pk])).content.decode()
        shown[who] = [words for words in (doubt, superior, unnamed) if words in text]
    assert shown == {three.cadre: [doubt, superior], three.cadre13: [unnamed], three.boss: [doubt, superior]}
    assert text.count("/xac-nhan/") == text.count("/tu-choi/") == 1  # each of the two may only say something else
    queue = client.get(reverse("review_queue")).content.decode()
    assert "phối hợp: 2 đơn vị, 1 từ chối" in queue
    assert "phối hợp: 3 đơn vị, 3 chưa xác nhận" in queue


def test_the_list_of_invitations_asks_as_often_for_three_rows_as_for_one(client, three):
    client.force_login(three.cadre13)
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(INVITATIONS).status_code == 200
        counts.append(len(captured))
        sent(three, hosts=[three.b13, three.b12])
    assert counts[0] == counts[1] == counts[2]
