import io
import re
from datetime import date
from html import unescape

import openpyxl
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activities.models import ActivityKind
from tests.factories import grant, make_unit, make_user, make_year
from tests.reports.worlds import DAY, indicator
from units import access


def page(client, user, name="year_report", **query):
    client.force_login(user)
    return client.get(reverse(name), {"nam": 2024} | query)


def words(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(text).split())


def test_the_page_shows_sentence_warnings_and_three_tables(client, khoi):
    response = page(client, khoi.world.secretary)
    text = words(response)
    assert response.status_code == 200
    assert "Hoàn thành 1/5 chỉ tiêu, trong đó 1 chỉ tiêu vượt kế hoạch." in text
    assert "1/5 chỉ tiêu đạt và vượt." in text
    assert "1 hoạt động chờ duyệt chưa tính" in text
    assert "đến ngày 31/12/2024" in text
    preview = response.context["preview"]
    [total] = next(iter(preview.targets()))["rows"]
    assert (total["number"], total["plan"], total["registered"], total["actual"].text) == ("1a", "100", "120", "103")
    assert (total["percent"], total["last_year"], total["change"]) == ("103%", "–", "–")
    works = next(line for _, lines in preview.groups() for line in lines if line["name"] == "Công trình thanh niên")
    assert [cell.text for cell in works["by_level"]] == ["1", "2", "1"]
    assert (preview.level_names(), works["total"].text) == (["Cấp tỉnh", "Cấp khối/huyện", "Cấp cơ sở"], "4")
    assert [(child["name"], child["cells"][0].text) for child in preview.children()] == [
        ("Đoàn trường", "–"),
        ("Đơn vị b11", "72"),
        ("Đơn vị b12", "101"),
    ]
    assert [(label, cells[0].text) for label, cells in preview.sums()] == [
        ("Cộng các đơn vị trực thuộc", "173"),
        ("Tự đơn vị ghi nhận", "11"),
        ("Trừ trùng (hoạt động phối hợp)", "81"),
        ("Toàn đơn vị", "103"),
    ]
    assert response.content.decode().count("data-scroll") == 3


def test_every_number_leads_to_the_records_behind_it(client, khoi):
    world = khoi.world
    response = page(client, world.secretary)
    trees = next(
        line for _, lines in response.context["preview"].groups() for line in lines if line["name"] == world.trees.name
    )
    assert trees["total"].url == "/hoat-dong/?nam=2024&don-vi=k1&chi-so=thu-cay-xanh&trang-thai=da-duyet"
    listed = client.get(trees["total"].url)
    figures = [row.figures.get(indicator=world.trees).value for row in listed.context["table"].data]
    assert sorted(figures) == [2, 11, 20, 70]
    urls = re.findall(r'href="(/hoat-dong/\?[^"]+chi-so[^"]+)"', response.content.decode())
    assert len(urls) > 20
    assert {client.get(unescape(url)).status_code for url in set(urls)} == {200}


def test_up_to_a_day_and_so_are_the_lists_behind(client, khoi):
    response = page(client, khoi.world.secretary, **{"den-ngay": "2/11/2024"})
    roads = next(line for _, lines in response.context["preview"].groups() for line in lines if line["unit"] == "km")
    assert (roads["total"].text, roads["total"].url[-15:]) == ("12,4", "den=02%2F11%2F2024"[-15:])
    assert response.context["workbook_url"] == "/tong-ket.xlsx?nam=2024&don-vi=k1&den-ngay=02%2F11%2F2024"
    assert 'value="2/11/2024"' in response.content.decode()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("31/02/2024", "không có ngày 31 tháng 2"),
        ("hôm kia", "“hôm kia” không phải là ngày"),
        ("01/01/2025", "Năm công tác 2024 từ 01/01/2024 đến 31/12/2024; chọn một ngày trong năm."),
    ],
)
def test_a_bad_day_is_explained_and_kept(client, khoi, typed, message):
    response = page(client, khoi.world.secretary, **{"den-ngay": typed})
    assert response.status_code == 422
    assert message in words(response)
    assert f'value="{typed}"' in response.content.decode()
    assert "<title>Lỗi: Báo cáo tổng kết" in response.content.decode()
    download = page(client, khoi.world.secretary, "year_report_xlsx", **{"den-ngay": typed})
    assert (download.status_code, download.url.split("?")[0]) == (302, "/tong-ket/")


def test_the_workbook_is_the_commands(client, khoi, tmp_path):
    response = page(client, khoi.world.staff, "year_report_xlsx", **{"don-vi": "b11"})
    assert response["Content-Disposition"] == 'attachment; filename="BaoCao_b11_2024.xlsx"'
    assert response["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    path = tmp_path / "r.xlsx"
    call_command("report", unit="b11", year=2024, to=str(path), stdout=io.StringIO())

    def cells(source):
        book = openpyxl.load_workbook(source, data_only=True)
        return [list(sheet.iter_rows(values_only=True)) for sheet in book]

    assert cells(io.BytesIO(response.content)) == cells(path)


def test_only_units_in_scope(client, khoi):
    world = khoi.world
    for name in ("year_report", "year_report_xlsx"):
        for user, code, status in (
            (world.secretary, "b11", 200),
            (world.viewer, "k1", 200),
            (world.cadre, "b11", 200),
            (world.cadre, "k1", 404),
            (world.secretary, "k2", 404),
            (world.stranger, "k1", 404),
            (world.secretary, "khong-co", 404),
        ):
            assert page(client, user, name, **{"don-vi": code}).status_code == status, (name, user, code)
        assert page(client, world.secretary, name, nam="2031").status_code == 404
        assert page(client, make_user(f"nobody-{name}"), name).status_code == 403


def test_a_unit_outside_that_years_tree_is_told_so(client, world):
    new = make_unit("moi", "doan-co-so", world.k1, founded=date(date.today().year, 1, 1))
    grant(world.cadre, access.CADRE, new)
    response = page(client, world.cadre, **{"don-vi": "moi"})
    assert response.status_code == 200
    assert "không có trong cây đơn vị năm 2024" in words(response)
    assert page(client, world.cadre, "year_report_xlsx", **{"don-vi": "moi"}).status_code == 302


def test_an_empty_year_still_answers(client, world):
    make_year(2021)
    response = page(client, world.cadre, nam="2021")
    assert "Chưa có chỉ tiêu." in words(response)
    assert page(client, world.cadre, "year_report_xlsx", nam="2021").status_code == 200


def test_names_are_escaped(client, khoi):
    khoi.school.name = "<script>alert(1)</script>"
    khoi.school.save(update_fields=["name"])
    assert "<script>alert" not in page(client, khoi.world.secretary).content.decode()


def test_as_many_statements_for_many_children_as_for_three(client, khoi):
    world = khoi.world

    def statements(name):
        page(client, world.secretary, name)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(name), {"nam": 2024}).status_code == 200
        return len(captured)

    before = [statements(name) for name in ("year_report", "year_report_xlsx")]
    works = ActivityKind.objects.get(code="cong-trinh")
    for number in range(12):
        unit = make_unit(f"x{number}", "doan-co-so", world.k1)
        khoi.record(unit, works, {indicator("ngay-cong"): 5}, DAY, work_level="base")
    assert [statements(name) for name in ("year_report", "year_report_xlsx")] == before
