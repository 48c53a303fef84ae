"""The same again: “Làm lại”, one event on several dates, and the quick table."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from activities.joint import hosting
from activities.models import Activity, Figure, Status
from tests.factories import approve, make_activity, make_indicator, make_kind

CREATE, TABLE = reverse("activity_create"), reverse("quick_table")


@pytest.fixture
def cadre(client, world):
    client.force_login(world.cadre)
    return client


@pytest.fixture
def joint(world):
    """Approved, with a figure the kind does not ask for, two partners (one declined), a place and three days."""
    road = make_indicator("thu-duong", unit_of_measure="km", decimals=2)
    record = make_activity(
        world.b11,
        world.cadre,
        world.planting,
        {world.trees: 35, road: 1250},
        date(2024, 3, 26),
        hosts=[world.b12, world.b21],
        first_day=date(2024, 3, 24),
        title="Ngày thứ bảy xanh",
        place="Công viên",
    )
    approve(record, world.secretary)
    hosting.decline(activity=record, unit=world.b21, actor=world.stranger, reason="Không tham gia")
    return record


def figures(record):
    return {row.indicator.code: row.value for row in record.figures.select_related("indicator")}


def said(response):
    return [str(message) for message in response.context["messages"]]


def wrong(response):
    return {name: list(messages) for name, messages in response.context["form"].errors.items()}


# --- Làm lại ---------------------------------------------------------------------------


def test_doing_it_again_takes_everything_but_the_figures_along(cadre, world, joint):
    latest = make_activity(world.b11, world.cadre, world.planting, {world.trees: 7}, date(2024, 5, 1))
    form = cadre.get(CREATE, {"tu": joint.pk}).context["form"]
    shown = {name: form[name].value() for name in ("kind", "title", "place", "hosts")}
    assert shown == {"kind": "thu-trong-cay", "title": joint.title, "place": "Công viên", "hosts": ["b12"]}
    assert form["first_day"].value() == f"{timezone.localdate():%d/%m/%Y}"
    boxes = {field.name: (field.value(), field.help_text) for field in [*form.asked, *form.added]}
    assert boxes == {
        "sl-thu-cay-xanh": (None, "lần trước: 35"),
        "sl-thu-luot": (None, ""),
        "sl-thu-duong": (None, "lần trước: 12,5"),
    }
    # A title the form made itself is numbered anew: the year of today has no record of the kind yet.
    Activity.objects.filter(pk=latest.pk).update(title=f"{world.planting.name} đợt 2")
    assert cadre.get(CREATE, {"tu": latest.pk}).context["form"]["title"].value() == world.planting.name


def test_only_what_one_may_write_is_done_again(cadre, world, joint):
    foreign = make_activity(world.b22, world.stranger, world.planting, {world.trees: 9}, title="Khối khác")
    hosted = make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 9}, hosts=[world.b11])
    found = [foreign.pk, 10**17, "abc", "²", "9" * 40, "", hosted.pk, joint.pk]
    assert [cadre.get(CREATE, {"tu": one}).status_code for one in found] == [404] * 6 + [403, 200]


# --- One event on several dates --------------------------------------------------------


def dates_page(record):
    return reverse("activity_repeat", args=[record.pk])


def on(days, **fields):
    page = {"form_key": str(uuid.uuid4()), "days": days, "picked": "", "luu": "gui", "sl-thu-cay-xanh": "35"}
    return page | fields


def copies(record):
    return Activity.objects.exclude(pk=record.pk).order_by("first_day")


def test_every_date_becomes_a_record_of_its_own_once(cadre, world, joint):
    page = cadre.get(dates_page(joint)).context["form"]
    assert {field.name: field.value() for field in [*page.asked, *page.added]} == {
        "sl-thu-cay-xanh": "35",
        "sl-thu-luot": None,
        "sl-thu-duong": "12,5",
    }
    data = on("02/04/2024\n 9-4-2024 ; 16.4.2024\n\n", picked="2024-04-23", **{"sl-thu-duong": "12,5"})
    response = cadre.post(dates_page(joint), data, follow=True)
    assert response.redirect_chain[0][0] == (
        "/hoat-dong/?nam=2024&don-vi=b11&loai=thu-trong-cay&tu=04%2F04%2F2024&den=25%2F04%2F2024"
    )
    assert said(response) == ["Đã gửi 4 hoạt động, chờ cấp trên duyệt."]
    made = list(copies(joint))
    assert [(row.first_day, row.last_day) for row in made] == [
        (date(2024, 4, day), date(2024, 4, day + 2)) for day in (2, 9, 16, 23)
    ]
    alike = {"thu-cay-xanh": 35, "thu-duong": 1250, "thu-so-hoat-dong": 1}
    for row in made:
        assert (row.unit, row.kind, row.title, row.place) == (world.b11, world.planting, joint.title, "Công viên")
        assert (row.status, row.author, figures(row)) == (Status.PENDING, world.cadre, alike)
        assert [(host.unit.code, host.state) for host in row.hosts.all()] == [("b12", "invited")]
        assert [event.step for event in row.events.all()] == ["create", "submit"]
    # Sent once more it adds nothing; one date more adds that one; other figures are refused in words.
    again = cadre.post(dates_page(joint), data, follow=True)
    assert said(again) == ["Trang này đã được lưu trước đó; không ghi thêm lần nữa."]
    cadre.post(dates_page(joint), data | {"days": data["days"] + "30/4/2024", "luu": "nhap"})
    assert [row.status for row in copies(joint)] == [*[Status.PENDING] * 4, Status.DRAFT]
    other = cadre.post(dates_page(joint), data | {"sl-thu-cay-xanh": "36"})
    assert (other.status_code, len(wrong(other)["days"]), copies(joint).count()) == (422, 4, 5)


def test_one_wrong_date_and_nothing_is_written(cadre, world, joint):
    future = timezone.localdate() + timedelta(days=1)
    answers = {
        "2/4/2024\n31/2/2024": [
            "Dòng 2: “31/2/2024”: không có ngày 31 tháng 2; viết ngày/tháng/năm. Ví dụ: 26/03/2024"
        ],
        "2/4/2024\n9/4/2024\n02-04-2024": ["Ngày 02/04/2024 có hai lần: dòng 1 và dòng 3."],
        "24/3/2024": ["Dòng 1: 24/03/2024 là ngày của chính hoạt động này."],
        " \n;": ["Nhập ít nhất một ngày, ví dụ 26/03/2024."],
        "\n".join(f"{day}/4/2024" for day in range(1, 31)) + "\n2/4/2024" * 31: [
            "Có 61 ngày; mỗi lần nhiều nhất 60 ngày."
        ],
        f"2/4/2024\n{future:%d/%m/%Y}": [
            f"Ngày {future:%d/%m/%Y}: Ngày {future + timedelta(days=2):%d/%m/%Y} chưa tới: "
            "hoạt động được ghi khi đã kết thúc."
        ],
        "1/5/2019": [
            "Ngày 01/05/2019: Chưa mở năm công tác cho ngày 03/05/2019; liên hệ văn phòng Trung ương.",
        ],
        "2/4/2024\0": ["Ký tự NUL là không được phép."],
    }
    for days, sentences in answers.items():
        response = cadre.post(dates_page(joint), on(days))
        found = wrong(response)
        if "\0" in days:
            assert list(found) == ["days"]
        else:
            assert found == {"days": sentences}
        assert response.status_code == 422
    huge = cadre.post(dates_page(joint), on("2/4/2024\n9/4/2024", **{"sl-thu-cay-xanh": "9" * 16}))
    assert (list(wrong(huge)), len(wrong(huge)["sl-thu-cay-xanh"])) == (["sl-thu-cay-xanh"], 1)
    assert huge.context["form"]["days"].value() == "2/4/2024\n9/4/2024"
    assert copies(joint).count() == 0


def test_a_day_picked_from_the_calendar_joins_the_others(cadre, joint):
    typed = on("2/4/2024", picked="2024-04-09", them="ngay", **{"sl-thu-cay-xanh": "40"})
    del typed["luu"]
    form = cadre.post(dates_page(joint), typed).context["form"]
    assert (form["days"].value(), form["picked"].value()) == ("2/4/2024\n09/04/2024", "")
    assert form["sl-thu-cay-xanh"].value() == "40"


def test_declarations_are_not_repeated_and_others_records_not_reached(cadre, world, joint):
    declared = make_activity(world.b11, world.cadre, world.declaring, {world.members: 9})
    hosted = make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 9}, hosts=[world.b11])
    foreign = make_activity(world.b22, world.stranger, world.planting, {world.trees: 9})
    before = Activity.objects.count()
    answers = [cadre.post(dates_page(row), on("2/4/2024")).status_code for row in (declared, hosted, foreign)]
    assert (answers, Activity.objects.count()) == ([302, 403, 404], before)


# --- The quick table -------------------------------------------------------------------


def rows(world, *lines, **fields):
    """What a browser sends for a table of tree plantings; lines: (day, title, trees)."""
    data = {
        "form_key": str(uuid.uuid4()),
        "unit": "b11",
        "kind": world.planting.code,
        "so-dong": "10",
        "luu": "gui",
    }
    for number, (day, title, trees) in enumerate(lines, start=1):
        data |= {f"ngay-{number}": day, f"ten-{number}": title, f"o-{number}-thu-cay-xanh": trees}
    return data | fields


def test_each_filled_row_becomes_a_record_once(cadre, world):
    data = rows(
        world,
        ("2/4/2024", "Vườn rau", "12"),
        ("", " ", ""),
        ("3/4/2024", "", "trên 1.200"),
        **{"ngay-9": "5/4/2024", "o-9-thu-luot": "0"},
    )
    response = cadre.post(TABLE, data, follow=True)
    assert said(response) == ["Đã gửi 3 hoạt động, chờ cấp trên duyệt."]
    made = Activity.objects.order_by("first_day")
    assert [(row.first_day.day, row.title, figures(row), row.status) for row in made] == [
        (2, "Vườn rau", {"thu-cay-xanh": 12, "thu-so-hoat-dong": 1}, "pending"),
        (3, world.planting.name, {"thu-cay-xanh": 1200, "thu-so-hoat-dong": 1}, "pending"),
        (5, world.planting.name, {"thu-luot": 0, "thu-so-hoat-dong": 1}, "pending"),
    ]
    assert {(row.unit, row.author) for row in made} == {(world.b11, world.cadre)}
    assert Figure.objects.get(value=1200).word == "trên"
    again = cadre.post(TABLE, data, follow=True)
    assert said(again) == ["Trang này đã được lưu trước đó; không ghi thêm lần nữa."]
    other = cadre.post(TABLE, data | {"o-1-thu-cay-xanh": "13"})
    assert list(wrong(other)) == ["o-1-thu-cay-xanh"]
    assert made.count() == 3


def test_errors_stand_at_their_boxes_and_nothing_is_written(cadre, world):
    world.planting.kind_figures.filter(indicator=world.times).update(required=True)
    data = rows(
        world,
        ("", "Không ngày", "5"),
        ("31/2/2024", "a\0b", "1,5"),
        ("2/4/2024", "x" * 201, "9" * 30),
        ("31/12/2099", "Cha\u0302u", "4"),
    )
    response = cadre.post(TABLE, data)
    assert (response.status_code, sorted(wrong(response))) == (
        422,
        ["ngay-1", "ngay-2", "o-2-thu-cay-xanh", "o-3-thu-cay-xanh", "ten-2", "ten-3"],
    )
    assert response.context["form"]["o-1-thu-cay-xanh"].value() == "5"
    response = cadre.post(TABLE, rows(world, ("2/4/2024", "", "5"), ("31/12/2099", "Cha\u0302u", "4")))
    assert sorted(wrong(response)) == ["ngay-2", "o-1-thu-luot"]
    page = response.content.decode()
    assert 'href="#id_o-1-thu-luot">Dòng 1, Chỉ số thu-luot: Nhập “Chỉ số thu-luot” (lượt).</a>' in page
    assert wrong(cadre.post(TABLE, rows(world)))["__all__"] == ["Điền ít nhất một dòng: ngày và số liệu."]
    bad = [{"unit": "b12"}, {"unit": "b\0"}, {"kind": "thu-ke-khai"}, {"kind": ""}, {"form_key": "x"}, {"kind": "\0"}]
    for fields in bad:
        response = cadre.post(TABLE, rows(world, ("2/4/2024", "", "5")) | fields)
        assert (response.status_code, list(wrong(response))) == (422, list(fields))
    assert Activity.objects.count() == 0


def test_more_rows_and_another_kind_keep_what_was_typed(cadre, world):
    works = make_kind("thu-cong-trinh", [world.trees], has_work_level=True)
    assert cadre.get(TABLE).context["form"].rows == []
    assert len(cadre.get(TABLE, {"loai": world.planting.code}).context["form"].rows) == 10
    typed = rows(world, ("2/4/2024", "Vườn rau", "12"), them="dong")
    del typed["luu"]
    form = cadre.post(TABLE, typed).context["form"]
    assert (len(form.rows), form["ten-1"].value()) == (15, "Vườn rau")
    typed |= {"kind": works.code, "so-dong": "999"}
    form = cadre.post(TABLE, typed).context["form"]
    assert (len(form.rows), form["o-1-thu-cay-xanh"].value(), "cap-1" in form.fields) == (30, "12", True)
    unseen = cadre.post(TABLE, typed | {"luu": "gui", "bang-loai": world.planting.code})
    assert list(wrong(unseen)) == ["kind"]
    typed |= {"bang-loai": works.code}
    response = cadre.post(TABLE, typed | {"luu": "gui"})
    assert wrong(response) == {"cap-1": ["Chọn cấp của công trình."]}
    cadre.post(TABLE, typed | {"luu": "nhap", "cap-1": "base"})
    assert [(row.kind, row.work_level, row.status) for row in Activity.objects.all()] == [(works, "base", "draft")]


def test_one_answer_settles_the_doubts_about_all_rows(cadre, world):
    for day in (1, 2, 3):
        approve(
            make_activity(world.b11, world.cadre, world.planting, {world.trees: 10}, date(2024, 2, day)),
            world.secretary,
        )
    data = rows(world, ("2/4/2024", "Một", "500"), ("2/4/2024", "Hai", "8"), ("3/4/2024", "Ba", "9"))
    response = cadre.post(TABLE, data)
    doubts = response.context["form"].doubts
    unusual = "“Chỉ số thu-cay-xanh” 500 cây gấp hơn 3 lần mức thường của đơn vị (10)."
    twins = "Ghi cùng lúc 2 hoạt động cùng loại, cùng ngày: có thể trùng."
    assert (response.status_code, [warning.sentence for warning in doubts]) == (
        422,
        [f"Dòng 1: {unusual}", f"Dòng 1, Dòng 2: {twins}"],
    )
    data |= {"da-hoi": [warning.code for warning in doubts]}
    assert list(wrong(cadre.post(TABLE, data))) == ["warnings_checked"]
    assert Activity.objects.filter(status=Status.PENDING).count() == 0
    assert cadre.post(TABLE, data | {"warnings_checked": "on"}).status_code == 302
    kept = Activity.objects.filter(status=Status.PENDING).order_by("first_day", "-title")
    answer = "Đã kiểm tra lại, số liệu đúng."
    assert [(row.title, row.warnings, row.warning_reason) for row in kept] == [
        ("Một", [["unusual", unusual], ["twin", twins]], answer),
        ("Hai", [["twin", twins]], answer),
        ("Ba", [], ""),
    ]


def test_ten_drafts_cost_as_many_statements_as_one(cadre, world):
    def cost(count):
        lines = [(f"{day}/4/2024", f"Việc {day}", "5") for day in range(1, count + 1)]
        with CaptureQueriesContext(connection) as asked:
            assert cadre.post(TABLE, rows(world, *lines, luu="nhap")).status_code == 302
        return len(asked)

    cost(1)
    assert cost(10) == cost(1)
