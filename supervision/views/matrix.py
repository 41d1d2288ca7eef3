"""Items against bodies, one light in each cell."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision import permissions
from supervision.desk import SHOWN_AS, lit_items, short_word
from supervision.models import Assignment, Clause, Outcome, SavedView, SupervisionItem
from supervision.rules.lights import Light
from supervision.views.base import local_today
from supervision.views.items import filtered, selects_of
from supervision.views.navigation import Link, chips
from supervision.views.saved_views import views_of


@login_required
@require_safe
def matrix(request):
    """Every item that was dispatched × every body with a share, and the totals of each body."""
    user = request.user
    if not (permissions.sees_all_items(user) or permissions.leads_items(user)):
        raise PermissionDenied
    rows = (
        filtered(request, SupervisionItem.objects.visible_to(user))
        .exclude(dispatched_at=None)
        .exclude(status=SupervisionItem.Status.CANCELLED)
        .select_related("document")
        .order_by("document__issued_date", "document", "position", "pk")
    )
    items = lit_items(rows, user=user, today=local_today())
    bodies, totals = _columns(items)
    for item in items:
        cells = {
            share.organization_id: share
            for share in item.shares
            if share.status != Assignment.Status.CANCELLED
        }
        item.cells = [cells.get(body.pk) for body in bodies]
        item.total = len(cells)
        item.done = sum(_is_done(share) for share in cells.values())
        item.red = sum(share.lamp.code == Light.RED for share in cells.values())
        for share in cells.values():
            share.drawn_as = SHOWN_AS.get(share.lamp.code, share.lamp.code)
            share.short_word = short_word(share.lamp)
    selects = selects_of(request)
    context = {
        "items": items,
        "bodies": bodies,
        "totals": totals,
        "share_count": sum(total["total"] for total in totals),
        "as_of": timezone.now(),
        "all": {name: sum(total[name] for total in totals) for name in ("total", "done", "red")},
        "filter_text": "、".join(
            label
            for select in selects
            for _value, label, is_chosen in select["options"]
            if is_chosen
        ),
        "selects": selects,
        "kind_chips": chips(
            request,
            "kind",
            [("", _("All"), None), *[(v, str(n), None) for v, n in Clause.Kind.choices]],
        ),
        "q": request.GET.get("q", "").strip(),
        "kept": [("kind", request.GET["kind"])] if request.GET.get("kind") else [],
        "clear_url": "?" if request.GET else "",
        "saved_views": views_of(request, SavedView.Page.MATRIX),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Matrix"))],
    }
    return render(request, "desk/matrix.html", context)


def _is_done(share: Assignment) -> bool:
    return share.lamp.code in (Light.DONE, Light.DONE_LATE)


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
            total["done"] += _is_done(share)
            total["red"] += share.lamp.code == Light.RED
    ordered = sorted(bodies.values(), key=lambda pair: (pair[0].kind_position, pair[0].position))
    return [body for body, _total in ordered], [total for _body, total in ordered]
