"""Moving a unit in the tree, with the stored totals kept right.

A move takes figures out of the totals of the old superiors and into those of the new ones: refused while a counted
record lies in a period that is locked on either side. An unlock of the moved unit opens its old line only; whoever
gave it does not decide about the new one, so that the move ends it, and those of the units below.
"""

from dataclasses import replace

from django.core.exceptions import ValidationError

from activities import locks, totals
from activities.locking import unlocking
from activities.models import Activity, Unlock
from targets.models import WorkYear
from unionwork.verbs import verb
from units import journal, tree
from units.models import Move, Placement, Unit


def years_to_move(unit, year):
    """The open years from `year` on in which the unit stands in the tree: a move never touches closed years."""
    closed = WorkYear.objects.filter(is_open=False).values("year")
    placed = Placement.objects.filter(unit=unit, year__gte=year).exclude(year__in=closed)
    return sorted(placed.values_list("year", flat=True))


def why_locked(*, unit, parent, year):
    """Why the records that count would not let `unit` go under `parent` in that year; "" when they would."""
    here = Placement.objects.filter(unit=unit, year=year).first()
    if here is None:
        return ""
    spots = {locks.spot(record) for record in locks.read(_counted(here)).values()}
    spots |= {replace(spot, units=frozenset({parent.pk})) for spot in spots}
    found = locks.standings(dict(enumerate(spots))).values()
    return next((_instead(year, standing.lock) for standing in found if standing.lock), "")


def _counted(here):
    """Ids of the counted records of a placed unit and everything below it."""
    records = Activity.objects.counted().hosted_within(here.path, here.year)
    return list(records.order_by().values_list("pk", flat=True))


def _instead(year, why):
    why = why.removesuffix(locks.HINT).strip()
    return (
        f"Không chuyển được trong năm {year}: {why} Chọn áp dụng từ năm sau, "
        "hoặc đề nghị cấp trên mở khoá kỳ ấy cho cả cấp trên cũ và mới rồi chuyển."
    )


@verb("Chuyển đơn vị")
def move_unit(*, unit, parent, year, actor, reason):
    """Hang `unit` under `parent` from `year` on (open years only). Its records and totals follow it.

    Raises ValidationError when no open year is left, the new superior lies below the unit, or a counted record lies in
    a locked period of the old or the new line.
    """
    tree.lock_exclusive()
    years = years_to_move(unit, year)
    if not years:
        raise ValidationError({"year": f"Không có năm công tác đang mở nào từ {year} mà “{unit}” còn trong cây."})
    if not reason.strip():
        raise ValidationError({"reason": "Ghi lý do hoặc số quyết định chuyển đơn vị."})
    moved = [done for each in years if (done := _move(unit, parent, each, actor, reason))]
    names = {row.pk: str(row) for row in Unit.objects.filter(pk__in=[old for _, old in moved if old])}
    notes = [
        journal.Note(
            verb=move_unit.code,
            about=unit,
            actor=actor,
            unit=unit.pk,
            year=each,
            label=f"{unit.code} {unit.name}",
            reason=reason,
            changes=[["Cấp trên", names.get(old, ""), str(parent)]],
        )
        for each, old in moved
    ]
    journal.write(notes + [note for each, _ in moved for note in _end_unlocks(unit, each, actor)])
    return years


def _end_unlocks(unit, year, actor):
    """End the unlocks of the moved unit and everything below it in that year. Returns the notes about them."""
    path = Placement.objects.get(unit=unit, year=year).path
    below = Placement.objects.filter(year=year, path__startswith=path)
    return unlocking.end(Unlock.objects.filter(year=year, unit__in=below.values("unit")), act=move_unit, actor=actor)


def _move(unit, parent, year, actor, reason):
    """(year, the old superior's id), or None where it hangs there already."""
    here = Placement.objects.get(unit=unit, year=year)
    if here.parent_id == parent.pk:
        return None
    try:
        with totals.counting(_counted(here), moves_tree=True) as records:
            locks.refuse({replace(locks.spot(row), units=frozenset({parent.pk})) for row in records.values()})
            tree.move(unit=unit, parent=parent, year=year)
    except locks.Locked as refused:
        raise ValidationError({"year": _instead(year, refused.messages[0])}) from refused
    Move.objects.create(
        unit=unit, year=year, from_parent_id=here.parent_id, to_parent=parent, reason=reason, actor=actor
    )
    return year, here.parent_id
