from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from activities import review
from activities.audit import audit
from activities.joint import hosting
from activities.models import Activity, Evidence, Status, Step, UnitTotal
from activities.reviewing import merging
from tests.activities.test_recording import change
from tests.factories import approve, make_activity, make_user
from units import access
from units.models import Notice, Unit

UNITS = ("b11", "b12", "b21", "k1", "k2", "p1", "tw")


@pytest.fixture
def pair(world):
    """Two approved records of one event: b11's, in which b12 does not want to take part; b12's own, with b21."""
    world.b11_record = make_activity(
        world.b11, world.cadre, world.planting, {world.trees: 35}, hosts=[world.b12], title="Ra quân"
    )
    approve(world.b11_record, world.secretary)
    reason = "Đơn vị đã ghi: xem bên kia"
    hosting.decline(activity=world.b11_record, unit=world.b12, actor=world.other_cadre, reason=reason)
    world.b12_record = make_activity(
        world.b12, world.other_cadre, world.planting, {world.trees: 34}, hosts=[world.b21], title="Ra quân xã"
    )
    approve(world.b12_record, world.secretary)
    for number in range(2):
        _photo(world.b12_record, number)
    _photo(world.b11_record, 9)
    return world.b11_record, world.b12_record


def _photo(activity, number):
    name = f"{activity.pk}-{number}.jpg"
    Evidence.objects.create(
        key=f"{activity.pk:08d}-0000-4000-8000-{number:012d}",
        form_key=activity.form_key,
        activity=activity,
        file=f"minh-chung/{name}",
        name=name,
        content_type="image/jpeg",
        size=1,
        sha256="0" * 64,
        uploader=activity.author,
    )


def stored(world):
    """{unit: trees of the year}."""
    rows = UnitTotal.objects.filter(indicator=world.trees, month=0, unit__code__in=UNITS)
    return {code: sum(row.value for row in rows if row.unit.code == code) for code in UNITS}


def everything(*activities):
    """What `unmerge` has to bring back."""
    return [
        (
            row.status,
            row.approver_id,
            row.merged_into_id,
            sorted(row.hosts.values_list("unit", "state", "reason", "actor", "at")),
            sorted(row.evidence.values_list("name", flat=True)),
        )
        for row in Activity.objects.filter(pk__in=[one.pk for one in activities]).order_by("pk")
    ]


def test_merging_makes_one_joint_activity_and_unmerging_two_again(world, pair):
    keep, other = pair
    before, sums = everything(*pair), stored(world)
    assert sums == {"b11": 35, "b12": 34, "b21": 34, "k1": 69, "k2": 34, "p1": 69, "tw": 69}

    merging.merge(keep=keep, other=other, actor=world.secretary, reason="Cùng một buổi")

    assert stored(world) == dict.fromkeys(UNITS, 35)
    kept, gone = Activity.objects.get(pk=keep.pk), Activity.objects.get(pk=other.pk)
    assert (kept.status, gone.status, gone.merged_into) == (Status.APPROVED, Status.CANCELLED, kept)
    assert sorted(kept.hosts.values_list("unit__code", "state")) == [("b12", "confirmed"), ("b21", "invited")]
    assert (kept.evidence.count(), gone.evidence.count()) == (3, 0)
    event = gone.events.last()
    assert (event.step, event.from_status, event.reason) == (
        Step.MERGE,
        Status.APPROVED,
        f"Gộp vào {keep.code}: Cùng một buổi",
    )
    host = kept.hosts.get(unit=world.b12)
    assert (host.actor, host.at > gone.decided_at) == (world.secretary, True)
    assert kept.hosts.filter(unit=world.b21, actor=None, at=None).exists()  # nobody has answered for it
    assert kept.events.last().said == [
        ["Đơn vị b12", "Từ chối: Đơn vị đã ghi: xem bên kia", "Đã xác nhận"],
        ["Đơn vị b21", "–", "Chờ xác nhận"],
        ["Minh chứng", "", f"2 tệp từ {other.code}"],
    ]
    assert sorted(Notice.objects.values_list("user", "kind", "unit", "text")) == [  # the title of one's own record
        (
            world.cadre.pk,
            "merged",
            world.b11.pk,
            f"{other.code} của Đơn vị b12 đã gộp vào {keep.code} “Ra quân”. Lý do: Cùng một buổi",
        ),
        (
            world.other_cadre.pk,
            "merged",
            world.b12.pk,
            f"{other.code} “Ra quân xã” đã gộp vào {keep.code}. Lý do: Cùng một buổi",
        ),
    ]
    with pytest.raises(review.WrongState):
        review.restore(activity=gone, actor=world.other_cadre)  # it would count twice
    review.unapprove(activity=kept, actor=world.secretary, reason="Xem lại")
    review.approve(activity=kept, actor=world.secretary)
    assert (stored(world), audit(2024).differences) == (dict.fromkeys(UNITS, 35), [])

    Unit.objects.filter(pk=world.b12.pk).update(code="b12-moi")  # what was merged is found all the same
    merging.unmerge(other=gone, actor=world.secretary)
    Unit.objects.filter(pk=world.b12.pk).update(code="b12")
    assert (everything(*pair), stored(world), audit(2024).differences) == (before, sums, [])
    with pytest.raises(review.WrongState):
        merging.unmerge(other=gone, actor=world.secretary)


def test_a_merge_is_not_taken_back_over_what_came_after(world, pair):
    keep, other = pair
    merging.merge(keep=keep, other=other, actor=world.secretary, reason="Trùng")
    change(keep, world.cadre, {world.trees: 36}, hosts=[world.b12])
    with pytest.raises(review.WrongState) as refused:
        merging.unmerge(other=other, actor=world.secretary)
    assert refused.value.messages == [
        f"Không tách được: {keep.code} đã được sửa sau khi gộp. Huỷ {keep.code} thì tách được; khôi phục "
        f"{keep.code} sau đó, dưới dạng bản nháp."
    ]
    assert (set(stored(world).values()), audit(2024).differences) == ({0}, [])
    review.cancel(activity=keep, actor=world.cadre, reason="Tách lại")
    with pytest.raises(review.WrongState) as refused:
        review.restore(activity=other, actor=world.other_cadre)
    assert refused.value.messages == [f"Hoạt động đã gộp vào {keep.code}: nhờ người duyệt bấm “Tách lại” ở đây."]
    merging.unmerge(other=other, actor=world.secretary)
    assert (stored(world)["tw"], stored(world)["b12"], keep.hosts.counting().count()) == (34, 34, 0)
    review.restore(activity=keep, actor=world.cadre)
    approve(keep, world.secretary)
    assert (stored(world)["b12"], stored(world)["b11"], audit(2024).differences) == (34, 36, [])


def test_a_merge_is_taken_back_whatever_became_of_the_record_and_its_hosts(world, pair):
    keep, other = pair
    before, sums = everything(*pair), stored(world)
    merging.merge(keep=keep, other=other, actor=world.secretary, reason="Trùng")
    review.cancel(activity=keep, actor=world.cadre, reason="Nhầm")
    review.restore(activity=keep, actor=world.cadre)
    approve(keep, world.secretary)
    hosting.decline(activity=keep, unit=world.b21, actor=world.central, reason="Không tham gia")
    assert stored(world)["b21"] == 0
    third = approve(make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 1}), world.secretary)
    merging.merge(keep=keep, other=third, actor=world.secretary, reason="Trùng")
    with pytest.raises(review.WrongState) as refused:  # b12 is a host for both of them
        merging.unmerge(other=other, actor=world.secretary)
    assert refused.value.messages == [
        f"Không tách được: {third.code} gộp vào {keep.code} sau; tách lại {third.code} trước."
    ]
    merging.unmerge(other=third, actor=world.secretary)
    review.cancel(activity=third, actor=world.other_cadre, reason="Nhầm")
    merging.unmerge(other=other, actor=world.secretary)
    assert (everything(*pair), stored(world), audit(2024).differences) == (before, sums, [])


def test_a_history_names_units_that_left_the_record_only_to_those_who_see_them(client, world, pair):
    keep, other = pair
    merging.merge(keep=keep, other=other, actor=world.secretary, reason="Trùng")
    merging.unmerge(other=other, actor=world.secretary)
    change(keep, world.central, {world.trees: 35}, hosts=[world.b21, world.b22])
    change(keep, world.central, {world.trees: 35}, hosts=[world.b21], unit=world.b12)
    hosts = {unit.name for unit in (world.b11, world.b12, world.b21, world.b22)}

    def said(user):
        client.force_login(user)
        rows = client.get(reverse("activity_detail", args=[keep.pk])).context["events"]
        words = {word for event in rows for change in event.told for text in change for word in text.split(", ")}
        return sorted(words & {*hosts, "đơn vị khác"})

    lead, partner = "Đơn vị b12", "Đơn vị b21"  # which the page shows anyway
    assert said(world.central) == sorted(hosts)
    assert said(world.other_cadre) == [lead, partner, "đơn vị khác"]
    assert said(world.secretary) == ["Đơn vị b11", lead, partner, "đơn vị khác"]
    assert said(world.stranger) == [lead, partner, "Đơn vị b22", "đơn vị khác"]


def test_a_waiting_double_of_the_same_unit_is_cancelled(client, world):
    first, twin, third = (make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}) for _ in range(3))
    for activity in (first, twin, third):
        review.submit(activity=activity, actor=world.cadre)
    review.approve(activity=twin, actor=world.secretary)
    merging.merge(keep=first, other=twin, actor=world.secretary, reason="Ghi trùng")
    first.refresh_from_db()
    assert (first.status, first.hosts.count(), set(stored(world).values())) == (Status.PENDING, 0, {0})
    with pytest.raises(review.WrongState):  # would leave the twin behind
        merging.merge(keep=third, other=first, actor=world.secretary, reason="Ghi trùng")
    third.refresh_from_db()
    sent = {"a": first.pk, "va": first.version, "b": third.pk, "vb": third.version, "reason": "Ghi trùng"}
    client.force_login(world.secretary)
    done = client.post(reverse("review_compare"), sent | {"giu": first.pk, "tiep": f"/duyet/?sau={first.pk}"})
    assert done.url == f"/duyet/?hd={first.pk}"  # it waits for its decision still
    review.approve(activity=first, actor=world.secretary)
    assert (stored(world)["tw"], stored(world)["b11"], audit(2024).differences) == (5, 5, [])
    assert Notice.objects.filter(user=world.cadre).count() == 2  # told once a merge
    merging.unmerge(other=third, actor=world.secretary)
    third.refresh_from_db()
    assert (third.status, third.merged_into) == (Status.PENDING, None)


def test_only_who_may_decide_both_merges_and_only_what_can_be_one(world, pair):
    keep, other = pair
    foreign = approve(make_activity(world.b21, world.cadre, world.planting, {world.trees: 5}), world.stranger)
    level = approve(make_activity(world.b11, world.cadre, world.declaring, {world.members: 5}), world.secretary)
    new_year = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, day=date(2026, 1, 2))
    approve(new_year, world.secretary)
    draft = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5})
    own = make_activity(world.k1, world.secretary, world.planting, {world.trees: 5})
    review.submit(activity=own, actor=world.secretary)
    before = everything(keep, other)
    for actor, second, error in (
        (world.secretary, foreign, PermissionDenied),
        (world.stranger, foreign, PermissionDenied),
        (world.cadre, other, PermissionDenied),
        (world.secretary, own, PermissionDenied),
        (world.secretary, keep, review.WrongState),
        (world.secretary, level, review.WrongState),
        (world.secretary, new_year, review.WrongState),
        (world.secretary, draft, review.WrongState),
    ):
        with pytest.raises(error):
            merging.merge(keep=keep, other=second, actor=actor, reason="Trùng")
        with pytest.raises(error):
            merging.merge(keep=second, other=keep, actor=actor, reason="Trùng")
    seen = {other.pk: other.version - 1}
    with pytest.raises(review.Changed):
        merging.merge(keep=keep, other=other, actor=world.secretary, reason="Trùng", seen=seen)
    assert everything(keep, other) == before


def test_the_page_compares_merges_and_reveals_nothing_out_of_reach(client, world, pair):
    keep, other = pair
    foreign = approve(
        make_activity(world.b21, world.cadre, world.planting, {world.trees: 5}, title="Việc kín"), world.stranger
    )
    doubts = [
        ["joint", f"“Đơn vị b12” đã ghi một hoạt động giống thế này ({other.code})."],
        ["joint", f"Một hoạt động nữa ({foreign.code})."],
        ["reused", f"Ảnh đã dùng trong {foreign.code}."],
    ]
    Activity.objects.filter(pk=keep.pk).update(warnings=doubts, warning_reason="Đã kiểm tra")
    url, detail = reverse("review_compare"), reverse("activity_detail", args=[keep.pk])
    client.force_login(world.secretary)
    assert client.get(detail).context["suspected"] == [other]
    shown = client.get(url, {"a": keep.code, "b": other.pk})
    lines = {line.label: (line.left, line.right, line.said) for line in shown.context["lines"]}
    assert lines["Chỉ số thu-cay-xanh"] == ("35 cây", "34 cây", "khác")
    assert lines["Tên"] == ("Ra quân", "Ra quân xã", "khác")
    assert lines["Trạng thái"] == ("Đã duyệt", "Đã duyệt", "giống")
    for a, b in ((keep.pk, foreign.pk), (keep.pk, 999_999), (keep.pk, keep.pk), ("x", "9" * 30), (keep.pk, "")):
        refused = client.get(url, {"a": a, "b": b})
        assert (refused.status_code, "lines" in refused.context) == (200, False)
        assert "Việc kín" not in refused.content.decode()
    sent = {"a": keep.pk, "b": other.pk, "va": keep.version, "vb": other.version, "reason": "Cùng một buổi"}
    assert client.post(url, sent).status_code == 422  # which one stays
    assert client.post(url, sent | {"giu": other.pk, "reason": ""}).status_code == 422
    assert client.post(url, sent | {"giu": other.pk, "vb": "1"}).status_code == 409
    assert stored(world)["tw"] == 69 + 5
    done = client.post(url, sent | {"giu": other.pk})
    assert (done.status_code, done.url) == (302, reverse("activity_detail", args=[other.pk]))
    assert stored(world)["tw"] == 34 + 5
    page = client.get(detail)
    assert (page.context["merged_into"], page.context["can_unmerge"]) == (other, True)
    unmerge = reverse("activity_unmerge", args=[keep.pk])
    client.force_login(world.stranger)  # a host of theirs sees the one that stays, not more
    assert client.post(unmerge).status_code == 404
    client.force_login(make_user("khac", access.SECRETARY, world.b11))
    assert client.post(unmerge).status_code == 403
    client.force_login(world.secretary)
    client.post(unmerge)
    assert stored(world)["tw"] == 69 + 5
