"""What the views share: load what is visible, perform one act, answer."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from django.contrib import messages
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from supervision.services.acts import ActRefused

T = TypeVar("T")


def local_today() -> date:
    """The local calendar day of this request."""
    return timezone.localdate()


def perform(request, act: Callable[[], T], *, done: str = "") -> T | None:
    """Run one service and tell the person how it went.

    Returns what the service returned, or None when it was refused: the reason is then a message.
    PermissionDenied passes through and becomes 403. An act that returns None is seen as done
    by `request.act_done`.
    """
    request.act_done = False
    try:
        result = act()
    except ActRefused as refusal:
        messages.error(request, refusal.message)
        return None
    except TransitionNotAllowed as refusal:
        messages.error(request, str(refusal))
        return None
    except ConcurrentTransition:
        messages.error(
            request,
            _("Somebody else was faster: this has changed meanwhile. Look at its present state."),
        )
        return None
    request.act_done = True
    if done:
        messages.success(request, done)
    return result


def next_page(request) -> str:
    """The page of this site a form wants to go back to; empty when it names none."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""


def posted_version(request) -> int | None:
    """The version of the row the form was opened with; None when the form carries none."""
    value = request.POST.get("version", "")
    return int(value) if value.isdecimal() else None
