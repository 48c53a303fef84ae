"""Closing a work year (Chốt năm) and opening it again, and what is still open in it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from activities.locking import unlocking
from activities.models import Activity, Correction, CorrectionState, Status, Unlock
from activities.reporting import lateness, waiting
from activities.review import demand
from targets import years
from targets.models import Period
from unionwork.verbs import verb
from units import journal
from units.models import Placement
from units.scope import STEP


@dataclass(frozen=True)
class Item:
    """Something that is still open: how many, and where to see them."""

    words: str
    count: int
    url: str = ""


@verb("Chốt năm công tác")
def close(*, year, actor):
    """Close a work year together with the unlocks that hold in it. False: it was not open."""
    if not years.close_year(year=year):
        return False
    ended = unlocking.end(Unlock.objects.filter(year=year), act=close, actor=actor)
    journal.write([years.note(close, year, actor), *ended])
    return True


@verb("Mở lại năm công tác")
def reopen(*, year, actor, reason):
    """Let a closed work year change again, as far as no accepted report locks it. False: it was not closed.

    Raises ValidationError without a reason.
    """
    demand(reason, "Ghi lý do mở lại năm đã chốt.")
    if not years.reopen_year(year=year):
        return False
    journal.write([years.note(reopen, year, actor, reason=reason)])
    return True


def open_items(work_year, user):
    """[Item] of a work year, those without any too: seven statements. What `user` finds behind the addresses."""
    records = Activity.objects.filter(year=work_year.pk).order_by()
    count = dict(records.values_list("status").annotate(n=Count("pk")))
    corrections = Correction.objects.filter(activity__year=work_year.pk, state=CorrectionState.PENDING)
    return [
        Item("Hoạt động, kê khai chờ duyệt", count.get(Status.PENDING, 0), _records(work_year, Status.PENDING)),
        Item("Đã trả lại, chờ đơn vị bổ sung", count.get(Status.RETURNED, 0), _records(work_year, Status.RETURNED)),
        Item("Bản nháp chưa gửi", count.get(Status.DRAFT, 0), _records(work_year, Status.DRAFT)),
        Item("Bản sửa của hoạt động đã duyệt, chờ duyệt", corrections.count()),
        Item("Báo cáo kỳ chưa gửi", _silent(work_year), f"{reverse('rate_table')}?nam={work_year.pk}"),
        _waiting(work_year, user),
        Item(
            "Mở khoá còn hiệu lực (sẽ đóng lại)",
            Unlock.objects.active().filter(year=work_year.pk).count(),
            f"{reverse('unlock_list')}?nam={work_year.pk}",
        ),
    ]


def _silent(work_year):
    """How many words are missing over the begun periods that everybody has."""
    begun = {"year": work_year.pk, "is_asked": True, "first_day__lte": timezone.localdate()}
    periods = list(Period.objects.standard().filter(**begun))
    tallies = lateness.tallies(periods, Placement.objects.filter(year=work_year.pk), STEP)
    return sum(tally.missing for tally in tallies.values())


def _waiting(work_year, user):
    """What waits for a superior anywhere below the root of the year's tree, of whatever period."""
    words = "Báo cáo kỳ đã gửi, cấp trên chưa nhận"
    root = Placement.objects.filter(year=work_year.pk, parent=None).select_related("unit").order_by("pk").first()
    if root is None:
        return Item(words, 0)
    found = waiting.reports_of(lateness.below(user, root), work_year)
    return Item(words, found.count(), waiting.address(root.unit, work_year))


def _records(work_year, status):
    return f"{reverse('activity_list')}?{urlencode({'nam': work_year.pk, 'trang-thai': status.value})}"
