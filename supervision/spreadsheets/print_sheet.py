"""A sheet to print and the flat one beside it, written row by row as the rows come.

Nothing is kept but what the paper needs: the cell that is being merged, the counts of the foot.
Customs: domain.md, section 8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from supervision.spreadsheets.layout import (
    LINE_POINTS,
    TALLEST_POINTS,
    Style,
    Styles,
    Writer,
    pieces,
    repeat_rows,
)

HALF_PAGE_POINTS = 240
MOST_LINES = int((TALLEST_POINTS - 5) / LINE_POINTS)
FLAT_POINTS = 15
RUNNING, PER_CHAPTER = "running", "chapter"


@dataclass(frozen=True)
class Column:
    """One column: heading, width in half-width characters, look.

    `is_long` texts go on in a further row, `is_merged` cells are joined with equal ones above,
    `is_summed` numbers have a sum in the foot. `look` names a style of `Styles`, or "light":
    then the value is a pair of the light's code and the text.
    """

    key: str
    heading: Any
    width: float
    look: str = "middle"
    is_long: bool = False
    is_merged: bool = False
    is_summed: bool = False

    @property
    def is_number(self) -> bool:
        return self.look in ("number", "percent")


@dataclass(frozen=True)
class Row:
    """One row: values by the key of the column; under which band it stands."""

    values: Mapping[str, Any]
    band: str = ""


NUMBER = "seq"


@dataclass
class PrintSheet:
    """The sheet to print: title, facts, heads, rows under bands, a foot and the signatures."""

    writer: Writer
    styles: Styles
    columns: Sequence[Column]
    title: str
    facts: str
    numbering: str = RUNNING
    sums_by_band: bool = False
    number: int = 0
    band: str | None = None
    sums: dict[str, float] = field(default_factory=dict)
    # Of each merged column: the value, its first row, the points it takes so far.
    _open: dict[int, tuple[Any, int, float]] = field(default_factory=dict)

    def begin(self) -> None:
        repeat_rows(self.writer.sheet, "3:3")
        self.writer.across(self.title, self.styles.title, height=30)
        self.writer.across(self.facts, self.styles.facts)
        headings = [str(column.heading) for column in self.columns]
        self.writer.write(headings, [self.styles.head] * len(headings), height=32)

    def add(self, row: Row) -> None:
        if row.band != self.band:
            self._close_merged()
            if self.sums_by_band:
                self._write_sums()
            self.band = row.band
            if self.numbering == PER_CHAPTER:
                self.number = 0
            if row.band:
                self.writer.across(row.band, self.styles.band)
        self.number += 1
        shown = [self._shown(column, row) for column in self.columns]
        looks = [self._look(column, row) for column in self.columns]
        for column, value in zip(self.columns, shown, strict=True):
            if column.is_summed and value is not None:
                self.sums[column.key] = self.sums.get(column.key, 0) + value
        self._join(shown)
        first, points = self._write(shown, looks)
        for index, (value, start, taken) in list(self._open.items()):
            self._open[index] = (value, start or first, taken + points)

    def finish(self, *, total: str = "", signature: bool = True) -> None:
        """The foot; `total` in words, or the sums of the summed columns."""
        self._close_merged()
        if self.band is None:
            self.writer.across(_("There is nothing to show."), self.styles.middle)
        if total:
            self.writer.across(total, self.styles.total)
        else:
            self._write_sums()
        if signature:
            self.writer.across("", self.styles.sign, height=10)
            self.writer.across(
                _(
                    "Filled in by: ____________        Signed off by: ____________        "
                    "Date: ________"
                ),
                self.styles.sign,
                height=28,
            )

    def _write_sums(self) -> None:
        """The sums of what has passed since the last ones; nothing where nothing is summed."""
        if not self.sums:
            return
        values: list[Any] = [self.sums.get(column.key) for column in self.columns]
        first = next((i for i, c in enumerate(self.columns) if not c.is_summed), None)
        if first is not None:
            values[first] = _("Total")
        self.writer.write(values, [self.styles.total] * len(values), height=20)
        self.sums = {}

    def _shown(self, column: Column, row: Row) -> Any:
        if column.key == NUMBER:
            return self.number
        value = row.values.get(column.key)
        if column.look == "light" and value is not None:
            return value[1]
        return "" if value is None and not column.is_number else value

    def _look(self, column: Column, row: Row) -> Style:
        if column.look == "light":
            value = row.values.get(column.key)
            return self.styles.lights[value[0]] if value else self.styles.centre
        return getattr(self.styles, column.look)

    def _join(self, shown: list) -> None:
        """Leave out what the merged cell above already says."""
        for index, column in enumerate(self.columns):
            if not column.is_merged:
                continue
            value, start, points = self._open.get(index, (None, 0, 0.0))
            # A cell merged over more than half a page would show its words on one page only.
            if start and value == shown[index] and points <= HALF_PAGE_POINTS:
                shown[index] = None
                continue
            self._merge(index)
            self._open[index] = (shown[index], 0, 0.0)

    def _merge(self, index: int) -> None:
        _value, start, _points = self._open.pop(index, (None, 0, 0.0))
        if start:
            self.writer.merge(start, index + 1, self.writer.row, index + 1)

    def _close_merged(self) -> None:
        for index in list(self._open):
            self._merge(index)

    def _write(self, shown: list, looks: list[Style]) -> tuple[int, float]:
        """One row, or several when a text is longer than a row can be; first row and points."""
        parts = {
            index: pieces(shown[index] or "", self.writer.widths[index], MOST_LINES)
            for index, column in enumerate(self.columns)
            if column.is_long
        }
        count = max((len(part) for part in parts.values()), default=1)
        first, points = self.writer.row + 1, 0.0
        for number in range(count):
            row = list(shown) if number == 0 else [None] * len(shown)
            for index, part in parts.items():
                row[index] = part[number] if number < len(part) else ""
            self.writer.write(row, looks)
            points += self.writer.last_points
        if count > 1:
            for index, column in enumerate(self.columns):
                if not column.is_long and not column.is_merged:
                    self.writer.merge(first, index + 1, self.writer.row, index + 1)
        return first, points


@dataclass
class FlatSheet:
    """One row each, nothing merged, headings in the first row: ready for a pivot."""

    writer: Writer
    styles: Styles
    columns: Sequence[Column]
    number: int = 0

    def begin(self) -> None:
        sheet = self.writer.sheet
        repeat_rows(sheet, "1:1")
        sheet.sheet_format.defaultRowHeight = FLAT_POINTS
        sheet.sheet_format.customHeight = True
        headings = [str(column.heading) for column in self.columns]
        self.writer.write(headings, [self.styles.head] * len(headings), height=44)

    def add(self, row: Row) -> None:
        self.number += 1
        values, looks = [], []
        for column in self.columns:
            value = self.number if column.key == NUMBER else row.values.get(column.key)
            look = self.styles.flat
            if column.look == "light" and value is not None:
                look = self.styles.lights[value[0]]
                value = value[1].replace("\n", " ")
            elif column.is_number:
                look = getattr(self.styles, column.look)
            values.append("" if value is None and not column.is_number else value)
            looks.append(look)
        self.writer.write(values, looks, height=0, is_plain=True)

    def finish(self) -> None:
        last = max(self.number + 1, 2)
        self.writer.sheet.auto_filter.ref = f"A1:{get_column_letter(len(self.columns))}{last}"
