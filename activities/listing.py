"""What a filtered list of records adds up to, and its rows as a file."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, Sum, Value, When

from activities.models import COUNTED, Figure, Host, Status
from targets.models import Indicator, Nature

MOST_ROWS = 50_000  # of a file; a longer list is narrowed first
HEADERS = ("Mã", "Ngày bắt đầu", "Ngày kết thúc", "Mã đơn vị", "Đơn vị", "Loại", "Tên", "Trạng thái", "Địa điểm")
LAST_HEADERS = ("Phối hợp", "Người ghi", "Người duyệt")


@dataclass(frozen=True)
class ListSum:
    """One indicator over the list, in its smallest unit: what counts, and what still waits for a decision."""

    indicator: Indicator
    counted: int | None
    waiting: int | None


def sums_of(records):
    """[ListSum] of what happened (FLOW) over `records`, each record once, by the catalogue's order. Two statements.

    Drafts and returned records are in neither sum. Levels are left out: they do not add up over declarations.
    """
    figures = Figure.objects.filter(
        activity__in=records.order_by().values("pk"),
        indicator__nature=Nature.FLOW,
        activity__status__in=[*COUNTED, Status.PENDING],
    )
    kind = Case(When(activity__status=Status.PENDING, then=Value("waiting")), default=Value("counted"))
    found = defaultdict(dict)
    for pk, state, value in figures.order_by().values_list("indicator", kind).annotate(sum=Sum("value")):
        found[pk][state] = value
    indicators = Indicator.objects.filter(pk__in=found)
    return [ListSum(row, found[row.pk].get("counted"), found[row.pk].get("waiting")) for row in indicators]


def table_of(records):
    """(headers, rows) of `records` with a column for every indicator that one of them has. Five statements at most.

    Figures are real numbers in the indicator's own unit; the approximate word before one is not printed.
    """
    picked = records.order_by().values("pk")
    figures, hosts = defaultdict(dict), defaultdict(list)
    for activity, indicator, value in Figure.objects.filter(activity__in=picked).values_list(
        "activity", "indicator", "value"
    ):
        figures[activity][indicator] = value
    for host in Host.objects.filter(activity__in=picked).select_related("unit").order_by("unit__sort", "pk"):
        hosts[host.activity_id].append(str(host.unit))
    used = {pk for row in figures.values() for pk in row}
    indicators = [row for row in Indicator.objects.all() if row.pk in used]
    headers = [*HEADERS, *(f"{row.name} ({row.unit_of_measure})" for row in indicators), *LAST_HEADERS]
    return headers, _rows(records.select_related("unit", "kind", "author", "approver"), indicators, figures, hosts)


def _rows(records, indicators, figures, hosts):
    for record in records:
        mine = figures.get(record.pk, {})
        yield [
            record.code,
            record.first_day,
            record.last_day,
            record.unit.code,
            record.unit.name,
            record.kind.name,
            record.title,
            record.get_status_display(),
            record.place,
            *(_number(mine.get(row.pk), row.decimals) for row in indicators),
            "; ".join(hosts.get(record.pk, [])),
            str(record.author),
            str(record.approver or ""),
        ]


def _number(value, decimals):
    return value if value is None or not decimals else Decimal(value).scaleb(-decimals)
