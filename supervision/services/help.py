"""One body asks another for something by a day: asked, answered, declined, withdrawn, reminded."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import Assignment, Event, EventKind, HelpRequest, Organization, User
from supervision.services.acts import (
    ActRefused,
    check_transition,
    local_date,
    lock,
    need_text,
    record_event,
    require,
    save,
)
from supervision.services.settings import working_calendar

REMIND_WORKING_DAYS = 1


@transaction.atomic
def ask_help(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    organization: Organization,
    text: str,
    due_date: date,
    version: int | None = None,
) -> HelpRequest:
    """Ask another body for something by `due_date` (local date). Source: domain.md, section 3.2.

    Raises PermissionDenied, StaleRow, ActRefused when the work is not in hand, the other body is
    one's own or no longer exists, or the day is past.
    """
    assignment = lock(assignment, "organization", version=version)
    require(permissions.can_ask_help(assignment, by))
    if assignment.status not in (Assignment.Status.IN_PROGRESS, Assignment.Status.RETURNED):
        raise ActRefused(_("Help can be asked for while the work is in hand."))
    if organization.pk == assignment.organization_id:
        raise ActRefused(_("Choose another body: this is your own."))
    if organization.kind == Organization.Kind.OFFICE or organization.valid_to_date is not None:
        raise ActRefused(_("Choose a body that exists and is not the supervision office."))
    if due_date < local_date(at):
        raise ActRefused(_("Ask for a day that is not past."))
    need_text(text)
    row = HelpRequest.objects.create(
        assignment=assignment,
        organization=organization,
        text=text,
        due_date=due_date,
        asked_by=by,
        asked_at=at,
    )
    _record(row, EventKind.HELP_ASKED, by, at, text, organization_id=organization.pk)
    return row


def _record(row: HelpRequest, kind, by, at, reason="", **fields) -> Event | None:
    return record_event(
        kind,
        assignment=row.assignment,
        by=by,
        at=at,
        to_state=row.status,
        reason=reason,
        data={
            "help": str(row.uid),
            "asker": str(row.assignment.organization),
            "asked": str(row.organization),
            "due_date": row.due_date.isoformat(),
        },
        **fields,
    )


def _locked(row: HelpRequest, version: int | None) -> HelpRequest:
    return lock(row, "assignment__organization", "organization", version=version)


@transaction.atomic
def answer_help(
    *, help_request: HelpRequest, by: User, at: datetime, text: str, version: int | None = None
) -> HelpRequest:
    """The other body says what it did; PermissionDenied, TransitionNotAllowed, ActRefused."""
    row = _locked(help_request, version)
    check_transition(row.answer, by)
    need_text(text)
    row.answer(by=by, at=at, text=text)
    save(row)
    _record(row, EventKind.HELP_ANSWERED, by, at, text)
    return row


@transaction.atomic
def decline_help(
    *, help_request: HelpRequest, by: User, at: datetime, text: str, version: int | None = None
) -> HelpRequest:
    """The other body says why not; it stays on record and nothing follows by itself."""
    row = _locked(help_request, version)
    check_transition(row.decline, by)
    need_text(text)
    row.decline(by=by, at=at, text=text)
    save(row)
    _record(row, EventKind.HELP_DECLINED, by, at, text)
    return row


@transaction.atomic
def withdraw_help(
    *, help_request: HelpRequest, by: User, at: datetime, version: int | None = None
) -> HelpRequest:
    """The asking body no longer needs it; the other one hears."""
    row = _locked(help_request, version)
    check_transition(row.withdraw, by)
    return _withdraw(row, by, at)


def _withdraw(row: HelpRequest, by: User, at: datetime) -> HelpRequest:
    row.withdraw()
    save(row)
    _record(row, EventKind.HELP_WITHDRAWN, by, at, organization_id=row.organization_id)
    return row


def end_help(assignment: Assignment, *, by: User, at: datetime) -> None:
    """Withdraw what is still asked for a share that ends; in the caller's transaction."""
    rows = assignment.help_requests.open().select_related(
        "assignment__organization", "organization"
    )
    for row in rows.order_by("pk"):
        _withdraw(row, by, at)


def remind_of_help(today: date, *, at: datetime) -> int:
    """Remind the asked bodies, once for each request, a working day before the day and later.

    Nothing escalates. Safe to repeat; returns how many reminders were written.
    """
    until = working_calendar().add(today, REMIND_WORKING_DAYS)
    told = Event.objects.filter(fact_key__startswith="help-due:").values_list("fact_key", flat=True)
    rows = list(
        HelpRequest.objects.open()
        .filter(due_date__lte=until)
        .select_related("assignment__organization", "organization")
        .order_by("pk")
    )
    if not rows:
        return 0
    known = set(told.filter(fact_key__in=[_fact_key(row) for row in rows]))
    written = 0
    for row in rows:
        if _fact_key(row) in known:
            continue
        with transaction.atomic():
            event = _record(
                row,
                EventKind.HELP_DUE,
                None,
                at,
                organization_id=row.organization_id,
                fact_key=_fact_key(row),
            )
        written += event is not None
    return written


def _fact_key(row: HelpRequest) -> str:
    return f"help-due:{row.pk}"
