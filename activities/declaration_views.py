"""Declarations (levels at a date) and milestones: records with their own forms, on the same path."""

from django.shortcuts import get_object_or_404, render

from activities import declared
from activities.form_views import opened, record_page
from activities.forms import DeclarationForm, MilestoneForm
from activities.models import Activity
from activities.rules import Rules
from activities.tables import DeclarationTable
from targets.models import Measure, MeasureKind, Target
from targets.years import chosen_year
from unionwork.policy import policy
from unionwork.tables import paginate
from units import access
from units.models import Unit
from units.scope import chosen_unit


@policy(access.LOG, relation="subtree", methods="GET POST")
def declaration_create(request):
    rules = Rules()

    def make(**how):
        return DeclarationForm(user=request.user, rules=rules, opened=opened(request), **how)

    return record_page(request, make, Activity(), {"heading": "Kê khai số liệu"})


@policy(access.LOG, relation="subtree", methods="GET POST")
def milestone_create(request, measure):
    """A milestone a superior (or the own unit) set, for one of the user's units."""
    wanted = Measure.objects.filter(kind=MeasureKind.MILESTONE, target__in=Target.objects.visible_to(request.user))
    found = get_object_or_404(wanted.select_related("target__issuer"), pk=measure)
    rules = Rules()

    def make(**how):
        return MilestoneForm(user=request.user, rules=rules, measure=found, opened=opened(request), **how)

    return record_page(request, make, Activity(), {"heading": "Ghi mốc hoàn thành", "measure": found})


@policy(access.VIEW, relation="subtree")
def declaration_list(request):
    year = chosen_year(request)
    unit = chosen_unit(request.user, request.GET.get("don-vi", "").replace("\0", ""))
    unit = unit or Unit.objects.visible_to(request.user).first()
    rows, done, expected = declared.below(unit, year) if unit and year else ([], 0, 0)
    context = {
        "unit": unit,
        "table": paginate(request, DeclarationTable(rows, year=year.pk if year else None)),
        "done": done,
        "expected": expected,
        "rows": rows,
        "can_log": access.LOG.held_by(request.user),
        "recent": declared.recent(unit, year) if unit and year else [],
    }
    return render(request, "activities/declaration_list.html", context)
