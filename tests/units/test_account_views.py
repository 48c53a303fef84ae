"""Signing in and out, and one's own password."""

import pytest
from django.test import Client

from tests.factories import make_user
from units.phones import phone_digits

PASSWORD = "mat-khau-thu-nghiem"
LOGIN = "/dang-nhap/"
OTHER_ADDRESS = {"REMOTE_ADDR": "10.0.0.9"}


def sign_in(client, username, password=PASSWORD, next_url="", **extra):
    return client.post(LOGIN, {"username": username, "password": password, "next": next_url}, **extra)


def signed_in(client):
    return "_auth_user_id" in client.session


@pytest.fixture
def user(db):
    return make_user("can-bo", phone="0912 345 678")


def test_the_page_helps_password_keepers_and_hides_nothing_from_paste(client, db):
    html = client.get(LOGIN).content.decode()
    assert 'autocomplete="username"' in html
    assert 'autocomplete="current-password"' in html
    assert "Số điện thoại hoặc tên đăng nhập" in html


def test_right_password_leads_home(client, user):
    response = sign_in(client, "can-bo")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert signed_in(client)


@pytest.mark.parametrize("typed", ["0912345678", "0912.345.678", "0912-345-678", "+84 912 345 678", "0084912345678"])
def test_the_telephone_number_will_do(client, user, typed):
    sign_in(client, typed)
    assert signed_in(client)


def test_a_number_two_people_share_opens_nobodys_account(client, user):
    make_user("nguoi-khac", phone="0912345678")
    assert sign_in(client, "0912345678").status_code == 422
    assert not signed_in(client)


def test_a_number_of_somebody_locked_out_of_the_job_does_not_stand_in_the_way(client, user):
    make_user("da-nghi", phone="0912345678", is_active=False)
    sign_in(client, "0912345678")
    assert signed_in(client)


def test_a_user_name_goes_before_a_telephone_number(client, user):
    make_user("0912345678")
    sign_in(client, "0912345678")
    assert client.session["_auth_user_id"] != str(user.pk)


@pytest.mark.parametrize(
    ("text", "digits"), [("can-bo", ""), ("12345678", ""), ("٠٩١٢٣٤٥٦٧٨", ""), ("0203 3825 555", "02033825555")]
)
def test_what_counts_as_a_telephone_number(text, digits):
    assert phone_digits(text) == digits


@pytest.mark.parametrize("name", ["can-bo", "khong-co-ai"])
def test_wrong_password_and_unknown_name_read_the_same(client, user, name):
    response = sign_in(client, name, "sai")
    html = response.content.decode()
    assert response.status_code == 422
    assert "<li>Tên đăng nhập hoặc mật khẩu chưa đúng. Kiểm tra phím Caps Lock và bộ gõ tiếng Việt.</li>" in html
    assert f'value="{name}"' in html
    assert "<title>Lỗi: Đăng nhập – unionwork</title>" in html
    assert not signed_in(client)


def test_empty_fields_are_named(client, db):
    html = sign_in(client, "", "").content.decode()
    assert '<a href="#id_username">' in html
    assert 'aria-describedby="id_username_error"' in html


def test_a_locked_account_stays_out(client, db):
    make_user("da-nghi", is_active=False)
    assert sign_in(client, "da-nghi").status_code == 422
    assert not signed_in(client)


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/tro-giup/?nam=2024", "/tro-giup/?nam=2024"),
        ("https://vi-du.example/", "/"),
        ("//vi-du.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\\vi-du.example", "/"),
        ("", "/"),
    ],
)
def test_only_pages_of_ours_follow_a_sign_in(client, user, asked, led):
    assert sign_in(client, "can-bo", next_url=asked)["Location"] == led


def test_a_shared_link_survives_the_sign_in(client, user):
    redirected = client.get("/tro-giup/?nam=2024")["Location"]
    html = client.get(redirected).content.decode()
    assert '<input type="hidden" name="next" value="/tro-giup/?nam=2024">' in html


def test_who_is_in_already_is_led_on(client, user):
    client.force_login(user)
    assert client.get(LOGIN)["Location"] == "/"


def test_a_fragment_asked_for_after_the_session_gets_no_login_page(client, db):
    response = client.get(LOGIN, headers={"HX-Request": "true"})
    assert (response.status_code, response.content) == (401, b"")


def test_the_session_key_changes_at_the_sign_in(client, user):
    client.session["nháp"] = 1
    client.session.save()
    before = client.session.session_key
    sign_in(client, "can-bo")
    assert client.session.session_key != before


def test_five_wrong_passwords_lock_this_name_from_this_address_only(client, user):
    answers = [sign_in(client, "can-bo", "sai").status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 429]
    locked = sign_in(client, "can-bo")
    assert locked.status_code == 429
    assert "Hãy thử lại sau 15 phút." in locked.content.decode()
    assert not signed_in(client)
    elsewhere = Client()
    sign_in(elsewhere, "can-bo", **OTHER_ADDRESS)
    assert signed_in(elsewhere)


def test_name_and_telephone_number_share_one_count(client, user):
    typed = ["can-bo", "0912345678", "+84912345678", "can-bo", "0912 345 678"]
    assert [sign_in(client, name, "sai").status_code for name in typed] == [422, 422, 422, 422, 429]


def test_signing_out_is_a_post(client, user):
    client.force_login(user)
    assert client.get("/dang-xuat/").status_code == 405
    assert signed_in(client)
    response = client.post("/dang-xuat/", follow=True)
    assert not signed_in(client)
    assert "Đã đăng xuất." in response.content.decode()


def test_signing_out_twice_is_no_error(client, db):
    assert client.post("/dang-xuat/")["Location"] == LOGIN


def change(client, old, new, again=None):
    data = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post("/doi-mat-khau/", data)


def test_changing_the_password_ends_the_other_sessions(client, user):
    elsewhere = Client()
    elsewhere.force_login(user)
    client.force_login(user)
    assert change(client, PASSWORD, "mot-cau-dai-de-nho")["Location"] == "/"
    user.refresh_from_db()
    assert user.check_password("mot-cau-dai-de-nho")
    assert client.get("/tro-giup/").status_code == 200
    assert elsewhere.get("/tro-giup/").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("sai", "mot-cau-dai-de-nho", None),
        (PASSWORD, "mot-cau-dai-de-nho", "cau-khac-hoan-toan"),
        (PASSWORD, "ngan-qua", None),
        (PASSWORD, "123456789012", None),
    ],
)
def test_a_change_that_is_refused_changes_nothing(client, user, old, new, again):
    client.force_login(user)
    response = change(client, old, new, again)
    assert response.status_code == 422
    assert new not in response.content.decode()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_changing_the_password_needs_a_sign_in(client, db):
    assert client.get("/doi-mat-khau/")["Location"] == "/dang-nhap/?next=/doi-mat-khau/"
