"""Giving a measure to a unit's direct children, and a unit's own registration."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render

from targets import assignment
from targets.forms import DecisionForm, GivenForm, RegisterForm, show_refusal
from targets.models import Assignment, Measure, MeasureKind, Target
from targets.scale import scale_of
from targets.sharing import Sharing
from targets.views import address, unit_in_view
from targets.wording import describe, plan_in_words
from unionwork.policy import policy
from units import access
from units.models import Unit


def _shared(request, pk):
    """The measure and how it stands below the unit in view. 404: not in sight or not in the issuer's line; 403: not
    the user's to set."""
    targets = Target.objects.visible_to(request.user).with_measures().select_related("year")
    target = get_object_or_404(targets, measures__in=Measure.objects.filter(pk=pk))
    mine = Unit.objects.reached(request.user, access.SET_TARGETS)
    unit = unit_in_view(request, default=mine.filter(pk=target.issuer_id).first())
    sharing = Sharing(target, unit, request.user)
    if not Target.objects.reaching(unit, target.year_id).filter(pk=target.pk).exists():
        raise Http404
    if not sharing.is_mine:
        raise PermissionDenied
    return next(row for row in target.measures.all() if row.pk == pk), sharing


@policy(access.SET_TARGETS, relation="subtree", methods="GET POST")
def measure_assign(request, pk):
    """A table over the direct children of the unit in view: what each is given."""
    measure, sharing = _shared(request, pk)
    refusal = _refusal(measure, sharing)
    if refusal:
        context = {
            "measure": measure,
            "target": sharing.target,
            "year": sharing.year,
            "unit": sharing.unit,
            "refusal": refusal,
        }
        return render(request, "targets/measure_assign.html", context, status=422 if request.method == "POST" else 200)
    form = DecisionForm(request.POST or None)
    rows = _rows(measure, sharing, request.POST if request.method == "POST" else None)
    sound = [form.is_valid(), *(row["form"].is_valid() for row in rows if row["form"].is_bound)]
    if request.method == "POST" and all(sound):
        try:
            counts = _assign(request, measure, form, rows)
        except ValidationError as refused:
            show_refusal(form, refused)
            if isinstance(refused, assignment.Stale):
                now = _rows(measure, sharing, None)
                rows = _rows(measure, sharing, _with_new_versions(request.POST, now), is_stale=True)
        else:
            _say(request, counts)
            return redirect(address("measure_assign", pk, year=sharing.year, unit=sharing.unit))
    return _assign_page(request, measure, sharing, form, rows)


def _refusal(measure, sharing):
    """Why nothing can be given out here, in words; "" when it can."""
    if not sharing.year.is_open:
        return f"Năm công tác {sharing.year} đã đóng nên không giao chỉ tiêu được nữa."
    if measure.kind == MeasureKind.MILESTONE:
        return "“Mốc” áp dụng chung cho mọi đơn vị cấp dưới nên không cần giao số."
    if sharing.plan(measure) is None:
        return f"Ý này chưa được giao cho {sharing.unit} nên chưa giao tiếp cho cấp dưới được."
    if not sharing.children:
        return f"{sharing.unit} không có đơn vị trực thuộc trong năm {sharing.year}."
    return ""


def _rows(measure, sharing, data, *, is_stale=False):
    """One row a child: its form, what it registered and, where nothing was typed, what applies to it anyway."""
    units = [row.unit for row in sharing.children]
    now = {row.unit_id: row for row in Assignment.objects.filter(measure=measure, unit__in=units)}
    rows = []
    for unit in units:
        given = now.get(unit.pk)
        prefix = f"dv-{unit.pk}"
        initial = {"planned": given.planned if given else None, "version": given.version if given else assignment.NEW}
        sent = data if data is not None and f"{prefix}-version" in data else None  # None too: joined meanwhile
        form = GivenForm(sent, prefix=prefix, initial=initial, scale=scale_of(measure), label=f"Giao cho {unit}")
        rows.append(
            {
                "unit": unit,
                "given": given,
                "form": form,
                "registered": ""
                if given is None or given.registered is None
                else measure.format_plan(given.registered),
                "inherited": _inherited(measure, sharing, unit, given),
                "now": measure.format_plan(given.planned if given else None) if is_stale else "",
                "decision": given.decision_number if given else "",
            }
        )
    return rows


def _inherited(measure, sharing, unit, given):
    plan = sharing.plan(measure, unit)
    if plan is None or (given and given.planned is not None):
        return ""
    return plan_in_words(measure, plan.planned)


def _with_new_versions(data, rows):
    """After others wrote: the same typed values, now knowing of theirs."""
    data = data.copy()
    for row in rows:
        data[row["form"].add_prefix("version")] = row["given"].version if row["given"] else assignment.NEW
    return data


def _assign(request, measure, form, rows):
    """Give what was typed over, and note a decision on what has none yet."""
    decision = form.cleaned_data
    given = []
    for row in rows:
        if not row["form"].is_bound:
            continue
        cleaned, before = row["form"].cleaned_data, row["given"]
        undecided = before is not None and before.planned is not None and not before.decision_number
        if row["form"].was_typed:
            given.append(assignment.Row(row["unit"], cleaned["planned"], version=cleaned["version"]))
        elif decision["decision_number"] and undecided:
            given.append(assignment.Row(row["unit"], version=cleaned["version"]))
    return assignment.assign(measure=measure, rows=given, actor=request.user, **decision)


def _say(request, counts):
    created, changed = counts
    if created or changed:
        messages.success(request, f"Đã giao cho {created} đơn vị, sửa {changed} đơn vị.")
    else:
        messages.info(request, "Không có số nào thay đổi.")


def _assign_page(request, measure, sharing, form, rows):
    errors = [
        {"id": field.id_for_label, "message": f"{row['unit']}: {message}"}
        for row in rows
        for field in row["form"]
        for message in field.errors
    ]
    context = {
        "measure": measure,
        "description": describe(measure),
        "target": sharing.target,
        "year": sharing.year,
        "unit": sharing.unit,
        "form": form,
        "rows": rows,
        "errors": errors,
        "unit_of_measure": scale_of(measure)[1],
        "balance": sharing.balance(measure),
        "plan": plan_in_words(measure, sharing.plan(measure).planned),
        "detail_url": address("target_detail", sharing.target.pk, year=sharing.year, unit=sharing.unit),
    }
    status = 422 if form.errors or errors else 200
    return render(request, "targets/measure_assign.html", context, status=status)


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def measure_register(request, pk):
    """What the unit in view registers itself for a measure that reaches it."""
    measure, sharing = _shared(request, pk)
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
