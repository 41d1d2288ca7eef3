"""The sentences behind reason codes: the one place of the rules that speaks to people."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from supervision.rules.lights import Reason

TEXTS = {
    # Lights, domain.md section 5.4.
    "due_in": _("%(days)s working days left"),
    "due_on_rest_day": _("No working day is left before the due date %(date)s"),
    "due_today": _("Due today"),
    "overdue": _("%(days)s days overdue"),
    "behind": _("%(gap)s percentage points behind schedule"),
    "ahead": _("%(gap)s percentage points ahead of schedule"),
    "milestone_missed": _("Milestone “%(title)s”, planned for %(date)s, was missed"),
    "months_missed": _("Milestones were missed %(months)s months running"),
    "stale": _("No recent report; the last one was on %(last_date)s"),
    "stale_undated": _("No recent report"),
    "never_reported": _("No report yet"),
    "handed_in": _("Handed in on %(date)s, with the office"),
    "suspended": _("Suspended since %(since)s: %(basis)s"),
    "suspended_without_basis": _("Suspended since %(since)s"),
    "not_dispatched": _("Not dispatched yet"),
    "cancelled": _("Cancelled"),
    "completed": _("Completed on %(date)s"),
    "completed_late": _("Completed on %(date)s, %(days)s days late"),
    "on_track": _("On track"),
    "shares_overdue": _("%(count)s other bodies are overdue"),
    "shares_behind": _("%(count)s other bodies are behind or near their due date"),
    "shares_open": _("%(count)s other bodies are still at work"),
    # What is wrong with a ladder, escalation.validate_ladder.
    "ladder_empty": _("The ladder has no levels"),
    "ladder_gap": _("Level %(number)s is missing: levels are climbed one at a time"),
    "ladder_duplicate": _("Level %(number)s occurs twice"),
    "ladder_duplicate_code": _("The code “%(code)s” occurs twice"),
    "ladder_decreasing": _("Level %(number)s would come before level %(former)s or with it"),
    "ladder_negative": _("The distance of level %(number)s must be at least one"),
    "ladder_reminder": _("Level 0 reminds before the due date; no other level does"),
    "ladder_close": _(
        "Level %(number)s follows level %(former)s within %(gap)s working days, the least distance "
        "between two urgings"
    ),
    "ladder_deaf": _("Nobody hears of level %(number)s: choose at least one duty"),
    # What is wrong with a light scheme, lights.scheme_problems.
    "scheme_overdue_order": _("The steps after the due date must ascend and begin with day 1"),
    "scheme_overdue_milder": _("A longer delay may not show a milder light: look at day %(day)s"),
    "scheme_gap_milder": _("A larger gap may not show a milder light: look at %(over)s"),
    "scheme_gap_range": _("A gap lies between 0 and 100: %(over)s does not"),
    "scheme_notice_within_warning": _(
        "The early notice (%(notice)s) must begin before the warning (%(warn)s)"
    ),
    "ladder_manual": _("Level 5 is decided by a person and never by counting"),
    "ladder_automatic": _(
        "From level 3 upward a named person decides; level %(number)s cannot be automatic"
    ),
}

# The dates a share carries, by the words of services.recount and of the addresses.
DATE_NAMES = {
    "accept": _("Sign by"),
    "object": _("Object by"),
    "plan": _("Plan due"),
    "due": _("Due date"),
    "return": _("Return due"),
    "decide": _("Objection to be decided by"),
    "milestone": _("Milestone planned for"),
}

LEVEL_NAMES = {
    "reminder_early": _("Early reminder"),
    "reminder": _("Due-date reminder"),
    "blue": _("First urging (blue sheet)"),
    "yellow": _("Second urging (yellow sheet)"),
    "red": _("Red sheet or circular"),
    "interview": _("Interview"),
    "accountability": _("Accountability proposal"),
}


def describe(reason: Reason) -> str:
    """The reason as a sentence in the reader's language. KeyError for an unknown code."""
    shown = {
        name: date_format(value) if isinstance(value, date) else value
        for name, value in reason.params.items()
    }
    return str(TEXTS[_text_code(reason)]) % shown


def level_name(code: str, fallback: str = "") -> str:
    """Name of a level we ship; the office's own levels carry theirs as `fallback`."""
    return str(LEVEL_NAMES.get(code, fallback))


def _text_code(reason: Reason) -> str:
    """Sentences that leave out what is not known."""
    if reason.code == "due_in" and reason.params["days"] == 0:
        return "due_on_rest_day"
    if reason.code == "stale" and reason.params["last_date"] is None:
        return "stale_undated"
    if reason.code == "suspended" and not reason.params["basis"]:
        return "suspended_without_basis"
    return reason.code
