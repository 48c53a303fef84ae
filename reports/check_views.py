"""The page of what is to be mended in the targets of a unit."""

from itertools import groupby

from django.shortcuts import render

from reports.target_checks import checks_for
from targets.in_view import address, unit_in_view
from targets.years import chosen_year
from unionwork.policy import policy
from units import access


@policy(access.SET_TARGETS, relation="subtree")
def target_checks(request):
    """The checks of the unit in view, grouped by what is wrong."""
    year = chosen_year(request)
    unit = unit_in_view(request, access.SET_TARGETS)
    checks = checks_for(unit, year, request.user) if year and year.is_open else []
    context = {
        "year": year,
        "unit": unit,
        "is_closed": bool(year and not year.is_open),
        "count": len(checks),
        "groups": [(kind.label, list(rows)) for kind, rows in groupby(checks, key=lambda check: check.kind)],
        "list_url": address("target_list", year=year, unit=unit),
    }
    return render(request, "reports/target_checks.html", context)
