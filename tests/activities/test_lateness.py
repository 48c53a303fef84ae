"""Who has not reported, reminding them, and reporting rates."""

import io
import random
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from activities.models import PeriodReport, Reminder, ReportState
from activities.reporting import late_views, lateness, reminders
from targets import years
from targets.models import Period, PeriodKind
from tests.factories import grant, make_unit, make_user
from units import access
from units.models import JournalEntry, Notice, NoticeKind, Placement, Unit, User

AUGUST = date(2024, 8, 9)  # July was due on the 5th, with three days of grace
LIST, RATES, REMIND = reverse("late_list"), reverse("rate_table"), reverse("late_remind")


@pytest.fixture
def today(monkeypatch):
    """It is 9 August 2024; today(day) makes it another day."""

    def set_day(day):
        monkeypatch.setattr(timezone, "localdate", lambda *_: day)

    set_day(AUGUST)
    return set_day


def july():
    return Period.objects.get(year=2024, kind=PeriodKind.MONTH, number=7)


def report(unit, period, late=0, state=ReportState.SENT, actor=None):
    at = timezone.make_aware(datetime(2024, 8, 1, 9))
    actor = actor or User.objects.get(username="cadre")
    return PeriodReport.objects.create(
        unit=unit,
        period=period,
        year_id=2024,
        nothing=False,
        state=state,
        actor=actor,
        at=at,
        first_at=at,
        days_late=late,
        reason="Thiếu số" if state == ReportState.RETURNED else "",
    )


def get(client, user, url=LIST, **query):
    client.force_login(user)
    return client.get(url, {"nam": 2024} | {key.replace("_", "-"): value for key, value in query.items()})


def listed(response):
    return [row.unit.code for row in response.context.get("rows", [])]


# --- Against counting by hand ---


def scatter(world, seed):
    """More units, a campaign of k1, and reports of every kind, at random."""
    pick = random.Random(seed)
    units = [world.b11, world.b12, world.b21, world.b22, world.k1, world.k2, world.p1, world.p2]
    for number in range(14):
        kind, parent = pick.choice([("doan-co-so", world.k1), ("doan-co-so", world.k2), ("doan-co-so", world.p1),
                                    ("chi-doan", world.b11), ("doan-khoi", world.p1)])  # fmt: skip
        days = {"founded": date(2024, 4, 10)} if number % 5 == 1 else {}
        days |= {"dissolved": date(2024, 5, 20)} if number % 5 == 2 else {}
        units.append(make_unit(f"x{number:02}", kind, parent, **days))
        if kind == "doan-khoi":
            units.append(make_unit(f"y{number:02}", "doan-co-so", units[-1]))
    Period.objects.create(
        year=world.year, kind=PeriodKind.CAMPAIGN, number=1, issuer=world.k1, name="Tháng Thanh niên",
        first_day=date(2024, 3, 1), last_day=date(2024, 3, 31), due=date(2024, 4, 4), levels=["base", "branch"],
    )  # fmt: skip
    Period.objects.filter(kind=PeriodKind.QUARTER, number=1).update(is_asked=False)
    for period in Period.objects.filter(year=2024):
        for unit in units:
            if pick.random() < 0.7:
                report(unit, period, late=pick.choice([0, 0, 0, 1, 3, 9]), state=pick.choice(ReportState.values))
    return units


class ByHand:
    """The same numbers by walking up from every unit."""

    def __init__(self):
        self.places = {row.unit_id: row for row in Placement.objects.filter(year=2024).select_related("unit")}
        self.words = {(row.unit_id, row.period_id): row for row in PeriodReport.objects.all()}

    def above(self, unit):
        """The units over one, the nearest first."""
        found, parent = [], self.places[unit].parent_id
        while parent:
            found.append(parent)
            parent = self.places[parent].parent_id
        return found

    def must(self, period, unit):
        place = self.places[unit]
        born, gone = place.unit.founded or date.min, place.unit.dissolved or date.max
        return (
            period.is_asked
            and place.level in period.levels
            and born <= period.last_day < gone
            and bool(self.above(unit))
            and (period.issuer_id is None or period.issuer_id in self.above(unit))
        )

    def word(self, period, unit):
        row = self.words.get((unit, period.pk))
        return row if row and row.state in ("sent", "accepted") else None

    def tally(self, period, units):
        asked = [unit for unit in units if self.must(period, unit)]
        words = [word for unit in asked if (word := self.word(period, unit))]
        return len(asked), len(words), sum(word.days_late == 0 for word in words)


@pytest.mark.parametrize("seed", [1, 2])
def test_rates_lists_and_scores_are_what_counting_by_hand_gives(world, today, seed):
    units = scatter(world, seed)
    hand = ByHand()
    periods = list(Period.objects.filter(year=2024))
    for user, top in ((world.secretary, world.k1), (world.admin, world.p1), (world.central, world.tw)):
        here = hand.places[top.pk]
        below = lateness.below(user, here)
        found = lateness.tallies(periods, below, len(here.path) + 6)
        expected = {}
        for child in (place for place in hand.places.values() if place.parent_id == top.pk):
            branch = [unit for unit in hand.places if unit == child.unit_id or child.unit_id in hand.above(unit)]
            expected |= {(child.path, period.pk): hand.tally(period, branch) for period in periods}
        expected = {key: numbers for key, numbers in expected.items() if numbers[0]}
        assert {key: (row.must, row.given, row.on_time) for key, row in found.items()} == expected
        for period in periods:
            subtree = [unit for unit in hand.places if top.pk in hand.above(unit)]
            late = {unit for unit in subtree if hand.must(period, unit) and not hand.word(period, unit)}
            assert set(lateness.missing(period, below).values_list("unit_id", flat=True)) == late
    expected = {}
    for unit in units:
        kinds = defaultdict(Counter)
        for period in (period for period in periods if hand.must(period, unit.pk) and period.first_day <= AUGUST):
            word, kind = hand.word(period, unit.pk), kinds[period.kind]
            if word:
                kind.update({"on_time": word.days_late == 0, "late": word.days_late > 0, "days_late": word.days_late})
            kind["missing"] += not word and (AUGUST - period.due).days > period.grace
        expected[unit.pk] = {kind: lateness.Score(**counts) for kind, counts in kinds.items()}
    assert lateness.scores([unit.pk for unit in units], world.year) == expected
    assert lateness.scores([world.tw.pk], world.year) == {world.tw.pk: {}}


@pytest.mark.parametrize(
    ("part", "whole", "percent"), [(0, 0, None), (0, 9, 0), (8, 9, 8889), (29_999, 30_000, 9999), (9, 9, 10_000)]
)
def test_all_is_all_and_nobody_is_blank(part, whole, percent):
    assert lateness.share(part, whole) == percent


# --- The pages ---


@pytest.fixture
def late(world, today):
    """July: k1's b11 has not reported, b12 has, four days late; x1 has no account, c111 is no unit that reports.
    Beside them the whole of k2, where nobody has reported."""
    world.cadre.phone = "0912000111"
    world.cadre.save()
    make_user("neighbour", access.CADRE, world.b21, full_name="Người khối khác", phone="0912999888")
    world.x1 = make_unit("x1", "doan-co-so", world.k1, name="Đơn vị ẩn danh")
    make_unit("c111", "chi-doan", world.b11)
    report(world.b12, july(), late=4)
    report(world.k1, july())
    return world


def test_the_list_names_who_is_late_with_whom_to_call_and_nobody_of_another_unit(late, client):
    response = get(client, late.secretary)
    assert response.context["period"] == july()  # the one that was due last
    rows = [(row.unit.code, row.state.words, [p.phone for p in row.people]) for row in response.context["rows"]]
    assert rows == [("x1", "Trễ 4 ngày", []), ("b11", "Trễ 4 ngày", ["0912000111"])]
    assert [row.unit.code for row in response.context["rows"] if row.is_chosen] == ["b11"]
    shown = {which: listed(get(client, late.secretary, tinh_trang=which)) for which in ("da", "dung-han", "phai")}
    assert shown == {"da": ["b12"], "dung-han": [], "phai": ["x1", "b11", "b12"]}

    text = response.content.decode()
    assert '<a href="tel:0912000111">' in text
    assert response.context["message"].startswith("Kính gửi: Đơn vị ẩn danh, Đơn vị b11.\n")
    assert "Tháng 7 năm 2024 của đơn vị (hạn nộp 05/08/2024, trễ 4 ngày)" in response.context["message"]
    for kind in ("xlsx", "csv"):
        file = get(client, late.secretary, reverse(f"late_list_{kind}"), tinh_trang="phai", ca_cay=1)
        content = b"".join(file.streaming_content)
        text += content.decode() if kind == "csv" else ""
    cells = [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(
        b"".join(get(client, late.secretary, reverse("late_list_xlsx"), tinh_trang="phai").streaming_content)
    )).active]  # fmt: skip
    assert [row[0] for row in cells[1:]] == ["x1", "b11", "b12"]
    assert cells[3][2:7] == ["Đơn vị k1", "Tháng 7 năm 2024", datetime(2024, 8, 5), "Đã gửi trễ 4 ngày", 4]
    for page in (get(client, late.secretary, ca_cay=1), get(client, late.secretary, RATES)):
        text += page.content.decode()
    assert [word for word in ("Đơn vị b21", "Đơn vị k2", "Người khối khác", "0912999888") if word in text] == []


def test_the_list_goes_down_the_tree_and_out_of_it_for_nobody(late, client):
    assert listed(get(client, late.admin)) == []  # of p1: k1 has reported
    deep = get(client, late.admin, ca_cay=1)
    assert (listed(deep), [row.superior.code for row in deep.context["rows"]]) == (["x1", "b11"], ["k1", "k1"])
    assert deep.context["message"].startswith("Kính gửi: Đơn vị ẩn danh (Đơn vị k1), Đơn vị b11 (Đơn vị k1).\n")
    assert listed(get(client, late.admin, nhanh="k1", tinh_trang="phai")) == ["x1", "b11", "b12", "k1"]
    assert "Tất cả 1 đơn vị đã báo cáo Tháng 7 năm 2024." in get(client, late.admin).content.decode()
    assert "Không có đơn vị cấp dưới nào phải báo cáo" in get(client, late.cadre).content.decode()
    refused = [{"don_vi": "k2"}, {"don_vi": "p1"}, {"nhanh": "b21"}, {"nhanh": "k1"}]
    assert [get(client, late.secretary, **query).status_code for query in refused] == [404] * 4
    wrong = [{"ky": "0"}, {"ky": "9" * 30}, {"tinh_trang": "x"}]
    assert [get(client, late.secretary, **query).status_code for query in wrong] == [422] * 3
    assert [get(client, late.secretary, RATES, **query).status_code for query in wrong] == [404, 404, 200]


def test_what_no_superior_has_accepted_is_found_however_deep_and_for_every_period(late, client):
    deep = Unit.objects.get(code="c111")
    june = Period.objects.get(year=2024, kind=PeriodKind.MONTH, number=6)
    report(deep, june)
    PeriodReport.objects.filter(unit=deep).update(at=timezone.make_aware(datetime(2024, 7, 1, 9)))
    report(late.b11, june, state=ReportState.ACCEPTED)
    report(late.b21, june)  # of the khối beside
    User.objects.filter(pk=late.secretary.pk).update(phone="0912000222")
    query = {"tinh_trang": "cho-nhan", "ca_cay": 1, "ky": "tat-ca"}

    def rows(user, **more):
        found = get(client, user, **query | more).context["rows"]
        return [(row.report.unit.code, row.report.period.name, row.superior.code, row.people) for row in found]

    secretary, nobody = late.secretary, []
    below = [("c111", "Tháng 6", "k1", [secretary]), ("b12", "Tháng 7", "k1", [secretary])]
    assert rows(secretary) == below  # no secretary at b11: the khối's accepts what c111 sent
    assert rows(secretary, ca_cay="") == below[1:]
    assert rows(secretary, ky=june.pk) == below[:1]
    assert rows(late.admin) == [*below, ("k1", "Tháng 7", "p1", nobody)]
    assert rows(late.admin, nhanh="b11") == below[:1]
    assert rows(late.cadre) == [("c111", "Tháng 6", "b11", nobody)]  # who stands above the reader is not listed
    report(late.x1, june, actor=secretary)
    assert rows(secretary)[-1] == ("x1", "Tháng 6", "k1", nobody)  # nobody accepts what they sent
    response = get(client, secretary, **query)
    text = response.content.decode()
    for kind in ("xlsx", "csv"):
        file = get(client, secretary, reverse(f"late_list_{kind}"), **query)
        content = b"".join(file.streaming_content)
        text += content.decode() if kind == "csv" else ""
    book = openpyxl.load_workbook(io.BytesIO(
        b"".join(get(client, secretary, reverse("late_list_xlsx"), **query).streaming_content)
    )).active  # fmt: skip
    assert [[cell.value for cell in row] for row in book][1] == [
        "c111", "Đơn vị c111", "Tháng 6 năm 2024", datetime(2024, 7, 1), 39, "Đơn vị k1", "Người secretary 0912000222",
    ]  # fmt: skip
    assert '<a href="tel:0912000222">' in text
    assert [word for word in ("Đơn vị b21", "Người khối khác") if word in text] == []
    # Every way there leads to the same list; the year's closing counts what the central office finds behind its link.
    for url in (reverse("period_list"), RATES):
        assert len(client.get(get(client, secretary, url).context["waiting_url"]).context["rows"]) == 3
    days = {"first_day": date(2024, 7, 1), "last_day": date(2024, 7, 31), "due": date(2024, 8, 5)}
    calls = {"kind": PeriodKind.CAMPAIGN, "number": 1, "levels": ["province", "base"], **days}
    calls = [Period.objects.create(year=late.year, issuer=by, name=f"Đợt {by}", **calls) for by in (late.tw, late.k2)]
    client.force_login(late.central)
    silent, item = client.get(reverse("year_close", args=[2024])).context["items"][4:6]
    opened = client.get(item.url).context["page"].paginator.count
    assert (item.count, opened) == (5, PeriodReport.objects.filter(state=ReportState.SENT).count())
    hand, begun = ByHand(), Period.objects.filter(year=2024, first_day__lte=AUGUST).exclude(pk=calls[1].pk)
    missing = sum(hand.must(one, unit) and not hand.word(one, unit) for one in begun for unit in hand.places)
    rates = client.get(silent.url).context
    assert (silent.count, rates["missing"], len(rates["heads"])) == (missing, missing, len(begun))
    assert rates["heading"] == "Tỷ lệ báo cáo mọi kỳ, năm 2024"
    refused = [get(client, secretary, tinh_trang=which, ky="tat-ca").status_code for which in ("chua", "cho-nhan")]
    assert refused == [422, 200]
    assert client.get(reverse("late_list_csv"), {"nam": 2024, "ky": "tat-ca"}).status_code == 404


def test_a_rate_is_sum_over_sum_and_every_number_opens_its_units(late, client):
    response = get(client, late.admin, RATES, ky=july().pk)
    (line, total) = response.context["lines"]
    (cell,) = line.cells
    assert (line.unit.code, [number for number, _ in cell.numbers], cell.rate) == ("k1", ["4", "2", "1", "2"], "50%")
    assert [number for number, _ in total.cells[0].numbers] == ["4", "2", "1", "2"]
    opened = [listed(client.get(url)) for _, url in cell.numbers]
    assert opened == [["x1", "b11", "b12", "k1"], ["b12", "k1"], ["k1"], ["x1", "b11"]]
    assert [sorted(listed(client.get(url))) for _, url in total.cells[0].numbers] == [sorted(row) for row in opened]

    months = get(client, late.secretary, RATES)
    names = [period.name for period, _, _ in months.context["heads"]]
    assert names == [f"Tháng {number}" for number in range(8, 0, -1)]  # those that have begun
    b12 = next(line for line in months.context["lines"] if line.unit == late.b12)
    assert [cell.rate for cell in b12.cells] == ["0%", "100%", *["0%"] * 6]
    Period.objects.filter(kind=PeriodKind.MONTH, number=7).update(levels=["province"])
    months = get(client, late.secretary, RATES)
    assert [cell.rate for cell in months.context["lines"][-1].cells][1] == "–"  # nobody has to
    book = openpyxl.load_workbook(io.BytesIO(
        b"".join(get(client, late.admin, reverse("rate_table_xlsx"), loai="half").streaming_content)
    )).active  # fmt: skip
    assert [[cell.value for cell in row] for row in book][1:] == [
        ["k1", "Đơn vị k1", 4, 0, 0, 0, 4, 0, 0, 0],
        [None, "Cộng", 4, 0, 0, 0, 4, 0, 0, 0],
    ]


def test_statements_do_not_grow_with_the_units(late, client):
    def statements(url):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url, {"nam": 2024}).status_code == 200
        return len(captured)

    client.force_login(late.secretary)
    reminders.remind(units=[late.b11], period=july(), actor=late.secretary)
    waiting = f"{LIST}?tinh-trang=cho-nhan&ca-cay=1&ky=tat-ca&don-vi=k1&nam=2024"
    few = [statements(url) for url in (LIST, RATES, "/", waiting)]
    for number in range(27):
        unit = make_unit(f"them{number}", "doan-co-so", late.k1)
        make_user(f"them{number}", access.CADRE, unit)
        if number % 2:
            reminders.remind(units=[unit], period=july(), actor=late.staff)
        report(unit, Period.objects.get(year=2024, kind=PeriodKind.MONTH, number=6))
    assert [statements(url) for url in (LIST, RATES, "/", waiting)] == few
    assert max(few[:2]) <= 20


def test_the_first_page_and_the_units_page_say_how_the_reporting_stands(late, client, today):
    tile = get(client, late.secretary, "/").context["late"]
    assert tile.text == "Chưa báo cáo 2/3 · Tháng 7"
    assert listed(client.get(tile.url)) == ["x1", "b11"]
    assert get(client, late.cadre, "/").context["late"] is None
    page = get(client, late.secretary, reverse("unit_detail", args=["b12"])).content.decode()
    assert "Báo cáo năm 2024: 1 trễ (4 ngày), 9 thiếu" in page  # 6 months, 2 quarters and a half were not reported

    years.open_year(year=2025, actor=None)
    today(date(2025, 1, 20))  # nothing of the new year is due yet
    access.forget_grants(late.secretary)
    tile = client.get("/", {"nam": 2025}).context["late"]
    assert (tile.text, listed(client.get(tile.url))) == ("Chưa báo cáo 3/3 · Năm 2024", ["x1", "b11", "b12"])


# --- Reminding ---


def notices():
    rows = Notice.objects.filter(kind=NoticeKind.REMINDED).order_by("pk")
    return list(rows.values_list("user__username", "unit__code", "text"))


def test_a_unit_is_reminded_once_a_day_and_its_own_people_are_told(late, today):
    grant(late.cadre, access.STAFF, late.b11)  # two roles, one notice
    everybody = [late.b11, late.b12, late.x1]
    outcome = reminders.remind(units=everybody, period=july(), actor=late.secretary)
    assert (outcome.reminded, outcome.people) == ([late.b11], 1)
    assert (outcome.already, outcome.reported, outcome.unreached) == ([], [late.b12], [late.x1])
    said = ("cadre", "b11", "Nhắc báo cáo Tháng 7: hạn 05/08, trễ 4 ngày")
    assert notices() == [said]
    url = Notice.objects.get().url
    assert url == f"{reverse('period_report')}?nam=2024&don-vi=b11&ky={july().pk}"
    entry = JournalEntry.objects.get(verb=reminders.remind.code)
    assert (entry.unit, entry.actor, entry.year, entry.label) == (late.b11, late.secretary, 2024, "Tháng 7: Đơn vị b11")

    june = Period.objects.get(year=2024, kind=PeriodKind.MONTH, number=6)
    again = reminders.remind(units=[late.b11], period=june, actor=late.staff)  # once a day, whatever the period
    assert (again.reminded, again.already, notices()) == ([], [late.b11], [said])
    today(AUGUST + timedelta(days=1))
    reminders.remind(units=[late.b11], period=july(), actor=late.staff)
    assert notices()[1:] == [("cadre", "b11", "Nhắc báo cáo Tháng 7: hạn 05/08, trễ 5 ngày")]
    assert list(Reminder.objects.values_list("unit__code", "day", "actor__username").order_by("day")) == [
        ("b11", AUGUST, "secretary"),
        ("b11", AUGUST + timedelta(days=1), "staff"),
    ]


def test_only_superiors_remind_and_only_of_what_can_be_reported(late, today):
    def refused(actor, units, period=None):
        with pytest.raises((PermissionDenied, ValidationError)) as caught:
            reminders.remind(units=units, period=period or july(), actor=actor)
        return caught.type

    assert refused(late.secretary, [late.b11, late.b21]) is PermissionDenied  # another khối's
    assert refused(late.secretary, [late.k1]) is PermissionDenied  # one's own
    for stranger in (late.stranger, late.cadre, late.viewer, late.admin):
        assert refused(stranger, [late.b11]) is PermissionDenied
    assert refused(late.secretary, [late.b11], Period.objects.get(year=2024, number=9)) is ValidationError
    gone = july()
    gone.pk = 0  # a campaign that was removed meanwhile
    assert refused(late.secretary, [late.b11], gone) is ValidationError
    today(date(2024, 8, 4))
    late_by = reminders.remind(units=[late.b11], period=july(), actor=late.central)
    assert [text for *_, text in notices()] == ["Nhắc báo cáo Tháng 7: hạn 05/08, còn 1 ngày"]
    years.close_year(year=2024)
    assert refused(late.secretary, [late.b11]) is ValidationError
    assert (late_by.reminded, Reminder.objects.count()) == ([late.b11], 1)


def test_the_button_reminds_what_is_ticked_and_says_what_it_left_out(late, client, monkeypatch):
    def press(*units, user=late.secretary, **query):
        client.force_login(user)
        url = f"{REMIND}?nam=2024&ky={july().pk}"
        response = client.post(url, {"chon": [getattr(unit, "pk", unit) for unit in units]}, follow=True)
        return response.status_code, [str(message) for message in response.context.get("messages", [])]

    assert press() == (200, ["Chưa chọn đơn vị nào để nhắc."])
    assert press("\0", "x") == (200, ["Chưa chọn đơn vị nào để nhắc."])
    assert [press(unit)[0] for unit in (late.b21, late.k1, "9" * 15)] == [404, 404, 404]
    code, (said,) = press(late.b11)
    assert (code, said.startswith("Đã nhắc 1 đơn vị báo cáo Tháng 7 (1 người nhận thông báo).")) == (200, True)
    assert press(late.b11) == (200, ["1 đơn vị đã được nhắc hôm nay nên không nhắc lại: Đơn vị b11."])
    response = get(client, late.secretary)
    assert [(row.unit.code, row.is_chosen) for row in response.context["rows"]] == [("x1", False), ("b11", False)]
    monkeypatch.setattr(late_views, "ROWS_A_PAGE", 1)
    make_user("hidden", access.CADRE, late.x1)
    page = get(client, late.secretary)
    assert (listed(page), page.context["remind_all"]) == (["x1"], 2)
    assert page.context["message"].startswith("Kính gửi: 2 đơn vị trong danh sách gửi kèm.\n")
    client.force_login(late.secretary)
    everybody = client.post(f"{REMIND}?nam=2024&ky={july().pk}", {"tat-ca": "1", "chon": late.b21.pk}, follow=True)
    assert [str(message).split(".")[0] for message in everybody.context["messages"]] == [
        "Đã nhắc 1 đơn vị báo cáo Tháng 7 (1 người nhận thông báo)",
        "1 đơn vị đã được nhắc hôm nay nên không nhắc lại: Đơn vị b11",
    ]
    client.force_login(late.viewer)
    assert client.post(REMIND).status_code == 403
    text = "Nhắc báo cáo Tháng 7: hạn 05/08, trễ 4 ngày"
    assert notices() == [("cadre", "b11", text), ("hidden", "x1", text)]


# --- By the calendar ---


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (range(-6, 10), {-5: "còn 5 ngày", 0: "đến hạn hôm nay", 2: "đang gia hạn đến 08/08"}),
        ((-6, -3, -2, 1, 2, 3), {-3: "còn 3 ngày", 1: "đang gia hạn đến 08/08"}),  # what was missed is made up for
        ((7, 8), {7: "trễ 7 ngày"}),
        ((8, 9), {}),
    ],
)
def test_the_calendar_reminds_before_on_and_after_the_due_day_once_each(late, today, capsys, runs, expected):
    brief = {"year": late.year, "kind": PeriodKind.CAMPAIGN, "number": 1, "issuer": late.k2, "levels": ["base"]}
    days = {"first_day": date(2024, 8, 14), "last_day": date(2024, 8, 15), "due": date(2024, 8, 15)}
    Period.objects.create(**brief, **days, name="Đợt ngắn")  # it has not begun five days before it is due
    told = {}
    for day in runs:
        today(date(2024, 8, 5) + timedelta(days=day))
        before = Notice.objects.count()
        call_command("send_nudges")
        call_command("send_nudges")
        if rows := sorted((unit, text) for _, unit, text in notices()[before:] if unit in ("b11", "b12", "x1")):
            told[day] = rows
    assert told == {day: [("b11", f"Báo cáo Tháng 7: hạn 05/08, {words}")] for day, words in expected.items()}
    assert {user for user, *_ in notices()} <= {"cadre", "neighbour", "stranger"}  # k2's people about k2 and b21
    assert Reminder.objects.count() == 0
    campaign = [(unit, text) for _, unit, text in notices() if "Đợt ngắn" in text]
    assert campaign == [("b21", "Báo cáo Đợt ngắn: hạn 15/08, còn 1 ngày")] * (9 in runs)
    entries = JournalEntry.objects.filter(verb=reminders.nudge.code, label__startswith="Tháng 7")
    assert [(entry.unit, entry.actor, entry.label) for entry in entries.order_by("pk")] == [
        (None, None, "Tháng 7 (2024): 3 đơn vị")
    ] * len(expected)
    assert set(capsys.readouterr().out.splitlines()[1::2]) == {"Đã nhắc 0 đơn vị (0 thông báo)."}  # each second run
