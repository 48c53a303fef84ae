"""Why days need no unlock (any more): what a page says that somebody opens too late."""

from django.db.models import Q

from activities.happened import in_words
from activities.locking import unlocking, year_closing
from activities.models import PeriodReport
from activities.reporting import periods
from targets.models import WorkYear
from units import tree
from units.models import JournalEntry, Placement


def why_open(*, unit, year, first_day, last_day):
    """That nothing locks these days of a unit, in words, and who took the last lock away, if anybody did."""
    days = unlocking.in_days(first_day, last_day)
    words = f"Không có gì khoá số liệu {days} của {unit}: đang sửa được bình thường."
    place = Placement.objects.filter(unit=unit, year=year.pk).first()
    line = tree.ancestor_ids(place.path) if place else []
    reports = PeriodReport.objects.touching(first_day, last_day).filter(year=year.pk, unit__in=line)
    report, work_year = PeriodReport._meta.label_lower, WorkYear._meta.label_lower
    verbs = Q(verb=periods.reopen_report.code, object_type=report, object_id__in=reports.values("pk"))
    verbs |= Q(verb=year_closing.reopen.code, object_type=work_year, object_id=year.pk)
    last = JournalEntry.objects.filter(verbs).for_list().first()
    return f"{words} {in_words(last)} ({last.label})." if last else words
