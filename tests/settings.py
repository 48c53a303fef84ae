"""The product's settings, made fast for tests. DATABASE_URL decides the database, as everywhere."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 5)
os.environ.setdefault("HTTPS", "false")

from unionwork.settings import *  # noqa: F403

STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
