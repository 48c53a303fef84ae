"""The periods of a work year, and the campaigns that units set."""

import re
import unicodedata
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from activities.reporting import periods as words
from targets import periods, years
from targets.calendar import standard_periods
from targets.models import Period, PeriodKind, WorkYear
from tests.factories import make_user
from units import access
from units.models import JournalEntry

MARCH = {"first_day": date(2024, 3, 1), "last_day": date(2024, 3, 31), "due": date(2024, 4, 5)}


def campaign(world, issuer=None, **fields):
    fields = {"name": "Tháng Thanh niên", "grace": 2, "levels": ["base"], **MARCH} | fields
    return periods.add_campaign(year=world.year, issuer=issuer or world.k1, actor=world.staff, **fields)


def standard(kind, number):
    return Period.objects.standard().get(year=2024, kind=kind, number=number)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2024, 1, 1), date(2024, 12, 31)),
        (date(2023, 12, 15), date(2024, 12, 14)),
        (date(2023, 12, 31), date(2024, 12, 30)),
        (date(2024, 1, 1), date(2024, 5, 10)),
    ],
)
def test_every_day_lies_in_the_month_in_which_records_count_it_and_in_one_of_each_longer_period(first, last):
    year = WorkYear(year=2024, first_day=first, last_day=last)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for kind, months in ((PeriodKind.MONTH, 1), (PeriodKind.QUARTER, 3), (PeriodKind.HALF, 6), (PeriodKind.YEAR, 12)):
        oracle = {}
        for day in days:
            oracle.setdefault((year.month_of(day) - 1) // months + 1, []).append(day)
        expected = [(number, found[0], found[-1]) for number, found in oracle.items()]
        rows = [row for row in standard_periods(year) if row.kind == kind]
        assert [(row.number, row.first_day, row.last_day) for row in rows] == expected


def test_the_standard_periods_are_set_one_by_one_or_alike(world):
    june = standard("month", 6)
    said = {
        "due": date(2024, 7, 10),
        "grace": 1,
        "is_asked": True,
        "levels": ["branch", "base"],
        "actor": world.central,
    }
    assert periods.set_period(period=june, **said) == 1
    assert periods.set_period(period=june, **said) == 0
    june = standard("month", 6)
    assert (june.due, june.grace, june.levels) == (date(2024, 7, 10), 1, ["base", "branch"])
    assert standard("month", 5).due == date(2024, 6, 5)
    assert periods.set_period(period=june, alike=True, **said) == 11
    assert standard("month", 2).due == date(2024, 3, 10)  # ten days after 29 February
    assert (standard("quarter", 1).due, standard("quarter", 1).grace) == (date(2024, 4, 7), 3)
    entry = JournalEntry.objects.filter(object_type="targets.period", object_id=june.pk).get()
    assert [entry.verb, entry.actor, entry.unit] == [periods.set_period.code, world.central, None]
    assert entry.changes[:2] == [["Hạn nộp", "05/07/2024", "10/07/2024"], ["Số ngày gia hạn", "3", "1"]]


def test_a_campaign_is_set_changed_and_removed_while_nobody_has_spoken(world):
    own = campaign(world)
    other = campaign(world, world.k2)
    assert [(own.number, own.issuer), (other.number, other.issuer)] == [(1, world.k1), (1, world.k2)]
    change = {"name": "Tháng Ba xanh", "grace": 0, "levels": ["base"], **MARCH, "actor": world.staff}
    assert periods.change_campaign(period=own, **change | {"first_day": date(2024, 2, 20)})
    own.refresh_from_db()
    assert (own.name, own.first_day, own.grace) == ("Tháng Ba xanh", date(2024, 2, 20), 0)
    words.report(unit=world.b11, period=own, nothing=True, actor=world.cadre)
    words.withdraw_report(unit=world.b11, period=own, actor=world.cadre)
    with pytest.raises(ValidationError, match="không đổi ngày được nữa"):
        periods.change_campaign(period=own, **change)
    later = {"first_day": own.first_day, "due": date(2024, 4, 20)}
    assert periods.change_campaign(period=own, **change | later)
    with pytest.raises(ValidationError, match="không xoá được"):
        periods.remove_campaign(period=own, actor=world.staff)
    periods.remove_campaign(period=other, actor=world.stranger)
    assert list(Period.objects.exclude(issuer=None)) == [own]
    verbs = JournalEntry.objects.filter(object_type="targets.period").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == [
        act.code
        for act in (
            periods.add_campaign,
            periods.add_campaign,
            periods.change_campaign,
            periods.change_campaign,
            periods.remove_campaign,
        )
    ]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": " \u200b "}),
        ("name", {"name": "x" * 101}),
        ("name", {"name": unicodedata.normalize("NFD", "THÁNG  thanh niên")}),  # another case and form: the same name
        ("last_day", {"last_day": date(2024, 2, 1)}),
        ("first_day", {"first_day": date(2023, 12, 31)}),
        ("first_day", {"last_day": date(2025, 1, 1), "due": date(2025, 1, 1)}),
        ("due", {"due": date(2024, 2, 29)}),
        ("due", {"due": date(2026, 1, 1)}),
        ("grace", {"grace": -1}),
        ("grace", {"grace": 10**9}),
        ("levels", {"levels": []}),
        ("levels", {"levels": ["central"]}),
    ],
)
def test_what_no_period_can_be_is_refused_beside_its_field(world, field, wrong):
    campaign(world)
    with pytest.raises(ValidationError) as refused:
        campaign(world, **{"name": "Đợt hai"} | wrong)
    assert list(refused.value.message_dict) == [field]


def test_closed_years_and_the_wrong_kind_of_period_are_refused(world):
    own, june = campaign(world), standard("month", 6)
    said = {"due": date(2024, 7, 10), "grace": 1, "is_asked": True, "levels": ["base"], "actor": world.central}
    with pytest.raises(ValidationError, match="đợt riêng"):
        periods.set_period(period=own, **said)
    with pytest.raises(ValidationError, match="kỳ chung"):
        periods.remove_campaign(period=june, actor=world.staff)
    years.close_year(year=2024)
    for act in (
        lambda: periods.set_period(period=june, **said),
        lambda: periods.remove_campaign(period=own, actor=world.staff),
        lambda: campaign(world, name="Đợt hai"),
    ):
        with pytest.raises(ValidationError, match="2024 đã khoá"):
            act()


# --- The pages ---

LIST = reverse("period_settings")
FORM = {
    "name": "Chiến dịch hè",
    "first_day": "1/6/2024",
    "last_day": "31/8/2024",
    "due": "10/9/2024",
    "grace": "5",
    "levels": ["base", "branch"],
}


def test_everybody_reads_the_periods_and_offices_set_campaigns_of_their_own_subtree(client, world):
    client.force_login(world.staff)
    page = client.post(reverse("campaign_add") + "?nam=2024", FORM, follow=True)
    assert page.redirect_chain == [(f"{LIST}?nam=2024", 302)]
    made = Period.objects.get(name="Chiến dịch hè")
    assert (made.issuer, made.due, made.grace, made.levels) == (world.k1, date(2024, 9, 10), 5, ["base", "branch"])
    foreign = campaign(world, world.k2, name="Của khối khác")
    assert page.context["campaigns"] == [(made, True)]
    assert page.context["may_edit"] is False
    edit, remove = reverse("campaign_edit", args=[made.pk]), reverse("campaign_remove", args=[made.pk])
    for wrong in (
        {"due": "1/5/2024"},
        {"grace": "9" * 40},
        {"name": "a\0b"},
        {"levels": "moon"},
        {"first_day": "32/13"},
    ):
        refused = client.post(edit, FORM | wrong)
        assert (refused.status_code, list(refused.context["form"].errors)) == (422, list(wrong))
    assert client.get(reverse("campaign_edit", args=[foreign.pk])).status_code == 404
    assert client.get(reverse("campaign_edit", args=[standard("month", 1).pk])).status_code == 404
    client.force_login(make_user("base-secretary", access.SECRETARY, world.b11))
    page = client.get(LIST, {"nam": 2024})
    assert page.context["campaigns"] == [(made, False)]  # a superior's: seen, not changed
    assert [client.get(edit).status_code, client.post(remove).status_code] == [403, 403]
    client.force_login(world.staff)
    assert client.post(remove, follow=True).context["campaigns"] == []


def shown_on(page):
    """What a browser sends back untouched: the fields, and what the page says that it showed."""
    found = {}
    for field in page.context["form"]:
        for html, name in ((field.as_widget(), field.html_name), (field.as_hidden(only_initial=True), None)):
            box = 'type="checkbox"' in html
            ticked = re.findall(r'name="([^"]+)" value="([^"]*)"([^>]*)', html)
            values = [value for _, value, rest in ticked if not box or "checked" in rest]
            found[name or field.html_initial_name] = values if len(values) != 1 else values[0]
    return found


def test_two_people_at_one_campaign_never_write_over_each_other_unseen(client, world):
    own = campaign(world)
    edit = reverse("campaign_edit", args=[own.pk])
    other = make_user("office-2", access.STAFF, world.k1)
    client.force_login(other)
    mine = shown_on(client.get(edit))
    assert (mine["due"], mine["initial-due"], mine["initial-levels"]) == ("05/04/2024", "05/04/2024", "base")
    client.force_login(world.staff)
    theirs = shown_on(client.get(edit)) | {"name": "Tháng Ba xanh", "due": "10/4/2024"}
    for _ in range(2):  # a double press finds its own words
        assert client.post(edit, theirs).status_code == 302
    client.force_login(other)
    refused = client.post(edit, mine | {"grace": "7"})
    assert refused.status_code == 409
    (why,) = refused.context["form"].non_field_errors()
    assert why == (
        "“Tháng Ba xanh” vừa được sửa bởi Người staff sau khi bạn mở trang (Tên Tháng Thanh niên → Tháng Ba xanh; "
        "Hạn nộp 05/04/2024 → 10/04/2024). Các ô giữ như bạn đã nhập: xem lại rồi lưu."
    )
    own.refresh_from_db()
    assert (own.name, own.due, own.grace) == ("Tháng Ba xanh", date(2024, 4, 10), 2)
    again = shown_on(refused)
    kept = (again["name"], again["grace"], again["initial-name"], again["initial-due"])
    assert kept == ("Tháng Thanh niên", "7", "Tháng Ba xanh", "10/04/2024")
    for odd in ({"initial-due": "32/13"}, {"initial-grace": "9" * 40}, {"initial-levels": "moon"}):
        assert client.post(edit, again | odd).status_code == 409
    assert client.post(edit, again | {"name": "Tháng Ba xanh"}).status_code == 302
    own.refresh_from_db()
    assert (own.name, own.due, own.grace) == ("Tháng Ba xanh", date(2024, 4, 5), 7)


def test_the_central_office_sets_the_standard_periods(client, world):
    june = standard("month", 6)
    address = reverse("period_edit", args=[june.pk])
    client.force_login(world.staff)
    assert client.get(address).status_code == 403
    client.force_login(world.central)
    form = {"due": "25/6/2024", "grace": "0", "is_asked": "on", "levels": ["province"], "alike": "on"}
    assert client.post(address, form | {"levels": []}).status_code == 422
    page = client.post(address, form, follow=True)
    months = dict(page.context["kinds"])["Tháng"]
    assert (months[5].due, months[5].asked_words, months[0].due) == (date(2024, 6, 25), "Tỉnh", date(2024, 1, 26))
    assert page.context["may_edit"] is True
    stale = form | {"due": "26/6/2024", "initial-due": "05/07/2024"}  # as it was shown before
    assert client.post(address, stale).status_code == 409
    years.close_year(year=2024)
    assert client.post(address, form).status_code == 422
    assert client.get(LIST, {"nam": 2024}).context["may_edit"] is False
