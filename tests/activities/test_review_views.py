import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import review
from activities.models import Activity, Status, UnitTotal
from targets.years import close_year
from tests.activities.test_recording import change
from tests.factories import grant, make_activity
from units import access

QUEUE = reverse("review_queue")


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


def test_approving_counts_and_offers_to_take_it_back(secretary, world, waiting):
    response = secretary.post(act("approve", waiting), {"version": waiting.version, "tiep": QUEUE}, follow=True)
    assert response.redirect_chain == [(f"{QUEUE}?vua-duyet={waiting.pk}", 302)]
    assert counted(world) == 35
    assert "Hoàn tác" in response.content.decode()
    undone = secretary.post(act("unapprove", waiting), {"reason": "Hoàn tác ngay sau khi duyệt", "tiep": QUEUE})
    waiting.refresh_from_db()
    assert (undone.url, waiting.status, counted(world)) == (QUEUE, Status.PENDING, 0)
    assert "Hoàn tác" not in secretary.get(f"{QUEUE}?vua-duyet={waiting.pk}").content.decode()


def test_a_second_approval_is_a_message_not_an_error(secretary, world, waiting):
    secretary.post(act("approve", waiting))
    response = secretary.post(act("approve", waiting), follow=True)
    assert said(response)[-1] == "Không duyệt được: hoạt động đang ở trạng thái “Đã duyệt”."
    assert counted(world) == 35


def test_a_record_changed_since_the_page_was_opened_is_not_approved(secretary, world, waiting):
    seen = waiting.version
    change(waiting, world.cadre, {world.trees: 3500})
    response = secretary.post(act("approve", waiting), {"version": seen}, follow=True)
    assert (said(response), counted(world)) == ([review.CHANGED], 0)


@pytest.mark.parametrize("address", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "", "\x00"])
def test_the_way_back_stays_on_this_site(secretary, waiting, address):
    response = secretary.post(act("approve", waiting), {"tiep": address})
    assert response.url == f"{act('detail', waiting)}?vua-duyet={waiting.pk}"


def test_returning_asks_for_a_reason_and_tells_the_unit(secretary, client, world, waiting):
    assert secretary.get(act("return", waiting)).status_code == 200
    empty = secretary.post(act("return", waiting), {"reason": "  "})
    assert (empty.status_code, list(empty.context["form"].errors)) == (422, ["reason"])
    secretary.post(act("return", waiting), {"usual": "Số liệu chưa khớp", "reason": "so với danh sách"})
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
    response = secretary.post(act("approve", waiting), follow=True)
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
    assert client.post(act(name, waiting), {"reason": "vì thế"}).status_code == expected


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


def test_the_queue_holds_what_waits_for_me_oldest_first(secretary, world):
    first, second = send(world, title="Một"), send(world, title="Hai")
    send(world, unit=world.b21, title="Khối khác")
    make_activity(world.b11, world.cadre, world.planting, {world.trees: 1}, title="Còn nháp")
    Activity.objects.filter(pk=first.pk).update(submitted_at="2024-01-01T00:00:00Z")
    grant(world.secretary, access.CADRE, world.b12)
    rows = secretary.get(QUEUE).context["table"].page.object_list
    assert [row.record.pk for row in rows] == [first.pk, second.pk]


def test_bulk_approval_first_says_what_will_count(secretary, world):
    rows = [send(world, 10), send(world, 15, unit=world.b12), send(world, 100, unit=world.b21)]
    ticked = {"chon": [f"{row.pk}:{row.version}" for row in rows]}
    page = secretary.post(QUEUE, ticked)
    assert (page.status_code, counted(world)) == (200, 0)
    assert (len(page.context["rows"]), page.context["units"], page.context["gone"]) == (2, 2, 1)
    assert [(row["indicator__name"], row["sum"]) for row in page.context["flows"]] == [
        (str(world.trees), 25),
        (str(world.count), 2),
    ]
    assert "Duyệt 2 hoạt động của 2 đơn vị" in page.content.decode()
    done = secretary.post(QUEUE, ticked | {"xac-nhan": "1"}, follow=True)
    assert counted(world) == 25
    assert said(done) == [
        "Đã duyệt 2 hoạt động. Số liệu đã được tính.",
        "1 hoạt động đã chọn không tìm thấy.",
    ]


def test_bulk_approval_leaves_out_what_changed_since_and_says_so(secretary, world):
    rows = [send(world, 10), send(world, 15)]
    ticked = {"chon": [f"{row.pk}:{row.version}" for row in rows], "xac-nhan": "1"}
    change(rows[1], world.cadre, {world.trees: 1500})
    response = secretary.post(QUEUE, ticked, follow=True)
    assert said(response) == [
        "Đã duyệt 1 hoạt động. Số liệu đã được tính.",
        f"Chưa duyệt {rows[1].code} {rows[1].title}: {review.CHANGED}",
    ]
    assert counted(world) == 10


@pytest.mark.parametrize("ticked", [[], ["x"], ["1"], ["1:x"], ["\x00:1"], ["9" * 40 + ":1"], ["-1:1"]])
def test_nothing_sensibly_ticked_is_said(secretary, world, ticked):
    response = secretary.post(QUEUE, {"chon": ticked}, follow=True)
    assert said(response) == ["Chọn ít nhất một hoạt động để duyệt."]


def test_the_queue_asks_as_often_for_three_rows_as_for_one(secretary, world):
    counts = []
    for _ in range(3):
        send(world, hosts=[world.b12])
        with CaptureQueriesContext(connection) as captured:
            assert secretary.get(QUEUE).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[2]


@pytest.mark.parametrize(("who", "status"), [("cadre", 403), ("staff", 403), ("viewer", 403), ("stranger", 200)])
def test_who_has_a_queue(client, world, who, status):
    client.force_login(getattr(world, who))
    assert client.get(QUEUE).status_code == status
