"""What will leave in the coming days, to whom and why: what waits, and what the sweep will find.

The sweep's decider is asked for each day ahead; nothing here writes. What people do meanwhile
changes it, so it is a forecast, and says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from notifications import rules, texts
from notifications.models import Delivery, GroupRobot, MessageHold, SendStatus
from notifications.outbox import held_keys
from notifications.sending import window_opens_at
from notifications.services import TERM, Person, copies, hold_key, people_between, resolve
from supervision.history import sentence
from supervision.models import Assignment, Event, Organization, SupervisionItem
from supervision.rules.working_days import WorkingCalendar
from supervision.services.effects import Effect, midnight
from supervision.services.facts import foreseen_effects
from supervision.services.settings import working_calendar
from supervision.together import read_together

LONGEST_DAYS = 14
# What a message says of a share, its item and its body, and what decides who gets it.
TOLD_OF = (
    "uid",
    "status",
    "role",
    "due_date",
    "organization__short_name",
    "organization__kind",
    "item__uid",
    "item__status",
    "item__number",
    "item__title",
    "item__leader",
    "item__drafted_by",
)
WAITING = (SendStatus.PENDING, SendStatus.FAILED, SendStatus.HELD)


@dataclass(frozen=True)
class Reader:
    """One person or group that will be told, over which channel, and why."""

    name: str
    channel: str
    why: str

    @property
    def channel_word(self) -> str:
        return str(Delivery.Channel(self.channel).label)


@dataclass(frozen=True)
class Planned:
    """One fact whose messages will leave. `fact_date` is its day, `leaves_at` the earliest moment.

    `is_on_record`: the fact is written and its messages wait. `hold`: somebody holds them back.
    """

    key: str
    # As it is on record, or will be.
    event: Event
    fact_date: date
    leaves_at: datetime
    item: SupervisionItem | None
    assignment: Assignment | None
    body: str
    readers: tuple[Reader, ...]
    is_on_record: bool
    is_held_by_breaker: bool = False
    hold: MessageHold | None = None

    @property
    def kind(self) -> str:
        return str(self.event.kind)

    @property
    def text(self) -> str:
        """Thousands may be foreseen of which a page tells two hundred."""
        return str(sentence(self.event))

    @property
    def tone(self) -> str:
        return texts.tone_of(self.event)

    @property
    def leaves_date(self) -> date:
        return timezone.localdate(self.leaves_at)

    def as_dict(self) -> dict:
        """For the command: plain values only."""
        return {
            "leaves_at": timezone.localtime(self.leaves_at).isoformat(timespec="minutes"),
            "fact_date": self.fact_date.isoformat(),
            "key": self.key,
            "text": self.text,
            "item": str(self.item) if self.item else "",
            "body": self.body,
            "to": [
                {"name": reader.name, "channel": reader.channel, "why": reader.why}
                for reader in self.readers
            ],
            "is_on_record": self.is_on_record,
            "held": self.hold.reason if self.hold else "",
        }


def upcoming(now: datetime, *, days: int = 7) -> list[Planned]:
    """Everything that will leave from today on within `days` local days, in order of leaving.

    The number of queries depends neither on the days nor on the rows.
    """
    days = max(1, min(days, LONGEST_DAYS))
    calendar = working_calendar()
    today = timezone.localdate(now)
    last = today + timedelta(days=days - 1)
    ahead = [today + timedelta(days=number) for number in range(days)]
    read = read_together(
        waiting=_waiting_deliveries(),
        people=people_between(today, last, Q(groups__name__isnull=False)),
        robots=GroupRobot.objects.filter(is_active=True).select_related("organization"),
    )
    found = [
        *_waiting(read["waiting"], now, calendar),
        *_foreseen(ahead, _Readers(read["people"]), _Groups(read["robots"]), now, calendar),
    ]
    holds = held_keys([row.key for row in found])
    rows = [
        row if row.key not in holds else replace(row, hold=holds[row.key])
        for row in found
        if row.leaves_date <= last
    ]
    return sorted(rows, key=lambda row: (row.leaves_at, row.fact_date, row.key))


# What waits in the outbox


def _waiting_deliveries() -> QuerySet[Delivery]:
    return (
        Delivery.objects.filter(status__in=WAITING)
        .select_related(
            "event__assignment__organization",
            "event__item",
            "event__organization",
            "event__document",
            "recipient",
            "robot",
            "on_behalf_of",
        )
        .order_by("event_id", "pk")
    )


def _waiting(
    rows: Iterable[Delivery], now: datetime, calendar: WorkingCalendar
) -> Iterable[Planned]:
    by_event: dict[int, list[Delivery]] = defaultdict(list)
    for row in rows:
        by_event[row.event_id].append(row)
    opens_at = window_opens_at(now, calendar)
    for deliveries in by_event.values():
        event = deliveries[0].event
        later = [row.next_attempt_at for row in deliveries if row.next_attempt_at]
        leaves_at = opens_at
        if len(later) == len(deliveries):
            leaves_at = max(opens_at, window_opens_at(min(later), calendar))
        yield Planned(
            key=hold_key(event),
            event=event,
            fact_date=timezone.localdate(event.happened_at),
            leaves_at=leaves_at,
            item=event.item,
            assignment=event.assignment,
            body=str(event.organization) if event.organization_id else "",
            readers=tuple(_reader_of(row) for row in deliveries),
            is_on_record=True,
            is_held_by_breaker=any(row.error == "breaker" for row in deliveries),
        )


def _reader_of(row: Delivery) -> Reader:
    body = str(row.event.organization) if row.event.organization_id else ""
    if row.on_behalf_of_id:
        why = rules.why(rules.DEPUTY, {"person": str(row.on_behalf_of)})
    else:
        why = rules.why(row.duty, {"body": body})
    return Reader(str(row.recipient or row.robot), row.channel, why)


# What the sweep will find


def _foreseen(
    days: Sequence[date],
    readers: "_Readers",
    groups: "_Groups",
    now: datetime,
    calendar: WorkingCalendar,
) -> Iterable[Planned]:
    by_day = foreseen_effects(days)
    wanted = {effect.assignment_id for _day, effects in by_day for effect in effects}
    rows = Assignment.objects.filter(pk__in=wanted).select_related("item", "organization")
    shares = {row.pk: row for row in rows.only(*TOLD_OF)}
    for day, effects in by_day:
        if not effects:
            continue
        readers.stand_on(day)
        leaves_at = window_opens_at(max(now, midnight(day)), calendar)
        for effect in effects:
            share = shares.get(effect.assignment_id)
            if share is None:
                continue
            event = _event_of(effect, share)
            told = (*readers.of(event, share.item), *groups.of(event))
            if told:
                yield Planned(
                    key=effect.fact_key,
                    event=event,
                    fact_date=effect.on_date,
                    leaves_at=leaves_at,
                    item=share.item,
                    assignment=share,
                    body=str(share.organization),
                    readers=told,
                    is_on_record=False,
                )


def _event_of(effect: Effect, share: Assignment) -> Event:
    """The event as it will be written; not saved."""
    return Event(
        kind=effect.kind,
        fact_key=effect.fact_key,
        item=share.item,
        assignment=share,
        organization=share.organization,
        data=dict(effect.data),
        happened_at=midnight(effect.on_date),
        recorded_at=midnight(effect.on_date),
    )


class _Readers:
    """The accounts, read once for all days: whom an event of a day would be told to."""

    def __init__(self, rows: Iterable[tuple]) -> None:
        self.known = [(Person(*row[: -len(TERM)]), *row[-len(TERM) :]) for row in rows]

    def stand_on(self, day: date) -> None:
        """From here on those of this day: its deputies, and nobody else's."""
        people: dict[Person, None] = {}
        for person, start, end in self.known:
            is_in_force = start is not None and start <= day <= end
            people[person if is_in_force else person._replace(deputy_id=None)] = None
        self.by_role: dict[str, list[Person]] = defaultdict(list)
        self.by_body: dict[tuple[str, int | None], list[Person]] = defaultdict(list)
        self.rows: dict[int, Person] = {}
        self.deputies: dict[int, set[int]] = defaultdict(set)
        for person in people:
            self.by_role[person.role].append(person)
            self.by_body[person.role, person.organization_id].append(person)
            self.rows[person.pk] = person
            if person.deputy_id is not None:
                self.deputies[person.pk].add(person.deputy_id)

    def of(self, event: Event, item: SupervisionItem) -> list[Reader]:
        found = rules.hearings(event.kind, event.data)
        near: list[Person] = []
        for hearing in found:
            if hearing.duty in rules.BODY_DUTIES:
                near += self.by_body[hearing.duty, event.organization_id]
            elif hearing.duty == rules.DRAFTER:
                near += [self.rows[pk] for pk in {item.drafted_by_id} if pk in self.rows]
            else:
                near += self.by_role[hearing.duty]
        told = resolve(event, found, near, leader_id=item.leader_id, drafter_id=item.drafted_by_id)
        readers = []
        for pk, one in told.items():
            why = rules.why(one.hearing.duty, {"body": str(event.organization)})
            for channel in copies(one, event.kind):
                readers.append(Reader(one.name, channel, why))
                for deputy_id in sorted(self.deputies[pk] - set(told)):
                    deputy = self.rows.get(deputy_id)
                    if deputy is not None and deputy.email:
                        reason = rules.why(rules.DEPUTY, {"person": one.name})
                        readers.append(Reader(deputy.name, channel, reason))
        return readers


class _Groups:
    """The group robots in use."""

    def __init__(self, rows: list[GroupRobot]) -> None:
        self.rows = rows

    def of(self, event: Event) -> list[Reader]:
        if event.kind not in rules.GROUP_KINDS or not self.rows:
            return []
        found = rules.hearings(event.kind, event.data)
        duties = {one.duty for one in found if one.channel != rules.INBOX}
        readers = []
        for robot in self.rows:
            is_office = robot.organization.kind == Organization.Kind.OFFICE
            is_told = (is_office and duties & rules.OFFICE_DUTIES) or (
                robot.organization_id == event.organization_id and duties & rules.BODY_DUTIES
            )
            if is_told:
                why = rules.why(rules.GROUP, {"body": str(robot.organization)})
                readers.append(Reader(robot.name, Delivery.Channel.WEBHOOK.value, why))
        return readers
