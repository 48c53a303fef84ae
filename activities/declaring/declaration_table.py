"""Kê khai for several units at once: rows are units, columns the levels of one group; judged and sent together."""

import uuid
from dataclasses import dataclass, field

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from activities import level_changes
from activities.declared import levels_of
from activities.models import Activity
from activities.rules import Entry, Rules
from activities.writing import repeating, warnings
from activities.writing.declaration_form import day_field, day_in, iso_day, offered, reason_field, title_of, usual_day
from activities.writing.known import Known
from unionwork.dates import format_date
from unionwork.fields import FigureField
from unionwork.numbers import Parsed
from unionwork.verbs import verb
from units import tree

BLANK = Parsed(None)
CELL, KEEP = "o", "giu"  # o-<unit>-<indicator>: a level; giu-<unit>: “xác nhận không đổi”


@dataclass
class Cell:
    """One box: what stands in it, and the level declared before it."""

    name: str
    label: str
    field: FigureField
    level: level_changes.Level | None
    text: str = ""
    value: Parsed = BLANK
    error: str = ""

    @property
    def indicator(self):
        return self.field.indicator

    @property
    def is_changed(self):
        before = self.level.parsed if self.level else None
        return self.value.value is not None and self.value != before

    @property
    def before(self):
        return self.indicator.format(self.level.value) if self.level else ""

    @property
    def day(self):
        return format_date(self.level.day) if self.level else ""

    @property
    def change(self):
        known = self.level is not None and self.value.value is not None
        return level_changes.in_words(self.level.value, self.value.value) if known else ""

    @property
    def is_big(self):
        known = self.level is not None and self.value.value is not None
        return known and level_changes.is_big(self.level.value, self.value.value)


@dataclass
class Row:
    unit: object
    cells: list = field(default_factory=list)
    is_kept: bool = False
    error: str = ""

    @property
    def keep_name(self):
        return f"{KEEP}-{self.unit.pk}"

    @property
    def is_declared(self):
        """Unchanged units are declared anew only when somebody confirms them."""
        return self.is_kept or any(cell.is_changed for cell in self.cells)


class LevelsTable(forms.Form):
    """The boxes of `units` × `indicators`. Bound by `data`, or re-shown without judging by `typed`."""

    form_key = forms.UUIDField(widget=forms.HiddenInput, error_messages={"invalid": "Tải lại trang rồi ghi lại."})
    last_day = day_field()
    warning_reason = reason_field()

    doubts = ()  # [Warning] the writer is asked about

    def __init__(self, data=None, *, units, indicators, kind, rules, typed=None, day=None):
        self.rules, self.kind, self.indicators = rules, kind, indicators
        self.source = data if data is not None else typed
        super().__init__(data, initial={"form_key": uuid.uuid4(), "last_day": day or usual_day(rules)})
        if typed is not None:
            self.initial |= {name: typed[name] for name in self.fields if typed.get(name)}
            self.initial |= {"last_day": typed["quy"]} if typed.get("quy") else {}
        self.day = day_in(self)
        ids = [unit.pk for unit in units]
        self.before = levels_of(ids, until=self.day, without=[self.key_of(unit) for unit in units])
        then = self.before
        if typed is not None and self.filled_for != typed.get("da-dien", ""):
            then = levels_of(ids, until=iso_day(typed.get("da-dien", "")))
        boxes = [_box(indicator) for indicator in indicators]
        self.rows = [self._row(unit, boxes, then.get(unit.pk, {})) for unit in units]

    def key_of(self, unit):
        """One record a unit, however often the page is sent."""
        try:
            return uuid.uuid5(uuid.UUID(str(self["form_key"].value())), str(unit.pk))
        except ValueError:
            return uuid.uuid4()

    def _row(self, unit, boxes, then):
        row = Row(unit, is_kept=self.source is not None and f"{KEEP}-{unit.pk}" in self.source)
        before = self.before.get(unit.pk, {})
        for box in boxes:
            name, pk = f"{CELL}-{unit.pk}-{box.indicator.pk}", box.indicator.pk
            cell = Cell(name, f"{box.indicator}, {unit}", box, before.get(pk))
            fresh, old = (box.prepare_value(level.parsed) if level else "" for level in (cell.level, then.get(pk)))
            cell.text = fresh if self.source is None else self.source.get(name, fresh).replace("\0", "").strip()
            if not self.is_bound and cell.text == old:
                cell.text = fresh  # nobody touched it: another day brings its own level
            try:
                cell.value = box.clean(cell.text)
            except ValidationError as refused:
                cell.error = refused.messages[0]
            row.cells.append(cell)
        return row

    def clean(self):
        for row in self.rows:
            if row.is_kept and all(cell.value.value is None and not cell.error for cell in row.cells):
                row.error = "Nhập ít nhất một số, hoặc bỏ đánh dấu “không đổi”."
        return super().clean()

    def is_valid(self):
        return super().is_valid() and not self.wrong

    # --- for the template ---

    @property
    def filled_for(self):
        """The day whose last levels the boxes were filled in with."""
        return self.day.isoformat() if self.day else ""

    @property
    def quarters(self):
        return offered(self.rules, self.day)

    @property
    def wrong(self):
        """[{id, message}] of the boxes and rows, for the summary of errors; a typed page is not judged."""
        if not self.is_bound:
            return []
        found = []
        for row in self.rows:
            found += [{"id": cell.name, "message": f"{cell.label}: {cell.error}"} for cell in row.cells if cell.error]
            if row.error:
                found.append({"id": row.cells[0].name, "message": f"{row.unit}: {row.error}"})
        return found

    @property
    def asked_before(self):
        return warnings.asked_before(self)

    # --- what was said ---

    def entries(self):
        """[(Entry, {indicator id: Level} before it)] of the units to declare. Only for a valid table."""
        day, found = self.cleaned_data["last_day"], []
        for row in self.rows:
            if row.is_declared:
                title = title_of(self.kind, day)
                activity = Activity(unit=row.unit, kind=self.kind, title=title, first_day=day, last_day=day)
                activity.form_key = self.key_of(row.unit)
                figures = {cell.indicator: cell.value for cell in row.cells if cell.value.value is not None}
                found.append((Entry(activity, figures), self.before.get(row.unit.pk, {})))
        return found

    def take(self, errors):
        """Show what `declare` refused beside the boxes it concerns."""
        for row in self.rows:
            for place, sentence in errors.get(row.unit.pk, {}).items():
                cell = next((cell for cell in row.cells if cell.indicator.code == place), None)
                if cell:
                    cell.error = sentence
                elif place in self.fields:
                    if sentence not in self.errors.get(place, []):
                        self.add_error(place, sentence)
                else:
                    row.error = sentence

    def ask(self, unanswered):
        self.doubts = unanswered.warnings
        if unanswered.was_asked:
            self.add_error("warning_reason", "Ghi lý do thay đổi, rồi gửi lại.")


def _box(indicator):
    box = FigureField(decimals=indicator.decimals, unit=indicator.unit_of_measure, required=False)
    box.indicator = indicator
    return box


def declare(**what):
    """Write and send one declaration a unit: all or none. Returns how many are new; the same page sent once more adds
    nothing.

    `entries`: [(Entry, {indicator id: Level} declared before)]; `asked`: the sentences the writer has seen, `reason`
    the one answer to them. Raises `repeating.Refused` by unit id, `warnings.Unanswered`.
    """
    try:
        return _declare(**what)
    except IntegrityError:  # a double tap: the other request came first
        return _declare(**what)


@verb("Kê khai")
def _declare(*, entries, actor, asked=(), reason=""):
    tree.lock_shared()  # before the rules read which years are open
    rules = Rules()
    by_unit = {entry.activity.unit_id: entry for entry, _ in entries}
    new = repeating.unwritten(by_unit, actor, rules, send=True)
    found = []
    for entry, levels in entries:
        said = warnings.warnings_of(entry, Known(levels=levels), rules)
        entry.activity.warnings = [[warning.code, warning.sentence] for warning in said]
        entry.activity.warning_reason = reason if said else ""
        found += [warnings.Warning(one.code, f"{entry.activity.unit}: {one.sentence}") for one in said]
    if new and any(warning.sentence not in asked for warning in found):
        raise warnings.Unanswered(found, was_asked=False)
    if new and found and not reason:
        raise warnings.Unanswered(found, was_asked=True)
    return len(repeating.write_new(new, actor, rules, send=True))
