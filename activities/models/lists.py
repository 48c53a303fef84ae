"""How people look at many records."""

from django.conf import settings
from django.db import models

from activities import querysets
from activities.models.records import Activity
from units.models import Unit


class SavedFilter(models.Model):
    """A named list of records: the query string of its address (filters and columns). The one without a name holds the
    columns its user saw last. `unit`: whose people see it too."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField("tên bộ lọc", max_length=80, blank=True)
    query = models.CharField(max_length=2000)
    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name="dùng chung trong", null=True, related_name="+")

    objects = querysets.SavedFilterQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = "bộ lọc đã lưu"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                name="one_filter_a_name",
                violation_error_message="Bạn đã có bộ lọc mang tên này.",
            )
        ]

    def __str__(self):
        return self.name


class Look(models.Model):
    """The record of the queue that a reviewer has open (“… đang xem”); one a person, old ones mean nothing."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    activity = models.ForeignKey(Activity, models.CASCADE, related_name="looks")
    at = models.DateTimeField()

    def __str__(self):
        return f"{self.user}: {self.activity}"
