from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.periods import Cycle, Period, lay_out
from supervision.rules.working_days import WorkingCalendar, announced_overrides

OVERRIDES, YEARS = announced_overrides(range(2004, 2027))
CALENDAR = WorkingCalendar(OVERRIDES, "2026-1", YEARS)


def periods(cycle, first, last, return_day=5):
    return lay_out(cycle, first, last, return_day=return_day, calendar=CALENDAR)


def test_months_are_due_in_the_month_that_follows_and_cut_at_both_ends():
    assert periods(Cycle.MONTHLY, date(2026, 10, 12), date(2027, 1, 15)) == [
        Period("2026-10", date(2026, 10, 12), date(2026, 10, 31), date(2026, 11, 5)),
        Period("2026-11", date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 7)),
        Period("2026-12", date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 5)),
        Period("2027-01", date(2027, 1, 1), date(2027, 1, 15), date(2027, 2, 5)),
    ]


@pytest.mark.parametrize(
    ("month", "return_day", "due"),
    [
        (date(2026, 1, 1), 31, date(2026, 2, 28)),  # shorter month, and a make-up Saturday
        (date(2028, 1, 1), 31, date(2028, 2, 29)),
        (date(2026, 9, 1), 5, date(2026, 10, 8)),  # rolled over the National Day holiday
        (date(2026, 9, 1), 10, date(2026, 10, 10)),  # a make-up Saturday is a working day
        (date(2026, 1, 1), 16, date(2026, 2, 24)),  # rolled over the Spring Festival
        (date(2026, 4, 1), 31, date(2026, 6, 1)),  # 31 May is a Sunday
        (date(2025, 12, 1), 1, date(2026, 1, 4)),
    ],
)
def test_return_days_of_a_month(month, return_day, due):
    assert periods(Cycle.MONTHLY, month, month, return_day)[0].due_date == due


def test_quarters_and_half_years_are_due_on_their_last_working_day():
    quarters = periods(Cycle.QUARTERLY, date(2026, 2, 1), date(2026, 12, 31))
    assert [(p.label, p.due_date) for p in quarters] == [
        ("2026-Q1", date(2026, 3, 31)),
        ("2026-Q2", date(2026, 6, 30)),
        ("2026-Q3", date(2026, 9, 30)),
        ("2026-Q4", date(2026, 12, 31)),
    ]
    assert quarters[0].start_date == date(2026, 2, 1)
    assert periods(Cycle.QUARTERLY, date(2024, 1, 1), date(2024, 3, 1))[0] == Period(
        "2024-Q1", date(2024, 1, 1), date(2024, 3, 1), date(2024, 3, 29)
    )
    halves = periods(Cycle.HALF_YEARLY, date(2026, 1, 1), date(2026, 7, 1))
    assert [(p.label, p.due_date) for p in halves] == [
        ("2026-H1", date(2026, 6, 30)),
        ("2026-H2", date(2026, 12, 31)),
    ]


def test_weeks_follow_the_iso_year_and_a_week_of_holidays_is_due_after_it():
    weeks = periods(Cycle.WEEKLY, date(2026, 2, 11), date(2026, 2, 24))
    assert weeks == [
        Period("2026-W07", date(2026, 2, 11), date(2026, 2, 15), date(2026, 2, 14)),
        Period("2026-W08", date(2026, 2, 16), date(2026, 2, 22), date(2026, 2, 24)),
        Period("2026-W09", date(2026, 2, 23), date(2026, 2, 24), date(2026, 2, 28)),
    ]
    assert periods(Cycle.WEEKLY, date(2027, 1, 1), date(2027, 1, 1))[0].label == "2026-W53"


def test_a_quarter_entered_after_its_last_working_day_is_due_when_work_begins_again():
    (period,) = periods(Cycle.QUARTERLY, date(2024, 3, 30), date(2024, 3, 31))
    assert period.due_date == date(2024, 4, 1)
    (period,) = periods(Cycle.QUARTERLY, date(2024, 3, 29), date(2024, 3, 31))
    assert period.due_date == date(2024, 3, 29)


def test_a_single_return_is_due_at_the_end():
    assert periods(Cycle.ONCE, date(2026, 11, 1), date(2026, 11, 21)) == [
        Period("2026-11-21", date(2026, 11, 1), date(2026, 11, 21), date(2026, 11, 23))
    ]


@pytest.mark.parametrize("cycle", Cycle)
def test_an_empty_range_has_no_periods(cycle):
    assert periods(cycle, date(2026, 11, 2), date(2026, 11, 1)) == []


@pytest.mark.parametrize("return_day", [0, 32])
def test_a_return_day_is_a_day_of_a_month(return_day):
    with pytest.raises(ValueError):
        periods(Cycle.MONTHLY, date(2026, 1, 1), date(2026, 2, 1), return_day)


@given(
    st.sampled_from(Cycle),
    st.dates(date(2020, 1, 1), date(2028, 1, 1)),
    st.integers(0, 800),
    st.integers(1, 31),
)
def test_periods_cover_the_range_without_gap_or_overlap(cycle, first, length, return_day):
    last = first + timedelta(days=length)
    laid_out = periods(cycle, first, last, return_day)

    assert (laid_out[0].start_date, laid_out[-1].end_date) == (first, last)
    for former, latter in pairwise(laid_out):
        assert latter.start_date == former.end_date + timedelta(days=1)
        assert latter.due_date > former.due_date
    assert len({period.label for period in laid_out}) == len(laid_out)
    assert all(CALENDAR.is_working(period.due_date) for period in laid_out)
    assert all(period.due_date >= period.start_date for period in laid_out)
