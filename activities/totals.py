"""The one door to the stored totals.

Whoever changes what counts (a record's status, figures, hosts, unit or date, or the tree) does it inside
`counting`: lock the records, note what they contribute, change them, note again, add the net difference up the
tree in one ordered upsert. Rules: DESIGN.md §3 (own value, subtree total, joint activities) and §5 (the one door).

A `Note` maps cells (unit, year, month, indicator, province) to (value, overlap, records).
"""

from collections import defaultdict
from contextlib import contextmanager
from itertools import groupby, pairwise

from django.db import connection, transaction

from activities import locks
from activities.models import COUNTED, Figure, HostState, RecordNature, UnitTotal
from targets.models import Indicator, Nature
from units import tree
from units.models import Placement, Unit
from units.scope import STEP

BATCH = 1000
WHOLE_YEAR = 0


@contextmanager
def counting(ids, into=(), *, each=False, moves_tree=False):
    """The door. Yields the locked records by id: dicts of status, unit_id, year_id, version, lock, touches, ...

    Raises `Locked` when the period of one of them is locked, before or after the change; with `each` it says so in
    `lock` and the caller leaves those alone. `touches`: the period reports (in words) that the record's figures are in.
    `into`: the (unit, year) pairs that a declaration or a milestone is about to be moved to, so that they are locked in
    order too.
    `moves_tree`: the records stay, the units above them change.
    Must stand inside `transaction.atomic`. Locks the tree (shared), then the records by id, then the units of
    declarations and milestones, then writes totals deepest unit first: one global order, so no deadlock.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("totals.counting cần nằm trong transaction.atomic.")
    tree.lock_shared()
    ids = sorted(set(ids))
    records = locks.read(ids, lambda rows: rows.select_for_update(of=("self",)))
    _look_at_locks(records, each)
    declared = {(r["unit_id"], r["year_id"]) for r in records.values() if r["kind__nature"] == RecordNature.STOCK}
    declared |= set(into)
    once = {r["unit_id"] for r in records.values() if r["kind__nature"] == RecordNature.MILESTONE}
    lock_units(once | {unit for unit, _ in declared})
    before = Note()
    if any(record["status"] in COUNTED for record in records.values()):
        before.add_flows(ids)
    before.add_levels(declared)
    yield records
    _look_again(records, moves_tree)
    after = Note()
    after.add_flows(ids)
    after.add_levels(declared)
    _upsert(after.minus(before))


class Note:
    """What some records contribute to the stored totals, at one moment."""

    def __init__(self):
        self.cells = defaultdict(lambda: [0, 0, 0])
        self.depth = {}

    def add_flows(self, ids):
        """Figures of counted activities: the whole value to every host's line of ancestors, joint ones once."""
        for start in range(0, len(ids), BATCH):
            rows = _flow_rows(ids[start : start + BATCH])
            paths = _paths({(unit, row[1]) for row in rows for unit in row[5]})
            chains = Indicator.objects.chains() if rows else {}
            for _, year, month, indicator, value, hosts in rows:
                found = sorted(paths[unit, year] for unit in hosts if (unit, year) in paths)
                for of in chains[indicator]:
                    for path in found:
                        self._add(path, path, year, month, of, value, 0, 1)
                    for left, right in pairwise(found):
                        self._add(common(left, right), right, year, month, of, -value, value, 0)

    def add_levels(self, unit_years, until=None):
        """Declared levels (up to the day `until`): a month holds the change of the latest approved level within it,
        starting from 0."""
        if not unit_years:
            return
        paths = _paths(unit_years)
        chains = Indicator.objects.chains()
        for (unit, year, indicator), rows in _level_rows(unit_years, until):
            path = paths.get((unit, year))
            if path is None:
                continue
            level = 0
            for month, declared in groupby(rows, key=lambda row: row[3]):
                values = [row[4] for row in declared]
                for of in chains[indicator]:
                    self._add(path, path, year, month, of, values[-1] - level, 0, len(values))
                level = values[-1]

    def _add(self, path, province_path, year, month, indicator, value, overlap, records):
        """Adds to every unit along `path`, for the month and for the whole year."""
        province = tree.province_id(province_path)
        for depth, unit in enumerate(tree.ancestor_ids(path)):
            self.depth[unit, year] = depth
            for when in (WHOLE_YEAR, month):
                cell = self.cells[unit, year, when, indicator, province]
                cell[0] += value
                cell[1] += overlap
                cell[2] += records

    def minus(self, other):
        """The cells that differ, deepest unit first: [(cell, difference)]."""
        depth = other.depth | self.depth
        differences = []
        for cell in self.cells.keys() | other.cells.keys():
            now, then = self.cells.get(cell, (0, 0, 0)), other.cells.get(cell, (0, 0, 0))
            difference = tuple(a - b for a, b in zip(now, then, strict=True))
            if any(difference):
                differences.append((cell, difference))
        differences.sort(key=lambda row: (-depth[row[0][:2]], row[0]))
        return differences


def common(left, right):
    """Path of the lowest common ancestor of two paths (one of them, when it lies above the other)."""
    length = 0
    while length < len(left) and left[length : length + STEP] == right[length : length + STEP]:
        length += STEP
    return left[:length]


def _look_at_locks(records, each):
    """Note in every record how it stands."""
    for pk, standing in locks.standings({pk: locks.spot(row) for pk, row in records.items()}).items():
        if standing.lock and not each:
            raise locks.Locked(standing.lock)
        records[pk] |= {"lock": standing.lock, "touches": standing.touches}


def _look_again(records, everywhere):
    """What counts elsewhere now must not have gone into a locked period; what was locked must be as it was."""
    moved = []
    for pk, now in locks.read(list(records)).items():
        then = records[pk]
        if then["lock"] and now["version"] != then["version"]:
            raise locks.Locked(then["lock"])
        if everywhere or locks.spot(now) != locks.spot(then):
            moved.append(locks.spot(now))
    if moved:
        locks.refuse(moved)


def lock_units(ids):
    """Of these units nobody else writes a declaration or a milestone down until the transaction ends."""
    if ids:
        units = Unit.objects.filter(pk__in=ids).order_by("pk")
        list(units.select_for_update(no_key=True).values_list("pk", flat=True))


def _flow_rows(ids):
    """[(figure, year, month, indicator, value, ids of the hosts that did not decline)] of the counted: one query.

    The status is looked at here, not in the query: thousands of records have just changed theirs in this transaction,
    and PostgreSQL, which cannot know, would plan for a handful.
    """
    rows = (
        Figure.objects.filter(activity__in=ids, indicator__nature=Nature.FLOW)
        .order_by("pk")
        .values_list(
            "pk",
            "activity__year_id",
            "activity__month",
            "indicator_id",
            "value",
            "activity__unit_id",
            "activity__hosts__unit_id",
            "activity__hosts__state",
            "activity__status",
        )
    )
    figures = []
    for _, same in groupby((row for row in rows if row[8] in COUNTED), key=lambda row: row[0]):
        same = list(same)
        hosts = {same[0][5]} | {row[6] for row in same if row[6] and row[7] != HostState.DECLINED}
        figures.append((*same[0][:5], hosts))
    return figures


def _level_rows(unit_years, until):
    """((unit, year, indicator), rows ordered by day) of the counted declarations: one query, as in `_flow_rows`."""
    rows = (
        Figure.objects.filter(
            activity__unit__in={unit for unit, _ in unit_years},
            activity__year__in={year for _, year in unit_years},
            indicator__nature=Nature.STOCK,
            **({"activity__last_day__lte": until} if until else {}),
        )
        .order_by("activity__unit_id", "activity__year_id", "indicator_id", "activity__last_day", "activity_id")
        .values_list(
            "activity__unit_id", "activity__year_id", "indicator_id", "activity__month", "value", "activity__status"
        )
    )
    for key, group in groupby((row for row in rows if row[5] in COUNTED), key=lambda row: row[:3]):
        if key[:2] in unit_years:
            yield key, list(group)


def _paths(unit_years):
    """{(unit, year): path}: one query."""
    if not unit_years:
        return {}
    rows = Placement.objects.filter(
        unit__in={unit for unit, _ in unit_years}, year__in={year for _, year in unit_years}
    )
    return {(unit, year): path for unit, year, path in rows.values_list("unit_id", "year", "path")}


def _upsert(differences):
    """INSERT … ON CONFLICT … DO UPDATE, the same text on SQLite and PostgreSQL; rows in the given order."""
    table, key = UnitTotal._meta.db_table, "unit_id, year_id, month, indicator_id, province_id"
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in ("value", "overlap", "records"))
    for start in range(0, len(differences), BATCH):
        batch = differences[start : start + BATCH]
        values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(batch))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({key}, value, overlap, records) "
                f"VALUES {values} ON CONFLICT ({key}) DO UPDATE SET {sums}",
                [field for cell, difference in batch for field in (*cell, *difference)],
            )
