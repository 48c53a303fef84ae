"""The tree of a year: the only writer of `Placement`.

Every verb refuses a frozen year (that of a closed work year). Callers that hold stored totals on the tree wrap
`move` in their own door (`activities.moving`), because this floor knows nothing of totals.
"""

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from unionwork import planner
from units.models import Placement, TreeYear, Unit
from units.scope import STEP

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TREE_LOCK = 7_350_001  # key of the advisory lock on PostgreSQL
BATCH = 10_000  # values in one IN (…)
NO_YEAR = "Không có năm công tác đang mở nào mà đơn vị và cấp trên cùng tồn tại."


def step(pk):
    """One level of a path: the primary key in upper-case base 36, fixed width."""
    digits = ""
    while pk:
        pk, rest = divmod(pk, 36)
        digits = DIGITS[rest] + digits
    return digits.rjust(STEP, "0")


def ancestor_ids(path):
    """Primary keys along a path, the root first, the unit itself last."""
    return [int(path[i : i + STEP], 36) for i in range(0, len(path), STEP)]


def province_id(path):
    """Primary key of the unit just below the root (a province), or the root's own: what splits hot totals."""
    return int(path[STEP : 2 * STEP] or path[:STEP], 36)


def lock_shared():
    """For writers of totals: the tree stands still until the transaction ends (SQLite: IMMEDIATE already does it)."""
    _lock("pg_advisory_xact_lock_shared")


def lock_exclusive():
    """For moves: no totals are written until the transaction ends."""
    _lock("pg_advisory_xact_lock")


def _lock(function):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [TREE_LOCK])


def open_years():
    """Years whose tree may still change."""
    return list(TreeYear.objects.filter(frozen=False).order_by("year").values_list("year", flat=True))


def nearest_year(year):
    """The year whose tree is that of `year`, or is copied when `year` is opened; None while there is no tree at all."""
    trees = TreeYear.objects
    nearest = trees.filter(year__lte=year).order_by("-year").first() or trees.order_by("year").first()
    return nearest and nearest.year


@transaction.atomic
def open_year(*, year):
    """Give `year` a tree: a copy of the nearest earlier year's (else the nearest later one's). No-op when it has one.

    Units founded after the year stay out; the children of one left out hang on its nearest kept ancestor.
    """
    lock_exclusive()
    if TreeYear.objects.filter(year=year).exists():
        return
    source = nearest_year(year)
    TreeYear.objects.create(year=year)
    if source is None:
        return
    paths = {}
    copies = []
    for row in Placement.objects.filter(year=source).select_related("unit").order_by("path"):
        if row.unit.founded and row.unit.founded.year > year:
            continue
        parent = next((pk for pk in reversed(ancestor_ids(row.path)[:-1]) if pk in paths), None)
        path = paths[row.unit_id] = paths.get(parent, "") + step(row.unit_id)
        copies.append(Placement(unit_id=row.unit_id, year=year, parent_id=parent, path=path, level=row.level))
    Placement.objects.bulk_create(copies, batch_size=2000)


def freeze(*, year, frozen=True):
    """A closed year's tree never changes."""
    TreeYear.objects.update_or_create(year=year, defaults={"frozen": frozen})


@transaction.atomic
def place(*, unit, parent):
    """Stand a new unit under `parent` (None: a root) in every open year that knows the parent and the unit."""
    rows, nowhere = place_many(pairs=[(unit, parent)])
    if nowhere:
        raise ValidationError({"founded": NO_YEAR})
    return rows


@transaction.atomic
def place_many(*, pairs):
    """`place` for many (unit, parent) at once, superiors before what stands under them.

    Returns the new placements, and the units for which no open year had a place. Years in which a unit stands
    already are left as they are.
    """
    lock_exclusive()
    if not TreeYear.objects.exists():
        TreeYear.objects.create(year=timezone.localdate().year)
    years = open_years()
    paths = _paths({unit.pk for pair in pairs for unit in pair if unit}, years)
    rows, nowhere = [], []
    for unit, parent in pairs:
        known = len(rows)
        for year in years:
            above = paths.get((parent.pk, year)) if parent else ""
            if above is None or (unit.pk, year) in paths or (unit.founded and unit.founded.year > year):
                continue
            path = paths[unit.pk, year] = above + step(unit.pk)
            rows.append(Placement(unit=unit, year=year, parent=parent, path=path, level=unit.kind.level))
        if len(rows) == known:
            nowhere.append(unit)
    made = Placement.objects.bulk_create(rows, batch_size=2000)
    planner.wrote(len(made), Unit, Placement)
    return made, nowhere


def _paths(units, years):
    """{(unit id, year): path} of those that are placed."""
    units, paths = sorted(units), {}
    for start in range(0, len(units), BATCH):
        rows = Placement.objects.filter(unit__in=units[start : start + BATCH], year__in=years)
        paths |= {(unit, year): path for unit, year, path in rows.values_list("unit_id", "year", "path")}
    return paths


@transaction.atomic
def set_level(*, unit, level):
    """The unit's level in the open years' trees, after its kind changed."""
    lock_exclusive()
    Placement.objects.filter(unit=unit, year__in=open_years()).update(level=level)


@transaction.atomic
def move(*, unit, parent, year):
    """Hang `unit` with everything below it under `parent` in `year`. Returns how many placements changed.

    Raises ValidationError when the year is frozen, or the new superior lies below the unit.
    """
    lock_exclusive()
    if not TreeYear.objects.filter(year=year, frozen=False).exists():
        raise ValidationError(f"Cây đơn vị năm {year} đã khoá.")
    here = Placement.objects.get(unit=unit, year=year)
    above = Placement.objects.filter(unit=parent, year=year).first()
    if above is None:
        raise ValidationError({"parent": f"“{parent}” không có trong cây đơn vị năm {year}."})
    if above.path.startswith(here.path):
        raise ValidationError({"parent": "Không thể chuyển một đơn vị vào chính nó hoặc đơn vị cấp dưới của nó."})
    rows = list(Placement.objects.filter(year=year, path__startswith=here.path).order_by("path"))
    kept = len(here.path) - STEP
    for row in rows:
        row.path = above.path + row.path[kept:]
        if row.unit_id == unit.pk:
            row.parent = parent
    Placement.objects.bulk_update(rows, ["path", "parent"], batch_size=500)
    return len(rows)
