import re
import uuid
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from activities import recording, review
from activities.models import Activity, Host, Status, WorkLevel
from activities.rules import Entry
from targets.models import Nature
from targets.years import close_year
from tests.factories import (
    approve,
    grant,
    make_activity,
    make_indicator,
    make_kind,
    make_target,
    make_unit,
    make_user,
    planting_form,
)
from unionwork.dates import format_date
from unionwork.numbers import Parsed
from units import access

CREATE = reverse("activity_create")


@pytest.fixture
def cadre(client, world):
    client.force_login(world.cadre)
    return client


def typed(world, **fields):
    return planting_form(world, **{"luu": "gui"} | fields)


def figures(activity):
    return {row.indicator.code: (row.value, row.word) for row in activity.figures.select_related("indicator")}


def page_errors(response):
    return [str(message) for messages in response.context["form"].errors.values() for message in messages]


def test_the_form_opens_with_the_own_unit_today_and_no_figures_yet(cadre, world):
    response = cadre.get(CREATE)
    form = response.context["form"]
    assert (response.status_code, form.unit_chosen, form.unit_is_fixed) == (200, world.b11, True)
    assert form["first_day"].value() == format_date(timezone.localdate())
    assert form.asked == []


def test_the_address_can_choose_the_kind(cadre, world):
    form = cadre.get(CREATE, {"loai": world.planting.code}).context["form"]
    assert [field.name for field in form.asked] == ["sl-thu-cay-xanh", "sl-thu-luot"]


def test_an_activity_is_recorded_and_sent(cadre, world):
    response = cadre.post(CREATE, typed(world, **{"sl-thu-luot": "trên 1.250"}), follow=True)
    activity = Activity.objects.get()
    assert response.redirect_chain == [(reverse("activity_detail", args=[activity.pk]), 302)]
    assert (activity.status, activity.unit, activity.author) == (Status.PENDING, world.b11, world.cadre)
    assert (activity.first_day, activity.last_day) == (date(2024, 3, 26), date(2024, 3, 26))
    assert figures(activity) == {"thu-cay-xanh": (35, ""), "thu-luot": (1250, "trên"), "thu-so-hoat-dong": (1, "")}
    assert [str(message) for message in response.context["messages"]] == [
        f"Đã gửi {activity.code}. Số liệu được tính vào chỉ tiêu ngay khi cấp trên duyệt."
    ]
    assert "Ghi hoạt động nữa" in response.content.decode()


def test_a_draft_may_be_incomplete(cadre, world):
    cadre.post(CREATE, typed(world, luu="nhap", title="", **{"sl-thu-cay-xanh": ""}))
    activity = Activity.objects.get()
    assert (activity.status, activity.title, figures(activity)) == (
        Status.DRAFT,
        world.planting.name,
        {"thu-so-hoat-dong": (1, "")},
    )


def test_what_is_required_stops_the_sending_and_saves_nothing(cadre, world):
    row = world.planting.kind_figures.get(indicator=world.trees)
    row.required = True
    row.save()
    response = cadre.post(CREATE, typed(world, **{"sl-thu-cay-xanh": "", "sl-thu-luot": "12"}))
    assert (response.status_code, page_errors(response)) == (422, [f"Nhập “{world.trees}” (cây)."])
    assert response.context["form"]["sl-thu-luot"].value() == "12"
    assert response.content.decode().count("<title>Lỗi: ") == 1
    assert Activity.objects.count() == 0


def test_the_same_form_sent_twice_is_one_record(cadre, world):
    sent = typed(world)
    first = cadre.post(CREATE, sent)
    again = cadre.post(CREATE, sent, follow=True)
    activity = Activity.objects.get()
    assert again.redirect_chain[0][0] == first.url
    assert figures(activity)["thu-cay-xanh"] == (35, "")
    assert [str(message) for message in again.context["messages"]][-1] == (
        f"Đã lưu trước đó với mã {activity.code}; không ghi thêm lần nữa."
    )


BAD = [
    ({"sl-thu-cay-xanh": "1,234,567"}, "sl-thu-cay-xanh"),
    ({"sl-thu-cay-xanh": "-5"}, "sl-thu-cay-xanh"),
    ({"sl-thu-cay-xanh": "ba mươi"}, "sl-thu-cay-xanh"),
    ({"sl-thu-cay-xanh": "1,5"}, "sl-thu-cay-xanh"),
    ({"sl-thu-cay-xanh": "9" * 60}, "sl-thu-cay-xanh"),
    ({"sl-thu-cay-xanh": "9.000.000.000.000.000"}, "sl-thu-cay-xanh"),
    ({"sl-thu-cay-xanh": "3\x005"}, "sl-thu-cay-xanh"),
    ({"sl-thu-so-hoat-dong": "5"}, "sl-thu-so-hoat-dong"),
    ({"sl-thu-doan-vien": "5"}, "sl-thu-doan-vien"),
    ({"first_day": ""}, "first_day"),
    ({"first_day": "31/02/2024"}, "first_day"),
    ({"first_day": "03-2024"}, "first_day"),
    ({"first_day": "26/03/2024\x00"}, "first_day"),
    ({"first_day": "31/12/2099"}, "first_day"),
    ({"first_day": "01/05/2019"}, "first_day"),
    ({"last_day": "25/03/2024"}, "last_day"),
    ({"unit": "b12"}, "unit"),
    ({"unit": "khong-co"}, "unit"),
    ({"unit": ""}, "unit"),
    ({"unit": "b1\x001"}, "unit"),
    ({"kind": "khong-co"}, "kind"),
    ({"kind": ""}, "kind"),
    ({"kind": "thu-ke-khai"}, "kind"),
    ({"kind": "a\x00"}, "kind"),
    ({"title": "x" * 201}, "title"),
    ({"title": "a\x00b"}, "title"),
    ({"place": "x" * 201}, "place"),
    ({"description": "x" * 4001}, "description"),
    ({"work_level": "khong-co"}, "work_level"),
    ({"hosts": ["khong-co"]}, "hosts"),
    ({"hosts": ["b11"]}, "hosts"),
    ({"hosts": ["b1\x002"]}, "hosts"),
    ({"hosts": [f"x{i}" for i in range(101)]}, "hosts"),
    ({"form_key": "abc"}, "form_key"),
    ({"form_key": ""}, "form_key"),
]


@pytest.mark.parametrize(("changed", "field"), BAD)
def test_bad_input_is_refused_beside_its_field_and_nothing_is_saved(cadre, world, changed, field):
    response = cadre.post(CREATE, typed(world, **changed))
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])
    assert Activity.objects.count() == 0


def test_a_closed_year_takes_no_new_record(cadre, world):
    close_year(year=2024)
    response = cadre.post(CREATE, typed(world))
    assert (response.status_code, page_errors(response)) == (
        422,
        ["Năm công tác 2024 đã khoá nên không thay đổi được nữa."],
    )


def test_choosing_another_kind_keeps_what_was_typed(cadre, world):
    other = make_kind("thu-khac", [world.times])
    sent = typed(world, kind=other.code, **{"sl-thu-luot": "7", "chon-loai": "1"})
    del sent["luu"]
    for response in (cadre.post(CREATE, sent), cadre.get(reverse("activity_figures"), sent)):
        form = response.context["form"]
        assert [(field.name, field.value()) for field in form.asked] == [("sl-thu-luot", "7")]
        assert [(field.name, field.value()) for field in form.added] == [("sl-thu-cay-xanh", "35")]
        assert not form.errors
    assert Activity.objects.count() == 0


def test_any_other_flow_indicator_can_be_added(cadre, world):
    blood = make_indicator("thu-mau", unit_of_measure="đơn vị")
    sent = typed(world, them="1", **{"them-chi-so": "thu-mau"})
    del sent["luu"]
    form = cadre.post(CREATE, sent).context["form"]
    assert [field.name for field in form.added] == ["sl-thu-mau"]
    offered = {row.code for _, rows in form.can_be_added for row in rows}
    assert not offered & {"thu-mau", "thu-cay-xanh", "thu-so-hoat-dong", "thu-doan-vien"}
    cadre.post(CREATE, typed(world, khac="thu-mau", **{"sl-thu-mau": "4"}))
    assert Activity.objects.get().figures.get(indicator=blood).value == 4


def test_partners_are_searched_without_marks_and_kept_when_ticked(cadre, world):
    make_unit("dk9", "doan-khoi", world.p2, name="Đoàn Khối Đảng ủy minh họa")
    sent = typed(world, tim="phoi-hop", hosts=["b21"], **{"q": "dang uy"})
    del sent["luu"]
    form = cadre.post(CREATE, sent).context["form"]
    assert [row.unit.code for row in form.hosts_chosen] == ["b21"]
    assert [row.unit.code for row in form.hosts_found] == ["dk9"]
    cadre.post(CREATE, typed(world, hosts=["b21", "dk9"]))
    assert [row.unit.code for row in Host.objects.order_by("unit__code")] == ["b21", "dk9"]


def test_the_last_values_stand_beside_the_boxes(cadre, world):
    make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 999})
    make_activity(world.b11, world.cadre, world.planting, {world.trees: 1250})
    form = cadre.get(CREATE, {"loai": world.planting.code}).context["form"]
    assert [field.help_text for field in form.asked] == ["lần trước: 1.250", ""]


def test_people_of_several_units_choose_one_of_theirs(client, world):
    client.force_login(world.staff)
    form = client.get(CREATE, {"don-vi": "b12"}).context["form"]
    assert (form.unit_chosen, form.unit_is_fixed, form.unit_is_searched) == (world.b12, False, False)
    assert [code for code, _ in form.fields["unit"].widget.choices] == ["b11", "b12", "k1"]
    assert client.get(CREATE, {"don-vi": "b21"}).context["form"].unit_chosen == world.k1


def test_people_of_very_many_units_search_for_one(client, world):
    for number in range(60):
        make_unit(f"cs{number}", "doan-co-so", world.k1)
    client.force_login(world.staff)
    form = client.get(CREATE).context["form"]
    assert (form.unit_is_searched, form.unit_chosen) == (True, world.k1)
    sent = typed(world, unit="cs59", tim="don-vi", **{"tim-don-vi": "cs31"})
    del sent["luu"]
    form = client.post(CREATE, sent).context["form"]
    assert (form.unit_chosen.code, [unit.code for unit in form.units_found]) == ("cs59", ["cs31"])
    client.post(CREATE, typed(world, unit="cs31"))
    assert Activity.objects.get().unit.code == "cs31"
    assert client.post(CREATE, typed(world, unit="b21")).status_code == 422


def test_a_work_level_is_asked_where_the_kind_has_one(cadre, world):
    works = make_kind("thu-cong-trinh", [world.times], has_work_level=True)
    response = cadre.post(CREATE, typed(world, kind=works.code, **{"sl-thu-luot": "3", "sl-thu-cay-xanh": ""}))
    assert (response.status_code, page_errors(response)) == (422, ["Chọn cấp của công trình."])
    answered = {"da-hoi": "evidence", "warnings_checked": "on", "sl-thu-luot": "3", "sl-thu-cay-xanh": ""}
    cadre.post(CREATE, typed(world, kind=works.code, work_level="province", **answered))
    assert Activity.objects.get().work_level == WorkLevel.PROVINCE


def test_the_title_is_suggested_until_somebody_writes_one(cadre, world):
    def title(**sent):
        return cadre.get(reverse("activity_figures"), {"first_day": "26/03/2024", "unit": "b11"} | sent)

    kind = world.planting.code
    assert title(kind=kind).context["form"]["title"].value() == "Loại thu-trong-cay"
    make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 35})
    other = make_kind("thu-khac", [world.times])
    page = title(kind=kind, title="Loại thu-khac", **{"ten-goi-y": other.name})
    assert page.context["form"]["title"].value() == "Loại thu-trong-cay đợt 2"
    assert page.content.decode().count('<div id="ten" hx-swap-oob="true">') == 1
    own = title(kind=kind, title="Đồi thông", **{"ten-goi-y": other.name})
    assert own.context["form"]["title"].value() == "Đồi thông"
    assert own.content.decode().count('id="ten"') == 0
    cadre.post(CREATE, typed(world, title="", first_day="02/04/2024"))
    assert Activity.objects.latest("pk").title == "Loại thu-trong-cay đợt 2"


def test_the_day_buttons_work_without_javascript(cadre, world):
    sent = typed(world, ngay="hom-qua")
    del sent["luu"]
    form = cadre.post(CREATE, sent).context["form"]
    yesterday = format_date(timezone.localdate() - timedelta(days=1))
    assert (form["first_day"].value(), form["sl-thu-cay-xanh"].value()) == (yesterday, "35")
    # Sent with the form, the day in the box counts: a phone may send what was typed yesterday.
    cadre.post(CREATE, typed(world, ngay="hom-nay"))
    assert Activity.objects.get().first_day == date(2024, 3, 26)


def test_a_returned_record_opens_where_its_reason_points(cadre, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    review.submit(activity=activity, actor=world.cadre)
    review.return_to_author(activity=activity, actor=world.secretary, reason="Số liệu chưa khớp: đếm lại")
    address = f'href="{edit_url(activity)}#so-lieu"'
    for page in (reverse("activity_detail", args=[activity.pk]), f"{reverse('dashboard')}?nam=2024"):
        assert cadre.get(page).content.decode().count(address) == 1
    assert cadre.get(edit_url(activity)).content.decode().count('id="so-lieu"') == 1


def edit_url(activity):
    return reverse("activity_edit", args=[activity.pk])


def test_the_edit_form_shows_what_is_stored(cadre, world):
    entry = Entry(
        Activity(
            unit=world.b11,
            kind=world.planting,
            title="Đợt 1",
            first_day=date(2024, 3, 1),
            last_day=date(2024, 3, 3),
            place="Xã minh họa",
        ),
        {world.trees: Parsed(1250, "gần")},
        [world.b12],
    )
    activity = recording.create(entry=entry, actor=world.cadre)
    form = cadre.get(edit_url(activity)).context["form"]
    shown = {name: form[name].value() for name in ("title", "place", "version", "sl-thu-cay-xanh", "sl-thu-luot")}
    assert shown == {
        "title": "Đợt 1",
        "place": "Xã minh họa",
        "version": 1,
        "sl-thu-cay-xanh": "gần 1.250",
        "sl-thu-luot": None,
    }
    assert [row.unit.code for row in form.hosts_chosen] == ["b12"]


def test_editing_an_approved_record_sends_it_back_to_waiting(cadre, world):
    activity = approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}), world.secretary)
    page = cadre.get(edit_url(activity)).content.decode()
    assert "Khi bạn lưu thay đổi, hoạt động ra khỏi các tổng cho tới khi được duyệt lại." in page
    sent = typed(world, version=activity.version, **{"sl-thu-cay-xanh": "40"})
    refused = cadre.post(edit_url(activity), sent)
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["change_reason"])
    cadre.post(edit_url(activity), sent | {"change_reason": "Đếm lại"})
    activity.refresh_from_db()
    assert (activity.status, figures(activity)["thu-cay-xanh"]) == (Status.PENDING, (40, ""))


def test_a_stale_form_shows_both_versions_and_loses_nothing(cadre, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}, title="Trồng cây đầu xuân")
    entry = Entry(Activity.objects.get(pk=activity.pk), {world.trees: Parsed(50, "")})
    recording.edit(entry=entry, actor=world.staff, version=1)
    sent = typed(world, version=1, place="Đồi minh họa", luu="nhap", **{"sl-thu-cay-xanh": "41"})
    response = cadre.post(edit_url(activity), sent)
    assert response.status_code == 409
    assert response.context["stored"]["differences"] == [
        ["Địa điểm", "", "Đồi minh họa"],
        [str(world.trees), "50", "41"],
    ]
    assert (response.context["stored"]["actor"], response.context["form"]["place"].value()) == (
        world.staff,
        "Đồi minh họa",
    )
    assert figures(activity)["thu-cay-xanh"] == (50, "")
    version = re.search(r'name="version" value="(\d+)"', response.content.decode())[1]
    assert cadre.post(edit_url(activity), sent | {"version": version}).status_code == 302
    assert figures(activity)["thu-cay-xanh"] == (41, "")


def test_an_edit_without_version_is_stale_too(cadre, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    assert cadre.post(edit_url(activity), typed(world, version="")).status_code == 409
    assert cadre.post(edit_url(activity), typed(world, version="x")).status_code == 422


def test_an_edit_that_is_incomplete_saves_nothing(cadre, world):
    activity = make_activity(world.b11, world.cadre, world.declaring, {world.members: 35})
    sent = {"unit": "b11", "kind": world.declaring.code, "form_key": str(uuid.uuid4()), "version": "1"}
    response = cadre.post(edit_url(activity), sent | {"last_day": "31/03/2024", "sl-thu-doan-vien": "", "luu": "gui"})
    assert (response.status_code, page_errors(response)) == (422, ["Nhập ít nhất một số liệu."])
    activity.refresh_from_db()
    assert (activity.status, activity.version, figures(activity)) == (Status.DRAFT, 1, {"thu-doan-vien": (35, "")})


def test_cancelled_and_closed_records_are_not_edited(cadre, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    review.cancel(activity=activity, actor=world.cadre)
    response = cadre.get(edit_url(activity), follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "Không sửa được hoạt động ở trạng thái “Đã huỷ”."
    ]


@pytest.mark.parametrize(
    ("who", "status"),
    [("cadre", 200), ("secretary", 200), ("staff", 200), ("other_cadre", 404), ("stranger", 404), ("viewer", 403)],
)
def test_who_may_open_the_edit_form(client, world, who, status):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    client.force_login(getattr(world, who))
    assert client.get(edit_url(activity)).status_code == status


def test_a_viewer_who_logs_elsewhere_sees_but_may_not_write(client, world):
    grant(world.viewer, access.CADRE, world.b12)
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    client.force_login(world.viewer)
    assert client.get(edit_url(activity)).status_code == 403
    assert client.post(edit_url(activity), typed(world, version=1)).status_code == 403


def test_hostile_fields_change_nothing_but_what_the_form_asks(cadre, world):
    hostile = {"status": "approved", "author": world.staff.pk, "approver": world.staff.pk, "year": 2026, "month": 12}
    cadre.post(CREATE, typed(world, **hostile))
    activity = Activity.objects.get()
    assert (activity.status, activity.author, activity.approver, activity.year_id, activity.month) == (
        Status.PENDING,
        world.cadre,
        None,
        2024,
        3,
    )


# --- declarations and milestones ---


def declared(world, **fields):
    return {
        "unit": "b11",
        "kind": world.declaring.code,
        "form_key": str(uuid.uuid4()),
        "last_day": "31/03/2024",
        "sl-thu-doan-vien": "120",
        "luu": "gui",
    } | fields


def test_a_declaration_stores_only_what_was_filled(cadre, world):
    second = make_indicator("thu-thanh-nien", Nature.STOCK)
    world.declaring.kind_figures.create(indicator=second, position=9)
    response = cadre.post(reverse("declaration_create"), declared(world, **{"sl-thu-thanh-nien": ""}))
    activity = Activity.objects.get()
    assert (response.status_code, activity.status, figures(activity)) == (
        302,
        Status.PENDING,
        {"thu-doan-vien": (120, "")},
    )
    assert activity.title == f"{world.declaring} đến 31/03/2024"
    form = cadre.get(reverse("declaration_create"), {"loai": world.declaring.code}).context["form"]
    assert [(field.name, field.value()) for field in form.asked] == [
        ("sl-thu-doan-vien", "120"),
        ("sl-thu-thanh-nien", None),
    ]


def test_a_declaration_of_nothing_is_refused(cadre, world):
    response = cadre.post(reverse("declaration_create"), declared(world, **{"sl-thu-doan-vien": ""}))
    assert (response.status_code, page_errors(response)) == (422, ["Nhập ít nhất một số liệu."])
    assert cadre.post(reverse("declaration_create"), declared(world, unit="b21")).status_code == 422


@pytest.mark.parametrize(
    ("today", "expected"),
    [((2024, 3, 31), (2024, 3, 31)), ((2024, 3, 30), (2024, 2, 29)), ((2024, 1, 5), (2023, 12, 31))],
)
def test_declarations_are_offered_for_the_last_month_end(today, expected):
    from activities.quarters import last_month_end

    assert last_month_end(date(*today)) == date(*expected)


@pytest.fixture
def congress(world):
    """Trung ương asks every cơ sở to hold its congress before 31 May."""
    target = make_target(
        world.tw, world.year, [{"kind": "milestone", "text": "Đại hội", "deadline": date(2024, 5, 31)}]
    )
    return target.measures.get()


def milestone(**fields):
    return {
        "unit": "b11",
        "form_key": str(uuid.uuid4()),
        "last_day": "20/05/2024",
        "document": "12-BC/ĐTN ngày 21/05/2024",
        "description": "",
        "luu": "gui",
    } | fields


def test_a_milestone_is_recorded_for_its_measure(cadre, world, congress):
    address = reverse("milestone_create", args=[congress.pk])
    assert cadre.get(address).status_code == 200
    assert cadre.post(address, milestone()).status_code == 302
    activity = Activity.objects.get()
    assert (activity.milestone, activity.title, activity.status) == (congress, "Đại hội", Status.PENDING)
    assert cadre.get(edit_url(activity)).context["form"]["document"].value() == "12-BC/ĐTN ngày 21/05/2024"
    again = cadre.post(address, milestone())
    assert (again.status_code, page_errors(again)) == (
        422,
        [f"“{world.b11}” đã ghi hoàn thành mốc này: {activity.code}."],
    )


def test_a_milestone_needs_its_document_year_and_a_unit_it_reaches(cadre, client, world, congress):
    address = reverse("milestone_create", args=[congress.pk])
    assert list(cadre.post(address, milestone(document="")).context["form"].errors) == ["document"]
    assert list(cadre.post(address, milestone(last_day="02/01/2026")).context["form"].errors) == ["last_day"]
    elsewhere = make_target(world.p2, world.year, [{"kind": "milestone"}]).measures.get()
    assert cadre.get(reverse("milestone_create", args=[elsewhere.pk])).status_code == 404
    total = make_target(
        world.tw, world.year, [{"kind": "total", "value": 5, "indicators": [world.trees]}]
    ).measures.get()
    assert cadre.get(reverse("milestone_create", args=[total.pk])).status_code == 404
    two = make_user("two", access.CADRE, world.b11)
    grant(two, access.CADRE, world.b21)
    client.force_login(two)
    own = make_target(world.p1, world.year, [{"kind": "milestone"}]).measures.get()
    response = client.post(reverse("milestone_create", args=[own.pk]), milestone(unit="b21"))
    assert list(response.context["form"].errors) == ["unit"]
