"""What a record that is being sent is compared with: what its unit and the units beside it recorded before.

Read for a page of records in as few statements as for one of them.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from activities.declared import levels_before
from activities.models import COUNTED, SENT, Activity, Evidence, Figure, Host, RecordNature, Status
from activities.writing import reuse
from units.models import Placement

RECENT = 12  # records that make a habit, at most
NEAR = timedelta(days=3)
MOST_NEAR = 200  # for each record
HEADCOUNT = ("doan-vien", "thanh-nien")  # codes of the declared indicators; codes never change


@dataclass
class Known:
    """What a record is compared with. Figures are {indicator id: value}."""

    usual: dict = field(default_factory=dict)  # {indicator id: [values of the unit's recent records of the kind]}
    members: int | None = None
    twins: list = field(default_factory=list)  # the unit's own records of this kind and day
    neighbours: list = field(default_factory=list)  # (record near in time, its figures), of units beside this one
    has_evidence: bool = True
    reused: reuse.Reuse = field(default_factory=reuse.Reuse)  # of its pictures, by other records
    shown_in: Activity | None = None  # the latest of the unit's own records that shows one of them
    levels: dict = field(default_factory=dict)  # {indicator id: Level} that the unit declared before a declaration


def known_about(entry, rules):
    """`Known` for one entry; of a record that is not saved yet too."""
    return known_about_each([entry], rules)[0]


def known_about_each(entries, rules):
    """[Known] for `entries`, in their order: few statements, however many and however much was recorded before.

    Of more records near them than `MOST_NEAR` for each the oldest are left out.
    """
    natures = [rules.kinds[entry.activity.kind_id].nature for entry in entries]
    declared = [n for n, nature in enumerate(natures) if nature == RecordNature.STOCK]
    happened = [n for n, nature in enumerate(natures) if nature == RecordNature.FLOW]
    levels = levels_before([entries[n].activity for n in declared]) if declared else []
    found = dict(zip(declared, (Known(levels=each) for each in levels), strict=True))
    found |= dict(zip(happened, _of_events([entries[n] for n in happened]), strict=True))
    return [found.get(n) or Known() for n in range(len(entries))]


def _of_events(entries):
    if not entries:
        return []
    activities = [entry.activity for entry in entries]
    living = Activity.objects.exclude(status=Status.CANCELLED)
    near, usual, members = _near(activities, living), _usual(activities, living), _members(entries)
    others = {row.pk for rows in near for row in rows}
    kinds, figures = {activity.kind_id for activity in activities}, {}
    for row in Figure.objects.filter(activity__in=others, activity__kind__in=kinds).order_by():
        figures.setdefault(row.activity_id, {})[row.indicator_id] = row.value
    shown = _shown(activities)
    return [
        Known(
            usual=usual[n],
            members=members[n],
            twins=[row for row in near[n] if _place(row) == _place(activity)],
            neighbours=[(row, figures.get(row.pk, {})) for row in near[n] if row.unit_id != activity.unit_id],
            **shown[n],
        )
        for n, activity in enumerate(activities)
    ]


def _place(activity):
    return activity.unit_id, activity.kind_id, activity.last_day


def _shown(activities):
    """[What is known about the evidence of a saved record]; one that is not saved yet has none."""
    files = defaultdict(list)
    ids = [activity.pk for activity in activities if activity.pk]
    for file in Evidence.objects.filter(activity__in=ids):
        files[file.activity_id].append(file)
    found = reuse.used_before_each([(activity, files.get(activity.pk, [])) for activity in activities])
    latest = {pk for again in found for pk in again.records[:1]}
    latest = Activity.objects.in_bulk(latest) if latest else {}
    return [
        {
            "has_evidence": activity.pk in files,
            "reused": again,
            "shown_in": latest[again.records[0]] if again.records else None,
        }
        for activity, again in zip(activities, found, strict=True)
    ]


def _near(activities, living):
    """[The unit's own records of the kind and day, those sent by units under the same superior within some days, and
    those that name this unit as a partner]. Two statements, each with an index of its own, and one of who is whose
    superior."""
    most = MOST_NEAR * len(activities)
    living = living.filter(year__in={activity.year_id for activity in activities}, kind__nature=RecordNature.FLOW)
    living = living.filter(_any(Q(last_day__range=days) for days in _ranges(activities)))
    living = living.select_related("unit").order_by("-last_day", "-pk")
    own = _any(Q(unit=unit, kind=kind, last_day=day) for unit, kind, day in {_place(one) for one in activities})
    rows = list(living.filter(own | Q(_beside(activities), status__in=SENT))[:most])
    units = {activity.unit_id for activity in activities}
    hosts = Host.objects.counting().filter(unit__in=units)
    joint = living.filter(hosts__in=hosts, status__in=SENT).annotate(partner=F("hosts__unit"))
    joint = list(joint[:most])
    parents = _parents([*activities, *rows])
    return [_near_one(activity, parents, rows, joint) for activity in activities]


def _near_one(activity, parents, rows, joint):
    place, parent = _place(activity), parents.get((activity.unit_id, activity.year_id))

    def is_near(row):
        near = row.year_id == activity.year_id and abs(row.last_day - activity.last_day) <= NEAR
        return near and row.form_key != activity.form_key

    def is_beside(row):
        is_below = parent is not None and parents.get((row.unit_id, row.year_id)) == parent
        return row.status in SENT and is_below and row.unit_id != activity.unit_id

    found = {row.pk: row for row in rows if is_near(row) and (_place(row) == place or is_beside(row))}
    found |= {row.pk: row for row in joint if is_near(row) and row.partner == activity.unit_id and row.pk not in found}
    return list(found.values())


def _ranges(activities):
    """[(first day, last day)] near the records: days that follow each other are one range."""
    ranges = []
    for day in sorted({activity.last_day for activity in activities}):
        if ranges and day - NEAR <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], day + NEAR)
        else:
            ranges.append((day - NEAR, day + NEAR))
    return ranges


def _any(conditions):
    return reduce(or_, conditions)


def _beside(activities):
    """Q: records of the units that stand under the same superiors, the records' own among them."""
    places = Placement.objects.filter(year__in={activity.year_id for activity in activities})
    parents = places.filter(unit__in={activity.unit_id for activity in activities}).values("parent")
    return Q(unit__in=places.filter(parent__in=parents).values("unit"))


def _parents(records):
    """{(unit, year): its superior}"""
    units, years = ({getattr(row, name) for row in records} for name in ("unit_id", "year_id"))
    rows = Placement.objects.filter(unit__in=units, year__in=years)
    return {(unit, year): parent for unit, year, parent in rows.values_list("unit_id", "year", "parent_id")}


def _usual(activities, living):
    """[{indicator id: its values in the unit's latest counted records of the kind}]"""
    units, kinds = ({getattr(row, name) for row in activities} for name in ("unit_id", "kind_id"))
    nth = Window(RowNumber(), partition_by=[F("unit"), F("kind")], order_by=[F("last_day").desc(), F("pk").desc()])
    counted = living.filter(unit__in=units, kind__in=kinds, status__in=COUNTED)
    counted = counted.exclude(form_key__in=[activity.form_key for activity in activities]).order_by()
    latest = counted.annotate(nth=nth).filter(nth__lte=RECENT).values("pk")
    values = defaultdict(lambda: defaultdict(list))
    rows = Figure.objects.filter(activity__in=latest).order_by()
    for *key, indicator, value in rows.values_list("activity__unit", "activity__kind", "indicator_id", "value"):
        values[tuple(key)][indicator].append(value)
    return [values.get((activity.unit_id, activity.kind_id), {}) for activity in activities]


def _members(entries):
    """[Members of all the units of an entry together by their latest declarations, the greater of the two counts each;
    None when one of them has declared nothing]"""
    units = [[entry.activity.unit_id, *(unit.pk for unit in entry.hosts)] for entry in entries]
    every = {unit for each in units for unit in each}
    rows = Figure.objects.filter(activity__unit__in=every, indicator__code__in=HEADCOUNT)
    rows = rows.exclude(activity__status=Status.CANCELLED).order_by("activity__last_day", "activity_id")
    latest = {
        (unit, code): value for unit, code, value in rows.values_list("activity__unit", "indicator__code", "value")
    }
    return [_sum_of_members(each, latest) for each in units]


def _sum_of_members(units, latest):
    counts = [[latest[unit, code] for code in HEADCOUNT if (unit, code) in latest] for unit in units]
    return sum(max(values) for values in counts) if all(counts) else None
