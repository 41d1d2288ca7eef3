"""Every table an office keeps, as data: its columns word for word, its paper, its rows.

Headings and order: domain.md, section 8.
"""

from supervision.spreadsheets.column_sets.registry import (
    SHEETS,
    SheetKind,
    column_choices,
    sheets_for,
)
from supervision.spreadsheets.column_sets.scope import NUMBERINGS, ORDERS, PAPERS, Scope
from supervision.spreadsheets.column_sets.writing import count_rows, write_sheets

__all__ = [
    "NUMBERINGS",
    "ORDERS",
    "PAPERS",
    "SHEETS",
    "Scope",
    "SheetKind",
    "column_choices",
    "count_rows",
    "sheets_for",
    "write_sheets",
]
