"""Read a return workbook that came back: values only, the container checked first."""

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from supervision.models import (
    Organization,
    Target,
)
from supervision.rules.merge import Choice
from supervision.services.acts import ActRefused
from supervision.services.files import check_upload
from supervision.spreadsheets.returns.columns import (
    CHECK,
    CHECK_SHEET,
    FORMAT,
    HEAD_ROW,
    MOST_ROWS,
    MOST_UNPACKED_BYTES,
    SHEETS,
    Column,
)
from supervision.spreadsheets.returns.state import State, plain_text
from supervision.spreadsheets.returns.writing import digest


@dataclass(frozen=True)
class BadCell:
    """A cell that stops the import: where, what, why, and what to do."""

    sheet: str
    cell: str
    value: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Cell:
    """A cell as read: its address and its plain value."""

    at: str
    value: Any
    data_type: str = "n"
    number_format: str = "General"


@dataclass
class ParsedRow:
    code: str  # of the sheet
    number: int
    cells: dict[str, Cell]

    @property
    def uid(self) -> str:
        return plain_text(self.cells["row_id"].value)

    @property
    def goal_uid(self) -> str:
        return plain_text(self.cells["goal_id"].value) if "goal_id" in self.cells else ""


@dataclass
class ParsedReturn:
    """A returned workbook as read, before anything is compared with the database."""

    organization_uid: str
    label: str
    sha256: str
    workbook_uid: str = ""
    rows: list[ParsedRow] = field(default_factory=list)
    # (sheet, row identifier, goal identifier, column): value when written
    exported: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    is_check_sheet_intact: bool = True


@dataclass(frozen=True)
class Change:
    """One cell that will be written: its place, the value before and the new one."""

    sheet: str
    cell: str
    heading: str
    before: str
    after: str


@dataclass(frozen=True)
class Conflict:
    """A cell both sides changed. Nothing is written before a person has said whose value stays."""

    key: str
    sheet: str
    cell: str
    task: str
    heading: str
    exported: str
    current: str
    edited: str
    changed_by: str
    changed_at: datetime | None
    seen: str  # stands for `current`: a choice made before it changed again does not count
    choice: Choice | None = None
    is_stale: bool = False

    @property
    def is_open(self) -> bool:
        return self.choice is None


@dataclass(frozen=True)
class Decision:
    """What a person chose for a conflict, and what stood in the system when it was chosen."""

    choice: Choice
    seen: str = ""


@dataclass
class RowChange:
    """One return that will be saved: the fields that change, and no others."""

    state: State
    texts: dict[str, Any]
    figures: dict[Target, tuple[Decimal | None, str]]
    changes: list[Change]


@dataclass
class Preview:
    """What an import would do. Nothing is written while `bad` holds anything."""

    organization: Organization | None
    label: str
    applied: list[RowChange] = field(default_factory=list)
    unchanged: int = 0
    bad: list[BadCell] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    refused: int = 0  # of the bad cells, those in locked columns
    # What the workbook holds instead of what was last taken from it, by the key of the cell.
    taken: dict[str, str] = field(default_factory=dict)

    @property
    def open_conflicts(self) -> int:
        return sum(conflict.is_open for conflict in self.conflicts)

    @property
    def is_acceptable(self) -> bool:
        """No bad cell, and every conflict decided."""
        return not self.bad and not self.open_conflicts


def read_return_workbook(upload: UploadedFile) -> ParsedReturn:
    """Read a workbook that came back. Values only; the container is checked before parsing.

    Raises ActRefused when it cannot be one of ours; single bad cells are found by `check`.
    """
    checked = check_upload(upload)
    if checked.kind != "xlsx":
        raise ActRefused(_("Upload the Excel file (xlsx) that you downloaded here."))
    with zipfile.ZipFile(BytesIO(checked.content)) as container:
        if sum(member.file_size for member in container.infolist()) > MOST_UNPACKED_BYTES:
            raise ActRefused(_("The workbook holds far more than returns. Download it anew."))
    try:
        book = load_workbook(BytesIO(checked.content), read_only=True, keep_links=False)
        try:
            return _parse(book, hashlib.sha256(checked.content).hexdigest())
        finally:
            book.close()
    except ActRefused:
        raise
    except Exception as error:  # openpyxl raises whatever a broken part provokes
        raise ActRefused(
            _("The workbook cannot be read. Open it in Excel or WPS, save it as xlsx, try again.")
        ) from error


def _not_ours(missing: str) -> ActRefused:
    return ActRefused(
        _(
            "This is not a return workbook of this system: “%(missing)s” is not where it should "
            "be. Download the workbook anew and fill that one in."
        )
        % {"missing": missing}
    )


def _parse(book, sha256: str) -> ParsedReturn:
    identity = None
    kept: list[list[str]] = []
    for row in _rows(book, str(CHECK_SHEET), CHECK, first=1):
        values = [plain_text(cell.value) for cell in row.values()]
        if identity is None:
            identity = values
            if values[0] != FORMAT:
                raise _not_ours(str(CHECK_SHEET))
        elif int(row["sheet"].at[1:]) > HEAD_ROW:
            kept.append(values)
    if identity is None:
        raise _not_ours(str(CHECK_SHEET))
    parsed = ParsedReturn(
        organization_uid=identity[1],
        label=identity[3],
        sha256=sha256,
        workbook_uid=identity[4],
    )
    written = digest([FORMAT, parsed.organization_uid, parsed.label, parsed.workbook_uid], kept)
    parsed.is_check_sheet_intact = constant_time_compare(written, identity[6])
    for sheet, _cell, uid, goal, _version, column, value in kept:
        parsed.exported[sheet, uid, goal, column] = value
    for code, (name, columns) in SHEETS.items():
        rows = _rows(book, str(name), columns, first=HEAD_ROW)
        heads = next(rows, None)
        for column in columns:
            if heads is None or plain_text(heads[column.key].value) != column.title:
                raise _not_ours(column.title)
        for number, row in enumerate(rows, start=1):
            parsed.rows.append(ParsedRow(code, number, row))
    return parsed


def _rows(book, name: str, columns: Sequence[Column], *, first: int) -> Iterator[dict[str, Cell]]:
    """The rows of a sheet that hold anything, as far as its used range goes."""
    if name not in book.sheetnames:
        raise _not_ours(name)
    sheet = book[name]
    if not hasattr(sheet, "reset_dimensions"):  # a chart sheet under the same name
        raise _not_ours(name)
    sheet.reset_dimensions()  # what the file says of its size need not be true
    rows = sheet.iter_rows(min_row=first, max_col=len(columns))
    for number, row in enumerate(rows, start=first):
        if all(cell.value is None or plain_text(cell.value) == "" for cell in row):
            if number > MOST_ROWS * 20:
                raise _too_long(name)
            continue
        if number > MOST_ROWS * (20 if columns is CHECK else 1):
            raise _too_long(name)
        yield {
            column.key: Cell(
                f"{get_column_letter(index)}{number}",
                cell.value,
                cell.data_type if cell.value is not None else "n",
                (cell.number_format or "General") if cell.value is not None else "General",
            )
            for index, (column, cell) in enumerate(zip(columns, row, strict=True), start=1)
        }


def _too_long(name: str) -> ActRefused:
    return ActRefused(
        _("The sheet “%(sheet)s” is far longer than a return. Download the workbook anew.")
        % {"sheet": name}
    )
