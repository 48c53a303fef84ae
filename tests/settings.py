"""The product's settings, made fast for tests. DATABASE_URL decides the database, as everywhere."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ.update(SECRET_KEY="only-for-tests-" * 5, DEBUG="false", HTTPS="false", ALLOWED_HOSTS="*")

from unionwork.settings import *  # noqa: F403

STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STORAGES["default"] = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
WHITENOISE_AUTOREFRESH = True  # asks for no collected files
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, not memory: threads (live_server, concurrent writers) then have connections of their own and meet
    # SQLite's real locks. A directory a run, shared with its xdist workers; power cuts need not be survived.
    if "UNIONWORK_TEST_DIR" not in os.environ:
        os.environ["UNIONWORK_TEST_DIR"] = tempfile.mkdtemp(prefix="unionwork-test-")
        atexit.register(shutil.rmtree, os.environ["UNIONWORK_TEST_DIR"], ignore_errors=True)
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["UNIONWORK_TEST_DIR"]) / "test.sqlite3")}  # noqa: F405
    DATABASES["default"]["OPTIONS"] = {  # noqa: F405
        **SQLITE_OPTIONS,  # noqa: F405
        "init_command": SQLITE_OPTIONS["init_command"] + " PRAGMA synchronous=OFF;",  # noqa: F405
    }
