"""Strict imports on top of django-import-export: a workbook is taken whole or not at all.

Every bad cell is reported with the user's own row number and column header; nothing is written while one is left.
"""

import logging
import secrets
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

import tablib
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import DEFAULT_DB_ALIAS, transaction
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import RowResult
from openpyxl.utils import get_column_letter

from unionwork.columns import CELL_ERRORS, nearest
from unionwork.text import header_key
from unionwork.workbooks import BadWorkbook, read_rows, template_workbook

logger = logging.getLogger(__name__)

DONE = {True: RowResult.IMPORT_TYPE_NEW, False: RowResult.IMPORT_TYPE_UPDATE, None: RowResult.IMPORT_TYPE_SKIP}


@dataclass(frozen=True)
class Outcome:
    """What an import did, or with `check` would do. Any error: nothing was written."""

    created: int = 0
    updated: int = 0
    errors: list[str] = field(default_factory=list)

    def summary(self):
        return f"{self.created} thêm mới, {self.updated} cập nhật, {len(self.errors)} lỗi"


class ImportErrors(Exception):
    """Raised by `write` or `finish`: [(row number, column name or header or None, message), …]."""

    def __init__(self, errors):
        super().__init__(errors)
        self.errors = list(errors)


class Row(dict):
    """Cleaned values by column name. `number`: the row in the user's workbook; `extra`: {column key: value}."""

    def __init__(self, number):
        super().__init__()
        self.number = number
        self.extra = {}


class StrictResource(Resource):
    """Declares columns and writes one row at a time through the app's own verbs.

    `key`: names of the columns that together may occur only once in a file.
    `field_columns`: {field name in a verb's ValidationError: column name}, where the two differ.
    `errors`: [(row number, header or None, message)] found so far.
    """

    key = ()
    field_columns = {}

    class Meta:
        using_db = DEFAULT_DB_ALIAS
        use_transactions = True
        use_bulk = True  # our own savepoint per row instead of one that would be kept after an error
        skip_diff = True
        report_skipped = False
        instance_loader_class = BaseInstanceLoader

    def __init__(self, *, user):
        super().__init__()
        self.user = user
        self.errors = []
        self.at_row = None
        self._columns = []
        self._seen = {}

    # --- for apps to define ---

    def write(self, row):
        """Create or update what `row` says; True when created, False when updated, None when it says nothing.

        May raise ValidationError (its fields become columns), PermissionDenied or ImportErrors.
        """
        raise NotImplementedError

    def extra_columns(self, headers):
        """{header: Column with a key} for those of the undeclared `headers` that are known, e.g. one per indicator.

        A header left out is reported as unknown, unless `report` already said something better about it.
        """
        return {}

    def finish(self):
        """Bulk work after the last row, in the same transaction. May raise ImportErrors or ValidationError."""

    # --- engine ---

    def report(self, number, header, message):
        """Notes an error (row 1: the headers); the import goes on to find the others and then writes nothing."""
        self.errors.append((number, header, message))

    def template(self, rows=(), *, extra=(), choices=None, title="", unit=None, year=None):
        """Bytes of the workbook to fill. `rows`: prefilled values; `extra`: headers after the declared ones.

        `unit`, `year`: for whom resources that prefill their rows do it.
        """
        columns = self.fields.values()
        lists = {column.column_name: column.labels(self) for column in columns} | (choices or {})
        return template_workbook(
            [*(column.column_name for column in columns), *extra],
            rows,
            choices={header: labels for header, labels in lists.items() if labels},
            text_columns={column.column_name for column in columns if column.is_text},
            title=title,
        )

    def dataset(self, rows):
        """The rows as import-export wants them, under our headers; None (and `errors`) when a header is wrong."""
        self.errors = []
        matched = self._match_headers(rows)
        if self.errors:
            return None
        self._columns = [(name, column) for _, name, column in matched]
        data = ([cells[place] for place, *_ in matched] for _, cells in rows.rows)
        return tablib.Dataset(*data, headers=[column.column_name for _, column in self._columns])

    def before_import(self, dataset, **kwargs):
        self._seen = {}
        for place, (_, column) in enumerate(self._columns):
            column.prepare(self, [cells[place] for cells in dataset])

    def import_row(self, row, instance_loader, **kwargs):
        """Read all cells, then write; what is wrong goes to `errors` under the user's own row number."""
        self.at_row = kwargs["numbers"][kwargs["row_number"] - 1]
        result = RowResult()
        result.import_type = RowResult.IMPORT_TYPE_INVALID
        cleaned = self._clean(self.at_row, row)
        if cleaned is not None:
            with self._collecting(self.at_row), transaction.atomic():
                result.import_type = DONE[self.write(cleaned)]
        return result

    def after_import(self, dataset, result, **kwargs):
        """Finish, then leave one base error for import-export when anything is wrong: it rolls everything back."""
        self.at_row = None
        with self._collecting(None), transaction.atomic():
            self.finish()
        if self.errors:
            result.append_base_error(self.get_error_result_class()(ImportErrors(self.errors)))

    def handle_import_error(self, result, error, raise_errors=False):
        """import-export would note an unexpected error and go on with the next row."""
        raise error

    def sentences(self):
        """The errors as people read them, in the order of rows."""
        return [_sentence(*error) for error in sorted(self.errors, key=lambda error: error[0] or 0)]

    def _match_headers(self, rows):
        """[(place in the file, name of the declared column or None, column)]; every wrong header goes to `errors`."""
        declared = {header_key(column.column_name): (name, column) for name, column in self.fields.items()}
        places = self._header_places(rows)
        unknown = [rows.headers[place] for key, place in places.items() if key not in declared]
        extra = self.extra_columns(unknown)
        explained = {header for _, header, _ in self.errors}
        missing = [column.column_name for key, (_, column) in declared.items() if key not in places]
        everything = [column.column_name for column in self.fields.values()]
        for header in unknown:
            if header not in extra and header not in explained:
                near = nearest(header, missing) or nearest(header, everything)
                self.report(1, header, "không có cột này trong mẫu" + (f"; có phải “{near}”?" if near else ""))
        for header in missing:
            self.report(1, header, "thiếu cột này")
        for key, times in Counter(column.key for column in extra.values()).items():
            if times > 1:
                same = [header for header, column in extra.items() if column.key == key]
                self.report(1, same[-1], f"trùng nghĩa với cột “{same[0]}”")
        if self.errors:
            return []
        return [(place, *declared.get(key, (None, extra.get(rows.headers[place])))) for key, place in places.items()]

    def _header_places(self, rows):
        """{header key: first place in the file}. Reports repeated headers, and blank ones above values."""
        places = {}
        for place, header in enumerate(rows.headers):
            key, letter = header_key(header), get_column_letter(place + 1)
            if not key:
                if any(cells[place] is not None for _, cells in rows.rows):
                    self.report(1, letter, "ô tên cột để trống nhưng bên dưới có số liệu")
            elif key in places:
                first = get_column_letter(places[key] + 1)
                self.report(1, header, f"cột này viết hai lần, ở {first} và {letter}")
            else:
                places[key] = place
        return places

    def _clean(self, number, cells):
        """The row's values, or None when a cell is wrong or the row repeats another's key."""
        row, sound = Row(number), True
        for name, column in self._columns:
            try:
                value = column.clean(cells)
            except CELL_ERRORS as error:
                self.report(number, column.column_name, error.message)
                sound = False
                continue
            if name is None:
                row.extra[column.key] = value
            else:
                row[name] = value
        return row if sound and self._is_first(row) else None

    def _is_first(self, row):
        """Whether no row above has the same values in the columns of `key`."""
        values = tuple(row[name] for name in self.key)
        if not any(value not in (None, "") for value in values):
            return True
        first = self._seen.setdefault(values, row.number)
        if first == row.number:
            return True
        headers = [self.fields[name].column_name for name in self.key]
        if len(headers) == 1:
            self.report(row.number, headers[0], f"trùng với dòng {first}")
        else:
            self.report(row.number, None, f"trùng với dòng {first} ở các cột {', '.join(headers)}")
        return False

    @contextmanager
    def _collecting(self, number):
        """Turns what a verb refuses into errors of this row; lets everything unexpected through."""
        try:
            yield
        except ImportErrors as refused:
            for at, column, message in refused.errors:
                self.report(at, self._header(column, column), message)
        except ValidationError as refused:
            fields = refused.message_dict if hasattr(refused, "error_dict") else {NON_FIELD_ERRORS: refused.messages}
            for name, messages in fields.items():
                for message in messages:
                    self.report(number, self._header(name), message)
        except PermissionDenied as refused:
            self.report(number, None, str(refused) or "bạn không có quyền làm việc này")

    def _header(self, name, otherwise=None):
        """The header of a column given by its name, a verb's field name or any spelling of the header."""
        name = self.field_columns.get(name, name)
        if name in self.fields:
            return self.fields[name].column_name
        headers = {header_key(column.column_name): column.column_name for _, column in self._columns}
        return headers.get(header_key(name), otherwise) if name else otherwise


def _sentence(number, header, message):
    place = [f"dòng {number}"] if number else []
    place += [f'cột "{header}"'] if header else []
    return f"{', '.join(place)}: {message}" if place else message


def run_import(resource, file, *, check):
    """Import a path or an open file with a fresh resource. With `check` everything is judged and nothing written."""
    try:
        rows = read_rows(file)
    except BadWorkbook as bad:
        return Outcome(errors=[bad.message])
    if not rows.rows:
        return Outcome(errors=["Tệp chỉ có dòng tên cột, chưa có dòng số liệu nào."])
    try:
        dataset = resource.dataset(rows)
        if dataset is None:
            return Outcome(errors=resource.sentences())
        numbers = [number for number, _ in rows.rows]
        result = resource.import_data(dataset, dry_run=check, numbers=numbers)
    except Exception:
        return Outcome(errors=[_incident(resource)])
    if resource.errors and not check:
        return Outcome(errors=resource.sentences())
    totals = result.totals
    return Outcome(totals[RowResult.IMPORT_TYPE_NEW], totals[RowResult.IMPORT_TYPE_UPDATE], resource.sentences())


def _incident(resource):
    """Logs the exception being handled; the sentence that lets the user name it to whoever reads the log."""
    incident = secrets.token_hex(4)
    logger.exception("Import incident %s: %s at row %s", incident, type(resource).__name__, resource.at_row)
    message = f"hệ thống gặp lỗi ngoài dự kiến nên đã dừng, chưa lưu gì; báo quản trị mã sự cố {incident}"
    return _sentence(resource.at_row, None, message)
