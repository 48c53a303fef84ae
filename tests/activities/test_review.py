from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse

from activities import review
from activities.audit import audit
from activities.models import Activity, Correction, Event, Status, Step, UnitTotal
from activities.reviewing import correcting
from targets.years import close_year, reopen_year
from tests.activities.test_recording import change
from tests.factories import approve, grant, make_activity, make_kind, make_user
from unionwork.numbers import Parsed
from units import access
from units.models import Notice


@pytest.fixture
def draft(world):
    return make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})


@pytest.fixture
def waiting(world, draft):
    review.submit(activity=draft, actor=world.cadre)
    draft.refresh_from_db()
    return draft


@pytest.fixture
def approved(world, waiting):
    review.approve(activity=waiting, actor=world.secretary)
    waiting.refresh_from_db()
    return waiting


def counted(world):
    """What Trung ương counts of the trees in the year."""
    rows = UnitTotal.objects.filter(unit=world.tw, indicator=world.trees, month=0)
    return sum(row.value for row in rows), sum(row.records for row in rows)


def steps(activity):
    return list(activity.events.values_list("step", "from_status", "to_status"))


def test_a_record_goes_from_draft_to_counted_with_every_step_noted(world, approved):
    assert (approved.status, approved.approver, counted(world)) == (Status.APPROVED, world.secretary, (35, 1))
    assert approved.submitted_at < approved.decided_at
    assert steps(approved) == [
        (Step.CREATE, "", Status.DRAFT),
        (Step.SUBMIT, Status.DRAFT, Status.PENDING),
        (Step.APPROVE, Status.PENDING, Status.APPROVED),
    ]
    assert approved.version == 3


def test_nothing_counts_before_approval(world, waiting):
    assert (waiting.status, counted(world)) == (Status.PENDING, (0, 0))


def test_an_incomplete_record_is_not_sent(world):
    empty = make_activity(world.b11, world.cadre, world.declaring, {})
    with pytest.raises(ValidationError) as refused:
        review.submit(activity=empty, actor=world.cadre)
    assert refused.value.message_dict == {"figures": ["Nhập ít nhất một số liệu."]}
    empty.refresh_from_db()
    assert empty.status == Status.DRAFT
    read = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5})
    works = make_kind("cong-trinh-thu", [world.trees], has_work_level=True)
    Activity.objects.filter(pk=read.pk).update(kind=works)  # by somebody else, since it was read
    with pytest.raises(ValidationError) as refused:
        review.submit(activity=read, actor=world.cadre)
    assert list(refused.value.message_dict) == ["work_level"]
    level = make_activity(world.b12, world.other_cadre, world.declaring, {world.members: 5})
    review.submit(activity=level, actor=world.other_cadre)
    with pytest.raises(ValidationError) as refused:  # nor does it become so while it waits
        change(level, world.other_cadre, {})
    assert refused.value.message_dict == {"figures": ["Nhập ít nhất một số liệu."]}
    assert steps(read) == [(Step.CREATE, "", Status.DRAFT)]


def test_a_returned_record_carries_the_reason_and_can_be_sent_again(world, waiting):
    review.return_to_author(activity=waiting, actor=world.secretary, reason="Thiếu ảnh")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.return_reason, counted(world)) == (Status.RETURNED, "Thiếu ảnh", (0, 0))
    assert waiting.edit_place == ""
    review.submit(activity=waiting, actor=world.cadre)
    with pytest.raises(ValidationError) as refused:
        review.return_to_author(activity=waiting, actor=world.secretary, reason="Sai số", place="id_sl-khac")
    assert list(refused.value.message_dict) == ["place"]
    review.return_to_author(activity=waiting, actor=world.secretary, reason="Sai ngày", place="id_sl-thu-cay-xanh")
    waiting.refresh_from_db()
    assert waiting.edit_place == "#id_sl-thu-cay-xanh"  # before what the reason alone speaks of
    url = reverse("activity_edit", args=[waiting.pk])
    assert list(Notice.objects.values_list("user", "kind", "unit", "text", "url")) == [
        (world.cadre.pk, "returned", world.b11.pk, f"{waiting.code} “Hoạt động thử” cần bổ sung: {reason}", url + place)
        for reason, place in (("Sai ngày", "#id_sl-thu-cay-xanh"), ("Thiếu ảnh", ""))
    ]
    review.submit(activity=waiting, actor=world.cadre)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.return_reason, waiting.return_place) == (Status.PENDING, "", "")
    assert list(waiting.events.filter(step=Step.RETURN).values_list("reason", flat=True)) == ["Thiếu ảnh", "Sai ngày"]


@pytest.mark.parametrize("reason", ["", "   "])
def test_returning_and_unapproving_need_a_reason(world, waiting, reason):
    with pytest.raises(ValidationError):
        review.return_to_author(activity=waiting, actor=world.secretary, reason=reason)
    review.approve(activity=waiting, actor=world.secretary)
    with pytest.raises(ValidationError):
        review.unapprove(activity=waiting, actor=world.secretary, reason=reason)
    assert counted(world) == (35, 1)


def test_undoing_an_approval_takes_it_out_of_every_total_and_it_waits_again(world, approved):
    review.unapprove(activity=approved, actor=world.secretary, reason="Duyệt nhầm")
    approved.refresh_from_db()
    assert (approved.status, approved.approver, approved.decided_at, counted(world)) == (
        Status.PENDING,
        None,
        None,
        (0, 0),
    )
    assert list(Activity.objects.reviewable_by(world.secretary)) == [approved]
    review.approve(activity=approved, actor=world.secretary)
    assert counted(world) == (35, 1)


def test_a_withdrawn_record_is_a_draft_again(world, waiting):
    review.withdraw(activity=waiting, actor=world.cadre)
    waiting.refresh_from_db()
    assert waiting.status == Status.DRAFT
    assert list(Activity.objects.reviewable_by(world.secretary)) == []


def test_cancelling_takes_out_of_the_totals_and_restoring_starts_as_a_draft(world, approved):
    read_before = Activity.objects.get(pk=approved.pk)
    read_before.status = Status.PENDING
    for activity in (approved, read_before):
        with pytest.raises(ValidationError):
            review.cancel(activity=activity, actor=world.cadre, reason=" ")
    assert counted(world) == (35, 1)
    review.cancel(activity=approved, actor=world.cadre, reason="Ghi trùng")
    approved.refresh_from_db()
    gone = (approved.status, approved.approver, approved.decided_at, counted(world))
    assert gone == (Status.CANCELLED, None, None, (0, 0))
    review.restore(activity=approved, actor=world.cadre)
    approved.refresh_from_db()
    assert (approved.status, counted(world)) == (Status.DRAFT, (0, 0))
    assert steps(approved)[-2:] == [
        (Step.CANCEL, Status.APPROVED, Status.CANCELLED),
        (Step.RESTORE, Status.CANCELLED, Status.DRAFT),
    ]


STEPS = {
    Step.SUBMIT: lambda activity, world: review.submit(activity=activity, actor=world.cadre),
    Step.WITHDRAW: lambda activity, world: review.withdraw(activity=activity, actor=world.cadre),
    Step.APPROVE: lambda activity, world: review.approve(activity=activity, actor=world.secretary),
    Step.RETURN: lambda activity, world: review.return_to_author(activity=activity, actor=world.secretary, reason="x"),
    Step.UNAPPROVE: lambda activity, world: review.unapprove(activity=activity, actor=world.secretary, reason="x"),
    Step.CANCEL: lambda activity, world: review.cancel(activity=activity, actor=world.cadre, reason="x"),
    Step.RESTORE: lambda activity, world: review.restore(activity=activity, actor=world.cadre),
}
ALLOWED = {
    Status.DRAFT: {Step.SUBMIT, Step.CANCEL},
    Status.PENDING: {Step.WITHDRAW, Step.APPROVE, Step.RETURN, Step.CANCEL},
    Status.RETURNED: {Step.SUBMIT, Step.CANCEL},
    Status.APPROVED: {Step.UNAPPROVE, Step.CANCEL},
    Status.PUBLISHED: set(),
    Status.CANCELLED: {Step.RESTORE},
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_starts_from_its_states_only(world, draft, status, step):
    approver = world.secretary if status in (Status.APPROVED, Status.PUBLISHED) else None
    Activity.objects.filter(pk=draft.pk).update(status=status, approver=approver)
    draft.refresh_from_db()
    assert review.can(step, draft) == (step in ALLOWED[status])
    if step in ALLOWED[status]:
        STEPS[step](draft, world)
        return
    with pytest.raises(review.WrongState):
        STEPS[step](draft, world)
    draft.refresh_from_db()
    assert (draft.status, draft.events.count()) == (status, 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_closed_year_stops_every_step_until_it_is_reopened(world, draft, step):
    status = review.FROM[step][0]
    approver = world.secretary if status == Status.APPROVED else None
    Activity.objects.filter(pk=draft.pk).update(status=status, approver=approver)
    close_year(year=2024)
    draft = Activity.objects.get(pk=draft.pk)
    with pytest.raises(review.WrongState) as refused:
        STEPS[step](draft, world)
    assert refused.value.messages == ["Năm công tác 2024 đã khoá nên không thay đổi được nữa."]
    reopen_year(year=2024)
    STEPS[step](Activity.objects.get(pk=draft.pk), world)


# --- two people ---


@pytest.mark.parametrize("who", ["cadre", "other_cadre", "staff", "viewer", "admin", "central", "stranger"])
def test_only_a_secretary_above_decides(world, waiting, who):
    with pytest.raises(PermissionDenied):
        review.approve(activity=waiting, actor=getattr(world, who))
    waiting.refresh_from_db()
    assert (waiting.status, counted(world)) == (Status.PENDING, (0, 0))


def test_a_secretary_of_a_base_does_not_approve_its_own_units_record(world, waiting):
    with pytest.raises(PermissionDenied):
        review.approve(activity=waiting, actor=make_user("bt-coso", access.SECRETARY, world.b11))


def test_a_khoi_approves_its_own_record_when_another_person_wrote_it(world):
    activity = make_activity(world.k1, world.staff, world.planting, {world.trees: 5})
    review.submit(activity=activity, actor=world.staff)
    review.approve(activity=activity, actor=world.secretary)
    assert counted(world) == (5, 1)


def test_nobody_approves_what_they_wrote(world):
    activity = make_activity(world.k1, world.secretary, world.planting, {world.trees: 5})
    review.submit(activity=activity, actor=world.secretary)
    with pytest.raises(PermissionDenied):
        review.approve(activity=activity, actor=world.secretary)
    with pytest.raises(IntegrityError, match="activity_two_persons"), transaction.atomic():
        Activity.objects.filter(pk=activity.pk).update(approver=F("author"))  # nor round the verbs
    second = make_user("pho-bi-thu", access.SECRETARY, world.k1)
    review.approve(activity=activity, actor=second)
    assert counted(world) == (5, 1)
    with pytest.raises(IntegrityError, match="activity_counted_has_approver"), transaction.atomic():
        Activity.objects.filter(pk=activity.pk).update(approver=None)
    said_anew = {"entry": {}, "changes": [], "version": activity.version, "reason": "Nhầm", "author": world.secretary}
    correction = Correction.objects.filter(pk=Correction.objects.create(activity=activity, **said_anew).pk)
    for state in ("pending", "adopted", "refused"):
        with pytest.raises(IntegrityError, match="correction_two_persons"), transaction.atomic():
            correction.update(state=state, decider=F("author"))
    assert correction.update(state="withdrawn", decider=F("author")) == 1  # who takes it back decides nothing


def test_nobody_approves_what_they_changed(world, waiting):
    change(waiting, world.secretary, {world.trees: 3500})
    with pytest.raises(PermissionDenied):
        review.approve(activity=waiting, actor=world.secretary)
    assert list(Activity.objects.reviewable_by(world.secretary)) == []


def test_a_second_role_does_not_help_to_approve_the_own_record(world, waiting):
    grant(world.cadre, access.SECRETARY, world.p1)
    with pytest.raises(PermissionDenied):
        review.approve(activity=waiting, actor=world.cadre)


def test_a_superuser_reviews_nothing(world, waiting):
    root = make_user("root", is_superuser=True)
    with pytest.raises(PermissionDenied):
        review.approve(activity=waiting, actor=root)


# --- what the reviewer has read ---


def test_a_record_changed_since_it_was_read_is_not_approved(world, waiting):
    seen = waiting.version
    change(waiting, world.cadre, {world.trees: 3500})
    with pytest.raises(review.WrongState) as refused:
        review.approve(activity=waiting, actor=world.secretary, seen=seen)
    assert refused.value.messages == [review.CHANGED]
    outcome = review.approve_many(ids=[waiting.pk], actor=world.secretary, seen={waiting.pk: seen})
    assert (outcome.done, outcome.refused) == ([], [(waiting.pk, review.CHANGED)])
    assert counted(world) == (0, 0)
    review.approve(activity=waiting, actor=world.secretary, seen=seen + 1)
    assert counted(world) == (3500, 1)


# --- taking one's own decisions back ---


def test_undo_takes_back_only_the_own_last_decisions_that_nothing_followed(world):
    second = make_user("pho-bi-thu", access.SECRETARY, world.k1)
    names = ("approved", "returned", "corrected", "others", "edited", "stale", "unapproved")
    made = {name: make_activity(world.b11, world.cadre, world.planting, {world.trees: 10}) for name in names}
    for activity in made.values():
        review.submit(activity=activity, actor=world.cadre)
    for name in ("approved", "edited", "stale", "unapproved"):
        review.approve(activity=made[name], actor=world.secretary)
    review.approve(activity=made["others"], actor=second)
    review.return_to_author(activity=made["returned"], actor=world.secretary, reason="Sai", place="tep")
    figures = {world.trees: Parsed(7, "")}
    correct = {"figures": figures, "reason": "Đếm lại", "seen": 2}
    correcting.correct_and_approve(activity=made["corrected"], actor=world.secretary, **correct)
    change(made["edited"], world.cadre, {world.trees: 11})
    review.unapprove(activity=made["unapproved"], actor=second, reason="Xem lại")
    hosted = make_activity(world.b21, world.cadre, world.planting, {world.trees: 10})  # out of reach
    approve(hosted, world.stranger)
    decided = dict(Activity.objects.values_list("pk", "version"))
    decided |= {made["stale"].pk: 2, 999_999: 1}
    assert counted(world) == (10 + 7 + 10 + 10 + 10, 5)

    outcome = review.undo(decided=decided, actor=world.secretary)

    done = [made[name].pk for name in ("approved", "returned", "corrected")]
    assert (sorted(outcome.done), outcome.corrected) == (sorted(done), [made["corrected"].pk])
    not_yours = "Không hoàn tác được: quyết định gần nhất không phải của bạn, hoặc hoạt động đã thay đổi sau đó."
    assert dict(outcome.refused) == {
        **{made[name].pk: not_yours for name in ("others", "edited", "unapproved")},
        hosted.pk: not_yours,
        made["stale"].pk: "Không hoàn tác được: hoạt động đã thay đổi sau quyết định này.",
        999_999: "Không tìm thấy hoạt động.",
    }
    rows = Activity.objects.filter(pk__in=done)
    state = {(row.status, row.approver, row.decided_at, row.return_reason, row.return_place) for row in rows}
    assert state == {(Status.PENDING, None, None, "", "")}
    assert made["corrected"].figures.get(indicator=world.trees).value == 7
    assert made["returned"].events.last().step == Step.RECALL
    assert list(Notice.objects.values_list("kind", flat=True)) == ["corrected"]  # the return was not read yet
    assert (counted(world), audit(2024).differences) == ((30, 3), [])
    # What was undone may be decided again, and taken back again once only.
    review.approve_many(ids=done, actor=world.secretary)
    versions = dict(Activity.objects.filter(pk__in=done).values_list("pk", "version"))
    assert review.undo(decided=versions, actor=world.secretary).done == sorted(done)
    assert review.undo(decided=versions, actor=world.secretary).done == []


def test_undo_is_refused_record_by_record_where_the_period_is_locked(world, approved):
    other = make_activity(world.b11, world.cadre, world.planting, {world.trees: 1}, day=date(2026, 1, 5))
    approve(other, world.secretary)
    close_year(year=2024)
    decided = {approved.pk: approved.version, other.pk: other.version}
    outcome = review.undo(decided=decided, actor=world.secretary)
    assert (outcome.done, outcome.refused) == (
        [other.pk],
        [(approved.pk, "Năm công tác 2024 đã khoá nên không thay đổi được nữa.")],
    )


# --- many at once ---


def test_many_are_approved_and_the_others_refused_with_why(world, waiting):
    draft = make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 7})
    foreign = make_activity(world.b21, world.cadre, world.planting, {world.trees: 9})
    review.submit(activity=foreign, actor=world.cadre)
    outcome = review.approve_many(ids=[waiting.pk, draft.pk, foreign.pk, 999_999], actor=world.secretary)
    assert outcome.done == [waiting.pk]
    assert outcome.refused == [
        (draft.pk, "Không duyệt được: hoạt động đang ở trạng thái “Nháp”."),
        (
            foreign.pk,
            "Người ghi không tự duyệt: hoạt động do bí thư cấp trên, hoặc một người khác ở cấp khối trở lên, duyệt.",
        ),
        (999_999, "Không tìm thấy hoạt động."),
    ]
    assert counted(world) == (35, 1)
    again = review.approve_many(ids=[waiting.pk, waiting.pk], actor=world.secretary)
    assert again.refused == [(waiting.pk, review.ALREADY[Step.APPROVE])]
    assert (again.done, len(again.refused), counted(world)) == ([], 1, (35, 1))


def test_many_drafts_are_sent_at_once_and_others_left_alone(world, draft):
    done = approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 7}), world.secretary)
    review.submit_many(ids=[draft.pk, done.pk], actor=world.cadre)
    assert dict(Activity.objects.values_list("pk", "status")) == {
        draft.pk: Status.PENDING,
        done.pk: Status.APPROVED,
    }
    assert Event.objects.filter(activity=draft, step=Step.SUBMIT).count() == 1
    assert Event.objects.filter(activity=done, step=Step.SUBMIT).count() == 1
