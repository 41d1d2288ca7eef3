"""Public editions: compose, reword, three reviews on the page itself, publish, withdraw."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_fsm import can_proceed, has_transition_perm

from supervision import permissions
from supervision.forms.office import ActForm, OpennessReviewForm, PlainForm, ReasonForm
from supervision.forms.releases import EditForm, ProposeForm, ReviewForm, SlipForm
from supervision.models import PublicItem, Release, ReleaseStep, SupervisionItem, Target
from supervision.public_site import public_site
from supervision.rules.edition_diff import ItemChange, edition_changes
from supervision.rules.public_status import PublicStatus
from supervision.rules.secrecy_slip import QUESTIONS
from supervision.services import releases as services
from supervision.services.followers import mail_record
from supervision.services.openness import due_reviews, review_openness
from supervision.views.base import perform, perform_each, posted_version
from supervision.views.navigation import Link, page_of

PAGE_SIZE = 50
# Word for word what the public site prints.
STATUS_WORDS = {
    PublicStatus.NOT_STARTED.value: pgettext_lazy("public", "Not started"),
    PublicStatus.ON_TRACK.value: pgettext_lazy("public", "On track"),
    PublicStatus.BEHIND.value: pgettext_lazy("public", "Behind"),
    PublicStatus.OVERDUE.value: pgettext_lazy("public", "Overdue"),
    PublicStatus.DONE.value: pgettext_lazy("public", "Done"),
    PublicStatus.DONE_LATE.value: pgettext_lazy("public", "Done late"),
    PublicStatus.NO_RECENT_REPORT.value: pgettext_lazy("public", "No recent report"),
    "suspended": pgettext_lazy("public", "Suspended"),
}


def status_word(value: str) -> str:
    """The public word of a released status."""
    return str(STATUS_WORDS.get(value, value))


@dataclass(frozen=True)
class ReleaseAct:
    name: str
    label: Any
    service: Callable
    transition: str
    done: Any
    form: type[ActForm] = PlainForm
    tone: str = ""
    intro: Any = ""
    confirm: Any = ""


ACTS = {
    act.name: act
    for act in (
        ReleaseAct(
            "submit",
            _("Hand in for review"),
            services.submit_release,
            "submit",
            _("The edition waits for the first reviewer."),
            tone="primary",
            intro=_("Three other people read it one after the other; any change begins anew."),
        ),
        ReleaseAct(
            "refresh",
            _("Compose afresh"),
            services.revise_release,
            "revise",
            _("The edition was composed afresh; hand it in for review."),
            intro=_("Takes the facts as they stand now. Reviews already made no longer count."),
        ),
        ReleaseAct(
            "approve-first",
            _("I have read it all: pass the first review"),
            services.approve_release,
            "approve_first",
            _("The first review is passed; the second reviewer comes next."),
            form=ReviewForm,
            tone="primary",
            intro=_("Wording, names, places and sensitive words are in order."),
        ),
        ReleaseAct(
            "approve-second",
            _("I have read it all: pass the second review"),
            services.approve_release,
            "approve_second",
            _("The second review is passed; the third, with the secrecy slip, comes next."),
            form=ReviewForm,
            tone="primary",
            intro=_("Form, accuracy and completeness are in order."),
        ),
        ReleaseAct(
            "approve-third",
            _("Fill in the secrecy slip and pass the third review"),
            services.approve_release,
            "approve_third",
            _("All three reviews are passed. It becomes public when it is published."),
            form=SlipForm,
            tone="primary",
            intro=_("What you see on this page is, word for word, what becomes public."),
        ),
        ReleaseAct(
            "publish",
            _("Publish"),
            services.publish_release,
            "release",
            _("The edition is public."),
            tone="primary",
            intro=_("It takes the place of the edition that is public now."),
            confirm=_("Publish this edition now?"),
        ),
        ReleaseAct(
            "send-back",
            _("Send back"),
            services.send_back_release,
            "send_back",
            _("The edition was sent back with your reason; all reviews begin anew."),
            form=ReasonForm,
        ),
        ReleaseAct(
            "withdraw",
            _("Withdraw from the public"),
            services.withdraw_release,
            "withdraw",
            _("The edition is no longer public."),
            form=ReasonForm,
            tone="danger",
            intro=_("All its pages disappear from the public site at once."),
            confirm=_("Withdraw the whole edition from the public at once?"),
        ),
    )
}
FIELD_NAMES = {
    "title": _("Title"),
    "lead": _("Lead body"),
    "supports": _("Supporting bodies"),
    "status": _("State"),
    "original_due_date": _("Original due date"),
    "due_date": _("Due date"),
    "completed_date": _("Completed on"),
    "percent": _("Progress in percent"),
    "progress_text": _("Progress"),
    "summary": _("Summary"),
    "quoted_text": _("The clause's own words"),
    "milestones": _("Milestones"),
    "counties": _("Counties"),
    "targets": _("Numeric goals"),
    "hidden": _("Hidden, because"),
}


def _require(user) -> None:
    if not permissions.sees_releases(user):
        raise PermissionDenied


@login_required
@require_safe
def releases(request):
    """The editions, latest first, and the form that proposes one."""
    _require(request.user)
    return _list(request)


def _list(request, form=None, bound=None):
    rows = Release.objects.visible_to(request.user).select_related("document", "author")
    rows = rows.defer("content", "edits").order_by("-created_at", "-pk")
    may_propose = request.user.has_role(permissions.PUBLISHER)
    context = {
        "page_obj": page_of(request, rows, PAGE_SIZE),
        "form": (form or ProposeForm(act="propose")) if may_propose else None,
        "months": _months(request.user),
        "pages_to_review": public_site().pages_to_review(request.user),
        "reviews": _openness_reviews(request.user, bound or {}),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Public editions"))],
    }
    return render(request, "desk/releases.html", context)


def _openness_reviews(user, bound) -> list[dict]:
    """What is not public and due to be looked at again, with a form for those who decide it.

    For the office only: who publishes or reviews knows nothing of what is not public.
    """
    if not permissions.sees_all_items(user):
        return []
    return [
        {
            "due": due,
            "form": bound.get(due.item.uid)
            or OpennessReviewForm(act=f"openness-{due.item.pk}", row=due.item)
            if permissions.can_edit_item(due.item, user)
            else None,
        }
        for due in due_reviews(timezone.localdate())
    ]


@login_required
@require_POST
def openness_review(request, uid):
    """Look again at an item that is not public: it stays so, or is proposed for release."""
    _require(request.user)
    item = get_object_or_404(SupervisionItem.objects.visible_to(request.user), uid=uid)
    if not permissions.can_edit_item(item, request.user):
        raise PermissionDenied
    name = f"openness-{item.pk}"
    form = OpennessReviewForm(request.POST, act=name, row=item)
    if form.is_valid():
        perform(
            request,
            lambda: review_openness(
                item=item,
                by=request.user,
                at=timezone.now(),
                is_to_be_public=form.cleaned_data["outcome"] == "public",
                reason=form.cleaned_data["reason"],
                version=form.cleaned_data["version"],
            ),
            done=_("Noted. What is proposed enters the next edition, after its reviews."),
        )
        if request.act_done:
            return redirect("supervision:releases")
        item.refresh_from_db()
        form = OpennessReviewForm(request.POST, act=name, row=item, renew=True)
    return _list(request, bound={item.uid: form})


@login_required
@require_POST
def release_propose(request):
    """Compose an edition of a document from what is released to be public."""
    _require(request.user)
    if not request.user.has_role(permissions.PUBLISHER):
        raise PermissionDenied
    form = ProposeForm(request.POST, act="propose")
    if not form.is_valid():
        return _list(request, form)
    embargo_date = form.cleaned_data["embargo_date"]

    def propose(document):
        return services.propose_release(
            document=document, by=request.user, at=timezone.now(), embargo_date=embargo_date
        )

    document = form.cleaned_data["document"]
    if document is None:
        perform_each(
            request,
            services.documents_to_release(),
            propose,
            label=_("The edition was composed. Read it, then hand it in for review."),
        )
        label = f"{timezone.localdate():%Y-%m}"
        if _month_rows(request.user, label):
            return redirect("supervision:release_month", label=label)
        return redirect("supervision:releases")
    found = perform(
        request,
        lambda: propose(document),
        done=_("The edition was composed. Read it, then hand it in for review."),
    )
    if found is not None:
        return redirect("supervision:release", uid=found.uid)
    return _list(request, form)


def _load(request, uid) -> Release:
    _require(request.user)
    rows = Release.objects.visible_to(request.user)
    rows = rows.select_related("document", "author").prefetch_related(STEPS)
    return get_object_or_404(rows, uid=uid)


@login_required
@require_safe
def release(request, uid):
    return _show(request, _load(request, uid))


def _show(request, row: Release, *, bound=None):
    user = request.user
    bound = bound or {}
    public_items = []
    if row.status == Release.Status.RELEASED and permissions.can_withdraw_release(row, user):
        public_items = [
            {"public": one, "form": bound.get(one.slug) or ReasonForm(act=one.slug)}
            for one in PublicItem.objects.public().filter(release=row).select_related("item")
        ]
    context = _edition(row, user) | {
        "mails": mail_record(row) if row.released_at else None,
        "offers": [
            {
                "act": act,
                "form": bound.get(act.name) or act.form(act=act.name, row=row),
                "is_open": act.name in bound,
            }
            for act in ACTS.values()
            if _may(getattr(row, act.transition), user)
        ],
        "may_edit": _may(row.revise, user),
        "public_items": public_items,
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Public editions"), "/desk/releases/"),
            Link(str(row)),
        ],
    }
    return render(request, "desk/release.html", context)


def _edition(row: Release, user) -> dict:
    """Everything there is to read of an edition: who read it, what differs, every word of it."""
    words = dict(Target.Comparison.choices)
    content = row.content or {}
    for entry in content.get("items", []):
        entry["status_word"] = status_word(entry["status"])
        for county in entry["counties"]:
            county["status_word"] = status_word(county["status"])
        for target in entry["targets"]:
            target["comparison_word"] = words.get(target["comparison"], "")
    for target in content.get("targets", []):
        target["comparison_word"] = words.get(target["comparison"], "")
    statuses = [value.value for value in PublicStatus] + ["suspended"]
    bodies = [
        {"name": body["name"], "total": body["total"], "counts": [body[s] for s in statuses]}
        for body in content.get("bodies", [])
    ]
    return {
        "release": row,
        "anchor": f"{row.pk}-",
        "content": content,
        "bodies": bodies,
        "status_words": [status_word(value) for value in statuses],
        "is_in_review": bool(row.stage),
        "has_signed": user.has_role(permissions.REVIEWER)
        and permissions.is_person(user, *row.signed_by()),
        "steps": _steps(row),
        "obstacles": services.obstacles_to_release(content)
        if row.status in Release.ON_ITS_WAY
        else [],
        "changes": _changes(row),
        "has_earlier": _public_edition(row) is not None,
        "preview_url": public_site().preview_url(row, user),
    }


STEPS = Prefetch("steps", ReleaseStep.objects.select_related("person", "principal"))
# What can be done to a month's editions together; anything else belongs to a single one.
MONTH_ACTS = ("submit", "approve-first", "approve-second", "approve-third", "publish")


def _month_rows(user, label: str) -> list[Release]:
    rows = Release.objects.visible_to(user).filter(label=label, status__in=Release.ON_ITS_WAY)
    rows = rows.select_related("document", "author").prefetch_related(STEPS)
    found = list(rows.order_by("document__issued_date", "pk"))
    public = Release.objects.current().filter(document__in=[row.document_id for row in found])
    earlier = {one.document_id: one for one in public}
    for row in found:
        row._earlier = earlier.get(row.document_id)
    return found


def _months(user) -> list[str]:
    """The months with editions of several documents on their way."""
    rows = Release.objects.visible_to(user).filter(status__in=Release.ON_ITS_WAY)
    counts = rows.order_by("-label").values("label").annotate(number=Count("pk"))
    return [row["label"] for row in counts if row["number"] > 1]


@login_required
@require_safe
def release_month(request, label: str):
    """All editions of a month that are on their way, on one page, with the next step for all."""
    _require(request.user)
    return _show_month(request, label)


def _show_month(request, label: str, *, bound=None):
    rows = _month_rows(request.user, label)
    if not rows:
        raise Http404
    bound = bound or {}
    offers = []
    for name in MONTH_ACTS:
        act = ACTS[name]
        mine = [row for row in rows if _may(getattr(row, act.transition), request.user)]
        if mine:
            form = bound.get(name) or act.form(act=name)
            offers.append({"act": act, "form": form, "rows": mine, "is_open": name in bound})
    context = {
        "label": label,
        "editions": [_edition(row, request.user) for row in rows],
        "offers": offers,
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Public editions"), "/desk/releases/"),
            Link(label),
        ],
    }
    return render(request, "desk/release_month.html", context)


@login_required
@require_POST
def release_month_act(request, label: str, act: str):
    """The same step for every edition of the month that was on the page, each by itself.

    An edition that changed since it was shown is left out with a message; each keeps its own
    steps, fingerprint and history.
    """
    _require(request.user)
    rows = _month_rows(request.user, label)
    if act not in MONTH_ACTS or not rows:
        raise Http404
    chosen = ACTS[act]
    form = chosen.form(request.POST, act=act)
    if not form.is_valid():
        return _show_month(request, label, bound={act: form})
    seen = dict(pair.rpartition(":")[::2] for pair in request.POST.getlist("seen"))
    values = form.service_values() if hasattr(form, "service_values") else {}
    perform_each(
        request,
        [row for row in rows if seen.get(str(row.uid), "").isdigit()],
        lambda row: chosen.service(
            release=row,
            by=request.user,
            at=timezone.now(),
            version=int(seen[str(row.uid)]),
            **values,
        ),
        label=chosen.label,
    )
    if _month_rows(request.user, label):
        return redirect("supervision:release_month", label=label)
    return redirect("supervision:releases")


def _steps(row: Release) -> list[dict]:
    """The four signatures of this round, those still missing included."""
    signed = {step.stage: step for step in row.steps.all() if step.round == row.round}
    return [
        {
            "name": label,
            "step": signed.get(value),
            "is_next": value == row.stage and value > 0,
            "answers": _answers(signed[value].slip) if value in signed else [],
        }
        for value, label in ReleaseStep.Stage.choices
    ]


def _answers(slip: dict) -> list[tuple]:
    words = {"yes": _("Yes"), "no": _("No")}
    return [
        (QUESTIONS[code], words.get(answer, answer))
        for code, answer in slip.get("answers", {}).items()
        if code in QUESTIONS
    ]


def _public_edition(row: Release) -> Release | None:
    """The edition this one takes the place of, or took when it became public."""
    if not hasattr(row, "_earlier"):
        others = Release.objects.filter(document=row.document_id).exclude(pk=row.pk)
        if row.released_at is None:
            found = others.current()
        else:
            found = others.filter(released_at__lt=row.released_at).order_by("-released_at")
        row._earlier = found.first()
    return row._earlier


def _changes(row: Release) -> list[ItemChange]:
    earlier = _public_edition(row)
    changes = edition_changes(earlier and earlier.content, row.content)
    for change in changes:
        change.rows = [
            {
                "name": FIELD_NAMES[one.field],
                "old": _worded(one.field, one.old),
                "new": _worded(one.field, one.new),
            }
            for one in change.fields
        ]
    return changes


def _worded(field: str, value: str) -> str:
    if field == "status":
        return status_word(value)
    if field == "counties":
        parts = (part.rpartition(" ") for part in value.split("；") if part)
        return "；".join(f"{name} {status_word(code)}" for name, _space, code in parts)
    return value


def _may(transition, user) -> bool:
    return can_proceed(transition) and has_transition_perm(transition, user)


@login_required
@require_POST
def release_act(request, uid, act: str):
    """One step of an edition; `withdraw-item` takes a single item from the public."""
    row = _load(request, uid)
    if act == "withdraw-item":
        return _withdraw_item(request, row)
    chosen = ACTS.get(act)
    if chosen is None:
        raise Http404
    form = chosen.form(request.POST, act=act, row=row)
    if not form.is_valid():
        return _show(request, row, bound={act: form})
    values = form.service_values() if hasattr(form, "service_values") else {}
    if chosen.form is ReasonForm:
        values = {"reason": form.cleaned_data["reason"]}
    perform(
        request,
        lambda: chosen.service(
            release=row,
            by=request.user,
            at=timezone.now(),
            version=posted_version(request),
            **values,
        ),
        done=chosen.done,
    )
    if request.act_done:
        return redirect("supervision:release", uid=row.uid)
    fresh = _load(request, uid)
    return _show(
        request, fresh, bound={act: chosen.form(request.POST, act=act, row=fresh, renew=True)}
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release_edit(request, uid):
    """The author's own words for the public, all items on one page, one submit."""
    row = _load(request, uid)
    if not _may(row.revise, request.user):
        raise PermissionDenied
    form = EditForm(request.POST if request.method == "POST" else None, release=row)
    if request.method == "POST" and form.is_valid():
        perform(
            request,
            lambda: services.revise_release(
                release=row,
                by=request.user,
                at=timezone.now(),
                edits=form.edits(),
                embargo_date=form.cleaned_data["embargo_date"],
                version=form.cleaned_data["version"],
            ),
            done=_("Saved. Read the edition, then hand it in for review."),
        )
        if request.act_done:
            return redirect("supervision:release", uid=row.uid)
    context = {
        "release": row,
        "form": form,
        "rows": list(form.rows()),
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Public editions"), "/desk/releases/"),
            Link(str(row), f"/desk/releases/{row.uid}/"),
            Link(_("Words for the public")),
        ],
    }
    return render(request, "desk/release_edit.html", context)


def _withdraw_item(request, row: Release):
    public = get_object_or_404(row.public_items, slug=request.POST.get("slug", ""))
    form = ReasonForm(request.POST, act=public.slug)
    if not form.is_valid():
        return _show(request, row, bound={public.slug: form})
    perform(
        request,
        lambda: services.withdraw_item(
            public_item=public,
            by=request.user,
            at=timezone.now(),
            reason=form.cleaned_data["reason"],
        ),
        done=_("The item is no longer public."),
    )
    return redirect("supervision:release", uid=row.uid)
