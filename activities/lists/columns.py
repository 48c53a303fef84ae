"""What a list of records can show: every column once, for the page, the file and the choice between them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import django_tables2 as tables
from django.utils import timezone
from django.utils.formats import date_format

from activities.models import Figure
from targets.models import Indicator
from unionwork.dates import format_date
from unionwork.numbers import format_number

TITLE, FIGURES = "ten", "so-lieu"
OF_INDICATOR = "cs."  # and its code: that indicator's figures in a column of their own
MOST = 40  # columns of a list
NUMBER = {name: {"class": "num"} for name in ("td", "th")}
HEAD = {"td": {"class": "title"}}  # on phones the head of the card, without its column's name


@dataclass(frozen=True)
class Column:
    """`value`: record → text, number, date, moment or None, as the cell of a file holds it; `template`: of the page's
    cell where that shows more."""

    key: str
    label: str
    value: object = None
    template: str = ""
    is_number: bool = False

    def on_page(self):
        """Its django-tables2 column."""
        attrs = HEAD if self.key == TITLE else NUMBER if self.is_number else {}
        if self.template:
            return tables.TemplateColumn(template_name=self.template, verbose_name=self.label, attrs=attrs)
        return ValueColumn(self, attrs)


class ValueColumn(tables.Column):
    def __init__(self, column, attrs):
        super().__init__(verbose_name=column.label, empty_values=(), attrs=attrs)
        self.column = column

    def render(self, record):
        return in_words(self.column.value(record))


def in_words(value):
    """A file's cell as a page prints it; "–" for nothing."""
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return date_format(value, "DATETIME_FORMAT")
    if isinstance(value, date):
        return format_date(value)
    if isinstance(value, Decimal):
        decimals = -value.as_tuple().exponent
        return format_number(int(value.scaleb(decimals)), decimals)
    return format_number(value) if isinstance(value, int) else value


def _sent(record):
    return record.submitted_at and timezone.make_naive(record.submitted_at).replace(second=0, microsecond=0)


def _hosts(record):
    return "; ".join(f"{host.unit} (từ chối)" if host.has_declined else str(host.unit) for host in record.hosts.all())


CODE = Column("ma", "Mã", lambda record: record.code)
COLUMNS = {
    column.key: column
    for column in (
        Column(TITLE, "Hoạt động", lambda record: record.title, "activities/_title_cell.html"),
        Column("don-vi", "Đơn vị", lambda record: str(record.unit)),
        Column("ma-don-vi", "Mã đơn vị", lambda record: record.unit.code),
        Column("tu-ngay", "Ngày bắt đầu", lambda record: record.first_day),
        Column("ngay", "Ngày", lambda record: record.last_day),
        Column("loai", "Loại", lambda record: record.kind.name),
        Column("dia-diem", "Địa điểm", lambda record: record.place),
        Column(FIGURES, "Số liệu", None, "activities/_figures_cell.html"),
        Column("trang-thai", "Trạng thái", lambda record: record.get_status_display(), "activities/_status_cell.html"),
        Column("phoi-hop", "Phối hợp", _hosts),
        Column("nguoi-ghi", "Người ghi", lambda record: str(record.author)),
        Column("gui-luc", "Gửi lúc", _sent),
        Column("nguoi-duyet", "Người duyệt", lambda record: str(record.approver or "")),
        Column("canh-bao", "Cảnh báo", lambda record: "; ".join(record.doubts)),
        Column("tra-loi", "Trả lời cảnh báo", lambda record: record.warning_reason),
    )
}
DEFAULT = (TITLE, "don-vi", "ngay", FIGURES, "trang-thai")


def of_indicator(indicator):
    """A column of one indicator's figures, in its own unit; the approximate word before one is left out."""

    def value(record):
        found = next((row.value for row in record.figures.all() if row.indicator_id == indicator.pk), None)
        return found if found is None or not indicator.decimals else Decimal(found).scaleb(-indicator.decimals)

    label = f"{indicator.name} ({indicator.unit_of_measure})"
    return Column(f"{OF_INDICATOR}{indicator.code}", label, value, is_number=True)


def named(keys):
    """([Column] of what `keys` name, the title first, and the keys that name none). Blank keys: the usual columns."""
    keys = list(dict.fromkeys(key for key in keys if key))[:MOST] or DEFAULT
    codes = [key.removeprefix(OF_INDICATOR) for key in keys if key.startswith(OF_INDICATOR)]
    found = COLUMNS | {
        f"{OF_INDICATOR}{row.code}": of_indicator(row)
        for row in (Indicator.objects.filter(code__in=codes) if codes else ())
    }
    shown = [found[key] for key in dict.fromkeys([TITLE, *keys]) if key in found]
    return shown, [key for key in keys if key not in found]


def in_file(columns, records):
    """[Column] of a file: the code beside the title, and for the figures of a row a column each of those that one of
    `records` has."""
    kept = []
    for column in columns:
        if column.key == TITLE:
            kept += [CODE, column]
        elif column.key == FIGURES:
            alone = {column.key for column in columns}
            used = Figure.objects.filter(activity__in=records.order_by().values("pk")).order_by().values("indicator")
            each = [of_indicator(row) for row in Indicator.objects.filter(pk__in=used)]
            kept += [column for column in each if column.key not in alone]
        else:
            kept.append(column)
    return kept
