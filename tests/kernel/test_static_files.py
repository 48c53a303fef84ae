"""Every static file is found under a hashed name, with nothing it refers to missing."""

import re

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.template.loader import get_template
from django.test import override_settings

HASHING = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # What production's storage does, without its compression, which is slow and another package's to test.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}


@pytest.fixture
def collected(tmp_path):
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=HASHING):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield tmp_path


def test_all_files_can_be_collected_and_those_of_the_page_are_there(collected, rf):
    html = get_template("base.html").render({}, rf.get("/"))
    used = re.findall(r'(?:href|src)="/static/([^"]+)"', html)
    assert len(used) == 4
    assert [name for name in used if not (collected / name).is_file()] == []
    assert [name for name in used if not re.search(r"\.[0-9a-f]{12}\.\w+$", name)] == []


def test_the_page_of_last_resort_names_a_file_that_stays(collected):
    html = get_template("500.html").render({})
    assert re.findall(r'href="/static/([^"]+)"', html) == ["unionwork/error.css"]
    assert (collected / "unionwork/error.css").is_file()
    assert staticfiles_storage.url("unionwork/error.css") != "/static/unionwork/error.css"
