"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

from supervision.config.checking import run_checks_or_end

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supervision.config.settings.dev")
application = get_wsgi_application()
# Gunicorn runs no checks by itself: a site without its frame does not start.
run_checks_or_end(tags=["frame"])
