"""The list for superiors: its filters against plain Python, its columns, its order, and nobody else's records."""

from datetime import date
from itertools import product
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities import recording, review
from activities.filters import ActivityFilter
from activities.lists.listing import sums_of
from activities.models import Activity, SavedFilter
from activities.rules import Entry
from targets.models import Period
from tests.factories import approve, make_activity, make_kind, make_user
from unionwork.numbers import Parsed
from units import access

LIST = reverse("activity_list")
TWIN = ["twin", "Có thể trùng với “Trồng cây”."]
REUSED = ["reused", 'Ảnh đã dùng ở ["twin", "một hoạt động khác"].']
ROWS = (  # title, unit, author, kind, day, trees, warnings, status
    ("Một", "b11", "cadre", "planting", date(2024, 1, 1), 35, [TWIN], "approved"),
    ("Hai", "b12", "other_cadre", "planting", date(2024, 3, 31), 7, [REUSED, TWIN], "pending"),
    ("Ba", "b12", "nhung", "road", date(2024, 4, 1), 900, [], "approved"),
    ("Bốn", "k1", "nhung", "road", date(2024, 6, 30), 1, [REUSED], "draft"),
    ("Năm", "b11", "nhung", "planting", date(2024, 3, 15), 60, [], "cancelled"),
    ("Mật", "b21", "stranger", "planting", date(2024, 3, 15), 77_777, [TWIN], "pending"),
)


@pytest.fixture
def records(world):
    world.nhung = make_user("nhung", access.STAFF, world.k1, full_name="Đặng Thị Nhưng")
    world.road = make_kind("thu-lam-duong", [world.trees])
    for title, unit, author, kind, day, trees, warnings, status in ROWS:
        unit, author, kind = (getattr(world, name) for name in (unit, author, kind))
        activity = make_activity(unit, author, kind, {world.trees: trees}, day, title=title, place=f"Nơi {title}")
        Activity.objects.filter(pk=activity.pk).update(warnings=warnings, warning_reason="Đã xem." if warnings else "")
        if status == "approved":
            approve(activity, world.secretary)
        elif status == "pending":
            review.submit(activity=activity, actor=author)
        elif status == "cancelled":
            review.cancel(activity=activity, actor=author)
    Activity.objects.filter(title="Ba").update(warnings=[], warning_reason="")
    return world


def shown(response):
    return [row.record.title for row in response.context["table"].page.object_list]


def get(client, **query):
    return client.get(LIST, {"nam": 2024} | {name.replace("_", "-"): value for name, value in query.items()})


CHOICES = {
    "nguoi-ghi": ["", "nhung DANG"],
    "canh-bao": ["", "co", "khong", "twin"],
    "ky": ["", "Quý I"],
    "trang-thai": [[], ["pending", "cancelled"], ["da-duyet", "draft"]],
    "loai": [[], ["thu-trong-cay", "thu-ke-khai"]],
}
DAYS = {"Quý I": (date(2024, 1, 1), date(2024, 3, 31))}
AUTHORS = {"nhung DANG": ["nhung"]}
KINDS = {"planting": "thu-trong-cay", "road": "thu-lam-duong"}


def matches(row, asked):
    _, unit, author, kind, day, _, warnings, status = row
    doubts = [code for code, _ in warnings]
    statuses = {"approved" if one == "da-duyet" else one for one in asked["trang-thai"]}
    first, last = DAYS.get(asked["ky"], (date.min, date.max))
    warned = {"": True, "co": bool(doubts), "khong": not doubts}.get(asked["canh-bao"], asked["canh-bao"] in doubts)
    return (
        unit != "b21"
        and author in AUTHORS.get(asked["nguoi-ghi"], [author])
        and warned
        and first <= day <= last
        and (status in statuses if statuses else status != "cancelled")
        and KINDS[kind] in (asked["loai"] or KINDS.values())
    )


def test_every_mix_of_filters_finds_and_adds_up_what_plain_python_does(records):
    periods = {row.name: row.pk for row in Period.objects.filter(year=2024)}
    mine = Activity.objects.visible_to(records.secretary).filter(year=2024)
    sizes = set()
    for values in product(*CHOICES.values()):
        asked = dict(zip(CHOICES, values, strict=True))
        query = QueryDict(urlencode(asked | {"ky": periods.get(asked["ky"], "")}, doseq=True))
        found = ActivityFilter(query, queryset=mine, user=records.secretary, year=records.year).qs
        expected = [row for row in ROWS if matches(row, asked)]
        assert sorted(found.values_list("title", flat=True)) == sorted(row[0] for row in expected), asked
        sizes.add(len(expected))
        if len(expected) > 1:
            sums = {row.indicator: (row.counted or 0, row.waiting or 0) for row in sums_of(found)}
            by_status = {state: sum(row[5] for row in expected if row[7] == state) for state in ("approved", "pending")}
            assert sums.get(records.trees, (0, 0)) == tuple(by_status.values()), asked
    assert sizes == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"canh_bao": "la"}, "canh_bao"),
        ({"ky": "9" * 30}, "ky"),
        ({"loai": ["thu-trong-cay", "la"]}, "loai"),
        ({"chi_so": ["thu-cay-xanh", "la"]}, "chi_so"),
        ({"nguoi_ghi": "x" * 101}, "nguoi_ghi"),
        ({"don_vi": "don vi"}, "don_vi"),  # several
    ],
)
def test_what_no_filter_knows_is_said_and_shows_nothing(client, records, query, field):
    client.force_login(records.secretary)
    page = get(client, **query)
    assert (page.status_code, shown(page), list(page.context["form"].errors)) == (200, [], [field])
    assert "chưa hiện hoạt động nào" in page.content.decode()


def test_people_and_units_are_found_by_words_and_signs_are_no_pattern(client, records):
    client.force_login(records.secretary)
    assert shown(get(client, nguoi_ghi="DANG nhung")) == ["Bốn", "Ba"]
    assert shown(get(client, nguoi_ghi=".*")) == []
    assert shown(get(client, nguoi_ghi="[a-z]+(")) == []
    assert shown(get(client, don_vi="VI b11")) == ["Một"]
    several = get(client, don_vi="don vi").context["form"].errors["don_vi"][0]
    assert several == "“don vi” có thể là Đơn vị b11 (mã b11), Đơn vị b12 (mã b12), Đơn vị k1 (mã k1)."


def test_each_value_can_be_taken_off_alone(client, records):
    client.force_login(records.secretary)
    page = client.get(f"{LIST}?nam=2024&trang-thai=pending&trang-thai=draft&chi-so=thu-cay-xanh&page=2")
    assert page.context["chips"] == [
        ("Chỉ số", "Chỉ số thu-cay-xanh", "nam=2024&trang-thai=pending&trang-thai=draft"),
        ("Trạng thái", "Chờ duyệt", "nam=2024&trang-thai=draft&chi-so=thu-cay-xanh"),
        ("Trạng thái", "Nháp", "nam=2024&trang-thai=pending&chi-so=thu-cay-xanh"),
    ]


def test_several_indicators_of_one_measure_are_one_sum(client, records):
    extra = make_activity(records.b11, records.cadre, records.planting, {records.times: 5}, title="Lượt")
    approve(extra, records.secretary)
    client.force_login(records.secretary)
    page = client.get(f"{LIST}?nam=2024&chi-so=thu-cay-xanh&chi-so=thu-luot&trang-thai=da-duyet")
    assert shown(page) == ["Ba", "Lượt", "Một"]
    assert (page.context["total"], page.context["sums_first"]) == (
        None,
        ["Chỉ số thu-cay-xanh: 935 cây", "Chỉ số thu-luot: 5 lượt", "Chỉ số thu-so-hoat-dong: 2 hoạt động"],
    )
    records.times.unit_of_measure = "cây"
    records.times.save()
    page = client.get(f"{LIST}?nam=2024&chi-so=thu-cay-xanh&chi-so=thu-luot&trang-thai=da-duyet")
    assert page.context["total"] == 940


@pytest.mark.parametrize("states", [(), ("pending", "da-duyet"), ("draft", "pending"), ("pending",), ("draft",)])
def test_the_sum_of_an_indicator_tells_what_counts_from_what_waits(client, records, states):
    client.force_login(records.secretary)
    page = get(client, chi_so="thu-cay-xanh", trang_thai=states)
    trees = {}
    for row in page.context["table"].rows:
        value = row.record.figures.get(indicator=records.trees).value
        trees[row.record.status] = trees.get(row.record.status, 0) + value
    of_one = next(iter(trees.values())) if len(states) == 1 else None
    expected = (of_one, None) if of_one else (trees.get("approved"), trees.get("pending"))
    assert (page.context["total"], page.context["waiting"]) == expected
    assert len(trees) > 1 or of_one


def test_the_order_is_one_of_a_few(client, records, monkeypatch):
    client.force_login(records.secretary)
    assert shown(get(client)) == ["Bốn", "Ba", "Hai", "Một"]
    assert shown(get(client, xep="cho")) == ["Hai", "Một", "Ba", "Bốn"]  # waits; decided; never sent
    records.b12.name = "Đơn vị á"
    records.b12.save()
    assert shown(get(client, xep="don-vi")) == ["Ba", "Hai", "Một", "Bốn"]  # á before b11 before k1
    wrong = get(client, xep="unit__sort;--")
    assert (shown(wrong), wrong.context["notes"]) == (
        ["Bốn", "Ba", "Hai", "Một"],
        ["Không có cách xếp “unit__sort;--”: danh sách đang xếp theo ngày, mới nhất trước."],
    )
    monkeypatch.setattr("unionwork.tables.CAP", 3)
    with CaptureQueriesContext(connection) as asked:
        long = get(client, xep="don-vi")
    assert shown(long) == ["Bốn", "Ba", "Hai"]
    assert long.context["notes"][0].startswith("Danh sách dài hơn 3 dòng nên chưa xếp “theo tên đơn vị” được.")
    assert [query["sql"] for query in asked if "SUM(" in query["sql"]] == []


def headers(page):
    return [column.header for column in page.context["table"].columns]


def cells(page, title):
    row = next(row for row in page.context["table"].page.object_list if row.record.title == title)
    return dict(zip(headers(page), [" ".join(str(cell).split()) for cell in row.cells], strict=True))


def test_columns_are_chosen_remembered_and_forgotten(client, records):
    client.force_login(records.secretary)
    usual = ["Hoạt động", "Đơn vị", "Ngày", "Số liệu", "Trạng thái"]
    assert headers(get(client)) == usual
    page = get(client, cot=["nguoi-ghi", "cs.thu-cay-xanh", "nguoi-duyet,canh-bao", "ten", "la"])
    assert headers(page) == ["Hoạt động", "Người ghi", "Chỉ số thu-cay-xanh (cây)", "Người duyệt", "Cảnh báo"]
    assert page.context["notes"] == ["Không có cột “la”."]
    ba, hai = cells(page, "Ba"), cells(page, "Hai")
    assert (ba["Người ghi"], ba["Chỉ số thu-cay-xanh (cây)"], ba["Cảnh báo"]) == ("Đặng Thị Nhưng", "900", "–")
    assert (hai["Người duyệt"], hai["Cảnh báo"]) == ("–", "Ảnh dùng lại; Có thể trùng")
    assert SavedFilter.objects.count() == 0  # reading keeps nothing

    columns = f"{reverse('list_columns')}?nam=2024&loai=thu-trong-cay"
    back = client.post(columns, {"lam": "luu", "cot": ["ngay", "cs.thu-cay-xanh", "la", "cs.\0"]})
    assert back.url == f"{LIST}?nam=2024&loai=thu-trong-cay&cot=ten&cot=ngay&cot=cs.thu-cay-xanh"
    assert headers(get(client)) == ["Hoạt động", "Ngày", "Chỉ số thu-cay-xanh (cây)"]
    assert headers(get(client, cot="loai")) == ["Hoạt động", "Loại"]
    client.post(columns, {"lam": "tat-ca"})
    assert len(headers(get(client))) == 15
    client.force_login(records.staff)
    assert headers(get(client)) == usual
    client.force_login(records.secretary)
    assert client.post(columns, {"lam": "mac-dinh"}).url == f"{LIST}?nam=2024&loai=thu-trong-cay"
    assert (headers(get(client)), SavedFilter.objects.count()) == (usual, 0)


TWELVE = "don-vi,ma-don-vi,tu-ngay,ngay,loai,dia-diem,so-lieu,trang-thai,phoi-hop,nguoi-ghi,nguoi-duyet,cs.thu-cay-xanh"


def test_fifty_rows_with_twelve_columns_ask_as_often_as_one(client, world):
    client.force_login(world.secretary)
    approve(make_activity(world.b11, world.cadre, world.planting, {world.trees: 1}, hosts=[world.b12]), world.secretary)
    query = {"nam": 2024, "cot": TWELVE, "per_page": 50, "nguoi-ghi": "nguoi"}
    counts = []
    for rows in (1, 50):
        with CaptureQueriesContext(connection) as asked:
            assert len(shown(client.get(LIST, query))) == rows
        counts.append(len(asked))
        day, make = date(2024, 7, 1), SimpleNamespace(unit=world.b12, kind=world.planting)
        entries = [
            Entry(
                Activity(unit=make.unit, kind=make.kind, title=f"Đợt {n}", first_day=day, last_day=day),
                {world.trees: Parsed(n)},
                [world.b11],
            )
            for n in range(49)
        ]
        if rows == 1:
            recording.create_many(entries=entries, actor=world.other_cadre)
    assert counts[0] == counts[1] <= 21


def test_nothing_of_another_khoi_is_shown_counted_or_offered(client, records):
    """Content, not status codes: its title, unit, author, figures and place are on no page and in no file."""
    client.force_login(records.secretary)
    secrets = ("Mật", "b21", "Người stranger", "77.777", "77777", Activity.objects.get(title="Mật").code)
    for query in ("", "canh-bao=twin", "trang-thai=pending", "nguoi-ghi=nguoi", "loai=thu-trong-cay", f"cot={TWELVE}"):
        page = client.get(f"{LIST}?nam=2024&{query}").content.decode()
        file = b"".join(client.get(f"/hoat-dong.csv?nam=2024&{query}").streaming_content).decode()
        assert [(query, secret) for secret in secrets if secret in page or secret in file] == []
    page = get(client, nguoi_ghi="stranger")  # the typed word comes back, and finds nobody
    assert (shown(page), page.context["authors"], page.context["sums_first"]) == ([], [], [])
    refused = get(client, don_vi="b21").context["form"].errors["don_vi"]
    assert refused == ["Không có đơn vị tên hoặc mã này trong phạm vi của bạn."]
    client.force_login(records.stranger)
    assert shown(get(client)) == ["Mật"]
