"""A subtree's figures taken apart, from the records themselves: by level, and what is the unit's own."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Sum, Value, When, Window
from django.db.models.functions import RowNumber

from activities.models import Activity, Figure, Host
from targets.models import Indicator, Nature
from units.models import Level, Placement

LEVELS = (Level.CENTRAL, Level.PROVINCE, Level.DISTRICT, Level.BASE)  # a chi đoàn's figures stand under its cơ sở


@dataclass
class Parts:
    """Of one indicator, in its smallest unit. `own`: records the unit leads or co-hosts; None without any.

    `by_level` sums to the subtree's total: a joint activity counts once, at its level of work, else that of its lead.
    """

    own: int | None = None
    by_level: dict = field(default_factory=dict)


def take_apart(placement, work_year, as_of=None):
    """{indicator id: Parts} of the subtree of `placement`, wholes with the figures of their parts: three statements."""
    counted = Activity.objects.counted().hosted_within(placement.path, work_year.pk)
    if as_of:
        counted = counted.filter(last_day__lte=as_of)
    chains = Indicator.objects.chains()
    parts = defaultdict(Parts)
    for indicator, level, own, value in [*_flows(placement, counted), *_levels(placement, counted)]:
        level = Level.BASE if level == Level.BRANCH else Level(level)
        for of in chains[indicator]:
            found = parts[of]
            found.by_level[level] = found.by_level.get(level, 0) + value
            if own:
                found.own = (found.own or 0) + value
    return parts


def _flows(placement, counted):
    """[(indicator, level, own, sum)] of what happened."""
    unit = placement.unit_id
    co_hosted = Exists(Host.objects.counting().filter(activity=OuterRef("activity_id"), unit=unit))
    figures = Figure.objects.filter(activity__in=counted.order_by().values("pk"), indicator__nature=Nature.FLOW)
    level = Case(When(activity__work_level="", then=_level_of_lead(placement)), default=F("activity__work_level"))
    own = Case(When(Q(activity__unit=unit) | Q(co_hosted), then=Value(True)), default=Value(False))
    return (
        figures.annotate(level=level, own=own)
        .order_by()
        .values_list("indicator_id", "level", "own")
        .annotate(total=Sum("value"))
    )


def _levels(placement, counted):
    """[(indicator, level, own, value)] of the latest declaration of every unit."""
    latest = Window(
        RowNumber(),
        partition_by=["activity__unit_id", "indicator_id"],
        order_by=[F("activity__last_day").desc(), F("activity_id").desc()],
    )
    figures = Figure.objects.filter(activity__in=counted.order_by().values("pk"), indicator__nature=Nature.STOCK)
    rows = (
        figures.annotate(latest=latest, level=_level_of_lead(placement))
        .filter(latest=1)
        .order_by()
        .values_list("indicator_id", "level", "activity__unit_id", "value")
    )
    return [(indicator, level, unit == placement.unit_id, value) for indicator, level, unit, value in rows]


def _level_of_lead(placement):
    here = Placement.objects.filter(unit=OuterRef("activity__unit_id"), year=placement.year)
    return Subquery(here.values("level")[:1])
