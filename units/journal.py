"""Nhật ký: what every verb leaves behind. Entries of a unit form a chain of SHA-256 hashes, so that one that was
changed, removed or slipped in later is found (`verify`).

A verb writes its entries in one call, as its last act: the ends of the chains are locked in order, after everything
else the verb locks, so that no two verbs wait for each other.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC
from itertools import groupby

from django.utils import timezone

from unionwork.text import fold, nfc
from units.models import JournalEntry, JournalHead

BATCH = 1000
OF_NO_UNIT = 0


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
    heads = _lock_heads(sorted({note.unit or OF_NO_UNIT for note in notes}))
    now, entries = timezone.now(), []
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


def _entry(note, head, now):
    label, reason = nfc(note.label or str(note.about))[:300], nfc(note.reason)[:500]
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
        changes=[[str(part) for part in change] for change in note.changes],
        search=fold(f"{label} {reason} {note.actor or ''}"),
    )


def _lock_heads(chains):
    """{chain: JournalHead} locked in order. A chain's first entry makes its head: never while holding another's."""
    if len(chains) > 1:
        _make(set(chains) - set(JournalHead.objects.filter(chain__in=chains).values_list("chain", flat=True)))
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
    return JournalEntry.objects.about(*rows).for_list().order_by("-at", "-pk")


@dataclass
class Verified:
    """What `verify` found: how many entries in how many chains, what is wrong in words, and one hash over all ends."""

    entries: int = 0
    chains: int = 0
    wrong: list = field(default_factory=list)
    digest: str = ""


def verify():
    """Follow every chain from its first entry. Reads the whole journal, in the order of the chains."""
    found, seal = Verified(), hashlib.sha256()
    heads = {head.chain: (head.length, head.hash) for head in JournalHead.objects.all()}
    rows = JournalEntry.objects.order_by("chain", "number").iterator(chunk_size=BATCH)
    for chain, entries in groupby(rows, key=lambda entry: entry.chain):
        before, number = "", 0
        for entry in entries:
            found.entries += 1
            number += 1
            if entry.number != number:
                found.wrong.append(f"chuỗi {chain}: thiếu mục {number} (kế tiếp là {entry.number})")
                number = entry.number
            elif entry.hash != digest(before, entry):
                found.wrong.append(f"chuỗi {chain}, mục {number}: nội dung đã bị thay đổi ({entry.label})")
            before = entry.hash
        if heads.pop(chain, None) != (number, before):
            found.wrong.append(f"chuỗi {chain}: phần cuối đã bị thay đổi hoặc bị xoá")
        found.chains += 1
        seal.update(f"{chain}:{before};".encode())
    found.wrong += [f"chuỗi {chain}: cả chuỗi đã bị xoá" for chain, (length, _) in heads.items() if length]
    found.digest = seal.hexdigest()
    return found
