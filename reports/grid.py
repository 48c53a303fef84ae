"""The grid of one measure over the direct children of a unit: what somebody sees beside each number to give, what was
typed, and what it comes to. Numbers are in the measure's own scale (`Measure.value`)."""

import re
from dataclasses import dataclass, field

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property

from activities import reading
from reports.evaluation import reached
from targets import giving
from targets.cascade import Source, concerns, plans_for
from targets.forms import PlanField
from targets.models import Indicator, MeasureKind, Nature
from targets.scale import scale_of
from targets.split import weighted_mean
from targets.wording import COUNTED_UNITS
from unionwork.numbers import format_number
from unionwork.text import nfc
from units.models import Placement, Unit

MEMBERS = "doan-vien"  # by which headcount numbers are shared out unless somebody chooses another
LARGEST_PERCENT = 10_000
_NOTE = forms.CharField(max_length=200, required=False)


@dataclass
class Row:
    """One child. `text`: what stands in its box, `planned`: as read; `shown`: the text the page put there itself.

    `seen`, `base`: number, note and mark that the page showed as saved, to tell what others wrote meanwhile.
    """

    unit: Unit
    standing: giving.Standing
    common: int | None  # what applies without a number of its own
    headcount: int | None = None
    last_plan: int | None = None
    last_result: int | None = None
    planned: int | None = None
    text: str = ""
    shown: str = ""
    seen: int | None = None
    base: str = ""
    note: str = ""
    fixed: bool = False
    posted: bool = True
    errors: list = field(default_factory=list)
    is_clash: bool = False

    @property
    def asked(self):
        """What the unit will have: its own number, else the common one."""
        return self.common if self.planned is None else self.planned

    def put(self, value, text, *, by_hand=False):
        """Fill the box. By hand: it stays at the next filling."""
        self.planned, self.text, self.shown = value, text, text
        self.fixed = self.fixed or by_hand

    @property
    def wish(self):
        seen_fixed, seen_note = self.base[:1] == "1", self.base[1:]
        return giving.Wish(self.unit, self.planned, self.seen, self.note, self.fixed, seen_note, seen_fixed)


class Grid:
    """`counted_by`: code of the headcount to show; `last`: the work year before, or None."""

    def __init__(self, measure, sharing, last, counted_by=""):
        self.measure, self.sharing, self.year, self.last = measure, sharing, sharing.year, last
        self.decimals, self.unit_of_measure = scale_of(measure)
        self.field = PlanField(decimals=self.decimals, unit=self.unit_of_measure, required=False)
        self.plan = sharing.plan(measure)
        self.counted_by = counted_by
        self.units = [row.unit for row in sharing.children]
        self.rows = self._rows()

    @property
    def is_total(self):
        return self.measure.kind == MeasureKind.TOTAL

    # --- what is read ---

    @cached_property
    def _figures(self):
        """{(unit id, indicator id): Total} this year."""
        return reading.totals_at([unit.pk for unit in self.units], self.year)

    @cached_property
    def _before(self):
        """({unit id: last year's result}, {(unit id, indicator id): Total}, {unit id: last year's plan})."""
        if self.last is None:
            return {}, {}, {}
        places = list(Placement.objects.filter(year=self.last.pk, unit__in=self.units).select_related("unit"))
        results, totals = reached(self.measure, places, self.last)
        plans = plans_for(places, self.last.pk)
        return results, totals, {unit: self._same(rows) for unit, rows in plans.items()}

    def _same(self, plans):
        """The plan for the measure that asked the same: by the same issuer, in the same way, of the same figures."""
        mine = _signature(self.measure)
        found = [plan for plan in plans if _signature(plan.measure) == mine]
        number = self.sharing.target.number
        found.sort(key=lambda plan: (plan.measure.target.number != number, plan.measure.letter != self.measure.letter))
        return found[0].planned if found else None

    def latest(self, unit_id, indicators):
        """The level declared last: this year, else last year; None when nobody did."""
        for totals in (self._figures, self._before[1]):
            found = [totals[unit_id, pk] for pk in indicators if (unit_id, pk) in totals]
            if any(total.records for total in found):
                return sum(total.value for total in found)
        return None

    @cached_property
    def headcounts(self):
        """The STOCK indicators that some child has declared."""
        declared = {
            pk for totals in (self._figures, self._before[1]) for (_, pk), total in totals.items() if total.records
        }
        return [row for row in Indicator.objects.filter(nature=Nature.STOCK) if row.pk in declared]

    @cached_property
    def headcount(self):
        """The headcount shown: the one asked for, else members, else the first there is."""
        wanted = [row for code in (self.counted_by, MEMBERS) for row in self.headcounts if row.code == code]
        return next(iter([*wanted, *self.headcounts]), None)

    @cached_property
    def standings(self):
        return giving.standings(self.measure, self.sharing.unit, self.units)

    def _rows(self):
        results, _, plans = self._before
        rows = []
        for place in self.sharing.children:
            unit, standing = place.unit, self.standings[place.unit_id]
            row = Row(
                unit,
                standing,
                common=None if self.is_total or not concerns(self.measure, place) else self.plan.planned,
                headcount=self.latest(unit.pk, [self.headcount.pk]) if self.headcount else None,
                last_plan=plans.get(unit.pk),
                last_result=results.get(unit.pk),
                note=standing.note,
                fixed=standing.fixed,
                seen=standing.planned,
                base=_base(standing),
            )
            row.put(standing.planned, self.typed(standing.planned))
            rows.append(row)
        return rows

    # --- what is typed ---

    def typed(self, value):
        """A number as somebody would type it."""
        return self.field.prepare_value(value) or ""

    def read(self, data):
        """Take what was sent. Rows that were not on the page are left alone (`posted`)."""
        for row in self.rows:
            key = row.unit.pk
            row.posted = f"s-{key}" in data
            if not row.posted:
                continue
            row.text, row.shown = data.get(f"p-{key}", "").strip(), data.get(f"t-{key}", "")
            row.seen, row.base = _whole(data.get(f"s-{key}")), data.get(f"b-{key}", "0")[:201]
            row.fixed = f"g-{key}" in data
            try:
                row.planned = self.number(row.text)
                row.note = nfc(_NOTE.clean(data.get(f"n-{key}", "")))
            except ValidationError as refused:
                row.errors = refused.messages
                row.note = row.note if f"n-{key}" not in data else data[f"n-{key}"][:200]
            if row.text and row.text != row.shown:
                row.fixed = True  # typed by hand: filling leaves it alone

    def number(self, text):
        """A typed number in the measure's scale, None when blank. Raises ValidationError."""
        value = self.field.clean(text)
        if value is not None and not self.is_total and value > LARGEST_PERCENT:
            raise ValidationError("Tỷ lệ không quá 100%.")
        return value

    @property
    def errors(self):
        """For the summary at the top."""
        return [
            {"id": f"p-{row.unit.pk}", "message": f"{row.unit}: {message}"}
            for row in self.rows
            for message in row.errors
        ]

    def mark_clash(self, conflict):
        """After others wrote: what was typed stays, beside it what is saved now, which the next save has seen."""
        clashing = {unit.pk for unit in conflict.units}
        for row in self.rows:
            if row.unit.pk in clashing:
                row.is_clash = True
                row.standing = conflict.standings[row.unit.pk]
                row.seen, row.base = row.standing.planned, _base(row.standing)

    # --- what it comes to ---

    @property
    def shared(self):
        return sum(row.planned or 0 for row in self.rows)

    @property
    def left(self):
        return (self.plan.planned or 0) - self.shared

    @property
    def given_by(self):
        return "Kế hoạch" if self.plan.source == Source.OWN else "Cấp trên giao"

    def words(self, value):
        return self.measure.format_plan(value)

    @cached_property
    def weights(self):
        """{unit id: by what its percentage weighs in the whole}: the denominators' figures, or the units counted."""
        if self.measure.kind == MeasureKind.RATE:
            wanted = [row.pk for row in self.measure.denominators.all()]
            return {unit.pk: self.latest(unit.pk, wanted) for unit in self.units}
        counts = reading.level_counts([row.path for row in self.sharing.children], self.year, [self.measure.level])
        sector = self.measure.sector
        return {
            row.unit_id: sum(n for (_, label), n in counts[row.path].items() if sector in ("", label))
            for row in self.sharing.children
        }

    @property
    def weighted(self):
        """The percentage of the whole when every unit reaches what it is asked."""
        return weighted_mean({row.unit.pk: row.asked for row in self.rows}, self.weights)

    @property
    def floor_in_words(self):
        """COVERAGE: "3 hoạt động × 55 cơ sở = 165 hoạt động"; "" for the other kinds."""
        if self.measure.kind != MeasureKind.COVERAGE:
            return ""
        first = next(iter(self.measure.indicators.all()), None)
        units, decimals = sum(self.weights.values()), first.decimals if first else 0
        name, each = first.unit_of_measure if first else "", format_number(self.measure.floor, decimals)
        whole = format_number(self.measure.floor * units, decimals)
        return f"{each} {name} × {units} {COUNTED_UNITS[self.measure.level]} = {whole} {name}"


def _base(standing):
    return f"{int(standing.fixed)}{standing.note}"


def _whole(text):
    return int(text) if re.fullmatch(r"[0-9]{1,19}", text or "") else None


def _signature(measure):
    return (
        measure.target.issuer_id,
        measure.kind,
        measure.floor,
        measure.sector,
        {row.pk for row in measure.indicators.all()},
        {row.pk for row in measure.denominators.all()},
    )
