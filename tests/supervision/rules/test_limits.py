import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.limits import DateReceipt, Unit, add_months, distance, due_date, shift
from supervision.rules.working_days import WorkingCalendar, announced_overrides

OVERRIDES, YEARS = announced_overrides(range(2004, 2027))
CALENDAR = WorkingCalendar(OVERRIDES, "2026-1", YEARS)
WORKING_DAY, DAY, MONTH = Unit.WORKING_DAY, Unit.DAY, Unit.MONTH

some_days = st.dates(date(2010, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 12, 1), 0, date(2026, 12, 1)),
    ],
)
def test_months_end_on_their_last_day(day, n, expected):
    assert add_months(day, n) == expected


@pytest.mark.parametrize(
    ("start", "value", "unit", "expected", "rolled_from"),
    [
        (date(2026, 11, 20), 2, WORKING_DAY, date(2026, 11, 24), None),
        (date(2026, 11, 20), 0, WORKING_DAY, date(2026, 11, 20), None),
        (date(2026, 11, 21), 0, WORKING_DAY, date(2026, 11, 23), date(2026, 11, 21)),
        (date(2026, 10, 8), 2, WORKING_DAY, date(2026, 10, 10), None),  # make-up Saturday
        (date(2026, 11, 5), 15, DAY, date(2026, 11, 20), None),
        (date(2026, 11, 6), 15, DAY, date(2026, 11, 23), date(2026, 11, 21)),
        (date(2026, 10, 5), 5, DAY, date(2026, 10, 10), None),  # lands on a make-up Saturday
        (date(2026, 2, 1), 15, DAY, date(2026, 2, 24), date(2026, 2, 16)),  # Spring Festival
        (date(2026, 1, 31), 1, MONTH, date(2026, 2, 28), None),  # a make-up Saturday
        (date(2024, 1, 31), 1, MONTH, date(2024, 2, 29), None),
        (date(2025, 12, 1), 1, MONTH, date(2026, 1, 4), date(2026, 1, 1)),
        (date(2026, 11, 26), -3, WORKING_DAY, date(2026, 11, 23), None),
    ],
)
def test_due_dates(start, value, unit, expected, rolled_from):
    receipt = due_date(start, value, unit, rule="x", calendar=CALENDAR)

    assert (receipt.date, receipt.rolled_from) == (expected, rolled_from)


def test_rolling_can_be_switched_off():
    receipt = due_date(date(2026, 11, 6), 15, DAY, rule="x", calendar=CALENDAR, roll_forward=False)

    assert (receipt.date, receipt.rolled_from, receipt.skipped) == (date(2026, 11, 21), None, ())


@pytest.mark.parametrize(
    ("start", "value", "unit", "skipped"),
    [
        (date(2026, 11, 20), 1, WORKING_DAY, [date(2026, 11, 21), date(2026, 11, 22)]),
        (date(2026, 11, 23), -1, WORKING_DAY, [date(2026, 11, 21), date(2026, 11, 22)]),
        (date(2026, 11, 21), 0, WORKING_DAY, [date(2026, 11, 21), date(2026, 11, 22)]),
        (date(2026, 9, 30), 1, WORKING_DAY, [date(2026, 10, n) for n in range(1, 8)]),
        (date(2026, 11, 6), 15, DAY, [date(2026, 11, 21), date(2026, 11, 22)]),
        (date(2026, 11, 6), 14, DAY, []),
        (date(2026, 11, 16), 2, WORKING_DAY, []),
    ],
)
def test_the_receipt_lists_the_days_it_skipped(start, value, unit, skipped):
    assert list(due_date(start, value, unit, rule="x", calendar=CALENDAR).skipped) == skipped


@pytest.mark.parametrize(
    ("start", "value", "unit", "is_provisional"),
    [
        (date(2026, 12, 30), 1, WORKING_DAY, False),
        (date(2026, 12, 31), 1, WORKING_DAY, True),
        (date(2026, 12, 1), 40, DAY, True),
        (date(2003, 12, 31), 10, DAY, False),  # the start's year has no say in plain days
        (date(2003, 12, 31), 10, WORKING_DAY, True),
        (date(2026, 6, 30), 6, MONTH, False),
    ],
)
def test_a_year_without_a_notice_makes_the_date_provisional(start, value, unit, is_provisional):
    receipt = due_date(start, value, unit, rule="x", calendar=CALENDAR)

    assert receipt.is_provisional is is_provisional


def test_the_receipt_says_what_it_was_computed_from():
    receipt = due_date(date(2026, 11, 20), 2, WORKING_DAY, rule="accept", calendar=CALENDAR)

    assert receipt == DateReceipt(
        date=date(2026, 11, 24),
        start_date=date(2026, 11, 20),
        value=2,
        unit=WORKING_DAY,
        rule="accept",
        calendar_version="2026-1",
        skipped=(date(2026, 11, 21), date(2026, 11, 22)),
    )


@given(some_days, st.integers(-60, 60), st.sampled_from(Unit), st.booleans())
def test_a_receipt_survives_json(start, value, unit, roll_forward):
    receipt = due_date(start, value, unit, rule="x", calendar=CALENDAR, roll_forward=roll_forward)

    assert DateReceipt.from_json(json.loads(json.dumps(receipt.to_json()))) == receipt
    assert not any(CALENDAR.is_working(day) for day in receipt.skipped)
    assert not roll_forward or CALENDAR.is_working(receipt.date)


@pytest.mark.parametrize(
    ("start", "end", "unit", "expected"),
    [
        (date(2026, 11, 20), date(2026, 11, 23), WORKING_DAY, 1),
        (date(2026, 11, 20), date(2026, 11, 23), DAY, 3),
        (date(2026, 1, 31), date(2026, 2, 27), MONTH, 0),
        (date(2026, 1, 31), date(2026, 2, 28), MONTH, 1),
        (date(2026, 2, 28), date(2026, 1, 28), MONTH, -1),
    ],
)
def test_distances(start, end, unit, expected):
    assert distance(start, end, unit, CALENDAR) == expected


@given(some_days, st.integers(0, 60), st.sampled_from(Unit))
def test_distance_undoes_shift(start, value, unit):
    assert distance(start, shift(start, value, unit, CALENDAR), unit, CALENDAR) == value
