"""One measure down every level at once: who was given how much, who has passed it on, and what came of it."""

from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q, prefetch_related_objects
from django.db.models.functions import Length
from django.urls import reverse

from reports.arithmetic import share
from reports.evaluation import evaluate
from reports.rows import actual_of
from targets.cascade import DEPTH, Source
from targets.models import Assignment, MeasureKind, Target
from targets.wording import plan_in_words
from unionwork.numbers import format_number, format_percent
from units import access
from units.models import Level, Placement, Unit
from units.scope import STEP

MOST_ROWS = 1_000  # beyond that the page says how many it leaves out
MOST_NAMED = 100  # codes in an address


@dataclass(frozen=True)
class Opening:
    """Which rows are open: the first one and those of levels above `level`, besides `more`, except `less` (codes)."""

    level: str = ""
    more: tuple = ()
    less: tuple = ()

    @classmethod
    def asked(cls, query):
        """From the address: `?cap=` a level, `?mo=` and `?dong=` repeated."""
        level = query.get("cap", "")
        codes = ([code for code in query.getlist(name)[:MOST_NAMED] if "\0" not in code] for name in ("mo", "dong"))
        return cls(level if level in Level.values else "", *map(tuple, codes))

    @property
    def levels(self):
        """The levels whose units are open."""
        return [level for level in Level.values if self.level and DEPTH[level] < DEPTH[self.level]]

    def opens(self, placement, is_top):
        code = placement.unit.code
        return (is_top or placement.level in self.levels or code in self.more) and code not in self.less

    def toggled(self, placement, is_top, is_open):
        """This opening with one row opened or closed."""
        code = placement.unit.code
        more, less = (tuple(each for each in codes if each != code) for codes in (self.more, self.less))
        bare = Opening(self.level, more, less)
        if bare.opens(placement, is_top) != is_open:
            return bare
        return Opening(self.level, more, (*less, code)) if is_open else Opening(self.level, (*more, code), less)

    def pairs(self):
        pairs = [("cap", self.level)] if self.level else []
        return [*pairs, *(("mo", code) for code in self.more), *(("dong", code) for code in self.less)]


@dataclass
class Below:
    """The direct children of a unit, in numbers. `passing`: those that have units below; `passed`: of these, those that
    gave the measure on, or answer it with a target of their own."""

    units: int = 0
    given: int = 0
    passing: int = 0
    passed: int = 0


@dataclass
class Node:
    """A row of the page, its texts ready made."""

    placement: Placement
    depth: int
    below: Below
    is_open: bool = False
    hidden: int = 0
    texts: dict = field(default_factory=dict)
    urls: dict = field(default_factory=dict)
    state: str = ""
    answers: list = field(default_factory=list)

    @property
    def unit(self):
        return self.placement.unit


class WholeTree:
    """`measure` from `top`, a Placement with `unit`, down. Some twelve statements, whatever is open.

    The measure comes with its target's issuer and year, and `siblings` (see targets.cascade)."""

    def __init__(self, measure, top, opening, user):
        self.measure, self.top, self.opening, self.user = measure, top, opening, user
        self.year = measure.target.year
        self.pages = {  # asked for once: a page has a thousand rows
            "tree": reverse("measure_tree", args=[measure.pk]),
            "grid": reverse("measure_assign", args=[measure.pk]),
            "detail": reverse("target_detail", args=[measure.target_id]),
            "progress": reverse("progress"),
        }
        if measure.kind == MeasureKind.TOTAL:  # of other kinds those read with the results do
            prefetch_related_objects([measure], "indicators")
        alive = Q(unit__dissolved__isnull=True) | Q(unit__dissolved__gte=self.year.first_day)
        self.living = Placement.objects.filter(alive, year=self.year.pk, unit__in=Unit.objects.visible_to(user))
        self.levels = self._levels()
        shown = self._shown()
        self._read(shown)
        self.nodes = [self._node(row) for row in shown]

    def _levels(self):
        """[(level, label, how many units)] below the top."""
        rows = self.living.below(self.top.path).exclude(unit=self.top.unit).order_by().values_list("level")
        found = dict(rows.annotate(n=Count("pk")))
        return [(level, Level(level).label, found[level]) for level in Level.values if level in found]

    def _shown(self):
        """The placements on the page, each above what is below it; at most MOST_ROWS, the higher ones first."""
        of_level = Placement.objects.filter(year=self.year.pk, unit=OuterRef("parent"), level__in=self.opening.levels)
        opened = Q(parent=self.top.unit) | Q(parent__code__in=self.opening.more) | Q(Exists(of_level))
        rows = self.living.below(self.top.path).exclude(unit=self.top.unit).filter(opened).select_related("unit")
        rows = rows.order_by(Length("path"), "unit__sort", "unit_id")[:MOST_ROWS]
        open_here = {self.top.unit_id} if self.opening.opens(self.top, True) else set()
        self.children = defaultdict(list)
        for row in rows:
            if row.parent_id in open_here:
                self.children[row.parent_id].append(row)
                if self.opening.opens(row, False):
                    open_here.add(row.unit_id)
        self.open = open_here
        return list(self._in_order(self.top))

    def _in_order(self, placement):
        yield placement
        for child in self.children.get(placement.unit_id, ()):
            yield from self._in_order(child)

    def _read(self, shown):
        units = [row.unit_id for row in shown]
        found = evaluate(shown, self.year, measures=[self.measure], compare=False)
        self.results = {unit: row for unit, targets in found.items() for target in targets for row in target.measures}
        if shared := next(iter(self.results.values()), None):
            self.measure = shared.measure  # the same with everything that texts need
        given = Assignment.objects.filter(measure=self.measure)
        self.registered = {unit: row.plan.registered for unit, row in self.results.items()}
        if self.measure.kind == MeasureKind.TOTAL:  # units register before they are given anything
            registered = given.filter(unit__in=units, registered__isnull=False)
            self.registered |= dict(registered.values_list("unit_id", "registered"))
        own = Target.objects.visible_to(self.user).filter(answers=self.measure.target_id, issued_on__isnull=False)
        self.own = defaultdict(list)
        for target in own.filter(issuer__in=units).order_by("number", "pk"):
            self.own[target.issuer_id].append(target)
        self.below = self._below(units, given.filter(planned__isnull=False), own)
        self.may_share = self.year.is_open and self.measure.kind != MeasureKind.MILESTONE

    def _below(self, units, given, own):
        """{unit id: Below} of `units`: one statement."""
        under = self.living.filter(parent=OuterRef("unit")).order_by()
        rows = (
            self.living.filter(parent__in=units)
            .annotate(
                is_given=Exists(given.filter(unit=OuterRef("unit"))),
                has_units=Exists(under),
                has_passed=Exists(under.filter(unit__in=given.values("unit")))
                | Exists(own.filter(issuer=OuterRef("unit"))),
            )
            .order_by()
            .values_list("parent_id")
            .annotate(
                units=Count("pk"),
                given=Count("pk", filter=Q(is_given=True)),
                passing=Count("pk", filter=Q(has_units=True)),
                passed=Count("pk", filter=Q(has_units=True, has_passed=True)),
            )
        )
        return {parent: Below(*counts) for parent, *counts in rows}

    def _node(self, row):
        unit = row.unit
        below = self.below.get(unit.pk, Below())
        is_open = row.unit_id in self.open and below.units > 0
        node = Node(row, (len(row.path) - len(self.top.path)) // STEP, below, is_open=is_open)
        if is_open:
            node.hidden = below.units - len(self.children[unit.pk])
        result = self.results.get(unit.pk)
        node.state = result.state if result else ""
        node.texts = {
            "planned": self._planned(result),
            "registered": self._number(self.registered.get(unit.pk)),
            "actual": actual_of(result) if result else "–",
            "percent": format_percent(result.percent) if result else "–",
            "given": self._given(below),
            "passed": f"{format_number(below.passed)}/{format_number(below.passing)}" if below.passing else "–",
        }
        node.urls = self._urls(node)
        node.answers = self.own.get(unit.pk, []) if unit.pk != self.measure.target.issuer_id else []
        return node

    def _planned(self, result):
        if result is None:
            return "không áp dụng"
        if result.plan.source == Source.NONE:
            return "chưa giao"
        shared = " (chung)" if result.plan.source == Source.INHERITED else ""
        return plan_in_words(result.measure, result.plan.planned) + shared

    def _number(self, value):
        return "–" if value is None else self.measure.format_plan(value)

    def _given(self, below):
        """How many of the children were given a number; of what applies to all, how many got one of their own."""
        if not below.units:
            return "–"
        if self.measure.is_inherited:
            return f"chung, {format_number(below.given)} giao riêng" if below.given else "áp dụng chung"
        part = format_percent(share(below.given, below.units))
        return f"{format_number(below.given)}/{format_number(below.units)} ({part})"

    def _urls(self, node):
        query = urlencode({"nam": self.year.pk, "don-vi": node.unit.code})
        urls = {
            "detail": f"{self.pages['detail']}?{query}",
            "progress": f"{self.pages['progress']}?{query}&y={self.measure.pk}",
            "toggle": self.url(self.opening.toggled(node.placement, node.depth == 0, node.is_open))
            if node.below.units
            else "",
        }
        if self.may_share and node.below.units and access.SET_TARGETS.reaches(self.user, node.placement.path):
            urls["grid"] = f"{self.pages['grid']}?{query}"
        return urls

    def url(self, opening):
        """The address of this page with other rows open."""
        pairs = [("nam", self.year.pk), ("don-vi", self.top.unit.code), *opening.pairs()]
        return f"{self.pages['tree']}?{urlencode(pairs)}"
