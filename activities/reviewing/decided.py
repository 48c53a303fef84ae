"""What was decided a moment ago: by this person, who may take it back, or by somebody else meanwhile."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, F, OuterRef, Subquery

from activities import locks, review
from activities.happened import sentence
from activities.models import Activity, Event, Status, Step

SHOWN = 20  # decisions that a person finds again
LOOKED_AT = 200  # latest decisions among which those are sought


def named(user, ids):
    """{id: record} of `ids` as far as the person sees them, by rising id. `is_decidable`: whether the person may decide
    it; `step`, `actor`, `at`: what was done last, by whom (id), when. One statement."""
    last = Event.objects.filter(activity=OuterRef("pk")).exclude(review.BESIDE).order_by("-pk")
    mine = Activity.objects.decidable_by(user).order_by().filter(pk=OuterRef("pk"))
    rows = Activity.objects.visible_to(user).filter(pk__in=ids).select_related("unit", "kind").order_by("pk")
    rows = rows.annotate(
        is_decidable=Exists(mine),
        actor=Subquery(last.values("actor")[:1]),
        step=Subquery(last.values("step")[:1]),
        at=Subquery(last.values("at")[:1]),
    )
    return {row.pk: row for row in rows} if ids else {}


def of(user, ids):
    """Records among `ids` that this person decided last and may take back; `said`: "Đã duyệt", "Đã trả lại"."""
    return among(user, named(user, ids).values())


def among(user, rows):
    """Those of `rows` (from `named`) that this person decided last and may take back, with `said`."""
    return [_in_words(row) for row in rows if _is_decision_of(user, row)]


def _is_decision_of(user, row):
    is_decided = row.status in (Status.APPROVED, Status.RETURNED) and row.step in review.DECISIONS
    return is_decided and row.is_decidable and row.actor == user.pk


def recent(user):
    """The latest decisions of this person that can be taken back, the latest first: at most `SHOWN`, six statements."""
    events = Event.objects.filter(actor=user, step__in=review.DECISIONS).order_by("-pk")
    ids = list(dict.fromkeys(events.values_list("activity_id", flat=True)[:LOOKED_AT]))
    rows = {row.pk: row for row in of(user, ids)}
    standings = locks.standings({pk: locks.spot(record) for pk, record in locks.read(list(rows)).items()})
    rows = {pk: row for pk, row in rows.items() if not standings[pk].lock}
    return [rows[pk] for pk in ids if pk in rows][:SHOWN]


def _in_words(record):
    record.said, record.alone = f"Đã {Step(record.step).label.lower()}", [record]
    return record


def last_step(pk):
    """How a record came to its present state, in words: "Bí thư A đã duyệt lúc 09:30 31/07/2024"; "" for none."""
    event = (
        Event.objects.filter(activity=pk)
        .exclude(from_status=F("to_status"))
        .select_related("actor", "activity")
        .order_by("-pk")
        .first()
    )
    if event is None or event.to_status != event.activity.status:
        return ""
    return sentence(event.actor, str(event.get_step_display()), event.at)


def return_each(*, seen, actor, reason):
    """Send the waiting records {id: version read} back with one reason: (ids sent back, [(id, why not)])."""
    done, refused = [], []
    for activity in Activity.objects.filter(pk__in=seen).select_related("unit", "author").order_by("pk"):
        try:
            review.return_to_author(activity=activity, actor=actor, reason=reason, seen=seen[activity.pk])
        except ValidationError as why:
            refused.append((activity.pk, " ".join(why.messages)))
        except PermissionDenied as why:
            refused.append((activity.pk, str(why)))
        else:
            done.append(activity.pk)
    return done, refused
