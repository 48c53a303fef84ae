"""The organisation and its records in plain Python: what the product must agree with, written from DESIGN.md alone.

Nothing here reads the code under test. Units, people and records are numbers in order of birth; every answer is
worked out anew from the records, in the plainest way.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date

OWN_REVIEW = ("central", "province", "district")
# 2024 begins on the 15th of December 2023, so that its months do too; after 14/12/2024 no year is open.
YEARS = {
    2022: (date(2022, 1, 1), date(2022, 12, 31)),
    2023: (date(2023, 1, 1), date(2023, 12, 14)),
    2024: (date(2023, 12, 15), date(2024, 12, 14)),
}
PART_OF = {"a": None, "a1": "a", "a11": "a1", "b": None, "c": None, "s": None, "s1": "s", "t": None}
STOCK = ("s", "s1", "t")
FLOW = ("a", "a1", "a11", "b")  # typed; "c" is counted
COUNTED_BY = {"flow": ("c",), "plain": (), "stock": ()}
FROM = {
    "submit": ("draft", "returned"),
    "withdraw": ("pending",),
    "approve": ("pending",),
    "return": ("pending",),
    "unapprove": ("approved",),
    "cancel": ("draft", "pending", "returned", "approved"),
    "restore": ("cancelled",),
}
TO = {
    "submit": "pending",
    "withdraw": "draft",
    "approve": "approved",
    "return": "returned",
    "unapprove": "pending",
    "cancel": "cancelled",
    "restore": "draft",
}
DECIDES = ("approve", "return", "unapprove")
ANSWERS = {"confirm": "confirmed", "decline": "declined"}
ANSWERED_IN = ("pending", "returned", "approved")


@dataclass(frozen=True)
class Content:
    """What one writes into a record."""

    unit: int
    kind: str
    day: date
    figures: dict
    hosts: frozenset = frozenset()


@dataclass
class Record:
    content: Content
    status: str
    writers: set
    version: int = 1
    last: tuple = ()  # (what happened to it last, who did it)
    answers: dict = field(default_factory=dict)  # {host: "confirmed" or "declined"} of the further hosts that answered

    def counting_hosts(self):
        """The lead and every further host that did not decline."""
        declined = {host for host in self.content.hosts if self.answers.get(host) == "declined"}
        return {self.content.unit, *self.content.hosts} - declined


@dataclass
class Lock:
    """A period that a superior accepted. `since`: the how-manieth thing that happened."""

    unit: int
    year: int
    first: date
    last: date
    since: int

    def holds(self, day, is_level):
        return self.first <= day <= self.last or (is_level and day <= self.last)


@dataclass
class Unlock:
    unit: int
    year: int
    first: date
    last: date
    since: int

    def opens(self, lock):
        """Whoever gave it could open what was accepted by then and does not begin after its days."""
        return lock.since < self.since and lock.first <= self.last


@dataclass
class Oracle:
    levels: list = field(default_factory=list)  # of units
    founded: list = field(default_factory=list)
    trees: dict = field(default_factory=dict)  # {year: {unit: parent}}
    closed: set = field(default_factory=set)
    grants: set = field(default_factory=set)  # (user, role, unit)
    records: list = field(default_factory=list)
    steps: int = 0  # events there must be
    locks: dict = field(default_factory=dict)  # {(unit, period): Lock}
    unlocks: dict = field(default_factory=dict)  # {key: Unlock}
    happened: int = 0

    # --- the tree ------------------------------------------------------------------

    def open_years(self):
        return [year for year in sorted(self.trees) if year not in self.closed]

    def line(self, year, unit):
        """The unit, its superior, …, the root."""
        line = []
        while unit is not None:
            line.append(unit)
            unit = self.trees[year][unit]
        return line

    def below(self, year, unit):
        return {each for each in self.trees[year] if unit in self.line(year, each)}

    def open_year(self, year):
        if year in self.trees:
            return
        earlier = [each for each in self.trees if each < year]
        source = max(earlier) if earlier else min(self.trees, default=None)
        tree = {}
        for unit, founded in enumerate(self.founded):
            if source is None or unit not in self.trees[source] or (founded and founded.year > year):
                continue
            above = self.line(source, unit)[1:]
            kept = [each for each in above if not (self.founded[each] and self.founded[each].year > year)]
            tree[unit] = kept[0] if kept else None
        self.trees[year] = tree

    def add_unit(self, parent, level, founded):
        """Whether the unit could stand anywhere."""
        years = [
            year
            for year in self.open_years()
            if (parent is None or parent in self.trees[year]) and not (founded and founded.year > year)
        ]
        if not years:
            return False
        for year in years:
            self.trees[year][len(self.levels)] = parent
        self.levels.append(level)
        self.founded.append(founded)
        return True

    def move(self, unit, parent, year):
        """Whether the move was possible; all years or none."""
        years = [each for each in self.open_years() if each >= year and unit in self.trees[each]]
        before = deepcopy(self.trees)
        for each in years:
            if self.trees[each][unit] == parent:
                continue
            below = self.below(each, unit)
            if parent not in self.trees[each] or parent in below or not self._move(each, unit, parent, below):
                self.trees = before
                return False
        return bool(years)

    def _move(self, year, unit, parent, below):
        """No counted record may be locked on its own lines, before or after, nor on the new superior's."""
        counted = [row for row in self.records if row.status == "approved" and self.year_of(row.content.day) == year]
        moved = [row for row in counted if below & row.counting_hosts()]
        if any(self.is_locked(row) or self.is_locked(row, {parent}) for row in moved):
            return False
        self.trees[year][unit] = parent
        return not any(self.is_locked(row) for row in moved)

    # --- records -------------------------------------------------------------------

    def year_of(self, day):
        return next((year for year in self.trees if YEARS[year][0] <= day <= YEARS[year][1]), None)

    def month_of(self, day):
        """Which month of its work year: how many month starts have passed."""
        start = YEARS[self.year_of(day)][0]
        starts = [
            date(start.year + (start.month - 1 + i) // 12, (start.month - 1 + i) % 12 + 1, start.day) for i in range(12)
        ]
        return sum(1 for each in starts if each <= day)

    def lawful(self, content):
        year = self.year_of(content.day)
        return year is not None and {content.unit, *content.hosts} <= set(self.trees[year])

    def is_locked(self, record, units=None):
        """Whether a lock that nothing opens stands over one of the units the record counts for."""
        content = record.content
        year, is_level = self.year_of(content.day), content.kind == "stock"
        return any(self._is_shut(unit, year, content.day, is_level) for unit in units or record.counting_hosts())

    def _is_shut(self, unit, year, day, is_level):
        line = self.line(year, unit) if unit in self.trees[year] else [unit]
        here = [row for row in self.locks.values() if row.year == year and row.unit in line]
        over = [row for row in here if row.holds(day, is_level)]
        openings = [row for row in self.unlocks.values() if (row.year, row.unit in line) == (year, True)]
        openings = [row for row in openings if row.first <= day <= row.last]
        if any(not any(opening.opens(lock) for opening in openings) for lock in over):
            return True
        return year in self.closed and not openings

    def log(self, content, writer):
        """Whether it was written down: "ok", "invalid" or "wrong state"."""
        if not self.lawful(content):
            return "invalid"
        record = Record(content, "draft", {writer})
        if self.is_locked(record):
            return "wrong state"
        self.records.append(record)
        self.steps += 1
        return "ok"

    def edit(self, record, content, writer, *, stale=False):
        """Whether it was accepted (also when nothing changed, which is never stale: the same form sent once more)."""
        if not self.lawful(content):
            return "invalid"
        if self.is_locked(record):
            return "wrong state"
        if (stale and content != record.content) or record.status == "cancelled":
            return "invalid"
        if content == record.content:
            return "ok"
        answers = {host: said for host, said in record.answers.items() if host in content.hosts}
        if self.is_locked(replace(record, content=content, answers=answers)):
            return "wrong state"
        record.content, record.answers = replace(content), answers
        record.writers.add(writer)
        record.last = ("edit", writer)
        record.status = "pending" if record.status == "approved" else record.status
        record.version += 1
        self.steps += 1
        return "ok"

    def may_decide(self, record, user):
        now = max(self.trees)
        return user not in record.writers and any(
            record.content.unit in self.trees[now]
            and unit in self.line(now, record.content.unit)
            and (unit != record.content.unit or self.levels[unit] in OWN_REVIEW)
            for who, role, unit in self.grants
            if (who, role) == (user, "secretary")
        )

    def step(self, name, record, user):
        """ "ok", "incomplete", "wrong state" or "denied"."""
        if name == "submit" and not record.content.figures and not COUNTED_BY[record.content.kind]:
            return "incomplete"
        if record.status not in FROM[name] or self.is_locked(record):
            return "wrong state"
        if name in DECIDES and not self.may_decide(record, user):
            return "denied"
        record.status, record.last = TO[name], (name, user)
        record.version += 1
        self.steps += 1
        return "ok"

    def undo(self, record, user):
        """Whether the user's own last decision was taken back."""
        mine = record.last in (("approve", user), ("return", user)) and self.may_decide(record, user)
        if not mine or self.is_locked(record):
            return False
        record.status, record.last = "pending", ("undo", user)
        record.version += 1
        self.steps += 1
        return True

    def answer(self, name, record, host, user):
        """A further host confirms or declines: "ok", "wrong state" or "denied"; the same again changes nothing."""
        if host not in record.content.hosts or record.status not in ANSWERED_IN or self.is_locked(record):
            return "wrong state"
        now = max(self.trees)
        if host not in self.trees[now] or not any(
            who == user and role == "secretary" and unit in self.line(now, host) for who, role, unit in self.grants
        ):
            return "denied"
        if record.answers.get(host) == ANSWERS[name]:
            return "ok"
        if self.is_locked(replace(record, answers=record.answers | {host: ANSWERS[name]})):
            return "wrong state"  # it would count in a locked period of this host
        record.answers[host] = ANSWERS[name]
        self.steps += 1
        return "ok"

    # --- periods -------------------------------------------------------------------

    def is_above(self, user, unit):
        """Whether the user is secretary of a unit strictly above."""
        now = max(self.trees)
        line = self.line(now, unit)[1:] if unit in self.trees[now] else []
        return any((user, "secretary", each) in self.grants for each in line)

    def accept(self, unit, period, days, year, user):
        """Accept what the unit reported about a period: "ok" (also for the second time), "wrong state", "denied"."""
        if not self.is_above(user, unit):
            return "denied"
        if year in self.closed:
            return "wrong state"
        if (unit, period) not in self.locks:
            self.happened += 1
            self.locks[unit, period] = Lock(unit, year, *days, self.happened)
            for key, row in list(self.unlocks.items()):
                if (row.unit, row.year) == (unit, year) and days[0] <= row.first and row.last <= days[1]:
                    del self.unlocks[key]
        return "ok"

    def reopen(self, unit, period, user):
        lock = self.locks.get((unit, period))
        if not self.is_above(user, unit):
            return "denied"
        if lock is None or lock.year in self.closed:
            return "wrong state"
        line = self.line(lock.year, unit) if unit in self.trees[lock.year] else []
        for key, row in self.locks.items():
            covers = row.first <= lock.first and lock.last <= row.last
            if key != (unit, period) and row.year == lock.year and row.unit in line and covers:
                return "wrong state"
        del self.locks[unit, period]
        return "ok"

    def unlock(self, key, unit, year, first, last):
        self.happened += 1
        self.unlocks[key] = Unlock(unit, year, first, last, self.happened)

    # --- answers -------------------------------------------------------------------

    def visible(self, user):
        now = max(self.trees)
        mine = {unit for who, _, unit in self.grants if who == user}
        return {unit for unit in self.trees[now] if mine & set(self.line(now, unit))}

    def visible_records(self, user):
        units = self.visible(user)
        return {i for i, row in enumerate(self.records) if units & {row.content.unit, *row.content.hosts}}

    def totals(self):
        """{(unit, year, month, indicator): (value, overlap, records)}, cells of zeros left out."""
        cells = Counter()
        for year in self.trees:
            counted = [
                (i, row)
                for i, row in enumerate(self.records)
                if row.status == "approved" and self.year_of(row.content.day) == year
            ]
            for unit in self.trees[year]:
                below = self.below(year, unit)
                self._flows(cells, year, unit, below, [row for _, row in counted])
                self._levels(cells, year, unit, below, [(i, row.content) for i, row in counted])
        found = {key[:4] for key in cells}
        values = {key: tuple(cells[(*key, what)] for what in ("value", "overlap", "records")) for key in found}
        return {key: value for key, value in values.items() if any(value)}

    def _flows(self, cells, year, unit, below, records):
        for record in records:
            content, hosts = record.content, len(below & record.counting_hosts())
            if content.kind == "stock" or not hosts:
                continue
            typed = {**content.figures, **dict.fromkeys(COUNTED_BY[content.kind], 1)}
            for indicator, value in typed.items():
                for whole in wholes(indicator):
                    for month in (0, self.month_of(content.day)):
                        cells[unit, year, month, whole, "value"] += value
                        cells[unit, year, month, whole, "overlap"] += value * (hosts - 1)
                        cells[unit, year, month, whole, "records"] += hosts

    def _levels(self, cells, year, unit, below, counted):
        for indicator in STOCK:
            for each in below:
                declared = [
                    (self.month_of(row.day), row.day, i, row.figures[indicator])
                    for i, row in counted
                    if row.kind == "stock" and row.unit == each and indicator in row.figures
                ]
                level_at = [max((d[1:] for d in declared if d[0] <= m), default=(0,))[-1] for m in range(13)]
                for whole in wholes(indicator):
                    for month in range(1, 13):
                        cells[unit, year, month, whole, "value"] += level_at[month] - level_at[month - 1]
                        cells[unit, year, month, whole, "records"] += sum(1 for d in declared if d[0] == month)
                    cells[unit, year, 0, whole, "value"] += level_at[12]
                    cells[unit, year, 0, whole, "records"] += len(declared)


def wholes(indicator):
    """The indicator and everything it is part of."""
    while indicator:
        yield indicator
        indicator = PART_OF[indicator]
