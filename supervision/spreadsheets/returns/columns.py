"""The sheets of the return workbook: which columns, how wide, which may be filled."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import pgettext_lazy

FORMAT = "2"
HEAD_ROW = 3
MOST_ROWS = 5_000
MOST_UNPACKED_BYTES = 40 * 1024 * 1024
# Room to write in.
LEAST_POINTS = {"progress": 48, "figures": 32}
LONGEST_TEXT = 4_000
LONGEST_NOTE = 200
WHOLE_DIGITS = 12
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


def cell_key(code: str, uid: str, goal: str, column: str) -> str:
    """The name of one cell, whatever row it stands in: sheet, row, goal, column."""
    return f"{code}|{uid}|{goal}|{column}"


def edit_key(column: str, goal: str) -> str:
    """The name of a value of a return under which `ReturnEdit` keeps who changed it."""
    return f"{column} {goal}".strip()
