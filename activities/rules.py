"""What makes a record right: one set of checks for forms, imports and verbs."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils import timezone

from activities.models import ActivityKind, RecordNature
from targets.models import Nature, WorkYear
from unionwork.dates import format_date
from units.models import Placement


@dataclass
class Entry:
    """What one writes down: an unsaved or saved `activity`, its typed figures and its further hosts.

    `figures`: {Indicator: numbers.Parsed} with value in the indicator's smallest unit; blank ones left out.
    """

    activity: object
    figures: dict = field(default_factory=dict)
    hosts: list = field(default_factory=list)


class Rules:
    """The reference rows that many checks need, read once: kinds, work years, trees."""

    def __init__(self):
        self.kinds = {kind.pk: kind for kind in ActivityKind.objects.prefetch_related("kind_figures__indicator")}
        self.years = list(WorkYear.objects.order_by("-year"))
        self._placed = {}

    def year_of(self, day):
        """The work year that contains `day`, or None."""
        return next((year for year in self.years if year.first_day <= day <= year.last_day), None)

    def placed(self, year):
        """Ids of the units in the year's tree."""
        if year not in self._placed:
            self._placed[year] = set(Placement.objects.filter(year=year).values_list("unit_id", flat=True))
        return self._placed[year]

    def asked(self, activity):
        """The kind's typed figures, in order."""
        return [row for row in self.kinds[activity.kind_id].kind_figures.all() if not row.counted]

    def counted(self, activity):
        """Indicators the system counts as 1 for this activity, by its kind and level of work."""
        rows = self.kinds[activity.kind_id].kind_figures.all()
        return [row.indicator for row in rows if row.counted and row.work_level in ("", activity.work_level)]

    def settle(self, entry):
        """Fill in work year and month from the last day, then check. Raises ValidationError by field."""
        activity, errors = entry.activity, {}
        kind = self.kinds[activity.kind_id]
        if not activity.first_day or not activity.last_day:
            raise ValidationError({"first_day": "Nhập ngày, ví dụ 26/03/2024."})
        if activity.last_day < activity.first_day:
            errors["last_day"] = "Ngày kết thúc phải sau hoặc trùng ngày bắt đầu."
        if activity.last_day > timezone.localdate():
            errors["last_day"] = f"Ngày {format_date(activity.last_day)} chưa tới: hoạt động được ghi khi đã kết thúc."
        year = self.year_of(activity.last_day)
        if year is None:
            errors.setdefault(
                "last_day",
                f"Chưa mở năm công tác cho ngày {format_date(activity.last_day)}; liên hệ văn phòng Trung ương.",
            )
        elif not year.is_open:
            errors["last_day"] = f"Năm công tác {year} đã khoá nên không ghi thêm hay sửa được nữa."
        else:
            activity.year, activity.month = year, year.month_of(activity.last_day)
            self._check_units(entry, errors)
        if activity.work_level and not kind.has_work_level:
            errors["work_level"] = f"Loại “{kind}” không có cấp công trình."
        self._check_figures(entry, kind, errors)
        if errors:
            raise ValidationError(errors)

    def _check_units(self, entry, errors):
        activity = entry.activity
        placed = self.placed(activity.year_id)
        if activity.unit_id not in placed:
            errors["unit"] = f"“{activity.unit}” không có trong cây đơn vị năm {activity.year_id}."
        kind = self.kinds[activity.kind_id]
        if entry.hosts and kind.nature != RecordNature.FLOW:
            errors["hosts"] = "Kê khai và mốc là của riêng một đơn vị, không có đơn vị phối hợp."
        for host in entry.hosts:
            if host.pk == activity.unit_id:
                errors["hosts"] = "Đơn vị chủ trì không ghi lại trong danh sách phối hợp."
            elif host.pk not in placed:
                errors["hosts"] = f"“{host}” không có trong cây đơn vị năm {activity.year_id}."

    def _check_figures(self, entry, kind, errors):
        counted = {row.indicator_id for row in kind.kind_figures.all() if row.counted}
        wanted = Nature.STOCK if kind.nature == RecordNature.STOCK else Nature.FLOW
        for indicator in entry.figures:
            if indicator.pk in counted:
                errors[indicator.code] = f"“{indicator}” do hệ thống tự đếm, không nhập."
            elif indicator.nature != wanted:
                errors[indicator.code] = (
                    f"“{indicator}” là số liệu tại một thời điểm: ghi ở mục Kê khai số liệu."
                    if wanted == Nature.FLOW
                    else f"“{indicator}” là số liệu phát sinh: ghi trong một hoạt động."
                )


def check_complete(activity):
    """What a reviewer must find before a record may be sent. Raises ValidationError by field."""
    errors = {}
    given = set(activity.figures.values_list("indicator_id", flat=True))
    for row in activity.kind.kind_figures.filter(required=True, counted=False).select_related("indicator"):
        if row.indicator_id not in given:
            errors[row.indicator.code] = f"Nhập “{row.indicator}” ({row.indicator.unit_of_measure})."
    if activity.kind.has_work_level and not activity.work_level:
        errors["work_level"] = "Chọn cấp của công trình."
    if activity.kind.nature == RecordNature.MILESTONE:
        if not activity.document:
            errors["document"] = "Ghi số và ngày của văn bản chứng minh mốc đã hoàn thành."
    elif not given and not errors:
        errors["figures"] = "Nhập ít nhất một số liệu."
    if errors:
        raise ValidationError(errors)
