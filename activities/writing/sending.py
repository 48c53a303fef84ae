"""Gửi duyệt: one record from its own page, or several that were written down before, each as if sent alone."""

from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef

from activities import locks, review
from activities.models import Activity, Event, Status, Step
from activities.rules import Rules, entries_of, entry_of, missing
from activities.writing import warnings

CHANGED = "Hoạt động vừa được sửa sau khi bạn mở trang: xem lại rồi gửi."
ASKED = "Cần kiểm tra lại trước khi gửi:"


def unsent(user, year):
    """What this user may still send in a work year: drafts and returned records, the oldest first."""
    found = Activity.objects.editable_by(user).filter(year=year, status__in=review.FROM[Step.SUBMIT])
    return found.order_by("last_day", "pk")


def has_several(user, year):
    """Whether there is more than one of these: one cheap statement."""
    return len(unsent(user, year).order_by().values_list("pk")[:2]) == 2


@dataclass
class Row:
    """A record that was not sent yet and what keeps it from being sent just like that, in words: `lock` (its period),
    `lacks` (what is missing), `doubts` (what its writer is asked first)."""

    record: Activity
    lock: str = ""
    lacks: list = field(default_factory=list)
    doubts: list = field(default_factory=list)

    @property
    def can_go(self):
        return not (self.lock or self.lacks or self.doubts)

    @property
    def is_returned(self):
        return self.record.status == Status.RETURNED

    @property
    def is_ready(self):
        """Whether to send it is the usual thing: not a returned one to which nobody did anything since."""
        return self.can_go and (not self.is_returned or self.record.is_mended)


def for_page(records):
    """With what a row shows. `is_mended`: changed, or given evidence, since it came back."""
    changed = Event.objects.filter(activity=OuterRef("pk"), step__in=(Step.EDIT, Step.ATTACH, Step.DETACH))
    return records.for_list().annotate(is_mended=Exists(changed.filter(at__gt=OuterRef("decided_at"))))


def rows_of(records):
    """[Row] of what `for_page` read, in its order: few statements, however many."""
    rules = Rules()
    entries = {entry.activity.pk: entry for entry in entries_of(records, rules)}
    standings = locks.standings({pk: locks.spot(said) for pk, said in locks.read(sorted(entries)).items()})
    rows = {pk: Row(entry.activity, lock=standings[pk].lock) for pk, entry in entries.items()}
    for pk, row in rows.items():
        row.lacks = [] if row.lock else list(missing(entries[pk], rules).values())
    asked = [pk for pk, row in rows.items() if row.can_go]
    for pk, found in zip(asked, warnings.of_each([entries[pk] for pk in asked], rules), strict=True):
        rows[pk].doubts = [warning.sentence for warning in warnings.unanswered(rows[pk].record, found)]
    return list(rows.values())


def send(*, activity, actor, rules, seen=None):
    """Send a record whose doubts were answered before, or that has none. Raises as `review.submit`, and
    `warnings.Unanswered`: nothing is sent then. `seen`: the version the sender read."""
    with transaction.atomic():
        review.submit(activity=activity, actor=actor, seen=seen)
        warnings.answer(entry=entry_of(activity, rules), rules=rules)


def send_each(*, seen, actor):
    """Send the records {id: version read}, the oldest first: (ids sent, ids that wait already, [(id, why not)]). Those
    that the actor may not write are in none."""
    rules, sent, already, refused = Rules(), [], [], []
    mine = Activity.objects.editable_by(actor).filter(pk__in=seen).select_related("kind", "year", "unit")
    for activity in mine.order_by("last_day", "pk"):
        try:
            send(activity=activity, actor=actor, rules=rules, seen=seen[activity.pk])
        except review.Changed:
            refused.append((activity.pk, CHANGED))
        except warnings.Unanswered as asked:
            said = [warning.sentence for warning in warnings.unanswered(activity, asked.warnings)]
            refused.append((activity.pk, " ".join([ASKED, *said])))
        except review.Already:
            already.append(activity.pk)
        except ValidationError as why:
            refused.append((activity.pk, " ".join(why.messages)))
        except PermissionDenied as why:
            refused.append((activity.pk, str(why)))
        else:
            sent.append(activity.pk)
    return sent, already, refused
