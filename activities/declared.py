"""Who has declared: the units below one, how many of those that should have, and the levels in force."""

from dataclasses import dataclass, field

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Window
from django.db.models.functions import RowNumber, Substr

from activities import histories, reading
from activities.level_changes import Level as Declared
from activities.models import SENT, Activity, Event, Figure, RecordNature, Status, Step
from targets import cascade
from targets.models import Indicator, Nature
from units import access, notices
from units.models import Level, Placement, Unit
from units.outline import visible_in
from units.scope import STEP


@dataclass
class Row:
    """One unit. `expected` cơ sở at or below it should declare, `done` of them have sent a declaration.

    `values`: {indicator: approved level of the whole subtree}; `latest`: the unit's own latest declaration;
    `people`: those who declare for it, known for rows that lack something (`add_people`).
    """

    unit: Unit
    expected: int
    done: int
    latest: Activity | None = None
    values: dict = field(default_factory=dict)
    people: list = field(default_factory=list)
    may_log: bool = False

    @property
    def is_complete(self):
        return self.done >= self.expected

    def matches(self, words):
        """Search without dấu, as `Unit.objects.matching`."""
        return all(word in self.unit.search for word in words)


@dataclass
class Overview:
    """The unit itself (when it declares) and its direct children; `done` of `expected` in the whole subtree, what the
    reader may not see neither listed nor counted.

    `total`: {indicator: level of the whole subtree} as the stored totals have it.
    """

    rows: list = field(default_factory=list)
    done: int = 0
    expected: int = 0
    total: dict = field(default_factory=dict)


def declarations(year, since=None, until=None):
    """Those of a work year, of a range of days within it when given; not the cancelled ones."""
    found = Activity.objects.filter(year=year, kind__nature=RecordNature.STOCK).exclude(status=Status.CANCELLED)
    found = found.filter(last_day__gte=since) if since else found
    return found.filter(last_day__lte=until) if until else found


def recent(unit, year, user):
    """The unit's own declarations, newest first; `edits`: what was changed of them, and when, as the user may read
    it."""
    edits = Prefetch(
        "events", Event.objects.filter(step__in=[Step.EDIT, Step.CORRECT, Step.ADOPT]).order_by("pk"), to_attr="edits"
    )
    found = list(declarations(year).filter(unit=unit).prefetch_related(edits)[:12])
    histories.told([event for row in found for event in row.edits], user, [unit])
    return found


def levels_of(unit_ids, *, until=None, without=()):
    """{unit id: {indicator id: Level}} each unit itself declared last (by the day `until`), waiting or not: one
    statement. `without`: form keys of records left out."""
    rows = Figure.objects.filter(activity__unit__in=unit_ids, indicator__nature=Nature.STOCK)
    rows = rows.exclude(activity__status=Status.CANCELLED).order_by()
    rows = rows.filter(activity__last_day__lte=until) if until else rows
    rows = rows.exclude(activity__form_key__in=without) if without else rows
    latest = Window(
        RowNumber(),
        partition_by=[F("activity__unit_id"), F("indicator_id")],
        order_by=[F("activity__last_day").desc(), F("activity_id").desc()],
    )
    rows = rows.annotate(place=latest).filter(place=1)
    found = {}
    for unit, indicator, *level in rows.values_list(
        "activity__unit_id", "indicator_id", "value", "activity__last_day", "word"
    ):
        found.setdefault(unit, {})[indicator] = Declared(*level)
    return found


def levels_before(declarations):
    """[{indicator id: Level}] the unit of each of these declarations declared last until its day, itself left out, in
    their order: one statement."""
    rows = Figure.objects.filter(
        activity__unit__in={one.unit_id for one in declarations},
        activity__last_day__lte=max(one.last_day for one in declarations),
        indicator__nature=Nature.STOCK,
    )
    rows = rows.exclude(activity__status=Status.CANCELLED).order_by("activity__last_day", "activity_id")
    rows = list(
        rows.values_list(
            "activity__unit_id", "activity__form_key", "indicator_id", "value", "activity__last_day", "word"
        )
    )
    found = []
    for one in declarations:
        before = [row for row in rows if row[0] == one.unit_id and row[1] != one.form_key and row[4] <= one.last_day]
        found.append({indicator: Declared(*level) for _, _, indicator, *level in before})
    return found


def below(unit, year, user, since=None, until=None):
    """`Overview` for `user` of who below `unit` has declared for a day from `since` to `until` (else within the work
    year), and of the approved levels at `until`."""
    here = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit").first()
    if here is None:
        return Overview()
    visible, made = visible_in(user, year.pk), declarations(year, since, until)
    children = list(visible.filter(parent=unit).in_order())
    bases = visible.filter(reading.alive_in(year), path__startswith=here.path, level=Level.BASE)
    sent = made.filter(status__in=SENT, unit=OuterRef("unit"))
    expected, done = _by_child(bases, here, children), _by_child(bases.filter(Exists(sent)), here, children)
    declares_itself = here.level in (Level.BASE, Level.BRANCH)
    places = [here, *children] if declares_itself else children
    latest = _latest([place.unit_id for place in places], made)
    values = _values([unit.pk, *(place.unit_id for place in places)], year, until)
    rows = []
    for place in places:
        own = latest.get(place.unit_id)
        sent = own is not None and own.status in SENT
        if place.unit_id == unit.pk or place.level == Level.BRANCH:
            counts = (1, int(sent))
        else:
            counts = expected[place.path], done[place.path]
        rows.append(Row(place.unit, *counts, own, values.get(place.unit_id, {})))
    total = values.get(unit.pk, {})
    if declares_itself:
        return Overview(rows, sum(row.done for row in rows), len(rows), total)
    return Overview(rows, sum(done.values()), sum(expected.values()), total)


def _by_child(placements, here, children):
    """{path of one of `children`: how many of `placements` stand at or below it}."""
    heads = placements.annotate(head=Substr("path", 1, len(here.path) + STEP)).order_by().values_list("head")
    found = dict(heads.annotate(n=Count("pk")))
    return {child.path: found.get(child.path, 0) for child in children}


def _latest(unit_ids, made):
    """{unit id: the latest of its declarations `made`}."""
    return {row.unit_id: row for row in made.filter(unit__in=unit_ids).order_by("last_day", "pk")}


def _values(unit_ids, year, until):
    """{unit id: {indicator: level}} from the stored totals."""
    stocks = {row.pk: row for row in Indicator.objects.filter(nature=Nature.STOCK)}
    values = {}
    for (unit, indicator), total in reading.totals_at(unit_ids, year, until).items():
        if indicator in stocks and total.records:
            values.setdefault(unit, {})[stocks[indicator]] = total.value
    return values


def add_people(rows, user):
    """Who is to be called about the rows that lack something, and for which of all `rows` the user may declare: of
    the units in the user's scope. Two statements."""
    units = [row.unit.pk for row in rows]
    lacking = [row.unit.pk for row in rows if not row.is_complete]
    seen = Unit.objects.visible_to(user).filter(pk__in=lacking)
    people = notices.people_of(seen.values("pk"), access.LOG)
    mine = set(Unit.objects.reached(user, access.LOG).filter(pk__in=units).values_list("pk", flat=True))
    for row in rows:
        row.people, row.may_log = people.get(row.unit.pk, []), row.unit.pk in mine


def denominators(unit, year, indicators):
    """[(indicator, [(issuer, [measure, …]), …])]: the measures of the unit that are shares of a declared level.

    Six statements, however many indicators; one without any.
    """
    here = Placement.objects.filter(unit=unit, year=year.pk).select_related("unit").first()
    if here is None or not indicators:
        return []
    measures = [plan.measure for plan in cascade.plans_for([here], year)[unit.pk]]
    chains = Indicator.objects.chains()
    found = []
    for indicator in sorted(indicators, key=lambda one: (one.position, one.code)):
        chain, by_issuer = chains[indicator.pk], {}
        for measure in measures:
            if any(of.pk in chain for of in measure.denominators.all()):
                by_issuer.setdefault(measure.target.issuer, []).append(measure)
        if by_issuer:
            found.append((indicator, list(by_issuer.items())))
    return found
