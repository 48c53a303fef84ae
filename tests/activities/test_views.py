from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import recording, review
from activities.models import Activity
from activities.reading import totals_at
from activities.rules import Entry
from tests.factories import approve, make_activity, make_indicator, make_user
from unionwork.numbers import Parsed
from unionwork.tables import CAP
from units import access

LIST = reverse("activity_list")


def shown(response):
    return [row.record.title for row in response.context["table"].page.object_list]


@pytest.fixture
def records(world):
    """Four records; what each persona may see of them differs."""
    make_activity(world.b11, world.cadre, world.planting, {world.trees: 10}, date(2024, 3, 1), title="A nháp")
    b = make_activity(
        world.b11, world.cadre, world.planting, {world.trees: 20}, date(2024, 4, 1), [world.b12], title="B chung"
    )
    c = make_activity(world.b12, world.other_cadre, world.planting, {world.times: 5}, date(2024, 5, 1), title="C lượt")
    d = make_activity(world.b21, world.central, world.planting, {world.trees: 40}, date(2024, 6, 1), title="D xa")
    approve(b, world.secretary)
    approve(c, world.secretary)
    approve(d, world.stranger)
    return world


@pytest.mark.parametrize(
    ("who", "titles"),
    [
        ("cadre", ["B chung", "A nháp"]),
        ("other_cadre", ["C lượt", "B chung"]),
        ("secretary", ["C lượt", "B chung", "A nháp"]),
        ("stranger", ["D xa"]),
        ("central", ["D xa", "C lượt", "B chung", "A nháp"]),
    ],
)
def test_everybody_sees_the_records_of_their_units_newest_first(client, records, who, titles):
    client.force_login(getattr(records, who))
    assert shown(client.get(LIST, {"nam": 2024})) == titles


def test_another_year_is_another_list(client, records):
    client.force_login(records.central)
    assert shown(client.get(LIST, {"nam": 2026})) == []
    assert client.get(LIST, {"nam": "1999"}).status_code == 404


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"don-vi": "b12"}, ["C lượt", "B chung"]),
        ({"don-vi": "k1"}, ["C lượt", "B chung", "A nháp"]),
        ({"trang-thai": "da-duyet"}, ["D xa", "C lượt", "B chung"]),
        ({"trang-thai": "draft"}, ["A nháp"]),
        ({"loai": "thu-trong-cay", "tu": "1/4/2024", "den": "31/05/2024"}, ["C lượt", "B chung"]),
        ({"loai": "thu-ke-khai"}, []),
        ({"chi-so": "thu-cay-xanh"}, ["D xa", "B chung", "A nháp"]),
        ({"q": "luot"}, ["C lượt"]),
        ({"q": "CHUNG b"}, ["B chung"]),
    ],
)
def test_filters_narrow_the_list(client, records, query, titles):
    client.force_login(records.central)
    assert shown(client.get(LIST, {"nam": 2024} | query)) == titles


def test_a_record_in_scope_is_found_by_its_code_or_the_end_of_it(client, records):
    code = Activity.objects.get(title="C lượt").code
    for who, titles in ((records.secretary, ["C lượt"]), (records.stranger, [])):
        client.force_login(who)
        found = [shown(client.get(LIST, {"nam": 2024, "q": text})) for text in (code, f" {code.lower()}", code[-6:])]
        assert found == [titles] * 3


@pytest.mark.parametrize(
    "query",
    [
        {"don-vi": "khong-co"},
        {"chi-so": "khong-co"},
        {"trang-thai": "la"},
        {"loai": "la"},
        {"tu": "31/02/2024"},
        {"den": "01/03/2024", "tu": "31/03/2024"},
        {"q": "x" * 201},
    ],
)
def test_a_wrong_filter_is_said_and_shows_nothing(client, records, query):
    client.force_login(records.central)
    response = client.get(LIST, {"nam": 2024} | query)
    assert (response.status_code, shown(response)) == (200, [])
    assert list(response.context["form"].errors) == [next(iter(query)).replace("-", "_")]


def test_a_filter_names_no_unit_out_of_scope(client, records):
    client.force_login(records.cadre)
    response = client.get(LIST, {"nam": 2024, "don-vi": "b21"})
    assert list(response.context["form"].errors) == ["don_vi"]


def test_cancelled_records_are_shown_on_request_only(client, records):
    activity = Activity.objects.get(title="A nháp")
    review.cancel(activity=activity, actor=records.cadre)
    client.force_login(records.cadre)
    assert shown(client.get(LIST, {"nam": 2024})) == ["B chung"]
    assert shown(client.get(LIST, {"nam": 2024, "trang-thai": "cancelled"})) == ["A nháp"]


@pytest.mark.parametrize("code", ["tw", "p1", "k1", "b11", "b12", "b21", "p2"])
def test_the_sum_of_the_list_is_the_stored_total_it_explains(client, records, code):
    part = make_indicator("thu-cay-phan", part_of=records.trees)
    extra = make_activity(records.b12, records.other_cadre, records.planting, {part: 3, records.trees: 1})
    approve(extra, records.secretary)
    unit = getattr(records, code)
    client.force_login(records.central)
    query = {"nam": 2024, "don-vi": code, "chi-so": "thu-cay-xanh", "trang-thai": "da-duyet"}
    stored = totals_at([unit.pk], records.year).get((unit.pk, records.trees.pk))
    total = client.get(LIST, query).context["total"]
    assert (total or 0) == stored.value
    assert total == {"tw": 64, "p1": 24, "k1": 24, "b11": 20, "b12": 24, "b21": 40, "p2": 40}[code]


def test_of_declared_levels_the_latest_of_each_unit_counts(client, records):
    for unit, day, value in (
        (records.b11, date(2024, 1, 31), 100),
        (records.b11, date(2024, 6, 30), 90),
        (records.b12, date(2024, 3, 31), 40),
    ):
        approve(make_activity(unit, records.cadre, records.declaring, {records.members: value}, day), records.secretary)
    client.force_login(records.secretary)
    query = {"nam": 2024, "don-vi": "k1", "chi-so": "thu-doan-vien", "trang-thai": "da-duyet"}
    assert client.get(LIST, query).context["total"] == 130
    assert totals_at([records.k1.pk], records.year)[records.k1.pk, records.members.pk].value == 130


def test_a_filter_can_be_taken_off_and_the_others_stay(client, records):
    client.force_login(records.central)
    response = client.get(LIST, {"nam": 2024, "don-vi": "k1", "chi-so": "thu-cay-xanh", "page": 1})
    assert response.context["chips"] == [
        ("Đơn vị", "Đơn vị k1", "nam=2024&chi-so=thu-cay-xanh"),
        ("Chỉ số", str(records.trees), "nam=2024&don-vi=k1"),
    ]


def test_pages_keep_the_filter_and_are_25_rows(client, records):
    entries = [
        Entry(
            Activity(
                unit=records.b11,
                kind=records.planting,
                title=f"Đợt {number}",
                first_day=date(2024, 7, 1),
                last_day=date(2024, 7, 1),
            ),
            {records.trees: Parsed(1)},
        )
        for number in range(60)
    ]
    recording.create_many(entries=entries, actor=records.cadre)
    client.force_login(records.cadre)
    response = client.get(LIST, {"nam": 2024, "loai": "thu-trong-cay"})
    assert (len(shown(response)), response.context["count"], response.context["is_capped"]) == (25, 62, False)
    assert "nam=2024&amp;loai=thu-trong-cay&amp;page=2" in response.content.decode()
    assert len(shown(client.get(LIST, {"nam": 2024, "per_page": 100}))) == 62
    assert len(shown(client.get(LIST, {"nam": 2024, "per_page": 999_999, "page": "x"}))) == 25
    assert len(shown(client.get(LIST, {"nam": 2024, "page": 99}))) == 12


def test_the_count_stops_at_a_cap(client, records, monkeypatch):
    monkeypatch.setattr("unionwork.tables.CAP", 2)
    client.force_login(records.central)
    response = client.get(LIST, {"nam": 2024})
    assert (response.context["count"], response.context["is_capped"]) == (2, True)
    assert "2+ hoạt động" in response.content.decode()
    assert CAP == 10_000


def statements(client, address, query=None):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address, query).status_code == 200
    return len(captured)


def test_the_list_asks_as_often_for_three_rows_as_for_one(client, world):
    client.force_login(world.secretary)
    counts = []
    for number in range(3):
        make_activity(world.b11, world.cadre, world.planting, {world.trees: 1 + number}, hosts=[world.b12])
        counts.append(statements(client, LIST, {"nam": 2024, "chi-so": "thu-cay-xanh", "don-vi": "k1"}))
    assert counts[0] == counts[2]


# --- one record ---


def detail(activity):
    return reverse("activity_detail", args=[activity.pk])


def buttons(response):
    names = set().union(*(layer for context in response.context for layer in context.dicts))
    return sorted(name for name in names if name.startswith("can_") and response.context[name])


def test_the_page_offers_what_one_may_do_now(client, world):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    client.force_login(world.cadre)
    assert buttons(client.get(detail(activity))) == ["can_cancel", "can_edit", "can_log", "can_repeat", "can_submit"]
    review.submit(activity=activity, actor=world.cadre)
    assert buttons(client.get(detail(activity))) == ["can_cancel", "can_edit", "can_log", "can_repeat", "can_withdraw"]
    client.force_login(world.secretary)
    assert buttons(client.get(detail(activity))) == [
        "can_approve",
        "can_cancel",
        "can_correct",
        "can_edit",
        "can_log",
        "can_repeat",
        "can_return",
        "can_withdraw",
    ]
    review.approve(activity=activity, actor=world.secretary)
    assert "can_unapprove" in buttons(client.get(detail(activity)))
    client.force_login(world.viewer)
    assert buttons(client.get(detail(activity))) == []
    review.cancel(activity=activity, actor=world.cadre, reason="trùng")
    client.force_login(world.cadre)
    activity.refresh_from_db()
    assert buttons(client.get(detail(activity))) == ["can_log", "can_repeat", "can_restore"]


def test_the_page_shows_figures_partners_and_the_whole_history(client, world):
    entry = Entry(
        Activity(
            unit=world.b11,
            kind=world.planting,
            title="Trồng cây <b>",
            first_day=date(2024, 3, 1),
            last_day=date(2024, 3, 2),
        ),
        {world.trees: Parsed(1250, "gần")},
        [world.b12],
    )
    activity = recording.create(entry=entry, actor=world.cadre)
    entry.figures = {world.trees: Parsed(1300, "")}
    recording.edit(entry=entry, actor=world.staff, version=1)
    review.submit(activity=activity, actor=world.cadre)
    review.return_to_author(activity=activity, actor=world.secretary, reason="Thiếu ảnh")
    client.force_login(world.other_cadre)
    page = client.get(detail(activity)).content.decode()
    for text in (
        activity.code,
        "Trồng cây &lt;b&gt;",
        "gần 1.250 → 1.300",
        "Thiếu ảnh",
        "Đơn vị b12",
        "01/03/2024 – 02/03/2024",
    ):
        assert text in page, text
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("who", "status"), [("cadre", 200), ("secretary", 200), ("viewer", 200), ("stranger", 404), ("other_cadre", 404)]
)
def test_who_may_read_a_record(client, world, who, status):
    activity = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35})
    client.force_login(getattr(world, who))
    assert client.get(detail(activity)).status_code == status


def test_people_without_a_role_are_refused(client, world):
    client.force_login(make_user("khach"))
    assert [client.get(address).status_code for address in (LIST, reverse("review_queue"))] == [403, 403]
    client.logout()
    assert client.get(LIST).status_code == 302


def test_a_record_asks_as_often_with_three_figures_hosts_and_events_as_with_one(client, world):
    small = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}, hosts=[world.b12])
    others = [world.b12, world.b21, world.b22]
    large = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35, world.times: 3}, hosts=others)
    review.cancel(activity=large, actor=world.cadre)
    review.restore(activity=large, actor=world.cadre)
    client.force_login(world.cadre)
    assert statements(client, detail(small)) == statements(client, detail(large))


def test_a_viewers_list_has_no_button_to_log(client, world):
    client.force_login(world.viewer)
    response = client.get(LIST, {"nam": 2024})
    assert response.context["can_log"] is False
    assert "Chưa có hoạt động nào trong năm này." in response.content.decode()
    assert access.LOG.held_by(world.viewer) is False
