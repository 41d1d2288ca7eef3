"""One sentence for every event: what the page, the inbox and the digest say happened.

Events hold parameters, never sentences. A kind has one or more sentences; the first one whose
parameters are all known is used, so an event of an older or leaner writer still reads well.
The reason somebody gave is not part of the sentence: it is shown beside it, in their own words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from supervision.models import Event, EventKind, LetterKind, SendBackReason, SupervisionItem
from supervision.rules.escalation import SHIP_LADDER
from supervision.rules.reasons import DATE_NAMES, level_name

RELATED = ("organization", "item", "document")

# The most telling sentence first; the last one of each kind needs only what every such event has.
SENTENCES: dict[str, tuple] = {
    EventKind.DOCUMENT_LOADED: (_("The policy document was loaded"),),
    EventKind.DOCUMENT_CORRECTED: (
        _("The text of %(quoted_clauses)s clauses was taken from the document"),
        _("The policy data were corrected in %(changes_count)s places"),
        _("The policy data were corrected"),
    ),
    EventKind.DOCUMENT_ACTIVATED: (_("The document was put under supervision"),),
    EventKind.DOCUMENT_CLOSED: (_("Supervision of the document ended"),),
    EventKind.ITEM_CREATED: (_("The item was drafted"),),
    EventKind.ITEM_CHANGED: (
        _("Openness was decided: %(openness_word)s"),
        _("The draft was changed: %(fields)s"),
        _("The draft was changed"),
    ),
    EventKind.ITEM_SUBMITTED: (_("The item was submitted for approval"),),
    EventKind.ITEM_SENT_BACK: (_("The item was sent back to its drafter"),),
    EventKind.ITEM_APPROVED: (
        _("The item was initiated under the number %(number)s"),
        _("The item was initiated"),
    ),
    EventKind.ITEM_DISPATCHED: (
        _("The item was dispatched to %(bodies)s bodies by notice %(notice)s"),
        _("The item was dispatched"),
    ),
    EventKind.ITEM_SUSPENDED: (_("The item was suspended"),),
    EventKind.ITEM_RESUMED: (_("The item was resumed"),),
    EventKind.ITEM_CANCELLED: (_("The item was cancelled"),),
    EventKind.ITEM_COMPLETED: (
        _("The item was closed out, %(days_late)s days late"),
        _("The item was closed out on time"),
        _("The item was closed out"),
    ),
    EventKind.ITEM_ARCHIVED: (_("The item was archived"),),
    EventKind.ITEM_REOPENED: (
        _("The item was reopened; the new due date is %(due_date)s"),
        _("The item was reopened"),
    ),
    EventKind.INSTRUCTED: (_("A leader gave an instruction"),),
    EventKind.DISPATCHED: (
        _("Assigned to %(body)s instead of %(instead_of)s; sign by %(accept_due_date)s"),
        _("Assigned to %(body)s; to be signed for by %(accept_due_date)s, due on %(due_date)s"),
        _("Assigned to %(body)s; to be signed for by %(accept_due_date)s"),
        _("Assigned to %(body)s"),
    ),
    EventKind.ACCEPTED: (
        _("%(body)s signed for the work after the limit"),
        _("%(body)s signed for the work"),
    ),
    EventKind.OBJECTED: (_("%(body)s objected to the assignment"),),
    EventKind.OBJECTION_REJECTED: (_("The objection of %(body)s was rejected"),),
    EventKind.OBJECTION_UPHELD: (
        _("The objection of %(body)s was upheld; the work went to %(new_body)s"),
        _("The objection of %(body)s was upheld"),
    ),
    EventKind.OBJECTION_WITHDRAWN: (_("%(body)s withdrew its objection"),),
    EventKind.PLAN_FILED: (
        _("%(body)s filed a plan of %(steps_count)s milestones"),
        _("%(body)s filed a plan"),
    ),
    EventKind.PLAN_AGREED: (
        _("The plan of %(body)s was agreed: %(steps_count)s milestones"),
        _("The plan of %(body)s was agreed"),
    ),
    EventKind.MILESTONE_STARTED: (
        _("%(body)s started the milestone “%(title)s”"),
        _("%(body)s started a milestone"),
    ),
    EventKind.MILESTONE_SUBMITTED: (
        _("%(body)s reported the milestone “%(title)s” done on %(actual_date)s"),
        _("%(body)s reported the milestone “%(title)s” done"),
        _("%(body)s reported a milestone done"),
    ),
    EventKind.MILESTONE_SENT_BACK: (
        _("The milestone “%(title)s” was sent back to %(body)s"),
        _("A milestone was sent back to %(body)s"),
    ),
    EventKind.MILESTONE_COMPLETED: (
        _(
            "The milestone “%(title)s” of %(body)s was verified: planned for %(planned_date)s, "
            "done on %(actual_date)s"
        ),
        _("The milestone “%(title)s” of %(body)s was verified"),
        _("A milestone of %(body)s was verified"),
    ),
    EventKind.MILESTONE_MOVED: (
        _("The milestone “%(title)s” of %(body)s was moved from %(old_date)s to %(new_date)s"),
        _("A milestone of %(body)s was moved"),
    ),
    EventKind.MILESTONE_CANCELLED: (
        _("The milestone “%(title)s” of %(body)s was cancelled"),
        _("A milestone of %(body)s was cancelled"),
    ),
    EventKind.REPORT_SAVED: (
        _("%(body)s saved its return for %(period)s"),
        _("%(body)s saved its return"),
    ),
    EventKind.SIGN_OFF_ASKED: (
        _("%(body)s: the return for %(period)s was handed to the head for sign-off"),
        _("%(body)s: a return was handed to the head for sign-off"),
    ),
    EventKind.SIGN_OFF_REFUSED: (
        _("%(body)s: the head handed the return for %(period)s back"),
        _("%(body)s: the head handed a return back"),
    ),
    EventKind.REPORT_SUBMITTED: (
        _("%(body)s filed its return for %(period)s"),
        _("%(body)s filed its return"),
    ),
    EventKind.REPORT_SENT_BACK: (
        _("The return of %(body)s for %(period)s was sent back: %(reason_word)s"),
        _("The return of %(body)s for %(period)s was sent back"),
        _("A return of %(body)s was sent back"),
    ),
    EventKind.REPORT_APPROVED: (
        _("The return of %(body)s for %(period)s was accepted, verified at %(verified_percent)s%%"),
        _("The return of %(body)s for %(period)s was accepted"),
        _("A return of %(body)s was accepted"),
    ),
    EventKind.PERIOD_SKIPPED: (
        _("No return is owed by %(body)s for %(period)s"),
        _("No return is owed by %(body)s this period"),
    ),
    EventKind.PERIOD_UNSKIPPED: (
        _("A return is owed by %(body)s for %(period)s after all"),
        _("A return is owed by %(body)s after all"),
    ),
    EventKind.EXTENSION_DRAFTED: (
        _("%(body)s prepared a request for more time until %(asked_date)s"),
        _("%(body)s prepared a request for more time"),
    ),
    EventKind.EXTENSION_ASKED: (
        _("%(body)s asked for more time until %(asked_date)s, after the due date had passed"),
        _("%(body)s asked for more time until %(asked_date)s"),
        _("%(body)s asked for more time"),
    ),
    EventKind.EXTENSION_ENDORSED: (
        _("The request of %(body)s for more time until %(asked_date)s was endorsed"),
        _("The request of %(body)s for more time was endorsed"),
    ),
    EventKind.EXTENSION_GRANTED: (
        _(
            "%(body)s was granted more time: from %(old_date)s to %(new_date)s, "
            "%(working_days)s working days; letter %(letter_number)s"
        ),
        _(
            "%(body)s was granted more time: from %(old_date)s to %(new_date)s, "
            "%(working_days)s working days"
        ),
        _("%(body)s was granted more time"),
    ),
    EventKind.EXTENSION_REFUSED: (
        _(
            "The request of %(body)s for more time until %(asked_date)s was refused "
            "%(credit_days)s working days after the limit; the due date moved to %(new_date)s; "
            "letter %(letter_number)s"
        ),
        _(
            "The request of %(body)s for more time until %(asked_date)s was refused; "
            "letter %(letter_number)s"
        ),
        _("The request of %(body)s for more time until %(asked_date)s was refused"),
        _("The request of %(body)s for more time was refused"),
    ),
    EventKind.EXTENSION_WITHDRAWN: (_("%(body)s withdrew its request for more time"),),
    EventKind.CLOSING_DRAFTED: (_("%(body)s: the closing report was handed to the head"),),
    EventKind.SUBMITTED: (_("%(body)s applied for completion"),),
    EventKind.SENT_BACK: (
        _("The closing of %(body)s was sent back: %(reason_word)s; rework by %(rework_due_date)s"),
        _("The closing of %(body)s was sent back; rework by %(rework_due_date)s"),
        _("The closing of %(body)s was sent back"),
    ),
    EventKind.BODIES_CHANGED: (
        _("From %(from_date)s on %(new_names)s takes the place of %(old_names)s"),
        _("The bodies changed"),
    ),
    EventKind.BODY_CHANGED: (
        _("The share of %(old_name)s goes on with %(new_name)s in its own share of the item"),
        _("The share went from %(old_name)s to %(new_name)s"),
        _("The share went to another body"),
    ),
    EventKind.APPROVED: (_("The closing of %(body)s was found in order; the check follows"),),
    EventKind.CHECK_FAILED: (
        _("The check of %(body)s failed; rework by %(rework_due_date)s"),
        _("The check of %(body)s failed"),
    ),
    EventKind.COMPLETED: (
        _("%(body)s completed its share on %(completed_date)s, %(days_late)s days late"),
        _("%(body)s completed its share on %(completed_date)s"),
        _("%(body)s completed its share"),
    ),
    EventKind.SUSPENDED: (_("The share of %(body)s was suspended"),),
    EventKind.RESUMED: (
        _("The share of %(body)s was resumed; %(held_working_days)s working days were added"),
        _("The share of %(body)s was resumed"),
    ),
    EventKind.CANCELLED: (_("The share of %(body)s was cancelled"),),
    EventKind.REOPENED: (
        _("The share of %(body)s was reopened; the new due date is %(due_date)s"),
        _("The share of %(body)s was reopened"),
    ),
    EventKind.FILE_ADDED: (
        _("%(body)s added the file “%(name)s”"),
        _("A file was added"),
    ),
    EventKind.NOTE: (_("A note was made"),),
    EventKind.REMINDED: (
        _("%(body)s was urged by the office"),
        _("The body was urged by the office"),
    ),
    EventKind.REMINDER_DUE: (
        _("The share of %(body)s is due on %(due_date)s"),
        _("The share of %(body)s is due soon"),
        _("The due date is near"),
    ),
    EventKind.ACCEPT_OVERDUE: (
        _("%(body)s had not signed for the work by %(accept_due_date)s"),
        _("%(body)s had not signed for the work in time"),
    ),
    EventKind.BECAME_OVERDUE: (
        _("%(body)s became overdue; the due date was %(due_date)s"),
        _("%(body)s became overdue"),
    ),
    EventKind.MILESTONE_MISSED: (
        _("%(body)s missed the milestone “%(title)s” planned for %(planned_date)s"),
        _("%(body)s missed the milestone “%(title)s”"),
        _("%(body)s missed a milestone"),
    ),
    EventKind.PERIOD_CLOSED: (
        _("The return day for %(period)s passed without a return of %(body)s"),
        _("The return day passed without a return of %(body)s"),
    ),
    EventKind.PERIOD_MADE_UP: (
        _("%(body)s made up its return for %(period)s late"),
        _("%(body)s made up a return late"),
    ),
    EventKind.ESCALATED: (
        _("%(body)s: %(level_name)s, letter %(letter_number)s"),
        _("%(body)s: %(level_name)s, %(working_days_overdue)s working days overdue"),
        _("%(body)s: %(level_name)s"),
        _("Supervision of %(body)s was escalated"),
    ),
    EventKind.ESCALATION_PROPOSED: (
        _("%(body)s: “%(level_name)s” is proposed and waits for a decision"),
        _("A further step is proposed for %(body)s and waits for a decision"),
    ),
    EventKind.ESCALATION_DECIDED: (
        _("%(body)s: “%(level_name)s” was issued"),
        _("%(body)s: “%(level_name)s” was not issued"),
        _("The proposed step for %(body)s was decided"),
    ),
    EventKind.REVIEW_NEAR: (
        _("%(queue_name)s: due at this desk by %(due_date)s"),
        _("A matter waits with the office; its limit is near"),
    ),
    EventKind.REVIEW_OVERDUE: (
        _("%(queue_name)s: over the limit of %(limit_days)s working days since %(due_date)s"),
        _("A matter waits with the office longer than its limit"),
    ),
    EventKind.RULES_CHANGED: (
        _("%(rules_name)s: %(changes_count)s changes were put into use"),
        _("The rules of the office were changed"),
    ),
    EventKind.LETTER_DRAFTED: (
        _("%(body)s: “%(letter_title)s” was drafted"),
        _("“%(letter_title)s” was drafted"),
        _("A letter was drafted"),
    ),
    EventKind.LETTER_ISSUED: (
        _("%(body)s was sent the letter %(number)s “%(letter_title)s”"),
        _("The letter %(number)s “%(letter_title)s” was issued"),
        _("A letter was issued"),
    ),
    EventKind.LETTER_VOIDED: (
        _("The letter %(number)s “%(letter_title)s” was made void"),
        _("The draft “%(letter_title)s” was not issued"),
        _("A letter was made void"),
    ),
    EventKind.LETTER_ACCEPTED: (
        _("%(body)s signed for the letter %(number)s after the limit"),
        _("%(body)s signed for the letter %(number)s"),
        _("A letter was signed for"),
    ),
    EventKind.LETTER_REPLIED: (
        _("%(body)s answered the letter %(number)s after the limit"),
        _("%(body)s answered the letter %(number)s"),
        _("A letter was answered"),
    ),
    EventKind.LETTER_TEMPLATE_CHANGED: (
        _("The text of “%(letter_name)s” was changed to version %(version)s"),
        _("The text of a letter was changed"),
    ),
    EventKind.RELEASE_PROPOSED: (
        _("The public edition %(edition)s was proposed"),
        _("A public edition was proposed"),
    ),
    EventKind.RELEASE_REVISED: (
        _("The public edition %(edition)s was changed; all reviews begin anew"),
        _("A public edition was changed"),
    ),
    EventKind.RELEASE_SENT_BACK: (
        _("The public edition %(edition)s was sent back"),
        _("A public edition was sent back"),
    ),
    EventKind.RELEASE_APPROVED: (
        _("The public edition %(edition)s passed review %(stage)s of 3"),
        _("The public edition %(edition)s was approved"),
        _("A public edition was approved"),
    ),
    EventKind.RELEASED: (
        _("The public edition %(edition)s was published"),
        _("A public edition was published"),
    ),
    EventKind.WITHDRAWN: (
        _("The public edition %(edition)s was withdrawn from the public"),
        _("The item was withdrawn from the public"),
    ),
    EventKind.EXPORTED: (
        _("The ledger was exported: %(rows)s rows"),
        _("The ledger was exported"),
    ),
    EventKind.TABLE_IMPORTED: (
        _("%(rows)s items were drafted from a breakdown table of %(source)s"),
        _("Items were drafted from a breakdown table"),
    ),
    EventKind.PACK_MADE: (
        _("The meeting pack %(period)s was made"),
        _("A meeting pack was made"),
    ),
    EventKind.IMPORTED: (
        _("%(rows)s returns were imported from a workbook"),
        _("Returns were imported from a workbook"),
    ),
    EventKind.CALENDAR_DRAFTED: (
        _("The holiday notice for %(year)s, version %(number)s, was loaded and waits for review"),
        _("A holiday notice was loaded and waits for review"),
    ),
    EventKind.CALENDAR_CONFIRMED: (
        _(
            "The holiday notice for %(year)s, version %(number)s, was confirmed; it moved "
            "%(moved_count)s deadlines"
        ),
        _("A holiday notice was confirmed"),
    ),
    EventKind.CALENDAR_DROPPED: (
        _("The draft of the holiday notice for %(year)s, version %(number)s, was dropped"),
        _("The draft of a holiday notice was dropped"),
    ),
    EventKind.CALENDAR_CHANGED: (
        _("The holiday calendar changed and moved %(moved_count)s deadlines of %(body)s"),
        _("The holiday calendar changed and moved deadlines of %(body)s"),
    ),
    EventKind.DATE_RECOUNTED: (
        _("%(body)s: the holiday calendar moved “%(date_word)s” from %(old_date)s to %(new_date)s"),
        _("A deadline of %(body)s was moved by the holiday calendar"),
    ),
    EventKind.MESSAGE_RESENT: (
        _("A message to %(recipient)s about “%(about)s” was sent again"),
        _("A message was sent again"),
    ),
    EventKind.MESSAGE_GIVEN_UP: (
        _("A message to %(recipient)s about “%(about)s” was given up"),
        _("A message was given up"),
    ),
    EventKind.MESSAGES_RELEASED: (
        _("%(count)s held messages were released"),
        _("Held messages were released"),
    ),
    EventKind.MESSAGE_HELD: (
        _("The messages about “%(about)s” are held back"),
        _("Messages are held back"),
    ),
    EventKind.MESSAGE_UNHELD: (
        _("The messages about “%(about)s” were let go"),
        _("Messages were let go"),
    ),
    EventKind.ROBOT_ADDED: (
        _("The robot of the group “%(name)s” was added for %(body)s"),
        _("A group robot was added"),
    ),
    EventKind.ROBOT_SWITCHED: (
        _("The robot of the group “%(name)s” of %(body)s was switched on"),
        _("The robot of the group “%(name)s” of %(body)s was switched off"),
        _("A group robot was switched on or off"),
    ),
    EventKind.DELEGATED: (
        _("%(deputy)s stands in for %(user)s from %(start_date)s to %(end_date)s"),
        _("A deputy was appointed"),
    ),
    EventKind.DELEGATION_ENDED: (
        _("%(deputy)s no longer stands in for %(user)s"),
        _("A deputy was dismissed"),
    ),
    EventKind.HELP_ASKED: (
        _("%(asker)s asked %(asked)s for help by %(due_date)s"),
        _("Another body was asked for help"),
    ),
    EventKind.OPENNESS_DUE: (
        _("Not public since %(decided_date)s: to be looked at again"),
        _("Not public for a year: to be looked at again"),
    ),
    EventKind.HELP_DUE: (
        _("%(asker)s needs the help of %(asked)s by %(due_date)s"),
        _("Help asked for is needed soon"),
    ),
    EventKind.HELP_ANSWERED: (
        _("%(asked)s answered the help request of %(asker)s"),
        _("A help request was answered"),
    ),
    EventKind.HELP_DECLINED: (
        _("%(asked)s declined the help request of %(asker)s"),
        _("A help request was declined"),
    ),
    EventKind.HELP_WITHDRAWN: (
        _("%(asker)s withdrew its help request to %(asked)s"),
        _("A help request was withdrawn"),
    ),
    EventKind.SECTION_SET: (
        _("%(body)s gave its share to the section %(section)s"),
        _("%(body)s took its share back from its section"),
    ),
    EventKind.SECTIONS_CHANGED: (
        _("%(person)s of %(body)s belongs to the section %(section)s from now on"),
        _("%(person)s of %(body)s looks after the whole body from now on"),
        _("%(body)s changed its section %(section)s"),
        _("%(body)s changed its sections"),
    ),
    EventKind.HANDOVER_GIVEN: (
        _("%(giver)s handed the desk over to %(taker)s: %(open_count)s matters open"),
        _("A desk was handed over"),
    ),
    EventKind.HANDOVER_TAKEN: (
        _("%(taker)s took over the desk of %(giver)s: %(open_count)s matters open"),
        _("A desk was taken over"),
    ),
    EventKind.HANDOVER_DROPPED: (
        _("The handover from %(giver)s to %(taker)s was dropped"),
        _("A handover was dropped"),
    ),
    EventKind.ACCOUNT_CLOSED: (
        _("The account of %(giver)s was closed"),
        _("An account was closed"),
    ),
    EventKind.DEMONSTRATION_LOADED: (_("The demonstration was loaded"),),
}

# Which sentence of a kind fits only when a fact says so: kind -> {index: (parameter, wanted)}.
ONLY_IF: dict[str, dict[int, tuple[str, bool]]] = {
    EventKind.ITEM_COMPLETED: {0: ("is_late", True), 1: ("is_late", False)},
    EventKind.ACCEPTED: {0: ("is_in_time", False)},
    EventKind.EXTENSION_ASKED: {0: ("is_late", True)},
    EventKind.COMPLETED: {0: ("is_late", True)},
    EventKind.LETTER_ACCEPTED: {0: ("is_in_time", False)},
    EventKind.LETTER_REPLIED: {0: ("is_in_time", False)},
    EventKind.ESCALATION_DECIDED: {0: ("is_issued", True), 1: ("is_issued", False)},
    EventKind.ROBOT_SWITCHED: {0: ("is_active", True), 1: ("is_active", False)},
    EventKind.BODY_CHANGED: {0: ("is_joined", True)},
}

# What lies on a desk, by the code of services/reviewer_clocks.py.
DESK_NAMES: dict[str, str] = {
    "approvals": _("Item to approve"),
    "objections": _("Objection to decide"),
    "extensions": _("Extension to look at"),
    "decisions": _("Extension to decide"),
    "reports": _("Return to review"),
    "milestones": _("Milestone to verify"),
    "closings": _("Closing to review"),
    "checks": _("Closing to check"),
    "sign-offs": _("Return to sign off"),
    "closing-sign-offs": _("Closing to sign off"),
    "releases": _("Public edition to review"),
    "secrecy-reviews": _("Public edition in secrecy review"),
}
RULES_NAMES: dict[str, str] = {
    "ladder": _("Ladder"),
    "limits": _("Limits"),
    "lights": _("Lights"),
}

TONES: dict[str, str] = {
    EventKind.REVIEW_NEAR: "blue",
    EventKind.REVIEW_OVERDUE: "red",
    EventKind.ITEM_COMPLETED: "done",
    EventKind.COMPLETED: "done",
    EventKind.MILESTONE_COMPLETED: "done",
    EventKind.REPORT_APPROVED: "green",
    EventKind.SENT_BACK: "yellow",
    EventKind.CHECK_FAILED: "yellow",
    EventKind.REPORT_SENT_BACK: "yellow",
    EventKind.MILESTONE_SENT_BACK: "yellow",
    EventKind.OBJECTED: "yellow",
    EventKind.PERIOD_CLOSED: "yellow",
    EventKind.ACCEPT_OVERDUE: "yellow",
    EventKind.REMINDER_DUE: "blue",
    EventKind.OPENNESS_DUE: "blue",
    EventKind.REMINDED: "yellow",
    EventKind.BECAME_OVERDUE: "red",
    EventKind.MILESTONE_MISSED: "red",
    EventKind.ESCALATED: "red",
    EventKind.ESCALATION_PROPOSED: "red",
    EventKind.SUSPENDED: "suspended",
    EventKind.ITEM_SUSPENDED: "suspended",
    EventKind.LETTER_ISSUED: "blue",
    EventKind.LETTER_VOIDED: "suspended",
    EventKind.DISPATCHED: "blue",
    EventKind.CALENDAR_CHANGED: "blue",
    EventKind.DATE_RECOUNTED: "blue",
    EventKind.ITEM_DISPATCHED: "blue",
}

MORE = ngettext_lazy("and %(number)s more", "and %(number)s more", "number")


@dataclass(frozen=True)
class Entry:
    """One line of a history as `components/timeline.html` shows it."""

    at: datetime
    title: str
    text: str
    by: str
    tone: str


def with_related(events: QuerySet) -> QuerySet:
    """What sentences read, in the same query."""
    return events.select_related(*RELATED)


def sentence(event: Event) -> str:
    """What happened, in the reader's language, without a full stop.

    Reads the event's body and data; load events through `with_related` so that no row costs a
    query. Never raises for a missing parameter: a plainer sentence of the same kind is taken.
    """
    shown = _parameters(event)
    conditions = ONLY_IF.get(event.kind, {})
    for index, text in enumerate(SENTENCES[event.kind]):
        if index in conditions:
            name, wanted = conditions[index]
            if (event.data or {}).get(name) is not wanted:
                continue
        try:
            return str(text) % shown
        except KeyError:
            continue
    return str(event.get_kind_display())


def entry(event: Event) -> Entry:
    """The event as a line of a time line."""
    return Entry(
        at=event.happened_at,
        title=sentence(event),
        text=event.reason,
        by=event.by_name or gettext("System"),
        tone=_tone(event),
    )


def entries(events: Iterable[Event]) -> list[Entry]:
    """The events as lines of a time line, in the order given."""
    return [entry(event) for event in events]


def _tone(event: Event) -> str:
    if event.kind in (EventKind.COMPLETED, EventKind.ITEM_COMPLETED) and (event.data or {}).get(
        "is_late"
    ):
        return "done_late"
    return TONES.get(event.kind, "")


def _parameters(event: Event) -> dict[str, str]:
    """The known parameters, ready to be shown; what is empty is left out."""
    data = event.data or {}
    shown = {
        name: _word(value)
        for name, value in data.items()
        if isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    }
    if event.organization_id is not None:
        shown["body"] = str(event.organization)
    for name in ("steps", "changes"):
        value = data.get(name)
        if isinstance(value, list) and value:
            shown[f"{name}_count"] = str(len(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            shown[f"{name}_count"] = str(value)
    if data.get("reason_class") in SendBackReason.values:
        shown["reason_word"] = str(SendBackReason(data["reason_class"]).label)
    if data.get("queue") in DESK_NAMES:
        shown["queue_name"] = str(DESK_NAMES[data["queue"]])
    if data.get("what") in RULES_NAMES:
        shown["rules_name"] = str(RULES_NAMES[data["what"]])
    step = _step_of_the_ladder(data)
    if step:
        shown["level_name"] = step
    if data.get("date_name") in DATE_NAMES:
        shown["date_word"] = str(DATE_NAMES[data["date_name"]])
    if "letter_kind" in data:
        shown["letter_name"] = str(dict(LetterKind.choices).get(data["letter_kind"], ""))
    if event.kind == EventKind.ITEM_CHANGED:
        shown |= _changed_fields(data)
    return shown


def _word(value: str | int) -> str:
    """A stored value as written on a page; ISO dates in the local form."""
    if isinstance(value, str) and len(value) == 10:
        try:
            return date_format(date.fromisoformat(value))
        except ValueError:
            return value
    return str(value)


def _step_of_the_ladder(data: dict) -> str:
    for name in ("level_name", "name"):
        if data.get(name):
            return str(data[name])
    if data.get("code"):
        return level_name(str(data["code"]))
    number = data.get("level")
    codes = [level.code for level in SHIP_LADDER if level.number == number]
    return level_name(codes[-1]) if codes else ""


def _changed_fields(data: dict) -> dict[str, str]:
    labels = {field.name: field.verbose_name for field in SupervisionItem._meta.fields}
    names = [str(labels[name]) for name in data if name in labels]
    if list(data) == ["openness"]:
        chosen = data["openness"][-1]
        words = dict(SupervisionItem.Openness.choices)
        return {"openness_word": str(words.get(chosen, chosen))}
    if not names:
        return {}
    fields = "、".join(names[:4])
    if len(names) > 4:
        fields += str(MORE % {"number": len(names) - 4})
    return {"fields": fields}
