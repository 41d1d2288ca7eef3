"""Reading: on whose desk one share's time was spent, from its events, and in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supervision.models import Assignment, DateChange, Event
from supervision.rules.desks import KINDS, Act, Desk, Span, Step, spans_of, totals
from supervision.services.settings import limits, working_calendar

STEPS = {
    Step.SIGN: gettext_lazy("Sign for it (step)"),
    Step.OBJECTION: gettext_lazy("Decide the objection (step)"),
    Step.WORK: gettext_lazy("Work (step)"),
    Step.REVIEW: gettext_lazy("Review the closing (step)"),
    Step.CHECK: gettext_lazy("Check (step)"),
    Step.REWORK: gettext_lazy("Rework (step)"),
    Step.HOLD: gettext_lazy("Suspended (step)"),
}
LIMITS = {
    Step.SIGN: "accept",
    Step.OBJECTION: "decide_objection",
    Step.REVIEW: "review_closing",
    Step.CHECK: "verify",
}


@dataclass(frozen=True)
class Stretch:
    """A span as the page shows it."""

    span: Span
    step_name: str
    desk_name: str


@dataclass(frozen=True)
class DeskTime:
    """The sentence on top and the spans under it; empty for a share that was never given out."""

    sentence: str
    stretches: list[Stretch]


def step_limits(urgency: str) -> dict[Step, int]:
    """The limits in use of the steps that have one, in working days."""
    table = limits()
    return {
        step: (table.get((code, urgency)) or table[code, ""])[0] for step, code in LIMITS.items()
    }


def due_dates_of(row: Assignment, changes: Iterable[DateChange]) -> list[tuple[date, date]]:
    """(in force after this day, due date) of a share, from its slip ledger, in order.

    What was credited for a late answer counts from the old due date on: those days lay with the
    office, not with the body.
    """
    found = []
    if row.original_due_date is not None:
        found.append((row.dispatched_date, row.original_due_date))
    for change in changes:
        if change.milestone_id is None:
            since = timezone.localdate(change.changed_at)
            if change.cause == DateChange.Cause.REVIEW:
                since = min(since, change.old_date)
            found.append((since, change.new_date))
    return sorted(found, key=lambda pair: pair[0])


def time_by_desk(
    row: Assignment, events: Iterable[Event], changes: Iterable[DateChange], *, today: date
) -> DeskTime:
    """Where the time of a share went. `events` are all of the share's, oldest first.

    Asks the database for limits and calendar only, whatever the number of events.
    """
    acts = [
        Act(event.kind, timezone.localdate(event.happened_at))
        for event in events
        if event.kind in KINDS
    ]
    spans = spans_of(
        acts,
        today=today,
        calendar=working_calendar(),
        limits=step_limits(row.item.urgency),
        due_dates=due_dates_of(row, changes),
    )
    desks = {
        Desk.BODY: str(row.organization),
        Desk.OFFICE: _("Supervision office (desk)"),
        Desk.HOLD: _("Nobody (desk)"),
    }
    return DeskTime(
        _sentence(spans) if spans else "",
        [Stretch(span, str(STEPS[span.step]), desks[span.desk]) for span in spans],
    )


def _sentence(spans: list[Span]) -> str:
    found = totals(spans)
    values = {
        "body": found[Desk.BODY].working_days,
        "body_over": found[Desk.BODY].days_over,
        "office": found[Desk.OFFICE].working_days,
        "office_over": found[Desk.OFFICE].days_over,
        "held": found[Desk.HOLD].working_days,
    }
    if any(span.desk is Desk.HOLD for span in spans):
        return (
            _(
                "The body used %(body)s working days (%(body_over)s over the limit), the office "
                "%(office)s working days (%(office_over)s over the limit); the clock stood still "
                "for %(held)s working days."
            )
            % values
        )
    return (
        _(
            "The body used %(body)s working days (%(body_over)s over the limit), the office "
            "%(office)s working days (%(office_over)s over the limit)."
        )
        % values
    )
