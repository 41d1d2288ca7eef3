"""The first page after signing in: what needs this person today."""

from datetime import datetime, time, timedelta

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision import charts, permissions
from supervision.desk import light_counts, lit_items, segments, worst_first
from supervision.history import RELATED, entry
from supervision.models import Assignment, Event, EventKind, SupervisionItem
from supervision.rules.lights import Light
from supervision.views.base import local_today
from supervision.waiting import QUEUES, count_by_queue, waiting_for

BAD = (Light.RED, Light.ORANGE, Light.YELLOW)
EVENTS_SHOWN = 20
# Drafting a text is nobody's news.
QUIET_KINDS = (EventKind.REPORT_SAVED, EventKind.ITEM_CHANGED, EventKind.EXPORTED)


@login_required
@require_safe
def home(request):
    """Send everybody to the page of their duty."""
    user = request.user
    if user.is_office:
        return office_home(request)
    if user.has_role(permissions.LEADER, permissions.PRINCIPAL):
        return leader_home(request)
    if user.is_body:
        from supervision.views.body import body_home

        return body_home(request)
    if permissions.sees_releases(user):
        return redirect("supervision:releases")
    if permissions.reads_audit(user):
        return redirect("supervision:audit")
    if permissions.sees_rules(user):
        return redirect("supervision:settings")
    return render(request, "desk/no_duty.html")


def _supervised(user, today):
    """Every item that was given out, or still is on its way there, with lights."""
    rows = (
        SupervisionItem.objects.visible_to(user)
        .exclude(status=SupervisionItem.Status.CANCELLED)
        .select_related("document", "leader")
        .order_by("position", "pk")
    )
    return lit_items(rows, user=user, today=today)


def _figures(items) -> dict:
    """The numbers of the sentence on top."""
    codes = [item.lamp.code for item in items]
    return {
        "total": len(codes),
        "done": codes.count(Light.DONE),
        "done_late": codes.count(Light.DONE_LATE),
        "red": codes.count(Light.RED),
        "yellow": codes.count(Light.YELLOW) + codes.count(Light.ORANGE),
        "rest": sum(
            code not in (Light.DONE, Light.DONE_LATE, Light.RED, Light.YELLOW, Light.ORANGE)
            for code in codes
        ),
    }


def _overview(items) -> dict:
    url = reverse("supervision:items") + "?light="
    counts = light_counts(items, url=url)
    title = _("Lights of all items")
    return {
        "counts": counts,
        "bar": charts.stacked_bar(segments(counts), title=title),
        "bar_title": title,
        "total": len(items),
    }


def _queues(waiting, *, only_filled: bool = False) -> list[dict]:
    url = reverse("supervision:reviews")
    return [
        {
            "queue": queue,
            "label": QUEUES[queue][0],
            "count": len(rows),
            "late": sum(row.is_late for row in rows),
            "oldest_days": max((row.waited_days for row in rows), default=None),
            "limit_days": rows[0].limit_days if rows else None,
            "url": f"{url}?kind={queue}",
        }
        for queue, rows in count_by_queue(waiting).items()
        if rows or not only_filled
    ]


def office_home(request):
    user, today = request.user, local_today()
    items = _supervised(user, today)
    waiting = waiting_for(user, today=today)
    bad = worst_first([item for item in items if item.lamp.code in BAD])
    since = timezone.make_aware(datetime.combine(today - timedelta(days=1), time.min))
    events = (
        Event.objects.visible_to(user)
        .filter(recorded_at__gte=since)
        .exclude(kind__in=QUIET_KINDS)
        .select_related(*RELATED)
        .order_by("-recorded_at", "-pk")
    )
    shares = [share for item in items for share in item.shares]
    unsigned = [
        share
        for share in shares
        if share.status == Assignment.Status.PENDING and share.accept_due_date < today
    ]
    overdue_shares = [
        share
        for share in shares
        if share.status in Assignment.BODY_STATES and share.due_date and share.due_date < today
    ]
    status = SupervisionItem.Status
    context = {
        "today": today,
        "figures": _figures(items),
        **_overview(items),
        "queues": _queues(waiting),
        "mine": sum(row.is_mine for row in waiting),
        "own_late": [row for row in waiting if row.is_late],
        "bodies_late": len(overdue_shares),
        "bodies_total": sum(share.status in Assignment.OPEN_STATES for share in shares),
        "office_total": len(waiting),
        "unsigned": unsigned,
        "drafts": sum(item.status == status.DRAFT for item in items),
        "initiated": sum(item.status == status.INITIATED for item in items),
        "bad": bad,
        "news": [(event.item, entry(event)) for event in events[:EVENTS_SHOWN]],
        "can_create": permissions.can_create_item(user),
    }
    return render(request, "desk/office_home.html", context)


def leader_home(request):
    """Own items, worst first, one sentence each; above them what waits for a decision."""
    user, today = request.user, local_today()
    items = _supervised(user, today)
    waiting = [row for row in waiting_for(user, today=today) if row.is_mine]
    context = {
        "today": today,
        "figures": _figures(items),
        **_overview(items),
        "waiting": waiting,
        "items": worst_first(items),
        "is_principal": user.has_role(permissions.PRINCIPAL),
    }
    return render(request, "desk/leader_home.html", context)
