"""Acts on one body's share: sign, object, close, review, hold, end, urge."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    Assignment,
    DateChange,
    Event,
    EventKind,
    Hold,
    Milestone,
    Objection,
    Organization,
    ReportPeriod,
    Responsibility,
    SupervisionItem,
    User,
)
from supervision.rules.escalation import may_remind
from supervision.rules.limits import Unit
from supervision.rules.recount import given_receipt, hold_receipt, rework_receipt
from supervision.rules.verdicts import completion_verdict
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
from supervision.services.help import end_help
from supervision.services.periods import prolong_periods
from supervision.services.settings import deadline, limits, working_calendar


def _move(assignment: Assignment, kind, by, at, change, *, reason="", data=None) -> Assignment:
    before = assignment.status
    change()
    save(assignment)
    record_event(
        kind,
        assignment=assignment,
        by=by,
        at=at,
        from_state=before,
        to_state=assignment.status,
        reason=reason,
        data=data or {},
    )
    return assignment


@transaction.atomic
def accept_assignment(
    *, assignment: Assignment, by: User, at: datetime, version: int | None = None
) -> Assignment:
    """Sign for the work; the limit for the plan begins to run.

    Raises TransitionNotAllowed, PermissionDenied, StaleRow.
    """
    assignment = lock(assignment, version=version)
    check_transition(assignment.accept, by)
    plan_by = deadline("plan", local_date(at))

    letters.sign_dispatch_notice(assignment=assignment, by=by, at=at)

    def change():
        assignment.accept(by=by, at=at, plan_due_date=plan_by.date)
        assignment.receipts["plan"] = plan_by.to_json()

    return _move(
        assignment,
        EventKind.ACCEPTED,
        by,
        at,
        change,
        data={"is_in_time": local_date(at) <= assignment.accept_due_date},
    )


@transaction.atomic
def object_to_assignment(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    reason: str,
    proposed_organization: Organization | None = None,
    version: int | None = None,
) -> Objection:
    """Dispute the assignment, inside the limit.

    Raises ActRefused after the limit or without a reason.
    """
    assignment = lock(assignment, version=version)
    check_transition(assignment.object, by)
    need_text(reason)
    today = local_date(at)
    if today > assignment.objection_due_date:
        raise ActRefused(
            _(
                "The time to object ended on %(date)s. Sign for the work and speak with the "
                "supervision office."
            )
            % {"date": assignment.objection_due_date.isoformat()}
        )
    decide_by = deadline("decide_objection", today)
    objection = Objection.objects.create(
        assignment=assignment,
        reason=reason,
        proposed_organization=proposed_organization,
        submitted_by=by,
        submitted_at=at,
        decide_by_date=decide_by.date,
        receipt=decide_by.to_json(),
    )
    _move(assignment, EventKind.OBJECTED, by, at, assignment.object, reason=reason)
    return objection


@transaction.atomic
def reject_objection(
    *, objection: Objection, by: User, at: datetime, opinion: str, version: int | None = None
) -> Objection:
    """The body keeps the work; its time to sign starts anew, the office's time is not charged."""
    objection = lock(objection, "assignment", version=version)
    check_transition(objection.reject, by)
    need_text(opinion)
    objection.reject(by=by, at=at, opinion=opinion)
    save(objection)
    assignment = lock(objection.assignment)
    check_transition(assignment.reject_objection, by)
    today = local_date(at)
    accept_by = deadline("accept", today)
    # Decided once, on record: there is no second objection.
    object_by = min(assignment.objection_due_date, today)

    def change():
        assignment.reject_objection(accept_due_date=accept_by.date, objection_due_date=object_by)
        assignment.receipts |= {"accept": accept_by.to_json(), "object": given_receipt(object_by)}

    _move(assignment, EventKind.OBJECTION_REJECTED, by, at, change, reason=opinion)
    return objection


@transaction.atomic
def uphold_objection(
    *,
    objection: Objection,
    by: User,
    at: datetime,
    opinion: str,
    organization: Organization,
    version: int | None = None,
) -> Assignment:
    """Give the work to another body. The old row is kept, cancelled and linked to the new one.

    Raises ActRefused when that body already has a share of the item.
    """
    objection = lock(objection, "assignment", version=version)
    check_transition(objection.uphold, by)
    need_text(opinion)
    old = lock(objection.assignment)
    if old.item.assignments.filter(organization=organization).exclude(
        status=Assignment.Status.CANCELLED
    ):
        raise ActRefused(
            _("%(body)s already has a share of this item. Choose another body.")
            % {"body": organization}
        )
    objection.uphold(by=by, at=at, opinion=opinion)
    save(objection)
    _move(
        old,
        EventKind.OBJECTION_UPHELD,
        by,
        at,
        old.cancel,
        reason=opinion,
        data={"new_body": str(organization)},
    )
    today = local_date(at)
    due = max(old.due_date, today) if old.due_date else None
    accept_by = deadline("accept", today, urgency=old.item.urgency)
    object_by = deadline("object", today)
    new = Assignment.objects.create(
        item=old.item,
        organization=organization,
        role=old.role,
        position=old.position,
        cycle=old.cycle,
        dispatched_date=today,
        episode_start_date=today,
        accept_due_date=accept_by.date,
        objection_due_date=object_by.date,
        receipts={"accept": accept_by.to_json(), "object": object_by.to_json()},
        due_date=due,
        original_due_date=due,
        due_receipt=old.due_receipt,
    )
    old.transferred_to = new
    save(old)
    periods = old.periods.filter(end_date__gte=today)
    ReportPeriod.objects.bulk_create(
        [
            ReportPeriod(
                assignment=new,
                label=period.label,
                start_date=max(period.start_date, today),
                end_date=period.end_date,
                due_date=period.due_date,
                receipt=period.receipt,
            )
            for period in periods
        ]
    )
    record_event(
        EventKind.DISPATCHED,
        assignment=new,
        by=by,
        at=at,
        to_state=new.status,
        data={
            "due_date": new.due_date and new.due_date.isoformat(),
            "accept_due_date": new.accept_due_date.isoformat(),
            "instead_of": str(old.organization),
        },
    )
    return new


@transaction.atomic
def withdraw_objection(
    *, objection: Objection, by: User, at: datetime, version: int | None = None
) -> Objection:
    """The body takes its objection back and may sign."""
    objection = lock(objection, "assignment", version=version)
    check_transition(objection.withdraw, by)
    objection.withdraw()
    save(objection)
    assignment = lock(objection.assignment)
    check_transition(assignment.withdraw_objection, by)
    _move(assignment, EventKind.OBJECTION_WITHDRAWN, by, at, assignment.withdraw_objection)
    return objection


@transaction.atomic
def draft_closing(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    closing_text: str,
    version: int | None = None,
) -> Assignment:
    """Prepare the closing report and hand it to the body's head for sign-off.

    Raises ActRefused when the work is not in the body's hands or the text is empty.
    """
    assignment = lock(assignment, version=version)
    require(permissions.can_draft_closing(assignment, by))
    if assignment.status not in (Assignment.Status.IN_PROGRESS, Assignment.Status.RETURNED):
        raise ActRefused(_("The work must be in progress before its completion can be reported."))
    if not closing_text.strip():
        raise ActRefused(_("Write the closing report: what was done, with which result."))
    assignment.closing_text = closing_text
    assignment.is_sign_off_requested = True
    save(assignment)
    record_event(EventKind.CLOSING_DRAFTED, assignment=assignment, by=by, at=at)
    return assignment


@transaction.atomic
def submit_assignment(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    closing_text: str | None = None,
    open_milestones_reason: str = "",
    version: int | None = None,
) -> Assignment:
    """Apply for completion: the head of the body signs the closing off, which hands it in.

    Raises PermissionDenied, TransitionNotAllowed, StaleRow, ConcurrentTransition, ActRefused when
    the text is missing or milestones are open without a reason.
    """
    assignment = lock(assignment, version=version)
    check_transition(assignment.submit, by)
    if closing_text is not None:
        assignment.closing_text = closing_text
    if not assignment.closing_text.strip():
        raise ActRefused(_("Write the closing report: what was done, with which result."))
    unfinished = [milestone.title for milestone in assignment.milestones.unfinished()]
    if unfinished and not open_milestones_reason.strip():
        raise ActRefused(
            _("These milestones are still open: %(titles)s. Finish them, or say why not.")
            % {"titles": "、".join(unfinished)}
        )
    return _move(
        assignment,
        EventKind.SUBMITTED,
        by,
        at,
        lambda: assignment.submit(at=at, on=local_date(at)),
        reason=open_milestones_reason,
    )


def _give_back(assignment, transition, kind, desks, by, at, reason, reason_class="") -> Assignment:
    """Send back with time to rework; the body is not charged for the reviewers' delay.

    `desks` are the desks it lay on: the code of each one's limit, and from when to when.
    """
    today = local_date(at)
    calendar = working_calendar()
    holds = [(hold.start_date, hold.end_date or today) for hold in assignment.holds.all()]
    credit = sum(
        credit_for([stretch], Clock(*_limit(code)), calendar, holds) for code, stretch in desks
    )
    was_in_time = assignment.due_date is None or assignment.submitted_date <= assignment.due_date
    rework = deadline("rework", today)
    old = assignment.due_date

    def change():
        transition(credit_days=credit)
        if old is not None and was_in_time:
            receipt = rework_receipt(assignment.due_receipt, old, credit, rework, calendar)
            assignment.due_date = date.fromisoformat(receipt["date"])
            assignment.due_receipt = receipt
            assignment.episode += 1
            assignment.episode_start_date = today

    _move(
        assignment,
        kind,
        by,
        at,
        change,
        reason=reason,
        data={"credit_days": credit, "rework_due_date": rework.date.isoformat()}
        | ({"reason_class": reason_class} if reason_class else {}),
    )
    if assignment.due_date != old:
        add_date_change(assignment, DateChange.Cause.REWORK, old, by=by, at=at, reason=reason)
        carry_date(assignment)
    return assignment


def _limit(code: str) -> tuple[int, Unit]:
    value, unit = limits()[code, ""]
    return value, Unit(unit)


def carry_date(assignment: Assignment) -> None:
    """What follows a share's later due date: its periods, and the item when it is the lead's."""
    prolong_periods(assignment, assignment.due_date)
    if assignment.role == Responsibility.LEAD:
        item = lock(assignment.item)
        item.due_date = assignment.due_date
        save(item)


def add_date_change(
    assignment: Assignment,
    cause: str,
    old: date,
    *,
    by: User | None,
    at: datetime,
    reason: str,
    asked_by: User | None = None,
    milestone: Milestone | None = None,
    new: date | None = None,
) -> DateChange:
    """Add one row to the slip ledger; working days by the calendar of today."""
    new = new or assignment.due_date
    return DateChange.objects.create(
        assignment=assignment,
        milestone=milestone,
        cause=cause,
        old_date=old,
        new_date=new,
        working_days=working_calendar().between(old, new),
        reason=reason,
        asked_by=asked_by,
        agreed_by=by,
        changed_at=at,
    )


@transaction.atomic
def send_back_assignment(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    reason: str,
    reason_class: str = "",
    version: int | None = None,
) -> Assignment:
    """Return the closing with a reason and its class (`SendBackReason`)."""
    assignment = lock(assignment, version=version)
    check_transition(assignment.send_back, by)
    need_text(reason)
    desks = [("review_closing", (assignment.submitted_date, local_date(at)))]
    return _give_back(
        assignment,
        assignment.send_back,
        EventKind.SENT_BACK,
        desks,
        by,
        at,
        reason,
        reason_class,
    )


@transaction.atomic
def approve_assignment(
    *, assignment: Assignment, by: User, at: datetime, opinion: str = "", version: int | None = None
) -> Assignment:
    """The closing paper is in order; the check follows."""
    assignment = lock(assignment, version=version)
    check_transition(assignment.approve, by)
    return _move(assignment, EventKind.APPROVED, by, at, assignment.approve, reason=opinion)


@transaction.atomic
def fail_check(
    *, assignment: Assignment, by: User, at: datetime, reason: str, version: int | None = None
) -> Assignment:
    """The check found the work wanting; it goes back to the body."""
    assignment = lock(assignment, version=version)
    check_transition(assignment.fail_check, by)
    need_text(reason)
    approvals = Event.objects.filter(assignment=assignment, kind=EventKind.APPROVED)
    approved = approvals.order_by("-happened_at", "-pk").first()
    approved_date = local_date(approved.happened_at) if approved else assignment.submitted_date
    desks = [
        ("review_closing", (assignment.submitted_date, approved_date)),
        ("verify", (approved_date, local_date(at))),
    ]
    return _give_back(
        assignment, assignment.fail_check, EventKind.CHECK_FAILED, desks, by, at, reason
    )


@transaction.atomic
def complete_assignment(
    *, assignment: Assignment, by: User, at: datetime, opinion: str = "", version: int | None = None
) -> Assignment:
    """Close the share. Counted is the day the body handed it in; the verdict is frozen here."""
    assignment = lock(assignment, version=version)
    check_transition(assignment.complete, by)
    verdict = completion_verdict(
        assignment.submitted_date, assignment.due_date, assignment.original_due_date
    )
    end_help(assignment, by=by, at=at)
    return _move(
        assignment,
        EventKind.COMPLETED,
        by,
        at,
        lambda: assignment.complete(
            completed_date=assignment.submitted_date,
            days_late=verdict.days_late,
            days_late_original=verdict.days_late_original,
        ),
        reason=opinion,
        data={
            "is_late": verdict.is_late,
            "days_late": verdict.days_late,
            "days_late_original": verdict.days_late_original,
            "completed_date": assignment.submitted_date.isoformat(),
        },
    )


@transaction.atomic
def suspend_assignment(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    basis: str,
    expected_end_date: date,
    version: int | None = None,
) -> Assignment:
    """Stop one body's clock; the hold is a row of its own."""
    assignment = lock(assignment, version=version)
    check_transition(assignment.suspend, by)
    need_text(basis)
    today = local_date(at)
    if expected_end_date <= today:
        raise ActRefused(_("The expected end must lie in the future."))
    Hold.objects.create(
        assignment=assignment,
        start_date=today,
        expected_end_date=expected_end_date,
        basis=basis,
        decided_by=by,
    )
    return _move(
        assignment,
        EventKind.SUSPENDED,
        by,
        at,
        lambda: assignment.suspend(on=today, basis=basis),
        reason=basis,
    )


@transaction.atomic
def resume_assignment(
    *, assignment: Assignment, by: User, at: datetime, version: int | None = None
) -> Assignment:
    """Let the clock run again; the working days held are added to the due date."""
    assignment = lock(assignment, version=version)
    check_transition(assignment.resume, by)
    today = local_date(at)
    calendar = working_calendar()
    hold = assignment.holds.get(end_date=None)
    hold.end_date = today
    hold.held_working_days = max(calendar.between(hold.start_date, today), 0)
    hold.save()
    old = assignment.due_date
    new = calendar.add(old, hold.held_working_days) if old else None
    if new != old:
        assignment.due_receipt = hold_receipt(
            assignment.due_receipt, old, hold.held_working_days, calendar
        )
    _move(
        assignment,
        EventKind.RESUMED,
        by,
        at,
        lambda: assignment.resume(on=today, due_date=new),
        data={"held_working_days": hold.held_working_days},
    )
    _move_milestones(assignment, hold, by=by, at=at)
    if new != old:
        add_date_change(assignment, DateChange.Cause.HOLD, old, by=by, at=at, reason=hold.basis)
    return assignment


def _move_milestones(assignment: Assignment, hold: Hold, *, by: User, at: datetime) -> None:
    """Agreed steps that were not finished move by the days held, so that none is missed by it."""
    if not hold.held_working_days:
        return
    calendar = working_calendar()
    for milestone in assignment.milestones.filter(status__in=Milestone.BODY_STATES):
        old = milestone.planned_date
        if old < hold.start_date:
            continue  # missed before the clock stopped
        milestone.receipt = hold_receipt(milestone.receipt, old, hold.held_working_days, calendar)
        milestone.planned_date = date.fromisoformat(milestone.receipt["date"])
        save(milestone)
        add_date_change(
            assignment,
            DateChange.Cause.HOLD,
            old,
            new=milestone.planned_date,
            by=by,
            at=at,
            reason=hold.basis,
            milestone=milestone,
        )


@transaction.atomic
def cancel_assignment(
    *, assignment: Assignment, by: User, at: datetime, basis: str, version: int | None = None
) -> Assignment:
    """End one body's share and the requests open under it."""
    assignment = lock(assignment, version=version)
    check_transition(assignment.cancel, by)
    need_text(basis)
    for request in [*assignment.extensions.open(), *assignment.objections.open()]:
        request.withdraw()
        save(request)
    end_help(assignment, by=by, at=at)
    return _move(assignment, EventKind.CANCELLED, by, at, assignment.cancel, reason=basis)


@transaction.atomic
def reopen_assignment(
    *,
    assignment: Assignment,
    by: User,
    at: datetime,
    instruction: str,
    due_date: date,
    version: int | None = None,
) -> Assignment:
    """Take a completed share up again in a new episode; its frozen verdict stays on record.

    Raises PermissionDenied, ActRefused while the item itself is closed: an item that counts as
    done cannot have work left.
    """
    assignment = lock(assignment, version=version)
    check_transition(assignment.reopen, by)
    need_text(instruction)
    if assignment.item.status not in SupervisionItem.OPEN_STATES:
        raise ActRefused(
            _("The item itself is closed. Reopen the item; its completed shares open with it.")
        )
    today = local_date(at)
    if due_date < today:
        raise ActRefused(_("The new due date must not lie in the past."))
    old = assignment.due_date
    verdict = {"outcome": assignment.outcome, "days_late": assignment.days_late}
    if assignment.original_due_date is None:
        assignment.original_due_date = due_date
    assignment.due_receipt = given_receipt(due_date, "reopen")
    _move(
        assignment,
        EventKind.REOPENED,
        by,
        at,
        lambda: assignment.reopen(on=today, due_date=due_date),
        reason=instruction,
        data={"due_date": due_date.isoformat(), "verdict_before": verdict},
    )
    if old is not None and old != due_date:
        add_date_change(assignment, DateChange.Cause.REOPEN, old, by=by, at=at, reason=instruction)
    prolong_periods(assignment, due_date)
    return assignment


@transaction.atomic
def remind_body(*, assignment: Assignment, by: User, at: datetime, text: str) -> Event:
    """Urge a body by hand. Obeys the same gap as the ladder: escalate instead of repeating.

    Raises PermissionDenied, ActRefused when the body has nothing to do or was urged lately.
    """
    assignment = lock(assignment)
    require(permissions.can_remind(assignment, by))
    if assignment.status not in Assignment.BODY_STATES:
        raise ActRefused(_("This share does not wait for the body, so there is nothing to urge."))
    gap, _unit = limits()["remind_min_gap", ""]
    last = (
        assignment.events.filter(kind__in=[EventKind.REMINDED, EventKind.ESCALATED])
        .order_by("-happened_at")
        .first()
    )
    today = local_date(at)
    if last and not may_remind(local_date(last.happened_at), today, working_calendar(), gap):
        raise ActRefused(
            _(
                "The body was urged on %(date)s; between two urgings lie at least %(gap)s working "
                "days. The ladder goes on by itself."
            )
            % {"date": local_date(last.happened_at).isoformat(), "gap": gap}
        )
    return record_event(EventKind.REMINDED, assignment=assignment, by=by, at=at, reason=text)


@transaction.atomic
def decide_escalation(
    *, assignment: Assignment, level: int, by: User, at: datetime, is_issued: bool, opinion: str
) -> Event:
    """Issue or decline a step of the ladder that needs a named person (red sheet and upward).

    The sheet drafted with the proposal is issued or dropped with it.

    Raises PermissionDenied, ActRefused when the step was not proposed or is already decided.
    """
    assignment = lock(assignment)
    require(permissions.can_decide_escalation(assignment, by))
    need_text(opinion)
    key = f"{assignment.pk}:{level}:{assignment.episode}"
    proposal = Event.objects.filter(fact_key=f"proposed:{key}").first()
    if proposal is None:
        raise ActRefused(_("This step of the ladder has not been proposed."))
    event = record_event(
        EventKind.ESCALATION_DECIDED,
        assignment=assignment,
        by=by,
        at=at,
        reason=opinion,
        data={"level": level, "is_issued": is_issued},
        fact_key=f"decided:{key}",
    )
    if event is None:
        raise ActRefused(_("Somebody has already decided on this step."))
    letters.decide_draft(event=proposal, by=by, at=at, is_issued=is_issued, opinion=opinion)
    return event
