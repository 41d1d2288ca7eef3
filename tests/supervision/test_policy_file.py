"""The policy as data: two documents load, and every wrong cell is named with its line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import translation

from supervision.rules.policy_file import (
    MAX_BYTES,
    PolicyFileError,
    Problem,
    Unresolved,
    parse_policy,
    parse_policy_bytes,
)

ROOT = Path(__file__).resolve().parents[2]
HENGSHUI = ROOT / "supervision" / "data" / "hengshui-2017-1.yaml"
YUNXI = Path(__file__).parent / "data" / "yunxi-2025-7.yaml"


@pytest.fixture(autouse=True)
def english_messages():
    with translation.override("en"):
        yield


@pytest.fixture(scope="module")
def hengshui():
    return parse_policy_bytes(HENGSHUI.read_bytes(), filename=HENGSHUI.name)


@pytest.fixture(scope="module")
def yunxi():
    return parse_policy_bytes(YUNXI.read_bytes(), filename=YUNXI.name)


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(text, filename="test.yaml")
    return caught.value.problems


def changed(old: str, new: str) -> tuple[str, int]:
    """The invented document with one place changed, and the line of the change."""
    text = YUNXI.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new), text[: text.index(old)].count("\n") + 1


def test_the_real_document_has_its_22_items(hengshui):
    assert [clause.kind for clause in hengshui.clauses] == ["task"] * 16 + ["measure"] * 6
    assert hengshui.document.doc_number == "衡政字〔2017〕1号"
    assert hengshui.document.issued_date == date(2017, 1, 4)
    assert {clause.due_date for clause in hengshui.clauses} == {date(2020, 12, 31)}
    assert hengshui.office_code == "zfb"


def test_the_real_document_names_18_bureaus_and_each_of_them_works(hengshui):
    kinds = [organization.kind for organization in hengshui.organizations]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "office": 1,
        "bureau": 18,
        "county": 11,
        "zone": 2,
    }
    named = {party.organization_code for clause in hengshui.clauses for party in clause.parties}
    idle = {org.code for org in hengshui.organizations} - named
    assert idle == {"zfb"}
    codes = sorted(organization.code for organization in hengshui.organizations)
    assert not [a for a in codes for b in codes if a != b and b.startswith(a)]


def test_every_real_clause_has_one_lead_and_all_13_local_governments(hengshui):
    assert hengshui.unresolved == ()
    for clause in hengshui.clauses:
        roles = [party.role for party in clause.parties]
        assert roles.count("lead") == 1
        assert roles.count("county") == 13
        assert clause.lead.name == clause.bodies[0]
        assert clause.bodies[-1] == "各县市区政府"


def test_the_real_goals_are_21_and_11(hengshui):
    part_one = [target for target in hengshui.targets if target.chapter]
    assert len(part_one) == 21
    assert sum(target.value is not None for target in part_one) == 20
    assert sum(target.comparison == "full_coverage" for target in part_one) == 3
    inside = [target.clause for target in hengshui.targets if target.clause]
    assert {clause: inside.count(clause) for clause in inside} == {
        "二（七）": 4,
        "二（十一）": 4,
        "二（十三）": 3,
    }
    assert part_one[0].group == "研发投入大幅增加"


def test_another_city_loads_without_a_code_change(yunxi):
    first, second, third = yunxi.clauses
    assert yunxi.region.code == "990100"
    assert (first.cycle, first.is_key, first.urgency) == ("quarterly", True, "urgent")
    assert first.due_date == date(2026, 12, 31)
    assert second.due_date == date(2027, 6, 30)
    assert (third.is_ongoing, third.due_date, third.cycle) == (True, None, "monthly")
    assert [(party.organization_code, party.role) for party in first.parties] == [
        ("water", "lead"),
        ("housing", "support"),
        ("west", "county"),
        ("east", "county"),
    ]
    assert yunxi.collectives[1].organization_codes == ("housing", "water", "culture", "west")
    assert yunxi.organizations[2].contacts[0].phone == "010-00000000"


def test_a_marked_lead_wins_over_the_first_listed(yunxi):
    roles = {party.organization_code: party.role for party in yunxi.clauses[1].parties}
    assert roles == {"culture": "support", "housing": "lead", "east": "county"}


def test_collective_words_and_strangers_stay_unresolved(yunxi):
    found = [(number, party.name, party.reason) for number, party in yunxi.unresolved]
    assert found == [
        ("二（三）", "有关部门", Unresolved.COLLECTIVE),
        ("二（三）", "市园林中心", Unresolved.UNKNOWN),
        ("二（三）", "市文旅局等", Unresolved.COLLECTIVE),
    ]
    assert all(party.organization_code is None for _number, party in yunxi.unresolved)


def test_targets_keep_figures_and_take_the_horizon(yunxi):
    pipes, leaks, _visitors, _lights, green = yunxi.targets
    assert pipes.value == Decimal("12.5")
    assert pipes.due_date == date(2026, 6, 30)
    assert (leaks.due_date, leaks.group) == (date(2027, 6, 30), "改造老旧管网")
    assert green.value is None


def test_a_member_of_a_collective_named_on_its_own_has_one_share():
    text, _line = changed("[市水务局, 市住建局, 各街道办事处]", "[各街道办事处, 东门街道]")
    clause = parse_policy(text, filename="x").clauses[0]
    assert [(party.organization_code, party.position) for party in clause.parties] == [
        ("west", 1),
        ("east", 2),
    ]
    assert clause.lead is None


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("# An invented", "# Another remark on an invented", True),
        ("region: {code: 990100, name: 云溪市}", "region:\n  name: 云溪市\n  code: '990100'", True),
        ("value: 12.50", "value: '12.5'", True),
        ("value: 12.50", "value: 12.6", False),
        ("[市水务局, 市住建局, 各", "[市住建局, 市水务局, 各", False),
        ("summary: 分年更换破损管线。", "summary: 一次更换破损管线。", False),
    ],
)
def test_the_hash_follows_the_facts_and_not_the_layout(yunxi, old, new, is_same):
    text, _line = changed(old, new)
    other = parse_policy(text, filename="renamed.yaml")
    assert (other.content_hash == yunxi.content_hash) is is_same


# (what stands there, what it becomes, path, part of the message, lines below the change)
WRONG = [
    # document
    ("  doc_number: 云政发〔2025〕7号\n", "", "document.doc_number", "is missing", -1),
    ("issued_date: 2025-03-18", "issued_date: 2025-02-30", "document.issued_date", "calendar", 0),
    ("issued_date: 2025-03-18", "issued_date: 2025-3-18", "document.issued_date", "calendar", 0),
    ("issued_date: 2025-03-18", "issued_date: 20250318", "document.issued_date", "quotation", 0),
    ("issued_date: 2025-03-18", "issued_date:", "document.issued_date", "is empty", 0),
    ("horizon_date: 2027-06-30", "horizon_date: 2024-01-01", "document.horizon_date", "before", 0),
    ("[各街道办事处, 市政府各部门]", "各部门", "document.addressees", "must be a list", 0),
    ("[各街道办事处, 市政府各部门]", "[甲, 甲]", "document.addressees", "same thing twice", 0),
    ("code: 990100", "code: 99010", "region.code", "below 100000", 0),
    ("code: 990100", "code: 9901000", "region.code", "above 999999", 0),
    ("code: 990100", "code: 云溪", "region.code", "not written as it should", 0),
    ("office: 云溪市政府办\n", "office: 市住建局\n", "office", "kind “office”", 0),
    ("office: 云溪市政府办\n", "office: 办公室\n", "office", "kind “office”", 0),
    ("office: 云溪市政府办\n", "office: true\n", "office", "quotation marks", 0),
    # organizations and collectives
    ("code: west", "code: east", "organizations[6].code", "given twice", 0),
    ("code: west", "code: 西门", "organizations[6].code", "not written as it should", 0),
    ("kind: county, position: 2", "kind: town, position: 2", "organizations[6].kind", "one of", 0),
    (
        "kind: county, position: 2",
        "kind: county, position: 1",
        "organizations[6].position",
        "already on line",
        0,
    ),
    (
        "kind: county, position: 2",
        "kind: county, position: 0",
        "organizations[6].position",
        "below 1",
        0,
    ),
    (
        "kind: county, position: 2",
        "kind: county, position: 二",
        "organizations[6].position",
        "whole number",
        0,
    ),
    (
        "short_name: 西门街道",
        "short_name: 东门街道",
        "organizations[6].short_name",
        "already stands",
        0,
    ),
    (
        "aliases: [市住房城乡建设局]",
        "aliases: [市水务局]",
        "organizations[3].short_name",
        "already stands",
        4,
    ),
    (
        "valid_from: 2019-01-01",
        "valid_from: 2019-01-01\n    valid_to: 2018-12-31",
        "organizations[3].valid_to",
        "before",
        1,
    ),
    (
        "water@example.org",
        "nowhere",
        "organizations[3].contacts[1].email",
        "not written as it should",
        0,
    ),
    ("[west, east]", "[west, north]", "collectives[1].organizations[2]", "No organization has", 0),
    (", organizations: [west, east]", "", "collectives[1]", "needs “kinds”", 0),
    (
        "organizations: [west, east]",
        "kinds: [zone]",
        "collectives[1].kinds",
        "No organization is of",
        0,
    ),
    ("{name: 各街道办事处, ", "{name: 东门街道, ", "collectives[1].name", "already stands", 0),
    # clauses
    ("number: 二（二）", "number: 二（一）", "clauses[2].number", "given twice", 0),
    ("number: 二（二）", "number: 2", "clauses[2].number", "quotation marks", 0),
    ("kind: measure", "kind: duty", "clauses[3].kind", "not one of: task, measure", 0),
    ("theme: 管网", "themes: 管网", "clauses[1].themes", "Unknown field", 0),
    ("theme: 管网", "theme: ''", "clauses[1].theme", "is empty", 0),
    ("theme: 管网", f"theme: {'长' * 101}", "clauses[1].theme", "longer than 100", 0),
    (
        "    chapter: 二\n    kind: task\n    title: 改",
        "    chapter: 五\n    kind: task\n    title: 改",
        "clauses[1].chapter",
        "Nothing in this file",
        0,
    ),
    ("due_date: 2026-12-31", "due_date: 2026-02-30", "clauses[1].due_date", "calendar", 0),
    ("due_date: 2026-12-31", "due_date: 2027-07-01", "clauses[1].due_date", "outside", 0),
    ("due_date: 2026-12-31", "due_date: 2025-03-17", "clauses[1].due_date", "outside", 0),
    (
        "is_ongoing: true",
        "is_ongoing: true\n    due_date: 2026-01-01",
        "clauses[3].due_date",
        "no due date",
        1,
    ),
    ("is_ongoing: true", "is_ongoing: 是", "clauses[3].is_ongoing", "neither true nor", 0),
    ("urgency: urgent", "urgency: high", "clauses[1].urgency", "not one of", 0),
    (
        "cycle: quarterly\n    is_key",
        "cycle: yearly\n    is_key",
        "clauses[1].cycle",
        "not one of",
        0,
    ),
    ("[市水务局, 市住建局, 各街道办事处]", "[]", "clauses[1].bodies", "is empty", 0),
    (
        "[市水务局, 市住建局, 各街道办事处]",
        "[市水务局, 云溪市水务局]",
        "clauses[1].bodies[2]",
        "twice",
        0,
    ),
    ("[市水务局, 市住建局, 各街道办事处]", "[有关, 有关]", "clauses[1].bodies[2]", "twice", 0),
    ("[{name: 市文旅局}", "[{name: 市文旅局, role: lead}", "clauses[2].bodies[2]", "one lead", 0),
    ("[{name: 市文旅局}", "[{role: support}", "clauses[2].bodies[1].name", "is missing", 0),
    ("{name: 市住房城乡建设局,", "{name: 建设口,", "clauses[2].bodies[2]", "cannot lead", 0),
    # targets
    ("code: leaks", "code: pipes", "targets[2].code", "given twice", 0),
    ("value: 12.50", "value: 约12", "targets[1].value", "not written as it should", 0),
    ("value: 12.50", "value: -3", "targets[1].value", "below 0", 0),
    ("value: 12.50", "value: 0", "targets[1].value", "greater than zero", 0),
    ("value: 12.50", "value: 1.23456", "targets[1].value", "not written as it should", 0),
    ("value: 12.50", "value: null", "targets[1].value", "needs a value", 0),
    ("value: 12.50, ", "", "targets[1].value", "is missing", 0),
    ("value: 15", "value: 101", "targets[2].value", "more than 100", 0),
    ('value: "100", unit: "%"', 'value: "99", unit: "%"', "targets[4].value", "Full coverage", 0),
    ('value: "100", unit: "%"', 'value: "100", unit: 家', "targets[4].value", "Full coverage", 0),
    ('value: "100", unit: "%"', 'value: null, unit: "%"', "targets[4].value", "Full coverage", 0),
    ("value: null", "value: 5", "targets[5].value", "provincial average", 0),
    ("comparison: at_least", "comparison: more", "targets[1].comparison", "not one of", 0),
    ("due_date: 2026-06-30", "due_date: 2028-01-01", "targets[1].due_date", "outside", 0),
    (
        "{code: pipes, clause: 二（一）",
        "{code: pipes, clause: 二（九）",
        "targets[1].clause",
        "N",
        0,
    ),
    ("{code: pipes, clause: 二（一）, ", "{code: pipes, ", "targets[1]", "either its chapter", 0),
    ("pipes, clause: 二（一）", "pipes, chapter: 一, clause: 二（一）", "targets[1]", "either", 0),
    # the file itself
    ("    theme: 管网\n", "    theme: 管网\n    theme: 水网\n", "clauses[1].theme", "twice", 1),
    ("    theme: 管网", "\ttheme: 管网", "", "Tab character", 0),
    ("theme: 管网", "theme: 管\t网", "", "Tab character", 0),
    ("theme: 管网", "theme: [管网", "", "Not readable as YAML", 1),
    ("theme: 管网", "theme: 管\x07网", "", "may not contain", 0),
    ("theme: 管网", "theme: !!python/object:os.system 管网", "clauses[1].theme", "Tags", 0),
    ("theme: 管网", "theme: !secret 管网", "clauses[1].theme", "Tags", 0),
    ("theme: 管网", "theme: *nowhere", "", "Anchors", 0),
    ("theme: 管网", "? [a, b]\n    : 管网", "clauses[1]", "plain word", 0),
    ("chapters:\n", "---\nchapters:\n", "", "more than one document", 0),
]


@pytest.mark.parametrize(("old", "new", "path", "message", "below"), WRONG)
def test_a_wrong_cell_is_named_with_its_line(old, new, path, message, below):
    text, line = changed(old, new)
    problems = problems_of(text)
    found = [p for p in problems if p.path == path and message in p.message]
    assert found, problems
    assert found[0].line == line + below, problems


def test_all_problems_come_at_once_in_the_order_of_lines():
    text = YUNXI.read_text(encoding="utf-8")
    text = text.replace("2025-03-18", "2025-02-30").replace("kind: measure", "kind: duty")
    text = text.replace("code: west", "code: east").replace("value: 15", "value: 150")
    text = text.replace("theme: 管网", "theme: 管网\n    theme: 水网")
    problems = problems_of(text)
    assert {problem.path for problem in problems} >= {
        "document.issued_date",
        "organizations[6].code",
        "clauses[1].theme",
        "clauses[3].kind",
        "targets[2].value",
    }
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


def test_references_are_refused_before_they_can_grow():
    text = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert any("Anchors" in problem.message for problem in problems_of(text))


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "empty"),
        (b"# only a remark\n", 1, "empty"),
        (b"just words", 1, "must begin with fields"),
        (b"- a\n- b\n", 1, "must begin with fields"),
        ("region:\n  name: 云溪市".encode("gb18030"), 2, "not UTF-8"),
        (b"a: " + b"[" * 5000, 1, "nested too deeply"),
        (b"a: " + b"[" * 40 + b"]" * 40, 1, "nested too deeply"),
        (b"#" * (MAX_BYTES + 1), 1, "larger than"),
    ],
)
def test_bytes_that_are_no_policy_are_refused(content, line, message):
    with pytest.raises(PolicyFileError) as caught:
        parse_policy_bytes(content, filename="x")
    assert any(p.line == line and message in p.message for p in caught.value.problems)


def test_a_byte_order_mark_is_no_problem(yunxi):
    content = b"\xef\xbb\xbf" + YUNXI.read_bytes()
    assert parse_policy_bytes(content, filename="x").content_hash == yunxi.content_hash


def test_problems_are_told_in_chinese():
    text, line = changed("due_date: 2026-12-31", "due_date: 2026-02-30")
    with translation.override("zh-hans"):
        problem = problems_of(text)[0]
        assert str(problem).startswith(f"第 {line} 行：")
        assert "不是有效日期" in problem.message
