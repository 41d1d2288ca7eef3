"""The value of a cell in its plain form, however it was typed."""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from supervision.models import (
    Cause,
)
from supervision.spreadsheets.returns.columns import (
    LONGEST_NOTE,
    LONGEST_TEXT,
    WHOLE_DIGITS,
    Column,
)
from supervision.spreadsheets.returns.reading import Cell
from supervision.spreadsheets.returns.state import plain_number, plain_text


class Bad(Exception):
    """A cell that cannot be taken: reason and remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def locked_value(column: Column, cell: Cell) -> str:
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


def value_of(column: Column, cell: Cell) -> str:
    """The value of an open cell in its plain form. Raises Bad."""
    if cell.data_type == "f" or (
        cell.value is not None and not isinstance(cell.value, SIMPLE_VALUES)
    ):
        raise Bad(
            _("The cell holds a formula."),
            _("Copy the cell and paste it as a value, or type the result."),
        )
    if cell.data_type == "e":
        raise Bad(_("The cell holds an error."), _("Type the value itself."))
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
        raise Bad(
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
    raise Bad(
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
        raise Bad(_("This is not a number."), remedy) from None
    if number is None:
        return ""
    number = (number * scale).normalize()
    if not 0 <= number <= 100:
        raise Bad(_("A percentage lies between 0 and 100."), remedy)
    if number != int(number):
        raise Bad(_("This is not a whole number."), remedy)
    return str(int(number))


def _figure(cell: Cell) -> str:
    try:
        number = _number_in(cell)
    except ValueError:
        raise Bad(
            _("This is not a number."),
            _("Type the number alone; the unit is that of the goal."),
        ) from None
    if number is None:
        return ""
    if number < 0:
        raise Bad(_("The value is below zero."), _("Type a number from 0 upward."))
    if isinstance(cell.value, float):
        number = round(number, 4)
    if number != round(number, 4) or number >= 10**WHOLE_DIGITS:
        raise Bad(
            _("The value has too many digits."),
            _("Use at most 4 decimals and %(digits)s digits before them.")
            % {"digits": WHOLE_DIGITS},
        )
    return plain_number(number)
