"""The monthly return as a workbook: written for a body, read back, merged cell by cell.

A body fills cells of two sheets; a third keeps what every cell held when the workbook was written.
Only values are read. Columns: domain.md, section 8; limits: security.md, section 5.
"""

from supervision.spreadsheets.returns.checking import check
from supervision.spreadsheets.returns.columns import LONGEST_NOTE, LONGEST_TEXT
from supervision.spreadsheets.returns.reading import (
    BadCell,
    Conflict,
    Decision,
    ParsedReturn,
    Preview,
    read_return_workbook,
)
from supervision.spreadsheets.returns.writing import Written, write_return_workbook

__all__ = [
    "LONGEST_NOTE",
    "LONGEST_TEXT",
    "BadCell",
    "Conflict",
    "Decision",
    "ParsedReturn",
    "Preview",
    "Written",
    "check",
    "read_return_workbook",
    "write_return_workbook",
]
