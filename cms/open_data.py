"""Open data: four tables of what was released, one dictionary of columns, one JSON shape.

Columns are only ever added; a renamed one keeps its old name for a year. A city other than this
one gets the same names. Every cell is text except in JSON, where a number is a number.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook

from cms.entries import STATUSES, Entry
from cms.history import Edition, Fact
from cms.snapshot import PublicSet
from supervision.spreadsheets.cells import csv_lines, text_row

SHAPE = "supervision-open-data/1"
LATEST = "latest"
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
FIRST = date(2026, 11, 23)
MADE = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


@dataclass(frozen=True)
class Column:
    """One column: its lasting name, its Chinese name, what is in it and since when."""

    name: str
    label: Any
    type: str
    value: Callable[[Any], Any]
    meaning: Any
    unit: str = ""
    since: date = FIRST


@dataclass(frozen=True)
class Table:
    """One table with the rows of a set of released items."""

    name: str
    label: Any
    columns: tuple[Column, ...]
    rows: Callable[[PublicSet | Edition], Iterable[Any]]


def _step_rows(source: PublicSet | Edition) -> Iterator[tuple[Entry, int, dict]]:
    for entry in source.entries:
        for position, step in enumerate(entry.milestones, start=1):
            yield entry, position, step


def _facts(source: PublicSet | Edition) -> list[Fact]:
    return source.facts if isinstance(source, Edition) else source.past.facts


def _late_by(step: dict) -> int | None:
    if not step["actual_date"]:
        return None
    return (date.fromisoformat(step["actual_date"]) - date.fromisoformat(step["planned_date"])).days


def _next(entry: Entry, name: str) -> str | None:
    return entry.next_milestone[name] if entry.next_milestone else None


def _moment(at: datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="seconds")


NUMBER = _("Public number")
ADDRESS = _("Address part")
WHICH = _("Number of the item in public; never given twice")
PLACE = _("Last part of the item's address")
DAY = "date"

ITEMS = Table(
    "items",
    _("Items"),
    (
        Column("public_number", NUMBER, "integer", lambda e: e.number, WHICH),
        Column("slug", ADDRESS, "text", lambda e: e.slug, PLACE),
        Column(
            "kind",
            _("Part of the document"),
            "code",
            lambda e: e.kind,
            _("task: key task; measure: safeguard measure"),
        ),
        Column("clause", _("Clause"), "text", lambda e: e.clause, _("Number of the clause quoted")),
        Column("title", _("Item"), "text", lambda e: e.title, _("Name of the item in public")),
        Column("theme", _("Theme"), "text", lambda e: e.theme, _("Chapter or theme of the clause")),
        Column(
            "document_number",
            _("Document number"),
            "text",
            lambda e: e.document["doc_number"],
            _("Number of the policy document"),
        ),
        Column(
            "issuing_body",
            _("Issued by"),
            "text",
            lambda e: e.document["issuing_body"],
            _("Body that issued the policy document"),
        ),
        Column("lead", _("Lead"), "text", lambda e: e.lead, _("Body that leads the work")),
        Column(
            "supports",
            _("Supports"),
            "text",
            lambda e: "、".join(e.supports),
            _("Bodies that support the lead, separated by 、"),
        ),
        Column(
            "counties",
            _("Counties"),
            "integer",
            lambda e: len(e.counties),
            _("Counties with a share of the item"),
            unit="个",
        ),
        Column(
            "status",
            _("Status (code)"),
            "code",
            lambda e: e.status,
            _("One of the codes below; done_late is never counted as done"),
        ),
        Column(
            "status_word",
            _("Status"),
            "text",
            lambda e: str(e.status_word),
            _("The word shown on the pages"),
        ),
        Column(
            "percent",
            _("Progress made"),
            "number",
            lambda e: e.data["percent"],
            _("Verified share of the planned work; empty where none is planned"),
            unit="%",
        ),
        Column(
            "original_due_date",
            _("Original due date"),
            DAY,
            lambda e: e.data["original_due_date"],
            _("The date first given; never overwritten"),
        ),
        Column(
            "due_date",
            _("Due date"),
            DAY,
            lambda e: e.data["due_date"],
            _("The date in force; the due date itself is still on time"),
        ),
        Column(
            "working_days_moved",
            _("Working days moved"),
            "integer",
            lambda e: e.moved_working_days,
            _("Sum of all moves of the due date"),
            unit="工作日",
        ),
        Column(
            "is_ongoing",
            _("Without an end"),
            "boolean",
            lambda e: e.is_ongoing,
            _("Lasting work that has no due date"),
        ),
        Column(
            "completed_date",
            _("Completed on"),
            DAY,
            lambda e: e.data["completed_date"],
            _("The day of completion, verified by the office"),
        ),
        Column(
            "days_late",
            _("Days late"),
            "integer",
            lambda e: e.days_late,
            _("Calendar days between the due date and completion, when later"),
            unit="天",
        ),
        Column(
            "next_milestone",
            _("Next milestone"),
            "text",
            lambda e: _next(e, "title"),
            _("The next milestone not yet reached"),
        ),
        Column(
            "next_milestone_date",
            _("Date of the next milestone"),
            DAY,
            lambda e: _next(e, "planned_date"),
            _("Its planned date"),
        ),
        Column(
            "verified_date",
            _("Last verified on"),
            DAY,
            lambda e: e.data["verified_date"],
            _("The day the office last accepted a return"),
        ),
        Column(
            "period",
            _("Period"),
            "text",
            lambda e: e.period,
            _("Period of the progress text, for example 2026-05"),
        ),
        Column(
            "progress_text",
            _("Progress"),
            "text",
            lambda e: e.progress_text,
            _("Verified progress text; empty while hidden"),
        ),
        Column(
            "hidden_reason",
            _("Why hidden"),
            "text",
            lambda e: "；".join(e.hidden_reasons.values()),
            _("Why a part is not shown; empty when all is shown"),
        ),
        Column(
            "first_released_at",
            _("First made public at"),
            "moment",
            lambda e: _moment(e.first_released_at),
            _("Moment with offset, set by the server"),
        ),
        Column(
            "changed_at",
            _("Last changed at"),
            "moment",
            lambda e: _moment(e.changed_at),
            _("Moment of the edition that changed it last"),
        ),
    ),
    lambda source: source.entries,
)
MILESTONES = Table(
    "milestones",
    _("Milestones"),
    (
        Column("public_number", NUMBER, "integer", lambda r: r[0].number, WHICH),
        Column("slug", ADDRESS, "text", lambda r: r[0].slug, PLACE),
        Column("position", _("Place"), "integer", lambda r: r[1], _("Place in the item, from 1")),
        Column(
            "title", _("Milestone"), "text", lambda r: r[2]["title"], _("Name of the milestone")
        ),
        Column(
            "original_date",
            _("Date first given"),
            DAY,
            lambda r: r[2]["original_date"],
            _("The date first given; never overwritten"),
        ),
        Column(
            "planned_date",
            _("Planned"),
            DAY,
            lambda r: r[2]["planned_date"],
            _("The date in force"),
        ),
        Column(
            "actual_date",
            _("Reached"),
            DAY,
            lambda r: r[2]["actual_date"],
            _("The day it was reached, verified by the office; empty when not"),
        ),
        Column(
            "days_late",
            _("Difference"),
            "integer",
            lambda r: _late_by(r[2]),
            _("Calendar days from the planned to the actual date; negative when early"),
            unit="天",
        ),
    ),
    _step_rows,
)
EVENTS = Table(
    "events",
    _("Events"),
    (
        Column("id", _("Identifier"), "text", lambda f: f.urn, _("The same in the feeds")),
        Column("public_number", NUMBER, "integer", lambda f: f.entry.number, WHICH),
        Column("slug", ADDRESS, "text", lambda f: f.entry.slug, PLACE),
        Column(
            "kind",
            _("Kind (code)"),
            "code",
            lambda f: f.kind,
            _("published, status, date_moved, milestone, progress or corrected"),
        ),
        Column("kind_word", _("Kind"), "text", lambda f: str(f.word), _("The word of the pages")),
        Column("event_date", _("Date"), DAY, lambda f: f.day.isoformat(), _("The day it happened")),
        Column(
            "edition",
            _("Edition"),
            "text",
            lambda f: f.edition,
            _("The edition that told it first"),
        ),
        Column(
            "released_at",
            _("Made public at"),
            "moment",
            lambda f: _moment(f.released_at),
            _("Moment of that edition"),
        ),
        Column(
            "old_date",
            _("Old date"),
            DAY,
            lambda f: f.data.get("old_date"),
            _("Due date before a move"),
        ),
        Column(
            "new_date",
            _("New date"),
            DAY,
            lambda f: f.data.get("new_date"),
            _("Due date after a move"),
        ),
        Column(
            "working_days",
            _("Working days moved"),
            "integer",
            lambda f: f.data.get("working_days"),
            _("Working days between the two"),
            unit="工作日",
        ),
        Column(
            "cause",
            _("Cause (code)"),
            "code",
            lambda f: f.data.get("cause"),
            _("extension, hold, rework, review, reopen or calendar"),
        ),
        Column("text", _("Sentence"), "text", lambda f: f.text, _("The sentence of the pages")),
    ),
    _facts,
)


def _county_count(code: str) -> Callable[[dict], int]:
    place = list(STATUSES).index(code)
    return lambda row: row["counts"][place]


COUNTIES = Table(
    "counties",
    _("Counties"),
    (
        Column(
            "county",
            _("County"),
            "text",
            lambda r: r["name"],
            _("In the official order; not a ranking"),
        ),
        Column(
            "shares",
            _("Shares"),
            "integer",
            lambda r: r["total"],
            _("Shares of released items: the denominator of the columns that follow"),
            unit="项",
        ),
        *(
            Column(
                code,
                word,
                "integer",
                _county_count(code),
                _("Shares in this state"),
                unit="项",
            )
            for code, (word, _light) in STATUSES.items()
        ),
    ),
    lambda source: source.counties,
)
TABLES = {table.name: table for table in (ITEMS, MILESTONES, EVENTS, COUNTIES)}


def rows_of(table: Table, source: PublicSet | Edition) -> list[list[Any]]:
    """The values of a table, row by row, in the order of its columns."""
    return [[column.value(row) for column in table.columns] for row in table.rows(source)]


def as_text(value: Any) -> str:
    """A cell as text: nothing is empty, yes and no are `true` and `false`."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_csv(table: Table, source: PublicSet | Edition) -> str:
    """The table as CSV with a byte-order mark; the first row holds the names of the columns."""
    names = [column.name for column in table.columns]
    rows = [[as_text(value) for value in row] for row in rows_of(table, source)]
    return "".join(csv_lines([names, *rows]))


def as_xlsx(table: Table, source: PublicSet | Edition) -> bytes:
    """The table as a workbook; the second sheet is the dictionary. Every cell is text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(str(table.label))
    sheet.freeze_panes = "A2"
    sheet.append(text_row(sheet, [column.name for column in table.columns]))
    for row in rows_of(table, source):
        sheet.append(text_row(sheet, [as_text(value) for value in row]))
    words = book.create_sheet(str(_("Columns")))
    for line in dictionary_rows(table):
        words.append(text_row(words, line))
    return workbook_bytes(book, source.released_at)


def workbook_bytes(book: Workbook, released_at: datetime | None) -> bytes:
    """The file of a workbook: the same bytes for the same release, whenever it is asked for.

    The moment in its properties is that of the release, and the packed files carry none.
    """
    buffer, result = io.BytesIO(), io.BytesIO()
    book.save(buffer)
    moment = released_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if released_at else ""
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(result, "w") as steady:
        for entry in made.infolist():
            content = made.read(entry)
            if entry.filename == "docProps/core.xml" and moment:
                content = MADE.sub(rb"\g<1>" + moment.encode(), content)
            place = zipfile.ZipInfo(entry.filename)
            place.compress_type = zipfile.ZIP_DEFLATED
            steady.writestr(place, content)
    return result.getvalue()


def dictionary_rows(table: Table) -> list[list[str]]:
    """The dictionary of a table as rows of text, headings first."""
    headings = [
        _("Name"),
        _("Chinese name"),
        _("Type"),
        _("Unit"),
        _("Meaning"),
        _("Since"),
    ]
    return [
        [str(heading) for heading in headings],
        *(
            [c.name, str(c.label), c.type, c.unit, str(c.meaning), c.since.isoformat()]
            for c in table.columns
        ),
    ]


def as_json(table: Table, source: PublicSet | Edition, *, edition: str, licence: str) -> dict:
    """The one shape of every table, whatever the city."""
    return {
        "shape": SHAPE,
        "table": table.name,
        "edition": edition,
        "as_of_date": source.as_of_date and source.as_of_date.isoformat(),
        "released_at": source.released_at and _moment(source.released_at),
        "licence": licence,
        "columns": [
            {
                "name": column.name,
                "label": str(column.label),
                "type": column.type,
                "unit": column.unit,
                "meaning": str(column.meaning),
                "since": column.since.isoformat(),
            }
            for column in table.columns
        ],
        "rows": [
            {
                column.name: _typed(column, value)
                for column, value in zip(table.columns, row, strict=True)
            }
            for row in rows_of(table, source)
        ],
    }


def _typed(column: Column, value: Any) -> Any:
    if column.type == "number" and value is not None:
        return float(value)
    return value
