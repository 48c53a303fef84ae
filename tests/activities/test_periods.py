from datetime import date, datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from activities import locks, review
from activities.joint import hosting
from activities.locks import WrongState
from activities.models import Correction, PeriodReport, ReportState, Unlock
from activities.reporting import periods, unit_periods
from activities.reporting.period_states import Stage, asked, is_asked, state_of
from targets import periods as calendar
from targets import years
from targets.models import Period
from tests.factories import approve, make_activity, make_unit, make_user
from units import access, tree
from units.models import JournalEntry, Notice, Placement, Unit

JUNE, JULY, AUGUST = date(2024, 6, 30), date(2024, 7, 1), date(2024, 8, 15)
LIST, REPORT, WITHDRAW = reverse("period_list"), reverse("period_report"), reverse("period_withdraw")
CHILDREN, ACCEPT = reverse("period_children"), reverse("reports_accept")


@pytest.fixture
def today(monkeypatch):
    """It is 15 August 2024."""
    monkeypatch.setattr(timezone, "localdate", lambda *_: AUGUST)


def period(kind="month", number=7):
    return Period.objects.standard().select_related("year").get(year=2024, kind=kind, number=number)


def campaign(world, first_day=date(2024, 6, 20), last_day=date(2024, 7, 20), issuer=None, **fields):
    fields = {"name": "Chiến dịch hè", "due": last_day, "grace": 2, "levels": ["base"]} | fields
    fields |= {"first_day": first_day, "last_day": last_day, "actor": world.staff}
    return calendar.add_campaign(year=world.year, issuer=issuer or world.k1, **fields)


def log(world, unit=None, day=JULY, author=None, **fields):
    return make_activity(unit or world.b11, author or world.cadre, world.planting, {world.trees: 5}, day, **fields)


def sent(world, **fields):
    activity = log(world, **fields)
    review.submit(activity=activity, actor=activity.author)
    return activity


def report(world, about=None, *, nothing, unit=None, actor=None, **texts):
    return periods.report(
        unit=unit or world.b11, period=about or period(), nothing=nothing, actor=actor or world.cadre, **texts
    )


def the_report(unit=None, about=None):
    return PeriodReport.objects.get(unit=unit, period=about or period())


def here(unit, about=None):
    placement = Placement.objects.select_related("unit").get(unit=unit, year=2024)
    return unit_periods.of_unit(placement, [about or period()])[0]


def reports():
    rows = PeriodReport.objects.given().order_by("unit__code", "period__first_day", "period")
    return list(rows.values_list("unit__code", "period__name", "nothing", "actor__username"))


def signs(world, *units):
    """What the superior's grid shows, June to September."""
    places = Placement.objects.filter(unit__in=units, year=2024).select_related("unit")
    rows = unit_periods.of_units(places, unit_periods.months_of(world.year))
    return {Unit.objects.get(pk=unit).code: [row.sign for row in months[5:9]] for unit, months in rows.items()}


# --- Who has to report, and how a word stands ---


def test_who_is_asked_is_the_same_in_python_and_in_sql(world):
    make_unit("c111", "chi-doan", world.b11)
    make_unit("moi", "doan-co-so", world.k1, founded=date(2024, 8, 1))
    make_unit("cu", "doan-co-so", world.k1, dissolved=date(2024, 7, 31))
    make_unit("sau", "doan-co-so", world.k1, dissolved=date(2024, 8, 1))
    expected = {
        period(): ["b11", "b12", "b21", "b22", "k1", "k2", "p1", "p2", "sau"],
        period("year", 1): ["b11", "b12", "b21", "b22", "k1", "k2", "moi", "p1", "p2"],
        campaign(world, levels=["base", "branch"]): ["b11", "b12", "c111", "cu", "sau"],
        campaign(world, issuer=world.p1, name="Của tỉnh", levels=["district"]): ["k1"],
        campaign(world, issuer=world.b11, name="Của cơ sở", levels=["base"]): [],
    }
    placements = Placement.objects.filter(year=2024).select_related("unit").order_by("unit__code")
    for about, codes in expected.items():
        assert [place.unit.code for place in asked(about, placements)] == codes
        assert [place.unit.code for place in placements if is_asked(about, place)] == codes
    free = period()
    free.is_asked = False
    assert not asked(free, placements).exists()
    assert not any(is_asked(free, place) for place in placements)


@pytest.mark.parametrize(
    ("day", "stage", "words", "late"),
    [
        (date(2024, 6, 30), Stage.AHEAD, "Chưa tới", 0),
        (date(2024, 7, 1), Stage.WAITING, "Chưa đến hạn (hạn 05/08)", 0),
        (date(2024, 8, 5), Stage.WAITING, "Chưa đến hạn (hạn 05/08)", 0),
        (date(2024, 8, 6), Stage.GRACE, "Đang gia hạn (đến 08/08)", 1),
        (date(2024, 8, 8), Stage.GRACE, "Đang gia hạn (đến 08/08)", 3),
        (date(2024, 8, 9), Stage.LATE, "Trễ 4 ngày", 4),
    ],
)
def test_silence_in_words(day, stage, words, late):
    july = Period(first_day=JULY, last_day=date(2024, 7, 31), due=date(2024, 8, 5), grace=3)
    for word in (None, PeriodReport(state=ReportState.WITHDRAWN, days_late=9)):
        state = state_of(july, word, day)
        assert (state.kind, state.words, state.days_late, state.is_given) == (stage, words, late, False)


@pytest.mark.parametrize(
    ("fields", "stage", "words"),
    [
        ({}, Stage.SENT, "Đã gửi đúng hạn"),
        ({"days_late": 3}, Stage.SENT, "Đã gửi trong gia hạn, sau hạn 3 ngày"),
        ({"days_late": 4}, Stage.SENT, "Đã gửi trễ 4 ngày"),
        ({"nothing": True}, Stage.NOTHING, "Không phát sinh, đúng hạn"),
        ({"nothing": True, "days_late": 3}, Stage.NOTHING, "Không phát sinh, trong gia hạn, sau hạn 3 ngày"),
        ({"nothing": True, "days_late": 4}, Stage.NOTHING, "Không phát sinh, trễ 4 ngày"),
        ({"state": ReportState.RETURNED, "reason": "Thiếu số"}, Stage.RETURNED, "Bị trả lại: Thiếu số"),
        (
            {"state": ReportState.RETURNED, "reason": "Thiếu số", "days_late": 4},
            Stage.RETURNED,
            "Bị trả lại, trễ 4 ngày: Thiếu số",
        ),
        ({"state": ReportState.ACCEPTED, "days_late": 4}, Stage.ACCEPTED, "Đã nhận, đã khoá (trễ 4 ngày)"),
        (
            {"state": ReportState.ACCEPTED, "nothing": True},
            Stage.ACCEPTED,
            "Đã nhận, đã khoá (không phát sinh, đúng hạn)",
        ),
    ],
)
def test_a_word_in_words(fields, stage, words):
    july = Period(first_day=JULY, last_day=date(2024, 7, 31), due=date(2024, 8, 5), grace=3)
    state = state_of(july, PeriodReport(**fields), date(2025, 1, 1))
    assert (state.kind, state.words) == (stage, words)


# --- What was logged ---


def test_a_period_counts_the_units_branch_each_record_once_and_declarations_never(world, today):
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
    summer = campaign(world)

    def counts(unit, about=None):
        row = here(unit, about).counts
        return row.sent, row.approved, row.returned, row.drafts

    july = {world.b11: (1, 1, 1, 2), branch: (1, 1, 0, 1), world.b12: (2, 1, 0, 0), world.k1: (2, 1, 1, 2)}
    assert {unit: counts(unit) for unit in july} == july
    assert counts(world.k2) == (0, 0, 0, 0)
    assert (counts(world.k1, period("month", 6)), counts(world.k1, summer)) == ((1, 0, 0, 0), (3, 1, 1, 2))
    place = Placement.objects.select_related("unit").get(unit=world.k1, year=2024)
    rows = unit_periods.of_unit(place, unit_periods.periods_of(place))  # all kinds in one statement
    assert {row.name: row.counts.sent for row in rows if row.counts.sent} == {
        "Tháng 6": 1,
        "Tháng 7": 2,
        "Quý II": 1,
        "Quý III": 2,
        "6 tháng đầu năm": 1,
        "6 tháng cuối năm": 2,
        "Năm 2024": 3,
        "Chiến dịch hè": 3,
    }
    assert signs(world, world.b11, world.b12) == {"b11": ["1 ■", "1 ■", "○", ""], "b12": ["■", "2 ■", "○", ""]}


# --- The word ---


def test_a_word_is_given_once_replaced_when_it_turned_and_taken_back(world, today):
    assert [report(world, nothing=True), report(world, nothing=True, actor=world.secretary)] == [True, False]
    assert reports() == [("b11", "Tháng 7", True, "cadre")]
    row, word = here(world.b11), the_report(world.b11)
    assert (word.days_late, word.version, word.state) == (10, 1, ReportState.SENT)  # due on 5 August
    assert (row.words, row.sign, row.can_report, row.can_change, row.can_withdraw, row.has_later) == (
        "Không phát sinh, trễ 10 ngày",
        "–",
        False,
        True,
        True,
        False,
    )
    sent(world)  # allowed, and shown
    row = here(world.b11)
    assert (row.sign, row.has_later, row.said) == ("1 –", True, "Tháng 7 không phát sinh thêm")
    PeriodReport.objects.update(days_late=2)  # as if the first word had come earlier: what decides
    assert report(world, nothing=False, actor=world.secretary)
    assert report(world, nothing=False, difficulties=" Thiếu  kinh phí \r\n\r\n xa ", actor=world.secretary)
    assert not report(world, nothing=False, difficulties="Thiếu kinh phí\n\nxa")
    assert reports() == [("b11", "Tháng 7", False, "secretary")]
    word = the_report(world.b11)
    assert (word.version, word.days_late, word.first_at < word.at) == (3, 2, True)
    assert (here(world.b11).words, here(world.b11).sign) == ("Đã gửi trong gia hạn, sau hạn 2 ngày", "1 ✓")
    taken = {"unit": world.b11, "period": period(), "actor": world.cadre}
    assert [periods.withdraw_report(**taken), periods.withdraw_report(**taken)] == [True, False]
    assert (reports(), here(world.b11).words, here(world.b11).report) == ([], "Trễ 10 ngày", None)
    months = unit_periods.of_unit(here(world.b11).placement, unit_periods.months_of(world.year))
    assert [row.name for row in months if row.is_pressing] == [f"Tháng {number}" for number in range(1, 8)]
    assert report(world, nothing=False)
    assert not here(world.b11).is_pressing
    word = the_report(world.b11)  # a word that was taken back is none: the next one decides
    assert (word.version, word.days_late, word.first_at) == (5, 10, word.at)
    entries = JournalEntry.objects.about(word).order_by("pk")
    assert [entry.verb for entry in entries] == [
        act.code for act in (periods.report, periods.report, periods.report, periods.withdraw_report, periods.report)
    ]
    assert entries[4].changes == [["Khó khăn", "Thiếu kinh phí xa", ""], ["Số ngày trễ", "2", "10"]]
    assert entries[1].changes == [["Nội dung", "không phát sinh", "có hoạt động"]]
    assert entries[2].changes == [["Khó khăn", "", "Thiếu kinh phí xa"]]


def test_words_that_cannot_be_given_are_refused_in_words(world, today):
    log(world)
    june, september = period("month", 6), period("month", 9)
    foreign = campaign(world, issuer=world.k2)
    for why, unit, about, nothing in (
        ("Tháng 7 đã ghi 1 hoạt động", world.b11, period(), True),
        ("Quý III đã ghi 1 hoạt động", world.k1, period("quarter", 3), True),
        ("Tháng 6 chưa ghi hoạt động nào", world.b11, june, False),
        ("Tháng 9 chưa tới", world.b11, september, True),
        ("không phải kỳ báo cáo của", world.b11, foreign, True),
        ("không tự báo cáo", world.k1, campaign(world), False),
    ):
        with pytest.raises(ValidationError, match=why):
            report(world, about, nothing=nothing, unit=unit, actor=world.secretary)
    with pytest.raises(ValidationError, match="vừa bị xoá"):
        report(world, Period(pk=0, year=world.year), nothing=True)
    with pytest.raises(ValidationError, match="dài nhất 2000"):
        report(world, nothing=False, proposals="x" * 2001)
    assert report(world, period("month", 8), nothing=True)  # the month that runs may be complete already
    for actor in (world.other_cadre, world.stranger, world.viewer):
        with pytest.raises(PermissionDenied):
            report(world, june, nothing=True, actor=actor)
        with pytest.raises(PermissionDenied):
            periods.withdraw_report(unit=world.b11, period=period("month", 8), actor=actor)
    years.close_year(year=2024)
    for act in (
        lambda: report(world, june, nothing=True),
        lambda: periods.withdraw_report(unit=world.b11, period=period("month", 8), actor=world.cadre),
    ):
        with pytest.raises(ValidationError, match="2024 đã khoá"):
            act()
    assert reports() == [("b11", "Tháng 8", True, "cadre")]


# --- The answer ---


def unlock(unit, first_day=JULY, last_day=date(2024, 7, 31), **fields):
    fields = {"until": timezone.now() + timedelta(days=1), "reason": "Sửa", "actor_id": fields.pop("actor").pk}
    return Unlock.objects.create(unit=unit, year_id=2024, first_day=first_day, last_day=last_day, **fields)


def test_accepting_locks_closes_unlocks_tells_the_sender_and_is_done_once(world, today):
    activity = sent(world)
    report(world, nothing=False)
    word = the_report(world.b11)
    inside = unlock(world.b11, actor=world.secretary)
    longer = unlock(world.b11, first_day=JUNE, actor=world.secretary)
    other = unlock(world.b12, actor=world.secretary)
    for stranger in (world.stranger, world.staff, world.cadre):
        with pytest.raises(PermissionDenied):
            periods.accept(report=word, actor=stranger, version=1)
    with pytest.raises(WrongState, match="vừa được thay đổi"):
        periods.accept(report=word, actor=world.secretary, version=2)
    assert locks.of_record(activity).lock == ""
    assert periods.accept(report=word, actor=world.secretary, version=1)
    second = make_user("second", access.SECRETARY, world.p1)
    assert not periods.accept(report=word, actor=second, version=1)
    word.refresh_from_db()
    assert (word.state, word.decider, word.version) == (ReportState.ACCEPTED, world.secretary, 2)
    assert [Unlock.objects.get(pk=row.pk).closed_at is None for row in (inside, longer, other)] == [False, True, True]
    longer.delete()
    assert "Tháng 7 của Đơn vị b11" in locks.of_record(activity).lock
    told = Notice.objects.get(kind="report")
    assert (told.user, told.unit, told.url) == (world.cadre, world.b11, reverse("report_detail", args=[word.pk]))
    entries = JournalEntry.objects.filter(verb=periods.accept.code).order_by("pk").values_list("object_type", flat=True)
    assert list(entries) == ["activities.periodreport", "activities.unlock"]
    for act in (
        lambda: report(world, nothing=False, difficulties="Thêm"),
        lambda: periods.withdraw_report(unit=world.b11, period=period(), actor=world.cadre),
        lambda: periods.send_back(report=word, actor=world.secretary, reason="Thiếu", version=2),
    ):
        with pytest.raises(WrongState):
            act()


def test_nobody_decides_about_what_they_sent(world, today):
    report(world, nothing=True, actor=world.secretary)
    word = the_report(world.b11)
    with pytest.raises(WrongState, match="không tự nhận"):
        periods.accept(report=word, actor=world.secretary, version=1)
    with pytest.raises(ValidationError, match="không tự nhận"):
        periods.send_back(report=word, actor=world.secretary, reason="Thiếu", version=1)
    assert periods.accept(report=word, actor=make_user("second", access.SECRETARY, world.p1), version=1)


def test_a_report_that_came_back_is_sent_again_and_keeps_its_first_day(world, today, monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *_: date(2024, 8, 6))
    report(world, nothing=True)
    word = the_report(world.b11)
    monkeypatch.setattr(timezone, "localdate", lambda *_: AUGUST)
    for reason in ("", " \u200b ", "x" * 501):
        with pytest.raises(ValidationError):
            periods.send_back(report=word, actor=world.secretary, reason=reason, version=1)
    periods.send_back(report=word, actor=world.secretary, reason="Thiếu  buổi họp", version=1)
    row = here(world.b11)
    assert (row.words, row.can_report, row.can_withdraw, reports()) == ("Bị trả lại: Thiếu buổi họp", True, False, [])
    assert Notice.objects.get(kind="report").text == "Báo cáo Tháng 7 của Đơn vị b11 bị trả lại: Thiếu buổi họp"
    with pytest.raises(WrongState, match="Trả lại"):
        periods.accept(report=word, actor=world.secretary, version=2)
    assert report(world, nothing=True)
    word.refresh_from_db()
    assert (word.state, word.version, word.days_late) == (ReportState.SENT, 3, 1)


def test_a_report_that_came_back_is_put_right_within_the_grace_or_its_days_at_the_unit_count(world, monkeypatch):
    july = period()  # due on 5 August, with three days of grace

    def days_late(*steps):
        """Of a word that is sent, returned, sent, returned, sent … on these days."""
        for number, day in enumerate(steps):
            noon = timezone.make_aware(datetime.combine(day, time(12)))
            monkeypatch.setattr(timezone, "now", lambda noon=noon: noon)
            if number % 2:
                word = the_report(world.b11)
                periods.send_back(report=word, actor=world.secretary, reason="Thiếu", version=word.version)
            else:
                report(world, july, nothing=True)
        found = the_report(world.b11).days_late
        PeriodReport.objects.all().delete()
        return found

    early, due = date(2024, 7, 2), july.due
    on = [due + timedelta(days=days) for days in range(40)]
    assert days_late(early, date(2024, 7, 3), due) == 0  # 33 days at the unit, none after the due day
    assert days_late(early, date(2024, 7, 3), on[3]) == 0
    assert days_late(early, date(2024, 7, 3), on[30]) == 30
    assert days_late(due, on[20], on[23]) == 0  # the twenty days lay with the superior
    assert days_late(due, on[20], on[24]) == 4
    assert days_late(on[2], on[20], on[24], on[25], on[26], on[30], on[35]) == 2 + 4 + 5


def test_an_acceptance_is_taken_back_unless_a_longer_or_higher_one_covers_it(world, today):
    activity = sent(world)
    report(world, nothing=False)
    report(world, nothing=False, unit=world.k1, actor=world.staff)
    report(world, period("quarter", 3), nothing=False)
    word, above, quarter = the_report(world.b11), the_report(world.k1), the_report(world.b11, period("quarter", 3))
    higher = make_user("higher", access.SECRETARY, world.p1)
    for row in (word, above, quarter):
        assert periods.accept(report=row, actor=higher, version=1)
    reopen = {"actor": higher, "reason": "Sửa số", "version": 2}
    with pytest.raises(WrongState, match="Tháng 7 của Đơn vị k1"):
        periods.reopen_report(report=word, **reopen)
    with pytest.raises(PermissionDenied):
        periods.reopen_report(report=above, **reopen | {"actor": world.secretary})
    periods.reopen_report(report=above, **reopen)
    with pytest.raises(WrongState, match="Quý III của Đơn vị b11"):
        periods.reopen_report(report=word, **reopen)
    periods.reopen_report(report=quarter, **reopen)
    with pytest.raises(ValidationError, match="lý do"):
        periods.reopen_report(report=word, **reopen | {"reason": " "})
    with pytest.raises(WrongState):
        periods.reopen_report(report=word, **reopen | {"version": 1})
    periods.reopen_report(report=word, **reopen)
    word.refresh_from_db()
    assert (word.state, word.decider, word.version) == (ReportState.SENT, None, 3)
    assert locks.of_record(activity).lock == ""
    years.close_year(year=2024)
    with pytest.raises(WrongState, match="2024"):
        periods.accept(report=word, actor=higher, version=3)


# --- The pages ---


def at(address, unit="b11", **query):
    return address + "?" + "&".join(f"{key}={value}" for key, value in {"nam": 2024, "don-vi": unit, **query}.items())


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_nothing_happened_is_asked_once_and_can_be_taken_back(client, world):
    july = period()
    client.force_login(world.cadre)
    asked_page = client.get(at(REPORT, ky=july.pk))
    assert (asked_page.status_code, asked_page.context["here"].said) == (200, "Tháng 7 không phát sinh")
    assert reports() == []
    word = {"loai": "khong", "tiep": "/?nam=2024", "difficulties": "Mưa lũ", "proposals": ""}
    done = client.post(at(REPORT, ky=july.pk), word, follow=True)
    assert done.redirect_chain == [("/?nam=2024", 302)]
    assert said(done) == ["Đã báo: Tháng 7 không phát sinh."]
    assert client.get(at(REPORT, ky=july.pk)).context["form"].initial["difficulties"] == "Mưa lũ"
    again = client.post(at(REPORT, ky=july.pk), word | {"tiep": "", "ban": "0"}, follow=True)  # a double press
    assert said(again) == ["Đã báo trước đó: Tháng 7 không phát sinh."]
    over = {"loai": "khong", "difficulties": "Nắng", "ban": "0"}  # of a page opened before that word was given
    other = client.post(at(REPORT, ky=july.pk), over)
    assert (other.status_code, other.context["other"].difficulties) == (409, "Mưa lũ")
    assert (other.context["form"]["difficulties"].value(), other.context["form"]["ban"].value()) == ("Nắng", "1")
    assert the_report(world.b11).difficulties == "Mưa lũ"
    client.post(at(REPORT, ky=july.pk), over | {"ban": "1"}, follow=True)
    assert the_report(world.b11).difficulties == "Nắng"
    assert reports() == [("b11", "Tháng 7", True, "cadre")]
    back = client.post(at(WITHDRAW, ky=july.pk), {"tiep": "//evil.test/"}, follow=True)
    assert back.redirect_chain == [(at(LIST), 302)]
    again = "Gửi lại thì số ngày trễ tính theo lần gửi lại."
    assert (said(back), reports()) == ([f"Đã rút lại báo cáo tháng 7. {again}"], [])
    moved = client.get(reverse("month_list") + "?nam=2024&don-vi=b11")
    assert (moved.status_code, moved["Location"]) == (301, at(LIST))


def test_bad_input_is_answered_in_words(client, world):
    log(world)
    july = period()
    client.force_login(world.cadre)
    for wrong in (
        {"loai": "khong"},
        {"loai": ""},
        {"loai": "x" * 5000},
        {"loai": "d\0u"},
        {"proposals": "a\0b"},
        {"difficulties": "x" * 2001},
    ):
        refused = client.post(at(REPORT, ky=july.pk), {"loai": "du"} | wrong)
        assert refused.status_code == 422
        assert len(refused.context["form"].errors) == 1
        assert refused.context["form"]["loai"].value() == "du"  # the next press says what the page says
    foreign = campaign(world, issuer=world.k2)
    for query in ({"ky": "0"}, {"ky": "9" * 30}, {"ky": "x"}, {"ky": foreign.pk}, {"nam": 1999}):
        assert client.post(at(REPORT, **{"ky": july.pk} | query), {"loai": "du"}).status_code == 404
    assert client.get(at(LIST, "b21")).status_code == client.get(at(LIST, "b11%01")).status_code == 404
    report(world, nothing=False)
    word = the_report(world.b11)
    client.force_login(world.secretary)
    send_back = reverse("report_send_back", args=[word.pk])
    for wrong in ({"reason": ""}, {"reason": "a\0b"}, {"usual": "moon"}, {"reason": "x" * 401}):
        assert client.post(send_back, {"version": "1"} | wrong).status_code == 422
    report(world, nothing=False, difficulties="Mưa bão")
    meanwhile = client.post(send_back, {"version": "1", "reason": "Ghi rõ khó khăn"})
    assert (meanwhile.status_code, meanwhile.context["form"].non_field_errors()) == (409, [periods.CHANGED])
    shown = meanwhile.content.decode()
    kept = ("Ghi rõ khó khăn", "Mưa bão", '<input type="hidden" name="version" value="2">')
    assert [words for words in kept if words not in shown] == []
    for version in ("", "x", "9" * 40):
        page = client.post(reverse("report_accept", args=[word.pk]), {"version": version}, follow=True)
        assert said(page) == [periods.CHANGED]
    for chosen in (["x"], ["1:x"], ["9" * 40 + ":1"], []):
        page = client.post(at(ACCEPT, "k1", ky=july.pk), {"chon": chosen}, follow=True)
        assert said(page) == ["Chọn ít nhất một báo cáo đang chờ nhận."]
    years.close_year(year=2024)
    client.force_login(world.cadre)
    closed = client.post(at(REPORT, ky=period("month", 6).pk), {"loai": "khong"})
    assert (closed.status_code, "Năm công tác đã khoá" in closed.content.decode()) == (422, True)
    assert said(client.post(at(WITHDRAW, ky=july.pk), follow=True)) == [
        "Năm công tác 2024 đã khoá nên không báo cáo được nữa."
    ]


def test_the_superior_reads_what_came_and_accepts_many_after_the_numbers(client, world, today):
    sent(world)
    log(world, world.b12, author=world.other_cadre)
    report(world, nothing=False, difficulties="Thiếu kinh phí", proposals="Xin tập huấn")
    report(world, nothing=False, unit=world.b12, actor=world.other_cadre)
    own = make_unit("b13", "doan-co-so", world.k1)
    report(world, nothing=True, unit=own, actor=world.secretary)
    words = {code: the_report(Unit.objects.get(code=code)) for code in ("b11", "b12", "b13")}
    silent = make_unit("b14", "doan-co-so", world.k1)
    july = period()
    client.force_login(world.secretary)
    page = client.get(at(CHILDREN, "k1", ky=july.pk))
    rows = [(row.placement.unit.code, row.words, row.counts.pending, may) for row, may in page.context["rows"]]
    assert rows == [
        ("b11", "Đã gửi trễ 10 ngày", 1, True),
        ("b12", "Đã gửi trễ 10 ngày", 0, True),
        ("b13", "Không phát sinh, trễ 10 ngày", 0, False),
        ("b14", "Trễ 10 ngày", 0, False),
    ]
    assert page.context["tally"] == {"must": 4, "missing": 1, "given": 3, "waiting": 3, "accepted": 0}
    text = page.content.decode()
    assert ("Thiếu kinh phí" in text, "Xin tập huấn" in text) == (True, True)
    only = client.get(at(CHILDREN, "k1", ky=july.pk, loc="chua-gui")).context["rows"]
    assert [row.placement.unit for row, _ in only] == [silent]
    ticked = "&".join(f"chon={word.pk}" for word in words.values())
    confirm = client.get(at(ACCEPT, "k1", ky=july.pk) + f"&{ticked}").context
    assert (len(confirm["rows"]), confirm["pending"], confirm["unsent"], confirm["gone"]) == (2, 1, 1, 1)
    report(world, nothing=False, unit=world.b12, actor=world.other_cadre, difficulties="Vừa thêm")
    chosen = [f"{word.pk}:1" for word in words.values()]
    done = client.post(at(ACCEPT, "k1", ky=july.pk), {"chon": chosen}, follow=True)
    assert done.redirect_chain == [(at(CHILDREN, "k1", ky=july.pk), 302)]
    assert said(done) == [
        "Đã nhận và khoá Tháng 7 của 1 đơn vị.",
        f"Đơn vị b12: {periods.CHANGED}",
        f"Đơn vị b13: {periods.TWO_PERSONS}",
    ]
    assert [the_report(word.unit).state for word in words.values()] == ["accepted", "sent", "sent"]
    # Others of the province look on, those beside it see nothing.
    client.force_login(world.viewer)
    assert [may for _, may in client.get(at(CHILDREN, "k1", ky=july.pk)).context["rows"]] == [False] * 4
    client.force_login(world.stranger)
    assert client.get(at(CHILDREN, "k1", ky=july.pk)).status_code == 404
    assert client.post(at(ACCEPT, "k1", ky=july.pk), {"chon": chosen}).status_code == 404
    client.force_login(make_user("second", access.SECRETARY, world.k2))
    assert client.get(reverse("report_detail", args=[words["b11"].pk])).status_code == 404


def test_units_that_stand_elsewhere_today_are_neither_listed_nor_counted_nor_accepted(
    client, world, today, monkeypatch
):
    own, silent = (make_unit(code, "doan-co-so", world.k1) for code in ("b13", "b14"))
    log(world, world.b12, author=world.other_cadre)
    report(world, nothing=False, unit=world.b12, actor=world.other_cadre, difficulties="Vừa thêm")
    report(world, nothing=True, unit=own, actor=world.secretary)
    report(world, nothing=True)
    periods.accept(report=the_report(world.b11), actor=world.secretary, version=1)
    report(world, nothing=False, unit=world.k1, actor=world.staff)
    july, away = period(), the_report(world.b12)
    monkeypatch.setattr(timezone, "localdate", lambda *_: date.today())
    for gone in (world.b12, silent):
        tree.move(unit=gone, parent=world.k2, year=date.today().year)
    access.forget_grants(world.secretary)
    client.force_login(world.secretary)
    page = client.get(at(CHILDREN, "k1", ky=july.pk))
    assert page.context["tally"] == {"must": 2, "missing": 0, "given": 2, "waiting": 1, "accepted": 1}
    shown = {loc: client.get(at(CHILDREN, "k1", ky=july.pk, loc=loc)) for loc in ("", "cho-nhan", "chua-gui")}
    listed = {loc: [row.placement.unit.code for row, _ in found.context["rows"]] for loc, found in shown.items()}
    assert listed == {"": ["b11", "b13"], "cho-nhan": ["b13"], "chua-gui": []}
    grid = client.get(at(LIST, "k1"))
    assert [unit.code for unit, *_ in grid.context["children"]] == ["b11", "b13"]
    assert [waiting for _, rows in grid.context["kinds"] for row, waiting in rows if row.period == july] == [1]
    text = grid.content.decode() + "".join(found.content.decode() for found in shown.values())
    assert [word for word in ("Đơn vị b12", "Đơn vị b14", "Vừa thêm") if word in text] == []
    for refused in (
        client.get(at(ACCEPT, "k1", ky=july.pk, chon=away.pk), follow=True),
        client.post(at(ACCEPT, "k1", ky=july.pk), {"chon": f"{away.pk}:1"}, follow=True),
    ):
        assert said(refused) == ["Chọn ít nhất một báo cáo đang chờ nhận."]
    assert the_report(world.b12).state == "sent"
    client.force_login(world.stranger)  # decides about it now, and has nothing to do with what stood beside it then
    detail = client.get(reverse("report_detail", args=[away.pk])).context
    assert (detail["may_decide"], "others_url" in detail) == (True, False)
    client.force_login(make_user("third", access.SECRETARY, world.p1))
    detail = client.get(reverse("report_detail", args=[the_report(world.k1).pk])).context
    assert (detail["may_decide"], detail["silent"]) == (True, 0)
    assert client.get(detail["others_url"]).status_code == 200


def test_one_report_shows_what_waits_inside_and_takes_the_answer(client, world, today):
    branch = make_unit("c111", "chi-doan", world.b11)
    Period.objects.filter(pk=period().pk).update(levels=["base", "branch"])
    sent(world), sent(world, unit=branch), log(world)
    declared = make_activity(branch, world.cadre, world.declaring, {world.members: 9}, JULY)
    review.submit(activity=declared, actor=world.cadre)
    for day in (JULY, JUNE):  # what counts and waits to be changed, in the period and outside
        counted = approve(log(world, unit=branch, day=day), world.secretary)
        said_anew = {"entry": {}, "changes": [], "version": 1, "reason": "Nhầm", "author": world.cadre}
        Correction.objects.create(activity=counted, **said_anew)
    report(world, nothing=False)
    word = the_report(world.b11)
    detail = reverse("report_detail", args=[word.pk])
    client.force_login(world.viewer)
    assert client.get(detail).context["may_decide"] is False
    client.force_login(world.secretary)
    page = client.get(detail)
    shown = [page.context[what] for what in ("declarations", "corrections", "silent")]
    assert (page.context["here"].counts.pending, shown) == (2, [1, 1, 1])
    several = client.get(at(ACCEPT, "k1", ky=period().pk, chon=word.pk)).context
    assert [several[what] for what in ("pending", "declarations", "corrections", "unsent")] == [2, 1, 1, 1]
    assert "<strong>2 hoạt động chờ duyệt</strong> sẽ không sửa, duyệt được nữa" in page.content.decode()
    accept = reverse("report_accept", args=[word.pk])
    assert said(client.post(accept, {"version": "1"}, follow=True)) == ["Đã nhận và khoá Tháng 7 của Đơn vị b11."]
    (again,) = said(client.post(accept, {"version": "1"}, follow=True))
    assert again.startswith("Báo cáo này đã được nhận trước đó: Người secretary đã nhận báo cáo kỳ lúc ")
    send_back, reopen = (reverse(name, args=[word.pk]) for name in ("report_send_back", "report_reopen"))
    form = {"version": "2", "usual": "Nhận nhầm", "reason": "thiếu một buổi"}
    several = client.get(at(ACCEPT, "k1", ky=period().pk, chon=word.pk), follow=True)  # of a list that is old by now
    for late in (client.get(send_back, follow=True), client.post(send_back, form, follow=True), several):
        (why,) = said(late)
        assert why.startswith("Tháng 7 của Đơn vị b11 đang ở trạng thái “Đã nhận, đã khoá”: Người secretary đã nhận")
        assert late.redirect_chain[-1][0] == (detail if late is not several else at(CHILDREN, "k1", ky=period().pk))
    assert client.get(reopen).status_code == 200
    reopened = client.post(reopen, form, follow=True)
    assert said(reopened) == ["Đã mở lại báo cáo."]
    for late in (client.get(reopen, follow=True), client.post(reopen, form, follow=True)):
        (why,) = said(late)
        assert why.startswith("Tháng 7 của Đơn vị b11 đang ở trạng thái “Đã gửi”: Người secretary đã mở lại báo cáo kỳ")
        assert late.redirect_chain == [(detail, 302)]
    form |= {"version": "3", "usual": ""}
    returned = client.post(send_back, form, follow=True)
    assert (said(returned), the_report(world.b11).reason) == (["Đã trả lại báo cáo."], "thiếu một buổi")
    assert [entry.verb for entry in returned.context["entries"]] == [
        act.code for act in (periods.send_back, periods.reopen_report, periods.accept, periods.report)
    ]
    client.force_login(world.cadre)
    assert client.post(accept, {"version": "4"}).status_code == 403


def test_the_grid_of_months_and_equal_statements_for_more(client, world, today):
    july, june = period(), period("month", 6)
    sent(world)
    sent(world, unit=world.b21, author=make_user("cadre-21", access.CADRE, world.b21))
    report(world, nothing=False)
    report(world, june, nothing=True, unit=world.b12, actor=world.other_cadre)
    periods.accept(report=the_report(world.b12, june), actor=world.secretary, version=1)
    client.force_login(world.viewer)
    page = client.get(at(LIST, "k1")).context
    grid = {unit.code: [row.sign for row in months[5:9]] for unit, _, months in page["children"]}
    assert grid == {"b11": ["■", "1 ✓", "○", ""], "b12": ["◆", "■", "○", ""]}
    lines = {row.name: (row.counts.sent, row.words, waiting) for _, rows in page["kinds"] for row, waiting in rows}
    assert (lines["Tháng 7"], lines["Quý III"]) == ((1, "Trễ 10 ngày", 1), (1, "Chưa đến hạn (hạn 07/10)", 0))
    assert page["may_report"] is False
    client.force_login(world.secretary)
    addresses = [at(LIST, "k1"), at(CHILDREN, "k1", ky=july.pk), at(LIST, "b11")]
    few = [statements(client, address) for address in addresses]
    for n in range(5):
        unit = make_unit(f"them-{n}", "doan-co-so", world.k1)
        sent(world, unit=unit, author=world.secretary)
        report(world, nothing=False, unit=unit, actor=world.staff)
    campaign(world)
    assert [statements(client, address) for address in addresses] == few
    assert max(few) <= 22
    ticked = "&".join(f"chon={pk}" for pk in PeriodReport.objects.filter(period=july).values_list("pk", flat=True))
    confirm = at(ACCEPT, "k1", ky=july.pk)
    one = statements(client, f"{confirm}&chon={the_report(world.b11).pk}")
    assert statements(client, f"{confirm}&{ticked}") == one


def statements(client, address):
    with CaptureQueriesContext(connection) as asked_for:
        assert client.get(address).status_code == 200
    return len(asked_for)


def test_accepting_many_takes_as_many_statements_as_accepting_two(world, today):
    units = [make_unit(f"them-{n}", "doan-co-so", world.k1) for n in range(8)]
    for unit in units:
        report(world, nothing=True, unit=unit, actor=world.staff)
    words, found = list(PeriodReport.objects.order_by("pk")), []
    access.grants(world.secretary)  # read once a request
    for part in (words[:2], words[2:]):
        with CaptureQueriesContext(connection) as asked_for:
            outcome = periods.accept_many(seen={word.pk: 1 for word in part}, actor=world.secretary)
        assert (outcome.done, outcome.refused) == ([word.pk for word in part], [])
        found.append(len(asked_for))
    assert found[0] == found[1]
    assert Notice.objects.filter(user=world.staff, kind="report").count() == 8
