"""Keep the light of the day beside the rows: by the tick, and thrown away by every act."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from supervision.models import Event, EventKind, KeptLight, SupervisionItem
from supervision.overview import Lamp, light_up_items

BATCH = 200
# An act that was under way while lights were computed is looked at again for so long.
LOOK_BACK = timedelta(minutes=2)
# Acts after which no light can be trusted, whatever item it is of.
FOR_ALL = frozenset(
    {EventKind.RULES_CHANGED, EventKind.CALENDAR_CHANGED, EventKind.CALENDAR_CONFIRMED}
)


def forget_lights(kind: str, item_id: int | None) -> None:
    """Throw away what an act may have changed, in the transaction of the act."""
    if kind in FOR_ALL:
        KeptLight.objects.all().delete()
    elif item_id is not None:
        KeptLight.objects.filter(item=item_id).delete()


def keep_lights(today: date, *, at: datetime | None = None, most: int | None = None) -> int:
    """Compute the lights of the day that are not kept yet, at most `most` items; safe to repeat.

    With `at` items of the last acts are computed again, see LOOK_BACK. Returns how many items.
    """
    if at is not None:
        recent = Event.objects.filter(recorded_at__gte=at - LOOK_BACK, fact_key=None)
        KeptLight.objects.filter(item__in=recent.exclude(item=None).values("item")).delete()
    kept = KeptLight.objects.of_items(today).filter(item=OuterRef("pk"))
    missing = SupervisionItem.objects.filter(~Exists(kept)).order_by("pk")
    ids = list(missing.values_list("pk", flat=True)[:most])
    for start in range(0, len(ids), BATCH):
        _keep(ids[start : start + BATCH], today)
    return len(ids)


@transaction.atomic
def _keep(ids: Sequence[int], today: date) -> None:
    items = light_up_items(SupervisionItem.objects.filter(pk__in=ids), today=today)
    KeptLight.objects.filter(item__in=ids).delete()
    KeptLight.objects.bulk_create(_rows(items, today), batch_size=1000, ignore_conflicts=True)


def _rows(items: Iterable[SupervisionItem], today: date) -> list[KeptLight]:
    def row(item, lamp: Lamp, share=None) -> KeptLight:
        return KeptLight(
            item=item, assignment=share, on_date=today, code=lamp.code, severity=lamp.severity
        )

    found = []
    for item in items:
        found.append(row(item, item.lamp))
        found += [row(item, share.lamp, share) for share in item.shares]
    return found
