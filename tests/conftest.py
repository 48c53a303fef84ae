import gc
import os

import hypothesis
import pytest
from django.conf import settings

from tests.factories import World, load_once
from tests.reading import lift_limits, read_here
from unionwork import first_content, workbooks

hypothesis.settings.register_profile("unionwork", deadline=None)  # a busy machine is not a failure
hypothesis.settings.load_profile("unionwork")
gc.set_threshold(100_000, 20, 20)  # many short-lived objects: look for cycles less often


@pytest.fixture(scope="session", autouse=True)
def _first_content():
    """After every test that empties the database the first content is written as it was, not read again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_content, "call_command", load_once)
        yield


@pytest.fixture(autouse=True)
def _workbooks(request):
    """See tests/reading.py."""
    if request.path.name == "test_workbooks.py" or request.node.get_closest_marker("browser"):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbooks, "_run_reader", read_here)
        lift_limits(patch)
        yield


@pytest.fixture
def world(db):
    """The small organisation of `tests.factories.World`."""
    return World()


# --- Which tests run where ---------------------------------------------------------
# `make test` runs twice: on SQLite, then without the browser on TEST_POSTGRESQL_URL. A test that is bound to one
# database is left out of the other's run; only what no run covers is a skip, and under CI=true a skip is a failure.


def on_ci():
    return os.environ.get("CI") == "true"


def on_postgresql():
    return "postgresql" in settings.DATABASES["default"]["ENGINE"]


# Files that take minutes go first: xdist gives a file to one worker, and nobody should wait for the last one.
LONG = ("test_pages.py", "test_policy.py", "test_machine.py", "test_cascade.py", "test_case_000.py")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config, items):
    leave_out(config, items)
    yield
    items.sort(key=lambda item: item.path.name not in LONG)  # after pytest-django has sorted them its way


def leave_out(config, items):
    elsewhere = "sqlite" if on_postgresql() else "postgresql"
    bound = {item for item in items if item.get_closest_marker(elsewhere) or (on_postgresql() and is_proven(item))}
    if not on_postgresql() and not os.environ.get("TEST_POSTGRESQL_URL"):
        for item in bound:
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: set TEST_POSTGRESQL_URL"))
        return
    config.hook.pytest_deselected(items=list(bound))
    items[:] = [item for item in items if item not in bound]


# Words, forms and files: what they store goes through verbs and queries that have files of their own.
WORDS = {
    *("test_form_views.py", "test_views.py", "test_repeating.py", "test_drafts.py", "test_declaration_views.py"),
    *("test_deciding_views.py", "test_assignment_views.py", "test_catalogue_views.py", "test_workbook_views.py"),
    *("test_account_views.py", "test_personal_views.py", "test_pages.py", "test_unit_views.py", "test_year_views.py"),
    *("test_workbook.py", "test_export_json.py", "test_giving_table.py", "test_seed_cases.py", "test_demo.py"),
    *("test_commands.py", "test_verbs.py", "test_evidence.py", "test_move_page.py", "test_list_export.py"),
}


def is_proven(item):
    """What never touches a database, or does not depend on which, is proven by the first run already."""
    is_words = item.path.name in WORDS or item.path.parent.name == "kernel"
    return is_words or bool(item.get_closest_marker("once")) or not asks_database(item)


def asks_database(item):
    fixtures = {"db", "transactional_db", "django_db_setup"}
    marks = ("django_db", "postgresql", "own_database")
    return bool(fixtures & set(item.fixturenames)) or any(item.get_closest_marker(mark) for mark in marks)


def pytest_report_header():
    return f"database: {settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}"


def skipped_tests(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if on_ci() and skipped_tests(session.config) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    count = len(skipped_tests(config))
    if count and on_ci():
        terminalreporter.write_line(f"FAILED: {count} skipped, and CI=true allows no skip", red=True, bold=True)
    elif count:
        terminalreporter.write_line(f"{count} skipped: not proven on this machine (reasons above)", yellow=True)
