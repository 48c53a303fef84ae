"""The year's targets of a unit, a target's page, and writing one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from targets import setting
from targets.forms import Catalogue, MeasureFormSet, TargetForm, measure_initial, show_refusal, typed_values
from targets.lines import lines_for, not_given
from targets.models import Target
from targets.sharing import Sharing
from targets.tables import TargetTable
from targets.years import chosen_year
from unionwork.policy import policy
from units import access
from units.models import Placement, Unit
from units.scope import home_unit

ADD_MEASURE = "them-y"


def unit_in_view(request, act=access.VIEW, default=None):
    """The unit named by `?don-vi=`, else `default`, else the one the user does `act` for. Raises Http404."""
    reached = Unit.objects.reached(request.user, act)
    code = request.GET.get("don-vi", "").replace("\0", "")
    if code:
        return get_object_or_404(reached, code=code)
    if default:
        return default
    home = home_unit(request.user)
    if home and reached.filter(pk=home.pk).exists():
        return home
    top = Placement.objects.reached(request.user, act).select_related("unit").order_by("path").first()
    if top is None:
        raise Http404
    return top.unit


def address(name, *args, year=None, unit=None):
    """The address of a page, with the year and the unit in view."""
    query = {"nam": str(year)} if year else {}
    query |= {"don-vi": unit.code} if unit else {}
    return reverse(name, args=args) + (f"?{urlencode(query)}" if query else "")


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
        "list_url": address("target_list", year=target.year, unit=sharing.unit),
    }
    return render(request, "targets/target_detail.html", context)


def _nearest(user, target):
    """The unit from which a user looks at a target: the one that issued it, if in reach, else the user's own."""
    return Unit.objects.visible_to(user).filter(pk=target.issuer_id).first()


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def target_add(request):
    """Write a new target of the unit in view, with its measures."""
    year = chosen_year(request)
    unit = unit_in_view(request, access.SET_TARGETS)
    if year is None or not year.is_open:
        return render(request, "targets/year_closed.html", {"year": year, "unit": unit})
    last = Target.objects.filter(issuer=unit, year=year).order_by("-number").values_list("number", flat=True).first()
    page = _TargetPage(request, year=year, issuer=unit, initial={"number": (last or 0) + 1}, measures=[{}])
    target = page.saved(lambda **fields: setting.create_target(year=year, issuer=unit, **fields))
    if target:
        messages.success(request, f"Đã thêm chỉ tiêu {target.number}.")
        return redirect(address("target_detail", target.pk, year=year, unit=unit))
    return page.response(
        {"unit": unit, "heading": "Thêm chỉ tiêu", "back_url": address("target_list", year=year, unit=unit)}
    )


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def target_edit(request, pk):
    """Change a target and its measures, all on one page."""
    target = get_object_or_404(Target.objects.visible_to(request.user).with_measures().select_related("year"), pk=pk)
    if not Target.objects.editable_by(request.user).filter(pk=pk).exists():
        raise PermissionDenied
    if not target.year.is_open:
        return render(request, "targets/year_closed.html", {"year": target.year, "unit": target.issuer})
    fields = ("number", "text", "group", "join", "answers", "note")
    page = _TargetPage(
        request,
        year=target.year,
        issuer=target.issuer,
        initial={name: getattr(target, name) for name in fields},
        measures=[measure_initial(measure) for measure in target.measures.all()],
    )
    seen = request.POST.get("seen", "") if request.method == "POST" else setting.fingerprint(target)
    saved = page.saved(lambda **fields: setting.edit_target(target=target, actor=request.user, seen=seen, **fields))
    if saved:
        messages.success(request, f"Đã lưu chỉ tiêu {saved.number}.")
        return redirect(address("target_detail", pk, year=target.year))
    return page.response(
        {
            "unit": target.issuer,
            "heading": f"Sửa chỉ tiêu {target.number}",
            "back_url": address("target_detail", pk, year=target.year),
            "seen": seen,
            "fresh_url": request.get_full_path() if page.is_stale else "",
        }
    )


class _TargetPage:
    """The form of a target with the forms of its measures: bound, shown again with one more, or judged and saved."""

    def __init__(self, request, *, year, issuer, initial, measures):
        self.request = request
        self.year = year
        self.is_stale = False
        superiors = Target.objects.visible_to(request.user).reaching(issuer, year.pk).exclude(issuer=issuer)
        self.for_target = {"superiors": superiors.select_related("issuer")}
        reached = Unit.objects.reached(request.user, access.SET_TARGETS).exclude(sector="")
        sectors = list(reached.order_by("sector").values_list("sector", flat=True).distinct())
        self.for_measures = {"catalogue": Catalogue(), "sectors": sectors, "year": year}
        data = request.POST if request.method == "POST" else None
        self.form = TargetForm(data, initial=initial, **self.for_target)
        self.formset = self._formset(data, measures)
        if data is not None and ADD_MEASURE in data:
            self._one_more()

    def _formset(self, data, measures):
        return MeasureFormSet(data, initial=measures, prefix="y", form_kwargs=self.for_measures)

    def _one_more(self):
        """What was typed so far, not judged yet, and room for another measure."""
        if not self.formset.management_form.is_valid():
            return
        typed = [typed_values(form) for form in self.formset.forms]
        self.form = TargetForm(initial=typed_values(self.form), **self.for_target)
        self.formset = self._formset(None, [*typed, {}])

    def saved(self, act):
        """The target when the forms are sound and `act` accepts them; None otherwise."""
        if not self.form.is_bound or not (self.form.is_valid() & self.formset.is_valid()):
            return None
        try:
            return act(measures=self.formset.drafts, **self.form.cleaned_data)
        except ValidationError as refused:
            self.is_stale = isinstance(refused, setting.Stale)
            show_refusal(self.form, refused)
            return None

    def response(self, context):
        errors = list(self._errors()) if self.formset.is_bound else []
        context |= {"form": self.form, "formset": self.formset, "errors": errors, "year": self.year}
        status = 422 if errors or self.form.errors else 200
        return render(self.request, "targets/target_form.html", context, status=status)

    def _errors(self):
        """The measures' errors as the summary at the top lists them."""
        for message in self.formset.non_form_errors():
            yield {"id": "", "message": message}
        for place, form in enumerate(self.formset.forms, 1):
            for name, found in form.errors.items():
                field = form[name] if name in form.fields else None
                label = f"{field.label}: " if field else ""
                for message in found:
                    yield {"id": field.id_for_label if field else "", "message": f"Ý {place} – {label}{message}"}
