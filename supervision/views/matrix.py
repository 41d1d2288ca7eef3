"""Items against bodies, one light in each cell."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision import permissions
from supervision.desk import SHOWN_AS, lit_items, short_word
from supervision.models import Assignment, Outcome, PolicyDocument, SavedView, SupervisionItem
from supervision.rules.lights import Light
from supervision.views.base import local_today
from supervision.views.navigation import Link, chips
from supervision.views.saved_views import views_of


@login_required
@require_safe
def matrix(request):
    """Every item that was dispatched × every body with a share, and the totals of each body."""
    user = request.user
    if not (permissions.sees_all_items(user) or permissions.leads_items(user)):
        raise PermissionDenied
    documents = list(PolicyDocument.objects.visible_to(user).order_by("-issued_date", "pk"))
    rows = (
        SupervisionItem.objects.visible_to(user)
        .exclude(dispatched_at=None)
        .exclude(status=SupervisionItem.Status.CANCELLED)
        .select_related("document")
        .order_by("document__issued_date", "document", "position", "pk")
    )
    chosen = request.GET.get("document", "")
    document = next((one for one in documents if str(one.uid) == chosen), None)
    if document is not None:
        rows = rows.filter(document=document)
    items = lit_items(rows, user=user, today=local_today())
    bodies, totals = _columns(items)
    for item in items:
        cells = {
            share.organization_id: share
            for share in item.shares
            if share.status != Assignment.Status.CANCELLED
        }
        item.cells = [cells.get(body.pk) for body in bodies]
        for share in cells.values():
            share.drawn_as = SHOWN_AS.get(share.lamp.code, share.lamp.code)
            share.short_word = short_word(share.lamp)
    context = {
        "items": items,
        "bodies": bodies,
        "totals": totals,
        "share_count": sum(total["total"] for total in totals),
        "as_of": timezone.now(),
        "document": document,
        "chips": chips(
            request,
            "document",
            [("", _("All documents"), None)] + [(str(d.uid), str(d), None) for d in documents],
        ),
        "saved_views": views_of(request, SavedView.Page.MATRIX),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Matrix"))],
    }
    return render(request, "desk/matrix.html", context)


def _columns(items) -> tuple[list, list[dict]]:
    """The bodies in the official order, and for each its shares: done, red, all."""
    bodies: dict[int, tuple] = {}
    for item in items:
        for share in item.shares:
            if share.outcome == Outcome.CANCELLED:
                continue
            body = share.organization
            _body, total = bodies.setdefault(body.pk, (body, {"total": 0, "done": 0, "red": 0}))
            total["total"] += 1
            total["done"] += share.lamp.code in (Light.DONE, Light.DONE_LATE)
            total["red"] += share.lamp.code == Light.RED
    ordered = sorted(bodies.values(), key=lambda pair: (pair[0].kind_position, pair[0].position))
    return [body for body, _total in ordered], [total for _body, total in ordered]
