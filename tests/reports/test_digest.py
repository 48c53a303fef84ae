"""Việc hôm nay, on its page and as a mail: what waits for one person, and nothing of anybody else's units."""

import re
from datetime import date, timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from activities import review
from activities.models import Activity, Correction, Host, PeriodReport
from activities.moves.moving import move_unit
from reports.digest import digest_of
from targets.models import Period, WorkYear
from tests.factories import approve, assign, make_activity, make_target, make_user
from units import access, journal
from units.models import JournalEntry, Notice, User

PAGE = "/viec-hom-nay/"
TODAY = date.today()


@pytest.fixture
def world(world):
    """The organisation with two periods of this year: one late, one due soon."""
    Period.objects.all().delete()
    world.now = WorkYear.objects.get(pk=TODAY.year)
    for number, name, days in ((1, "Kỳ trễ", -10), (2, "Kỳ sắp hạn", 3)):
        due = TODAY + timedelta(days=days)
        day = due - timedelta(days=5)
        Period.objects.create(
            year=world.now,
            kind="campaign",
            number=number,
            name=name,
            first_day=day,
            last_day=day,
            due=due,
            issuer=world.tw,
        )
    world.late, world.soon = Period.objects.order_by("number")
    return world


def fill(world, units, cadre, mark, times=1):
    """Something of every kind at the two base units of one khối; every text carries `mark`."""
    one, two = units
    for number in range(times):
        title = f"{mark}{number}"
        plant = {"author": cadre, "kind": world.planting, "figures": {world.trees: 5}, "title": title}
        review.submit(activity=make_activity(one, **plant), actor=cadre)
        returned = make_activity(one, **plant)
        Activity.objects.filter(pk=returned.pk).update(status="returned", return_reason=f"Sai ngày {mark}")
        approved = make_activity(two, **plant)
        approve(approved, world.boss)
        Correction.objects.create(
            activity=approved, entry={}, changes=[], version=1, reason=f"Nhầm {mark}", author=world.boss
        )
        Host.objects.create(activity=approved, unit=one)
        fields = {"year": world.now, "kind": "campaign", "issuer": world.tw, "is_asked": False, "number": 10 + number}
        asked = Period.objects.filter(number=10 + number).first() or Period.objects.create(
            name="Đợt", first_day=TODAY, last_day=TODAY, due=TODAY, **fields
        )
        now = timezone.now()
        PeriodReport.objects.create(
            unit=two, year=world.now, period=asked, nothing=True, actor=cadre, at=now, first_at=now
        )
        for user in (world.secretary, cadre, world.stranger):  # to those, too, whom it should never have reached
            Notice.objects.create(user=user, unit=one, kind="reminded", text=f"Nhắc {title}", show_at=now)


def texts(user):
    access.forget_grants(user)
    return [item.text for item in digest_of(user)]


@pytest.fixture
def filled(world):
    world.boss = make_user("boss", access.SECRETARY, world.tw)
    world.cadre_b = make_user("cadre-b", access.CADRE, world.b21)
    fill(world, (world.b11, world.b12), world.cadre, "đơnvịA", 2)
    fill(world, (world.b21, world.b22), world.cadre_b, "đơnvịB", 3)
    rate = {"kind": "rate", "value": 8000, "indicators": [world.trees], "denominators": [world.times]}
    total = {"kind": "total", "value": 700, "indicators": [world.trees]}
    make_target(world.tw, TODAY.year, [rate])
    given = make_target(world.p2, TODAY.year, [total]).measures.get()
    assign(given, world.k2, 700)
    return world


def test_everybody_gets_what_the_own_roles_can_act_on(filled):
    assert texts(filled.secretary) == [
        "2 hoạt động chờ bạn duyệt",
        "2 bản sửa chờ bạn quyết định",
        "2 báo cáo kỳ chờ bạn nhận",
        "2 báo cáo kỳ phải gửi",
        "2 báo cáo kỳ của cấp dưới trễ hạn",
        f"1 chỉ tiêu năm {TODAY.year} chờ Đơn vị k1 tiếp nhận",
        "2 thông báo chưa đọc",
    ]
    assert texts(filled.stranger) == [
        "3 hoạt động chờ bạn duyệt",
        "3 bản sửa chờ bạn quyết định",
        "3 báo cáo kỳ chờ bạn nhận",
        "2 báo cáo kỳ phải gửi",
        "2 báo cáo kỳ của cấp dưới trễ hạn",
        f"2 chỉ tiêu năm {TODAY.year} chờ Đơn vị k2 tiếp nhận",
        "3 thông báo chưa đọc",
    ]
    assert texts(filled.cadre) == [
        "2 hoạt động cần bổ sung",
        "2 báo cáo kỳ phải gửi",
        "2 hoạt động phối hợp chờ đơn vị bạn xác nhận",
        "2 thông báo chưa đọc",
    ]
    assert texts(filled.viewer) == texts(filled.admin) == texts(make_user("nobody")) == []


def test_each_thing_leads_to_where_it_is_done(client, filled):
    late, year = filled.late, TODAY.year
    items = {item.action: item for item in digest_of(filled.secretary)}
    assert [(line.text, line.url) for line in items["Xem đơn vị trễ"].lines] == [
        (
            f"Kỳ trễ năm {year} (hạn {late.due:%d/%m/%Y}): 2/2 đơn vị chưa gửi",
            f"/bao-cao-ky/cham/?nam={year}&don-vi=k1&ky={late.pk}",
        )
    ]
    assert [line.text for line in items["Mở báo cáo"].lines] == [
        f"Kỳ sắp hạn năm {year}, Đơn vị k1: Chưa đến hạn (hạn {filled.soon.due:%d/%m})",
        f"Kỳ trễ năm {year}, Đơn vị k1: Trễ 10 ngày",
    ]
    client.force_login(filled.secretary)
    for user in (filled.secretary, filled.cadre, filled.staff):
        client.force_login(user)
        links = {url for item in digest_of(user) for url in (item.url, *(line.url for line in item.lines)) if url}
        assert {url: client.get(url).status_code for url in links} == dict.fromkeys(links, 200)
    # A report that the reader sent for a unit below waits for somebody else: it is in neither the number nor the rows.
    now, asked = timezone.now(), Period.objects.get(number=10)
    own = {"year": filled.now, "nothing": True, "actor": filled.secretary, "at": now, "first_at": now}
    PeriodReport.objects.create(unit=filled.b11, period=asked, **own)
    client.force_login(filled.secretary)
    access.forget_grants(filled.secretary)
    [waiting] = [item for item in digest_of(filled.secretary) if "chờ bạn nhận" in item.text]
    rows = [[(row.placement.unit, may) for row, may in client.get(line.url).context["rows"]] for line in waiting.lines]
    assert (waiting.text, rows) == ("2 báo cáo kỳ chờ bạn nhận", [[(filled.b12, True)], [(filled.b12, True)]])
    assert [line.text.rpartition(": ")[2] for line in waiting.lines] == ["1 đơn vị", "1 đơn vị"]
    record = Activity.objects.get(title="đơnvịA0", status="returned")
    assert digest_of(filled.cadre)[0].lines[0].url == f"/hoat-dong/{record.pk}/sua/#id_first_day"


def test_a_report_of_a_unit_that_moved_since_waits_for_its_new_superior(client, world):
    """No list of that year's tree has it any more."""
    days = {"first_day": date(2024, 12, 1), "last_day": date(2024, 12, 31), "due": date(2025, 1, 5)}
    closing = Period.objects.create(year_id=2024, kind="campaign", number=9, name="Đợt cuối", issuer=world.tw, **days)
    now = timezone.now()
    given = {"year_id": 2024, "period": closing, "nothing": True, "actor": world.cadre, "at": now, "first_at": now}
    report = PeriodReport.objects.create(unit=world.b11, **given)
    move_unit(unit=world.b11, parent=world.k2, year=TODAY.year, actor=world.admin, reason="QĐ 1")
    access.forget_grants(world.stranger)
    [waiting] = [item for item in digest_of(world.stranger) if "chờ bạn nhận" in item.text]
    where = f"/bao-cao-ky/phieu/{report.pk}/"
    assert [(line.text, line.url) for line in waiting.lines] == [("Đợt cuối năm 2024: Đơn vị b11", where)]
    assert [text for text in texts(world.secretary) if "chờ bạn nhận" in text] == []
    client.force_login(world.stranger)
    accept = reverse("report_accept", args=[report.pk])
    assert f'action="{accept}"' in client.get(where).content.decode()
    client.post(accept, {"version": report.version})
    report.refresh_from_db()
    assert (report.state, report.decider) == ("accepted", world.stranger)


def test_a_reviewer_of_one_khoi_is_told_nothing_of_another(client, filled):
    """Page, bell, list of notices and mail, by what they say."""
    for user, own, foreign in (
        (filled.secretary, "đơnvịA", ("đơnvịB", "b21", "b22", "k2", "p2")),
        (filled.stranger, "đơnvịB", ("đơnvịA", "b11", "b12", "k1", "p1")),
    ):
        client.force_login(user)
        page, told = (client.get(url).content.decode() for url in (PAGE, "/thong-bao/"))
        count = texts(user)[-1].split()[0]
        assert page.split("data-unread>")[1].split("<")[0] == count
        assert own in told
        said = " ".join(re.findall(r'href="[^"]*"|>[^<]*<', page + told))  # without one-time tokens
        assert [mark for mark in foreign if mark in said] == []


def test_a_quiet_day_says_so(client, world):
    Period.objects.all().delete()
    client.force_login(world.cadre)
    assert "Không có việc gì chờ bạn." in client.get(PAGE).content.decode()


def test_the_digest_asks_the_same_for_few_and_many(filled):
    people, asked = (filled.secretary, filled.cadre), []
    for times in (0, 5):
        if times:
            PeriodReport.objects.all().delete()
            fill(filled, (filled.b11, filled.b12), filled.cadre, "thêm", times)
        counts = []
        for user in people:
            access.forget_grants(user)
            with CaptureQueriesContext(connection) as captured:
                digest_of(user)
            counts.append(len(captured))
        asked.append(counts)
    assert asked[0] == asked[1]
    assert max(asked[0]) <= 20


# --- the mail ---


@pytest.fixture
def mailing(filled, settings, monkeypatch):
    settings.MAIL_IS_ON, settings.SITE_URL = True, "https://doan.example.vn"
    morning = timezone.localtime().replace(hour=7, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: morning)
    return filled


def wants(user, address):
    User.objects.filter(pk=user.pk).update(wants_mail=True, email=address)


def test_the_daily_mail_goes_to_those_who_want_it_and_says_nothing_of_other_units(mailing, capsys):
    wants(mailing.secretary, "bi.thu@example.vn")
    wants(mailing.stranger, "xấu\r\nBcc: ai.do@example.vn")
    wants(mailing.viewer, "xem@example.vn")  # nothing waits
    wants(mailing.cadre, "can.bo@example.vn")
    wants(mailing.staff, "")
    wants(make_user("locked", access.SECRETARY, mailing.k1, is_active=False), "khoa@example.vn")
    User.objects.filter(pk=mailing.cadre.pk).update(full_name="Người\r\nBcc: ai.do@example.vn")
    call_command("send_digests")
    said = capsys.readouterr()
    assert said.out == "Đã gửi 2 thư; 1 người không có việc chờ.\n"
    assert said.err == "Không gửi được 1 thư: stranger.\n"
    first, second = sorted(mail.outbox, key=lambda sent: sent.to)
    assert [(sent.to, sent.recipients()) for sent in (first, second)] == [
        (["bi.thu@example.vn"], ["bi.thu@example.vn"]),
        (["can.bo@example.vn"], ["can.bo@example.vn"]),
    ]
    assert "Bcc" not in second.message()
    assert first.subject == f"Việc hôm nay {timezone.localdate():%d/%m/%Y}"
    assert "\n\n1. 2 hoạt động chờ bạn duyệt." in first.body
    assert "   https://doan.example.vn/duyet/\n" in first.body
    assert [mark for mark in ("đơnvịB", "b21", "b22", "k2", "p2") if mark in first.body + second.body] == []
    # Once a day: the second run says so and sends nothing.
    call_command("send_digests")
    assert capsys.readouterr().out.endswith("đã gửi rồi. Thêm --again để gửi lại cho mọi người.\n")
    assert (len(mail.outbox), JournalEntry.objects.filter(verb="reports.digest_mail.begin").count()) == (2, 1)
    call_command("send_digests", again=True)
    assert (len(mail.outbox), journal.verify().wrong) == (4, [])


def test_no_mail_at_night_nor_without_a_server(mailing, monkeypatch, capsys, settings):
    wants(mailing.secretary, "bi.thu@example.vn")
    night = timezone.now().replace(hour=21)
    monkeypatch.setattr(timezone, "now", lambda: night)
    call_command("send_digests")
    assert (capsys.readouterr().out, mail.outbox) == ("Đang giờ yên lặng (21:00–07:00): không gửi thư.\n", [])
    settings.MAIL_IS_ON = False
    with pytest.raises(CommandError, match="Chưa bật gửi thư"):
        call_command("send_digests")
