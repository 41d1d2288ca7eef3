"""An imported document is cut into its clauses, whatever marks its copy has lost."""

from pathlib import Path

import pytest

from supervision.rules.policy_text import (
    bodies_of,
    chinese_number,
    read_document_text,
    split_clauses,
)

YUNXI = (Path(__file__).parent / "data" / "yunxi-2025-7.txt").read_text(encoding="utf-8")


def test_clauses_come_by_number_in_order():
    assert list(split_clauses(YUNXI)) == ["一（一）", "二（一）", "二（二）", "二（三）"]


def test_a_clause_keeps_its_words_and_joins_broken_lines():
    text = split_clauses(YUNXI)["二（一）"]
    assert text.startswith("（一）改造老旧管网。")
    assert "下降15%，并建立台账。" in text


def test_the_second_paragraph_of_a_clause_belongs_to_it():
    assert "\n门面修缮由街道组织。" in split_clauses(YUNXI)["二（二）"]


def test_titles_and_bodies_are_exactly_the_printed_ones():
    clauses = read_document_text(YUNXI).clauses
    assert clauses["二（一）"].title == "改造老旧管网"
    assert clauses["二（一）"].bodies == ("市水务局", "市住建局", "各街道办事处")
    assert clauses["二（二）"].bodies == ("市文旅局", "市住房城乡建设局", "东门街道")
    assert clauses["二（三）"].bodies == ("市住建局", "有关部门", "市园林中心", "市文旅局等")
    assert clauses["一（一）"].bodies == ()


def test_head_and_signature_are_no_clauses():
    document = read_document_text(YUNXI)
    assert document.head[0] == "云政发〔2025〕7号"
    assert document.tail == ("云溪市人民政府", "2025年3月18日")
    assert document.chapters[0].lead_in == "到2027年，街区换新颜。"


@pytest.mark.parametrize("mark", ["（一）", "(一)", "（一)", "(一", "一)", "（ 一 ）", "　（一）"])
def test_a_head_is_known_with_either_width_or_one_bracket(mark):
    text = f"一、任务\n{mark}修路。修两条。（市住建局负责）\n"
    clause = read_document_text(text).clauses["一（一）"]
    assert (clause.title, clause.bodies) == ("修路", ("市住建局",))


def test_paragraphs_without_numbers_are_counted():
    text = (
        "一、保障\n加强领导。成立专班。（市府办负责）\n加强督查。每月通报\n"
        "加大投入。逐年增加。（市财政局负责）\n市政府\n"
    )
    clauses = read_document_text(text).clauses
    assert {number: clause.title for number, clause in clauses.items()} == {
        "一（一）": "加强领导",
        "一（二）": "加强督查",
        "一（三）": "加大投入",
    }


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("修路。(甲局、乙局,丙县负责)", ("甲局", "乙局", "丙县")),
        ("修路。（甲局；乙局，丙县负责）。", ("甲局", "乙局", "丙县")),
        ("修路。（甲局、乙局负责", ("甲局", "乙局")),
        ("修路。（责任单位：甲局、乙局）", ("甲局", "乙局")),
        ("修路（含桥梁）。", ()),
        ("修路。由甲局负责。", ()),
        ("", ()),
    ],
)
def test_bodies_stand_in_the_closing_bracket(text, bodies):
    assert bodies_of(text) == bodies


@pytest.mark.parametrize("text", ["", "\n\n", "没有章节的一段话。", "一、只有标题\n"])
def test_a_text_without_clauses_gives_none(text):
    assert split_clauses(text) == {}


@pytest.mark.parametrize(
    ("number", "word"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (42, "四十二")]
)
def test_numbers_are_written_as_in_documents(number, word):
    assert chinese_number(number) == word
