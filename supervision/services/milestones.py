"""Acts on milestones: plan, agree, work, review, move, drop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import Assignment, DateChange, EventKind, Milestone, User
from supervision.rules.recount import given_receipt
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
from supervision.services.assignments import add_date_change


@dataclass(frozen=True)
class Step:
    """One planned milestone as typed: title, date, weight (relative, at least 1), deliverable."""

    title: str
    planned_date: date
    weight: int = 1
    deliverable: str = ""


@transaction.atomic
def file_plan(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    steps: Sequence[Step],
    handler_name: str = "",
    version: int | None = None,
) -> list[Milestone]:
    """File the plan of a share. Steps not yet agreed are replaced; agreed ones stay.

    Raises PermissionDenied, StaleRow, ActRefused when the work is not in hand or a step falls
    after the due date.
    """
    assignment = lock(assignment, version=version)
    require(permissions.can_plan(assignment, by))
    if assignment.status not in (Assignment.Status.IN_PROGRESS, Assignment.Status.RETURNED):
        raise ActRefused(_("Sign for the work first; then plan it."))
    if not steps:
        raise ActRefused(_("Plan at least one milestone."))
    for step in steps:
        if assignment.due_date and step.planned_date > assignment.due_date:
            raise ActRefused(
                _("“%(title)s” is planned for %(date)s, after the due date %(due)s.")
                % {
                    "title": step.title,
                    "date": step.planned_date.isoformat(),
                    "due": assignment.due_date.isoformat(),
                }
            )
    assignment.milestones.filter(status=Milestone.Status.DRAFT).delete()
    offset = assignment.milestones.count()
    rows = Milestone.objects.bulk_create(
        [
            Milestone(
                assignment=assignment,
                position=offset + number,
                title=step.title,
                planned_date=step.planned_date,
                weight=step.weight,
                deliverable=step.deliverable,
            )
            for number, step in enumerate(steps, start=1)
        ]
    )
    if handler_name:
        assignment.handler_name = handler_name
    save(assignment)
    record_event(
        EventKind.PLAN_FILED,
        assignment=assignment,
        by=by,
        at=at,
        data={"steps": [[step.title, step.planned_date.isoformat()] for step in steps]},
    )
    return rows


@transaction.atomic
def agree_plan(*, assignment: Assignment, by: User, at: datetime) -> int:
    """Agree to all steps of a filed plan; their original dates are written once.

    Returns how many. Raises PermissionDenied, ActRefused when nothing waits.
    """
    assignment = lock(assignment)
    waiting = list(assignment.milestones.select_for_update().filter(status=Milestone.Status.DRAFT))
    if not waiting:
        raise ActRefused(_("No planned milestone waits for agreement."))
    for milestone in waiting:
        milestone.assignment = assignment
        check_transition(milestone.agree, by)
        milestone.agree()
        save(milestone)
    record_event(
        EventKind.PLAN_AGREED, assignment=assignment, by=by, at=at, data={"steps": len(waiting)}
    )
    return len(waiting)


def _move(milestone: Milestone, kind, by, at, change, *, reason="", data=None) -> Milestone:
    before = milestone.status
    change()
    save(milestone)
    record_event(
        kind,
        assignment=milestone.assignment,
        milestone=milestone,
        by=by,
        at=at,
        from_state=before,
        to_state=milestone.status,
        reason=reason,
        data={"title": milestone.title} | (data or {}),
    )
    return milestone


@transaction.atomic
def start_milestone(
    *, milestone: Milestone, by: User, at: datetime, version: int | None = None
) -> Milestone:
    """Begin a step."""
    milestone = lock(milestone, "assignment", version=version)
    check_transition(milestone.start, by)
    return _move(milestone, EventKind.MILESTONE_STARTED, by, at, milestone.start)


@transaction.atomic
def submit_milestone(
    *,
    milestone: Milestone,
    by: User,
    at: datetime,
    actual_date: date,
    evidence_text: str,
    version: int | None = None,
) -> Milestone:
    """Report a step done, with the day and what shows it.

    Raises ActRefused for a day in the future or without evidence.
    """
    milestone = lock(milestone, "assignment", version=version)
    check_transition(milestone.submit, by)
    if actual_date > local_date(at):
        raise ActRefused(_("The day it was done cannot lie in the future."))
    if not evidence_text.strip():
        raise ActRefused(_("Say what shows that the milestone was reached."))
    return _move(
        milestone,
        EventKind.MILESTONE_SUBMITTED,
        by,
        at,
        lambda: milestone.submit(at=at, actual_date=actual_date, evidence_text=evidence_text),
        data={"actual_date": actual_date.isoformat()},
    )


@transaction.atomic
def send_back_milestone(
    *, milestone: Milestone, by: User, at: datetime, reason: str, version: int | None = None
) -> Milestone:
    """Return a step with a reason."""
    milestone = lock(milestone, "assignment", version=version)
    check_transition(milestone.send_back, by)
    need_text(reason)
    return _move(
        milestone, EventKind.MILESTONE_SENT_BACK, by, at, milestone.send_back, reason=reason
    )


@transaction.atomic
def approve_milestone(
    *, milestone: Milestone, by: User, at: datetime, version: int | None = None
) -> Milestone:
    """The office has verified the step."""
    milestone = lock(milestone, "assignment", version=version)
    check_transition(milestone.approve, by)
    today = local_date(at)
    return _move(
        milestone,
        EventKind.MILESTONE_COMPLETED,
        by,
        at,
        lambda: milestone.approve(verified_date=today),
        data={
            "planned_date": milestone.planned_date.isoformat(),
            "actual_date": milestone.actual_date.isoformat(),
        },
    )


@transaction.atomic
def move_milestone(
    *,
    milestone: Milestone,
    by: User,
    at: datetime,
    new_date: date,
    reason: str,
    version: int | None = None,
) -> Milestone:
    """Move a step to another day; the original date stays and the move is on record.

    Raises PermissionDenied, ActRefused after the due date or in a state that does not allow it.
    """
    milestone = lock(milestone, "assignment", version=version)
    require(permissions.can_review_milestone(milestone, by))
    need_text(reason)
    if milestone.status not in (Milestone.Status.PLANNED, Milestone.Status.IN_PROGRESS):
        raise ActRefused(_("Only a milestone that is agreed and not finished can be moved."))
    assignment = milestone.assignment
    if assignment.due_date and new_date > assignment.due_date:
        raise ActRefused(
            _("A milestone cannot lie after the due date %(due)s.")
            % {"due": assignment.due_date.isoformat()}
        )
    old = milestone.planned_date
    milestone.planned_date = new_date
    milestone.receipt = given_receipt(new_date)
    save(milestone)
    add_date_change(
        assignment,
        DateChange.Cause.REPLAN,
        old,
        new=new_date,
        by=by,
        at=at,
        reason=reason,
        milestone=milestone,
    )
    record_event(
        EventKind.MILESTONE_MOVED,
        assignment=assignment,
        milestone=milestone,
        by=by,
        at=at,
        reason=reason,
        data={
            "title": milestone.title,
            "old_date": old.isoformat(),
            "new_date": new_date.isoformat(),
        },
    )
    return milestone


@transaction.atomic
def cancel_milestone(
    *, milestone: Milestone, by: User, at: datetime, reason: str, version: int | None = None
) -> Milestone:
    """Drop a step; its weight falls to the others."""
    milestone = lock(milestone, "assignment", version=version)
    check_transition(milestone.cancel, by)
    need_text(reason)
    return _move(milestone, EventKind.MILESTONE_CANCELLED, by, at, milestone.cancel, reason=reason)
