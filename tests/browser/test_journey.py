"""The main job in a real browser: a cadre logs on a phone, the secretary approves, every figure moves, undo undoes."""

import io
import re

import openpyxl
import pytest
from django.utils import timezone

from activities.audit import audit
from activities.models import ActivityKind
from activities.moves.moving import move_unit
from targets.models import Indicator
from tests.browser.checks import check_page
from tests.factories import World, assign, make_target


@pytest.fixture
def planned(transactional_db):
    """The small organisation with this year's 1.000 trees given down to the khối and the cơ sở."""
    world = World()
    target = make_target(
        world.tw,
        timezone.localdate().year,
        [{"kind": "total", "value": 100_000, "indicators": [Indicator.objects.get(code="cay-xanh")]}],
        text="Cây xanh trồng mới",
    )
    for unit, planned in ((world.p1, 5_000), (world.k1, 1_000), (world.b11, 100)):
        assign(target.measures.get(), unit, planned)
    return world


def dashboard_says(page):
    """The line under the bar of the one target."""
    page.goto("/")
    check_page(page)
    return " ".join(page.locator(".measure-figures").inner_text().split())


def workbook_says(page):
    """(Kết quả, Đánh giá) of the target in the year-end workbook, reopened: what Excel shows before recalculating."""
    page.goto("/tong-ket/")
    check_page(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Tải Excel").click()
    with open(waiting.value.path(), "rb") as file:
        sheet = openpyxl.load_workbook(io.BytesIO(file.read()), data_only=True).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    header = next(row for row in rows if "Kết quả" in row)
    line = next(row for row in rows if row[header.index("Chỉ tiêu cấp trên giao")] == 1_000)
    return line[header.index("Kết quả")], line[header.index("Đánh giá")]


def differences():
    return audit(timezone.localdate().year).differences


def test_a_tree_planting_from_the_cadres_phone_to_the_year_end_workbook(planned, phone, laptop, login):
    cadre, secretary = phone, laptop
    login(cadre, planned.cadre)
    assert "chưa có số / kế hoạch 100 cây" in dashboard_says(cadre)
    cadre.get_by_role("link", name="+ Ghi hoạt động").click()
    cadre.get_by_text("Trồng cây", exact=True).click()
    cadre.get_by_label("Cây xanh trồng mới").fill("1.035")
    cadre.get_by_label("Lượt đoàn viên, thanh niên tham gia").fill("50")
    check_page(cadre)
    cadre.get_by_role("button", name="Gửi duyệt").click()
    cadre.wait_for_url(re.compile(r"/hoat-dong/[0-9]+/$"))
    assert "Chờ duyệt" in cadre.locator("main").inner_text()
    check_page(cadre)
    address = cadre.url
    assert "chờ duyệt 1.035 cây" in dashboard_says(cadre)

    login(secretary, planned.secretary)
    assert "chưa có số / kế hoạch 1.000 cây · chờ duyệt 1.035 cây" in dashboard_says(secretary)
    assert workbook_says(secretary) == (None, "Chưa có số")
    secretary.goto("/")
    secretary.get_by_role("link", name="Trồng cây", exact=True).click()
    check_page(secretary)
    secretary.get_by_role("button", name="Duyệt", exact=True).click()
    secretary.get_by_role("button", name="Hoàn tác").wait_for()
    check_page(secretary)
    expected = "1.035 cây / kế hoạch 1.000 cây · đạt 103,5% kế hoạch · vượt 35 cây"
    assert expected in dashboard_says(secretary)
    assert workbook_says(secretary) == (1_035, "Vượt")
    assert differences() == []

    secretary.goto(address)
    secretary.get_by_role("link", name="Bỏ duyệt").click()
    check_page(secretary)
    secretary.get_by_label("Lý do", exact=False).last.fill("Đếm lại số cây")
    secretary.get_by_role("button", name="Bỏ duyệt").click()
    secretary.wait_for_url(address)
    assert "chưa có số / kế hoạch 1.000 cây · chờ duyệt 1.035 cây" in dashboard_says(secretary)
    assert workbook_says(secretary) == (None, "Chưa có số")
    move_unit(
        unit=planned.b11, parent=planned.k2, year=timezone.localdate().year, actor=planned.admin, reason="QĐ chuyển"
    )
    assert differences() == []


def test_wrong_input_is_explained_and_kept_and_a_double_tap_makes_one_record(planned, phone, login):
    login(phone, planned.cadre)
    phone.goto(f"/hoat-dong/ghi/?loai={ActivityKind.objects.get(code='trong-cay').code}")
    phone.get_by_label("Cây xanh trồng mới").fill("1,5")
    phone.get_by_label("Ngày", exact=True).fill("31/02/2024")
    phone.get_by_role("button", name="Gửi duyệt").click()
    phone.get_by_role("alert").wait_for()
    assert phone.title().startswith("Lỗi: ")
    assert phone.get_by_label("Cây xanh trồng mới").input_value() == "1,5"
    assert phone.get_by_label("Ngày", exact=True).input_value() == "31/02/2024"
    check_page(phone)
    phone.get_by_label("Cây xanh trồng mới").fill("35")
    phone.get_by_label("Ngày", exact=True).fill("hôm nay")
    phone.get_by_role("button", name="Gửi duyệt").dblclick()
    phone.wait_for_url(re.compile(r"/hoat-dong/[0-9]+/$"))
    phone.goto("/hoat-dong/")
    assert phone.locator("tbody tr").count() == 1
