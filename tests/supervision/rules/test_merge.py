"""Three values of a cell, every way they can differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.merge import Choice, Merge, merge_cell, settle

CASES = [
    # exported, current, edited, locked: what becomes of it
    ("a", "a", "a", False, Merge.UNCHANGED),
    ("a", "b", "a", False, Merge.UNCHANGED),
    ("a", "a", "b", False, Merge.APPLIED),
    ("a", "a", "", False, Merge.APPLIED),
    ("", "", "b", False, Merge.APPLIED),
    ("a", "b", "b", False, Merge.UNCHANGED),
    ("a", "b", "c", False, Merge.CONFLICT),
    ("a", "", "c", False, Merge.CONFLICT),
    ("a", "b", "", False, Merge.CONFLICT),
    ("a", "a", "a", True, Merge.UNCHANGED),
    ("a", "a", "b", True, Merge.REFUSED),
    ("a", "b", "b", True, Merge.REFUSED),
    ("a", "b", "c", True, Merge.REFUSED),
]


@pytest.mark.parametrize(("exported", "current", "edited", "is_locked", "expected"), CASES)
def test_a_cell_is_merged_three_ways(exported, current, edited, is_locked, expected):
    found = merge_cell(exported=exported, current=current, edited=edited, is_locked=is_locked)

    assert found is expected


@given(st.text(max_size=2), st.text(max_size=2), st.text(max_size=2))
def test_nothing_is_lost_without_a_person_having_said_so(exported, current, edited):
    found = merge_cell(exported=exported, current=current, edited=edited)

    if found is Merge.APPLIED:
        assert current == exported
    if found is Merge.UNCHANGED:
        assert edited in (exported, current)


def test_a_conflict_leaves_what_was_chosen():
    assert settle(current="b", edited="c", choice=Choice.MINE) == "c"
    assert settle(current="b", edited="c", choice=Choice.THEIRS) == "b"
