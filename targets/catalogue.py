"""The catalogue of indicators: adding one, and changing one without changing what stored values mean."""

from django.core.exceptions import ValidationError
from django.db import transaction

from targets.models import Indicator
from targets.usage import used

# Stored values and totals are in this scale and stand under these wholes.
LOCKED = {"code": "mã", "nature": "tính chất", "decimals": "số chữ số lẻ", "part_of_id": "thuộc chỉ số"}


def is_used(indicator):
    """Whether a figure, a measure, a kind of activity or a part refers to it."""
    return bool(used(Indicator, [indicator.pk]))


@transaction.atomic
def save_indicator(*, indicator):
    """Add or change an indicator. Raises ValidationError, also when a used one would mean something else."""
    indicator.full_clean()
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
    return indicator
