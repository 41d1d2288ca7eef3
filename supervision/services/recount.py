"""Recount the dates that rest on the calendar: deciding and acting are two functions.

`plan_recount` says what a calendar would move; `recount_dates` does it with the calendar in force.
Only future dates move, never an original date, never a verdict, never a day a person named.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from supervision.models import (
    Assignment,
    CalendarNotice,
    DateChange,
    EventKind,
    Milestone,
    Objection,
    ReportPeriod,
    Responsibility,
    SupervisionItem,
    User,
)
from supervision.rules.recount import Dated, Move, RecountPlan, recount
from supervision.rules.working_days import WorkingCalendar
from supervision.services.acts import local_date, lock, record_event, save
from supervision.services.assignments import add_date_change
from supervision.services.calendar import working_calendar

BATCH = 500
# What a plan asks of a share, and a preview shows of it.
SHOWN = (
    "uid",
    "status",
    "suspended_from",
    "accept_due_date",
    "objection_due_date",
    "plan_due_date",
    "due_date",
    "due_receipt",
    "receipts",
    "item__uid",
    "item__number",
    "item__title",
    "item__status",
    "organization__uid",
    "organization__short_name",
)
PENDING = (Assignment.Status.PENDING, Assignment.Status.DISPUTED)


@dataclass(frozen=True)
class Subject:
    """One date of one row. `name` is the word of `reasons.DATE_NAMES` and of the addresses."""

    name: str
    row: models.Model
    attribute: str
    assignment: Assignment

    @property
    def sort_key(self) -> tuple:
        return self.assignment.pk, self.name, self.row.pk


@dataclass(frozen=True)
class Recounted:
    """What was done: `moved` dates of `bodies` bodies; `refused` would have lain in the past."""

    moved: int = 0
    bodies: int = 0
    refreshed: int = 0
    refused: int = 0
    plan: RecountPlan = field(default_factory=RecountPlan)


def plan_recount(*, calendar: WorkingCalendar, today: date) -> RecountPlan:
    """What `calendar` would move as of `today`. Writes nothing; in the order of the shares."""
    plan = recount(_dated(_open_shares(today), today), calendar=calendar, today=today)
    return RecountPlan(
        *(
            tuple(sorted(part, key=lambda move: move.key.sort_key))
            for part in (plan.moves, plan.refreshed, plan.refused)
        )
    )


def digest_of(plan: RecountPlan) -> str:
    """Changes whenever the list of moves does: what was shown is what is done."""
    text = "\n".join(
        f"{move.key.name} {move.key.row.pk} {move.old_date} {move.new_date}" for move in plan.moves
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@transaction.atomic
def recount_dates(
    *, by: User | None, at: datetime, notice: CalendarNotice | None = None
) -> Recounted:
    """Move the future dates the calendar in force puts elsewhere. A second run moves nothing.

    One event per date, one row in the slip ledger for each due date and milestone, and one event
    per body, which alone is told: one digest instead of n mails. Original dates, frozen facts and
    episodes stay. `by` is None for the command line.
    """
    today, calendar = local_date(at), working_calendar()
    plan = plan_recount(calendar=calendar, today=today)
    shares = sorted({move.key.assignment.pk for move in (*plan.moves, *plan.refreshed)})
    moves: list[Move] = []
    refreshed: list[Move] = []
    for start in range(0, len(shares), BATCH):
        # Read again under a lock: somebody may have moved a date since the plan.
        rows = (
            Assignment.objects.select_for_update(of=("self",))
            .filter(pk__in=shares[start : start + BATCH])
            .select_related("item", "organization")
            .order_by("pk")
        )
        batch = recount(_dated(rows, today, is_locked=True), calendar=calendar, today=today)
        moves += sorted(batch.moves, key=lambda move: move.key.sort_key)
        refreshed += batch.refreshed
    _refresh(refreshed)
    reason = str(notice) if notice else _("The holiday calendar in force")
    for move in moves:
        _apply(move, by=by, at=at, reason=reason)
    bodies = _tell_bodies(moves, by=by, at=at, notice=notice)
    return Recounted(len(moves), bodies, len(refreshed), len(plan.refused), plan)


def _open_shares(today: date) -> models.QuerySet:
    """Shares that may hold a date to come which rests on a receipt, with what a preview shows."""
    of_share = {"assignment": OuterRef("pk")}
    own = (
        Q(accept_due_date__gt=today) | Q(objection_due_date__gt=today) | Q(plan_due_date__gt=today)
    )

    def below(rows: models.QuerySet, **to_come) -> Exists:
        return Exists(rows.filter(**of_share, **to_come).exclude(receipt={}))

    return (
        Assignment.objects.open()
        .filter(
            Q(due_date__gt=today) & ~Q(due_receipt={})
            | own & ~Q(receipts={})
            | below(ReportPeriod.objects, due_date__gt=today)
            | below(Milestone.objects, planned_date__gt=today)
            | below(Objection.objects, decide_by_date__gt=today)
        )
        .select_related("item", "organization")
        .only(*SHOWN)
        .order_by("pk")
    )


def _dated(
    shares: models.QuerySet[Assignment], today: date, *, is_locked: bool = False
) -> Iterator[Dated]:
    """The dates of these shares that are still to come and rest on a receipt: four queries."""
    by_pk = {}
    for share in shares:
        by_pk[share.pk] = share
        if (share.suspended_from or share.status) in PENDING or share.status in PENDING:
            yield _of(share, "accept", "accept_due_date", share, share.receipts.get("accept"))
            yield _of(share, "object", "objection_due_date", share, share.receipts.get("object"))
        if share.plan_due_date is not None:
            yield _of(share, "plan", "plan_due_date", share, share.receipts.get("plan"))
        if share.due_date is not None:
            yield _of(share, "due", "due_date", share, share.due_receipt)
    # Locked rows are read again one batch at a time: these very shares, not whoever fits by now.
    within = list(by_pk) if is_locked else shares.order_by().values("pk")
    for name, attribute, rows in (
        (
            "milestone",
            "planned_date",
            Milestone.objects.unfinished().filter(planned_date__gt=today),
        ),
        (
            "return",
            "due_date",
            ReportPeriod.objects.filter(status=ReportPeriod.Status.OPEN, due_date__gt=today),
        ),
        ("decide", "decide_by_date", Objection.objects.open().filter(decide_by_date__gt=today)),
    ):
        rows = rows.filter(assignment__in=within).exclude(receipt={}).order_by("pk")
        for row in rows.select_for_update(of=("self",)) if is_locked else rows:
            if row.assignment_id in by_pk:
                yield _of(row, name, attribute, by_pk[row.assignment_id], row.receipt)


def _of(row, name: str, attribute: str, share: Assignment, receipt: dict | None) -> Dated:
    return Dated(Subject(name, row, attribute, share), getattr(row, attribute), receipt or {})


def _store(move: Move) -> models.Model:
    """Put the receipt, and the date, on the row; not saved yet."""
    subject = move.key
    if subject.name in ("accept", "object", "plan"):
        subject.row.receipts[subject.name] = move.receipt
    elif subject.name == "due":
        subject.row.due_receipt = move.receipt
    else:
        subject.row.receipt = move.receipt
    setattr(subject.row, subject.attribute, move.new_date)
    return subject.row


def _refresh(refreshed: Iterable[Move]) -> None:
    """The date stands; its receipt now names the notice in force and is provisional no more."""
    shares: dict[int, Assignment] = {}
    alike: dict[tuple[type, str], list[Move]] = defaultdict(list)
    for move in refreshed:
        row = _store(move)
        if isinstance(row, Assignment):
            shares[row.pk] = row
        else:
            alike[type(row), repr(move.receipt)].append(move)
    Assignment.objects.bulk_update(shares.values(), ["receipts", "due_receipt"], batch_size=BATCH)
    for (model, _told), moves in alike.items():
        pks = [move.key.row.pk for move in moves]
        for start in range(0, len(pks), BATCH):
            model.objects.filter(pk__in=pks[start : start + BATCH]).update(receipt=moves[0].receipt)


def _apply(move: Move, *, by: User | None, at: datetime, reason: str) -> None:
    subject, share = move.key, move.key.assignment
    save(_store(move))
    milestone = subject.row if subject.name == "milestone" else None
    if subject.name in ("due", "milestone"):
        add_date_change(
            share,
            DateChange.Cause.CALENDAR,
            move.old_date,
            new=move.new_date,
            by=by,
            at=at,
            reason=reason,
            milestone=milestone,
        )
    if subject.name == "due" and share.role == Responsibility.LEAD:
        item = lock(share.item)
        if item.due_date == move.old_date and item.status in SupervisionItem.OPEN_STATES:
            item.due_date = move.new_date
            save(item)
    record_event(
        EventKind.DATE_RECOUNTED,
        assignment=share,
        milestone=milestone,
        period=subject.row if subject.name == "return" else None,
        by=by,
        at=at,
        reason=reason,
        data=_described(move),
    )


def _described(move: Move) -> dict:
    return {
        "date_name": move.key.name,
        "old_date": move.old_date.isoformat(),
        "new_date": move.new_date.isoformat(),
        "calendar_version": move.receipt["calendar_version"],
    }


def _tell_bodies(
    moves: Iterable[Move], *, by: User | None, at: datetime, notice: CalendarNotice | None
) -> int:
    """One event for each body; returns how many."""
    by_body: dict[int, list[Move]] = defaultdict(list)
    for move in moves:
        by_body[move.key.assignment.organization_id].append(move)
    for organization_id, moved in sorted(by_body.items()):
        record_event(
            EventKind.CALENDAR_CHANGED,
            organization_id=organization_id,
            by=by,
            at=at,
            reason=str(notice) if notice else "",
            data={
                "moved_count": len(moved),
                "notice": notice.label if notice else "",
                "moved": [
                    {"assignment": str(move.key.assignment.uid)} | _described(move)
                    for move in moved
                ],
            },
        )
    return len(by_body)
