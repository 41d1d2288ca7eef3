"""The bodies' own desk: everything due, on one page, and the two acts done for many rows."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, Min, OuterRef, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from supervision.models import (
    Assignment,
    Event,
    EventKind,
    ExtensionRequest,
    HelpRequest,
    Letter,
    LetterKind,
    Milestone,
    Objection,
    ProgressReport,
    ReportPeriod,
    Role,
)
from supervision.overview import light_up
from supervision.rules.lights import Reason
from supervision.rules.reasons import describe
from supervision.rules.working_days import WorkingCalendar
from supervision.services.acts import ActRefused
from supervision.services.assignments import accept_assignment, submit_assignment
from supervision.services.reports import submit_report
from supervision.services.requests import submit_extension
from supervision.services.settings import limits, working_calendar
from supervision.together import read_together
from supervision.views.assignments import return_url
from supervision.views.base import local_today
from supervision.views.navigation import page_of

NEAR_WORKING_DAYS = 5
CLOSING_NEAR_WORKING_DAYS = 10
DECIDED_DAYS = 14
PAGE_SIZE = 50
WAITING_SHOWN = 50
OWED_COLUMNS = (
    "label",
    "due",
    "total",
    "not_begun",
    "drafted",
    "waiting",
    "returned",
    "filed",
)
Report = ProgressReport.Status


@dataclass
class Entry:
    """One line of the desk: what, by when, how urgent, and the one thing to press."""

    kind: str
    title: str
    due_date: date | None
    code: str
    words: str
    url: str
    button: str
    note: str = ""
    number: str = ""
    accept_uid: str = ""


def require_body(user) -> None:
    """These pages belong to the people of a body."""
    if not user.is_body:
        raise PermissionDenied(_("This page is for liaisons and heads of bodies."))


def due_words(due: date, today: date, calendar: WorkingCalendar) -> tuple[str, str]:
    """Code of a light and words for a date something is due on."""
    if due < today:
        return "red", describe(Reason("overdue", {"days": (today - due).days}))
    if due == today:
        return "yellow", describe(Reason("due_today"))
    days = calendar.between(today, due)
    code = "yellow" if days <= NEAR_WORKING_DAYS else "green"
    return code, describe(Reason("due_in", {"days": days, "date": due}))


@login_required
@require_safe
def body_home(request):
    """Everything that waits for the people of one body."""
    require_body(request.user)
    user, today = request.user, local_today()
    calendar = working_calendar()
    entries, waiting = collect(user, today=today, calendar=calendar)
    page = page_of(request, entries, PAGE_SIZE)
    context = {
        "entries": page.object_list,
        "page_obj": page,
        "total": len(entries),
        "to_sign": sum(1 for entry in page.object_list if entry.accept_uid),
        "waiting": waiting[:WAITING_SHOWN],
        "waiting_total": len(waiting),
        "waiting_more": max(len(waiting) - WAITING_SHOWN, 0),
        "is_head": user.has_role(Role.BODY_HEAD),
        "overdue": sum(1 for entry in entries if entry.code == "red"),
        "today": today,
    }
    return render(request, "desk/body/home.html", context)


def collect(user, *, today: date, calendar: WorkingCalendar) -> tuple[list[Entry], list[dict]]:
    """The lines of the desk by date, and what waits for the head's sign-off.

    Three statements: the shares that ask for something, their milestones, and all the papers.
    """
    own = Assignment.objects.visible_to(user).filter(organization_id=user.organization_id)
    rows = light_up(_asking(own, today, calendar), today=today)
    returned = [row.pk for row in rows if row.status == Assignment.Status.RETURNED]
    found = read_together(
        sent_back=Event.objects.filter(
            assignment__in=returned, kind__in=[EventKind.SENT_BACK, EventKind.CHECK_FAILED]
        ).order_by("happened_at", "pk"),
        owed=_returns_owed(own, today),
        returns=_returns_sent_back(own),
        letters=_letters_to_answer(user),
        help_to_give=_help_to_give(user),
        **_decided(own),
        **_waiting_for_sign_off(own),
    )
    # Why each closing was sent back: the office's latest words.
    reasons = {event.assignment_id: event.reason for event in found["sent_back"]}
    entries = []
    for row in rows:
        entries += _of_share(row, reasons, today, calendar)
    entries += _owed_entries(found["owed"], today, calendar)
    entries += [_sent_back_entry(row, today, calendar) for row in found["returns"]]
    entries += [_letter_entry(row, today, calendar) for row in found["letters"]]
    entries += [_help_entry(row, today, calendar) for row in found["help_to_give"]]
    entries += _decided_entries(found)
    entries.sort(key=lambda entry: (entry.due_date or date.max, entry.number, entry.kind))
    return entries, _papers_to_sign_off(found, today, calendar)


def _asking(own, today: date, calendar: WorkingCalendar):
    """The running shares that may ask for something; most of them are quiet on most days.

    `_of_share` has the last word: this one only leaves out what cannot have a line.
    """
    steps = Milestone.objects.filter(assignment=OuterRef("pk"))
    soon = steps.filter(
        status__in=Milestone.BODY_STATES,
        planned_date__lt=calendar.add(today, NEAR_WORKING_DAYS + 1),
    )
    return (
        own.running()
        .annotate(has_plan=Exists(steps.exclude(status=Milestone.Status.CANCELLED)))
        .filter(
            Q(status__in=[Assignment.Status.PENDING, Assignment.Status.RETURNED])
            | Q(has_plan=False, plan_due_date__isnull=False)
            | Q(due_date__lt=calendar.add(today, CLOSING_NEAR_WORKING_DAYS + 1))
            | Exists(soon)
        )
    )


def _of_share(row: Assignment, reasons, today, calendar) -> list[Entry]:
    """What one share asks for: a signature, a plan, a milestone, the end."""
    found = []

    def add(kind, due, button, *, note="", anchor="", accept_uid="", title=""):
        code, words = due_words(due, today, calendar) if due else (row.lamp.code, row.lamp.text)
        found.append(
            Entry(
                kind,
                title or row.item.title,
                due,
                code,
                words,
                row.get_absolute_url() + anchor,
                button,
                note,
                row.item.number or "",
                accept_uid,
            )
        )

    if row.status == Assignment.Status.PENDING:
        add(_("To sign for"), row.accept_due_date, _("Sign for it"), accept_uid=str(row.uid))
        return found
    if row.status not in Assignment.IN_HAND_STATES:
        return found
    if not row.has_plan and row.plan_due_date:
        add(_("Plan to file"), row.plan_due_date, _("File the plan"), anchor="#acts")
    for step in row.agreed_milestones:
        if step.status not in Milestone.BODY_STATES:
            continue
        if calendar.between(today, step.planned_date) > NEAR_WORKING_DAYS:
            continue
        add(
            _("Milestone"),
            step.planned_date,
            _("Report it done"),
            note=step.title,
            anchor=f"#milestone-{step.uid}",
        )
    if row.status == Assignment.Status.RETURNED:
        add(
            _("Closing sent back"),
            row.due_date,
            _("Rework it"),
            note=reasons.get(row.pk, ""),
            anchor="#acts",
        )
    elif (
        row.due_date
        and not row.is_sign_off_requested
        and calendar.between(today, row.due_date) <= CLOSING_NEAR_WORKING_DAYS
    ):
        add(_("Completion due"), row.due_date, _("Report completion"), anchor="#acts")
    return found


def _returns_owed(own, today):
    """Each period that still may owe something: how many returns stand where, as OWED_COLUMNS."""
    return (
        ReportPeriod.objects.filter(
            assignment__in=own,
            assignment__status__in=Assignment.IN_HAND_STATES,
            status=ReportPeriod.Status.OPEN,
            start_date__lte=today,
        )
        .values("label")
        .annotate(
            due=Min("due_date"),
            total=Count("pk"),
            not_begun=Count("pk", filter=Q(report=None)),
            drafted=Count("pk", filter=Q(report__status=Report.DRAFT)),
            waiting=Count("pk", filter=Q(report__status=Report.UNDER_SIGN_OFF)),
            returned=Count("pk", filter=Q(report__status=Report.RETURNED)),
            filed=Count("pk", filter=Q(report__status__in=[Report.SUBMITTED, Report.APPROVED])),
        )
        .values_list(*OWED_COLUMNS)
        .order_by("due", "label")
    )


def _owed_entries(rows, today, calendar) -> list[Entry]:
    """One line for each period that still owes something."""
    found = []
    for values in rows:
        period = dict(zip(OWED_COLUMNS, values, strict=True))
        if period["filed"] + period["returned"] == period["total"]:
            continue
        code, words = due_words(period["due"], today, calendar)
        found.append(
            Entry(
                _("Return"),
                _("Returns of %(period)s") % {"period": period["label"]},
                period["due"],
                code,
                words,
                reverse("supervision:returns_of", args=[period["label"]]),
                _("Write the returns"),
                _states(period),
            )
        )
    return found


def _states(period: dict) -> str:
    """How many returns of a period stand where; states nobody is in are left out."""
    named = (
        (period["not_begun"], _("not begun %(count)s")),
        (period["drafted"], _("being written %(count)s")),
        (period["waiting"], _("waiting for sign-off %(count)s")),
        (period["returned"], _("sent back %(count)s")),
        (period["filed"], _("filed %(count)s")),
    )
    return "，".join(text % {"count": count} for count, text in named if count)


def _returns_sent_back(own):
    return (
        ProgressReport.objects.filter(
            period__assignment__in=own,
            period__assignment__status__in=Assignment.IN_HAND_STATES,
            status=Report.RETURNED,
        )
        .select_related("period__assignment__item")
        .order_by("pk")
    )


def _sent_back_entry(report: ProgressReport, today, calendar) -> Entry:
    period = report.period
    code, words = due_words(period.due_date, today, calendar)
    return Entry(
        _("Return sent back"),
        period.assignment.item.title,
        period.due_date,
        code,
        words,
        return_url(period),
        _("Correct it"),
        _("%(period)s: %(reason)s") % {"period": period.label, "reason": report.review_opinion},
        period.assignment.item.number or "",
    )


def _letters_to_answer(user):
    """Letters to sign for or to answer; a dispatch notice is signed for with the work itself."""
    return (
        Letter.objects.visible_to(user)
        .filter(organization_id=user.organization_id, status=Letter.Status.ISSUED)
        .filter(Q(assignment=None) | Q(assignment__status__in=Assignment.RUNNING_STATES))
        .filter(
            Q(replied_at=None, reply_due_date__isnull=False)
            | Q(received_at=None, receipt_due_date__isnull=False)
        )
        .exclude(kind=LetterKind.DISPATCH_NOTICE)
        .select_related("item")
        .defer("content")
        .order_by("pk")
    )


def _letter_entry(letter: Letter, today, calendar) -> Entry:
    is_unsigned = letter.received_at is None and letter.receipt_due_date is not None
    due = letter.receipt_due_date if is_unsigned else letter.reply_due_date
    code, words = due_words(due, today, calendar)
    return Entry(
        _("Letter to sign for") if is_unsigned else _("Letter to answer"),
        letter.item.title if letter.item else letter.title,
        due,
        code,
        words,
        reverse("supervision:letter", args=[letter.uid]),
        _("Sign for it") if is_unsigned else _("Answer it"),
        letter.title if letter.item else "",
        letter.number or "",
    )


def _help_to_give(user):
    """What other bodies ask of this one."""
    return (
        HelpRequest.objects.visible_to(user)
        .filter(organization_id=user.organization_id, status=HelpRequest.Status.ASKED)
        .select_related("assignment__item", "assignment__organization")
        .order_by("pk")
    )


def _help_entry(row: HelpRequest, today, calendar) -> Entry:
    code, words = due_words(row.due_date, today, calendar)
    return Entry(
        _("Help asked for (kind)"),
        row.assignment.item.title,
        row.due_date,
        code,
        words,
        row.get_absolute_url(),
        _("Answer it"),
        _("%(body)s: %(text)s") % {"body": row.assignment.organization, "text": row.text},
        row.assignment.item.number or "",
    )


def _decided(own) -> dict:
    """Requests decided in the last days."""
    since = timezone.now() - timedelta(days=DECIDED_DAYS)
    return {
        "answered": HelpRequest.objects.filter(
            assignment__in=own,
            answered_at__gte=since,
            status__in=[HelpRequest.Status.ANSWERED, HelpRequest.Status.DECLINED],
        )
        .select_related("assignment__item", "organization")
        .order_by("pk"),
        "extensions": ExtensionRequest.objects.filter(
            assignment__in=own,
            decided_at__gte=since,
            status__in=[ExtensionRequest.Status.GRANTED, ExtensionRequest.Status.REFUSED],
        )
        .select_related("assignment__item")
        .order_by("pk"),
        "objections": Objection.objects.filter(
            assignment__in=own, decided_at__gte=since, status=Objection.Status.REJECTED
        )
        .select_related("assignment__item")
        .order_by("pk"),
    }


def _decided_entries(rows: dict) -> list[Entry]:
    """What the answers to those requests are."""
    found = []
    for row in rows["answered"]:
        found.append(
            Entry(
                _("Help request answered (kind)"),
                row.assignment.item.title,
                timezone.localdate(row.answered_at),
                "grey",
                row.get_status_display(),
                row.get_absolute_url(),
                _("Read the answer"),
                _("%(body)s: %(text)s") % {"body": row.organization, "text": row.answer_text},
                row.assignment.item.number or "",
            )
        )
    for request in rows["extensions"]:
        is_granted = request.status == ExtensionRequest.Status.GRANTED
        if is_granted:
            words = _("Granted until %(date)s") % {"date": request.granted_date.isoformat()}
        else:
            words = _("Refused")
        found.append(_answer(_("Extension decided"), request, words, request.decision_opinion))
    for request in rows["objections"]:
        found.append(_answer(_("Objection decided"), request, _("Rejected"), request.opinion))
    return found


def _answer(kind, request, words, opinion) -> Entry:
    return Entry(
        kind,
        request.assignment.item.title,
        timezone.localdate(request.decided_at),
        "grey",
        words,
        request.assignment.get_absolute_url() + "#requests",
        _("Read the decision"),
        opinion,
        request.assignment.item.number or "",
    )


def _waiting_for_sign_off(own) -> dict:
    """Returns, closings and requests that wait for the head."""
    return {
        "to_release": ProgressReport.objects.filter(
            period__assignment__in=own, status=Report.UNDER_SIGN_OFF
        )
        .select_related("period__assignment__item", "filled_by")
        .order_by("pk"),
        "closings": own.filter(status__in=Assignment.IN_HAND_STATES, is_sign_off_requested=True)
        .select_related("item")
        .order_by("pk"),
        "drafts": ExtensionRequest.objects.filter(
            assignment__in=own, status=ExtensionRequest.Status.DRAFT
        )
        .select_related("assignment__item", "asked_by")
        .order_by("pk"),
    }


def _papers_to_sign_off(rows: dict, today, calendar) -> list[dict]:
    """Those papers as the page shows them, the oldest first."""
    allowed, _unit = limits()["sign_off", ""]
    found = []
    for report in rows["to_release"]:
        asked = report.sign_off_asked_at
        due = calendar.add(timezone.localdate(asked), allowed) if asked else report.period.due_date
        found.append(
            {
                "key": f"report:{report.uid}",
                "version": report.version,
                "kind": _("Return of %(period)s") % {"period": report.period.label},
                "item": report.period.assignment.item,
                "text": report.progress_text,
                "by": report.filled_by,
                "due_date": min(due, report.period.due_date),
                "url": report.get_absolute_url(),
            }
        )
    for closing in rows["closings"]:
        found.append(
            {
                "key": f"closing:{closing.uid}",
                "version": closing.version,
                "kind": _("Closing report"),
                "item": closing.item,
                "text": closing.closing_text,
                "by": None,
                "due_date": closing.due_date,
                "url": closing.get_absolute_url() + "#acts",
            }
        )
    for draft in rows["drafts"]:
        found.append(
            {
                "key": f"extension:{draft.uid}",
                "version": draft.version,
                "kind": _("More time until %(date)s") % {"date": draft.asked_date.isoformat()},
                "item": draft.assignment.item,
                "text": draft.reason,
                "by": draft.asked_by,
                "due_date": draft.due_date_then,
                "url": draft.assignment.get_absolute_url() + "#requests",
            }
        )
    for entry in found:
        entry["code"], entry["words"] = (
            due_words(entry["due_date"], today, calendar) if entry["due_date"] else ("grey", "")
        )
    return sorted(found, key=lambda entry: entry["due_date"] or date.max)


@login_required
@require_POST
def accept_chosen(request):
    """Sign for one share (its own button) or for all that were ticked."""
    require_body(request.user)
    only = request.POST.get("only")
    chosen = [only] if only else request.POST.getlist("chosen")
    now = timezone.now()
    _each(
        request,
        chosen,
        lambda uid: accept_assignment(
            assignment=get_object_or_404(
                Assignment.objects.visible_to(request.user), uid=_uid(uid)
            ),
            by=request.user,
            at=now,
        ),
        lambda count: ngettext(
            "%(count)s assignment was signed for.", "%(count)s assignments were signed for.", count
        ),
    )
    return redirect("supervision:mine")


@login_required
@require_POST
def release_chosen(request):
    """The head releases what was ticked: returns, closings, requests, in one act."""
    require_body(request.user)
    only = request.POST.get("only")
    chosen = [only] if only else request.POST.getlist("chosen")
    now = timezone.now()
    _each(
        request,
        chosen,
        lambda key: _release(request, key, now),
        lambda count: ngettext(
            "%(count)s paper was released.", "%(count)s papers were released.", count
        ),
    )
    return redirect("supervision:mine")


def _release(request, key: str, now) -> None:
    family, _colon, rest = key.partition(":")
    uid, _at, version = rest.partition("@")
    known = {
        "version": int(version) if version.isdecimal() else None,
        "by": request.user,
        "at": now,
    }
    if family == "report":
        rows = ProgressReport.objects.visible_to(request.user)
        submit_report(report=get_object_or_404(rows, uid=_uid(uid)), **known)
    elif family == "closing":
        rows = Assignment.objects.visible_to(request.user)
        submit_assignment(assignment=get_object_or_404(rows, uid=_uid(uid)), **known)
    else:
        rows = ExtensionRequest.objects.visible_to(request.user)
        submit_extension(extension=get_object_or_404(rows, uid=_uid(uid)), **known)


def _uid(text: str):
    """An identifier as posted; what is none finds no row."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _each(request, chosen, act, done) -> None:
    """One act for every chosen row, each on its own; every refusal is told, none stops the rest."""
    if not chosen:
        messages.warning(request, _("Tick at least one row first."))
        return
    count = 0
    for key in dict.fromkeys(chosen):
        try:
            act(key)
        except (ActRefused, TransitionNotAllowed, ConcurrentTransition) as refusal:
            messages.error(request, str(refusal))
        else:
            count += 1
    if count:
        messages.success(request, done(count) % {"count": count})
