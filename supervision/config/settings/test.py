"""The suite: fast hashing, mail in memory, plain static files."""

from supervision.config.settings.base import *  # noqa: F403
from supervision.config.settings.base import BASE_DIR, CACHES, REDIS_URL, env

DEBUG = False
SECRET_KEY = "test-secret-key-used-nowhere-else-than-in-the-test-suite"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
_worker = env.str("PYTEST_XDIST_WORKER", "gw0")
SITE_ID_FILE = BASE_DIR / "var" / f"test-site-id-{_worker}.json"
MEDIA_ROOT = BASE_DIR / "var" / "test-media"
# Nothing is kept between tests; those about keeping set a folder of their own, and the proof of
# withdrawal names one for its web server.
PUBLIC_PAGES_DIR = env.str("TEST_PAGES_DIR", "")
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

# Each worker of a parallel run has a Redis database of its own: tests empty the cache.
if REDIS_URL:
    _number = int(_worker.removeprefix("gw")) + 1
    CACHES["default"]["LOCATION"] = f"{REDIS_URL.rpartition('/')[0]}/{_number}"
