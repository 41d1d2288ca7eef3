"""Extensions: asked by the body, endorsed by the office, decided by the leader."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    Assignment,
    DateChange,
    EventKind,
    ExtensionRequest,
    LetterKind,
    User,
)
from supervision.rules.limits import Unit
from supervision.rules.recount import given_receipt, review_receipt
from supervision.rules.waiting import Clock, credit_for
from supervision.services import letters
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
from supervision.services.assignments import add_date_change, carry_date
from supervision.services.settings import limits, working_calendar


@transaction.atomic
def ask_extension(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    asked_date: date,
    cause: str,
    reason: str,
    progress_text: str,
    version: int | None = None,
) -> ExtensionRequest:
    """Prepare a request for a later, definite date; a head files it in the same act.

    Raises PermissionDenied, StaleRow, ActRefused when the work is not in hand, one request is
    already open, or the date is not later than the present one.
    """
    assignment = lock(assignment, version=version)
    require(permissions.can_ask_extension(assignment, by))
    if assignment.status not in (Assignment.Status.IN_PROGRESS, Assignment.Status.RETURNED):
        raise ActRefused(_("More time can be asked for while the work is in hand."))
    if assignment.due_date is None:
        raise ActRefused(_("This item is ongoing and has no due date to extend."))
    if assignment.extensions.open().exists():
        raise ActRefused(_("A request for more time is already under way; wait for its decision."))
    if asked_date <= assignment.due_date:
        raise ActRefused(
            _("Ask for a day after the present due date %(date)s.")
            % {"date": assignment.due_date.isoformat()}
        )
    if asked_date <= local_date(at):
        raise ActRefused(_("Ask for a day in the future."))
    need_text(reason)
    extension = ExtensionRequest.objects.create(
        assignment=assignment,
        cause=cause,
        reason=reason,
        progress_text=progress_text,
        due_date_then=assignment.due_date,
        asked_date=asked_date,
        asked_by=by,
    )
    if permissions.can_sign_request(extension, by):
        return submit_extension(extension=extension, by=by, at=at)
    _record(extension, EventKind.EXTENSION_DRAFTED, by, at, reason)
    return extension


def _record(extension, kind, by, at, reason="", **data):
    return record_event(
        kind,
        assignment=extension.assignment,
        by=by,
        at=at,
        to_state=extension.status,
        reason=reason,
        data={"asked_date": extension.asked_date.isoformat()} | data,
    )


def _answer(extension, kind, by, at, opinion, **data) -> None:
    """Record the decision and issue the reply to the body under its number, with it."""
    number = letters.take_number(LetterKind.EXTENSION_REPLY, at=at)
    event = _record(extension, kind, by, at, opinion, letter_number=number.text, **data)
    letters.letter_for_event(event, at=at, number=number)


@transaction.atomic
def submit_extension(
    *, extension: ExtensionRequest, by: User, at: datetime, version: int | None = None
) -> ExtensionRequest:
    """Sign the request off and file it; after the due date it counts as late for ever."""
    extension = lock(extension, "assignment__item", version=version)
    check_transition(extension.submit, by)
    is_late = local_date(at) > extension.assignment.due_date
    extension.submit(at=at, is_late=is_late)
    save(extension)
    _record(extension, EventKind.EXTENSION_ASKED, by, at, extension.reason, is_late=is_late)
    return extension


@transaction.atomic
def endorse_extension(
    *,
    extension: ExtensionRequest,
    by: User,
    at: datetime,
    opinion: str,
    version: int | None = None,
) -> ExtensionRequest:
    """The office's first opinion; the leader decides."""
    extension = lock(extension, "assignment__item", version=version)
    check_transition(extension.endorse, by)
    need_text(opinion)
    extension.endorse(by=by, at=at, opinion=opinion)
    save(extension)
    _record(extension, EventKind.EXTENSION_ENDORSED, by, at, opinion)
    return extension


@transaction.atomic
def refuse_extension(
    *,
    extension: ExtensionRequest,
    by: User,
    at: datetime,
    opinion: str,
    version: int | None = None,
) -> ExtensionRequest:
    """Refuse: the office before its endorsement, the leader after.

    The days a desk kept a request filed in time beyond its limit are credited to the body: the
    due date moves by them in a new episode. A late request gets nothing, and a frozen overdue
    mark stays (domain.md, section 6.3).
    """
    extension = lock(extension, "assignment__item", version=version)
    refuse = (
        extension.refuse_at_once
        if extension.status == ExtensionRequest.Status.SUBMITTED
        else extension.refuse
    )
    check_transition(refuse, by)
    need_text(opinion)
    refuse(by=by, at=at, opinion=opinion)
    save(extension)
    credit = _credit_late_answer(extension, by=by, at=at, opinion=opinion)
    _answer(extension, EventKind.EXTENSION_REFUSED, by, at, opinion, **credit)
    return extension


def _credit_late_answer(extension: ExtensionRequest, *, by: User, at: datetime, opinion) -> dict:
    """Move the due date by the working days the office and the leader were late; what to record."""
    assignment = lock(extension.assignment)
    if extension.is_late or not assignment.is_open or assignment.due_date is None:
        return {}
    today = local_date(at)
    came = local_date(extension.submitted_at)
    passed_on = extension.endorsed_at and local_date(extension.endorsed_at)
    stretches = [(came, passed_on), (passed_on, today)] if passed_on else [(came, today)]
    value, unit = limits()["decide_extension", ""]
    calendar = working_calendar()
    holds = [(hold.start_date, hold.end_date or today) for hold in assignment.holds.all()]
    days = credit_for(stretches, Clock(value, Unit(unit)), calendar, holds)
    if not days:
        return {}
    old = assignment.due_date
    receipt = review_receipt(assignment.due_receipt, old, days, calendar)
    new = date.fromisoformat(receipt["date"])
    _move_due_date(assignment, new, receipt, today)
    add_date_change(
        assignment,
        DateChange.Cause.REVIEW,
        old,
        by=by,
        at=at,
        reason=opinion,
        asked_by=extension.asked_by,
    )
    extension.assignment = assignment
    return {"credit_days": days, "old_date": old.isoformat(), "new_date": new.isoformat()}


def _move_due_date(assignment: Assignment, new: date, receipt: dict, today: date) -> None:
    """Give a share a later due date in a new episode; the lead's is the item's as well."""
    assignment.due_date = new
    assignment.due_receipt = receipt
    assignment.episode += 1
    assignment.episode_start_date = today
    save(assignment)
    carry_date(assignment)


@transaction.atomic
def grant_extension(
    *,
    extension: ExtensionRequest,
    by: User,
    at: datetime,
    granted_date: date,
    opinion: str = "",
    version: int | None = None,
) -> ExtensionRequest:
    """Grant a definite date: the current due date moves, the original stays, an episode begins.

    A late request repairs nothing: the frozen overdue mark of the old episode stays. The second
    extension of a share is the leader's alone. Raises ActRefused for a date that is not later.
    """
    extension = lock(extension, "assignment__item", version=version)
    check_transition(extension.grant, by)
    assignment = lock(extension.assignment)
    today = local_date(at)
    if granted_date <= assignment.due_date or granted_date < today:
        raise ActRefused(
            _("Grant a day after the present due date %(date)s, not in the past.")
            % {"date": assignment.due_date.isoformat()}
        )
    granted_before = assignment.extensions.filter(status=ExtensionRequest.Status.GRANTED).exists()
    if granted_before and not permissions.can_decide_on_item(assignment.item, by):
        raise ActRefused(_("A second extension is the leader's own decision."))
    extension.grant(by=by, at=at, granted_date=granted_date, opinion=opinion)
    save(extension)
    old = assignment.due_date
    _move_due_date(assignment, granted_date, given_receipt(granted_date, "extension"), today)
    change = add_date_change(
        assignment,
        DateChange.Cause.EXTENSION,
        old,
        by=by,
        at=at,
        reason=extension.reason,
        asked_by=extension.asked_by,
    )
    extension.assignment = assignment
    _answer(
        extension,
        EventKind.EXTENSION_GRANTED,
        by,
        at,
        opinion,
        old_date=old.isoformat(),
        new_date=granted_date.isoformat(),
        working_days=change.working_days,
        is_late=extension.is_late,
    )
    return extension


@transaction.atomic
def withdraw_extension(
    *, extension: ExtensionRequest, by: User, at: datetime, version: int | None = None
) -> ExtensionRequest:
    """The body takes its request back."""
    extension = lock(extension, "assignment__item", version=version)
    check_transition(extension.withdraw, by)
    extension.withdraw()
    save(extension)
    _record(extension, EventKind.EXTENSION_WITHDRAWN, by, at)
    return extension
