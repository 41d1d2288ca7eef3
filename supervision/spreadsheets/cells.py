"""Cells that can never become formulas, in workbooks and in CSV."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")
LONGEST_CELL = 32_767


def clean_text(value: Any) -> str:
    """Text a workbook can hold: no control characters, no more than a cell takes."""
    return ILLEGAL_CHARACTERS_RE.sub("", str(value))[:LONGEST_CELL]


def put(cell, value: Any):
    """Write a value into a cell: numbers and dates as such, every string as text."""
    if isinstance(value, str):
        cell.value = clean_text(value)
        cell.data_type = "s"
    else:
        cell.value = value
    return cell


def text_row(sheet, values: Sequence[Any]) -> list:
    """Cells for a write-only sheet, strings forced to text."""
    return [put(WriteOnlyCell(sheet), value) for value in values]


def csv_text(value: Any) -> str:
    """A CSV field: a leading formula character, also after blanks, gets an apostrophe."""
    text = "" if value is None else str(value)
    if text.lstrip(" \u3000").startswith(DANGEROUS) or text.startswith(DANGEROUS):
        return "'" + text
    return text


class Echo:
    """A file that hands back what is written to it, for streaming through csv.writer."""

    def write(self, value: str) -> str:
        return value


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """CSV text line by line, every field quoted where needed, beginning with a byte-order mark."""
    writer = csv.writer(Echo())
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([csv_text(value) for value in row])
