"""The filtered list: what it adds up to, and the same rows as a file."""

import csv
import io
import re
from datetime import datetime, time
from html import unescape

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from activities import review
from activities.lists.listing import sums_of
from activities.models import Activity
from tests.factories import approve, make_activity, make_indicator, make_kind

# Header of a figure's column in a file → how the page's one cell of all figures begins to name it.
FIGURES = {
    "Chỉ số thu-cay-xanh (cây)": "Chỉ số thu-cay-xanh",
    "Chỉ số thu-so-hoat-dong (hoạt động)": "Chỉ số thu-so-hoat-dong",
}


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
    """(the rows below the line that says what they are, that line, the file's name)."""
    response = client.get(f"/hoat-dong.{kind}?{query}")
    assert response.status_code == 200
    name = response["Content-Disposition"].split('"')[1]
    body = b"".join(response.streaming_content)
    if kind == "csv":
        assert body.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(body.decode("utf-8-sig")))), "", name
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    [caption, *blank], *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert not any(blank)
    return rows, caption, name


EVERY = "don-vi,ma-don-vi,tu-ngay,ngay,loai,dia-diem,so-lieu,trang-thai,phoi-hop,nguoi-ghi,gui-luc,nguoi-duyet,canh-bao"


def in_words(cell):
    """A cell of the workbook as a page prints it."""
    if cell is None:
        return "–"
    if isinstance(cell, datetime):
        day = f"{cell.day:02d}/{cell.month:02d}/{cell.year}"
        return day if cell.time() == time() else f"{cell:%H:%M} {day}"
    if isinstance(cell, str):
        return cell
    whole, _, part = f"{cell:.2f}".partition(".")
    return f"{int(whole):,}".replace(",", ".") + (f",{part.rstrip('0')}" if part.rstrip("0") else "")


def page_rows(client, query):
    """(headers, {code: the texts of the row's cells}) of all pages of the list."""
    found, headers, number, pages = {}, [], 1, 1
    while number <= pages:
        table = client.get(f"/hoat-dong/?nam=2024&per_page=2&page={number}&{query}").context["table"]
        headers, pages = [column.header for column in table.columns], table.paginator.num_pages
        for row in table.page.object_list:
            found[row.record.code] = [" ".join(strip_tags(str(cell)).split()) for cell in row.cells]
        number += 1
    return headers, found


def test_a_file_is_what_the_page_shows_cell_by_cell(client, world, records):
    Activity.objects.filter(title="Chờ, “duyệt”").update(
        warnings=[["twin", "Trùng"], ["joint", "Chung"]], place="Bờ hồ"
    )
    client.force_login(world.secretary)
    query = f"cot=cs.thu-duong,{EVERY}&xep=don-vi"
    headers, shown = page_rows(client, query)
    assert headers[:2] == ["Hoạt động", "Chỉ số thu-duong (km)"]
    (header, *rows), caption, name = read(client, "xlsx", f"nam=2024&{query}")
    figures = [place for place, text in enumerate(header) if text in FIGURES]
    assert header == [
        "Mã",
        *headers[: headers.index("Số liệu")],
        *sorted(FIGURES),
        *headers[headers.index("Số liệu") + 1 :],
    ]
    assert [row[0] for row in rows] == list(shown)  # in the page's order
    for code, *cells in rows:
        title, *others = shown[code]
        expected = [in_words(cell) for place, cell in enumerate(cells, 1) if place not in figures]
        listed = others.pop(headers.index("Số liệu") - 1)
        assert title.startswith(f"{expected[0]} {code}")
        assert others == expected[1:], code
        said = {
            f"{FIGURES[header[place]]}: {in_words(cells[place - 1])}"
            for place in figures
            if cells[place - 1] is not None
        }
        assert len(said) == listed.count(":") - listed.count("thu-duong"), code
        assert all(one in listed for one in said), code
    assert caption.startswith("Hoạt động năm 2024 · không lọc · 4 dòng · Người secretary tải lúc ")
    assert name == "HoatDong_2024.xlsx"


def test_the_filter_is_in_the_files_name_and_on_top_and_the_rows_are_on_the_button(client, world, records):
    client.force_login(world.secretary)
    query = "nam=2024&trang-thai=da-duyet&don-vi=b11"
    rows, caption, name = read(client, "xlsx", query)
    assert (len(rows) - 1, name) == (2, "HoatDong_2024_don-vi-b11_da-duyet-va-da-chot.xlsx")
    asked = "Đơn vị: Đơn vị b11; Trạng thái: Đã duyệt và đã chốt"
    assert caption.startswith(f"Hoạt động năm 2024 · {asked} · 2 dòng · Người secretary tải lúc ")
    page = client.get(f"/hoat-dong/?{query}&page=1&q=").content.decode()
    [address] = re.findall(r'href="([^"]+)">Tải Excel \(2 dòng\)</a>', page)
    assert unescape(address) == (
        "/hoat-dong.xlsx?nam=2024&don-vi=b11&trang-thai=da-duyet&cot=ten&cot=don-vi&cot=ngay&cot=so-lieu&cot=trang-thai"
    )
    header = read(client, "xlsx", unescape(address).partition("?")[2])[0][0]
    assert header == ["Mã", "Hoạt động", "Đơn vị", "Ngày", *sorted([*FIGURES, "Chỉ số thu-duong (km)"]), "Trạng thái"]


def test_csv_says_the_same_and_starts_no_formula(client, world, records):
    client.force_login(world.secretary)
    (header, *rows), _, name = read(client, "csv")
    titles = [row[header.index("Hoạt động")] for row in rows]
    assert sorted(titles) == ["'=2+3", "Chờ, “duyệt”", "Hoạt động thử", "Nháp"]
    assert {row[header.index("Ngày")] for row in rows} == {"26/03/2024"}
    assert {len(row) for row in rows} == {len(header)}
    assert name == "HoatDong_2024.csv"


def test_people_get_their_own_rows_and_a_wrong_filter_no_file(client, world, records):
    client.force_login(world.stranger)
    assert [row[1] for row in read(client, "csv")[0][1:]] == ["Khối khác", "Hoạt động thử"]  # the own, and as a co-host
    assert client.get("/hoat-dong.csv?nam=2024&tu=31/02/2024").status_code == 302


def test_a_list_too_long_for_a_file_is_said_to_be(client, world, records, monkeypatch):
    monkeypatch.setattr("activities.lists.listing.MOST_ROWS", 2)
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


def test_the_page_says_the_sums(client, world, records):
    client.force_login(world.secretary)
    page = client.get("/hoat-dong/?nam=2024&q=").content.decode()
    assert "Chỉ số thu-cay-xanh: 42 cây (chờ duyệt 900)" in page


def test_a_list_too_long_to_be_counted_is_not_added_up(client, world, records, monkeypatch):
    monkeypatch.setattr("unionwork.tables.CAP", 2)
    client.force_login(world.secretary)
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/hoat-dong/?nam=2024").content.decode()
    assert "2+ hoạt động. Lọc hẹp lại (theo đơn vị, ngày, loại) để xem tổng số liệu." in page
    assert [query["sql"] for query in asked if "SUM(" in query["sql"]] == []
