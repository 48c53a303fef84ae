"""The list of the records behind every number, the same rows as a file, and the choice of its columns."""

from dataclasses import dataclass, field
from itertools import groupby

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode

from activities.filters import ActivityFilter
from activities.joint import hosting
from activities.lists import columns, listing, saved_filters
from activities.models import Activity, Status
from activities.tables import ActivityTable
from activities.writing import sending
from targets.models import Group, Indicator
from targets.years import chosen_year
from unionwork import tables
from unionwork.list_files import csv_response, xlsx_response
from unionwork.numbers import format_number
from unionwork.policy import policy
from units import access

SUMS_SHOWN = 6  # of a list; the others are folded away
FILES = {"xlsx": "Excel", "csv": "CSV"}
PAGES = (25, 50, 100)


def filtered(request):
    """(year, the filter the address describes)."""
    year = chosen_year(request)
    mine = Activity.objects.visible_to(request.user).filter(year=year)
    return year, ActivityFilter(request.GET, queryset=mine, user=request.user, year=year)


@dataclass
class Shown:
    """How the list is shown: its columns, its order (a key of `listing.ORDERS`), and what is to be said about both."""

    columns: list
    order: str
    notes: list = field(default_factory=list)

    @property
    def keys(self):
        return [column.key for column in self.columns]

    def keep_newest_first(self):
        """A list longer than what is counted is not sorted: it comes by the index of its days."""
        if self.order != listing.NEWEST:
            words = listing.ORDERS[self.order][0].lower()
            most = format_number(tables.CAP)
            self.notes.append(f"Danh sách dài hơn {most} dòng nên chưa xếp “{words}” được. Lọc hẹp lại để xếp.")
            self.order = listing.NEWEST


def shown_as(request):
    """`Shown` as the address says; where it names no columns, those the user chose last."""
    asked = [key for value in request.GET.getlist(saved_filters.COLUMNS) for key in value.split(",") if key]
    shown, unknown = columns.named(asked or saved_filters.columns_of(request.user))
    order = request.GET.get(saved_filters.ORDER) or listing.NEWEST
    result = Shown(shown, order if order in listing.ORDERS else listing.NEWEST)
    if asked and unknown:
        result.notes.append(f"Không có cột {_quoted(unknown)}.")
    if order not in listing.ORDERS:
        result.notes.append(f"Không có cách xếp {_quoted([order])}: danh sách đang xếp theo ngày, mới nhất trước.")
    return result


def _quoted(words):
    return ", ".join(f"“{word[:40]}”" for word in words[:3])


@policy(access.VIEW, relation="subtree")
def activity_list(request):
    year, filters = filtered(request)
    shown, found = shown_as(request), filters.qs
    table = _paginated(request, found, shown)
    if table.paginator.is_capped and shown.order != listing.NEWEST:
        shown.keep_newest_first()
        table = _paginated(request, found, shown)
    query, chips = saved_filters.known(request.GET), filters.chips()
    can_log = access.LOG.held_by(request.user)
    context = {
        "form": filters.form,
        "table": table,
        "count": table.paginator.count,
        "is_capped": table.paginator.is_capped,
        **_sums(found.counting_for(request.user), filters, table.paginator.is_capped),
        "files": [(label, _address(request, f"activity_list_{kind}", year, shown)) for kind, label in FILES.items()],
        "columns_url": _address(request, "list_columns", year),
        "save_url": _address(request, "saved_filter_add", year) if chips or saved_filters.COLUMNS in query else "",
        "saved": saved_filters.offered(request.user),
        "notes": shown.notes,
        "kept_columns": query.getlist(saved_filters.COLUMNS),
        "orders": [(key, words, key == shown.order) for key, (words, _) in listing.ORDERS.items()],
        "page_sizes": [(size, size == table.paginator.per_page) for size in PAGES],
        "authors": sorted({str(row.record.author) for row in table.page.object_list}),
        "chips": chips,
        "asked": "; ".join(f"{label}: {value}" for label, value, _ in chips),
        "clear_query": urlencode({"nam": year.pk}) if year else "",
        "clear_url": request.path + (f"?nam={year.pk}" if year else ""),
        "can_log": can_log,
        "can_send_many": can_log and sending.has_several(request.user, year),
        "invitations": hosting.waiting_for(request.user).count(),
    }
    return render(request, "activities/activity_list.html", context)


def _paginated(request, found, shown):
    rows = listing.in_order(found, shown.order).for_list().select_related("approver")
    return tables.paginate(request, ActivityTable(rows, shown.columns))


def _sums(counting, filters, is_capped):
    """What the list adds up to: of the chosen indicators one number, otherwise every indicator on its own. What waits
    stands beside what counts; records of one status chosen add up as they are.

    Of a list too long to be counted the latter would cost seconds on the page everybody opens.
    """
    chosen = filters.indicators
    if chosen and len({(row.unit_of_measure, row.decimals) for row in chosen}) == 1:
        names, family, waiting = " + ".join(row.name for row in chosen), filters.family, None
        if filters.mixes_states:
            waiting = counting.filter(status=Status.PENDING).sum_of(family)
            counting = counting.counted()
        total = counting.sum_of(family)
        return {"indicator": chosen[0], "indicator_names": names, "total": total, "waiting": waiting}
    sums = [] if is_capped else [_sum_in_words(row) for row in listing.sums_of(counting)]
    return {"indicator": None, "total": None, "sums_first": sums[:SUMS_SHOWN], "sums_more": sums[SUMS_SHOWN:]}


def _sum_in_words(row):
    """ "Cây xanh: 412 cây (chờ duyệt 35)", "Đơn vị máu: chờ duyệt 18 đơn vị"."""
    indicator, unit = row.indicator, row.indicator.unit_of_measure
    waiting = "" if row.waiting is None else f"chờ duyệt {indicator.format(row.waiting)}"
    if row.counted is None:
        return f"{indicator.name}: {waiting} {unit}"
    return f"{indicator.name}: {indicator.format(row.counted)} {unit}" + (f" ({waiting})" if waiting else "")


def _address(request, name, year, shown=None):
    """Another view of this list: the same filter; with `shown`, also exactly these columns in this order."""
    query = saved_filters.known(request.GET)
    if year:
        query["nam"] = str(year)
    if shown:
        query.setlist(saved_filters.COLUMNS, shown.keys)
    return f"{reverse(name)}?{query.urlencode()}"


@policy(access.VIEW, relation="subtree")
def activity_list_file(request, kind):
    """The filtered list, all its pages and the columns shown, as .xlsx (the filter in words on top) or .csv."""
    year, filters = filtered(request)
    found, shown = filters.qs, shown_as(request)
    count = found.order_by()[: listing.MOST_ROWS + 1].count() if filters.form.is_valid() else None
    if count is None or count > listing.MOST_ROWS:
        if count:
            most = format_number(listing.MOST_ROWS)
            messages.error(request, f"Danh sách dài hơn {most} dòng. Lọc hẹp lại (theo đơn vị, tháng) rồi tải.")
        return redirect(f"{reverse('activity_list')}?{request.GET.urlencode()}")
    if count > tables.CAP:
        shown.keep_newest_first()
    chips = filters.chips()
    name = listing.file_name(year, chips)
    headers, rows = listing.table_of(listing.in_order(found, shown.order), shown.columns)
    if kind == "csv":
        return csv_response(name, headers, rows)
    return xlsx_response(name, headers, rows, caption=_caption(request.user, year, chips, count))


def _caption(user, year, chips, count):
    asked = "; ".join(f"{label}: {shown}" for label, shown, _ in chips) or "không lọc"
    now = date_format(timezone.localtime(), "DATETIME_FORMAT")
    return f"Hoạt động năm {year} · {asked} · {format_number(count)} dòng · {user} tải lúc {now}"


@policy(access.VIEW, relation="subtree", methods="GET POST")
def list_columns(request):
    """Choose what the list shows; the address carries the list's filter."""
    year = chosen_year(request)
    if request.method == "POST":
        return redirect(_chosen_columns(request))
    chosen = shown_as(request).keys
    common = [column for key, column in columns.COLUMNS.items() if key != columns.TITLE]
    context = {
        "columns": [(column, column.key in chosen) for column in common],
        "groups": list(_groups(chosen)),
        "back_url": _address(request, "activity_list", year),
    }
    return render(request, "activities/list_columns.html", context)


def _groups(chosen):
    """(heading, [(column of an indicator, whether it is chosen)], whether one of them is) of the catalogue."""
    indicators = sorted(Indicator.objects.all(), key=lambda row: [*Group].index(row.group))
    for group, rows in groupby(indicators, key=lambda row: row.group):
        each = [(column, column.key in chosen) for column in map(columns.of_indicator, rows)]
        yield Group(group).label, each, any(is_chosen for _, is_chosen in each)


def _chosen_columns(request):
    """Remember the columns that were ticked, or forget them; the address of the list that shows them."""
    query = saved_filters.known(request.GET)
    query.pop(saved_filters.COLUMNS, None)
    keys = []
    if request.POST.get("lam") != "mac-dinh":
        ticked = [key for key in request.POST.getlist("cot") if "\0" not in key]
        every = columns.COLUMNS if request.POST.get("lam") == "tat-ca" else ()
        keys = [column.key for column in columns.named([columns.TITLE, *every, *ticked])[0]]
        query.setlist(saved_filters.COLUMNS, keys)
    saved_filters.remember_columns(user=request.user, keys=keys)
    return f"{reverse('activity_list')}?{query.urlencode()}"
