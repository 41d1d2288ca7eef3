"""One body's share of an item: the page everybody concerned shares, and every act on it.

An act is a row of a table: who may, when it is offered, which form, which service. A refused act
shows the page again with its form open, what was typed still in it and the reason above it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django_fsm import ConcurrentTransition, TransitionNotAllowed, can_proceed

from supervision import permissions
from supervision.desk_time import time_by_desk
from supervision.forms import body as forms
from supervision.history import entries, with_related
from supervision.models import (
    Assignment,
    Attachment,
    DateChange,
    EventKind,
    ExtensionRequest,
    HelpRequest,
    Milestone,
    Objection,
    ProgressReport,
    ReportPeriod,
    SupervisionItem,
    Target,
)
from supervision.overview import light_up
from supervision.rules.reasons import describe
from supervision.services import assignments, help, milestones, reports, requests
from supervision.services.acts import ActRefused, StaleRow
from supervision.services.files import add_attachment
from supervision.services.settings import limits, working_calendar
from supervision.together import read_together
from supervision.views.base import local_today, next_page
from supervision.views.letters import letter_rows, letters_about

IN_HAND = (Assignment.Status.IN_PROGRESS, Assignment.Status.RETURNED)
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


@dataclass(frozen=True)
class Act:
    """One thing a person can do with a row.

    `may` asks about the person, `when` about the state of the row; `run` is the service.
    """

    label: str
    run: Callable
    may: Callable[[Any, Any], bool]
    when: Callable[[Any], bool]
    done: str
    form: type[forms.ActForm] = forms.ActForm
    tone: str = ""
    intro: str | Callable[[Any], str] = ""
    confirm: str = ""
    submit_label: str = ""

    def is_offered(self, row, user) -> bool:
        return self.when(row) and self.may(row, user)


@dataclass
class Offer:
    """An act as the page shows it: a button that opens its form."""

    code: str
    act: Act
    form: forms.ActForm
    action: str
    is_open: bool = False
    label: str = field(init=False)
    intro: str = field(init=False)

    def __post_init__(self):
        self.label = self.act.label
        self.intro = self.act.intro(self.form.row) if callable(self.act.intro) else self.act.intro


def versioned(service: Callable, name: str) -> Callable:
    """Call a service with its row as `name`, the version of the form and what was typed."""

    def run(*, row, by, at, form):
        return service(
            **{name: row}, by=by, at=at, version=form.cleaned_data["version"], **form.values
        )

    return run


def plain(service: Callable, name: str) -> Callable:
    """The same for services whose acts add up instead of overwriting."""

    def run(*, row, by, at, form):
        return service(**{name: row}, by=by, at=at, **form.values)

    return run


def attach(assignment: Assignment, form, by, at, **to) -> None:
    for upload in form.cleaned_data.get("files") or ():
        add_attachment(assignment=assignment, by=by, at=at, upload=upload, **to)


def with_files(run: Callable) -> Callable:
    """Files first: one that is refused undoes the act as well."""

    def run_with_files(*, row, by, at, form):
        if isinstance(row, Milestone):
            attach(row.assignment, form, by, at, milestone=row)
        else:
            attach(row, form, by, at)
        return run(row=row, by=by, at=at, form=form)

    return run_with_files


def only_files(*, row, by, at, form) -> None:
    attach(row, form, by, at)


def in_state(name: str) -> Callable[[Any], bool]:
    return lambda row: can_proceed(getattr(row, name))


def is_in_hand(row: Assignment) -> bool:
    return row.status in IN_HAND


def has_unagreed_plan(row: Assignment) -> bool:
    return any(step.status == Milestone.Status.DRAFT for step in row.milestones.all())


def may_agree_plan(row: Assignment, user) -> bool:
    return permissions.can_approve_plan(None, user)


def may_object(row: Assignment) -> bool:
    return can_proceed(row.object) and local_today() <= row.objection_due_date


def may_reopen(row: Assignment) -> bool:
    """A share of a closed item opens only together with the item."""
    return can_proceed(row.reopen) and row.item.status in SupervisionItem.OPEN_STATES


def can_ask_for_time(row: Assignment) -> bool:
    return is_in_hand(row) and row.due_date is not None


def objection_intro(row: Assignment) -> str:
    return _(
        "You can object until %(date)s; it is decided once. Until then nothing is charged."
    ) % {"date": row.objection_due_date.isoformat()}


def extension_intro(row: Assignment) -> str:
    """What is left of the time to ask, counted on today's date."""
    today = local_today()
    if row.due_date < today:
        return _(
            "The due date %(due)s has passed. The request is marked as late and the delay on "
            "record stays."
        ) % {"due": row.due_date.isoformat()}
    notice, _unit = limits()["extension_notice", ""]
    latest = working_calendar().add(row.due_date, -notice)
    return _(
        "Ask before the due date %(due)s, best by %(latest)s (%(days)s working days before). Name "
        "one definite new date; the leader decides."
    ) % {"due": row.due_date.isoformat(), "latest": latest.isoformat(), "days": notice}


OF_ASSIGNMENT: dict[str, Act] = {
    "accept": Act(
        gettext_lazy("Sign for it"),
        versioned(assignments.accept_assignment, "assignment"),
        permissions.can_accept,
        in_state("accept"),
        gettext_lazy("Signed for. File the plan next."),
        tone="primary",
        intro=gettext_lazy("Your name and the time are recorded; the work is then in hand."),
    ),
    "object": Act(
        gettext_lazy("Object"),
        versioned(assignments.object_to_assignment, "assignment"),
        permissions.can_object,
        may_object,
        gettext_lazy("The objection was raised; the supervision office decides."),
        forms.ObjectionForm,
        intro=objection_intro,
    ),
    "plan": Act(
        gettext_lazy("File the plan"),
        versioned(milestones.file_plan, "assignment"),
        permissions.can_plan,
        is_in_hand,
        gettext_lazy("The plan was filed; the supervision office looks at it."),
        forms.PlanForm,
    ),
    "submit": Act(
        gettext_lazy("Apply for completion"),
        with_files(versioned(assignments.submit_assignment, "assignment")),
        permissions.can_submit,
        in_state("submit"),
        gettext_lazy("Completion was applied for; the supervision office reviews it."),
        forms.ClosingForm,
        intro=gettext_lazy("With this you sign off the closing report in the name of the body."),
    ),
    "draft_closing": Act(
        gettext_lazy("Prepare the closing report"),
        with_files(versioned(assignments.draft_closing, "assignment")),
        permissions.can_draft_closing,
        is_in_hand,
        gettext_lazy("The closing report was handed to the head of your body."),
        forms.ClosingDraftForm,
        intro=gettext_lazy("The head of your body signs it off; that is what hands it in."),
        submit_label=gettext_lazy("Hand to the head"),
    ),
    "extend": Act(
        gettext_lazy("Ask for more time"),
        versioned(requests.ask_extension, "assignment"),
        permissions.can_ask_extension,
        can_ask_for_time,
        gettext_lazy("The request for more time was recorded."),
        forms.ExtensionForm,
        intro=extension_intro,
    ),
    "help": Act(
        gettext_lazy("Ask another body for help"),
        versioned(help.ask_help, "assignment"),
        permissions.can_ask_help,
        is_in_hand,
        gettext_lazy("The other body was asked; the supervision office sees it."),
        forms.HelpForm,
        intro=gettext_lazy("It is on record on both desks. Your own due date does not move by it."),
    ),
    "files": Act(
        gettext_lazy("Add files"),
        only_files,
        permissions.can_add_file,
        lambda row: row.is_open,
        gettext_lazy("The files were added."),
        forms.FilesForm,
    ),
    "agree_plan": Act(
        gettext_lazy("Agree to the plan"),
        plain(milestones.agree_plan, "assignment"),
        may_agree_plan,
        has_unagreed_plan,
        gettext_lazy("The plan was agreed to."),
        tone="primary",
        intro=gettext_lazy("The planned dates become the original dates and never change."),
    ),
    "approve": Act(
        gettext_lazy("Find it in order"),
        versioned(assignments.approve_assignment, "assignment"),
        permissions.can_review,
        in_state("approve"),
        gettext_lazy("Found in order; the check follows."),
        forms.OptionalOpinionForm,
        tone="primary",
    ),
    "send_back": Act(
        gettext_lazy("Send the closing back"),
        versioned(assignments.send_back_assignment, "assignment"),
        permissions.can_review,
        in_state("send_back"),
        gettext_lazy("The closing was sent back."),
        forms.ReasonForm,
        intro=gettext_lazy("The body gets time to rework; your reason is shown to it."),
    ),
    "complete": Act(
        gettext_lazy("Check passed, complete"),
        versioned(assignments.complete_assignment, "assignment"),
        permissions.can_complete,
        in_state("complete"),
        gettext_lazy("Completed; on time or late is now on record."),
        forms.OptionalOpinionForm,
        tone="primary",
        intro=gettext_lazy("Counted is the day the body handed it in. The verdict is frozen."),
    ),
    "fail_check": Act(
        gettext_lazy("Check not passed"),
        versioned(assignments.fail_check, "assignment"),
        permissions.can_complete,
        in_state("fail_check"),
        gettext_lazy("The work was given back to the body."),
        forms.ReasonForm,
    ),
    "remind": Act(
        gettext_lazy("Urge"),
        plain(assignments.remind_body, "assignment"),
        permissions.can_remind,
        lambda row: row.status in Assignment.BODY_STATES,
        gettext_lazy("The body was urged."),
        forms.RemindForm,
    ),
    "resume": Act(
        gettext_lazy("Resume"),
        versioned(assignments.resume_assignment, "assignment"),
        permissions.can_decide_on_assignment,
        in_state("resume"),
        gettext_lazy("Resumed; the working days held were added to the due date."),
        tone="primary",
    ),
    "suspend": Act(
        gettext_lazy("Suspend"),
        versioned(assignments.suspend_assignment, "assignment"),
        permissions.can_decide_on_assignment,
        in_state("suspend"),
        gettext_lazy("Suspended; the clock stands still."),
        forms.SuspendForm,
        tone="danger",
    ),
    "reopen": Act(
        gettext_lazy("Reopen"),
        versioned(assignments.reopen_assignment, "assignment"),
        permissions.can_decide_on_assignment,
        may_reopen,
        gettext_lazy("Reopened; the earlier verdict stays on record."),
        forms.ReopenForm,
        tone="danger",
    ),
    "cancel": Act(
        gettext_lazy("Cancel the assignment"),
        versioned(assignments.cancel_assignment, "assignment"),
        permissions.can_cancel_assignment,
        in_state("cancel"),
        gettext_lazy("The assignment was cancelled."),
        forms.BasisForm,
        tone="danger",
        confirm=gettext_lazy("Open requests end with it. Cancel this body's share?"),
    ),
}

OF_MILESTONE: dict[str, Act] = {
    "start": Act(
        gettext_lazy("Start"),
        versioned(milestones.start_milestone, "milestone"),
        permissions.can_work_on_milestone,
        in_state("start"),
        gettext_lazy("The milestone was started."),
    ),
    "submit": Act(
        gettext_lazy("Report it done"),
        with_files(versioned(milestones.submit_milestone, "milestone")),
        permissions.can_work_on_milestone,
        in_state("submit"),
        gettext_lazy("The milestone was reported done; the supervision office verifies it."),
        forms.MilestoneDoneForm,
    ),
    "approve": Act(
        gettext_lazy("Verify"),
        versioned(milestones.approve_milestone, "milestone"),
        permissions.can_review_milestone,
        in_state("approve"),
        gettext_lazy("The milestone was verified."),
    ),
    "send_back": Act(
        gettext_lazy("Send back"),
        versioned(milestones.send_back_milestone, "milestone"),
        permissions.can_review_milestone,
        in_state("send_back"),
        gettext_lazy("The milestone was sent back."),
        forms.ReasonForm,
    ),
    "move": Act(
        gettext_lazy("Move"),
        versioned(milestones.move_milestone, "milestone"),
        permissions.can_review_milestone,
        lambda row: row.status in (Milestone.Status.PLANNED, Milestone.Status.IN_PROGRESS),
        gettext_lazy("The milestone was moved; its original date stays."),
        forms.MilestoneMoveForm,
    ),
    "cancel": Act(
        gettext_lazy("Drop"),
        versioned(milestones.cancel_milestone, "milestone"),
        permissions.can_review_milestone,
        in_state("cancel"),
        gettext_lazy("The milestone was dropped; its weight falls to the others."),
        forms.ReasonForm,
        tone="danger",
    ),
}

OF_EXTENSION: dict[str, Act] = {
    "submit": Act(
        gettext_lazy("Sign off and file"),
        versioned(requests.submit_extension, "extension"),
        permissions.can_sign_request,
        in_state("submit"),
        gettext_lazy("The request was filed."),
        tone="primary",
    ),
    "endorse": Act(
        gettext_lazy("Endorse"),
        versioned(requests.endorse_extension, "extension"),
        permissions.can_endorse_extension,
        in_state("endorse"),
        gettext_lazy("Endorsed; the leader decides."),
        forms.OpinionForm,
        tone="primary",
    ),
    "grant": Act(
        gettext_lazy("Grant"),
        versioned(requests.grant_extension, "extension"),
        permissions.can_grant_extension,
        in_state("grant"),
        gettext_lazy("Granted; the due date has moved, the original date stays."),
        forms.GrantForm,
        tone="primary",
    ),
    "refuse": Act(
        gettext_lazy("Refuse"),
        versioned(requests.refuse_extension, "extension"),
        lambda row, user: (
            permissions.can_endorse_extension(row, user)
            if row.status == ExtensionRequest.Status.SUBMITTED
            else permissions.can_grant_extension(row, user)
        ),
        lambda row: can_proceed(row.refuse_at_once) or can_proceed(row.refuse),
        gettext_lazy("The request was refused."),
        forms.OpinionForm,
    ),
    "withdraw": Act(
        gettext_lazy("Withdraw the request"),
        versioned(requests.withdraw_extension, "extension"),
        permissions.can_withdraw_request,
        in_state("withdraw"),
        gettext_lazy("The request was withdrawn."),
    ),
}

OF_OBJECTION: dict[str, Act] = {
    "uphold": Act(
        gettext_lazy("Uphold, give it to another body"),
        versioned(assignments.uphold_objection, "objection"),
        permissions.can_decide_objection_itself,
        in_state("uphold"),
        gettext_lazy("Upheld; the other body now has the work."),
        forms.UpholdForm,
    ),
    "reject": Act(
        gettext_lazy("Reject the objection"),
        versioned(assignments.reject_objection, "objection"),
        permissions.can_decide_objection_itself,
        in_state("reject"),
        gettext_lazy("Rejected; the time to sign starts anew."),
        forms.OpinionForm,
    ),
    "withdraw": Act(
        gettext_lazy("Withdraw the objection"),
        versioned(assignments.withdraw_objection, "objection"),
        permissions.can_withdraw_request,
        in_state("withdraw"),
        gettext_lazy("The objection was withdrawn; the work can be signed for."),
    ),
}

OF_PERIOD: dict[str, Act] = {
    "skip": Act(
        gettext_lazy("Skip this period"),
        plain(reports.skip_period, "period"),
        permissions.can_skip_period,
        in_state("skip"),
        gettext_lazy("No return is owed for this period; it stays visible as skipped."),
        forms.SkipForm,
    ),
    "unskip": Act(
        gettext_lazy("Ask for the return after all"),
        plain(reports.unskip_period, "period"),
        permissions.can_skip_period,
        in_state("unskip"),
        gettext_lazy("The return is owed again."),
    ),
}

OF_HELP: dict[str, Act] = {
    "answer": Act(
        gettext_lazy("Answer"),
        versioned(help.answer_help, "help_request"),
        permissions.can_answer_help,
        in_state("answer"),
        gettext_lazy("Your answer went to the body that asked."),
        forms.AnswerForm,
        tone="primary",
    ),
    "decline": Act(
        gettext_lazy("Decline"),
        versioned(help.decline_help, "help_request"),
        permissions.can_answer_help,
        in_state("decline"),
        gettext_lazy("Declined; your reason went to the body that asked."),
        forms.DeclineForm,
    ),
    "withdraw": Act(
        gettext_lazy("Withdraw the request"),
        versioned(help.withdraw_help, "help_request"),
        permissions.can_withdraw_help,
        in_state("withdraw"),
        gettext_lazy("The request was withdrawn."),
    ),
}

FAMILIES: dict[str, dict[str, Act]] = {
    "assignment": OF_ASSIGNMENT,
    "milestone": OF_MILESTONE,
    "extension": OF_EXTENSION,
    "objection": OF_OBJECTION,
    "period": OF_PERIOD,
    "help": OF_HELP,
}
# What a body does from a row of the return page, each in a dialog; milestones beside them.
FROM_A_ROW = ("accept", "object", "extend", "help", "draft_closing", "submit")
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


def run_act(request, act: Act, row, *, shown: Callable, finished: Callable):
    """Perform one act on one row; `shown(form)` renders its page with the form still open.

    Raises PermissionDenied when the person may not.
    """
    if not act.may(row, request.user):
        raise PermissionDenied(_("Your duties do not include this act."))
    form = act.form(request.POST, request.FILES, row=row, user=request.user, auto_id="id_open_%s")
    if not form.is_valid():
        return shown(form)
    try:
        with transaction.atomic():
            act.run(row=row, by=request.user, at=timezone.now(), form=form)
    except StaleRow as refusal:
        form.renew_version(refusal.row.version)
        form.add_error(None, refusal.message)
    except ActRefused as refusal:
        form.add_error(None, refusal.message)
    except TransitionNotAllowed as refusal:
        form.add_error(None, str(refusal))
    except ConcurrentTransition:
        form.add_error(
            None,
            _("Somebody else was faster: this has changed meanwhile. Look at its present state."),
        )
    else:
        messages.success(request, act.done)
        return finished()
    if form.visible_fields():
        return shown(form)
    for error in form.non_field_errors():
        messages.error(request, error)
    return finished()


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
    return reverse("supervision:returns_of", args=[period.label]) + f"#return-{period.uid}"


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
                and row.status in IN_HAND
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
    if row.status in IN_HAND and row.is_sign_off_requested:
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
