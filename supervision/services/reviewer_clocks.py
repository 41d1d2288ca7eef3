"""The office has clocks too: what waits on a desk longer than its limit (domain.md, section 6.3).

Nearing and passing a limit are facts like the others: due and not in the ledger, written once
under a unique key. Days beyond a reviewer's limit are charged to the reviewer's desk.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from supervision.models import (
    Assignment,
    Event,
    EventKind,
    ExtensionRequest,
    Hold,
    Milestone,
    Objection,
    ProgressReport,
    Release,
    Role,
    SupervisionItem,
)
from supervision.rules.limits import Unit
from supervision.rules.waiting import Clock, latest_near, latest_over
from supervision.rules.working_days import WorkingCalendar
from supervision.services.acts import record_event
from supervision.services.effects import midnight, spelled_out
from supervision.services.questions import ask
from supervision.services.settings import limits, working_calendar

OFFICER, OFFICE_HEAD = Role.OFFICER.value, Role.OFFICE_HEAD.value
LEADER, BODY_HEAD, LIAISON = Role.LEADER.value, Role.BODY_HEAD.value, Role.LIAISON.value
REVIEWER = Role.REVIEWER.value
KINDS = (EventKind.REVIEW_NEAR, EventKind.REVIEW_OVERDUE)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Desk:
    """A queue: what waits there, on whose desk, under which limit, and who hears after it.

    `near` are the units before the end of the limit at which the desk is told. `rows` carry
    `since_at`, the moment the matter came; `links` name the columns of the event.
    """

    code: str
    limit: str
    near: int
    desk: tuple[str, ...]
    then: tuple[str, ...]
    rows: Callable[[], QuerySet]
    links: Mapping[str, str]


def _event_of(kind: str, **match) -> Subquery:
    return Subquery(
        Event.objects.filter(kind=kind, **match).order_by("-happened_at").values("happened_at")[:1],
        output_field=DateTimeField(null=True),
    )


def _items() -> QuerySet:
    return SupervisionItem.objects.filter(status=SupervisionItem.Status.UNDER_APPROVAL).annotate(
        since_at=F("submitted_at")
    )


def _objections() -> QuerySet:
    return Objection.objects.filter(status=Objection.Status.SUBMITTED).annotate(
        since_at=F("submitted_at")
    )


def _extensions_asked() -> QuerySet:
    return ExtensionRequest.objects.filter(status=ExtensionRequest.Status.SUBMITTED).annotate(
        since_at=F("submitted_at")
    )


def _extensions_endorsed() -> QuerySet:
    return ExtensionRequest.objects.filter(status=ExtensionRequest.Status.ENDORSED).annotate(
        since_at=F("endorsed_at")
    )


def _returns() -> QuerySet:
    return ProgressReport.objects.filter(
        status=ProgressReport.Status.SUBMITTED,
        period__assignment__status__in=Assignment.OPEN_STATES,
    ).annotate(since_at=F("submitted_at"))


def _milestones() -> QuerySet:
    return Milestone.objects.filter(status=Milestone.Status.UNDER_REVIEW).annotate(
        since_at=F("submitted_at")
    )


# As the partial index says it.
WITH_OFFICE = Q(status__in=spelled_out("under_review", "approved"))


def _closings() -> QuerySet:
    return Assignment.objects.filter(WITH_OFFICE, status=Assignment.Status.UNDER_REVIEW).annotate(
        since_at=F("submitted_at")
    )


def _checks() -> QuerySet:
    return Assignment.objects.filter(WITH_OFFICE, status=Assignment.Status.APPROVED).annotate(
        since_at=_event_of(EventKind.APPROVED, assignment=OuterRef("pk"))
    )


def _return_sign_offs() -> QuerySet:
    return ProgressReport.objects.filter(
        status=ProgressReport.Status.UNDER_SIGN_OFF,
        period__assignment__status__in=Assignment.BODY_STATES,
    ).annotate(since_at=_event_of(EventKind.SIGN_OFF_ASKED, period=OuterRef("period")))


def _closing_sign_offs() -> QuerySet:
    return Assignment.objects.filter(
        status__in=[Assignment.Status.IN_PROGRESS, Assignment.Status.RETURNED],
        is_sign_off_requested=True,
    ).annotate(since_at=_event_of(EventKind.CLOSING_DRAFTED, assignment=OuterRef("pk")))


def _releases() -> QuerySet:
    return Release.objects.filter(
        status__in=[Release.Status.FIRST_REVIEW, Release.Status.SECOND_REVIEW]
    ).annotate(since_at=F("stage_at"))


def _secrecy_reviews() -> QuerySet:
    return Release.objects.filter(status=Release.Status.THIRD_REVIEW).annotate(
        since_at=F("stage_at")
    )


OF_SHARE = {"assignment_id": "assignment_id"}
OF_RETURN = {"assignment_id": "period__assignment_id", "period_id": "period_id"}
SHARE = {"assignment_id": "pk"}

DESKS: tuple[Desk, ...] = (
    Desk("approvals", "approve_item", 1, (OFFICE_HEAD,), (LEADER,), _items, {"item_id": "pk"}),
    Desk(
        "objections", "decide_objection", 1, (OFFICE_HEAD,), (LEADER,), _objections, OF_SHARE
    ),
    Desk(
        "extensions", "decide_extension", 1, (OFFICER,), (OFFICE_HEAD,), _extensions_asked,
        OF_SHARE,
    ),
    Desk(
        "decisions", "decide_extension", 1, (LEADER,), (OFFICE_HEAD,), _extensions_endorsed,
        OF_SHARE,
    ),
    Desk("reports", "review_report", 1, (OFFICER,), (OFFICE_HEAD,), _returns, OF_RETURN),
    Desk(
        "milestones", "review_report", 1, (OFFICER,), (OFFICE_HEAD,), _milestones,
        {"assignment_id": "assignment_id", "milestone_id": "pk"},
    ),
    Desk("closings", "review_closing", 2, (OFFICER,), (OFFICE_HEAD,), _closings, SHARE),
    Desk("checks", "verify", 2, (OFFICE_HEAD,), (OFFICE_HEAD,), _checks, SHARE),
    Desk(
        "sign-offs", "sign_off", 1, (BODY_HEAD,), (LIAISON, BODY_HEAD), _return_sign_offs,
        OF_RETURN,
    ),
    Desk(
        "closing-sign-offs", "sign_off", 1, (BODY_HEAD,), (LIAISON, BODY_HEAD),
        _closing_sign_offs, SHARE,
    ),
    Desk(
        "releases", "release_step", 1, (REVIEWER,), (OFFICE_HEAD,), _releases,
        {"document_id": "document_id"},
    ),
    Desk(
        "secrecy-reviews", "secrecy_review", 1, (REVIEWER,), (OFFICE_HEAD,), _secrecy_reviews,
        {"document_id": "document_id"},
    ),
)  # fmt: skip
BY_CODE = {desk.code: desk for desk in DESKS}


@dataclass(frozen=True)
class ReviewEffect:
    """A fact of a reviewer's clock that should exist."""

    kind: EventKind
    fact_key: str
    queue: str
    pk: int
    on_date: date
    since_at: datetime
    links: Mapping[str, Any] = field(default_factory=dict, hash=False)
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def assignment_id(self) -> None:
        """No other fact waits for this one."""
        return None


def _clock(desk: Desk, table: Mapping) -> Clock:
    value, unit = table[desk.limit, ""]
    return Clock(value, Unit(unit), min(desk.near, value))


def due_reviews(today: date, *, is_wide: bool = False) -> list[ReviewEffect]:
    """Every limit of a desk that is near or over by `today` and not on record, oldest first.

    One query a desk, whatever the number of rows, and one more where something is found.
    """
    calendar, table = working_calendar(), limits()
    due: list[ReviewEffect] = []
    reached: dict[Clock, tuple[date, date]] = {}
    for desk in DESKS:
        clock = _clock(desk, table)
        if clock not in reached:
            reached[clock] = (
                latest_over(today, clock, calendar),
                latest_near(today, clock, calendar),
            )
        over, near = reached[clock]
        rows = ask(
            ("desk", desk.code, over, near),
            partial(_unrecorded, desk, over, near),
            is_wide=is_wide,
        )
        rows = list(rows)
        held = _held_since(desk, rows)
        for row in rows:
            effect = _effect(desk, row, clock, calendar, over, today, held)
            if effect is not None:
                due.append(effect)
    return sorted(due, key=lambda effect: (effect.on_date, effect.fact_key))


def _unrecorded(desk: Desk, over: date, near: date) -> QuerySet:
    """What came by `over` without its overdue mark, and by `near` without being announced.

    What is over its limit is not announced any more: the mark says more.
    """
    written = Event.objects.filter(
        data__queue=desk.code,
        happened_at__gte=OuterRef("since_at"),
        **{column: OuterRef(path) for column, path in desk.links.items()},
    )
    is_over = Q(since_at__lt=midnight(over + ONE_DAY))
    rows = (
        desk.rows()
        .order_by()
        .filter(
            is_over & ~Exists(written.filter(kind=EventKind.REVIEW_OVERDUE))
            | ~is_over
            & Q(since_at__lt=midnight(near + ONE_DAY))
            & ~Exists(written.filter(kind=EventKind.REVIEW_NEAR))
        )
    )
    return rows.values("pk", "since_at", *sorted({*desk.links.values()} - {"pk"}))


def _held_since(desk: Desk, rows: Iterable[Mapping]) -> dict[int, list[Hold]]:
    """Ended suspensions of the shares these rows belong to, by share."""
    path = desk.links.get("assignment_id")
    shares = [row[path] for row in rows] if path else []
    held: dict[int, list[Hold]] = {}
    if shares:
        for hold in Hold.objects.filter(assignment__in=shares, end_date__isnull=False):
            held.setdefault(hold.assignment_id, []).append(hold)
    return held


def _effect(
    desk: Desk,
    row: Mapping,
    clock: Clock,
    calendar: WorkingCalendar,
    over: date,
    today: date,
    held: Mapping[int, list[Hold]],
) -> ReviewEffect | None:
    """The fact for one row; None while days on hold keep the desk in time."""
    since = timezone.localdate(row["since_at"])
    holds = held.get(row.get(desk.links.get("assignment_id")), ())
    clock = clock.standing_still(
        sum(max(calendar.between(max(since, hold.start_date), hold.end_date), 0) for hold in holds)
    )
    due = clock.due(since, calendar)
    is_over = since <= over
    if holds and is_over and due >= today:
        return None  # it would be over without the days on hold
    kind = EventKind.REVIEW_OVERDUE if is_over else EventKind.REVIEW_NEAR
    on_date = due + ONE_DAY if is_over else clock.near_on(since, calendar)
    step = "over" if is_over else "near"
    return ReviewEffect(
        kind,
        f"review:{desk.code}:{row['pk']}:{row['since_at'].timestamp():.6f}:{step}",
        desk.code,
        row["pk"],
        on_date,
        row["since_at"],
        links={column: row[path] for column, path in desk.links.items()},
        data={
            "queue": desk.code,
            "subject": row["pk"],
            "since_date": since.isoformat(),
            "due_date": due.isoformat(),
            "limit_days": clock.value,
            "desk": list(desk.desk),
            "audience": list(dict.fromkeys(desk.desk + desk.then if is_over else desk.desk)),
        },
    )


@transaction.atomic
def apply_review(effect: ReviewEffect, *, recorded_at: datetime) -> Event | None:
    """Write one fact of a reviewer's clock; None if it is there already or no longer waits."""
    rows = BY_CODE[effect.queue].rows()
    if not rows.filter(pk=effect.pk, since_at=effect.since_at).exists():
        return None
    links = dict(effect.links)
    if links.get("assignment_id"):
        links["assignment"] = Assignment.objects.select_related("item", "organization").get(
            pk=links.pop("assignment_id")
        )
    return record_event(
        effect.kind,
        by=None,
        at=max(midnight(effect.on_date), effect.since_at),
        recorded_at=recorded_at,
        fact_key=effect.fact_key,
        data=dict(effect.data),
        **links,
    )


def still_waiting(events: Iterable[Event]) -> set[int]:
    """Primary keys of those review events whose matter still lies on the desk; a query a desk."""
    by_queue: dict[str, dict[int, list[Event]]] = {}
    for event in events:
        by_queue.setdefault(event.data["queue"], {}).setdefault(event.data["subject"], []).append(
            event
        )
    found = set()
    for queue, subjects in by_queue.items():
        rows = BY_CODE[queue].rows().filter(Q(pk__in=list(subjects)))
        for pk, since_at in rows.values_list("pk", "since_at"):
            found |= {e.pk for e in subjects[pk] if since_at and since_at <= e.happened_at}
    return found
