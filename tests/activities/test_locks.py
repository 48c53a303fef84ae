"""Locked days, and opening them for a while. That every verb obeys is tests/test_verbs.py's."""

import io
import re
from datetime import date, datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from activities import locks, recording, review
from activities.audit import audit
from activities.locking import unlocking, year_closing
from activities.models import Activity, Status, Unlock
from activities.moves import moving
from activities.moves.move_preview import preview_move
from activities.reporting import periods
from activities.resources import ActivityResource, DeclarationResource
from activities.rules import Entry
from reports.digest import digest_of
from targets.models import WorkYear
from targets.years import reopen_year
from tests.activities.locking import lock, lock_own, lock_superior, lock_year, period, unlock
from tests.factories import approve, grant, make_activity, make_unit, make_user, planting_form
from unionwork.imports import run_import
from unionwork.numbers import Parsed
from unionwork.workbooks import template_workbook
from units import access
from units.models import JournalEntry, Notice, NoticeKind, Placement, User

OWN = "Số liệu ngày 26/03/2024 đã khoá (Tháng 3 của Đơn vị b11). Cần sửa thì đề nghị cấp trên mở khoá."


@pytest.fixture
def bosses(world):
    """Secretaries above: of the province (who decides the khối's reports) and of Trung ương."""
    world.boss = make_user("boss", access.SECRETARY, world.p1)
    world.head = make_user("head", access.SECRETARY, world.tw)
    return world


def planted(world, unit=None, day=date(2024, 3, 26), **fields):
    return make_activity(unit or world.b11, world.cadre, world.planting, {world.trees: 5}, day, **fields)


def lock_of(activity):
    return locks.of_record(Activity.objects.get(pk=activity.pk)).lock


def says(act, *arguments, **named):
    """What a refused act says."""
    with pytest.raises(ValidationError) as refused:
        act(*arguments, **named)
    return refused.value.messages


# --- What is locked ------------------------------------------------------------------------


def test_an_accepted_report_locks_its_days_for_the_unit_and_everything_below(world):
    branch = make_unit("cd", "chi-doan", world.b11)
    march, below, april = planted(world), planted(world, branch), planted(world, day=date(2024, 4, 1))
    beside, above = planted(world, world.b12), planted(world, world.k1)
    joint = planted(world, world.b12, hosts=[world.b11])
    spans = planted(world, day=date(2024, 4, 2), first_day=date(2024, 3, 30))
    lock(world.b11, world.cadre, world.secretary, state="sent")
    assert lock_of(march) == ""
    assert locks.of_record(march).touches == ["Tháng 3 của Đơn vị b11"]
    lock_own(world)
    assert [lock_of(row) for row in (march, below, joint)] == [OWN] * 3
    assert [lock_of(row) for row in (april, beside, above, spans)] == [""] * 4
    lock_superior(world)
    assert "Quý I của Đơn vị k1" in lock_of(beside)
    assert locks.of_record(march).touches == ["Quý I của Đơn vị k1", "Tháng 3 của Đơn vị b11"]


def test_a_reason_names_nobody_whom_the_people_of_the_other_line_do_not_see(client, bosses):
    """The stranger, of k2, reads why a record that b11 and b21 did together is locked."""
    world = bosses
    joint, alone = planted(world, hosts=[world.b21]), planted(world)
    lock_own(world)
    lock_superior(world)
    lock(world.tw, world.central, world.central)
    by_name = {"Quý I của Đơn vị k1", "Tháng 3 của Đơn vị b11", "Tháng 3 của Đơn vị tw"}
    assert set(locks.of_record(alone).touches) == by_name
    found = locks.of_record(joint)
    assert set(found.touches) == by_name - {"Quý I của Đơn vị k1"} | {"Quý I của cấp trên Đơn vị b11"}
    assert sorted(said for said in found.locked_by if " bởi " in said) == [
        said for said in found.locked_by if said.startswith("Tháng 3 của Đơn vị tw, nhận ngày")
    ]
    client.force_login(world.stranger)
    page = client.get(reverse("activity_detail", args=[joint.pk])).content.decode()
    assert "Quý I của cấp trên Đơn vị b11" in page
    assert not re.search(rf"Đơn vị k1|bởi {world.secretary}", page)


def test_a_declaration_is_locked_by_every_later_period_of_the_year(world):
    """Another level in January is another change in March, and another figure “đến tháng 3”."""
    january = approve(
        make_activity(world.b11, world.cadre, world.declaring, {world.members: 80}, date(2024, 1, 31)), world.secretary
    )
    april = make_activity(world.b11, world.cadre, world.declaring, {world.members: 90}, date(2024, 4, 30))
    milestone_day = planted(world, day=date(2024, 1, 31))
    lock_own(world)
    assert "Tháng 3 của Đơn vị b11" in lock_of(january)
    assert [lock_of(april), lock_of(milestone_day)] == ["", ""]
    with pytest.raises(locks.Locked):
        make_activity(world.b11, world.cadre, world.declaring, {world.members: 85}, date(2024, 2, 15))
    lock(world.b11, world.cadre, world.secretary, 1)
    unlock(world.b11, world.secretary, date(2024, 1, 31), date(2024, 1, 31))
    assert "Tháng 3" in lock_of(january), "the January days alone do not open March"
    unlock(world.b11, world.secretary, date(2024, 1, 31), date(2024, 3, 1))
    assert lock_of(january) == ""
    review.unapprove(activity=january, actor=world.secretary, reason="Nhầm")
    assert audit(2024).differences == []


def test_locks_of_many_records_need_no_more_statements(world):
    for number in range(1, 13):
        lock(world.b11, world.cadre, world.secretary, number)
    units = (world.b11, world.b12, world.b21)
    spots = [locks.Spot(frozenset({unit.pk}), 2024, date(2024, month, 1)) for unit in units for month in range(1, 13)]
    counts = []
    for few in (spots[:1], spots):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            locks.standings(dict(enumerate(few)))
        counts.append(len(captured))
    assert counts == [3, 3]


# --- Ways in -------------------------------------------------------------------------------


def test_a_moved_unit_takes_no_figures_out_of_a_locked_period_nor_into_one(bosses):
    world = bosses
    approve(planted(world), world.secretary)
    move = {"unit": world.b11, "year": 2024, "actor": world.admin, "reason": "QĐ 1"}
    stays = "Chọn áp dụng từ năm sau, hoặc đề nghị cấp trên mở khoá kỳ ấy cho cả cấp trên cũ và mới rồi chuyển."
    for unit, actor, decider in ((world.k1, world.secretary, world.boss), (world.k2, world.stranger, world.head)):
        row = lock(unit, actor, decider)
        why = f"Không chuyển được trong năm 2024: Số liệu ngày 26/03/2024 đã khoá (Tháng 3 của {unit}). {stays}"
        assert says(moving.move_unit, parent=world.k2, **move) == [why]
        assert says(preview_move, unit=world.b11, parent=world.k2, year=2024) == [why]
        row.delete()
    assert Placement.objects.get(unit=world.b11, year=2024).parent == world.k1
    lock(world.k1, world.secretary, world.boss)
    lock(world.k2, world.stranger, world.head)
    unlock(world.b11, world.boss)
    assert "Tháng 3 của Đơn vị k2" in says(moving.move_unit, parent=world.k2, **move)[0]
    unlock(world.k2, world.head)
    assert moving.move_unit(parent=world.k2, **move) == [2024, date.today().year]
    assert Placement.objects.get(unit=world.b11, year=2024).parent == world.k2
    assert [row.unit for row in Unlock.objects.active()] == [world.k2], "the old superior opens nothing under the new"
    assert audit(2024).differences == []
    noted = JournalEntry.objects.filter(verb=moving.move_unit.code, year=2024).order_by("pk")
    assert [(entry.unit, entry.changes, entry.label) for entry in noted] == [
        (world.b11, [["Cấp trên", "Đơn vị k1", "Đơn vị k2"]], "b11 Đơn vị b11"),
        (world.b11, [], "Đóng mở khoá từ 01/03/2024 đến 31/03/2024 của Đơn vị b11"),
    ]


def load(resource, headers, rows):
    return run_import(resource, io.BytesIO(template_workbook(headers, rows)), check=False)


def test_a_row_of_a_locked_period_is_named_by_its_number_and_nothing_is_written(world):
    lock_own(world)
    kind = "Loại thu-trong-cay"
    headers = ["Mã đơn vị", "Loại hoạt động", "Tên hoạt động", "Từ ngày", "Đến ngày", "Địa điểm", "Cấp công trình"]
    headers += ["Đơn vị phối hợp", "thu-cay-xanh"]
    rows = [
        ["b12", kind, "Được", "26/03/2024", None, None, None, None, 1],
        ["b11", kind, "Khoá", "26/03/2024", None, None, None, None, 2],
        ["b12", kind, "Phối hợp", "25/03/2024", "26/03/2024", None, None, "b11", 3],
    ]
    assert load(ActivityResource(user=world.staff), headers, rows).errors == [
        f'dòng 3, cột "Từ ngày": {OWN}',
        f'dòng 4, cột "Đến ngày": {OWN}',
    ]
    levels = [["b12", "31/01/2024", 9], ["b11", "31/01/2024", 9]]
    outcome = load(DeclarationResource(user=world.staff), ["Mã đơn vị", "Ngày chốt", "thu-doan-vien"], levels)
    assert outcome.errors == [f'dòng 3, cột "Ngày chốt": {OWN.replace("26/03", "31/01")}']
    assert Activity.objects.count() == 0


def test_the_form_the_dates_and_the_tables_say_which_day_is_locked(client, world):
    record = planted(world, day=date(2024, 5, 1))
    lock_own(world)
    client.force_login(world.cadre)
    sent = client.post(reverse("activity_create"), planting_form(world) | {"luu": "gui"})
    assert (sent.status_code, sent.context["form"].errors) == (422, {"first_day": [OWN]})
    figures = {"sl-thu-cay-xanh": "5", "sl-thu-luot": ""}
    days = {"days": "26/03/2024\n02/05/2024", "form_key": planting_form(world)["form_key"], "luu": "nhap"}
    several = client.post(reverse("activity_repeat", args=[record.pk]), days | figures)
    assert (several.status_code, several.context["form"].errors["days"]) == (422, [f"Ngày 26/03/2024: {OWN}"])
    assert Activity.objects.count() == 1


def test_a_locked_record_says_by_what_and_offers_nothing_that_would_be_refused(client, bosses):
    world = bosses
    activity = approve(planted(world, hosts=[world.b12]), world.secretary)
    page = reverse("activity_detail", args=[activity.pk])

    def offers(user):
        client.force_login(user)
        shown = client.get(page).content.decode()
        acts = re.findall(r"/hoat-dong/\d+/(sua|huy|bo-duyet|gui|rut-lai)/|/phoi-hop/\d+/(xac-nhan)", shown)
        return {a or b for a, b in acts}, re.sub(r"\s+", " ", shown)

    assert offers(world.cadre)[0] == {"sua", "huy"}
    assert offers(world.secretary)[0] == {"sua", "huy", "bo-duyet", "xac-nhan"}
    lock(world.k1, world.secretary, world.boss)
    lock_own(world)
    today = f"{timezone.localdate():%d/%m/%Y}"
    by = [f"Tháng 3 của Đơn vị b11, nhận ngày {today} bởi {world.secretary}"]
    by.append(f"Tháng 3 của Đơn vị k1, nhận ngày {today} bởi {world.boss}")
    acts, shown = offers(world.cadre)
    assert (acts, all(words in shown for words in by)) == (set(), True)
    assert ("Cần sửa thì đề nghị cấp trên mở khoá." in shown, "/mo-khoa/moi/" in shown) == (True, False)
    acts, shown = offers(world.boss)
    assert (acts, shown.count("Mở khoá cho")) == (set(), 2)
    assert "/mo-khoa/moi/?nam=2024&amp;don-vi=b11&amp;tu=26%2F03%2F2024&amp;den=26%2F03%2F2024" in shown
    edit = client.get(reverse("activity_edit", args=[activity.pk]))
    assert edit.status_code in (302, 403)
    row = unlock(world.k1, world.boss)
    acts, shown = offers(world.cadre)
    assert acts == {"sua", "huy"}
    assert f"đang được mở để sửa đến {unlocking.moment(row.until)}" in shown


def test_no_admin_site_stands_beside_the_pages():
    namespaces = {resolver.namespace for resolver in get_resolver().url_patterns if hasattr(resolver, "namespace")}
    assert "admin" not in namespaces
    assert not any(str(pattern.pattern).startswith("admin") for pattern in get_resolver().url_patterns)


# --- Opening -------------------------------------------------------------------------------


def test_an_unlock_opens_and_closes_itself(bosses, monkeypatch):
    world = bosses
    activity = approve(planted(world), world.secretary)
    other = planted(world, world.b12)
    lock_own(world)
    assert says(review.unapprove, activity=activity, actor=world.secretary, reason="Nhầm") == [OWN]
    now = timezone.now()
    row = unlock(world.b11, world.secretary, days=1)
    assert locks.of_record(activity).open_until == row.until
    review.unapprove(activity=activity, actor=world.secretary, reason="Nhầm")
    review.approve(activity=activity, actor=world.secretary)
    entry = Activity.objects.get(pk=activity.pk).events.last()
    assert entry.touches == ["Tháng 3 của Đơn vị b11"]
    assert lock_of(other) == ""
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(hours=23))
    assert lock_of(activity) == ""
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=1, seconds=5))
    assert says(review.unapprove, activity=activity, actor=world.secretary, reason="Nhầm") == [OWN]
    assert list(Unlock.objects.active()) == []
    assert audit(2024).differences == []


def test_accepting_again_locks_again_and_an_older_unlock_opens_no_newer_lock(bosses):
    world = bosses
    activity = planted(world)
    lock_own(world)
    unlock(world.b11, world.secretary)
    assert lock_of(activity) == ""
    lock(world.k1, world.secretary, world.boss)
    assert "Tháng 3 của Đơn vị k1" in lock_of(activity), "the khối's secretary does not open the khối's own period"
    unlock(world.k1, world.boss)
    assert lock_of(activity) == ""
    assert unlocking.close_unlock(unlock=Unlock.objects.active().get(unit=world.k1), actor=world.boss) is True
    assert "Tháng 3 của Đơn vị k1" in lock_of(activity)


def test_only_who_decides_all_that_locks_opens_it(bosses):
    world = bosses
    lock_own(world)
    for user in (world.cadre, world.staff, world.stranger, world.viewer, world.admin, world.central):
        with pytest.raises(PermissionDenied):
            unlock(world.b11, user)
    unlock(world.b11, world.secretary)
    lock(world.k1, world.secretary, world.boss)
    with pytest.raises(PermissionDenied, match="Tháng 3 của Đơn vị k1"):
        unlock(world.b11, world.secretary)
    unlock(world.b11, world.boss)
    lock_year(world)
    for user in (world.secretary, world.boss, world.head, world.staff):
        with pytest.raises(PermissionDenied, match="chỉ văn phòng Trung ương"):
            unlock(world.b11, user)
    assert unlock(world.b11, world.central).actor == world.central


def test_what_is_wrong_with_an_unlock_is_said_by_field_and_nothing_is_opened(world):
    lock_own(world)

    def wrong(**said):
        now = timezone.now()
        how = {"first_day": date(2024, 3, 1), "last_day": date(2024, 3, 31), "until": now + timedelta(days=1)} | said
        with pytest.raises(ValidationError) as refused:
            unlocking.unlock(
                **{"unit": world.b11, "year": period().year, "reason": "Sửa", "actor": world.secretary} | how
            )
        return set(refused.value.message_dict) if hasattr(refused.value, "error_dict") else refused.value.messages

    assert wrong(first_day=date(2023, 12, 31)) == {"first_day"}
    assert wrong(last_day=date(2025, 1, 1)) == {"last_day"}
    assert wrong(last_day=date(2024, 2, 1)) == {"last_day"}
    assert wrong(until=timezone.now()) == {"until"}
    assert wrong(until=timezone.now() + timedelta(days=15)) == {"until"}
    assert wrong(reason=" \n") == wrong(reason="x" * 501) == {"reason"}
    april = {"first_day": date(2024, 4, 1), "last_day": date(2024, 4, 30)}
    assert wrong(**april) == [unlocking.NOTHING]
    assert wrong(unit=world.b12) == [unlocking.NOTHING]
    assert (Unlock.objects.count(), Notice.objects.count()) == (0, 0)


def test_an_unlock_is_told_to_the_units_people_and_noted(world):
    lock_own(world)
    row = unlock(world.b11, world.secretary, reason="Sai số cây")
    (notice,) = Notice.objects.all()
    assert (notice.user, notice.kind) == (world.cadre, NoticeKind.UNLOCKED)
    words = f"Số liệu từ 01/03/2024 đến 31/03/2024 của Đơn vị b11 được mở khoá đến {unlocking.moment(row.until)}"
    assert notice.text == f"{words}: Sai số cây"
    assert unlocking.close_unlock(unlock=row, actor=world.secretary) is True
    assert unlocking.close_unlock(unlock=row, actor=world.secretary) is False
    with pytest.raises(PermissionDenied):
        unlocking.close_unlock(unlock=row, actor=world.cadre)
    noted = JournalEntry.objects.filter(object_type="activities.unlock").order_by("number")
    said = [(entry.verb, entry.actor, entry.unit, entry.year, entry.reason) for entry in noted]
    assert said == [
        (unlocking.unlock.code, world.secretary, world.b11, 2024, "Sai số cây"),
        (unlocking.close_unlock.code, world.secretary, world.b11, 2024, ""),
    ]


def test_the_page_opens_what_it_shows_and_the_list_closes_it(client, bosses):
    world = bosses
    approve(planted(world), world.secretary)
    lock_own(world)
    lock(make_unit("cd", "chi-doan", world.b11), world.cadre, world.secretary)
    address = unlocking.address(unit=world.b11, year=2024, first_day=date(2024, 3, 1), last_day=date(2024, 3, 31))
    client.force_login(world.secretary)
    page = client.get(address)
    held = page.context["held"]
    assert ([str(row) for row in held.reports], held.below, held.counted) == (["Tháng 3 · Đơn vị b11"], 1, 1)
    assert client.post(address, {"how_long": "khac", "until": "", "reason": ""}).context["form"].errors.keys() == {
        "until",
        "reason",
    }
    last, far = (f"{timezone.localdate() + timedelta(days=days):%d/%m/%Y}" for days in (14, 15))
    refused = client.post(address, {"how_long": "khac", "until": far, "reason": "Sửa"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["until"])
    assert client.post(address + "&tu=32/13", {"how_long": "1", "reason": "Sửa"}).status_code == 422
    with transaction.atomic():
        assert client.post(address, {"how_long": "khac", "until": last, "reason": "Sửa"}).status_code == 302
        transaction.set_rollback(True)
    day = timezone.localdate() + timedelta(days=2)
    done = client.post(address, {"how_long": "khac", "until": f"{day:%d/%m/%Y}", "reason": "Sửa số cây"})
    assert (done.status_code, done.url) == (302, reverse("unlock_list"))
    row = Unlock.objects.get()
    assert timezone.localtime(row.until) == timezone.make_aware(datetime.combine(day, time(23, 59, 59)))
    turned = client.get(f"{reverse('unlock_create')}?nam=2024&don-vi=b11&tu=31/03/2024&den=01/03/2024&tiep=/")
    assert (turned.status_code, list(turned.context["days"].errors)) == (422, ["den"])
    for bad in ("tu=31/02/2024", "tu=%00", "den=abc", "tu=01/01/1800"):
        assert client.get(f"{reverse('unlock_create')}?nam=2024&don-vi=b11&{bad}").status_code in (200, 400, 422)
    listed = client.get(reverse("unlock_list"))
    assert listed.context["rows"] == [(row, "từ 01/03/2024 đến 31/03/2024", True)]
    client.force_login(world.cadre)
    assert client.get(reverse("unlock_list")).context["rows"][0][2] is False
    assert (client.get(address).status_code, client.post(address).status_code) == (403, 403)
    client.force_login(world.stranger)
    assert client.get(reverse("unlock_list")).context["rows"] == []
    assert client.get(address).status_code == 404
    assert client.post(reverse("unlock_close", args=[row.pk])).status_code == 404
    client.force_login(world.boss)
    client.post(reverse("unlock_close", args=[row.pk]))
    row.refresh_from_db()
    assert row.closer == world.boss
    lock(world.k1, world.secretary, world.boss)
    client.force_login(world.secretary)
    shown = client.get(address)
    assert (shown.status_code, "Tháng 3 của Đơn vị k1" in shown.context["held"].why_not) == (200, True)
    late = client.post(address, {"how_long": "1", "reason": "Sửa"})
    assert (late.status_code, "Tháng 3 của Đơn vị k1" in late.content.decode()) == (409, True)
    assert list(Unlock.objects.active()) == []


def test_a_form_sent_twice_opens_once_and_one_that_comes_too_late_says_who_was_quicker(client, bosses):
    world = bosses
    row = lock_own(world)
    detail = reverse("report_detail", args=[row.pk])
    client.force_login(world.secretary)
    address = client.get(detail).context["unlock_url"]
    form = {"how_long": "3", "reason": "Sửa số cây"}

    def sent(**said):
        """(where it leads, what is said there, how many unlocks there are)"""
        page = client.post(address, form | said, follow=True)
        (words,) = (str(message) for message in page.context["messages"])
        return page.redirect_chain[-1][0], words, Unlock.objects.count()

    days = "mở khoá số liệu từ 01/03/2024 đến 31/03/2024 của Đơn vị b11"
    first = sent()
    until = unlocking.moment(Unlock.objects.get().until)
    assert first == (detail, f"Đã {days}; tự khoá lại lúc {until}.", 1)
    assert sent() == (detail, f"Bạn đã {days} trước đó, đến {until}; không mở thêm lần nữa.", 1)
    assert (Notice.objects.count(), JournalEntry.objects.filter(verb=unlocking.unlock.code).count()) == (1, 1)
    assert sent(how_long="7")[2] == 2
    unlocking.close_unlock(unlock=Unlock.objects.earliest("pk"), actor=world.secretary)
    assert sent()[2] == 3  # what was closed is opened again
    newer = lock(make_unit("cd", "chi-doan", world.b11), world.cadre, world.secretary)
    assert sent()[2] == 4  # what was accepted since is not open yet
    client.force_login(world.boss)
    assert [str(one.actor) for one, _ in client.get(address).context["held"].openings] == ["Người secretary"] * 3
    assert sent()[2] == 5
    assert sent()[2] == 5
    for word in (row, newer):
        periods.reopen_report(report=word, actor=world.secretary, reason="Nhận nhầm", version=word.version)
    open_now = "Không có gì khoá số liệu từ 01/03/2024 đến 31/03/2024 của Đơn vị b11: đang sửa được bình thường."
    open_now += " Người secretary đã mở lại báo cáo kỳ lúc "
    assert [sent()[1].startswith(open_now), sent()[2]] == [True, 5]
    assert client.get(address).url == detail
    assert client.get(address + "&xem=1").status_code == 200  # somebody who looks which days are locked
    last = Unlock.objects.active().first()
    close = reverse("unlock_close", args=[last.pk])
    client.post(close)
    *_, words = client.post(close, follow=True).context["messages"]
    assert str(words).startswith("Người boss đã đóng mở khoá này lúc ")


def test_the_list_of_unlocks_asks_no_more_for_more(client, world):
    client.force_login(world.secretary)
    counts = []
    for month in (1, 2, 3):
        lock(world.b11, world.cadre, world.secretary, month)
        unlock(world.b11, world.secretary, date(2024, month, 1), date(2024, month, 28))
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(reverse("unlock_list")).context["rows"]) == month
        counts.append(len(captured))
    assert counts[0] == counts[2]
    years = {"2024": 3, str(date.today().year): 0}
    found = {year: len(client.get(reverse("unlock_list"), {"nam": year}).context["rows"]) for year in years}
    assert (found, client.get(reverse("unlock_list"), {"nam": "1999"}).status_code) == (years, 404)


# --- Closing a year ------------------------------------------------------------------------


def test_a_year_is_closed_by_typing_so_after_seeing_what_is_open_and_reopened_with_a_reason(client, world):
    review.submit(activity=planted(world), actor=world.cadre)
    returned = planted(world)
    review.submit(activity=returned, actor=world.cadre)
    Activity.objects.filter(pk=returned.pk).update(status=Status.RETURNED)
    planted(world)
    lock(world.b11, world.cadre, world.secretary, state="sent")
    lock(world.b12, world.other_cadre, world.secretary)
    unlock(world.b12, world.secretary)
    second = make_user("second", access.ADMIN, world.tw)
    client.force_login(world.central)
    close, reopen = reverse("year_close", args=[2024]), reverse("year_reopen", args=[2024])
    counts = {item.words: item.count for item in client.get(close).context["items"]}
    assert list(counts.values()) == [1, 1, 1, 0, 19 * 8 - 2, 1, 1]
    items = client.get(close).context["items"]
    for item in items[:3]:
        assert client.get(item.url).context["count"] == item.count
    assert [row.report.unit for row in client.get(items[5].url).context["rows"]] == [world.b11]
    for words in ("", "CHOT 2024", "CHỐT 2023"):
        assert client.post(close, {"viec": "de-nghi", "words": words}).status_code == 422
    said = {"words": " chốt  2024 "}
    assert client.post(close, said | {"viec": "de-nghi"}).url == close
    client.force_login(second)
    assert client.post(close, {"viec": "chot", "words": "CHỐT 2023"}).status_code == 422
    assert WorkYear.objects.get(pk=2024).is_open is True
    assert client.post(close, said | {"viec": "chot"}).status_code == 302
    assert WorkYear.objects.get(pk=2024).is_open is False
    for late in (client.get(close, follow=True), client.post(close, {"words": ""}, follow=True)):
        *_, words = late.context["messages"]
        assert str(words).startswith("Năm công tác 2024 đã chốt: Người second đã chốt năm công tác lúc ")
        assert late.redirect_chain == [(reverse("year_list"), 302)]
    assert list(Unlock.objects.active()) == []
    assert "Năm công tác 2024 đã khoá nên không thay đổi được nữa." in says(planted, world, world.b21)
    assert client.post(reopen, {"reason": " "}).status_code == 422
    assert client.post(reopen, {"reason": "Thiếu số của Đoàn khối"}).status_code == 302
    assert WorkYear.objects.get(pk=2024).is_open is True
    for late in (client.get(reopen, follow=True), client.post(reopen, {"reason": "Thiếu"}, follow=True)):
        *_, words = late.context["messages"]
        assert str(words).startswith("Năm công tác 2024 đang mở: Người second đã mở lại năm công tác lúc ")
    noted = JournalEntry.objects.filter(object_type="targets.workyear", year=2024).exclude(actor=None)
    assert list(noted.order_by("number").values_list("verb", "actor__username", "reason")) == [
        (year_closing.ask.code, "central", ""),
        (year_closing.close.code, "second", ""),
        (year_closing.reopen.code, "second", "Thiếu số của Đoàn khối"),
    ]
    assert WorkYear.objects.get(pk=2024).closing_asker is None


def test_two_people_close_a_year_and_each_may_drop_the_wish(client, world):
    second = make_user("second", access.ADMIN, world.tw)
    close = reverse("year_close", args=[2024])

    def sent(user, what):
        """(status, what is offered next, what is said)"""
        client.force_login(user)
        page = client.post(close, {"viec": what, "words": "CHỐT 2024"}, follow=True)
        form = page.context.get("form")
        said = form.non_field_errors() if form and form.is_bound else page.context["messages"]
        return page.status_code, page.context.get("offered"), [str(words) for words in said]

    waits = "Bạn đã đề nghị chốt năm công tác 2024: chờ một người khác chốt."
    asked = "Đã đề nghị chốt năm công tác 2024. Một người khác của văn phòng Trung ương xem lại và chốt."
    client.force_login(world.central)
    assert client.get(close).context["is_alone"] is False
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert client.get(close).context["is_alone"] is True
    User.objects.filter(pk=second.pk).update(is_active=True)
    assert says(year_closing.close, year=2024, actor=second) == [year_closing.NOT_ASKED]
    assert sent(world.central, "chot") == (
        409,
        "de-nghi",
        ["Đề nghị chốt năm này vừa được bỏ. Muốn chốt thì đề nghị lại."],
    )
    assert sent(world.central, "de-nghi") == (200, None, [asked])
    assert [sent(world.central, what) for what in ("de-nghi", "chot")] == [(200, None, [waits])] * 2
    today = {user: [item.url for item in digest_of(user) if "chốt" in item.text] for user in (second, world.central)}
    assert (today, digest_of(world.viewer)) == ({second: [close], world.central: []}, [])
    assert says(year_closing.close, year=2024, actor=world.central) == [year_closing.TWO_PERSONS]
    meanwhile = "Vừa có người khác đề nghị chốt năm này: xem lại rồi chốt."
    assert sent(second, "de-nghi") == (409, "chot", [meanwhile])
    assert sent(second, "bo") == (200, "de-nghi", ["Đã bỏ đề nghị chốt năm công tác 2024."])
    assert sent(second, "bo") == (200, "de-nghi", ["Năm công tác 2024 không còn đề nghị chốt nào."])
    assert WorkYear.objects.get(pk=2024).is_open is True
    told = Notice.objects.filter(kind=NoticeKind.CLOSING).order_by("pk").values_list("user__username", "url", "text")
    assert list(told) == [
        ("second", close, "Người central đề nghị chốt năm công tác 2024: mời xem lại và chốt."),
        ("central", close, "Người second đã bỏ đề nghị chốt năm công tác 2024 của bạn."),
    ]
    sent(second, "de-nghi")
    assert sent(world.central, "chot")[2] == ["Đã chốt và đóng năm công tác 2024."]
    assert WorkYear.objects.get(pk=2024).is_open is False


def test_an_unlock_of_before_does_not_open_a_closed_year(world):
    activity = planted(world)
    lock_own(world)
    unlock(world.b11, world.secretary)
    year_closing.ask(year=2024, actor=world.admin)
    year_closing.close(year=2024, actor=world.central)
    with pytest.raises(locks.Locked):
        review.submit(activity=activity, actor=world.cadre)
    unlock(world.b11, world.central)
    review.submit(activity=activity, actor=world.cadre)
    reopen_year(year=2024)
    assert audit(2024).differences == []


def test_a_record_cannot_be_edited_into_a_locked_period_or_out_of_it(world):
    activity = planted(world, day=date(2024, 4, 2))
    lock_own(world)

    def edit(day):
        changed = Activity.objects.get(pk=activity.pk)
        changed.first_day = changed.last_day = day
        entry = Entry(changed, {world.trees: Parsed(5)})
        return recording.edit(entry=entry, actor=world.cadre, version=changed.version)

    with pytest.raises(locks.Locked):
        edit(date(2024, 3, 26))
    row = unlock(world.b11, world.secretary)
    edit(date(2024, 3, 26))
    unlocking.close_unlock(unlock=row, actor=world.secretary)
    with pytest.raises(locks.Locked):
        edit(date(2024, 4, 2))
    grant(world.cadre, access.CADRE, world.b12)
