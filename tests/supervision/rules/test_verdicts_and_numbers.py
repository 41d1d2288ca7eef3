from datetime import date

import pytest

from supervision.rules.numbers import format_number
from supervision.rules.verdicts import Verdict, completion_verdict

DUE, ORIGINAL = date(2026, 11, 20), date(2026, 10, 30)


@pytest.mark.parametrize(
    ("completed_on", "due", "original", "expected"),
    [
        (date(2026, 10, 30), DUE, ORIGINAL, Verdict(False, 0, 0)),
        (date(2026, 10, 31), DUE, ORIGINAL, Verdict(False, 0, 1)),
        (DUE, DUE, ORIGINAL, Verdict(False, 0, 21)),
        (date(2026, 11, 21), DUE, ORIGINAL, Verdict(True, 1, 22)),
        (date(2026, 11, 23), DUE, DUE, Verdict(True, 3, 3)),
        (date(2027, 1, 1), date(2026, 12, 31), None, Verdict(True, 1, 0)),
        (DUE, None, None, Verdict(False, 0, 0)),
    ],
)
def test_completion_is_judged_against_both_dates(completed_on, due, original, expected):
    assert completion_verdict(completed_on, due, original) == expected


def test_numbers_of_items_and_letters():
    assert format_number("督字", 2026, 18) == "督字〔2026〕18"
    assert format_number("衡政督", 2026, 8, is_letter=True) == "衡政督〔2026〕8号"
    assert format_number("督字", 2026, 1000) == "督字〔2026〕1000"


@pytest.mark.parametrize("n", [0, -1])
def test_numbers_begin_at_one(n):
    with pytest.raises(ValueError):
        format_number("督字", 2026, n)
