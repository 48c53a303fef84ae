"""Reading the official table back: what differs from the numbers as they are becomes drafts, or nothing does.

Columns are told by the keys in the hidden row, rows by the unit's code: both may be moved or left out.
"""

import re
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from openpyxl.utils import get_column_letter

from reports.giving_table import CODE, KEYS, NAME, NOTE, NUMBER, TOTAL_ROWS, Column
from targets import giving
from targets.assignment import Row, check_row
from targets.models import DraftAssignment, MeasureKind
from targets.scale import read_plan, scale_of
from targets.wording import plan_in_words
from unionwork.columns import nearest
from unionwork.numbers import NumberError
from unionwork.text import header_key, nfc
from unionwork.verbs import verb
from unionwork.workbooks import UNCALCULATED, read_cells
from units.models import Placement

MAX_ROWS, MAX_COLUMNS = 2_000, 200
NO_KEYS = "Tệp thiếu dòng ẩn ngay dưới tên cột, nên không biết cột nào là chỉ tiêu nào: tải lại bảng rồi chép số vào."
LONGEST_NOTE = DraftAssignment._meta.get_field("note").max_length
HEADERS = {header_key(header): header for header in (NUMBER, CODE, NAME, NOTE)}
TOTALS = {header_key(label) for label in TOTAL_ROWS}
_NUMBER_LIKE = re.compile(r"[0-9]")


class Refused(Exception):
    """The file is not this table; the one sentence for the user."""


@dataclass(frozen=True)
class Change:
    """One cell of the table that is to differ. `planned`, `seen` in the measure's scale: as it shall be and as it was
    when it was read. `note`: a new one, None to keep it."""

    column: Column
    child: Placement
    planned: int | None
    seen: int | None
    note: str | None = None

    def text(self, value):
        """In words; without a number of its own a unit has the percentage that applies in common."""
        if value is None and (common := self.column.common(self.child)) is not None:
            return f"{plan_in_words(self.column.measure, common)} (chung)"
        return "–" if value is None else plan_in_words(self.column.measure, value)


@dataclass(frozen=True)
class Reading:
    """`errors`: sentences that name the cell; with any of them nothing is saved. `missing`: children not in the file,
    which stay as they are."""

    changes: list
    errors: list
    missing: list


def read(file, table):
    """What an uploaded file would change in `table`, a GivingTable with its drafts. Raises BadWorkbook, Refused."""
    return _Reader(read_cells(file, max_rows=MAX_ROWS, max_columns=MAX_COLUMNS), table).reading()


class _Reader:
    def __init__(self, lines, table):
        self.table, self.errors = table, []
        self.children = {row.unit.code.casefold(): row for row in table.children}
        self.header_row, headers = _header(lines)
        self.places = self._places(headers)
        keys = self._keys(lines)
        self.columns = self._columns(headers, keys)
        self.rows = [
            (number, cells)
            for number, cells in lines
            if number > self.header_row and not _text(cells, self.places[CODE]).startswith(KEYS)
        ]

    def _places(self, headers):
        """{one of our headers: its place}; twice the same is an error."""
        places = {}
        for place, header in enumerate(headers):
            name = HEADERS.get(header_key(header))
            if name in places:
                self.errors.append(f"Cột “{name}” viết hai lần, ở {_letter(places[name])} và {_letter(place)}.")
            elif name:
                places[name] = place
        return places

    def _keys(self, lines):
        """The cells of the hidden row, after its first one named this unit and year."""
        code = self.places[CODE]
        row = next((cells for _, cells in lines if _text(cells, code).startswith(KEYS)), None)
        if row is None:
            raise Refused(NO_KEYS)
        if _text(row, code) != self.table.keys:
            wanted = f"{self.table.unit} năm {self.table.year}"
            raise Refused(f"Tệp này là bảng của đơn vị hoặc năm khác, không phải của {wanted}: chọn đúng tệp.")
        return row

    def _columns(self, headers, keys):
        """[(place, Column)] of the measures in the file."""
        known = {column.key: column for column in self.table.columns}
        found = {}
        for place in range(max(len(headers), len(keys))):
            header, key = (headers[place] if place < len(headers) else ""), _text(keys, place)
            if place in self.places.values() or not (header or key):
                continue
            column, where = known.get(key), f"Cột {_letter(place)}" + (f" “{header}”" if header else "")
            if not key:
                self.errors.append(f"{where} không có trong bảng tải về: xoá cột này khỏi tệp.")
            elif column is None:
                self.errors.append(f"{where}: {self.table.unit} không có chỉ tiêu này để giao. Tải lại bảng.")
            elif column.key in found:
                self.errors.append(f"{where} viết hai lần, ở {_letter(found[key][0])} và {_letter(place)}.")
            else:
                found[key] = (place, column)
        return list(found.values())

    def reading(self):
        changes, seen = [], {}
        for number, cells in self.rows:
            child = self._child(number, cells)
            if child is None:
                continue
            if child.unit_id in seen:
                self.errors.append(f"Dòng {number}: {child.unit} đã có ở dòng {seen[child.unit_id]}.")
                continue
            seen[child.unit_id] = number
            changes += self._changes(number, cells, child)
        missing = [row.unit for row in self.table.children if row.unit_id not in seen]
        if not seen and not self.errors:
            self.errors.append("Tệp không còn dòng nào của đơn vị trực thuộc.")
        return Reading([] if self.errors else changes, self.errors, missing)

    def _child(self, number, cells):
        """The child a row is about; None for sums, signatures and what is wrong."""
        code, name = _text(cells, self.places[CODE]), _text(cells, self.places.get(NAME))
        if code:
            child = self.children.get(code.casefold())
            if child is None:
                near = nearest(code, [row.unit.code for row in self.table.children])
                hint = f"; có phải “{near}”?" if near else ""
                self.errors.append(f"Dòng {number}: {self.table.unit} không có đơn vị trực thuộc mã “{code}”{hint}")
            return child
        texts = [_text(cells, place) for place, _ in self.columns]
        if header_key(name) not in TOTALS and (name or any(map(_NUMBER_LIKE.search, texts))):
            self.errors.append(f"Dòng {number}: thiếu mã đơn vị.")
        return None

    def _changes(self, number, cells, child):
        notes = self._notes(number, cells, child)
        here = {column.key: place for place, column in self.columns}
        for column in self.table.columns:
            standing = self.table.standing(column, child)
            planned = standing.planned
            if column.key in here:
                try:
                    planned = self._planned(column, child, _cell(cells, here[column.key]))
                except _Wrong as wrong:
                    where = f"Ô {_letter(here[column.key])}{number} ({child.unit}, chỉ tiêu {column.label})"
                    self.errors.append(f"{where}: {wrong}")
                    continue
            note = notes.get(column.key)
            if planned != standing.planned or note is not None:
                yield Change(column, child, planned, standing.planned, note)

    def _planned(self, column, child, cell):
        """The number in a cell; what the table showed there anyway is no number of the unit's own."""
        measure = column.measure
        if cell is UNCALCULATED:
            raise _Wrong("là công thức chưa được tính; mở tệp bằng Excel, lưu lại rồi thử lại")
        if isinstance(cell, date):
            raise _Wrong("là ngày, không phải số")
        try:
            planned = read_plan(cell, *scale_of(measure))
            check_row(measure, Row(child.unit, planned=planned))
        except NumberError as error:
            raise _Wrong(error.message) from error
        except ValidationError as refused:
            raise _Wrong(" ".join(refused.messages)) from refused
        return self.table.standing(column, child).planned if planned == self.table.shown(column, child) else planned

    def _notes(self, number, cells, child):
        """{column key: note} of those that differ from the table's."""
        if NOTE not in self.places:
            return {}
        cell = _cell(cells, self.places[NOTE])
        text = "" if cell is None or cell is UNCALCULATED else str(cell)
        if nfc(text) == nfc(self.table.notes(child)):
            return {}
        try:
            found = self._notes_in(text)
        except _Wrong as wrong:
            self.errors.append(f"Ô {_letter(self.places[NOTE])}{number} ({child.unit}, {NOTE}): {wrong}")
            return {}
        before = {column.key: nfc(self.table.standing(column, child).note) for column in self.table.columns}
        return {key: found.get(key, "") for key, note in before.items() if found.get(key, "") != note}

    def _notes_in(self, text):
        """{column key: note} as a cell says: of several measures a line each, begun with the measure's label."""
        columns, found = self.table.columns, {}
        if len(columns) == 1:
            found[columns[0].key] = nfc(text)
        else:
            for line in filter(None, map(nfc, text.splitlines())):
                line = line.replace(" :", ":", 1)
                begun = [row for row in columns if line.casefold().startswith(f"{row.label}:".casefold())]
                if not begun:
                    raise _Wrong(f"mỗi dòng ghi chú bắt đầu bằng số chỉ tiêu, ví dụ “{columns[0].label}: …”")
                found[begun[0].key] = line[len(begun[0].label) + 1 :].strip()
        if any(len(note) > LONGEST_NOTE for note in found.values()):
            raise _Wrong(f"ghi chú dài hơn {LONGEST_NOTE} ký tự")
        return found


class _Wrong(Exception):
    """What is wrong with one cell."""


def _header(lines):
    """(row number, texts) of the row with the column “Mã đơn vị”. Raises Refused."""
    wanted = header_key(CODE)
    for number, cells in lines:
        texts = [_text(cells, place) for place in range(len(cells))]
        if wanted in map(header_key, texts):
            return number, texts
    raise Refused(f"Không thấy cột “{CODE}” ở trang tính đầu tiên: đây không phải bảng giao chỉ tiêu tải từ hệ thống.")


def _cell(cells, place):
    return cells[place] if place is not None and place < len(cells) else None


def _text(cells, place):
    cell = _cell(cells, place)
    return "" if cell is None or cell is UNCALCULATED else nfc(str(cell))


def _letter(place):
    return get_column_letter(place + 1)


# --- from the preview to the drafts ---


def packed(changes):
    """The changes as plain lists, to be signed and sent along with the preview."""
    return [[row.column.measure.pk, row.child.unit_id, row.planned, row.seen, row.note] for row in changes]


def unpacked(rows, table):
    """The changes of `packed` on the table as it is now; those of measures or units that are gone are left out."""
    columns = {column.measure.pk: column for column in table.columns}
    children = {row.unit_id: row for row in table.children}
    return [
        Change(columns[measure], children[unit], *rest)
        for measure, unit, *rest in rows
        if measure in columns and unit in children
    ]


def against(changes, table):
    """The same changes after others wrote: against the numbers as they are now."""
    now = ((row, table.standing(row.column, row.child)) for row in changes)
    return [
        Change(row.column, row.child, row.planned, standing.planned, row.note)
        for row, standing in now
        if row.planned != standing.planned or row.note is not None
    ]


@verb("Lưu bản nháp giao chỉ tiêu")
def save(table, changes, *, actor):
    """Keep the changes as drafts of the table's unit, all or none. Returns how many cells changed.

    Raises giving.Conflict when others wrote another number since it was read, and ValidationError.
    """
    by_measure = {}
    for row in changes:
        by_measure.setdefault(row.column, []).append(row)
    saved = 0
    for column, rows in by_measure.items():
        wishes = []
        for row in rows:
            standing = table.standing(column, row.child)
            note = standing.note if row.note is None else row.note
            wishes.append(giving.Wish(row.child.unit, row.planned, row.seen, note, standing.fixed))
        done = giving.save_draft(measure=column.measure, giver=table.unit, wishes=wishes, actor=actor)
        saved += len(done.changed)
    return saved


def balances(table, changes):
    """[(label, given once saved, what the unit has)] in words, of the numbers that add up among `changes`."""
    wanted = {(row.column.key, row.child.unit_id): row.planned for row in changes}
    rows = []
    for column in table.columns:
        if column.measure.kind != MeasureKind.TOTAL or column.key not in {key for key, _ in wanted}:
            continue
        given = 0
        for child in table.children:
            key = (column.key, child.unit_id)
            given += (wanted[key] if key in wanted else table.standing(column, child).planned) or 0
        have = column.plan.planned
        left = None if have is None else have - given
        rows.append(
            {
                "label": column.label,
                "given": plan_in_words(column.measure, given),
                "have": plan_in_words(column.measure, have),
                "left": "" if not left else plan_in_words(column.measure, abs(left)),
                "is_over": bool(left and left < 0),
            }
        )
    return rows
