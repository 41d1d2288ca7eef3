"""Deputies (AB角): appointed for certain days, ended at any time, never wider than the person."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import Delegation, EventKind, Role, User
from supervision.services.acts import ActRefused, local_date, record_event, require

# Who keeps the system or reads its records does no business acts, not for others either.
APART = (Role.AUDITOR, Role.ADMINISTRATOR)


@transaction.atomic
def grant_delegation(
    *, user: User, deputy: User, start_date: date, end_date: date, by: User, at: datetime
) -> Delegation:
    """Let `deputy` stand in for `user` on these local days, both included.

    Raises PermissionDenied, and ActRefused when the two are one person, the days are past or in
    the wrong order, the deputy is of another body or keeps the system, or does so already.
    """
    require(permissions.can_delegate_for(user, by))
    obstacle = _obstacle(user, deputy, start_date, end_date, local_date(at))
    if obstacle:
        raise ActRefused(obstacle)
    overlaps = Delegation.objects.select_for_update().filter(
        user=user,
        deputy=deputy,
        ended_at=None,
        start_date__lte=end_date,
        end_date__gte=start_date,
    )
    if overlaps:
        raise ActRefused(_("This person stands in on some of these days already."))
    delegation = Delegation.objects.create(
        user=user,
        deputy=deputy,
        start_date=start_date,
        end_date=end_date,
        created_by=by,
        created_at=at,
    )
    record_event(
        EventKind.DELEGATED,
        organization=user.organization,
        by=by,
        at=at,
        data={
            "user": str(user),
            "deputy": str(deputy),
            "start_date": start_date.isoformat(),
            "end_date": end_date.isoformat(),
        },
    )
    return delegation


def _obstacle(user: User, deputy: User, start_date: date, end_date: date, today: date) -> str:
    if user.pk == deputy.pk:
        return _("Nobody stands in for himself; choose another person.")
    if end_date < start_date:
        return _("The last day lies before the first one.")
    if end_date < today:
        return _("These days are past; a deputy acts from today on.")
    if not deputy.is_active or not user.is_active:
        return _("The account of one of the two is closed.")
    if user.has_role(*APART) or deputy.has_role(*APART):
        return _("Who keeps the system or reads its records has no deputy and is none.")
    if user.organization_id is not None and user.organization_id != deputy.organization_id:
        return _("A deputy comes from the same body: he sees what the other sees.")
    return ""


@transaction.atomic
def end_delegation(*, delegation: Delegation, by: User, at: datetime) -> None:
    """End it at once; the deputy's next click is his own again.

    By the person, the deputy himself, the head of the body, the administrator.
    Raises PermissionDenied, ActRefused when it has ended already.
    """
    is_deputy = by.deputy is None and delegation.deputy_id == by.pk
    require(is_deputy or permissions.can_delegate_for(delegation.user, by))
    changed = Delegation.objects.filter(pk=delegation.pk, ended_at=None).update(
        ended_at=at, ended_by=by
    )
    if not changed:
        raise ActRefused(_("This has ended already."))
    record_event(
        EventKind.DELEGATION_ENDED,
        organization=delegation.user.organization,
        by=by,
        at=at,
        data={"user": str(delegation.user), "deputy": str(delegation.deputy)},
    )
