"""The verdict that is frozen when work is completed (domain.md, section 5.5)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Verdict:
    """On time or not against the current due date; days late in calendar days, 0 when on time."""

    is_late: bool
    days_late: int
    days_late_original: int


def completion_verdict(
    completed_on: date, due_date: date | None, original_due_date: date | None
) -> Verdict:
    """Compare with the current and with the original due date; without one nothing is late."""

    def late(limit: date | None) -> int:
        return max((completed_on - limit).days, 0) if limit else 0

    return Verdict(
        is_late=late(due_date) > 0,
        days_late=late(due_date),
        days_late_original=late(original_due_date),
    )
