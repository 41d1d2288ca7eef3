"""What people type into tables: dates in words, several bodies in a cell, headings."""

from datetime import date

import pytest

from supervision.rules.table_text import guess_field, parse_day, plain, split_bodies

JUNE = date(2017, 6, 30)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2017年6月底", JUNE),
        ("2017.6.30", JUNE),
        ("2017-06-30", JUNE),
        ("2017/6/30", JUNE),
        ("20170630", JUNE),
        (42916, JUNE),
        ("２０１７年６月３０日", JUNE),
        ("2017年6月30日前", JUNE),
        ("2017年6月", JUNE),
        ("2017年上半年", JUNE),
        ("2017年第二季度末", JUNE),
        ("2017年二季度", JUNE),
        ("六月底前", JUNE),
        ("6月底前", JUNE),
        ("二〇一七年六月底", JUNE),
        ("2017年6月中旬", date(2017, 6, 20)),
        ("2017年底前", date(2017, 12, 31)),
        ("年底", date(2017, 12, 31)),
        ("十二月底", date(2017, 12, 31)),
        (date(2018, 1, 1), date(2018, 1, 1)),
        ("长期坚持", None),
        ("持续推进", None),
    ],
)
def test_a_date_is_understood_however_it_is_written(typed, expected):
    assert parse_day(typed, year=2017) == expected


@pytest.mark.parametrize("typed", ["尽快", "", None, "2017年13月", "2月30日", "=1", 12, True, "年"])
def test_what_is_no_date_is_not_guessed(typed):
    with pytest.raises(ValueError):
        parse_day(typed, year=2017)


def test_without_a_year_nothing_is_assumed():
    with pytest.raises(ValueError):
        parse_day("6月底")


@pytest.mark.parametrize(
    "typed",
    ["市工信局、市科技局", "市工信局\n市科技局", "市工信局，市科技局", "市工信局及市科技局",
     "市工信局;市科技局等", "市工信局（牵头） 市科技局（配合）", "市工信局、市工信局、市科技局"],
)  # fmt: skip
def test_several_bodies_stand_in_one_cell(typed):
    assert split_bodies(typed) == ["市工信局", "市科技局"]


def test_a_known_name_stays_whole():
    assert split_bodies("市埃及办", known={"市埃及办"}) == ["市埃及办"]


@pytest.mark.parametrize(
    ("heading", "field"),
    [("工作任务", "title"), ("具 体 要 求", "requirement"), ("牵头单位", "lead"),
     ("配合\n单位", "support"), ("完成时限", "due"), ("备注", "remarks"), ("序号", "")],
)  # fmt: skip
def test_headings_are_recognised(heading, field):
    assert guess_field(heading) == field


def test_plain_is_half_width():
    assert plain("　１２３ａ  b ") == "123a b"
