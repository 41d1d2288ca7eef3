"""An event as a line in a message: what happened, about what, why you hear of it, where to look."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from notifications import rules
from supervision.history import sentence
from supervision.models import Event, EventKind

URGENT = frozenset(
    {
        EventKind.BECAME_OVERDUE,
        EventKind.ESCALATED,
        EventKind.ESCALATION_PROPOSED,
        EventKind.ESCALATION_DECIDED,
    }
)


@dataclass(frozen=True)
class Line:
    """One event for one reader, ready to be shown; `tone` is the code of a light or empty."""

    text: str
    item: str
    body: str
    why: str
    path: str
    happened_at: datetime
    tone: str


def line_for(event: Event, *, reason_code: str, is_visible: bool = True) -> Line:
    """The line of an event loaded with its assignment, item and organization."""
    body = str(event.organization) if event.organization_id else ""
    return Line(
        text=str(sentence(event)),
        item=str(event.item) if event.item_id else "",
        body=body,
        why=rules.why(reason_code, {"body": body}),
        path=path_of(event) if is_visible else "",
        happened_at=event.happened_at,
        tone=tone_of(event),
    )


def path_of(event: Event) -> str:
    """Where to look: the share, else the item, else the calendar, else the reader's inbox."""
    if event.kind == EventKind.CALENDAR_CHANGED:
        return reverse("supervision:calendar_moves")
    if event.kind in rules.OF_CALENDAR:
        return reverse("supervision:calendar")
    row = event.assignment if event.assignment_id else event.item
    if row is not None:
        try:
            return row.get_absolute_url()
        except NoReverseMatch:
            pass
    return reverse("notifications:inbox")


def tone_of(event: Event) -> str:
    if event.kind in URGENT:
        return "red"
    return "yellow" if event.kind in rules.CHASING else ""


def digest_subject(count: int) -> str:
    return _("Supervision: %(count)s matters for you today") % {"count": count}


def alarm_subject(line: Line) -> str:
    return _("Supervision, urgent: %(text)s: %(item)s") % {"text": line.text, "item": line.item}
