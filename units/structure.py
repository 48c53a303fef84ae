"""What a unit consists of: its units below by kind, and the numbers its own documents state (which can disagree)."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Q

from unionwork.numbers import format_number
from unionwork.text import fold
from units.models import Placement, UnitKind

TOTAL_LABELS = {"_total", "tong", "tong so"}  # folded: the total that the document itself names


@dataclass(frozen=True)
class Part:
    """One stated part. `counted`: units of that kind in the tree; None when no kind bears the label."""

    label: str
    stated: int
    counted: int | None


@dataclass(frozen=True)
class Structure:
    """`kinds`: (kind name, number) of the living units below, highest first. `counted`: how many units in the tree
    stand against the stated total. `warnings`: one sentence for each disagreement."""

    kinds: list
    parts: list
    stated_sum: int | None
    stated_total: int | None
    counted: int
    warnings: list


def structure_of(unit, placement, first_day):
    """The Structure of `unit` as it stands at `placement` (a year's row). Two statements.

    Units dissolved before `first_day`, that of the work year, no longer count.
    """
    kinds = list(UnitKind.objects.all())
    alive = Q(unit__dissolved__isnull=True) | Q(unit__dissolved__gte=first_day)
    rows = (
        Placement.objects.filter(alive, year=placement.year, path__startswith=placement.path)
        .exclude(unit=unit)
        .order_by()
        .values_list("unit__kind_id")
        .annotate(units=Count("pk"))
    )
    return compare(unit.stated_parts, dict(rows), kinds)


def compare(stated, counts, kinds):
    """Pure. `stated`: {label: number, "_total"?: number}; `counts`: {kind code: units below}; `kinds`: every kind."""
    counts = Counter(counts)
    listed = [(kind.name, counts[kind.pk]) for kind in kinds if counts[kind.pk]]
    labels = {fold(kind.name): kind for kind in kinds}
    named = [labels[fold(label)] for label in stated if fold(label) in labels]
    levels = {kind.level for kind in named} or {"base"}
    counted = sum(counts[kind.pk] for kind in kinds if kind.level in levels)
    parts = [
        Part(label, number, counts[labels[fold(label)].pk] if fold(label) in labels else None)
        for label, number in stated.items()
        if fold(label) not in TOTAL_LABELS
    ]
    total = next((number for label, number in stated.items() if fold(label) in TOTAL_LABELS), None)
    whole = sum(part.stated for part in parts) if parts else None
    return Structure(listed, parts, whole, total, counted, _warnings(parts, whole, total, counted))


def _warnings(parts, whole, total, counted):
    warnings = []
    if parts:
        addends = " + ".join(format_number(part.stated) for part in parts)
        sum_up = f"{addends} = {format_number(whole)}" if len(parts) > 1 else addends
        if total is not None and whole != total:
            warnings.append(f"Số nêu trong văn bản không khớp: {sum_up}, trong khi tổng nêu là {format_number(total)}.")
        if whole != counted and (total is None or counted != total or whole == total):
            warnings.append(
                f"Số nêu trong văn bản ({sum_up}) khác số đơn vị trong hệ thống ({format_number(counted)})."
            )
    if total is not None and total != counted and whole != total:
        warnings.append(
            f"Tổng nêu trong văn bản ({format_number(total)}) khác số đơn vị trong hệ thống ({format_number(counted)})."
        )
    return warnings
