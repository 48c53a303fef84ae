from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from activities import review
from activities.models import Activity, Event, Evidence, Figure, Host, Look, PeriodReport, Status, Step, UnitTotal
from activities.refused import REFUSED
from activities.reviewing.review_views import NOT_FOUND
from targets.years import close_year
from tests.activities.locking import lock_own, unlock
from tests.activities.test_recording import change
from tests.factories import assign, grant, make_activity, make_indicator, make_target, make_user
from units import access

QUEUE, UNDO, RECENT = reverse("review_queue"), reverse("review_undo"), reverse("review_recent")
HTMX = {"headers": {"HX-Request": "true"}}
COPIED = (
    "unit",
    "kind",
    "first_day",
    "last_day",
    "year",
    "month",
    "status",
    "author",
    "submitted_at",
    "warnings",
    "search",
)


def act(name, activity):
    return reverse(f"activity_{name}", args=[activity.pk])


def said(response):
    return [str(message) for message in response.context["messages"]]


def send(world, trees=35, unit=None, **fields):
    activity = make_activity(unit or world.b11, world.cadre, world.planting, {world.trees: trees}, **fields)
    review.submit(activity=activity, actor=world.cadre)
    activity.refresh_from_db()
    return activity


def counted(world):
    rows = UnitTotal.objects.filter(unit=world.tw, indicator=world.trees, month=0)
    return sum(rows.values_list("value", flat=True))


@pytest.fixture
def waiting(world):
    return send(world)


@pytest.fixture
def secretary(client, world):
    client.force_login(world.secretary)
    return client


def test_approving_goes_on_to_the_next_and_offers_to_take_it_back(secretary, world):
    first, second, third = send(world, 1), send(world, 20), send(world, 300)
    response = secretary.post(act("approve", second), {"version": second.version, "hang": ""}, follow=True)
    assert response.redirect_chain == [(f"{QUEUE}?sau={second.pk}&hd={third.pk}", 302)]
    assert [row.code for row in response.context["just_decided"]] == [second.code]
    assert (response.context["item"], counted(world)) == (third, 20)
    last = secretary.post(act("approve", third), {"version": third.version, "hang": ""}, follow=True)
    assert (last.context["item"], counted(world)) == (first, 320)
    second.refresh_from_db()
    undone = secretary.post(UNDO, {"chon": f"{second.pk}:{second.version}", "hang": ""}, follow=True)
    second.refresh_from_db()
    assert (undone.context["item"], second.status, counted(world)) == (second, Status.PENDING, 300)
    assert said(undone) == [f"Đã hoàn tác: {second.code} lại chờ bạn duyệt."]
    assert secretary.get(f"{QUEUE}?sau={second.pk}").context["just_decided"] == []


def test_a_second_approval_is_a_message_not_an_error(secretary, world, waiting):
    secretary.post(act("approve", waiting), {"version": waiting.version})
    once = counted(world)
    for more in ({}, {"hang": ""}):
        response = secretary.post(act("approve", waiting), more, follow=True)
        words = said(response)[-1]
        assert words.startswith(f"{waiting.code} đã được duyệt rồi: {world.secretary} đã duyệt lúc ")
        assert [message.level_tag for message in response.context["messages"]][-1] == "info"
    assert once == counted(world) == 35


def test_a_record_changed_since_the_page_was_opened_is_not_approved(secretary, world, waiting):
    seen = waiting.version
    change(waiting, world.cadre, {world.trees: 3500})
    for sent in ({"version": seen}, {"version": "9" * 40}, {}):
        response = secretary.post(act("approve", waiting), sent, follow=True)
        assert (said(response), counted(world)) == ([review.CHANGED], 0)


@pytest.mark.parametrize("address", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "", "\x00"])
def test_the_way_back_stays_on_this_site(secretary, waiting, address):
    sent = {"tiep": address, "usual": "Sai ngày", "version": waiting.version}
    response = secretary.post(act("return", waiting), sent)
    assert response.url == act("detail", waiting)


def test_the_page_of_a_record_offers_to_take_the_approval_back_and_stays(secretary, world, waiting):
    page = secretary.post(act("approve", waiting), {"version": waiting.version}, follow=True)
    assert (said(page), [row.pk for row in page.context["just_decided"]]) == ([], [waiting.pk])
    undone = secretary.post(UNDO, ticks(*page.context["just_decided"]) | {"tiep": act("detail", waiting)}, follow=True)
    assert undone.redirect_chain == [(act("detail", waiting), 302)]
    assert (said(undone), counted(world)) == ([f"Đã hoàn tác: {waiting.code} lại chờ bạn duyệt."], 0)


def test_the_queue_says_a_return_once_and_is_left_where_one_was(secretary, world, waiting):
    second = send(world, 20)
    way = secretary.get(f"{QUEUE}?hd={waiting.pk}").context["back_address"]
    assert secretary.get(act("return", waiting), {"tiep": "//evil.example/"}).context["leave"] == act("detail", waiting)
    form = secretary.get(act("return", waiting), {"tiep": way})
    assert (form.context["leave"], form.context["next"]) == (f"{QUEUE}?hd={waiting.pk}", f"{QUEUE}?sau={waiting.pk}")
    sent = {"tiep": way, "usual": "Sai ngày", "version": waiting.version}
    page = secretary.post(act("return", waiting), sent, follow=True)
    assert (said(page), page.context["item"]) == ([], second)
    assert [row.said for row in page.context["just_decided"]] == ["Đã trả lại"]


def test_returning_asks_for_a_reason_and_tells_the_unit(secretary, client, world, waiting):
    assert secretary.get(act("return", waiting)).status_code == 200
    empty = secretary.post(act("return", waiting), {"reason": "  "})
    assert (empty.status_code, list(empty.context["form"].errors)) == (422, ["reason"])
    sent = {"usual": "Số liệu chưa khớp", "reason": "so với danh sách", "version": waiting.version}
    secretary.post(act("return", waiting), sent)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.return_reason) == (Status.RETURNED, "Số liệu chưa khớp: so với danh sách")
    client.force_login(world.cadre)
    assert "Số liệu chưa khớp: so với danh sách" in client.get(act("edit", waiting)).content.decode()


@pytest.mark.parametrize("sent", [{"usual": "bịa"}, {"reason": "x" * 401}, {"reason": "a\x00"}])
def test_a_wrong_reason_is_refused(secretary, waiting, sent):
    assert secretary.post(act("return", waiting), sent).status_code == 422
    waiting.refresh_from_db()
    assert waiting.status == Status.PENDING


def test_the_author_withdraws_sends_cancels_and_restores(client, world, waiting):
    client.force_login(world.cadre)
    for name, status in (
        ("withdraw", Status.DRAFT),
        ("submit", Status.PENDING),
        ("cancel", Status.CANCELLED),
        ("restore", Status.DRAFT),
    ):
        assert client.post(act(name, waiting)).url == act("detail", waiting)
        waiting.refresh_from_db()
        assert waiting.status == status, name


def test_cancelling_an_approved_record_needs_a_reason(client, world, waiting):
    review.approve(activity=waiting, actor=world.secretary)
    client.force_login(world.cadre)
    assert client.post(act("cancel", waiting), {"reason": ""}).status_code == 422
    assert counted(world) == 35
    client.post(act("cancel", waiting), {"usual": "Ghi trùng"})
    assert counted(world) == 0


def test_an_incomplete_draft_leads_back_to_its_form(client, world):
    draft = make_activity(world.b11, world.cadre, world.declaring, {})
    client.force_login(world.cadre)
    response = client.post(act("submit", draft), follow=True)
    assert response.redirect_chain == [(act("edit", draft), 302)]
    assert said(response) == ["Nhập ít nhất một số liệu."]


def test_a_closed_year_is_said_in_words(secretary, world, waiting):
    close_year(year=2024)
    response = secretary.post(act("approve", waiting), {"version": waiting.version}, follow=True)
    assert said(response) == ["Năm công tác 2024 đã khoá nên không thay đổi được nữa."]


WRITER = ("submit", "withdraw", "cancel", "restore")
DECIDER = ("approve", "return", "unapprove")
STATUS = {
    "cadre": {"writer": 302, "decider": 403},
    "other_cadre": {"writer": 404, "decider": 403},
    "secretary": {"writer": 302, "decider": 302},
    "staff": {"writer": 302, "decider": 403},
    "stranger": {"writer": 404, "decider": 404},
    "viewer": {"writer": 403, "decider": 403},
    "admin": {"writer": 403, "decider": 403},
}


@pytest.mark.parametrize("who", STATUS)
@pytest.mark.parametrize("name", WRITER + DECIDER)
def test_who_may_take_which_step(client, world, waiting, who, name):
    client.force_login(getattr(world, who))
    expected = STATUS[who]["writer" if name in WRITER else "decider"]
    sent = {"reason": "vì thế", "version": waiting.version}
    assert client.post(act(name, waiting), sent).status_code == expected


@pytest.mark.parametrize("name", ["submit", "withdraw", "restore", "approve"])
def test_looking_never_changes_anything(secretary, waiting, name):
    assert secretary.get(act(name, waiting)).status_code == 405


def test_a_secretary_gets_403_on_the_own_record(client, world):
    activity = make_activity(world.k1, world.secretary, world.planting, {world.trees: 35})
    review.submit(activity=activity, actor=world.secretary)
    client.force_login(world.secretary)
    assert client.post(act("approve", activity)).status_code == 403
    assert client.get(act("return", activity)).status_code == 403
    assert counted(world) == 0


# --- the queue ---


def listed(response):
    return [row.pk for row in response.context["page"].object_list]


def ticks(*rows):
    return {"chon": [f"{row.pk}:{row.version}" for row in rows]}


def test_the_queue_holds_what_waits_for_me_oldest_first(secretary, world):
    first, second = send(world, title="Một"), send(world, title="Hai")
    send(world, unit=world.b21, title="Khối khác")
    make_activity(world.b11, world.cadre, world.planting, {world.trees: 1}, title="Còn nháp")
    Activity.objects.filter(pk=first.pk).update(submitted_at="2024-01-01T00:00:00Z")
    grant(world.secretary, access.CADRE, world.b12)
    response = secretary.get(QUEUE)
    assert (listed(response), response.context["item"]) == ([first.pk, second.pk], first)


def test_the_saved_views_and_filters_narrow_the_list_and_their_counts(secretary, world):
    clean, doubtful = send(world, title="Sạch"), send(world, unit=world.b12, title="Đáng ngờ")
    old = send(world, title="Cũ")
    doubts = [["twin", 'Có ["reused", nữa.'], ["unusual", "Nhiều quá."]]
    Activity.objects.filter(pk=doubtful.pk).update(warnings=doubts)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    for record, at in ((old, midnight - timedelta(days=5, seconds=1)), (clean, midnight - timedelta(days=5))):
        Activity.objects.filter(pk=record.pk).update(submitted_at=at)
    shown = {
        "": [old.pk, clean.pk, doubtful.pk],
        "xem=khong-canh-bao": [old.pk, clean.pk],
        "xem=co-canh-bao": [doubtful.pk],
        "xem=qua-5-ngay": [old.pk],
        "xem=x": [old.pk, clean.pk, doubtful.pk],
        "don-vi=b12": [doubtful.pk],
        "don-vi=k1": [old.pk, clean.pk, doubtful.pk],
        "don-vi=b21": [],
        "loai=thu-ke-khai": [],
        "loai=thu-trong-cay&canh-bao=twin": [doubtful.pk],
        "canh-bao=reused": [],
        "canh-bao=la": [],
        "loai=la": [],
        "don-vi=b12&xem=khong-canh-bao": [],
    }
    assert {query: listed(secretary.get(f"{QUEUE}?{query}")) for query in shown} == shown
    tabs = secretary.get(f"{QUEUE}?don-vi=k1&xem=qua-5-ngay").context["queue"].tabs
    assert tabs == [
        ("Tất cả", 3, "don-vi=k1", False),
        ("Không cảnh báo", 2, "xem=khong-canh-bao&don-vi=k1", False),
        ("Có cảnh báo", 1, "xem=co-canh-bao&don-vi=k1", False),
        ("Quá 5 ngày", 1, "xem=qua-5-ngay&don-vi=k1", True),
    ]
    waits, gone = ("thu-trong-cay", f"{world.planting.name} (3)"), ("thu-ke-khai", world.declaring.name)
    for query, offered, wrong in (
        ("don-vi=b12", [waits], []),
        ("loai=thu-ke-khai", [waits, gone], []),
        ("loai=la", [waits], ["loai"]),
    ):
        form = secretary.get(f"{QUEUE}?{query}").context["form"]
        assert (form.fields["loai"].widget.choices[1:], list(form.errors)) == (offered, wrong), query
    page = secretary.get(QUEUE).content.decode()
    assert page.count("Chờ 6 ngày") == page.count("Chờ 5 ngày") == page.count("Có thể trùng") - 1 == 1


@pytest.mark.parametrize("wanted", ["", "x", "9" * 40, "-1", "0"])
def test_an_address_that_names_nothing_shows_the_oldest_or_says_so(secretary, waiting, wanted):
    response = secretary.get(QUEUE, {"hd": wanted, "sau": f"{wanted}.{wanted}", "page": wanted, "per_page": wanted})
    assert (response.status_code, listed(response)) == (200, [waiting.pk])
    assert ("gone" in response.context and response.context["gone"]) == (NOT_FOUND if wanted else "")


def test_a_chosen_record_is_shown_on_its_page_and_one_decided_meanwhile_is_explained(secretary, world):
    rows = [send(world, title=f"Số {number}") for number in range(5)]
    response = secretary.get(f"{QUEUE}?per_page=2&hd={rows[3].pk}")
    assert (listed(response), response.context["item"]) == ([rows[2].pk, rows[3].pk], rows[3])
    assert listed(secretary.get(f"{QUEUE}?per_page=2&hd=123456789")) == [rows[0].pk, rows[1].pk]
    piece = secretary.get(reverse("review_item", args=[rows[4].pk]), **HTMX)
    assert piece.templates[0].name == "activities/_review_item.html"
    assert piece.context["item"] == rows[4]
    assert secretary.get(reverse("review_item", args=[rows[4].pk])).url == f"{QUEUE}?hd={rows[4].pk}"
    other = make_user("bi-thu-tinh", access.SECRETARY, world.p1)
    review.return_to_author(activity=rows[3], actor=other, reason="Thiếu ảnh")
    gone = secretary.get(f"{QUEUE}?hd={rows[3].pk}").context["gone"]
    assert gone.startswith(f"{rows[3].code} không còn chờ duyệt: {other} đã trả lại lúc ")
    piece = secretary.get(reverse("review_item", args=[rows[3].pk]), **HTMX)
    assert piece.context["gone"] == gone


def photo(activity, user, name="anh.jpg", sha256=""):
    key = uuid4()
    picture = {"thumbnail": "x", "content_type": "image/jpeg", "perceptual": key.hex[:16]} if ".jpg" in name else {}
    fields = {"key": key, "form_key": activity.form_key, "name": name, "size": 1, "sha256": sha256 or key.hex * 2}
    return Evidence.objects.create(activity=activity, uploader=user, file="x", **fields, **picture)


def test_a_record_shows_its_pictures_its_lock_and_what_it_will_feed(secretary, world):
    plain, locked = send(world, 20, unit=world.b12), send(world, 35)
    files = [photo(locked, world.cadre, name) for name in ("danh-sach.xlsx", "1.jpg", "2.jpg", "3.jpg", "4.jpg")]
    measure = {"kind": "total", "value": 1_000, "indicators": [world.trees]}
    assign(make_target(world.k1, 2024, [measure], number=5).measures.get(), world.b11, 100)
    lock_own(world)
    page = secretary.get(f"{QUEUE}?hd={locked.pk}")
    shown = {row.pk: (row.files, row.thumbs, row.more_files, row.standing.lock) for row in page.context["page"]}
    words = "Số liệu ngày 26/03/2024 đã khoá (Tháng 3 của Đơn vị b11). Cần sửa thì đề nghị cấp trên mở khoá."
    assert shown == {plain.pk: ([], [], 0, ""), locked.pk: (files, files[1:4], 2, words)}
    assert [file.pk for file in page.context["evidence"]] == [file.pk for file in files]
    text = page.content.decode()
    assert (text.count("Kỳ đã khoá"), text.count("5 minh chứng"), text.count('loading="lazy"')) == (2, 1, 3 + 4)
    asked = secretary.post(QUEUE, ticks(plain, locked)).context
    assert (asked["rows"], asked["locked"], asked["gone"], asked["sums"][0][0]) == (
        [plain],
        [(locked, words)],
        0,
        "20 cây",
    )
    assert secretary.post(QUEUE, ticks(locked)).content.decode().count("Không còn mục đã chọn nào") == 1
    feeds = reverse("review_feeds", args=[locked.pk])
    piece, whole = secretary.get(feeds, **HTMX), secretary.get(feeds)
    assert [(one.number, one.amount) for one in piece.context["feeds"]] == [("CT5", "+35")]
    assert [answer.templates[0].name for answer in (piece, whole)] == [
        "activities/_review_feeds.html",
        "activities/review_feeds.html",
    ]
    assert secretary.get(reverse("review_feeds", args=[plain.pk])).context["feeds"] == []
    unlock(world.b11, world.secretary)
    assert "Kỳ đã khoá" not in secretary.get(f"{QUEUE}?hd={locked.pk}").content.decode()
    assert secretary.post(QUEUE, ticks(plain, locked)).context["locked"] == []


def test_a_record_that_somebody_has_open_says_so_to_the_other_reviewers(secretary, world):
    first, second, foreign = send(world), send(world), send(world, unit=world.b21)
    other, outside = Client(), Client()
    other.force_login(make_user("bi-thu-tinh", access.SECRETARY, world.p1))
    outside.force_login(make_user("bi-thu-ngoai", access.SECRETARY, world.k2))

    def look(client, record):
        return client.post(reverse("review_look", args=[record.pk])).status_code

    def said(client, query=""):
        response = client.get(f"{QUEUE}?{query}")
        seen = {row.pk: row.viewer for row in response.context["page"] if row.viewer}
        return seen, response.content.decode().count("đang xem</span>")

    me, nothing = str(world.secretary), ({}, 0)
    assert [look(secretary, first), look(secretary, first), Look.objects.count()] == [204, 204, 1]
    assert [said(secretary), said(other), said(outside)] == [nothing, ({first.pk: me}, 2), nothing]
    assert [look(secretary, second), said(other)] == [204, ({second.pk: me}, 1)]
    assert [look(secretary, foreign), look(outside, first), said(other)] == [404, 404, ({second.pk: me}, 1)]
    Look.objects.update(at=timezone.now() - timedelta(minutes=2))
    assert said(other) == nothing
    review.approve(activity=first, actor=world.secretary)
    assert [look(secretary, first), Look.objects.get().activity] == [204, second]


def test_bulk_approval_first_says_what_will_count(secretary, world):
    money = make_indicator("thu-tien", unit_of_measure="đồng", name="Kinh phí")
    rows = [send(world, 10), send(world, 15, unit=world.b12), send(world, 100, unit=world.b21)]
    Figure.objects.create(activity=rows[0], indicator=money, value=12_500_000)
    page = secretary.post(QUEUE, ticks(*rows) | {"hang": "xem=khong-canh-bao"})
    assert (page.status_code, counted(world)) == (200, 0)
    assert (len(page.context["rows"]), page.context["units"], page.context["gone"]) == (2, 2, 1)
    assert page.context["sums"] == [
        ("25 cây", "25 cây"),
        ("2 hoạt động", "2 hoạt động"),
        ("12,5 triệu đồng", "12.500.000 đồng"),
    ]
    assert "Duyệt 2 hoạt động của 2 đơn vị" in page.content.decode()
    sent = ticks(*rows) | {"xac-nhan": "1", "hang": "xem=khong-canh-bao"}
    done = secretary.post(QUEUE, sent, follow=True)
    assert (done.redirect_chain[0][0], counted(world)) == (
        f"{QUEUE}?xem=khong-canh-bao&sau={rows[0].pk}.{rows[1].pk}",
        25,
    )
    assert said(done) == ["1 hoạt động đã chọn không tìm thấy."]
    undone = secretary.post(UNDO, ticks(*done.context["just_decided"]), follow=True)
    assert (said(undone), counted(world)) == (["Đã hoàn tác: 2 hoạt động lại chờ bạn duyệt."], 0)


def test_what_bulk_approval_leaves_out_is_said_row_by_row(secretary, world):
    rows = [send(world, 10), send(world, 15)]
    change(rows[1], world.cadre, {world.trees: 1500})
    response = secretary.post(QUEUE, ticks(*rows) | {"xac-nhan": "1"}, follow=True)
    assert response.context["refused"] == [(rows[1], review.CHANGED)]
    assert [row.pk for row in response.context["just_decided"]] == [rows[0].pk]
    assert counted(world) == 10
    assert secretary.get(QUEUE).context["refused"] == []


def test_many_are_returned_with_one_reason(secretary, world):
    rows = [send(world, 10), send(world, 15), send(world, 100, unit=world.b21)]
    change(rows[1], world.cadre, {world.trees: 1500})
    sent = ticks(*rows) | {"viec": "tra-lai", "hang": ""}
    assert secretary.post(QUEUE, sent).status_code == 200
    empty = secretary.post(QUEUE, sent | {"xac-nhan": "1", "reason": " "})
    assert (empty.status_code, list(empty.context["form"].errors)) == (422, ["reason"])
    done = secretary.post(QUEUE, sent | {"xac-nhan": "1", "usual": "Sai ngày"}, follow=True)
    assert [(one.said, one.pk) for one in done.context["just_decided"]] == [("Đã trả lại", rows[0].pk)]
    assert done.context["refused"] == [(rows[1], review.CHANGED)]
    states = dict(Activity.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "return_reason"))
    assert states == {rows[0].pk: "Sai ngày", rows[1].pk: "", rows[2].pk: ""}
    secretary.post(UNDO, ticks(*done.context["just_decided"]))
    assert listed(secretary.get(QUEUE)) == [rows[0].pk, rows[1].pk]


@pytest.mark.parametrize("ticked", [[], ["x"], ["1"], ["1:x"], ["\x00:1"], ["9" * 40 + ":1"], ["-1:1"]])
def test_nothing_sensibly_ticked_is_said(secretary, world, ticked):
    response = secretary.post(QUEUE, {"chon": ticked}, follow=True)
    assert said(response) == ["Chọn ít nhất một hoạt động trong danh sách."]
    assert said(secretary.post(UNDO, {"chon": ticked}, follow=True)) == ["Không tìm thấy quyết định để hoàn tác."]


def test_decisions_are_found_again_until_somebody_else_went_on(secretary, client, world):
    approved, returned, changed = send(world, 1), send(world, 20), send(world, 300)
    for record in (approved, changed):
        secretary.post(act("approve", record), {"version": record.version})
    secretary.post(act("return", returned), {"reason": "Thiếu ảnh", "version": returned.version})
    change(changed, world.cadre, {world.trees: 5})
    rows = secretary.get(RECENT).context["rows"]
    assert [(row.pk, row.said) for row in rows] == [(returned.pk, "Đã trả lại"), (approved.pk, "Đã duyệt")]
    secretary.post(UNDO, ticks(*rows))
    assert (list(secretary.get(RECENT).context["rows"]), counted(world)) == ([], 0)
    client.force_login(world.stranger)
    assert list(client.get(RECENT).context["rows"]) == []


# --- scope and cost ---


def test_nothing_of_another_khoi_is_seen_counted_or_added(secretary, world):
    """Markers that only the other khối's records hold, sought in the text of every answer."""
    mine = send(world, 7, title="Của khối mình")
    for number in range(3):
        other = send(world, 9_000_777, unit=world.b21, title=f"Dấu-khối-khác {number}", hosts=[world.b22])
        Activity.objects.filter(pk=other.pk).update(warnings=[["twin", "Dấu-khối-khác"]])
    other.refresh_from_db()
    asked = [
        secretary.get(QUEUE),
        secretary.get(f"{QUEUE}?xem=co-canh-bao"),
        secretary.get(f"{QUEUE}?don-vi=b21"),
        secretary.get(f"{QUEUE}?hd={other.pk}&sau={other.pk}&chua-xong=1"),
        secretary.get(RECENT),
        secretary.post(QUEUE, ticks(mine, other)),
        secretary.post(QUEUE, ticks(other) | {"xac-nhan": "1"}, follow=True),
        secretary.post(QUEUE, ticks(other) | {"xac-nhan": "1", "viec": "tra-lai", "usual": "Sai ngày"}, follow=True),
        secretary.post(UNDO, ticks(other), follow=True),
    ]
    for response in asked:
        text = response.content.decode()
        assert response.status_code == 200
        assert [word for word in ("Dấu-khối-khác", "9.000.777", other.code, str(world.b21)) if word in text] == []
    assert [count for _, count, _, _ in asked[0].context["queue"].tabs] == [1, 1, 0, 0]
    assert (asked[0].context["shell"].waiting, asked[5].context["sums"][0][0]) == ("1", "7 cây")
    for name in ("review_item", "activity_approve", "activity_return"):
        address = reverse(name, args=[other.pk])
        response = secretary.post(address) if name == "activity_approve" else secretary.get(address, **HTMX)
        assert response.status_code == 404
    other.refresh_from_db()
    assert (other.status, counted(world)) == (Status.PENDING, 0)


def fill(world, number):
    """`number` waiting records of two figures, a further host, two warnings and one and the same picture each (the
    first 26); one names a record as its twin."""
    like = send(world, hosts=[world.b12])
    like.warnings = [["unusual", "Nhiều."], ["twin", f"Đơn vị đã ghi HD-2024-{like.pk - 1:06d}."]]
    like.save()
    fields = {name: getattr(like, name) for name in COPIED}
    rows = Activity.objects.bulk_create([Activity(title=f"Số {n}", **fields) for n in range(number - 1)])
    kept = list(like.figures.values_list("indicator_id", "value"))
    Figure.objects.bulk_create(
        [Figure(activity=row, indicator_id=indicator, value=value) for row in rows for indicator, value in kept]
    )
    Host.objects.bulk_create([Host(activity=row, unit=world.b12) for row in rows])
    Event.objects.bulk_create(
        [
            Event(activity=row, step=step, to_status=row.status, actor=world.cadre)
            for row in rows
            for step in (Step.CREATE,)
        ]
    )
    for row in (like, *rows[:25]):
        photo(row, world.cadre, sha256="0" * 64)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the database does by itself, later
    return like


def cost(client, address):
    """(statements of a page, its context)."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert response.status_code == 200
    return len(captured), response.context


def test_five_thousand_waiting_items_cost_as_few_statements_as_one(secretary, world):
    """The plain page; the one that says all it can; the one of a record that is gone. Their periods are locked."""
    done = send(world)
    secretary.post(act("approve", done), {"version": done.version})
    session = secretary.session
    session[REFUSED] = [[done.pk, "Vì thế."]]
    session.save()
    like = fill(world, 1)
    Look.objects.create(user=world.staff, activity=like, at=timezone.now() + timedelta(hours=1))
    said = f"sau={done.pk}&chua-xong=1"
    narrowed = f"xem=co-canh-bao&don-vi={world.k1.name}&loai=thu-trong-cay&canh-bao=unusual&page=2"
    addresses = [QUEUE, f"{QUEUE}?{narrowed}&{said}&hd={like.pk}", f"{QUEUE}?{said}&hd={done.pk}"]

    def costs():
        lock_own(world)
        found = [cost(secretary, address) for address in addresses]
        PeriodReport.objects.all().delete()
        return [number for number, _ in found], found[1][1]

    one, shown = costs()
    named = [shown["just_decided"], [row for row, _ in shown["refused"]], shown["suspected"]]
    assert (named, shown["item"].viewer) == ([[done]] * 3, str(world.staff))
    Activity.objects.filter(pk=like.pk).update(submitted_at="2024-01-02T00:00:00Z")
    fill(world, 19)
    assert costs()[0] == one
    fill(world, 4980)
    many, shown = costs()
    assert many == one
    assert (len(shown["evidence"][0].reused_in), bool(shown["item"].standing.lock)) == (45, True)
    number, shown = cost(secretary, f"{QUEUE}?hd={Activity.objects.latest('pk').pk}")
    assert (max(*one, number) <= 15, shown["page"].number) == (True, 250)


@pytest.mark.parametrize(("who", "status"), [("cadre", 403), ("staff", 403), ("viewer", 403), ("stranger", 200)])
def test_who_has_a_queue(client, world, who, status):
    client.force_login(getattr(world, who))
    assert client.get(QUEUE).status_code == client.get(RECENT).status_code == status
