"""Answers when something went wrong: what happened, what to do next, never a trace."""

import logging
import uuid

from django.shortcuts import render

logger = logging.getLogger(__name__)


def bad_request(request, exception=None):
    return render(request, "errors/400.html", status=400)


def permission_denied(request, exception=None):
    return render(request, "errors/403.html", {"reason": str(exception or "")}, status=403)


def not_found(request, exception=None):
    return render(request, "errors/404.html", status=404)


def server_error(request):
    error_id = uuid.uuid4().hex[:8]
    logger.error("Error %s at %s", error_id, request.path)
    return render(request, "errors/500.html", {"error_id": error_id}, status=500)


def csrf_failure(request, reason=""):
    return render(request, "errors/403.html", {"is_stale_form": True}, status=403)
