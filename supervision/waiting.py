"""Reading: what waits for the office and the leaders, since when, and against which limit."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    DateField,
    DateTimeField,
    Exists,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat, Replace
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supervision import permissions
from supervision.models import (
    Assignment,
    Event,
    EventKind,
    ExtensionRequest,
    Milestone,
    Objection,
    ProgressReport,
    Responsibility,
    SupervisionItem,
    User,
)
from supervision.services.settings import limits, working_calendar


class Queue:
    """Names of the queues, as they stand in addresses."""

    APPROVALS = "approvals"
    REPORTS = "reports"
    CLOSINGS = "closings"
    CHECKS = "checks"
    MILESTONES = "milestones"
    PLANS = "plans"
    EXTENSIONS = "extensions"
    OBJECTIONS = "objections"
    ESCALATIONS = "escalations"
    CLOSE_OUTS = "close-outs"


# Queue: name on the page, code of the limit (empty: none is set).
QUEUES: dict[str, tuple] = {
    Queue.APPROVALS: (_("Items to approve"), "approve_item"),
    Queue.REPORTS: (_("Returns to review"), "review_report"),
    Queue.CLOSINGS: (_("Closings to review"), "review_closing"),
    Queue.CHECKS: (_("Closings to check"), "verify"),
    Queue.MILESTONES: (_("Milestones to verify"), "review_report"),
    Queue.PLANS: (_("Plans to agree"), "review_report"),
    Queue.EXTENSIONS: (_("Extensions"), "decide_extension"),
    Queue.OBJECTIONS: (_("Objections"), "decide_objection"),
    Queue.ESCALATIONS: (_("Proposed escalations"), ""),
    Queue.CLOSE_OUTS: (_("Items to close out"), ""),
}


@dataclass(frozen=True)
class Waiting:
    """One matter in a queue. `waited_days` and `limit_days` are working days."""

    queue: str
    uid: Any
    body: str
    since_date: date
    waited_days: int
    limit_days: int | None
    is_mine: bool
    # The proposal of a step of the ladder.
    event_pk: int | None = None
    # What was read of it: thousands may wait of which a page shows fifty.
    known: tuple = field(default=(), repr=False, compare=False)
    # The row and its item as they were read in full.
    whole: tuple[Any, SupervisionItem] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def item(self) -> SupervisionItem:
        return self.whole[1] if self.whole else _item_of(_named(self.known))

    @cached_property
    def row(self) -> Any:
        """What is decided on: until `complete`, as much of it as a list asks for."""
        return self.whole[0] if self.whole else _matter_of(_named(self.known), self.item)

    @property
    def is_late(self) -> bool:
        return self.limit_days is not None and self.waited_days > self.limit_days

    @property
    def late_days(self) -> int:
        return self.waited_days - (self.limit_days or 0)

    @property
    def queue_name(self) -> str:
        return QUEUES[self.queue][0]


def _last_event(kind: str) -> Subquery:
    events = Event.objects.filter(assignment=OuterRef("pk"), kind=kind)
    return Subquery(
        events.order_by("-happened_at").values("happened_at")[:1],
        output_field=DateTimeField(null=True),
    )


NO_MOMENT = Cast(Value(None), DateTimeField())
NO_DAY = Cast(Value(None), DateField())
NO_ROW = Cast(Value(None), BigIntegerField())
NOBODY = Value("", output_field=CharField())
# The columns of a matter, in the order in which every queue gives them. Those it depends on whose
# turn it is come first: rows which have them in common are one question.
DECIDING = (
    "queue",
    "row_status",
    "endorser",
    "share_status",
    "item_status",
    "item_leader",
    "item_key",
    "item_drafter",
    "item_drafter_deputy",
)
COLUMNS = (
    *DECIDING,
    "row_pk",
    "row_uid",
    "event_pk",
    "body_name",
    "moment",
    "day",
    "share_pk",
    "item_pk",
    "item_uid",
    "item_title",
)


def _named(values: tuple) -> dict[str, Any]:
    return dict(zip(COLUMNS, values, strict=True))


def _row_of(model: type[Model], **values) -> Any:
    """A row of which these columns are known; any other is read when somebody asks for it.

    A model with states must be given its state: the machine looks at it from the beginning.
    """
    columns = [f.attname for f in model._meta.concrete_fields if f.attname in values]
    return model.from_db(None, columns, [values[name] for name in columns])


class _Reader:
    """Each queue is described once, as a queryset; all of them are read by one statement."""

    def __init__(self, user: User, today: date) -> None:
        self.user = user
        self.today = today
        self.shares = Assignment.objects.visible_to(user)

    def read(self, only: str = "") -> list[Waiting]:
        """What waits, or only one queue of it: one statement, whatever the number of rows."""
        rows = [
            self.columns(queue, rows)
            for queue, rows in self.queues().items()
            if only in ("", queue)
        ]
        calendar, limit_of = working_calendar(), limits()
        is_mine: dict[tuple, bool] = {}
        waited: dict[date, int] = {}
        found = []
        for values in rows[0].union(*rows[1:], all=True):
            queue, turn = values[0], values[: len(DECIDING)]
            row_pk, uid, event_pk, body, moment, day = values[len(DECIDING) :][:6]
            if moment is not None:
                day = timezone.localdate(moment)
            day = day or self.today
            if day not in waited:
                waited[day] = max(calendar.between(day, self.today), 0)
            if turn not in is_mine:
                known = _named(values)
                row = _matter_of(known, _item_of(known))
                is_mine[turn] = MAY_DECIDE[queue](row, self.user)
            if not (is_mine[turn] or self.user.is_office):
                continue
            code = QUEUES[queue][1]
            found.append(
                (
                    day,
                    row_pk,
                    Waiting(
                        queue=queue,
                        uid=uid,
                        body=body,
                        since_date=day,
                        waited_days=waited[day],
                        limit_days=limit_of[code, ""][0] if code else None,
                        is_mine=is_mine[turn],
                        event_pk=event_pk,
                        known=values,
                    ),
                )
            )
        return [waiting for _day, _pk, waiting in sorted(found, key=lambda one: one[:2])]

    def _of_seen(self, rows: QuerySet, path: str) -> QuerySet:
        """Rows whose share this user sees. For who sees them all nothing is compared: the database
        then begins with the few rows that wait, not with the shares."""
        return rows.filter(**{f"{path}__in": self.shares}) if self.shares.query.where else rows

    def queues(self) -> dict[str, QuerySet]:
        shares, seen = self.shares, self._of_seen
        items = SupervisionItem.objects.visible_to(self.user)
        status = Assignment.Status
        asked = ExtensionRequest.Status
        drafts = Milestone.objects.filter(status=Milestone.Status.DRAFT)
        leads_done = Assignment.objects.filter(status=status.COMPLETED, role=Responsibility.LEAD)
        still_open = Assignment.objects.filter(
            item=OuterRef("pk"), status__in=Assignment.OPEN_STATES
        )
        last_completed = Subquery(
            Event.objects.filter(item=OuterRef("pk"), kind=EventKind.COMPLETED)
            .order_by("-happened_at")
            .values("happened_at")[:1],
            output_field=DateTimeField(null=True),
        )
        return {
            Queue.APPROVALS: items.filter(status=SupervisionItem.Status.UNDER_APPROVAL).annotate(
                since_at=F("submitted_at")
            ),
            Queue.REPORTS: seen(ProgressReport.objects, "period__assignment")
            .filter(
                status=ProgressReport.Status.SUBMITTED,
                period__assignment__status__in=Assignment.OPEN_STATES,
            )
            .annotate(since_at=F("submitted_at")),
            Queue.CLOSINGS: shares.filter(status=status.UNDER_REVIEW).annotate(
                since_day=F("submitted_date")
            ),
            Queue.CHECKS: shares.filter(status=status.APPROVED).annotate(
                since_at=_last_event(EventKind.APPROVED), since_day=F("submitted_date")
            ),
            Queue.MILESTONES: seen(Milestone.objects, "assignment")
            .filter(status=Milestone.Status.UNDER_REVIEW)
            .annotate(since_at=F("submitted_at"), since_day=F("actual_date")),
            Queue.PLANS: shares.filter(
                status__in=Assignment.OPEN_STATES, pk__in=drafts.values("assignment")
            ).annotate(since_at=_last_event(EventKind.PLAN_FILED)),
            Queue.EXTENSIONS: seen(ExtensionRequest.objects, "assignment")
            .filter(Q(status=asked.SUBMITTED) | Q(status=asked.ENDORSED))
            .annotate(
                since_at=Case(
                    When(status=asked.SUBMITTED, then=F("submitted_at")),
                    default=F("endorsed_at"),
                )
            ),
            Queue.OBJECTIONS: seen(Objection.objects, "assignment")
            .filter(status=Objection.Status.SUBMITTED)
            .annotate(since_at=F("submitted_at")),
            Queue.ESCALATIONS: open_escalations(seen(Event.objects, "assignment")).annotate(
                since_at=F("happened_at")
            ),
            Queue.CLOSE_OUTS: items.filter(
                ~Exists(still_open),
                pk__in=leads_done.values("item"),
                status=SupervisionItem.Status.IN_PROGRESS,
            ).annotate(since_at=last_completed),
        }

    def columns(self, queue: str, rows: QuerySet) -> QuerySet:
        """The rows of a queue in the columns all queues share, in no order."""
        model, path = ROWS[queue]
        to_item = path["item"]
        prefix = f"{to_item}__" if to_item else ""
        row = path["row"]
        known = rows.query.annotations
        if queue == Queue.APPROVALS:
            named = Case(
                When(drafted_by__display_name="", then=F("drafted_by__username")),
                default=F("drafted_by__display_name"),
            )
        else:
            named = F(path["body"]) if path["body"] else NOBODY
        is_request = model is ExtensionRequest
        return (
            rows.order_by()
            .annotate(
                queue=Value(queue, output_field=CharField()),
                row_pk=F(row),
                row_uid=F(row.removesuffix("pk") + "uid"),
                row_status=F(row.removesuffix("pk") + "status"),
                event_pk=F("pk") if model is Event else NO_ROW,
                body_name=Coalesce(named, NOBODY, output_field=CharField()),
                moment=F("since_at") if "since_at" in known else NO_MOMENT,
                day=F("since_day") if "since_day" in known else NO_DAY,
                endorser=F("endorsed_by_id") if is_request else NO_ROW,
                share_pk=F("assignment_id") if is_request else NO_ROW,
                share_status=F("assignment__status") if is_request else NOBODY,
                item_pk=F(f"{prefix}pk"),
                item_uid=F(f"{prefix}uid"),
                item_status=F(f"{prefix}status"),
                item_title=F(f"{prefix}title"),
                item_leader=F(f"{prefix}leader_id"),
                item_key=F(f"{prefix}is_key"),
                item_drafter=F(f"{prefix}drafted_by_id"),
                item_drafter_deputy=F(f"{prefix}drafted_by_deputy_id"),
            )
            .values_list(*COLUMNS)
        )


def _item_of(known: dict) -> SupervisionItem:
    return _row_of(
        SupervisionItem,
        id=known["item_pk"],
        uid=known["item_uid"],
        status=known["item_status"],
        title=known["item_title"],
        leader_id=known["item_leader"],
        is_key=known["item_key"],
        drafted_by_id=known["item_drafter"],
        drafted_by_deputy_id=known["item_drafter_deputy"],
    )


def _matter_of(known: dict, item: SupervisionItem) -> Any:
    """The row itself: as much of it as a list and the question whose it is ask for."""
    model = ROWS[known["queue"]][0]
    values = {"id": known["row_pk"], "uid": known["row_uid"], "status": known["row_status"]}
    if model is SupervisionItem:
        return item
    if model is ExtensionRequest:
        row = _row_of(model, endorsed_by_id=known["endorser"], **values)
        row.assignment = _row_of(Assignment, id=known["share_pk"], status=known["share_status"])
        row.assignment.item = item
        return row
    return _row_of(Assignment if model is Event else model, **values)


def _may_decide_extension(extension: ExtensionRequest, user: User) -> bool:
    if extension.status == ExtensionRequest.Status.SUBMITTED:
        return permissions.can_endorse_extension(extension, user)
    return permissions.can_grant_extension(extension, user)


MAY_DECIDE = {
    Queue.APPROVALS: permissions.can_approve_item,
    Queue.REPORTS: permissions.can_review_report,
    Queue.CLOSINGS: permissions.can_review,
    Queue.CHECKS: permissions.can_complete,
    Queue.MILESTONES: permissions.can_review_milestone,
    Queue.PLANS: permissions.can_review,
    Queue.EXTENSIONS: _may_decide_extension,
    Queue.OBJECTIONS: permissions.can_decide_objection_itself,
    Queue.ESCALATIONS: permissions.can_decide_escalation,
    Queue.CLOSE_OUTS: permissions.can_complete_item,
}
# What a queue is made of, and from there to the row decided on, its item and its body.
_ITEM = (SupervisionItem, {"row": "pk", "item": "", "body": ""})
_SHARE = (Assignment, {"row": "pk", "item": "item", "body": "organization__short_name"})
_OF_SHARE = {
    "row": "pk",
    "item": "assignment__item",
    "body": "assignment__organization__short_name",
}
ROWS: dict[str, tuple[type[Model], dict[str, str]]] = {
    Queue.APPROVALS: _ITEM,
    Queue.REPORTS: (
        ProgressReport,
        {
            "row": "pk",
            "item": "period__assignment__item",
            "body": "period__assignment__organization__short_name",
        },
    ),
    Queue.CLOSINGS: _SHARE,
    Queue.CHECKS: _SHARE,
    Queue.MILESTONES: (Milestone, _OF_SHARE),
    Queue.PLANS: _SHARE,
    Queue.EXTENSIONS: (ExtensionRequest, _OF_SHARE),
    Queue.OBJECTIONS: (Objection, _OF_SHARE),
    Queue.ESCALATIONS: (Event, _OF_SHARE | {"row": "assignment__pk"}),
    Queue.CLOSE_OUTS: _ITEM,
}


def open_escalations(events: QuerySet[Event]) -> QuerySet[Event]:
    """Of these events the proposed steps of the ladder nobody has decided yet, of the episode that
    runs now."""
    decided = Event.objects.annotate(
        of_proposal=Replace(F("fact_key"), Value("decided:"), Value("proposed:"))
    ).filter(
        kind=EventKind.ESCALATION_DECIDED,
        assignment=OuterRef("assignment"),
        of_proposal=OuterRef("fact_key"),
    )
    episode = Concat(Value(":"), Cast("assignment__episode", CharField()))
    return events.filter(
        ~Exists(decided),
        kind=EventKind.ESCALATION_PROPOSED,
        assignment__status__in=Assignment.RUNNING_STATES,
        fact_key__endswith=episode,
    )


def complete(waiting: Waiting) -> Waiting:
    """The same matter with its whole row, item and body: one statement, two for a step."""
    model, path = ROWS[waiting.queue]
    if model is Event:
        share = Assignment.objects.select_related("item", "organization").get(pk=waiting.row.pk)
        share.proposed = Event.objects.get(pk=waiting.event_pk)
        return replace(waiting, whole=(share, share.item))
    if model is SupervisionItem:
        item = SupervisionItem.objects.select_related("document", "drafted_by")
        item = item.get(pk=waiting.row.pk)
        return replace(waiting, whole=(item, item))
    to_body = path["body"].removesuffix("__short_name")
    more = ("proposed_organization",) if model is Objection else ()
    row = model.objects.select_related(path["item"], to_body, *more).get(pk=waiting.row.pk)
    item = row
    for name in path["item"].split("__"):
        item = getattr(item, name)
    return replace(waiting, whole=(row, item))


def waiting_for(user: User, *, today: date, only: str = "") -> list[Waiting]:
    """Everything that waits for the office; for a leader what waits for the leader. Oldest first.

    With `only` that one queue is read. Three statements in all; of a row and its item only what
    a list shows is read, `complete` brings the rest.
    """
    return _Reader(user, today).read(only)


def count_by_queue(waiting: Iterable[Waiting]) -> dict[str, list[Waiting]]:
    """The queues in their order, each with its rows; empty ones too."""
    rows: dict[str, list[Waiting]] = {queue: [] for queue in QUEUES}
    for one in waiting:
        rows[one.queue].append(one)
    return rows
