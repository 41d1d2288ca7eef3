"""Reading: one page of the ledger for the screen, with the cells the paper would show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet

from supervision.models import Assignment, Organization, SupervisionItem, User
from supervision.overview import Lamp, light_up
from supervision.spreadsheets.ledger import LedgerReader, Line, line_values
from supervision.spreadsheets.print_sheet import NUMBER, Column
from supervision.standing import standings


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
    shares: QuerySet[Assignment], *, user: User, today: date, light: str = "", is_of_body=False
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
    kept = FilteredRelation("kept_light", condition=Q(kept_light__on_date=today))
    lit = shares.order_by().annotate(kept=kept)
    rows = list(
        lit.filter(Q(kept__code=light) | Q(kept__code=None)).values_list("item_id", "kept__code")
    )
    found = {item for item, code in rows if code is not None}
    if len(rows) > sum(code is not None for _item, code in rows):
        unlit = light_up(lit.filter(kept__code=None), today=today)
        found |= {share.item_id for share in unlit if share.lamp.code == light}
    if is_of_body:
        return [pk for pk in items.values_list("pk", flat=True) if pk in found]
    return [
        one.pk
        for one in standings(items, user=user, today=today)
        if one.code == light or one.pk in found
    ]


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
