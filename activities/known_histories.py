"""The histories of records, period reports and unlocks."""

from django.urls import reverse

from activities.models import Activity, PeriodReport, Unlock
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
)
for kind in KINDS:
    histories.know(kind)
