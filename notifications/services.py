"""Telling people: inbox and outbox rows with the event, sending as a claimed job of its own."""

import logging
import smtplib
import time as clock
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from urllib.parse import urlparse

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from notifications import rules
from notifications.channels.mail import send_mail
from notifications.models import (
    Delivery,
    Digest,
    FanOut,
    InboxEntry,
    SendStatus,
    Watermark,
)
from supervision import permissions
from supervision.models import (
    Assignment,
    Event,
    EventKind,
    Milestone,
    ProgressReport,
    SupervisionItem,
    User,
)
from supervision.rules.working_days import WorkingCalendar
from supervision.services.reviewer_clocks import still_waiting
from supervision.services.settings import working_calendar

logger = logging.getLogger(__name__)

STRENGTH = {rules.INBOX: 0, rules.DIGEST: 1, rules.AT_ONCE: 2}
# Commits may overtake each other: the search for forgotten events looks back this many.
OVERLAP = 1000
CLAIM_MINUTES = 10
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
MAX_ATTEMPTS = len(BACKOFF) + 2
# What the host says when it cannot be reached at all: the others would wait for nothing.
HOST_DOWN = (OSError, smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected)


# Telling


def hear(sender, event: Event, **kwargs) -> None:
    """Receiver of `event_recorded`, inside the transaction of the event, under a savepoint."""
    with transaction.atomic():
        settle(event)
        fan_out(event)


def fan_out(event: Event) -> int:
    """Write inbox and outbox rows for everybody the event concerns; returns how many people.

    Safe to repeat: the rows are unique. Nobody is told of his own act.
    """
    if event.kind not in rules.HEARINGS:
        return 0
    told = _recipients(event)
    InboxEntry.objects.bulk_create(
        [
            InboxEntry(
                user_id=user_id,
                event=event,
                reason_code=hearing.duty,
                reason_params={"body": body} if hearing.duty in rules.BODY_DUTIES else {},
                created_at=event.recorded_at,
            )
            for user_id, (hearing, _email, body) in told.items()
        ],
        ignore_conflicts=True,
    )
    Delivery.objects.bulk_create(
        [
            Delivery(
                event=event,
                recipient_id=user_id,
                channel=hearing.channel,
                duty=hearing.duty,
                created_at=event.recorded_at,
            )
            for user_id, (hearing, email, _body) in told.items()
            if hearing.channel != rules.INBOX and email
        ],
        ignore_conflicts=True,
    )
    FanOut.objects.bulk_create([FanOut(event=event, recipients=len(told))], ignore_conflicts=True)
    return len(told)


def _recipients(event: Event) -> dict[int, tuple[rules.Hearing, str, str]]:
    """Accounts that hear of the event: the strongest hearing, e-mail address, name of the body."""
    found = rules.hearings(event.kind, event.data)
    if not found:
        return {}
    wanted = {hearing.duty for hearing in found}
    leader_id = drafter_id = None
    if wanted & rules.PERSONAL_DUTIES and event.item_id:
        leader_id, drafter_id = SupervisionItem.objects.values_list(
            "leader_id", "drafted_by_id"
        ).get(pk=event.item_id)
    who = Q(groups__name__in=wanted & rules.OFFICE_DUTIES)
    if event.organization_id is not None:
        who |= Q(groups__name__in=wanted & rules.BODY_DUTIES, organization_id=event.organization_id)
    if rules.LEADER in wanted and leader_id:
        who |= Q(groups__name=rules.LEADER, pk=leader_id)
    if rules.DRAFTER in wanted and drafter_id:
        who |= Q(pk=drafter_id)
    people = (
        User.objects.filter(who, is_active=True)
        .exclude(pk=event.by_id or 0)
        .values_list("pk", "email", "organization_id", "organization__short_name", "groups__name")
    )
    told: dict[int, tuple[rules.Hearing, str, str]] = {}
    for pk, email, organization_id, body, role in people:
        for hearing in found:
            holds = {
                rules.LEADER: role == rules.LEADER and pk == leader_id,
                rules.DRAFTER: pk == drafter_id,
            }.get(
                hearing.duty,
                role == hearing.duty
                and (
                    hearing.duty in rules.OFFICE_DUTIES or organization_id == event.organization_id
                ),
            )
            before = told.get(pk)
            if holds and (
                before is None or STRENGTH[hearing.channel] > STRENGTH[before[0].channel]
            ):
                told[pk] = (hearing, email, body or "")
    return told


def fan_out_missed(*, is_wide: bool = False, limit: int = 2000) -> dict:
    """Tell of events nobody was told of, because their writer failed or went round the signal.

    Looks from the watermark on, so that the cost does not grow with history; `is_wide` looks at
    every event. Each event has its own transaction; one bad event does not stop the others.
    """
    mark, _created = Watermark.objects.get_or_create(name="fan_out")
    events = Event.objects.filter(kind__in=list(rules.HEARINGS), fan_out=None)
    newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if not is_wide:
        events = events.filter(pk__gt=mark.event_id)
    written, failed = 0, []
    waiting = list(events.order_by("pk")[:limit])
    for event in waiting:
        try:
            with transaction.atomic():
                fan_out(event)
            written += 1
        except Exception:
            logger.exception("Could not tell of event %s", event.pk)
            failed.append(event.pk)
    # Move on only past what was told; events still being committed lie within the overlap.
    if len(waiting) == limit:
        newest = waiting[-1].pk
    reached = min([newest - OVERLAP, *(pk - 1 for pk in failed)])
    Watermark.objects.filter(pk=mark.pk, event_id__lt=reached).update(event_id=reached)
    return {"written": written, "failed": len(failed)}


def settle(event: Event) -> None:
    """Void the messages that this event answers or makes pointless, in the same transaction."""
    if event.kind in rules.TAKES_OFF:
        _take_off_desk(event)
    if event.assignment_id is None:
        return
    if event.kind in rules.ENDING:
        cancel_open(event.assignment_id, at=event.recorded_at, reason=event.kind)
    elif event.kind in rules.SETTLES:
        of = {}
        if event.milestone_id:
            of = {"event__milestone_id": event.milestone_id}
        elif event.period_id:
            of = {"event__period_id": event.period_id}
        cancel_open(
            event.assignment_id,
            at=event.recorded_at,
            reason=event.kind,
            kinds=rules.SETTLES[event.kind],
            of=of,
        )


def _take_off_desk(event: Event) -> None:
    """What pressed a reviewer is done with the reviewer's act."""
    about = {
        "event__kind__in": list(rules.WAITING),
        "event__data__queue__in": list(rules.TAKES_OFF[event.kind]),
    }
    if event.milestone_id:
        about["event__milestone_id"] = event.milestone_id
    elif event.period_id:
        about["event__period_id"] = event.period_id
    elif event.assignment_id:
        about["event__assignment_id"] = event.assignment_id
    elif event.item_id:
        about["event__item_id"] = event.item_id
    else:
        about["event__document_id"] = event.document_id
    InboxEntry.objects.filter(done_at=None, **about).update(done_at=event.recorded_at)
    Delivery.objects.filter(status__in=Delivery.OPEN_STATES, **about).update(
        status=SendStatus.CANCELLED, error=event.kind
    )


def cancel_open(
    assignment: Assignment | int,
    *,
    at: datetime,
    reason: str,
    kinds: Iterable[str] | None = None,
    of: dict | None = None,
) -> int:
    """Cancel what waits to be sent about a share, and tick off what pressed for something.

    With `kinds` only messages of these kinds. `reason` is stored. Returns the number of messages.
    """
    pk = assignment if isinstance(assignment, int) else assignment.pk
    about = {"event__assignment_id": pk, **(of or {})}
    deliveries = Delivery.objects.filter(status__in=Delivery.OPEN_STATES, **about)
    entries = InboxEntry.objects.filter(done_at=None, **about)
    if kinds is None:
        entries = entries.filter(event__kind__in=list(rules.CHASING))
    else:
        deliveries = deliveries.filter(event__kind__in=list(kinds))
        entries = entries.filter(event__kind__in=list(kinds))
    entries.update(done_at=at)
    return deliveries.update(status=SendStatus.CANCELLED, error=reason)


# The inbox


def mark_read(*, user: User, uids: Iterable, at: datetime) -> int:
    """Mark the user's own entries read; returns how many changed."""
    return InboxEntry.objects.of(user).filter(uid__in=uids, read_at=None).update(read_at=at)


def mark_done(*, user: User, uids: Iterable, at: datetime) -> int:
    """Tick the user's own entries off; returns how many changed."""
    entries = InboxEntry.objects.of(user).filter(uid__in=uids, done_at=None)
    entries.filter(read_at=None).update(read_at=at)
    return InboxEntry.objects.of(user).filter(uid__in=uids, done_at=None).update(done_at=at)


def mark_open(*, user: User, uids: Iterable) -> int:
    """Put the user's own entries back among what is to do."""
    return (
        InboxEntry.objects.of(user).filter(uid__in=uids).exclude(done_at=None).update(done_at=None)
    )


# Sending


def send_pending(
    now: datetime, *, is_released: bool = False, budget_seconds: float | None = None
) -> dict:
    """Send what waits and may leave now: one digest a person and day, red at once, by mail.

    Claimed by one UPDATE, so that several workers may run. Outside the window, with SEND_MAIL off
    or with the breaker open nothing leaves and nothing is lost; the summary says so. `is_released`:
    a person has looked at what the breaker held.
    """
    started = clock.monotonic()
    calendar = working_calendar()
    result: Counter = Counter({"mails": 0, "sent": 0, "failed": 0, "dead": 0})
    result["unknown"] = _give_up_stale_claims(now)
    result["expired"] = _expire_stale(now)
    if is_released:
        result["released"] = Delivery.objects.filter(status=SendStatus.HELD, error=BREAKER).update(
            status=SendStatus.PENDING, error=""
        )
    Delivery.objects.filter(status=SendStatus.FAILED, next_attempt_at__lte=now).update(
        status=SendStatus.PENDING
    )
    waiting = Delivery.objects.filter(status=SendStatus.PENDING).count()
    state = {"is_muted": not settings.SEND_MAIL, "is_in_window": in_window(now, calendar)}
    if not waiting or state["is_muted"] or not state["is_in_window"]:
        return {**state, **result, "waiting": waiting}
    if not is_released and waiting > breaker_limit(now):
        held = Delivery.objects.filter(status=SendStatus.PENDING).update(
            status=SendStatus.HELD, error=BREAKER
        )
        logger.error("Held %s messages: many more than usual; see send_pending --release", held)
        return {**state, **result, "waiting": 0, "held": held}
    for user_id in _who_waits(now):
        if budget_seconds is not None and clock.monotonic() - started > budget_seconds:
            break
        is_host_up = _send_to(user_id, now, calendar, result)
        if not is_host_up:
            break
    waiting = Delivery.objects.filter(status=SendStatus.PENDING).count()
    return {**state, **result, "waiting": waiting}


BREAKER = "breaker"


def in_window(now: datetime, calendar: WorkingCalendar) -> bool:
    """Whether mail may leave: on a working day, between the two local times of the settings."""
    local = timezone.localtime(now)
    return (
        calendar.is_working(local.date())
        and settings.MAIL_FROM_TIME <= local.time() <= settings.MAIL_UNTIL_TIME
    )


def next_morning(now: datetime, calendar: WorkingCalendar) -> datetime:
    """When the window opens on the next working day."""
    day = calendar.add(timezone.localdate(now), 1)
    return timezone.make_aware(datetime.combine(day, settings.MAIL_FROM_TIME))


def next_attempt(attempts: int, now: datetime, calendar: WorkingCalendar) -> datetime | None:
    """When to try again after so many failures: 1, 5, 30 min, 2 h, next working morning, never."""
    if attempts <= len(BACKOFF):
        return now + BACKOFF[attempts - 1]
    return next_morning(now, calendar) if attempts < MAX_ATTEMPTS else None


def breaker_limit(now: datetime) -> int:
    """More messages than this at once are held: n times the last sending day's, and the floor."""
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))
    last = Delivery.objects.filter(status=SendStatus.SENT, sent_at__lt=midnight).aggregate(
        last=Max("sent_at")
    )["last"]
    usual = 0
    if last is not None:
        day = timezone.localdate(last)
        start = timezone.make_aware(datetime.combine(day, time.min))
        usual = Delivery.objects.filter(
            status=SendStatus.SENT, sent_at__gte=start, sent_at__lt=start + timedelta(days=1)
        ).count()
    return max(settings.MAIL_BREAKER_FACTOR * usual, settings.MAIL_BREAKER_FLOOR)


def _give_up_stale_claims(now: datetime) -> int:
    """A claim nobody finished within ten minutes: it may have left. A person has to look."""
    old = Q(status=SendStatus.SENDING, claimed_at__lt=now - timedelta(minutes=CLAIM_MINUTES))
    Digest.objects.filter(old).update(status=SendStatus.UNKNOWN)
    return Delivery.objects.filter(old).update(status=SendStatus.UNKNOWN, error="claim")


def _expire_stale(now: datetime) -> int:
    horizon = now - timedelta(days=settings.STALE_AFTER_DAYS)
    return Delivery.objects.filter(
        status__in=[SendStatus.PENDING, SendStatus.FAILED], created_at__lt=horizon
    ).update(status=SendStatus.EXPIRED, error="stale")


def _who_waits(now: datetime) -> list[int]:
    """People with something that may leave now; who had today's digest waits for tomorrow's."""
    today = timezone.localdate(now)
    had_digest = Digest.objects.filter(date=today).exclude(
        status__in=[SendStatus.PENDING, SendStatus.FAILED]
    )
    ready = Delivery.objects.filter(status=SendStatus.PENDING).filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    )
    return list(
        ready.filter(
            Q(channel=Delivery.Channel.MAIL) | ~Q(recipient__in=had_digest.values("user_id"))
        )
        .order_by("recipient_id")
        .values_list("recipient_id", flat=True)
        .distinct()
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
        .select_related(
            "event__assignment__item",
            "event__assignment__organization",
            "event__item",
            "event__organization",
            "event__document",
            "event__milestone",
            "event__period__report",
        )
        .order_by("event__happened_at", "event_id")
    )


def _send_to(user_id: int, now: datetime, calendar: WorkingCalendar, result: Counter) -> bool:
    """Everything that may leave for one person; False when the mail host cannot be reached."""
    user = User.objects.get(pk=user_id)
    today = timezone.localdate(now)
    ready = Delivery.objects.filter(recipient_id=user_id, status=SendStatus.PENDING).filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    )
    midnight = timezone.make_aware(datetime.combine(today, time.min))
    left = settings.MAIL_DAILY_CAP - (
        Delivery.objects.filter(
            recipient_id=user_id,
            channel=Delivery.Channel.MAIL,
            status=SendStatus.SENT,
            sent_at__gte=midnight,
        ).count()
        + Digest.objects.filter(user_id=user_id, date=today, status=SendStatus.SENT).count()
    )
    for delivery in ready.filter(channel=Delivery.Channel.MAIL).order_by("pk"):
        if left <= 0:
            ready.update(next_attempt_at=next_morning(now, calendar))
            result["capped"] += 1
            return True
        claimed = _claim(Delivery.objects.filter(pk=delivery.pk), now)
        wanted = _drop_unwanted(user, claimed, now, result)
        if wanted:
            left -= 1
            message_id = f"<delivery-{delivery.pk}@{_host()}>"
            if not _transmit(user, wanted, None, message_id, now, calendar, result):
                return False
    if left <= 0:
        return True
    return _send_digest(user, ready.filter(channel=Delivery.Channel.DIGEST), now, calendar, result)


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
            defaults={"message_id": f"<digest-{uuid.uuid4()}@{_host()}>"},
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
    return _transmit(user, wanted, digest, digest.message_id, now, calendar, result)


def _transmit(
    user: User,
    deliveries: list[Delivery],
    digest: Digest | None,
    message_id: str,
    now: datetime,
    calendar: WorkingCalendar,
    result: Counter,
) -> bool:
    """One mail; then the rows say what became of it. False when the host cannot be reached."""
    pks = [delivery.pk for delivery in deliveries]
    try:
        send_mail(user=user, events=deliveries, message_id=message_id, is_digest=digest is not None)
    except Exception as error:
        logger.warning("Mail to %s not accepted: %s", user.pk, error)
        with transaction.atomic():
            for delivery in deliveries:
                _record_failure(delivery, error, now, calendar, result)
            if digest is not None:
                Digest.objects.filter(pk=digest.pk).update(status=SendStatus.FAILED)
        is_refused = isinstance(error, smtplib.SMTPException)
        return not isinstance(error, HOST_DOWN) or (
            is_refused
            and not isinstance(error, (smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected))
        )
    # From here the host has it. If this cannot be committed the claim goes stale and a person
    # sees it as unknown: nothing is sent twice by itself.
    with transaction.atomic():
        Delivery.objects.filter(pk__in=pks).update(
            status=SendStatus.SENT, sent_at=now, error="", next_attempt_at=None
        )
        if digest is not None:
            Digest.objects.filter(pk=digest.pk).update(status=SendStatus.SENT, sent_at=now)
    result["sent"] += len(pks)
    result["mails"] += 1
    return True


def _record_failure(
    delivery: Delivery, error: Exception, now: datetime, calendar: WorkingCalendar, result: Counter
) -> None:
    delivery.attempts += 1
    delivery.next_attempt_at = next_attempt(delivery.attempts, now, calendar)
    delivery.status = SendStatus.FAILED if delivery.next_attempt_at else SendStatus.DEAD
    delivery.error = f"{type(error).__name__}: {error}"[:300]
    delivery.save(update_fields=["attempts", "next_attempt_at", "status", "error"])
    result[delivery.status.value] += 1


def _drop_unwanted(
    user: User, deliveries: list[Delivery], now: datetime, result: Counter
) -> list[Delivery]:
    """Look at everything again at the last moment; what is no longer wanted expires, with why."""
    against = reasons_against(user, deliveries, now)
    by_reason = defaultdict(list)
    for pk, reason in against.items():
        by_reason[reason].append(pk)
    for reason, pks in by_reason.items():
        Delivery.objects.filter(pk__in=pks).update(status=SendStatus.EXPIRED, error=reason)
        result["expired"] += len(pks)
    return [delivery for delivery in deliveries if delivery.pk not in against]


def reasons_against(user: User, deliveries: list[Delivery], now: datetime) -> dict[int, str]:
    """Why some of a person's messages must not leave: a code for each, at constant queries.

    `inactive`, `no_address`, `duty` no longer held, `not_visible`, `settled`, `overtaken`.
    """
    today = timezone.localdate(now)
    shares = {d.event.assignment_id for d in deliveries if d.event.assignment_id}
    items = {d.event.item_id for d in deliveries if d.event.item_id}
    seen_shares = set(
        Assignment.objects.visible_to(user).filter(pk__in=shares).values_list("pk", flat=True)
    )
    seen_items = set(
        SupervisionItem.objects.visible_to(user).filter(pk__in=items).values_list("pk", flat=True)
    )
    proposed = {
        d.event.fact_key.replace("proposed:", "decided:", 1): d.pk
        for d in deliveries
        if d.event.kind == EventKind.ESCALATION_PROPOSED and d.event.fact_key
    }
    decided = {
        proposed[key]
        for key in Event.objects.filter(fact_key__in=proposed).values_list("fact_key", flat=True)
    }
    pressing = [d.event for d in deliveries if d.event.kind in rules.WAITING]
    waiting = still_waiting(pressing)
    found = {}
    for delivery in deliveries:
        event = delivery.event
        if not user.is_active:
            found[delivery.pk] = "inactive"
        elif not user.email:
            found[delivery.pk] = "no_address"
        elif not _holds(user, delivery.duty, event):
            found[delivery.pk] = "duty"
        elif not _may_see(user, event, seen_shares, seen_items):
            found[delivery.pk] = "not_visible"
        elif (
            (event.kind in rules.WAITING and event.pk not in waiting)
            or delivery.pk in decided
            or (event.kind in rules.CHASING and _is_settled(event, today))
        ):
            found[delivery.pk] = "settled"
    return found


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
    if event.assignment_id:
        return event.assignment_id in seen_shares
    if event.item_id:
        return event.item_id in seen_items
    if event.kind in rules.OF_CALENDAR:
        # The duty, and for a body's message the body, is checked before.
        return event.organization_id is not None or permissions.sees_calendar(user)
    return permissions.sees_releases(user)


def _is_settled(event: Event, today) -> bool:
    """Whether a message that presses for something has nothing left to press for."""
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


def _host() -> str:
    return urlparse(settings.SITE_URL).hostname or "localhost"


def outbox_counts() -> dict[str, int]:
    """How many messages are in each state; every state named."""
    found = dict(Delivery.objects.values_list("status").annotate(n=Count("pk")).order_by())
    return {status.value: found.get(status.value, 0) for status in SendStatus}
