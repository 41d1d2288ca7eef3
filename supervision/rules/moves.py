"""Numbers that fall or jump between two returns: they ask for one line of reason, no more.

Cumulative values do not fall unless something was counted anew; a great jump is as often a slip
of the pen as a success (domain.md, sections 3.4 and 13).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Way(StrEnum):
    FALL = "fall"
    JUMP = "jump"


@dataclass(frozen=True)
class Reading:
    """One number of a return beside the last one; `goal` where the goal has a height.

    With `is_percent` the number is an estimate from 0 to 100, measured in points.
    """

    name: str
    last: Decimal | int | None
    value: Decimal | int | None
    goal: Decimal | None = None
    unit: str = ""
    note: str = ""
    is_percent: bool = False


@dataclass(frozen=True)
class Move:
    """A reading that asks for a reason."""

    reading: Reading
    way: Way


def way_of(reading: Reading, *, jump_percent: int, jump_points: int) -> Way | None:
    """How a number moved, if it asks for a reason.

    A cumulative value jumps when it grows by more than `jump_percent` of the goal, or of the last
    value where there is no goal; an estimate by more than `jump_points`. From nothing nothing
    jumps: the first figure has no last one.
    """
    last, value = reading.last, reading.value
    if last is None or value is None:
        return None
    if value < last:
        return Way.FALL
    if reading.is_percent:
        return Way.JUMP if value - last > jump_points else None
    base = reading.goal or last
    if base and (value - last) * 100 > base * jump_percent:
        return Way.JUMP
    return None


def moves(readings: Iterable[Reading], *, jump_percent: int, jump_points: int) -> list[Move]:
    """The readings that fell or jumped and have no note of their own."""
    found = []
    for reading in readings:
        way = way_of(reading, jump_percent=jump_percent, jump_points=jump_points)
        if way is not None and not reading.note.strip():
            found.append(Move(reading, way))
    return found
