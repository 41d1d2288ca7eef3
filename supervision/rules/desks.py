"""On whose desk a share lay, from when to when: lateness is charged to the desk it lay on.

Working days count as everywhere: the day something came is day zero, so the spans of a share add
up to the working days between its first and its last day. Source: domain.md, sections 3.2, 6.3.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from supervision.rules.working_days import WorkingCalendar


class Desk(StrEnum):
    BODY = "body"
    OFFICE = "office"
    HOLD = "hold"


class Step(StrEnum):
    SIGN = "sign"
    OBJECTION = "objection"
    WORK = "work"
    REVIEW = "review"
    CHECK = "check"
    REWORK = "rework"
    HOLD = "hold"


DESK_OF = {
    Step.SIGN: Desk.BODY,
    Step.OBJECTION: Desk.OFFICE,
    Step.WORK: Desk.BODY,
    Step.REVIEW: Desk.OFFICE,
    Step.CHECK: Desk.OFFICE,
    Step.REWORK: Desk.BODY,
    Step.HOLD: Desk.HOLD,
}
# Which step an event begins; those that end a share begin none.
BEGINS: dict[str, Step | None] = {
    "dispatched": Step.SIGN,
    "accepted": Step.WORK,
    "objected": Step.OBJECTION,
    "objection_rejected": Step.SIGN,
    "objection_withdrawn": Step.SIGN,
    "objection_upheld": None,
    "submitted": Step.REVIEW,
    "sent_back": Step.REWORK,
    "approved": Step.CHECK,
    "check_failed": Step.REWORK,
    "completed": None,
    "cancelled": None,
    "reopened": Step.WORK,
}
SUSPENDED, RESUMED = "suspended", "resumed"
KINDS = frozenset(BEGINS) | {SUSPENDED, RESUMED}
# Steps of the body that are late by the due date, not by a limit of their own.
UNTIL_DUE = frozenset({Step.WORK, Step.REWORK})


@dataclass(frozen=True)
class Act:
    """One event of a share: its kind and the local day it happened on."""

    kind: str
    date: date


@dataclass(frozen=True)
class Span:
    """A stretch on one desk. `end_date` is None while it lies there; days are working days.

    `limit_days` is the limit of the step; work and rework have none, they are late by the due
    date. `days_over` are those of `working_days` that lie beyond.
    """

    step: Step
    start_date: date
    end_date: date | None
    working_days: int
    limit_days: int | None
    days_over: int

    @property
    def desk(self) -> Desk:
        return DESK_OF[self.step]


@dataclass(frozen=True)
class Total:
    """What one desk used, in working days, and how many of them were over a limit."""

    working_days: int = 0
    days_over: int = 0


@dataclass(frozen=True)
class _Open:
    """A step that runs; `used_days` were spent on it before the clock stood still."""

    step: Step
    start_date: date
    used_days: int = 0


def spans_of(
    acts: Iterable[Act],
    *,
    today: date,
    calendar: WorkingCalendar,
    limits: Mapping[Step, int],
    due_dates: Sequence[tuple[date, date]] = (),
) -> list[Span]:
    """The spans of one share from its acts in order; what lies open is counted up to `today`.

    `limits` are working days by step. `due_dates` are pairs (in force after this day, due date) in
    order. A suspension inside a step is a span of its own, and the step goes on with the days it
    had already used; an objection taken back leaves the time to sign as it was. Acts of other
    kinds, and acts that change nothing, are passed over.
    """
    found: list[Span] = []
    running: _Open | None = None
    held: _Open | None = None
    used_to_sign = 0

    def close(on: date | None) -> int:
        """End the running step; the working days used on it so far."""
        until = on or today
        days = max(calendar.between(running.start_date, until), 0)
        limit = limits.get(running.step)
        if running.step in UNTIL_DUE:
            limit, over = None, _past_due(running.start_date, until, due_dates, calendar)
        elif limit is None:
            over = 0
        else:
            over = max(running.used_days + days - limit, 0) - max(running.used_days - limit, 0)
        found.append(Span(running.step, running.start_date, on, days, limit, over))
        return running.used_days + days

    for act in acts:
        if act.kind == SUSPENDED:
            if running is not None and running.step is not Step.HOLD:
                held = replace(running, used_days=close(act.date))
                running = _Open(Step.HOLD, act.date)
        elif act.kind == RESUMED:
            if held is not None:
                close(act.date)
                running, held = replace(held, start_date=act.date), None
        elif act.kind in BEGINS:
            step = BEGINS[act.kind]
            used = close(act.date) if running is not None else 0
            if act.kind == "objected":
                used_to_sign = used
            goes_on = used_to_sign if act.kind == "objection_withdrawn" else 0
            running = _Open(step, act.date, goes_on) if step else None
            held = None
    if running is not None:
        close(None)
    return found


def _past_due(
    start: date, end: date, due_dates: Sequence[tuple[date, date]], calendar: WorkingCalendar
) -> int:
    """Working days after `start` up to `end` on which the due date then in force had passed."""
    days = 0
    for index, (since, due) in enumerate(due_dates):
        until = due_dates[index + 1][0] if index + 1 < len(due_dates) else end
        first, last = max(start, since, due), min(end, until)
        days += max(calendar.between(first, last), 0) if first < last else 0
    return days


def totals(spans: Iterable[Span]) -> dict[Desk, Total]:
    """What every desk used; all three are named, also those that had nothing."""
    found = {desk: Total() for desk in Desk}
    for span in spans:
        before = found[span.desk]
        found[span.desk] = Total(
            before.working_days + span.working_days, before.days_over + span.days_over
        )
    return found
