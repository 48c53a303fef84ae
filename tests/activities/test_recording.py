from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from activities import locks, recording, review
from activities.models import Activity, Event, PeriodReport, Status, Step, UnitTotal
from activities.rules import Entry
from targets.models import Period
from targets.years import close_year
from tests.factories import approve, make_activity
from unionwork.numbers import Parsed


def whole_year(unit, indicator):
    return sum(UnitTotal.objects.filter(unit=unit, indicator=indicator, month=0).values_list("value", flat=True))


def change(activity, actor, figures, version=None, hosts=(), reason="Đếm lại", **fields):
    """Edit with new figures {indicator: int} and field values."""
    activity = Activity.objects.get(pk=activity.pk)
    for name, value in fields.items():
        setattr(activity, name, value)
    entry = Entry(activity, {row: Parsed(value, "") for row, value in figures.items()}, list(hosts))
    version = activity.version if version is None else version
    return recording.edit(entry=entry, actor=actor, version=version, reason=reason)


def test_a_new_record_is_a_draft_of_its_year_and_month_with_counted_figures(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, title="  Tết   trồng cây ")
    assert (activity.status, activity.year_id, activity.month, activity.title) == (
        Status.DRAFT,
        2024,
        3,
        "Tết trồng cây",
    )
    assert sorted(activity.figures.values_list("indicator__code", "value")) == [
        ("thu-cay-xanh", 5),
        ("thu-so-hoat-dong", 1),
    ]
    assert list(activity.events.values_list("step", "to_status", "actor")) == [
        (Step.CREATE, Status.DRAFT, world.cadre.pk)
    ]


def test_the_same_form_key_twice_is_one_record(world):
    first = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5})
    again = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, form_key=first.form_key)
    assert again == first
    with pytest.raises(recording.SentOtherwise) as other:
        make_activity(world.b11, world.cadre, world.planting, {world.trees: 9}, form_key=first.form_key)
    assert other.value.already == first
    with pytest.raises(ValidationError):
        make_activity(world.b11, world.staff, world.planting, {world.trees: 5}, form_key=first.form_key)
    assert list(Activity.objects.values_list("pk", flat=True)) == [first.pk]
    assert Event.objects.count() == 1
    assert first.figures.get(indicator=world.trees).value == 5


def test_the_database_too_refuses_a_second_record_of_one_form(world, monkeypatch):
    first = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5})
    calls = []
    found = Activity.objects.filter

    def late_filter(*args, **kwargs):
        """The first look finds nothing: the other request has not committed yet."""
        calls.append(kwargs)
        return found(pk=None) if len(calls) == 1 else found(*args, **kwargs)

    monkeypatch.setattr(Activity.objects, "filter", late_filter)
    again = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, form_key=first.form_key)
    assert (again, Activity.objects.count()) == (first, 1)


def test_editing_an_approved_record_makes_it_wait_and_leave_the_totals(world):
    activity = approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}), world.secretary)
    assert whole_year(world.tw, world.trees) == 35
    change(activity, world.cadre, {world.trees: 40})
    activity.refresh_from_db()
    assert (activity.status, activity.approver, activity.decided_at) == (Status.PENDING, None, None)
    assert whole_year(world.tw, world.trees) == 0
    review.approve(activity=activity, actor=world.secretary)
    assert whole_year(world.tw, world.trees) == 40


def test_changing_what_counts_needs_a_reason_and_keeps_old_new_people_and_reports(world):
    activity = approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}), world.secretary)
    march = Period.objects.get(year=2024, first_day=date(2024, 3, 1), last_day=date(2024, 3, 31))
    now = timezone.now()
    said = {"nothing": False, "actor": world.cadre, "at": now, "first_at": now}
    PeriodReport.objects.create(unit=world.b11, year_id=2024, period=march, **said)
    with pytest.raises(ValidationError) as refused:
        change(activity, world.staff, {world.trees: 40}, reason=" ")
    assert list(refused.value.message_dict) == ["change_reason"]
    assert whole_year(world.tw, world.trees) == 35
    change(activity, world.staff, {world.trees: 40}, reason="Đếm sót 5 cây")
    event = activity.events.last()
    assert (event.actor, event.reason, event.changes, event.touches) == (
        world.staff,
        "Đếm sót 5 cây",
        [[str(world.trees), "35", "40"]],
        [f"{march} của {world.b11}"],
    )


def test_an_edit_notes_what_changed_in_words(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 1250})
    change(activity, world.staff, {world.times: 7}, place="Đồi minh họa", last_day=date(2024, 3, 27), hosts=[world.b12])
    event = activity.events.last()
    assert (event.step, event.from_status, event.to_status, event.actor) == (
        Step.EDIT,
        Status.DRAFT,
        Status.DRAFT,
        world.staff,
    )
    assert event.changes == [
        ["Đến ngày", "26/03/2024", "27/03/2024"],
        ["Địa điểm", "", "Đồi minh họa"],
        [str(world.trees), "1.250", "–"],
        [str(world.times), "–", "7"],
        ["Đơn vị phối hợp", "", "Đơn vị b12"],
    ]


def test_an_edit_that_changes_nothing_leaves_an_approval_alone(world):
    activity = approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}), world.secretary)
    change(activity, world.cadre, {world.trees: 35})
    before = activity.version
    activity.refresh_from_db()
    assert (activity.status, activity.version, activity.events.filter(step=Step.EDIT).count()) == (
        Status.APPROVED,
        before,
        0,
    )


def test_an_edit_over_somebody_elses_is_stale_and_changes_nothing(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    change(activity, world.staff, {world.trees: 50}, version=1)
    with pytest.raises(recording.Stale):
        change(activity, world.cadre, {world.trees: 41}, version=1)
    assert activity.figures.get(indicator=world.trees).value == 50


def test_an_edit_after_an_approval_nobody_saw_is_stale(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    seen = activity.version
    approve(activity, world.secretary)
    with pytest.raises(recording.Stale):
        change(activity, world.cadre, {world.trees: 41}, version=seen)
    assert whole_year(world.tw, world.trees) == 35


def test_a_record_of_a_closed_year_is_not_edited(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    close_year(year=2024)
    with pytest.raises(locks.Locked) as refused:
        change(activity, world.cadre, {world.trees: 41})
    assert refused.value.messages == ["Năm công tác 2024 đã khoá nên không thay đổi được nữa."]


def test_a_record_is_not_moved_out_of_a_closed_year(world):
    activity = approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}), world.secretary)
    close_year(year=2024)
    with pytest.raises(ValidationError) as refused:
        change(activity, world.cadre, {world.trees: 35}, first_day=date(2026, 1, 5), last_day=date(2026, 1, 5))
    assert refused.value.messages == ["Năm công tác 2024 đã khoá nên không thay đổi được nữa."]
    activity.refresh_from_db()
    assert (activity.status, activity.year_id, whole_year(world.tw, world.trees)) == (Status.APPROVED, 2024, 35)


def test_a_cancelled_record_is_not_edited(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    review.cancel(activity=activity, actor=world.cadre)
    with pytest.raises(ValidationError) as refused:
        change(activity, world.cadre, {world.trees: 41})
    assert refused.value.messages == ["Không sửa được hoạt động ở trạng thái “Đã huỷ”."]


def test_moving_an_approved_record_to_another_unit_moves_it_out_of_the_old_totals(world):
    activity = approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}), world.secretary)
    change(activity, world.staff, {world.trees: 35}, unit=world.b12)
    review.approve(activity=Activity.objects.get(pk=activity.pk), actor=world.secretary)
    units = (world.b11, world.b12, world.k1, world.tw)
    assert [whole_year(unit, world.trees) for unit in units] == [0, 35, 35, 35]


def test_many_records_are_written_in_a_fixed_number_of_statements(
    world, django_assert_num_queries, django_assert_max_num_queries
):
    def entries(count):
        return [
            Entry(
                Activity(
                    unit=world.b11,
                    kind=world.planting,
                    title=f"Đợt {number}",
                    first_day=date(2024, 3, 1),
                    last_day=date(2024, 3, 1),
                ),
                {world.trees: Parsed(number, "")},
                [world.b12],
            )
            for number in range(count)
        ]

    make_activity(world.b11, world.cadre, world.planting, {world.trees: 1})  # the unit's first begins its journal
    # Rules (5), what locks the days (2), four tables, the journal (3), savepoints; on PostgreSQL the tree lock.
    with django_assert_max_num_queries(17) as three:
        recording.create_many(entries=entries(3), actor=world.cadre)
    with django_assert_num_queries(len(three)):
        recording.create_many(entries=entries(30), actor=world.cadre)
    assert Activity.objects.count() == 34
