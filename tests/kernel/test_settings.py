"""The settings as a server or a laptop starts them: in a process of its own, with nothing but the given variables."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

SERVER = {
    "SECRET_KEY": "k1ZpQ7vX2m" * 6,
    "DEBUG": "false",
    "ALLOWED_HOSTS": "unionwork.example.vn",
    "HTTPS": "true",
    "BEHIND_PROXY": "true",
    "DATABASE_URL": "sqlite://:memory:",
}


def python(*arguments, **changed):
    environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1"} | SERVER | changed
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_server_starts_without_a_single_deployment_warning():
    answer = python("manage.py", "check", "--deploy", "--fail-level", "DEBUG")
    assert answer.stdout == "System check identified no issues (0 silenced).\n", answer.stderr
    assert answer.returncode == 0


def test_the_deployment_check_does_warn_when_https_is_off():
    answer = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", HTTPS="false")
    assert answer.returncode == 1
    assert "security.W012" in answer.stderr


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"DEBUG": "true"}, "DEBUG chỉ dùng trên máy này: bỏ DEBUG hoặc bỏ tên máy công khai khỏi ALLOWED_HOSTS."),
        ({"DEBUG": "true", "ALLOWED_HOSTS": "*"}, "DEBUG chỉ dùng trên máy này"),
        ({"DEBUG": "true", "ALLOWED_HOSTS": "127.0.0.1,203.0.113.7"}, "DEBUG chỉ dùng trên máy này"),
        ({"SECRET_KEY": ""}, "Đặt biến môi trường SECRET_KEY dài ít nhất 50 ký tự"),
        ({"SECRET_KEY": "n" * 49}, "Đặt biến môi trường SECRET_KEY dài ít nhất 50 ký tự"),
        ({"EMAIL_URL": "smtp+tls://a:b@127.0.0.1:587"}, "EMAIL_URL cần EMAIL_FROM (địa chỉ gửi) và SITE_URL"),
    ],
)
def test_unsafe_settings_refuse_to_start(changed, message):
    answer = python("manage.py", "check", **changed)
    assert answer.returncode == 1
    assert f"ImproperlyConfigured: {message}" in answer.stderr


def test_a_laptop_starts_with_debug_alone():
    answer = python(
        "manage.py", "check", DEBUG="true", ALLOWED_HOSTS="127.0.0.1,localhost", SECRET_KEY="n" * 50, HTTPS="false"
    )
    assert answer.returncode == 0


def test_postgresql_comes_from_the_address_and_keeps_its_connections():
    code = (
        "from unionwork.settings import DATABASES; database = DATABASES['default']; "
        "print(*(database[key] for key in ['ENGINE', 'HOST', 'NAME', 'CONN_MAX_AGE', 'CONN_HEALTH_CHECKS']))"
    )
    answer = python("-c", code, DATABASE_URL="postgres://u:p@127.0.0.1:5432/unionwork")
    assert answer.stdout == "django.db.backends.postgresql 127.0.0.1 unionwork 60 True\n"


@pytest.mark.sqlite
def test_sqlite_takes_the_write_lock_first_and_waits_for_it(db):
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert connection.settings_dict["OPTIONS"]["timeout"] == 60
    assert connection.settings_dict["ATOMIC_REQUESTS"] is False
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys")
        assert cursor.fetchone() == (1,)
