"""Period reports, the unlocking of what they lock, reminders."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from activities import querysets
from targets.models import Period, WorkYear
from units.models import Unit


class ReportState(models.TextChoices):
    SENT = "sent", "Đã gửi"
    ACCEPTED = "accepted", "Đã nhận, đã khoá"
    RETURNED = "returned", "Trả lại"
    WITHDRAWN = "withdrawn", "Đã rút"


GIVEN = (ReportState.SENT, ReportState.ACCEPTED)  # a word that stands


class PeriodReport(models.Model):
    """Báo cáo kỳ: a unit's word that a period is complete; `nothing`: without any (further) activity.

    Accepted by the superior it locks the period for the unit and everything below it (`activities.locks`). `first_at`:
    of the first word that the unit did not take back; `days_late`: after the due day, within the grace too
    (`activities.reporting.period_states.late_by`).
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    year = models.ForeignKey(WorkYear, models.PROTECT, related_name="+")
    period = models.ForeignKey(Period, models.PROTECT, related_name="+")
    nothing = models.BooleanField("không phát sinh")
    difficulties = models.TextField("khó khăn", max_length=2000, blank=True)
    proposals = models.TextField("đề xuất", max_length=2000, blank=True)
    state = models.CharField("trạng thái", max_length=9, choices=ReportState, default=ReportState.SENT)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="người gửi", related_name="+")
    at = models.DateTimeField("gửi lúc")
    first_at = models.DateTimeField("gửi lần đầu lúc")
    days_late = models.PositiveSmallIntegerField("số ngày trễ", default=0)
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField("lý do trả lại", max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = querysets.PeriodReportQuerySet.as_manager()

    class Meta:
        ordering = ["year", "period", "unit"]
        verbose_name = "báo cáo kỳ"
        constraints = [models.UniqueConstraint(fields=["unit", "period"], name="one_report_a_period")]
        indexes = [models.Index(fields=["year", "unit", "state"], name="report_of_unit")]

    def __str__(self):
        return f"{self.period} · {self.unit}"


class Unlock(models.Model):
    """Mở khoá có thời hạn: until `until` the records of the unit and everything below it dated first..last day may
    change although a period is locked. Closes itself then, earlier by hand or when the period is accepted again."""

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name="đơn vị", related_name="+")
    year = models.ForeignKey(WorkYear, models.PROTECT, verbose_name="năm công tác", related_name="+")
    first_day = models.DateField("từ ngày")
    last_day = models.DateField("đến ngày")
    until = models.DateTimeField("mở đến")
    reason = models.CharField("lý do", max_length=500)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="người mở", related_name="+")
    at = models.DateTimeField("mở lúc", auto_now_add=True)
    closed_at = models.DateTimeField("đóng lúc", null=True)
    closer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="người đóng", null=True, related_name="+"
    )

    objects = querysets.UnlockQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "mở khoá"
        constraints = [
            models.CheckConstraint(name="unlock_days_in_order", condition=Q(first_day__lte=F("last_day"))),
        ]
        indexes = [models.Index(fields=["unit", "year"], name="unlock_of_unit")]

    def __str__(self):
        return f"{self.unit}: {self.first_day} – {self.last_day}"


class Reminder(models.Model):
    """Nhắc báo cáo: at most one a unit a day."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    period = models.ForeignKey(Period, models.PROTECT, related_name="+")
    day = models.DateField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "lời nhắc"
        constraints = [models.UniqueConstraint(fields=["unit", "day"], name="one_reminder_a_day")]
        indexes = [models.Index(fields=["period", "unit", "-day"], name="reminder_of_period")]

    def __str__(self):
        return f"{self.unit}: {self.period}"
