"""Letters: draft, issue under a gapless number, void; receipt, reply; drawing the DOCX.

A number is taken, the content frozen and the event written in one transaction. The DOCX is drawn
later from the frozen content, outside of it: a builder that fails costs no fact and no number.
Source: domain.md, section 7.
"""

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.letters.docx import build_letter
from supervision.models import (
    URGING_KINDS,
    Assignment,
    Event,
    EventKind,
    Letter,
    LetterKind,
    LetterTemplate,
    SupervisionItem,
    User,
)
from supervision.rules.letter_text import (
    MAX_PITCH,
    MIN_PITCH,
    is_prefix,
    problem,
    secrecy_word,
    template_problems,
)
from supervision.rules.numbers import format_number
from supervision.services import letter_content as contents
from supervision.services.acts import (
    ActRefused,
    check_transition,
    local_date,
    lock,
    need_text,
    record_event,
    require,
    save,
)
from supervision.services.settings import (
    deadline,
    letter_template,
    next_number,
    working_calendar,
)

logger = logging.getLogger(__name__)

# What a step of the ladder calls its paper, and which kind of letter that is.
LADDER_PAPERS = {
    "blue": LetterKind.URGING_BLUE,
    "yellow": LetterKind.URGING_YELLOW,
    "red": LetterKind.URGING_RED,
    "interview": LetterKind.INTERVIEW,
}
EDITABLE_TEMPLATE_FIELDS = (
    "prefix",
    "issuer_name",
    "title",
    "body",
    "line_pitch_points",
    "has_red_head",
    "copies",
    "contact",
)


@dataclass(frozen=True)
class LetterNumber:
    """A number taken from a series; it belongs to the letter issued in the same transaction."""

    series: str
    year: int
    n: int
    text: str


def take_number(kind: str, *, at: datetime) -> LetterNumber:
    """Take the next number for a kind of letter, under the lock of its series.

    Call it only in the transaction that issues the letter: rolled back, it leaves no gap.
    """
    template = letter_template(kind)
    year = local_date(at).year
    n = next_number(template.series, year)
    text = format_number(template.prefix, year, n, is_letter=True)
    return LetterNumber(template.series, year, n, text)


# Composing


def _due_dates(kind: str, assignment: Assignment | None, at: datetime) -> dict[str, Any]:
    """When the letter is to be signed for and answered; the dispatch notice with the work."""
    today = local_date(at)
    if kind == LetterKind.DISPATCH_NOTICE and assignment is not None:
        return {"receipt_due_date": assignment.accept_due_date}
    found: dict[str, Any] = {}
    if kind in contents.RECEIPT_KINDS:
        receipt = deadline("letter_receipt", today)
        found["receipt_due_date"] = receipt.date
        found["due_receipts"] = {"receipt": receipt.to_json()}
    if kind in URGING_KINDS:
        reply = deadline("letter_reply", today)
        found["reply_due_date"] = reply.date
        found["due_receipts"]["reply"] = reply.to_json()
    return found


def _facts(letter: Letter, *, on: date, opinion: str = "") -> dict[str, str]:
    """The fields of a letter about an item or a share, read from the rows as they stand."""
    facts = contents.item_facts(letter.item)
    assignment = letter.assignment
    if assignment is not None:
        facts["body"] = str(assignment.organization)
    if letter.kind == LetterKind.DISPATCH_NOTICE:
        facts |= contents.dispatch_facts(assignment)
    elif letter.kind in URGING_KINDS:
        facts |= contents.urging_facts(assignment, on=on, calendar=working_calendar())
    elif letter.kind == LetterKind.EXTENSION_REPLY:
        facts |= contents.extension_facts(letter.event)
    elif letter.kind == LetterKind.INTERVIEW:
        facts["situation"] = contents.situation(assignment, on=on, calendar=working_calendar())
        facts["due_date"] = contents.paper_date(assignment.due_date) or facts["due_date"]
        facts["opinion"] = opinion
    for name in ("receipt_due_date", "reply_due_date"):
        if getattr(letter, name) is not None:
            facts[name] = contents.paper_date(getattr(letter, name))
    return facts


def _address(letter: Letter, facts: Mapping[str, str]) -> str:
    """Who the letter speaks to, as it stands above the text."""
    if letter.kind == LetterKind.CIRCULAR:
        return _("Governments of the counties, departments of the municipal government")
    if letter.kind == LetterKind.DISPATCH_NOTICE:
        return "、".join(name for name in (facts["lead"], facts["supports"]) if name)
    return str(letter.organization)


def _compose(
    letter: Letter,
    *,
    at: datetime,
    signer: str,
    number: str = "",
    opinion: str = "",
    template: LetterTemplate | None = None,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Put the facts of now into the text of now; raises ActRefused for a mark of secrecy."""
    template = template or letter_template(letter.kind)
    on = local_date(at)
    annex = None
    if letter.kind == LetterKind.CIRCULAR:
        facts, rows, _bodies = contents.circular_facts(letter.period)
        annex = contents.annex_of(rows)
    else:
        facts = _facts(letter, on=on, opinion=opinion)
    letter.content = contents.compose(
        template=template,
        fields=facts,
        to=_address(letter, facts),
        on=on,
        signer=signer,
        number=number,
        annex=annex,
        texts=texts,
    )
    word = secrecy_word(contents.texts_of(letter.content))
    if word:
        raise ActRefused(
            _(
                "The letter would carry “%(word)s”. State secrets never enter this system: change "
                "the item's text, or use the secure channel."
            )
            % {"word": word}
        )
    letter.title = letter.content["title"]
    letter.template_version = template.version
    letter.signer = signer


def _new(
    kind: str,
    *,
    by: User | None,
    at: datetime,
    item: SupervisionItem | None = None,
    assignment: Assignment | None = None,
    event: Event | None = None,
    period: str = "",
) -> Letter:
    template = letter_template(kind)
    return Letter(
        kind=kind,
        series=template.series,
        title=template.title,
        item=item or (assignment.item if assignment else None),
        assignment=assignment,
        organization=assignment.organization if assignment else None,
        episode=assignment.episode if assignment else None,
        event=event,
        period=period,
        template_version=template.version,
        drafted_by=by,
        created_at=at,
    )


def _freeze(
    letter: Letter,
    *,
    by: User | None,
    at: datetime,
    number: LetterNumber,
    opinion: str = "",
    is_told: bool = False,
    texts: Mapping[str, str] | None = None,
) -> Letter:
    """Issue: dates, content, number and event, in the caller's transaction.

    `is_told`: another event already tells the same people of it, so this one is only on record.
    """
    for name, value in _due_dates(letter.kind, letter.assignment, at).items():
        setattr(letter, name, value)
    signer = str(by) if by else letter_template(letter.kind).issuer_name
    _compose(letter, at=at, signer=signer, number=number.text, opinion=opinion, texts=texts)
    letter.issue(by=by, at=at, year=number.year, n=number.n, number=number.text)
    save(letter)
    _record(letter, EventKind.LETTER_ISSUED, by=by, at=at, is_told=is_told)
    return letter


def _record(letter: Letter, kind, *, by, at, reason="", to=None, **data) -> None:
    about: dict[str, Any] = {"item": letter.item}
    if letter.assignment is not None:
        about = {"assignment": letter.assignment}
    if to is not None:
        about["organization"] = to
    record_event(
        kind,
        by=by,
        at=at,
        to_state=letter.status,
        reason=reason,
        data={
            "letter": str(letter.uid),
            "letter_kind": letter.kind,
            "number": letter.number or "",
            "letter_title": letter.title,
        }
        | data,
        **about,
    )


# Letters an event calls for


def letter_kind_for(kind: str, data: Mapping[str, Any]) -> str:
    """Which letter an event of this kind calls for; empty when none."""
    if kind in (EventKind.ESCALATED, EventKind.ESCALATION_PROPOSED):
        if not data.get("is_sent"):
            return ""
        return LADDER_PAPERS.get(data.get("letter_kind", ""), "")
    if kind in (EventKind.EXTENSION_GRANTED, EventKind.EXTENSION_REFUSED):
        return LetterKind.EXTENSION_REPLY
    if kind == EventKind.ITEM_DISPATCHED:
        return LetterKind.DISPATCH_NOTICE
    return ""


def letter_for_event(
    event: Event,
    *,
    at: datetime,
    assignment: Assignment | None = None,
    number: LetterNumber | None = None,
) -> Letter | None:
    """Write the letter an event calls for, in the event's own transaction; once for each event.

    With `number` (taken in the same transaction) it is issued; without, it is drafted and waits
    for a person. Raises ActRefused when the letter would carry a mark of secrecy.
    """
    kind = letter_kind_for(event.kind, event.data)
    if not kind or Letter.objects.filter(event=event).exists():
        return None
    assignment = assignment or event.assignment
    letter = _new(kind, by=event.by, at=at, item=event.item, assignment=assignment, event=event)
    if number is None:
        return _draft(letter, at=at)
    return _freeze(letter, by=event.by, at=at, number=number, is_told=True)


def _draft(letter: Letter, *, at: datetime) -> Letter:
    """Keep a draft: the text as it would read today, or why it cannot be composed; no number."""
    dates = _due_dates(letter.kind, letter.assignment, at)
    try:
        for name, value in dates.items():
            setattr(letter, name, value)
        _compose(letter, at=at, signer="")
    except ActRefused as refusal:
        letter.content = {"problem": refusal.message}
    letter.receipt_due_date = letter.reply_due_date = None
    letter.due_receipts = {}
    letter.save()
    _record(letter, EventKind.LETTER_DRAFTED, by=letter.drafted_by, at=at, is_told=True)
    return letter


def dispatch_notice(
    *,
    item: SupervisionItem,
    event: Event,
    lead: Assignment,
    number: LetterNumber,
    at: datetime,
) -> Letter:
    """The notice of a dispatch: one for the item, to its lead; the others are sent it as well."""
    letter = letter_for_event(event, at=at, assignment=lead, number=number)
    others = item.assignments.exclude(pk=lead.pk).values_list("organization_id", flat=True)
    letter.copied_to.set(others)
    return letter


def decide_draft(
    *, event: Event, by: User, at: datetime, is_issued: bool, opinion: str
) -> Letter | None:
    """Issue or drop the draft of a proposed step, with the decision on the step.

    `event` is the proposal. Called inside the decision's transaction.
    """
    draft = Letter.objects.filter(event=event, status=Letter.Status.DRAFT).first()
    if draft is None:
        return None
    letter = lock(draft)
    if is_issued:
        number = take_number(letter.kind, at=at)
        return _freeze(
            letter,
            by=by,
            at=at,
            number=number,
            opinion=opinion,
            is_told=True,
            texts=letter.content.get("texts"),
        )
    letter.drop(by=by, at=at, reason=opinion)
    save(letter)
    _record(letter, EventKind.LETTER_VOIDED, by=by, at=at, reason=opinion)
    return letter


def drop_lapsed_drafts(*, at: datetime) -> int:
    """Drop drafts of proposed steps that time has overtaken: the share ended or got more time."""
    lapsed = Letter.objects.filter(
        status=Letter.Status.DRAFT, event__kind=EventKind.ESCALATION_PROPOSED
    ).filter(
        ~Q(assignment__status__in=Assignment.RUNNING_STATES) | ~Q(episode=F("assignment__episode"))
    )
    count = 0
    for row in lapsed.order_by("pk"):
        with transaction.atomic():
            letter = lock(row)
            if letter.status == Letter.Status.DRAFT:
                reason = _("The step proposed has lapsed.")
                letter.drop(by=None, at=at, reason=reason)
                save(letter)
                _record(letter, EventKind.LETTER_VOIDED, by=None, at=at, reason=reason)
                count += 1
    return count


# What a person does


@transaction.atomic
def draft_circular(*, by: User, at: datetime, period: str) -> Letter:
    """Draft the circular of a month from its frozen verdicts; one for each month.

    Raises PermissionDenied, ActRefused when the month is not over or has its circular.
    """
    require(permissions.can_draft_letter(by))
    try:
        end = contents.month_end(period)
    except ValueError:
        raise ActRefused(_("Choose a month, written like 2026-05.")) from None
    if end >= local_date(at):
        raise ActRefused(
            _("The month %(period)s is not over; its verdicts are not frozen yet.")
            % {"period": period}
        )
    letters = Letter.objects.filter(kind=LetterKind.CIRCULAR, period=period)
    found = letters.filter(status__in=[Letter.Status.DRAFT, Letter.Status.ISSUED]).first()
    if found is not None:
        raise ActRefused(
            _("%(period)s has its circular already: %(letter)s. One circular for each month.")
            % {"period": period, "letter": found}
        )
    letter = _new(LetterKind.CIRCULAR, by=by, at=at, period=period)
    _compose(letter, at=at, signer="")
    letter.save()
    _facts_now, _rows, bodies = contents.circular_facts(period)
    letter.copied_to.set(bodies)
    _record(letter, EventKind.LETTER_DRAFTED, by=by, at=at)
    return letter


@transaction.atomic
def edit_draft(
    *,
    letter: Letter,
    by: User,
    at: datetime,
    title: str,
    body: str,
    version: int | None = None,
) -> Letter:
    """Change the words of a draft before it is issued: one paragraph a line, no fields.

    Raises PermissionDenied, StaleRow, ActRefused when it is no draft or a text is missing.
    """
    letter = lock(letter, version=version)
    require(permissions.can_draft_letter(by))
    if letter.status != Letter.Status.DRAFT:
        raise ActRefused(_("Only a draft can be changed; an issued letter is made void instead."))
    if not title.strip() or not body.strip():
        raise ActRefused(_("A letter needs a title and a text."))
    if set(title + body) & set("{}"):
        raise ActRefused(_("The text of a draft holds no fields any more; leave out the braces."))
    word = secrecy_word([title, body])
    if word:
        raise ActRefused(problem("secrecy", word=word))
    letter.content["texts"] = {"title": title.strip(), "body": body.strip()}
    _compose_again(letter, at=at)
    save(letter)
    return letter


def _compose_again(letter: Letter, *, at: datetime) -> None:
    texts = letter.content.get("texts")
    _compose(letter, at=at, signer="", texts=texts)
    if texts:
        letter.content["texts"] = texts


@transaction.atomic
def issue_letter(*, letter: Letter, by: User, at: datetime, version: int | None = None) -> Letter:
    """Issue a draft: it gets its number and its words are frozen.

    Raises TransitionNotAllowed, PermissionDenied, StaleRow, ActRefused when the draft belongs to
    a proposed step of the ladder, which is decided where it waits.
    """
    letter = lock(letter, version=version)
    check_transition(letter.issue, by)
    if letter.event is not None and letter.event.kind == EventKind.ESCALATION_PROPOSED:
        raise ActRefused(
            _("This sheet belongs to a proposed step. Decide on the step under Reviews.")
        )
    texts = letter.content.get("texts")
    number = take_number(letter.kind, at=at)
    is_circular = letter.kind == LetterKind.CIRCULAR
    _freeze(letter, by=by, at=at, number=number, texts=texts, is_told=is_circular)
    if is_circular:
        for body in letter.copied_to.in_official_order():
            _record(letter, EventKind.LETTER_ISSUED, by=by, at=at, to=body)
    return letter


@transaction.atomic
def drop_letter(
    *, letter: Letter, by: User, at: datetime, reason: str, version: int | None = None
) -> Letter:
    """Leave a draft unissued, with a reason; no number was taken."""
    letter = lock(letter, version=version)
    check_transition(letter.drop, by)
    if letter.event is not None and letter.event.kind == EventKind.ESCALATION_PROPOSED:
        raise ActRefused(
            _("This sheet belongs to a proposed step. Decide on the step under Reviews.")
        )
    need_text(reason)
    letter.drop(by=by, at=at, reason=reason)
    save(letter)
    _record(letter, EventKind.LETTER_VOIDED, by=by, at=at, reason=reason)
    return letter


@transaction.atomic
def void_letter(
    *, letter: Letter, by: User, at: datetime, reason: str, version: int | None = None
) -> Letter:
    """Make an issued letter void; number, text and file stay in the register with the reason."""
    letter = lock(letter, version=version)
    check_transition(letter.void, by)
    need_text(reason)
    letter.void(by=by, at=at, reason=reason)
    save(letter)
    _record(letter, EventKind.LETTER_VOIDED, by=by, at=at, reason=reason)
    return letter


@transaction.atomic
def accept_letter(*, letter: Letter, by: User, at: datetime, version: int | None = None) -> Letter:
    """Sign for a letter: name and moment are stored. A second click changes nothing.

    The dispatch notice is signed for with the work itself. Raises PermissionDenied, StaleRow,
    ActRefused when it is not issued, asks for no receipt, or was signed for.
    """
    letter = lock(letter, version=version)
    _check_answer(letter, by)
    if letter.receipt_due_date is None:
        raise ActRefused(_("This letter asks for no receipt."))
    if letter.kind == LetterKind.DISPATCH_NOTICE:
        raise ActRefused(_("Sign for the work itself; the notice is signed for with it."))
    if letter.received_at is not None:
        raise ActRefused(
            _("%(name)s has already signed for this letter.") % {"name": letter.received_by}
        )
    _receive(letter, by=by, at=at)
    return letter


def _check_answer(letter: Letter, by: User) -> None:
    require(permissions.can_answer_letter(letter, by))
    if letter.status != Letter.Status.ISSUED:
        raise ActRefused(
            _("This letter is now “%(state)s”; no answer to it is needed.")
            % {"state": letter.get_status_display()}
        )


def _receive(letter: Letter, *, by: User, at: datetime) -> None:
    letter.received_by, letter.received_at = by, at
    save(letter)
    is_in_time = local_date(at) <= letter.receipt_due_date
    _record(letter, EventKind.LETTER_ACCEPTED, by=by, at=at, is_in_time=is_in_time)


def sign_dispatch_notice(*, assignment: Assignment, by: User, at: datetime) -> None:
    """The work was signed for: so is its dispatch notice. In the caller's transaction."""
    open_notices = Letter.objects.filter(
        assignment=assignment,
        kind=LetterKind.DISPATCH_NOTICE,
        status=Letter.Status.ISSUED,
        received_at=None,
    )
    for row in open_notices:
        _receive(lock(row), by=by, at=at)


@transaction.atomic
def reply_letter(
    *, letter: Letter, by: User, at: datetime, text: str, version: int | None = None
) -> Letter:
    """Answer an urging in writing, once; who answers has received it.

    Raises PermissionDenied, StaleRow, ActRefused when no reply is asked for or one is there.
    """
    letter = lock(letter, version=version)
    _check_answer(letter, by)
    if letter.reply_due_date is None:
        raise ActRefused(_("This letter asks for no reply."))
    if letter.replied_at is not None:
        raise ActRefused(_("This letter has been answered; the answer is on record."))
    if not text.strip():
        raise ActRefused(_("Write the reply: progress, reasons, measures, day of completion."))
    if letter.received_at is None:
        _receive(letter, by=by, at=at)
    letter.reply_text = text.strip()
    letter.replied_by, letter.replied_at = by, at
    save(letter)
    _record(
        letter,
        EventKind.LETTER_REPLIED,
        by=by,
        at=at,
        reason=letter.reply_text,
        is_in_time=local_date(at) <= letter.reply_due_date,
    )
    return letter


@transaction.atomic
def edit_template(
    *, template: LetterTemplate, by: User, at: datetime, version: int | None = None, **changes
) -> LetterTemplate:
    """Change a template; letters already issued stay as they are. All of it or nothing.

    Kinds of one series share their prefix. Raises PermissionDenied, StaleRow, ActRefused naming
    every problem.
    """
    require(permissions.can_edit_templates(by))
    template = lock(template, version=version)
    before = {}
    for name in EDITABLE_TEMPLATE_FIELDS:
        if name in changes and getattr(template, name) != changes[name]:
            before[name] = [str(getattr(template, name)), str(changes[name])]
            setattr(template, name, changes[name])
    problems = problems_of(template)
    if problems:
        raise ActRefused(" ".join(problems))
    if not before:
        return template
    save(template)
    if "prefix" in before:
        series = LetterTemplate.objects.filter(series=template.series).exclude(pk=template.pk)
        series.update(prefix=template.prefix, version=F("version") + 1)
    record_event(
        EventKind.LETTER_TEMPLATE_CHANGED,
        by=by,
        at=at,
        data={"letter_kind": template.kind, "changes": before, "version": template.version},
    )
    return template


def problems_of(template: LetterTemplate) -> list[str]:
    """Everything wrong with a template as it stands, each in a sentence."""
    found = template_problems(template.kind, title=template.title, body=template.body)
    if not MIN_PITCH <= template.line_pitch_points <= MAX_PITCH:
        found.append(problem("pitch", low=MIN_PITCH, high=MAX_PITCH))
    if not is_prefix(template.prefix):
        found.append(problem("prefix", prefix=template.prefix))
    others = LetterTemplate.objects.exclude(series=template.series)
    if others.filter(prefix=template.prefix).exists():
        found.append(problem("prefix_taken", prefix=template.prefix))
    word = secrecy_word([template.copies, template.contact, template.issuer_name])
    if word:
        found.append(problem("secrecy", word=word))
    return found


# The file


def render_letter(letter: Letter) -> Letter:
    """Draw the DOCX of an issued letter from its frozen content and keep it with its hash, once.

    Repeating it draws nothing anew; two at once draw the same bytes and one of them is kept.
    """
    if letter.docx or letter.status not in Letter.SENT_STATES:
        return letter
    content = build_letter(letter.content)
    digest = hashlib.sha256(content).hexdigest()
    letter.docx.save("letter.docx", ContentFile(content), save=False)
    name = letter.docx.name
    changed = Letter.objects.filter(pk=letter.pk, docx="").update(docx=name, docx_sha256=digest)
    if not changed:
        letter.docx.storage.delete(name)
    letter.refresh_from_db()
    return letter


def render_letters(*, limit: int = 50, budget_seconds: float = 10) -> dict[str, int]:
    """Draw what was issued and has no file yet, oldest first; safe to repeat.

    One letter that cannot be drawn does not stop the others; they are counted.
    """
    started = time.monotonic()
    waiting = Letter.objects.filter(status__in=Letter.SENT_STATES, docx="")
    done = failed = 0
    for letter in waiting.order_by("issued_at", "pk")[:limit]:
        if time.monotonic() - started > budget_seconds:
            break
        try:
            render_letter(letter)
            done += 1
        except Exception:
            logger.exception("Could not draw letter %s", letter.pk)
            failed += 1
    return {"drawn": done, "failed": failed}
