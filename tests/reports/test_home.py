import re
import uuid
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from activities import review
from activities.models import Activity, Event, FormDraft, PeriodReport
from activities.reporting import periods
from activities.writing import drafts
from reports import home
from targets.models import Period
from tests.factories import assign, make_activity, make_kind, make_target, make_user
from units import access

JULY = date(2024, 7, 10)


@pytest.fixture
def today(monkeypatch):
    """It is 15 August 2024."""
    monkeypatch.setattr(timezone, "localdate", lambda *_: date(2024, 8, 15))


def log(world, unit=None, author=None, kind=None, day=JULY, **fields):
    figures = {world.trees: 5, world.times: 3} if kind is None else {}
    return make_activity(unit or world.b11, author or world.cadre, kind or world.planting, figures, day, **fields)


def sent(world, **fields):
    activity = log(world, **fields)
    review.submit(activity=activity, actor=activity.author)
    return activity


def returned(world, reason="Số liệu chưa khớp: đếm lại", **fields):
    activity = sent(world, **fields)
    review.return_to_author(activity=activity, actor=world.secretary, reason=reason)
    return activity


def typing(user, world, activity=None, **fields):
    """What a phone keeps of a form on the server; `activity`: the record that is being changed."""
    key = activity.form_key if activity else uuid.uuid4()
    fields = {"kind": [world.planting.code], "title": [fields.get("title", "")]}
    if activity:
        fields |= {drafts.RECORD: [str(activity.pk)]}
    return FormDraft.objects.create(key=key, user=user, title=fields["title"][0] or "Đang nhập", data=fields)


def page(client, user, **query):
    client.force_login(user)
    return client.get("/", {"nam": 2024} | query)


def links(response, text):
    """Where the links of this text lead."""
    found = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>([^<]*)</a>', response.content.decode())
    return [address.replace("&amp;", "&") for address, label in found if label == text]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "vừa xong"), (59, "vừa xong"), (185, "3 phút trước"), (7300, "2 giờ trước"), (90_000, "1 ngày trước")],
)
def test_how_long_ago(seconds, words):
    assert home.ago(timezone.now() - timedelta(seconds=seconds)) == words


def test_what_was_begun_stands_once_newest_first_with_where_it_goes_on(client, world, today):
    old, open_again, back = log(world, title="Nháp cũ"), log(world, title="Nháp đang sửa"), returned(world)
    Event.objects.filter(activity=old).update(at=timezone.now() - timedelta(hours=2))
    log(world, unit=world.b12, author=world.other_cadre, title="Của người khác")
    form = typing(world.cadre, world, title="Hiến máu")
    edited, retyped = typing(world.cadre, world, open_again), typing(world.cadre, world, back)
    typing(world.other_cadre, world, title="Của người khác")

    response = page(client, world.cadre)
    rows = [(row.title, row.url, row.drop_url, row.key) for row in response.context["drafts"]]
    edit = {row: reverse("activity_edit", args=[row.pk]) for row in (old, open_again, back)}
    cancel = {row: f"{reverse('activity_cancel', args=[row.pk])}?tiep=/" for row in (old, open_again)}
    assert rows == [
        ("Nháp đang sửa", f"{edit[open_again]}?ban-nhap={edited.key}", cancel[open_again], ""),
        (
            "Hiến máu",
            f"{reverse('activity_create')}?ban-nhap={form.key}",
            reverse("draft_drop", args=[form.key]),
            str(form.key),
        ),
        ("Nháp cũ", edit[old], cancel[old], ""),
    ]
    assert links(response, "Tiếp tục") == [row[1] for row in rows]
    assert [row.ago for row in response.context["drafts"]] == ["vừa xong", "vừa xong", "2 giờ trước"]
    assert links(response, "Bổ sung") == [f"{edit[back]}?ban-nhap={retyped.key}#so-lieu"]
    assert response.content.decode().count("Số liệu chưa khớp: đếm lại") == 1
    assert response.content.decode().count("Của người khác") == 0
    assert client.post(rows[1][2]).status_code == 302
    assert [row.title for row in page(client, world.cadre).context["drafts"]] == ["Nháp đang sửa", "Nháp cũ"]


def test_joint_activities_that_wait_for_the_unit_are_counted(client, world):
    sent(world, hosts=[world.b12, world.b21])
    assert links(page(client, world.other_cadre), "Chờ đơn vị bạn xác nhận phối hợp (1)") == [reverse("hosting_list")]
    assert page(client, world.cadre).context["invitations"] == 0


def test_doing_again_offers_the_latest_of_the_kinds_used_most(client, world):
    kinds = [make_kind(f"thu-{n}", counted=[world.count]) for n in range(4)]
    for kind in (kinds[0], kinds[1], kinds[1], kinds[2], kinds[3]):
        sent(world, kind=kind, title=f"Trước {kind}")
    newest = {kind: sent(world, kind=kind, day=JULY + timedelta(days=1), title=f"Mới {kind}") for kind in kinds[:3]}
    log(world, kind=kinds[3], title="Chỉ là nháp", day=JULY + timedelta(days=2))
    cancelled = sent(world, kind=kinds[3], title="Ghi trùng", day=JULY + timedelta(days=2))
    review.cancel(activity=cancelled, actor=world.cadre, reason="Ghi trùng")
    sent(world, unit=world.b12, author=world.other_cadre, title="Của đơn vị khác")
    response = page(client, world.cadre)
    offered = [newest[kinds[1]], newest[kinds[2]], newest[kinds[0]]]
    assert [row.title for row in response.context["again"]] == [row.title for row in offered]
    create = reverse("activity_create")
    assert [links(response, row.title) for row in offered] == [[f"{create}?tu={row.pk}"] for row in offered]


def period(number, kind="month"):
    return Period.objects.select_related("year").get(year=2024, kind=kind, number=number, issuer=None)


def test_the_periods_to_speak_of_now_stand_with_their_words_what_came_back_first(client, world, today):
    review.approve(activity=sent(world), actor=world.secretary)
    sent(world)
    for number in range(1, 7):
        periods.report(unit=world.b11, period=period(number), nothing=True, actor=world.cadre)

    def shown():
        response = page(client, world.cadre)
        rows = [(row.said, row.counts.sent, row.counts.approved, row.words) for row in response.context["periods"]]
        return rows, response.context["more_periods"]

    august = ("Tháng 8 không phát sinh", 0, 0, "Chưa đến hạn (hạn 05/09)")
    july = ("Tháng 7 không phát sinh thêm", 2, 1, "Trễ 10 ngày")
    half = ("6 tháng đầu năm không phát sinh", 0, 0, "Trễ 36 ngày")
    assert shown() == ([august, july, half], 2)  # and two quarters
    periods.report(unit=world.b11, period=period(7), nothing=False, actor=world.cadre)
    assert shown()[0][:2] == [august, half]
    word = PeriodReport.objects.get(unit=world.b11, period=period(6))
    periods.send_back(report=word, actor=world.secretary, reason="Thiếu số", version=1)
    assert [row[3] for row in shown()[0]][:2] == ["Bị trả lại, trễ 41 ngày: Thiếu số", august[3]]
    response = page(client, world.cadre)
    address = f"{reverse('period_report')}?nam=2024&don-vi=b11&ky={period(8).pk}&tiep=%2F%3Fnam%3D2024"
    assert links(response, "Tháng 8 không phát sinh") == [address]
    client.post(address, {"loai": "khong", "tiep": "/?nam=2024"})
    assert shown()[0][1] == ("Tháng 8 không phát sinh", 0, 0, "Không phát sinh, đúng hạn")
    assert links(page(client, world.cadre), "Tháng 8 không phát sinh") == []
    # A superior who logs for the unit sees and says the same; who only looks on sees no periods.
    assert len(page(client, world.secretary, **{"don-vi": "b11"}).context["periods"]) == 4
    assert "periods" not in page(client, world.viewer, **{"don-vi": "b11"}).context


def test_a_cadre_sees_the_three_weakest_targets_and_the_way_to_all(client, world):
    for percent in (90, 10, 50, 30):
        measures = [{"kind": "total", "value": 1000 - percent, "indicators": [world.trees]}]
        target = make_target(world.k1, 2024, measures, text=f"Chỉ tiêu {percent}")
        assign(target.measures.get(), world.b11, 1000 // percent)
    review.approve(activity=make_100(world), actor=world.secretary)
    response = page(client, world.cadre)
    assert [row.percent for row in response.context["rows"]] == ["10%", "30,3%", "50%"]
    assert links(response, "Xem tất cả 4 chỉ tiêu") == ["/tien-do/?nam=2024&don-vi=b11"]


def make_100(world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 10, world.times: 1}, JULY)
    review.submit(activity=activity, actor=world.cadre)
    return activity


def test_an_empty_home_says_so(client, world):
    response = page(client, world.cadre)
    assert "Không có bản nháp hay hoạt động nào cần bổ sung." in response.content.decode()
    assert (response.context["drafts"], response.context["returned"], response.context["again"]) == ([], [], [])


def test_statements_are_as_many_for_one_and_for_three_of_everything(client, world, django_assert_max_num_queries):
    colleague = make_user("colleague", access.CADRE, world.b12)
    found = []
    for number in range(3):
        kind = make_kind(f"thu-{number}", counted=[world.count])
        log(world), returned(world), sent(world, kind=kind)
        sent(world, unit=world.b12, author=colleague, hosts=[world.b11])
        typing(world.cadre, world, title="Đang nhập")
        target = make_target(world.k1, 2024, [{"kind": "total", "value": 100, "indicators": [world.trees]}])
        assign(target.measures.get(), world.b11, 10)
        periods.report(unit=world.b11, period=period(number + 1), nothing=True, actor=world.cadre)
        client.force_login(world.cadre)
        with django_assert_max_num_queries(24) as asked:
            response = client.get("/", {"nam": 2024})
        found.append((len(asked), len(response.context["drafts"]), len(response.context["returned"])))
    assert [row[1:] for row in found] == [(2, 1), (4, 2), (6, 3)]
    assert found[0][0] == found[1][0] == found[2][0]
    assert Activity.objects.filter(unit=world.b11).count() == 9
