"""Rows of the review queue: what each shows, read in as few statements for a hundred as for one."""

from datetime import timedelta

from django.db.models import OuterRef, Prefetch, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from activities import locks
from activities.models import Evidence, Figure, Host, Look
from units.models import Placement
from units.tree import ancestor_ids

OLD = 5  # days that a record may wait before it is said
THUMBS = 3  # small pictures in a row
LOOKS_FOR = timedelta(minutes=2)  # how long somebody is said to have a record open after the last sign of it


def read(records, *, user):
    """[record] of the queryset `records` with all that a row and the piece beside the list show: at most six
    statements.

    `files`, `thumbs`, `more_files`: its evidence, the pictures of it in the row, how many others. `viewer`: who else
    has it open, "" for nobody. `days`: for how many days it has waited; `is_old`: longer than it should. `standing`:
    whether its period is locked (`locks.Standing`).
    """
    seen = Look.objects.filter(activity=OuterRef("pk"), at__gt=timezone.now() - LOOKS_FOR).exclude(user=user)
    name = Coalesce(NullIf("user__full_name", Value("")), "user__username")
    records = records.select_related("unit", "kind", "year", "author", "milestone__target").annotate(
        viewer=Coalesce(Subquery(seen.order_by("-at", "-pk").values(name=name)[:1]), Value("")),
        path=_path(unit=OuterRef("unit"), year=OuterRef("year")),
    )
    hosts = Host.objects.select_related("unit")
    rows = records.prefetch_related(
        Prefetch("figures", Figure.objects.select_related("indicator")),
        Prefetch("hosts", hosts.annotate(path=_path(unit=OuterRef("unit"), year=OuterRef("activity__year")))),
        Prefetch("evidence", Evidence.objects.order_by("pk")),
    )
    rows = list(rows)
    standings = _standings(rows)
    for row in rows:
        _complete(row, standings[row.pk])
    return rows


def _path(**where):
    return Subquery(Placement.objects.filter(**where).order_by().values("path")[:1])


def _complete(row, standing):
    sent = row.submitted_at
    row.days = (timezone.localdate() - timezone.localtime(sent).date()).days if sent else 0
    row.is_old = row.days > OLD
    row.standing = standing
    row.files = list(row.evidence.all())
    row.thumbs = [file for file in row.files if file.thumbnail][:THUMBS]
    row.more_files = len(row.files) - len(row.thumbs) if row.thumbs else 0


def _standings(rows):
    """{id: Standing}; where the units stand was read with the rows."""
    spots, lines = {}, {}
    for row in rows:
        hosts = [host for host in row.hosts.all() if not host.has_declined]
        spots[row.pk] = locks.spot_of(row, row.kind.nature, [host.unit for host in hosts])
        placed = [(row.unit, row.path), *((host.unit, host.path) for host in hosts)]
        lines |= {(unit.pk, row.year_id): locks.Line(ancestor_ids(path), unit.name) for unit, path in placed if path}
    return locks.standings(spots, lines)
