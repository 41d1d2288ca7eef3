"""How our sheets look: styles made once and shared, paper, widths, the height of wrapped text."""

import unicodedata
from collections.abc import Sequence
from copy import copy
from math import ceil
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.page import PageMargins

from supervision.rules.lights import Light
from supervision.spreadsheets.cells import put

A4, A3 = 9, 8
INCH_MM = 25.4
FONT = "宋体"
LINE_POINTS = 13.5
TALLEST_POINTS = 400
THIN = Side(style="thin", color="808080")
GRID = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)

# Shape and colours of a light, ink on tint (public-site.md, section 11).
SHAPES: dict[str, str] = {
    Light.RED: "■",
    Light.ORANGE: "⬟",
    Light.YELLOW: "▲",
    Light.BLUE: "◆",
    Light.GREEN: "●",
    Light.GREY: "○",
    Light.SUSPENDED: "‖",
    Light.DONE: "✓",
    Light.DONE_LATE: "✓",
}
COLOURS: dict[str, tuple[str, str]] = {
    Light.RED: ("8C1D18", "FDECEA"),
    Light.ORANGE: ("7A3000", "FFE9D9"),
    Light.YELLOW: ("6B4700", "FFF4D6"),
    Light.BLUE: ("164E80", "E8F1FA"),
    Light.GREEN: ("005A3C", "E6F4EE"),
    Light.GREY: ("3F4650", "F0F1F3"),
    Light.SUSPENDED: ("3F4650", "F0F1F3"),
    Light.DONE: ("005A3C", "E6F4EE"),
    Light.DONE_LATE: ("6B4700", "FFF4D6"),
}


class Style:
    """A look that many cells of one workbook share; the workbook keeps one record of it."""

    def __init__(
        self,
        *,
        size: float = 10,
        bold: bool = False,
        ink: str = "000000",
        fill: str = "",
        horizontal: str = "left",
        vertical: str = "center",
        is_framed: bool = True,
        number_format: str = "General",
        is_locked: bool = True,
        wraps: bool = True,
    ) -> None:
        self.font = Font(name=FONT, size=size, bold=bold, color=ink)
        self.fill = PatternFill("solid", fgColor=fill) if fill else PatternFill()
        self.alignment = Alignment(horizontal=horizontal, vertical=vertical, wrap_text=wraps)
        self.border = GRID if is_framed else Border()
        self.number_format = number_format
        self.protection = Protection(locked=is_locked)
        self._known: Any = None

    def dress(self, cell) -> Any:
        """Give the look to a cell of a sheet."""
        if self._known is None:
            cell.font, cell.fill, cell.border = self.font, self.fill, self.border
            cell.alignment, cell.protection = self.alignment, self.protection
            cell.number_format = self.number_format
            self._known = copy(cell._style)
        else:
            cell._style = self._known
        return cell


class Styles:
    """The looks of one workbook."""

    def __init__(self) -> None:
        self.title = Style(size=18, bold=True, horizontal="center", is_framed=False)
        self.facts = Style(size=10, is_framed=False)
        self.head = Style(bold=True, horizontal="center", fill="E7EBF0")
        self.band = Style(size=11, bold=True, fill="F3F5F8")
        self.text = Style(vertical="top")
        self.middle = Style()
        self.flat = Style(wraps=False)
        self.centre = Style(horizontal="center")
        self.top = Style(horizontal="center", vertical="top")
        self.number = Style(horizontal="right")
        self.percent = Style(horizontal="right", number_format="0.0%")
        self.total = Style(bold=True, fill="F3F5F8")
        self.sign = Style(size=11, is_framed=False)
        self.open = Style(vertical="top", fill="FFFBE6", is_locked=False)
        self.open_number = Style(horizontal="right", fill="FFFBE6", is_locked=False)
        self.small = Style(size=8, ink="595959")
        self.lights = {
            code: Style(bold=True, ink=ink, fill=tint, horizontal="center")
            for code, (ink, tint) in COLOURS.items()
        }


def new_workbook(*, creator: str, title: str) -> Workbook:
    """A streaming workbook without anybody's name in it."""
    book = Workbook(write_only=True)
    book.properties.creator = creator
    book.properties.title = title
    return book


def new_sheet(book: Workbook, name: str, widths: Sequence[float], *, paper: int = A4):
    """A landscape sheet, one page wide. Set frozen rows and titles before the first row."""
    sheet = book.create_sheet(name)
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = paper
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins = PageMargins(
        left=10 / INCH_MM,
        right=10 / INCH_MM,
        top=12 / INCH_MM,
        bottom=14 / INCH_MM,
        header=5 / INCH_MM,
        footer=6 / INCH_MM,
    )
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = _("Page %(page)s of %(pages)s") % {"page": "&P", "pages": "&N"}
    return sheet


def repeat_rows(sheet, rows: str) -> None:
    """Rows that begin every printed page, such as "1:3", and stay in sight on the screen."""
    sheet.print_title_rows = rows
    sheet.freeze_panes = f"A{int(rows.split(':')[1]) + 1}"


def note_on_paper(sheet, left: str) -> None:
    """What stands at the foot of every page, beside the page number."""
    sheet.oddFooter.left.text = left.replace("&", "&&")
    sheet.oddFooter.left.size = 8


class Writer:
    """Rows of a streaming sheet, with their number, look and height."""

    def __init__(self, sheet, widths: Sequence[float]) -> None:
        self.sheet = sheet
        self.widths = widths
        self.row = 0
        self.last_points = 0.0

    @property
    def width(self) -> int:
        return len(self.widths)

    def write(
        self,
        values: Sequence[Any],
        styles: Sequence[Style],
        *,
        height: float = 0,
        notes: Sequence[str] = (),
        is_plain: bool = False,
    ) -> int:
        """Append a row; the height is that of its tallest text unless given.

        `notes` are shown when somebody points at the cell. A plain row has the sheet's own height.
        """
        self.row += 1
        if not is_plain:
            self.last_points = height or self.height_of(values)
            self.sheet.row_dimensions[self.row].height = self.last_points
        cells = [
            style.dress(put(WriteOnlyCell(self.sheet), value))
            for value, style in zip(values, styles, strict=True)
        ]
        for cell, note in zip(cells, notes, strict=False):
            if note:
                cell.comment = Comment(note, "", width=260, height=80)
        self.sheet.append(cells)
        # The row is written; what is kept of it would grow with the sheet.
        self.sheet.row_dimensions.pop(self.row, None)
        return self.row

    def height_of(self, values: Sequence[Any]) -> float:
        """Points the tallest text of a row takes."""
        return min(TALLEST_POINTS, self.lines(values) * LINE_POINTS + 5)

    def lines(self, values: Sequence[Any]) -> int:
        return max(
            (
                lines_of(value, width)
                for value, width in zip(values, self.widths, strict=True)
                if isinstance(value, str)
            ),
            default=1,
        )

    def across(self, value: str, style: Style, *, height: float = 0) -> int:
        """One cell over the whole width."""
        total = sum(self.widths)
        points = height or lines_of(value, total) * LINE_POINTS + 8
        row = self.write([value] + [None] * (self.width - 1), [style] * self.width, height=points)
        self.merge(row, 1, row, self.width)
        return row

    def merge(self, first_row: int, first_column: int, last_row: int, last_column: int) -> None:
        if (first_row, first_column) == (last_row, last_column):
            return
        # Straight into the set: `add` compares with every range there is.
        self.sheet.merged_cells.ranges.add(
            CellRange(
                min_row=first_row, min_col=first_column, max_row=last_row, max_col=last_column
            )
        )


def text_width(text: str) -> int:
    """Width in half-width characters: a Han character counts two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def lines_of(text: str, width: float) -> int:
    """Lines a text takes in a column of that width, a little more rather than less."""
    room = max(width - 1.5, 2)
    return sum(max(ceil(text_width(line) / room), 1) for line in text.split("\n"))


def pieces(text: str, width: float, most_lines: int) -> list[str]:
    """Cut a text into parts that fit a row each: a sheet's row has a greatest height."""
    found, taken, lines = [], [], 0
    room = int(max(width - 1.5, 2))
    for paragraph in text.split("\n"):
        for part in _wrap(paragraph, room * most_lines):
            needed = lines_of(part, width)
            if taken and lines + needed > most_lines:
                found.append("\n".join(taken))
                taken, lines = [], 0
            taken.append(part)
            lines += needed
    found.append("\n".join(taken))
    return found


def _wrap(paragraph: str, most: int) -> list[str]:
    if text_width(paragraph) <= most:
        return [paragraph]
    step = max(most // 2, 1)
    return [paragraph[start : start + step] for start in range(0, len(paragraph), step)]
