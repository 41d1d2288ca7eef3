"""Settings and addresses of a Django that answers one constant page, for `public.py` beside it.

The middleware is the product's, without the public site's own at its head.
"""

import os

from django.http import HttpResponse
from django.urls import path

from supervision.config.settings.dev import *  # noqa: F403
from supervision.config.settings.dev import MIDDLEWARE

ROOT_URLCONF = "tests.bench.constant"
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("cms.")]
BODY = b"x" * int(os.environ.get("CONSTANT_BYTES", "20000"))


def page(request):
    return HttpResponse(BODY, content_type="text/html; charset=utf-8")


urlpatterns = [path("", page)]
