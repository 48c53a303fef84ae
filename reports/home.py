"""What a writer's first page shows: what to go on with, what came back, what asks for an answer, which periods to speak
of now, what to do again."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from activities.joint import hosting
from activities.models import Activity, Event, RecordNature, Status
from activities.reporting import periods, unit_periods
from activities.writing import drafts
from targets.models import PeriodKind

MOST_SHOWN = 20  # drafts, and records that came back
MOST_AGAIN = 3
LATEST = 30  # records of a unit from which “làm lại” picks
MOST_SILENT = 2  # periods that are over and were not reported


@dataclass(frozen=True)
class Draft:
    """Something begun. `key`: of a form that was never saved; a saved record is cancelled instead."""

    title: str
    touched: datetime
    url: str
    drop_url: str
    key: str = ""

    @property
    def ago(self):
        return ago(self.touched)


def ago(moment):
    """ "3 phút trước"."""
    if (timezone.now() - moment).total_seconds() < 60:
        return "vừa xong"
    return f"{timesince(moment, depth=1)} trước".replace("\N{NO-BREAK SPACE}", " ")


def of_writer(user):
    """{drafts, returned, invitations}: what waits for the person, whichever unit is in view. Three statements."""
    touched = Event.objects.filter(activity=OuterRef("pk")).order_by("-pk").values("at")[:1]
    mine = Activity.objects.editable_by(user).filter(
        author=user, status__in=[Status.DRAFT, Status.RETURNED], year__is_open=True
    )
    found = list(mine.annotate(touched=Subquery(touched)).order_by("-touched", "-pk")[:MOST_SHOWN])
    typed = drafts.of(user)
    of_record = {draft["url"].partition("?")[0]: draft for draft in reversed(typed)}  # new forms share one address
    saved, returned, shown = [], [], []
    for record in found:
        record.resume_url = reverse("activity_edit", args=[record.pk])
        if going_on := of_record.get(record.resume_url):  # what was typed since is newer
            record.resume_url, record.touched = going_on["url"], going_on["updated_at"]
            shown.append(going_on["key"])
        (saved if record.status == Status.DRAFT else returned).append(record)
    begun = [_typed(draft) for draft in typed if draft["key"] not in shown] + [_saved(record) for record in saved]
    return {
        "drafts": sorted(begun, key=lambda draft: draft.touched, reverse=True),
        "returned": returned,
        "invitations": hosting.waiting_for(user).count(),
    }


def _typed(draft):
    return Draft(draft["title"], draft["updated_at"], draft["url"], draft["drop_url"], str(draft["key"]))


def _saved(record):
    drop = f"{reverse('activity_cancel', args=[record.pk])}?tiep={reverse('dashboard')}"
    return Draft(record.title, record.touched, record.resume_url, drop)


def of_unit(user, placement, year, found):
    """{periods, more_periods, may_report, query, again} of the unit in view, when the user writes for it. `found`: its
    periods of the year."""
    if not periods.may_report(user, placement.unit):
        return {}
    context = {"again": again(placement.unit_id)}
    if placement.parent_id:
        shown, more = _to_speak_of(placement, found)
        query = urlencode({"nam": year.pk, "don-vi": placement.unit.code})
        context |= {"periods": shown, "more_periods": more, "may_report": True, "query": query}
    return context


def _to_speak_of(placement, found):
    """What came back, the month and the campaigns that run, and the latest of those that are over and unreported; and
    how many more of these there are. Of a past year: its last month. Two statements."""
    rows = unit_periods.said([placement], found)[placement.unit_id]
    begun = [row for row in rows if row.has_begun]
    returned = [row for row in begun if row.is_returned and row.takes_words]
    silent = [row for row in begun if row.is_asked and row.report is None and row.takes_words]
    running = [row for row in begun if row.period.kind == PeriodKind.MONTH][-1:]
    running += [row for row in silent if row.period.issuer_id and row.period.last_day >= row.today]
    over = [row for row in silent if row.period.last_day < row.today and row not in running]
    over.sort(key=lambda row: row.period.due, reverse=True)
    chosen = list(dict.fromkeys(row.period.pk for row in [*returned, *running, *over[:MOST_SILENT]]))
    shown = sorted((row for row in rows if row.period.pk in chosen), key=lambda row: chosen.index(row.period.pk))
    return unit_periods.with_counts({placement.unit_id: shown})[placement.unit_id], len(over[MOST_SILENT:])


def again(unit):
    """The latest record of each of the kinds that the unit logs most often now. One statement."""
    latest = Activity.objects.filter(unit=unit, kind__nature=RecordNature.FLOW, kind__is_active=True)
    latest = latest.exclude(status__in=[Status.DRAFT, Status.RETURNED, Status.CANCELLED]).order_by("-last_day", "-pk")
    rows = list(latest.only("pk", "title", "kind_id")[:LATEST])
    often = Counter(row.kind_id for row in rows)  # keeps the order of the rows: of equals, the later one
    first = {row.kind_id: row for row in reversed(rows)}
    return [first[kind] for kind, _ in often.most_common(MOST_AGAIN)]
