"""What the views share: load what is visible, perform one act, answer."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date
from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
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


def perform_each(request, rows: Iterable[T], act: Callable[[T], object], *, label: str) -> int:
    """Run one service for each row, so that many acts leave the history of single ones.

    What is possible is done; every refusal is a message that names its row. Returns how many
    were done.
    """
    done, count = 0, 0
    for row in rows:
        count += 1
        try:
            act(row)
            done += 1
        except ActRefused as refusal:
            _refused(request, row, refusal.message)
        except TransitionNotAllowed as refusal:
            _refused(request, row, str(refusal))
        except ConcurrentTransition:
            _refused(request, row, _("Somebody else was faster."))
        except PermissionDenied:
            _refused(request, row, _("Your duties do not include this act."))
    if not count:
        messages.error(request, _("Choose at least one row first."))
    if done:
        messages.success(
            request,
            ngettext("%(count)s row: %(act)s.", "%(count)s rows: %(act)s.", done)
            % {"count": done, "act": label},
        )
    return done


def _refused(request, row, reason: str) -> None:
    messages.error(
        request, _("“%(item)s” was left as it is. %(reason)s") % {"item": row, "reason": reason}
    )


def uids_of(values: Iterable[str]) -> list[UUID]:
    """The identifiers among what was posted; anything else falls away."""
    found = []
    for value in values:
        with suppress(ValueError):
            found.append(UUID(value))
    return found


def posted_version(request) -> int | None:
    """The version of the row the form was opened with; None when the form carries none."""
    value = request.POST.get("version", "")
    return int(value) if value.isdecimal() else None
