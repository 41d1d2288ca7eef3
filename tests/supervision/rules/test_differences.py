"""What changed between two texts."""

import random
import time
from itertools import pairwise

import pytest

from supervision.rules.differences import Change, Piece, differences, is_same_text

KEPT, ADDED, REMOVED = Change.KEPT, Change.ADDED, Change.REMOVED


@pytest.mark.parametrize(
    "before, now, expected",
    [
        ("", "", []),
        ("", "新建。", [(ADDED, "新建。")]),
        ("旧文。", "", [(REMOVED, "旧文。")]),
        ("已完成。", "已完成。", [(KEPT, "已完成。")]),
        (
            "新增12家。",
            "新增120家。",
            [(KEPT, "新增"), (REMOVED, "12"), (ADDED, "120"), (KEPT, "家。")],
        ),
        (
            "第一句。第二句。",
            "第一句。插入句。第二句。",
            [(KEPT, "第一句。"), (ADDED, "插入句。"), (KEPT, "第二句。")],
        ),
        (
            "完成投资50%。",
            "完成投资62.5%。",
            [(KEPT, "完成投资"), (REMOVED, "50%"), (ADDED, "62.5%"), (KEPT, "。")],
        ),
    ],
)
def test_what_changed_is_named_piece_by_piece(before, now, expected):
    assert differences(before, now) == [Piece(*pair) for pair in expected]


def test_the_pieces_give_both_texts_back():
    chance = random.Random(7)
    letters = "已完成投资12万元。未；\n A研发"
    for _round in range(300):
        before = "".join(chance.choices(letters, k=chance.randrange(60)))
        now = list(before)
        for _change in range(chance.randrange(6)):
            place = chance.randrange(len(now) + 1)
            now[place : place + chance.randrange(3)] = chance.choices(
                letters, k=chance.randrange(4)
            )
        now = "".join(now)

        pieces = differences(before, now)

        assert "".join(p.text for p in pieces if p.change is not ADDED) == before
        assert "".join(p.text for p in pieces if p.change is not REMOVED) == now
        assert all(piece.text for piece in pieces)
        assert all(a.change != b.change for a, b in pairwise(pieces))


def test_two_long_texts_without_a_common_sentence_take_no_time():
    before, now = "推进项目建设" * 1000, "落实资金保障" * 1000
    begun = time.perf_counter()

    pieces = differences(before, now)

    assert time.perf_counter() - begun < 2
    assert [piece.change for piece in pieces] == [REMOVED, ADDED]


def test_spaces_alone_make_no_new_text():
    assert is_same_text("已完成 三项。\n", "已完成三项。")
    assert not is_same_text("已完成三项。", "已完成四项。")
