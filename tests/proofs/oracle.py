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
    answers: dict = field(default_factory=dict)  # {host: "confirmed" or "declined"} of the further hosts that answered

    def counting_hosts(self):
        """The lead and every further host that did not decline."""
        declined = {host for host in self.content.hosts if self.answers.get(host) == "declined"}
        return {self.content.unit, *self.content.hosts} - declined


@dataclass
class Oracle:
    levels: list = field(default_factory=list)  # of units
    founded: list = field(default_factory=list)
    trees: dict = field(default_factory=dict)  # {year: {unit: parent}}
    closed: set = field(default_factory=set)
    grants: set = field(default_factory=set)  # (user, role, unit)
    records: list = field(default_factory=list)
    steps: int = 0  # events there must be

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
        trees = deepcopy(self.trees)
        for each in years:
            if trees[each][unit] == parent:
                continue
            if parent not in trees[each] or parent in self.below(each, unit):
                return False
            trees[each][unit] = parent
        if years:
            self.trees = trees
        return bool(years)

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
        if year is None or year in self.closed:
            return False
        return {content.unit, *content.hosts} <= set(self.trees[year])

    def is_open(self, record):
        return self.year_of(record.content.day) not in self.closed

    def log(self, content, writer):
        """Whether it was written down."""
        if not self.lawful(content):
            return False
        self.records.append(Record(content, "draft", {writer}))
        self.steps += 1
        return True

    def edit(self, record, content, writer, *, stale=False):
        """Whether it was accepted (also when nothing changed, which is never stale: the same form sent once more)."""
        if (
            not self.lawful(content)
            or (stale and content != record.content)
            or not self.is_open(record)
            or record.status == "cancelled"
        ):
            return False
        if content != record.content:
            record.content = replace(content)
            record.answers = {host: said for host, said in record.answers.items() if host in content.hosts}
            record.writers.add(writer)
            record.status = "pending" if record.status == "approved" else record.status
            record.version += 1
            self.steps += 1
        return True

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
        if record.status not in FROM[name] or not self.is_open(record):
            return "wrong state"
        if name in DECIDES and not self.may_decide(record, user):
            return "denied"
        record.status = TO[name]
        record.version += 1
        self.steps += 1
        return "ok"

    def answer(self, name, record, host, user):
        """A further host confirms or declines: "ok", "wrong state" or "denied"; the same again changes nothing."""
        if host not in record.content.hosts or record.status not in ANSWERED_IN or not self.is_open(record):
            return "wrong state"
        now = max(self.trees)
        if host not in self.trees[now] or not any(
            who == user and role == "secretary" and unit in self.line(now, host) for who, role, unit in self.grants
        ):
            return "denied"
        if record.answers.get(host) != ANSWERS[name]:
            record.answers[host] = ANSWERS[name]
            self.steps += 1
        return "ok"

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
