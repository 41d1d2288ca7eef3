"""Production: refuses to start without its secrets."""

from supervision.config.settings.base import *  # noqa: F403
from supervision.config.settings.base import env

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
if len(SECRET_KEY) < 50:
    raise ValueError("SECRET_KEY must have at least 50 characters / SECRET_KEY 至少 50 个字符")
env.str("DATABASE_URL")
env.str("EMAIL_URL")
SITE_URL = env.str("SITE_URL").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ValueError("ALLOWED_HOSTS must name the hosts / ALLOWED_HOSTS 必须写明主机名")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL")
IS_FRAME_REQUIRED = True
SEND_MAIL = env.bool("SEND_MAIL", False)
WAGTAILADMIN_BASE_URL = SITE_URL

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 63072000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REDIRECT_EXEMPT = ["^healthz$"]
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrftoken"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
