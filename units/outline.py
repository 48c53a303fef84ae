"""The unit tree as somebody reads it: only the levels opened, or what a search found with everything above it."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count, F, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber

from units.models import Placement, Role, Unit
from units.tree import ancestor_ids

MOST_CHILDREN = 200  # shown under one unit; the unit's own page has them all, page by page
MOST_FOUND = 50
MOST_OPEN = 100


@dataclass
class Node:
    """A row of the tree. `hidden`: how many of its units below are not shown although it is open."""

    placement: Placement
    is_open: bool = False
    is_match: bool = False
    children: list = field(default_factory=list)

    @property
    def unit(self):
        return self.placement.unit

    @property
    def hidden(self):
        return self.placement.children - len(self.children) if self.is_open else 0


@dataclass
class Outline:
    """`opened`: the codes that are open, superiors included. `capped`: a search found more than is shown."""

    roots: list
    opened: list
    found: int = 0
    capped: bool = False


def visible_in(user, year):
    """The year's placements of the units that the user may see today."""
    return Placement.objects.filter(year=year, unit__in=Unit.objects.visible_to(user))


def with_counts(placements, visible):
    """Annotates `children` (direct, visible ones) and `people` (who hold a role there)."""
    below = visible.filter(parent=OuterRef("unit")).order_by().values("parent").annotate(n=Count("pk")).values("n")
    roles = Role.objects.filter(unit=OuterRef("unit"), user__is_active=True).order_by().values("unit")
    people = roles.annotate(n=Count("user", distinct=True)).values("n")
    return placements.annotate(children=Subquery(below), people=Subquery(people))


def browse(user, year, opened=None):
    """The units at the top of the user's scope and the levels opened; by default the first one. Four statements."""
    visible = visible_in(user, year)
    tops = list(_rows(visible.exclude(parent__in=Unit.objects.visible_to(user)), visible)[:MOST_CHILDREN])
    if opened is None:
        ids = {row.unit_id for row in tops[:1]}
    else:
        paths = visible.filter(unit__code__in=opened[:MOST_OPEN]).values_list("path", flat=True)
        ids = {pk for path in paths for pk in ancestor_ids(path)}
    place = Window(RowNumber(), partition_by=F("parent"), order_by=["unit__sort", "unit_id"])
    children = defaultdict(list)
    for row in _rows(visible.filter(parent__in=ids).annotate(place=place).filter(place__lte=MOST_CHILDREN), visible):
        children[row.parent_id].append(row)
    codes = []

    def node(row):
        made = Node(row, is_open=row.unit_id in ids and bool(row.children))
        if made.is_open:
            codes.append(row.unit.code)
            made.children = [node(child) for child in children[row.unit_id]]
        return made

    return Outline([node(row) for row in tops], codes)


def search(user, year, text):
    """What matches `text`, with the superiors the user may see. Two statements."""
    visible = visible_in(user, year)
    matching = visible.filter(unit__in=Unit.objects.matching(text)).order_by("unit__sort", "unit_id")
    found = list(matching.values_list("unit_id", "path")[: MOST_FOUND + 1])
    matches = {unit for unit, _ in found[:MOST_FOUND]}
    line = {pk for unit, path in found[:MOST_FOUND] for pk in ancestor_ids(path)}
    nodes = {
        row.unit_id: Node(row, is_match=row.unit_id in matches) for row in _rows(visible.filter(unit__in=line), visible)
    }
    roots = []
    for node in nodes.values():
        above = nodes.get(node.placement.parent_id)
        (above.children if above else roots).append(node)
    return Outline(roots, [], found=len(matches), capped=len(found) > MOST_FOUND)


def _rows(placements, visible):
    return with_counts(placements, visible).in_order()
