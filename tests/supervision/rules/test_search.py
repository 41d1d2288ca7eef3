"""What is found in a Chinese text, and how the hit is shown."""

import pytest

from supervision.rules.search import (
    FIELD_BREAK,
    LONGEST_QUERY,
    MOST_TERMS,
    excerpt,
    fold,
    fold_with_places,
    join_fields,
    mark,
    terms,
)


def shown(parts) -> str:
    return "".join(f"[{part.text}]" if part.is_hit else part.text for part in parts)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("研发", "新增研发机构"),
        ("高企", "培育高企12家"),
        ("12家", "新增１２家"),
        ("r&d", "Ｒ＆Ｄ经费"),
        ("R&D", "r&d经费"),
        ("研发机构", "研 发\n机 构"),
        ("研发", "研\u200b发"),
        ("(一)", "二（一）"),
        ("12 家", "新增12家"),
        ("smart city", "Smart  City 建设"),
        ("100%", "覆盖100％"),
    ],
)
def test_what_was_typed_is_found_however_it_was_written(typed, written):
    assert all(word in fold(written) for word in terms(typed))


def test_nothing_is_found_across_two_fields():
    assert "成研" not in fold(join_fields(["已完成", "研发机构"]))
    assert "ab" not in fold(join_fields(["a", "b"]))
    assert join_fields(["", " ", "甲"]) == "甲"
    assert FIELD_BREAK in join_fields(["甲", "乙"])


def test_every_folded_character_knows_its_place():
    text = "Ｒ＆Ｄ 经费　㎏ﬁ，研 发"
    key, places = fold_with_places(text)

    assert len(key) == len(places)
    assert places == sorted(places)
    assert fold(text[places[key.index("研")]]) == "研"


def test_terms_are_bounded_and_each_counts_once():
    assert terms("研发  研发　高企") == ("研发", "高企")
    assert terms("  \u200b ") == ()
    assert len(terms(" ".join("甲乙丙丁戊己庚辛壬癸"))) == MOST_TERMS
    assert len(terms("长" * 200)[0]) == LONGEST_QUERY


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("完成备案。新增研发机构12家。下步验收。", "研发", "新增[研发]机构12家。"),
        ("新增研发机构，扶持研发。", "研发", "新增[研发]机构，扶持[研发]。"),
        ("研发机构", "研发 机构", "[研发机构]"),
        ("新增１２家高企。", "12家 高企", "新增[１２家高企]。"),
        ("研 发投入", "研发", "[研 发]投入"),
        ("只在标题中。第二句。", "研发", "只在标题中。"),
        (join_fields(["甲乙", "研发"]), "研发", "[研发]"),
        ("", "研发", ""),
    ],
)
def test_a_hit_is_shown_in_its_sentence(text, query, expected):
    assert shown(excerpt(text, terms(query))) == expected


def test_a_long_sentence_is_cut_around_the_hit():
    found = shown(excerpt("前" * 300 + "研发" + "后" * 300, terms("研发"), width=40))

    assert "[研发]" in found
    assert found.startswith("…")
    assert found.endswith("…")
    assert len(found) <= 40 + 4
    at_the_end = shown(excerpt("前" * 300 + "研发", terms("研发"), width=40))
    assert at_the_end.endswith("[研发]")


def test_a_title_is_shown_whole():
    assert shown(mark("培育高企与研发机构", terms("研发"))) == "培育高企与[研发]机构"
