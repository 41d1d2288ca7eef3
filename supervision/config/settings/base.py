"""What is true everywhere. Differences live in dev, test and production."""

from datetime import time
from hashlib import sha256
from urllib.parse import urlsplit

from supervision.config.env import BASE_DIR, env

VAR_DIR = BASE_DIR / "var"

SITE_URL = env.str("SITE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "supervision",
    "notifications",
    "tasks",
    "cms",
    "wagtail.contrib.settings",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_q",
    "django_htmx",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "cms.middleware.PublicSiteMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "supervision.middleware.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "supervision.middleware.StandInMiddleware",
    "supervision.middleware.ReadOnceMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "supervision.config.urls"
WSGI_APPLICATION = "supervision.config.wsgi.application"
ASGI_APPLICATION = "supervision.config.asgi.application"

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
                "supervision.context_processors.site",
                "supervision.context_processors.desk_nav",
                "notifications.context_processors.unread",
                "cms.context_processors.frame",
                "tasks.context_processors.operations",
            ],
        },
    }
]

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Without these two workers meet "database is locked" and a broker repeats its tasks.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 60)
    # After a restart of the database the first request of each thread opens a new connection.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A host that does not even refuse is away after so many seconds, not after minutes: while a
    # connection is opened, while it rests, while something is sent (the last in milliseconds).
    _patience = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    }
    DATABASES["default"]["OPTIONS"] = _patience | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# The queue only wakes us up; the rows in our tables are the truth. Traps: docs/decisions/0004.
Q_CLUSTER = {
    "name": "supervision",
    "workers": env.int("WORKER_PROCESSES", 2),
    "bulk": 1,
    "queue_limit": env.int("WORKER_PROCESSES", 2),
    "timeout": 60,
    "retry": 180,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "poll": 1,
    "scheduler_interval": 10,
    "save_limit": 1000,
    "recycle": 200,
    "label": "Queue",
    "ALT_CLUSTERS": {
        "long": {
            "timeout": 1800,
            "retry": 2100,
            "max_attempts": 1,
            "workers": 1,
            "queue_limit": 1,
            # The schedules belong to the other queue; a worker ends after each export.
            "scheduler": False,
            "recycle": 1,
        }
    },
}
if REDIS_URL and env.str("QUEUE_BROKER", "database") == "redis":
    Q_CLUSTER["redis"] = REDIS_URL
else:
    Q_CLUSTER["orm"] = "default"

AUTH_USER_MODEL = "supervision.User"
AUTHENTICATION_BACKENDS = ["supervision.backends.DeskBackend"]
LOGIN_URL = "supervision:sign_in"
LOGIN_REDIRECT_URL = "supervision:home"
LOGOUT_REDIRECT_URL = "supervision:sign_in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "supervision.views.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文")]
WAGTAIL_CONTENT_LANGUAGES = WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
TIME_ZONE = "Asia/Shanghai"
WAGTAIL_USER_TIME_ZONES = [TIME_ZONE]
USE_I18N = True
# One catalogue for the whole product, and one of what Wagtail's lacks.
LOCALE_PATHS = [BASE_DIR / "supervision" / "locale", BASE_DIR / "cms" / "words" / "wagtail"]
USE_TZ = True
FORMAT_MODULE_PATH = ["supervision.formats"]

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = []
MEDIA_ROOT = env.path("MEDIA_ROOT", VAR_DIR / "media")
MEDIA_URL = "media/"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
UPLOAD_MAX_BYTES = 20 * 1024 * 1024

_email = env.dj_email_url("EMAIL_URL", "console://")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email["EMAIL_HOST"]
EMAIL_PORT = _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _email["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _email["EMAIL_USE_SSL"]
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH") or str(VAR_DIR / "mail")
# One mail that hangs must not outlive the tick that sends it.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "duban@localhost")
# A copy restored elsewhere must stay silent: this switch is set per host.
SEND_MAIL = env.bool("SEND_MAIL", True)
# For which databases this host may send (notifications.site); never part of a backup.
SITE_ID_FILE = env.path("SITE_ID_FILE", VAR_DIR / "site-id.json")
# Text messages for red, through a gateway that takes JSON; empty: none are sent.
SMS_GATEWAY_URL = env.str("SMS_GATEWAY_URL", "")
SMS_GATEWAY_TOKEN = env.str("SMS_GATEWAY_TOKEN", "")
SMS_DAILY_CAP = env.int("SMS_DAILY_CAP", 5)
# Hosts of chat products in the government's own cloud, e.g. wecom=https://chat.example.org
WEBHOOK_HOSTS = env.dict("WEBHOOK_HOSTS", {})

WAGTAIL_SITE_NAME = "督查督办"
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAIL_ENABLE_UPDATE_CHECK = False
# Any edit voids all reviews of a page.
WAGTAIL_WORKFLOW_REQUIRE_REAPPROVAL_ON_EDIT = True
WAGTAIL_FINISH_WORKFLOW_ACTION = "cms.finish.publish_reviewed"
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
# Passwords are the desk's business: one door, one place to change them.
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAILDOCS_SERVE_METHOD = "serve_view"
WAGTAILDOCS_EXTENSIONS = ["pdf", "docx", "xlsx"]
WAGTAIL_I18N_ENABLED = False
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

# The public site. Hosts: both lists empty means one host for everything (the demonstration).
PUBLIC_HOSTS = env.list("PUBLIC_HOSTS", [])
DESK_HOSTS = env.list("DESK_HOSTS", [])
# As a column of a portal: the path under which the portal passes requests on, e.g. /zt/duban
PUBLIC_PREFIX = env.str("PUBLIC_PREFIX", "").rstrip("/")
# Whether readers without an account may have changes sent by mail. Off: no form and no address.
FOLLOW_BY_MAIL = env.bool("FOLLOW_BY_MAIL", False)
# Who may show the fragment of status words in a frame: origins, e.g. https://www.example.gov.cn
PUBLIC_EMBEDDERS = env.list("PUBLIC_EMBEDDERS", [])
# Rendered pages; shared by all web hosts. One folder for each database, so that none shows
# another's. Hosts whose pages are written there, beside those only held in memory.
PUBLIC_PAGES_DIR = env.str(
    "PUBLIC_PAGES_DIR",
    str(VAR_DIR / "public" / sha256(repr(DATABASES["default"]["NAME"]).encode()).hexdigest()[:12]),
)
PUBLIC_KEPT_HOSTS = [urlsplit(SITE_URL).netloc, *PUBLIC_HOSTS]
# Caches in front of this site that take `PURGE` requests, e.g. http://127.0.0.1:6081
PUBLIC_PURGE_URLS = env.list("PUBLIC_PURGE_URLS", [])
# Name and the seven elements of the footer, until the publisher writes his own in the site's
# settings. Production refuses to start while one is blank (cms.checks).
SITE_FRAME = {
    "site_name": env.str("SITE_NAME", "重点任务进展公开"),
    "site_domain": env.str("SITE_DOMAIN", ""),
    "site_code": env.str("SITE_ID_CODE", ""),
    "party_mark": env.str("SITE_PARTY_MARK", ""),
    "icp": env.str("SITE_ICP", ""),
    "police": env.str("SITE_POLICE", ""),
    "organizer": env.str("SITE_ORGANIZER", ""),
    "undertaker": env.str("SITE_UNDERTAKER", ""),
    "contact": env.str("SITE_CONTACT", ""),
}
# Production says yes.
IS_FRAME_REQUIRED = False

# What the office may set for itself.
RETURN_DAY = env.int("RETURN_DAY", 5)
OFFICE_NAME = env.str("OFFICE_NAME", "市政府办公室督查室")
NUMBER_PREFIX = env.str("NUMBER_PREFIX", "督字")
# Beyond this a reminder is recorded as missed and a message expires unsent.
STALE_AFTER_DAYS = env.int("STALE_AFTER_DAYS", 30)
# Mail leaves on working days between these local times; what waits is not dropped.
MAIL_FROM_TIME = env.time("MAIL_FROM_TIME", time(8, 30))
MAIL_UNTIL_TIME = env.time("MAIL_UNTIL_TIME", time(17, 30))
# At most so many mails a day to one person; the rest waits for the next working morning.
MAIL_DAILY_CAP = env.int("MAIL_DAILY_CAP", 10)
# More messages waiting than this many times the last day's, and than the floor: hold and ask.
MAIL_BREAKER_FACTOR = env.int("MAIL_BREAKER_FACTOR", 10)
MAIL_BREAKER_FLOOR = env.int("MAIL_BREAKER_FLOOR", 1000)
# The worker's beat and, between two beats, its pulse. /healthz turns red when the last beat is
# older than three intervals or the last pulse older than one.
TICK_SECONDS = 30
PULSE_SECONDS = env.int("PULSE_SECONDS", 10)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Both name addresses that hold the keys of group robots.
    "loggers": {
        "apprise": {"level": "CRITICAL", "propagate": False},
        "urllib3": {"level": "ERROR"},
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "WARNING")},
}
