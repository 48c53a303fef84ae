import base64
import io
import re
from datetime import date

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from targets.models import Assignment, AssignmentVersion, Measure, MeasureVersion, Target
from targets.workbook_rows import cell
from tests.factories import assign, make_indicator, make_target, make_unit

QUERY = "?nam=2024"
EXPORT, IMPORT = reverse("target_export") + QUERY, reverse("target_import") + QUERY


@pytest.fixture
def staff(client, world):
    client.force_login(world.staff)
    return client


@pytest.fixture
def everything(world):
    """Targets of every kind, scale and state; numbers given, registered, taken back."""
    make_unit("s1", parent=world.k1, sector="trường học")
    roads = make_indicator("thu-duong", decimals=2, unit_of_measure="km")
    money = make_indicator("thu-tien", unit_of_measure="tỷ đồng")
    above = make_target(world.p1, 2024, [{"kind": "total", "value": 9, "indicators": [world.trees]}], number=4)
    assign(above.measures.get(), world.k1, 5)
    assign(above.measures.get(), world.b11, 3)
    first = make_target(
        world.k1,
        2024,
        [
            {"kind": "total", "value": 1255, "indicators": [roads], "text": "Đường"},
            {"kind": "total", "value": 2819, "indicators": [money], "year_end_only": True},
            {"kind": "total", "value": 10**17, "indicators": [world.trees, world.times]},
            {"kind": "coverage", "value": 10_000, "floor": 3000, "indicators": [world.trees], "level": "branch"},
        ],
        number=1,
        text="=Trồng cây + mở đường",
        join="any",
        note="Giữ ghi chú",
        answers=above,
    )
    rate = {"kind": "rate", "value": 6650, "indicators": [world.members], "denominators": [world.times]}
    make_target(world.k1, 2024, [rate | {"sector": "trường học"}], number=2, issued_on=None, text="Còn nháp")
    make_target(world.k1, 2024, [{"kind": "milestone", "deadline": date(2024, 5, 31)}], number=3)
    make_target(world.k2, 2024, [{"kind": "milestone"}], number=9, text="Của khối khác")
    roads_measure, _, _, coverage = first.measures.all()
    assign(roads_measure, world.b11, 50, registered=75)
    assign(coverage, world.b12, 8000)
    Assignment.objects.filter(unit=world.b12).update(decision_number="05-QĐ", decision_date=date(2024, 1, 3))
    return first


def snapshot():
    """Every row of everything a workbook could change."""
    models = (Target, Measure, Measure.indicators.through, Measure.denominators.through, Assignment)
    rows = [sorted(map(str, model.objects.values_list())) for model in models]
    return [*rows, AssignmentVersion.objects.count(), MeasureVersion.objects.count()]


def upload(client, content, kind, **more):
    file = SimpleUploadedFile("chi-tieu.xlsx", content)
    return client.post(IMPORT, {"tep": kind, "file": file} | more)


def confirm(client, page, kind):
    return client.post(IMPORT, {"tep": kind, "kept": page.context["kept"], "nhap": "1"}, follow=True)


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def rows_of(content):
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def changed(content, column, row, value):
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    place = [one.value for one in sheet[1]].index(column) + 1
    sheet.cell(row, place).value = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "count"), [("chi-tieu", 6), ("so-giao", 18)])
def test_what_is_exported_comes_back_and_changes_nothing(staff, everything, kind, count):
    before = snapshot()
    response = staff.get(f"{EXPORT}&tep={kind}")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{kind}-k1-2024.xlsx"'
    rows = rows_of(response.content)[1:]
    assert len(rows) == count
    assert {row[1] for row in rows} == ({"k1"} if kind == "chi-tieu" else {"k1", "p1"})
    page = upload(staff, response.content, kind)
    assert (page.status_code, page.context["outcome"].errors) == (200, [])
    done = confirm(staff, page, kind)
    assert "Đã nhập" in text_of(done)
    assert snapshot() == before


def test_numbers_are_numbers_where_excel_keeps_them(staff, everything):
    rows = rows_of(staff.get(EXPORT).content)
    place = rows[0].index("Giá trị")
    assert [row[place] for row in rows[1:]] == ["12,55", 2819, "100.000.000.000.000.000", "100%", "66,5%", None]
    assert [cell(None, 0, ""), cell(0, 0, "cây"), cell(0, 2, "%")] == [None, 0, "0%"]


def test_a_file_is_checked_first_and_imported_when_confirmed(staff, world, everything):
    content = changed(staff.get(EXPORT).content, "Nội dung", 6, "Sửa trong Excel")
    page = upload(staff, content, "chi-tieu")
    assert "0 thêm mới, 6 cập nhật, 0 lỗi" in text_of(page)
    assert "Còn nháp" in Target.objects.get(issuer=world.k1, number=2).text
    confirm(staff, page, "chi-tieu")
    target = Target.objects.get(issuer=world.k1, number=2)
    assert (target.text, target.issued_on) == ("Sửa trong Excel", None)


def test_bad_files_are_answered_by_row_and_change_nothing(staff, world, everything):
    before = snapshot()
    content = changed(staff.get(EXPORT).content, "Giá trị", 2, "gần 500")
    page = upload(staff, content, "chi-tieu")
    assert (page.status_code, page.context["kept"]) == (422, "")
    assert 'dòng 2, cột "Giá trị": Kế hoạch cần số chính xác' in page.content.decode().replace("&quot;", '"')
    foreign = changed(staff.get(EXPORT).content, "Mã đơn vị ban hành", 2, "k2")
    for bad in (foreign, b"khong phai Excel", b"PK\x03\x04" + b"0" * 50, b"0" * ((1 << 20) + 1)):
        assert upload(staff, bad, "chi-tieu").status_code == 422
    for data in (
        {},
        {"tep": "khac"},
        {"tep": "chi-tieu", "kept": "?", "nhap": "1"},
        {"tep": "chi-tieu", "kept": base64.b64encode(foreign).decode(), "nhap": "1"},
    ):
        assert staff.post(IMPORT, data).status_code == 422, data
    assert snapshot() == before


def test_without_targets_the_file_is_a_sheet_to_fill(staff, world):
    headers, row = rows_of(staff.get(EXPORT).content)
    assert (headers[:3], row[:3]) == (["Năm", "Mã đơn vị ban hành", "Số"], [2024, "k1", None])
    assert len(rows_of(staff.get(f"{EXPORT}&tep=so-giao").content)) == 1


def test_who_may(client, world, everything):
    for user, code, status in [
        (world.staff, "k1", 200),
        (world.staff, "p1", 404),
        (world.stranger, "k1", 404),
        (world.cadre, "b11", 403),
    ]:
        client.force_login(user)
        assert client.get(f"{EXPORT}&don-vi={code}").status_code == status, user
        assert client.get(f"{IMPORT}&don-vi={code}").status_code == status, user
