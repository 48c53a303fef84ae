"""Moving a unit in the tree, with the stored totals kept right."""

from django.core.exceptions import ValidationError

from activities import totals
from activities.models import Activity
from targets.models import WorkYear
from unionwork.verbs import verb
from units import tree
from units.models import Move, Placement


def years_to_move(unit, year):
    """The open years from `year` on in which the unit stands in the tree: a move never touches closed years."""
    placed = Placement.objects.filter(unit=unit, year__gte=year).values("year")
    frozen = WorkYear.objects.filter(is_open=False).values("year")
    return sorted(
        set(
            Placement.objects.filter(unit=unit, year__in=placed).exclude(year__in=frozen).values_list("year", flat=True)
        )
    )


@verb("Chuyển đơn vị")
def move_unit(*, unit, parent, year, actor, reason):
    """Hang `unit` under `parent` from `year` on (open years only). Its records and totals follow it.

    Raises ValidationError when no open year is left or the new superior lies below the unit.
    """
    tree.lock_exclusive()
    years = years_to_move(unit, year)
    if not years:
        raise ValidationError({"year": f"Không có năm công tác đang mở nào từ {year} mà “{unit}” còn trong cây."})
    if not reason.strip():
        raise ValidationError({"reason": "Ghi lý do hoặc số quyết định chuyển đơn vị."})
    for each in years:
        here = Placement.objects.get(unit=unit, year=each)
        if here.parent_id == parent.pk:
            continue
        ids = Activity.objects.counted().hosted_within(here.path, each).order_by().values_list("pk", flat=True)
        with totals.counting(list(ids), moves_tree=True):
            tree.move(unit=unit, parent=parent, year=each)
        Move.objects.create(
            unit=unit, year=each, from_parent_id=here.parent_id, to_parent=parent, reason=reason, actor=actor
        )
    return years
