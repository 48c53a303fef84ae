"""What happened to a record: its steps, and what somebody proposes to change in it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from activities import querysets
from activities.models.records import Activity, Status


class Step(models.TextChoices):
    """What can happen to a record, as the timeline words it."""

    CREATE = "create", "Tạo"
    EDIT = "edit", "Sửa"
    SUBMIT = "submit", "Gửi duyệt"
    WITHDRAW = "withdraw", "Rút lại"
    APPROVE = "approve", "Duyệt"
    RETURN = "return", "Trả lại"
    UNAPPROVE = "unapprove", "Bỏ duyệt"
    CANCEL = "cancel", "Huỷ"
    RESTORE = "restore", "Khôi phục"
    CONFIRM = "confirm", "Xác nhận phối hợp"
    DECLINE = "decline", "Từ chối phối hợp"
    ATTACH = "attach", "Thêm minh chứng"
    DETACH = "detach", "Bỏ minh chứng"
    CORRECT = "correct", "Sửa khi duyệt"
    RECALL = "recall", "Thu lại việc trả lại"
    MERGE = "merge", "Gộp"
    UNMERGE = "unmerge", "Tách lại"
    PROPOSE = "propose", "Đề nghị sửa"
    ADOPT = "adopt", "Nhận bản sửa"
    REFUSE = "refuse", "Không nhận bản sửa"


class Event(models.Model):
    """One step in a record's life: who, when, from, to, why, and what changed. Only ever added.

    `changes`: [[what, old, new]] in words; a fourth says of which unit (`unit`: its id), and what undoing needs.
    `touches`: the period reports (in words) whose counted figures the step changed.
    """

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="events")
    step = models.CharField(max_length=10, choices=Step)
    from_status = models.CharField(max_length=9, choices=Status, blank=True)
    to_status = models.CharField(max_length=9, choices=Status)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField("lý do", max_length=500, blank=True)
    changes = models.JSONField(default=list, blank=True)
    touches = models.JSONField("báo cáo có liên quan", default=list, blank=True)

    class Meta:
        ordering = ["activity", "pk"]

    def __str__(self):
        return self.get_step_display()

    @property
    def said(self):
        """[[what, old, new]]"""
        return [change[:3] for change in self.changes]


class CorrectionState(models.TextChoices):
    PENDING = "pending", "Chờ duyệt"
    ADOPTED = "adopted", "Đã nhận"
    REFUSED = "refused", "Không nhận"
    WITHDRAWN = "withdrawn", "Đã rút"


class Correction(models.Model):
    """Bản sửa of an approved record that keeps counting as it is until the correction is adopted
    (`WorkYear.keeps_approved`).

    `entry`: what the record shall say ({"fields": {name: value}, "figures": {indicator id: [value, word]},
    "hosts": [unit ids]}); `changes`: [[what, old, new]] in words; `version`: the record's, from which it starts.
    """

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="corrections")
    entry = models.JSONField()
    changes = models.JSONField()
    version = models.PositiveIntegerField()
    reason = models.CharField("lý do", max_length=500)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField("gửi lúc", auto_now_add=True)
    state = models.CharField(max_length=9, choices=CorrectionState, default=CorrectionState.PENDING)
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField("lý do không nhận", max_length=500, blank=True)

    objects = querysets.CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = "bản sửa"
        constraints = [
            models.UniqueConstraint(
                fields=["activity"], condition=Q(state="pending"), name="one_correction_waits_a_record"
            ),
            models.CheckConstraint(
                name="correction_two_persons",
                condition=Q(decider__isnull=True) | Q(state="withdrawn") | ~Q(decider=F("author")),
            ),
        ]

    def __str__(self):
        return str(self.activity)
