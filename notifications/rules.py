"""Who hears of which event, over which channel, and why. Data and plain functions.

Duties are those of domain.md, section 2. A body's duties are looked up in the event's body, the
leader's on the event's item, the drafter's on its draft; office duties belong to the whole office.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from supervision.models import Event, EventKind, LetterKind, Role

K = EventKind
LIAISON, BODY_HEAD = Role.LIAISON.value, Role.BODY_HEAD.value
OFFICER, OFFICE_HEAD = Role.OFFICER.value, Role.OFFICE_HEAD.value
LEADER, PRINCIPAL = Role.LEADER.value, Role.PRINCIPAL.value
PUBLISHER, REVIEWER = Role.PUBLISHER.value, Role.REVIEWER.value
DRAFTER = "drafter"

BODY_DUTIES = frozenset({LIAISON, BODY_HEAD})
OFFICE_DUTIES = frozenset({OFFICER, OFFICE_HEAD, PRINCIPAL, PUBLISHER, REVIEWER})
PERSONAL_DUTIES = frozenset({LEADER, DRAFTER})

# Words the ladder's audience may use that are no duty of an account.
AUDIENCE = {"section": LIAISON}

INBOX, DIGEST, AT_ONCE = "inbox", "digest", "mail"
FIRST_RED_LEVEL = 3


@dataclass(frozen=True)
class Hearing:
    """One duty hears of an event: `channel` INBOX only, with the DIGEST, or AT_ONCE."""

    duty: str
    channel: str = DIGEST


def _inbox(*duties: str) -> tuple[Hearing, ...]:
    return tuple(Hearing(duty, INBOX) for duty in duties)


def _digest(*duties: str) -> tuple[Hearing, ...]:
    return tuple(Hearing(duty, DIGEST) for duty in duties)


BODY = _digest(LIAISON, BODY_HEAD)

HEARINGS: dict[str, tuple[Hearing, ...]] = {
    K.ITEM_SUBMITTED: _digest(OFFICE_HEAD) + _inbox(LEADER),
    K.ITEM_SENT_BACK: _digest(DRAFTER),
    K.ITEM_APPROVED: _inbox(DRAFTER),
    K.ITEM_COMPLETED: _inbox(LEADER, DRAFTER),
    K.INSTRUCTED: _digest(OFFICER, OFFICE_HEAD),
    K.DISPATCHED: BODY,
    # Everybody hears of one's own shares in one line each, the office of the change itself.
    K.BODY_CHANGED: _inbox(LIAISON, BODY_HEAD, LEADER),
    K.BODIES_CHANGED: _inbox(OFFICER),
    K.OBJECTED: _digest(OFFICE_HEAD) + _inbox(OFFICER),
    K.OBJECTION_REJECTED: BODY,
    K.OBJECTION_UPHELD: BODY,
    K.PLAN_FILED: _inbox(OFFICER),
    K.PLAN_AGREED: _inbox(LIAISON),
    K.MILESTONE_SUBMITTED: _inbox(OFFICER),
    K.MILESTONE_SENT_BACK: _digest(LIAISON),
    K.MILESTONE_MOVED: _inbox(LIAISON),
    K.SIGN_OFF_ASKED: _digest(BODY_HEAD),
    K.SIGN_OFF_REFUSED: _digest(LIAISON),
    K.REPORT_SUBMITTED: _inbox(OFFICER),
    K.REPORT_SENT_BACK: BODY,
    K.REPORT_APPROVED: _inbox(LIAISON),
    K.EXTENSION_DRAFTED: _digest(BODY_HEAD),
    K.EXTENSION_ASKED: _digest(OFFICER),
    K.EXTENSION_ENDORSED: _digest(LEADER) + _inbox(OFFICE_HEAD),
    K.EXTENSION_GRANTED: BODY + _inbox(OFFICER),
    K.EXTENSION_REFUSED: BODY + _inbox(OFFICER),
    K.CLOSING_DRAFTED: _digest(BODY_HEAD),
    K.SUBMITTED: _digest(OFFICER),
    K.SENT_BACK: BODY,
    K.APPROVED: _digest(OFFICE_HEAD),
    K.CHECK_FAILED: BODY,
    K.COMPLETED: BODY + _inbox(LEADER),
    K.SUSPENDED: BODY,
    K.RESUMED: BODY,
    K.CANCELLED: BODY,
    K.REOPENED: BODY,
    K.REMINDED: BODY,
    K.REMINDER_DUE: _digest(LIAISON),
    K.ACCEPT_OVERDUE: BODY + _inbox(OFFICER),
    K.BECAME_OVERDUE: BODY + _inbox(OFFICER, LEADER),
    K.MILESTONE_MISSED: _digest(LIAISON) + _inbox(OFFICER),
    K.PERIOD_CLOSED: _digest(LIAISON),
    K.ESCALATED: (),
    K.REVIEW_NEAR: (),
    K.REVIEW_OVERDUE: (),
    K.ESCALATION_PROPOSED: (Hearing(OFFICE_HEAD, AT_ONCE), Hearing(LEADER, INBOX)),
    K.ESCALATION_DECIDED: (
        Hearing(BODY_HEAD, AT_ONCE),
        Hearing(LIAISON, INBOX),
        Hearing(LEADER, INBOX),
        Hearing(OFFICER, INBOX),
    ),
    K.CALENDAR_DRAFTED: _digest(OFFICE_HEAD),
    K.CALENDAR_CONFIRMED: _inbox(OFFICER),
    # One message for a body; the event of each single date is told to nobody.
    K.CALENDAR_CHANGED: BODY,
    # Told only of letters that no other event tells of; see `hearings`.
    K.LETTER_ISSUED: BODY,
    K.LETTER_VOIDED: _inbox(LIAISON, BODY_HEAD),
    K.LETTER_REPLIED: _inbox(OFFICER),
    # The event's body is the one that is asked, and of an answer the one that asked.
    K.HELP_ASKED: BODY,
    K.HELP_DUE: _digest(LIAISON) + _inbox(BODY_HEAD),
    K.HELP_ANSWERED: _digest(LIAISON) + _inbox(BODY_HEAD),
    K.HELP_DECLINED: BODY + _inbox(OFFICER),
    K.HELP_WITHDRAWN: _inbox(LIAISON, BODY_HEAD),
    K.OPENNESS_DUE: _digest(OFFICER),
    K.RELEASE_PROPOSED: _digest(REVIEWER),
    K.RELEASE_SENT_BACK: _digest(PUBLISHER),
    # The next reviewer hears of it too, until the third has signed.
    K.RELEASE_APPROVED: (Hearing(PUBLISHER, INBOX), Hearing(REVIEWER, DIGEST)),
    K.RELEASED: _inbox(REVIEWER, OFFICE_HEAD),
    # One person may withdraw; the others are told.
    K.WITHDRAWN: _digest(PUBLISHER, REVIEWER, OFFICE_HEAD),
}

# A matter on a desk of the office, or of a head who has to sign off (domain.md, section 6.3).
WAITING = frozenset({K.REVIEW_NEAR, K.REVIEW_OVERDUE})
# What takes a matter off a desk: the act, and the queues it empties.
TAKES_OFF: dict[str, frozenset[str]] = {
    K.ITEM_APPROVED: frozenset({"approvals"}),
    K.ITEM_SENT_BACK: frozenset({"approvals"}),
    K.ITEM_CANCELLED: frozenset({"approvals"}),
    K.OBJECTION_REJECTED: frozenset({"objections"}),
    K.OBJECTION_UPHELD: frozenset({"objections"}),
    K.OBJECTION_WITHDRAWN: frozenset({"objections"}),
    K.EXTENSION_ENDORSED: frozenset({"extensions"}),
    K.EXTENSION_GRANTED: frozenset({"decisions"}),
    K.EXTENSION_REFUSED: frozenset({"extensions", "decisions"}),
    K.EXTENSION_WITHDRAWN: frozenset({"extensions", "decisions"}),
    K.REPORT_APPROVED: frozenset({"reports"}),
    K.REPORT_SENT_BACK: frozenset({"reports"}),
    K.REPORT_SUBMITTED: frozenset({"sign-offs"}),
    K.SIGN_OFF_REFUSED: frozenset({"sign-offs"}),
    K.MILESTONE_COMPLETED: frozenset({"milestones"}),
    K.MILESTONE_SENT_BACK: frozenset({"milestones"}),
    K.APPROVED: frozenset({"closings"}),
    K.SENT_BACK: frozenset({"closings"}),
    K.COMPLETED: frozenset({"checks"}),
    K.CHECK_FAILED: frozenset({"checks"}),
    K.SUBMITTED: frozenset({"closing-sign-offs"}),
    K.RELEASE_APPROVED: frozenset({"releases", "secrecy-reviews"}),
    K.RELEASE_SENT_BACK: frozenset({"releases", "secrecy-reviews"}),
    K.RELEASE_REVISED: frozenset({"releases", "secrecy-reviews"}),
}
# Read by the body that is asked as well, which may have no share of the item.
OF_HELP = frozenset({K.HELP_ASKED, K.HELP_DUE, K.HELP_ANSWERED, K.HELP_DECLINED, K.HELP_WITHDRAWN})
TO_THE_HELPER = frozenset({K.HELP_ASKED, K.HELP_DUE, K.HELP_WITHDRAWN})
# A desk has passed to a successor: what still waits for the one waits for the other.
PASSES_ON = frozenset({K.HANDOVER_TAKEN})
# About the calendar as a whole: no share, no item.
OF_CALENDAR = frozenset({K.CALENDAR_DRAFTED, K.CALENDAR_CONFIRMED, K.CALENDAR_CHANGED})

# Messages that press for something; they stop when it is done, held, or given more time.
CHASING = frozenset(
    {
        K.REMINDED,
        K.REMINDER_DUE,
        K.ACCEPT_OVERDUE,
        K.BECAME_OVERDUE,
        K.MILESTONE_MISSED,
        K.PERIOD_CLOSED,
        K.ESCALATED,
        K.ESCALATION_PROPOSED,
    }
)
# After these every open message about the share is void ...
ENDING = frozenset({K.COMPLETED, K.SUSPENDED, K.CANCELLED, K.OBJECTION_UPHELD})
# ... after these only what asked for just this; of the same period or milestone where one is named.
SETTLES: dict[str, frozenset[str]] = {
    K.ACCEPTED: frozenset({K.DISPATCHED, K.ACCEPT_OVERDUE, K.OBJECTION_REJECTED}),
    K.OBJECTED: CHASING | {K.DISPATCHED},
    K.SUBMITTED: CHASING | {K.CLOSING_DRAFTED, K.SENT_BACK, K.CHECK_FAILED},
    K.SENT_BACK: frozenset({K.SUBMITTED}),
    K.APPROVED: frozenset({K.SUBMITTED}),
    K.CHECK_FAILED: frozenset({K.APPROVED}),
    K.EXTENSION_GRANTED: CHASING | {K.EXTENSION_ASKED, K.EXTENSION_ENDORSED},
    K.EXTENSION_REFUSED: frozenset({K.EXTENSION_ASKED, K.EXTENSION_ENDORSED}),
    K.EXTENSION_WITHDRAWN: frozenset({K.EXTENSION_ASKED, K.EXTENSION_ENDORSED}),
    K.EXTENSION_ENDORSED: frozenset({K.EXTENSION_ASKED}),
    K.EXTENSION_ASKED: frozenset({K.EXTENSION_DRAFTED}),
    K.PLAN_AGREED: frozenset({K.PLAN_FILED}),
    K.SIGN_OFF_ASKED: frozenset({K.SIGN_OFF_REFUSED, K.REPORT_SENT_BACK}),
    K.REPORT_SUBMITTED: frozenset({K.SIGN_OFF_ASKED, K.REPORT_SENT_BACK, K.PERIOD_CLOSED}),
    K.REPORT_APPROVED: frozenset({K.REPORT_SUBMITTED}),
    K.REPORT_SENT_BACK: frozenset({K.REPORT_SUBMITTED}),
    K.PERIOD_SKIPPED: frozenset({K.PERIOD_CLOSED}),
    K.MILESTONE_SUBMITTED: frozenset({K.MILESTONE_SENT_BACK, K.MILESTONE_MISSED}),
    K.MILESTONE_COMPLETED: frozenset({K.MILESTONE_SUBMITTED, K.MILESTONE_MISSED}),
    K.MILESTONE_SENT_BACK: frozenset({K.MILESTONE_SUBMITTED}),
    K.MILESTONE_CANCELLED: frozenset({K.MILESTONE_MISSED}),
    K.ESCALATION_DECIDED: frozenset({K.ESCALATION_PROPOSED}),
    K.HELP_ANSWERED: frozenset({K.HELP_ASKED, K.HELP_DUE}),
    K.HELP_DECLINED: frozenset({K.HELP_ASKED, K.HELP_DUE}),
    K.HELP_WITHDRAWN: frozenset({K.HELP_ASKED, K.HELP_DUE}),
    K.LETTER_REPLIED: frozenset({K.LETTER_ISSUED}),
    K.LETTER_VOIDED: frozenset({K.LETTER_ISSUED}),
}

# After a decision on openness nobody need be reminded of it.
SETTLES_OF_ITEM = {K.ITEM_CHANGED: frozenset({K.OPENNESS_DUE})}


def answers_openness(data: Mapping) -> bool:
    """Whether a change of an item is a decision on its openness, the same as before included."""
    return "openness" in data


# What duty sends: nobody can switch these off, for they press, give work or decide.
DUTY_KINDS = CHASING | {
    K.DISPATCHED,
    K.ESCALATION_DECIDED,
    K.SENT_BACK,
    K.CHECK_FAILED,
    K.REPORT_SENT_BACK,
    K.MILESTONE_SENT_BACK,
    K.EXTENSION_GRANTED,
    K.EXTENSION_REFUSED,
    K.SUSPENDED,
    K.RESUMED,
    K.CANCELLED,
    K.REOPENED,
}
# What is shown red, and counted until it is read.
URGENT = frozenset({K.BECAME_OVERDUE, K.ESCALATED, K.ESCALATION_PROPOSED, K.ESCALATION_DECIDED})
# What a chat group hears of: work that comes, and what presses for it.
GROUP_KINDS = CHASING | {K.DISPATCHED, K.ESCALATION_DECIDED}

DEPUTY, GROUP, SUCCESSOR = "deputy", "group", "successor"
WHY = {
    DEPUTY: _("because you stand in for %(person)s"),
    SUCCESSOR: _("because you took over the desk of %(person)s"),
    GROUP: _("because this group belongs to %(body)s"),
    LIAISON: _("because you are the liaison of %(body)s"),
    BODY_HEAD: _("because you are the head of %(body)s"),
    OFFICER: _("because you are a supervision officer"),
    OFFICE_HEAD: _("because you head the supervision office"),
    LEADER: _("because you are the leader in charge of this item"),
    PRINCIPAL: _("because you are the principal leader"),
    PUBLISHER: _("because you publish to the public site"),
    REVIEWER: _("because you review what is published"),
    DRAFTER: _("because you drafted this item"),
}


def hearings(kind: str, data: Mapping) -> Sequence[Hearing]:
    """Who hears of an event of this kind with these details; empty when nobody does."""
    if kind in WAITING:
        return _digest(*data.get("audience", ()))
    if kind == K.PERIOD_CLOSED and data.get("is_filed"):
        return ()
    if kind in (K.REMINDER_DUE, K.ESCALATED, K.ESCALATION_PROPOSED) and not data.get("is_sent"):
        return ()
    if kind == K.LETTER_ISSUED and data.get("is_told"):
        return ()
    if kind == K.LETTER_ISSUED and data.get("letter_kind") == LetterKind.URGING_RED:
        return tuple(Hearing(duty, AT_ONCE) for duty in (LIAISON, BODY_HEAD))
    if kind == K.LETTER_VOIDED and not data.get("number"):
        return ()
    if kind == K.ESCALATION_DECIDED and not data.get("is_issued"):
        return _inbox(OFFICER, LEADER)
    if kind == K.BECAME_OVERDUE and data.get("is_urging_held"):
        return _inbox(OFFICER)
    if kind in (K.REMINDER_DUE, K.ESCALATED):
        level = data.get("level", 0)
        channel = AT_ONCE if level >= FIRST_RED_LEVEL else DIGEST
        duties = dict.fromkeys(AUDIENCE.get(duty, duty) for duty in data.get("audience", ()))
        to_audience = tuple(Hearing(duty, channel) for duty in duties)
        return to_audience + (_inbox(OFFICER) if kind == K.ESCALATED else ())
    return HEARINGS.get(kind, ())


def is_help_to(event: Event, organization_id: int | None) -> bool:
    """Whether an event is about help asked of this body: it reads it without a share of its own."""
    return (
        event.kind in TO_THE_HELPER
        and organization_id is not None
        and event.organization_id == organization_id
    )


def why(reason_code: str, params: Mapping) -> str:
    """Why somebody got a message, as a clause that follows it."""
    return str(WHY[reason_code]) % {
        "body": params.get("body", ""),
        "person": params.get("person", ""),
    }
