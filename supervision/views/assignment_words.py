"""One body's share in words: where it stands, and why its date is what it is."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supervision.models import (
    Assignment,
    DateChange,
)

STANDING = {
    Assignment.Status.PENDING: gettext_lazy(
        "%(body)s has not signed for it yet; to be signed by %(accept_due)s."
    ),
    Assignment.Status.DISPUTED: gettext_lazy(
        "%(body)s has objected; the supervision office decides. No time is charged until then."
    ),
    Assignment.Status.IN_PROGRESS: gettext_lazy("%(body)s is at work; due on %(due)s."),
    Assignment.Status.UNDER_REVIEW: gettext_lazy(
        "%(body)s applied for completion on %(submitted)s; the supervision office reviews it."
    ),
    Assignment.Status.RETURNED: gettext_lazy(
        "The closing was sent back (%(times)s times so far); %(body)s reworks it, due on %(due)s."
    ),
    Assignment.Status.APPROVED: gettext_lazy(
        "The closing of %(submitted)s is in order; the check by the supervision office follows."
    ),
    Assignment.Status.SUSPENDED: gettext_lazy("Suspended since %(suspended)s: %(basis)s"),
    Assignment.Status.CANCELLED: gettext_lazy("Cancelled; nothing more is expected."),
}


def standing(row: Assignment) -> str:
    """Where a share stands, in one sentence."""
    values = {
        "body": row.organization,
        "accept_due": shown_date(row.accept_due_date),
        "due": shown_date(row.due_date),
        "submitted": shown_date(row.submitted_date),
        "suspended": shown_date(row.suspended_date),
        "basis": row.suspension_basis,
        "times": row.times_returned,
        "completed": shown_date(row.completed_date),
        "days": row.days_late,
    }
    if row.status == Assignment.Status.COMPLETED:
        if row.days_late:
            return _("Completed on %(completed)s, %(days)s days late.") % values
        return _("Completed on %(completed)s, on time.") % values
    if row.transferred_to_id:
        return _("Given to another body; nothing more is expected from %(body)s.") % values
    if row.status in Assignment.IN_HAND_STATES and row.is_sign_off_requested:
        return _("The closing report waits for the sign-off of the head of %(body)s.") % values
    if row.status == Assignment.Status.IN_PROGRESS and row.due_date is None:
        return _("%(body)s is at work; the item is ongoing, without an end date.") % values
    return str(STANDING[row.status]) % values


def shown_date(day: date | None) -> str:
    return date_format(day) if day else "—"


WHY = {
    DateChange.Cause.EXTENSION: gettext_lazy(
        "Moved from %(old)s to %(new)s by a granted extension: %(reason)s"
    ),
    DateChange.Cause.HOLD: gettext_lazy(
        "Moved from %(old)s to %(new)s: %(days)s working days of suspension were added."
    ),
    DateChange.Cause.REWORK: gettext_lazy(
        "Moved from %(old)s to %(new)s: time to rework what was sent back."
    ),
    DateChange.Cause.REVIEW: gettext_lazy(
        "Moved from %(old)s to %(new)s: a request was answered %(days)s working days late; that "
        "is not charged to the body."
    ),
    DateChange.Cause.CALENDAR: gettext_lazy(
        "Moved from %(old)s to %(new)s because the holiday calendar changed: %(reason)s"
    ),
    DateChange.Cause.REOPEN: gettext_lazy(
        "Set to %(new)s when it was reopened (before: %(old)s): %(reason)s"
    ),
}


def why_due(row: Assignment, changes: list[DateChange]) -> str:
    """Why the current due date is what it is: the receipt in words."""
    if row.due_date is None:
        return _("The item is ongoing and has no due date.")
    if not changes or changes[-1].cause not in WHY:
        return _("As set when it was dispatched on %(date)s.") % {
            "date": shown_date(row.dispatched_date)
        }
    last = changes[-1]
    return str(WHY[last.cause]) % {
        "old": shown_date(last.old_date),
        "new": shown_date(last.new_date),
        "days": last.working_days,
        "reason": last.reason,
    }
