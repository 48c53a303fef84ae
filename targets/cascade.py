"""Which measures reach a unit, and with what plan (DESIGN.md §3, Assignment).

Own: the unit issued the target. Given: an assignment names the unit. Inherited: RATE, COVERAGE and MILESTONE of a
superior pass down unchanged once their target is issued, or as the nearest superior on the way was given them. TOTAL
never passes by itself. A plan of an earlier date is the one of the version then in force (`value_at`).
"""

from collections import defaultdict
from dataclasses import dataclass

from django.db import models

from targets.models import Assignment, AssignmentVersion, Measure, MeasureKind, MeasureVersion
from units.models import Level
from units.tree import ancestor_ids

DEPTH = {level: depth for depth, level in enumerate(Level.values)}


class Source(models.TextChoices):
    OWN = "own", "Tự đặt ra"
    GIVEN = "given", "Cấp trên giao"
    INHERITED = "inherited", "Áp dụng chung từ cấp trên"
    NONE = "none", "Chưa được giao"


@dataclass(frozen=True)
class Plan:
    """One measure as it stands for one unit. `planned`, `registered` in the measure's own scale (`Measure.value`)."""

    measure: Measure
    planned: int | None
    registered: int | None
    source: Source


def plans_for(placements, year, as_of=None, *, only=None):
    """{unit id: [Plan, ...]} in the order issuer (highest first), number, letter. Four statements for any number.

    `placements`: the units' rows in that year's tree, with `unit` selected. `as_of`: as they were in force on that day
    (two statements more). `only`: primary keys of the measures asked about. Every measure carries `siblings`, the
    number of measures of its target.
    """
    placements = list(placements)
    lines = {row.unit_id: ancestor_ids(row.path) for row in placements}
    involved = {pk for line in lines.values() for pk in line}
    measures = (
        Measure.objects.filter(target__year=year, target__issuer__in=involved)
        .select_related("target__issuer", "target__decision")
        .annotate(siblings=models.Count("target__measures"))
        .prefetch_related("indicators", "denominators")
        .order_by("target__number", "letter")
    )
    rows = Assignment.objects.filter(measure__target__year=year, unit__in=involved)
    if only is not None:
        measures, rows = measures.filter(pk__in=only), rows.filter(measure__in=only)
    if as_of:
        measures, rows = _in_force(measures, MeasureVersion, as_of), _in_force(rows, AssignmentVersion, as_of)
    by_issuer = defaultdict(list)
    for measure in measures:
        by_issuer[measure.target.issuer_id].append(measure)
    given = defaultdict(dict)
    for row in rows:
        given[row.unit_id][row.measure_id] = row
    return {
        row.unit_id: [
            plan
            for issuer in lines[row.unit_id]
            for measure in by_issuer[issuer]
            if (plan := _plan(measure, row, lines[row.unit_id], given))
        ]
        for row in placements
    }


def value_at(versions, name, day):
    """What field `name` was on `day`, by `versions` in their order: the last in force by then.

    Before the first number was in force that number applies: a plan of the year is one for the whole year.
    """
    values = [(row.in_force_from, getattr(row, name)) for row in versions]
    known = [value for _, value in values if value is not None]
    by_then = [value for since, value in values if since <= day]
    if any(value is not None for value in by_then):
        return by_then[-1]
    return known[0] if known else None


# What a version fixes, by the field of its row that names what it is a version of.
VERSIONED = {
    MeasureVersion: ("measure", ("value", "floor", "deadline")),
    AssignmentVersion: ("assignment", ("planned", "registered")),
}


def _in_force(rows, versions, day):
    """`rows` with their versioned fields as they were on `day`; rows without versions as they are."""
    of, names = VERSIONED[versions]
    found = defaultdict(list)
    rows = list(rows)
    for version in versions.objects.filter(**{f"{of}__in": [row.pk for row in rows]}).order_by("number"):
        found[getattr(version, f"{of}_id")].append(version)
    for row in rows:
        for name in names if row.pk in found else ():
            setattr(row, name, value_at(found[row.pk], name, day))
    return rows


def _plan(measure, placement, line, given):
    """The plan of one measure for one unit, or None when it does not reach the unit."""
    issuer = measure.target.issuer_id
    own_row = given[placement.unit_id].get(measure.pk)
    registered = own_row.registered if own_row else None
    if issuer == placement.unit_id:
        return Plan(measure, measure.value, registered, Source.OWN)
    if own_row and (own_row.planned is not None or measure.kind == MeasureKind.MILESTONE):
        return Plan(measure, own_row.planned, registered, Source.GIVEN)
    if not measure.is_inherited or not measure.target.issued_on or not concerns(measure, placement):
        return None
    between = line[line.index(issuer) + 1 : -1]
    rows = (given[pk].get(measure.pk) for pk in reversed(between))
    planned = next((row.planned for row in rows if row and row.planned is not None), measure.value)
    return Plan(measure, planned, registered, Source.INHERITED)


def concerns(measure, placement):
    """Whether an inherited measure has anything to count at this unit: its level and its sector."""
    below = DEPTH[placement.level] > DEPTH[measure.level]
    if measure.kind in (MeasureKind.COVERAGE, MeasureKind.MILESTONE) and below:
        return False
    at_or_below = DEPTH[placement.level] >= DEPTH[measure.level]
    return not (measure.sector and at_or_below and placement.unit.sector != measure.sector)
