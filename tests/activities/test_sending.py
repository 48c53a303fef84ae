"""Gửi duyệt nhiều hoạt động: what stands on the page, and that nothing goes which would not have gone alone."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import recording, review
from activities.models import Activity, Event, Evidence, Status, Step
from activities.rules import Rules, entries_of, entry_of
from activities.writing import warnings
from tests.activities.locking import lock_own
from tests.factories import make_activity

PAGE, LIST = reverse("activities_send"), reverse("activity_list")
HERE = f"{PAGE}?nam=2024"
MAY = date(2024, 5, 2)


def plant(world, title, day=MAY, *, unit=None, author=None, trees=5, **fields):
    figures = trees if isinstance(trees, dict) else {world.trees: trees} if trees else {}
    return make_activity(unit or world.b11, author or world.cadre, world.planting, figures, day, title=title, **fields)


def give_back(world, record, reason="Sai ngày"):
    review.submit(activity=record, actor=record.author)
    review.return_to_author(activity=record, actor=world.secretary, reason=reason)
    record.refresh_from_db()
    return record


def ticks(*records):
    return {"chon": [f"{record.pk}:{record.version}" for record in records]}


def rows_of(page):
    """{title: (whether it may be ticked, whether it is, why not)}"""
    assert page.status_code == 200
    return {
        row.record.title: (row.can_go, row.is_ready, row.lock or "; ".join([*row.lacks, *row.doubts]))
        for row in page.context["rows"]
    }


def said(page):
    return [str(message) for message in page.context["messages"]]


def statuses():
    return dict(Activity.objects.values_list("title", "status"))


@pytest.fixture
def cadre(client, world):
    """Everything that may stand on the page, and what must not."""
    world.trees.name = "Cây xanh"
    world.trees.save()
    world.planting.kind_figures.filter(indicator=world.times).update(required=True)
    both = {world.trees: 5, world.times: 7}
    world.good = plant(world, "Đủ số", MAY, trees=both)
    world.second = plant(world, "Cũng đủ", MAY - timedelta(days=20), trees=both)
    world.lacking = plant(world, "Thiếu lượt", MAY + timedelta(days=9))
    world.twins = [plant(world, f"Trùng {n}", MAY + timedelta(days=19), trees=both) for n in (1, 2)]
    world.locked = plant(world, "Trong kỳ khoá", date(2024, 3, 5), trees=both)
    world.back = give_back(world, plant(world, "Trả lại", MAY + timedelta(days=29), trees=both))
    world.sent = plant(world, "Đã gửi", MAY + timedelta(days=39), trees=both)
    review.submit(activity=world.sent, actor=world.cadre)
    world.foreign = plant(world, "Của b12", MAY, unit=world.b12, author=world.other_cadre, trees=both)
    plant(world, "Năm nay", date.today(), trees=both)
    lock_own(world)
    client.force_login(world.cadre)
    return client


def test_the_page_shows_what_one_may_send_and_what_keeps_the_others(cadre, client, world):
    twin = "Đơn vị đã ghi {} “{}” cùng loại, cùng ngày: có thể trùng."
    first, second = world.twins
    page = client.get(HERE)
    assert list(rows_of(page).items()) == [  # the oldest first
        (
            "Trong kỳ khoá",
            (
                False,
                False,
                "Số liệu ngày 05/03/2024 đã khoá (Tháng 3 của Đơn vị b11). Cần sửa thì đề nghị cấp trên mở khoá.",
            ),
        ),
        ("Cũng đủ", (True, True, "")),
        ("Đủ số", (True, True, "")),
        ("Thiếu lượt", (False, False, "Nhập “Chỉ số thu-luot” (lượt).")),
        ("Trùng 1", (False, False, twin.format(second.code, second.title))),
        ("Trùng 2", (False, False, twin.format(first.code, first.title))),
        ("Trả lại", (True, False, "")),
    ]
    html = page.content.decode()
    boxes = {
        title: f'value="{record.pk}:{record.version}"'
        for title, record in vars(world).items()
        if hasattr(record, "version")
    }
    assert [title for title, box in boxes.items() if box in html] == ["good", "second", "back"]
    assert html.count(" checked>") == 2
    assert f'href="/hoat-dong/{first.pk}/sua/?hoi=1"' in html  # where one is asked and answers
    assert f'href="/hoat-dong/{world.lacking.pk}/sua/"' in html
    assert [text in html for text in ("Sai ngày", "Cây xanh:  5 cây", "Của b12", "Năm nay", "Đã gửi<")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [row.record.title for row in client.get(PAGE).context["rows"]] == ["Năm nay"]
    # Mended since: ready to go.
    entry = entry_of(world.back, Rules())
    entry.activity.place = "Đồi thông"
    recording.edit(entry=entry, actor=world.cadre, version=world.back.version)
    assert rows_of(client.get(HERE))["Trả lại"] == (True, True, "")
    client.force_login(world.staff)
    assert {"Của b12", "Đủ số"} <= set(rows_of(client.get(HERE)))
    assert ">Gửi duyệt nhiều hoạt động</a>" in client.get(LIST, {"nam": 2024}).content.decode()
    client.force_login(world.other_cadre)
    assert list(rows_of(client.get(HERE))) == ["Của b12"]
    assert "Gửi duyệt nhiều" not in client.get(LIST, {"nam": 2024}).content.decode()  # of a single one
    client.force_login(world.viewer)
    assert "Gửi duyệt nhiều" not in client.get(LIST, {"nam": 2024}).content.decode()


def test_each_goes_or_is_refused_on_its_own(cadre, client, world):
    stale = ticks(world.second)["chon"]
    Activity.objects.filter(pk=world.second.pk).update(version=9)  # changed on another device
    chosen = ticks(world.good, world.back, world.lacking, world.locked, world.twins[0], world.foreign, world.sent)
    chosen["chon"] += [*stale, "999999:1", "abc", "1:\0", f"{10**30}:1"]
    back = client.post(HERE, chosen)
    assert (back.status_code, back.url) == (302, f"{HERE}&chua-xong=1")
    page = client.get(back.url)
    assert said(page) == [
        "Đã gửi duyệt 2 hoạt động. Số liệu được tính vào chỉ tiêu ngay khi cấp trên duyệt.",
        "1 hoạt động đã được gửi duyệt trước đó rồi, không gửi thêm.",
        "Không tìm thấy 2 mục đã chọn trong số hoạt động bạn được gửi.",
    ]
    assert [(record.title, why) for record, why in page.context["refused"]] == [
        (
            "Trong kỳ khoá",
            "Số liệu ngày 05/03/2024 đã khoá (Tháng 3 của Đơn vị b11). Cần sửa thì đề nghị cấp trên mở khoá.",
        ),
        ("Cũng đủ", "Hoạt động vừa được sửa sau khi bạn mở trang: xem lại rồi gửi."),
        ("Thiếu lượt", "Nhập “Chỉ số thu-luot” (lượt)."),
        (
            "Trùng 1",
            f"Cần kiểm tra lại trước khi gửi: Đơn vị đã ghi {world.twins[1].code} “Trùng 2” cùng loại, cùng ngày: "
            "có thể trùng.",
        ),
    ]
    pending = {title for title, status in statuses().items() if status == Status.PENDING}
    assert pending == {"Đủ số", "Trả lại", "Đã gửi"}
    assert Event.objects.filter(step=Step.SUBMIT).count() == 4  # the returned one had gone before
    again = client.post(HERE, ticks(world.good, world.back), follow=True)
    assert said(again) == ["2 hoạt động đã được gửi duyệt trước đó rồi, không gửi thêm."]
    assert again.context["refused"] == []
    none = client.post(HERE, {"chon": ["x"]})
    assert (none.status_code, none.context["errors"][0]["message"]) == (422, "Chọn ít nhất một hoạt động để gửi duyệt.")
    assert " checked>" not in none.content.decode()
    world.second.refresh_from_db()
    client.post(HERE, ticks(world.second))
    Activity.objects.filter(unit=world.b11, status__in=[Status.DRAFT, Status.RETURNED]).update(status=Status.CANCELLED)
    page = client.get(HERE).content.decode()
    assert [text in page for text in ("Không còn bản nháp nào chờ gửi.", f'href="{LIST}?nam=2024"')] == [True, True]


def test_many_are_read_as_one_is_and_in_as_few_statements(client, world):
    """What every record is doubted for when it is looked at alone is the oracle."""
    day = date(2024, 6, 10)

    def show(record):
        at = {"key": record.form_key, "form_key": record.form_key, "name": "a.jpg", "content_type": "image/jpeg"}
        Evidence.objects.create(activity=record, uploader=record.author, size=1, sha256="x", perceptual="f0", **at)

    def fill(number):
        for n, (unit, author) in enumerate(((world.b11, world.cadre), (world.b12, world.other_cadre))):
            given = {"unit": unit, "author": author, "trees": 40 + n, "hosts": [world.b21]}
            show(plant(world, f"Đồi thông {number}", day - timedelta(days=2 * number), **given))
        when = day - timedelta(days=number)
        make_activity(world.b11, world.cadre, world.declaring, {world.members: 10 + 9 * number}, when)
        near = plant(world, f"Đồi thông {number}", when, unit=world.b12, author=world.other_cadre)
        show(near)
        review.submit(activity=near, actor=world.other_cadre)

    def statements():
        with CaptureQueriesContext(connection) as captured:
            page = client.get(HERE)
        return len(captured), page

    client.force_login(world.staff)
    fill(0)
    few, _ = statements()
    for number in range(1, 5):
        fill(number)
    many, page = statements()
    assert (many, len(page.context["rows"])) == (few, 15)
    rules = Rules()
    records = list(Activity.objects.filter(status=Status.DRAFT).select_related("kind", "year", "unit"))
    alone = [warnings.of_saved(record, rules) for record in records]
    assert warnings.of_each(entries_of(records, rules), rules) == alone
    assert {warning.code for found in alone for warning in found} == {"joint", "twin", "reused", "change"}
