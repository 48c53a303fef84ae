"""The demo's command and its committed workbooks; what it adds up to: test_seed_cases.py."""

from io import StringIO

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from fixtures.build_demo import BASE, workbooks
from reports import demo
from tests.factories import make_unit, make_user, make_year
from units import access


def test_the_demo_stays_out_of_a_real_system(db, settings, world):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="máy thử"):
        call_command("demo", stdout=StringIO())
    settings.DEBUG = True
    with pytest.raises(CommandError, match="đã có đơn vị thật"):
        call_command("demo", stdout=StringIO())


@pytest.fixture
def loads(monkeypatch, settings, tmp_path, db):
    """How often the demo was loaded; loading makes one account only."""
    loads = []

    def load(say):
        loads.append(1)
        make_year(2024)
        make_user(demo.ADMIN)
        make_user("cb.a1", access.CADRE, make_unit("dv"))

    monkeypatch.setattr(demo, "load", load)
    settings.DEBUG, settings.BASE_DIR = True, tmp_path
    return loads


def demo_says():
    out = StringIO()
    call_command("demo", stdout=out, no_color=True)
    return out.getvalue().split("Tài khoản minh họa")[1]


def test_the_demo_is_loaded_once_and_its_accounts_are_shown_every_time(loads, client):
    first = demo_says()
    assert demo_says() == first
    assert len(loads) == 1
    password = first.split("mật khẩu chung: ")[1].split()[0]
    sent = client.post("/dang-nhap/", {"username": "cb.a1", "password": password})
    assert (sent.status_code, sent["Location"]) == (302, "/")


def test_a_lost_password_is_made_anew(loads, settings, client):
    first = demo_says()
    for file in settings.BASE_DIR.glob("demo-accounts*"):
        file.unlink()
    assert demo_says() != first


def test_the_committed_workbooks_are_those_of_the_builder():
    for name, (headers, rows) in workbooks().items():
        sheet = openpyxl.load_workbook(BASE / "demo" / name).worksheets[0]
        committed = [[cell or None for cell in row] for row in sheet.iter_rows(values_only=True)]
        built = [
            [getattr(cell, "isoformat", lambda cell=cell: cell)() if cell else None for cell in row] for row in rows
        ]
        dated = [[cell.date().isoformat() if hasattr(cell, "date") else cell for cell in row] for row in committed[1:]]
        assert (committed[0], dated) == (list(headers), built), name
