"""Khoá số liệu: which records can no longer change, and why.

Accepting a period report locks its days for the unit and everything below it; closing the work year locks all. A
record is locked when that is so for any unit it counts for. Of a declaration every later locked day counts too: the
totals hold by how much a level changed, so that another level in January is another change in July.

An `Unlock` that still holds (`until` is compared with the moment of the check) opens the days of one unit and
everything below it again, as far as whoever gave it could decide: not the periods accepted since, and of a declaration
only the later periods that the unlock reaches into.

Looked at inside the writing transaction, under the shared tree lock; accepting, unlocking and closing take it
exclusively, so that no writer lands in a period behind their back.

A reason is read by the people of every unit the record counts for, who may stand in lines that do not see each other.
So it names the units of the record and whoever stands above all of them; of others only whose superior they are.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils import timezone

from activities.models import GIVEN, Activity, HostState, PeriodReport, RecordNature, ReportState, Unlock
from unionwork.dates import format_date
from units.models import Placement
from units.tree import ancestor_ids

BATCH = 1000  # ids in one statement
FIELDS = (
    "id",
    "status",
    "version",
    "unit_id",
    "year_id",
    "title",
    "last_day",
    "author_id",
    "approver_id",
    "kind__nature",
    "year__is_open",
)
HINT = "Cần sửa thì đề nghị cấp trên mở khoá."


class WrongState(ValidationError):
    """The record is not (any more) in a state from which a step can be taken."""


class Locked(WrongState):
    """The period is locked for a unit the record counts for."""


@dataclass(frozen=True)
class Spot:
    """Where a record counts: units (lead and hosts), work year (open or closed), day; `is_level`: a declaration."""

    units: frozenset
    year: int
    day: date
    is_level: bool = False
    is_open: bool = True


class Line(NamedTuple):
    """Where a unit stands: ids of its superiors and its own; its name."""

    ids: list
    name: str = ""


@dataclass
class Standing:
    """How a record stands.

    `lock`: why it cannot change, in words; "" when it can. `locked_by`: what locks it, each in words. `shut`: {unit
    that needs an unlock: the day it must reach}. `open_until`: an unlock lets it change so long. `touches`: the reports
    that its figures are in, in words.
    """

    lock: str = ""
    locked_by: list = field(default_factory=list)
    shut: dict = field(default_factory=dict)
    open_until: datetime | None = None
    touches: list = field(default_factory=list)


def read(ids, how=lambda rows: rows):
    """{id: what a saved record says: `FIELDS`, and `hosts`, the further units it counts for}, by rising id.

    `how`: to lock the rows. One statement a thousand.
    """
    records = {}
    for start in range(0, len(ids), BATCH):
        rows = how(Activity.objects.filter(pk__in=ids[start : start + BATCH]).order_by("pk"))
        for *said, host, state in rows.values_list(*FIELDS, "hosts__unit_id", "hosts__state"):
            record = records.setdefault(said[0], dict(zip(FIELDS, said, strict=True)) | {"hosts": set()})
            if host and state != HostState.DECLINED:
                record["hosts"].add(host)
    return records


def spot(record):
    """Where a record of `read` counts."""
    return Spot(
        units=frozenset(record["hosts"] | {record["unit_id"]}),
        year=record["year_id"],
        day=record["last_day"],
        is_level=record["kind__nature"] == RecordNature.STOCK,
        is_open=record["year__is_open"],
    )


def spot_of(activity, nature, hosts=()):
    """Where a record that is being written will count. `nature`: of its kind; `hosts`: further units."""
    units = frozenset({activity.unit_id, *(unit.pk for unit in hosts)})
    is_level = nature == RecordNature.STOCK
    return Spot(units, activity.year_id, activity.last_day, is_level, activity.year.is_open)


def standings(spots, lines=None):
    """{key: Standing} of {key: Spot}: at most three statements, however many.

    `lines`: {(unit, year): Line}, for a page that has just read where the units stand.
    """
    spots = dict(spots)
    years = {spot.year for spot in spots.values()}
    lines = _lines(spots.values(), years) if lines is None else lines
    reports = _reports(lines, years)
    found = {key: _standing(spot, lines, reports, {}) for key, spot in spots.items()}
    if any(standing.lock for standing in found.values()):
        unlocks = _unlocks(lines, years)
        found = {key: _standing(spot, lines, reports, unlocks) for key, spot in spots.items()}
    return found


def refuse(spots):
    """Raises `Locked` when one of the spots is locked."""
    for standing in standings(dict(enumerate(spots))).values():
        if standing.lock:
            raise Locked(standing.lock)


def of_entries(entries, rules):
    """{key: why it is locked} of the new records among {key: Entry} that fall into a locked period."""
    spots = {
        key: spot_of(entry.activity, rules.kinds[entry.activity.kind_id].nature, entry.hosts)
        for key, entry in entries.items()
    }
    return {key: standing.lock for key, standing in standings(spots).items() if standing.lock}


def of_record(activity, hosts=None):
    """The Standing of a saved record, read anew. `hosts`: its `Host` rows, for a page that has just read everything."""
    if hosts is None:
        return standings({pk: spot(record) for pk, record in read([activity.pk]).items()})[activity.pk]
    units = [host.unit for host in hosts if not host.has_declined]
    return standings({activity.pk: spot_of(activity, activity.kind.nature, units)})[activity.pk]


@dataclass(frozen=True)
class _Report:
    """A word given about some days. `accepted`: when its superior took it, so that it locks."""

    first_day: date
    last_day: date
    period: str
    unit: str
    is_lock: bool
    accepted: datetime | None
    decider: str

    @property
    def words(self):
        return f"{self.period} của {self.unit}"

    def holds(self, spot):
        return self.first_day <= spot.day <= self.last_day or (spot.is_level and spot.day <= self.last_day)

    @property
    def in_full(self):
        if not self.decider:
            return self.words
        return f"{self.words}, nhận ngày {format_date(timezone.localdate(self.accepted))} bởi {self.decider}"


@dataclass(frozen=True)
class _Opening:
    """An unlock that holds."""

    first_day: date
    last_day: date
    at: datetime
    until: datetime

    def opens(self, report):
        """Whether whoever gave it could open this period too."""
        is_older = report.accepted is None or report.accepted <= self.at
        return is_older and report.first_day <= self.last_day


def _standing(spot, lines, reports, unlocks):
    """Every unit the record counts for must be open: by no lock on its line, or by an unlock on its line."""
    standing = Standing()
    own = {unit: lines.get((unit, spot.year), Line([unit])) for unit in sorted(spot.units)}
    seen = set.intersection(*(set(line.ids) for line in own.values()))
    for unit, line in own.items():
        given = [(of, row) for of in line.ids for row in reports.get((of, spot.year), ()) if row.holds(spot)]
        here = [_told(row, of, line, own, seen) for of, row in given]
        locks = [row for row in here if row.is_lock]
        standing.touches += [row.words for row in here if row.words not in standing.touches]
        if not locks and spot.is_open:
            continue
        openings = [row for of in line.ids for row in unlocks.get((of, spot.year), ()) if _covers(row, spot)]
        shut = [lock for lock in locks if not any(row.opens(lock) for row in openings)]
        is_shut = bool(shut) or (not spot.is_open and not openings)
        if not is_shut:
            until = max(row.until for row in openings)
            standing.open_until = min(filter(None, [standing.open_until, until]))
            continue
        standing.shut[unit] = max([spot.day, *(row.first_day for row in shut)])
        said = [row.in_full for row in shut] or [f"Năm công tác {spot.year} đã đóng"]
        standing.locked_by += [words for words in said if words not in standing.locked_by]
        standing.lock = standing.lock or (
            f"Số liệu ngày {format_date(spot.day)} đã khoá ({shut[0].words}). {HINT}"
            if shut
            else f"Năm công tác {spot.year} đã khoá nên không thay đổi được nữa."
        )
    return standing


def _told(row, of, line, own, seen):
    """A report by the unit `of` as everybody may read it whose unit is in `own`; they all see the units in `seen`."""
    above = line.ids[: line.ids.index(of)]
    if of not in own and of not in seen:
        row = replace(row, unit=f"cấp trên {line.name}")
    if above and above[-1] not in seen:
        row = replace(row, decider="")
    return row


def _covers(opening, spot):
    return opening.first_day <= spot.day <= opening.last_day


def _lines(spots, years):
    """{(unit, year): Line} in the tree of the year."""
    units = sorted({unit for spot in spots for unit in spot.units})
    lines = {}
    for start in range(0, len(units), BATCH):
        rows = Placement.objects.filter(unit__in=units[start : start + BATCH], year__in=years)
        for unit, year, path, name in rows.values_list("unit_id", "year", "path", "unit__name"):
            lines[unit, year] = Line(ancestor_ids(path), name)
    return lines


def _reports(lines, years):
    """{(unit, year): [_Report]} given by the units of the lines."""
    found = defaultdict(list)
    units = sorted({unit for line in lines.values() for unit in line.ids})
    for start in range(0, len(units), BATCH):
        rows = PeriodReport.objects.filter(year__in=years, unit__in=units[start : start + BATCH], state__in=GIVEN)
        for row in rows.select_related("period", "unit", "decider").order_by("pk"):
            days = (row.period.first_day, row.period.last_day)
            is_lock = row.state == ReportState.ACCEPTED
            taken = (row.decided_at, str(row.decider or "")) if is_lock else (None, "")
            report = _Report(*days, str(row.period), str(row.unit), is_lock, *taken)
            found[row.unit_id, row.year_id].append(report)
    return found


def _unlocks(lines, years):
    """{(unit, year): [_Opening]} that hold now."""
    found = defaultdict(list)
    units = sorted({unit for line in lines.values() for unit in line.ids})
    for start in range(0, len(units), BATCH):
        rows = Unlock.objects.active().filter(year__in=years, unit__in=units[start : start + BATCH])
        for unit, year, *said in rows.values_list("unit_id", "year_id", "first_day", "last_day", "at", "until"):
            found[unit, year].append(_Opening(*said))
    return found
