from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from activities import hosting, periods, review
from activities.models import PeriodReport
from targets import years
from targets.models import WorkYear
from tests.factories import make_activity, make_unit, make_user
from units import access
from units.models import Placement, Unit

JUNE, JULY, AUGUST = date(2024, 6, 30), date(2024, 7, 1), date(2024, 8, 15)
LIST, REPORT, WITHDRAW = reverse("month_list"), reverse("month_report"), reverse("month_withdraw")


@pytest.fixture
def today(monkeypatch):
    """It is 15 August 2024."""
    monkeypatch.setattr(timezone, "localdate", lambda *_: AUGUST)


def log(world, unit=None, day=JULY, author=None, **fields):
    return make_activity(unit or world.b11, author or world.cadre, world.planting, {world.trees: 5}, day, **fields)


def sent(world, **fields):
    activity = log(world, **fields)
    review.submit(activity=activity, actor=activity.author)
    return activity


def report(world, number=7, *, nothing, unit=None, actor=None, year=None):
    unit, actor = unit or world.b11, actor or world.cadre
    return periods.report_month(unit=unit, year=year or world.year, number=number, nothing=nothing, actor=actor)


def month(world, unit, number=7):
    placement = Placement.objects.get(unit=unit, year=2024)
    return periods.months_of([placement], world.year)[unit.pk][number - 1]


def reports():
    rows = PeriodReport.objects.order_by("unit__code", "number")
    return list(rows.values_list("unit__code", "number", "nothing", "actor__username"))


def signs(world, *units):
    """What the superior's grid shows, June to September."""
    rows = periods.months_of(Placement.objects.filter(unit__in=units, year=2024), world.year)
    return {Unit.objects.get(pk=unit).code: [row.sign for row in months[5:9]] for unit, months in rows.items()}


# --- The months themselves ---


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2024, 1, 1), date(2024, 12, 31)),
        (date(2023, 12, 15), date(2024, 12, 14)),
        (date(2023, 12, 31), date(2024, 12, 30)),
        (date(2024, 1, 1), date(2024, 5, 10)),
    ],
)
def test_every_day_lies_in_the_month_in_which_records_count_it(first, last):
    year = WorkYear(year=2024, first_day=first, last_day=last)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    oracle = {}
    for day in days:
        oracle.setdefault(year.month_of(day), []).append(day)
    expected = [(number, found[0], found[-1]) for number, found in oracle.items()]
    assert [(row.number, row.first_day, row.last_day) for row in periods.calendar(year)] == expected


# --- How they stand ---


def test_a_month_counts_the_units_branch_each_record_once_and_declarations_never(world, today):
    branch = make_unit("c111", "chi-doan", world.b11)
    for unit in (world.b11, branch):
        log(world, unit)
    joint = sent(world, hosts=[branch, world.b12])
    review.approve(activity=joint, actor=world.secretary)
    declined = sent(world, unit=world.b12, author=world.other_cadre, hosts=[world.b11])
    hosting.decline(activity=declined, unit=world.b11, actor=world.cadre, reason="Không tham gia")
    returned = sent(world)
    review.return_to_author(activity=returned, actor=world.secretary, reason="Sai ngày")
    review.cancel(activity=log(world), actor=world.cadre, reason="Ghi trùng")
    make_activity(world.b11, world.cadre, world.declaring, {world.members: 9}, JULY)
    sent(world, day=JUNE)

    def counts(unit):
        row = month(world, unit).counts
        return row.sent, row.approved, row.returned, row.drafts

    assert counts(world.b11) == (1, 1, 1, 2)
    assert counts(branch) == (1, 1, 0, 1)
    assert counts(world.b12) == (2, 1, 0, 0)
    assert counts(world.k1) == (2, 1, 1, 2)  # the joint one once
    assert counts(world.k2) == (0, 0, 0, 0)
    assert signs(world, world.b11, world.b12) == {"b11": ["● 1", "● 1", "○", ""], "b12": ["○", "● 2", "○", ""]}


def test_statements_do_not_grow_with_units_records_and_reports(world, today, django_assert_num_queries):
    for count in (1, 3):
        for _ in range(count):
            sent(world, hosts=[world.b12])
        children = list(Placement.objects.filter(parent=world.k1, year=2024))
        with django_assert_num_queries(2):
            periods.months_of(children, world.year)
        report(world, nothing=False)
        report(world, 6, nothing=True, unit=world.b12, actor=world.other_cadre)
        for n in range(2):
            make_unit(f"them-{count}-{n}", "doan-co-so", world.k1)


# --- The word ---


def test_a_word_is_given_once_replaced_when_it_turned_and_taken_back(world, today):
    assert [report(world, nothing=True), report(world, nothing=True, actor=world.secretary)] == [True, False]
    assert reports() == [("b11", 7, True, "cadre")]
    row = month(world, world.b11)
    assert (row.state, row.sign, row.can_report, row.can_withdraw, row.has_later) == (
        "Đã báo không phát sinh",
        "–",
        False,
        True,
        False,
    )
    sent(world)  # allowed, and shown
    row = month(world, world.b11)
    assert (row.state, row.sign, row.has_later, row.said) == (
        "Đã báo không phát sinh",
        "● 1",
        True,
        "Tháng 7 không phát sinh thêm",
    )
    assert report(world, nothing=False, actor=world.secretary)
    assert reports() == [("b11", 7, False, "secretary")]
    row = month(world, world.b11)
    assert (row.state, row.sign, row.can_report, row.has_later) == ("Đã báo đủ", "● 1 ✓", False, False)
    taken = {"unit": world.b11, "year": world.year, "number": 7, "actor": world.cadre}
    assert [periods.withdraw_month(**taken), periods.withdraw_month(**taken)] == [True, False]
    assert reports() == []


def test_a_word_that_the_records_contradict_is_refused(world, today):
    log(world)
    with pytest.raises(ValidationError, match="Tháng 7 đã ghi 1 hoạt động"):
        report(world, nothing=True)
    with pytest.raises(ValidationError, match="Tháng 6 chưa ghi hoạt động nào"):
        report(world, 6, nothing=False)
    assert reports() == []


def test_months_ahead_closed_years_and_other_peoples_units_are_refused(world, today):
    for number, words in ((9, "Tháng 9 chưa tới"), (13, "không có tháng thứ 13"), (0, "không có tháng thứ 0")):
        with pytest.raises(ValidationError, match=words):
            report(world, number, nothing=True)
    assert report(world, 8, nothing=True)  # the month that runs may be complete already
    for actor in (world.other_cadre, world.stranger, world.viewer):
        with pytest.raises(PermissionDenied):
            report(world, nothing=True, actor=actor)
        with pytest.raises(PermissionDenied):
            periods.withdraw_month(unit=world.b11, year=world.year, number=8, actor=actor)
    years.close_year(year=2024)
    with pytest.raises(ValidationError, match="2024 đã khoá"):
        report(world, nothing=True)  # the year at hand was read before it was closed
    with pytest.raises(ValidationError, match="2024 đã khoá"):
        periods.withdraw_month(unit=world.b11, year=world.year, number=8, actor=world.cadre)
    assert reports() == [("b11", 8, True, "cadre")]


# --- The pages ---


def at(address, unit="b11", **query):
    return address + "?" + "&".join(f"{key}={value}" for key, value in {"nam": 2024, "don-vi": unit, **query}.items())


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_nothing_happened_is_asked_once_and_can_be_taken_back(client, world):
    client.force_login(world.cadre)
    asked = client.get(at(REPORT, thang=7))
    assert (asked.status_code, asked.context["month"].said) == (200, "Tháng 7 không phát sinh")
    assert reports() == []
    done = client.post(at(REPORT, thang=7), {"loai": "khong", "tiep": "/?nam=2024"}, follow=True)
    assert done.redirect_chain == [("/?nam=2024", 302)]
    assert said(done) == ["Đã báo: Tháng 7 không phát sinh."]
    assert said(client.post(at(REPORT, thang=7), {"loai": "khong"}, follow=True)) == [
        "Đã báo trước đó: Tháng 7 không phát sinh."
    ]
    assert reports() == [("b11", 7, True, "cadre")]
    back = client.post(at(WITHDRAW, thang=7), {"tiep": "//evil.test/"}, follow=True)
    assert back.redirect_chain == [(at(LIST), 302)]
    assert (said(back), reports()) == (["Đã rút lại báo cáo tháng 7."], [])


def test_bad_input_is_answered_in_words(client, world):
    log(world)
    client.force_login(world.cadre)
    for word in ("khong", "", "x" * 5000):
        refused = client.post(at(REPORT, thang=7), {"loai": word})
        assert (refused.status_code, len(refused.context["errors"])) == (422, 1)
    for query in (
        {"thang": "13"},
        {"thang": "0"},
        {"thang": "9" * 30},
        {"thang": "x"},
        {"nam": 1999},
    ):
        assert client.post(at(REPORT, **{"thang": 7} | query), {"loai": "du"}).status_code == 404
    assert client.get(at(LIST, "b21")).status_code == client.get(at(LIST, "b11%01")).status_code == 404
    years.close_year(year=2024)
    closed = client.post(at(REPORT, thang=7), {"loai": "du"})
    assert (closed.status_code, "Năm công tác đã khoá" in closed.content.decode()) == (422, True)
    assert said(client.post(at(WITHDRAW, thang=7), follow=True)) == [
        "Năm công tác 2024 đã khoá nên không báo cáo tháng được nữa."
    ]
    assert reports() == []


def test_the_superior_reads_the_children_and_equal_statements_for_more(
    client, world, today, django_assert_max_num_queries
):
    sent(world)
    sent(world, unit=world.b21, author=make_user("cadre-21", access.CADRE, world.b21))
    report(world, nothing=False)
    report(world, 6, nothing=True, unit=world.b12, actor=world.other_cadre)
    client.force_login(world.viewer)
    page = client.get(at(LIST, "k1")).context
    grid = {unit.code: [row.sign for row in months[5:9]] for unit, _, months in page["children"]}
    assert grid == {"b11": ["○", "● 1 ✓", "○", ""], "b12": ["–", "○", "○", ""]}
    assert [(row.counts.sent, row.state) for row in page["months"][5:8]] == [
        (0, "Chưa báo"),
        (1, "Chưa báo"),
        (0, "Chưa báo"),
    ]
    assert page["may_report"] is False
    client.force_login(world.secretary)
    with django_assert_max_num_queries(20) as few:
        client.get(at(LIST, "k1"))
    for n in range(5):
        unit = make_unit(f"them-{n}", "doan-co-so", world.k1)
        sent(world, unit=unit, author=world.secretary)
        report(world, nothing=False, unit=unit, actor=world.secretary)
    with django_assert_max_num_queries(20) as many:
        client.get(at(LIST, "k1"))
    assert len(few) == len(many)
