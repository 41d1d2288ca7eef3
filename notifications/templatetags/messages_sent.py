"""The messages about one share, for the page of the share."""

from django import template
from django.db.models import Q

from notifications import rules, texts
from notifications.models import Delivery
from supervision.history import sentence

register = template.Library()
LONGEST = 60


@register.inclusion_tag("notifications/_reminders.html", takes_context=True)
def reminder_history(context, assignment):
    """When who was told of what, over which channel, and what became of it; one query.

    A body sees what went to its own people and groups, the others everything.
    """
    user = context["request"].user
    rows = Delivery.objects.filter(
        event__assignment=assignment, event__kind__in=[*rules.GROUP_KINDS]
    ).select_related("event__organization", "recipient", "robot", "on_behalf_of")
    if user.is_body:
        rows = rows.filter(
            Q(recipient__organization=user.organization_id)
            | Q(robot__organization=user.organization_id)
        )
    rows = list(rows.order_by("-event__happened_at", "-pk")[:LONGEST])
    for row in rows:
        row.text = sentence(row.event)
        row.reason = texts.reason_of(row.error) if row.error else ""
    return {"rows": rows}
