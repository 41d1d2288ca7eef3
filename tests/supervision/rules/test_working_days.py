import time
from datetime import date, timedelta

import pytest
from chinese_calendar import is_workday
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.working_days import WorkingCalendar, announced_overrides

OVERRIDES, YEARS = announced_overrides(range(2004, 2031))
CALENDAR = WorkingCalendar(OVERRIDES, "2026-1", YEARS)
WEEKDAYS = WorkingCalendar()

days = st.dates(date(2003, 1, 1), date(2031, 12, 31))


def test_the_calendar_agrees_with_the_notices_on_every_day():
    day = date(2004, 1, 1)
    while day <= date(2026, 12, 31):
        assert CALENDAR.is_working(day) == is_workday(day), day
        day += timedelta(days=1)


def test_a_year_without_a_notice_falls_back_to_weekdays_and_is_provisional():
    overrides, years = announced_overrides([2003, 2026, 2099])
    calendar = WorkingCalendar(overrides, "x", years)

    assert years == {2026}
    assert {day.year for day in overrides} == {2026}
    assert calendar.is_provisional(date(2099, 1, 1))
    assert not calendar.is_provisional(date(2026, 12, 31))
    assert calendar.is_working(date(2099, 10, 1))


def test_both_kinds_of_override_are_announced():
    assert OVERRIDES[date(2026, 10, 1)] is False
    assert OVERRIDES[date(2026, 10, 10)] is True
    assert list(OVERRIDES) == sorted(OVERRIDES)


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 11, 22), 0, date(2026, 11, 22)),  # a Sunday, returned as it is
        (date(2026, 11, 20), 1, date(2026, 11, 23)),  # Friday to Monday
        (date(2026, 11, 22), 1, date(2026, 11, 23)),
        (date(2026, 11, 22), -1, date(2026, 11, 20)),
        (date(2026, 11, 23), -1, date(2026, 11, 20)),
        (date(2026, 10, 9), 1, date(2026, 10, 10)),  # Friday to the make-up Saturday
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # over the National Day holiday
        (date(2026, 2, 14), 1, date(2026, 2, 24)),  # over the Spring Festival, from a make-up day
        (date(2026, 2, 24), -1, date(2026, 2, 14)),
        (date(2024, 2, 28), 1, date(2024, 2, 29)),
        (date(2025, 12, 31), 1, date(2026, 1, 4)),  # a make-up Sunday after New Year
        (date(2026, 12, 31), 1, date(2027, 1, 1)),  # 2027 is not announced: a plain Friday
    ],
)
def test_add(start, n, expected):
    assert CALENDAR.add(start, n) == expected


@pytest.mark.parametrize(
    ("day", "following", "previous"),
    [
        (date(2026, 11, 20), date(2026, 11, 20), date(2026, 11, 20)),
        (date(2026, 11, 21), date(2026, 11, 23), date(2026, 11, 20)),
        (date(2026, 10, 10), date(2026, 10, 10), date(2026, 10, 10)),
        (date(2026, 10, 3), date(2026, 10, 8), date(2026, 9, 30)),
    ],
)
def test_the_nearest_working_days(day, following, previous):
    assert CALENDAR.next_working(day) == following
    assert CALENDAR.previous_working(day) == previous


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 11, 20), date(2026, 11, 20), 0),
        (date(2026, 11, 20), date(2026, 11, 22), 0),
        (date(2026, 11, 20), date(2026, 11, 23), 1),
        (date(2026, 11, 23), date(2026, 11, 20), -1),
        (date(2026, 9, 30), date(2026, 10, 10), 3),
        (date(2026, 1, 1), date(2026, 12, 31), 248),
    ],
)
def test_between(start, end, expected):
    assert CALENDAR.between(start, end) == expected


@given(days, days)
def test_between_counts_each_working_day(start, end):
    first, last = sorted((start, end))
    counted = sum(
        CALENDAR.is_working(first + timedelta(days=i)) for i in range(1, (last - first).days + 1)
    )
    assert CALENDAR.between(first, last) == counted
    assert CALENDAR.between(last, first) == -counted


@given(days, st.integers(-600, 600).filter(bool))
def test_add_lands_on_a_working_day_at_that_distance(start, n):
    end = CALENDAR.add(start, n)

    assert CALENDAR.is_working(end)
    assert (end > start) == (n > 0)
    if CALENDAR.is_working(start):
        assert CALENDAR.between(start, end) == n
        assert CALENDAR.add(end, -n) == start
    elif n > 0:
        assert CALENDAR.between(start, end) == n
    else:
        assert CALENDAR.between(start, end) == n + 1


@given(days, st.integers(1, 300), st.integers(1, 300))
def test_adding_twice_is_adding_the_sum(start, n, m):
    assert CALENDAR.add(CALENDAR.add(start, n), m) == CALENDAR.add(start, n + m)


def test_without_overrides_every_weekday_counts():
    assert WEEKDAYS.between(date(2026, 1, 1), date(2026, 1, 31)) == 21
    assert WEEKDAYS.is_provisional(date(2026, 1, 1))


@pytest.mark.parametrize(("day", "n"), [(date(1, 1, 2), -2), (date(9999, 12, 30), 5)])
def test_beyond_the_years_of_a_date(day, n):
    with pytest.raises(OverflowError):
        WEEKDAYS.add(day, n)


def test_a_calendar_is_a_value_and_does_not_change_with_its_source():
    source = {date(2026, 11, 23): False}
    calendar = WorkingCalendar(source, "v1")
    source.clear()

    assert not calendar.is_working(date(2026, 11, 23))
    assert calendar == WorkingCalendar({date(2026, 11, 23): False}, "v1")
    assert hash(calendar) == hash(WorkingCalendar({date(2026, 11, 23): False}, "v1"))


def test_counting_over_years_does_not_walk_the_days():
    started = time.process_time()
    for _ in range(2000):
        CALENDAR.between(date(2004, 1, 1), date(2026, 12, 31))
        CALENDAR.add(date(2004, 1, 1), 5000)
    assert time.process_time() - started < 2
