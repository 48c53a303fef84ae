"""The filtered list: what it adds up to, and the same rows as a file."""

import csv
import io
from datetime import date

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from activities import review
from activities.listing import sums_of
from activities.models import Activity
from tests.factories import approve, make_activity, make_indicator, make_kind


@pytest.fixture
def records(world):
    """Approved, joint and approved, waiting, draft; another khối's."""
    road = make_indicator("thu-duong", unit_of_measure="km", decimals=2)
    world.road = make_kind("thu-lam-duong", [road, world.trees])
    one = make_activity(world.b11, world.cadre, world.planting, {world.trees: 35}, title="=2+3")
    two = make_activity(world.b11, world.cadre, world.road, {road: 1250, world.trees: 7}, hosts=[world.b12, world.b21])
    three = make_activity(world.b11, world.cadre, world.planting, {world.trees: 900}, title="Chờ, “duyệt”")
    make_activity(world.b12, world.other_cadre, world.planting, {world.trees: 50_000}, title="Nháp")
    make_activity(world.b22, world.stranger, world.planting, {world.trees: 11_111}, title="Khối khác")
    for record in (one, two):
        approve(record, world.secretary)
    review.submit(activity=three, actor=world.cadre)
    return [one, two, three]


def test_a_list_adds_up_what_counts_and_what_waits_each_record_once(world, records):
    found = Activity.objects.visible_to(world.secretary)
    sums = {row.indicator.code: (row.counted, row.waiting) for row in sums_of(found)}
    assert sums == {"thu-cay-xanh": (42, 900), "thu-duong": (1250, None), "thu-so-hoat-dong": (1, 1)}


def read(client, kind, query="nam=2024"):
    response = client.get(f"/hoat-dong.{kind}?{query}")
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="HoatDong_2024.{kind}"'
    body = b"".join(response.streaming_content)
    if kind == "csv":
        assert body.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_a_file_holds_the_rows_of_the_list_as_real_numbers_and_dates(client, world, records):
    client.force_login(world.secretary)
    header, *rows = read(client, "xlsx", "nam=2024&trang-thai=da-duyet")
    assert (header[:3], header[-3:]) == (
        ["Mã", "Ngày bắt đầu", "Ngày kết thúc"],
        ["Phối hợp", "Người ghi", "Người duyệt"],
    )
    assert sorted(header[9:-3]) == [
        "Chỉ số thu-cay-xanh (cây)",
        "Chỉ số thu-duong (km)",
        "Chỉ số thu-so-hoat-dong (hoạt động)",
    ]
    by_title = {row[6]: dict(zip(header, row, strict=True)) for row in rows}
    assert sorted(by_title) == ["=2+3", "Hoạt động thử"]
    joint = by_title["Hoạt động thử"]
    assert (joint["Chỉ số thu-duong (km)"], joint["Chỉ số thu-cay-xanh (cây)"]) == (12.5, 7)
    assert joint["Phối hợp"] == "Đơn vị b12; Đơn vị b21"
    assert joint["Ngày kết thúc"].date() == date(2024, 3, 26)
    assert (joint["Người ghi"], joint["Người duyệt"]) == ("Người cadre", "Người secretary")
    assert by_title["=2+3"]["Chỉ số thu-duong (km)"] is None


def test_csv_says_the_same_and_starts_no_formula(client, world, records):
    client.force_login(world.secretary)
    header, *rows = read(client, "csv")
    titles = [row[header.index("Tên")] for row in rows]
    assert sorted(titles) == ["'=2+3", "Chờ, “duyệt”", "Hoạt động thử", "Nháp"]
    assert {row[header.index("Ngày kết thúc")] for row in rows} == {"26/03/2024"}
    assert {len(row) for row in rows} == {len(header)}


def test_people_get_their_own_rows_and_a_wrong_filter_no_file(client, world, records):
    client.force_login(world.stranger)
    assert [row[6] for row in read(client, "csv")[1:]] == ["Khối khác", "Hoạt động thử"]  # the own, and as a co-host
    assert client.get("/hoat-dong.csv?nam=2024&tu=31/02/2024").status_code == 302


def test_a_list_too_long_for_a_file_is_said_to_be(client, world, records, monkeypatch):
    monkeypatch.setattr("activities.listing.MOST_ROWS", 2)
    client.force_login(world.secretary)
    page = client.get("/hoat-dong.xlsx?nam=2024", follow=True)
    assert "Danh sách dài hơn 2 dòng. Lọc hẹp lại" in page.content.decode()


def test_the_statements_do_not_grow_with_the_rows(client, world, records):
    client.force_login(world.secretary)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as few:
            read(client, "csv")
        counts.append(len(few))
        for number in range(5):
            make_activity(world.b12, world.other_cadre, world.planting, {world.trees: number}, hosts=[world.b11])
    assert counts[0] == counts[1]


def test_the_page_says_the_sums_and_offers_the_files(client, world, records):
    client.force_login(world.secretary)
    page = client.get("/hoat-dong/?nam=2024&q=").content.decode()
    assert "Chỉ số thu-cay-xanh: 42 cây (chờ duyệt 900)" in page
    assert 'href="/hoat-dong.xlsx?nam=2024&amp;q="' in page


def test_a_list_too_long_to_be_counted_is_not_added_up(client, world, records, monkeypatch):
    monkeypatch.setattr("unionwork.tables.CAP", 2)
    client.force_login(world.secretary)
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/hoat-dong/?nam=2024").content.decode()
    assert "2+ hoạt động. Lọc hẹp lại (theo đơn vị, ngày, loại) để xem tổng số liệu." in page
    assert [query["sql"] for query in asked if "SUM(" in query["sql"]] == []
