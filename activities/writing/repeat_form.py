"""What people fill in to write several records at once: one event on several dates, or a table of small events."""

import re
import uuid
from dataclasses import dataclass, field

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from activities.models import Activity, Host, WorkLevel
from activities.rules import Entry
from activities.writing.record_form import FIGURE, AskingForm
from unionwork.dates import DateError, format_date, parse_date
from unionwork.fields import FigureField, VietnameseDateField
from unionwork.parameters import whole_number

MOST_DATES = 60
ROWS, MORE_ROWS, MOST_ROWS = 10, 5, 30  # of a table: at first, with one press, at most


class SeveralForm(AskingForm):
    """Records of one unit and kind, judged and written together. Places on the page have labels ("Dòng 3")."""

    def take(self, errors):
        """Show what `repeating.write_down` refused at the boxes it concerns, each sentence once."""
        for label, found in errors.items():
            for place, sentence in found.items():
                name, said = self._placed(label, place, sentence)
                if said not in self.errors.get(name, []):
                    self.add_error(name, said)

    def _key_of(self, place):
        """One record a place, however often the page is sent."""
        return uuid.uuid5(self.cleaned_data["form_key"], place)


class DatesForm(SeveralForm):
    """A saved record once more, on other dates. Its figures stand in the boxes: they are the same on each date."""

    days = forms.CharField(
        max_length=2000,
        label="Các ngày",
        help_text=f"mỗi dòng một ngày, nhiều nhất {MOST_DATES} ngày; ví dụ 26/03/2024",
        required=False,
        widget=forms.Textarea({"rows": 6, "autocomplete": "off"}),
    )
    picked = forms.CharField(label="Chọn ngày để thêm", required=False, max_length=20)

    def __init__(self, *args, record, **kwargs):
        self.record = record
        super().__init__(*args, activity=record, **kwargs)
        self.fields["picked"].widget = forms.DateInput(attrs={"type": "date", "max": timezone.localdate().isoformat()})
        self._add_picked()

    def _saved(self, entry):
        figures = {FIGURE + indicator.code: parsed for indicator, parsed in entry.figures.items()}
        return {"form_key": uuid.uuid4()} | figures

    def _add_unit(self, unit):
        self.unit_chosen = self.record.unit

    def _chosen_kind(self):
        return self.rules.kinds[self.record.kind_id]

    def _last_values(self):
        return {}

    def _add_picked(self):
        """The day picked from the calendar becomes a further line, once."""
        if self.is_bound or self.source is None:
            return
        self.initial["days"] = _with_picked(self.source.get("days", ""), self.source.get("picked", ""))
        self.initial["picked"] = ""

    @property
    def length(self):
        """How much later than its first day each record ends."""
        return self.record.last_day - self.record.first_day

    @property
    def days_long(self):
        return self.length.days + 1

    def clean_days(self):
        lines = re.split(r"[\n,;]+", _with_picked(self.cleaned_data["days"], self.data.get("picked", "")))
        lines = [line.strip() for line in lines if line.strip()]
        if len(lines) > MOST_DATES:
            raise ValidationError(f"Có {len(lines)} ngày; mỗi lần nhiều nhất {MOST_DATES} ngày.")
        first_line, wrong = {}, []
        for number, line in enumerate(lines, start=1):
            try:
                day = parse_date(line, timezone.localdate())
            except DateError as refused:
                wrong.append(f"Dòng {number}: {refused.message}")
                continue
            if day in first_line:
                wrong.append(f"Ngày {format_date(day)} có hai lần: dòng {first_line[day]} và dòng {number}.")
            elif day == self.record.first_day:
                wrong.append(f"Dòng {number}: {format_date(day)} là ngày của chính hoạt động này.")
            first_line.setdefault(day, number)
        if wrong:
            raise ValidationError(wrong)
        if not lines:
            raise ValidationError("Nhập ít nhất một ngày, ví dụ 26/03/2024.")
        return sorted(first_line)

    def entries(self):
        """{label: Entry}. Only for a valid form."""
        figures = {
            self.fields[name].indicator: said
            for name, said in self.cleaned_data.items()
            if name.startswith(FIGURE) and said.value is not None
        }
        counting = Host.objects.counting().filter(activity=self.record).select_related("unit")
        hosts, record = [host.unit for host in counting], self.record
        found = {}
        for day in self.cleaned_data["days"]:
            activity = Activity(
                unit=record.unit,
                kind=self.kind_chosen,
                title=record.title,
                first_day=day,
                last_day=day + self.length,
                place=record.place,
                work_level=record.work_level,
                description=record.description,
                form_key=self._key_of(day.isoformat()),
            )
            found[f"Ngày {format_date(day)}"] = Entry(activity, dict(figures), hosts)
        return found

    def _placed(self, label, place, sentence):
        """A figure is wrong on every date alike."""
        is_figure = FIGURE + place in self.fields
        return (FIGURE + place, sentence) if is_figure else ("days", f"{label}: {sentence}")


def _with_picked(text, picked):
    """The lines, and the day that stands in the calendar box as a further one."""
    try:
        day = format_date(parse_date(picked))
    except DateError:
        return text
    return text if day in text else "\n".join(filter(None, [text.strip(), day]))


@dataclass
class Row:
    """The names of one row's boxes: the day, the title, perhaps the level of the work, a figure per indicator."""

    number: int
    day: str
    title: str
    level: str
    figures: dict = field(default_factory=dict)  # {indicator: name}

    @property
    def label(self):
        return f"Dòng {self.number}"

    @property
    def names(self):
        return [self.day, self.title, *filter(None, [self.level]), *self.figures.values()]


class QuickTable(SeveralForm):
    """Rows of small events of one kind and unit. Blank rows are left out."""

    def _chosen_kind(self):
        code = self.initial.get("kind") if self.source is None else self.source.get("kind")
        return next((kind for kind in self.kinds() if kind.code == code), None)

    def _add_figures(self, saved):
        choices = [("", "– chọn –"), *((kind.code, kind.name) for kind in self.kinds())]
        self.fields["kind"] = forms.ChoiceField(
            choices=choices, label="Loại", error_messages={"required": "Chọn loại hoạt động."}
        )
        self.rows = []
        if self.kind_chosen is not None:
            self.rows = [self._add_row(number) for number in range(1, self._row_count() + 1)]

    def _row_count(self):
        if self.source is None:
            return ROWS
        count = whole_number(self.source.get("so-dong", ""), digits=3) or ROWS
        return min(MOST_ROWS, count + (MORE_ROWS if self.source.get("them") else 0))

    def _add_row(self, number):
        has_level = self.kind_chosen.has_work_level
        row = Row(number, f"ngay-{number}", f"ten-{number}", f"cap-{number}" if has_level else "")
        self.fields[row.day] = VietnameseDateField(label=f"{row.label}, ngày", required=False)
        self.fields[row.title] = forms.CharField(max_length=200, label=f"{row.label}, tên", required=False)
        if has_level:
            levels = [("", "– cấp –"), *WorkLevel.choices]
            self.fields[row.level] = forms.ChoiceField(choices=levels, label=f"{row.label}, cấp", required=False)
        for one in self._asked():
            name = f"o-{number}-{one.indicator.code}"
            row.figures[one.indicator] = name
            self.fields[name] = FigureField(
                decimals=one.indicator.decimals,
                unit=one.indicator.unit_of_measure,
                label=f"{row.label}, {one.indicator}",
                required=False,
            )
        return row

    # --- for the template ---

    @property
    def columns(self):
        """[(heading, whether it is a number)]"""
        level = [("Cấp công trình", False)] if self.asks_work_level else []
        words = [("Ngày", False), ("Tên", False), *level]
        return words + [(f"{one.indicator} ({one.indicator.unit_of_measure})", True) for one in self._asked()]

    @property
    def lines(self):
        """[(row, [(heading, whether it is a number, box), …])]"""
        columns = self.columns
        return [
            (row, [(*column, self[name]) for column, name in zip(columns, row.names, strict=True)]) for row in self.rows
        ]

    @property
    def can_grow(self):
        return len(self.rows) < MOST_ROWS

    # --- what was said ---

    def clean(self):
        said = super().clean()
        if self.errors.get("kind"):
            return said
        written = [row for row in self.rows if not self._is_blank(row)]
        for row in written:
            if row.day in said and said[row.day] is None:
                self.add_error(row.day, "Nhập ngày, ví dụ 26/03/2024.")
        if not written:
            self.add_error(None, "Điền ít nhất một dòng: ngày và số liệu.")
        return said

    def clean_kind(self):
        """Columns of another kind than the one chosen would be lost without a word."""
        if self.data.get("bang-loai", self.kind_chosen.code) != self.kind_chosen.code:
            raise ValidationError("Bảng đang mở là của loại khác: bấm “Đổi loại” để xem các cột của loại này.")
        return self.kind_chosen

    def _is_blank(self, row):
        return not any(str(self[name].value() or "").strip() for name in row.names)

    def entries(self):
        """{label: Entry} of the rows that are not blank. Only for a valid form."""
        said, found = self.cleaned_data, {}
        for row in self.rows:
            if self._is_blank(row):
                continue
            activity = Activity(
                unit=said["unit"],
                kind=self.kind_chosen,
                title=said[row.title] or self.kind_chosen.name,
                first_day=said[row.day],
                last_day=said[row.day],
                work_level=said[row.level] if row.level else "",
                form_key=self._key_of(str(row.number)),
            )
            figures = {indicator: said[name] for indicator, name in row.figures.items()}
            filled = {indicator: parsed for indicator, parsed in figures.items() if parsed.value is not None}
            found[row.label] = Entry(activity, filled)
        return found

    def _placed(self, label, place, sentence):
        row = next(row for row in self.rows if row.label == label)
        figures = {indicator.code: name for indicator, name in row.figures.items()}
        boxes = {"first_day": row.day, "last_day": row.day, "work_level": row.level, "unit": "unit"} | figures
        return boxes.get(place) or next(iter(row.figures.values()), row.day), sentence
