"""Handing a desk to a successor: the index of what is open, both confirmations, the duty moves."""

from datetime import date, datetime

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    Assignment,
    CalendarToken,
    Delegation,
    EventKind,
    ExtensionRequest,
    Handover,
    HelpRequest,
    Letter,
    LetterKind,
    Objection,
    ProgressReport,
    ReportPeriod,
    User,
)
from supervision.models.organizations import BODY_ROLES
from supervision.services.acts import (
    ActRefused,
    check_transition,
    local_date,
    lock,
    record_event,
    require,
    save,
)


def index_of(user: User, *, today: date) -> list[dict]:
    """What is open on a desk, by kind and day, in plain values ready to be frozen and printed.

    `today` is the local day. A constant number of queries.
    """
    own = Assignment.objects.visible_to(user).filter(organization_id=user.organization_id)
    found: list[dict] = []

    def add(kind, share, state, due, text="") -> None:
        found.append(
            {
                "kind": kind,
                "number": (share.item.number or "") if share else "",
                "title": share.item.title if share else "",
                "state": str(state),
                "due_date": due.isoformat() if due else "",
                "text": text,
            }
        )

    of_item = ("item__number", "item__title", "item__status")
    shares = own.open().select_related("item").only("status", "due_date", *of_item)
    for share in shares.order_by("due_date", "pk"):
        add(_("Share of work"), share, share.get_status_display(), share.due_date)
    filed = (ProgressReport.Status.SUBMITTED, ProgressReport.Status.APPROVED)
    periods = (
        ReportPeriod.objects.filter(
            assignment__in=own.with_the_body(),
            status=ReportPeriod.Status.OPEN,
            start_date__lte=today,
        )
        .exclude(report__status__in=filed)
        .select_related("assignment__item", "report")
        .only(
            "status",
            "label",
            "due_date",
            "assignment__status",
            *(f"assignment__{name}" for name in of_item),
            "report__period",
            "report__status",
        )
        .order_by("due_date", "pk")
    )
    for period in periods:
        report = getattr(period, "report", None)
        state = report.get_status_display() if report else _("Not begun")
        add(_("Return"), period.assignment, state, period.due_date, period.label)
    related = "assignment__item"
    for row in ExtensionRequest.objects.filter(assignment__in=own).open().select_related(related):
        add(_("Extension"), row.assignment, row.get_status_display(), row.asked_date)
    for row in Objection.objects.filter(assignment__in=own).open().select_related(related):
        add(_("Objection"), row.assignment, row.get_status_display(), row.decide_by_date)
    helps = HelpRequest.objects.visible_to(user).open()
    for row in helps.select_related(related, "organization", "assignment__organization"):
        other = (
            row.organization
            if row.assignment.organization_id == user.organization_id
            else row.assignment.organization
        )
        add(
            _("Help (to hand over)"),
            row.assignment,
            row.get_status_display(),
            row.due_date,
            str(other),
        )
    letters = (
        Letter.objects.visible_to(user)
        .filter(organization_id=user.organization_id, status=Letter.Status.ISSUED)
        .filter(replied_at=None, reply_due_date__isnull=False)
        .exclude(kind=LetterKind.DISPATCH_NOTICE)
        .select_related(related)
        .defer("content")
    )
    for row in letters:
        text = f"{row.number or ''} {row.title}".strip()
        add(_("Letter"), row.assignment, row.get_status_display(), row.reply_due_date, text)
    return found


@transaction.atomic
def prepare_handover(
    *, from_user: User, to_user: User, by: User, at: datetime, note: str = ""
) -> Handover:
    """Begin to hand a desk over to a colleague of the same body.

    By the person, or for an absent one by the head of the body or the office. Raises
    PermissionDenied, ActRefused.
    """
    require(permissions.can_hand_over_for(from_user, by))
    obstacle = _obstacle(from_user, to_user)
    if obstacle:
        raise ActRefused(obstacle)
    User.objects.select_for_update().get(pk=from_user.pk)
    if Handover.objects.filter(from_user=from_user, status__in=Handover.OPEN_STATES).exists():
        raise ActRefused(_("A handover of this desk is under way; finish or drop it first."))
    return Handover.objects.create(
        organization=from_user.organization,
        from_user=from_user,
        to_user=to_user,
        note=note,
        created_by=by,
        created_at=at,
    )


def _obstacle(from_user: User, to_user: User) -> str:
    if from_user.pk == to_user.pk:
        return _("Choose somebody else: nobody hands over to himself.")
    if not from_user.is_body:
        return _("This person has no desk of a body to hand over.")
    if from_user.organization_id != to_user.organization_id:
        return _("The successor is of the same body; let the administrator add the account first.")
    if not to_user.is_active:
        return _("The account of the successor is closed.")
    return ""


@transaction.atomic
def give_desk(
    *, handover: Handover, by: User, at: datetime, version: int | None = None
) -> Handover:
    """Confirm the index on the side of who leaves; it is frozen as it is now.

    Raises TransitionNotAllowed, PermissionDenied, StaleRow, ActRefused.
    """
    handover = lock(handover, "from_user", "to_user", version=version)
    check_transition(handover.give, by)
    obstacle = _obstacle(handover.from_user, handover.to_user)
    if obstacle:
        raise ActRefused(obstacle)
    content = index_of(handover.from_user, today=local_date(at))
    handover.give(by=by, at=at, content=content)
    save(handover)
    _record(handover, EventKind.HANDOVER_GIVEN, by, at)
    return handover


@transaction.atomic
def take_desk(
    *, handover: Handover, by: User, at: datetime, version: int | None = None
) -> Handover:
    """The successor's yes: duty and section pass to him, deputies and addresses of the old end.

    The work belongs to the body and does not move; what was signed stays under the old name.
    """
    handover = lock(handover, "from_user", "to_user", version=version)
    check_transition(handover.take, by)
    obstacle = _obstacle(handover.from_user, handover.to_user)
    if obstacle:
        raise ActRefused(obstacle)
    giver, taker = handover.from_user, handover.to_user
    had_desk = taker.is_body
    roles = Group.objects.filter(name__in=BODY_ROLES, pk__in=giver.groups.values("pk"))
    roles = list(roles)
    # A successor who looked after the whole body goes on doing so.
    if not had_desk or giver.only_section_id is None:
        taker.section_id = giver.only_section_id
        taker.save(update_fields=["section"])
    taker.groups.add(*roles)
    giver.groups.remove(*roles)
    Delegation.objects.filter(user=giver, ended_at=None).update(ended_at=at, ended_by=by)
    CalendarToken.objects.filter(user=giver, revoked_at=None).update(revoked_at=at)
    handover.take(at=at)
    save(handover)
    _record(handover, EventKind.HANDOVER_TAKEN, by, at)
    return handover


@transaction.atomic
def drop_handover(
    *, handover: Handover, by: User, at: datetime, version: int | None = None
) -> Handover:
    """It does not come about; the desk stays where it is."""
    handover = lock(handover, "from_user", "to_user", version=version)
    check_transition(handover.drop, by)
    handover.drop()
    save(handover)
    _record(handover, EventKind.HANDOVER_DROPPED, by, at)
    return handover


@transaction.atomic
def close_account(
    *, handover: Handover, by: User, at: datetime, version: int | None = None
) -> Handover:
    """Close the account whose desk was handed over; nothing it did is touched.

    By the administrator. Raises PermissionDenied, ActRefused before the successor's yes, while
    the person still has another duty, and when it is closed already.
    """
    handover = lock(handover, "from_user", version=version)
    require(permissions.can_close_account(handover, by))
    if handover.status != Handover.Status.TAKEN:
        raise ActRefused(_("The account is closed once the successor has taken the desk over."))
    person = User.objects.select_for_update().get(pk=handover.from_user_id)
    if not person.is_active:
        raise ActRefused(_("The account is closed already."))
    if person.groups.exists():
        raise ActRefused(_("This person still has another duty; take that away first."))
    person.is_active = False
    person.save(update_fields=["is_active"])
    handover.closed_at = at
    save(handover)
    _record(handover, EventKind.ACCOUNT_CLOSED, by, at)
    return handover


def _record(handover: Handover, kind, by: User, at: datetime) -> None:
    record_event(
        kind,
        organization=handover.organization,
        by=by,
        at=at,
        to_state=handover.status,
        data={
            "giver": str(handover.from_user),
            "taker": str(handover.to_user),
            "giver_id": handover.from_user_id,
            "taker_id": handover.to_user_id,
            "open_count": len(handover.content),
        },
    )
