"""Tỷ lệ báo cáo: of the units right below, each with everything under it, how many reported, and in time."""

from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from activities.reporting import lateness, reminders, waiting
from activities.reporting.in_view import in_view
from activities.reporting.late_filters import EVERY, EVERY_PERIOD, GIVEN, MISSING, ON_TIME
from activities.reporting.lateness import Tally
from targets.in_view import address
from targets.models import Period, PeriodKind
from unionwork.list_files import FILES
from unionwork.numbers import format_number, format_percent
from unionwork.policy import policy
from units import access
from units.scope import STEP

ROWS_A_PAGE = 50
COLUMNS = ("phải báo cáo", "đã báo cáo", "đúng hạn", "tỷ lệ (%)")


@dataclass(frozen=True)
class Cell:
    """A `Tally` as shown; `url`: of the list behind it, without which of its units (`tinh-trang`)."""

    tally: Tally
    url: str

    @property
    def is_asked(self):
        return self.tally.must > 0

    @property
    def numbers(self):
        """(the number, the address of its units) of those that must, have, have in time, have not."""
        tally = self.tally
        found = ((tally.must, EVERY), (tally.given, GIVEN), (tally.on_time, ON_TIME), (tally.missing, MISSING))
        return [(format_number(number), f"{self.url}&tinh-trang={which}") for number, which in found]

    @property
    def rate(self):
        return format_percent(self.tally.rate)

    @property
    def on_time_rate(self):
        return format_percent(self.tally.on_time_rate)


@dataclass(frozen=True)
class Line:
    """A unit (None: all of them together) with a `Cell` for every period; `url`: the same table for the units below."""

    unit: object
    cells: list
    url: str = ""


@dataclass
class Table:
    """What the address asks for: the `periods` of a `kind` (`EVERY_PERIOD`: of all; or the one `chosen`) of a unit, its
    `children` (placements) and the tallies of these. `kinds`: {those there are: label}; without any nothing can be
    shown."""

    year: object
    unit: object
    kinds: dict = field(default_factory=dict)
    kind: str | None = None
    chosen: Period | None = None
    periods: list = field(default_factory=list)
    children: list = field(default_factory=list)
    tallies: dict = field(default_factory=dict)

    @cached_property
    def _addresses(self):
        """{period id: the address of the list behind its sums}."""
        where = {"year": self.year, "unit": self.unit, "ca-cay": 1}
        return {one.pk: address("late_list", ky=one.pk, **where) for one in self.periods}

    def line(self, place):
        """The `Line` of a child."""
        branch = f"&{urlencode({'nhanh': place.unit.code})}"
        cells = [self._cell(self.tally(place, period), period, branch) for period in self.periods]
        return Line(place.unit, cells, address("rate_table", year=self.year, unit=place.unit, loai=self.kind))

    @property
    def total(self):
        """The `Line` of everything below the unit: the children, and what now stands under one out of sight."""
        sums = {period.pk: Tally() for period in self.periods}
        for (_, period), tally in self.tallies.items():
            sums[period] += tally
        return Line(None, [self._cell(sums[period.pk], period) for period in self.periods])

    @property
    def missing(self):
        """How many reports about the periods shown have not come."""
        return sum(tally.missing for tally in self.tallies.values())

    def tally(self, place, period):
        return self.tallies.get((place.path, period.pk), Tally())

    @property
    def heading(self):
        """The page's title."""
        if self.chosen:
            return f"Tỷ lệ báo cáo {reminders.full_name(self.chosen)}"
        if not self.kind:
            return "Tỷ lệ báo cáo kỳ"
        by = "" if self.kind == EVERY_PERIOD else "theo "
        return f"Tỷ lệ báo cáo {by}{self.kinds[self.kind].lower()}, năm {self.year}"

    def _cell(self, tally, period, branch=""):
        return Cell(tally, self._addresses[period.pk] + branch)


def asked_for(request):
    """The `Table` of the address. Raises Http404 for a unit, year or period that is not in sight."""
    year, unit, here = in_view(request)
    periods = lateness.periods_of(here, timezone.localdate()) if here else []
    kinds = {kind.value: kind.label for kind in PeriodKind if any(period.kind == kind for period in periods)}
    table = Table(year, unit, kinds | {EVERY_PERIOD: "Mọi kỳ"} if kinds else {})
    if "ky" in request.GET:
        table.chosen = next((period for period in periods if str(period.pk) == request.GET["ky"]), None)
        if table.chosen is None:
            raise Http404
    wanted = table.chosen.kind if table.chosen else request.GET.get("loai")
    table.kind = wanted if wanted in table.kinds else next(iter(table.kinds), None)
    of_kind = [period for period in reversed(periods) if table.kind in (EVERY_PERIOD, period.kind)]
    table.periods = [table.chosen] if table.chosen else of_kind
    if table.periods:
        below = lateness.below(request.user, here)
        table.children = list(lateness.children(request.user, here, year))
        table.tallies = lateness.tallies(table.periods, below, len(here.path) + STEP)
    return table


@policy(access.VIEW, relation="subtree")
def rate_table(request):
    """`?nam=&don-vi=`: the periods of a kind (`loai`) beside each other, the latest first, or one (`ky`) in detail."""
    table = asked_for(request)
    year, unit = table.year, table.unit
    context = {"unit": unit, "chosen": table.chosen, "heading": table.heading, "missing": table.missing}
    if table.periods:
        today = timezone.localdate()
        page = Paginator(table.children, ROWS_A_PAGE).get_page(request.GET.get("page"))
        query = urlencode([(key, value) for key, value in request.GET.items() if key != "page"])
        context |= {
            "kinds": [
                (label, address("rate_table", year=year, unit=unit, loai=one), one == table.kind)
                for one, label in table.kinds.items()
            ],
            "heads": [
                (one, address("rate_table", year=year, unit=unit, ky=one.pk), one.due >= today) for one in table.periods
            ],
            "page": page,
            "lines": [*map(table.line, page), table.total],
            "late_url": address("late_list", year=year, unit=unit),
            "waiting_url": waiting.address(unit, year),
            "file_urls": [(kind, f"{reverse(f'rate_table_{kind}')}?{query}") for kind in FILES],
        }
    return render(request, "activities/rate_table.html", context)


@policy(access.VIEW, relation="subtree")
def rate_table_file(request, kind):
    """The table of the address, all its rows and the sum below them, as .xlsx or .csv."""
    table = asked_for(request)
    if not table.periods:
        raise Http404
    headers = ["Mã đơn vị", "Đơn vị", *(f"{period}: {column}" for period in table.periods for column in COLUMNS)]
    lines = [*map(table.line, table.children), table.total]
    return FILES[kind](f"TyLeBaoCao_{table.year}", headers, [_cells(line) for line in lines])


def _cells(line):
    names = [line.unit.code, line.unit.name] if line.unit else ["", "Cộng"]
    return names + [value for cell in line.cells for value in _values(cell.tally)]


def _values(tally):
    if not tally.must:
        return [None] * len(COLUMNS)
    return [tally.must, tally.given, tally.on_time, Decimal(tally.rate).scaleb(-2)]
