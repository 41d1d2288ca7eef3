"""The demonstration and the developer's machine. Not for a network."""

from supervision.config.settings.base import *  # noqa: F403
from supervision.config.settings.base import VAR_DIR, env

VAR_DIR.mkdir(exist_ok=True)
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "only-for-the-demonstration-on-one-machine-never-on-a-network")
EMAIL_BACKEND = (
    env.dj_email_url("EMAIL_URL")["EMAIL_BACKEND"]
    if env.str("EMAIL_URL", "")
    else "django.core.mail.backends.filebased.EmailBackend"
)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
