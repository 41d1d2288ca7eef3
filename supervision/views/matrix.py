"""Items against bodies, one light in each cell."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision import permissions
from supervision.desk import SHOWN_AS, short_word
from supervision.models import Assignment, Clause, SavedView, SupervisionItem
from supervision.standing import BodyTotal, totals_by_body
from supervision.views.base import local_today
from supervision.views.items import filtered, selects_of
from supervision.views.navigation import Link, chips, page_of, query_without
from supervision.views.saved_views import views_of

PAGE_SIZE = 30


@login_required
@require_safe
def matrix(request):
    """The items that were dispatched × every body with a share, and the totals of each body.

    A page of rows under the totals of all of them; `print=all` shows every row, for the printer.
    """
    user = request.user
    if not (permissions.sees_all_items(user) or permissions.leads_items(user)):
        raise PermissionDenied
    today = local_today()
    rows = (
        filtered(request, SupervisionItem.objects.visible_to(user))
        .exclude(dispatched_at=None)
        .exclude(status=SupervisionItem.Status.CANCELLED)
        .order_by("document__issued_date", "document", "position", "pk")
    )
    is_whole = request.GET.get("print") == "all"
    page = page_of(request, rows, max(rows.count(), 1) if is_whole else PAGE_SIZE)
    items = list(page.object_list.select_related("document"))
    columns = totals_by_body(rows, items, user=user, today=today)
    for item in items:
        _fill(item, columns)
    selects = selects_of(request)
    context = {
        "items": items,
        "page_obj": page,
        "query": query_without(request, "page", "print"),
        "totals": columns,
        "as_of": timezone.now(),
        "all": {
            name: sum(getattr(total, name) for total in columns)
            for name in ("total", "done", "red")
        },
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


def _fill(item: SupervisionItem, columns: list[BodyTotal]) -> None:
    """Put the cells of one row beside the item, and its own total."""
    cells = {
        share.organization_id: share
        for share in item.shares
        if share.status != Assignment.Status.CANCELLED
    }
    item.cells = [cells.get(column.body.pk) for column in columns]
    item.sum = BodyTotal(body=None)
    for share in cells.values():
        item.sum.add(share.lamp.code)
        share.drawn_as = SHOWN_AS.get(share.lamp.code, share.lamp.code)
        share.short_word = short_word(share.lamp)
