"""Receipts of dates the calendar decides, and what moves when the calendar changes.

A receipt is a dictionary of plain JSON values; "rule" says of which kind:

- a code of the time limits ("accept", "plan" ...): `limits.DateReceipt`, counted from a start;
- "return": the return day of a report period, `periods.return_receipt`;
- "rework": the later of the former date plus the days the reviewer was late, and a limit;
- "review": the former date plus the working days the office was late with an answer;
- "hold": the former date plus the working days held; pauses are added after any recount;
- "item", "extension", "reopen", "given": a definite day named by a person; it never moves.

Source: reliability.md, section 6.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from supervision.rules.limits import DateReceipt, due_date
from supervision.rules.periods import Cycle, return_receipt
from supervision.rules.working_days import WorkingCalendar

GIVEN = frozenset({"item", "extension", "reopen", "given"})
RULE_RETURN, RULE_REWORK, RULE_HOLD, RULE_REVIEW = "return", "rework", "hold", "review"


@dataclass(frozen=True)
class Dated:
    """A stored date with its receipt; `key` tells the caller which row and field it is."""

    key: Any
    date: date
    receipt: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Move:
    """What a new calendar does to one date. `is_refused`: it would fall before today, so it stays.

    `receipt` is the one to store with `new_date`.
    """

    key: Any
    old_date: date
    new_date: date
    receipt: dict = field(hash=False)
    is_refused: bool = False


@dataclass(frozen=True)
class RecountPlan:
    """`moves` change a date, `refreshed` only the receipt, `refused` would lie in the past."""

    moves: tuple[Move, ...] = ()
    refreshed: tuple[Move, ...] = ()
    refused: tuple[Move, ...] = ()


def given_receipt(day: date, rule: str = "given") -> dict:
    """The receipt of a definite day somebody named."""
    return {"rule": rule, "date": day.isoformat()}


def hold_receipt(
    base: Mapping[str, Any], base_date: date, held_working_days: int, calendar: WorkingCalendar
) -> dict:
    """`base_date`, explained by `base`, plus the working days held (domain.md, section 7)."""
    return _added(RULE_HOLD, base, base_date, held_working_days, calendar) | {
        "held_working_days": held_working_days
    }


def review_receipt(
    base: Mapping[str, Any], base_date: date, credit_days: int, calendar: WorkingCalendar
) -> dict:
    """`base_date`, explained by `base`, plus the working days the office answered late."""
    return _added(RULE_REVIEW, base, base_date, credit_days, calendar) | {
        "credit_days": credit_days
    }


def rework_receipt(
    base: Mapping[str, Any],
    base_date: date,
    credit_days: int,
    limit: DateReceipt,
    calendar: WorkingCalendar,
) -> dict:
    """The later of `base_date` plus the reviewer's working days, and the limit for reworking."""
    credited = _added(RULE_REWORK, base, base_date, credit_days, calendar)
    found = credited | {"credit_days": credit_days, "limit": limit.to_json()}
    if date.fromisoformat(credited["date"]) >= limit.date:
        return found
    return found | {
        "date": limit.date.isoformat(),
        "calendar_version": limit.calendar_version,
        "is_provisional": limit.is_provisional,
    }


def _added(
    rule: str, base: Mapping[str, Any], base_date: date, days: int, calendar: WorkingCalendar
) -> dict:
    final = calendar.add(base_date, days)
    first, last = sorted((base_date.year, final.year))
    return {
        "rule": rule,
        "date": final.isoformat(),
        "base": dict(base) or given_receipt(base_date),
        "base_date": base_date.isoformat(),
        "calendar_version": calendar.version_of(first, last),
        "is_provisional": (days != 0 and calendar.is_provisional_between(first, last))
        or bool(base.get("is_provisional")),
    }


def recompute(receipt: Mapping[str, Any], calendar: WorkingCalendar) -> dict | None:
    """The same date by another calendar; None when it is a definite day or says too little."""
    rule = receipt.get("rule")
    if not receipt.get("date") or rule in GIVEN or rule is None:
        return None
    if rule == RULE_RETURN:
        return return_receipt(
            Cycle(receipt["cycle"]),
            date.fromisoformat(receipt["start_date"]),
            date.fromisoformat(receipt["end_date"]),
            return_day=receipt["return_day"],
            calendar=calendar,
        )
    if rule == RULE_HOLD or "base" in receipt:
        if "base" not in receipt:
            return None
        base = recompute(receipt["base"], calendar) or receipt["base"]
        base_date = date.fromisoformat(base["date"])
        if rule == RULE_HOLD:
            return hold_receipt(base, base_date, receipt["held_working_days"], calendar)
        if rule == RULE_REVIEW:
            return review_receipt(base, base_date, receipt["credit_days"], calendar)
        limit = _again(DateReceipt.from_json(receipt["limit"]), calendar)
        return rework_receipt(base, base_date, receipt["credit_days"], limit, calendar)
    if "value" not in receipt:
        return None
    return _again(DateReceipt.from_json(receipt), calendar).to_json()


def _again(receipt: DateReceipt, calendar: WorkingCalendar) -> DateReceipt:
    return due_date(
        receipt.start_date, receipt.value, receipt.unit, rule=receipt.rule, calendar=calendar
    )


def recount(rows: Iterable[Dated], *, calendar: WorkingCalendar, today: date) -> RecountPlan:
    """What `calendar` does to these dates as of `today`.

    Only a date after today moves, and never to before today: what has passed is a frozen fact,
    and nobody becomes late by a notice. A date that has been changed by hand since its receipt was
    written is a person's and stays.
    """
    moves, refreshed, refused = [], [], []
    known: dict[str, dict | None] = {}  # many bodies share a return day
    for row in rows:
        if row.date <= today or row.receipt.get("date") != row.date.isoformat():
            continue
        told = repr(row.receipt)
        if told not in known:
            known[told] = recompute(row.receipt, calendar)
        receipt = known[told]
        if receipt is None or receipt == row.receipt:
            continue
        new = date.fromisoformat(receipt["date"])
        if new == row.date:
            refreshed.append(Move(row.key, row.date, new, receipt))
        elif new < today:
            refused.append(Move(row.key, row.date, new, receipt, is_refused=True))
        else:
            moves.append(Move(row.key, row.date, new, receipt))
    return RecountPlan(tuple(moves), tuple(refreshed), tuple(refused))
