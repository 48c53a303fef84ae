"""Two records side by side, for somebody who asks whether they are one event."""

from dataclasses import dataclass

from activities.models import Figure
from unionwork.dates import format_date

SAME, OTHER = "giống", "khác"
NONE = "–"


@dataclass(frozen=True)
class Line:
    """One thing both records say, in words; `said`: whether it is the same, in words too."""

    label: str
    left: str
    right: str

    @property
    def is_same(self):
        return self.left == self.right

    @property
    def said(self):
        return SAME if self.is_same else OTHER


def lines(left, right):
    """[Line] of two records: what at least one of them says, then every figure that one of them has."""
    both = (left, right)
    rows = [Line(label, *(show(record) for record in both)) for label, show in _FIELDS]
    rows = [row for row in rows if {row.left, row.right} != {NONE}]
    figures = [_figures(record) for record in both]
    indicators = sorted({*figures[0], *figures[1]}, key=lambda one: (one.position, one.pk))
    rows += [Line(str(one), *(shown.get(one, NONE) for shown in figures)) for one in indicators]
    return rows


def _figures(record):
    """{Indicator: what it says} of a record."""
    rows = Figure.objects.filter(activity=record).select_related("indicator")
    return {
        row.indicator: f"{row.word} {row.indicator.format(row.value)} {row.indicator.unit_of_measure}".strip()
        for row in rows
    }


def _days(record):
    first, last = format_date(record.first_day), format_date(record.last_day)
    return last if first == last else f"{first} – {last}"


def _hosts(record):
    rows = record.hosts.counting().select_related("unit").order_by("unit__sort", "unit_id")
    return ", ".join(str(host.unit) for host in rows) or NONE


def _evidence(record):
    count = record.evidence.count()
    return f"{count} tệp" if count else NONE


_FIELDS = (
    ("Trạng thái", lambda record: str(record.get_status_display())),
    ("Đơn vị", lambda record: str(record.unit)),
    ("Loại", lambda record: str(record.kind)),
    ("Tên", lambda record: record.title),
    ("Ngày", _days),
    ("Địa điểm", lambda record: record.place or NONE),
    ("Cấp công trình", lambda record: str(record.get_work_level_display()) or NONE),
    ("Phối hợp với", _hosts),
    ("Văn bản", lambda record: record.document or NONE),
    ("Ghi chú", lambda record: record.description or NONE),
    ("Minh chứng", _evidence),
    ("Người ghi", lambda record: str(record.author)),
)
