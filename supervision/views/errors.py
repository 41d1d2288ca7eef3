"""Answers when something went wrong: what happened, what to do next, never a trace."""

import logging
import uuid

from django.shortcuts import render
from django.urls import reverse

logger = logging.getLogger(__name__)


def _answer(request, status: int, **context):
    """The page of an error; on the desk its ways out lead back to the desk."""
    if request.path.startswith("/desk/"):
        context |= {
            "home_url": reverse("supervision:home"),
            "public_search_url": reverse("supervision:search"),
            "public_sitemap_url": "",
        }
    return render(request, f"errors/{status}.html", context, status=status)


def bad_request(request, exception=None):
    return _answer(request, 400)


def permission_denied(request, exception=None):
    return _answer(request, 403, reason=str(exception or ""))


def not_found(request, exception=None):
    return _answer(request, 404)


def server_error(request):
    error_id = uuid.uuid4().hex[:8]
    logger.error("Error %s at %s", error_id, request.path)
    return _answer(request, 500, error_id=error_id)


def csrf_failure(request, reason=""):
    return _answer(request, 403, is_stale_form=True)
