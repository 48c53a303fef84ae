from datetime import timedelta

from django.db import migrations
from django.db.models import F

from targets.calendar import STANDARD, first_day_of, name_of


def to_periods(apps, schema_editor):
    """Every work year gets its standard periods; a word about a month becomes one about that month's period."""
    WorkYear, Period = apps.get_model("targets", "WorkYear"), apps.get_model("targets", "Period")
    PeriodReport = apps.get_model("activities", "PeriodReport")
    for year in WorkYear.objects.all():
        for kind, months, days in STANDARD:
            for number in range(1, 12 // months + 1):
                first, after = first_day_of(year, (number - 1) * months + 1), first_day_of(year, number * months + 1)
                if first > year.last_day:
                    break
                last = min(after - timedelta(days=1), year.last_day) if number * months < 12 else year.last_day
                Period.objects.create(
                    year=year,
                    kind=kind,
                    number=number,
                    name=name_of(kind, number, first, last, year.year),
                    first_day=first,
                    last_day=last,
                    due=last + timedelta(days=days),
                )
    for period in Period.objects.filter(kind="month"):
        reports = PeriodReport.objects.filter(year=period.year_id, number=period.number)
        reports.update(period=period, first_at=F("at"))
        for report in PeriodReport.objects.filter(period=period):
            late = max(0, (report.at.date() - period.due).days)
            PeriodReport.objects.filter(pk=report.pk).update(days_late=late)


class Migration(migrations.Migration):
    dependencies = [("activities", "0004_reviewing")]
    operations = [migrations.RunPython(to_periods, migrations.RunPython.noop)]
