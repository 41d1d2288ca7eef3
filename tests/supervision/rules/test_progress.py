from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.progress import (
    Comparison,
    actual_percent,
    completion_rate,
    normalised_weights,
    scheduled_percent,
)

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([], []),
        ([7], ["100.0"]),
        ([1, 1, 1], ["33.4", "33.3", "33.3"]),
        ([0, 0], ["50.0", "50.0"]),
        ([2, 0, 6], ["25.0", "0.0", "75.0"]),
        ([Decimal("0.5"), Decimal("1.5")], ["25.0", "75.0"]),
    ],
)
def test_weights_are_shares_of_a_hundred(weights, expected):
    assert list(normalised_weights(weights)) == [Decimal(share) for share in expected]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30))
def test_weights_always_add_up_to_a_hundred(weights):
    shares = normalised_weights(weights)

    assert sum(shares) == 100
    assert all(share >= 0 for share in shares)


def test_a_weight_is_not_negative():
    with pytest.raises(ValueError):
        normalised_weights([1, -1])


@pytest.mark.parametrize(
    ("milestones", "expected"),
    [
        ([], None),
        ([(False, 1)], "0.0"),
        ([(True, 3), (False, 1)], "75.0"),
        ([(True, 1), (True, 1), (True, 1)], "100.0"),
    ],
)
def test_actual_percent(milestones, expected):
    assert actual_percent(milestones) == (expected and Decimal(expected))


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2025, 12, 31), "0.0"),
        (date(2026, 1, 31), "8.3"),
        (date(2026, 2, 28), "16.7"),
        (date(2026, 6, 30), "50.0"),
        (date(2026, 11, 15), "87.5"),
        (date(2026, 11, 30), "91.7"),
        (date(2026, 12, 31), "100.0"),
        (date(2027, 1, 1), "100.0"),
    ],
)
def test_without_milestones_the_schedule_is_linear_by_months(today, expected):
    assert scheduled_percent([], *YEAR, today) == Decimal(expected)


def test_a_short_task_and_a_leap_day():
    assert scheduled_percent([], date(2026, 11, 2), date(2026, 11, 11), date(2026, 11, 6)) == 50
    leap = scheduled_percent([], date(2028, 2, 29), date(2028, 4, 28), date(2028, 3, 28))
    assert leap == 50
    assert scheduled_percent([], date(2026, 11, 2), date(2026, 11, 2), date(2026, 11, 2)) == 100


@pytest.mark.parametrize("dates", [(None, YEAR[1]), (YEAR[0], None)])
def test_without_dates_there_is_no_schedule(dates):
    assert scheduled_percent([], *dates, date(2026, 6, 1)) is None


def test_a_milestone_counts_from_its_planned_day():
    milestones = [(date(2026, 3, 31), 1), (date(2026, 6, 30), 3)]

    assert scheduled_percent(milestones, *YEAR, date(2026, 3, 30)) == 0
    assert scheduled_percent(milestones, *YEAR, date(2026, 3, 31)) == 25
    assert scheduled_percent(milestones, None, None, date(2026, 6, 30)) == 100


@given(st.dates(date(2020, 1, 1), date(2027, 1, 1)), st.integers(0, 900), st.integers(-10, 1000))
def test_the_schedule_never_goes_back(start, length, day):
    due, today = start + timedelta(days=length), start + timedelta(days=day)
    now, tomorrow = (
        scheduled_percent([], start, due, at) for at in (today, today + timedelta(days=1))
    )
    assert 0 <= now <= tomorrow <= 100


@pytest.mark.parametrize(
    ("value", "goal", "comparison", "expected"),
    [
        (None, 10, Comparison.AT_LEAST, None),
        (5, 10, Comparison.AT_LEAST, "50.0"),
        (15, 10, Comparison.AT_LEAST, "150.0"),
        (Decimal("1.2"), Decimal("1.8"), Comparison.INCREASE_BY, "66.7"),
        (-2, 10, Comparison.INCREASE_BY, "0.0"),
        (3, 12, Comparison.DECREASE_BY, "25.0"),
        (98, 100, Comparison.FULL_COVERAGE, "98.0"),
        (10, 10, Comparison.AT_MOST, "100.0"),
        (20, 10, Comparison.AT_MOST, "50.0"),
        (1, 0, Comparison.AT_MOST, "0.0"),
        (0, 0, Comparison.AT_LEAST, "100.0"),
        (-1, 0, Comparison.AT_LEAST, "0.0"),
    ],
)
def test_completion_rates(value, goal, comparison, expected):
    assert completion_rate(value, goal, comparison) == (expected and Decimal(expected))
