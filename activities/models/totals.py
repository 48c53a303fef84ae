"""The stored totals."""

from django.db import models

from activities import querysets
from targets.models import Indicator, WorkYear
from units.models import Unit


class UnitTotal(models.Model):
    """Stored total of one unit and everything below it, written by `activities.totals` alone.

    month 0 is the whole work year; the sum of months 1..m is the figure "đến tháng m". `value` counts a joint
    activity once; `overlap` is what was subtracted for that (value + overlap = the plain sum over the units);
    `records` is how many figures stand behind it, so that an approved 0 is told from no figure.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    year = models.ForeignKey(WorkYear, models.PROTECT, related_name="+")
    month = models.PositiveSmallIntegerField()
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="+")
    province = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    value = models.BigIntegerField(default=0)
    overlap = models.BigIntegerField(default=0)
    records = models.IntegerField(default=0)

    objects = querysets.UnitTotalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "year", "month", "indicator", "province"], name="one_total_a_cell")
        ]
        indexes = [models.Index(fields=["year", "indicator", "month", "unit"], name="total_of_indicator")]

    def __str__(self):
        return f"{self.unit_id}/{self.year_id}/{self.month}/{self.indicator_id}: {self.value}"
