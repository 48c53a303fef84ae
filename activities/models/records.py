"""What was done: a record with its figures and its hosts."""

import re
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from activities import querysets
from activities.models.kinds import COMMENTED, ActivityKind, WorkLevel
from targets.models import Indicator, Measure, WorkYear
from unionwork.text import fold, nfc
from units.models import Unit


class Status(models.TextChoices):
    DRAFT = "draft", "Nháp"
    PENDING = "pending", "Chờ duyệt"
    RETURNED = "returned", "Cần bổ sung"
    APPROVED = "approved", "Đã duyệt"
    PUBLISHED = "published", "Đã chốt"
    CANCELLED = "cancelled", "Đã huỷ"


_CODE = re.compile(r"(?:HD-\d{4}-)?0*(\d{1,15})", re.ASCII | re.IGNORECASE)

COUNTED = (Status.APPROVED, Status.PUBLISHED)
SENT = (Status.PENDING, *COUNTED)
EDITABLE = (Status.DRAFT, Status.PENDING, Status.RETURNED, Status.APPROVED)


class Doubt(models.TextChoices):
    """What a record may be warned of when it is sent (`activities.warnings`), as a reviewer's list names it."""

    UNUSUAL = "unusual", "Vượt mức thường"
    MEMBERS = "members", "Nhiều hơn số đoàn viên"
    PERSONS = "persons", "Số người hơn số lượt"
    TWIN = "twin", "Có thể trùng"
    JOINT = "joint", "Có thể là việc phối hợp"
    EVIDENCE = "evidence", "Thiếu minh chứng"
    REUSED = "reused", "Ảnh dùng lại"
    CHANGE = "change", "Thay đổi lớn"


class Activity(models.Model):
    """A record of a unit: an activity (kind FLOW), a declaration (STOCK), or a milestone reached (MILESTONE).

    It counts in the work year and month of its last day. `unit` is the lead host; further hosts are `Host` rows.
    `form_key` makes one form one record however often it is sent (`form_digest`: what it said then); `version` finds
    stale forms. `warnings`: [[code, sentence], …] as the writer saw them, `warning_reason` the one answer to them.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name="đơn vị", related_name="+")
    kind = models.ForeignKey(ActivityKind, models.PROTECT, verbose_name="loại", related_name="+")
    title = models.CharField("tên", max_length=200)
    first_day = models.DateField("từ ngày")
    last_day = models.DateField("đến ngày")
    year = models.ForeignKey(WorkYear, models.PROTECT, verbose_name="năm công tác", related_name="+")
    month = models.PositiveSmallIntegerField("tháng của năm công tác", editable=False)
    place = models.CharField("địa điểm", max_length=200, blank=True)
    work_level = models.CharField("cấp công trình", max_length=10, choices=WorkLevel, blank=True)
    description = models.TextField("mô tả", max_length=4000, blank=True)
    document = models.CharField("văn bản", max_length=200, blank=True)
    milestone = models.ForeignKey(Measure, models.PROTECT, verbose_name="mốc", null=True, blank=True, related_name="+")
    status = models.CharField("trạng thái", max_length=9, choices=Status, default=Status.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="người ghi", related_name="+")
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="người duyệt", null=True, related_name="+"
    )
    return_reason = models.CharField("lý do trả lại", max_length=500, blank=True)
    return_place = models.CharField("chỗ cần sửa", max_length=60, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, verbose_name="gộp vào", null=True, blank=True, related_name="merged"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField("gửi lúc", null=True)
    decided_at = models.DateTimeField("duyệt lúc", null=True)
    form_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    form_digest = models.CharField(max_length=64, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1)
    warnings = models.JSONField("cảnh báo khi gửi", default=list, blank=True)
    warning_reason = models.CharField("lý do của người ghi", max_length=500, blank=True)
    search = models.TextField(editable=False)

    objects = querysets.ActivityQuerySet.as_manager()

    class Meta:
        ordering = ["-last_day", "-pk"]
        verbose_name = "hoạt động"
        constraints = [
            models.CheckConstraint(
                name="activity_days_in_order",
                condition=Q(first_day__lte=F("last_day")),
                violation_error_message="Ngày kết thúc phải sau hoặc trùng ngày bắt đầu.",
            ),
            models.CheckConstraint(
                name="activity_two_persons",
                condition=Q(approver__isnull=True) | ~Q(approver=F("author")),
                violation_error_message="Người ghi không được tự duyệt.",
            ),
            models.CheckConstraint(
                name="activity_counted_has_approver",
                condition=~Q(status__in=["approved", "published"]) | Q(approver__isnull=False),
            ),
            models.CheckConstraint(name="activity_month", condition=Q(month__gte=1, month__lte=12)),
        ]
        indexes = [
            models.Index(fields=["-last_day", "-id"], name="activity_newest_first"),
            models.Index(fields=["unit", "year", "status"], name="activity_of_unit"),
            models.Index(fields=["status", "submitted_at"], name="activity_waiting"),
        ]

    def __str__(self):
        return self.title

    @property
    def code(self):
        return f"HD-{self.year_id}-{self.pk:06d}"

    @staticmethod
    def pk_of(code):
        """The key in a code (HD-2026-000012), or in the number of it as it is read out (000012, 12); None in anything
        else. The year is not compared."""
        found = _CODE.fullmatch(code.strip())
        return int(found[1]) if found else None

    @property
    def doubts(self):
        """The kinds of warnings it was sent with, in words, each once."""
        return list(dict.fromkeys(str(Doubt(code).label) for code, _ in self.warnings if code in Doubt.values))

    @property
    def edit_place(self):
        """ "#" and the id of the place on the form that its return points at, or that the reason speaks of; "" when
        it names none."""
        if self.status != Status.RETURNED:
            return ""
        if self.return_place:
            return f"#{self.return_place}"
        named = (place for words, place in COMMENTED.items() if self.return_reason.startswith(words))
        return next((f"#{place}" for place in named if place), "")

    def prepare(self):
        """Normalise the texts and keep the folded search text beside them; writers call it before saving."""
        self.title, self.place, self.document = nfc(self.title), nfc(self.place), nfc(self.document)
        self.search = fold(f"{self.title} {self.place}")


class Figure(models.Model):
    """Số liệu: a whole number of the indicator's smallest unit, and the approximate word typed before it."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="figures")
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="+")
    value = models.BigIntegerField("giá trị")
    word = models.CharField("từ ước lượng", max_length=20, blank=True)

    class Meta:
        ordering = ["activity", "indicator__position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["activity", "indicator"], name="one_figure_an_activity"),
            models.CheckConstraint(name="figure_not_negative", condition=Q(value__gte=0)),
        ]

    def __str__(self):
        return f"{self.indicator}: {self.value}"


class HostState(models.TextChoices):
    INVITED = "invited", "Chờ xác nhận"
    CONFIRMED = "confirmed", "Đã xác nhận"
    DECLINED = "declined", "Từ chối"


class Host(models.Model):
    """A further host of a joint activity, beside its lead `Activity.unit`. It counts unless it declined."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="hosts")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    state = models.CharField("xác nhận", max_length=9, choices=HostState, default=HostState.INVITED)
    reason = models.CharField("lý do từ chối", max_length=300, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("trả lời lúc", null=True)

    objects = querysets.HostQuerySet.as_manager()

    class Meta:
        ordering = ["activity", "unit"]
        constraints = [models.UniqueConstraint(fields=["activity", "unit"], name="one_host_an_activity")]

    def __str__(self):
        return str(self.unit)

    @property
    def has_declined(self):
        return self.state == HostState.DECLINED

    @property
    def has_confirmed(self):
        return self.state == HostState.CONFIRMED
