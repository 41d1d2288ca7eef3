"""The monthly return as a workbook: written for a body, read back, every bad cell named.

A body fills cells of two sheets; a third keeps what every cell held when the workbook was written
and the version of its return, so that a row changed on the desk meanwhile is noticed. Only values
are read. Columns: domain.md, section 8; limits: security.md, section 5.
"""

import hashlib
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any, BinaryIO

from django.core.files.uploadedfile import UploadedFile
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from supervision.models import (
    Assignment,
    Cause,
    Organization,
    ProgressReport,
    ReportPeriod,
    Target,
)
from supervision.services.acts import ActRefused
from supervision.services.files import check_upload
from supervision.spreadsheets.cells import clean_text
from supervision.spreadsheets.layout import (
    Styles,
    Writer,
    new_sheet,
    new_workbook,
    repeat_rows,
)

FORMAT = "1"
HEAD_ROW = 3
MOST_ROWS = 5_000
MOST_UNPACKED_BYTES = 40 * 1024 * 1024
# Room to write in.
LEAST_POINTS = {"progress": 48, "figures": 32}
LONGEST_TEXT = 4_000
LONGEST_NOTE = 200
WHOLE_DIGITS = 12
IN_HAND = (Assignment.Status.IN_PROGRESS, Assignment.Status.RETURNED)
PREFILLED = ("self_percent", "problem_text", "next_text", "cause")
TEXTS = ("progress_text", "problem_text", "next_text", "coordination_text")
FIELDS = ("progress_text", "self_percent", "problem_text", "cause", "next_text") + (
    "coordination_text",
)


@dataclass(frozen=True)
class Column:
    """A column of a sheet to fill. `kind` of an open one: text, note, percent, cause, figure."""

    key: str
    heading: Any
    width: float
    kind: str = ""
    note: Any = ""

    @property
    def is_open(self) -> bool:
        return bool(self.kind)

    @property
    def title(self) -> str:
        return f"{self.heading}*" if self.is_open else str(self.heading)


ROW_ID = Column(
    "row_id",
    pgettext_lazy("return", "Row identifier"),
    20,
    note=pgettext_lazy("return", "Tells the system which return this row is. Do not change it."),
)
PROGRESS = (
    Column("seq", pgettext_lazy("return", "No."), 5),
    Column("number", pgettext_lazy("return", "Number"), 13),
    Column("item", pgettext_lazy("return", "Task"), 20),
    Column("goals", pgettext_lazy("return", "Goals (unit, definition)"), 24),
    Column("due_date", pgettext_lazy("return", "Due date"), 12),
    Column(
        "progress_text",
        pgettext_lazy("return", "Progress of this period"),
        34,
        "text",
        pgettext_lazy("return", "What was done in this period, up to 4,000 characters."),
    ),
    Column(
        "self_percent",
        pgettext_lazy("return", "Own estimate (percent)"),
        9,
        "percent",
        pgettext_lazy("return", "A whole number from 0 to 100, without the percent sign."),
    ),
    Column(
        "problem_text",
        pgettext_lazy("return", "Problems"),
        20,
        "text",
        pgettext_lazy("return", "Carried over from the last return; delete what is solved."),
    ),
    Column(
        "cause",
        pgettext_lazy("return", "Cause of delay"),
        12,
        "cause",
        pgettext_lazy("return", "Choose from the list; leave it empty when nothing is behind."),
    ),
    Column(
        "next_text",
        pgettext_lazy("return", "Next steps"),
        20,
        "text",
        pgettext_lazy("return", "What follows, by whom, by when."),
    ),
    Column(
        "coordination_text",
        pgettext_lazy("return", "Matters to coordinate"),
        18,
        "text",
        pgettext_lazy("return", "What you need the office or other bodies to settle."),
    ),
    ROW_ID,
)
FIGURES = (
    Column("seq", pgettext_lazy("return", "No."), 5),
    Column("item", pgettext_lazy("return", "Task"), 24),
    Column("goal_name", pgettext_lazy("return", "Numeric goal"), 24),
    Column("goal", pgettext_lazy("return", "Goal and unit"), 16),
    Column("definition", pgettext_lazy("return", "Definition"), 28),
    Column("last_value", pgettext_lazy("return", "Last cumulative value"), 12),
    Column(
        "value",
        pgettext_lazy("return", "Cumulative value"),
        14,
        "figure",
        pgettext_lazy("return", "The total up to now in the goal's unit: a plain number."),
    ),
    Column(
        "note",
        pgettext_lazy("return", "Note on the figure"),
        24,
        "note",
        pgettext_lazy("return", "Needed when the value is lower than the last one: say why."),
    ),
    ROW_ID,
    Column(
        "goal_id",
        pgettext_lazy("return", "Goal identifier"),
        20,
        note=pgettext_lazy("return", "Tells the system which goal this row is. Do not change it."),
    ),
)
CHECK = (
    Column("sheet", pgettext_lazy("return", "Sheet"), 14),
    Column("cell", pgettext_lazy("return", "Cell"), 8),
    Column("row_id", pgettext_lazy("return", "Row identifier"), 38),
    Column("goal_id", pgettext_lazy("return", "Goal identifier"), 38),
    Column("version", pgettext_lazy("return", "Version"), 8),
    Column("column", pgettext_lazy("return", "Column"), 18),
    Column("value", pgettext_lazy("return", "Value when written"), 60),
)
SHEETS = {
    "progress": (pgettext_lazy("return", "Progress of the period"), PROGRESS),
    "figures": (pgettext_lazy("return", "Figures"), FIGURES),
}
CHECK_SHEET = pgettext_lazy("return", "Check data")


# What the database says


@dataclass
class State:
    """One return as it stands: what its cells would show now."""

    period: ReportPeriod
    report: ProgressReport | None
    values: dict[str, str]
    figures: dict[str, tuple[str, str]]
    last_values: dict[str, Decimal]
    targets: list[Target]

    @property
    def assignment(self) -> Assignment:
        return self.period.assignment

    @property
    def version(self) -> str:
        return "" if self.report is None else str(self.report.version)

    @property
    def refusal(self) -> str:
        """Why nothing can be written into it now; empty when it can."""
        if self.period.status == ReportPeriod.Status.SKIPPED:
            return _("No return is owed for this period: the office skipped it.")
        if self.report and self.report.status not in ProgressReport.EDITABLE_STATES:
            return _("This return is already “%(state)s”.") % {
                "state": self.report.get_status_display()
            }
        if self.assignment.status not in IN_HAND:
            return _("The task is “%(state)s” and takes no return.") % {
                "state": self.assignment.get_status_display()
            }
        return ""


def read_states(organization: Organization, label: str) -> dict[str, State]:
    """The returns of one period of a body by the identifier of their row, in document order.

    The number of queries does not depend on the number of rows.
    """
    earlier = ProgressReport.objects.filter(
        period__assignment=OuterRef("assignment"), period__start_date__lt=OuterRef("start_date")
    ).order_by("-period__start_date")
    periods = list(
        ReportPeriod.objects.filter(
            assignment__organization=organization, assignment__transferred_to=None, label=label
        )
        .exclude(assignment__status=Assignment.Status.CANCELLED)
        .select_related("assignment__item")
        .annotate(last_pk=Subquery(earlier.values("pk")[:1]))
        .order_by("assignment__item__document_id", "assignment__item__position", "pk")
    )
    reports = ProgressReport.objects.filter(period__in=periods).prefetch_related("figures")
    present = {report.period_id: report for report in reports}
    last = ProgressReport.objects.filter(
        pk__in=[period.last_pk for period in periods if period.last_pk]
    ).prefetch_related("figures")
    before = {report.pk: report for report in last}
    targets: dict[int, list[Target]] = {}
    for target in Target.objects.filter(
        clause__in=[period.assignment.item.clause_id for period in periods]
    ).order_by("position"):
        targets.setdefault(target.clause_id, []).append(target)
    return {
        str(period.uid): _state(
            period,
            present.get(period.pk),
            before.get(period.last_pk),
            targets.get(period.assignment.item.clause_id, []),
        )
        for period in periods
    }


def _state(period, report, last, targets) -> State:
    """A saved return, or the last one carried forward as the screen does."""
    values = dict.fromkeys(FIELDS, "")
    source, names = (report, FIELDS) if report is not None else (last, PREFILLED)
    if source is not None:
        values |= {name: plain_text(getattr(source, name)) for name in names}
    uids = {target.pk: str(target.uid) for target in targets}
    figures = dict.fromkeys(uids.values(), ("", ""))
    for figure in source.figures.all() if source is not None else ():
        if figure.target_id in uids:
            note = plain_text(figure.note) if report is not None else ""
            figures[uids[figure.target_id]] = (plain_number(figure.value), note)
    last_values = {
        uids[figure.target_id]: figure.value
        for figure in (last.figures.all() if last is not None else ())
        if figure.target_id in uids
    }
    return State(period, report, values, figures, last_values, targets)


def plain_number(value: Decimal) -> str:
    """Without the zeros the database adds, never with an exponent."""
    text = f"{Decimal(value).normalize():f}"
    return "0" if text == "-0" else text


def plain_text(value: Any) -> str:
    """A text as a workbook gives it back: one kind of line end, nothing around it."""
    if value is None:
        return ""
    text = re.sub(r"_x000[dD]_\n?|\r\n?", "\n", str(value))
    return clean_text(text).strip()


# Writing


def write_return_workbook(
    target: str | BinaryIO, *, organization: Organization, label: str, at: datetime
) -> int:
    """Write the workbook of the returns the body still owes for a period; returns their number.

    Raises ActRefused when nothing is owed.
    """
    states = {
        uid: state for uid, state in read_states(organization, label).items() if not state.refusal
    }
    if not states:
        raise ActRefused(
            _("No return of %(period)s is open: all are handed in, or none is owed.")
            % {"period": label}
        )
    book = new_workbook(
        creator=organization.short_name,
        title=_("Returns of %(period)s") % {"period": label},
    )
    styles = Styles()
    kept: list[list[str]] = []
    _write_sheet(book, styles, "progress", _progress_rows(states), organization, label, kept)
    _write_sheet(book, styles, "figures", _figure_rows(states), organization, label, kept)
    _write_check(book, styles, organization, label, at, kept)
    book.save(target)
    return len(states)


def _progress_rows(states: dict[str, State]) -> Iterator[tuple[dict, str, str, str]]:
    """The cells of a row, with its row identifier, goal identifier and version."""
    for number, (uid, state) in enumerate(states.items(), start=1):
        item = state.assignment.item
        yield (
            {
                "seq": str(number),
                "number": item.number or "",
                "item": item.title,
                "goals": "\n".join(_goal_in_words(goal) for goal in state.targets),
                "due_date": state.assignment.due_date.isoformat()
                if state.assignment.due_date
                else _("ongoing"),
                "row_id": uid,
            }
            | state.values,
            uid,
            "",
            state.version,
        )


def _figure_rows(states: dict[str, State]) -> Iterator[tuple[dict, str, str, str]]:
    number = 0
    for uid, state in states.items():
        for goal in state.targets:
            number += 1
            key = str(goal.uid)
            last = state.last_values.get(key)
            value, note = state.figures[key]
            yield (
                {
                    "seq": str(number),
                    "item": state.assignment.item.title,
                    "goal_name": goal.name,
                    "goal": _height_of(goal),
                    "definition": plain_text(goal.definition),
                    "last_value": plain_number(last) if last is not None else "",
                    "value": value,
                    "note": note,
                    "row_id": uid,
                    "goal_id": key,
                },
                uid,
                key,
                state.version,
            )


def _height_of(goal: Target) -> str:
    if goal.value is None:
        return goal.get_comparison_display()
    return _("%(comparison)s %(value)s %(unit)s") % {
        "comparison": goal.get_comparison_display(),
        "value": plain_number(goal.value),
        "unit": goal.unit,
    }


def _goal_in_words(goal: Target) -> str:
    if goal.definition:
        return _("%(name)s %(goal)s (%(definition)s)") % {
            "name": goal.name,
            "goal": _height_of(goal),
            "definition": plain_text(goal.definition).rstrip("。"),
        }
    return _("%(name)s %(goal)s") % {"name": goal.name, "goal": _height_of(goal)}


def _write_sheet(book, styles, code, rows, organization, label, kept) -> None:
    name, columns = SHEETS[code]
    widths = [column.width for column in columns]
    sheet = new_sheet(book, str(name), widths)
    repeat_rows(sheet, f"{HEAD_ROW}:{HEAD_ROW}")
    _protect(sheet)
    rows = list(rows)
    _offer_choices(sheet, columns, len(rows))
    writer = Writer(sheet, widths)
    writer.across(
        _("%(body)s: returns of %(period)s") % {"body": organization, "period": label},
        styles.title,
        height=30,
    )
    writer.across(
        _(
            "Fill in the light yellow cells only (headings with *). Save the file as xlsx and "
            "upload it where you downloaded it. Rows you leave as they are stay unchanged."
        ),
        styles.facts,
        height=20,
    )
    writer.write(
        [column.title for column in columns],
        [styles.head] * len(columns),
        height=32,
        notes=[str(column.note) for column in columns],
    )
    looks = [
        styles.small
        if column.key in ("row_id", "goal_id")
        else styles.middle
        if not column.is_open
        else styles.open_number
        if column.kind in ("percent", "figure")
        else styles.open
        for column in columns
    ]
    for cells, uid, goal, version in rows:
        shown = [_shown(column, cells) for column in columns]
        height = max(writer.height_of(shown), LEAST_POINTS[code])
        row = writer.write(shown, looks, height=height)
        for number, column in enumerate(columns, start=1):
            cell = f"{get_column_letter(number)}{row}"
            value = plain_text(cells[column.key])
            kept.append([str(name), cell, uid, goal, version, column.title, value])


def _shown(column: Column, cells: dict[str, str]) -> Any:
    """The value as the person sees it: numbers as numbers, a cause by its name."""
    text = cells[column.key]
    if column.kind == "cause":
        return str(Cause(text).label) if text else ""
    if text and column.kind in ("percent", "figure"):
        return Decimal(text)
    return text


def _protect(sheet) -> None:
    """Locked without a password: a guard against slips, not a secret."""
    sheet.protection.sheet = True
    sheet.protection.formatRows = False
    sheet.protection.formatColumns = False


def _offer_choices(sheet, columns: Sequence[Column], count: int) -> None:
    first, last = HEAD_ROW + 1, HEAD_ROW + max(count, 1)
    for number, column in enumerate(columns, start=1):
        if not column.is_open:
            continue
        rule = {
            "text": {"type": "textLength", "operator": "lessThanOrEqual", "formula1": "4000"},
            "note": {"type": "textLength", "operator": "lessThanOrEqual", "formula1": "200"},
            "percent": {
                "type": "whole",
                "operator": "between",
                "formula1": "0",
                "formula2": "100",
            },
            "figure": {"type": "decimal", "operator": "greaterThanOrEqual", "formula1": "0"},
            "cause": {
                "type": "list",
                "formula1": '"{}"'.format(",".join(str(cause.label) for cause in Cause)),
            },
        }[column.kind]
        validation = DataValidation(
            **rule,
            allow_blank=True,
            showErrorMessage=True,
            errorTitle=str(column.heading),
            error=str(column.note),
            # What may be typed (full-width digits) is wider than Excel's own check.
            errorStyle="stop" if column.kind == "cause" else "warning",
        )
        letter = get_column_letter(number)
        validation.add(f"{letter}{first}:{letter}{last}")
        sheet.data_validations.append(validation)


def _write_check(book, styles, organization, label, at, kept) -> None:
    widths = [column.width for column in CHECK]
    sheet = new_sheet(book, str(CHECK_SHEET), widths)
    repeat_rows(sheet, f"{HEAD_ROW}:{HEAD_ROW}")
    _protect(sheet)
    writer = Writer(sheet, widths)
    identity = [FORMAT, str(organization.uid), label]
    writer.write(
        [
            *identity[:2],
            organization.short_name,
            label,
            "",
            timezone.localtime(at).strftime("%Y-%m-%d %H:%M"),
            _digest(identity, kept),
        ],
        [styles.small] * len(CHECK),
        height=15,
    )
    writer.across(
        _("The system compares the returned workbook with this sheet. Please leave it as it is."),
        styles.facts,
        height=20,
    )
    writer.write([c.title for c in CHECK], [styles.head] * len(CHECK), height=20)
    for row in kept:
        writer.write(row, [styles.small] * len(CHECK), height=15)


def _digest(identity: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Ties the check sheet to what this system wrote."""
    body = json.dumps([list(identity), [list(row) for row in rows]], ensure_ascii=False)
    return salted_hmac("supervision.spreadsheets.returns", body, algorithm="sha256").hexdigest()


# Reading


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
    rows: list[ParsedRow] = field(default_factory=list)
    # (sheet, row identifier, goal identifier, column): value when written
    exported: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    is_check_sheet_intact: bool = True


@dataclass(frozen=True)
class Change:
    """One cell that will be written: its place, the value before and the new one."""

    sheet: str
    cell: str
    heading: str
    before: str
    after: str


@dataclass
class RowChange:
    """One return that will be saved."""

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

    @property
    def is_acceptable(self) -> bool:
        return not self.bad


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
    parsed = ParsedReturn(organization_uid=identity[1], label=identity[3], sha256=sha256)
    written = _digest([FORMAT, parsed.organization_uid, parsed.label], kept)
    parsed.is_check_sheet_intact = constant_time_compare(written, identity[6])
    for sheet, _cell, uid, goal, version, column, value in kept:
        parsed.exported[sheet, uid, goal, column] = value
        parsed.versions[uid] = version
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


# Checking


class _Bad(Exception):
    """A cell that cannot be taken: reason and remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def check(parsed: ParsedReturn, *, organization: Organization) -> Preview:
    """Compare a returned workbook with the database; names every bad cell. Writes nothing.

    The number of queries does not depend on the number of rows.
    """
    if parsed.organization_uid != str(organization.uid):
        raise ActRefused(
            _(
                "This workbook was written for another body. Upload the one that was downloaded "
                "for “%(body)s”."
            )
            % {"body": organization}
        )
    return _Checker(parsed, organization).run()


class _Checker:
    def __init__(self, parsed: ParsedReturn, organization: Organization) -> None:
        self.parsed = parsed
        self.states = read_states(organization, parsed.label)
        self.preview = Preview(organization, parsed.label)
        self.seen: set[tuple[str, str, str]] = set()
        self.troubled: set[str] = set()
        self.typed: dict[str, dict[tuple[str, str], tuple[Cell, str]]] = {}
        self.changed: dict[str, list[tuple[str, str, Column, Cell]]] = {}

    def run(self) -> Preview:
        if not self.parsed.is_check_sheet_intact:
            cell = Cell("G1", "")
            self.bad(
                str(CHECK_SHEET),
                cell,
                _("The check sheet was changed, so nothing can be compared with it."),
                _("Download the workbook anew and carry your text over."),
            )
            return self.preview
        for row in self.parsed.rows:
            self.read_row(row)
        for uid in self.typed:
            if uid not in self.troubled:
                self.compare(uid)
        return self.preview

    def bad(self, sheet: str, cell: Cell, reason: str, remedy: str) -> None:
        shown = plain_text(cell.value)
        if len(shown) > 60:
            shown = shown[:60] + "…"
        self.preview.bad.append(BadCell(sheet, cell.at, shown, reason, remedy))

    def read_row(self, row: ParsedRow) -> None:
        """Identify the row, hold its locked cells against what was written, read the open ones."""
        name, columns = str(SHEETS[row.code][0]), SHEETS[row.code][1]
        uid, goal = row.uid, row.goal_uid
        written = self.parsed.exported
        if (name, uid, goal, ROW_ID.title) not in written or uid not in self.states:
            self.bad(
                name,
                row.cells["row_id"],
                _("This row is not one of the returns your body owes for this period."),
                _("Delete the row, or restore its identifier from the downloaded workbook."),
            )
            self.troubled.add(uid)
            return
        if (row.code, uid, goal) in self.seen:
            self.bad(
                name,
                row.cells["row_id"],
                _("This row identifier occurs twice."),
                _("Keep one of the rows and delete the other."),
            )
            self.troubled.add(uid)
            return
        self.seen.add((row.code, uid, goal))
        for column in columns:
            cell, before = row.cells[column.key], written[name, uid, goal, column.title]
            try:
                if column.is_open:
                    value = _value_of(column, cell)
                    self.typed.setdefault(uid, {})[column.key, goal] = (cell, value)
                    if value != before:
                        self.changed.setdefault(uid, []).append((name, goal, column, cell))
                elif _locked_value(column, cell) != before:
                    raise _Bad(
                        _("This column is locked, but the cell was changed."),
                        _("Put back “%(value)s”.") % {"value": before},
                    )
            except _Bad as bad:
                self.bad(name, cell, bad.reason, bad.remedy)
                self.troubled.add(uid)

    def compare(self, uid: str) -> None:
        """One return: unchanged, to be applied, or in conflict with the desk."""
        state, changed = self.states[uid], self.changed.get(uid, [])
        fresh = [
            (name, goal, column, cell)
            for name, goal, column, cell in changed
            if self.typed[uid][column.key, goal][1] != self.present(state, column, goal)
        ]
        if not fresh:
            self.preview.unchanged += 1
            return
        if state.refusal:
            name, _goal, _column, cell = fresh[0]
            remedy = _("Undo the changes in this row; what is handed in is changed on the desk.")
            self.bad(name, cell, state.refusal, remedy)
            return
        if state.version != self.parsed.versions.get(uid, ""):
            for name, goal, column, cell in fresh:
                self.bad(
                    name,
                    cell,
                    _("Changed on the desk after the workbook was downloaded; there it is “%(v)s”.")
                    % {"v": self.shown(column, self.present(state, column, goal)) or "—"},
                    _("Download the workbook anew, or make this change on the desk."),
                )
            return
        if self.falls_without_a_note(uid, state, fresh):
            return
        typed = self.typed[uid]
        targets = {str(target.uid): target for target in state.targets}
        texts = {key: value for (key, goal), (_cell, value) in typed.items() if not goal}
        percent = texts.get("self_percent", "")
        texts["self_percent"] = int(percent) if percent else None
        figures = {}
        for (key, goal), (_cell, value) in typed.items():
            if key == "value" and goal in targets:
                note = typed["note", goal][1] if ("note", goal) in typed else ""
                figures[targets[goal]] = (Decimal(value) if value else None, note)
        changes = [
            Change(
                name,
                cell.at,
                str(column.heading),
                self.shown(column, self.present(state, column, goal)),
                self.shown(column, typed[column.key, goal][1]),
            )
            for name, goal, column, cell in fresh
        ]
        if not any(key == "progress_text" for key, _goal in typed):
            # Its row of the first sheet is gone: the texts stay as they are.
            texts = {}
        self.preview.applied.append(RowChange(state, texts, figures, changes))

    def falls_without_a_note(self, uid: str, state: State, fresh) -> bool:
        found = False
        for name, goal, column, cell in fresh:
            last = state.last_values.get(goal)
            value = self.typed[uid][column.key, goal][1]
            if column.key != "value" or not value or last is None or Decimal(value) >= last:
                continue
            if not self.typed[uid]["note", goal][1]:
                found = True
                self.bad(
                    name,
                    cell,
                    _("Lower than the last value (%(last)s).") % {"last": plain_number(last)},
                    _("Correct the value, or say why in the column “%(column)s”.")
                    % {"column": _heading("note")},
                )
        return found

    @staticmethod
    def present(state: State, column: Column, goal: str) -> str:
        if not goal:
            return state.values[column.key]
        value, note = state.figures.get(goal, ("", ""))
        return value if column.key == "value" else note

    @staticmethod
    def shown(column: Column, value: str) -> str:
        return str(Cause(value).label) if column.kind == "cause" and value else value


def _heading(key: str) -> str:
    return next(str(column.heading) for column in FIGURES if column.key == key)


def _locked_value(column: Column, cell: Cell) -> str:
    """A locked cell as text; a date may have been turned into one by the program."""
    if isinstance(cell.value, datetime | date):
        return cell.value.strftime("%Y-%m-%d")
    text = plain_text(cell.value)
    if isinstance(cell.value, float) and cell.value.is_integer():
        text = str(int(cell.value))
    if column.key == "due_date":
        match = re.fullmatch(
            r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", unicodedata.normalize("NFKC", text)
        )
        if match:
            year, month, day = (int(part) for part in match.groups())
            return f"{year:04}-{month:02}-{day:02}"
    return text


def _value_of(column: Column, cell: Cell) -> str:
    """The value of an open cell in its plain form. Raises _Bad."""
    if cell.data_type == "f" or (
        cell.value is not None and not isinstance(cell.value, SIMPLE_VALUES)
    ):
        raise _Bad(
            _("The cell holds a formula."),
            _("Copy the cell and paste it as a value, or type the result."),
        )
    if cell.data_type == "e":
        raise _Bad(_("The cell holds an error."), _("Type the value itself."))
    if column.kind in ("text", "note"):
        return _text(column, cell)
    if column.kind == "cause":
        return _cause(cell)
    if column.kind == "percent":
        return _percent(cell)
    return _figure(cell)


SIMPLE_VALUES = (str, int, float, bool, datetime, date)


def _text(column: Column, cell: Cell) -> str:
    value = cell.value
    if isinstance(value, datetime | date):
        value = value.strftime("%Y-%m-%d")
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else re.sub(r"_x000[dD]_\n?|\r\n?", "\n", str(value)).strip()
    most = LONGEST_TEXT if column.kind == "text" else LONGEST_NOTE
    if len(text) > most:
        raise _Bad(
            _("The text has %(count)s characters; at most %(most)s are taken.")
            % {"count": len(text), "most": most},
            _("Shorten it; details belong into an attached file."),
        )
    return plain_text(text)


def _cause(cell: Cell) -> str:
    text = plain_text(cell.value)
    for cause in Cause:
        if text == str(cause.label):
            return cause.value
    if not text:
        return Cause.NONE.value
    raise _Bad(
        _("This cause is not in the list."),
        _("Choose one of: %(causes)s.")
        % {"causes": "、".join(str(cause.label) for cause in Cause)},
    )


def _number_in(cell: Cell) -> Decimal | None:
    """A number, also one typed as text or in full-width digits. Raises ValueError."""
    value = cell.value
    if isinstance(value, bool | datetime | date):
        raise ValueError(value)
    text = unicodedata.normalize("NFKC", plain_text(value)).replace(",", "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[-+]?\d{1,20}(\.\d{1,20})?([eE][-+]?\d{1,2})?", text):
        raise ValueError(text)
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error


def _percent(cell: Cell) -> str:
    remedy = _("Type a whole number from 0 to 100.")
    scale = 1
    if isinstance(cell.value, str):
        shown = unicodedata.normalize("NFKC", cell.value).strip()
        cell = Cell(cell.at, shown.removesuffix("%"))
    elif "%" in cell.number_format:
        scale = 100
    try:
        number = _number_in(cell)
    except ValueError:
        raise _Bad(_("This is not a number."), remedy) from None
    if number is None:
        return ""
    number = (number * scale).normalize()
    if not 0 <= number <= 100:
        raise _Bad(_("A percentage lies between 0 and 100."), remedy)
    if number != int(number):
        raise _Bad(_("This is not a whole number."), remedy)
    return str(int(number))


def _figure(cell: Cell) -> str:
    try:
        number = _number_in(cell)
    except ValueError:
        raise _Bad(
            _("This is not a number."),
            _("Type the number alone; the unit is that of the goal."),
        ) from None
    if number is None:
        return ""
    if number < 0:
        raise _Bad(_("The value is below zero."), _("Type a number from 0 upward."))
    if isinstance(cell.value, float):
        number = round(number, 4)
    if number != round(number, 4) or number >= 10**WHOLE_DIGITS:
        raise _Bad(
            _("The value has too many digits."),
            _("Use at most 4 decimals and %(digits)s digits before them.")
            % {"digits": WHOLE_DIGITS},
        )
    return plain_number(number)
