"""What waits for the office: one queue after another, oldest first, decided in place."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from supervision import permissions
from supervision.forms import office as forms
from supervision.models import (
    Assignment,
    ExtensionRequest,
    Milestone,
    Objection,
    ProgressReport,
    SupervisionItem,
)
from supervision.services import assignments, items, milestones, reports, requests
from supervision.views.base import (
    local_today,
    perform,
    perform_each,
    posted_version,
    uids_of,
)
from supervision.views.navigation import Link, page_of
from supervision.views.review_details import detail_of
from supervision.waiting import QUEUES, Queue, Waiting, complete, count_by_queue, waiting_for

PAGE_SIZE = 50


@dataclass(frozen=True)
class ReviewAct:
    """One decision: `argument` is the service's name of the row, `fields` form to keyword."""

    name: str
    label: Any
    service: Callable
    argument: str
    done: Any
    form: type[forms.ActForm] = forms.PlainForm
    fields: tuple[tuple[str, str], ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()
    tone: str = ""
    intro: Any = ""
    # Is the act one of this row's state? The service has the last word.
    fits: Callable[[Any], bool] = lambda row: True
    has_version: bool = True
    # The key that starts it, while shortcuts are switched on.
    key: str = ""
    # Also offered as one button, without any field.
    is_direct: bool = False
    # May be done to several at once.
    is_bulk: bool = False
    # Together: the words all rows share (`fields` say where they go), and what each row brings.
    bulk_form: type[forms.ActForm] | None = None
    each: Callable[[Any], dict] = lambda row: {}
    bulk_label: Any = ""
    direct_label: Any = ""


_OPINION = (("opinion", "opinion"),)
_REASON = (("reason", "reason"),)
_CLASSED = (("reason_class", "reason_class"), *_REASON)


def _is_submitted(row) -> bool:
    return row.status == ExtensionRequest.Status.SUBMITTED


def _is_endorsed(row) -> bool:
    return row.status == ExtensionRequest.Status.ENDORSED


def _as_asked(extension: ExtensionRequest) -> dict:
    return {"granted_date": extension.asked_date}


ACTS: dict[str, tuple[ReviewAct, ...]] = {
    Queue.APPROVALS: (
        ReviewAct(
            "approve", _("Approve and initiate"), items.approve_item, "item",
            _("The item is initiated and has its number."),
            forms.OpinionForm, _OPINION, tone="primary",
        ),
        ReviewAct(
            "send-back", _("Send back to the drafter"), items.send_back_item, "item",
            _("The item was sent back to its drafter."),
            forms.ReasonForm, (("reason", "opinion"),),
        ),
    ),
    Queue.REPORTS: (
        ReviewAct(
            "approve", _("Accept with a verified percent"), reports.approve_report, "report",
            _("The return was accepted."),
            forms.VerifyForm, (("verified_percent", "verified_percent"), *_OPINION),
            key="v", is_direct=True, is_bulk=True, direct_label=_("Accept the return"),
        ),
        ReviewAct(
            "send-back", _("Send back"), reports.send_back_report, "report",
            _("The return was sent back with your reason."),
            forms.SendBackForm, _CLASSED, key="b",
            intro=_("The body sees your reason beside its text and files again."),
        ),
    ),
    Queue.CLOSINGS: (
        ReviewAct(
            "approve", _("The paper is in order"), assignments.approve_assignment, "assignment",
            _("The closing was found in order; the check follows."),
            forms.OpinionForm, _OPINION, tone="primary", is_bulk=True,
        ),
        ReviewAct(
            "send-back", _("Send back"), assignments.send_back_assignment, "assignment",
            _("The closing was sent back with your reason."),
            forms.SendBackForm, _CLASSED,
            intro=_("The body gets time to rework; days the office was late are credited to it."),
        ),
    ),
    Queue.CHECKS: (
        ReviewAct(
            "complete", _("The check is passed: close the share"),
            assignments.complete_assignment, "assignment",
            _("The share is closed; on time or late is frozen."),
            forms.OpinionForm, _OPINION, tone="primary",
        ),
        ReviewAct(
            "fail", _("The check failed: send back"), assignments.fail_check, "assignment",
            _("The share went back to the body."),
            forms.ReasonForm, _REASON,
        ),
    ),
    Queue.MILESTONES: (
        ReviewAct(
            "approve", _("Verified"), milestones.approve_milestone, "milestone",
            _("The milestone is verified."), tone="primary", is_bulk=True,
        ),
        ReviewAct(
            "send-back", _("Send back"), milestones.send_back_milestone, "milestone",
            _("The milestone was sent back with your reason."),
            forms.ReasonForm, _REASON,
        ),
    ),
    Queue.PLANS: (
        ReviewAct(
            "agree", _("Agree to the plan"), milestones.agree_plan, "assignment",
            _("The plan is agreed; its dates count from now on."),
            tone="primary", has_version=False, is_bulk=True,
            intro=_("The planned dates are written down once as the original ones."),
        ),
    ),
    Queue.EXTENSIONS: (
        ReviewAct(
            "endorse", _("Endorse and pass to the leader"), requests.endorse_extension,
            "extension", _("The request went to the leader with your opinion."),
            forms.NeededOpinionForm, _OPINION, tone="primary", fits=_is_submitted,
            is_bulk=True, bulk_form=forms.NeededOpinionForm,
        ),
        ReviewAct(
            "grant", _("Grant"), requests.grant_extension, "extension",
            _("The extension was granted; the original due date stays on file."),
            forms.GrantForm, (("granted_date", "granted_date"), *_OPINION),
            tone="primary", fits=_is_endorsed,
            is_bulk=True, bulk_form=forms.NeededOpinionForm, each=_as_asked,
            bulk_label=_("Grant as asked for"),
        ),
        ReviewAct(
            "refuse", _("Refuse"), requests.refuse_extension, "extension",
            _("The extension was refused with your reason."),
            forms.ReasonForm, (("reason", "opinion"),),
        ),
    ),
    Queue.OBJECTIONS: (
        ReviewAct(
            "uphold", _("Uphold: give the work to another body"),
            assignments.uphold_objection, "objection",
            _("The work went to the other body."),
            forms.UpholdForm, (("organization", "organization"), *_OPINION),
        ),
        ReviewAct(
            "reject", _("Reject: the body keeps the work"),
            assignments.reject_objection, "objection",
            _("The objection was rejected; the body's time to sign starts anew."),
            forms.NeededOpinionForm, _OPINION, tone="primary",
        ),
    ),
    Queue.ESCALATIONS: (
        ReviewAct(
            "issue", _("Issue the step"), assignments.decide_escalation, "assignment",
            _("The step was issued."),
            forms.EscalationForm, (("level", "level"), *_OPINION), (("is_issued", True),),
            tone="primary", has_version=False,
        ),
        ReviewAct(
            "decline", _("Do not issue"), assignments.decide_escalation, "assignment",
            _("The step was not issued; your opinion is on file."),
            forms.EscalationForm, (("level", "level"), *_OPINION), (("is_issued", False),),
            has_version=False,
        ),
    ),
    Queue.CLOSE_OUTS: (
        ReviewAct(
            "complete", _("Close the item out"), items.complete_item, "item",
            _("The item is closed out."),
            forms.OpinionForm, _OPINION, tone="primary",
            intro=_("On time or late is decided by the lead's share and frozen now."),
        ),
    ),
}  # fmt: skip

# Keys of the acts that name none themselves: the yes, and the sending back.
KEYS = {
    "approve": "a",
    "agree": "a",
    "complete": "a",
    "endorse": "a",
    "grant": "a",
    "issue": "a",
    "reject": "a",
    "send-back": "b",
    "fail": "b",
    "refuse": "b",
    "decline": "b",
    "uphold": "b",
}

MODELS = {
    Queue.APPROVALS: SupervisionItem,
    Queue.REPORTS: ProgressReport,
    Queue.CLOSINGS: Assignment,
    Queue.CHECKS: Assignment,
    Queue.MILESTONES: Milestone,
    Queue.PLANS: Assignment,
    Queue.EXTENSIONS: ExtensionRequest,
    Queue.OBJECTIONS: Objection,
    Queue.ESCALATIONS: Assignment,
    Queue.CLOSE_OUTS: SupervisionItem,
}


def may_review(user) -> bool:
    """Who has this page: the office, and leaders for their own decisions."""
    return user.is_office or user.has_role(permissions.LEADER, permissions.PRINCIPAL)


@login_required
@require_safe
def reviews(request):
    """The queues; the oldest matter of the chosen one, or the one named, stands open."""
    if not may_review(request.user):
        raise PermissionDenied
    return _show(request)


@login_required
@require_safe
def review(request, queue: str, uid):
    """One matter on a page of its own. What is no longer waiting leads to what is."""
    if not may_review(request.user):
        raise PermissionDenied
    if queue not in QUEUES:
        raise Http404
    get_object_or_404(MODELS[queue].objects.visible_to(request.user), uid=uid)
    return _show(request, queue=queue, uid=uid, is_named=True)


def _show(
    request,
    *,
    queue: str = "",
    uid: UUID | None = None,
    bound: dict | None = None,
    bulk_form: forms.ActForm | None = None,
    ticked: Collection[UUID] = (),
    is_named: bool = False,
):
    user, today = request.user, local_today()
    # A matter on a page of its own needs its own queue only, and shows no counts of the others.
    waiting = waiting_for(user, today=today, only=queue)
    by_queue = count_by_queue(waiting)
    chosen = queue or request.GET.get("kind", "")
    if chosen not in QUEUES:
        # First what this person can decide, then what merely waits.
        mine = (name for name, rows in by_queue.items() if any(row.is_mine for row in rows))
        any_queue = (name for name, rows in by_queue.items() if rows)
        chosen = next(mine, None) or next(any_queue, Queue.REPORTS)
    rows = by_queue[chosen]
    if is_named and not any(row.uid == uid for row in rows):
        messages.info(request, _("That matter waits no more; the next one is open."))
        return redirect(f"{reverse('supervision:reviews')}?kind={chosen}")
    opened = _opened(rows, str(uid or request.GET.get("open", "")))
    following, former = _around(rows, opened)
    place = rows.index(opened) + 1 if opened else 0
    opened = complete(opened) if opened else None
    acts = _offers(opened, chosen, bound or {}) if opened and opened.is_mine else []
    bulk_acts = [act for act in ACTS[chosen] if act.is_bulk] if any(r.is_mine for r in rows) else []
    bulk_form = bulk_form or next(
        (act.bulk_form(act="together") for act in bulk_acts if act.bulk_form), None
    )
    context = {
        "tabs": [
            Link(
                label=str(QUEUES[name][0]),
                url=f"{reverse('supervision:reviews')}?kind={name}",
                count=len(found),
                is_current=name == chosen,
            )
            for name, found in by_queue.items()
            if not queue and (found or name == chosen or user.is_office)
        ],
        "queue": chosen,
        "queue_name": QUEUES[chosen][0],
        "rows": rows,
        "page_obj": page_of(request, rows, PAGE_SIZE),
        "query": f"kind={chosen}",
        "opened": opened,
        "detail": detail_of(opened, today=today) if opened else {},
        "acts": acts,
        "shortcuts": _shortcuts(acts, has_next=following is not None),
        "following": following,
        "former": former,
        "place": place,
        "bulk_acts": [
            (act.name, act.bulk_label or act.direct_label or act.label) for act in bulk_acts
        ],
        "bulk_form": bulk_form,
        "chosen_uids": ticked,
        "late_count": sum(row.is_late for row in rows),
        "template": f"desk/reviews/_{chosen.replace('-', '_')}.html",
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Reviews"), reverse("supervision:reviews") if queue else ""),
            *_crumb_of(queue),
        ],
    }
    return render(request, "desk/reviews.html", context)


def _opened(rows: list[Waiting], uid: str) -> Waiting | None:
    found = next((row for row in rows if str(row.uid) == uid), None)
    return found or next((row for row in rows if row.is_mine), None) or (rows[0] if rows else None)


def _crumb_of(queue: str) -> list[Link]:
    if not queue:
        return []
    return [Link(QUEUES[queue][0], f"{reverse('supervision:reviews')}?kind={queue}")]


def _around(rows: list[Waiting], opened: Waiting | None) -> tuple[Waiting | None, Waiting | None]:
    """What opens when this matter is decided, after the last one the first again; and the former.

    A proposed step of the ladder may stand twice for one share, hence the comparison by uid.
    """
    if opened is None:
        return None, None
    place = rows.index(opened)
    others = [row for row in rows[place + 1 :] + rows[:place] if row.uid != opened.uid]
    others = [row for row in others if row.is_mine] or others
    return (others[0], others[-1]) if others else (None, None)


def _shortcuts(acts: list[dict], *, has_next: bool) -> list[tuple[str, str]]:
    """The keys of this page and what they do."""
    found = [("A", str(one["act"].direct_label)) for one in acts if one["act"].is_direct]
    found += [(one["key"].upper(), str(one["act"].label)) for one in acts if one["key"]]
    if has_next:
        found += [("N", _("next")), ("P", _("former"))]
    return found


def _offers(opened: Waiting, queue: str, bound: dict) -> list[dict]:
    return [
        {
            "act": act,
            "form": bound.get(act.name) or _form(act, opened.row),
            "is_open": act.name in bound,
            "key": act.key or KEYS.get(act.name, ""),
            "url": reverse("supervision:review_act", args=[queue, opened.uid, act.name]),
        }
        for act in ACTS[queue]
        if act.fits(opened.row)
    ]


def _form(act: ReviewAct, row, data=None, *, renew: bool = False) -> forms.ActForm:
    initial = {}
    if act.form is forms.GrantForm:
        initial = {"granted_date": row.asked_date}
    if act.form is forms.UpholdForm:
        initial = {"organization": row.proposed_organization_id}
    if act.form is forms.EscalationForm and hasattr(row, "proposed"):
        initial = {"level": row.proposed.data.get("level")}
    return act.form(data, act=act.name, row=row, renew=renew, initial=initial)


@login_required
@require_POST
def review_act(request, queue: str, uid, act: str):
    """One decision; then the next matter of the queue opens. A refusal keeps what was typed."""
    if not may_review(request.user):
        raise PermissionDenied
    chosen = next((one for one in ACTS.get(queue, ()) if one.name == act), None)
    if chosen is None:
        raise Http404
    row = get_object_or_404(MODELS[queue].objects.visible_to(request.user), uid=uid)
    form = _form(chosen, row, request.POST)
    if not form.is_valid():
        return _show(request, queue=queue, uid=uid, bound={act: form})
    values = {keyword: form.cleaned_data[name] for name, keyword in chosen.fields}
    values |= dict(chosen.fixed)
    if chosen.has_version:
        values["version"] = posted_version(request)
    service = partial(
        chosen.service, **{chosen.argument: row}, by=request.user, at=timezone.now(), **values
    )
    perform(request, service, done=str(chosen.done))
    if not request.act_done:
        fresh = MODELS[queue].objects.get(pk=row.pk)
        kept = _form(chosen, fresh, request.POST, renew=True)
        return _show(request, queue=queue, uid=uid, bound={act: kept})
    with suppress(ValueError):
        following = UUID(request.POST.get("following", ""))
        return redirect("supervision:review", queue=queue, uid=following)
    return redirect(f"{reverse('supervision:reviews')}?kind={queue}")


@login_required
@require_POST
def reviews_bulk(request, queue: str):
    """Decide the chosen matters of one queue: the single act for each, every refusal named.

    What several share, an opinion, is written once and stands in the history of each.
    """
    if not may_review(request.user):
        raise PermissionDenied
    offered = [act for act in ACTS.get(queue, ()) if act.is_bulk]
    wanted = request.POST.get("act", "")
    chosen = next((act for act in offered if wanted in ("", act.name)), None)
    if chosen is None:
        raise Http404
    uids = uids_of(request.POST.getlist("chosen"))
    shared = {}
    if chosen.bulk_form is not None:
        form = chosen.bulk_form(request.POST, act="together")
        if not form.is_valid():
            return _show(request, queue=queue, bulk_form=form, ticked=uids)
        shared = {keyword: form.cleaned_data.get(name) for name, keyword in chosen.fields}
    rows = MODELS[queue].objects.visible_to(request.user).filter(uid__in=uids).order_by("pk")
    at = timezone.now()

    def act(row) -> None:
        values = shared | chosen.each(row)
        chosen.service(**{chosen.argument: row}, by=request.user, at=at, **values)

    label = str(chosen.bulk_label or chosen.direct_label or chosen.label)
    perform_each(request, rows, act, label=label)
    return redirect(f"{reverse('supervision:reviews')}?kind={queue}")
