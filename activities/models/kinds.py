"""Kinds of records, and the figures each asks for."""

from django.db import models

from targets.models import Indicator, Nature


class WorkLevel(models.TextChoices):
    """Cấp of a công trình: the level of the work itself, not of the unit that logs it."""

    CENTRAL = "central", "Trung ương"
    PROVINCE = "province", "Tỉnh"
    DISTRICT = "district", "Khối / huyện"
    BASE = "base", "Cơ sở"


# The usual reasons to send a record back → the id of the place on the form that they speak of.
COMMENTED = {
    "Thiếu minh chứng": "tep",
    "Số liệu chưa khớp": "so-lieu",
    "Sai loại hoạt động": "id_kind",
    "Trùng với hoạt động khác": "",
    "Sai ngày": "id_first_day",
}


class RecordNature(models.TextChoices):
    FLOW = Nature.FLOW.value, "Hoạt động"
    STOCK = Nature.STOCK.value, "Kê khai số liệu"
    MILESTONE = "milestone", "Hoàn thành mốc"


class ActivityKindManager(models.Manager):
    def get_by_natural_key(self, code):
        return self.get(code=code)


class ActivityKind(models.Model):
    """Loại hoạt động: which figures are asked first, which are required, which are counted. Suggests, not confines."""

    code = models.SlugField("mã", max_length=40, unique=True)
    name = models.CharField("tên", max_length=100, unique=True)
    nature = models.CharField("tính chất", max_length=9, choices=RecordNature, default=RecordNature.FLOW)
    has_work_level = models.BooleanField("có cấp công trình", default=False)
    position = models.PositiveSmallIntegerField("thứ tự", default=0)
    is_active = models.BooleanField("đang dùng", default=True)

    objects = ActivityKindManager()

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "loại hoạt động"

    def __str__(self):
        return self.name

    def natural_key(self):
        return (self.code,)

    @property
    def asked(self):
        """The figures that are typed, in order."""
        return [row for row in self.kind_figures.all() if not row.counted]

    @property
    def counted_ids(self):
        """Of the indicators that the system may count, whatever the level of work."""
        return {row.indicator_id for row in self.kind_figures.all() if row.counted}


class KindFigure(models.Model):
    """One figure a kind asks for. `counted`: always 1, never typed, optionally only for one level of work."""

    kind = models.ForeignKey(ActivityKind, models.CASCADE, related_name="kind_figures")
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField("thứ tự", default=0)
    required = models.BooleanField("bắt buộc", default=False)
    counted = models.BooleanField("tự đếm", default=False)
    work_level = models.CharField("cấp công trình", max_length=10, choices=WorkLevel, blank=True)

    class Meta:
        ordering = ["kind", "position", "pk"]
        constraints = [models.UniqueConstraint(fields=["kind", "indicator"], name="one_figure_a_kind")]

    def __str__(self):
        return f"{self.kind}: {self.indicator}"
