"""The page on which a chỉ tiêu is written: its form with the forms of its measures."""

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import render

from targets import setting
from targets.forms import Catalogue, MeasureFormSet, TargetForm, measure_initial, show_refusal, typed_values
from targets.in_view import address
from targets.models import Target
from unionwork.parameters import whole_number
from units import access
from units.models import Unit

ADD_MEASURE = "them-y"
FIELDS = ("number", "text", "group", "join", "answers", "note")


class TargetPage:
    """Bound, shown again without judging (one more measure, a preview), or judged and saved. `target`: the one edited,
    None for a new one of `issuer`. Raises Http404 for a target to answer that is not a superior's."""

    def __init__(self, request, *, year, issuer, target=None):
        self.request = request
        self.year, self.issuer, self.target = year, issuer, target
        self.is_stale = False
        superiors = Target.objects.visible_to(request.user).reaching(issuer, year.pk).exclude(issuer=issuer)
        self.superiors = superiors.select_related("issuer")
        self.for_target = {"superiors": self.superiors, "asks_reason": bool(target and target.issued_on)}
        reached = Unit.objects.reached(request.user, access.SET_TARGETS).exclude(sector="")
        sectors = list(reached.order_by("sector").values_list("sector", flat=True).distinct())
        self.for_measures = {"catalogue": Catalogue(), "sectors": sectors, "year": year}
        data = request.POST if request.method == "POST" else None
        self.form = TargetForm(data, initial=self._initial() if data is None else None, **self.for_target)
        measures = [measure_initial(measure) for measure in target.measures.all()] if target else [{}]
        self.formset = self._formset(data, measures)
        if data is None:
            self.seen = setting.fingerprint(target) if target else ""
        else:
            self.seen = data.get("seen", "")
            if ADD_MEASURE in data:
                self.show_again({})

    def _initial(self):
        """What a new target starts with: the next number, and the words of the superior's target it answers."""
        if self.target:
            return {name: getattr(self.target, name) for name in FIELDS}
        mine = Target.objects.filter(issuer=self.issuer, year=self.year).order_by("-number")
        last = mine.values_list("number", flat=True).first() or 0
        initial = {"number": min(last + 1, Target.LARGEST_NUMBER)}
        wanted = self.request.GET.get("thuc-hien", "")
        if not wanted:
            return initial
        above = self.superiors.filter(pk=whole_number(wanted)).first()
        if above is None:
            raise Http404
        return initial | {"answers": above, "text": above.text, "group": above.group}

    def _formset(self, data, measures):
        return MeasureFormSet(data, initial=measures, prefix="y", form_kwargs=self.for_measures)

    def show_again(self, *more):
        """What was typed so far, not judged, and room for `more` measures. False when the counters are missing."""
        if not self.formset.management_form.is_valid():
            return False
        typed = [typed_values(form) for form in self.formset.forms]
        self.form = TargetForm(initial=typed_values(self.form), **self.for_target)
        self.formset = self._formset(None, [*typed, *more])
        return True

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

    def response(self):
        errors = list(self._errors()) if self.formset.is_bound else []
        target, year, unit = self.target, self.year, self.issuer
        url = address("target_edit", target.pk, year=year) if target else address("target_add", year=year, unit=unit)
        context = {
            "form": self.form,
            "formset": self.formset,
            "errors": errors,
            "year": year,
            "unit": unit,
            "target": target,
            "heading": f"Sửa chỉ tiêu {target.number}" if target else "Thêm chỉ tiêu",
            "back_url": address("target_detail", target.pk, year=year)
            if target
            else address("target_list", year=year, unit=unit),
            "action_url": url,
            "seen": self.seen,
            "fresh_url": url if self.is_stale else "",
        }
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
