"""The official table “Giao chỉ tiêu”: what a unit gives its children in a year, as a workbook that can be read back
(`reports.giving_table_reading`)."""

import io
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

import xlsxwriter
from django.db.models import Q

from reports.export_json import plain
from reports.rows import title_of
from reports.workbook_page import Page, number_format, reference
from targets.cascade import Plan, Source, concerns, plans_for
from targets.giving import Standing
from targets.models import Assignment, DraftAssignment, MeasureKind
from targets.scale import scale_of
from targets.wording import unit_of
from unionwork.dates import format_date
from unionwork.numbers import format_number
from unionwork.text import nfc
from units.models import Placement, Unit

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NUMBER, CODE, NAME, NOTE = "STT", "Mã đơn vị", "Đơn vị", "Ghi chú"
FIXED = 3  # columns before the first measure
SUM, RECEIVED, PLAN, LEFT = "Tổng đã giao", "Cấp trên giao", "Kế hoạch của đơn vị", "Còn lại (số âm: giao vượt)"
TOTAL_ROWS = (SUM, RECEIVED, PLAN, LEFT)
KEYS = "giao-chi-tieu"  # begins the hidden row that says which measure a column is
LONGEST_NUMBER = 10**15  # Excel keeps 15 digits: longer ones are written as text
LONGEST_TITLE = 120


class NotInTree(ValueError):
    """The unit does not stand in that year's tree."""


@dataclass(frozen=True)
class Column:
    """One measure. `label`: how notes and messages call it, the same for no other column of the table; `issuer`: named
    where several have targets."""

    plan: Plan
    number: str
    label: str
    issuer: str

    @property
    def measure(self):
        return self.plan.measure

    @property
    def key(self):
        return f"y{self.measure.pk}"

    def common(self, child):
        """The percentage that applies to a child without one of its own; None when nothing does."""
        applies = self.measure.is_inherited and concerns(self.measure, child)
        return self.plan.planned if applies else None

    @property
    def header(self):
        title, unit = nfc(title_of(self.measure)), unit_of(self.measure)
        title = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1].rstrip()}…"
        return f"{self.number}. {title}" + (f" ({unit})" if unit else "") + (f" – {self.issuer}" if self.issuer else "")


class GivingTable:
    """What `unit` gives its living direct children in sight of `user`. `drafts`: lay its drafts over what is in force.
    Seven statements, whatever the number of children. Raises NotInTree."""

    def __init__(self, unit, year, user, *, drafts):
        self.unit, self.year = unit, year
        here = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit__kind", "parent").first()
        if here is None:
            raise NotInTree(f"{unit} không có trong cây đơn vị năm {year}.")
        self.superior, self.level = here.parent, here.level
        alive = Q(unit__dissolved__isnull=True) | Q(unit__dissolved__gte=year.first_day)
        below = Placement.objects.filter(alive, year=year.pk, parent=unit, unit__in=Unit.objects.visible_to(user))
        self.children = list(below.in_order())
        plans = [plan for plan in plans_for([here], year.pk)[unit.pk] if plan.measure.kind != MeasureKind.MILESTONE]
        self.columns = _columns(plans)
        self.standings = self._standings(drafts)

    def _standings(self, drafts):
        ours = {
            "measure__in": [column.measure.pk for column in self.columns],
            "unit__in": [row.unit_id for row in self.children],
        }
        given = {(row.measure_id, row.unit_id): row for row in Assignment.objects.filter(**ours)}
        found = DraftAssignment.objects.filter(giver=self.unit, **ours) if drafts else ()
        laid = {(row.measure_id, row.unit_id): row for row in found}
        return {
            key: Standing(given.get(key), laid.get(key))
            for column in self.columns
            for row in self.children
            if (key := (column.measure.pk, row.unit_id))
        }

    def standing(self, column, child):
        return self.standings[column.measure.pk, child.unit_id]

    def shown(self, column, child):
        """The number in the child's cell: its own, or the percentage that applies in common; None: blank."""
        planned = self.standing(column, child).planned
        return column.common(child) if planned is None else planned

    def notes(self, child):
        """The child's notes on one cell: one line a measure, begun with its label when the table has several."""
        notes = [(column, nfc(self.standing(column, child).note)) for column in self.columns]
        if len(self.columns) == 1:
            return notes[0][1]
        return "\n".join(f"{column.label}: {note}" for column, note in notes if note)

    @property
    def received(self):
        """What the row of the unit's own numbers is called."""
        return PLAN if any(column.plan.source == Source.OWN for column in self.columns) else RECEIVED

    @property
    def is_draft(self):
        """Whether it shows anything that no unit below has been told yet."""
        unissued = any(not column.measure.target.issued_on for column in self.columns)
        numbers = any(row.in_force is not None for row in self.standings.values())
        return unissued or any(row.waits for row in self.standings.values()) or not numbers

    @property
    def decisions(self):
        """["05-QĐ/ĐK ngày 05/01/2024", …] by which the numbers shown are in force."""
        rows = {
            (row.given.decision_date, row.given.decision_number)
            for row in self.standings.values()
            if row.in_force is not None and row.given.decision_number
        }
        dated = sorted(rows, key=lambda row: (row[0] or date.max, row[1]))
        return [number + (f" ngày {format_date(day)}" if day else "") for day, number in dated]

    @property
    def state(self):
        """The line below the title."""
        decided = f"Quyết định số {'; số '.join(self.decisions)}" if self.decisions else ""
        if self.is_draft:
            return f"Dự thảo điều chỉnh {decided}" if decided else "Dự thảo"
        return f"Kèm theo {decided}" if decided else "Số đang có hiệu lực, chưa ghi số quyết định"

    @property
    def keys(self):
        """What the hidden row begins with: whose table of which year this is."""
        return f"{KEYS} {self.year} {self.unit.code}"


def _columns(plans):
    several = len({plan.measure.target.issuer_id for plan in plans}) > 1
    numbers = [str(row.measure) if row.measure.siblings > 1 else str(row.measure.target.number) for row in plans]
    columns = []
    for plan, number in zip(plans, numbers, strict=True):
        issuer = nfc(plan.measure.target.issuer.label)
        label = f"{number} ({issuer})" if numbers.count(number) > 1 else number
        columns.append(Column(plan, number, label, issuer if several else ""))
    return columns


def file_name(table):
    """ASCII, whatever the unit's code: GiaoChiTieu_DKCQ_2024.xlsx."""
    code = unicodedata.normalize("NFD", table.unit.code.replace("Đ", "D").replace("đ", "d"))
    code = re.sub(r"[^0-9A-Za-z._-]+", "_", code.encode("ascii", "ignore").decode()).strip("._")
    return f"GiaoChiTieu_{code or table.unit.pk}_{table.year}.xlsx"


def build(table):
    """Bytes of the workbook of a GivingTable."""
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(stream, options)
    title = f"Bảng giao chỉ tiêu năm {table.year}"
    workbook.set_properties({"title": title, "subject": table.unit.name})
    headers = [NUMBER, CODE, NAME, *(column.header for column in table.columns), NOTE]
    widths = [6, 16, 36, *(17 for _ in table.columns), 30]
    one = table.decisions[0].partition(" ngày ")[0] if len(table.decisions) == 1 and not table.is_draft else ""
    page = Page(
        workbook, {}, table, "Giao chỉ tiêu", title, headers, widths, number=one or "……-QĐ/ĐTN", note=table.state
    )
    _keys(page, table)
    first = page.row
    for number, child in enumerate(table.children, 1):
        _child(page, table, number, child)
    _totals(page, table, first)
    page.sign()
    page.close(frozen_columns=FIXED)
    workbook.close()
    return stream.getvalue()


def _keys(page, table):
    page.text(page.row, 1, table.keys)
    for place, column in enumerate(table.columns, FIXED):
        page.text(page.row, place, column.key)
    page.sheet.set_row(page.row, None, None, {"hidden": True})
    page.row += 1


def _child(page, table, number, child):
    page.sheet.write_number(page.row, 0, number, page.style(border=1, align="center"))
    page.text(page.row, 1, child.unit.code)
    page.text(page.row, 2, child.unit.name)
    for place, column in enumerate(table.columns, FIXED):
        _plan(page, page.row, place, column.measure, table.shown(column, child))
    page.text(page.row, FIXED + len(table.columns), table.notes(child))
    page.row += 1


def _plan(page, row, place, measure, value, **properties):
    decimals, _ = scale_of(measure)
    if measure.kind != MeasureKind.TOTAL:
        page.percent(row, place, value, **properties)
    elif value is not None and value >= LONGEST_NUMBER:
        page.text(row, place, format_number(value, decimals), align="right", **properties)
    else:
        page.number(row, place, value, decimals, **properties)


def _totals(page, table, first):
    """Given in all, what the unit has to give, and the difference: of numbers that add up."""
    top = page.row
    for row, label in enumerate((SUM, table.received, LEFT), top):
        page.blank(row, [0, 1, *range(FIXED, page.last + 1)])
        page.text(row, 2, label, bold=True)
    for place, column in enumerate(table.columns, FIXED):
        _plan(page, top + 1, place, column.measure, column.plan.planned, bold=True)
        if column.measure.kind == MeasureKind.TOTAL:
            _sum(page, column, place, [table.shown(column, child) for child in table.children], first, top)
    page.row = top + 3


def _sum(page, column, place, numbers, first, top):
    decimals, _ = scale_of(column.measure)
    shape, have = number_format(decimals), column.plan.planned
    given = sum(number or 0 for number in numbers)
    is_short = max(given, have or 0) < LONGEST_NUMBER
    if not numbers or not is_short:
        _plan(page, top, place, column.measure, given, bold=True)
        return
    cells = f"SUM({reference(first, place)}:{reference(top - 1, place)})"
    page.formula(top, place, cells, plain(given, decimals), shape, bold=True)
    if have is not None:
        left = f"{reference(top + 1, place)}-{reference(top, place)}"
        page.formula(top + 2, place, left, plain(have - given, decimals), shape, bold=True)
