"""The queue of one reviewer: what waits for a decision, narrowed as the address says, and what was decided just now."""

from collections import defaultdict
from datetime import datetime, time, timedelta

from django import forms
from django.core.paginator import Paginator
from django.db.models import Case, Count, Q, Subquery, Sum, When
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode

from activities.filters import ListForm
from activities.models import Activity, ActivityKind, Doubt, Figure
from activities.querysets import warned
from activities.reviewing import rows
from activities.reviewing.rows import OLD
from targets.models import Nature
from unionwork.fields import MOST_NAMED, CodeField
from unionwork.numbers import format_money_short, format_number
from unionwork.parameters import whole_number
from units.models import Placement, Unit

PER_PAGE, MOST_PER_PAGE = 20, 100
MOST_AT_ONCE = 100
VIEWS = {
    "": "Tất cả",
    "khong-canh-bao": "Không cảnh báo",
    "co-canh-bao": "Có cảnh báo",
    "qua-5-ngay": f"Quá {OLD} ngày",
}
VIEW = "xem"
CHOSEN, AFTER = "hd", "sau"  # in the address: the record beside the list, those decided just now
ORDER = ("submitted_at", "pk")  # oldest first


def condition(view):
    """Which of the waiting records a saved view holds."""
    midnight = datetime.combine(timezone.localdate() - timedelta(days=OLD), time(), timezone.get_current_timezone())
    return {
        "": Q(),
        "khong-canh-bao": ~warned(),
        "co-canh-bao": warned(),
        "qua-5-ngay": Q(submitted_at__lt=midnight),
    }[view]


class UnitField(CodeField):
    """A unit by its code, else by words that fit it alone: one statement."""

    def find(self, text):
        by_code = Case(When(code=text, then=0), default=1)
        found = list(self.queryset.matching(text).order_by(by_code, "sort", "pk")[: MOST_NAMED + 1])
        return found[:1] if found and found[0].code == text else found


class QueueForm(ListForm):
    """What narrows the list. A unit means everything below it in today's tree, like the right to decide."""

    don_vi = UnitField(
        label="Đơn vị (tên hoặc mã)",
        queryset=Unit.objects.none(),
        missing="Không có đơn vị này trong phạm vi của bạn.",
        required=False,
    )
    loai = forms.CharField(label="Loại", required=False, max_length=50, widget=forms.Select)
    canh_bao = forms.ChoiceField(label="Cảnh báo", required=False, choices=[("", "Mọi hoạt động"), *Doubt.choices])

    def __init__(self, data, *, user):
        super().__init__(data)
        self.fields["don_vi"].queryset = Unit.objects.visible_to(user).with_today()

    def offer(self, kinds):
        """Choose among `kinds`, [(code, label)] of what waits; one of which nothing waits any more is named too."""
        chosen = self.cleaned_data.get("loai", "") if self.is_valid() else ""
        kinds = [("", "Mọi loại"), *kinds]
        if chosen not in dict(kinds):
            gone = ActivityKind.objects.filter(code=chosen).values_list("code", "name")
            kinds += gone
            if not gone:
                self.add_error("loai", "Không có loại hoạt động này.")
        self.fields["loai"].widget.choices = kinds

    @property
    def names(self):
        """The parameters as they stand in the address."""
        return [self.add_prefix(name) for name in self.fields]

    @cached_property
    def condition(self):
        """Which records fit. None at all when a parameter is wrong: a wider list would be taken for the answer."""
        if not self.is_valid():
            return Q(pk__in=[])
        unit, kind, doubt = (self.cleaned_data[name] for name in ("don_vi", "loai", "canh_bao"))
        found = Q(kind__code=kind) if kind else Q()
        if unit:
            below = Placement.objects.current().filter(path__startswith=unit.today_path or "-")
            found &= Q(unit__in=below.values("unit_id"))
        return found & warned(doubt) if doubt else found


class Queue:
    """What waits for `user`, as the parameters of the address (`params`) narrow it. Nothing is asked for twice."""

    def __init__(self, user, params):
        self.user, self.params = user, params
        self.view = params.get(VIEW, "") if params.get(VIEW, "") in VIEWS else ""
        self.narrowed_by = QueueForm(params, user=user)
        self.sought = None  # id of the record whose place is sought
        self.all = Activity.objects.reviewable_by(user)

    @cached_property
    def waiting(self):
        return self.all.filter(self.narrowed_by.condition, condition(self.view)).order_by(*ORDER)

    @cached_property
    def form(self):
        """What the list is narrowed by, to be changed: it offers the kinds that wait."""
        rows = self._counted
        self.narrowed_by.offer(
            [(row["kind__code"], f"{row['kind__name']} ({format_number(row['everything'])})") for row in rows]
        )
        return self.narrowed_by

    @cached_property
    def _counts(self):
        return {name: sum(row[name] for row in self._counted) for name in self._to_count}

    @cached_property
    def _counted(self):
        """What is counted, for each kind that waits: a row of its name and numbers."""
        kinds = self.all.order_by("kind__position", "kind__code").values("kind__code", "kind__name", "kind__position")
        return list(kinds.annotate(**self._to_count))

    @cached_property
    def _to_count(self):
        narrowed = self.narrowed_by.condition
        each = {view: Count("pk", filter=narrowed & condition(view)) for view in VIEWS}
        each = {f"view{view}": number for view, number in each.items()} | {"everything": Count("pk")}
        if self.sought is not None:
            shown = narrowed & condition(self.view)
            # Of a record that is not the user's to decide nothing is told, not even when it was sent.
            sought = Activity.objects.decidable_by(self.user).order_by().filter(pk=self.sought)
            sent = Subquery(sought.values("submitted_at"))
            before_it = Q(submitted_at__lt=sent) | Q(submitted_at=sent, pk__lt=self.sought)
            after_it = Q(submitted_at__gt=sent) | Q(submitted_at=sent, pk__gt=self.sought)
            each |= {"is_there": Count("pk", filter=shown & Q(pk=self.sought))}
            each |= {"before_it": Count("pk", filter=shown & before_it)}
            each |= {"after_it": Count("pk", filter=shown & after_it)}
        return each

    @property
    def everything(self):
        """How many wait for the user, whatever the address says."""
        return self._counts["everything"]

    def count_of(self, view):
        return self._counts[f"view{view}"]

    @property
    def count(self):
        return self.count_of(self.view)

    @property
    def is_narrowed(self):
        return any(self.params.get(name) for name in self.narrowed_by.names)

    @property
    def query(self):
        """The part of the address that narrows the list."""
        return self._query(self.view)

    @property
    def place(self):
        """`query`, and the page in view: where a decision leads back to."""
        return self._query(self.view, "page")

    def _query(self, view, *more):
        kept = {VIEW: view} if view else {}
        names = [*self.narrowed_by.names, "per_page", *more]
        return urlencode(kept | {name: self.params[name] for name in names if self.params.get(name)})

    @property
    def tabs(self):
        """[(label, how many, its query, whether it is in view)]"""
        return [(label, self.count_of(view), self._query(view), view == self.view) for view, label in VIEWS.items()]

    def page(self, *, wanted=None, after=None):
        """(page of rows to show, the record beside it, None without): the record with the id `wanted`, or what follows
        the one with the id `after`, which left the list; else the page that the address names and no record of it."""
        self.sought = wanted if wanted is not None else after
        place = self._place_of_sought(is_there=wanted is not None)
        size = self._paginator.per_page
        page = self._paginator.get_page(self.params.get("page") if place is None else place // size + 1)
        # What a row shows is read of the rows in view only, not of all that are put in order.
        in_view = Activity.objects.filter(pk__in=page.object_list.values("pk")).order_by(*ORDER)
        page.object_list = rows.read(in_view, user=self.user)
        return page, None if place is None else next(iter(page.object_list[place % size :]), None)

    def _place_of_sought(self, *, is_there):
        """How many rows stand before the record that is sought, or stood before it left; None when it does not (or, one
        that should have left, still does), or nobody may tell."""
        if self.sought is None:
            return None
        there, before, after = (self._counts[name] for name in ("is_there", "before_it", "after_it"))
        if is_there:
            return before if there else None
        if there or not before + after:
            return None
        return before if after else 0  # after the last one the oldest

    def item(self, pk):
        """A record of the list as it is shown beside it; None when it is not in it."""
        return next(iter(rows.read(self.waiting.filter(pk=pk), user=self.user)), None)

    @cached_property
    def _paginator(self):
        size = whole_number(self.params.get("per_page", ""), digits=3) or PER_PAGE
        paginator = Paginator(self.waiting, min(size, MOST_PER_PAGE))
        paginator.count = self.count
        return paginator

    def next_after(self, record):
        """What comes after a record that has just left the list; after the last one the oldest. None: nothing left."""
        later = Q(submitted_at__gt=record.submitted_at) | Q(submitted_at=record.submitted_at, pk__gt=record.pk)
        return (self.waiting.filter(later).first() if record.submitted_at else None) or self.waiting.first()


def sums_of(ids):
    """What records would add: ([(sum, in full) by unit of measure], [per indicator], [declared levels]) in words.

    One statement. Money is short, in full beside it.
    """
    rows = (
        Figure.objects.filter(activity__in=ids)
        .order_by("indicator__position", "indicator_id")
        .values_list("indicator__nature", "indicator__name", "indicator__unit_of_measure", "indicator__decimals")
        .annotate(sum=Sum("value"))
    )
    together, flows, levels = defaultdict(int), [], []
    for nature, name, unit, decimals, value in rows:
        if nature == Nature.FLOW:
            together[unit, decimals] += value
        (flows if nature == Nature.FLOW else levels).append((name, *amount(value, unit, decimals)))
    return [amount(value, *key) for key, value in together.items()], flows, levels


def amount(value, unit, decimals):
    """("12,5 triệu đồng", "12.500.000 đồng"): short and in full."""
    full = f"{format_number(value, decimals)} {unit}"
    return (format_money_short(value), full) if unit == "đồng" and not decimals else (full, full)
