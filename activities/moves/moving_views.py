"""Hanging a unit under another superior: choose, see what changes, say why, do it."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, When
from django.shortcuts import get_object_or_404, redirect, render

from activities.moves.move_preview import move_as_previewed, preview_move
from activities.moves.moving import years_to_move
from targets.models import WorkYear
from targets.years import current_year
from unionwork.policy import policy
from units import access, organising
from units.forms import show_refusal
from units.models import Placement, Unit

MOST_RESULTS = 20


class MoveForm(forms.Form):
    """`seal`: of the preview that was on the screen."""

    reason = forms.CharField(
        label="Lý do hoặc số quyết định",
        max_length=500,
        help_text="Ví dụ: Quyết định số 12-QĐ/TĐTN ngày 05/3/2025 về sắp xếp tổ chức.",
        error_messages={"required": "Ghi lý do hoặc số quyết định chuyển đơn vị."},
    )
    seal = forms.CharField(widget=forms.HiddenInput, max_length=16, required=False)


@policy(access.MANAGE_UNITS, relation="superior", methods="GET POST")
def unit_move(request, code):
    """`?cap-tren=` the new superior, `?tu-nam=` the first year it holds in, `?tim=` searches superiors."""
    unit = get_object_or_404(Unit.objects.visible_to(request.user).select_related("kind"), code=code)
    if not Unit.objects.movable_by(request.user).filter(pk=unit.pk).exists():
        raise PermissionDenied
    years = years_to_move(unit, 0)
    year = _first_year(request.GET.get("tu-nam", ""), years)
    context = {"unit": unit, "years": years, "first_year": year, "tim": request.GET.get("tim", "").strip()}
    chosen = request.GET.get("cap-tren", "")
    if chosen and year:
        context |= _preview(request.user, unit, chosen, year)
    if "preview" in context:
        form = MoveForm(request.POST or None, initial={"seal": context["preview"].seal})
        if request.method == "POST" and form.is_valid():
            try:
                moved = move_as_previewed(
                    unit=unit, parent=context["parent"], year=year, actor=request.user, **form.cleaned_data
                )
            except ValidationError as refused:
                form = MoveForm(request.POST.copy())
                form.data["seal"] = context["preview"].seal  # the reader sees the new preview now
                show_refusal(form, refused)
            else:
                listed = ", ".join(map(str, moved))
                messages.success(request, f"Đã chuyển “{unit.name}” về “{context['parent'].name}”, năm {listed}.")
                return redirect("unit_detail", unit.code)
        context["form"] = form
    else:
        context |= _candidates(request.user, unit, context["tim"], year)
    wrong = context.get("errors") or (context.get("form") and context["form"].errors)
    return render(request, "units/unit_move.html", context, status=422 if wrong else 200)


def _first_year(text, years):
    """The open year asked for; else the current one, else the last open one before it, else the first."""
    if text in map(str, years):
        return int(text)
    now = current_year(WorkYear.objects.all())
    past = [year for year in years if now and year <= now.pk]
    return (past or years or [None])[-1 if past else 0]


def _preview(user, unit, code, year):
    parent = Unit.objects.editable_by(user).select_related("kind").filter(code=code).first()
    if parent is None:
        return {"errors": [{"message": f"Không có đơn vị mã “{code}” trong phạm vi bạn quản trị."}]}
    try:
        return {"parent": parent, "preview": preview_move(unit=unit, parent=parent, year=year)}
    except ValidationError as refused:
        return {"errors": [{"message": message} for message in refused.messages]}


def _candidates(user, unit, text, year):
    """Superiors to choose from: living units the user manages, not below the unit, of no lower level; those of the
    present superior's level first."""
    here = Placement.objects.filter(unit=unit, year=year).select_related("parent__kind").first()
    if here is None:
        return {"found": []}
    levels = [level for level, depth in organising.DEPTH.items() if depth <= organising.DEPTH[unit.kind.level]]
    units = Unit.objects.editable_by(user).matching(text).filter(dissolved=None, kind__level__in=levels)
    placed = Placement.objects.filter(year=year, unit__in=units)
    placed = placed.exclude(path__startswith=here.path).exclude(unit=here.parent_id)
    usual = Case(When(unit__kind__level=here.parent.kind.level if here.parent else "", then=0), default=1)
    found = list(
        placed.select_related("unit__kind", "parent").order_by(usual, "unit__kind__position", "unit__sort", "unit_id")[
            : MOST_RESULTS + 1
        ]
    )
    return {"found": found[:MOST_RESULTS], "capped": len(found) > MOST_RESULTS}
