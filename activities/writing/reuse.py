"""Ảnh dùng lại: pictures of a record that other records show too. Only pictures: one directive stands behind many."""

from dataclasses import dataclass

from django.db.models import F, Q

from activities.models import SENT, Activity, Evidence, Status
from unionwork.photos import distance

ALIKE = 4  # bits in which two shots of one picture may differ
COMPARED = 2000  # latest pictures of a unit among which a similar one is sought
COMPARED_BY = ("pk", "activity_id", "unit_id", "status", "sha256", "perceptual")


@dataclass(frozen=True)
class Reuse:
    """What the writer of a record is told: names of its pictures that the unit's own `records` show (ids, latest
    first), and of those that another unit sent: its records are not the writer's to see."""

    mine: tuple = ()
    records: tuple = ()
    theirs: tuple = ()


def reused(shown, *, user):
    """{evidence id: [other activity, …]} for pictures that other records visible to `user` show too.

    The very same file or picture hash anywhere the user may look; a similar one (≤ 4 of 64 bits) among the unit's own
    latest 2,000. One statement however many; its two parts stay apart, so that each finds its rows by its own index.
    """
    pictures = _pictures(shown)
    if not pictures:
        return {}
    record = pictures[0].activity
    others = _living().exclude(activity=record)
    visible = others.filter(activity__in=Activity.objects.visible_to(user)).filter(_same(pictures))[:COMPARED]
    near = _near(others, [record.unit_id], pictures)
    # SQLite limits no part of a union, but what a part is made of.
    parts = [Evidence.objects.order_by().filter(pk__in=rows.values("pk")).values("pk") for rows in (visible, near)]
    candidates = list(
        Evidence.objects.filter(pk__in=parts[0].union(parts[1])).select_related("activity").order_by("-pk")
    )
    found = {}
    for picture in pictures:
        again = {row.activity_id: row.activity for row in candidates if _alike(picture, row)}
        if again:
            found[picture.pk] = list(again.values())
    return found


def used_before_each(shown):
    """[`Reuse`] of the pictures of each (record, its evidence), in that order. Two queries however many; none without
    any picture."""
    shown = [(record, _pictures(files)) for record, files in shown]
    pictures = [picture for _, files in shown for picture in files]
    if not pictures:
        return [Reuse() for _ in shown]
    units, living = {record.unit_id for record, files in shown if files}, _living()
    anywhere = living.filter(Q(activity__unit__in=units) | Q(activity__status__in=SENT)).filter(_same(pictures))
    found = (anywhere[: COMPARED * len(units)], _near(living, units, pictures))
    rows = {row.pk: row for each in found for row in each.values_list(*COMPARED_BY, named=True)}
    return [_reuse(record, files, rows.values()) for record, files in shown]


def _reuse(record, pictures, rows):
    files, hashes = {picture.sha256 for picture in pictures}, {picture.perceptual for picture in pictures} - {""}

    def is_compared(row):
        same = row.sha256 in files or row.perceptual in hashes
        return row.activity_id != record.pk and (row.unit_id == record.unit_id or (same and row.status in SENT))

    rows = [row for row in rows if is_compared(row)]
    alike = [(picture.name, row) for picture in pictures for row in rows if _alike(picture, row)]
    mine = [(name, row.activity_id) for name, row in alike if row.unit_id == record.unit_id]
    theirs = [name for name, row in alike if row.unit_id != record.unit_id]
    records = sorted({pk for _, pk in mine}, reverse=True)
    return Reuse(tuple(dict.fromkeys(name for name, _ in mine)), tuple(records), tuple(dict.fromkeys(theirs)))


def _pictures(shown):
    return [row for row in shown if row.content_type.startswith("image/") and row.activity_id]


def _living():
    """Pictures of living records, latest first."""
    found = Evidence.objects.filter(content_type__startswith="image/", activity__isnull=False)
    found = found.annotate(unit_id=F("activity__unit"), status=F("activity__status"))
    return found.exclude(status=Status.CANCELLED).order_by("-pk")


def _same(pictures):
    hashes = {row.perceptual for row in pictures} - {""}
    return Q(sha256__in={row.sha256 for row in pictures}) | Q(perceptual__in=hashes)


def _near(others, units, pictures):
    if not any(row.perceptual for row in pictures):
        return others.none()
    return others.filter(activity__unit__in=units).exclude(perceptual="")[: COMPARED * len(units)]


def _alike(one, other):
    if one.sha256 == other.sha256:
        return True
    return bool(one.perceptual and other.perceptual) and distance(one.perceptual, other.perceptual) <= ALIKE
