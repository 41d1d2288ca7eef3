"""Every kind of event reads as one Chinese sentence, whatever its data hold."""

import re

import pytest

from supervision.history import ONLY_IF, SENTENCES, TONES, entry, sentence, with_related
from supervision.models import Event, EventKind, Organization
from tests.factories import NOON

pytestmark = pytest.mark.django_db

DATA = {
    EventKind.ACCEPTED: {"is_in_time": False},
    EventKind.COMPLETED: {"is_late": True, "days_late": 6, "completed_date": "2026-06-10"},
    EventKind.DISPATCHED: {"due_date": "2026-12-31", "accept_due_date": "2026-06-12"},
    EventKind.ITEM_CHANGED: {"title": ["甲", "乙"], "due_date": ["", "2026-12-31"]},
    EventKind.EXTENSION_GRANTED: {
        "old_date": "2026-06-01",
        "new_date": "2026-07-01",
        "working_days": 22,
    },
    EventKind.ESCALATED: {"level": 2, "working_days_overdue": 7},
    EventKind.ESCALATION_DECIDED: {"level": 3, "is_issued": False},
    EventKind.REPORT_APPROVED: {"period": "2026-05", "verified_percent": 40},
    EventKind.PLAN_FILED: {"steps": [["选址", "2026-03-01"], ["开工", "2026-05-01"]]},
    EventKind.PLAN_AGREED: {"steps": 2},
}
READS = {
    EventKind.ACCEPTED: "市工信局超时签收",
    EventKind.COMPLETED: "市工信局于2026-06-10办结，逾期6天",
    EventKind.DISPATCHED: "交办市工信局，2026-06-12前签收，时限2026-12-31",
    EventKind.EXTENSION_GRANTED: ("同意市工信局延期：2026-06-01改为2026-07-01，延长22个工作日"),
    EventKind.ESCALATED: "对市工信局发出二次催办（黄单），已逾期7个工作日",
    EventKind.ESCALATION_DECIDED: "决定暂不对市工信局采取“红单或通报”",
    EventKind.REPORT_APPROVED: "市工信局2026-05期报告审核通过，核定进度40%",
    EventKind.PLAN_FILED: "市工信局报送推进计划，共2个节点",
    EventKind.PLAN_AGREED: "市工信局的推进计划已确认，共2个节点",
}


def event_of(kind, data=None, **fields) -> Event:
    body = Organization(pk=1, short_name="市工信局")
    fields.setdefault("organization", body)
    return Event(kind=kind, data=data or {}, happened_at=NOON, recorded_at=NOON, **fields)


def test_every_kind_has_a_sentence_and_none_is_invented():
    assert set(SENTENCES) == set(EventKind)
    assert set(ONLY_IF) <= set(EventKind)
    assert set(TONES) <= set(EventKind)


@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.parametrize("data", [{}, {"is_late": True}, {"title": "<b>", "period": "2026-05"}])
def test_a_lean_event_reads_without_a_hole(kind, data):
    found = sentence(event_of(kind, data))

    assert found
    assert "%(" not in found
    assert re.search("[一-鿿]", found)
    assert not re.search(r"\b(the|was|of|an?)\b", found), found


@pytest.mark.parametrize("kind", list(READS))
def test_a_full_event_names_its_facts(kind):
    assert sentence(event_of(kind, DATA[kind])) == READS[kind]


@pytest.mark.parametrize("kind", list(EventKind))
def test_each_sentence_is_translated(kind):
    for text in SENTENCES[kind]:
        assert re.search("[一-鿿]", str(text)), text


@pytest.mark.parametrize(
    "kind, data, expected",
    [
        (EventKind.ITEM_COMPLETED, {"is_late": False, "days_late": 0}, "事项按期销号"),
        (EventKind.ITEM_COMPLETED, {"is_late": True, "days_late": 3}, "事项销号，逾期3天"),
        (EventKind.ACCEPTED, {"is_in_time": True}, "市工信局签收"),
        (EventKind.ESCALATION_DECIDED, {"level": 3, "is_issued": True}, "决定对市工信局采取"),
        (EventKind.EXTENSION_ASKED, {"is_late": True, "asked_date": "2026-07-01"}, "逾期后申请"),
        (EventKind.EXTENSION_ASKED, {"is_late": False, "asked_date": "2026-07-01"}, "申请延期至"),
        (EventKind.DOCUMENT_CORRECTED, {"quoted_clauses": 3}, "从文件原文导入3条条款文字"),
        (EventKind.ITEM_CHANGED, {"openness": ["undecided", "proactive"]}, "确定公开属性"),
        (EventKind.ESCALATED, {"name": "本地黄单"}, "对市工信局发出本地黄单"),
    ],
)
def test_the_fact_chooses_the_sentence(kind, data, expected):
    assert expected in sentence(event_of(kind, data))


def test_an_entry_carries_the_words_of_the_person_apart_from_the_sentence():
    found = entry(
        event_of(EventKind.SENT_BACK, {"rework_due_date": "2026-06-17"}, reason="数据不实")
    )

    assert found.text == "数据不实"
    assert "数据不实" not in found.title
    assert found.by == "系统"
    assert found.tone == "yellow"


def test_a_late_completion_is_never_shown_as_plain_done():
    assert entry(event_of(EventKind.COMPLETED, {"is_late": True})).tone == "done_late"
    assert entry(event_of(EventKind.COMPLETED, {"is_late": False})).tone == "done"


def test_reading_many_events_costs_one_query(city, django_assert_num_queries):
    for _number in range(10):
        Event.objects.create(
            kind=EventKind.NOTE, organization=city.bureau, happened_at=NOON, recorded_at=NOON
        )

    with django_assert_num_queries(1):
        assert len([sentence(event) for event in with_related(Event.objects.all())]) == 10
