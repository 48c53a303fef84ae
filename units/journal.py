"""Nhật ký: what every verb leaves behind. Entries of a unit form a chain of SHA-256 hashes, so that one that was
changed, removed or slipped in later is found (`verify`).

A verb writes its entries in one call, as its last act: the ends of the chains are locked in order, after everything
else the verb locks, so that no two verbs wait for each other. Whoever calls several verbs in one transaction keeps
their notes (`kept`) and writes them together.
"""

import hashlib
import json
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC
from itertools import groupby

from django.utils import timezone

from unionwork.text import fold, nfc
from units.models import JournalEntry, JournalHead, Unit

BATCH = 1000
OF_NO_UNIT = 0
_kept = ContextVar("notes to be written by the caller", default=None)


@dataclass(frozen=True)
class Note:
    """What a verb did to one object. `verb`: its code (`verbs.Verb.code`); `changes`: [[what, old, new]] in words."""

    verb: str
    about: object
    actor: object
    unit: int | None = None
    year: int | None = None
    label: str = ""
    reason: str = ""
    changes: list = field(default_factory=list)


def write(notes):
    """Add the notes to the chains of their units. Must stand inside `transaction.atomic`, last in the verb."""
    notes = list(notes)
    if _kept.get() is not None:
        _kept.get().extend(notes)
        return
    heads = _lock_heads(sorted({note.unit or OF_NO_UNIT for note in notes}))
    now, entries = _moment(), []
    for note in notes:
        head = heads[note.unit or OF_NO_UNIT]
        entry = _entry(note, head, now)
        entry.hash = digest(head.hash, entry)
        head.length, head.hash = entry.number, entry.hash
        entries.append(entry)
    JournalEntry.objects.bulk_create(entries, batch_size=BATCH)
    JournalHead.objects.bulk_create(
        heads.values(),
        update_conflicts=True,
        unique_fields=["chain"],
        update_fields=["length", "hash"],
        batch_size=BATCH,
    )


def _moment():
    """Now, to the millisecond: what `dumpdata` carries from one database to another."""
    now = timezone.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@contextmanager
def kept(notes=None):
    """Inside the block `write` only adds to this list; the caller writes it afterwards, as the last act of its own.

    What a verb noted is dropped when the block fails, because what it did is undone.
    """
    notes = [] if notes is None else notes
    length, token = len(notes), _kept.set(notes)
    try:
        yield notes
    except BaseException:
        del notes[length:]
        raise
    finally:
        _kept.reset(token)


def changed(pairs):
    """[[what, old, new]] of those of the (what, old, new) that differ, blank for None."""
    words = ([what, _words(old), _words(new)] for what, old, new in pairs)
    return [row for row in words if row[1] != row[2]]


def _words(text):
    """One line, in one normal form; a NUL, which no database takes, is left out."""
    return "" if text is None else nfc(str(text).replace("\0", ""))


def _entry(note, head, now):
    label, reason = _words(note.label or note.about)[:300], _words(note.reason)[:500]
    return JournalEntry(
        chain=head.chain,
        number=head.length + 1,
        at=now,
        actor=note.actor,
        unit_id=note.unit,
        year=note.year,
        verb=note.verb,
        object_type=note.about._meta.label_lower,
        object_id=note.about.pk,
        label=label,
        reason=reason,
        changes=[[_words(part) for part in change] for change in note.changes],
        search=fold(f"{label} {reason} {note.actor or ''}"),
    )


def _lock_heads(chains):
    """{chain: JournalHead} locked in order. A chain's first entry makes its head: never while holding another's."""
    if len(chains) > 1:
        found = set()
        for start in range(0, len(chains), BATCH):
            heads = JournalHead.objects.filter(chain__in=chains[start : start + BATCH])
            found.update(heads.values_list("chain", flat=True))
        _make(set(chains) - found)
    heads = _locked(chains)
    if len(heads) < len(chains):
        _make(set(chains) - heads.keys())
        heads = _locked(chains)
    return heads


def _make(chains):
    JournalHead.objects.bulk_create(
        [JournalHead(chain=chain) for chain in sorted(chains)], ignore_conflicts=True, batch_size=BATCH
    )


def _locked(chains):
    heads = {}
    for start in range(0, len(chains), BATCH):
        batch = JournalHead.objects.filter(chain__in=chains[start : start + BATCH]).order_by("chain")
        heads |= {head.chain: head for head in batch.select_for_update()}
    return heads


def digest(before, entry):
    """SHA-256 of an entry and of the hash before it in its chain."""
    said = [
        before,
        entry.chain,
        entry.number,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.unit_id,
        entry.year,
        entry.verb,
        entry.object_type,
        entry.object_id,
        entry.label,
        entry.reason,
        entry.changes,
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def of(*rows):
    """The timeline of an object (or of several of one model), the latest first."""
    return JournalEntry.objects.about(*rows).for_list()


# --- Is every entry as it was written, and is none gone? ---


@dataclass
class Verified:
    """What `verify` found: how many entries in how many chains, what is wrong in words, and one hash over all ends."""

    entries: int = 0
    chains: int = 0
    wrong: list = field(default_factory=list)
    digest: str = ""


def verify(until=None):
    """Follow every chain; with `until` (a moment) only through the entries before it, and without the stored ends.

    The digest of the same moment never changes: one that was written down elsewhere tells even of a whole journal
    that was made anew. Reads the whole journal, in the order of the chains.
    """
    found, seal, wrong = Verified(), hashlib.sha256(), []
    rows = JournalEntry.objects.order_by("chain", "number")
    heads = {}
    if until:
        rows = rows.filter(at__lt=until)
    else:
        heads = {head.chain: (head.length, head.hash) for head in JournalHead.objects.all()}
    for chain, entries in groupby(rows.iterator(chunk_size=BATCH), key=lambda entry: entry.chain):
        number, last, faults = _follow(entries)
        wrong += [(chain, fault) for fault in faults]
        if not until and heads.pop(chain, None) != (number, last):
            wrong.append((chain, "phần cuối đã bị thay đổi hoặc bị xoá"))
        found.entries += number
        found.chains += 1
        seal.update(f"{chain}:{number}:{last};".encode())
    wrong += [(chain, "mọi mục đã bị xoá") for chain, (length, _) in heads.items() if length]
    names = dict(Unit.objects.filter(pk__in={chain for chain, _ in wrong}).values_list("pk", "name"))
    names[OF_NO_UNIT] = "không thuộc đơn vị nào"
    found.wrong = [f"Chuỗi {chain} ({names.get(chain, 'đơn vị không còn')}): {fault}." for chain, fault in wrong]
    found.digest = seal.hexdigest()
    return found


def _follow(entries):
    """(number of the last entry, its hash, faults in words) of one chain's entries in order."""
    last, number, faults = "", 0, []
    for entry in entries:
        number += 1
        if entry.number > number:
            gone = f"mục {number}" if entry.number == number + 1 else f"các mục {number}–{entry.number - 1}"
            faults.append(f"thiếu {gone}")
        elif entry.hash != digest(last, entry):
            faults.append(f"mục {entry.number} không còn như lúc ghi ({entry.label})")
        number, last = entry.number, entry.hash
    return number, last, faults
