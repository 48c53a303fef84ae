"""Kê khai: the levels of one unit at a day, each beside the one declared before it."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from activities import level_changes, quarters
from activities.declared import levels_of
from activities.models import RecordNature
from activities.writing.record_form import RecordForm
from unionwork.dates import format_date
from unionwork.fields import VietnameseDateField
from units import access
from units.models import Unit


def reason_field():
    return forms.CharField(max_length=400, label="Lý do thay đổi", required=False, widget=forms.Textarea({"rows": 2}))


def day_field():
    return VietnameseDateField(
        label="Số liệu đến ngày",
        error_messages={"required": "Nhập ngày, ví dụ 31/03/2024."},
    )


class DeclarationForm(RecordForm):
    """Boxes are filled in with the unit's last declared levels; what nobody touched follows another unit or day."""

    last_day = day_field()
    warning_reason = reason_field()

    nature = RecordNature.STOCK

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("last_day", usual_day(self.rules))
        if not self.is_bound and self.source is not None and self.source.get("quy"):
            self.initial["last_day"] = self.source["quy"]
        self.day = day_in(self)
        self.before = self._levels(self.unit_chosen, self.day)
        self.was_refilled = False
        if self.activity is None:
            self._fill()

    def _chosen_kind(self):
        code = self.initial.get("kind") if self.source is None else self.source.get("kind")
        return chosen_kind(self.kinds(), code)

    def _last_values(self):
        """No hints beside the boxes: the last level has a column of its own."""
        return {}

    def _levels(self, unit, day):
        if unit is None:
            return {}
        own = [self.activity.form_key] if self.activity else []
        return levels_of([unit.pk], until=day, without=own).get(unit.pk, {})

    def _fill(self):
        """The last levels into the boxes of a new record. A sent form is left as it is, but for another unit's levels
        in it: nobody means to declare those."""
        if self.source is None:
            for name in self.kind_figures:
                level = self.before.get(self.fields[name].indicator.pk)
                if level:
                    self.initial.setdefault(name, level.parsed)
            return
        code, _, day = self.source.get("da-dien", "").replace("\0", "").partition("|")
        if not code or self.unit_chosen is None or (self.is_bound and code == self.unit_chosen.code):
            return
        mine = Unit.objects.reached(self.user, access.LOG)
        then = self._levels(mine.filter(code=code).first(), iso_day(day))
        fresh = {}
        for name in self.kind_figures:
            old, new = self._text(name, then), self._text(name, self.before)
            if old != new and self.source.get(name, "").strip() == old:
                fresh[name] = new
        self.was_refilled = self.is_bound and bool(fresh)
        self.initial |= fresh
        if self.was_refilled:
            self.data = self.data.copy()
            for name, text in fresh.items():
                self.data[name] = text

    def _text(self, name, levels):
        field = self.fields[name]
        level = levels.get(field.indicator.pk)
        return field.prepare_value(level.parsed) if level else ""

    def clean(self):
        said = super().clean()
        if self.was_refilled:
            instead = f"nay thay bằng số của “{self.unit_chosen}”"
            self.add_error("unit", f"Các ô điền sẵn số của đơn vị khác, {instead}: xem lại rồi gửi.")
        return said

    # --- for the template ---

    @property
    def filled_for(self):
        """Whose last levels, of which day, the boxes were filled in with."""
        return f"{self.unit_chosen.code if self.unit_chosen else ''}|{self.day.isoformat() if self.day else ''}"

    @property
    def quarters(self):
        return offered(self.rules, self.day)

    @property
    def other_kinds(self):
        return [kind for kind in self.kinds() if kind != self.kind_chosen] if self.activity is None else []

    @property
    def level_rows(self):
        """[{field, before, day, level, change, is_big}] of every indicator asked."""
        rows = []
        for box in [*self.asked, *self.added]:
            indicator = box.field.indicator
            level, value = self.before.get(indicator.pk), self.typed_figures.get(indicator)
            known = level is not None and value is not None
            rows.append(
                {
                    "field": box,
                    "decimals": indicator.decimals,
                    "level": "" if level is None else level.value,
                    "before": "" if level is None else indicator.format(level.value),
                    "word": level.word if level else "",
                    "day": format_date(level.day) if level else "",
                    "change": level_changes.in_words(level.value, value) if known else "",
                    "is_big": known and level_changes.is_big(level.value, value),
                }
            )
        return rows

    # --- what was said ---

    def ask(self, unanswered):
        """Show the big changes; the second time without a reason is an error."""
        self.doubts = unanswered.warnings
        if unanswered.was_asked:
            self.add_error("warning_reason", "Ghi lý do thay đổi, rồi gửi lại.")

    @property
    def answer(self):
        return {"asked": self.source.getlist("da-hoi"), "reason": self.cleaned_data["warning_reason"]}

    def entry(self, activity):
        day = self.cleaned_data["last_day"]
        activity.first_day = activity.last_day = day
        activity.title = title_of(self.kind_chosen, day)
        return super().entry(activity)


def title_of(kind, day):
    return f"{kind} đến {format_date(day)}"


def chosen_kind(kinds, code):
    """The kind of this code; else the usual declaration, else the first."""
    kinds = {kind.code: kind for kind in kinds}
    return kinds.get(code) or kinds.get("ke-khai") or next(iter(kinds.values()), None)


def usual_day(rules):
    """The last month's end; today, when the year it lies in is closed."""
    today = timezone.localdate()
    day = quarters.last_month_end(today)
    year, this_year = rules.year_of(day), rules.year_of(today)
    closed = year is not None and not year.is_open
    return today if closed and this_year is not None and this_year.is_open else day


def day_in(form):
    """The day as it stands in the box, or None when it is none."""
    try:
        return form.fields["last_day"].to_python(form["last_day"].value())
    except ValidationError:
        return None


def iso_day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def offered(rules, day):
    """The ended quarters of the open work year that `day` lies in (else of the latest begun one)."""
    today = timezone.localdate()
    begun = [year for year in rules.years if year.is_open and year.first_day <= today]
    year = (rules.year_of(day) if day else None) or next(iter(begun), None)
    return quarters.ended(year, today) if year and year.is_open else []
