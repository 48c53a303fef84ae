"""Telling the units below what was issued: one notice a person and decision, however many units."""

from collections import defaultdict

from targets.cascade import concerns
from targets.in_view import address
from targets.models import Assignment, Measure
from unionwork.numbers import format_number
from units import access, notices
from units.models import NoticeKind, Placement
from units.tree import ancestor_ids


def announce(*, decision, drafts, issued):
    """Tell the people who log or set targets for the units to which `decision` gave something, or other numbers.

    `drafts`: the DraftAssignments it put in force; `issued`: keys of the targets that reach the units below by it for
    the first time. Whoever decided needs no telling. Five statements beside the notices themselves.
    """
    given = defaultdict(set)  # unit id: ids of the measures it was given a number of
    for row in drafts:
        given[row.unit_id].add(row.measure_id)
    targets = {row.measure_id: row.measure.target_id for row in drafts}
    new = [row for row in Measure.objects.filter(target__in=issued) if row.is_inherited]
    changed = {row.measure_id: row.measure for row in drafts if row.measure.is_inherited}
    targets |= {measure.pk: measure.target_id for measure in new}
    places = _places(decision, given, below=bool(new or changed))
    rows = defaultdict(list)
    people = notices.people_of(places.values("unit_id"), access.LOG)
    overrides = _overrides(changed)
    for place in sorted(places, key=lambda place: len(place.path)) if people else ():
        if place.unit_id not in people:
            continue
        measures = set(given.get(place.unit_id, ()))
        measures |= {measure.pk for measure in new if concerns(measure, place)}
        measures |= {
            measure.pk
            for measure in changed.values()
            if concerns(measure, place) and _follows(place, measure.pk, given, overrides[measure.pk])
        }
        for user in people[place.unit_id] if measures else ():
            rows[user].append((place.unit, {targets[measure] for measure in measures}))
    notices.tell_each(
        kind=NoticeKind.ASSIGNED,
        rows=[_notice(user, decision, units) for user, units in rows.items() if user.pk != decision.actor_id],
    )


def _places(decision, given, *, below):
    """Placements of the units whose numbers may have changed, their units at hand."""
    places = Placement.objects.filter(year=decision.year_id).select_related("unit")
    if not below:
        return places.filter(unit__in=given)
    here = places.get(unit=decision.giver_id)
    return places.filter(path__startswith=here.path).exclude(pk=here.pk)


def _overrides(measures):
    """{measure id: the units with a number of their own}."""
    found = defaultdict(set)
    rows = Assignment.objects.filter(measure__in=measures, planned__isnull=False)
    for measure, unit in rows.values_list("measure_id", "unit_id"):
        found[measure].add(unit)
    return found


def _follows(place, measure, given, overrides):
    """Whether the nearest number on the way up is one that was given now."""
    for unit in reversed(ancestor_ids(place.path)):
        if measure in given.get(unit, ()):
            return True
        if unit in overrides:
            return False
    return False


def _notice(user, decision, units):
    """One notice for all the units of a person: it leads to the highest."""
    unit = units[0][0]
    count = len(set().union(*(targets for _, targets in units)))
    text = f"Chỉ tiêu năm {decision.year} được giao: {format_number(count)} chỉ tiêu (Quyết định {decision.number})"
    return user, unit.pk, text, address("intake", year=decision.year, unit=unit)
