import uuid
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import review
from activities.models import Activity, Status
from targets import years
from targets.models import MeasureKind, Nature
from tests.factories import approve, make_activity, make_indicator, make_target, make_unit, make_user
from units import access, tree

LIST = reverse("declaration_list")
NEW = reverse("declaration_create")


def declare(world, unit, value, day=date(2024, 3, 31)):
    return make_activity(unit, world.cadre, world.declaring, {world.members: value}, day)


def rows(response):
    """{unit code: (done, expected, members in force)}."""
    return {
        row.record.unit.code: (row.record.done, row.record.expected, list(row.record.values.values()))
        for row in response.context["table"].rows
    }


def counted(response):
    return response.context["overview"].done, response.context["overview"].expected


def test_a_khoi_sees_which_of_its_units_have_declared(client, world):
    approve(declare(world, world.b11, 90, date(2024, 1, 31)), world.secretary)
    approve(declare(world, world.b11, 120), world.secretary)
    declare(world, world.b12, 50)
    declare(world, world.b21, 70)
    client.force_login(world.secretary)
    response = client.get(LIST, {"nam": 2024})
    assert rows(response) == {"b11": (1, 1, [120]), "b12": (0, 1, [])}
    assert counted(response) == (1, 2)

    # One that stands elsewhere today is neither listed nor counted, on no level; who sees it all still does.
    tree.move(unit=world.b12, parent=world.k2, year=date.today().year)
    response = client.get(LIST, {"nam": 2024})
    assert (rows(response), counted(response)) == ({"b11": (1, 1, [120])}, (1, 1))
    assert "Đơn vị b12" not in response.content.decode()
    client.force_login(world.viewer)
    assert rows(client.get(LIST, {"nam": 2024})) == {"k1": (1, 1, [120])}
    client.force_login(world.central)
    assert rows(client.get(LIST, {"nam": 2024})) == {"p1": (1, 2, [120]), "p2": (0, 2, [])}


def test_a_declaration_that_waits_has_been_made_but_is_not_in_force(client, world):
    review.submit(activity=declare(world, world.b12, 50), actor=world.cadre)
    client.force_login(world.secretary)
    assert rows(client.get(LIST, {"nam": 2024})) == {"b11": (0, 1, []), "b12": (1, 1, [])}


def test_higher_units_see_how_many_below_each(client, world):
    approve(declare(world, world.b11, 120), world.secretary)
    approve(declare(world, world.b21, 70), world.stranger)
    client.force_login(world.central)
    response = client.get(LIST, {"nam": 2024})
    assert rows(response) == {"p1": (1, 2, [120]), "p2": (1, 2, [70])}
    assert counted(response) == (2, 4)
    assert rows(client.get(LIST, {"nam": 2024, "don-vi": "p2"})) == {"k2": (1, 2, [70])}
    assert f"{reverse('activity_list')}?nam=2024&amp;don-vi=p1&amp;chi-so=thu-doan-vien&amp;trang-thai=da-duyet" in (
        response.content.decode()
    )


def test_a_base_sees_itself_and_its_branches(client, world):
    branch = make_unit("cd1", "chi-doan", world.b11)
    approve(declare(world, world.b11, 120), world.secretary)
    approve(declare(world, branch, 30), world.secretary)
    client.force_login(world.cadre)
    response = client.get(LIST, {"nam": 2024})
    assert rows(response) == {"b11": (1, 1, [150]), "cd1": (1, 1, [30])}
    assert [record.unit.code for record in response.context["recent"]] == ["b11"]


@pytest.mark.parametrize("code", ["b21", "khong-co"])
def test_units_out_of_scope_are_not_found(client, world, code):
    client.force_login(world.secretary)
    assert client.get(LIST, {"don-vi": code}).status_code == 404


def test_the_list_asks_as_often_for_three_units_as_for_one(client, world):
    client.force_login(world.secretary)
    make_unit("b14", "doan-co-so", world.k1)  # never declares: whom to call is always asked
    counts = []
    for unit in (world.b11, world.b12, make_unit("b13", "doan-co-so", world.k1)):
        approve(declare(world, unit, 10), world.secretary)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST, {"nam": 2024}).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[2]


def test_a_viewer_reads_but_does_not_declare(client, world):
    client.force_login(world.viewer)
    assert client.get(LIST, {"nam": 2024}).status_code == 200
    assert client.get(reverse("declaration_create")).status_code == 403


# --- the overview: quarters, sums, who is lacking ---


def test_a_quarter_shows_who_has_declared_in_it_and_the_levels_at_its_end(client, world):
    approve(declare(world, world.b11, 90, date(2024, 1, 31)), world.secretary)
    approve(declare(world, world.b11, 120, date(2024, 5, 31)), world.secretary)
    approve(declare(world, world.b12, 50, date(2024, 2, 29)), world.secretary)
    approve(declare(world, world.b21, 999, date(2024, 2, 29)), world.stranger)
    client.force_login(world.secretary)
    seen = {}
    for name, days in {
        "I": {"quy": "1"},
        "II": {"quy": "2"},
        "february": {"tu": "1/2/2024", "den": "29/2/2024", "quy": "2"},
        "lacking": {"quy": "2", "tinh-trang": "chua"},
        "found": {"quy": "1", "q": "DON VI b11"},
    }.items():
        response = client.get(LIST, {"nam": 2024} | days)
        footer = response.context["table"].columns["done"].footer, *response.context["overview"].total.values()
        seen[name] = rows(response), *footer
    assert seen == {
        "I": ({"b11": (1, 1, [90]), "b12": (1, 1, [50])}, "2/2", 140),
        "II": ({"b11": (1, 1, [120]), "b12": (0, 1, [50])}, "1/2", 170),
        "february": ({"b11": (0, 1, [90]), "b12": (1, 1, [50])}, "1/2", 140),
        "lacking": ({"b12": (0, 1, [50])}, "1/2", 170),
        "found": ({"b11": (1, 1, [90])}, "2/2", 140),
    }
    page = client.get(LIST, {"nam": 2024, "quy": "2"}).content.decode()
    assert "1/2 đơn vị đã kê khai quý II (tính cả bản chờ duyệt)" in page
    assert "trang-thai=da-duyet&amp;den=30%2F06%2F2024" in page


@pytest.mark.parametrize("wrong", [{"tu": "32/1"}, {"quy": "5"}, {"tu": "1/3/2024", "den": "1/2/2024"}])
def test_a_wrong_filter_is_refused_and_shows_nothing(client, world, wrong):
    declare(world, world.b11, 90)
    client.force_login(world.secretary)
    response = client.get(LIST, {"nam": 2024} | wrong)
    assert (response.status_code, rows(response)) == (422, {})


def test_whom_to_call_stands_beside_those_that_have_not_declared(client, world):
    person = make_user("an", access.CADRE, world.b12, full_name="Trần Thị Minh Họa", phone="0900000012")
    make_user("bao", access.VIEWER, world.b12, full_name="Người Xem Minh Họa", phone="0900000013")
    make_user("cam", access.CADRE, world.b12, full_name="Đã Nghỉ Minh Họa", phone="0900000014", is_active=False)
    make_user("dan", access.CADRE, world.b11, full_name="Đã Nộp Minh Họa", phone="0900000015")
    review.submit(activity=declare(world, world.b11, 50), actor=world.cadre)
    client.force_login(world.secretary)
    response = client.get(LIST, {"nam": 2024})
    called = {row.unit.code: set(row.people) for row in response.context["rows"]}
    assert called == {"b11": set(), "b12": {person, world.other_cadre}}
    page = response.content.decode()
    assert ["090000001" + end in page for end in "2345"] == [True, False, False, False]
    assert [f"{NEW}?don-vi={code}" in page for code in ("b11", "b12")] == [False, True]


def test_a_level_names_the_measures_that_are_shares_of_it(client, world):
    for issuer, share in ((world.tw, "denominators"), (world.k1, "denominators"), (world.k2, "denominators")):
        rate = {"kind": MeasureKind.RATE, "value": 8000, "indicators": [world.trees], share: [world.members]}
        make_target(issuer, 2024, [rate], number=4 if issuer == world.tw else 7)
    approve(declare(world, world.b11, 120), world.secretary)
    client.force_login(world.secretary)
    found = client.get(LIST, {"nam": 2024}).context["denominators"]
    [(indicator, issuers)] = found
    said = [(issuer.code, [str(measure) for measure in measures]) for issuer, measures in issuers]
    assert (indicator, said) == (world.members, [("tw", ["4a"]), ("k1", ["7a"])])


# --- the form of one unit ---


def typed(unit, value, **fields):
    return {
        "unit": unit.code,
        "kind": "thu-ke-khai",
        "form_key": str(uuid.uuid4()),
        "last_day": "30/06/2024",
        "sl-thu-doan-vien": value,
        "luu": "gui",
    } | fields


def test_a_large_change_needs_a_reason_that_travels_to_the_reviewer(client, world):
    approve(declare(world, world.b11, 100), world.secretary)
    client.force_login(world.cadre)
    data = typed(world.b11, "120")
    asked = client.post(NEW, data)
    [row] = asked.context["form"].level_rows
    assert (asked.status_code, row["before"], row["day"], row["change"], row["is_big"]) == (
        422,
        "100",
        "31/03/2024",
        "+20%",
        True,
    )
    [doubt] = asked.context["form"].doubts
    assert doubt.sentence == "“Chỉ số thu-doan-vien” 100 → 120 đoàn viên: +20% so với số kê khai 31/03/2024."
    assert client.post(NEW, data | {"da-hoi": doubt.sentence}).status_code == 422
    answered = data | {"da-hoi": doubt.sentence, "warning_reason": "Tiếp nhận chi đoàn mới"}
    assert client.post(NEW, answered | {"sl-thu-doan-vien": "121"}).status_code == 422  # not what was asked about
    assert Activity.objects.filter(status=Status.PENDING).count() == 0
    assert client.post(NEW, answered).status_code == 302
    record = Activity.objects.get(status=Status.PENDING)
    assert (record.warnings, record.warning_reason, record.doubts) == (
        [["change", doubt.sentence]],
        "Tiếp nhận chi đoàn mới",
        ["Thay đổi lớn"],
    )
    # Within 15%, and in a draft, nothing is asked.
    assert client.post(NEW, typed(world.b11, "138", last_day="30/09/2024")).status_code == 302
    assert client.post(NEW, typed(world.b11, "500", last_day="30/09/2024", luu="nhap")).status_code == 302


def test_a_correction_shows_old_and_new_and_an_earlier_day_stays_where_it_belongs(client, world):
    late = approve(declare(world, world.b11, 100, date(2024, 9, 30)), world.secretary)
    client.force_login(world.cadre)
    client.post(NEW, typed(world.b11, "70"))  # backdated: nothing before it, so no change to explain
    early = Activity.objects.get(last_day=date(2024, 6, 30))
    review.approve(activity=early, actor=world.secretary)
    edit = reverse("activity_edit", args=[late.pk])
    assert [row["before"] for row in client.get(edit).context["form"].level_rows] == ["70"]
    version = Activity.objects.get(pk=late.pk).version
    client.post(edit, typed(world.b11, "80", last_day="30/09/2024", version=version, change_reason="Đếm lại"))
    late.refresh_from_db()
    assert (late.status, late.events.last().changes[1:]) == (Status.PENDING, [["Chỉ số thu-doan-vien", "100", "80"]])
    assert "Chỉ số thu-doan-vien 100 → 80" in client.get(LIST, {"nam": 2024}).content.decode()
    client.force_login(world.secretary)
    assert rows(client.get(LIST, {"nam": 2024}))["b11"] == (1, 1, [70])
    client.post(reverse("activity_approve", args=[late.pk]), {"version": late.version})
    assert [rows(client.get(LIST, {"nam": 2024, "quy": quarter}))["b11"][2] for quarter in "123"] == [[], [70], [80]]


def test_boxes_nobody_touched_follow_the_day_and_the_unit(client, world):
    youth = make_indicator("thu-thanh-nien", Nature.STOCK)
    world.declaring.kind_figures.create(indicator=youth, position=9)
    approve(declare(world, world.b11, 100), world.secretary)
    approve(declare(world, world.b11, 130, date(2024, 9, 30)), world.secretary)
    approve(declare(world, world.b12, 40), world.secretary)
    client.force_login(world.staff)
    form = client.get(NEW, {"loai": "thu-ke-khai", "don-vi": "b11", "ngay": "30/06/2024"}).context["form"]
    assert ([box.value() for box in form.asked], form.filled_for) == (["100", None], "b11|2024-06-30")
    kept = typed(world.b11, "100", **{"sl-thu-thanh-nien": "9", "da-dien": form.filled_for, "luu": "xem"})
    later = client.post(NEW, kept | {"quy": "30/09/2024"}).context["form"]
    assert [box.value() for box in later.asked] == ["130", "9"]
    assert [quarter.name for quarter in later.quarters] == ["Quý I", "Quý II", "Quý III", "Quý IV"]
    other = client.post(NEW, kept | {"unit": "b12", "luu": "gui"})
    assert (other.status_code, list(other.context["form"].errors)) == (422, ["unit"])
    assert [box.value() for box in other.context["form"].asked] == ["40", "9"]
    assert Activity.objects.filter(status=Status.PENDING).count() == 0
    assert client.post(NEW, kept | {"da-dien": "b21|2024-13-99", "luu": "xem"}).status_code == 200


def test_a_closed_year_is_refused_in_words(client, world):
    years.close_year(year=2024)
    client.force_login(world.cadre)
    response = client.post(NEW, typed(world.b11, "70"))
    assert (response.status_code, response.context["form"].errors["last_day"]) == (
        422,
        ["Năm công tác 2024 đã khoá nên không thay đổi được nữa."],
    )


def test_the_form_asks_as_often_for_three_declarations_as_for_one(client, world):
    client.force_login(world.cadre)
    counts = []
    for month in (1, 2, 3):
        approve(declare(world, world.b11, 10, date(2024, month, 28)), world.secretary)
        with CaptureQueriesContext(connection) as captured:
            client.get(NEW, {"loai": "thu-ke-khai"})
        counts.append(len(captured))
    assert counts[0] == counts[2]
