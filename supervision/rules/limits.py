"""Time limits: from a day, a number and a unit to a due date that can say how it was found."""

import calendar as months
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from supervision.rules.working_days import ONE_DAY, WorkingCalendar


class Unit(StrEnum):
    WORKING_DAY = "working_day"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class DateReceipt:
    """A due date and why it is this one (domain.md, section 4).

    `skipped` are the rest days that were not counted or were rolled over, `rolled_from` the rest
    day the limit first fell on. Provisional: a year that mattered has no holiday notice yet.
    """

    date: date
    start_date: date
    value: int
    unit: Unit
    rule: str
    calendar_version: str
    skipped: tuple[date, ...] = ()
    rolled_from: date | None = None
    is_provisional: bool = False

    def to_json(self) -> dict:
        """A dictionary of plain JSON values, dates in ISO form."""
        return {
            "date": self.date.isoformat(),
            "start_date": self.start_date.isoformat(),
            "value": self.value,
            "unit": self.unit.value,
            "rule": self.rule,
            "calendar_version": self.calendar_version,
            "skipped": [day.isoformat() for day in self.skipped],
            "rolled_from": self.rolled_from.isoformat() if self.rolled_from else None,
            "is_provisional": self.is_provisional,
        }

    @classmethod
    def from_json(cls, data: dict) -> "DateReceipt":
        rolled_from = data["rolled_from"]
        return cls(
            date=date.fromisoformat(data["date"]),
            start_date=date.fromisoformat(data["start_date"]),
            value=data["value"],
            unit=Unit(data["unit"]),
            rule=data["rule"],
            calendar_version=data["calendar_version"],
            skipped=tuple(date.fromisoformat(day) for day in data["skipped"]),
            rolled_from=date.fromisoformat(rolled_from) if rolled_from else None,
            is_provisional=data["is_provisional"],
        )


def add_months(day: date, n: int) -> date:
    """Same day n months on, or the last day of a shorter month: 31 January + 1 is 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    last_day = months.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last_day))


def shift(day: date, value: int, unit: Unit, calendar: WorkingCalendar) -> date:
    """`day` moved by that many working days, days or months, forward or back."""
    if unit is Unit.WORKING_DAY:
        return calendar.add(day, value)
    if unit is Unit.DAY:
        return day + timedelta(days=value)
    return add_months(day, value)


def distance(start: date, end: date, unit: Unit, calendar: WorkingCalendar) -> int:
    """Signed working days, days or whole months from `start` to `end`."""
    if unit is Unit.WORKING_DAY:
        return calendar.between(start, end)
    if unit is Unit.DAY:
        return (end - start).days
    if end < start:
        return -distance(end, start, unit, calendar)
    n = (end.year - start.year) * 12 + end.month - start.month
    return n if add_months(start, n) <= end else n - 1


def due_date(
    start: date,
    value: int,
    unit: Unit,
    *,
    rule: str,
    calendar: WorkingCalendar,
    roll_forward: bool = True,
) -> DateReceipt:
    """When a limit counted from `start` (day zero) runs out, at the end of that local day.

    A date on a rest day moves to the next working day unless `roll_forward` is off.
    """
    nominal = shift(start, value, unit, calendar)
    final = calendar.next_working(nominal) if roll_forward else nominal
    counted_days = unit is Unit.WORKING_DAY and value != 0
    first, last = sorted((start, final)) if counted_days else (nominal - ONE_DAY, final)
    passed = (first + timedelta(days=i) for i in range(1, (last - first).days))
    skipped = tuple(day for day in passed if not calendar.is_working(day))
    earliest, latest = sorted((start if unit is Unit.WORKING_DAY else nominal, final))
    return DateReceipt(
        date=final,
        start_date=start,
        value=value,
        unit=unit,
        rule=rule,
        calendar_version=calendar.version_of(earliest.year, latest.year),
        skipped=skipped,
        rolled_from=nominal if final != nominal else None,
        is_provisional=calendar.is_provisional_between(earliest.year, latest.year),
    )
