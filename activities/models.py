"""What was done: activities and declarations with their figures, who did what to them, and the stored totals."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from activities import querysets
from targets.models import Indicator, Measure, Nature, Period, WorkYear
from unionwork.text import fold, nfc
from units.models import Unit


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


class Status(models.TextChoices):
    DRAFT = "draft", "Nháp"
    PENDING = "pending", "Chờ duyệt"
    RETURNED = "returned", "Cần bổ sung"
    APPROVED = "approved", "Đã duyệt"
    PUBLISHED = "published", "Đã chốt"
    CANCELLED = "cancelled", "Đã huỷ"


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


def evidence_path(evidence, name):
    """Where a file of evidence is stored: a random name, so that nobody guesses it and no name collides."""
    return f"minh-chung/{uuid.uuid4().hex}"


class Evidence(models.Model):
    """Minh chứng: a photo or document of an activity, checked and re-encoded (`unionwork.uploads`).

    Sent while the form is still being filled: `key` names the file (so that a retry adds nothing), `form_key` the form;
    `activity` follows when the form is saved. `perceptual` is a 64-bit picture hash in hex.
    """

    key = models.UUIDField(unique=True)
    form_key = models.UUIDField(db_index=True)
    activity = models.ForeignKey(Activity, models.PROTECT, null=True, related_name="evidence")
    file = models.FileField("tệp", upload_to=evidence_path)
    thumbnail = models.FileField("ảnh nhỏ", upload_to=evidence_path, blank=True)
    name = models.CharField("tên tệp", max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField("dung lượng")
    sha256 = models.CharField(max_length=64, db_index=True)
    perceptual = models.CharField(max_length=16, blank=True, db_index=True)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = querysets.EvidenceQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "minh chứng"

    def __str__(self):
        return self.name

    @property
    def extension(self):
        """Of the name, which was given by what the file holds."""
        return self.name.rpartition(".")[2]


class FormDraft(models.Model):
    """What somebody is typing into the form of an activity, so that it goes on on another device. Gone when sent.

    `data`: {field name: [texts]} as the form sends them; `version` finds a draft that another device wrote meanwhile.
    """

    key = models.UUIDField(unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    title = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at", "-pk"]
        verbose_name = "bản đang nhập"

    def __str__(self):
        return self.title


class ReportState(models.TextChoices):
    SENT = "sent", "Đã gửi"
    ACCEPTED = "accepted", "Đã nhận, đã khoá"
    RETURNED = "returned", "Trả lại"
    WITHDRAWN = "withdrawn", "Đã rút"


GIVEN = (ReportState.SENT, ReportState.ACCEPTED)  # a word that stands


class PeriodReport(models.Model):
    """Báo cáo kỳ: a unit's word that a period is complete; `nothing`: without any (further) activity.

    Accepted by the superior it locks the period for the unit and everything below it (`activities.locks`). Whether a
    unit was late is decided by its first word that it did not take back: `first_at`, `days_late` (after the due day;
    within the grace too).
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
