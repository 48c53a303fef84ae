"""Measure results as a page shows them: texts formatted in Python once, so that templates only place them."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from reports.arithmetic import State
from reports.evaluation import MeasureResult
from targets.models import MeasureKind
from targets.scale import scale_of
from targets.wording import plan_in_words, unit_of
from unionwork.numbers import format_number, format_percent

BAR_END = 120  # a bar runs to 120% of plan
NO_FIGURE = "chưa có số"


@dataclass(frozen=True)
class Bar:
    """Widths in percent of plan, for partials/_bar.html."""

    approved_width: float
    pending_width: float
    label: str


@dataclass(frozen=True)
class Row:
    """One measure as a line of a dashboard or progress page."""

    result: MeasureResult
    title: str
    issuer: str
    actual: str
    plan: str
    percent: str
    difference: str
    pending: str
    state: State
    bar: Bar
    records_url: str
    waiting_url: str
    units_url: str
    registered: str
    last_year: str

    @property
    def number(self):
        return str(self.result.measure)

    @property
    def short(self):
        """For a cell of a matrix: shape and percentage."""
        return f"{self.state.shape} {self.percent}" if self.result.percent is not None else self.state.shape


@dataclass(frozen=True)
class Child:
    """A child unit with its lines."""

    unit: object
    url: str = ""
    row: Row | None = None
    cells: tuple = ()


def row_of(result, unit, work_year):
    """The line of one measure of `unit`."""
    measure = result.measure
    actual, plan = actual_of(result), plan_in_words(measure, result.plan.planned)
    percent = format_percent(result.percent)
    title = title_of(measure)
    return Row(
        result=result,
        title=title,
        issuer="" if measure.target.issuer_id == unit.pk else measure.target.issuer.label,
        actual=actual,
        plan=plan,
        percent=percent,
        difference=_difference(result),
        pending=_amount(result, result.pending) if result.pending else "",
        state=result.state,
        bar=Bar(
            *_widths(result),
            f"{title}: {actual} trên kế hoạch {plan}, đạt {percent} kế hoạch, {result.state.label.lower()}",
        ),
        records_url=records_url(measure, unit, work_year),
        waiting_url=records_url(measure, unit, work_year, status="pending"),
        units_url=progress_url(unit, work_year, y=measure.pk),
        registered=shown(result, result.plan.registered),
        last_year=shown(result, result.last_year),
    )


def title_of(measure):
    """A measure's own text; else the target's, or which figures it is about when the target has several measures."""
    if measure.text:
        return measure.text
    named = " + ".join(indicator.name for indicator in measure.indicators.all())
    return named if named and measure.siblings > 1 else measure.target.text


def progress_url(unit, work_year, **more):
    return f"{reverse('progress')}?{urlencode({'nam': work_year.pk, 'don-vi': unit.code} | more)}"


def records_url(measure, unit, work_year, status="da-duyet"):
    """The records behind a measure's figures; of a milestone, those that say it was reached."""
    filters = {"nam": work_year.pk, "don-vi": unit.code, "trang-thai": status}
    if measure.kind == MeasureKind.MILESTONE:
        return f"{reverse('activity_list')}?{urlencode(filters | {'loai': 'moc'})}"
    indicators = [row.code for row in measure.indicators.all()]
    return f"{reverse('activity_list')}?{urlencode(filters | {'chi-so': indicators}, doseq=True)}"


def shown(result, value):
    """A value in the measure's scale, without its unit; percentages with their sign."""
    if result.measure.kind != MeasureKind.TOTAL:
        return format_percent(value)
    return format_number(value, scale_of(result.measure)[0])


def actual_of(result):
    """ "1.234 cây", "66,5% (133/200)", "41/55 đơn vị"; a coverage and a milestone name the units."""
    if result.measure.kind == MeasureKind.TOTAL:
        return NO_FIGURE if result.actual is None else _amount(result, result.actual)
    if result.numerator is None or not result.denominator:
        return NO_FIGURE
    fraction = f"{format_number(result.numerator)}/{format_number(result.denominator)}"
    if result.measure.kind in (MeasureKind.COVERAGE, MeasureKind.MILESTONE):
        return f"{fraction} đơn vị"
    return f"{format_percent(result.actual)} ({fraction})"


def _difference(result):
    """How far above or below the plan, in words, because a percentage alone reads in three ways."""
    if not result.difference:
        return ""
    return f"{'vượt' if result.difference > 0 else 'còn thiếu'} {_amount(result, abs(result.difference))}"


def _amount(result, value):
    """A number with its unit; of two percentages the difference, in points."""
    if result.measure.kind != MeasureKind.TOTAL:
        return f"{format_number(value, 2)} điểm phần trăm"
    return f"{shown(result, value)} {unit_of(result.measure)}"


def _widths(result):
    """(approved, pending) in percent of plan, cut at the end of the bar."""
    approved = min((result.percent or 0) / 100, BAR_END)
    planned = result.plan.planned
    waiting = 100 * result.pending / planned if planned and result.pending else 0
    return round(approved, 1), round(min(waiting, BAR_END - approved), 1)
