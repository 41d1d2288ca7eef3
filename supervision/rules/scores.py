"""Points of one line of the score sheet."""

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True)
class Score:
    """What a line adds, deducts, and comes to with its base."""

    plus: Decimal
    minus: Decimal
    points: Decimal


def score(*, base: Decimal, each: Decimal, count: int, most: Decimal | None = None) -> Score:
    """`count` cases at `each` points (negative: a deduction), at most `most` either way.

    Source: domain.md, section 11.1.
    """
    found = abs(each) * count
    if most is not None:
        found = min(found, most)
    plus, minus = (found, ZERO) if each > 0 else (ZERO, found)
    return Score(plus, minus, base + plus - minus)
