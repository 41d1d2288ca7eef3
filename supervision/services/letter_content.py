"""What stands on a letter: facts read from the rows, put into the office's text, as plain JSON.

The content is frozen when the letter is issued. Page and DOCX are both drawn from it and from
nothing else, so that they cannot differ.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from supervision.models import (
    URGING_KINDS,
    Assignment,
    Event,
    EventKind,
    Letter,
    LetterKind,
    LetterTemplate,
    Organization,
    ProgressReport,
    ReportPeriod,
    Responsibility,
    SupervisionItem,
)
from supervision.rules.letter_text import fill, level_of, paragraphs
from supervision.rules.working_days import WorkingCalendar
from supervision.services.acts import local_date

COLOURS = {
    LetterKind.URGING_BLUE: "blue",
    LetterKind.URGING_YELLOW: "yellow",
    LetterKind.URGING_RED: "red",
}
RECEIPT_KINDS = URGING_KINDS | {LetterKind.DISPATCH_NOTICE, LetterKind.INTERVIEW}
# An overdue mark of a share counts no more after one of these.
RELIEVING = (
    EventKind.COMPLETED,
    EventKind.CANCELLED,
    EventKind.OBJECTION_UPHELD,
    EventKind.EXTENSION_GRANTED,
    EventKind.RESUMED,
    EventKind.REOPENED,
)
TWIPS_PER_POINT = 20


def colour_word(colour: str) -> str:
    """The word beside the colour: a sheet is never known by its colour alone."""
    return {
        "blue": _("blue sheet"),
        "yellow": _("yellow sheet"),
        "red": _("red sheet"),
    }.get(colour, "")


def paper_date(day: date | None) -> str:
    """A day as written on paper: Arabic figures, no leading zeros."""
    if day is None:
        return ""
    return _("%(year)s-%(month)s-%(day)s") % {"year": day.year, "month": day.month, "day": day.day}


def names(bodies: Iterable[Organization]) -> str:
    return "、".join(str(body) for body in bodies)


# Facts


def item_facts(item: SupervisionItem) -> dict[str, str]:
    """What every letter about an item may name."""
    live = item.assignments.exclude(status=Assignment.Status.CANCELLED)
    rows = list(live.select_related("organization").order_by("position", "pk"))
    lead = [row.organization for row in rows if row.role == Responsibility.LEAD]
    others = [row.organization for row in rows if row.role != Responsibility.LEAD]
    source = _("“%(title)s” (%(number)s)") % {
        "title": item.document.title,
        "number": item.document.doc_number,
    }
    return {
        "item_title": item.title,
        "item_number": item.number or "",
        "source": source,
        "urgency": str(item.get_urgency_display()),
        "leader": str(item.leader) if item.leader else "",
        "lead": names(lead),
        "supports": names(others),
        "requirement": item.requirement or item.title,
        "due_date": paper_date(item.due_date) or _("ongoing, without an end date"),
    }


def dispatch_facts(assignment: Assignment) -> dict[str, str]:
    """When to sign for the work, when and how often to report."""
    first = assignment.periods.order_by("due_date").first()
    return {
        "accept_due_date": paper_date(assignment.accept_due_date),
        "first_report_date": paper_date(first.due_date) if first else "",
        "report_cycle": _("as asked")
        if assignment.cycle == SupervisionItem.Cycle.ONCE
        else str(SupervisionItem.Cycle(assignment.cycle).label),
    }


def situation(assignment: Assignment, *, on: date, calendar: WorkingCalendar) -> str:
    """How late it is as of a stated day, or how often it was sent back. Whole sentences."""
    due = assignment.due_date
    if due is not None and due < on:
        return _(
            "As of %(day)s it is %(days)s days (%(working_days)s working days) past its due date. "
        ) % {
            "day": paper_date(on),
            "days": (on - due).days,
            "working_days": calendar.between(due, on),
        }
    if assignment.times_returned:
        return _("As of %(day)s its closing has been sent back %(times)s times. ") % {
            "day": paper_date(on),
            "times": assignment.times_returned,
        }
    return _("As of %(day)s it is not completed. ") % {"day": paper_date(on)}


def urging_facts(assignment: Assignment, *, on: date, calendar: WorkingCalendar) -> dict[str, str]:
    """What an urging says of one share as it stands on `on`."""
    report = (
        ProgressReport.objects.filter(
            period__assignment=assignment,
            status__in=[
                ProgressReport.Status.SUBMITTED,
                ProgressReport.Status.APPROVED,
                ProgressReport.Status.RETURNED,
            ],
        )
        .select_related("period")
        .order_by("-period__start_date")
        .first()
    )
    if report is not None and report.submitted_at is not None:
        last = _("The last return was filed on %(day)s. ") % {
            "day": paper_date(local_date(report.submitted_at))
        }
    else:
        last = _("No return has been filed yet. ")
    before = Letter.objects.filter(
        assignment=assignment,
        episode=assignment.episode,
        kind__in=URGING_KINDS,
        status__in=Letter.SENT_STATES,
    ).count()
    return {
        "dispatch_number": assignment.item.dispatch_number,
        "dispatched_date": paper_date(assignment.dispatched_date),
        "times": str(before + 1),
        "situation": situation(assignment, on=on, calendar=calendar),
        "last_return": last,
        "due_date": paper_date(assignment.due_date),
    }


def extension_facts(event: Event) -> dict[str, str]:
    """The decision on a request for more time, from the event that records it."""
    data = event.data
    asked = date.fromisoformat(data["asked_date"])
    extension = event.assignment.extensions.filter(asked_date=asked).order_by("-pk").first()
    if event.kind == EventKind.EXTENSION_GRANTED:
        decision = _(
            "The due date is moved from %(old)s to %(new)s (%(days)s working days); the original "
            "due date stays on record."
        ) % {
            "old": paper_date(date.fromisoformat(data["old_date"])),
            "new": paper_date(date.fromisoformat(data["new_date"])),
            "days": data["working_days"],
        }
    elif data.get("credit_days"):
        decision = _(
            "The extension is refused. Because the answer was late, the due date is moved by "
            "%(days)s working days from %(old)s to %(new)s."
        ) % {
            "old": paper_date(date.fromisoformat(data["old_date"])),
            "new": paper_date(date.fromisoformat(data["new_date"])),
            "days": data["credit_days"],
        }
    else:
        decision = _("The extension is refused; the due date %(due)s stands.") % {
            "due": paper_date(event.assignment.due_date)
        }
    return {
        "decision": decision,
        "asked_date": paper_date(asked),
        "reason": extension.reason if extension else "",
        "opinion": event.reason,
    }


# The circular: frozen verdicts of a period


def month_end(label: str) -> date:
    """The last day of a month written 2026-05. ValueError for anything else."""
    first = datetime.strptime(label, "%Y-%m").date()  # noqa: DTZ007 a month, no moment
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def circular_facts(
    label: str,
) -> tuple[dict[str, str], list[dict[str, Any]], list[Organization]]:
    """Totals, annex rows and bodies concerned, as it stood at the end of a month.

    Read from events only: what was repaired after the month's end stays in the circular.
    """
    end = month_end(label)
    events = Event.objects.filter(happened_at__date__lte=end)
    total, done = _items_at(events)
    overdue, shares = _shares_at(events)
    missed = _missed_returns(label)
    rows = [
        {
            "body": share.organization,
            "item": share.item.title,
            "due": due,
            "days": (end - due).days,
        }
        for share, due in overdue
    ]
    counts = Counter(row["body"] for row in rows)
    laggards = sorted(counts, key=lambda body: (body.kind_position, body.position))
    facts = {
        "period": _("%(year)s, month %(month)s") % {"year": end.year, "month": end.month},
        "as_of_date": paper_date(end),
        "total": str(total),
        "done": str(done),
        "done_share": share_of(done, total),
        "running": str(total - done),
        "running_share": share_of(total - done, total, rest_of=done),
        "shares": str(shares),
        "overdue": str(len(rows)),
        "overdue_share": share_of(len(rows), shares),
        "laggards": "、".join(
            _("%(body)s (%(count)s)") % {"body": body, "count": counts[body]} for body in laggards
        ),
        "missed_returns": "、".join(
            _("%(body)s (%(count)s)") % {"body": body, "count": count} for body, count in missed
        ),
    }
    bodies = Organization.objects.filter(
        assignments__dispatched_date__lte=end, assignments__transferred_to=None
    ).distinct()
    return facts, rows, list(bodies.in_official_order())


def share_of(part: int, whole: int, *, rest_of: int | None = None) -> str:
    """A count's share in whole per cent. With `rest_of` the two shares add up to a hundred."""
    if not whole:
        return "0%"
    if rest_of is not None:
        return f"{100 - round(100 * rest_of / whole)}%"
    return f"{round(100 * part / whole)}%"


def _items_at(events) -> tuple[int, int]:
    """Items under supervision at the end, and how many of them were closed out."""
    kinds = (
        EventKind.ITEM_DISPATCHED,
        EventKind.ITEM_CANCELLED,
        EventKind.ITEM_COMPLETED,
        EventKind.ITEM_REOPENED,
    )
    state: dict[int, str] = {}
    rows = events.filter(kind__in=kinds).order_by("happened_at", "pk")
    for item_id, kind in rows.values_list("item_id", "kind"):
        if kind == EventKind.ITEM_CANCELLED:
            state.pop(item_id, None)
        else:
            state[item_id] = kind
    return len(state), sum(kind == EventKind.ITEM_COMPLETED for kind in state.values())


def _shares_at(events) -> tuple[list[tuple[Assignment, date]], int]:
    """Shares whose overdue mark stood at the end with the date they missed; all shares' count."""
    marks: dict[int, date] = {}
    handed_in: dict[int, date] = {}
    back = (EventKind.SENT_BACK, EventKind.CHECK_FAILED)
    kinds = [EventKind.BECAME_OVERDUE, EventKind.SUBMITTED, *back, *RELIEVING]
    rows = events.filter(kind__in=kinds).order_by("happened_at", "pk")
    for pk, kind, data in rows.values_list("assignment_id", "kind", "data"):
        if kind == EventKind.BECAME_OVERDUE:
            marks[pk] = date.fromisoformat(data["due_date"])
        elif kind == EventKind.SUBMITTED and pk in marks:
            handed_in[pk] = marks.pop(pk)
        elif kind in back and pk in handed_in:
            marks[pk] = handed_in.pop(pk)
        elif kind in RELIEVING:
            marks.pop(pk, None)
            handed_in.pop(pk, None)
    assignments = Assignment.objects.filter(pk__in=marks, transferred_to=None)
    late = [
        (share, marks[share.pk])
        for share in assignments.select_related("organization", "item").order_by(
            "organization__kind_position", "organization__position", "due_date", "pk"
        )
    ]
    ended = events.filter(kind__in=[EventKind.CANCELLED, EventKind.OBJECTION_UPHELD])
    dispatched = events.filter(kind=EventKind.DISPATCHED).exclude(
        assignment__in=ended.values("assignment")
    )
    return late, dispatched.values("assignment").distinct().count()


def _missed_returns(label: str) -> list[tuple[Organization, int]]:
    """Bodies that owed a return for the month and had filed none when its day passed."""
    periods = ReportPeriod.objects.filter(label=label)
    closed = Event.objects.filter(
        kind=EventKind.PERIOD_CLOSED, period__in=periods, data__is_filed=False
    )
    bodies = Organization.objects.filter(pk__in=closed.values("organization"))
    counts = dict(
        closed.values_list("organization").annotate(count=Count("pk")).order_by("organization")
    )
    return [(body, counts[body.pk]) for body in bodies.in_official_order()]


# The paper


def compose(
    *,
    template: LetterTemplate,
    fields: Mapping[str, str],
    to: str,
    on: date,
    signer: str,
    number: str = "",
    annex: Mapping[str, Any] | None = None,
    texts: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Every word of the paper as JSON. `texts` may replace title and body of the template.

    A draft has no number yet. Raises KeyError for a field nobody filled.
    """
    kind = template.kind
    nothing = _("none")
    given = dict(fields) | {
        "today": paper_date(on),
        "issuer": template.issuer_name,
        "contact": template.contact,
    }
    title = (texts or {}).get("title") or template.title
    body = (texts or {}).get("body") or template.body
    colour = COLOURS.get(kind, "")
    contact = ""
    if template.contact:
        contact = _("(Contact: %(contact)s)") % {"contact": template.contact}
    content: dict[str, Any] = {
        "kind": str(kind),
        "has_red_head": template.has_red_head,
        "issuer": template.issuer_name,
        "number": number,
        "title": fill(title, given, nothing=nothing),
        "colour": colour,
        "colour_word": colour_word(colour),
        "to": to,
        "paragraphs": [
            {"level": int(level_of(text)), "text": text}
            for text in paragraphs(body, given, nothing=nothing)
        ],
        "signature": template.issuer_name,
        "signer": signer,
        "date": paper_date(on),
        "note": contact,
        "copies_label": _("Copies to:"),
        "copies": template.copies,
        "printed_by": template.issuer_name,
        "printed_on": _("Printed on %(day)s") % {"day": paper_date(on)},
        "line_pitch_twips": round(template.line_pitch_points * TWIPS_PER_POINT),
        "template_version": template.version,
        "annex": None,
        "slip": None,
        "annex_label": "",
        "annex_note": "",
    }
    if annex is not None:
        content["annex"] = dict(annex)
        content["annex_label"] = _("Annex")
        content["annex_note"] = _("Annex: %(title)s") % {"title": annex["title"]}
    if kind in RECEIPT_KINDS:
        content["slip"] = _slip(kind, number, given)
    return content


def _slip(kind: str, number: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The slip that comes back: who got it when, and for an urging the answer."""
    rows = [
        [_("Letter number"), number],
        [_("Item"), given["item_title"]],
        [_("Body"), given.get("body", "")],
        [_("Signed for by"), ""],
        [_("Signed for on"), ""],
    ]
    tall = _("What was done and what comes next")
    if kind in URGING_KINDS:
        tall = _("Progress, reasons, measures, expected day of completion")
    return {
        "title": _("Receipt slip"),
        "rows": rows,
        "tall": tall,
        "sign": _("Signature of the head of the body (seal)"),
    }


def annex_of(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The annex of a circular as a table of strings; none when nobody is late."""
    if not rows:
        return None
    return {
        "title": _("Overdue assignments"),
        "columns": [
            _("No."),
            _("Body"),
            _("Item"),
            _("Due date"),
            _("Days overdue (column)"),
        ],
        "rows": [
            [
                str(number),
                str(row["body"]),
                row["item"],
                row["due"].isoformat(),
                str(row["days"]),
            ]
            for number, row in enumerate(rows, start=1)
        ],
    }


def texts_of(content: Mapping[str, Any]) -> list[str]:
    """Every text of a paper, for the search for words it must not carry."""
    found = [content["title"], content["to"], content["copies"], content["note"]]
    found += [one["text"] for one in content["paragraphs"]]
    if content.get("annex"):
        found += [cell for row in content["annex"]["rows"] for cell in row]
    return found
