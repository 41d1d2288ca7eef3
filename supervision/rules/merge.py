"""Three values of one cell: as written into the workbook, as it stands, as it came back."""

from enum import StrEnum


class Merge(StrEnum):
    """What becomes of a cell that came back."""

    UNCHANGED = "unchanged"
    APPLIED = "applied"
    CONFLICT = "conflict"
    REFUSED = "refused"


class Choice(StrEnum):
    """Whose value stays when both sides changed a cell."""

    MINE = "mine"  # the workbook's
    THEIRS = "theirs"  # the system's


def merge_cell(*, exported: str, current: str, edited: str, is_locked: bool = False) -> Merge:
    """Compare a cell three ways; every value in its plain form.

    Nobody touched it in the workbook, or both sides say the same: unchanged. Only the workbook
    changed it: applied, or refused in a locked column. Both changed it: a conflict, which only a
    person decides. Source: domain.md, section 8, “Round trip”.
    """
    if edited == exported:
        return Merge.UNCHANGED
    if is_locked:
        return Merge.REFUSED
    if edited == current:
        return Merge.UNCHANGED
    return Merge.APPLIED if current == exported else Merge.CONFLICT


def settle(*, current: str, edited: str, choice: Choice) -> str:
    """The value a conflict leaves behind."""
    return edited if choice is Choice.MINE else current
