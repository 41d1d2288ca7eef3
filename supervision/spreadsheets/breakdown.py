"""A breakdown table somebody else made: found, understood, checked cell by cell.

Reads no database but the names of the bodies; writes nothing. Customs: domain.md, section 8.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from supervision.models import Organization, OrganizationAlias
from supervision.rules.policy_file import is_vague
from supervision.rules.table_text import (
    HEADINGS,
    guess_field,
    parse_day,
    plain,
    split_bodies,
)
from supervision.spreadsheets.reader import RawTable
from supervision.spreadsheets.returns import BadCell

HEAD_ROWS_SEARCHED = 12
LONGEST_TITLE = 120
LONGEST_TEXT = 4_000
LONGEST_NAME = 120
UNRESOLVED, EVERY_COUNTY = "unresolved", "every-county"
COUNTY_WORDS = ("县", "市区")
EARLIEST = date(2000, 1, 1)


@dataclass
class Heading:
    """A heading of the table and the field it is taken for; empty for one that is left out."""

    column: int
    text: str
    field: str


@dataclass
class TableRow:
    """One task of the table, understood."""

    number: int
    title: str
    requirement: str
    chapter: str
    leads: list[str]
    supports: list[str]
    due_date: date | None
    is_ongoing: bool


@dataclass
class UnknownBody:
    """A name no body goes by: how often it stands there, and whose name it resembles."""

    name: str
    count: int
    at: str
    suggestion: Organization | None = None
    chosen: str = ""

    @property
    def is_open(self) -> bool:
        return not self.chosen

    @property
    def may_be_counties(self) -> bool:
        """Whether the word sounds like all counties together."""
        return is_vague(self.name) and any(word in self.name for word in COUNTY_WORDS)


@dataclass
class TableCheck:
    """What an import of the table would do."""

    sheet: str
    headings: list[Heading]
    rows: list[TableRow] = field(default_factory=list)
    bad: list[BadCell] = field(default_factory=list)
    unknown: list[UnknownBody] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    joint_leads: int = 0

    @property
    def open_names(self) -> int:
        return sum(body.is_open for body in self.unknown)

    @property
    def is_acceptable(self) -> bool:
        return bool(self.rows) and not (self.bad or self.missing or self.open_names)


FIELDS = tuple(HEADINGS)
NEEDED = ("title", "lead", "due")


def find_headings(
    table: RawTable, remembered: Mapping[str, str] | None = None
) -> tuple[int, list[Heading]]:
    """The row of the headings and what each means: as remembered for the source, else guessed."""
    remembered = remembered or {}
    best: tuple[tuple[int, int], int, list[Heading]] = ((0, 0), 0, [])
    for number in sorted(table.rows)[:HEAD_ROWS_SEARCHED]:
        taken: set[str] = set()
        headings = []
        for index, value in enumerate(table.rows[number], start=1):
            text = plain(value).replace("\n", "")
            if not text:
                continue
            meant = remembered.get(text)
            if meant is None:
                meant = guess_field(text, taken)
            taken.add(meant)
            headings.append(Heading(index, text, meant))
        # Where nothing is understood the first full row is taken for the headings.
        understood = (sum(bool(heading.field) for heading in headings), len(headings))
        if understood > best[0]:
            best = (understood, number, headings)
    return best[1], best[2]


def names_of_bodies() -> dict[str, Organization]:
    """Every name a body goes by."""
    found: dict[str, Organization] = {}
    for alias in OrganizationAlias.objects.select_related("organization"):
        found[plain(alias.name)] = alias.organization
    for body in Organization.objects.in_official_order():
        found[plain(body.full_name)] = found[plain(body.short_name)] = body
    return found


def check_table(
    table: RawTable,
    *,
    mapping: Mapping[int, str] | None = None,
    remembered: Mapping[str, str] | None = None,
    answers: Mapping[str, str] | None = None,
    year: int | None = None,
) -> TableCheck:
    """Understand a table: every bad cell by sheet, row and column, with reason and remedy.

    `mapping` (column to field) is what the person chose, else headings are guessed. `answers`
    (name to a body's uid, EVERY_COUNTY or UNRESOLVED) are the person's yes for unknown names.
    `year` stands in where a date has none.
    """
    head, headings = find_headings(table, remembered)
    if mapping is not None:
        for heading in headings:
            heading.field = mapping.get(heading.column, "")
    return _Reader(table, head, headings, answers or {}, year).run()


class _Reader:
    def __init__(self, table, head, headings, answers, year) -> None:
        self.table, self.head, self.year = table, head, year
        self.answers = answers
        self.check = TableCheck(table.sheet, headings)
        self.columns = {heading.field: heading for heading in headings if heading.field}
        self.bodies = names_of_bodies()
        self.unknown: dict[str, UnknownBody] = {}
        self.days: dict[Any, Any] = {}
        self.names: dict[str, list[str]] = {}

    def run(self) -> TableCheck:
        fields = [heading.field for heading in self.check.headings if heading.field]
        self.check.missing = [name for name in NEEDED if name not in fields] + [
            name for name in dict.fromkeys(fields) if fields.count(name) > 1
        ]
        if self.check.missing:
            return self.check
        filled, bands = self.fill_down()
        chapter = ""
        for number in sorted(self.table.rows):
            if number <= self.head:
                continue
            values = self.table.rows[number]
            cells = {
                name: filled.get((number, heading.column), self.value(values, heading.column))
                for name, heading in self.columns.items()
            }
            if self.is_band(number, values, bands):
                chapter = plain(next(value for value in values if value not in (None, "")))
                continue
            if plain(values[0] if values else "").startswith(("合计", "总计")):
                continue
            self.read_row(number, cells, plain(cells.get("chapter")) or chapter)
        self.suggest()
        self.check.unknown = sorted(self.unknown.values(), key=lambda one: (-one.count, one.name))
        return self.check

    @staticmethod
    def value(values: list, column: int) -> Any:
        return values[column - 1] if column <= len(values) else None

    def fill_down(self) -> tuple[dict[tuple[int, int], Any], set[int]]:
        """Values of cells merged downwards, and the rows that are one cell across."""
        filled, bands = {}, set()
        for first, left, last, right in self.table.merged:
            if first == last and right > left:
                bands.add(first)
            if last > first:
                value = self.value(self.table.rows.get(first, []), left)
                for row in range(first + 1, min(last, first + 50_000) + 1):
                    filled[row, left] = value
        return filled, bands

    def is_band(self, number: int, values: list, bands: set[int]) -> bool:
        told = [value for value in values if value not in (None, "")]
        return number in bands and len(told) == 1

    def bad(self, number: int, name: str, value: Any, reason: str, remedy: str) -> None:
        heading = self.columns[name]
        shown = plain(value)
        shown = shown[:60] + "…" if len(shown) > 60 else shown
        cell = f"{get_column_letter(heading.column)}{number}"
        self.check.bad.append(
            BadCell(self.check.sheet, cell, shown, f"{heading.text}: {reason}", remedy)
        )

    def read_row(self, number: int, cells: dict[str, Any], chapter: str) -> None:
        before = len(self.check.bad)
        title = self.text(number, "title", cells, LONGEST_TITLE)
        if not title:
            self.bad(number, "title", "", _("The task is missing."), _("Write what is to be done."))
        requirement = self.text(number, "requirement", cells, LONGEST_TEXT)
        due = self.day(number, cells["due"])
        leads = self.bodies_in(number, "lead", cells["lead"])
        if not leads and len(self.check.bad) == before:
            self.bad(
                number,
                "lead",
                cells["lead"],
                _("No body is named."),
                _("Write the lead body; further bodies follow on a new line."),
            )
        supports = self.bodies_in(number, "support", cells.get("support"))
        if len(self.check.bad) > before:
            return
        if len(leads) > 1:
            self.check.joint_leads += 1
        self.check.rows.append(
            TableRow(number, title, requirement, chapter, leads, supports, due, due is None)
        )

    def text(self, number: int, name: str, cells: dict, most: int) -> str:
        if name not in self.columns:
            return ""
        value = cells[name]
        text = str(value).strip() if isinstance(value, str) else plain(value)
        if len(text) > most:
            self.bad(
                number,
                name,
                text,
                _("The text has %(count)s characters; at most %(most)s are taken.")
                % {"count": len(text), "most": most},
                _("Shorten it; details belong into the column of the requirements."),
            )
        if text.startswith("#") and text.rstrip("!?").upper() in ERRORS:
            self.bad(
                number,
                name,
                text,
                _("The cell holds an error."),
                _("Type the value itself."),
            )
        return text

    def day(self, number: int, value: Any) -> date | None:
        key = (type(value), value)
        if key not in self.days:
            try:
                found = parse_day(value, year=self.year)
                if found is not None and not found >= EARLIEST:
                    raise ValueError(value)
                self.days[key] = (True, found)
            except (ValueError, OverflowError) as error:
                self.days[key] = (False, str(error))
        is_good, found = self.days[key]
        if is_good:
            return found
        reason = (
            _("The date is missing.")
            if found == "empty"
            else _("The date has no year.")
            if found == "no year"
            else _("This is no date.")
        )
        self.bad(
            number,
            "due",
            value,
            reason,
            _("Write it like 2017-06-30, “2017年6月底” or “长期”."),
        )
        return None

    def bodies_in(self, number: int, name: str, value: Any) -> list[str]:
        if name not in self.columns or value in (None, ""):
            return []
        key = str(value)
        if key not in self.names:
            self.names[key] = split_bodies(value, known=self.bodies)
        found = self.names[key]
        column = get_column_letter(self.columns[name].column)
        for word in found:
            if word in self.bodies:
                continue
            if len(word) > LONGEST_NAME or any(char.isdigit() for char in word):
                self.bad(
                    number,
                    name,
                    word,
                    _("This is not the name of a body."),
                    _("Write names only, a line each, or with 、 between them."),
                )
                continue
            one = self.unknown.setdefault(word, UnknownBody(word, 0, f"{column}{number}"))
            one.count += 1
            one.chosen = self.answers.get(word, "")
        return found

    def suggest(self) -> None:
        names = list(self.bodies)
        for one in self.unknown.values():
            near = [name for name in names if one.name in name or name in one.name]
            if one.may_be_counties:
                continue
            near = near or difflib.get_close_matches(one.name, names, n=1, cutoff=0.6)
            if near:
                one.suggestion = self.bodies[near[0]]


ERRORS = frozenset({"#REF", "#N/A", "#VALUE", "#NAME", "#DIV/0", "#NUM", "#NULL"})
