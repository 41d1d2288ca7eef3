"""What a person does about messages: hold back, let go, send again, give up; robots, choices."""

from datetime import datetime, time

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from notifications.channels.webhook import plugin_for
from notifications.followers import release_held_mails
from notifications.models import (
    Delivery,
    GroupRobot,
    MessageHold,
    Preference,
    SendStatus,
)
from notifications.sending import release_breaker
from notifications.services import HOLD
from supervision import permissions
from supervision.models import Event, EventKind, Organization, SupervisionItem, User
from supervision.services.acts import ActRefused, need_text, record_event, require

RESENDABLE = (SendStatus.DEAD, SendStatus.UNKNOWN)


@transaction.atomic
def hold_message(
    *,
    key: str,
    by: User,
    at: datetime,
    reason: str,
    about: str = "",
    item: SupervisionItem | None = None,
) -> MessageHold:
    """Keep the messages of one fact back, whether it is on record yet or not.

    `key` as `services.hold_key` makes it; `about` is what the record calls it. The fact itself is
    written all the same, and the inbox shows it: what is held are the copies that leave.
    Raises PermissionDenied, ActRefused when the reason is missing or it is held already.
    """
    require(permissions.can_manage_outbox(by))
    need_text(reason)
    try:
        with transaction.atomic():
            hold = MessageHold.objects.create(
                key=key, reason=reason.strip()[:300], created_by=by.deputy or by, created_at=at
            )
    except IntegrityError:
        raise ActRefused(_("This message is held back already.")) from None
    _deliveries_of(key).filter(status__in=[SendStatus.PENDING, SendStatus.FAILED]).update(
        status=SendStatus.HELD, error=HOLD, next_attempt_at=None
    )
    record_event(
        EventKind.MESSAGE_HELD,
        item=item,
        by=by,
        at=at,
        reason=reason,
        data={"key": key, "about": about},
    )
    return hold


@transaction.atomic
def release_hold(*, hold: MessageHold, by: User, at: datetime, about: str = "") -> int:
    """Let the messages go; returns how many wait to be sent now.

    Raises PermissionDenied, ActRefused when somebody let them go already.
    """
    require(permissions.can_manage_outbox(by))
    changed = MessageHold.objects.filter(pk=hold.pk, released_at=None).update(
        released_at=at, released_by=by.deputy or by
    )
    if not changed:
        raise ActRefused(_("This message is no longer held back."))
    count = (
        _deliveries_of(hold.key)
        .filter(status=SendStatus.HELD, error=HOLD)
        .update(status=SendStatus.PENDING, error="")
    )
    record_event(EventKind.MESSAGE_UNHELD, by=by, at=at, data={"key": hold.key, "about": about})
    return count


def _deliveries_of(key: str):
    if key.startswith("event:"):
        return Delivery.objects.filter(event_id=int(key.removeprefix("event:")))
    return Delivery.objects.filter(event__fact_key=key)


@transaction.atomic
def resend(*, delivery: Delivery, by: User, at: datetime) -> None:
    """Send a message again that was given up or may not have arrived; the copy says 重发.

    It is looked at again like any other: what is settled meanwhile does not leave.
    Raises PermissionDenied, ActRefused when it is in another state by now.
    """
    require(permissions.can_manage_outbox(by))
    changed = Delivery.objects.filter(pk=delivery.pk, status__in=RESENDABLE).update(
        status=SendStatus.PENDING,
        resends=F("resends") + 1,
        attempts=0,
        next_attempt_at=None,
        error="",
        digest=None,
    )
    if not changed:
        raise ActRefused(_("This message is in another state by now; nothing was sent again."))
    _record(EventKind.MESSAGE_RESENT, delivery, by, at)


@transaction.atomic
def give_up(*, delivery: Delivery, by: User, at: datetime, reason: str) -> None:
    """Decide that a message is not sent any more; it stays on record as cancelled.

    Raises PermissionDenied, ActRefused without a reason or when it left already.
    """
    require(permissions.can_manage_outbox(by))
    need_text(reason)
    changed = Delivery.objects.filter(
        pk=delivery.pk, status__in=[*RESENDABLE, SendStatus.FAILED, SendStatus.HELD]
    ).update(status=SendStatus.CANCELLED, error="given_up", next_attempt_at=None)
    if not changed:
        raise ActRefused(_("This message is in another state by now; it was not given up."))
    _record(EventKind.MESSAGE_GIVEN_UP, delivery, by, at, reason=reason)


def _record(kind: EventKind, delivery: Delivery, by: User, at: datetime, reason: str = "") -> None:
    event = delivery.event
    record_event(
        kind,
        item=event.item,
        by=by,
        at=at,
        reason=reason,
        data={
            "delivery": delivery.pk,
            "recipient": str(delivery.recipient or delivery.robot),
            "channel": delivery.channel,
            "about": str(event.get_kind_display()),
        },
    )


@transaction.atomic
def release_held(*, by: User, at: datetime) -> int:
    """Let go what was held because it was far more than usual; returns how many messages.

    Raises PermissionDenied, ActRefused when nothing is held.
    """
    require(permissions.can_manage_outbox(by))
    count = release_breaker(at)
    if not count:
        raise ActRefused(_("Nothing is held for being unusually much."))
    record_event(EventKind.MESSAGES_RELEASED, by=by, at=at, data={"count": count})
    return count


@transaction.atomic
def release_followers(*, by: User, at: datetime) -> int:
    """Let go the followers' mails that were held for being far more than usual; how many.

    Raises PermissionDenied, ActRefused when nothing is held.
    """
    require(permissions.can_manage_outbox(by))
    count = release_held_mails()
    if not count:
        raise ActRefused(_("Nothing is held for being unusually much."))
    record_event(
        EventKind.MESSAGES_RELEASED, by=by, at=at, data={"count": count, "to": "followers"}
    )
    return count


@transaction.atomic
def add_robot(
    *,
    organization: Organization,
    kind: str,
    name: str,
    address: str,
    secret: str,
    by: User,
    at: datetime,
) -> GroupRobot:
    """Add the robot of a chat group. Key and signing key are never shown again.

    Raises PermissionDenied, ActRefused when the key cannot be one of this product, or the name is
    taken; neither message repeats the key.
    """
    require(permissions.can_manage_outbox(by))
    address, secret = address.strip(), secret.strip()
    try:
        plugin_for(kind, address, secret)
    except TypeError:
        raise ActRefused(
            _(
                "This cannot be the key of such a robot. Enter only the key, not the whole "
                "address: letters, digits, “-” and “_”."
            )
        ) from None
    try:
        with transaction.atomic():
            robot = GroupRobot.objects.create(
                organization=organization,
                kind=kind,
                name=name.strip(),
                address=address,
                secret=secret,
                created_by=by.deputy or by,
                created_at=at,
            )
    except IntegrityError:
        raise ActRefused(_("This body has a group of that name already.")) from None
    record_event(
        EventKind.ROBOT_ADDED,
        organization=organization,
        by=by,
        at=at,
        data={"name": robot.name, "kind": kind},
    )
    return robot


@transaction.atomic
def switch_robot(*, robot: GroupRobot, is_active: bool, by: User, at: datetime) -> None:
    """Take a robot out of use or into use again. Raises PermissionDenied."""
    require(permissions.can_manage_outbox(by))
    if (
        GroupRobot.objects.filter(pk=robot.pk)
        .exclude(is_active=is_active)
        .update(is_active=is_active)
    ):
        record_event(
            EventKind.ROBOT_SWITCHED,
            organization=robot.organization,
            by=by,
            at=at,
            data={"name": robot.name, "is_active": is_active},
        )


@transaction.atomic
def save_preference(
    *,
    user: User,
    is_digest_on: bool,
    digest_time: time | None,
    is_sms_on: bool,
    mobile_phone: str,
) -> Preference:
    """Keep a person's own choices. Duty messages know no choice (`rules.DUTY_KINDS`).

    Raises ActRefused when the time lies outside the hours in which mail leaves, or when somebody
    else acts for the user.
    """
    if user.deputy is not None:
        raise ActRefused(_("A deputy does not change these settings."))
    if digest_time is not None and not (
        settings.MAIL_FROM_TIME <= digest_time <= settings.MAIL_UNTIL_TIME
    ):
        raise ActRefused(
            _("Mail leaves between %(start)s and %(end)s; choose a time between them.")
            % {
                "start": f"{settings.MAIL_FROM_TIME:%H:%M}",
                "end": f"{settings.MAIL_UNTIL_TIME:%H:%M}",
            }
        )
    User.objects.filter(pk=user.pk).update(mobile_phone=mobile_phone)
    preference, _created = Preference.objects.update_or_create(
        user=user,
        defaults={
            "is_digest_on": is_digest_on,
            "digest_time": digest_time,
            "is_sms_on": is_sms_on,
        },
    )
    return preference


def held_keys(keys: list[str]) -> dict[str, MessageHold]:
    """The holds in force for these keys."""
    return {
        hold.key: hold
        for hold in MessageHold.objects.filter(key__in=keys, released_at=None).select_related(
            "created_by"
        )
    }


def about_of(key: str) -> tuple[str, SupervisionItem | None]:
    """What a key is about: the kind of its event and the item, when it is on record."""
    which = (
        {"pk": int(key.removeprefix("event:"))} if key.startswith("event:") else {"fact_key": key}
    )
    event = Event.objects.filter(**which).select_related("item").first()
    return (str(event.get_kind_display()), event.item) if event else ("", None)
