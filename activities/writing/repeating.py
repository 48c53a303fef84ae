"""The same again: a new form from an old record, and several records written from one page."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from activities import locks, recording, review
from activities.models import Activity, Doubt, Host
from activities.rules import Rules, missing
from activities.writing import warnings
from unionwork.verbs import verb
from units import journal, tree


class Refused(Exception):
    """What is wrong, {label: {field or indicator code: sentence}}: nothing was written."""

    def __init__(self, errors):
        super().__init__()
        self.errors = errors


def started_from(record):
    """What “Làm lại” opens a new form with: what was done, where and with whom. Its figures are only hints
    (`repeats`), so that nobody sends last time's numbers unread; a title the form made itself is made anew."""
    hosts = Host.objects.counting().filter(activity=record).select_related("unit")
    return {
        "unit": record.unit,
        "kind": record.kind.code,
        "title": "" if warnings.is_suggested(record.title, record.kind) else record.title,
        "place": record.place,
        "hosts": [host.unit.code for host in hosts],
        "repeats": record,
    }


def write_down(**what):
    """Write several records of one page, as drafts or (`send`) sent: all or none. Returns the new ones; what the same
    page became before is not written again.

    `entries`: {label of its place on the page: Entry}, each with a `form_key` of its own; `asked`: the warnings'
    sentences the writer has seen, `reason` the one answer to them. Raises `Refused`, `warnings.Unanswered`.
    """
    try:
        return _write_down(**what)
    except IntegrityError:  # a double tap: the other request came first
        return _write_down(**what)


@verb("Ghi nhiều hoạt động")
def _write_down(*, entries, actor, send, asked=(), reason=""):
    tree.lock_shared()  # before the rules read which years are open
    rules = Rules()
    new = unwritten(entries, actor, rules, send=send)
    if send:
        _ask(new, rules, asked, reason)
    return write_new(new, actor, rules, send=send)


def unwritten(entries, actor, rules, *, send):
    """Those of `entries` that their page has not become records of yet, once all of them are right; to be sent they
    must be complete. Raises `Refused`."""
    errors = {label: found for label, entry in entries.items() if (found := _wrong(entry, rules, send))}
    if errors:
        raise Refused(errors)
    new = _new(entries, actor)
    if locked := locks.of_entries(new, rules):
        raise Refused({label: {"last_day": why} for label, why in locked.items()})
    return new


def write_new(entries, actor, rules, *, send):
    """Write down what `unwritten` found, for a verb that holds the tree lock. Returns the records."""
    with journal.kept() as notes:
        saved = recording.create_many(entries=list(entries.values()), actor=actor, rules=rules, settled=True)
        if send:
            review.submit_many(ids=[activity.pk for activity in saved], actor=actor)
    journal.write(notes)
    return saved


def _wrong(entry, rules, send):
    """{field or indicator code: sentence}; a draft may be incomplete."""
    try:
        rules.settle(entry)
    except ValidationError as refused:
        return {place: messages[0] for place, messages in refused.message_dict.items()}
    return missing(entry, rules) if send else {}


def _new(entries, actor):
    """Those that this page has not become records of yet. Raises `Refused` for one that said otherwise then."""
    keys = [entry.activity.form_key for entry in entries.values()]
    already = {row.form_key: row for row in Activity.objects.filter(form_key__in=keys)}
    new, errors = {}, {}
    for label, entry in entries.items():
        entry.activity.pk, entry.activity.form_digest = None, recording.digest_of(entry)
        there = already.get(entry.activity.form_key)
        if there is None:
            new[label] = entry
        elif there.author_id != actor.pk:
            errors[label] = {"": "Biểu mẫu này đã được dùng. Tải lại trang rồi ghi lại."}
        elif there.form_digest != entry.activity.form_digest:
            errors[label] = {"": f"Đã ghi từ trang này với nội dung khác ({there.code}): mở bản ấy để sửa."}
    if errors:
        raise Refused(errors)
    return new


def _ask(entries, rules, asked, reason):
    """Keep each record's warnings with the one answer. The page shows a sentence once, with the places it is about."""
    places, records = {}, {}
    for label, entry in entries.items():
        found = warnings.warnings_of(entry, warnings.known_about(entry, rules), rules) + _beside(entry, entries)
        entry.activity.warnings = [[warning.code, warning.sentence] for warning in found]
        entry.activity.warning_reason = reason if found else ""
        for warning in found:
            places.setdefault(warning.sentence, []).append(label)
            records[warning.sentence] = warning.record
    shown = [
        warnings.Warning(sentence, f"{', '.join(labels)}: {sentence}", records[sentence])
        for sentence, labels in places.items()
    ]
    if any(sentence not in asked for sentence in places):
        raise warnings.Unanswered(shown, was_asked=False)
    if places and not reason:
        raise warnings.Unanswered(shown, was_asked=True)


def _beside(entry, entries):
    """A doubt about records of one kind and day on the same page; those saved before are found in the database."""
    same = [other for other in entries.values() if _day_of(other) == _day_of(entry)]
    if len(same) == 1:
        return []
    sentence = f"Ghi cùng lúc {len(same)} hoạt động cùng loại, cùng ngày: có thể trùng."
    return [warnings.Warning(Doubt.TWIN, sentence)]


def _day_of(entry):
    return entry.activity.unit_id, entry.activity.kind_id, entry.activity.last_day
