"""Columns of import workbooks: what one cell may hold, and what is said when it holds something else."""

from datetime import date
from difflib import get_close_matches

from django.utils import timezone
from import_export.fields import Field

from unionwork.dates import DateError, format_date, parse_date
from unionwork.numbers import NumberError, Parsed, parse_number
from unionwork.text import fold, header_key, nfc

BATCH = 10_000  # values in one IN (…): below every database's limit of parameters


class CellError(ValueError):
    """A cell that cannot be read; `message` says in Vietnamese what is wrong."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message


BROKEN = {"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"}
CELL_ERRORS = (CellError, NumberError, DateError)  # each carries a Vietnamese `message`


class Column(Field):
    """One column, matched by its header; hands over the cell as it is (str, int, float, date, None for blank).

    `key` marks a column that `StrictResource.extra_columns` made: what the column stands for, e.g. an indicator.
    """

    blank = None
    is_text = False

    def __init__(self, header, *, required=False, key=None):
        super().__init__(column_name=nfc(header))
        self.required = required
        self.key = key

    def prepare(self, resource, cells):
        """Called once per file with all cells of the column, before the first row is read."""

    def labels(self, resource):
        """What the template's drop-down list offers; empty for no list."""
        return []

    def clean(self, row, **kwargs):
        """The cell's value. Raises one of CELL_ERRORS."""
        cell = row[self.column_name]
        if cell in BROKEN:
            raise CellError(f"ô này báo lỗi công thức {cell}")
        value = self.blank if cell is None or cell == "" else self.read(cell)
        if self.required and (value is None or value in ("", (), Parsed(None, ""))):
            raise CellError("chưa nhập; cột này bắt buộc")
        return value

    def read(self, cell):
        return cell


class TextColumn(Column):
    """Text on one line; a number or date cell is taken as what it shows. Blank reads as ""."""

    blank = ""
    is_text = True

    def __init__(self, header, *, max_length=None, **kwargs):
        super().__init__(header, **kwargs)
        self.max_length = max_length

    def read(self, cell):
        text = as_text(cell)
        if self.max_length and len(text) > self.max_length:
            raise CellError(f"dài {len(text)} ký tự; nhiều nhất {self.max_length}")
        return text


class NumberColumn(Column):
    """An integer in units of 10**-decimals; with `words` a `Parsed`, which keeps "trên", "gần"…"""

    def __init__(self, header, *, decimals=0, unit="", words=False, **kwargs):
        super().__init__(header, **kwargs)
        self.decimals = decimals
        self.unit = unit
        self.words = words
        self.blank = Parsed(None, "") if words else None

    def read(self, cell):
        if isinstance(cell, date):
            raise CellError(f"ô này là ngày {format_date(cell)}; cần một số")
        parsed = parse_number(cell, self.decimals, self.unit)
        if self.words:
            return parsed
        if parsed.word:
            raise CellError(f"“{as_text(cell)}”: cột này cần số chính xác, không kèm “{parsed.word}”")
        return parsed.value


class DateColumn(Column):
    """A date; one written without year is the latest not after today, or refused with `ahead` (deadlines)."""

    def __init__(self, header, *, ahead=False, **kwargs):
        super().__init__(header, **kwargs)
        self.ahead = ahead

    def read(self, cell):
        return parse_date(cell, None if self.ahead else timezone.localdate())


class ChoiceColumn(Column):
    """One of a few labels, whatever their case and spaces but with their dấu.

    `choices`: {label: value}, or a function of the resource that returns it (called once per file).
    """

    def __init__(self, header, choices, **kwargs):
        super().__init__(header, **kwargs)
        self.choices = choices
        self._values = {}
        self._labels = []

    def labels(self, resource):
        return list(self._loaded(resource))

    def prepare(self, resource, cells):
        choices = self._loaded(resource)
        self._labels = list(choices)
        self._values = {header_key(label): value for label, value in choices.items()}

    def read(self, cell):
        text = as_text(cell)
        try:
            return self._values[header_key(text)]
        except KeyError:
            raise CellError(f"không có “{text}”{self._hint(text)}") from None

    def _loaded(self, resource):
        return self.choices(resource) if callable(self.choices) else self.choices

    def _hint(self, text):
        near = nearest(text, self._labels)
        if near:
            return f"; có phải “{near}”?"
        return f"; chọn một trong: {', '.join(self._labels)}" if len(self._labels) <= 12 else ""


class ReferenceColumn(Column):
    """A row of another table by its code, looked up for the whole column at once (never a query per row).

    `queryset`: a function of the resource returning a *scoped* queryset. `missing`: the sentence for an unknown
    code, with {} for it. With `separator` the cell holds several codes and reads as a tuple.
    """

    is_text = True

    def __init__(self, header, queryset, *, field="code", separator=None, missing, **kwargs):
        super().__init__(header, **kwargs)
        self.queryset = queryset
        self.field = field
        self.separator = separator
        self.missing = missing
        self.blank = () if separator else None
        self._found = {}
        self._near = {}

    def prepare(self, resource, cells):
        wanted = list({text for cell in cells if cell is not None for text in self._split(cell)})
        queryset = self.queryset(resource)
        self._found = {}
        for start in range(0, len(wanted), BATCH):
            chunk = queryset.filter(**{f"{self.field}__in": wanted[start : start + BATCH]})
            self._found |= {getattr(row, self.field): row for row in chunk}
        self._near = {}
        if any(text not in self._found for text in wanted):
            codes = queryset.order_by().values_list(self.field, flat=True)[:BATCH]
            self._near = {fold(code): code for code in codes}

    def remember(self, code, row):
        """Makes a row that this import has just created known to the rows below it."""
        self._found[nfc(code)] = row

    def read(self, cell):
        rows = [self._row(text) for text in self._split(cell)]
        if not self.separator:
            return rows[0]
        if len({id(row) for row in rows}) < len(rows):
            raise CellError(f"“{as_text(cell)}”: một mã viết hai lần")
        return tuple(rows)

    def _split(self, cell):
        text = as_text(cell)
        if not self.separator:
            return [text]
        return [part for part in map(nfc, text.split(self.separator)) if part]

    def _row(self, text):
        try:
            return self._found[text]
        except KeyError:
            near = self._near.get(fold(text))
            hint = f"; có phải “{near}”?" if near and near != text else ""
            raise CellError(self.missing.format(text) + hint) from None


def as_text(cell):
    """What a cell shows, on one line."""
    if isinstance(cell, date):
        return format_date(cell)
    if isinstance(cell, float):
        return repr(cell).replace(".", ",")
    return nfc(str(cell))


def nearest(text, labels):
    """The label that was probably meant: equal without dấu, or nearly so; None if there is none."""
    folded = {fold(label): label for label in labels}
    match = get_close_matches(fold(text), folded, n=1, cutoff=0.75)
    return folded[match[0]] if match else None
