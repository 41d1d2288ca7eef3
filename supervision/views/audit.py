"""The record: every event, filtered by kind, person and day."""

from datetime import date, datetime, time, timedelta

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision import permissions
from supervision.history import RELATED, sentence
from supervision.models import Event, EventKind
from supervision.views.navigation import Link, page_of, query_without

PAGE_SIZE = 50


@login_required
@require_safe
def audit(request):
    """Events as they were recorded, latest first; for the auditor and the office."""
    user = request.user
    if not (user.is_office or permissions.reads_audit(user)):
        raise PermissionDenied
    chosen = {name: request.GET.get(name, "").strip() for name in ("kind", "who", "day")}
    rows = Event.objects.visible_to(user).select_related(*RELATED).order_by("-recorded_at", "-pk")
    if chosen["kind"]:
        rows = rows.filter(kind=chosen["kind"])
    if chosen["who"]:
        rows = rows.filter(by_name__icontains=chosen["who"])
    is_bad_day = False
    if chosen["day"]:
        try:
            first = datetime.combine(date.fromisoformat(chosen["day"]), time.min)
        except ValueError:
            is_bad_day = True
        else:
            start = timezone.make_aware(first)
            rows = rows.filter(recorded_at__gte=start, recorded_at__lt=start + timedelta(days=1))
    page = page_of(request, rows, PAGE_SIZE)
    for event in page.object_list:
        event.sentence = sentence(event)
    context = {
        "page_obj": page,
        "query": query_without(request, "page"),
        "chosen": chosen,
        "is_bad_day": is_bad_day,
        "kinds": [(value, label, value == chosen["kind"]) for value, label in EventKind.choices],
        "clear_url": "?" if any(chosen.values()) else "",
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Records"))],
    }
    return render(request, "desk/audit.html", context)
