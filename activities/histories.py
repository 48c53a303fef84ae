"""What a reader may know of a record's history: a step, or a correction, may speak of a unit that is no longer one of
the record's, or not yet. Who stands in another line does not learn which."""

from django.db.models import Q

from activities.recording import FIELDS, HOSTS
from units.models import Unit

OTHER = "đơn vị khác"


def told(rows, user, here=()):
    """[row] of the events or corrections `rows`, each with `told`: its [[what, old, new]] as this user may read them.

    `here`: the units that the page shows anyway, the record's lead and hosts. Every other one is named as far as it is
    in the user's scope: one statement, only when there is one.
    """
    rows = list(rows)
    found = {row: [(change, _units(change)) for change in row.changes] for row in rows}
    named = {key for changes in found.values() for _, units in changes for keys in units for key in keys}
    known = {unit.pk for unit in here} | {unit.name for unit in here}
    known |= _seen(named - known, user)
    for row, changes in found.items():
        row.told = [
            [text if keys <= known else OTHER for text, keys in zip(change, units, strict=False)]
            for change, units in changes
        ]
    return rows


def _units(change):
    """Of what, old and new: which units each of them names, by their ids or, where words are all there is, by names."""
    what, old, new, *noted = change
    if noted:
        return {noted[0]["unit"]}, set(), set()
    if what == FIELDS["unit_id"]:
        return set(), {old}, {new}
    if what == HOSTS:
        return set(), {*filter(None, old.split(", "))}, {*filter(None, new.split(", "))}
    return set(), set(), set()


def _seen(named, user):
    """Those of the ids and names that are the user's to know."""
    if not named:
        return set()
    ids = [key for key in named if isinstance(key, int)]
    rows = Unit.objects.visible_to(user).filter(Q(pk__in=ids) | Q(name__in=named - set(ids))).order_by()
    return {key for row in rows.values_list("pk", "name") for key in row}
