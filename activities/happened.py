"""How something came to its present state, for a page that is too late for its own step."""

from django.utils import timezone
from django.utils.formats import date_format

from units import journal


def last_act(row, *acts):
    """What was done last to an object: "Bí thư A đã nhận báo cáo kỳ lúc 09:30 31/07/2024"; "" when the journal has
    nothing. `acts`: only these verbs. One statement."""
    entries = journal.of(row)
    entry = (entries.filter(verb__in=[act.code for act in acts]) if acts else entries).first()
    return in_words(entry) if entry else ""


def in_words(entry):
    """The same of an entry of the journal."""
    return sentence(entry.actor, entry.verb_in_words, entry.at)


def sentence(actor, act, at):
    """Who did what (`act`: "Nhận báo cáo kỳ") when, in words; without an `actor` it was the system."""
    at = date_format(timezone.localtime(at), "DATETIME_FORMAT")
    return f"{actor or 'Hệ thống'} đã {act[:1].lower()}{act[1:]} lúc {at}"
