"""An event as a line in a message: what happened, about what, why you hear of it, where to look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import rules
from supervision.history import sentence
from supervision.models import Event, EventKind


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
    kind: str = ""
    late_by_days: int = 0


def line_for(
    event: Event,
    *,
    reason_code: str,
    reason_params: Mapping | None = None,
    is_visible: bool = True,
) -> Line:
    """The line of an event loaded with its assignment, item and organization."""
    body = str(event.organization) if event.organization_id else ""
    params = {**(reason_params or {}), "body": body}
    return Line(
        text=str(sentence(event)),
        item=str(event.item) if event.item_id else "",
        body=body,
        why=rules.why(reason_code, params),
        path=path_of(event) if is_visible else "",
        happened_at=event.happened_at,
        tone=tone_of(event),
        kind=str(event.get_kind_display()),
        late_by_days=event.data.get("late_by_days", 0),
    )


def path_of(event: Event) -> str:
    """Where to look: the share, else the item, else the calendar, else the reader's inbox."""
    if event.kind == EventKind.CALENDAR_CHANGED:
        return reverse("supervision:calendar_moves")
    if event.kind in rules.OF_CALENDAR:
        return reverse("supervision:calendar")
    if event.kind in rules.OF_HELP and event.data.get("help"):
        return reverse("supervision:help_request", args=[event.data["help"]])
    row = event.assignment if event.assignment_id else event.item
    if row is not None:
        try:
            return row.get_absolute_url()
        except NoReverseMatch:
            pass
    return reverse("notifications:inbox")


def tone_of(event: Event) -> str:
    if event.kind in rules.URGENT:
        return "red"
    return "yellow" if event.kind in rules.CHASING else ""


def digest_subject(count: int) -> str:
    return _("Supervision: %(count)s matters for you today") % {"count": count}


def alarm_subject(line: Line) -> str:
    return _("Supervision, urgent: %(text)s: %(item)s") % {"text": line.text, "item": line.item}


def resend_subject(subject: str) -> str:
    return _("[Sent again] %(subject)s") % {"subject": subject}


def short_text(line: Line, *, is_resend: bool = False) -> str:
    """One red matter in the length of a text message."""
    text = alarm_subject(line)[:140] + f" {settings.SITE_URL}{line.path}"
    return resend_subject(text) if is_resend else text


def group_text(lines: Sequence[Line], *, longest: int, is_resend: bool = False) -> str:
    """What a chat group reads: body, kind of matter, item and link, and never a person.

    At most `longest` bytes; what does not fit is counted.
    """
    head = _("Supervision: %(count)s matters for this body") % {"count": len(lines)}
    text = resend_subject(head) if is_resend else head
    room = longest - 120
    for number, line in enumerate(lines):
        entry = _("%(number)s. %(body)s: %(kind)s: %(item)s") % {
            "number": number + 1,
            "body": line.body,
            "kind": line.kind,
            "item": line.item[:60],
        }
        longer = f"{text}\n{entry}\n{settings.SITE_URL}{line.path}"
        if len(longer.encode()) > room:
            left = len(lines) - number
            return f"{text}\n" + _("%(count)s more are on the workbench.") % {"count": left}
        text = longer
    return text


# Why a message did not leave, or may not have arrived: the code on the row, and what it means.
REASONS = {
    "refused": gettext_lazy("The mail host refused it"),
    "host_down": gettext_lazy("The other side could not be reached"),
    "certificate": gettext_lazy("The certificate of the other side is not valid"),
    "no_answer": gettext_lazy("It was handed over, but no answer came: it may have arrived"),
    "answer": gettext_lazy("The answer could not be understood: it may have arrived"),
    "claim": gettext_lazy("The worker stopped while sending: it may have arrived"),
    "busy": gettext_lazy("The other side takes no more for the moment"),
    "http": gettext_lazy("The other side answered with an error"),
    "robot": gettext_lazy("The chat product refused it; look at the key of the robot"),
    "misconfigured": gettext_lazy("The channel is not set up rightly"),
    "breaker": gettext_lazy("Far more than usual at once: it waits for a person to look"),
    "hold": gettext_lazy("Somebody holds it back"),
    "given_up": gettext_lazy("Somebody decided not to send it any more"),
    "stale": gettext_lazy("It had waited too long and says nothing useful any more"),
    "inactive": gettext_lazy("The account is closed"),
    "no_address": gettext_lazy("The account has no address for this channel"),
    "robot_off": gettext_lazy("The group robot is no longer in use"),
    "duty": gettext_lazy("The person no longer has this duty"),
    "deputy_ended": gettext_lazy("The person no longer stands in"),
    "not_visible": gettext_lazy("The person may no longer see the matter"),
    "settled": gettext_lazy("It was settled before the message left"),
    "error": gettext_lazy("An unexpected error"),
}


def reason_of(error: str) -> str:
    """The reason on a delivery in words, with what the other side said, if anything."""
    code, _colon, detail = error.partition(": ")
    if code in REASONS:
        words = str(REASONS[code])
    elif code in EventKind.values:
        words = _("Cancelled by a later step: %(kind)s") % {"kind": EventKind(code).label}
    else:
        return error
    return _("%(reason)s (%(detail)s)") % {"reason": words, "detail": detail} if detail else words
