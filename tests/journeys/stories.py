"""What a story begins with: an item given out through the services."""

from datetime import date, datetime, timedelta

from supervision.models import SupervisionItem
from supervision.services import items
from supervision.services.items import PartyData
from tests.factories import NOON, ClauseFactory, DocumentFactory

DUE = date(2026, 6, 30)


def dispatched(
    city, *bodies, title: str = "建设研发机构", due: date = DUE, at: datetime | None = None
) -> SupervisionItem:
    """Drafted, approved and dispatched to `bodies` (the first leads), ten days before noon."""
    at = at or NOON - timedelta(days=9)
    clause = ClauseFactory(document=DocumentFactory(), title=title)
    item = items.create_item(
        document=clause.document,
        clause=clause,
        kind="task",
        title=title,
        requirement="按期完成。",
        due_date=due,
        leader=city.leader,
        openness="proactive",
        openness_basis="主动公开目录",
        is_declared_free_of_secrets=True,
        parties=[
            PartyData(body, body.short_name, "lead" if body == bodies[0] else "county")
            for body in bodies
        ],
        by=city.officer,
        at=at,
    )
    items.submit_item(item=item, by=city.officer, at=at)
    items.approve_item(item=item, by=city.office_head, at=at)
    items.dispatch_item(item=item, by=city.officer, at=at)
    return SupervisionItem.objects.get(pk=item.pk)
