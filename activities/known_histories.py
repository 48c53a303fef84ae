"""The histories of records, period reports, unlocks and saved filters."""

from django.urls import reverse

from activities.models import Activity, PeriodReport, SavedFilter, Unlock
from units import histories

KINDS = (
    histories.Kind(
        "hoat-dong",
        Activity,
        lambda user: Activity.objects.visible_to(user),
        "Hoạt động",
        lambda activity: reverse("activity_detail", args=[activity.pk]),
    ),
    histories.Kind(
        "bao-cao",
        PeriodReport,
        lambda user: PeriodReport.objects.visible_to(user),
        "Báo cáo kỳ",
        lambda report: reverse("report_detail", args=[report.pk]),
    ),
    histories.Kind("mo-khoa", Unlock, lambda user: Unlock.objects.visible_to(user), "Mở khoá"),
    histories.Kind(
        "bo-loc",
        SavedFilter,
        lambda user: SavedFilter.objects.visible_to(user),
        "Bộ lọc đã lưu",
        lambda saved: reverse("saved_filter", args=[saved.pk]),
    ),
)
for kind in KINDS:
    histories.know(kind)
