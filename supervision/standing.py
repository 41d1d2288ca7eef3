"""Reading: how many items show which light and which come first, without lighting every row.

What is kept of the day counts and sorts; what an act has thrown away since is computed by the pure
rule on the spot. Both give the same answer (tests/supervision/test_kept_lights.py).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import FilteredRelation, Q, QuerySet

from supervision.desk import lit_items
from supervision.models import SupervisionItem, User
from supervision.rules.lights import SEVERITY, Light


@dataclass(frozen=True)
class Standing:
    """Where one item stands today: just enough to count and to sort."""

    pk: int
    code: str
    due_date: date | None
    position: int

    @property
    def order(self) -> tuple:
        """Most severe light first, then the earliest due date."""
        return (-SEVERITY[Light(self.code)], self.due_date or date.max, self.position, self.pk)


def standings(rows: QuerySet[SupervisionItem], *, user: User, today: date) -> list[Standing]:
    """The items of a queryset, in its own order. One query while nothing has changed since.

    A body sees its own share's light, so its few items are computed.
    """
    if user.is_body and not user.is_office:
        return [_computed(item) for item in lit_items(rows, user=user, today=today)]
    kept = FilteredRelation(
        "kept_lights", condition=Q(kept_lights__assignment=None, kept_lights__on_date=today)
    )
    found = list(rows.annotate(kept=kept).values_list("pk", "kept__code", "due_date", "position"))
    missing = [pk for pk, code, *_rest in found if code is None]
    computed = {}
    if missing:
        items = SupervisionItem.objects.visible_to(user).filter(pk__in=missing)
        computed = {item.pk: item.lamp.code for item in lit_items(items, user=user, today=today)}
    return [
        Standing(pk, code or computed[pk], due_date, position)
        for pk, code, due_date, position in found
    ]


def _computed(item: SupervisionItem) -> Standing:
    return Standing(item.pk, item.lamp.code, item.due_date, item.position)


def in_severity(found: Iterable[Standing]) -> list[Standing]:
    return sorted(found, key=lambda one: one.order)


def count_codes(found: Iterable[Standing]) -> Counter:
    return Counter(one.code for one in found)


def lit_page(
    rows: QuerySet[SupervisionItem], shown: Iterable[Standing], *, user: User, today: date
) -> list[SupervisionItem]:
    """The shown items in their order, lit by the pure rule."""
    ids = [one.pk for one in shown]
    items = {item.pk: item for item in lit_items(rows.filter(pk__in=ids), user=user, today=today)}
    return [items[pk] for pk in ids if pk in items]
