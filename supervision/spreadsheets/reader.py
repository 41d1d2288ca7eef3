"""Read the values of somebody else's workbook in a process of its own, with bounds.

`python -m supervision.spreadsheets.reader [SHEET]` takes a checked workbook on its standard input
and answers one JSON object: sheet names, rows that hold anything, merged ranges, or `error`. No
Django here: the child starts fast, and whatever a file provokes ends the child, not the caller.
"""

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any

MOST_MEMORY = 512 * 1024 * 1024
MOST_SECONDS = 60
MOST_ROWS = 50_000
MOST_COLUMNS = 60
TOO_LONG, UNREADABLE = "too long", "unreadable"


class TableUnreadable(Exception):
    """The workbook cannot be read within the bounds; `code` says which was met."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class RawTable:
    """One sheet as read: rows by number from 1, merged ranges as (row, column, row, column)."""

    sheets: tuple[str, ...]
    sheet: str
    rows: dict[int, list[Any]]
    merged: tuple[tuple[int, int, int, int], ...]


def read_table(content: bytes, sheet: str = "") -> RawTable:
    """The values of a sheet, the first one unless named. Raises TableUnreadable."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "supervision.spreadsheets.reader", sheet],
            input=content,
            capture_output=True,
            timeout=MOST_SECONDS * 2,
            check=False,
        )
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise TableUnreadable(TOO_LONG) from error
    if "error" in found:
        raise TableUnreadable(found["error"])
    return RawTable(
        tuple(found["sheets"]),
        found["sheet"],
        {number: [_value(value) for value in values] for number, values in found["rows"]},
        tuple(tuple(part) for part in found["merged"]),
    )


def _value(value: Any) -> Any:
    return date.fromisoformat(value["d"]) if isinstance(value, dict) else value


# The child


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    content = sys.stdin.buffer.read()
    try:
        answer = _read(content, sys.argv[1] if len(sys.argv) > 1 else "")
    except MemoryError:
        answer = {"error": TOO_LONG}
    except Exception:  # openpyxl raises whatever a broken part provokes
        answer = {"error": UNREADABLE}
    json.dump(answer, sys.stdout, ensure_ascii=False)


def _read(content: bytes, wanted: str) -> dict:
    from openpyxl import load_workbook
    from openpyxl.worksheet._reader import WorkSheetParser

    book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
    sheets = [one for one in book.worksheets if one.sheet_state == "visible"]
    sheet = next((one for one in sheets if one.title == wanted), sheets[0])
    rows: list[list] = []
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            if any(cell["column"] > MOST_COLUMNS and _has(cell) for cell in cells):
                return {"error": TOO_LONG}
            values: list[Any] = [None] * max((cell["column"] for cell in cells), default=0)
            for cell in cells:
                if cell["column"] <= MOST_COLUMNS:
                    values[cell["column"] - 1] = _plain(cell["value"])
            if any(value not in (None, "") for value in values):
                if number > MOST_ROWS:
                    return {"error": TOO_LONG}
                rows.append([number, values[:MOST_COLUMNS]])
        ranges = parser.merged_cells.mergeCell if parser.merged_cells else []
    merged = [[one.min_row, one.min_col, one.max_row, one.max_col] for one in ranges]
    return {
        "sheets": [one.title for one in sheets],
        "sheet": sheet.title,
        "rows": rows,
        "merged": merged,
    }


def _has(cell: dict) -> bool:
    return cell["value"] not in (None, "")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return {"d": (value.date() if isinstance(value, datetime) else value).isoformat()}
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


if __name__ == "__main__":
    main()
