from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.limits import Unit
from supervision.rules.waiting import Clock, latest_near, latest_over
from supervision.rules.working_days import WorkingCalendar, announced_overrides

OVERRIDES, YEARS = announced_overrides(range(2024, 2027))
CALENDAR = WorkingCalendar(OVERRIDES, "2026-1", YEARS)
THREE = Clock(3, Unit.WORKING_DAY, near=1)


@pytest.mark.parametrize(
    ("since", "due", "near"),
    [
        (date(2026, 6, 1), date(2026, 6, 4), date(2026, 6, 3)),
        (date(2026, 6, 5), date(2026, 6, 10), date(2026, 6, 9)),  # over a weekend
        (date(2026, 9, 30), date(2026, 10, 10), date(2026, 10, 9)),  # a make-up Saturday
    ],
)
def test_a_limit_counts_working_days_from_the_day_after(since, due, near):
    assert THREE.due(since, CALENDAR) == due
    assert THREE.near_on(since, CALENDAR) == near
    assert THREE.days_over(since, due, CALENDAR) == 0
    assert THREE.days_over(since, CALENDAR.add(due, 2), CALENDAR) == 2


def test_nobody_is_told_before_the_matter_came():
    assert Clock(1, Unit.WORKING_DAY, near=1).near_on(date(2026, 6, 1), CALENDAR) == date(
        2026, 6, 1
    )


@given(
    today=st.dates(date(2024, 3, 1), date(2026, 12, 1)),
    value=st.integers(0, 12),
    near=st.integers(0, 3),
    unit=st.sampled_from([Unit.WORKING_DAY, Unit.DAY]),
)
def test_the_latest_day_is_the_border(today, value, near, unit):
    clock = Clock(value, unit, min(near, value))
    over, told = latest_over(today, clock, CALENDAR), latest_near(today, clock, CALENDAR)
    for since in (today - timedelta(days=n) for n in range(60)):
        assert (clock.due(since, CALENDAR) < today) == (since <= over)
        assert (clock.near_on(since, CALENDAR) <= today) == (since <= told)
