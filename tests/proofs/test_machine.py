"""Random lives of a small organisation, compared after every step with `tests.proofs.oracle`.

HYPOTHESIS_PROFILE=long runs 500 lives of 50 steps and every control; the default is 30 of 25.
"""

import os
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from activities import querysets, recording, review, totals
from activities.audit import audit
from activities.joint import hosting
from activities.locking import unlocking
from activities.models import Activity, Event, Host, PeriodReport, UnitTotal, Unlock
from activities.moves import moving
from activities.querysets import ActivityQuerySet
from activities.reporting import periods
from activities.rules import Entry
from targets import years
from targets.models import Nature, Period, WorkYear
from targets.querysets import IndicatorQuerySet
from tests.factories import make_indicator, make_kind, make_user
from tests.proofs.oracle import FLOW, FROM, PART_OF, STOCK, YEARS, Content, Oracle
from unionwork.numbers import Parsed
from units import tree
from units.models import Placement, Role, Unit, UnitKind, User
from units.scope import STEP, PlacementQuerySet, within

EXAMPLES, STEPS = {"long": (500, 50)}.get(os.environ.get("HYPOTHESIS_PROFILE"), (30, 25))
LIFE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

KINDS = {"central": "trung-uong", "province": "tinh-doan", "district": "doan-khoi", "base": "doan-co-so"}
KINDS["branch"] = "chi-doan"
LEVELS = list(KINDS)
MOST_UNITS = 12
WRITERS = (0, 1)
CHIEF, FLOATER, VIEWER = 2, 3, 4  # secretary of the root; secretary here and there; viewer here and there

anything = st.integers(0, 2**16)  # picks the n-th of what there is
days = st.sampled_from(
    [
        *(date(2023, 12, 15), date(2024, 1, 14), date(2024, 1, 15), date(2024, 3, 26), date(2024, 3, 26)),
        *(date(2024, 3, 14), date(2024, 7, 1), date(2024, 11, 14), date(2024, 12, 14), date(2024, 12, 15)),
        *(date(2023, 1, 1), date(2023, 2, 28), date(2023, 6, 30), date(2023, 12, 14)),
        *(date(2022, 1, 31), date(2022, 12, 31)),
    ]
)
values = st.sampled_from([0, 0, 1, 2, 5, 7, 100, 10**12])
flows = st.dictionaries(st.sampled_from(FLOW), values, max_size=3)
levels = st.dictionaries(st.sampled_from(STOCK), values, min_size=1, max_size=2)
often = st.sampled_from([True, True, True, False])
mostly = st.sampled_from(["approved", "approved", "approved", "pending"])
lockers = st.sampled_from([CHIEF, CHIEF, CHIEF, FLOATER])
far = st.sampled_from(["draft", "pending", "approved", "approved"])


class Lives(RuleBasedStateMachine):
    """Every rule does one thing to the product and to the oracle, and compares how it went."""

    @initialize(earlier=st.sampled_from([(), (2023,), (2023, 2022)]))
    def begin(self, earlier):
        self.door = transaction.atomic()
        self.door.__enter__()
        self.oracle = Oracle()
        self.units, self.records = [], []
        self.indicators = {}
        for code, whole in PART_OF.items():
            nature = Nature.STOCK if code in STOCK else Nature.FLOW
            self.indicators[code] = make_indicator(f"m-{code}", nature, part_of=self.indicators.get(whole))
        named = self.indicators
        self.kinds = {
            "flow": make_kind("m-flow", [named["a"], named["b"]], [named["c"]]),
            "plain": make_kind("m-plain", [named["a1"]]),
            "stock": make_kind("m-stock", [named["s"], named["t"]], nature="stock"),
        }
        self.users = [make_user(f"m-{i}").pk for i in range(5)]
        for year in (2024, *earlier):
            self._open(year)
        for parent in (None, 0, 0, 1, 2, 3, 4):
            self._add(parent, None)
        self._grant(CHIEF, "secretary", 0)

    def teardown(self):
        if not hasattr(self, "door"):
            return
        try:
            self._check_scope(WRITERS[0])
            self._check_scope(CHIEF)
            for year in self.oracle.trees:
                assert audit(year).differences == []
        finally:
            transaction.set_rollback(True)
            self.door.__exit__(None, None, None)

    # --- small helpers ---------------------------------------------------------------

    def user(self, number):
        return User.objects.get(pk=self.users[number])

    def record(self, number):
        number %= len(self.records)
        return self.oracle.records[number], Activity.objects.get(pk=self.records[number])

    def unit(self, number):
        return number % len(self.units)

    def content(self, unit, day, figures, hosts, kind):
        unit = self.unit(unit)
        hosts = frozenset(self.unit(host) for host in hosts) - {unit} if kind != "stock" else frozenset()
        return Content(unit, kind, day, figures, hosts)

    def entry(self, content, activity=None):
        fields = {
            "unit": self.units[content.unit],
            "kind": self.kinds[content.kind],
            "first_day": content.day,
            "last_day": content.day,
        }
        if activity is None:
            activity = Activity(title="Một việc", **fields)
        for name, value in fields.items():
            setattr(activity, name, value)
        figures = {self.indicators[code]: Parsed(value) for code, value in content.figures.items()}
        return Entry(activity, figures, [self.units[host] for host in sorted(content.hosts)])

    def _open(self, year):
        first, last = YEARS[year]
        years.open_year(year=year, actor=None, first_day=first, last_day=last)
        self.oracle.open_year(year)

    def _add(self, parent, founded):
        depth = 0 if parent is None else LEVELS.index(self.oracle.levels[parent]) + 1
        if depth == len(LEVELS) or len(self.units) == MOST_UNITS:
            return
        level = LEVELS[depth]
        number = len(self.units)
        with expected("ok" if self.oracle.add_unit(parent, level, founded) else "invalid"), transaction.atomic():
            kind = UnitKind.objects.get(pk=KINDS[level])
            # Names repeat, as those of chi đoàn do.
            unit = Unit.objects.create(code=f"m{number}", name=f"Đơn vị {number % 2}", kind=kind, founded=founded)
            tree.place(unit=unit, parent=None if parent is None else self.units[parent])
            self.units.append(unit)

    def _grant(self, user, role, unit):
        self.oracle.grants.add((user, role, unit))
        Role.objects.create(user_id=self.users[user], role=role, unit=self.units[unit])

    def _log(self, content, writer, until):
        with expected(self.oracle.log(content, writer)):
            activity = recording.create(entry=self.entry(content), actor=self.user(writer))
            self.records.append(activity.pk)
            for name, who in (("submit", writer), ("approve", CHIEF))[: ("draft", "pending", "approved").index(until)]:
                if self._step(name, len(self.records) - 1, who) != "ok":
                    break

    def _step(self, name, number, actor):
        model, activity = self.record(number)
        outcome = self.oracle.step(name, model, actor)
        with expected(outcome):
            verb = {"return": review.return_to_author}.get(name) or getattr(review, name)
            reason = {"reason": "Vì thế"} if name in ("return", "unapprove", "cancel") else {}
            verb(activity=activity, actor=self.user(actor), **reason)
        return outcome

    # --- what people do --------------------------------------------------------------

    @rule(parent=anything, founded=st.sampled_from([None, None, date(2023, 6, 1), date(2024, 3, 1), date(2025, 1, 1)]))
    def add_unit(self, parent, founded):
        self._add(self.unit(parent), founded)

    @rule(unit=anything, parent=anything, year=st.sampled_from([2022, 2023, 2024, 2024]))
    def move_unit(self, unit, parent, year):
        self._move(self.unit(unit), self.unit(parent), year)

    def _move(self, unit, parent, year):
        with expected("ok" if self.oracle.move(unit, parent, year) else "invalid"):
            moving.move_unit(
                unit=self.units[unit], parent=self.units[parent], year=year, actor=self.user(0), reason="QĐ 1"
            )

    @rule(user=st.sampled_from([FLOATER, VIEWER]), unit=anything)
    def grant_or_revoke(self, user, unit):
        role = "secretary" if user == FLOATER else "viewer"
        grant = (user, role, self.unit(unit))
        if grant in self.oracle.grants:
            self.oracle.grants.remove(grant)
            Role.objects.filter(user=self.users[user], role=role, unit=self.units[grant[2]]).delete()
        else:
            self._grant(*grant)

    @rule(
        unit=anything,
        day=days,
        figures=flows,
        kind=st.sampled_from(["flow", "plain"]),
        writer=st.sampled_from(WRITERS),
        until=far,
    )
    def log(self, unit, day, figures, kind, writer, until):
        self._log(self.content(unit, day, figures, (), kind), writer, until)

    @rule(
        unit=anything,
        day=days,
        figures=flows,
        hosts=st.lists(anything, min_size=1, max_size=4),
        until=far,
        declines=st.booleans(),
    )
    def log_joint(self, unit, day, figures, hosts, until, declines):
        content = self.content(unit, day, figures, hosts, "flow")
        already = len(self.records)
        self._log(content, 0, until)
        if declines and content.hosts and len(self.records) > already:
            self._answer("decline", already, min(content.hosts), CHIEF)

    @rule(unit=anything, below=anything, day=days, figures=flows)
    def log_joint_with_a_superior(self, unit, below, day, figures):
        year = self.oracle.year_of(day) or max(self.oracle.trees)
        unit = self.unit(unit)
        if unit in self.oracle.trees[year]:
            line = self.oracle.line(year, unit)
            self._log(self.content(unit, day, figures, [line[below % len(line)]], "flow"), 1, "approved")

    @rule(unit=anything, day=days, figures=levels, writer=st.sampled_from(WRITERS), until=mostly)
    def declare(self, unit, day, figures, writer, until):
        self._log(self.content(unit, day, figures, (), "stock"), writer, until)

    @precondition(lambda self: any(row.content.kind == "stock" for row in self.oracle.records))
    @rule(number=anything, day=days, value=values, same_day=st.booleans())
    def declare_again(self, number, day, value, same_day):
        """The same unit and indicators at another date, or the same: earlier, later, twice."""
        declared = [row.content for row in self.oracle.records if row.content.kind == "stock"]
        was = declared[number % len(declared)]
        figures = dict.fromkeys(was.figures or ["s"], value)
        self._log(self.content(was.unit, was.day if same_day else day, figures, (), "stock"), WRITERS[0], "approved")

    @precondition(lambda self: any(row.content.hosts and row.status == "approved" for row in self.oracle.records))
    @rule(number=anything, parent=anything)
    def move_a_host(self, number, parent):
        joint = [row for row in self.oracle.records if row.content.hosts and row.status == "approved"]
        hosts = sorted(joint[number % len(joint)].content.hosts)
        self._move(hosts[number % len(hosts)], self.unit(parent), 2022)

    @precondition(lambda self: self.records)
    @rule(number=anything, name=anything, actor=st.sampled_from([0, 1, CHIEF, CHIEF, FLOATER, FLOATER]), fits=often)
    def step(self, number, name, actor, fits):
        model, _ = self.record(number)
        names = [each for each in FROM if model.status in FROM[each]] if fits else list(FROM)
        self._step(names[name % len(names)], number % len(self.records), actor)

    @precondition(lambda self: any(row.last[:1] in [("approve",), ("return",)] for row in self.oracle.records))
    @rule(number=anything, actor=st.sampled_from([CHIEF, CHIEF, CHIEF, FLOATER]))
    def take_back(self, number, actor):
        decided = [i for i, row in enumerate(self.oracle.records) if row.last[:1] in [("approve",), ("return",)]]
        number = decided[number % len(decided)]
        model, activity = self.record(number)
        version = activity.version
        outcome = review.undo(decided={activity.pk: version}, actor=self.user(actor))
        assert bool(outcome.done) == self.oracle.undo(model, actor)

    # --- periods -----------------------------------------------------------------------

    @rule(unit=anything, period=anything, year=st.sampled_from([2022, 2023, 2024, 2024]), user=lockers)
    def accept(self, unit, period, year, user):
        """A unit gave its word about a period; somebody accepts it, perhaps for the second time."""
        year = year if year in self.oracle.trees else max(self.oracle.trees)
        placed = sorted(self.oracle.trees[year])
        self._accept(placed[unit % len(placed)], period, year, user)

    @precondition(lambda self: self.oracle.records)
    @rule(number=anything, period=anything, above=anything)
    def accept_over_a_record(self, number, period, above):
        """A period that the record lies in, of its unit or one of its superiors."""
        content = self.oracle.records[number % len(self.oracle.records)].content
        year = self.oracle.year_of(content.day)
        line = self.oracle.line(year, content.unit) if content.unit in self.oracle.trees[year] else [content.unit]
        holding = Period.objects.filter(year=year, first_day__lte=content.day, last_day__gte=content.day)
        self._accept(line[above % len(line)], period, year, CHIEF, holding)

    def _accept(self, unit, number, year, user, periods_of=None):
        found = list((periods_of or Period.objects.filter(year=year)).order_by("pk"))
        period = found[number % len(found)]
        said = {"nothing": False, "actor": self.user(WRITERS[0]), "at": timezone.now(), "first_at": timezone.now()}
        report, _ = PeriodReport.objects.get_or_create(
            unit=self.units[unit], period=period, defaults=said | {"year_id": year}
        )
        days = (period.first_day, period.last_day)
        with expected(self.oracle.accept(unit, period.pk, days, year, user)):
            periods.accept(report=report, actor=self.user(user), version=report.version)

    @precondition(lambda self: self.oracle.locks)
    @rule(number=anything, user=lockers)
    def reopen(self, number, user):
        unit, period = sorted(self.oracle.locks)[number % len(self.oracle.locks)]
        report = PeriodReport.objects.get(unit=self.units[unit], period=period)
        with expected(self.oracle.reopen(unit, period, user)):
            periods.reopen_report(report=report, actor=self.user(user), reason="Sót số", version=report.version)

    @precondition(lambda self: self.oracle.locks)
    @rule(number=anything, below=anything, ends=often)
    def unlock(self, number, below, ends):
        """The secretary of the root opens a unit below a lock, for the days of the lock or some of them."""
        lock = list(self.oracle.locks.values())[number % len(self.oracle.locks)]
        if lock.year in self.oracle.closed or lock.unit not in self.oracle.trees[lock.year]:
            return
        units = sorted(self.oracle.below(lock.year, lock.unit))
        unit = units[below % len(units)]
        last = lock.last if ends else lock.first
        opened = unlocking.unlock(
            unit=self.units[unit],
            year=WorkYear.objects.get(pk=lock.year),
            first_day=lock.first,
            last_day=last,
            until=timezone.now() + timedelta(days=1),
            reason="Sót số",
            actor=self.user(CHIEF),
        )
        self.oracle.unlock(opened.pk, unit, lock.year, lock.first, last)

    @precondition(lambda self: self.oracle.unlocks)
    @rule(number=anything, by_hand=st.booleans())
    def close_unlock(self, number, by_hand):
        """By hand, or by itself when its time is over."""
        key = sorted(self.oracle.unlocks)[number % len(self.oracle.unlocks)]
        if by_hand:
            unlocking.close_unlock(unlock=Unlock.objects.get(pk=key), actor=self.user(CHIEF))
        else:
            Unlock.objects.filter(pk=key).update(until=timezone.now())
        del self.oracle.unlocks[key]

    # --- and back --------------------------------------------------------------------

    @precondition(lambda self: any(row.status in ("approved", "pending") for row in self.oracle.records))
    @rule(number=anything, actor=st.sampled_from([CHIEF, CHIEF, FLOATER]))
    def undo(self, number, actor):
        standing = [i for i, row in enumerate(self.oracle.records) if row.status in ("approved", "pending")]
        number = standing[number % len(standing)]
        self._step("unapprove" if self.oracle.records[number].status == "approved" else "return", number, actor)

    @precondition(lambda self: self.records)
    @rule(numbers=st.lists(anything, min_size=1, max_size=6), actor=st.sampled_from([CHIEF, CHIEF, FLOATER, 0]))
    def approve_many(self, numbers, actor):
        numbers = sorted({number % len(self.records) for number in numbers})
        right = [i for i in numbers if self.oracle.step("approve", self.oracle.records[i], actor) == "ok"]
        outcome = review.approve_many(ids=[self.records[i] for i in numbers], actor=self.user(actor))
        assert outcome.done == [self.records[i] for i in right]
        assert [pk for pk, _ in outcome.refused] == [self.records[i] for i in numbers if i not in right]

    @precondition(lambda self: self.records)
    @rule(
        number=anything,
        what=st.sets(st.sampled_from(["unit", "day", "figures", "hosts", "kind"]), min_size=1, max_size=3),
        unit=anything,
        day=days,
        flow=flows,
        level=levels,
        hosts=st.lists(anything, max_size=3),
        kind=st.sampled_from(["flow", "plain", "stock"]),
        writer=st.sampled_from([0, 1, FLOATER]),
        fresh=often,
    )
    def edit(self, number, what, unit, day, flow, level, hosts, kind, writer, fresh):
        model, activity = self.record(number)
        was = model.content
        kind = kind if "kind" in what else was.kind
        figures = was.figures if "figures" not in what and (kind == "stock") == (was.kind == "stock") else None
        content = self.content(
            unit if "unit" in what else was.unit,
            day if "day" in what else was.day,
            (level if kind == "stock" else flow) if figures is None else figures,
            hosts if "hosts" in what else was.hosts,
            kind,
        )
        version = activity.version - (not fresh)
        with expected(self.oracle.edit(model, content, writer, stale=not fresh)):
            self._edit(content, activity, writer, version)

    @precondition(lambda self: any(row.content.hosts for row in self.oracle.records))
    @rule(number=anything, hosts=st.lists(anything, min_size=1, max_size=3))
    def edit_hosts(self, number, hosts):
        joint = [i for i, row in enumerate(self.oracle.records) if row.content.hosts]
        model, activity = self.record(joint[number % len(joint)])
        was = model.content
        content = self.content(was.unit, was.day, was.figures, hosts, was.kind)
        with expected(self.oracle.edit(model, content, 0)):
            self._edit(content, activity, 0, activity.version)

    def _edit(self, content, activity, writer, version):
        entry = self.entry(content, activity)
        recording.edit(entry=entry, actor=self.user(writer), version=version, reason="Đếm lại")

    @precondition(lambda self: any(row.content.hosts for row in self.oracle.records))
    @rule(
        number=anything,
        host=anything,
        name=st.sampled_from(["decline", "decline", "confirm"]),
        actor=st.sampled_from([CHIEF, CHIEF, FLOATER, VIEWER]),
        is_host=often,
    )
    def answer(self, number, host, name, actor, is_host):
        joint = [i for i, row in enumerate(self.oracle.records) if row.content.hosts]
        number = joint[number % len(joint)]
        hosts = sorted(self.oracle.records[number].content.hosts)
        self._answer(name, number, hosts[host % len(hosts)] if is_host else self.unit(host), actor)

    def _answer(self, name, number, host, actor):
        model, activity = self.record(number)
        with expected(self.oracle.answer(name, model, host, actor)):
            reason = {"reason": "Vì thế"} if name == "decline" else {}
            verb = getattr(hosting, name)
            verb(activity=activity, unit=self.units[host], actor=self.user(actor), **reason)

    @precondition(lambda self: len(self.oracle.trees) < len(YEARS))
    @rule(year=st.sampled_from([2023, 2022]))
    def open_another_year(self, year):
        self._open(year)

    @rule(year=st.sampled_from([2024, 2023]), close=st.sampled_from([True, False, False]))
    def close_or_reopen_year(self, year, close):
        if year in self.oracle.trees:
            (years.close_year if close else years.reopen_year)(year=year)
            (self.oracle.closed.add if close else self.oracle.closed.discard)(year)

    # --- what must hold after every step -------------------------------------------------

    @invariant()
    def totals_are_what_the_records_say(self):
        if not self.units:
            return
        units = {unit.pk: number for number, unit in enumerate(self.units)}
        codes = {indicator.pk: code for code, indicator in self.indicators.items()}
        rows = UnitTotal.objects.values_list("unit_id", "year_id", "month", "indicator_id").order_by()
        rows = rows.annotate(v=Sum("value"), o=Sum("overlap"), r=Sum("records"))
        stored = {(units[u], y, m, codes[i]): (v, o, r) for u, y, m, i, v, o, r in rows if v or o or r}
        assert stored == self.oracle.totals()

    @invariant()
    def records_stand_where_they_should(self):
        rows = Activity.objects.order_by("pk").values_list("pk", "status", "version", "year_id", "month")
        assert list(rows) == [
            (pk, row.status, row.version, self.oracle.year_of(row.content.day), self.oracle.month_of(row.content.day))
            for pk, row in zip(self.records, self.oracle.records, strict=True)
        ]
        assert Event.objects.count() == self.oracle.steps
        hosts = Host.objects.values_list("activity_id", "unit_id", "state")
        assert set(hosts) == {
            (pk, self.units[host].pk, row.answers.get(host, "invited"))
            for pk, row in zip(self.records, self.oracle.records, strict=True)
            for host in row.content.hosts
        }

    @invariant()
    def the_tree_is_that_of_the_moves(self):
        stored = {}
        for year, unit, parent, path in Placement.objects.values_list("year", "unit_id", "parent_id", "path"):
            stored[year, unit] = (parent, path)
        expected_rows = {}
        pk = {number: unit.pk for number, unit in enumerate(self.units)} | {None: None}
        for year in self.oracle.trees:
            for unit, parent in self.oracle.trees[year].items():
                path = "".join(tree.step(pk[each]) for each in reversed(self.oracle.line(year, unit)))
                expected_rows[year, pk[unit]] = (pk[parent], path)
        assert stored == expected_rows

    @invariant()
    def everybody_sees_their_own_branch(self):
        if self.units:
            self._check_scope((FLOATER, VIEWER)[self.oracle.steps % 2])

    def _check_scope(self, number):
        user = self.user(number)
        seen = set(Unit.objects.visible_to(user).values_list("pk", flat=True))
        assert seen == {self.units[unit].pk for unit in self.oracle.visible(number)}
        records = Activity.objects.visible_to(user).order_by("pk").values_list("pk", flat=True)
        assert list(records) == [self.records[i] for i in sorted(self.oracle.visible_records(number))]


@contextmanager
def expected(outcome):
    """The block must end as the oracle said."""
    try:
        with transaction.atomic():
            yield
        happened = "ok"
    except review.WrongState:
        happened = "wrong state"
    except ValidationError:
        happened = "invalid"
    except PermissionDenied:
        happened = "denied"
    assert happened == {"incomplete": "invalid"}.get(outcome, outcome)


@pytest.fixture
def clean(db):
    """No record, no unit: the reference rows stay."""


def test_random_lives_agree_with_the_oracle(clean):
    run_state_machine_as_test(Lives, settings=LIFE)


# --- Negative controls: the machine must notice each of these wrong rules -------------------


def overlap_is_not_subtracted(patch):
    patch.setattr(totals, "common", lambda left, right: "")


def wholes_do_not_hear_of_their_parts(patch):
    patch.setattr(IndicatorQuerySet, "chains", lambda self: {pk: [pk] for pk in self.values_list("pk", flat=True)})


def levels_add_up_over_time(patch):
    rows = totals._level_rows

    def each_on_its_own(*arguments):
        for key, group in rows(*arguments):
            yield from ((key, [row]) for row in group)

    patch.setattr(totals, "_level_rows", each_on_its_own)


def waiting_records_count(patch):
    patch.setattr(totals, "COUNTED", ("approved", "published", "pending"))


def moves_forget_records_a_unit_only_joined(patch):
    def led_within(self, path, year):
        return self.filter(unit__placements__year=year, unit__placements__path__startswith=path, year=year)

    patch.setattr(ActivityQuerySet, "hosted_within", led_within)


def people_approve_what_they_changed(patch):
    patch.setattr(querysets, "Exists", lambda rows: Q(pk__in=[]))


def scope_reaches_one_level_too_high(patch):
    def wider(self, user, act):
        paths = [grant.path[:-STEP] or grant.path for grant in act.grants(user)]
        return self.current().filter(within(paths))

    patch.setattr(PlacementQuerySet, "reached", wider)


CONTROLS = [
    overlap_is_not_subtracted,
    wholes_do_not_hear_of_their_parts,
    waiting_records_count,
    scope_reaches_one_level_too_high,
]
FOUND_LATE = [levels_add_up_over_time, moves_forget_records_a_unit_only_joined, people_approve_what_they_changed]


@pytest.mark.once
@pytest.mark.parametrize("mutate", CONTROLS + FOUND_LATE * (EXAMPLES > 100))  # the long run has them all
def test_a_wrong_rule_is_noticed(mutate, clean, monkeypatch):
    mutate(monkeypatch)
    until_seen = settings(
        LIFE, max_examples=200, phases=[Phase.generate], derandomize=True, database=None, report_multiple_bugs=False
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Lives, settings=until_seen)
