"""What moving a unit would change, year by year; and the move itself, refused when that is no longer so."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import sha256

from django.core.exceptions import ValidationError

from activities.models import COUNTED, Activity, Figure, Host, UnitTotal
from activities.moves.moving import move_unit, why_locked, years_to_move
from targets.models import Indicator, Nature
from unionwork.verbs import verb
from units import organising, tree
from units.models import Placement, Unit
from units.tree import ancestor_ids

STALE = "Cây đơn vị vừa thay đổi so với lúc xem trước. Xem lại phần dưới rồi chuyển lần nữa."


@dataclass(frozen=True)
class Line:
    """One indicator, formatted: the unit's own total, and both superiors' before and after ("" where unchanged)."""

    indicator: Indicator
    unit: str
    old_before: str
    old_after: str
    new_before: str
    new_after: str


@dataclass(frozen=True)
class YearPreview:
    """`units`: how many change place, itself included. `counted`: approved records; `others`: those still under way."""

    year: int
    old: Unit | None
    units: int
    counted: int
    others: int
    lines: list


@dataclass(frozen=True)
class Preview:
    """`seal` names the state of the tree this was computed from."""

    years: list
    seal: str


def preview_move(*, unit, parent, year):
    """The Preview of hanging `unit` under `parent` from `year` on. Raises ValidationError when that is not possible."""
    organising.check_superior(unit, parent)
    years = years_to_move(unit, year)
    if not years:
        raise ValidationError(f"Không có năm công tác đang mở nào từ {year} mà “{unit}” còn trong cây.")
    placed = Placement.objects.filter(year__in=years)
    here = {row.year: row for row in placed.filter(unit=unit).select_related("parent")}
    above = {row.year: row for row in placed.filter(unit=parent)}
    moving = [each for each in years if here[each].parent_id != parent.pk]
    if not moving:
        raise ValidationError(f"“{unit}” đang trực thuộc “{parent}” rồi.")
    for each in moving:
        if each not in above:
            raise ValidationError(f"“{parent}” không có trong cây đơn vị năm {each}; chọn áp dụng từ năm sau đó.")
        if above[each].path.startswith(here[each].path):
            raise ValidationError("Không thể chuyển một đơn vị vào chính nó hoặc đơn vị cấp dưới của nó.")
        if why := why_locked(unit=unit, parent=parent, year=each):
            raise ValidationError(why)
    sizes = {each: placed.filter(year=each, path__startswith=here[each].path).count() for each in moving}
    previews = [_year(here[each], above[each], sizes[each]) for each in moving]
    return Preview(previews, _seal(here, above, sizes))


def _seal(here, above, sizes):
    state = [(year, here[year].path, above[year].path, sizes[year]) for year in sizes]
    return sha256(repr(state).encode()).hexdigest()[:16]


@verb("Chuyển đơn vị")
def move_as_previewed(*, unit, parent, year, actor, reason, seal):
    """`moving.move_unit`, unless the tree has changed since the preview sealed `seal`. Returns the years."""
    tree.lock_exclusive()
    if preview_move(unit=unit, parent=parent, year=year).seal != seal:
        raise ValidationError(STALE)
    return move_unit(unit=unit, parent=parent, year=year, actor=actor, reason=reason)


def _year(here, above, units):
    records = Activity.objects.hosted_within(here.path, here.year).order_by()
    status = Counter(records.exclude(status="cancelled").values_list("status", flat=True))
    counted = sum(status[each] for each in COUNTED)
    return YearPreview(here.year, here.parent, units, counted, status.total() - counted, _lines(here, above))


def _lines(here, above):
    """A line of each indicator the unit has figures of."""
    old_line, new_line = set(ancestor_ids(here.path)[:-1]), set(ancestor_ids(above.path))
    leaves = here.parent_id if here.parent_id not in new_line else None
    joins = above.unit_id if above.unit_id not in old_line else None
    totals = _totals([here.unit_id, leaves, joins], here.year)
    shared = _shared(here, {leaves, joins} - {None})
    lines = []
    for indicator in Indicator.objects.filter(pk__in=totals[here.unit_id]).order_by("position", "pk"):
        mine = totals[here.unit_id][indicator.pk]

        def around(unit, sign, indicator=indicator, mine=mine):
            if unit is None:
                return "", ""
            before = totals[unit].get(indicator.pk)
            after = (before or 0) + sign * (mine - shared[unit, indicator.pk])
            return indicator.format(before), indicator.format(after)

        lines.append(Line(indicator, indicator.format(mine), *around(leaves, -1), *around(joins, 1)))
    return lines


def _totals(units, year):
    """{unit id: {indicator id: value}} of the whole year, where there are figures."""
    found = defaultdict(dict)
    rows = UnitTotal.objects.of_year(year).filter(unit__in=[unit for unit in units if unit])
    for row in rows.by_unit_and_indicator():
        if row["figures"]:
            found[row["unit_id"]][row["indicator_id"]] = row["total"]
    return found


def _shared(here, superiors):
    """{(superior, indicator): what joint activities count both inside the moving subtree and elsewhere below it}."""
    rows = Figure.objects.filter(
        activity__in=Activity.objects.counted().hosted_within(here.path, here.year).order_by(),
        activity__hosts__in=Host.objects.counting(),
        indicator__nature=Nature.FLOW,
    ).values_list("pk", "indicator_id", "value", "activity__unit_id", "activity__hosts__unit_id")
    figures, hosts = {}, defaultdict(set)
    for pk, indicator, value, lead, host in rows:
        figures[pk] = indicator, value
        hosts[pk] |= {lead, host}
    involved = {unit for units in hosts.values() for unit in units}
    lines = {
        unit: set(ancestor_ids(path))
        for unit, path in Placement.objects.filter(unit__in=involved, year=here.year).values_list("unit_id", "path")
    }
    whole = dict(Indicator.objects.values_list("pk", "part_of_id")) if figures else {}
    shared = Counter()
    for pk, (indicator, value) in figures.items():
        elsewhere = [lines[unit] for unit in hosts[pk] if unit in lines and here.unit_id not in lines[unit]]
        for superior in superiors:
            if any(superior in line for line in elsewhere):
                of = indicator
                while of:
                    shared[superior, of] += value
                    of = whole[of]
    return shared
