"""The catalogue of indicators: adding one, and changing one without changing what stored values mean."""

from django.core.exceptions import ValidationError

from targets.models import Indicator
from targets.usage import used
from unionwork.text import header_key
from unionwork.verbs import verb
from units import journal

# Stored values and totals are in this scale and stand under these wholes.
LOCKED = {"code": "mã", "nature": "tính chất", "decimals": "số chữ số lẻ", "part_of_id": "thuộc chỉ số"}


def is_used(indicator):
    """Whether a figure, a measure, a kind of activity or a part refers to it."""
    return bool(used(Indicator, [indicator.pk]))


@verb("Sửa danh mục chỉ số")
def save_indicator(*, indicator, actor):
    """Add or change an indicator. Raises ValidationError, also when a used one would mean something else."""
    indicator.full_clean()
    _check_apart(indicator)
    before = Indicator.objects.filter(pk=indicator.pk).first() if indicator.pk else None
    changed = [name for name in LOCKED if before and getattr(before, name) != getattr(indicator, name)]
    if changed and (changed[0] == "code" or is_used(indicator)):
        raise ValidationError(
            {
                changed[0].removesuffix(
                    "_id"
                ): f"Chỉ số đã dùng nên không đổi {LOCKED[changed[0]]} được; thêm chỉ số mới."
            }
        )
    indicator.save()
    if changes := journal.changed((what, show(before), show(indicator)) for what, show in _SHOWN.items()):
        journal.write([journal.Note(save_indicator.code, indicator, actor, changes=changes)])
    return indicator


# What the journal says of an indicator; of none yet: blank.
_SHOWN = {
    "Mã": lambda row: row and row.code,
    "Tên": lambda row: row and row.name,
    "Đơn vị tính": lambda row: row and row.unit_of_measure,
    "Tính chất": lambda row: row and row.get_nature_display(),
    "Số chữ số lẻ": lambda row: row and row.decimals,
    "Nhóm": lambda row: row and row.get_group_display(),
    "Thuộc chỉ số": lambda row: row and row.part_of,
    "Thứ tự": lambda row: row and row.position,
}


def _check_apart(indicator):
    """A workbook's column is headed by a code or a name, in any case: two indicators never answer to one header."""
    taken = {}
    for code, name in Indicator.objects.exclude(pk=indicator.pk).values_list("code", "name"):
        taken |= {header_key(code): name, header_key(name): name}
    for field in ("code", "name"):
        other = taken.get(header_key(getattr(indicator, field)))
        if other:
            raise ValidationError({field: f"Trùng với mã hoặc tên của chỉ số “{other}”; đặt khác đi."})
