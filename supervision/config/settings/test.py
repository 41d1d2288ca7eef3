"""The suite: fast hashing, mail in memory, plain static files."""

from supervision.config.settings.base import *  # noqa: F403
from supervision.config.settings.base import BASE_DIR

DEBUG = False
SECRET_KEY = "test-secret-key-used-nowhere-else-than-in-the-test-suite"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
MEDIA_ROOT = BASE_DIR / "var" / "test-media"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
