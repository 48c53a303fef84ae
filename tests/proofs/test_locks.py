"""Who writes and who locks at the same moment: two connections, on whichever database the run is on.

Either the writer is finished before the lock stands, or it is refused; nothing lands behind a lock.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from time import sleep

import pytest
from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.utils import timezone

from activities import locks, review
from activities.audit import audit
from activities.locking import unlocking, year_closing
from activities.models import Activity, PeriodReport, ReportState, Status, Unlock
from activities.reporting import periods
from targets import years
from targets.models import WorkYear
from tests.activities.locking import YEAR, lock, unlock
from tests.factories import World, make_activity, make_kind, make_target, make_user
from units import access, journal, organising, tree

SOON = 0.3  # seconds in which the other would be done, were it not waiting


@pytest.fixture
def world(transactional_db):
    """A record of b11 is decided while its khối locks and unlocks: in the record's own unit the journal, too, would
    make one wait for the other, and hide what the tree lock does."""
    world = World()
    world.boss = make_user("boss", access.SECRETARY, world.p1)
    return world


@contextmanager
def scenario(world, closer):
    """A record that waits, and what the closer needs; nothing is locked afterwards."""
    world.record = make_activity(world.b11, world.cadre, world.planting, {world.trees: 5})
    review.submit(activity=world.record, actor=world.cadre)
    if closer is accept:
        lock(world.k1, world.secretary, world.boss, state=ReportState.SENT)
    elif closer is shut:
        lock(world.k1, world.secretary, world.boss)
        unlock(world.k1, world.boss)
    yield
    Unlock.objects.all().delete()
    PeriodReport.objects.all().delete()
    years.reopen_year(year=YEAR)


def approve(world):
    review.approve(activity=Activity.objects.get(pk=world.record.pk), actor=world.secretary)


def accept(world):
    report = PeriodReport.objects.get()
    periods.accept(report=report, actor=world.boss, version=report.version)


def shut(world):
    unlocking.close_unlock(unlock=Unlock.objects.get(), actor=world.boss)


def close(world):
    year_closing.ask(year=YEAR, actor=world.admin)
    year_closing.close(year=YEAR, actor=world.central)


def is_locked():
    accepted = PeriodReport.objects.filter(state=ReportState.ACCEPTED).exists()
    return not WorkYear.objects.get(pk=YEAR).is_open or (accepted and not Unlock.objects.active().exists())


def both(world, first, second, then=lambda world: None):
    """`first` is done but not committed while `second` comes; `then` is done with it. (whether `second` waited, what
    became of it)."""
    inside, go = Event(), Event()

    def hold():
        with transaction.atomic():
            first(world)
            inside.set()
            go.wait(10)
            then(world)

    def come():
        inside.wait(10)
        try:
            second(world)
        except locks.Locked:
            return "refused"
        return "done"

    def on_its_own(act):
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        holds, comes = pool.submit(on_its_own, hold), pool.submit(on_its_own, come)
        inside.wait(10)
        sleep(SOON)
        waited = not comes.done()
        go.set()
        holds.result(10)
        return waited, comes.result(10)


def what_became(world):
    world.record.refresh_from_db()
    return world.record.status, is_locked()


def test_nobody_lands_behind_a_lock(world):
    """Tables are emptied after a test of several connections, which takes seconds: all that can happen, in one."""
    for closer in (accept, shut, close):
        with scenario(world, closer):
            assert both(world, approve, closer) == (True, "done"), closer
            assert what_became(world) == (Status.APPROVED, True)
        with scenario(world, closer):  # whoever comes while it is being locked is refused
            assert both(world, closer, approve) == (True, "refused"), closer
            assert what_became(world) == (Status.PENDING, True)
    with scenario(world, shut):
        assert both(world, hold_past_its_end, approve) == (True, "refused")
    assert audit(YEAR).differences == []


def test_a_milestone_recorded_anew_while_another_is_restored_exists_once(world):
    measure = make_target(world.p1, YEAR, [{"kind": "milestone"}]).measures.get()
    kind = make_kind("thu-moc", nature="milestone")
    gone, refused = make_activity(world.b11, world.cadre, kind, milestone=measure), []
    review.cancel(activity=gone, actor=world.cadre)

    def restore(world):
        review.restore(activity=gone, actor=world.cadre)

    def write(world):
        make_activity(world.b11, world.staff, kind, milestone=measure)

    def too_late(act):
        def try_it(world):
            with pytest.raises(ValidationError) as refusal:
                act(world)
            refused.extend(refusal.value.messages)

        return try_it

    assert both(world, restore, too_late(write)) == (True, "done")
    review.cancel(activity=gone, actor=world.cadre)
    assert both(world, write, too_late(restore)) == (True, "done")
    already = f"“{world.b11}” đã ghi hoàn thành mốc này:"
    anew = Activity.objects.exclude(status=Status.CANCELLED).get()
    assert refused == [f"{already} {gone.code}.", f"Không khôi phục được: {already} {anew.code}."]


def hold_past_its_end(world):
    """`until` is compared when the writer's turn has come, not when it asked."""
    tree.lock_exclusive()
    Unlock.objects.update(until=timezone.now() + timedelta(seconds=SOON / 2))


@pytest.mark.postgresql
def test_control_without_the_tree_lock_a_writer_lands_behind_the_lock_and_the_journal_waits_for_no_unit(
    world, monkeypatch
):
    """SQLite has one writer at a time anyway."""

    def hold_the_chain(world):
        journal._lock_heads([world.b11.pk])

    def rename(world):
        organising.rename_unit(unit=world.b11, name="Tên mới", short_name="", was=world.b11.name, actor=world.boss)

    def write(world):
        journal.write([journal.Note(organising.rename_unit.code, world.b11, world.boss, unit=world.b11.pk)])

    with scenario(world, shut):
        assert both(world, hold_the_chain, rename, then=write) == (True, "done")
    monkeypatch.setattr(tree, "_lock", lambda function: None)
    with scenario(world, accept):
        assert both(world, approve, accept) == (False, "done")
