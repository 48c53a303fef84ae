"""What is asked: the work year, the indicators, the chỉ tiêu with their measures, and who was given how much."""

import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from targets import querysets
from unionwork.numbers import format_number, format_percent
from unionwork.text import fold, nfc
from units.models import Level, Unit


class WorkYear(models.Model):
    """Năm công tác: its own first and last day, a theme, open or closed. Keyed by the year itself.

    `closing_asker` asked for it to be closed, which somebody else then does (TRUST A6).
    """

    year = models.PositiveSmallIntegerField("năm", primary_key=True)
    first_day = models.DateField("ngày đầu")
    last_day = models.DateField("ngày cuối")
    theme = models.CharField("chủ đề", max_length=200, blank=True)
    is_open = models.BooleanField("đang mở", default=True)
    keeps_approved = models.BooleanField("giữ số đã duyệt khi có bản sửa", default=False)
    closing_asker = models.ForeignKey(
        "units.User", models.PROTECT, verbose_name="người đề nghị chốt", null=True, blank=True, related_name="+"
    )
    closing_asked_at = models.DateTimeField("đề nghị chốt lúc", null=True, blank=True)

    class Meta:
        ordering = ["-year"]
        verbose_name = "năm công tác"
        constraints = [
            models.CheckConstraint(
                name="workyear_in_order",
                condition=Q(first_day__lt=F("last_day")),
                violation_error_message="Ngày đầu của năm công tác phải trước ngày cuối.",
            )
        ]

    def __str__(self):
        return str(self.year)

    def month_of(self, day):
        """Month 1..12 of the work year in which `day` lies, counted from the first day's day of month."""
        months = (day.year - self.first_day.year) * 12 + day.month - self.first_day.month
        return max(1, min(12, months + 1 - (day.day < self.first_day.day)))


class PeriodKind(models.TextChoices):
    MONTH = "month", "Tháng"
    QUARTER = "quarter", "Quý"
    HALF = "half", "6 tháng"
    YEAR = "year", "Cả năm"
    CAMPAIGN = "campaign", "Đợt"


def reporting_levels():
    return [Level.PROVINCE.value, Level.DISTRICT.value, Level.BASE.value]


class Period(models.Model):
    """Kỳ báo cáo: some days of a work year about which units give their word, and until when (`due`, the last day).

    `number` counts the periods of their kind within the work year. Without an `issuer` it is everybody's; a campaign
    belongs to the unit that set it and everything below. `levels`: of the units that have to report; none while not
    `is_asked`. `grace`: days after `due` that are not called late yet.
    """

    year = models.ForeignKey(WorkYear, models.PROTECT, verbose_name="năm công tác", related_name="periods")
    kind = models.CharField("loại kỳ", max_length=8, choices=PeriodKind)
    number = models.PositiveSmallIntegerField("thứ tự")
    issuer = models.ForeignKey(Unit, models.PROTECT, verbose_name="đơn vị đặt kỳ", null=True, related_name="+")
    name = models.CharField("tên kỳ", max_length=100)
    first_day = models.DateField("từ ngày")
    last_day = models.DateField("đến ngày")
    due = models.DateField("hạn nộp")
    grace = models.PositiveSmallIntegerField("số ngày gia hạn", default=3)
    is_asked = models.BooleanField("phải báo cáo", default=True)
    levels = models.JSONField("cấp phải báo cáo", default=reporting_levels)

    objects = querysets.PeriodQuerySet.as_manager()

    class Meta:
        ordering = ["year", "first_day", "last_day", "pk"]
        verbose_name = "kỳ báo cáo"
        constraints = [
            models.UniqueConstraint(
                fields=["year", "kind", "number"], condition=Q(issuer=None), name="one_standard_period"
            ),
            models.UniqueConstraint(fields=["year", "kind", "number", "issuer"], name="one_period_of_a_unit"),
            models.CheckConstraint(
                name="period_in_order",
                condition=Q(first_day__lte=F("last_day")),
                violation_error_message="Ngày cuối của kỳ phải sau hoặc trùng ngày đầu.",
            ),
            models.CheckConstraint(
                name="period_due_after_it_began",
                condition=Q(due__gte=F("first_day")),
                violation_error_message="Hạn nộp không thể trước ngày đầu của kỳ.",
            ),
        ]

    def __str__(self):
        return self.name


class Nature(models.TextChoices):
    FLOW = "flow", "Phát sinh"
    STOCK = "stock", "Thời điểm"


class Group(models.TextChoices):
    """The six headings of every report (bộ tiêu chí thi đua)."""

    EDUCATION = "education", "Công tác giáo dục"
    MOVEMENT = "movement", "Phong trào hành động cách mạng"
    SUPPORT = "support", "Đồng hành với thanh niên"
    CHILDREN = "children", "Công tác Đội và thiếu nhi"
    INTERNATIONAL = "international", "Công tác quốc tế"
    BUILDING = "building", "Xây dựng Đoàn, tham gia xây dựng Đảng"


class IndicatorManager(models.Manager):
    def get_by_natural_key(self, code):
        return self.get(code=code)


class Indicator(models.Model):
    """Chỉ số. Values are whole numbers of its smallest unit: 10**-decimals of `unit_of_measure`."""

    code = models.SlugField("mã", max_length=40, unique=True, error_messages={"unique": "Đã có chỉ số mang mã này."})
    name = models.CharField("tên", max_length=200)
    unit_of_measure = models.CharField("đơn vị tính", max_length=30)
    nature = models.CharField("tính chất", max_length=5, choices=Nature, default=Nature.FLOW)
    decimals = models.PositiveSmallIntegerField("số chữ số lẻ", default=0)
    group = models.CharField("nhóm", max_length=15, choices=Group)
    part_of = models.ForeignKey(
        "self", models.PROTECT, verbose_name="thuộc chỉ số", null=True, blank=True, related_name="parts"
    )
    position = models.PositiveSmallIntegerField("thứ tự", default=0)
    search = models.TextField(editable=False)

    objects = IndicatorManager.from_queryset(querysets.IndicatorQuerySet)()

    class Meta:
        ordering = ["position", "code"]
        verbose_name = "chỉ số"
        constraints = [
            models.CheckConstraint(
                name="indicator_decimals",
                condition=Q(decimals__lte=6),
                violation_error_message="Nhiều nhất 6 chữ số lẻ.",
            ),
        ]

    def __str__(self):
        return self.name

    def save(self, **kwargs):
        self.name, self.unit_of_measure = nfc(self.name), nfc(self.unit_of_measure)
        self.search = fold(f"{self.code} {self.name}")
        super().save(**kwargs)

    def natural_key(self):
        return (self.code,)

    def clean(self):
        """A part has its whole's nature and scale, and no chain of parts closes on itself."""
        if self.decimals is not None and self.decimals > 6:
            raise ValidationError({"decimals": "Nhiều nhất 6 chữ số lẻ."})
        whole = self.part_of
        if whole and (whole.nature, whole.decimals) != (self.nature, self.decimals):
            raise ValidationError({"part_of": f"“{whole}” khác tính chất hoặc số chữ số lẻ nên không cộng chung được."})
        while whole:
            if whole.pk == self.pk:
                raise ValidationError({"part_of": "Chỉ số không thể thuộc chính nó."})
            whole = whole.part_of

    def format(self, value):
        """`value` as printed, without the unit."""
        return format_number(value, self.decimals)


class Join(models.TextChoices):
    ALL = "all", "Tất cả"
    ANY = "any", "Một trong"


class Target(models.Model):
    """Chỉ tiêu: as the directive words it, with one or more measures.

    Until it is issued (`issued_on`) it is a draft: the issuing unit follows it, nothing of it reaches a unit below.
    `decision`: the one that issued it, unless a workbook told of it.
    """

    LARGEST_NUMBER = 999

    year = models.ForeignKey(WorkYear, models.PROTECT, verbose_name="năm", related_name="targets")
    issuer = models.ForeignKey(Unit, models.PROTECT, verbose_name="đơn vị ban hành", related_name="+")
    number = models.PositiveSmallIntegerField("số")
    text = models.TextField("nội dung")
    group = models.CharField("nhóm", max_length=15, choices=Group, blank=True)
    join = models.CharField("kết hợp", max_length=3, choices=Join, default=Join.ALL)
    answers = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name="thực hiện chỉ tiêu của cấp trên",
        null=True,
        blank=True,
        related_name="answered_by",
    )
    note = models.CharField("ghi chú", max_length=200, blank=True)
    issued_on = models.DateField("ban hành ngày", null=True, blank=True)
    decision = models.ForeignKey(
        "Decision", models.PROTECT, verbose_name="quyết định ban hành", null=True, blank=True, related_name="targets"
    )

    objects = querysets.TargetQuerySet.as_manager()

    class Meta:
        ordering = ["year", "issuer", "number"]
        verbose_name = "chỉ tiêu"
        constraints = [
            models.UniqueConstraint(
                fields=["year", "issuer", "number"],
                name="one_target_a_number",
                violation_error_message="Đơn vị đã có chỉ tiêu mang số này trong năm.",
            )
        ]

    def __str__(self):
        return f"Chỉ tiêu {self.number}"


class MeasureKind(models.TextChoices):
    TOTAL = "total", "Tổng"
    RATE = "rate", "Tỷ lệ"
    COVERAGE = "coverage", "Độ phủ"
    MILESTONE = "milestone", "Mốc"


INHERITED = (MeasureKind.RATE, MeasureKind.COVERAGE, MeasureKind.MILESTONE)


class Measure(models.Model):
    """One measurable part of a chỉ tiêu.

    `value` is the plan of the issuing unit: for TOTAL in the indicators' smallest unit, for RATE and COVERAGE in
    hundredths of a percent (66,5% is 6650), for MILESTONE empty. `floor` (COVERAGE) is in the indicators' smallest
    unit. `level` and `sector` say which units are counted: COVERAGE and MILESTONE, and a RATE of one sector only.
    """

    target = models.ForeignKey(Target, models.CASCADE, related_name="measures")
    letter = models.CharField("ý", max_length=2, default="a")
    text = models.CharField("diễn giải", max_length=300, blank=True)
    kind = models.CharField("cách tính", max_length=9, choices=MeasureKind)
    indicators = models.ManyToManyField(Indicator, verbose_name="chỉ số", related_name="+", blank=True)
    denominators = models.ManyToManyField(Indicator, verbose_name="mẫu số", related_name="+", blank=True)
    value = models.BigIntegerField("giá trị", null=True, blank=True)
    floor = models.BigIntegerField("ngưỡng", null=True, blank=True)
    level = models.CharField("cấp tính", max_length=10, choices=Level, default=Level.BASE)
    sector = models.CharField("khối đối tượng", max_length=60, blank=True)
    deadline = models.DateField("hạn", null=True, blank=True)
    year_end_only = models.BooleanField("chỉ đo cuối năm", default=False)

    objects = querysets.MeasureQuerySet.as_manager()

    class Meta:
        ordering = ["target", "letter"]
        verbose_name = "ý của chỉ tiêu"
        constraints = [
            models.UniqueConstraint(
                fields=["target", "letter"],
                name="one_measure_a_letter",
                violation_error_message="Chỉ tiêu đã có ý mang chữ này.",
            ),
            models.CheckConstraint(
                name="measure_plan_by_kind",
                condition=Q(kind="milestone", value__isnull=True) | ~Q(kind="milestone") & Q(value__gte=0),
                violation_error_message="Cần một giá trị kế hoạch; riêng “Mốc” không có giá trị.",
            ),
            models.CheckConstraint(
                name="measure_percent_in_range",
                condition=~Q(kind__in=["rate", "coverage"]) | Q(value__lte=10000),
                violation_error_message="Tỷ lệ kế hoạch không quá 100%.",
            ),
            models.CheckConstraint(
                name="measure_floor_of_coverage",
                condition=Q(kind="coverage", floor__gte=1) | ~Q(kind="coverage") & Q(floor__isnull=True),
                violation_error_message="“Độ phủ” cần ngưỡng từ 1 trở lên; cách tính khác thì không có ngưỡng.",
            ),
        ]

    def __str__(self):
        return f"{self.target.number}{self.letter}"

    @property
    def is_inherited(self):
        return self.kind in INHERITED

    def format_plan(self, value):
        """A plan of this measure as printed: a number with its unit, a percentage, or the deadline."""
        if self.kind == MeasureKind.MILESTONE:
            return f"trước {self.deadline:%d/%m/%Y}" if self.deadline else "hoàn thành"
        if value is None:
            return "–"
        if self.kind == MeasureKind.TOTAL:
            first = next(iter(self.indicators.all()), None)
            return f"{format_number(value, first.decimals)} {first.unit_of_measure}" if first else format_number(value)
        return format_percent(value)


class MeasureVersion(models.Model):
    """What a measure of an issued target asked of everybody: from when, why, and who said so. Never changed.

    Scales: `Measure.value`. A measure that never changed after it was issued may have none.
    """

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField("lần")
    value = models.BigIntegerField("giá trị", null=True)
    floor = models.BigIntegerField("ngưỡng", null=True)
    deadline = models.DateField("hạn", null=True)
    in_force_from = models.DateField("có hiệu lực từ")
    reason = models.CharField("lý do", max_length=300, blank=True)
    actor = models.ForeignKey("units.User", models.PROTECT, related_name="+")
    at = models.DateTimeField("lúc", auto_now_add=True)

    class Meta:
        ordering = ["measure", "number"]
        constraints = [models.UniqueConstraint(fields=["measure", "number"], name="one_measure_version_a_number")]

    def __str__(self):
        return f"{self.measure}, lần {self.number}"


class Assignment(models.Model):
    """Giao chỉ tiêu: what one unit was given (planned) and proposed itself (registered), now in force.

    Both in the measure's own scale (see `Measure.value`). History: `AssignmentVersion`.
    """

    measure = models.ForeignKey(Measure, models.PROTECT, related_name="assignments")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    planned = models.BigIntegerField("giao", null=True, blank=True)
    registered = models.BigIntegerField("đăng ký", null=True, blank=True)
    decision_number = models.CharField("số quyết định", max_length=50, blank=True)
    decision_date = models.DateField("ngày quyết định", null=True, blank=True)
    note = models.CharField("ghi chú", max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = querysets.AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["measure", "unit"]
        verbose_name = "giao chỉ tiêu"
        constraints = [
            models.UniqueConstraint(fields=["measure", "unit"], name="one_assignment_a_unit"),
            models.CheckConstraint(
                name="assignment_not_negative",
                condition=(Q(planned__isnull=True) | Q(planned__gte=0))
                & (Q(registered__isnull=True) | Q(registered__gte=0)),
                violation_error_message="Số giao và số đăng ký không thể âm.",
            ),
        ]

    def __str__(self):
        return f"{self.measure} → {self.unit}"


def decision_path(decision, name):
    """Where a decision's file is stored: a random name, so that nobody guesses it and no name collides."""
    return f"quyet-dinh/{uuid.uuid4().hex}"


class Decision(models.Model):
    """Ban hành: one act by which a unit put numbers in force for units below it. Never changed.

    `file`: the signed document, when one was attached; `file_name` is what the sender called it.
    """

    giver = models.ForeignKey(Unit, models.PROTECT, verbose_name="đơn vị ban hành", related_name="+")
    year = models.ForeignKey(WorkYear, models.PROTECT, verbose_name="năm", related_name="+")
    number = models.CharField("số quyết định", max_length=50)
    day = models.DateField("ngày quyết định")
    reason = models.CharField("lý do điều chỉnh", max_length=300, blank=True)
    file = models.FileField("tệp quyết định", upload_to=decision_path, blank=True)
    file_name = models.CharField("tên tệp", max_length=200, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    actor = models.ForeignKey("units.User", models.PROTECT, related_name="+")
    at = models.DateTimeField("lúc", auto_now_add=True)

    objects = querysets.DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "quyết định giao chỉ tiêu"

    def __str__(self):
        return self.number


class DraftAssignment(models.Model):
    """What a unit is about to give one below it, seen by nobody there until it is issued (ban hành).

    `planned` in the measure's own scale, None to take a number back. `fixed`: set by hand, so that filling the grid
    leaves it alone. A row exists only while something waits to be issued or is fixed.
    """

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="drafts")
    giver = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    planned = models.BigIntegerField("giao", null=True, blank=True)
    note = models.CharField("ghi chú", max_length=200, blank=True)
    fixed = models.BooleanField("giữ nguyên khi chia", default=False)
    actor = models.ForeignKey("units.User", models.PROTECT, related_name="+")
    at = models.DateTimeField("lúc", auto_now=True)

    class Meta:
        ordering = ["measure", "unit"]
        verbose_name = "bản nháp giao chỉ tiêu"
        constraints = [
            models.UniqueConstraint(fields=["measure", "giver", "unit"], name="one_draft_a_unit"),
            models.CheckConstraint(
                name="draft_not_negative",
                condition=Q(planned__isnull=True) | Q(planned__gte=0),
                violation_error_message="Số giao không thể âm.",
            ),
        ]

    def __str__(self):
        return f"{self.measure} → {self.unit} (nháp)"


class AssignmentVersion(models.Model):
    """One state an assignment has had: what, by which decision, from when, who and why. Never changed.

    `in_force_from`: the day of the decision, without one the day it was written. A report of an earlier date uses the
    version then in force (`targets.cascade.in_force`).
    """

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField("lần")
    planned = models.BigIntegerField("giao", null=True)
    registered = models.BigIntegerField("đăng ký", null=True)
    decision_number = models.CharField("số quyết định", max_length=50, blank=True)
    decision_date = models.DateField("ngày quyết định", null=True)
    decision = models.ForeignKey(Decision, models.PROTECT, null=True, related_name="versions")
    in_force_from = models.DateField("có hiệu lực từ")
    note = models.CharField("ghi chú", max_length=200, blank=True)
    reason = models.CharField("lý do", max_length=300, blank=True)
    actor = models.ForeignKey("units.User", models.PROTECT, related_name="+")
    at = models.DateTimeField("lúc", auto_now_add=True)

    class Meta:
        ordering = ["assignment", "number"]
        constraints = [models.UniqueConstraint(fields=["assignment", "number"], name="one_version_a_number")]

    def __str__(self):
        return f"{self.assignment}, lần {self.number}"


class Reply(models.Model):
    """Tiếp nhận: a unit's answer to what its superior gave it. The latest one counts, while it is about the version in
    force (`version`: of the assignment; 0 for a measure that applies in common). Never changed.
    """

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="replies")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=0)
    accepted = models.BooleanField("tiếp nhận")
    remark = models.CharField("ý kiến", max_length=500, blank=True)
    actor = models.ForeignKey("units.User", models.PROTECT, related_name="+")
    at = models.DateTimeField("lúc", auto_now_add=True)

    class Meta:
        ordering = ["measure", "unit", "pk"]
        verbose_name = "ý kiến tiếp nhận"
        constraints = [
            models.CheckConstraint(
                name="reply_says_something",
                condition=Q(accepted=True) | ~Q(remark=""),
                violation_error_message="Chưa tiếp nhận thì ghi ý kiến để cấp trên biết.",
            )
        ]

    def __str__(self):
        return f"{self.unit}: {self.measure}"
