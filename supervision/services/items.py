"""Acts on the item: draft, approve, dispatch, hold, close out, reopen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    Assignment,
    Clause,
    EventKind,
    LetterKind,
    Organization,
    Outcome,
    Party,
    PolicyDocument,
    Responsibility,
    SupervisionItem,
    User,
)
from supervision.rules.numbers import format_number
from supervision.rules.recount import given_receipt
from supervision.services import assignments as assignment_services
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
from supervision.services.periods import create_periods
from supervision.services.settings import deadline, next_number

EDITABLE_FIELDS = (
    "title",
    "requirement",
    "urgency",
    "cycle",
    "share_cycle",
    "light_scheme",
    "is_key",
    "is_ongoing",
    "due_date",
    "leader",
    "openness",
    "openness_basis",
    "is_declared_free_of_secrets",
)


@dataclass(frozen=True)
class PartyData:
    """A body named for an item; `organization` None while the name is unresolved."""

    organization: Organization | None
    named_as: str
    role: str


@transaction.atomic
def create_item(
    *,
    document: PolicyDocument,
    by: User | None,
    at: datetime,
    kind: str,
    title: str,
    parties: Sequence[PartyData],
    clause: Clause | None = None,
    position: int = 0,
    **fields,
) -> SupervisionItem:
    """Draft an item. `by` is None when a loaded document drafts it.

    Raises PermissionDenied.
    """
    if by is not None:
        require(permissions.can_create_item(by))
    item = SupervisionItem(
        document=document,
        clause=clause,
        kind=kind,
        title=title,
        position=position,
        drafted_by=by,
        drafted_by_deputy=by.deputy if by else None,
        created_at=at,
        **{name: value for name, value in fields.items() if name in EDITABLE_FIELDS},
    )
    item.save()
    set_parties(item, parties)
    record_event(EventKind.ITEM_CREATED, item=item, document=document, by=by, at=at)
    return item


@transaction.atomic
def instruct_new_item(
    *,
    document: PolicyDocument,
    by: User,
    at: datetime,
    title: str,
    instruction: str,
    due_date: date | None = None,
) -> SupervisionItem:
    """A leader's instruction (批示) on a matter without an item: a draft in the leader's charge.

    The office names the bodies and has it approved like any other. Raises PermissionDenied,
    ActRefused without a text or with a date in the past.
    """
    require(permissions.can_instruct(by))
    need_text(title)
    need_text(instruction)
    _check_future(due_date, at)
    item = create_item(
        document=document,
        by=None,
        at=at,
        kind=Clause.Kind.TASK,
        title=title.strip(),
        parties=(),
        requirement=instruction,
        due_date=due_date,
        leader=by if by.has_role(permissions.LEADER) else None,
    )
    _record_instruction(item, by, at, instruction)
    return item


@transaction.atomic
def instruct_item(
    *,
    item: SupervisionItem,
    by: User,
    at: datetime,
    instruction: str,
    due_date: date | None = None,
    version: int | None = None,
) -> SupervisionItem:
    """A leader's instruction on an item: a closed one is reopened to `due_date`, on an open one
    it is put on record and the office hears of it.

    Raises PermissionDenied, StaleRow, ActRefused without a text, without a date where one is
    needed, or for an item that was cancelled.
    """
    item = lock(item, version=version)
    require(permissions.can_decide_on_item(item, by))
    need_text(instruction)
    _check_future(due_date, at)
    if item.status == SupervisionItem.Status.CANCELLED:
        raise ActRefused(_("This item was cancelled. Give the instruction as a new item."))
    if item.status in (SupervisionItem.Status.COMPLETED, SupervisionItem.Status.ARCHIVED):
        if due_date is None:
            raise ActRefused(_("This item is closed: give the date until which it is reopened."))
        item = reopen_item(item=item, by=by, at=at, instruction=instruction, due_date=due_date)
    _record_instruction(item, by, at, instruction)
    return item


def _check_future(due_date: date | None, at: datetime) -> None:
    if due_date is not None and due_date < local_date(at):
        raise ActRefused(_("The new due date must not lie in the past."))


def _record_instruction(item: SupervisionItem, by: User, at: datetime, text: str) -> None:
    record_event(EventKind.INSTRUCTED, item=item, document=item.document, by=by, at=at, reason=text)


@transaction.atomic
def remind_bodies(*, item: SupervisionItem, by: User, at: datetime, text: str = "") -> int:
    """Urge every body of the item whose share is overdue: the single act for each share.

    Returns how many were urged. Raises PermissionDenied, ActRefused when no body is overdue or
    one was urged too lately.
    """
    require(permissions.can_remind(item, by))
    shares = list(item.assignments.overdue(today=local_date(at)).order_by("position", "pk"))
    if not shares:
        raise ActRefused(_("No body of this item is overdue, so there is nothing to urge."))
    for share in shares:
        assignment_services.remind_body(assignment=share, by=by, at=at, text=text)
    return len(shares)


def _note_drafter(item: SupervisionItem, by: User) -> None:
    """A loaded draft belongs to whoever first works on it, the deputy of that person included."""
    if item.drafted_by_id is None:
        item.drafted_by = by
        item.drafted_by_deputy = by.deputy


def set_parties(item: SupervisionItem, parties: Iterable[PartyData]) -> None:
    """Replace the bodies named for a draft, in order."""
    item.parties.all().delete()
    Party.objects.bulk_create(
        [
            Party(
                item=item,
                organization=party.organization,
                named_as=party.named_as,
                role=party.role,
                position=position,
            )
            for position, party in enumerate(parties, start=1)
        ]
    )


@transaction.atomic
def edit_item(
    *,
    item: SupervisionItem,
    by: User,
    at: datetime,
    version: int | None = None,
    parties: Sequence[PartyData] | None = None,
    **changes,
) -> SupervisionItem:
    """Change a draft; `changes` may name the fields in EDITABLE_FIELDS.

    Raises PermissionDenied, ActRefused when it is no draft any more, StaleRow.
    """
    require(permissions.can_edit_item(item, by))
    item = lock(item, version=version)
    if item.status != SupervisionItem.Status.DRAFT:
        raise ActRefused(_("Only a draft can be changed. Ask for it to be sent back first."))
    before = {}
    for name in EDITABLE_FIELDS:
        if name in changes and getattr(item, name) != changes[name]:
            before[name] = [str(getattr(item, name) or ""), str(changes[name] or "")]
            setattr(item, name, changes[name])
    if parties is not None:
        set_parties(item, parties)
    _note_drafter(item, by)
    save(item)
    record_event(
        EventKind.ITEM_CHANGED, item=item, document=item.document, by=by, at=at, data=before
    )
    return item


@transaction.atomic
def decide_openness(
    *,
    item: SupervisionItem,
    by: User,
    at: datetime,
    openness: str,
    basis: str,
    version: int | None = None,
) -> SupervisionItem:
    """Say whether an item may become public, and on which basis. Nothing is public by it yet."""
    require(permissions.can_edit_item(item, by))
    item = lock(item, version=version)
    need_text(basis)
    before = item.openness
    item.openness = openness
    item.openness_basis = basis
    save(item)
    record_event(
        EventKind.ITEM_CHANGED,
        item=item,
        document=item.document,
        by=by,
        at=at,
        reason=basis,
        data={"openness": [before, openness]},
    )
    return item


def obstacles_to_submission(item: SupervisionItem) -> list[str]:
    """Why a draft cannot be submitted yet, each with what to do. Empty when it can."""
    parties = list(item.parties.all())
    found = []
    if sum(party.role == Responsibility.LEAD for party in parties) != 1:
        found.append(_("Name exactly one lead body."))
    unresolved = [party.named_as for party in parties if party.organization_id is None]
    if unresolved:
        found.append(
            _("Say which bodies are meant by: %(names)s.") % {"names": "、".join(unresolved)}
        )
    if not item.is_ongoing and item.due_date is None:
        found.append(_("Give a due date, or mark the item as ongoing."))
    if not item.is_declared_free_of_secrets:
        found.append(_("Declare that the item holds no state secrets."))
    return found


@transaction.atomic
def submit_item(
    *, item: SupervisionItem, by: User, at: datetime, version: int | None = None
) -> SupervisionItem:
    """Hand a draft to the approver.

    Raises TransitionNotAllowed, PermissionDenied, StaleRow, ActRefused naming what is missing.
    """
    item = lock(item, version=version)
    check_transition(item.submit, by)
    obstacles = obstacles_to_submission(item)
    if obstacles:
        raise ActRefused(" ".join(obstacles))
    _note_drafter(item, by)
    return _move(item, EventKind.ITEM_SUBMITTED, by, at, lambda: item.submit(at=at))


@transaction.atomic
def send_back_item(
    *, item: SupervisionItem, by: User, at: datetime, opinion: str, version: int | None = None
) -> SupervisionItem:
    """Return a draft to its drafter with an opinion."""
    item = lock(item, version=version)
    check_transition(item.send_back, by)
    need_text(opinion)
    return _move(item, EventKind.ITEM_SENT_BACK, by, at, item.send_back, reason=opinion)


@transaction.atomic
def approve_item(
    *, item: SupervisionItem, by: User, at: datetime, opinion: str = "", version: int | None = None
) -> SupervisionItem:
    """Initiate the item: it gets its number, gapless within the year."""
    item = lock(item, version=version)
    check_transition(item.approve, by)
    year = local_date(at).year
    number = item.number or format_number(settings.NUMBER_PREFIX, year, next_number("item", year))
    return _move(
        item,
        EventKind.ITEM_APPROVED,
        by,
        at,
        lambda: item.approve(by=by, at=at, number=number),
        reason=opinion,
        data={"number": number},
    )


@transaction.atomic
def dispatch_item(
    *,
    item: SupervisionItem,
    by: User,
    at: datetime,
    has_notice: bool = True,
    version: int | None = None,
) -> SupervisionItem:
    """Give the item to all its bodies in one act: assignments, clocks, report periods.

    With `has_notice` a dispatch notice is issued to the lead and sent to the others. Without, the
    document that already names bodies and date stands in its place, under its own number.

    The clock attaches here and nowhere earlier. Raises TransitionNotAllowed, PermissionDenied,
    ActRefused when the due date has already passed.
    """
    item = lock(item, version=version)
    check_transition(item.dispatch, by)
    today = local_date(at)
    if item.due_date is not None and item.due_date < today:
        raise ActRefused(
            _("The due date %(date)s has passed. Send the item back and give a later one.")
            % {"date": item.due_date.isoformat()}
        )
    accept_by = deadline("accept", today, urgency=item.urgency)
    object_by = deadline("object", today)
    number = letters.take_number(LetterKind.DISPATCH_NOTICE, at=at) if has_notice else None
    notice = number.text if number else item.document.doc_number
    parties = item.parties.select_related("organization").order_by("position", "pk")
    assignments = [
        Assignment(
            item=item,
            organization=party.organization,
            role=party.role,
            position=party.position,
            cycle=item.cycle
            if party.role == Responsibility.LEAD
            else item.share_cycle or item.cycle,
            dispatched_date=today,
            episode_start_date=today,
            accept_due_date=accept_by.date,
            objection_due_date=object_by.date,
            due_date=item.due_date,
            original_due_date=item.due_date,
            due_receipt=given_receipt(item.due_date, "item") if item.due_date else {},
            receipts={"accept": accept_by.to_json(), "object": object_by.to_json()},
        )
        for party in parties
    ]
    Assignment.objects.bulk_create(assignments)
    last_date = item.due_date or item.document.horizon_date
    create_periods(assignments, today, last_date)
    item.dispatch(at=at, dispatch_number=notice)
    save(item)
    event = record_event(
        EventKind.ITEM_DISPATCHED,
        item=item,
        document=item.document,
        by=by,
        at=at,
        from_state=SupervisionItem.Status.INITIATED,
        to_state=item.status,
        data={"notice": notice, "bodies": len(assignments)},
    )
    for assignment in assignments:
        record_event(
            EventKind.DISPATCHED,
            assignment=assignment,
            by=by,
            at=at,
            to_state=assignment.status,
            data={
                "notice": notice,
                "due_date": item.due_date and item.due_date.isoformat(),
                "accept_due_date": accept_by.date.isoformat(),
            },
        )
    if number is not None:
        lead = next(row for row in assignments if row.role == Responsibility.LEAD)
        letters.dispatch_notice(item=item, event=event, lead=lead, number=number, at=at)
    return item


def dispatch_items(*, items: Iterable[SupervisionItem], by: User, at: datetime) -> list:
    """Dispatch several items: the single act for each, so that the history is the same.

    Returns the refusals as (item, message); what was possible is done.
    """
    refused = []
    for item in items:
        try:
            dispatch_item(item=item, by=by, at=at)
        except ActRefused as error:
            refused.append((item, error.message))
    return refused


@transaction.atomic
def suspend_item(
    *,
    item: SupervisionItem,
    by: User,
    at: datetime,
    basis: str,
    expected_end_date: date,
    version: int | None = None,
) -> SupervisionItem:
    """Stop the clocks of the item and of all its open assignments."""
    item = lock(item, version=version)
    check_transition(item.suspend, by)
    need_text(basis)
    for assignment in item.assignments.running().order_by("position", "pk"):
        assignment_services.suspend_assignment(
            assignment=assignment, by=by, at=at, basis=basis, expected_end_date=expected_end_date
        )
    return _move(item, EventKind.ITEM_SUSPENDED, by, at, item.suspend, reason=basis)


@transaction.atomic
def resume_item(
    *, item: SupervisionItem, by: User, at: datetime, version: int | None = None
) -> SupervisionItem:
    """Let the clocks run again; held working days are added to every due date."""
    item = lock(item, version=version)
    check_transition(item.resume, by)
    suspended = item.assignments.filter(status=Assignment.Status.SUSPENDED)
    for assignment in suspended.order_by("position", "pk"):
        resumed = assignment_services.resume_assignment(assignment=assignment, by=by, at=at)
        if resumed.role == Responsibility.LEAD:
            item.due_date = resumed.due_date
    return _move(item, EventKind.ITEM_RESUMED, by, at, item.resume)


@transaction.atomic
def cancel_item(
    *, item: SupervisionItem, by: User, at: datetime, basis: str, version: int | None = None
) -> SupervisionItem:
    """End the item and all that is open under it, on a basis."""
    item = lock(item, version=version)
    check_transition(item.cancel, by)
    need_text(basis)
    for assignment in item.assignments.open().order_by("position", "pk"):
        assignment_services.cancel_assignment(assignment=assignment, by=by, at=at, basis=basis)
    return _move(item, EventKind.ITEM_CANCELLED, by, at, lambda: item.cancel(at=at), reason=basis)


@transaction.atomic
def complete_item(
    *, item: SupervisionItem, by: User, at: datetime, opinion: str = "", version: int | None = None
) -> SupervisionItem:
    """Close the item out (销号). The verdict is the lead's, frozen here.

    Raises ActRefused naming the bodies that are still open.
    """
    item = lock(item, version=version)
    check_transition(item.complete, by)
    still_open = [
        f"{assignment.organization}（{assignment.get_status_display()}）"
        for assignment in item.assignments.open()
        .select_related("organization")
        .order_by("position", "pk")
    ]
    if still_open:
        raise ActRefused(
            _("These bodies are still open: %(bodies)s. Close or cancel them first.")
            % {"bodies": "、".join(still_open)}
        )
    done = list(item.assignments.filter(status=Assignment.Status.COMPLETED))
    lead = next((row for row in done if row.role == Responsibility.LEAD), None)
    if lead is None:
        raise ActRefused(_("The lead's assignment was never completed."))
    is_late = lead.outcome == Outcome.LATE
    return _move(
        item,
        EventKind.ITEM_COMPLETED,
        by,
        at,
        lambda: item.complete(
            at=at,
            completed_date=max(row.completed_date for row in done),
            is_late=is_late,
        ),
        reason=opinion,
        data={"is_late": is_late, "days_late": lead.days_late},
    )


@transaction.atomic
def archive_item(
    *, item: SupervisionItem, by: User, at: datetime, version: int | None = None
) -> SupervisionItem:
    """Put the file away; it is read only from now on."""
    item = lock(item, version=version)
    check_transition(item.archive, by)
    return _move(item, EventKind.ITEM_ARCHIVED, by, at, item.archive)


@transaction.atomic
def reopen_item(
    *,
    item: SupervisionItem,
    by: User,
    at: datetime,
    instruction: str,
    due_date: date,
    version: int | None = None,
) -> SupervisionItem:
    """Take the item up again on a new instruction, with a new due date.

    The lead's assignment and every completed share begin a new episode; their old verdicts stay
    in the events.
    """
    item = lock(item, version=version)
    check_transition(item.reopen, by)
    need_text(instruction)
    if due_date < local_date(at):
        raise ActRefused(_("The new due date must not lie in the past."))
    _move(
        item,
        EventKind.ITEM_REOPENED,
        by,
        at,
        lambda: item.reopen(due_date=due_date),
        reason=instruction,
        data={"due_date": due_date.isoformat()},
    )
    completed = item.assignments.filter(status=Assignment.Status.COMPLETED)
    for assignment in completed.order_by("position", "pk"):
        assignment_services.reopen_assignment(
            assignment=assignment, by=by, at=at, instruction=instruction, due_date=due_date
        )
    return item


def _move(item: SupervisionItem, kind, by, at, change, *, reason="", data=None) -> SupervisionItem:
    before = item.status
    change()
    save(item)
    record_event(
        kind,
        item=item,
        document=item.document,
        by=by,
        at=at,
        from_state=before,
        to_state=item.status,
        reason=reason,
        data=data or {},
    )
    return item
