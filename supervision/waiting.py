"""Reading: what waits for the office and the leaders, since when, and against which limit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, DateTimeField, OuterRef, Q, Subquery
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
    SupervisionItem,
    User,
)
from supervision.rules.working_days import WorkingCalendar
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
    row: Any
    item: SupervisionItem
    body: str
    since_date: date
    waited_days: int
    limit_days: int | None
    is_mine: bool

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


class _Reader:
    def __init__(self, user: User, today: date) -> None:
        self.user = user
        self.today = today
        self.calendar: WorkingCalendar = working_calendar()
        self.limits = limits()
        self.shares = Assignment.objects.visible_to(user)
        self.found: list[Waiting] = []

    def add(self, queue: str, row, item, body, since, is_mine: bool) -> None:
        code = QUEUES[queue][1]
        day = timezone.localdate(since) if hasattr(since, "hour") else since
        day = day or self.today
        self.found.append(
            Waiting(
                queue=queue,
                uid=row.uid,
                row=row,
                item=item,
                body=str(body or ""),
                since_date=day,
                waited_days=max(self.calendar.between(day, self.today), 0),
                limit_days=self.limits[code, ""][0] if code else None,
                is_mine=is_mine,
            )
        )

    def read(self, only: str = "") -> list[Waiting]:
        readers = {
            Queue.APPROVALS: self.approvals,
            Queue.REPORTS: self.reports,
            Queue.CLOSINGS: self.closings,
            Queue.CHECKS: self.closings,
            Queue.MILESTONES: self.milestones,
            Queue.PLANS: self.plans,
            Queue.EXTENSIONS: self.extensions,
            Queue.OBJECTIONS: self.objections,
            Queue.ESCALATIONS: self.escalations,
            Queue.CLOSE_OUTS: self.close_outs,
        }
        for reader in [readers[only]] if only else dict.fromkeys(readers.values()):
            reader()
        if not self.user.is_office:
            self.found = [waiting for waiting in self.found if waiting.is_mine]
        return sorted(self.found, key=lambda waiting: (waiting.since_date, waiting.row.pk))

    def approvals(self) -> None:
        items = SupervisionItem.objects.visible_to(self.user).filter(
            status=SupervisionItem.Status.UNDER_APPROVAL
        )
        for item in items.select_related("document", "drafted_by"):
            mine = permissions.can_approve_item(item, self.user)
            self.add(Queue.APPROVALS, item, item, item.drafted_by, item.submitted_at, mine)

    def reports(self) -> None:
        reports = (
            ProgressReport.objects.filter(
                status=ProgressReport.Status.SUBMITTED, period__assignment__in=self.shares
            )
            .filter(period__assignment__status__in=Assignment.OPEN_STATES)
            .select_related("period__assignment__item", "period__assignment__organization")
        )
        for report in reports:
            share = report.period.assignment
            mine = permissions.can_review_report(report, self.user)
            self.add(
                Queue.REPORTS, report, share.item, share.organization, report.submitted_at, mine
            )

    def closings(self) -> None:
        states = {
            Assignment.Status.UNDER_REVIEW: Queue.CLOSINGS,
            Assignment.Status.APPROVED: Queue.CHECKS,
        }
        shares = (
            self.shares.filter(status__in=states)
            .select_related("item", "organization")
            .annotate(found_in_order_at=_last_event(EventKind.APPROVED))
        )
        for share in shares:
            queue = states[share.status]
            if queue == Queue.CHECKS:
                since = share.found_in_order_at or share.submitted_date
                mine = permissions.can_complete(share, self.user)
            else:
                since = share.submitted_date
                mine = permissions.can_review(share, self.user)
            self.add(queue, share, share.item, share.organization, since, mine)

    def milestones(self) -> None:
        milestones = Milestone.objects.filter(
            status=Milestone.Status.UNDER_REVIEW, assignment__in=self.shares
        ).select_related("assignment__item", "assignment__organization")
        for milestone in milestones:
            share = milestone.assignment
            mine = permissions.can_review_milestone(milestone, self.user)
            since = milestone.submitted_at or milestone.actual_date
            self.add(Queue.MILESTONES, milestone, share.item, share.organization, since, mine)

    def plans(self) -> None:
        drafts = Milestone.objects.filter(status=Milestone.Status.DRAFT)
        shares = (
            self.shares.filter(
                status__in=Assignment.OPEN_STATES, pk__in=drafts.values("assignment")
            )
            .select_related("item", "organization")
            .annotate(plan_filed_at=_last_event(EventKind.PLAN_FILED))
        )
        for share in shares:
            mine = permissions.can_review(share, self.user)
            self.add(Queue.PLANS, share, share.item, share.organization, share.plan_filed_at, mine)

    def extensions(self) -> None:
        waiting = [ExtensionRequest.Status.SUBMITTED, ExtensionRequest.Status.ENDORSED]
        extensions = ExtensionRequest.objects.filter(
            status__in=waiting, assignment__in=self.shares
        ).select_related("assignment__item", "assignment__organization")
        for extension in extensions:
            share = extension.assignment
            if extension.status == ExtensionRequest.Status.SUBMITTED:
                since = extension.submitted_at
                mine = permissions.can_endorse_extension(extension, self.user)
            else:
                since = extension.endorsed_at
                mine = permissions.can_grant_extension(extension, self.user)
            self.add(Queue.EXTENSIONS, extension, share.item, share.organization, since, mine)

    def objections(self) -> None:
        objections = Objection.objects.filter(
            status=Objection.Status.SUBMITTED, assignment__in=self.shares
        ).select_related("assignment__item", "assignment__organization")
        for objection in objections:
            share = objection.assignment
            mine = permissions.can_decide_objection_itself(objection, self.user)
            self.add(
                Queue.OBJECTIONS, objection, share.item, share.organization,
                objection.submitted_at, mine,
            )  # fmt: skip

    def escalations(self) -> None:
        for event in open_escalations(self.shares):
            share = event.assignment
            share.proposed = event
            mine = permissions.can_decide_escalation(share, self.user)
            self.add(
                Queue.ESCALATIONS, share, share.item, share.organization, event.happened_at, mine
            )

    def close_outs(self) -> None:
        items = (
            SupervisionItem.objects.visible_to(self.user)
            .filter(status=SupervisionItem.Status.IN_PROGRESS)
            .annotate(
                open_count=Count(
                    "assignments", filter=Q(assignments__status__in=Assignment.OPEN_STATES)
                ),
                done_leads=Count(
                    "assignments",
                    filter=Q(
                        assignments__status=Assignment.Status.COMPLETED, assignments__role="lead"
                    ),
                ),
                last_completed_at=Subquery(
                    Event.objects.filter(item=OuterRef("pk"), kind=EventKind.COMPLETED)
                    .order_by("-happened_at")
                    .values("happened_at")[:1],
                    output_field=DateTimeField(null=True),
                ),
            )
            .filter(open_count=0, done_leads__gt=0)
        )
        for item in items:
            mine = permissions.can_complete_item(item, self.user)
            self.add(Queue.CLOSE_OUTS, item, item, "", item.last_completed_at, mine)


def open_escalations(shares) -> list[Event]:
    """Proposed steps of the ladder nobody has decided yet, of the episode that runs now."""
    proposed = Event.objects.filter(
        kind=EventKind.ESCALATION_PROPOSED,
        assignment__in=shares.filter(status__in=Assignment.RUNNING_STATES),
    ).select_related("assignment__item", "assignment__organization")
    decided = set(
        Event.objects.filter(kind=EventKind.ESCALATION_DECIDED, assignment__in=shares).values_list(
            "fact_key", flat=True
        )
    )
    found = []
    for event in proposed:
        key = (event.fact_key or "").removeprefix("proposed:")
        is_current = key.endswith(f":{event.assignment.episode}")
        if is_current and f"decided:{key}" not in decided:
            found.append(event)
    return found


def waiting_for(user: User, *, today: date, only: str = "") -> list[Waiting]:
    """Everything that waits for the office; for a leader what waits for the leader. Oldest first.

    With `only` that one queue is read, closings and their checks together.

    The number of queries does not depend on the number of rows.
    """
    return _Reader(user, today).read(only)


def count_by_queue(waiting: Iterable[Waiting]) -> dict[str, list[Waiting]]:
    """The queues in their order, each with its rows; empty ones too."""
    rows: dict[str, list[Waiting]] = {queue: [] for queue in QUEUES}
    for one in waiting:
        rows[one.queue].append(one)
    return rows
