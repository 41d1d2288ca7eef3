"""What every service shares: lock the row, ask the machine, ask the user, save, record."""

from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed, can_proceed

from supervision.models import Event, EventKind, User
from supervision.signals import event_recorded

T = TypeVar("T", bound=models.Model)


class ActRefused(Exception):
    """The act is impossible for a reason a person can do something about.

    `message` says in the reader's language what happened and what to do next.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StaleRow(ActRefused):
    """Somebody saved the row after the form was opened; nothing was overwritten."""

    def __init__(self, row: models.Model) -> None:
        super().__init__(
            _(
                "Somebody else changed this while you were working on it. Nothing was overwritten; "
                "what you typed is still below. Compare, then save again."
            )
        )
        self.row = row


def lock(row: T, *related: str, version: int | None = None) -> T:
    """Read the row again under a lock; with `version`, only if nobody saved it since.

    PostgreSQL locks the row; on SQLite the transaction already holds the only write lock.
    `related` rows are read afresh in the same query: a cached parent may be out of date.
    Raises StaleRow.
    """
    rows = type(row)._default_manager.select_for_update(of=("self",))
    fresh = rows.select_related(*related).get(pk=row.pk) if related else rows.get(pk=row.pk)
    if version is not None and fresh.version != version:
        raise StaleRow(fresh)
    return fresh


def require(allowed: bool) -> None:
    """Raise PermissionDenied unless `allowed`."""
    if not allowed:
        raise PermissionDenied(_("Your duties do not include this act."))


def check_transition(bound_method, by: User) -> None:
    """Ask about the state first, the user second: a second click is no offence.

    Raises TransitionNotAllowed, then PermissionDenied.
    """
    row = bound_method.__self__
    if not can_proceed(bound_method):
        raise TransitionNotAllowed(
            _("“%(row)s” is now “%(state)s”; this act is no longer possible. Look at its state.")
            % {"row": row, "state": row.get_status_display()},
            object=row,
            method=bound_method,
        )
    transition = bound_method._django_fsm.get_transition(row.status)
    require(transition.has_perm(row, by))


def save(row: T) -> T:
    """Save and raise the version that forms carry."""
    row.version += 1
    row.save()
    return row


def record_event(
    kind: EventKind | str,
    *,
    by: User | None,
    at: datetime,
    recorded_at: datetime | None = None,
    fact_key: str | None = None,
    **fields: Any,
) -> Event | None:
    """Write one event and tell whoever listens, all in the caller's transaction.

    Who stands in for another is the one who did it, on behalf of the other, in the other's role.
    With `fact_key` the event is a fact of the calendar: if it is already written nothing happens
    and None is returned.
    """
    deputy = by.deputy if by else None
    assignment = fields.get("assignment")
    if assignment is not None:
        fields.setdefault("item_id", assignment.item_id)
        fields.setdefault("organization_id", assignment.organization_id)
    event = Event(
        kind=kind,
        by=deputy or by,
        on_behalf_of=by if deputy else None,
        by_name=name_of(by)[:80] if by else "",
        by_role=",".join(sorted(by.role_codes)) if by else "",
        happened_at=at,
        recorded_at=recorded_at or at,
        fact_key=fact_key,
        **fields,
    )
    try:
        with transaction.atomic(savepoint=fact_key is not None):
            event.save(force_insert=True)
    except IntegrityError:
        if fact_key is None or not Event.objects.filter(fact_key=fact_key).exists():
            raise
        return None
    if fact_key is None:
        # A fact of the calendar changes no light; an act may.
        from supervision.services.kept_lights import forget_lights

        forget_lights(kind, event.item_id)
    event_recorded.send_robust(sender=Event, event=event)
    return event


def name_of(by: User) -> str:
    """Who acts, as records show it: “A for B” while A stands in for B (domain.md, section 2)."""
    if by.deputy is None:
        return str(by)
    return _("%(deputy)s for %(user)s") % {"deputy": by.deputy, "user": by}


def need_text(text: str) -> None:
    """Raise ActRefused when a reason, opinion or basis is missing."""
    if not text.strip():
        raise ActRefused(_("Give a reason: it is shown to those concerned and stays on record."))


def local_date(at: datetime):
    """The local calendar day of a moment."""
    return timezone.localdate(at)
