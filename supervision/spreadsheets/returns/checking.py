"""Compare a returned workbook with the database; names every cell that stands in the way."""

from decimal import Decimal

from django.utils.translation import gettext as _

from supervision.models import (
    Cause,
    Organization,
)
from supervision.services.acts import ActRefused
from supervision.spreadsheets.returns.columns import (
    CHECK_SHEET,
    FIGURES,
    ROW_ID,
    SHEETS,
    Column,
)
from supervision.spreadsheets.returns.reading import (
    BadCell,
    Cell,
    Change,
    ParsedReturn,
    ParsedRow,
    Preview,
    RowChange,
)
from supervision.spreadsheets.returns.state import State, plain_number, plain_text, read_states
from supervision.spreadsheets.returns.values import Bad, locked_value, value_of


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
                    value = value_of(column, cell)
                    self.typed.setdefault(uid, {})[column.key, goal] = (cell, value)
                    if value != before:
                        self.changed.setdefault(uid, []).append((name, goal, column, cell))
                elif locked_value(column, cell) != before:
                    raise Bad(
                        _("This column is locked, but the cell was changed."),
                        _("Put back “%(value)s”.") % {"value": before},
                    )
            except Bad as bad:
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
