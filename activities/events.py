"""What a step leaves behind: the record's own timeline (`Event`) and the journal of its unit."""

from activities.models import Activity, Event
from unionwork.text import nfc
from units import journal

BATCH = 1000


def write(verb, events):
    """Keep the events of one verb (its code): the last thing it does, because the ends of the journal are locked here.

    Of an event made with its `activity` (as it is now: the door knows, see `record_of`) nothing is read again. At most
    six statements, however many.
    """
    events = list(events)
    for event in events:
        event.reason = nfc(event.reason)[:500]
    Event.objects.bulk_create(events, batch_size=BATCH)
    known = {event.activity_id: event.activity for event in events if Event.activity.is_cached(event)}
    records = known | _records({event.activity_id for event in events} - known.keys())
    journal.write(
        journal.Note(
            verb=verb,
            about=records[event.activity_id],
            actor=event.actor,
            unit=records[event.activity_id].unit_id,
            year=records[event.activity_id].year_id,
            label=f"{records[event.activity_id].code} {records[event.activity_id].title}",
            reason=event.reason,
            changes=event.said + [["Báo cáo có liên quan", "", words] for words in event.touches],
        )
        for event in events
    )


def record_of(row):
    """The record of a row of the door, as far as an event speaks of it: nothing to be saved."""
    return Activity(pk=row["id"], unit_id=row["unit_id"], year_id=row["year_id"], title=row["title"])


def _records(ids):
    ids, found = sorted(ids), {}
    for start in range(0, len(ids), BATCH):
        found |= Activity.objects.only("unit_id", "year_id", "title").in_bulk(ids[start : start + BATCH])
    return found
