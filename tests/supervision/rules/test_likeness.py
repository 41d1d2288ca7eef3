"""Texts that say the same, and numbers that move."""

from decimal import Decimal

import pytest

from supervision.rules.likeness import like_others, likeness
from supervision.rules.moves import Reading, Way, moves, way_of

TEXT = "本月新增研发机构十二家，完成投资三点二亿元，已落实用地指标。"


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        (TEXT, TEXT, 100, 100),
        (TEXT, TEXT.replace("，", ", ") + " ", 100, 100),
        (
            "完成投资３２００万元，新增机构１２家，推进顺利。",
            "完成投资3200万元 新增机构12家 推进顺利",
            100,
            100,
        ),
        (TEXT, TEXT + "完", 90, 99),
        (TEXT, TEXT.replace("十二家", "十五家"), 60, 90),
        (TEXT, "全年培训企业家一百名，举办对接会三场，签约项目七个。", 0, 5),
        ("按计划推进", "按计划推进", 0, 0),
        ("", TEXT, 0, 0),
    ],
)
def test_how_alike_two_texts_are(one, other, least, most):
    assert least <= likeness(one, other) <= most
    assert likeness(one, other) == likeness(other, one)


def test_each_text_is_told_of_the_one_most_like_it():
    texts = {1: TEXT, 2: TEXT + "完", 3: "全年培训企业家一百名，举办对接会三场。", 4: "", 5: "短"}

    assert like_others(texts, from_percent=85) == {1: 2, 2: 1}
    assert like_others({1: TEXT}, from_percent=85) == {}
    assert like_others({1: TEXT, 2: TEXT, 3: TEXT + "完"}, from_percent=85) == {1: 2, 2: 1, 3: 1}


@pytest.mark.parametrize(
    ("last", "value", "goal", "is_percent", "way"),
    [
        (12, 9, 80, False, Way.FALL),
        (12, 12, 80, False, None),
        (12, 52, 80, False, None),
        (12, 53, 80, False, Way.JUMP),
        (10, 15, None, False, None),
        (10, 16, None, False, Way.JUMP),
        (None, 70, 80, False, None),
        (10, None, 80, False, None),
        (0, 5, None, False, None),
        (30, 29, None, True, Way.FALL),
        (30, 70, None, True, None),
        (30, 71, None, True, Way.JUMP),
    ],
)
def test_what_falls_or_jumps(last, value, goal, is_percent, way):
    reading = Reading("x", last, value, goal and Decimal(goal), is_percent=is_percent)

    assert way_of(reading, jump_percent=50, jump_points=40) is way
    found = moves([reading], jump_percent=50, jump_points=40)
    assert [move.way for move in found] == ([way] if way else [])


def test_a_note_on_the_figure_is_reason_enough():
    reading = Reading("x", 12, 9, note="口径调整")

    assert moves([reading], jump_percent=50, jump_points=40) == []
