"""Tiếp nhận chỉ tiêu: what superiors gave a unit, and its answers."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render

from targets import intake
from targets.in_view import address, unit_in_view
from targets.models import Reply, Target
from targets.wording import describe, plan_in_words
from targets.years import chosen_year
from unionwork.policy import policy
from units import access
from units.models import Placement, Unit


class AnswerForm(forms.Form):
    """`y`: which state of which measures is answered (`Received.token`)."""

    remark = forms.CharField(
        label="Ý kiến", max_length=Reply._meta.get_field("remark").max_length, required=False, widget=forms.Textarea
    )
    accepted = forms.BooleanField(required=False)


@policy(access.VIEW, relation="subtree")
def intake_page(request):
    """Everything superiors gave the unit in view in a year: how it changed, and what the unit answered."""
    return _page(request, unit_in_view(request), chosen_year(request))


@policy(access.SET_TARGETS, relation="own", methods="POST")
def intake_answer(request):
    """Accept one or all, or send a remark."""
    unit, year = unit_in_view(request, access.SET_TARGETS), chosen_year(request)
    placement = _placement(unit, year)
    form = AnswerForm(request.POST)
    tokens = request.POST.getlist("y")
    try:
        if placement is None:
            raise ValidationError("Đơn vị không có trong cây tổ chức của năm này.")
        if not form.is_valid():
            raise ValidationError([f"Ý kiến: {message}" for found in form.errors.values() for message in found])
        said = form.cleaned_data
        count = intake.answer(
            placement=placement,
            year=year,
            tokens=tokens,
            accepted=said["accepted"],
            remark="" if said["accepted"] else said["remark"],
            actor=request.user,
        )
    except ValidationError as refused:
        return _page(request, unit, year, refused=refused, tokens=tokens)
    if said["accepted"]:
        messages.success(request, f"Đã tiếp nhận {count} ý của chỉ tiêu cấp trên giao.")
    else:
        messages.success(request, "Đã gửi ý kiến. Cấp trên thấy ý kiến ở trang của chỉ tiêu.")
    return redirect(address("intake", year=year, unit=unit))


def _page(request, unit, year, refused=None, tokens=()):
    placement = _placement(unit, year)
    rows = intake.received([placement], year).values() if placement else []
    mine = Unit.objects.reached(request.user, access.SET_TARGETS)
    may_answer = bool(year and year.is_open and mine.filter(pk=unit.pk).exists())
    groups = _groups(request, rows, unit, year, tokens) if rows else []
    context = {
        "unit": unit,
        "year": year,
        "placement": placement,
        "groups": groups,
        "open_tokens": [row.token for row in rows if row.is_open] if may_answer else [],
        "may_answer": may_answer,
        "remark": request.POST.get("remark", "")[:500].replace("\0", "") if refused else "",
        "errors": [{"id": "", "message": message} for message in refused.messages] if refused else [],
        "answer_url": address("intake_answer", year=year, unit=unit),
        "list_url": address("target_list", year=year, unit=unit),
    }
    return render(request, "targets/intake.html", context, status=422 if refused else 200)


def _groups(request, rows, unit, year, tokens):
    """The measures by their target, with what of it the unit carries out by targets of its own."""
    answered = {}
    own = Target.objects.visible_to(request.user).filter(issuer=unit, year=year, answers__isnull=False)
    for target in own.order_by("number"):
        answered.setdefault(target.answers_id, []).append(
            {"target": target, "url": address("target_detail", target.pk, year=year)}
        )
    groups = {}
    for row in rows:
        target = row.measure.target
        if target.pk not in groups:
            groups[target.pk] = {
                "target": target,
                "url": address("target_detail", target.pk, year=year, unit=unit),
                "own_url": address("target_add", year=year, unit=unit, **{"thuc-hien": target.pk}),
                "own": answered.get(target.pk, []),
                "measures": [],
            }
        groups[target.pk]["measures"].append(_shown(row, row.token in tokens))
    return list(groups.values())


def _shown(row, was_answered):
    measure, version = row.measure, row.latest
    return {
        "row": row,
        "letter": measure.letter if measure.siblings > 1 else "",
        "text": measure.text,
        "description": describe(measure),
        "plan": plan_in_words(measure, row.plan.planned),
        "source": row.plan.source.label,
        "deadline": measure.deadline,
        "decision": version.decision if version else None,
        "given": row.given,
        "reply": row.reply,
        "was_answered": was_answered,
    }


def _placement(unit, year):
    if year is None:
        return None
    return Placement.objects.filter(unit=unit, year=year.pk).select_related("unit", "parent").first()
