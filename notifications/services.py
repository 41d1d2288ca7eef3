"""Telling people: inbox and outbox rows with the event. Sending is in `notifications.sending`."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, FilteredRelation, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from notifications import rules
from notifications.models import (
    Delivery,
    FanOut,
    GroupRobot,
    InboxEntry,
    MessageHold,
    SendStatus,
    Watermark,
)
from supervision.models import (
    Assignment,
    Delegation,
    Event,
    Organization,
    SupervisionItem,
    User,
)

logger = logging.getLogger(__name__)

STRENGTH = {rules.INBOX: 0, rules.DIGEST: 1, rules.AT_ONCE: 2}
# Commits may overtake each other: the search for forgotten events looks back this many.
OVERLAP = 1000
HOLD = "hold"


# Telling


def hear(sender, event: Event, **kwargs) -> None:
    """Receiver of `event_recorded`, inside the transaction of the event, under a savepoint."""
    with transaction.atomic():
        settle(event)
        fan_out(event)
        if event.kind in rules.PASSES_ON:
            pass_on(event)


def fan_out(event: Event) -> int:
    """Write inbox and outbox rows for everybody the event concerns; returns how many people.

    Safe to repeat: the rows are unique. Nobody is told of his own act. What a person holds back
    is written as held.
    """
    if event.kind not in rules.HEARINGS:
        return 0
    told = recipients(event)
    InboxEntry.objects.bulk_create(
        [
            InboxEntry(
                user_id=user_id,
                event=event,
                reason_code=one.reason_code,
                reason_params=one.reason_params,
                created_at=event.recorded_at,
            )
            for user_id, one in told.items()
        ],
        ignore_conflicts=True,
    )
    rows = [
        Delivery(
            recipient_id=user_id,
            channel=channel,
            duty=one.hearing.duty,
            on_behalf_of_id=one.for_id,
            is_urgent=one.hearing.channel == rules.AT_ONCE,
        )
        for user_id, one in told.items()
        for channel in copies(one, event.kind)
    ]
    rows += [
        Delivery(
            robot_id=robot_id,
            channel=Delivery.Channel.WEBHOOK,
            duty=rules.GROUP,
            is_urgent=is_urgent,
        )
        for robot_id, is_urgent in robots(event)
    ]
    if rows:
        is_held = MessageHold.objects.filter(key=hold_key(event), released_at=None).exists()
        for row in rows:
            row.event = event
            row.created_at = event.recorded_at
            row.late_by_days = event.data.get("late_by_days", 0)
            if is_held:
                row.status, row.error = SendStatus.HELD, HOLD
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    FanOut.objects.bulk_create([FanOut(event=event, recipients=len(told))], ignore_conflicts=True)
    return len(told)


def hold_key(event: Event) -> str:
    """Under which key a person may hold the messages of this event."""
    return event.fact_key or f"event:{event.pk}"


@dataclass(frozen=True)
class Told:
    """One account that hears of an event, in which duty, and where a copy may go.

    `for_id` is set when the account stands in for the one that has the duty.
    """

    hearing: rules.Hearing
    name: str
    email: str
    mobile_phone: str
    body: str
    is_digest_on: bool = True
    is_sms_on: bool = True
    for_id: int | None = None
    for_name: str = ""

    @property
    def reason_code(self) -> str:
        return rules.DEPUTY if self.for_id else self.hearing.duty

    @property
    def reason_params(self) -> dict[str, str]:
        if self.for_id:
            return {"person": self.for_name}
        return {"body": self.body} if self.hearing.duty in rules.BODY_DUTIES else {}


def copies(one: Told, kind: str) -> list[str]:
    """Over which channels a copy of the inbox goes to this person: his choice within his duty."""
    if one.hearing.channel == rules.INBOX:
        return []
    is_red = one.hearing.channel == rules.AT_ONCE
    found = []
    if one.email and (is_red or one.is_digest_on or kind in rules.DUTY_KINDS):
        found.append(one.hearing.channel)
    if is_red and one.mobile_phone and one.is_sms_on and settings.SMS_GATEWAY_URL:
        found.append(Delivery.Channel.SMS)
    return found


def recipients(event: Event) -> dict[int, Told]:
    """Accounts that hear of the event, each in its strongest duty, deputies of the day included."""
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
    people = people_on(timezone.localdate(event.recorded_at), who)
    told = resolve(event, found, people, leader_id=leader_id, drafter_id=drafter_id)
    stand_in: dict[int, set[int]] = {}
    for person in people:
        if person.deputy_id is not None and person.pk in told:
            stand_in.setdefault(person.deputy_id, set()).add(person.pk)
    for deputy_id, one in _deputies(stand_in, told).items():
        told.setdefault(deputy_id, one)
    told.pop(event.by_id or 0, None)  # the deputy who did it
    return told


class Person(NamedTuple):
    """One account in one role, with what decides how it is told."""

    pk: int
    name: str
    email: str
    mobile_phone: str
    organization_id: int | None
    body: str | None
    role: str | None
    is_digest_on: bool | None
    is_sms_on: bool | None
    deputy_id: int | None
    section_id: int | None = None


def people_on(day: date, who: Q) -> list[Person]:
    """Active accounts, a row for each role and each deputy in force on `day`; one query."""
    return [Person(*row[: -len(TERM)]) for row in people_between(day, day, who)]


# When the deputy of a row stands in.
TERM = ("standing_in_now__start_date", "standing_in_now__end_date")


def people_between(first: date, last: date, who: Q) -> QuerySet:
    """The columns of `Person` and TERM, a row for each role and each deputy of any of the days."""
    in_force = Q(
        delegations__start_date__lte=last,
        delegations__end_date__gte=first,
        delegations__ended_at=None,
    )
    return (
        User.objects.filter(who, is_active=True)
        .annotate(standing_in_now=FilteredRelation("delegations", condition=in_force))
        .values_list(
            "pk",
            "display_name",
            "email",
            "mobile_phone",
            "organization_id",
            "organization__short_name",
            "groups__name",
            "preference__is_digest_on",
            "preference__is_sms_on",
            "standing_in_now__deputy_id",
            "section_id",
            *TERM,
        )
    )


def resolve(
    event: Event,
    found: Iterable[rules.Hearing],
    people: Iterable[Person],
    *,
    leader_id: int | None,
    drafter_id: int | None,
) -> dict[int, Told]:
    """Which of `people` hear of the event in a duty of their own. Nobody is told of his own act."""
    told: dict[int, Told] = {}
    people = list(people)
    section_id = None
    if event.assignment_id and any(person.section_id for person in people):
        section_id = event.assignment.section_id
    for person in people:
        if person.pk == event.by_id:
            continue
        # Who works in one section hears of its work only; a head hears as the head.
        if person.role == rules.LIAISON and person.section_id not in (None, section_id):
            continue
        for hearing in found:
            holds = {
                rules.LEADER: person.role == rules.LEADER and person.pk == leader_id,
                rules.DRAFTER: person.pk == drafter_id,
            }.get(
                hearing.duty,
                person.role == hearing.duty
                and (
                    hearing.duty in rules.OFFICE_DUTIES
                    or person.organization_id == event.organization_id
                ),
            )
            before = told.get(person.pk)
            if holds and (
                before is None or STRENGTH[hearing.channel] > STRENGTH[before.hearing.channel]
            ):
                told[person.pk] = Told(
                    hearing,
                    person.name,
                    person.email,
                    person.mobile_phone,
                    person.body or "",
                    person.is_digest_on is not False,
                    person.is_sms_on is not False,
                )
    return told


def _deputies(stand_in: dict[int, set[int]], told: dict[int, Told]) -> dict[int, Told]:
    """Who stands in for somebody told hears it too, once, in the strongest such duty."""
    if not stand_in:
        return {}
    rows = User.objects.filter(pk__in=stand_in, is_active=True).values_list(
        "pk",
        "display_name",
        "email",
        "mobile_phone",
        "preference__is_digest_on",
        "preference__is_sms_on",
    )
    found = {}
    for pk, name, email, mobile, is_digest_on, is_sms_on in rows:
        for_id = max(sorted(stand_in[pk]), key=lambda one: STRENGTH[told[one].hearing.channel])
        found[pk] = replace(
            told[for_id],
            name=name,
            email=email,
            mobile_phone=mobile,
            is_digest_on=is_digest_on is not False,
            is_sms_on=is_sms_on is not False,
            for_id=for_id,
            for_name=told[for_id].name,
        )
    return found


def robots(event: Event) -> list[tuple[int, bool]]:
    """Robots of the body's and the office's groups that hear of it, and whether at once."""
    if event.kind not in rules.GROUP_KINDS:
        return []
    found = [one for one in rules.hearings(event.kind, event.data) if one.channel != rules.INBOX]
    to_body = [one for one in found if one.duty in rules.BODY_DUTIES]
    to_office = [one for one in found if one.duty in rules.OFFICE_DUTIES]
    whose = Q(pk__in=[])
    if to_body and event.organization_id is not None:
        whose |= Q(organization_id=event.organization_id)
    if to_office:
        whose |= Q(organization__kind=Organization.Kind.OFFICE)
    rows = GroupRobot.objects.filter(whose, is_active=True).values_list("pk", "organization__kind")
    return [
        (
            pk,
            any(
                one.channel == rules.AT_ONCE
                for one in (to_office if kind == Organization.Kind.OFFICE else to_body)
            ),
        )
        for pk, kind in rows
    ]


def tell_deputies(now: datetime) -> int:
    """What waits for somebody waits for his deputy too, even if he was appointed only since.

    Returns how many messages were added. Safe to repeat.
    """
    day = timezone.localdate(now)
    active = list(
        Delegation.objects.active_on(day)
        .filter(deputy__is_active=True)
        .select_related("user", "deputy")
    )
    added = 0
    for delegation in active:
        waiting = Delivery.objects.filter(
            recipient_id=delegation.user_id, on_behalf_of=None, status=SendStatus.PENDING
        )
        told = Delivery.objects.filter(
            recipient_id=delegation.deputy_id, event=OuterRef("event"), channel=OuterRef("channel")
        )
        for delivery in waiting.filter(~Exists(told)).exclude(event__by=delegation.deputy_id):
            added += _tell_deputy(delegation, delivery, now)
    return added


def _tell_deputy(delegation: Delegation, delivery: Delivery, now: datetime) -> bool:
    deputy = delegation.deputy
    InboxEntry.objects.bulk_create(
        [
            InboxEntry(
                user=deputy,
                event_id=delivery.event_id,
                reason_code=rules.DEPUTY,
                reason_params={"person": str(delegation.user)},
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    is_sms = delivery.channel == Delivery.Channel.SMS
    if not (deputy.mobile_phone if is_sms else deputy.email):
        return False
    Delivery.objects.bulk_create(
        [
            Delivery(
                event_id=delivery.event_id,
                recipient=deputy,
                on_behalf_of_id=delegation.user_id,
                channel=delivery.channel,
                duty=delivery.duty,
                is_urgent=delivery.is_urgent,
                late_by_days=delivery.late_by_days,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    return True


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
    if event.kind in rules.SETTLES_OF_ITEM and rules.answers_openness(event.data):
        InboxEntry.objects.filter(
            event__item_id=event.item_id,
            event__kind__in=rules.SETTLES_OF_ITEM[event.kind],
            done_at=None,
        ).update(done_at=event.recorded_at)
    if event.assignment_id is None:
        return
    if event.kind in rules.ENDING:
        cancel_open(event.assignment_id, at=event.recorded_at, reason=event.kind)
    elif event.kind in rules.SETTLES:
        of = {}
        if event.kind in rules.OF_HELP:
            of = {"event__data__help": event.data.get("help")}
        elif event.milestone_id:
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


def pass_on(event: Event) -> None:
    """What waits for who left waits for the successor: open entries and unsent messages.

    Entries of a person stay his, ticked off; the successor gets his own. Safe to repeat.
    """
    giver, taker = event.data["giver_id"], event.data["taker_id"]
    waiting = InboxEntry.objects.filter(user_id=giver, done_at=None)
    InboxEntry.objects.bulk_create(
        [
            InboxEntry(
                user_id=taker,
                event_id=event_id,
                reason_code=rules.SUCCESSOR,
                reason_params={"person": event.data["giver"]},
                created_at=event.recorded_at,
            )
            for event_id in waiting.values_list("event_id", flat=True)
        ],
        ignore_conflicts=True,
    )
    waiting.update(done_at=event.recorded_at)
    unsent = Delivery.objects.filter(
        recipient_id=giver, on_behalf_of=None, status=SendStatus.PENDING
    )
    known = Delivery.objects.filter(
        recipient_id=taker, event=OuterRef("event"), channel=OuterRef("channel")
    )
    unsent.filter(~Exists(known)).update(recipient_id=taker)


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


def red_unread():
    """Red matters in somebody's inbox that this somebody has not read."""
    return InboxEntry.objects.unread().filter(event__kind__in=list(rules.URGENT))


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
