"""Public editions: what blocks a text, what differs between two, when a slip is clean. Pure."""

import copy

import pytest

from supervision.rules.edition_diff import edition_changes
from supervision.rules.public_checks import findings_in
from supervision.rules.secrecy_slip import QUESTIONS, slip_problems

BLOCKED = (
    "13812345678",
    "138-1234-5678",
    "１３８１２３４５６７８",
    "110101199003071234",
    "11010119900307123x",
    "4111111111111111",
    "4111 1111 1111 1111",
    "6222 0212 3456 7890 128",
    "zhang.san@example.org",
    "zhang＠example．org",
    "https://example.org/x",
    "www.example.org/x",
    "机密★10年",
    "内部资料",
)
FREE = (
    "2017年投入13.8亿元，带动就业12345人。",
    "专利号2017101234567",
    "0318-2345678",
    "统一编号123456789012345678",  # month 34: no day of birth, no card
    "项目编号4111111111111112",  # check digit does not fit
    "网页改版已完成",
)


@pytest.mark.parametrize("text", BLOCKED)
def test_what_must_not_be_public_is_found_wherever_it_stands(text):
    for whole in (text, f"联系人：{text}。", f"甲{text}乙"):
        assert list(findings_in(whole)), whole


@pytest.mark.parametrize("text", FREE)
def test_ordinary_figures_pass(text):
    assert list(findings_in(text)) == []


def entry(**changes):
    return {
        "key": "a",
        "title": "建设研发机构",
        "lead": "市科技局",
        "supports": ["市财政局"],
        "status": "on_track",
        "original_due_date": "2020-12-31",
        "due_date": "2020-12-31",
        "completed_date": None,
        "percent": "40",
        "progress_text": "已建三家。",
        "summary": "",
        "quoted_text": "",
        "milestones": [{"title": "选址", "planned_date": "2018-06-30", "actual_date": None}],
        "counties": [{"name": "桃城区", "status": "on_track"}],
        "targets": [{"name": "机构数", "value": "3", "unit": "家"}],
        "hidden": [],
    } | changes


def changed(**changes) -> list[str]:
    old, new = {"items": [entry()]}, {"items": [entry(**changes)]}
    return [one.field for change in edition_changes(old, new) for one in change.fields]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, []),
        ({"status": "overdue"}, ["status"]),
        ({"due_date": "2021-06-30"}, ["due_date"]),
        ({"percent": None}, ["percent"]),
        ({"supports": []}, ["supports"]),
        ({"counties": [{"name": "桃城区", "status": "overdue"}]}, ["counties"]),
        ({"counties": []}, ["counties"]),
        ({"targets": [{"name": "机构数", "value": "4", "unit": "家"}]}, ["targets"]),
        (
            {
                "milestones": [
                    {"title": "选址", "planned_date": "2018-06-30", "actual_date": "2018-06-20"}
                ]
            },
            ["milestones"],
        ),
        (
            {"progress_text": "", "hidden": [{"field": "progress_text", "reason": "商业秘密"}]},
            ["progress_text", "hidden"],
        ),
    ],
)
def test_every_public_field_is_compared(change, names):
    assert changed(**change) == names


def test_new_and_gone_items_speak_for_themselves():
    old = {"items": [entry(), entry(key="b", title="旧事项")]}
    new = {"items": [entry(key="c", title="新事项"), entry()]}
    found = [
        (change.title, change.place, change.is_new, change.is_gone)
        for change in edition_changes(old, new)
    ]
    assert found == [("新事项", 1, True, False), ("旧事项", None, False, True)]
    assert [change.is_new for change in edition_changes(None, new)] == [True, True]


def test_comparing_changes_neither():
    old, new = {"items": [entry()]}, {"items": [entry(status="done")]}
    kept = copy.deepcopy((old, new))
    edition_changes(old, new)
    assert (old, new) == kept


CLEAN = {
    "answers": dict.fromkeys(QUESTIONS, "no"),
    "attribute": "proactive",
    "finding": "可以公开。",
}


@pytest.mark.parametrize("code", QUESTIONS)
@pytest.mark.parametrize("answer", ["yes", "", "maybe", None])
def test_one_answer_that_is_not_no_stops_the_slip(code, answer):
    assert slip_problems(CLEAN) == []
    assert slip_problems(CLEAN | {"answers": CLEAN["answers"] | {code: answer}})
