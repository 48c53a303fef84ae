"""Being told in the app: who, when, and what of it one sees."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import grant, make_user
from units import access, notices
from units.models import Notice, NoticeKind, Role
from units.notices import next_loud, people_of, tell

LIST = "/thong-bao/"


def leave(user, unit, text, ago=1, **fields):
    """A notice that shows since `ago` hours."""
    show_at = timezone.now() - timedelta(hours=ago)
    return Notice.objects.create(
        user=user, unit=unit, kind=NoticeKind.REMINDED, text=text, show_at=show_at, **{"url": "/tro-giup/"} | fields
    )


def shown(client, url=LIST):
    return [notice.text for notice in client.get(url).context["page"]]


def bell(client):
    """What stands beside the bell, "" for nothing."""
    html = client.get("/tro-giup/").content.decode()
    return html.split("data-unread>")[1].split("<")[0] if "data-unread" in html else ""


# --- quiet hours: local time is seven hours ahead of UTC ---


@pytest.mark.parametrize(
    ("moment", "loud"),
    [
        ("2026-03-10 13:59:59", "2026-03-10 13:59:59"),  # 20:59:59
        ("2026-03-10 14:00:00", "2026-03-11 00:00:00"),  # 21:00
        ("2026-03-10 16:59:59", "2026-03-11 00:00:00"),  # the last second of the local day
        ("2026-03-10 17:00:00", "2026-03-11 00:00:00"),  # midnight
        ("2026-03-10 23:59:59", "2026-03-11 00:00:00"),  # 06:59:59, the last second of the day in UTC
        ("2026-03-11 00:00:00", "2026-03-11 00:00:00"),  # 07:00, midnight in UTC
        ("2026-03-11 00:00:01", "2026-03-11 00:00:01"),
        ("2026-12-31 15:00:00", "2027-01-01 00:00:00"),
        ("2024-02-28 14:00:00", "2024-02-29 00:00:00"),
    ],
)
def test_nights_are_quiet_from_nine_to_seven_local_time(moment, loud):
    moment, loud = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (moment, loud))
    assert next_loud(moment) == loud


def test_what_is_told_at_night_shows_in_the_morning(client, world, monkeypatch):
    day = (timezone.localtime() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    night, morning = day.replace(hour=22), (day + timedelta(days=1)).replace(hour=7)
    monkeypatch.setattr(timezone, "now", lambda: night)
    tell(users=[world.cadre, world.cadre], unit=world.b11, kind=NoticeKind.RETURNED, text="Trả\nlại " + "x" * 400)
    client.force_login(world.cadre)
    assert (bell(client), shown(client)) == ("", [])
    monkeypatch.setattr(timezone, "now", lambda: morning)
    assert (bell(client), shown(client)) == ("1", ["Trả lại " + "x" * 291 + "…"])


# --- whom to tell ---


def test_the_people_of_a_unit_are_the_active_ones_with_a_role_on_that_very_unit(world, django_assert_num_queries):
    grant(world.cadre, access.SECRETARY, world.b11)  # two roles, one person
    make_user("locked", access.CADRE, world.b11, is_active=False)
    make_user("looks-on", access.VIEWER, world.b11)
    ann = make_user("ann", access.STAFF, world.b11, full_name="Trần An")
    with django_assert_num_queries(1):
        assert people_of([world.b11.pk], access.LOG) == {world.b11.pk: [ann, world.cadre]}
    units = [world.b11.pk, world.b12.pk, world.b21.pk, world.k1.pk, world.p1.pk]
    with django_assert_num_queries(1):
        assert people_of(units, access.REVIEW) == {world.b11.pk: [world.cadre], world.k1.pk: [world.secretary]}


# --- the list ---


def test_the_list_shows_ones_own_notices_of_units_in_scope_newest_first(client, world):
    client.force_login(world.cadre)
    assert "Chưa có thông báo nào" in client.get(LIST).content.decode()
    leave(world.cadre, world.b11, "Cũ", ago=3, read_at=timezone.now())
    leave(world.cadre, world.b11, "Mới", ago=1)
    leave(world.cadre, world.b11, "Sắp tới", ago=-1)
    leave(world.cadre, world.b21, "Đơn vị khác")  # a unit the person no longer works for
    leave(world.other_cadre, world.b11, "Của người khác")
    assert (shown(client), shown(client, f"{LIST}?chua-doc=1"), bell(client)) == (["Mới", "Cũ"], ["Mới"], "1")
    Role.objects.filter(user=world.cadre).delete()
    assert (shown(client), bell(client)) == ([], "")


def test_reading_is_a_post_and_a_get_changes_nothing(client, world):
    first, second = leave(world.cadre, world.b11, "Một"), leave(world.cadre, world.b11, "Hai")
    last, hidden = leave(world.cadre, world.b11, "Ba"), leave(world.cadre, world.b21, "Ngoài phạm vi")
    foreign = leave(world.other_cadre, world.b12, "Của người khác")
    client.force_login(world.cadre)
    unread = lambda: sorted(Notice.objects.unread().values_list("text", flat=True))  # noqa: E731
    everything = unread()
    assert client.get(LIST).status_code == 200
    assert client.get(reverse("notice_open", args=[first.pk])).status_code == 405
    for notice in (hidden, foreign):
        assert client.post(reverse("notice_open", args=[notice.pk])).status_code == 404
    for bad in ({}, {"so": "x"}, {"so": "9" * 40}, {"den": "\0"}, {"so": str(foreign.pk)}, {"so": str(hidden.pk)}):
        assert client.post(reverse("notices_read"), bad, follow=True).status_code == 200
    assert unread() == everything
    response = client.post(reverse("notice_open", args=[first.pk]))
    assert (response["Location"], unread()) == ("/tro-giup/", ["Ba", "Của người khác", "Hai", "Ngoài phạm vi"])
    response = client.post(reverse("notices_read"), {"den": second.pk, "chua-doc": "1"})  # “Ba” came meanwhile
    assert (response["Location"], unread()) == (f"{LIST}?chua-doc=1", ["Ba", "Của người khác", "Ngoài phạm vi"])
    client.post(reverse("notices_read"), {"so": last.pk})
    assert (unread(), bell(client)) == (["Của người khác", "Ngoài phạm vi"], "")
    assert "Bạn đã đọc hết thông báo." in client.get(f"{LIST}?chua-doc=1").content.decode()


@pytest.mark.parametrize("url", ["https://example.org/", "//example.org/", "", "javascript:alert(1)"])
def test_a_notice_leads_to_a_page_of_ours_only(client, world, url):
    notice = leave(world.cadre, world.b11, "Một", url=url)
    client.force_login(world.cadre)
    assert client.post(reverse("notice_open", args=[notice.pk]))["Location"] == LIST


def test_the_list_and_the_bell_ask_the_same_for_one_and_for_many(client, world):
    client.force_login(world.cadre)
    asked = []
    for number in (1, 120):
        Notice.objects.bulk_create(
            Notice(user=world.cadre, unit=world.b11, kind="reminded", text="Nhắc", show_at=timezone.now())
            for _ in range(number)
        )
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        asked.append(len(captured))
    assert asked[0] == asked[1] <= 10
    assert (bell(client), client.get(f"{LIST}?page=4").context["page"].paginator.num_pages) == ("99+", 5)


def test_what_was_read_long_ago_is_deleted_and_nothing_else(world, capsys):
    now = timezone.now()
    for text, read_at in (("lâu", 91), ("vừa", 89)):
        leave(world.cadre, world.b11, text, ago=24 * 200, read_at=now - timedelta(days=read_at))
    leave(world.cadre, world.b11, "chưa đọc", ago=24 * 200)
    call_command("prune_notices")
    assert capsys.readouterr().out == "Đã xoá 1 thông báo.\n"
    assert sorted(Notice.objects.values_list("text", flat=True)) == ["chưa đọc", "vừa"]
    assert notices.KEPT_DAYS == 90
