"""Kê khai for several units at once: rows are units, columns the levels of one group; judged and sent together."""

import uuid
from dataclasses import dataclass, field

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from activities import level_changes, locks, recording, review
from activities.declared import levels_of
from activities.models import Activity
from activities.rules import Entry, Rules, missing
from activities.writing import warnings
from activities.writing.declaration_form import day_field, day_in, iso_day, offered, reason_field, title_of, usual_day
from unionwork.dates import format_date
from unionwork.fields import FigureField
from unionwork.numbers import Parsed
from unionwork.verbs import verb
from units import journal, tree

BLANK = Parsed(None)
CELL, KEEP = "o", "giu"  # o-<unit>-<indicator>: a level; giu-<unit>: “xác nhận không đổi”


class Refused(Exception):
    """What is wrong, {unit id: {field or indicator code: sentence}}: nothing was written."""

    def __init__(self, errors):
        super().__init__()
        self.errors = errors


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
    the one answer to them. Raises `Refused`, `warnings.Unanswered`.
    """
    try:
        return _declare(**what)
    except IntegrityError:  # a double tap: the other request came first
        return _declare(**what)


@verb("Kê khai")
def _declare(*, entries, actor, asked=(), reason=""):
    tree.lock_shared()  # before the rules read which years are open
    rules = Rules()
    _judge([entry for entry, _ in entries], rules)
    new = _new([entry for entry, _ in entries])
    if locked := locks.of_entries({entry.activity.unit_id: entry for entry in new}, rules):
        raise Refused({unit: {"last_day": why} for unit, why in locked.items()})
    found = []
    for entry, levels in entries:
        said = warnings.warnings_of(entry, warnings.Known(levels=levels), rules)
        entry.activity.warnings = [[warning.code, warning.sentence] for warning in said]
        entry.activity.warning_reason = reason if said else ""
        found += [warnings.Warning(one.code, f"{entry.activity.unit}: {one.sentence}") for one in said]
    if new and any(warning.sentence not in asked for warning in found):
        raise warnings.Unanswered(found, was_asked=False)
    if new and found and not reason:
        raise warnings.Unanswered(found, was_asked=True)
    with journal.kept() as notes:
        saved = recording.create_many(entries=new, actor=actor, rules=rules, settled=True)
        review.submit_many(ids=[activity.pk for activity in saved], actor=actor)
    journal.write(notes)
    return len(saved)


def _judge(entries, rules):
    errors = {}
    for entry in entries:
        try:
            rules.settle(entry)
            found = missing(entry, rules)
        except ValidationError as refused:
            found = {place: messages[0] for place, messages in refused.message_dict.items()}
        if found:
            errors[entry.activity.unit_id] = found
    if errors:
        raise Refused(errors)


def _new(entries):
    """Those that this page has not become records of yet. Raises `Refused` for one that said otherwise then."""
    keys = [entry.activity.form_key for entry in entries]
    already = {row.form_key: row for row in Activity.objects.filter(form_key__in=keys)}
    new, errors = [], {}
    for entry in entries:
        activity = entry.activity
        activity.pk, activity.form_digest = None, recording.digest_of(entry)
        there = already.get(activity.form_key)
        if there is None:
            new.append(entry)
        elif there.form_digest != activity.form_digest:
            errors[activity.unit_id] = {"": f"Đã gửi từ bảng này với số khác ({there.code}): mở bản kê khai ấy để sửa."}
    if errors:
        raise Refused(errors)
    return new
