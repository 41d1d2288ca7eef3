"""The personal calendar of deadlines: making and revoking its address, and what it holds."""

import hashlib
import secrets
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    Assignment,
    CalendarToken,
    HelpRequest,
    Milestone,
    ProgressReport,
    ReportPeriod,
    SupervisionItem,
    User,
)
from supervision.rules.ical import Deadline
from supervision.services.acts import ActRefused

SECRET_BYTES = 32


def hash_of(token: str) -> str:
    """What is stored of a token: nobody who reads the table can use it."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def make_token(*, user: User, at: datetime) -> str:
    """A new address for this account; the one before it stops working. Returns the secret once.

    Raises ActRefused for a deputy: the address belongs to the person.
    """
    if user.deputy is not None:
        raise ActRefused(_("This belongs to the person alone. Stop standing in first."))
    User.objects.select_for_update().get(pk=user.pk)
    CalendarToken.objects.filter(user=user, revoked_at=None).update(revoked_at=at)
    token = secrets.token_urlsafe(SECRET_BYTES)
    CalendarToken.objects.create(user=user, token_hash=hash_of(token), created_at=at)
    return token


def revoke_token(*, user: User, at: datetime) -> int:
    """Let the address stop working at once; returns how many were in use."""
    if user.deputy is not None:
        raise ActRefused(_("This belongs to the person alone. Stop standing in first."))
    return CalendarToken.objects.filter(user=user, revoked_at=None).update(revoked_at=at)


def owner_of(token: str) -> User | None:
    """Whose calendar an address opens; None for a revoked or unknown one and a closed account."""
    row = (
        CalendarToken.objects.filter(
            token_hash=hash_of(token), revoked_at=None, user__is_active=True
        )
        .select_related("user__organization")
        .first()
    )
    return row.user if row else None


def deadlines_of(user: User, *, today: date) -> list[Deadline]:
    """What the person is to see done, by day; local dates. A constant number of queries."""
    found = _of_body(user, today) if user.is_body else []
    if permissions.sees_all_items(user) or permissions.leads_items(user):
        items = SupervisionItem.objects.visible_to(user).filter(
            status=SupervisionItem.Status.IN_PROGRESS, due_date__isnull=False
        )
        found += [
            Deadline(f"item-{item.uid}", item.due_date, _("Due: %(title)s") % {"title": item.title})
            for item in items
        ]
    return sorted(found, key=lambda one: (one.day, one.uid))


def _of_body(user: User, today: date) -> list[Deadline]:
    own = Assignment.objects.visible_to(user).filter(organization_id=user.organization_id)
    found = []

    def add(kind: str, row, day: date, words: str, title: str) -> None:
        found.append(Deadline(f"{kind}-{row.uid}", day, words % {"title": title}))

    for share in own.with_the_body().select_related("item"):
        title = share.item.title
        if share.status == Assignment.Status.PENDING:
            add("sign", share, share.accept_due_date, _("To sign for: %(title)s"), title)
        if share.due_date is not None:
            add("share", share, share.due_date, _("Due: %(title)s"), title)
    steps = Milestone.objects.filter(
        assignment__in=own.with_the_body(), status__in=Milestone.BODY_STATES
    )
    for step in steps:
        add("milestone", step, step.planned_date, _("Milestone: %(title)s"), step.title)
    written = (ProgressReport.Status.SUBMITTED, ProgressReport.Status.APPROVED)
    periods = (
        ReportPeriod.objects.filter(
            assignment__in=own.with_the_body(),
            status=ReportPeriod.Status.OPEN,
            start_date__lte=today,
        )
        .exclude(report__status__in=written)
        .select_related("assignment__item")
    )
    for period in periods:
        add(
            "return",
            period,
            period.due_date,
            _("Return: %(title)s"),
            f"{period.label} {period.assignment.item.title}",
        )
    helps = (
        HelpRequest.objects.visible_to(user)
        .filter(organization_id=user.organization_id, status=HelpRequest.Status.ASKED)
        .select_related("assignment__item")
    )
    for row in helps:
        add("help", row, row.due_date, _("Help: %(title)s"), row.assignment.item.title)
    return found
