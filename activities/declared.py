"""Who has declared: the units below one, how many of those that should have, and the levels in force."""

from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef
from django.db.models.functions import Substr

from activities import reading
from activities.models import Activity, RecordNature, Status
from targets.models import Indicator, Nature
from units.models import Level, Placement, Unit
from units.scope import STEP

SENT = (Status.PENDING, Status.APPROVED, Status.PUBLISHED)


@dataclass
class Row:
    """One unit. `expected` cơ sở at or below it should declare, `done` of them have sent a declaration this year.

    `values`: {indicator: approved level of the whole subtree}; `latest`: the unit's own latest declaration.
    """

    unit: Unit
    expected: int
    done: int
    latest: Activity | None = None
    values: dict = field(default_factory=dict)


def declarations(year):
    return Activity.objects.filter(year=year, kind__nature=RecordNature.STOCK).exclude(status=Status.CANCELLED)


def recent(unit, year):
    """The unit's own declarations, newest first."""
    return declarations(year).filter(unit=unit).for_list()[:12]


def below(unit, year):
    """([Row, …] of the unit itself, when it declares, and its direct children; done, expected of the whole subtree)."""
    here = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit").first()
    if here is None:
        return [], 0, 0
    children = list(Placement.objects.filter(parent=unit, year=year.pk).in_order())
    expected = _bases(here.path, year, children)
    done = _declared_bases(here.path, year)
    places = children if here.level not in (Level.BASE, Level.BRANCH) else [here, *children]
    latest = _latest([place.unit_id for place in places], year)
    values = _values([place.unit_id for place in places], year)
    rows = []
    for place in places:
        own = latest.get(place.unit_id)
        sent = own is not None and own.status in SENT
        if place.unit_id == unit.pk or place.level == Level.BRANCH:
            counts = (1, int(sent))
        else:
            counts = expected.get(place.path, 0), done.get(place.path, 0)
        rows.append(Row(place.unit, *counts, own, values.get(place.unit_id, {})))
    if here.level in (Level.BASE, Level.BRANCH):
        return rows, sum(row.done for row in rows), len(rows)
    return rows, sum(done.values()), sum(expected.values())


def _bases(path, year, children):
    """{child path: living cơ sở at or below it}."""
    counts = reading.level_counts([child.path for child in children], year, [Level.BASE])
    return {head: sum(bases.values()) for head, bases in counts.items()}


def _declared_bases(path, year):
    """{child path: cơ sở at or below it that have sent a declaration}."""
    sent = declarations(year).filter(status__in=SENT, unit=OuterRef("unit"))
    bases = Placement.objects.filter(year=year.pk, path__startswith=path, level=Level.BASE).filter(Exists(sent))
    heads = bases.annotate(head=Substr("path", 1, len(path) + STEP)).order_by().values_list("head")
    return dict(heads.annotate(n=Count("pk")))


def _latest(unit_ids, year):
    """{unit id: its latest declaration}."""
    rows = declarations(year).filter(unit__in=unit_ids).order_by("last_day", "pk")
    return {row.unit_id: row for row in rows}


def _values(unit_ids, year):
    """{unit id: {indicator: level}} from the stored totals."""
    stocks = {row.pk: row for row in Indicator.objects.filter(nature=Nature.STOCK)}
    values = {}
    for (unit, indicator), total in reading.totals_at(unit_ids, year).items():
        if indicator in stocks and total.records:
            values.setdefault(unit, {})[stocks[indicator]] = total.value
    return values
