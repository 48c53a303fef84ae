"""The page of one unit: where it stands, what is below it, who is there, how many people, and what happened to it."""

from datetime import date

from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from activities.models import UnitTotal
from activities.reporting import lateness
from targets.models import Indicator, Nature
from targets.years import chosen_year
from unionwork.policy import policy
from unionwork.tables import PER_PAGE, paginate
from units import access, outline
from units.models import Cluster, Placement, Role, Unit
from units.scope import chosen_tree
from units.structure import structure_of
from units.tables import ChildTable
from units.tree import ancestor_ids


@policy(access.VIEW, relation="subtree")
def unit_detail(request, code):
    """A unit in the tree of `?nam=`; `?q=` searches its direct children."""
    unit = get_object_or_404(Unit.objects.visible_to(request.user).select_related("kind", "successor"), code=code)
    work_year = chosen_year(request)
    year = work_year.pk if work_year else getattr(chosen_tree(""), "pk", timezone.localdate().year)
    placement = Placement.objects.filter(unit=unit, year=year).first()
    context = {
        "unit": unit,
        "year_shown": year,
        "placement": placement,
        "roles": Role.objects.filter(unit=unit, user__is_active=True)
        .select_related("user")
        .order_by("user__sort", "user_id", "pk"),
        "moves": unit.moves.select_related("from_parent", "to_parent", "actor"),
        "predecessors": unit.predecessors.order_by("sort", "pk"),
        "clusters": Cluster.objects.filter(year=year, members=unit).select_related("organizer"),
    }
    context |= _rights(request.user, unit)
    if placement:
        context |= _line(request.user, unit, placement) | _below(request, unit, placement)
        context["structure"] = structure_of(unit, placement, work_year.first_day if work_year else date(year, 1, 1))
        context["headcounts"] = headcounts(unit, work_year) if work_year else []
        context["reporting"] = lateness.sentence(unit, work_year) if work_year else ""
    return render(request, "reports/unit_detail.html", context)


def _rights(user, unit):
    manages = Unit.objects.editable_by(user).filter(pk=unit.pk).exists()
    return {"can_manage": manages, "can_move": manages and Unit.objects.movable_by(user).filter(pk=unit.pk).exists()}


def _line(user, unit, placement):
    """The superiors from the top; those out of scope are named but not linked."""
    above = ancestor_ids(placement.path)[:-1]
    units = {row.pk: row for row in Unit.objects.filter(pk__in=above)}
    mine = set(Unit.objects.visible_to(user).filter(pk__in=above).values_list("pk", flat=True))
    return {"line": [{"unit": units[pk], "is_mine": pk in mine} for pk in above]}


def _below(request, unit, placement):
    """The direct children in a table; the search box only when they are many."""
    visible = outline.visible_in(request.user, placement.year)
    children = visible.filter(parent=unit)
    count = children.count()
    text = request.GET.get("q", "").strip()
    if text:
        children = children.filter(unit__in=Unit.objects.matching(text))
    table = ChildTable(outline.with_counts(children, visible).in_order(), year=placement.year)
    paginate(request, table)
    return {"children": table, "children_count": count, "q": text, "is_long": count > PER_PAGE or bool(text)}


def headcounts(unit, work_year):
    """[{indicator, whole, own}] of every STOCK indicator, formatted: the latest approved levels of the year.

    `whole`: the unit and everything below; `own`: what the unit declares for itself, which is what the direct
    children's totals leave over (levels have no overlap). "–" where nobody declared; those come last. Three statements.
    """
    totals = UnitTotal.objects.of_year(work_year.pk).filter(indicator__nature=Nature.STOCK)
    whole = _sums(totals.filter(unit=unit))
    below = Placement.objects.filter(parent=unit, year=work_year.pk).values("unit_id")
    children = _sums(totals.filter(unit__in=below))
    rows = []
    for indicator in Indicator.objects.filter(nature=Nature.STOCK).order_by("position", "pk"):
        value, records = whole.get(indicator.pk, (0, 0))
        under, records_under = children.get(indicator.pk, (0, 0))
        own = value - under if records > records_under else None
        rows.append(
            {
                "indicator": indicator,
                "whole": indicator.format(value if records else None),
                "own": indicator.format(own),
                "is_known": bool(records),
            }
        )
    return sorted(rows, key=lambda row: not row["is_known"])


def _sums(totals):
    """{indicator id: (value, records)} summed over units and provinces."""
    found = {}
    for row in totals.by_unit_and_indicator():
        value, records = found.get(row["indicator_id"], (0, 0))
        found[row["indicator_id"]] = value + row["total"], records + row["figures"]
    return found
