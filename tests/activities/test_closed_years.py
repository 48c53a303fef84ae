"""The database's own guard of closed years; the tests' tables are made without migrations, so it is put up here."""

from contextlib import contextmanager
from datetime import date, timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from activities import review
from activities.audit import audit
from activities.models import Activity, Figure, Status, UnitTotal, Unlock
from tests.activities.locking import lock_year, unlock
from tests.factories import approve, make_activity

guard = import_module("activities.migrations.0008_closed_years")


@contextmanager
def guarded():
    add, drop = guard.statements(connection.vendor)
    run = connection.cursor().execute
    for statement in add:
        run(statement)
    yield
    for statement in drop:
        run(statement)


def go_round_the_verbs(activity, draft):
    """What somebody with the ORM or a prompt of the database could do to what counts."""
    record, other = Activity.objects.filter(pk=activity.pk), Activity.objects.filter(pk=draft.pk)
    counts = {"status": Status.APPROVED, "approver": activity.approver}
    return {
        "figure": lambda: Figure.objects.filter(activity=activity).update(value=9),
        "figure away": lambda: Figure.objects.filter(activity=activity).delete(),
        "total": lambda: UnitTotal.objects.update(value=9),
        "totals away": lambda: UnitTotal.objects.all().delete(),
        "cancelled": lambda: record.update(status=Status.CANCELLED),
        "approved": lambda: other.update(**counts),
        "another unit": lambda: record.update(unit=draft.unit),
        "another month": lambda: record.update(month=7),
    }


def test_what_counts_in_a_closed_year_stays_even_for_those_who_go_round_the_verbs(world):
    counted = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, date(2024, 3, 26))
    draft = make_activity(world.b12, world.cadre, world.planting, {world.trees: 7}, date(2024, 3, 27))
    counted = approve(counted, world.secretary)
    ways = go_round_the_verbs(counted, draft)
    with guarded():
        lock_year(world)
        for act in ways.values():
            with pytest.raises(DatabaseError, match=guard.REFUSE), transaction.atomic():
                act()
        # What does not count may still change: the title, publication, a draft's figures.
        Activity.objects.filter(pk=counted.pk).update(title="Tên khác", status=Status.PUBLISHED)
        Activity.objects.filter(pk=counted.pk).update(status=Status.APPROVED)
        Figure.objects.filter(activity=draft).update(value=8)
        # An unlock lets the verbs through, and nothing once it has closed.
        opened = unlock(world.b11, world.central)
        review.unapprove(activity=Activity.objects.get(pk=counted.pk), actor=world.secretary, reason="Nhầm")
        review.approve(activity=Activity.objects.get(pk=counted.pk), actor=world.secretary)
        Unlock.objects.filter(pk=opened.pk).update(until=timezone.now() - timedelta(seconds=1))
        with pytest.raises(DatabaseError, match=guard.REFUSE), transaction.atomic():
            ways["figure"]()
    assert audit(2024).differences == []


def test_without_the_guard_each_of_these_ways_changes_what_counts(world):
    counted = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5}, date(2024, 3, 26))
    draft = make_activity(world.b12, world.cadre, world.planting, {world.trees: 7}, date(2024, 3, 27))
    counted = approve(counted, world.secretary)
    lock_year(world)
    for act in go_round_the_verbs(counted, draft).values():
        with transaction.atomic():
            changed = act()
            transaction.set_rollback(True)
        assert changed
