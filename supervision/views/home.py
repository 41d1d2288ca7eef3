"""The first page after signing in: what needs this person today."""

from collections import Counter
from datetime import datetime, time, timedelta

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from supervision import charts, permissions
from supervision.desk import counted_lights, segments
from supervision.forms.office import NewInstructionForm
from supervision.history import RELATED, entry
from supervision.models import Assignment, Event, EventKind, SupervisionItem
from supervision.public_site import public_site
from supervision.rules.lights import Light
from supervision.services.effects import BODY
from supervision.services.items import instruct_new_item
from supervision.standing import lit_board
from supervision.together import figures, read_together
from supervision.views.base import local_today, perform
from supervision.waiting import QUEUES, count_by_queue, waiting_for

BAD = (Light.RED, Light.ORANGE, Light.YELLOW)
EVENTS_SHOWN = 12
BAD_SHOWN = 30
UNSIGNED_SHOWN = 12
LEADER_PAGE = 60
# What has changed since yesterday, the worst first.
CHANGES = (
    (EventKind.BECAME_OVERDUE, _("newly overdue")),
    (EventKind.MILESTONE_MISSED, _("milestones missed")),
    (EventKind.ACCEPT_OVERDUE, _("not signed for in time")),
    (EventKind.ESCALATED, _("escalated")),
    (EventKind.REPORT_SUBMITTED, _("returns filed")),
    (EventKind.SUBMITTED, _("closings handed in")),
    (EventKind.EXTENSION_ASKED, _("extensions asked for")),
    (EventKind.OBJECTED, _("objections")),
    (EventKind.COMPLETED, _("shares closed")),
    (EventKind.ITEM_COMPLETED, _("items closed out")),
)
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


def _supervised(user):
    """Every item that was given out, or still is on its way there."""
    return (
        SupervisionItem.objects.visible_to(user)
        .exclude(status=SupervisionItem.Status.CANCELLED)
        .select_related("document", "leader")
        .order_by("position", "pk")
    )


def _figures(codes: Counter) -> dict:
    """The numbers of the sentence on top."""
    named = {
        "done": codes[Light.DONE],
        "done_late": codes[Light.DONE_LATE],
        "red": codes[Light.RED],
        "yellow": codes[Light.YELLOW] + codes[Light.ORANGE],
    }
    return named | {"total": codes.total(), "rest": codes.total() - sum(named.values())}


def _overview(codes: Counter) -> dict:
    url = reverse("supervision:items") + "?light="
    counts = counted_lights(codes, url=url)
    title = str(_("Lights of all items"))
    return {
        "counts": counts,
        "bar": charts.stacked_bar(segments(counts), title=title),
        "bar_title": title,
        "total": codes.total(),
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
    rows = _supervised(user)
    bad = lit_board(rows, user=user, today=today, lights=BAD, size=BAD_SHOWN)
    waiting = waiting_for(user, today=today)
    since = timezone.make_aware(datetime.combine(today - timedelta(days=1), time.min))
    events = (
        Event.objects.visible_to(user)
        .filter(recorded_at__gte=since)
        .exclude(kind__in=QUIET_KINDS)
        .select_related(*RELATED)
        .order_by("-recorded_at", "-pk")
    )
    shares = Assignment.objects.visible_to(user).exclude(
        item__status=SupervisionItem.Status.CANCELLED
    )
    unsigned = (
        shares.filter(status=Assignment.Status.PENDING, accept_due_date__lt=today)
        .select_related("item", "organization")
        .order_by("accept_due_date", "pk")
    )
    status = SupervisionItem.Status
    beside = read_together(
        **_share_figures(user, shares, today),
        items=figures(
            rows,
            drafts=Count("pk", filter=Q(status=status.DRAFT)),
            initiated=Count("pk", filter=Q(status=status.INITIATED)),
        ),
        unsigned=unsigned[:UNSIGNED_SHOWN],
        changes=_changes(user, since),
        news=events[:EVENTS_SHOWN],
    )
    counted = {name: beside[name][0][0] for name in ("running", "of_cancelled", "late", "unheard")}
    drafts, initiated = beside["items"][0]
    context = {
        "today": today,
        "figures": _figures(bad.codes),
        **_overview(bad.codes),
        "queues": _queues(waiting),
        "mine": sum(row.is_mine for row in waiting),
        "own_late": [row for row in waiting if row.is_late],
        "bodies_late": counted["late"],
        "bodies_total": counted["running"] - counted["of_cancelled"],
        "office_total": len(waiting),
        "unsigned": beside["unsigned"],
        "unsigned_count": counted["unheard"],
        "drafts": drafts,
        "initiated": initiated,
        "bad": bad.page.object_list,
        "bad_more": max(bad.page.paginator.count - BAD_SHOWN, 0),
        "changes": _named_changes(beside["changes"]),
        "news": [(event.item, entry(event)) for event in beside["news"]],
        "can_create": permissions.can_create_item(user),
        "pages_to_review": public_site().pages_to_review(user),
    }
    return render(request, "desk/office_home.html", context)


def _share_figures(user, shares: QuerySet, today) -> dict[str, QuerySet]:
    """How many shares are open, late and not signed for: each from an index of its own.

    Few shares stand open under a cancelled item: they are taken off the count of all.
    """
    count = Count("pk")
    visible = Assignment.objects.visible_to(user)
    running = visible.filter(status__in=Assignment.OPEN_STATES)
    return {
        "running": figures(running, count=count),
        "of_cancelled": figures(
            running.filter(item__status=SupervisionItem.Status.CANCELLED), count=count
        ),
        "late": figures(shares.filter(BODY, due_date__lt=today), count=count),
        "unheard": figures(
            shares.filter(status=Assignment.Status.PENDING, accept_due_date__lt=today), count=count
        ),
    }


def _changes(user, since) -> QuerySet:
    """What changed, kind by kind: (kind, how many)."""
    return (
        Event.objects.visible_to(user)
        .filter(recorded_at__gte=since, kind__in=dict(CHANGES))
        .order_by("kind")
        .values_list("kind")
        .annotate(Count("pk"))
    )


def _named_changes(rows) -> list[dict]:
    found = dict(rows)
    return [{"label": label, "count": found[kind]} for kind, label in CHANGES if found.get(kind)]


@login_required
@require_POST
def instruct(request):
    """A leader's instruction on a matter without an item: it becomes a draft of the office."""
    if not permissions.can_instruct(request.user):
        raise PermissionDenied
    form = NewInstructionForm(request.POST, act="instruct")
    if form.is_valid():
        names = ("title", "instruction", "document", "due_date")
        item = perform(
            request,
            lambda: instruct_new_item(
                **{name: form.cleaned_data[name] for name in names},
                by=request.user,
                at=timezone.now(),
            ),
            done=str(_("The instruction is on record; the office has been told.")),
        )
        if item is not None:
            return redirect("supervision:home")
    return leader_home(request, form)


def leader_home(request, form=None):
    """Own items, worst first, one sentence each; above them what waits for a decision."""
    user, today = request.user, local_today()
    rows = _supervised(user)
    number = request.GET.get("page")
    board = lit_board(rows, user=user, today=today, size=LEADER_PAGE, number=number)
    waiting = [row for row in waiting_for(user, today=today) if row.is_mine]
    context = {
        "today": today,
        "figures": _figures(board.codes),
        **_overview(board.codes),
        "waiting": waiting,
        "instruct_form": form or NewInstructionForm(act="instruct"),
        "page_obj": board.page,
        "items": board.page.object_list,
        "is_principal": user.has_role(permissions.PRINCIPAL),
    }
    return render(request, "desk/leader_home.html", context)
