"""The tables by name. A new table is a line here and a function that yields its rows."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supervision import permissions
from supervision.models import User
from supervision.spreadsheets.column_sets import items, papers, plans, returns, scores
from supervision.spreadsheets.column_sets.scope import Scope
from supervision.spreadsheets.ledger import FLAT_COLUMNS, PRINT_COLUMNS
from supervision.spreadsheets.print_sheet import NUMBER, Column, Row


@dataclass(frozen=True)
class Part:
    """One sheet to print with its flat twin. Without columns: the ledger, written by its own."""

    title: Any
    columns: Sequence[Column]
    rows: Callable[[Scope], Iterator[Row]]
    sums_by_band: bool = False


@dataclass(frozen=True)
class SheetKind:
    """One table: code, title, what it consists of, what it needs to be told.

    `paper` is the usual one; `has_contacts` asks for a reason; `is_office_only` is for those who
    supervise.
    """

    code: str
    title: Any
    parts: Sequence[Part] = ()
    paper: str = "a4"
    needs_period: bool = False
    has_contacts: bool = False
    is_office_only: bool = False


def _kind(
    code: str, title: Any, columns, rows, *, sums_by_band: bool = False, **options
) -> SheetKind:
    return SheetKind(code, title, (Part(title, columns, rows, sums_by_band),), **options)


LEDGER = "ledger"
SHEETS: dict[str, SheetKind] = {
    kind.code: kind
    for kind in (
        SheetKind(LEDGER, pgettext_lazy("sheet", "Supervision ledger")),
        _kind(
            "breakdown",
            pgettext_lazy("sheet", "Breakdown of tasks"),
            items.BREAKDOWN,
            items.breakdown_rows,
        ),
        _kind(
            "monthly",
            pgettext_lazy("sheet", "Progress return (monthly)"),
            returns.MONTHLY,
            returns.monthly_rows,
            paper="a3",
            needs_period=True,
            has_contacts=True,
        ),
        SheetKind(
            "plan",
            pgettext_lazy("sheet", "Plan of work"),
            (
                Part(pgettext_lazy("sheet", "Plan of work"), plans.PLAN, plans.plan_rows),
                Part(
                    pgettext_lazy("sheet", "List of liaisons"), plans.LIAISONS, plans.liaison_rows
                ),
            ),
            has_contacts=True,
        ),
        _kind(
            "register",
            pgettext_lazy("sheet", "Register of supervision"),
            items.REGISTER,
            items.register_rows,
        ),
        _kind(
            "rectification",
            pgettext_lazy("sheet", "List of rectification"),
            papers.RECTIFICATION,
            papers.rectification_rows,
        ),
        _kind(
            "extensions",
            pgettext_lazy("sheet", "Register of extensions"),
            papers.EXTENSIONS,
            papers.extension_rows,
        ),
        _kind(
            "urging",
            pgettext_lazy("sheet", "Register of urging"),
            papers.URGING,
            papers.urging_rows,
        ),
        _kind(
            "scores",
            pgettext_lazy("sheet", "Score sheet"),
            scores.SCORES,
            scores.score_rows,
            sums_by_band=True,
            is_office_only=True,
        ),
        _kind(
            "counties",
            pgettext_lazy("sheet", "Progress by county"),
            scores.COUNTIES,
            scores.county_rows,
        ),
    )
}


def column_choices(kind: SheetKind) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """What may be left out of a table: each sheet's title, name and heading of each column.

    Names are unique over the sheets of a table; the running number is not among them.
    """
    sheets = [(part.title, part.columns) for part in kind.parts]
    if kind.code == LEDGER:
        sheets = [
            (_("Columns of the sheet to print"), PRINT_COLUMNS),
            (_("Columns of the flat sheet"), FLAT_COLUMNS),
        ]
    return [
        (title, [(f"{number}-{c.key}", c.heading) for c in columns if c.key != NUMBER])
        for number, (title, columns) in enumerate(sheets)
    ]


def narrow(columns: Sequence[Column], number: int, keys: Collection[str]) -> Sequence[Column]:
    """The columns of the sheet `number` that were chosen by name; all when none of them was.

    The running number stays, and so does the order.
    """
    found = [c for c in columns if c.key == NUMBER or f"{number}-{c.key}" in keys]
    return found if any(column.key != NUMBER for column in found) else columns


def sheets_for(user: User) -> list[SheetKind]:
    """The tables a user may take out."""
    return [
        kind for kind in SHEETS.values() if not kind.is_office_only or permissions.sees_scores(user)
    ]
