"""Progress in percent. Every percentage is a Decimal with one decimal place."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum

from supervision.rules.limits import add_months
from supervision.rules.working_days import ONE_DAY

Number = Decimal | int
STEP = Decimal("0.1")
NOTHING = Decimal("0.0")
WHOLE = Decimal("100.0")


class Comparison(StrEnum):
    """How a goal is meant. Rises and falls are entered as positive amounts."""

    AT_LEAST = "at_least"
    REACH = "reach"
    AT_MOST = "at_most"
    INCREASE_BY = "increase_by"
    DECREASE_BY = "decrease_by"
    FULL_COVERAGE = "full_coverage"


def normalised_weights(weights: Sequence[Number]) -> tuple[Decimal, ...]:
    """The weights as percentages that add up to exactly 100.0; all zero counts as all equal.

    What rounding leaves over goes to the largest remainders, the first of equals.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight cannot be negative")
    if not any(weights):
        weights = [1] * len(weights)
    total = Decimal(sum(weights))
    exact = [Decimal(weight) * 100 / total for weight in weights]
    shares = [share.quantize(STEP, ROUND_DOWN) for share in exact]
    left_over = int((WHOLE - sum(shares)) / STEP) if shares else 0
    by_remainder = sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])
    for i in by_remainder[:left_over]:
        shares[i] += STEP
    return tuple(shares)


def actual_percent(milestones: Sequence[tuple[bool, Number]]) -> Decimal | None:
    """Weight of the completed milestones, given as (is_completed, weight); None without any."""
    if not milestones:
        return None
    shares = normalised_weights([weight for _is_completed, weight in milestones])
    done = [
        share for (is_completed, _), share in zip(milestones, shares, strict=True) if is_completed
    ]
    return sum(done, NOTHING)


def scheduled_percent(
    milestones: Sequence[tuple[date, Number]],
    start_date: date | None,
    due_date: date | None,
    today: date,
) -> Decimal | None:
    """Weight of the milestones planned up to `today`, given as (planned_date, weight).

    Without milestones linear by months elapsed: the end of November of a one-year task is 91.7.
    None when there is neither a milestone nor a pair of dates.
    """
    if milestones:
        return actual_percent([(planned <= today, weight) for planned, weight in milestones])
    if start_date is None or due_date is None:
        return None
    if today >= due_date:
        return WHOLE
    if today < start_date:
        return NOTHING
    elapsed = _months(start_date, today + ONE_DAY) / _months(start_date, due_date + ONE_DAY)
    return (elapsed * 100).quantize(STEP, ROUND_HALF_UP)


def completion_rate(value: Number | None, goal: Number, comparison: Comparison) -> Decimal | None:
    """Value against goal in percent; may exceed 100, never below 0. None without a value.

    For a ceiling (`AT_MOST`) keeping it is 100 and exceeding it goal / value.
    """
    if value is None:
        return None
    value, goal = Decimal(value), Decimal(goal)
    if comparison is Comparison.AT_MOST:
        if value <= goal:
            return WHOLE
        value, goal = goal, value
    if goal == 0:
        return WHOLE if value >= 0 else NOTHING
    return max(value / goal * 100, NOTHING).quantize(STEP, ROUND_HALF_UP)


def _months(start: date, end: date) -> Decimal:
    """Months from `start` to a later `end`, the last one in proportion to its days."""
    whole = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, whole) > end:
        whole -= 1
    begun = add_months(start, whole)
    length = add_months(start, whole + 1) - begun
    return whole + Decimal((end - begun).days) / length.days
