"""A unit's own registration of a measure; what its page and the grid (`reports.grid_views`) begin with."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import prefetch_related_objects
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render

from targets import assignment
from targets.forms import RegisterForm, show_refusal
from targets.in_view import address, unit_in_view
from targets.models import Assignment, Measure, MeasureKind, Target
from targets.scale import scale_of
from targets.sharing import Sharing
from targets.wording import describe, plan_in_words
from unionwork.policy import policy
from units import access
from units.models import Unit
from units.tree import ancestor_ids


def shared_measure(request, pk):
    """The measure and how its target stands below the unit in view. Raises Http404 when it is not in sight or the unit
    not in the issuer's line, PermissionDenied when it is not the user's to set."""
    measures = Measure.objects.filter(target__in=Target.objects.visible_to(request.user))
    measure = get_object_or_404(measures.select_related("target__year", "target__issuer"), pk=pk)
    target = measure.target
    mine = Unit.objects.reached(request.user, access.SET_TARGETS)
    default = None if request.GET.get("don-vi") else mine.filter(pk=target.issuer_id).first()
    unit = unit_in_view(request, default=default)
    sharing = Sharing(target, unit, request.user)
    if sharing.placement is None or target.issuer_id not in ancestor_ids(sharing.placement.path):
        raise Http404
    if unit != default and not sharing.is_mine:
        raise PermissionDenied
    plan = sharing.plan(measure)
    if plan:
        return plan.measure, sharing
    prefetch_related_objects([measure], "indicators", "denominators")
    return measure, sharing


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def measure_register(request, pk):
    """What the unit in view registers itself for a measure that reaches it."""
    measure, sharing = shared_measure(request, pk)
    plan = sharing.plan(measure)
    if not sharing.may_register or measure.kind == MeasureKind.MILESTONE:
        raise Http404
    now = Assignment.objects.filter(measure=measure, unit=sharing.unit).first()
    initial = {"registered": now.registered if now else None, "version": now.version if now else assignment.NEW}
    form = RegisterForm(request.POST or None, initial=initial, scale=scale_of(measure))
    detail_url = address("target_detail", sharing.target.pk, year=sharing.year, unit=sharing.unit)
    if request.method == "POST" and form.is_valid():
        try:
            assignment.register(measure=measure, unit=sharing.unit, actor=request.user, **form.cleaned_data)
        except ValidationError as refused:
            show_refusal(form, refused)
        else:
            messages.success(request, "Đã lưu số đăng ký.")
            return redirect(detail_url)
    context = {
        "measure": measure,
        "description": describe(measure),
        "target": sharing.target,
        "year": sharing.year,
        "unit": sharing.unit,
        "form": form,
        "plan": plan_in_words(measure, plan.planned) if plan else "chưa được giao",
        "detail_url": detail_url,
    }
    return render(request, "targets/measure_register.html", context, status=422 if form.errors else 200)
