"""Reading: one page of the ledger for the screen, with the cells the paper would show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, FilteredRelation, Q, QuerySet, When

from supervision.models import Assignment, Organization, SupervisionItem
from supervision.overview import Lamp, lamp_of_item, light_up
from supervision.spreadsheets.ledger import LedgerReader, Line, line_values
from supervision.spreadsheets.print_sheet import NUMBER, Column


@dataclass(frozen=True)
class Cell:
    """One cell: its column and what stands in it; a light brings its lamp."""

    column: Column
    value: Any
    lamp: Lamp | None = None


@dataclass(frozen=True)
class ScreenRow:
    """One item of the ledger."""

    item: SupervisionItem
    cells: list[Cell]


def ledger_items(
    shares: QuerySet[Assignment], *, today: date, light: str = "", is_of_body: bool = False
) -> QuerySet | list[int]:
    """The identifiers of the items these shares belong to, in the order of the paper.

    With a light: those that show it, or have a share that does. It counts with the lights kept of
    the day (docs/decisions/0011); the rows shown are lit by the rule.
    """
    items = SupervisionItem.objects.filter(pk__in=shares.order_by().values("item")).order_by(
        "document__issued_date", "document_id", "position", "pk"
    )
    if not light:
        return items.values_list("pk", flat=True)
    of_share = FilteredRelation("kept_light", condition=Q(kept_light__on_date=today))
    of_item = FilteredRelation(
        "kept_lights", condition=Q(kept_lights__assignment=None, kept_lights__on_date=today)
    )
    lit = shares.order_by().annotate(kept=of_share)
    unlit = Q(pk__in=lit.filter(kept__code=None).values("item"))
    showing = Q(pk__in=lit.filter(kept__code=light).values("item"))
    if not is_of_body:
        unlit |= Q(kept__code=None)
        showing |= Q(kept__code=light)
    found = list(
        items.annotate(kept=of_item)
        .filter(unlit | showing)
        .annotate(is_lit=Case(When(unlit, then=False), default=True))
        .values_list("pk", "is_lit")
    )
    missing = [pk for pk, is_lit in found if not is_lit]
    shown = _showing(shares.filter(item__in=missing), light, today, is_of_body) if missing else ()
    return [pk for pk, is_lit in found if is_lit or pk in shown]


def _showing(shares: QuerySet[Assignment], light: str, today: date, is_of_body: bool) -> set[int]:
    """By the rule: the items that show a light, or have one of these shares that does."""
    by_item: dict[int, list[Assignment]] = {}
    for share in light_up(shares, today=today):
        by_item.setdefault(share.item_id, []).append(share)
    return {
        pk
        for pk, rows in by_item.items()
        if any(row.lamp.code == light for row in rows)
        or (not is_of_body and lamp_of_item(rows[0].item, rows).code == light)
    }


def ledger_rows(
    shares: QuerySet[Assignment],
    chosen: Sequence[int],
    columns: Sequence[Column],
    *,
    today: date,
    body: Organization | None = None,
    light: str = "",
    first_number: int = 1,
) -> list[ScreenRow]:
    """The rows of the chosen items, in the columns of the sheet to print."""
    reader = LedgerReader(shares, today=today, body=body, light=light)
    lines, _shares, _count = reader.read(list(chosen))
    return [
        ScreenRow(line.item, _cells(line, columns, number))
        for number, line in enumerate(lines, start=first_number)
    ]


def _cells(line: Line, columns: Sequence[Column], number: int) -> list[Cell]:
    values = line_values(line)
    return [
        Cell(
            column,
            number if column.key == NUMBER else values[column.key],
            line.lamp if column.look == "light" else None,
        )
        for column in columns
    ]
