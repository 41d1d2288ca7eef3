"""One body's share of an item: the page everybody concerned shares, and the way to its acts."""

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import models
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from supervision import permissions
from supervision.desk_time import time_by_desk
from supervision.history import entries, with_related
from supervision.models import (
    Assignment,
    Attachment,
    EventKind,
    ExtensionRequest,
    HelpRequest,
    Milestone,
    Objection,
    ProgressReport,
    ReportPeriod,
    Target,
)
from supervision.overview import light_up
from supervision.rules.reasons import describe
from supervision.together import read_together
from supervision.views.acts import Offer, run_act
from supervision.views.assignment_acts import (
    FAMILIES,
    FROM_A_ROW,
    OF_ASSIGNMENT,
    OF_MILESTONE,
)
from supervision.views.assignment_words import standing, why_due
from supervision.views.base import local_today, next_page
from supervision.views.letters import letter_rows, letters_about

INSIDE_THE_BODY = (
    EventKind.CLOSING_DRAFTED,
    EventKind.EXTENSION_DRAFTED,
    EventKind.SIGN_OFF_ASKED,
    EventKind.SIGN_OFF_REFUSED,
    EventKind.REPORT_SAVED,
)


def seen_from_outside(events: models.QuerySet) -> models.QuerySet:
    """Without what a body does among itself before it releases something."""
    return events.exclude(kind__in=INSIDE_THE_BODY).exclude(
        kind=EventKind.FILE_ADDED, period__isnull=False
    )


OF_FAMILY = {
    "assignment": (Assignment, "item"),
    "milestone": (Milestone, "assignment__item"),
    "extension": (ExtensionRequest, "assignment__item"),
    "objection": (Objection, "assignment__item"),
    "help": (HelpRequest, "assignment__item"),
}


@dataclass(frozen=True)
class ActLink:
    """An act as a link to its own form."""

    label: str
    url: str
    about: str = ""


def act_links(row: Assignment, user, *, back: str) -> list[ActLink]:
    """The acts of a share and of its milestones this person can do now; costs no query.

    The share is loaded with its milestones. `back` is where the form leads afterwards.
    """
    query = f"?{urlencode({'next': back})}"

    def link(family, each, code, about=""):
        url = reverse("supervision:act_form", args=[family, each.uid, code])
        return ActLink(str(FAMILIES[family][code].label), url + query, about)

    found = []
    for step in _steps(row):
        if OF_MILESTONE["submit"].is_offered(step, user):
            found.append(link("milestone", step, "submit", step.title))
    for code in FROM_A_ROW:
        if code == "draft_closing" and permissions.can_submit(row, user):
            continue
        if OF_ASSIGNMENT[code].is_offered(row, user):
            found.append(link("assignment", row, code))
    return found


@login_required
@require_safe
def act_form(request, family, uid, act):
    """One act's form as a page of its own; a script shows the same form in a dialog."""
    if family not in OF_FAMILY:
        raise Http404
    model, related = OF_FAMILY[family]
    row = _found(request, model, uid, related)
    if isinstance(row, ExtensionRequest) and not _is_shown(row, request.user):
        raise Http404
    offers = _offers(family, row, user=request.user, bound=None)
    offer = next((offer for offer in offers if offer.code == act), None)
    share = row if isinstance(row, Assignment) else row.assignment
    if offer is None:
        messages.error(request, _("This act is no longer possible. Look at the present state."))
        return redirect(next_page(request) or share.get_absolute_url())
    context = {
        "offer": offer,
        "item": share.item,
        "about": row.title if isinstance(row, Milestone) else "",
        "back": next_page(request) or share.get_absolute_url(),
    }
    return render(request, "desk/assignments/act_form.html", context)


def _run(request, family: str, row, assignment: Assignment, code: str):
    act = FAMILIES[family].get(code)
    if act is None:
        raise Http404
    return run_act(
        request,
        act,
        row,
        shown=lambda form: _page(request, assignment.uid, bound=(family, row.uid, code, form)),
        finished=lambda: redirect(next_page(request) or assignment.get_absolute_url()),
    )


def _found(request, model: type[models.Model], uid, *related: str):
    rows = model.objects.visible_to(request.user).select_related(*related)
    return get_object_or_404(rows, uid=uid)


@login_required
@require_POST
def assignment_act(request, uid, act):
    row = get_object_or_404(
        Assignment.objects.visible_to(request.user).select_related("item", "organization"), uid=uid
    )
    return _run(request, "assignment", row, row, act)


@login_required
@require_POST
def milestone_act(request, uid, act):
    row = _found(request, Milestone, uid, "assignment__item")
    return _run(request, "milestone", row, row.assignment, act)


@login_required
@require_POST
def extension_act(request, uid, act):
    row = _found(request, ExtensionRequest, uid, "assignment__item")
    if not _is_shown(row, request.user):
        raise Http404
    return _run(request, "extension", row, row.assignment, act)


@login_required
@require_POST
def objection_act(request, uid, act):
    row = _found(request, Objection, uid, "assignment__item")
    return _run(request, "objection", row, row.assignment, act)


@login_required
@require_POST
def period_act(request, uid, act):
    row = _found(request, ReportPeriod, uid, "assignment__item")
    return _run(request, "period", row, row.assignment, act)


@login_required
@require_safe
def assignment(request, uid):
    """Where one body's share stands, why, and what can be done."""
    return _page(request, uid)


def _is_shown(extension: ExtensionRequest, user) -> bool:
    """A request not yet signed off is the body's own paper."""
    return (
        extension.status != ExtensionRequest.Status.DRAFT
        or user.organization_id == extension.assignment.organization_id
    )


def _page(request, uid, bound=None):
    user, today = request.user, local_today()
    rows = Assignment.objects.visible_to(user).filter(uid=uid)
    lit = light_up(
        rows.select_related(
            "item__clause",
            "item__document",
            "organization",
            "accepted_by",
            "transferred_to",
            "section",
        ).prefetch_related("milestones"),
        today=today,
    )
    if not lit:
        raise Http404
    row = lit[0]
    is_own = permissions.is_own_body(row, user)
    offers = partial(_offers, user=user, bound=bound)
    history = row.events.visible_to(user).order_by("-happened_at", "-pk")
    if not is_own:
        history = seen_from_outside(history)
    history = list(with_related(history))
    papers = read_together(**_papers_of(row, user))
    changes = papers["changes"]
    own_offers = offers("assignment", row)
    plan = next((offer for offer in own_offers if offer.code == "plan"), None)
    periods = _of(row, papers["periods"])
    periods = _periods(row, periods, history, today=today, is_own=is_own, offers=offers)
    to_write = next((each["row"] for each in reversed(periods) if each["can_write"]), None)
    context = {
        "assignment": row,
        "write_url": to_write and return_url(to_write),
        "write_label": to_write
        and _("Write the return of %(period)s") % {"period": to_write.label},
        "item": row.item,
        "is_own": is_own,
        "sentence": standing(row),
        "why_due": why_due(row, [change for change in changes if change.milestone_id is None]),
        "time_reason": row.lamp.verdict.time_reason and describe(row.lamp.verdict.time_reason),
        "progress_reason": row.lamp.verdict.progress_reason
        and describe(row.lamp.verdict.progress_reason),
        "offers": [offer for offer in own_offers if offer is not plan],
        "plan": plan,
        "closing_text": row.closing_text if is_own or not row.is_sign_off_requested else "",
        "targets": papers["targets"],
        "milestones": [
            {
                "row": step,
                "is_missed": step.status in Milestone.BODY_STATES and step.planned_date < today,
                "is_moved": step.original_date and step.original_date != step.planned_date,
                "offers": offers("milestone", step),
            }
            for step in _steps(row)
        ],
        "periods": periods,
        "extensions": [
            {"row": extension, "offers": offers("extension", extension)}
            for extension in _of(row, papers["extensions"])
            if _is_shown(extension, user)
        ],
        "objections": [
            {"row": objection, "offers": offers("objection", objection)}
            for objection in _of(row, papers["objections"])
        ],
        "helps": [
            {"row": each, "offers": offers("help", each)} for each in _of(row, papers["helps"])
        ],
        "changes": changes,
        "desk_time": time_by_desk(row, reversed(history), changes, today=today),
        "letters": letter_rows(papers["letters"], today=today),
        "files": files_of(papers["files"]),
        "entries": entries(history),
        "today": today,
    }
    return render(request, "desk/assignments/assignment.html", context)


def _papers_of(row: Assignment, user) -> dict:
    """Everything that lies with one share, list by list, to be read together."""
    return {
        "changes": row.date_changes.select_related("milestone", "asked_by", "agreed_by"),
        "periods": row.periods.select_related("report").order_by("-start_date"),
        "targets": Target.objects.filter(clause__isnull=False, clause=row.item.clause_id),
        "extensions": row.extensions.select_related("asked_by", "decided_by"),
        "objections": row.objections.select_related("proposed_organization", "submitted_by"),
        "helps": row.help_requests.select_related("organization", "asked_by", "answered_by"),
        "letters": letters_about(user, assignment=row),
        "files": Attachment.objects.visible_to(user)
        .filter(assignment=row)
        .select_related("uploaded_by", "report__period", "milestone"),
    }


def return_url(period: ReportPeriod) -> str:
    """Where a body writes the return of a period."""
    address = reverse("supervision:returns_of", args=[period.label])
    return f"{address}?row={period.uid}#return-{period.uid}"


def _of(assignment: Assignment, rows) -> list:
    """Rows that know their assignment without asking the database for each."""
    found = list(rows)
    for each in found:
        each.assignment = assignment
    return found


def _steps(row: Assignment) -> list[Milestone]:
    return sorted(
        _of(row, row.milestones.all()), key=lambda step: (step.planned_date, step.position)
    )


def _offers(family: str, row, *, user, bound) -> list[Offer]:
    """What this person can do with this row now; a form that was refused stays open."""
    found = []
    for code, act in FAMILIES[family].items():
        is_bound = bound is not None and bound[:3] == (family, row.uid, code)
        if not is_bound and not act.is_offered(row, user):
            continue
        if not is_bound and code == "draft_closing" and permissions.can_submit(row, user):
            continue
        form = (
            bound[3]
            if is_bound
            else act.form(row=row, user=user, auto_id=f"id_{family}_{row.pk}_{code}_%s")
        )
        action = reverse(f"supervision:{family}_act", args=[row.uid, code])
        found.append(Offer(code, act, form, action, is_open=is_bound))
    return found


def _periods(row, periods, history, *, today, is_own, offers) -> list[dict]:
    """The returns by period, newest first; what is not released yet stays with the body."""
    made_up = {
        event.period_id: event.happened_at
        for event in history
        if event.kind == EventKind.PERIOD_MADE_UP
    }
    unreleased = (ProgressReport.Status.DRAFT, ProgressReport.Status.UNDER_SIGN_OFF)
    shown = []
    for period in periods:
        report = getattr(period, "report", None)
        if report is not None and not is_own and report.status in unreleased:
            report = None
        is_begun = period.start_date <= today
        is_filed = report is not None and report.status not in unreleased
        shown.append(
            {
                "row": period,
                "report": report,
                "made_up_at": made_up.get(period.pk),
                "is_skipped": period.status == ReportPeriod.Status.SKIPPED,
                "is_begun": is_begun,
                "is_reworked": report is not None
                and not is_own
                and report.status == ProgressReport.Status.RETURNED,
                "is_missed": not is_filed
                and period.status == ReportPeriod.Status.OPEN
                and period.due_date < today,
                "can_write": is_own
                and is_begun
                and row.status in Assignment.IN_HAND_STATES
                and period.status == ReportPeriod.Status.OPEN
                and (report is None or report.status in ProgressReport.EDITABLE_STATES),
                "offers": offers("period", period) if report is None else [],
            }
        )
    return shown


def files_of(attachments) -> list[dict]:
    """Files as the component shows them."""
    shown = []
    for row in attachments:
        if row.report is not None:
            belongs = str(row.report.period)
        else:
            belongs = row.milestone.title if row.milestone else ""
        shown.append(
            {
                "name": row.original_name,
                "url": reverse("supervision:file", args=[row.uid]),
                "kind": row.kind.upper(),
                "size": row.size_bytes,
                "at": row.uploaded_at,
                "by": str(row.uploaded_by),
                "note": belongs,
            }
        )
    return shown
