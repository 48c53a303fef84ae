"""Where everybody starts (the dashboard) and where progress is read, down to the units and records behind a number."""

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone

from activities import reading
from activities.models import Activity
from activities.reporting import unit_periods
from reports import home
from reports.evaluation import badness, evaluate
from reports.late_tile import late_tile
from reports.rows import Child, progress_url, row_of
from reports.summary import summarise
from targets import intake
from targets.years import chosen_year
from unionwork.policy import ANY_USER, policy
from units import access
from units.models import Placement
from units.scope import chosen_unit

SHORT = 3  # so many targets stand on a cadre's first page
CHILDREN_A_PAGE = 100


@policy(ANY_USER, relation="own", methods="GET")
def dashboard(request):
    """By role: what to write and complete for those who log; what waits and where targets stand for those who lead."""
    year = chosen_year(request)
    unit = chosen_unit(request.user, request.GET.get("don-vi"))
    placement = _placement(unit, year)
    context = {
        "unit": unit,
        "placement": placement,
        "as_of": timezone.localtime(),
        "can_log": access.LOG.held_by(request.user),
        "can_review": access.REVIEW.held_by(request.user),
        "leads": _leads(request.user),
    }
    if placement:
        periods = unit_periods.periods_of(placement)
        results = evaluate([placement], year, compare=False, pending=reading.waiting(placement.path, year))[unit.pk]
        rows = [row_of(result, unit, year) for target in results for result in target.measures]
        rows.sort(key=_badness)
        context["unanswered"] = intake.open_for(request.user, placement, year, [row.result.plan for row in rows])
        context["late"] = late_tile(request.user, placement, year, periods) if context["leads"] else None
        context |= {"rows": rows if context["leads"] else rows[:SHORT], "all": len(rows), "summary": summarise(results)}
    if context["can_log"]:
        context |= home.of_writer(request.user)
        context |= home.of_unit(request.user, placement, year, periods) if placement else {}
    if context["can_review"]:
        waiting = Activity.objects.reviewable_by(request.user)
        context["waiting"] = waiting.select_related("unit", "kind").order_by("submitted_at", "pk")[:5]
    return render(request, "reports/dashboard.html", context)


@policy(access.VIEW, relation="subtree", methods="GET")
def progress(request):
    """A unit's measures and its children's: a matrix, or with ?y= one measure down to the units behind it."""
    year = chosen_year(request)
    unit = chosen_unit(request.user, request.GET.get("don-vi"))
    placement = _placement(unit, year)
    if placement is None:
        return render(request, "reports/progress.html", {"unit": unit, "rows": []})
    below = Placement.objects.filter(year=year.pk, parent=unit).in_order()
    results = evaluate([placement], year, pending=reading.waiting(placement.path, year))[unit.pk]
    rows = [row_of(result, unit, year) for target in results for result in target.measures]
    context = {"unit": unit, "placement": placement, "rows": rows, "summary": summarise(results)}
    if "y" in request.GET:
        return _drill(request, context, below, year)
    page = Paginator(below, CHILDREN_A_PAGE).get_page(request.GET.get("page"))
    context |= {"page": page, "children": _matrix(page, year, [row.result.measure for row in rows])}
    return render(request, "reports/progress.html", context)


def _drill(request, context, below, year):
    """One measure: the unit's own line and its children's, worst first."""
    own = next((row for row in context["rows"] if str(row.result.measure.pk) == request.GET["y"]), None)
    if own is None:
        raise Http404
    placements = list(below)
    measure = own.result.measure
    found = evaluate(placements, year, measures=[measure])
    units = {row.unit_id: row.unit for row in placements}
    children = [
        Child(units[unit], row=row_of(result, units[unit], year))
        for unit, targets in found.items()
        for target in targets
        for result in target.measures
    ]
    children.sort(key=lambda child: _badness(child.row))
    context |= {
        "measure": measure,
        "own": own,
        "children": children,
        "progress_url": progress_url(context["unit"], year),
    }
    return render(request, "reports/progress_measure.html", context)


def _matrix(placements, year, measures):
    """The children, each with a Row or None for every measure."""
    placements = list(placements)
    found = evaluate(placements, year, measures=measures, compare=False)
    children = []
    for placement in placements:
        unit = placement.unit
        results = {row.measure: row for target in found[unit.pk] for row in target.measures}
        cells = [row_of(results[measure], unit, year) if measure in results else None for measure in measures]
        children.append(Child(unit, url=progress_url(unit, year), cells=tuple(cells)))
    return children


def _badness(row):
    return badness(row.result)


def _placement(unit, year):
    """Where the unit stands in the year's tree; None when it does not, or there is no year or unit at all."""
    if unit is None or year is None:
        return None
    return Placement.objects.select_related("unit__kind").filter(unit=unit, year=year.pk).first()


def _leads(user):
    """Whether the user follows others' work rather than only writing the own unit's."""
    return any(act.held_by(user) for act in (access.REVIEW, access.SET_TARGETS, access.MANAGE_UNITS)) or not (
        access.LOG.held_by(user)
    )
