"""Whose history may be asked for (`/nhat-ky/cua/<slug>/<key>/`), and by whom: every app names its models here when it
starts. Whoever may not see an object does not read its history either.
"""

from dataclasses import dataclass

from units import journal
from units.models import JournalEntry


def _of_itself(user, row):
    return journal.of(row)


@dataclass(frozen=True)
class Kind:
    """`visible(user)`: the objects whose history the user may read; `entries(user, row)`: that history; `words`: what
    such an object is; `address(row)`: its page, None without one."""

    slug: str
    model: type
    visible: object
    words: str
    address: object = None
    entries: object = _of_itself


KINDS = {}


def know(kind):
    KINDS[kind.slug] = kind


def slug_of(object_type):
    """The slug under which objects of this type (`model._meta.label_lower`) have a history, "" without one."""
    return next((kind.slug for kind in KINDS.values() if kind.model._meta.label_lower == object_type), "")


def read(user, slug, key):
    """(Kind, the object, its entries) as far as the user may see them; None for nothing to be seen.

    Of an object that is gone, or whose page the user has no part in, those entries that the user reads in the journal
    anyway; the object is then None.
    """
    kind = KINDS.get(slug)
    if kind is None:
        return None
    row = kind.visible(user).filter(pk=key).first()
    if row is not None:
        return kind, row, kind.entries(user, row)
    entries = JournalEntry.objects.visible_to(user).about_key(kind.model, key).for_list()
    return (kind, None, entries) if entries.exists() else None
