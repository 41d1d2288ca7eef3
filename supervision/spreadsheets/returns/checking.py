"""Merge a returned workbook with the database, three ways; name every cell that is in the way."""

import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from supervision.models import Cause, Organization, ReturnWorkbook
from supervision.rules.merge import Choice, Merge, merge_cell, settle
from supervision.services.acts import ActRefused
from supervision.services.organizations import present_bodies
from supervision.spreadsheets.returns.columns import (
    CHECK_SHEET,
    FIGURES,
    ROW_ID,
    SHEETS,
    Column,
    cell_key,
    edit_key,
)
from supervision.spreadsheets.returns.reading import (
    BadCell,
    Cell,
    Change,
    Conflict,
    Decision,
    ParsedReturn,
    ParsedRow,
    Preview,
    RowChange,
)
from supervision.spreadsheets.returns.state import State, plain_number, plain_text, read_states
from supervision.spreadsheets.returns.values import Bad, locked_value, value_of


def check(
    parsed: ParsedReturn,
    *,
    organization: Organization,
    section_id: int | None = None,
    decisions: Mapping[str, Decision] | None = None,
    take: Choice | None = None,
) -> Preview:
    """Merge a returned workbook with the database; names every bad cell and every conflict.

    The workbook of a body that was merged, split or renamed since is taken from those that carry
    its work on. With `section_id` the rows of other sections must be as they were. `decisions` by
    the key of the cell say whose value stays; `take` says it for all others. Writes nothing. The
    number of queries does not depend on the number of rows.
    """
    if not _was_written_for(parsed, organization):
        raise ActRefused(
            _(
                "This workbook was written for another body. Upload the one that was downloaded "
                "for “%(body)s”."
            )
            % {"body": organization}
        )
    return _Checker(parsed, organization, section_id, decisions or {}, take).run()


def _was_written_for(parsed: ParsedReturn, organization: Organization) -> bool:
    """For the body itself, or for one whose work it carries on."""
    if parsed.organization_uid == str(organization.uid):
        return True
    try:
        named = list(Organization.objects.filter(uid=parsed.organization_uid))
    except ValidationError:
        return False
    return organization in present_bodies(named, on=date.max)


def kept_workbook(parsed: ParsedReturn) -> ReturnWorkbook | None:
    """What the system itself kept of the workbook; None when it was written without a record."""
    if not parsed.workbook_uid:
        return None
    try:
        return ReturnWorkbook.objects.filter(
            uid=parsed.workbook_uid,
            organization__uid=parsed.organization_uid,
            label=parsed.label,
        ).first()
    except ValidationError:
        return None


def digest_of(value: str) -> str:
    """Stands for a value in a form: short, and different for different values."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]


class _Checker:
    def __init__(self, parsed, organization, section_id, decisions, take) -> None:
        self.parsed = parsed
        self.decisions = decisions
        self.take = take
        self.kept = kept_workbook(parsed)
        self.states = read_states(organization, parsed.label, section_id=section_id)
        self.preview = Preview(organization, parsed.label)
        self.seen: set[tuple[str, str, str]] = set()
        self.troubled: set[str] = set()
        # row identifier: (sheet code, goal, column): cell, value when exported, value now in it
        self.typed: dict[str, dict[tuple[str, str, Column], tuple[Cell, str, str]]] = {}

    def run(self) -> Preview:
        if not self.is_intact():
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
                self.merge(uid)
        return self.preview

    def is_intact(self) -> bool:
        """The file's own seal, and where the system kept the values, those as well."""
        if not self.parsed.is_check_sheet_intact:
            return False
        if self.kept is None:
            return True
        names = {str(name): (code, columns) for code, (name, columns) in SHEETS.items()}
        found = {}
        for (sheet, uid, goal, title), value in self.parsed.exported.items():
            code, columns = names[sheet]
            key = next(column.key for column in columns if column.title == title)
            found[cell_key(code, uid, goal, key)] = value
        return found == self.kept.cells

    def bad(self, sheet: str, cell: Cell, reason: str, remedy: str) -> None:
        shown = plain_text(cell.value)
        if len(shown) > 60:
            shown = shown[:60] + "…"
        self.preview.bad.append(BadCell(sheet, cell.at, shown, reason, remedy))

    def bad_row(self, sheet: str, cell: Cell) -> None:
        self.bad(
            sheet,
            cell,
            _("This row is not one of the returns your body owes for this period."),
            _("Delete the row, or restore its identifier from the downloaded workbook."),
        )

    def read_row(self, row: ParsedRow) -> None:
        """Identify the row, hold its locked cells against what was written, read the open ones."""
        name, columns = str(SHEETS[row.code][0]), SHEETS[row.code][1]
        uid, goal = row.uid, row.goal_uid
        written = self.parsed.exported
        if (name, uid, goal, ROW_ID.title) not in written:
            self.bad_row(name, row.cells["row_id"])
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
                    known = {} if self.kept is None else self.kept.taken
                    base = known.get(cell_key(row.code, uid, goal, column.key), before)
                    value = value_of(column, cell)
                    self.typed.setdefault(uid, {})[row.code, goal, column] = (cell, base, value)
                    continue
                found = merge_cell(
                    exported=before,
                    current=before,
                    edited=locked_value(column, cell),
                    is_locked=True,
                )
                if found is Merge.REFUSED:
                    self.preview.refused += 1
                    raise Bad(
                        _("This column is locked, but the cell was changed."),
                        _("Put back “%(value)s”.") % {"value": before},
                    )
            except Bad as bad:
                self.bad(name, cell, bad.reason, bad.remedy)
                self.troubled.add(uid)

    def merge(self, uid: str) -> None:
        """The cells of one return: unchanged, to be applied, or in conflict with the desk.

        A row that left the body since (called off, gone to another body) must be as it was.
        """
        state = self.states.get(uid)
        if state is None:
            self.merge_gone(uid)
            return
        fresh: list[tuple[str, str, Column, Cell, str]] = []
        conflicts: list[Conflict] = []
        final: dict[tuple[str, str], str] = {}
        for (code, goal, column), (cell, base, value) in self.typed[uid].items():
            current = state.value_of(column.key, goal)
            found = merge_cell(exported=base, current=current, edited=value)
            key = cell_key(code, uid, goal, column.key)
            if value != base:
                self.preview.taken[key] = value
            final[column.key, goal] = current
            if found is Merge.CONFLICT:
                conflict = self.conflict(key, state, code, goal, column, cell, base, value)
                conflicts.append(conflict)
                if conflict.choice is not None:
                    kept = settle(current=current, edited=value, choice=conflict.choice)
                    final[column.key, goal] = kept
                    if kept != current:
                        fresh.append((code, goal, column, cell, value))
            elif found is Merge.APPLIED:
                final[column.key, goal] = value
                fresh.append((code, goal, column, cell, value))
        if not fresh and not conflicts:
            self.preview.unchanged += 1
            return
        if state.refusal:
            code, cell = (
                (fresh[0][0], fresh[0][3])
                if fresh
                else (conflicts[0].key.split("|")[0], Cell(conflicts[0].cell, conflicts[0].edited))
            )
            remedy = _("Undo the changes in this row; what is handed in is changed on the desk.")
            self.bad(str(SHEETS[code][0]), cell, state.refusal, remedy)
            return
        self.preview.conflicts += conflicts
        if fresh and not self.falls_without_a_note(state, fresh, final):
            self.preview.applied.append(self.row_change(state, fresh, final))

    def merge_gone(self, uid: str) -> None:
        for (code, _goal, _column), (cell, base, value) in self.typed[uid].items():
            if value != base:
                self.bad_row(str(SHEETS[code][0]), cell)
                return
        self.preview.unchanged += 1

    def conflict(self, key, state, code, goal, column, cell, base, value) -> Conflict:
        current = state.value_of(column.key, goal)
        edit = state.edits.get(edit_key(column.key, goal))
        seen = digest_of(current)
        decision = self.decisions.get(key)
        is_stale = decision is not None and bool(decision.seen) and decision.seen != seen
        choice = decision.choice if decision is not None and not is_stale else None
        if decision is None:
            choice = self.take
        who = edit.by_name if edit else str(state.report.filled_by or "") if state.report else ""
        return Conflict(
            key=key,
            sheet=str(SHEETS[code][0]),
            cell=cell.at,
            task=state.assignment.item.title,
            heading=self.named(state, column, goal),
            exported=self.shown(column, base),
            current=self.shown(column, current),
            edited=self.shown(column, value),
            changed_by=who,
            changed_at=edit.at if edit else None,
            seen=seen,
            choice=choice,
            is_stale=is_stale,
        )

    def row_change(self, state: State, fresh, final) -> RowChange:
        texts = {column.key: value for _code, goal, column, _cell, value in fresh if not goal}
        if "self_percent" in texts:
            percent = texts["self_percent"]
            texts["self_percent"] = int(percent) if percent else None
        targets = {str(target.uid): target for target in state.targets}
        goals = dict.fromkeys(goal for _code, goal, *_rest in fresh if goal)
        figures = {}
        for goal in goals:
            value = final.get(("value", goal), "")
            note = final.get(("note", goal), "")
            figures[targets[goal]] = (Decimal(value) if value else None, note)
        changes = [
            Change(
                str(SHEETS[code][0]),
                cell.at,
                self.named(state, column, goal),
                self.shown(column, state.value_of(column.key, goal)),
                self.shown(column, value),
            )
            for code, goal, column, cell, value in fresh
        ]
        return RowChange(state, texts, figures, changes)

    def falls_without_a_note(self, state: State, fresh, final) -> bool:
        found = False
        for code, goal, column, cell, value in fresh:
            last = state.last_values.get(goal)
            if column.key != "value" or not value or last is None or Decimal(value) >= last:
                continue
            if not final.get(("note", goal)):
                found = True
                self.bad(
                    str(SHEETS[code][0]),
                    cell,
                    _("Lower than the last value (%(last)s).") % {"last": plain_number(last)},
                    _("Correct the value, or say why in the column “%(column)s”.")
                    % {"column": _heading("note")},
                )
        return found

    @staticmethod
    def named(state: State, column: Column, goal: str) -> str:
        """The heading, for a figure with its goal."""
        name = next((target.name for target in state.targets if str(target.uid) == goal), "")
        return f"{column.heading} · {name}" if name else str(column.heading)

    @staticmethod
    def shown(column: Column, value: str) -> str:
        return str(Cause(value).label) if column.kind == "cause" and value else value


def _heading(key: str) -> str:
    return next(str(column.heading) for column in FIGURES if column.key == key)
