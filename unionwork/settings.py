"""The one settings file. What differs between machines comes from the environment (or .env).

Fails loudly: without SECRET_KEY outside DEBUG, and with DEBUG on a public host.
"""

import sqlite3
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

env = environ.Env()
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOCAL_HOSTS)
if DEBUG and set(ALLOWED_HOSTS) - set(LOCAL_HOSTS):
    raise ImproperlyConfigured("DEBUG chỉ dùng trên máy này: bỏ DEBUG hoặc bỏ tên máy công khai khỏi ALLOWED_HOSTS.")
SECRET_KEY = env.str("SECRET_KEY", default="chỉ dùng trên máy này, không dùng cho máy chủ" if DEBUG else "")
if not DEBUG and len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("Đặt biến môi trường SECRET_KEY dài ít nhất 50 ký tự (xem docs/deployment.md).")

INSTALLED_APPS = [
    "reports",
    "activities",
    "targets",
    "units",
    "unionwork",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "import_export",
    "js_lib_bootstrap5",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "unionwork.errors.RefuseNul",
    "units.account_views.LoginRequired",
    "unionwork.policy.PolicyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "unionwork.urls"
WSGI_APPLICATION = "unionwork.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "reports.shell.shell",
            ],
        },
    }
]

# --- Database -----------------------------------------------------------------
# SQLite before 3.51.3 can corrupt a WAL database written by several processes
# (back-ported to 3.44.6 and 3.50.7), so WAL is used only where that is mended.
_SQLITE = sqlite3.sqlite_version_info
_WAL_IS_SAFE = _SQLITE >= (3, 51, 3) or (3, 50, 7) <= _SQLITE < (3, 51) or (3, 44, 6) <= _SQLITE < (3, 45)
# A waiting writer looks every tenth of a second and is not served in turn: with 20 s (the first choice) 35 of some
# 48,000 acts of eight writers gave up on a machine that was busy with other things.
SQLITE_OPTIONS = {
    "timeout": 60,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        f"PRAGMA journal_mode={'WAL' if _WAL_IS_SAFE else 'DELETE'}; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    ),
}
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Who ----------------------------------------------------------------------
AUTH_USER_MODEL = "units.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}}]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "login"
# Whom to call, as shown at the foot of every page: "Văn phòng Tỉnh đoàn, 0203 000 000".
HELP_CONTACT = env.str("HELP_CONTACT", default="")
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"

# --- Language, dates, numbers -----------------------------------------------------
LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", "Tiếng Việt")]
TIME_ZONE = "Asia/Ho_Chi_Minh"
USE_TZ = True
FORMAT_MODULE_PATH = ["unionwork.formats"]
LOCALE_PATHS = [BASE_DIR / "unionwork" / "locale"]

# --- Web ---------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Uploaded files. Nothing is served from here: every file goes through a view that asks who wants it.
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(BASE_DIR / "media"))
FILE_UPLOAD_PERMISSIONS = 0o600
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
FORM_RENDERER = "unionwork.rendering.Renderer"
DJANGO_TABLES2_TEMPLATE = "partials/table.html"
# One measure of a grid at a time stays far below this; a declaration table of a large khối comes near 1.000.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "unionwork.errors.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
HTTPS = env.bool("HTTPS", default=not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if env.bool("BEHIND_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Mail (optional) -----------------------------------------------------------------
# EMAIL_URL: smtp+tls://user:password@host:587. Without it nothing is ever sent and nobody is asked for an address.
MAIL_IS_ON = bool(env.str("EMAIL_URL", default=""))
SITE_URL = env.str("SITE_URL", default="").rstrip("/")  # how the links of a mail begin
EMAIL_TIMEOUT = 20  # seconds; a mail server that hangs must not hold the sender for ever
if MAIL_IS_ON:
    globals().update(env.email_url("EMAIL_URL"))
    DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="")
    if not DEFAULT_FROM_EMAIL or not SITE_URL.startswith(("https://", "http://")):
        raise ImproperlyConfigured("EMAIL_URL cần EMAIL_FROM (địa chỉ gửi) và SITE_URL (https://…) đi cùng.")
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# A target of several measures counts as exceeded when "any" or "all" of them are.
TARGET_EXCEEDED_WHEN = env.str("TARGET_EXCEEDED_WHEN", default="any")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
IMPORT_EXPORT_USE_TRANSACTIONS = True
