"""What one of the processes of test_concurrency does.

Each is a process of its own with the product's own settings and its own connection to the database of DATABASE_URL:
`main` forks them before it has connected itself, lets all go at once, and prints as JSON what each reported and what
stands in the database after the last.
"""

import json
import multiprocessing
import os
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import connections, transaction
from django.db.utils import Error as DatabaseError
from django.utils import timezone

from activities import recording, review, totals
from activities.audit import audit
from activities.joint import hosting
from activities.locking import unlocking, year_closing
from activities.models import (
    Activity,
    ActivityKind,
    Event,
    Host,
    HostState,
    PeriodReport,
    ReportState,
    Status,
    Step,
    UnitTotal,
    Unlock,
)
from activities.moves import moving
from activities.reporting import periods
from activities.rules import Entry
from targets.models import Indicator, Period, PeriodKind
from tests.factories import World, grant, make_activity, make_user
from unionwork.numbers import Parsed
from units import access, journal
from units.models import JournalEntry, Unit, User

YEAR = 2024
HOSTS = ("b11", "b12", "b21", "b22")
REPORTING = (*HOSTS, "k1")


def build(count, declarations):
    """The small organisation, `count` activities waiting (every third is joint), and some declarations."""
    call_command("migrate", verbosity=0)
    world = World()
    for number in range(8):
        make_user(f"secretary-{number}", access.SECRETARY, world.tw)
    reporter = make_user("reporter")
    for unit in Unit.objects.filter(code__in=REPORTING):
        grant(reporter, access.CADRE, unit)
    units = [world.b11, world.b12, world.b21, world.b22]
    with transaction.atomic():
        for number in range(count):
            lead, other = units[number % 4], units[(number + 1 + number % 3) % 4]
            hosts = [other] if number % 3 == 0 and other != lead else []
            day = date(2024, 1, 1) + timedelta(days=number)
            made = make_activity(lead, world.cadre, world.planting, {world.trees: 1000 + number}, day, hosts)
            review.submit(activity=made, actor=world.cadre)
        for number in range(declarations):
            day = date(2024, 1, 1) + timedelta(days=7 * number % 360)
            made = make_activity(units[number % 4], world.cadre, world.declaring, {world.members: 10 + number}, day)
            review.submit(activity=made, actor=world.cadre)


class Writer:
    def __init__(self, number):
        self.random = random.Random(number)
        self.me = User.objects.get(username=f"secretary-{number}")
        self.cadre = User.objects.get(username="cadre")
        self.reporter = User.objects.get(username="reporter")
        self.admin = User.objects.get(username="admin")
        self.units = {unit.code: unit for unit in Unit.objects.all()}
        self.trees = Indicator.objects.get(code="thu-cay-xanh")
        self.members = Indicator.objects.get(code="thu-doan-vien")
        self.ids = list(Activity.objects.order_by("pk").values_list("pk", flat=True))
        self.did = Counter()
        self.errors = []

    def attempt(self, name, act, *arguments):
        """Do `act`; being too late is no error."""
        try:
            self.did[name] += bool(act(*arguments))
        except (ValidationError, PermissionDenied):
            self.did["too late"] += 1
        except (DatabaseError, KeyError, Activity.DoesNotExist) as error:
            self.errors.append(f"{name}: {type(error).__name__}: {error}")

    # --- everybody approves everything -------------------------------------------------

    def approve_all(self):
        self.random.shuffle(self.ids)
        for pk in self.ids:
            self.attempt("approve", self.approve, pk)

    def approve(self, pk):
        review.approve(activity=Activity.objects.get(pk=pk), actor=self.me)
        return True

    def approve_naively_among(self, first):
        ids = self.ids[:first]
        self.random.shuffle(ids)
        for pk in ids:
            self.attempt("approve", self.approve_naively, pk)

    @transaction.atomic
    def approve_naively(self, pk):
        """Read, look, change, save: what must go wrong."""
        activity = Activity.objects.get(pk=pk)
        if activity.status != Status.PENDING:
            return False
        activity.status, activity.approver = Status.APPROVED, self.me
        activity.save()
        Event.objects.create(activity=activity, step=Step.APPROVE, to_status=Status.APPROVED, actor=self.me)
        counted = totals.Note()
        counted.add_flows([pk])
        for (unit, year, month, indicator, province), difference in counted.minus(totals.Note()):
            row, _ = UnitTotal.objects.get_or_create(
                unit_id=unit, year_id=year, month=month, indicator_id=indicator, province_id=province
            )
            row.value, row.overlap, row.records = (
                a + b for a, b in zip((row.value, row.overlap, row.records), difference, strict=True)
            )
            row.save()
        return True

    # --- everybody does something else -----------------------------------------------------

    def mix(self, operations):
        acts = [self.approve, self.approve, self.approve_some, self.give_back, self.submit, self.edit, self.unapprove]
        acts += [self.undo, self.undo, self.cancel, self.restore, self.declare, self.answer]
        seldom = {10: self.accept, 20: self.move, 25: self.unlock, 30: self.reopen, 35: self.reopen}
        for number in range(operations):
            if act := seldom.get(number % 40):
                self.attempt(act.__name__, act)
            act = self.random.choice(acts)
            self.attempt(act.__name__, act, self.random.choice(self.ids))

    def approve_some(self, pk):
        ids = self.random.sample(self.ids, 12)
        return review.approve_many(ids=ids, actor=self.me).done

    def give_back(self, pk):
        review.return_to_author(activity=Activity.objects.get(pk=pk), actor=self.me, reason="Thiếu ảnh")
        return True

    def submit(self, pk):
        """One of those that can be, when there is any: a record picked by chance hardly ever is."""
        can = Activity.objects.filter(status__in=[Status.DRAFT, Status.RETURNED]).values_list("pk", flat=True)
        pk = self.random.choice(list(can) or [pk])
        review.submit(activity=Activity.objects.get(pk=pk), actor=self.cadre)
        return True

    def unapprove(self, pk):
        review.unapprove(activity=Activity.objects.get(pk=pk), actor=self.me, reason="Nhầm")
        return True

    def undo(self, pk):
        """Of what this person decided last."""
        mine = Event.objects.filter(actor=self.me, step__in=[Step.APPROVE, Step.RETURN]).order_by("-pk")[:5]
        ids = [event.activity_id for event in mine] or [pk]
        versions = dict(Activity.objects.filter(pk__in=ids).values_list("pk", "version"))
        done = review.undo(decided=versions, actor=self.me).done
        self.did["undone"] += len(done)
        return done

    def accept(self):
        """A unit's word about a month, given and accepted by somebody else: its records are locked."""
        unit, number = self.units[self.random.choice(REPORTING)], self.random.randrange(1, 13)
        period = Period.objects.get(year=YEAR, kind=PeriodKind.MONTH, number=number)
        nothing = not Activity.objects.filter(unit=unit, month=number).exists()
        periods.report(unit=unit, period=period, nothing=nothing, actor=self.reporter)
        report = PeriodReport.objects.get(unit=unit, period=period)
        return periods.accept(report=report, actor=self.me, version=report.version)

    def accepted(self):
        """One of the reports that lock; a new one when there is none. None: somebody took that back at once."""
        locking = PeriodReport.objects.filter(state=ReportState.ACCEPTED).select_related("period").order_by("?")
        return locking.first() or (locking.first() if self.accept() else None)

    def reopen(self):
        report = self.accepted()
        if report is None:
            return False
        periods.reopen_report(report=report, actor=self.me, reason="Sót số", version=report.version)
        return True

    def unlock(self):
        """For a few seconds, more than it may wait for its turn: it closes itself while the others work."""
        report = self.accepted()
        if report is None:
            return False
        days = {"first_day": report.period.first_day, "last_day": report.period.last_day}
        until = timezone.now() + timedelta(seconds=8)
        unlocking.unlock(unit=report.unit, year=report.year, **days, until=until, reason="Sót số", actor=self.me)
        return True

    def close(self):
        """The central office asks, and closes the year while somebody's unlock holds."""
        while not Unlock.objects.active().exists():
            self.attempt("accept", self.accept)
            self.attempt("unlock", self.unlock)
        year_closing.ask(year=YEAR, actor=self.me)
        year_closing.close(year=YEAR, actor=self.admin)

    def cancel(self, pk):
        review.cancel(activity=Activity.objects.get(pk=pk), actor=self.cadre, reason="Nhầm")
        return True

    def restore(self, pk):
        review.restore(activity=Activity.objects.get(pk=pk), actor=self.cadre)
        return True

    def edit(self, pk):
        activity = Activity.objects.get(pk=pk)
        stock = activity.kind.nature == "stock"
        unit, other = (self.units[code] for code in self.random.sample(HOSTS, 2))
        activity.unit = unit
        activity.first_day = activity.last_day = date(2024, 1, 1) + timedelta(days=self.random.randrange(300))
        figures = {self.members if stock else self.trees: Parsed(self.random.randrange(1, 5000))}
        hosts = [other] if not stock and self.random.random() < 0.4 else []
        recording.edit(entry=Entry(activity, figures, hosts), actor=self.cadre, version=activity.version, reason="Lại")
        return True

    def answer(self, pk):
        """A co-host declines, or confirms; most records have none."""
        hosts = Host.objects.filter(activity__status__in=[Status.PENDING, Status.APPROVED]).select_related("unit")
        host = self.random.choice(list(hosts))
        act = self.random.choice([hosting.confirm, hosting.decline])
        reason = {"reason": "Không tham gia"} if act == hosting.decline else {}
        return act(activity=Activity.objects.get(pk=host.activity_id), unit=host.unit, actor=self.me, **reason)

    def declare(self, pk):
        kind = ActivityKind.objects.get(code="thu-ke-khai")
        day = date(2024, 1, 1) + timedelta(days=self.random.randrange(300))
        unit = self.units[self.random.choice(HOSTS)]
        made = make_activity(unit, self.cadre, kind, {self.members: self.random.randrange(1, 500)}, day)
        review.submit(activity=made, actor=self.cadre)
        review.approve(activity=made, actor=self.me)
        return True

    def move(self):
        unit, parent = self.units[self.random.choice(HOSTS)], self.units[self.random.choice(["k1", "k2", "p1", "p2"])]
        moving.move_unit(unit=unit, parent=parent, year=YEAR, actor=self.admin, reason="QĐ 1")
        return True


def report():
    """What stands in the database after everything."""
    approvals = Event.objects.filter(step=Step.APPROVE).count()
    approved = Activity.objects.filter(status=Status.APPROVED)
    national = UnitTotal.objects.filter(unit__code="tw", month=0, indicator__code="thu-cay-xanh")
    broken = 0
    for activity in Activity.objects.prefetch_related("events"):
        status, answers, last_answer = "", 0, {}
        for event in activity.events.all():
            broken += event.from_status != status
            status = event.to_status
            if event.step in (Step.CONFIRM, Step.DECLINE):
                answers += 1
                unit, _, answer = event.said[0]
                broken += last_answer.get(unit) == answer  # the same answer twice is one
                last_answer[unit] = answer
            elif event.step == Step.EDIT:
                last_answer = {}  # whoever was taken out and asked again answers anew
        broken += activity.status != status
        broken += activity.version != len(activity.events.all()) - answers
    return {
        "approval_events": approvals,
        "approved": approved.count(),
        "records_total": sum(row.value for row in national),
        "figures_total": sum(
            figure.value
            for activity in approved.prefetch_related("figures__indicator")
            for figure in activity.figures.all()
            if figure.indicator.code == "thu-cay-xanh"
        ),
        "broken_histories": broken,
        "declined": Host.objects.filter(state=HostState.DECLINED).count(),
        "differences": len(audit(YEAR).differences),
        "steps": Counter(Event.objects.values_list("step", flat=True)),
        "journal": journal.verify().wrong,
        "unjournaled": Event.objects.count()
        - JournalEntry.objects.filter(object_type=Activity._meta.label_lower).count(),
    }


def close():
    time.sleep(1.5)
    Writer(7).close()
    return report()


def work(command):
    """In one of the processes: begins when all stand ready."""
    start.wait()
    command, *arguments = command
    if command == "build":
        return build(*arguments)
    if command == "close":
        return close()
    number, *arguments = arguments
    writer = Writer(number)
    {"approve": writer.approve_all, "naive": writer.approve_naively_among, "mix": writer.mix}[command](*arguments)
    return {"did": writer.did, "errors": writer.errors}


def main(commands):
    """`commands`: [[name, *arguments], …], one a process."""
    global start
    if os.environ.get("PROOF_DEFERRED"):
        connections["default"].settings_dict["OPTIONS"]["transaction_mode"] = "DEFERRED"
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(len(commands))
    with ProcessPoolExecutor(len(commands), mp_context=fork) as pool:
        reports = list(pool.map(work, commands))
    print(json.dumps({"reports": reports, "found": report()}), flush=True)
