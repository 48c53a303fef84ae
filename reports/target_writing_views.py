"""Writing targets with last year before one's eyes: the preview of what is typed, and copying last year's set."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from reports.evaluation import evaluate
from reports.measure_preview import preview
from reports.rows import row_of
from targets import copying
from targets.forms import PlanField
from targets.in_view import address, unit_in_view
from targets.models import MeasureKind, Target, WorkYear
from targets.scale import PERCENT, scale_of
from targets.target_page import TargetPage
from targets.wording import describe, plan_in_words
from targets.years import chosen_year
from unionwork.dates import format_date
from unionwork.numbers import format_number
from unionwork.parameters import whole_number
from unionwork.policy import policy
from units import access
from units.models import Placement

LARGEST_RISE = 1000  # percent


@policy(access.SET_TARGETS, relation="own", methods="POST")
def target_preview(request):
    """What was typed on the page of a target, in words and not saved: a piece for one measure, else the page again."""
    year, unit = chosen_year(request), unit_in_view(request, access.SET_TARGETS)
    target = None
    if named := request.GET.get("chi-tieu", ""):
        visible = Target.objects.visible_to(request.user).with_measures().select_related("year")
        target = get_object_or_404(visible, pk=whole_number(named))
        if not Target.objects.editable_by(request.user).filter(pk=target.pk).exists():
            raise PermissionDenied
        year, unit = target.year, target.issuer
    if year is None or not year.is_open:
        return render(request, "targets/year_closed.html", {"year": year, "unit": unit})
    page = TargetPage(request, year=year, issuer=unit, target=target)
    counters = page.formset.management_form
    previews = [preview(form, unit, year) for form in page.formset.forms] if counters.is_valid() else []
    if request.htmx:
        wanted = (whole_number(request.GET.get("y", ""), digits=3) or 0) - 1
        if not 0 <= wanted < len(previews):
            return HttpResponse("")
        return render(request, "targets/_measure_preview.html", {"preview": previews[wanted]})
    if page.show_again():
        for form, one in zip(page.formset.forms, previews, strict=True):
            form.preview = one
    return page.response()


# --- copying last year's set ---


class RiseForm(forms.Form):
    """By how many percent every number rises."""

    rise = PlanField(decimals=2, unit="%", required=False, label="Tăng mọi số (không tính tỷ lệ) thêm")

    def clean_rise(self):
        rise = self.cleaned_data["rise"] or 0
        if not -100 * 100 < rise <= LARGEST_RISE * 100:
            raise ValidationError(f"Từ trên -100% đến {LARGEST_RISE}%.")
        return rise


@policy(access.SET_TARGETS, relation="own", methods="GET POST")
def target_copy(request):
    """Last year's targets of the unit in view, to be ticked and copied as drafts of this year with new plans."""
    year, unit = chosen_year(request), unit_in_view(request, access.SET_TARGETS)
    if year is None or not year.is_open:
        return render(request, "targets/year_closed.html", {"year": year, "unit": unit})
    candidates = copying.candidates(unit, year)
    rows = _copy_rows(candidates, unit, year)
    errors, rise = [], RiseForm()
    if request.method == "POST":
        for row in rows:
            row.read(request.POST)
        if "tang" in request.POST:
            rise = RiseForm(request.POST)
            if rise.is_valid():
                for measure in (measure for row in rows for measure in row.measures):
                    measure.rise(rise.cleaned_data["rise"])
        else:
            errors = _errors(rows)
            if not errors:
                try:
                    return _copied(
                        request, copying.copy_targets(issuer=unit, year=year, values=_values(rows), actor=request.user)
                    )
                except ValidationError as refused:
                    errors = _refused(rows, refused)
    context = {
        "year": year,
        "last": year.pk - 1,
        "unit": unit,
        "rows": rows,
        "can_copy": any(row.taken_by is None for row in rows),
        "form": rise,
        "errors": errors,
        "list_url": address("target_list", year=year, unit=unit),
    }
    return render(request, "targets/target_copy.html", context, status=422 if errors or rise.errors else 200)


class CopyRow:
    """One target of last year: ticked or not, with the new plan of each measure as typed."""

    def __init__(self, candidate, results, last, year):
        self.target, self.taken_by = candidate.target, candidate.taken_by
        self.is_ticked = candidate.taken_by is None
        self.measures = [CopyMeasure(row, results.get(row.pk), last, year) for row in candidate.target.measures.all()]

    def read(self, data):
        self.is_ticked = self.taken_by is None and str(self.target.pk) in data.getlist("chon")
        for measure in self.measures:
            measure.text = data.get(f"m{measure.pk}", measure.text)[:60]


class CopyMeasure:
    def __init__(self, measure, result, last, year):
        self.pk, self.measure, self.letter = measure.pk, measure, measure.letter
        self.has_plan = measure.kind != MeasureKind.MILESTONE
        self.is_number = measure.kind == MeasureKind.TOTAL
        decimals, unit = scale_of(measure)
        self.field = PlanField(decimals=decimals, unit=unit, required=False)
        self.is_percent = (decimals, unit) == PERCENT
        self.unit = unit
        self.description = describe(measure)
        self.plan = plan_in_words(measure, measure.value)
        self.result = row_of(result, measure.target.issuer, last).actual if result else ""
        day = copying.new_day(measure.deadline, year)
        self.deadline = format_date(day) if day else ""
        self.error = ""
        self.put(measure.value)

    def put(self, value):
        self.text = self.field.prepare_value(value) if self.has_plan else ""

    @property
    def value(self):
        """What was typed, in the measure's scale. Raises ValidationError."""
        return self.field.clean(self.text.replace("\0", "")) if self.has_plan else None

    def rise(self, hundredths):
        """More by that many hundredths of a percent, rounded half up; what cannot be read stays."""
        if not self.is_number:
            return
        try:
            value = self.value
        except ValidationError:
            return
        if value is not None:
            self.put((value * (10_000 + hundredths) * 2 + 10_000) // 20_000)


def _copy_rows(candidates, unit, year):
    """The candidates with what each measure came to last year."""
    last = WorkYear.objects.filter(pk=year.pk - 1).first()
    if last is None or not candidates:
        return []
    placements = list(Placement.objects.filter(unit=unit, year=last.pk).select_related("unit"))
    measures = [measure for row in candidates for measure in row.target.measures.all()]
    found = evaluate(placements, last, compare=False, measures=measures) if placements else {}
    results = {result.measure.pk: result for target in found.get(unit.pk, []) for result in target.measures}
    return [CopyRow(candidate, results, last, year) for candidate in candidates]


def _errors(rows):
    """What cannot be read of the ticked rows, noted beside the fields too."""
    if not any(row.is_ticked for row in rows):
        return [{"id": "", "message": "Chọn ít nhất một chỉ tiêu để chép."}]
    errors = []
    for row in rows:
        for measure in row.measures if row.is_ticked else ():
            try:
                measure.value  # noqa: B018 - reading it judges it
            except ValidationError as refused:
                errors.append(_error(row, measure, " ".join(refused.messages)))
    return errors


def _refused(rows, refused):
    if not hasattr(refused, "error_dict"):
        return [{"id": "", "message": message} for message in refused.messages]
    by_name = refused.message_dict
    known = [(row, measure) for row in rows for measure in row.measures if f"m{measure.pk}" in by_name]
    errors = [_error(row, measure, " ".join(by_name.pop(f"m{measure.pk}"))) for row, measure in known]
    return errors + [{"id": "", "message": message} for found in by_name.values() for message in found]


def _error(row, measure, message):
    measure.error = message
    return {"id": f"m{measure.pk}", "message": f"Chỉ tiêu {row.target.number}{measure.letter}: {message}"}


def _values(rows):
    return {row.target.pk: {measure.pk: measure.value for measure in row.measures} for row in rows if row.is_ticked}


def _copied(request, copied):
    year, unit = chosen_year(request), unit_in_view(request, access.SET_TARGETS)
    done = f"Đã chép {format_number(len(copied.created))} chỉ tiêu thành bản nháp năm {year}."
    if copied.skipped:
        numbers = ", ".join(str(row.target.number) for row in copied.skipped)
        done += f" Bỏ qua chỉ tiêu {numbers}: năm {year} đã có."
    messages.success(request, done)
    return redirect(address("target_list", year=year, unit=unit))
