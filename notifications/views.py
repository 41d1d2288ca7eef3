"""The inbox: every line is a matter, with why it came to this reader."""

import uuid
from types import SimpleNamespace

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from notifications import rules, texts
from notifications.models import InboxEntry
from notifications.services import mark_done, mark_open, mark_read
from supervision.models import Assignment, SupervisionItem

PAGE_SIZE = 30
FILTERS = {
    "todo": gettext_lazy("To do"),
    "unread": gettext_lazy("Unread"),
    "done": gettext_lazy("Ticked off"),
    "all": gettext_lazy("All"),
}


def _filtered(entries, name: str):
    return {
        "todo": entries.to_do,
        "unread": entries.unread,
        "done": entries.done,
        "all": entries.all,
    }[name]()


@login_required
@require_GET
def inbox(request):
    """The reader's own entries, newest first; reading the page marks nothing."""
    mine = InboxEntry.objects.of(request.user)
    counts = mine.aggregate(
        todo=Count("pk", filter=Q(done_at=None)),
        unread=Count("pk", filter=Q(done_at=None, read_at=None)),
        done=Count("pk", filter=~Q(done_at=None)),
        all=Count("pk"),
    )
    chosen = request.GET.get("show", "todo")
    if chosen not in FILTERS:
        chosen = "todo"
    entries = _filtered(mine, chosen).select_related(
        "event__assignment__item",
        "event__assignment__organization",
        "event__item",
        "event__organization",
        "event__document",
        "event__milestone",
        "event__period",
        "event__by",
    )
    paginator = Paginator(entries.order_by("-created_at", "-pk"), PAGE_SIZE)
    page = paginator.get_page(request.GET.get("page"))
    _add_lines(request.user, page.object_list)
    address = reverse("notifications:inbox")
    context = {
        "page_obj": page,
        "entries": page.object_list,
        "chosen": chosen,
        "query": f"show={chosen}",
        "tabs": [
            SimpleNamespace(
                label=label,
                url=f"{address}?show={name}",
                is_current=name == chosen,
                count=counts[name],
            )
            for name, label in FILTERS.items()
        ],
    }
    return render(request, "notifications/inbox.html", context)


def _add_lines(user, entries) -> None:
    """Each entry its line; what the reader may no longer see keeps its text but leads nowhere."""
    shares = {entry.event.assignment_id for entry in entries}
    items = {entry.event.item_id for entry in entries}
    seen_shares = set(
        Assignment.objects.visible_to(user).filter(pk__in=shares).values_list("pk", flat=True)
    )
    seen_items = set(
        SupervisionItem.objects.visible_to(user).filter(pk__in=items).values_list("pk", flat=True)
    )
    for entry in entries:
        event = entry.event
        is_visible = rules.is_help_to(event, user.organization_id) or (
            event.assignment_id in seen_shares
            if event.assignment_id
            else event.item_id is None or event.item_id in seen_items
        )
        entry.line = texts.line_for(
            event,
            reason_code=entry.reason_code,
            is_visible=is_visible and (bool(event.item_id) or event.kind in rules.OF_CALENDAR),
        )


def _chosen_uids(values) -> list[uuid.UUID]:
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(value))
        except ValueError:
            continue
    return found


@login_required
@require_POST
def mark(request):
    """Mark the chosen entries read, done or open again; a line has buttons of its own."""
    act = request.POST.get("act", "")
    uids = _chosen_uids(request.POST.getlist("entry"))
    if ":" in act:
        act, uid = act.split(":", 1)
        uids = _chosen_uids([uid])
    at = timezone.now()
    if act == "read":
        changed = mark_read(user=request.user, uids=uids, at=at)
        text = ngettext("%(count)s message read.", "%(count)s messages read.", changed)
    elif act == "done":
        changed = mark_done(user=request.user, uids=uids, at=at)
        text = ngettext("%(count)s message ticked off.", "%(count)s messages ticked off.", changed)
    elif act == "open":
        changed = mark_open(user=request.user, uids=uids)
        text = ngettext(
            "%(count)s message to do again.", "%(count)s messages to do again.", changed
        )
    else:
        changed, text = 0, ""
    if changed:
        messages.success(request, text % {"count": changed})
    elif not uids:
        messages.info(request, _("Choose at least one message first."))
    show = request.POST.get("show", "todo")
    address = reverse("notifications:inbox")
    return redirect(f"{address}?show={show}" if show in FILTERS else address)
