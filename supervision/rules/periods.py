"""Reporting periods, laid out in advance for the whole cycle; a due date never slides."""

import calendar as months
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from supervision.rules.limits import add_months
from supervision.rules.working_days import ONE_DAY, WorkingCalendar


class Cycle(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    ONCE = "once"


@dataclass(frozen=True)
class Period:
    label: str
    start_date: date
    end_date: date
    due_date: date
    receipt: dict = field(default_factory=dict, compare=False, repr=False)


def lay_out(
    cycle: Cycle,
    first_date: date,
    last_date: date,
    *,
    return_day: int,
    calendar: WorkingCalendar,
) -> list[Period]:
    """Every period from `first_date` to `last_date`, the first and the last cut at these dates.

    A month is due on `return_day` of the month that follows (its last day if it is shorter),
    moved to a working day; a week, quarter or half-year on its own last working day; a single
    return on `last_date`, moved to a working day. Cutting a period does not move its due date.
    """
    if not 1 <= return_day <= 31:
        raise ValueError(f"return_day must be 1 to 31, not {return_day}")
    laid_out = []
    for label, start, end in _spans(cycle, first_date, last_date):
        start = max(start, first_date)
        receipt = return_receipt(cycle, start, end, return_day=return_day, calendar=calendar)
        laid_out.append(
            Period(
                label=label,
                start_date=start,
                end_date=min(end, last_date),
                due_date=date.fromisoformat(receipt["date"]),
                receipt=receipt,
            )
        )
    return laid_out


def return_receipt(
    cycle: Cycle, start: date, end: date, *, return_day: int, calendar: WorkingCalendar
) -> dict:
    """Why a return is due when it is, in plain JSON values: "date" is the answer.

    `start` is the first day that counts, `end` the last of the whole period, uncut. "rolled_from"
    is the day the rule names when that is a rest day; "skipped" are the rest days in between.
    """
    nominal = _nominal_date(cycle, end, return_day)
    due = _due_date(cycle, start, end, return_day, calendar)
    first, last = sorted((nominal, due))
    days = (first + timedelta(days=i) for i in range((last - first).days + 1))
    return {
        "rule": "return",
        "cycle": cycle.value,
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
        "return_day": return_day,
        "date": due.isoformat(),
        "rolled_from": nominal.isoformat() if nominal != due else None,
        "skipped": [day.isoformat() for day in days if not calendar.is_working(day)],
        "calendar_version": calendar.version_of(first.year, last.year),
        "is_provisional": calendar.is_provisional_between(first.year, last.year),
    }


def _spans(cycle: Cycle, first: date, last: date) -> Iterator[tuple[str, date, date]]:
    """Label, first and last day of each whole week, month ... that touches the range."""
    if cycle is Cycle.ONCE:
        if first <= last:
            yield last.isoformat(), first, last
        return
    day = first
    while day <= last:
        label, start, end = _span_around(cycle, day)
        yield label, start, end
        day = end + ONE_DAY


def _span_around(cycle: Cycle, day: date) -> tuple[str, date, date]:
    if cycle is Cycle.WEEKLY:
        year, week, weekday = day.isocalendar()
        monday = day - timedelta(days=weekday - 1)
        return f"{year}-W{week:02}", monday, monday + timedelta(days=6)
    length = {Cycle.MONTHLY: 1, Cycle.QUARTERLY: 3, Cycle.HALF_YEARLY: 6}[cycle]
    index = (day.month - 1) // length
    start = date(day.year, index * length + 1, 1)
    names = {Cycle.MONTHLY: f"{index + 1:02}", Cycle.QUARTERLY: f"Q{index + 1}"}
    name = names.get(cycle, f"H{index + 1}")
    return f"{day.year}-{name}", start, add_months(start, length) - ONE_DAY


def _nominal_date(cycle: Cycle, end: date, return_day: int) -> date:
    """The day the rule names, before rest days are looked at."""
    if cycle is not Cycle.MONTHLY:
        return end
    following = end + ONE_DAY
    last_day = months.monthrange(following.year, following.month)[1]
    return following.replace(day=min(return_day, last_day))


def _due_date(
    cycle: Cycle, start: date, end: date, return_day: int, calendar: WorkingCalendar
) -> date:
    if cycle in (Cycle.ONCE, Cycle.MONTHLY):
        return calendar.next_working(_nominal_date(cycle, end, return_day))
    last_working = calendar.previous_working(end)
    # A week that is all holiday, or one entered after its last working day.
    return last_working if last_working >= start else calendar.next_working(end)
