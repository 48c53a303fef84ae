"""What the frame around every page shows: navigation, the year in view, what waits for the user."""

from functools import cache

from django.conf import settings
from django.urls import resolve, reverse
from django.utils.functional import SimpleLazyObject, cached_property

from activities.models import Activity, Status
from targets import years
from units import access
from units.models import Notice, Unit
from units.scope import home_unit

NAV = (
    ("dashboard", "Tổng quan"),
    ("digest", "Việc hôm nay"),
    ("activity_list", "Hoạt động"),
    ("review_queue", "Duyệt"),
    ("period_list", "Báo cáo kỳ"),
    ("target_list", "Chỉ tiêu"),
    ("progress", "Tiến độ"),
    ("year_report", "Báo cáo tổng kết"),
    ("unit_tree", "Đơn vị"),
    ("declaration_list", "Kê khai"),
    ("indicator_list", "Chỉ số"),
    ("year_list", "Năm công tác"),
    ("journal_list", "Nhật ký"),
    ("help", "Trợ giúp"),
)


MOST_UNREAD = 99  # above that the bell says “99+”
MOST_WAITING = 999  # above that “999+”: counting them all takes long where a whole country waits


def _at_most(most, rows, counted=None):
    """How many `rows` there are, in words, counting no more of them than need be: "" for none, “99+” above 99."""
    count = rows.order_by()[: most + 1].count() if counted is None else counted
    return f"{most}+" if count > most else str(count or "")


@cache
def _act(name):
    """Whose page it is. Remembered: the frame of every page asks it for a dozen addresses, which never change."""
    return resolve(reverse(name)).func.policy.act


class Shell:
    """Everything is asked for at most once a page, and only if the page shows it."""

    def __init__(self, request):
        self.request = request
        self.user = request.user

    @cached_property
    def work_years(self):
        return years.of_request(self.request)

    @cached_property
    def current_year(self):
        return years.current_year(self.work_years)

    @cached_property
    def year(self):
        """The year named by ?nam=; the current one when there is none such (an error page has to render too)."""
        wanted = self.request.GET.get("nam", "")
        return next((year for year in self.work_years if str(year) == wanted), self.current_year)

    @property
    def is_answer(self):
        """Whether the page answers a form and can also be asked for at its address, which then stands for it."""
        match = self.request.resolver_match
        return self.request.method == "POST" and bool(match) and "GET" in match.func.policy.methods

    @cached_property
    def kept_query(self):
        """What the year switcher sends along: the page's filters, not the page number."""
        query = self.request.GET
        return [(key, value) for key in query if key != "nam" and "page" not in key for value in query.getlist(key)]

    @cached_property
    def home(self):
        return home_unit(self.user)

    @cached_property
    def my_units(self):
        """Units on which the user holds a role today."""
        return list(Unit.objects.filter(pk__in={grant.unit_id for grant in access.grants(self.user)}))

    @cached_property
    def waiting(self):
        """How many records wait for this user: for a decision; for those who only log, to be completed. "" for none."""
        if access.REVIEW.held_by(self.user):
            counted = getattr(self.request, "waiting", None)  # by the queue itself
            return _at_most(MOST_WAITING, Activity.objects.reviewable_by(self.user), counted)
        if access.LOG.held_by(self.user):
            mine = Activity.objects.editable_by(self.user).filter(status=Status.RETURNED, author=self.user)
            return _at_most(MOST_WAITING, mine)
        return ""

    @cached_property
    def unread(self):
        """How many notices the person has not read, as the bell says it; "" for none."""
        return _at_most(MOST_UNREAD, Notice.objects.visible_to(self.user).unread())

    @property
    def bell(self):
        return self._item("notice_list", "Thông báo")

    @property
    def home_url(self):
        return self._address("dashboard")

    @cached_property
    def nav(self):
        counts = {"review_queue": self.waiting}
        return [self._item(name, label, counts.get(name, "")) for name, label in NAV if self._may_open(name)]

    @cached_property
    def bottom(self):
        """The phone's bar: three items beside “Thêm”."""
        items = [self._item("dashboard", "Trang chủ")]
        if self._may_open("activity_create"):
            items.append(self._item("activity_create", "Ghi", main=True))
        if self._may_open("review_queue"):  # one tap away; “Việc hôm nay” stands under “Thêm”
            items.append(self._item("review_queue", "Duyệt", self.waiting))
        elif self._may_open("activity_create"):
            items.append(self._item("digest", "Việc của tôi", self.waiting))
        elif self._may_open("progress"):
            items.append(self._item("progress", "Tiến độ"))
        return items

    def _may_open(self, name):
        return _act(name).held_by(self.user)

    def _address(self, name, query=""):
        """The page's address; it keeps the year in view unless that is the current one anyway."""
        if self.year != self.current_year:
            query = f"nam={self.year}&{query}" if query else f"nam={self.year}"
        return f"{reverse(name)}?{query}" if query else reverse(name)

    def _item(self, name, label, count="", *, main=False, query=""):
        path, here = reverse(name), self.request.path
        inside = path != "/" and here.startswith(path) and not query
        exact = here == path and query in self.request.GET.urlencode()
        return {
            "label": label,
            "url": self._address(name, query),
            "count": count,
            "main": main,
            "active": "page" if exact else "true" if inside else "",
        }


def shell(request):
    """Context processor. Pages before sign-in, and errors before the user is known, get the help line only."""
    context = {"help_contact": settings.HELP_CONTACT}
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return context
    page = Shell(request)
    lazy = {
        name: SimpleLazyObject(lambda name=name: getattr(page, name)) for name in ("year", "work_years", "my_units")
    }
    return context | lazy | {"shell": page, "nav": SimpleLazyObject(lambda: page.nav)}
