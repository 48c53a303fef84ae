from datetime import date
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from activities import recording, review
from activities.audit import audit
from activities.models import Activity, Correction, CorrectionState, Status, Step
from activities.reviewing import merging
from activities.rules import Entry
from activities.writing import corrections
from targets.years import close_year, set_keeps_approved
from tests.activities.test_recording import change, whole_year
from tests.factories import approve, make_activity, make_user, planting_form
from unionwork.numbers import Parsed
from units import access
from units.models import JournalEntry, Notice


@pytest.fixture
def kept(world):
    """An approved record of a year that keeps approved figures."""
    set_keeps_approved(year=2024, keeps=True, actor=world.central)
    return approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}), world.secretary)


def propose(activity, actor, figures, version=None, hosts=(), reason="Đếm lại", **fields):
    activity = Activity.objects.get(pk=activity.pk)
    for name, value in fields.items():
        setattr(activity, name, value)
    entry = Entry(activity, {row: Parsed(value, "") for row, value in figures.items()}, list(hosts))
    version = activity.version if version is None else version
    return corrections.propose(entry=entry, actor=actor, version=version, reason=reason)


def trees(world, *codes):
    return [whole_year(getattr(world, code), world.trees) for code in codes]


def test_the_old_figures_count_until_somebody_else_adopts_the_correction(world, kept):
    with pytest.raises(ValidationError):
        change(kept, world.cadre, {world.trees: 40})
    assert propose(kept, world.cadre, {world.trees: 35}) is None
    day = date(2024, 4, 2)
    new = {"title": "Trồng cây tháng Tư", "first_day": day, "last_day": day, "unit": world.b12, "hosts": [world.b21]}
    correction = propose(kept, world.staff, {world.trees: 40}, **new)
    assert (trees(world, "b11", "b12", "b21", "tw"), Activity.objects.get(pk=kept.pk).title) == (
        [35, 0, 0, 35],
        "Hoạt động thử",
    )
    for actor in (world.staff, world.cadre, world.stranger):
        with pytest.raises(PermissionDenied):
            corrections.adopt(correction=correction, actor=actor)
    assert list(Correction.objects.reviewable_by(world.secretary)) == [correction]

    second = make_user("pho-bi-thu", access.SECRETARY, world.k1)
    corrections.adopt(correction=correction, actor=second)

    assert trees(world, "b11", "b12", "b21", "tw") == [0, 40, 40, 40]
    record = Activity.objects.get(pk=kept.pk)
    assert (record.status, record.approver, record.unit, record.month, record.version) == (
        Status.APPROVED,
        second,
        world.b12,
        4,
        kept.version + 1,
    )
    correction.refresh_from_db()
    assert (correction.state, correction.decider) == (CorrectionState.ADOPTED, second)
    event = record.events.last()
    assert (event.step, event.reason) == (Step.ADOPT, f"Đếm lại (bản sửa của {world.staff})")
    assert event.changes == correction.changes
    assert [str(world.trees), "35", "40"] in event.changes
    entry = JournalEntry.objects.filter(verb="activities.corrections.adopt").get()
    assert entry.unit == world.b12
    assert list(Notice.objects.values_list("user", "kind")) == [(world.staff.pk, "correction")]
    assert audit(2024).differences == []
    with pytest.raises(review.WrongState):
        corrections.adopt(correction=correction, actor=world.secretary)


def test_a_correction_waits_alone_and_starts_from_what_it_saw(world, kept):
    with pytest.raises(ValidationError) as refused:
        propose(kept, world.cadre, {world.trees: 40}, reason=" ")
    assert list(refused.value.message_dict) == ["change_reason"]
    with pytest.raises(recording.Stale):
        propose(kept, world.cadre, {world.trees: 40}, version=kept.version - 1)
    correction = propose(kept, world.cadre, {world.trees: 40})
    with pytest.raises(review.WrongState):
        propose(kept, world.staff, {world.trees: 41})
    with pytest.raises(PermissionDenied):
        corrections.withdraw(correction=correction, actor=world.staff)
    corrections.withdraw(correction=correction, actor=world.cadre)
    refused = propose(kept, world.staff, {world.trees: 41})
    with pytest.raises(ValidationError):
        corrections.refuse(correction=refused, actor=world.secretary, reason="")
    corrections.refuse(correction=refused, actor=world.secretary, reason="Số cũ đúng")
    with pytest.raises(review.WrongState):
        corrections.adopt(correction=refused, actor=world.secretary)
    # What leaves the totals meanwhile has nothing for the correction to start from.
    last = propose(kept, world.cadre, {world.trees: 42})
    review.unapprove(activity=kept, actor=world.secretary, reason="Xem lại")
    review.approve(activity=kept, actor=world.secretary)
    with pytest.raises(review.Changed):
        corrections.adopt(correction=last, actor=world.secretary)
    assert list(Correction.objects.values_list("state", flat=True)) == [
        CorrectionState.WITHDRAWN,
        CorrectionState.REFUSED,
        CorrectionState.WITHDRAWN,
    ]
    assert (trees(world, "tw"), audit(2024).differences) == ([35], [])
    # Whoever proposed a change is one of its writers, whatever became of it.
    assert not Activity.objects.decidable_by(world.staff).filter(pk=kept.pk).exists()


def test_whoever_ends_a_waiting_correction_tells_its_author_and_the_history(world, kept):
    second = approve(make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 7}), world.secretary)
    third = make_activity(world.b11, world.cadre, world.planting, {world.trees: 9})
    ended = [["Bản sửa của Người staff", "Chờ duyệt", "Không còn hiệu lực"]]

    def told(actor, act, activity=kept, **how):
        """What becomes known of a correction by `staff` when `actor` takes a step."""
        Notice.objects.all().delete()
        propose(activity, world.staff, {world.trees: 40})
        act(actor=actor, **how)
        last = activity.events.last()
        noted = JournalEntry.objects.filter(object_id=activity.pk).order_by("-pk").first()
        assert [row for row in last.changes if row[0].startswith("Bản sửa")] == ended
        assert [row for row in noted.changes if row[0].startswith("Bản sửa")] == ended
        assert not Correction.objects.filter(state=CorrectionState.PENDING).exists()
        begins = f"Bản sửa {activity.code} “Hoạt động thử” không còn chờ duyệt vì hoạt động đã thay đổi "
        rows = Notice.objects.filter(kind="correction").values_list("user", "unit", "text", "url")
        page = (world.staff.pk, activity.unit_id, reverse("activity_detail", args=[activity.pk]))
        assert [(user, unit, url) for user, unit, _, url in rows] == [page] * len(rows)
        return [text.removeprefix(begins) for _, _, text, _ in rows]

    assert told(world.secretary, partial(review.unapprove, activity=kept), reason="Xem lại") == ["(Bỏ duyệt: Xem lại)."]
    review.approve(activity=kept, actor=world.secretary)
    decided = {kept.pk: kept.version + 2}
    assert told(world.secretary, partial(review.undo, decided=decided)) == ["(Bỏ duyệt: Hoàn tác)."]
    review.approve(activity=kept, actor=world.secretary)
    review.submit(activity=third, actor=world.cadre)
    merge = partial(merging.merge, keep=kept, other=third, reason="Ghi trùng")
    assert told(world.secretary, merge) == ["(Gộp: Ghi trùng)."]
    assert told(world.secretary, partial(merging.unmerge, other=third)) == ["(Tách lại)."]
    propose(kept, world.staff, {world.trees: 40})
    set_keeps_approved(year=2024, keeps=False, actor=world.central)
    change(kept, world.cadre, {world.trees: 36}, reason="Đếm lại")
    assert Notice.objects.latest("pk").text.endswith("(Sửa: Đếm lại).")
    set_keeps_approved(year=2024, keeps=True, actor=world.central)
    cancel = partial(review.cancel, activity=second, reason="Ghi nhầm")
    assert told(world.staff, cancel, second) == []  # one knows what one did
    assert audit(2024).differences == []


def test_nothing_is_proposed_or_adopted_in_a_locked_period_or_another_kind_of_year(world, kept):
    correction = propose(kept, world.cadre, {world.trees: 40})
    beside = approve(make_activity(world.b12, world.staff, world.planting, {world.trees: 7}), world.secretary)
    unwanted = propose(beside, world.staff, {world.trees: 8})
    close_year(year=2024)
    for act in (
        lambda: corrections.adopt(correction=correction, actor=world.secretary),
        lambda: propose(kept, world.staff, {world.trees: 41}),
        lambda: set_keeps_approved(year=2024, keeps=False, actor=world.central),
    ):
        with pytest.raises(ValidationError):
            act()
    correction.refresh_from_db()
    assert (correction.state, trees(world, "tw")) == (CorrectionState.PENDING, [42])
    # Leaving the record as it is clears the list although the period is locked.
    corrections.withdraw(correction=correction, actor=world.cadre)
    corrections.refuse(correction=unwanted, actor=world.secretary, reason="x")
    last = [(row.events.last().step, row.events.last().touches) for row in (kept, beside)]
    assert last == [(Step.WITHDRAW, []), (Step.REFUSE, [])]
    assert (trees(world, "tw"), Correction.objects.filter(state=CorrectionState.PENDING).count()) == ([42], 0)
    usual = make_activity(world.b11, world.cadre, world.planting, {world.trees: 1}, day=date(2026, 1, 5))
    approve(usual, world.secretary)
    with pytest.raises(review.WrongState):
        propose(usual, world.cadre, {world.trees: 2})


def test_nobody_adopts_what_would_count_for_a_unit_of_others(client, world, kept):
    """Somebody who writes for all may move a record to another khối; the secretary of the first one does not decide
    about that."""
    correction = propose(kept, world.central, {world.trees: 40}, unit=world.b21)
    client.force_login(world.secretary)
    pages = reverse("correction_list"), reverse("activity_detail", args=[kept.pk])
    shown = [next(iter(client.get(pages[0]).context["page"])), client.get(pages[1]).context["correction"]]
    hidden = ["Đơn vị", "Đơn vị b11", "đơn vị khác"]  # nor learns which that would be
    assert [(row.told[0], world.b21.name in str(row.told)) for row in shown] == [(hidden, False)] * 2
    with pytest.raises(review.WrongState) as refused:
        corrections.adopt(correction=correction, actor=world.secretary)
    assert world.b21.name not in str(refused.value)
    assert (trees(world, "b11", "b21"), Activity.objects.get(pk=kept.pk).unit) == ([35, 0], world.b11)
    corrections.adopt(correction=correction, actor=make_user("bi-thu-tw", access.SECRETARY, world.tw))
    assert trees(world, "b11", "b21", "tw") == [0, 40, 40]


def test_the_form_sends_a_correction_and_the_reviewer_answers_it(client, world, kept):
    edit, detail = (reverse(name, args=[kept.pk]) for name in ("activity_edit", "activity_detail"))
    client.force_login(world.cadre)
    page = client.get(edit).content.decode()
    assert "số cũ vẫn được tính cho tới khi bản sửa được duyệt" in page
    sent = planting_form(world, luu="gui", version=kept.version, title="Hoạt động thử", **{"sl-thu-cay-xanh": "40"})
    refused = client.post(edit, sent)
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["change_reason"])
    assert client.post(edit, sent | {"change_reason": "Đếm lại"}).url == detail
    correction = Correction.objects.get()
    assert correction.changes == [[str(world.trees), "35", "40"]]
    shown = client.get(detail)
    assert [shown.context[name] for name in ("correction", "can_adopt", "can_recall_correction")] == [
        correction,
        False,
        True,
    ]
    assert client.get(edit).url == detail  # one waits already

    adopt, refuse, listed = (
        reverse("correction_adopt", args=[correction.pk]),
        reverse("correction_refuse", args=[correction.pk]),
        reverse("correction_list"),
    )
    for user, status in ((world.cadre, 403), (world.stranger, 404)):
        client.force_login(user)
        assert client.post(adopt).status_code == status
    assert client.get(listed).context["count"] == 0
    client.force_login(world.secretary)
    assert list(client.get(listed).context["page"]) == [correction]
    assert client.post(refuse, {"usual": "", "reason": ""}).status_code == 422
    assert client.post(adopt, {"tiep": listed}).url == listed
    assert trees(world, "tw") == [40]
    assert client.get(listed).context["count"] == 0


def test_the_list_of_corrections_needs_the_same_statements_for_one_and_three(
    client, world, kept, django_assert_num_queries
):
    client.force_login(world.secretary)
    url = reverse("correction_list")
    propose(kept, world.cadre, {world.trees: 40})
    client.get(url)
    with django_assert_num_queries(9) as one:
        assert client.get(url).context["count"] == 1
    for unit in (world.b11, world.b12):
        more = approve(make_activity(unit, world.staff, world.planting, {world.trees: 5}), world.secretary)
        propose(more, world.staff, {world.trees: 6})
    with django_assert_num_queries(len(one)):
        assert client.get(url).context["count"] == 3


def test_the_central_office_says_how_a_year_takes_corrections(client, world):
    client.force_login(world.central)
    url = reverse("year_editing", args=[2024])
    assert client.post(url, {"keeps": "7"}).status_code == 422
    assert client.post(url, {"keeps": "1"}).url == reverse("year_list")
    assert set_keeps_approved(year=2024, keeps=True, actor=world.central) is False
    entry = JournalEntry.objects.get(verb="targets.years.set_keeps_approved")
    assert entry.changes == [
        [
            "Khi sửa hoạt động đã duyệt",
            "Ra khỏi các tổng cho tới khi được duyệt lại",
            "Số cũ vẫn được tính cho tới khi bản sửa được duyệt",
        ]
    ]
