"""Workbooks of activities and declarations: the same rules and verbs as the forms, a whole file at a time."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import timezone

from activities import locks, recording, review
from activities.models import Activity, ActivityKind, Figure, RecordNature, Status, WorkLevel
from activities.rules import Entry, Rules, missing
from targets.models import Indicator, Nature
from targets.years import open_year
from unionwork.columns import ChoiceColumn, DateColumn, NumberColumn, ReferenceColumn, TextColumn
from unionwork.dates import format_date
from unionwork.imports import ImportErrors, StrictResource
from unionwork.text import header_key, nfc
from units import access, journal, tree
from units.models import Unit

BATCH = 5000  # units in one statement


@dataclass
class Line:
    number: int  # row in the user's workbook
    entry: Entry
    same: tuple  # what makes two records one
    day_header: str  # of the column its last day was typed in


class RecordResource(StrictResource):
    """Rows are judged one by one, written and sent together after the last; with `approver` approved as well."""

    nature = Nature.FLOW
    elsewhere = ""  # where a column of the other nature belongs

    def __init__(self, *, user, approver=None):
        super().__init__(user=user)
        self.approver = approver

    def before_import(self, dataset, **kwargs):
        super().before_import(dataset, **kwargs)
        self.rules = Rules()
        self.lines, self.notes = [], []
        self.first_at = {}

    def extra_columns(self, headers):
        """One column per indicator, by code or name; those of the other nature are refused with where they belong."""
        indicators = list(Indicator.objects.all())
        known = {header_key(indicator.name): indicator for indicator in indicators}
        known |= {header_key(indicator.code): indicator for indicator in indicators}
        columns = {}
        for header in headers:
            indicator = known.get(header_key(header))
            if indicator is None:
                continue
            if indicator.nature != self.nature:
                self.report(1, header, self.elsewhere)
                continue
            columns[header] = NumberColumn(
                header, decimals=indicator.decimals, unit=indicator.unit_of_measure, words=True, key=indicator
            )
        self.field_columns = {column.key.code: header for header, column in columns.items()}
        return columns

    def write(self, row):
        entry = self.entry(row)
        self._open_year(entry.activity.last_day)
        self.rules.settle(entry)
        if errors := missing(entry, self.rules):
            if "figures" in errors:
                errors["figures"] = "chưa có số liệu nào: điền ít nhất một cột số liệu, hoặc xoá dòng này"
            raise ValidationError(errors)
        day_header = self.fields[self.field_columns.get("last_day", "last_day")].column_name
        line = Line(row.number, entry, self.same(entry), day_header)
        first = self.first_at.setdefault(line.same, row.number)
        if first != row.number:
            raise ValidationError(f"trùng với dòng {first}: {self.said_same}")
        self.lines.append(line)
        return True

    def finish(self):
        tree.lock_shared()  # no period is locked between this look and the writing
        already = self.already_there()
        wrong = [(line.number, None, f"trùng với {code} đã có: {self.said_same}") for line, code in already]
        lines = {line.number: line for line in self.lines}
        locked = locks.of_entries({number: line.entry for number, line in lines.items()}, self.rules)
        wrong += [(number, lines[number].day_header, why) for number, why in locked.items()]
        if wrong:
            raise ImportErrors(wrong)
        if self.errors:
            return
        with journal.kept(self.notes):  # approving locks units: nobody waits for them holding an end of the journal
            self._write_down()
        journal.write(self.notes)

    def _write_down(self):
        records = recording.create_many(
            entries=[line.entry for line in self.lines], actor=self.user, rules=self.rules, settled=True
        )
        ids = [record.pk for record in records]
        review.submit_many(ids=ids, actor=self.user)
        if self.approver:
            numbers = {line.entry.activity.pk: line.number for line in self.lines}
            outcome = review.approve_many(ids=ids, actor=self.approver)
            refused = [(numbers[pk], None, f"{self.approver} không duyệt được: {why}") for pk, why in outcome.refused]
            if refused:
                raise ImportErrors(refused)

    def existing(self):
        """Non-cancelled records of the file's units and days."""
        units = sorted({line.entry.activity.unit_id for line in self.lines})
        days = [line.entry.activity.last_day for line in self.lines]
        for start in range(0, len(units), BATCH):
            yield (
                Activity.objects.filter(unit__in=units[start : start + BATCH], kind__nature=self.nature)
                .filter(last_day__gte=min(days), last_day__lte=max(days))
                .exclude(status=Status.CANCELLED)
            )

    def _open_year(self, day):
        """Records of past periods may be the first of their year."""
        if day <= timezone.localdate() and self.rules.year_of(day) is None:
            try:
                with journal.kept(self.notes):
                    open_year(year=day.year, actor=self.user)
            except ValidationError as refused:
                raise ValidationError({"last_day": refused.messages}) from refused
            self.rules = Rules()


def indicator_figures(row):
    return {indicator: parsed for indicator, parsed in row.extra.items() if parsed.value is not None}


def loggable_units(resource):
    return Unit.objects.reached(resource.user, access.LOG)


class ActivityResource(RecordResource):
    unit = ReferenceColumn(
        "Mã đơn vị", loggable_units, required=True, missing='không có đơn vị mã "{}" trong phạm vi của bạn'
    )
    kind = ChoiceColumn(
        "Loại hoạt động",
        lambda _: {row.name: row for row in ActivityKind.objects.filter(nature=RecordNature.FLOW, is_active=True)},
        required=True,
    )
    title = TextColumn("Tên hoạt động", max_length=200)
    first_day = DateColumn("Từ ngày", required=True)
    last_day = DateColumn("Đến ngày")
    place = TextColumn("Địa điểm", max_length=200)
    work_level = ChoiceColumn("Cấp công trình", {level.label: level.value for level in WorkLevel})
    hosts = ReferenceColumn(
        "Đơn vị phối hợp", lambda _: Unit.objects.all(), separator=";", missing='không có đơn vị mã "{}"'
    )

    elsewhere = "là số liệu tại một thời điểm: nhập bằng mẫu Kê khai (declarations)"
    said_same = "cùng đơn vị, loại, tên và ngày; nếu là hoạt động khác, đặt tên khác"

    def write(self, row):
        # What is wrong with the last day stands at the only day that was typed.
        self.field_columns["last_day"] = "last_day" if row["last_day"] else "first_day"
        return super().write(row)

    def entry(self, row):
        activity = Activity(
            unit=row["unit"],
            kind=row["kind"],
            title=row["title"] or row["kind"].name,
            first_day=row["first_day"],
            last_day=row["last_day"] or row["first_day"],
            place=row["place"],
            work_level=row["work_level"] or "",
        )
        return Entry(activity, indicator_figures(row), list(row["hosts"]))

    def same(self, entry):
        row = entry.activity
        return row.unit_id, row.kind_id, nfc(row.title).casefold(), row.first_day, row.last_day

    def already_there(self):
        """[(line, code of the record that says the same)]."""
        codes = {}
        for records in self.existing():
            for record in records.only("unit", "kind", "title", "first_day", "last_day", "year"):
                codes[self.same(Entry(record))] = record.code
        return [(line, codes[line.same]) for line in self.lines if line.same in codes]


class DeclarationResource(RecordResource):
    unit = ReferenceColumn(
        "Mã đơn vị", loggable_units, required=True, missing='không có đơn vị mã "{}" trong phạm vi của bạn'
    )
    last_day = DateColumn("Ngày chốt", required=True)

    nature = Nature.STOCK
    elsewhere = "là số liệu phát sinh: nhập bằng mẫu Hoạt động (activities)"
    said_same = "cùng đơn vị, ngày chốt và chỉ số; sửa bản kê khai ấy nếu số đổi"

    def before_import(self, dataset, **kwargs):
        super().before_import(dataset, **kwargs)
        self.kind = next(kind for kind in self.rules.kinds.values() if kind.code == "ke-khai")

    def entry(self, row):
        day = row["last_day"]
        title = f"{self.kind} đến {format_date(day)}"
        activity = Activity(unit=row["unit"], kind=self.kind, title=title, first_day=day, last_day=day)
        return Entry(activity, indicator_figures(row))

    def same(self, entry):
        return entry.activity.unit_id, entry.activity.last_day

    def already_there(self):
        """[(line, code of the declaration of the same unit and day that holds one of its indicators)]."""
        codes = {}
        for records in self.existing():
            rows = Figure.objects.filter(activity__in=records.values("pk")).select_related("activity")
            for figure in rows.order_by():
                record = figure.activity
                codes[record.unit_id, record.last_day, figure.indicator_id] = record.code
        found = []
        for line in self.lines:
            known = (codes.get((*line.same, indicator.pk)) for indicator in line.entry.figures)
            code = next((code for code in known if code), None)
            if code:
                found.append((line, code))
        return found


RESOURCES = {"activities": ActivityResource, "declarations": DeclarationResource}
