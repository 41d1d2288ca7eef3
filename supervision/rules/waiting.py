"""How long something may lie on a desk: since when it waits, when it is near, when it is over."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from supervision.rules.limits import Unit, shift
from supervision.rules.working_days import WorkingCalendar

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Clock:
    """A limit of `value` units on a desk, of which `near` before the end are announced.

    `held` working days of them the clock stood still.
    """

    value: int
    unit: Unit
    near: int = 0
    held: int = 0

    def standing_still(self, held: int) -> "Clock":
        """The same clock after `held` working days of suspension."""
        return replace(self, held=self.held + max(held, 0)) if held > 0 else self

    def due(self, since: date, calendar: WorkingCalendar) -> date:
        """The last day that is in time; `since` is day zero."""
        due = shift(since, self.value, self.unit, calendar)
        return calendar.add(due, self.held) if self.held else due

    def near_on(self, since: date, calendar: WorkingCalendar) -> date:
        """The first day on which the desk is told, never before the matter came."""
        return max(since, shift(self.due(since, calendar), -self.near, self.unit, calendar))

    def days_over(self, since: date, until: date, calendar: WorkingCalendar) -> int:
        """Working days from the end of the limit to `until`; 0 while it is in time."""
        return max(calendar.between(self.due(since, calendar), until), 0)


def credit_for(
    stretches: Iterable[tuple[date, date]],
    clock: Clock,
    calendar: WorkingCalendar,
    holds: Iterable[tuple[date, date]] = (),
) -> int:
    """Working days beyond the limit, summed over the desks a matter lay on one after another.

    A stretch runs from the day the matter came to the day it left the desk. Days on which the
    clock stood still (`holds`) are not counted: they are given back when it runs again.
    Source: domain.md, section 6.3.
    """
    holds = list(holds)
    days = 0
    for since, until in stretches:
        over = clock.days_over(since, until, calendar)
        held = sum(
            max(calendar.between(max(since, first), min(until, last)), 0) for first, last in holds
        )
        days += max(over - held, 0)
    return days


def latest_over(today: date, clock: Clock, calendar: WorkingCalendar) -> date:
    """What came on this day or before is over its limit on `today`."""
    return _latest(today, clock, calendar, lambda since: clock.due(since, calendar) < today)


def latest_near(today: date, clock: Clock, calendar: WorkingCalendar) -> date:
    """What came on this day or before is near its limit or over it on `today`."""
    return _latest(today, clock, calendar, lambda since: clock.near_on(since, calendar) <= today)


def _latest(today: date, clock: Clock, calendar: WorkingCalendar, holds) -> date:
    since = today
    while not holds(since):
        since -= ONE_DAY
    return since
