"""Lay out the returns a share will owe, up front; what exists stays as it is."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.conf import settings

from supervision.models import Assignment, ReportPeriod
from supervision.rules.periods import Cycle, Period, lay_out
from supervision.services.settings import working_calendar


def create_periods(assignments: Iterable[Assignment], first_date: date, last_date: date) -> None:
    """One row for every return owed between the two days, for each assignment by its cycle.

    A period that is already there under its label stays as it is: a month cut short by the old
    due date still owes one return, not two.
    """
    calendar = working_calendar()
    laid_out: dict[str, list[Period]] = {}
    rows = []
    for assignment in assignments:
        if assignment.cycle not in laid_out:
            laid_out[assignment.cycle] = lay_out(
                Cycle(assignment.cycle),
                first_date,
                last_date,
                return_day=settings.RETURN_DAY,
                calendar=calendar,
            )
        rows += [
            ReportPeriod(
                assignment=assignment,
                label=period.label,
                start_date=period.start_date,
                end_date=period.end_date,
                due_date=period.due_date,
                receipt=period.receipt,
            )
            for period in laid_out[assignment.cycle]
        ]
    ReportPeriod.objects.bulk_create(rows, ignore_conflicts=True)


def prolong_periods(assignment: Assignment, last_date: date) -> None:
    """Add the returns a later due date brings; they begin after the last one laid out."""
    last = assignment.periods.order_by("-end_date").first()
    first = last.end_date + timedelta(days=1) if last else assignment.episode_start_date
    if first <= last_date:
        create_periods([assignment], first, last_date)
