"""Headers of every answer, and pages that obey their own content policy."""

import re

import pytest

PAGES = {
    "login": ("/dang-nhap/", None, 200),
    "help": ("/tro-giup/", "cadre", 200),
    "password": ("/doi-mat-khau/", "cadre", 200),
    "refused": ("/duyet/", "cadre", 403),
    "missing": ("/khong-co/", "cadre", 404),
    "missing for a visitor": ("/khong-co/", None, 404),
    "wrong method": ("/dang-xuat/", "cadre", 405),
    "to the login": ("/tro-giup/", None, 302),
}


@pytest.fixture(params=PAGES.values(), ids=PAGES)
def answer(request, client, world):
    url, role, status = request.param
    if role:
        client.force_login(getattr(world, role))
    response = client.get(url)
    assert response.status_code == status
    return response


def test_headers_of_every_answer(answer):
    expected = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    assert {name: answer.headers.get(name) for name in expected} == expected


def test_content_policy_allows_nothing_inline_and_nothing_from_elsewhere(answer):
    nonces = set(re.findall(r'nonce="([^"]+)"', answer.content.decode()))
    directives = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    scripts = "'self'" + "".join(f" 'nonce-{nonce}'" for nonce in nonces)
    assert directives == {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }
    assert len(nonces) == (1 if answer.content and answer.status_code != 405 else 0)


def test_pages_have_no_inline_code(answer):
    html = answer.content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html) == []
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//', html) == []


def test_what_a_signed_in_person_sees_is_never_kept(client, world):
    client.force_login(world.cadre)
    for url in ("/tro-giup/", "/khong-co/", "/duyet/"):
        assert client.get(url).headers["Cache-Control"] == "no-store, private"


def test_the_nonce_is_new_every_time(client, db):
    policies = {client.get("/dang-nhap/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3
