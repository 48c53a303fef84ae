"""The page of one measure down the whole tree."""

from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render

from reports.rows import progress_url
from reports.whole_tree import Opening, WholeTree
from targets.in_view import address, unit_in_view
from targets.models import Measure, Target
from targets.wording import describe
from targets.years import chosen_year
from unionwork.policy import policy
from units import access
from units.models import Placement, Unit
from units.tree import ancestor_ids


@policy(access.VIEW, relation="subtree")
def measure_tree(request, pk):
    """One measure from the unit in view down: `?cap=` opens every row above a level, `?mo=`, `?dong=` single ones."""
    targets = Target.objects.visible_to(request.user)
    measures = Measure.objects.filter(target__in=targets).annotate(siblings=Count("target__measures"))
    measure = get_object_or_404(measures.select_related("target__issuer", "target__year"), pk=pk)
    year, issuer = measure.target.year, measure.target.issuer
    if request.GET.get("nam", str(year)) != str(year):  # the year switcher: a measure has one year
        return redirect(address("target_list", year=chosen_year(request)))
    default = None if "don-vi" in request.GET else Unit.objects.visible_to(request.user).filter(pk=issuer.pk).first()
    unit = unit_in_view(request, default=default)
    top = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit").first()
    if top is None or issuer.pk not in ancestor_ids(top.path):
        raise Http404
    tree = WholeTree(measure, top, Opening.asked(request.GET), request.user)
    context = {
        "measure": measure,
        "number": measure if measure.siblings > 1 else measure.target.number,
        "target": measure.target,
        "year": year,
        "unit": unit,
        "description": describe(tree.measure),
        "nodes": tree.nodes,
        "levels": [
            {"label": label, "count": count, "url": tree.url(Opening(level)), "is_open": tree.opening.level == level}
            for level, label, count in tree.levels
        ],
        "detail_url": address("target_detail", measure.target_id, year=year, unit=unit),
        "progress_url": progress_url(unit, year),
    }
    return render(request, "reports/whole_tree.html", context)
