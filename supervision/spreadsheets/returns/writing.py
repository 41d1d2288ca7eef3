"""Write the return workbook of a body."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO
from uuid import UUID

from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from supervision.models import (
    Cause,
    Organization,
    Target,
)
from supervision.services.acts import ActRefused
from supervision.spreadsheets.layout import (
    Styles,
    Writer,
    new_sheet,
    new_workbook,
    repeat_rows,
)
from supervision.spreadsheets.returns.columns import (
    CHECK,
    CHECK_SHEET,
    FORMAT,
    HEAD_ROW,
    LEAST_POINTS,
    SHEETS,
    Column,
    cell_key,
)
from supervision.spreadsheets.returns.state import State, plain_number, plain_text, read_states


@dataclass(frozen=True)
class Written:
    """A workbook that was written: its rows, and the value of every cell by its key."""

    rows: int
    cells: dict[str, str]


def write_return_workbook(
    target: str | BinaryIO,
    *,
    organization: Organization,
    label: str,
    at: datetime,
    uid: UUID | None = None,
    section_id: int | None = None,
) -> Written:
    """Write the workbook of the returns the body, or one section of it, still owes for a period.

    `uid` names the workbook: under it the system keeps what the cells held. Raises ActRefused
    when nothing is owed.
    """
    found = read_states(organization, label, section_id=section_id)
    states = {row: state for row, state in found.items() if not state.refusal}
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
    cells: dict[str, str] = {}
    _write_sheet(book, styles, "progress", _progress_rows(states), organization, label, kept, cells)
    _write_sheet(book, styles, "figures", _figure_rows(states), organization, label, kept, cells)
    _write_check(book, styles, organization, label, at, kept, str(uid or ""))
    book.save(target)
    return Written(len(states), cells)


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


def _write_sheet(book, styles, code, rows, organization, label, kept, cells_kept) -> None:
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
            cells_kept[cell_key(code, uid, goal, column.key)] = value


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


def _write_check(book, styles, organization, label, at, kept, workbook) -> None:
    widths = [column.width for column in CHECK]
    sheet = new_sheet(book, str(CHECK_SHEET), widths)
    repeat_rows(sheet, f"{HEAD_ROW}:{HEAD_ROW}")
    _protect(sheet)
    writer = Writer(sheet, widths)
    identity = [FORMAT, str(organization.uid), label, workbook]
    writer.write(
        [
            *identity[:2],
            organization.short_name,
            label,
            workbook,
            timezone.localtime(at).strftime("%Y-%m-%d %H:%M"),
            digest(identity, kept),
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


def digest(identity: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Ties the check sheet to what this system wrote."""
    body = json.dumps([list(identity), [list(row) for row in rows]], ensure_ascii=False)
    return salted_hmac("supervision.spreadsheets.returns", body, algorithm="sha256").hexdigest()
