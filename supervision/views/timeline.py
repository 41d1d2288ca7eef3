"""Items and milestones on a line of time, with the dates first given and those that hold now."""

from datetime import date, timedelta

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision import charts, permissions
from supervision.desk import counted_lights
from supervision.models import Clause, Milestone, SavedView, SupervisionItem
from supervision.standing import BY_DATE, lit_board
from supervision.views.base import local_today
from supervision.views.items import filtered, milestone_code, selects_of, visible_items
from supervision.views.navigation import Link, chips, query_without
from supervision.views.saved_views import views_of

PAGE_SIZE = 40
EDGE = timedelta(days=15)


@login_required
@require_safe
def timeline(request):
    """Dispatched items by due date, the filters of the items' list, and the slips."""
    user, today = request.user, local_today()
    if not (permissions.sees_all_items(user) or permissions.leads_items(user)):
        raise PermissionDenied
    rows = (
        filtered(request, visible_items(user))
        .exclude(dispatched_at=None)
        .exclude(status=SupervisionItem.Status.CANCELLED)
        .order_by("position", "pk")
    )
    light = request.GET.get("light", "").strip()
    board = lit_board(
        rows,
        user=user,
        today=today,
        shown=visible_items(user).select_related("document", "leader"),
        place=BY_DATE,
        lights=[light] if light else (),
        size=PAGE_SIZE,
        number=request.GET.get("page"),
    )
    counts = counted_lights(board.codes)
    items = board.page.object_list
    scale = _scale(items, today)
    for item in items:
        _draw(item, scale, today)
    context = {
        "page_obj": board.page,
        "query": query_without(request, "page"),
        "axis": charts.timeline_axis(scale, today=today, title=_("Time line")),
        "as_of": timezone.now(),
        "light_chips": chips(
            request,
            "light",
            [("", _("All"), sum(one.count for one in counts))]
            + [(one.code, one.label, one.count) for one in counts if one.count],
        ),
        "kind_chips": chips(
            request,
            "kind",
            [("", _("All"), None), *[(v, str(n), None) for v, n in Clause.Kind.choices]],
        ),
        "selects": selects_of(request),
        "q": request.GET.get("q", "").strip(),
        "kept": [(n, request.GET[n]) for n in ("light", "kind") if request.GET.get(n)],
        "clear_url": "?" if request.GET else "",
        "slipped": sum(item.slip_days > 0 for item in items),
        "saved_views": views_of(request, SavedView.Page.TIMELINE),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Time line"))],
    }
    return render(request, "desk/timeline.html", context)


def dates_of(item) -> tuple[date | None, date | None]:
    """The lead's due date and the one first given; of an item without a lead its own."""
    row = item.lead or item
    return row.due_date, row.original_due_date


def _steps(item) -> list[Milestone]:
    """The agreed milestones of the lead, as the lights were judged by."""
    return list(item.lead.agreed_milestones) if item.lead else []


def _scale(items, today: date) -> charts.TimelineScale:
    """From the first dispatch to the last date on the page, today included."""
    days = [today]
    for item in items:
        days.append(timezone.localdate(item.dispatched_at))
        days += [day for day in dates_of(item) if day]
        for step in _steps(item):
            days += [
                day for day in (step.planned_date, step.original_date, step.actual_date) if day
            ]
    return charts.TimelineScale(min(days) - EDGE, max(days) + EDGE)


def _draw(item, scale: charts.TimelineScale, today: date) -> None:
    """Put chart, steps and slip beside the item."""
    points = [
        charts.MilestonePoint(
            step.title,
            step.planned_date,
            step.actual_date if step.status == Milestone.Status.COMPLETED else None,
            step.original_date,
            milestone_code(step, today),
        )
        for step in _steps(item)
    ]
    due, original = dates_of(item)
    item.shown_due, item.shown_original = due, original
    item.slip_days = (due - original).days if due and original else 0
    item.steps = points
    item.chart = charts.timeline_row(
        scale,
        charts.TimelineBar(
            timezone.localdate(item.dispatched_at),
            due,
            original,
            item.lamp.code,
        ),
        points,
        today=today,
        title=item.title,
        description=_described(item),
    )


def _described(item) -> str:
    if item.shown_due is None:
        return _("Ongoing: no due date.")
    if item.slip_days:
        return _("Due on %(due)s, first given %(first)s.") % {
            "due": date_format(item.shown_due),
            "first": date_format(item.shown_original),
        }
    return _("Due on %(due)s.") % {"due": date_format(item.shown_due)}
