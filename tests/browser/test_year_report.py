import io

import openpyxl

from tests.browser.checks import check_page
from tests.factories import World
from tests.reports.worlds import Year


def test_the_year_end_report_is_read_and_downloaded(page, login, db):
    world = World()
    Year(world)
    login(page, world.secretary)
    page.goto("/tong-ket/?nam=2024")
    assert page.title() == "Báo cáo tổng kết năm 2024: Đơn vị k1 – unionwork"
    check_page(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Tải Excel").click()
    download = waiting.value
    assert download.suggested_filename == "BaoCao_k1_2024.xlsx"
    with open(download.path(), "rb") as file:
        book = openpyxl.load_workbook(io.BytesIO(file.read()))
    assert book.sheetnames == ["Kết quả chỉ tiêu", "Số liệu phong trào", "Đơn vị × chỉ tiêu", "Giải thích"]


def test_a_bad_day_is_explained_beside_the_field(page, login, db):
    world = World()
    login(page, world.secretary)
    page.goto("/tong-ket/?nam=2024")
    page.get_by_label("Số liệu đến ngày").fill("31/02/2024")
    page.get_by_role("button", name="Xem").last.click()
    assert page.title() == "Lỗi: Báo cáo tổng kết năm 2024: Đơn vị k1 – unionwork"
    assert page.get_by_label("Số liệu đến ngày").input_value() == "31/02/2024"
    check_page(page)
