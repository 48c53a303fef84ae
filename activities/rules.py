"""What makes a record right: one set of checks for forms, imports and verbs."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils import timezone

from activities.models import Activity, ActivityKind, Figure, Host, RecordNature, Status
from targets import cascade
from targets.models import MeasureKind, Nature, WorkYear
from unionwork.dates import format_date
from unionwork.numbers import Parsed, format_number
from units.models import Placement

LARGEST_FIGURE = 10**15  # smallest units: sums over all units and years stay far inside a BigInteger


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
        return self.kinds[activity.kind_id].asked

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
        else:
            activity.year, activity.month = year, year.month_of(activity.last_day)
            self._check_units(entry, errors)
            self._check_milestone(activity, kind, errors)
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

    def _check_milestone(self, activity, kind, errors):
        """A milestone record names a measure of its year that reaches the unit, once."""
        measure = activity.milestone
        if kind.nature != RecordNature.MILESTONE:
            if measure:
                errors["milestone"] = f"Loại “{kind}” không ghi cho một mốc."
        elif measure is None or measure.kind != MeasureKind.MILESTONE:
            errors["milestone"] = "Chọn mốc đã hoàn thành trong danh sách chỉ tiêu."
        elif measure.target.year_id != activity.year_id:
            errors["last_day"] = f"Mốc này thuộc năm công tác {measure.target.year_id}."
        elif "unit" not in errors:
            here = Placement.objects.filter(unit=activity.unit_id, year=activity.year_id).select_related("unit")
            plans = cascade.plans_for(here, activity.year_id)[activity.unit_id]
            if all(plan.measure.pk != measure.pk for plan in plans):
                errors["unit"] = f"Mốc này không áp dụng cho “{activity.unit}”."
            if already := reached_already(activity):
                errors["milestone"] = already

    def _check_figures(self, entry, kind, errors):
        wanted = Nature.STOCK if kind.nature == RecordNature.STOCK else Nature.FLOW
        for indicator, parsed in entry.figures.items():
            if parsed.value is not None and parsed.value > LARGEST_FIGURE:
                most = format_number(LARGEST_FIGURE, indicator.decimals)
                errors[indicator.code] = f"Số quá lớn. Kiểm tra lại số chữ số; nhiều nhất {most}."
            elif indicator.pk in kind.counted_ids:
                errors[indicator.code] = f"“{indicator}” do hệ thống tự đếm, không nhập."
            elif indicator.nature != wanted:
                errors[indicator.code] = (
                    f"“{indicator}” là số liệu tại một thời điểm: ghi ở mục Kê khai số liệu."
                    if wanted == Nature.FLOW
                    else f"“{indicator}” là số liệu phát sinh: ghi trong một hoạt động."
                )


def reached_already(activity):
    """Which record says already that the unit reached this milestone, in words; "" for none. Others write one down at
    the same moment, unless the unit is locked (`totals.counting`, `totals.lock_units`)."""
    if activity.milestone_id is None:
        return ""
    same = Activity.objects.filter(milestone=activity.milestone_id, unit=activity.unit_id).exclude(pk=activity.pk)
    already = same.exclude(status=Status.CANCELLED).first()
    return f"“{activity.unit}” đã ghi hoàn thành mốc này: {already.code}." if already else ""


def missing(entry, rules):
    """{field: sentence} of what a reviewer must find before a record may be sent; empty when complete."""
    activity, errors = entry.activity, {}
    kind = rules.kinds[activity.kind_id]
    given = {indicator.pk for indicator, parsed in entry.figures.items() if parsed.value is not None}
    for row in rules.asked(activity):
        if row.required and row.indicator_id not in given:
            errors[row.indicator.code] = f"Nhập “{row.indicator}” ({row.indicator.unit_of_measure})."
    if kind.has_work_level and not activity.work_level:
        errors["work_level"] = "Chọn cấp của công trình."
    if kind.nature == RecordNature.MILESTONE:
        if not activity.document:
            errors["document"] = "Ghi số và ngày của văn bản chứng minh mốc đã hoàn thành."
    elif not given and not rules.counted(activity) and not errors:
        errors["figures"] = "Nhập ít nhất một số liệu."
    return errors


def entry_of(activity, rules):
    """What a saved record says, as one would write it down: without the counted figures."""
    return entries_of([activity], rules)[0]


def entries_of(activities, rules):
    """`entry_of` each of several saved records, in their order: two statements, however many."""
    ids = [activity.pk for activity in activities]
    figures, hosts = defaultdict(list), defaultdict(list)
    for row in Figure.objects.filter(activity__in=ids).select_related("indicator"):
        figures[row.activity_id].append(row)
    for row in Host.objects.filter(activity__in=ids).select_related("unit"):
        hosts[row.activity_id].append(row.unit)
    return [_entry(activity, figures[activity.pk], hosts[activity.pk], rules) for activity in activities]


def _entry(activity, figures, hosts, rules):
    counted = {indicator.pk for indicator in rules.counted(activity)}
    typed = {row.indicator: Parsed(row.value, row.word) for row in figures if row.indicator_id not in counted}
    return Entry(activity, typed, hosts)


def check_complete(activity):
    """Raises ValidationError by field when something a reviewer needs is missing from a saved record."""
    rules = Rules()
    if errors := missing(entry_of(activity, rules), rules):
        raise ValidationError(errors)
