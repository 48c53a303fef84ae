"""Own pages for every refusal; none of them says what it was that was refused."""

import logging
import re

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client, RequestFactory

from tests.factories import make_activity, make_user
from unionwork import errors
from units import access


def heading(response):
    return re.search(r"<h1>(.*?)</h1>", response.content.decode(), re.S)[1].strip()


@pytest.mark.parametrize("signed_in", [False, True])
def test_an_unknown_address(client, world, signed_in):
    if signed_in:
        client.force_login(world.cadre)
    response = client.get("/khong-co-trang-nay/")
    assert (response.status_code, heading(response)) == (404, "Không tìm thấy trang")
    assert ('role="search"' in response.content.decode()) == signed_in


def test_a_foreign_record_reads_like_one_that_never_was(client, world):
    author = make_user("can-bo-noi-khac", access.CADRE, world.b21)
    foreign = make_activity(world.b21, author, world.planting, {world.trees: 5}, title="Tên bí mật")
    client.force_login(world.cadre)
    here, nowhere = client.get(f"/hoat-dong/{foreign.pk}/"), client.get("/hoat-dong/999999999/")
    assert (here.status_code, nowhere.status_code) == (404, 404)
    assert masked(here, foreign.pk) == masked(nowhere, 999999999)
    assert "Tên bí mật" not in here.content.decode()


def masked(response, pk):
    """The page without what differs at every request: nonce, CSRF token, own address."""
    html = response.content.decode().replace(f"/{pk}/", "/pk/")
    html = re.sub(r'nonce="[^"]+"', "", html)
    return re.sub(r'csrfmiddlewaretoken" value="\w+"|X-CSRFToken": "\w+"', "", html)


def test_refused_says_which_role_may(client, world):
    client.force_login(world.cadre)
    response = client.get("/duyet/")
    assert (response.status_code, heading(response)) == (403, "Bạn không có quyền xem mục này")
    assert "<p>Việc này dành cho: Bí thư.</p>" in response.content.decode()


def test_refused_names_the_level_where_that_matters(client, world):
    client.force_login(world.staff)
    response = client.get("/chi-so/them/")
    assert response.status_code == 403
    assert "<p>Việc này dành cho: Quản trị hoặc Văn phòng ở cấp Trung ương.</p>" in response.content.decode()


def test_a_form_older_than_the_session(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.cadre)
    response = client.post("/doi-mat-khau/", {"old_password": "x"})
    assert (response.status_code, heading(response)) == (403, "Phiên đã hết hạn")
    assert "chưa được lưu" in response.content.decode()


def test_too_much_at_once(client, world, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    client.force_login(world.cadre)
    response = client.post("/doi-mat-khau/", "x=" + "y" * 200, content_type="application/x-www-form-urlencoded")
    assert (response.status_code, heading(response)) == (413, "Nội dung gửi lên quá lớn")


def test_a_request_that_makes_no_sense(rf):
    response = errors.bad_request(rf.get("/"), SuspiciousOperation("bí mật"))
    assert (response.status_code, heading(response)) == (400, "Không đọc được yêu cầu")
    assert "bí mật" not in response.content.decode()


def test_a_fault_needs_no_database_and_gives_a_code_to_read_out(caplog):
    """No `db` here: a query would fail the test."""
    with caplog.at_level(logging.ERROR):
        response = errors.server_error(RequestFactory().get("/hoat-dong/"))
    assert (response.status_code, heading(response)) == (500, "Xin lỗi, hệ thống đang có lỗi")
    code = re.search(r"mã sự cố: <strong>(\w{6})</strong>", response.content.decode())[1]
    assert caplog.messages == [f"Mã sự cố {code}: GET /hoat-dong/"]


def test_a_fault_in_a_view_ends_in_that_page(client, world, monkeypatch):
    client.force_login(world.cadre)
    client.raise_request_exception = False

    def broken(*args, **kwargs):
        raise RuntimeError("chi tiết bên trong")

    monkeypatch.setattr("reports.help_views.render", broken)
    response = client.get("/tro-giup/")
    assert (response.status_code, heading(response)) == (500, "Xin lỗi, hệ thống đang có lỗi")
    assert "chi tiết bên trong" not in response.content.decode()


def test_a_nul_in_an_address_is_a_bad_request_in_words(client, world):
    client.force_login(world.secretary)
    for address in ("/?don-vi=%00", "/?nam=2024&x=a%00b", "/don-vi/%00/"):
        response = client.get(address)
        assert (response.status_code, heading(response)) == (400, "Không đọc được yêu cầu"), address
