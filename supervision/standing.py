"""Reading: how many items show which light and which come first, without lighting every row.

What is kept of the day counts and sorts; what an act has thrown away since is computed by the pure
rule on the spot. Both give the same answer (tests/supervision/test_kept_lights.py), by as many
statements or one more: what has no light yet is lit together with the rows of the page.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, FilteredRelation, Q, QuerySet

from supervision.desk import lit_items, seen_by
from supervision.models import Assignment, Organization, SupervisionItem, User
from supervision.overview import in_clause_order, light_up, share_out
from supervision.rules.lights import SEVERITY, Light
from supervision.together import read_together


@dataclass(frozen=True)
class Standing:
    """Where one item stands today: just enough to count and to sort."""

    pk: int
    # None: no light of the day is kept.
    code: str | None
    due_date: date | None
    position: int

    @property
    def order(self) -> tuple:
        """Most severe light first, then the earliest due date."""
        return (-SEVERITY[Light(self.code)], self.due_date or date.max, self.position, self.pk)


@dataclass(frozen=True)
class Place:
    """An order of items: of those read already, and the same one for the database."""

    key: Callable[[Standing], tuple]
    order: tuple


_BY_DAY = F("due_date").asc(nulls_last=True)
BY_SEVERITY = Place(lambda one: one.order, ("-kept__severity", _BY_DAY, "position", "pk"))
BY_NUMBER = Place(lambda one: (one.position, one.pk), ("position", "pk"))
BY_DATE = Place(
    lambda one: (one.due_date or date.max, one.position, one.pk), (_BY_DAY, "position", "pk")
)


@dataclass(frozen=True)
class Board:
    """Items of which a page is shown: how many show which light, and that page, lit by the rule."""

    codes: Counter
    page: Page


def lit_board(
    rows: QuerySet[SupervisionItem],
    *,
    user: User,
    today: date,
    shown: QuerySet[SupervisionItem] | None = None,
    place: Place = BY_SEVERITY,
    lights: Collection[str] = (),
    size: int,
    number: str | int | None = 1,
) -> Board:
    """Count the lights of all `rows` and light page `number` of them, in the order of `place`.

    Only items of these `lights` are on the pages, with none given all. `shown` brings the columns
    the page wants. A number out of range gives the nearest page. Four statements with the lights
    kept, or five; five where one is missing.
    """
    shown = rows if shown is None else shown
    if not _sees_as_body(user):
        board = _kept_board(rows, today, place, lights, size, number)
        if board is not None:
            ids = list(board.page.object_list)
            items = lit_items(shown.filter(pk__in=ids), user=user, today=today) if ids else []
            lit = {item.pk: item for item in items}
            board.page.object_list = [lit[pk] for pk in ids if pk in lit]
            return board
    return _completed_board(
        _kept_standings(rows, user=user, today=today),
        lambda ids: lit_items(shown.filter(pk__in=ids), user=user, today=today),
        place,
        lights,
        size,
        number,
    )


def _sees_as_body(user: User) -> bool:
    """Whether an item shows this reader the light of one share."""
    return user.is_body and not user.is_office


def _kept_board(
    rows: QuerySet[SupervisionItem],
    today: date,
    place: Place,
    lights: Collection[str],
    size: int,
    number: str | int | None,
) -> Board | None:
    """Counted and sorted by the database, with the keys of a page; None where a light is missing.

    One statement, two for a page that is out of range.
    """
    if rows.query.distinct:
        rows = SupervisionItem.objects.filter(pk__in=rows.order_by().values("pk"))
    kept = rows.order_by().select_related(None).annotate(kept=_kept_of_item(today))
    wanted = kept.filter(kept__code__in=lights) if lights else kept
    wanted = wanted.order_by(*place.order).values_list("pk")
    first = max(int(number), 1) - 1 if str(number).isdecimal() else 0
    found = read_together(
        codes=kept.values_list("kept__code").annotate(count=Count("pk")),
        page=wanted[first * size : (first + 1) * size],
    )
    codes = Counter(dict(found["codes"]))
    if None in codes:
        return None
    total = sum(count for code, count in codes.items() if not lights or code in lights)
    page = Paginator(range(total), size).get_page(number)
    start = (page.number - 1) * size
    keys = found["page"] if page.number == first + 1 else list(wanted[start : start + size])
    page.object_list = [pk for (pk,) in keys]
    return Board(codes, page)


def _completed_board(
    found: list[Standing],
    light_up_these: Callable[[list[int]], list[SupervisionItem]],
    place: Place,
    lights: Collection[str],
    size: int,
    number: str | int | None,
) -> Board:
    """The same of standings read one by one; what has no light is lit together with the page."""
    lit: dict[int, SupervisionItem] = {}

    def light(ids: Iterable[int]) -> None:
        wanted = [pk for pk in ids if pk not in lit]
        if wanted:
            lit.update({item.pk: item for item in light_up_these(wanted)})

    def ranked() -> list[Standing]:
        known = (one for one in found if one.code and (not lights or one.code in lights))
        return sorted(known, key=place.key)

    missing = [one.pk for one in found if one.code is None]
    if missing:
        known = ranked()
        # Each item lit now may move the others down by one place.
        first = (Paginator(known, size).get_page(number).number - 1) * size
        nearby = known[max(first - len(missing), 0) : first + size]
        light([*missing, *(one.pk for one in nearby)])
        found = [one if one.code else replace(one, code=_code(lit, one.pk)) for one in found]
    page = Paginator(ranked(), size).get_page(number)
    ids = [one.pk for one in page.object_list]
    light(ids)
    page.object_list = [lit[pk] for pk in ids if pk in lit]
    return Board(Counter(one.code for one in found if one.code), page)


def _code(lit: dict[int, SupervisionItem], pk: int) -> str | None:
    """None for an item that went away since its place was read."""
    return lit[pk].lamp.code if pk in lit else None


def _kept_standings(rows: QuerySet[SupervisionItem], *, user: User, today: date) -> list[Standing]:
    """The items of a queryset, without a code where no light is kept. One statement.

    A body sees its own share's light, which is kept as well: two statements.
    """
    if _sees_as_body(user):
        return _standings_of_body(rows, user=user, today=today)
    found = rows.annotate(kept=_kept_of_item(today)).values_list(
        "pk", "kept__code", "due_date", "position"
    )
    return [Standing(*values) for values in found]


def _kept_of_item(today: date) -> FilteredRelation:
    return FilteredRelation(
        "kept_lights", condition=Q(kept_lights__assignment=None, kept_lights__on_date=today)
    )


def _kept_of_share(today: date) -> FilteredRelation:
    return FilteredRelation("kept_light", condition=Q(kept_light__on_date=today))


def _standings_of_body(
    rows: QuerySet[SupervisionItem], *, user: User, today: date
) -> list[Standing]:
    """Two statements: the items, and the lights of the body's own shares in them."""
    found = list(rows.values_list("pk", "due_date", "position"))
    own = (
        Assignment.objects.visible_to(user)
        .filter(organization_id=user.organization_id, item__in=rows.order_by().values("pk"))
        .annotate(kept=_kept_of_share(today))
        .order_by("position", "pk")
    )
    codes: dict[int, str | None] = {}
    for item, code, status in own.values_list("item_id", "kept__code", "status"):
        # The share that stands; of a body that only had it, the first one cancelled.
        if status != Assignment.Status.CANCELLED or item not in codes:
            codes[item] = code
    # An item without a share of the body itself, a predecessor's: by the rule.
    return [Standing(pk, codes.get(pk), due_date, position) for pk, due_date, position in found]


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


def totals_by_body(
    rows: QuerySet[SupervisionItem],
    items: list[SupervisionItem],
    *,
    user: User,
    today: date,
) -> list[BodyTotal]:
    """The bodies with a standing share among `rows`, in the official order, with their totals.

    Lights `items` on the way, those among the rows that the page shows. Three statements, whatever
    the number of rows and whether lights are kept or not: a row for each body and light, and the
    shares of the page with those that have no light yet, and their milestones.
    """
    visible = Assignment.objects.visible_to(user)
    shares = visible.filter(item__in=rows.order_by().values("pk")).exclude(
        status=Assignment.Status.CANCELLED
    )
    lit = shares.order_by().annotate(kept=_kept_of_share(today))
    found = read_together(
        bodies=Organization.objects.filter(
            pk__in=shares.order_by().values("organization")
        ).in_official_order(),
        counts=lit.values_list("organization_id", "kept__code").annotate(count=Count("pk")),
    )
    totals = {body.pk: BodyTotal(body) for body in found["bodies"]}
    # Of the page, or of those the counts have no light for.
    wanted = Q(item__in=[item.pk for item in items])
    for body, code, count in found["counts"]:
        if code is not None:
            totals[body].add(code, count)
    if any(code is None for _body, code, _count in found["counts"]):
        wanted |= Q(pk__in=lit.filter(kept__code=None).values("pk"))
    with_kept = visible.annotate(kept=_kept_of_share(today)).annotate(kept_code=F("kept__code"))
    now_lit = light_up(in_clause_order(with_kept.filter(wanted)), today=today)
    for share in now_lit:
        if share.kept_code is None and share.status != Assignment.Status.CANCELLED:
            totals[share.organization_id].add(share.lamp.code)
    seen_by(share_out(items, now_lit), user)
    return list(totals.values())
