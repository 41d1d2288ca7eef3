"""The demonstration and the developer's machine. Not for a network."""

from supervision.config.settings.base import *  # noqa: F403
from supervision.config.settings.base import SITE_FRAME as GIVEN
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
# Invented, and visibly so: the frame of the demonstration is complete.
SITE_FRAME = {
    "site_name": "重点任务进展公开（演示）",
    "site_domain": "localhost",
    "site_code": "0000000000",
    "party_mark": "0" * 32,
    "icp": "演示ICP备00000000号",
    "police": "演示公网安备00000000000000号",
    "organizer": "演示市人民政府",
    "undertaker": "演示市政府督查室",
    "contact": "编辑部 0000-0000000（演示）",
} | {name: value for name, value in GIVEN.items() if value and name != "site_name"}
