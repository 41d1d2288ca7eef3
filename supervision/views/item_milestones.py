"""Milestones of all bodies of an item, moved together: the single act for each, one reason."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from supervision import permissions
from supervision.forms.office import MoveMilestonesForm
from supervision.models import Milestone, SupervisionItem
from supervision.services.milestones import move_milestone
from supervision.views.base import perform_each, uids_of
from supervision.views.navigation import Link

MOVABLE = (Milestone.Status.PLANNED, Milestone.Status.IN_PROGRESS)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def item_milestones(request, uid):
    """The agreed and unfinished milestones of an item; the chosen ones move by some days."""
    item = get_object_or_404(SupervisionItem.objects.visible_to(request.user), uid=uid)
    if not permissions.moves_milestones(request.user):
        raise PermissionDenied(_("Your duties do not include this act."))
    rows = (
        Milestone.objects.visible_to(request.user)
        .filter(assignment__item=item, status__in=MOVABLE)
        .select_related("assignment__organization")
        .order_by(
            "assignment__organization__kind_position",
            "assignment__organization__position",
            "planned_date",
            "pk",
        )
    )
    if request.method != "POST":
        return _page(request, item, rows, MoveMilestonesForm(act="move"))
    form = MoveMilestonesForm(request.POST, act="move")
    uids = uids_of(request.POST.getlist("chosen"))
    if not form.is_valid():
        return _page(request, item, rows, form, uids)
    days, at = timedelta(days=form.cleaned_data["days"]), timezone.now()
    done = perform_each(
        request,
        rows.filter(uid__in=uids),
        lambda row: move_milestone(
            milestone=row,
            by=request.user,
            at=at,
            new_date=row.planned_date + days,
            reason=form.cleaned_data["reason"],
        ),
        label=_("moved, the original date stays on file"),
    )
    if not done:
        return _page(request, item, rows, form, uids)
    return redirect("supervision:item", uid=item.uid)


def _page(request, item: SupervisionItem, rows, form: MoveMilestonesForm, ticked=()):
    context = {
        "item": item,
        "rows": rows,
        "form": form,
        "chosen_uids": ticked,
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Items"), "/desk/items/"),
            Link(item.title, reverse("supervision:item", args=[item.uid])),
            Link(_("Move milestones")),
        ],
    }
    return render(request, "desk/item_milestones.html", context)
