"""What a filtered list of records adds up to, and its rows as a file."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Case, F, Sum, Value, When
from django.utils.text import slugify

from activities.lists.columns import in_file
from activities.models import COUNTED, Figure, Status
from targets.models import Indicator, Nature
from unionwork.text import fold

MOST_ROWS = 50_000  # of a file; a longer list is narrowed first
CHUNK = 2_000  # rows of a file in memory at once
LONGEST_NAME = 100
NEWEST = "ngay"
_WAITING = Case(When(status=Status.PENDING, then=0), default=1)
ORDERS = {  # ?xep= → (words, order); only the first may sort more rows than are counted
    NEWEST: ("Mới nhất trước", ()),
    "cho": ("Chờ duyệt lâu nhất trước", (_WAITING, F("submitted_at").asc(nulls_last=True), "pk")),
    "don-vi": ("Theo tên đơn vị", ("unit__sort", "unit_id", "-last_day", "-pk")),
}


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


def table_of(records, columns):
    """(headers, rows) of `records`: the columns the page shows, the figures of a row each in a column of its own.

    Figures are real numbers in the indicator's own unit.
    """
    kept = in_file(columns, records)
    return [column.label for column in kept], _rows(records, kept)


def _rows(records, columns):
    for record in records.for_list().select_related("approver").iterator(chunk_size=CHUNK):
        yield [column.value(record) for column in columns]


def in_order(records, key):
    """The records sorted as `?xep=` says; the newest first when it says nothing."""
    return records.order_by(*ORDERS[key][1]) if ORDERS[key][1] else records


def file_name(year, chips):
    """ "HoatDong_2024_cho-duyet_don-vi-a": what was asked for, so that two files are told apart."""
    asked = "_".join(slug for _, shown, _ in chips if (slug := slugify(fold(shown))))
    return f"HoatDong_{year or ''}" + (f"_{asked}" if asked else "")[:LONGEST_NAME]
