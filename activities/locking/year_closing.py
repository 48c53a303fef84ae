"""Closing a work year (Chốt năm) and opening it again, and what is still open in it.

Two people close it (TRUST A6): one asks, somebody else of the central office looks and closes, or drops the wish.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from activities.locking import unlocking
from activities.locks import WrongState
from activities.models import Activity, Correction, CorrectionState, Status, Unlock
from activities.reporting import lateness, waiting
from activities.reporting.late_filters import EVERY_PERIOD
from activities.review import demand
from targets import years
from targets.in_view import address
from targets.models import WorkYear
from unionwork.verbs import verb
from units import access, journal, notices, tree
from units.models import Level, NoticeKind, Placement, Unit, User
from units.scope import STEP


@dataclass(frozen=True)
class Item:
    """Something that is still open: how many, and where to see them."""

    words: str
    count: int
    url: str = ""


NOT_ASKED = "Chưa ai đề nghị chốt năm này: đề nghị trước, rồi một người khác của văn phòng Trung ương chốt."
TWO_PERSONS = "Bạn là người đề nghị chốt năm này: nhờ một người khác của văn phòng Trung ương xem lại và chốt."


@verb("Đề nghị chốt năm công tác")
def ask(*, year, actor):
    """Ask for a work year to be closed; tells the others who may close it. False: it is closed, or was asked for."""
    tree.lock_shared()  # nobody closes it meanwhile
    wanted = WorkYear.objects.filter(year=year, is_open=True, closing_asker=None)
    if not wanted.update(closing_asker=actor, closing_asked_at=timezone.now()):
        return False
    _tell_office(year, actor, f"{actor} đề nghị chốt năm công tác {year}: mời xem lại và chốt.")
    journal.write([years.note(ask, year, actor)])
    return True


@verb("Bỏ đề nghị chốt năm công tác")
def drop(*, year, actor):
    """Take back the wish to close a work year, one's own or somebody else's, who is told. False: there was none."""
    tree.lock_shared()
    wished = WorkYear.objects.filter(year=year, is_open=True).exclude(closing_asker=None)
    asker = User.objects.filter(pk__in=wished.values("closing_asker")).first()
    if not wished.update(closing_asker=None, closing_asked_at=None):
        return False
    _tell_office(year, actor, f"{actor} đã bỏ đề nghị chốt năm công tác {year} của bạn.", only=asker)
    journal.write([years.note(drop, year, actor, changes=[["Người đề nghị", str(asker), ""]])])
    return True


@verb("Chốt năm công tác")
def close(*, year, actor):
    """Close a work year that somebody else asked to be closed, together with the unlocks that hold in it.

    False: it was not open. Raises `WrongState` when nobody asked, or the same person did.
    """
    tree.lock_exclusive()
    work_year = WorkYear.objects.select_related("closing_asker").get(pk=year)
    asker = work_year.closing_asker
    if work_year.is_open and asker in (None, actor):
        raise WrongState(TWO_PERSONS if asker else NOT_ASKED)
    if not years.close_year(year=year):
        return False
    ended = unlocking.end(Unlock.objects.filter(year=year), act=close, actor=actor)
    journal.write([years.note(close, year, actor, changes=[["Người đề nghị", "", str(asker)]]), *ended])
    return True


def office():
    """{id of a unit of the central level: [User]}: who may ask for a work year to be closed, and close it."""
    central = Placement.objects.current().filter(level=Level.CENTRAL).values("unit")
    return notices.people_of(central, access.MANAGE_CATALOGUE)


def is_alone(user):
    """Whether nobody besides the user could close a year."""
    return not any(person != user for people in office().values() for person in people)


def _tell_office(year, actor, text, only=None):
    """A notice for the others of the office; `only`: for this person."""
    for unit, people in office().items():
        told = [person for person in people if person != actor and only in (None, person)]
        page = reverse("year_close", args=[year])
        notices.tell(users=told, unit=Unit(pk=unit), kind=NoticeKind.CLOSING, text=text, url=page)


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
    root = Placement.objects.filter(year=work_year.pk, parent=None).select_related("unit").order_by("pk").first()
    return [
        Item("Hoạt động, kê khai chờ duyệt", count.get(Status.PENDING, 0), _records(work_year, Status.PENDING)),
        Item("Đã trả lại, chờ đơn vị bổ sung", count.get(Status.RETURNED, 0), _records(work_year, Status.RETURNED)),
        Item("Bản nháp chưa gửi", count.get(Status.DRAFT, 0), _records(work_year, Status.DRAFT)),
        Item("Bản sửa của hoạt động đã duyệt, chờ duyệt", corrections.count()),
        _silent(work_year, user, root),
        _waiting(work_year, user, root),
        Item(
            "Mở khoá còn hiệu lực (sẽ đóng lại)",
            Unlock.objects.active().filter(year=work_year.pk).count(),
            f"{reverse('unlock_list')}?nam={work_year.pk}",
        ),
    ]


def _silent(work_year, user, root):
    """The words that are missing over all begun periods of the root of the year's tree, as the table of rates says."""
    words = "Báo cáo kỳ chưa gửi"
    if root is None:
        return Item(words, 0)
    periods = lateness.periods_of(root, timezone.localdate())
    tallies = lateness.tallies(periods, lateness.below(user, root), STEP)
    url = address("rate_table", year=work_year, unit=root.unit, loai=EVERY_PERIOD)
    return Item(words, sum(tally.missing for tally in tallies.values()), url)


def _waiting(work_year, user, root):
    """What waits for a superior anywhere below the root of the year's tree, of whatever period."""
    words = "Báo cáo kỳ đã gửi, cấp trên chưa nhận"
    if root is None:
        return Item(words, 0)
    found = waiting.reports_of(lateness.below(user, root), work_year)
    return Item(words, found.count(), waiting.address(root.unit, work_year))


def _records(work_year, status):
    return f"{reverse('activity_list')}?{urlencode({'nam': work_year.pk, 'trang-thai': status.value})}"
