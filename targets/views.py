"""The year's targets of a unit, a target's page, and writing one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect, render

from targets import issuing, setting
from targets.in_view import address, unit_in_view
from targets.lines import lines_for, not_given
from targets.models import DraftAssignment, Target
from targets.sharing import Sharing
from targets.tables import TargetTable
from targets.target_page import TargetPage
from targets.years import chosen_year
from unionwork.policy import policy
from units import access
from units.models import Unit


@policy(access.VIEW, relation="subtree")
def target_list(request):
    """The targets of a unit in a year: its own, given and inherited."""
    year = chosen_year(request)
    unit = unit_in_view(request)
    lines = lines_for(unit, year, request.user) if year else []
    for line in lines:
        line.url = address("target_detail", line.target.pk, year=year, unit=unit)
    table = TargetTable(lines)
    may_add = Unit.objects.reached(request.user, access.SET_TARGETS).filter(pk=unit.pk).exists()
    context = {
        "year": year,
        "unit": unit,
        "table": table,
        "has_lines": bool(lines),
        "not_given": [
            {"target": target, "url": address("target_detail", target.pk, year=year, unit=unit)}
            for target in (not_given(unit, year, request.user, lines) if year else [])
        ],
        "add_url": address("target_add", year=year, unit=unit) if may_add and year and year.is_open else "",
        "may_set": may_add,
        "open_count": issuing.open_count(unit, year) if may_add and year and year.is_open else 0,
        "issue_url": address("issue", year=year, unit=unit),
    }
    return render(request, "targets/target_list.html", context)


@policy(access.VIEW, relation="subtree")
def target_detail(request, pk):
    """A target: what is counted, its plan for the unit in view, and what that unit's children were given."""
    target = get_object_or_404(Target.objects.visible_to(request.user).with_measures().select_related("year"), pk=pk)
    unit = unit_in_view(request, default=_nearest(request.user, target))
    if request.GET.get("nam", str(target.year)) != str(target.year):  # the year switcher: a target has one year
        return redirect(address("target_list", year=chosen_year(request), unit=unit))
    sharing = Sharing(target, unit, request.user)
    may_edit = Target.objects.editable_by(request.user).filter(pk=pk).exists()
    related = Target.objects.visible_to(request.user).select_related("issuer")
    context = {
        "target": target,
        "year": target.year,
        "unit": sharing.unit,
        "sharing": sharing,
        "answers": related.filter(pk=target.answers_id).first(),
        "answered_by": related.filter(answers=target).order_by("issuer__sort", "number", "pk"),
        "edit_url": address("target_edit", pk, year=target.year) if may_edit and target.year.is_open else "",
        "delete_url": address("target_delete", pk) if may_edit and target.year.is_open and not target.issued_on else "",
        "own_url": _own_url(request.user, target, sharing.unit),
        "list_url": address("target_list", year=target.year, unit=sharing.unit),
    }
    return render(request, "targets/target_detail.html", context)


def _nearest(user, target):
    """The unit from which a user looks at a target: the one that issued it, if in reach, else the user's own."""
    return Unit.objects.visible_to(user).filter(pk=target.issuer_id).first()


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def target_add(request):
    """Write a new target of the unit in view, with its measures; `?thuc-hien=`: in answer to a superior's."""
    year = chosen_year(request)
    unit = unit_in_view(request, access.SET_TARGETS)
    if year is None or not year.is_open:
        return render(request, "targets/year_closed.html", {"year": year, "unit": unit})
    page = TargetPage(request, year=year, issuer=unit)
    target = page.saved(lambda **fields: setting.create_target(year=year, issuer=unit, actor=request.user, **fields))
    if target:
        messages.success(request, f"Đã thêm bản nháp chỉ tiêu {target.number}. Đơn vị cấp dưới thấy sau khi ban hành.")
        return redirect(address("target_detail", target.pk, year=year, unit=unit))
    return page.response()


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def target_edit(request, pk):
    """Change a target and its measures, all on one page."""
    target = _editable(request, pk)
    if not target.year.is_open:
        return render(request, "targets/year_closed.html", {"year": target.year, "unit": target.issuer})
    page = TargetPage(request, year=target.year, issuer=target.issuer, target=target)
    saved = page.saved(
        lambda **fields: setting.edit_target(target=target, actor=request.user, seen=page.seen, **fields)
    )
    if saved:
        messages.success(request, f"Đã lưu chỉ tiêu {saved.number}.")
        return redirect(address("target_detail", pk, year=target.year))
    return page.response()


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def target_delete(request, pk):
    """Throw a draft target away, after asking."""
    target = _editable(request, pk)
    refusal = ""
    if request.method == "POST":
        try:
            setting.delete_target(target=target, actor=request.user)
        except ValidationError as refused:
            refusal = " ".join(refused.messages)
        else:
            messages.success(request, f"Đã xoá bản nháp chỉ tiêu {target.number}.")
            return redirect(address("target_list", year=target.year, unit=target.issuer))
    else:
        refusal = setting.why_kept(target)
    context = {
        "target": target,
        "drafts": DraftAssignment.objects.filter(measure__target=target).count(),
        "refusal": refusal,
        "back_url": address("target_detail", pk, year=target.year),
    }
    return render(request, "targets/target_delete.html", context, status=422 if request.method == "POST" else 200)


def _editable(request, pk):
    """The target, for somebody who sets targets for the unit that issued it: 404 out of sight, else 403."""
    target = get_object_or_404(Target.objects.visible_to(request.user).with_measures().select_related("year"), pk=pk)
    if not Target.objects.editable_by(request.user).filter(pk=pk).exists():
        raise PermissionDenied
    return target


def _own_url(user, target, unit):
    """Where `unit` writes a target of its own in answer to this one of a superior; "" when the user may not."""
    may = target.issuer_id != unit.pk and target.year.is_open
    if not may or not Unit.objects.reached(user, access.SET_TARGETS).filter(pk=unit.pk).exists():
        return ""
    if not Target.objects.filter(pk=target.pk).reaching(unit, target.year_id).exists():
        return ""
    return address("target_add", year=target.year, unit=unit, **{"thuc-hien": target.pk})
