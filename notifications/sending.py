"""Sending what waits in the outbox: claimed, looked at again, handed over, and said honestly."""

import logging
import time as clock
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from urllib.parse import urlparse

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from notifications import channels, rules, texts
from notifications.channels.base import Message, OutcomeUnknown, PermanentFailure, SendProblem
from notifications.models import Delivery, Digest, GroupRobot, Preference, SendStatus
from notifications.services import tell_deputies
from notifications.site import mute_reason
from supervision import permissions
from supervision.models import (
    Assignment,
    Delegation,
    Event,
    EventKind,
    Milestone,
    Organization,
    ProgressReport,
    SupervisionItem,
    User,
)
from supervision.rules.working_days import WorkingCalendar
from supervision.services.reviewer_clocks import still_waiting
from supervision.services.settings import working_calendar

logger = logging.getLogger(__name__)

Channel = Delivery.Channel

CLAIM_MINUTES = 10
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
MAX_ATTEMPTS = len(BACKOFF) + 2
BREAKER, RELEASED = "breaker", "released"
RELATED = (
    "event__assignment__item",
    "event__assignment__organization",
    "event__item",
    "event__organization",
    "event__document",
    "event__milestone",
    "event__period__report",
    "on_behalf_of",
)


def send_pending(
    now: datetime, *, is_released: bool = False, budget_seconds: float | None = None
) -> dict:
    """Send what waits and may leave now: one digest a person and day, red at once.

    Claimed by one UPDATE, so that several workers may run. Outside the window, on a muted host
    or with the breaker open nothing leaves and nothing is lost; the summary says so.
    `is_released`: a person has looked at what the breaker held.
    """
    started = clock.monotonic()
    calendar = working_calendar()
    result: Counter = Counter({"mails": 0, "sent": 0, "failed": 0, "dead": 0})
    result["unknown"] = _give_up_stale_claims(now)
    result["expired"] = _expire_stale(now)
    if is_released:
        result["released"] = release_breaker(now)
    Delivery.objects.filter(status=SendStatus.FAILED, next_attempt_at__lte=now).update(
        status=SendStatus.PENDING
    )
    waiting = Delivery.objects.filter(status=SendStatus.PENDING).count()
    why_muted = mute_reason(now)
    state = {
        "is_muted": bool(why_muted),
        "why_muted": why_muted,
        "is_in_window": in_window(now, calendar),
    }
    if not waiting or state["is_muted"] or not state["is_in_window"]:
        return {**state, **result, "waiting": waiting}
    # What a person released, or asked for again, is not what the breaker looks at.
    new = Delivery.objects.filter(status=SendStatus.PENDING, resends=0).exclude(error=RELEASED)
    if not is_released and new.count() > breaker_limit(now):
        held = new.update(status=SendStatus.HELD, error=BREAKER)
        logger.error("Held %s messages: many more than usual; see send_pending --release", held)
        return {**state, **result, "waiting": 0, "held": held}
    tell_deputies(now)
    for send, waits in (
        (_send_to, _who_waits(now)),
        (_send_sms_to, _phones_waiting(now)),
        (_send_to_group, _groups_waiting(now)),
    ):
        for pk in waits:
            if budget_seconds is not None and clock.monotonic() - started > budget_seconds:
                break
            # One side that is down costs one attempt; the other ways out go on.
            if not send(pk, now, calendar, result):
                break
    waiting = Delivery.objects.filter(status=SendStatus.PENDING).count()
    return {**state, **result, "waiting": waiting}


def release_breaker(now: datetime) -> int:
    """Let go what the breaker held; returns how many. A person has looked at it.

    The breaker counts them as usual from then on, or it would hold them again at once.
    """
    held = Delivery.objects.filter(status=SendStatus.HELD, error=BREAKER)
    return held.update(status=SendStatus.PENDING, error=RELEASED, next_attempt_at=now)


# When


def in_window(now: datetime, calendar: WorkingCalendar) -> bool:
    """Whether messages may leave: on a working day, between the two local times of the settings."""
    local = timezone.localtime(now)
    return (
        calendar.is_working(local.date())
        and settings.MAIL_FROM_TIME <= local.time() <= settings.MAIL_UNTIL_TIME
    )


def window_opens_at(now: datetime, calendar: WorkingCalendar) -> datetime:
    """From when on messages may leave: now, or when the window opens next."""
    if in_window(now, calendar):
        return now
    local = timezone.localtime(now)
    is_today = calendar.is_working(local.date()) and local.time() < settings.MAIL_FROM_TIME
    day = local.date() if is_today else calendar.add(local.date(), 1)
    return timezone.make_aware(datetime.combine(day, settings.MAIL_FROM_TIME))


def next_morning(now: datetime, calendar: WorkingCalendar) -> datetime:
    """When the window opens on the next working day."""
    day = calendar.add(timezone.localdate(now), 1)
    return timezone.make_aware(datetime.combine(day, settings.MAIL_FROM_TIME))


def next_attempt(attempts: int, now: datetime, calendar: WorkingCalendar) -> datetime | None:
    """When to try again after so many failures: 1, 5, 30 min, 2 h, next working morning, never."""
    if attempts <= len(BACKOFF):
        return now + BACKOFF[attempts - 1]
    return next_morning(now, calendar) if attempts < MAX_ATTEMPTS else None


def midnight_of(now: datetime) -> datetime:
    return timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))


def breaker_limit(now: datetime, rows: QuerySet | None = None) -> int:
    """More messages than this at once are held: n times the last sending day's, and the floor.

    `rows` are the messages that count as usual: those of the outbox, if none are given.
    """
    sent = (Delivery.objects.all() if rows is None else rows).filter(status=SendStatus.SENT)
    last = sent.filter(sent_at__lt=midnight_of(now)).aggregate(last=Max("sent_at"))["last"]
    usual = 0
    if last is not None:
        start = midnight_of(last)
        usual = sent.filter(sent_at__gte=start, sent_at__lt=start + timedelta(days=1)).count()
    return max(settings.MAIL_BREAKER_FACTOR * usual, settings.MAIL_BREAKER_FLOOR)


def _give_up_stale_claims(now: datetime) -> int:
    """A claim nobody finished within ten minutes: it may have left. A person has to look."""
    old = Q(status=SendStatus.SENDING, claimed_at__lt=now - timedelta(minutes=CLAIM_MINUTES))
    Digest.objects.filter(old).update(status=SendStatus.UNKNOWN)
    return Delivery.objects.filter(old).update(status=SendStatus.UNKNOWN, error="claim")


def _expire_stale(now: datetime) -> int:
    """What waited beyond the horizon; not what a person just sent again."""
    horizon = now - timedelta(days=settings.STALE_AFTER_DAYS)
    return Delivery.objects.filter(
        status__in=[SendStatus.PENDING, SendStatus.FAILED], created_at__lt=horizon, resends=0
    ).update(status=SendStatus.EXPIRED, error="stale")


# Who


def _ready(now: datetime) -> QuerySet:
    return Delivery.objects.filter(status=SendStatus.PENDING).filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    )


# What leaves as a mail of its own; the rest waits for the digest.
SINGLE = Q(channel=Channel.MAIL) | Q(channel=Channel.DIGEST, resends__gt=0)
IN_DIGEST = Q(channel=Channel.DIGEST, resends=0)


def _who_waits(now: datetime) -> list[int]:
    """People with mail that may leave now; who had today's digest waits for tomorrow's."""
    today = timezone.localdate(now)
    had_digest = Digest.objects.filter(date=today).exclude(
        status__in=[SendStatus.PENDING, SendStatus.FAILED]
    )
    wants_it_later = Preference.objects.filter(digest_time__gt=timezone.localtime(now).time())
    return list(
        _ready(now)
        .filter(
            SINGLE
            | (
                IN_DIGEST
                & ~Q(recipient__in=had_digest.values("user_id"))
                & ~Q(recipient__in=wants_it_later.values("user_id"))
            )
        )
        .order_by("recipient_id")
        .values_list("recipient_id", flat=True)
        .distinct()
    )


def _phones_waiting(now: datetime) -> list[int]:
    return list(
        _ready(now)
        .filter(channel=Channel.SMS)
        .order_by("recipient_id")
        .values_list("recipient_id", flat=True)
        .distinct()
    )


def _groups_waiting(now: datetime) -> list[int]:
    """Groups with something red, and those that heard of nothing ordinary yet today."""
    heard = Delivery.objects.filter(
        channel=Channel.WEBHOOK,
        is_urgent=False,
        status=SendStatus.SENT,
        sent_at__gte=midnight_of(now),
    )
    return list(
        _ready(now)
        .filter(channel=Channel.WEBHOOK)
        .filter(Q(is_urgent=True) | Q(resends__gt=0) | ~Q(robot__in=heard.values("robot_id")))
        .order_by("robot_id")
        .values_list("robot_id", flat=True)
        .distinct()
    )


def _sent_today(now: datetime, **which) -> int:
    """How many messages left today; what was claimed together left together."""
    return (
        Delivery.objects.filter(status=SendStatus.SENT, sent_at__gte=midnight_of(now), **which)
        .values("claimed_by")
        .distinct()
        .count()
    )


def _claim(deliveries, now: datetime, digest: Digest | None = None) -> list[Delivery]:
    """Take deliveries for sending: only who changes the row from pending sends it."""
    token = f"{uuid.uuid4()}"
    pks = list(deliveries.values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=pks, status=SendStatus.PENDING).update(
        status=SendStatus.SENDING, claimed_by=token, claimed_at=now, digest=digest
    )
    return list(
        Delivery.objects.filter(claimed_by=token)
        .select_related(*RELATED)
        .order_by("event__happened_at", "event_id")
    )


# Mail


def _send_to(user_id: int, now: datetime, calendar: WorkingCalendar, result: Counter) -> bool:
    """Every mail that may leave for one person; False when the mail host cannot be reached."""
    user = User.objects.select_related("preference").get(pk=user_id)
    today = timezone.localdate(now)
    ready = _ready(now).filter(recipient_id=user_id, channel__in=[Channel.MAIL, Channel.DIGEST])
    digest = Digest.objects.filter(user_id=user_id, date=today).first()
    left = settings.MAIL_DAILY_CAP - (
        _sent_today(now, recipient_id=user_id, channel=Channel.MAIL, digest=None)
        + (digest is not None and digest.status == SendStatus.SENT)
    )
    is_digest_free = digest is None or digest.status in (SendStatus.PENDING, SendStatus.FAILED)
    together, is_joined = _together(ready, is_digest_free=is_digest_free)
    for delivery in ready.filter(SINGLE).exclude(pk__in=together).order_by("pk"):
        if left <= 0:
            ready.update(next_attempt_at=next_morning(now, calendar))
            result["capped"] += 1
            return True
        claimed = _claim(Delivery.objects.filter(pk=delivery.pk), now)
        wanted = _drop_unwanted(user, claimed, now, result)
        if wanted:
            left -= 1
            if not _transmit(user, wanted, None, now, calendar, result):
                return False
    if left <= 0:
        return True
    if not is_joined and together:
        if left <= 0:
            ready.update(next_attempt_at=next_morning(now, calendar))
            result["capped"] += 1
            return True
        if not _send_together(user, together, now, calendar, result):
            return False
        left -= 1
        together = []
    if left <= 0 or not is_digest_free or not (is_joined or _is_digest_time(user, now)):
        return True
    in_digest = ready.filter(IN_DIGEST | Q(pk__in=together))
    return _send_digest(user, in_digest, now, calendar, result)


def _together(ready: QuerySet, *, is_digest_free: bool) -> tuple[list[int], bool]:
    """Red messages that go in one mail, and whether they join the digest.

    What waits for one person at one moment is one mail. After a standstill, when some of it is
    about days that have passed, the digest joins it. A single one goes as any other.
    """
    red = dict(ready.filter(channel=Channel.MAIL, resends=0).values_list("pk", "late_by_days"))
    joins = is_digest_free and any(red.values()) and ready.filter(IN_DIGEST).exists()
    return (list(red), joins) if joins or len(red) > 1 else ([], False)


def _is_digest_time(user: User, now: datetime) -> bool:
    preference = getattr(user, "preference", None)
    wanted = preference.digest_time if preference else None
    return wanted is None or wanted <= timezone.localtime(now).time()


def _send_together(
    user: User, together: list[int], now: datetime, calendar: WorkingCalendar, result: Counter
) -> bool:
    """Several red messages in one mail of their own."""
    claimed = _claim(Delivery.objects.filter(pk__in=together), now)
    wanted = _drop_unwanted(user, claimed, now, result)
    return not wanted or _transmit(user, wanted, None, now, calendar, result)


def _send_digest(
    user: User, ready, now: datetime, calendar: WorkingCalendar, result: Counter
) -> bool:
    today = timezone.localdate(now)
    if not ready.exists():
        return True
    with transaction.atomic():
        digest, _created = Digest.objects.get_or_create(
            user=user,
            date=today,
            defaults={"message_id": f"<digest-{uuid.uuid4()}@{message_host()}>"},
        )
        is_ours = Digest.objects.filter(
            pk=digest.pk, status__in=[SendStatus.PENDING, SendStatus.FAILED]
        ).update(status=SendStatus.SENDING, claimed_at=now)
        if not is_ours:
            return True
        claimed = _claim(ready, now, digest)
    wanted = _drop_unwanted(user, claimed, now, result)
    if not wanted:
        Digest.objects.filter(pk=digest.pk).update(status=SendStatus.PENDING)
        return True
    return _transmit(user, wanted, digest, now, calendar, result)


# Text messages and groups


def _send_sms_to(user_id: int, now: datetime, calendar: WorkingCalendar, result: Counter) -> bool:
    """Each red matter as a text message of its own, up to the day's cap."""
    user = User.objects.get(pk=user_id)
    ready = _ready(now).filter(recipient_id=user_id, channel=Channel.SMS)
    left = settings.SMS_DAILY_CAP - _sent_today(now, recipient_id=user_id, channel=Channel.SMS)
    for delivery in ready.order_by("pk"):
        if left <= 0:
            ready.update(next_attempt_at=next_morning(now, calendar))
            result["capped"] += 1
            return True
        claimed = _claim(Delivery.objects.filter(pk=delivery.pk), now)
        wanted = _drop_unwanted(user, claimed, now, result)
        if wanted:
            left -= 1
            if not _transmit(user, wanted, None, now, calendar, result):
                return False
    return True


def _send_to_group(
    robot_id: int, now: datetime, calendar: WorkingCalendar, result: Counter
) -> bool:
    """Everything that waits for one group in one message: red at once, the rest once a day."""
    robot = GroupRobot.objects.select_related("organization").get(pk=robot_id)
    ready = _ready(now).filter(robot_id=robot_id)
    claimed_at = (
        Delivery.objects.filter(
            robot_id=robot_id, status=SendStatus.SENT, sent_at__gte=midnight_of(now)
        )
        .values("sent_at")
        .distinct()
        .count()
    )
    if claimed_at >= settings.MAIL_DAILY_CAP:
        ready.update(next_attempt_at=next_morning(now, calendar))
        result["capped"] += 1
        return True
    again = ready.filter(resends__gt=0)
    for part in (again, ready.filter(resends=0)):
        claimed = _claim(part, now)
        wanted = _drop_unwanted(robot, claimed, now, result)
        if wanted:
            _transmit(robot, wanted, None, now, calendar, result)
    # Each product has a host of its own: one that is down says nothing about the others.
    return True


# Handing over


def _transmit(
    to: User | GroupRobot,
    deliveries: list[Delivery],
    digest: Digest | None,
    now: datetime,
    calendar: WorkingCalendar,
    result: Counter,
) -> bool:
    """One message; then the rows say what became of it. False when the other side is down."""
    first = deliveries[0]
    try:
        message = Message(
            to=to,
            lines=[_line(delivery) for delivery in deliveries],
            message_id=digest.message_id if digest else message_id_of(first),
            is_digest=digest is not None or (len(deliveries) > 1 and first.robot_id is None),
            is_resend=first.resends > 0,
        )
        channels.channel(first.channel).send(message)
    except Exception as error:
        # Not the error's own words for what we do not know: they may hold an address.
        logger.warning("Message %s not sent: %s", first.pk, error_of(error))
        with transaction.atomic():
            for delivery in deliveries:
                _record_failure(delivery, error, now, calendar, result)
            if digest is not None:
                is_unknown = isinstance(error, OutcomeUnknown)
                Digest.objects.filter(pk=digest.pk).update(
                    status=SendStatus.UNKNOWN if is_unknown else SendStatus.FAILED
                )
        return not getattr(error, "is_down", False)
    # From here the other side has it. If this cannot be committed the claim goes stale and a
    # person sees it as unknown: nothing is sent twice by itself.
    with transaction.atomic():
        Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries]).update(
            status=SendStatus.SENT, sent_at=now, error="", next_attempt_at=None
        )
        if digest is not None:
            Digest.objects.filter(pk=digest.pk).update(status=SendStatus.SENT, sent_at=now)
    result["sent"] += len(deliveries)
    result["mails"] += 1
    return True


def message_id_of(delivery: Delivery) -> str:
    """The delivery's number; a repeat has a number of its own, or hosts would drop it."""
    again = f".{delivery.resends}" if delivery.resends else ""
    return f"<delivery-{delivery.pk}{again}@{message_host()}>"


def _line(delivery: Delivery) -> texts.Line:
    if delivery.on_behalf_of_id:
        return texts.line_for(
            delivery.event,
            reason_code=rules.DEPUTY,
            reason_params={"person": str(delivery.on_behalf_of)},
        )
    return texts.line_for(delivery.event, reason_code=delivery.duty)


def error_of(error: Exception) -> str:
    """What is written on the row: a code of ours, with the other side's words where safe."""
    return str(error) if isinstance(error, SendProblem) else f"error: {type(error).__name__}"


def _record_failure(
    delivery: Delivery, error: Exception, now: datetime, calendar: WorkingCalendar, result: Counter
) -> None:
    delivery.attempts += 1
    delivery.next_attempt_at = None
    if isinstance(error, OutcomeUnknown):
        delivery.status = SendStatus.UNKNOWN
    elif isinstance(error, PermanentFailure):
        delivery.status = SendStatus.DEAD
    else:
        delivery.next_attempt_at = next_attempt(delivery.attempts, now, calendar)
        delivery.status = SendStatus.FAILED if delivery.next_attempt_at else SendStatus.DEAD
    delivery.error = error_of(error)[:300]
    delivery.save(update_fields=["attempts", "next_attempt_at", "status", "error"])
    result[delivery.status.value] += 1


# Looking again at the last moment


def _drop_unwanted(
    to: User | GroupRobot, deliveries: list[Delivery], now: datetime, result: Counter
) -> list[Delivery]:
    """Look at everything again at the last moment; what is no longer wanted expires, with why."""
    if isinstance(to, GroupRobot):
        against = reasons_against_group(to, deliveries, now)
    else:
        against = reasons_against(to, deliveries, now)
    by_reason = defaultdict(list)
    for pk, reason in against.items():
        by_reason[reason].append(pk)
    for reason, pks in by_reason.items():
        Delivery.objects.filter(pk__in=pks).update(status=SendStatus.EXPIRED, error=reason)
        result["expired"] += len(pks)
    return [delivery for delivery in deliveries if delivery.pk not in against]


def reasons_against(user: User, deliveries: list[Delivery], now: datetime) -> dict[int, str]:
    """Why some of a person's messages must not leave: a code for each, at constant queries.

    `inactive`, `no_address`, `deputy_ended`, `duty` no longer held, `not_visible`, `settled`.
    Who stands in for another is measured by the other's duty and eyes.
    """
    today = timezone.localdate(now)
    decided = _decided(deliveries) | _off_the_desk(deliveries)
    in_force = set()
    if any(delivery.on_behalf_of_id for delivery in deliveries):
        in_force = set(
            Delegation.objects.active_on(today)
            .filter(deputy=user)
            .values_list("user_id", flat=True)
        )
    found = {}
    for person, rows in _by_person(user, deliveries):
        shares = {row.event.assignment_id for row in rows if row.event.assignment_id}
        items = {row.event.item_id for row in rows if row.event.item_id}
        seen_shares = set(
            Assignment.objects.visible_to(person).filter(pk__in=shares).values_list("pk", flat=True)
        )
        seen_items = set(
            SupervisionItem.objects.visible_to(person)
            .filter(pk__in=items)
            .values_list("pk", flat=True)
        )
        for delivery in rows:
            event = delivery.event
            has_address = user.mobile_phone if delivery.channel == Channel.SMS else user.email
            if not user.is_active or not person.is_active:
                found[delivery.pk] = "inactive"
            elif not has_address:
                found[delivery.pk] = "no_address"
            elif person != user and person.pk not in in_force:
                found[delivery.pk] = "deputy_ended"
            elif not _holds(person, delivery.duty, event):
                found[delivery.pk] = "duty"
            elif not _may_see(person, event, seen_shares, seen_items):
                found[delivery.pk] = "not_visible"
            elif delivery.pk in decided or is_settled(event, today):
                found[delivery.pk] = "settled"
    return found


def _by_person(user: User, deliveries: list[Delivery]) -> Iterator[tuple[User, list[Delivery]]]:
    """The messages by the person whose duty they belong to."""
    grouped: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        grouped[delivery.on_behalf_of_id or user.pk].append(delivery)
    for pk, rows in grouped.items():
        yield (user if pk == user.pk else rows[0].on_behalf_of), rows


def reasons_against_group(
    robot: GroupRobot, deliveries: list[Delivery], now: datetime
) -> dict[int, str]:
    """Why some messages must not reach a group: `robot_off`, `duty` of another body, `settled`."""
    today = timezone.localdate(now)
    decided = _decided(deliveries) | _off_the_desk(deliveries)
    is_office = robot.organization.kind == Organization.Kind.OFFICE
    found = {}
    for delivery in deliveries:
        event = delivery.event
        if not robot.is_active:
            found[delivery.pk] = "robot_off"
        elif not is_office and event.organization_id != robot.organization_id:
            found[delivery.pk] = "duty"
        elif delivery.pk in decided or is_settled(event, today):
            found[delivery.pk] = "settled"
    return found


def _decided(deliveries: list[Delivery]) -> set[int]:
    """Messages about a proposal that somebody has decided meanwhile."""
    proposed = defaultdict(list)
    for row in deliveries:
        if row.event.kind == EventKind.ESCALATION_PROPOSED and row.event.fact_key:
            proposed[row.event.fact_key.replace("proposed:", "decided:", 1)].append(row.pk)
    if not proposed:
        return set()
    keys = Event.objects.filter(fact_key__in=proposed).values_list("fact_key", flat=True)
    return {pk for key in keys for pk in proposed[key]}


def _off_the_desk(deliveries: list[Delivery]) -> set[int]:
    """Messages that press a reviewer about what no longer lies on his desk."""
    pressing = [row for row in deliveries if row.event.kind in rules.WAITING]
    waiting = still_waiting(row.event for row in pressing)
    return {row.pk for row in pressing if row.event_id not in waiting}


def _holds(user: User, duty: str, event: Event) -> bool:
    """Whether the person still holds the duty under which he was to hear of it."""
    item = event.item
    if duty == rules.DRAFTER:
        return item is not None and item.drafted_by_id == user.pk
    if duty == rules.LEADER:
        return item is not None and permissions.leads_item(item, user)
    if not user.has_role(duty):
        return False
    return duty not in rules.BODY_DUTIES or user.organization_id == event.organization_id


def _may_see(user: User, event: Event, seen_shares: set, seen_items: set) -> bool:
    if rules.is_help_to(event, user.organization_id):
        return True
    if event.assignment_id:
        return event.assignment_id in seen_shares
    if event.item_id:
        return event.item_id in seen_items
    if event.kind in rules.OF_CALENDAR:
        # The duty, and for a body's message the body, is checked before.
        return event.organization_id is not None or permissions.sees_calendar(user)
    return permissions.sees_releases(user)


def is_settled(event: Event, today: date) -> bool:
    """Whether a message that presses for something has nothing left to press for."""
    if event.kind not in rules.CHASING:
        return False
    share = event.assignment
    if share.status not in Assignment.BODY_STATES:
        return True
    if event.kind == EventKind.ACCEPT_OVERDUE:
        return share.status != Assignment.Status.PENDING
    if event.kind == EventKind.MILESTONE_MISSED:
        milestone = event.milestone
        return (
            milestone.status not in Milestone.BODY_STATES
            or milestone.planned_date.isoformat() != event.data.get("planned_date")
        )
    if event.kind == EventKind.PERIOD_CLOSED:
        report = getattr(event.period, "report", None)
        return report is not None and report.status in (
            ProgressReport.Status.SUBMITTED,
            ProgressReport.Status.APPROVED,
        )
    if event.data.get("episode", share.episode) != share.episode:
        return True
    if event.kind == EventKind.REMINDER_DUE:
        return share.due_date is None or share.due_date < today
    if event.kind == EventKind.BECAME_OVERDUE:
        return share.due_date is None or share.due_date >= today
    return False


def message_host() -> str:
    return urlparse(settings.SITE_URL).hostname or "localhost"


def outbox_counts() -> dict[str, int]:
    """How many messages are in each state; every state named."""
    return named_counts(counted_states())


def counted_states() -> QuerySet:
    """(state, number of messages), states without any left out."""
    return Delivery.objects.values_list("status").annotate(n=Count("pk")).order_by("status")


def named_counts(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Every state with its number of messages."""
    found = dict(rows)
    return {status.value: found.get(status.value, 0) for status in SendStatus}
