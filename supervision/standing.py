"""Reading: how many items show which light and which come first, without lighting every row.

What is kept of the day counts and sorts; what an act has thrown away since is computed by the pure
rule on the spot. Both give the same answer (tests/supervision/test_kept_lights.py).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, FilteredRelation, Q, QuerySet

from supervision.desk import lit_items
from supervision.models import Assignment, Organization, SupervisionItem, User
from supervision.overview import light_up
from supervision.rules.lights import SEVERITY, Light
from supervision.together import read_together


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

    A body sees its own share's light, which is kept as well.
    """
    if user.is_body and not user.is_office:
        return _standings_of_body(rows, user=user, today=today)
    kept = FilteredRelation(
        "kept_lights", condition=Q(kept_lights__assignment=None, kept_lights__on_date=today)
    )
    found = list(rows.annotate(kept=kept).values_list("pk", "kept__code", "due_date", "position"))
    return _completed(found, user=user, today=today)


def _standings_of_body(
    rows: QuerySet[SupervisionItem], *, user: User, today: date
) -> list[Standing]:
    """Two queries: the items, and the lights of the body's own shares in them."""
    found = list(rows.values_list("pk", "due_date", "position"))
    kept = FilteredRelation("kept_light", condition=Q(kept_light__on_date=today))
    own = (
        Assignment.objects.visible_to(user)
        .filter(organization_id=user.organization_id, item__in=rows.order_by().values("pk"))
        .annotate(kept=kept)
        .order_by("position", "pk")
    )
    codes: dict[int, str] = {}
    for item, code, status in own.values_list("item_id", "kept__code", "status"):
        # The share that stands; of a body that only had it, the first one cancelled.
        if status != Assignment.Status.CANCELLED or item not in codes:
            codes[item] = code
    # An item without a share of the body itself, a predecessor's: by the rule.
    return _completed(
        [(pk, codes.get(pk), due_date, position) for pk, due_date, position in found],
        user=user,
        today=today,
    )


def _completed(found: list[tuple], *, user: User, today: date) -> list[Standing]:
    """Where no light is kept, the one computed by the rule."""
    missing = [pk for pk, code, *_rest in found if code is None]
    computed = {}
    if missing:
        items = SupervisionItem.objects.visible_to(user).filter(pk__in=missing)
        computed = {item.pk: item.lamp.code for item in lit_items(items, user=user, today=today)}
    return [
        Standing(pk, code or computed[pk], due_date, position)
        for pk, code, due_date, position in found
    ]


@dataclass
class BodyTotal:
    """A body's shares among some items: how many stand, are done, are red."""

    body: Organization
    total: int = 0
    done: int = 0
    red: int = 0

    def add(self, code: str, count: int = 1) -> None:
        self.total += count
        self.done += count if code in (Light.DONE, Light.DONE_LATE) else 0
        self.red += count if code == Light.RED else 0


def totals_by_body(rows: QuerySet[SupervisionItem], *, user: User, today: date) -> list[BodyTotal]:
    """The bodies with a standing share in these items, in the official order, with their totals.

    One query while nothing has changed since the lights were kept; it returns a row for each body
    and light, whatever the number of items.
    """
    shares = (
        Assignment.objects.visible_to(user)
        .filter(item__in=rows.order_by().values("pk"))
        .exclude(status=Assignment.Status.CANCELLED)
    )
    kept = FilteredRelation("kept_light", condition=Q(kept_light__on_date=today))
    lit = shares.annotate(kept=kept)
    found = read_together(
        bodies=Organization.objects.filter(
            pk__in=shares.order_by().values("organization")
        ).in_official_order(),
        counts=lit.order_by()
        .values_list("organization_id", "kept__code")
        .annotate(count=Count("pk")),
    )
    totals = {body.pk: BodyTotal(body) for body in found["bodies"]}
    for body, code, count in found["counts"]:
        if code is not None:
            totals[body].add(code, count)
    if any(code is None for _body, code, _count in found["counts"]):
        for share in light_up(lit.filter(kept__code=None), today=today):
            totals[share.organization_id].add(share.lamp.code)
    return list(totals.values())


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
