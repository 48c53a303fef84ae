"""Form fields that read Vietnamese numbers, dates and names. What was typed stays in the box when it is refused."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from unionwork.dates import DateError, format_date, parse_date
from unionwork.numbers import Ambiguous, NumberError, Parsed, format_number, parse_number

MOST_NAMED = 5  # rows that a text may mean, said back to choose from


class FigureField(forms.Field):
    """Cleans to `Parsed` in the indicator's smallest unit; blank is Parsed(None). Takes an int or Parsed as initial."""

    widget = forms.TextInput

    def __init__(self, *, decimals=0, unit="", **kwargs):
        self.decimals = decimals
        self.unit = unit
        super().__init__(**kwargs)

    def widget_attrs(self, widget):
        mode = "decimal" if self.decimals else "numeric"
        return {"inputmode": mode, "autocomplete": "off", "enterkeyhint": "next"}

    def to_python(self, value):
        try:
            return parse_number(value, self.decimals, self.unit)
        except NumberError as error:
            code = "ambiguous" if isinstance(error, Ambiguous) else "invalid"
            raise ValidationError(error.message, code=code) from error

    def validate(self, value):
        if self.required and value.value is None:
            raise ValidationError(self.error_messages["required"], code="required")

    def prepare_value(self, value):
        if isinstance(value, int):
            value = Parsed(value)
        if not isinstance(value, Parsed):
            return value
        return "" if value.value is None else f"{value.word} {self._shown(value.value)}".strip()

    def _shown(self, value):
        """What `to_python` reads back as the same value, also where 2.819 would be asked about (unit tỷ đồng)."""
        shown = format_number(value, self.decimals)
        try:
            parse_number(shown, self.decimals, self.unit)
        except Ambiguous:
            return shown.replace(".", "")
        return shown

    def has_changed(self, initial, data):
        if self.disabled:
            return False
        before = initial if isinstance(initial, Parsed) else Parsed(initial)
        try:
            return self.to_python(data) != before
        except ValidationError:
            return True


class VietnameseDateField(forms.Field):
    """Cleans to a date. `needs_year` refuses 31/5: for deadlines, which the past is no guide to."""

    widget = forms.TextInput

    def __init__(self, *, needs_year=False, **kwargs):
        self.needs_year = needs_year
        super().__init__(**kwargs)

    def widget_attrs(self, widget):
        return {"inputmode": "numeric", "autocomplete": "off", "placeholder": "dd/mm/yyyy"}

    def to_python(self, value):
        if isinstance(value, str):
            value = value.strip()
        if value in self.empty_values:
            return None
        try:
            return parse_date(value, None if self.needs_year else timezone.localdate())
        except DateError as error:
            raise ValidationError(error.message, code="invalid") from error

    def prepare_value(self, value):
        return format_date(value) if isinstance(value, date) else value


def check_order(form, first="tu", last="den"):
    """An error on the `last` day of a form whose data are clean when it lies before the `first`."""
    days = [form.cleaned_data.get(name) for name in (first, last)]
    if all(days) and days[1] < days[0]:
        form.add_error(last, f"Ngày này trước ngày đầu ({format_date(days[0])}): đổi lại một trong hai.")


def matching(queryset, text):
    """The rows that the words of a text fit, one more than are said back."""
    return list(queryset.matching(text)[: MOST_NAMED + 1])


class CodeField(forms.CharField):
    """A row of a scoped queryset by its code, or by words that fit it alone (`named`: queryset, text → rows); blank is
    None."""

    def __init__(self, *, queryset, missing, named=matching, **kwargs):
        super().__init__(max_length=200, **kwargs)
        self.queryset, self.missing, self.named = queryset, missing, named

    def clean(self, value):
        text = super().clean(value)
        return self.row(text) if text else None

    def find(self, text):
        exactly = self.queryset.filter(code=text)
        return list(exactly) or list(self.queryset.filter(code__iexact=text)) or self.named(self.queryset, text)

    def row(self, text):
        found = self.find(text)
        if len(found) == 1:
            return found[0]
        if not found:
            raise ValidationError(self.missing)
        several = ", ".join(f"{row} (mã {row.code})" for row in found[:MOST_NAMED])
        raise ValidationError(f"“{text[:40]}” có thể là {several}{'…' if len(found) > MOST_NAMED else '.'}")
