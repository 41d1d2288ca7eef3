"""Write a table: the merged sheet to print and the flat one beside it."""

from collections.abc import Callable
from typing import BinaryIO

from django.utils.translation import pgettext, pgettext_lazy

from supervision.spreadsheets.column_sets.registry import LEDGER, SheetKind, narrow
from supervision.spreadsheets.column_sets.scope import PAPERS, Scope
from supervision.spreadsheets.layout import (
    A4,
    Styles,
    Writer,
    new_sheet,
    new_workbook,
    note_on_paper,
)
from supervision.spreadsheets.ledger import (
    FLAT_COLUMNS,
    PRINT_COLUMNS,
    exported_line,
    facts_line,
    write_ledger,
)
from supervision.spreadsheets.print_sheet import Column, FlatSheet, PrintSheet, Row

# So often the progress is told.
TOLD_EVERY = 200
LONGEST_SHEET_NAME = 31
# What stands above a group of rows on paper stands in every row of the flat sheet.
BAND = Column("band", pgettext_lazy("sheet", "Chapter or body"), 24)
Progress = Callable[[int, int], None]


def count_rows(kind: SheetKind, scope: Scope) -> int:
    """About how many rows it will be: what decides whether it runs behind. One cheap query."""
    return scope.shares().count()


def write_sheets(
    target: str | BinaryIO,
    kind: SheetKind,
    scope: Scope,
    *,
    title: str,
    filter_text: str = "",
    progress: Progress | None = None,
) -> int:
    """Write the workbook of a table; returns how many rows it holds.

    `progress` is told (rows done, rows expected) now and then; what it raises ends the writing.
    """
    if kind.code == LEDGER:
        counts = write_ledger(
            target,
            assignments=scope.shares(),
            today=scope.today,
            as_of=scope.as_of,
            title=title,
            filter_text=filter_text,
            unit_name=scope.unit_name,
            body=scope.body,
            light=scope.light,
            exported_by=str(scope.user),
            paper=PAPERS[scope.paper],
            order=scope.order,
            numbering=scope.numbering,
            progress=progress,
            columns=[column.key for column in narrow(PRINT_COLUMNS, 0, scope.columns)],
            details=[column.key for column in narrow(FLAT_COLUMNS, 1, scope.columns)],
        )
        return counts.assignments
    book = new_workbook(creator=scope.unit_name, title=title)
    styles = Styles()
    facts = facts_line(filter_text, scope.as_of, scope.unit_name)
    on_paper = exported_line(str(scope.user), scope.as_of)
    expected = count_rows(kind, scope) if progress is not None else 0
    done = 0
    for number, part in enumerate(kind.parts):
        columns = narrow(part.columns, number, scope.columns)
        widths = [column.width for column in columns]
        name = str(part.title)
        flat_name = pgettext("sheet", "%(name)s (flat)") % {"name": name}
        sheets = []
        for sheet_name, paper, more in (
            (name, PAPERS[scope.paper], []),
            (flat_name, A4, [BAND.width]),
        ):
            sheet = new_sheet(book, sheet_name[:LONGEST_SHEET_NAME], widths + more, paper=paper)
            note_on_paper(sheet, on_paper)
            sheets.append(Writer(sheet, widths + more))
        printed = PrintSheet(
            sheets[0],
            styles,
            columns,
            title if number == 0 else name,
            facts,
            numbering=scope.numbering,
            sums_by_band=part.sums_by_band,
        )
        flat = FlatSheet(sheets[1], styles, [*columns, BAND])
        printed.begin()
        flat.begin()
        for row in part.rows(scope):
            printed.add(row)
            flat.add(Row({**row.values, BAND.key: row.band}))
            done += 1
            if progress is not None and done % TOLD_EVERY == 0:
                progress(done, max(expected, done))
        printed.finish()
        flat.finish()
    book.save(target)
    return done
