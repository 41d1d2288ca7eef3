"""Items that are not public are looked at again each year: still not, or proposed for release."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import Event, EventKind, SupervisionItem, User
from supervision.rules.openness import review_date
from supervision.services.acts import ActRefused, local_date, record_event, require
from supervision.services.items import decide_openness

NOT_PUBLIC = (SupervisionItem.Openness.WITHHELD, SupervisionItem.Openness.ON_REQUEST)


@dataclass(frozen=True)
class DueReview:
    """An item that is not public, since when that stands, and when it was due to be looked at."""

    item: SupervisionItem
    decided_date: date
    due_date: date


def due_reviews(today: date) -> list[DueReview]:
    """Items not public for a year or longer, the longest first. One query.

    The year runs from the last decision, whichever it was; a withdrawal is one too.
    """
    decided = Q(events__kind=EventKind.ITEM_CHANGED, events__data__has_key="openness") | Q(
        events__kind=EventKind.WITHDRAWN
    )
    rows = (
        SupervisionItem.objects.filter(openness__in=NOT_PUBLIC)
        .exclude(dispatched_at=None)
        .exclude(status=SupervisionItem.Status.CANCELLED)
        .select_related("document")
        .annotate(
            decided_at=Coalesce(
                Max("events__happened_at", filter=decided), "dispatched_at", "created_at"
            )
        )
        .order_by("decided_at", "pk")
    )
    found = []
    for item in rows:
        day = local_date(item.decided_at)
        if review_date(day) <= today:
            found.append(DueReview(item, day, review_date(day)))
    return found


def remind_of_openness(today: date, *, at: datetime) -> int:
    """Tell the office of each item that is due to be looked at again, once for each decision.

    Safe to repeat; returns how many reminders were written.
    """
    due = due_reviews(today)
    keys = {_fact_key(row): row for row in due}
    known = set(Event.objects.filter(fact_key__in=keys).values_list("fact_key", flat=True))
    written = 0
    for key, row in keys.items():
        if key in known:
            continue
        with transaction.atomic():
            event = record_event(
                EventKind.OPENNESS_DUE,
                item=row.item,
                document=row.item.document,
                by=None,
                at=at,
                data={"decided_date": row.decided_date.isoformat()},
                fact_key=key,
            )
        written += event is not None
    return written


def _fact_key(row: DueReview) -> str:
    return f"openness-due:{row.item.pk}:{row.decided_date.isoformat()}"


@transaction.atomic
def review_openness(
    *,
    item: SupervisionItem,
    by: User,
    at: datetime,
    is_to_be_public: bool,
    reason: str,
    version: int | None = None,
) -> SupervisionItem:
    """Look again at what is not public: it stays so with a reason, or enters the next edition.

    Nothing is public by it; the edition is reviewed as always. Raises PermissionDenied, StaleRow,
    ActRefused without a reason or for an item that is not withheld.
    """
    require(permissions.can_edit_item(item, by))
    if item.openness not in NOT_PUBLIC:
        raise ActRefused(_("Its openness has been decided otherwise meanwhile."))
    wanted = SupervisionItem.Openness.PROACTIVE if is_to_be_public else item.openness
    return decide_openness(item=item, by=by, at=at, openness=wanted, basis=reason, version=version)
