"""Public editions: propose, read as the public will, approve, publish, withdraw."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from django_fsm import can_proceed, has_transition_perm

from supervision import permissions
from supervision.forms.office import ActForm, PlainForm, ProposeForm, ReasonForm
from supervision.models import PublicItem, Release, Target
from supervision.rules.public_status import PublicStatus
from supervision.services import releases as services
from supervision.views.base import perform, posted_version
from supervision.views.navigation import Link, page_of

PAGE_SIZE = 50
STATUS_WORDS = {
    PublicStatus.NOT_STARTED.value: _("Not started"),
    PublicStatus.ON_TRACK.value: _("On track (public)"),
    PublicStatus.BEHIND.value: _("Behind schedule"),
    PublicStatus.OVERDUE.value: _("Overdue (public)"),
    PublicStatus.DONE.value: _("Done (public)"),
    PublicStatus.DONE_LATE.value: _("Done late"),
    PublicStatus.NO_RECENT_REPORT.value: _("No recent report"),
    "suspended": _("Suspended"),
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
            "resubmit",
            _("Compose afresh and submit again"),
            services.resubmit_release,
            "submit",
            _("The edition was composed afresh and submitted."),
            tone="primary",
        ),
        ReleaseAct(
            "approve",
            _("I have read it all: approve"),
            services.approve_release,
            "approve",
            _("The edition is approved. It becomes public when it is published."),
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
            _("The edition was sent back with your reason."),
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


def _require(user) -> None:
    if not permissions.sees_releases(user):
        raise PermissionDenied


@login_required
@require_safe
def releases(request):
    """The editions, latest first, and the form that proposes one."""
    _require(request.user)
    return _list(request)


def _list(request, form=None):
    rows = Release.objects.visible_to(request.user).select_related("document", "author", "reviewer")
    rows = rows.defer("content").order_by("-created_at", "-pk")
    may_propose = request.user.has_role(permissions.PUBLISHER)
    context = {
        "page_obj": page_of(request, rows, PAGE_SIZE),
        "form": (form or ProposeForm(act="propose")) if may_propose else None,
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Public editions"))],
    }
    return render(request, "desk/releases.html", context)


@login_required
@require_POST
def release_propose(request):
    """Compose an edition of a document from what is released to be public."""
    _require(request.user)
    if not request.user.has_role(permissions.PUBLISHER):
        raise PermissionDenied
    form = ProposeForm(request.POST, act="propose")
    if form.is_valid():
        found = perform(
            request,
            lambda: services.propose_release(
                document=form.cleaned_data["document"], by=request.user, at=timezone.now()
            ),
            done=_("The edition was composed and waits for a reviewer."),
        )
        if found is not None:
            return redirect("supervision:release", uid=found.uid)
    return _list(request, form)


def _load(request, uid) -> Release:
    _require(request.user)
    rows = Release.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("document", "author", "reviewer"), uid=uid)


@login_required
@require_safe
def release(request, uid):
    return _show(request, _load(request, uid))


def _show(request, row: Release, *, bound=None):
    user = request.user
    bound = bound or {}
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
    public_items = []
    if row.status == Release.Status.RELEASED and permissions.can_withdraw_release(row, user):
        public_items = [
            {"public": one, "form": bound.get(one.slug) or ReasonForm(act=one.slug)}
            for one in PublicItem.objects.public().filter(release=row).select_related("item")
        ]
    context = {
        "release": row,
        "content": content,
        "bodies": bodies,
        "status_words": [status_word(value) for value in statuses],
        "offers": [
            {
                "act": act,
                "form": bound.get(act.name) or act.form(act=act.name, row=row),
                "is_open": act.name in bound,
            }
            for act in ACTS.values()
            if _may(getattr(row, act.transition), user)
        ],
        "is_own": permissions.is_person(user, row.author_id, row.author_deputy_id)
        and user.has_role(permissions.REVIEWER),
        "public_items": public_items,
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Public editions"), "/desk/releases/"),
            Link(str(row)),
        ],
    }
    return render(request, "desk/release.html", context)


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
    values = {"reason": form.cleaned_data["reason"]} if chosen.form is ReasonForm else {}
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
