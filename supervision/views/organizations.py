"""The bodies, and what becomes of their work when they are merged, split or renamed."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from supervision import permissions
from supervision.forms.organizations import SuccessionForm
from supervision.models import Organization, Succession
from supervision.services import organizations as services
from supervision.views.base import local_today, perform
from supervision.views.navigation import Link

SHARE, PERSON = "share-", "person-"


def _crumbs(*links: Link) -> list[Link]:
    return [
        Link(_("Home"), "/desk/"),
        Link(_("Rules and settings"), reverse("supervision:settings")),
        *links,
    ]


@login_required
@require_safe
def organizations(request):
    """Every body with its days and names; the changes on record."""
    if not permissions.sees_rules(request.user):
        raise PermissionDenied
    bodies = Organization.objects.in_official_order().prefetch_related(
        "successor_links__new", "predecessor_links__old", "aliases"
    )
    bodies = list(bodies)
    for body in bodies:
        names = (alias.name for alias in body.aliases.all())
        body.other_names = [n for n in names if n not in (body.short_name, body.full_name)]
    changes = Succession.objects.select_related("decided_by").prefetch_related(
        "links__old", "links__new", "changes"
    )
    context = {
        "bodies": bodies,
        "changes": [_told(change) for change in changes],
        "can_change": permissions.can_change_bodies(request.user),
        "crumbs": _crumbs(Link(_("Bodies"))),
    }
    return render(request, "desk/settings/organizations.html", context)


def _told(change: Succession) -> dict:
    links = list(change.links.all())
    return {
        "change": change,
        "old": list(dict.fromkeys(str(link.old) for link in links)),
        "new": list(dict.fromkeys(str(link.new) for link in links)),
        "shares": len(change.changes.all()),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organizations_change(request):
    """Name the bodies, look at what would move, confirm."""
    user, today = request.user, local_today()
    if not permissions.can_change_bodies(user):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, SuccessionForm(initial={"from_date": today}))
    form = SuccessionForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    values = form.cleaned_data
    choices, people = _chosen(request, SHARE), _chosen(request, PERSON)
    wanted = {name: values[name] for name in ("successors", "from_date")}
    wanted |= {"old": list(values["old"]), "today": today, "choices": choices}
    plan = services.plan_succession(**wanted)
    if request.POST.get("act") == "apply" and request.POST.get("stamp") != plan.stamp:
        if plan.is_split and not plan.undecided and not plan.problems:
            text = _("Here is what moves where. Look at it, then confirm.")
        else:
            text = _("Look at what would move first; it was counted again for you.")
        messages.info(request, text)
    elif request.POST.get("act") == "apply":
        done = perform(
            request,
            lambda: services.change_bodies(
                **wanted,
                basis=values["basis"],
                person_choices=people,
                by=user,
                at=timezone.now(),
                stamp=plan.stamp,
            ),
            done=_("The bodies were changed; the open work has moved."),
        )
        if done is not None:
            return redirect("supervision:organizations")
    return _page(request, form, plan, people)


def _chosen(request, prefix: str) -> dict[int, int]:
    """What was chosen row by row: key of the row → index of the successor."""
    return {
        int(name.removeprefix(prefix)): int(value)
        for name, value in request.POST.items()
        if name.startswith(prefix)
        and name.removeprefix(prefix).isdecimal()
        and value.isdecimal()
        and len(value) < 3
    }


def _page(request, form, plan=None, people=None):
    context = {
        "form": form,
        "plan": plan,
        "people": [(row, (people or {}).get(row.pk, 0)) for row in plan.people] if plan else [],
        "crumbs": _crumbs(
            Link(_("Bodies"), reverse("supervision:organizations")), Link(_("Change the bodies"))
        ),
    }
    return render(request, "desk/settings/organizations_change.html", context)
