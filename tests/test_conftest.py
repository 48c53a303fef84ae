"""What the suite itself promises: on CI a skipped test is a failure, and no run hides one."""

import os
import subprocess
import sys

from django.conf import settings

SUITE = """
import pytest

def test_passes():
    pass

@pytest.mark.skipif(True, reason="needs something")
def test_is_skipped():
    pass
"""
BOUND = """
import pytest

@pytest.mark.postgresql
def test_of_postgresql():
    pass

@pytest.mark.sqlite
def test_of_sqlite():
    pass

@pytest.mark.own_database
def test_on_both():
    pass

def test_without_a_database():
    pass

@pytest.mark.once
@pytest.mark.own_database
def test_that_no_database_decides():
    pass
"""


def run(folder, suite, *arguments, **environment):
    (folder / "conftest.py").write_text("from tests.conftest import *")
    (folder / "test_sample.py").write_text(suite)
    options = ["-p", "no:cacheprovider", "-c", "pyproject.toml", *arguments]
    unset = dict.fromkeys(["CI", "TEST_POSTGRESQL_URL", "PYTEST_ADDOPTS"], "")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)],
        cwd=settings.BASE_DIR,
        env=os.environ | unset | {"DATABASE_URL": "sqlite://:memory:", "PYTHONUTF8": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_skip_fails_the_run_on_ci_and_only_there(tmp_path):
    workers = ["-n", "1", "--dist", "loadfile"]  # as `make test` runs it
    local, ci = run(tmp_path, SUITE, *workers), run(tmp_path, SUITE, *workers, CI="true")
    assert (local.returncode, ci.returncode) == (0, 1)
    assert "1 skipped: not proven on this machine" in local.stdout
    assert "FAILED: 1 skipped, and CI=true allows no skip" in ci.stdout


def test_a_run_without_a_skip_passes_on_ci(tmp_path):
    assert run(tmp_path, "def test_passes():\n    pass\n", CI="true").returncode == 0


def test_a_postgresql_test_is_a_skip_where_no_server_is_and_left_to_its_own_run_where_one_is(tmp_path):
    without = run(tmp_path, BOUND)
    assert "4 passed, 1 skipped" in without.stdout
    beside = run(tmp_path, BOUND, TEST_POSTGRESQL_URL="postgres://nobody@127.0.0.1:1/none")
    assert "4 passed, 1 deselected" in beside.stdout
    on_it = run(tmp_path, BOUND, DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert "2 passed, 3 deselected" in on_it.stdout
