"""What a sweep asks every half minute: the same answer by the short way, found by index."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from supervision.models import Assignment
from supervision.services import questions
from supervision.services.calendar import working_calendar
from supervision.services.effects import BODY, spelled_out
from supervision.services.facts import due_effects, foreseen_effects
from supervision.services.ladder import _candidates, _reaches, armed_ladder
from supervision.services.reviewer_clocks import WITH_OFFICE
from tests.factories import (
    TODAY,
    AssignmentFactory,
    ItemFactory,
    MilestoneFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture(autouse=True)
def nothing_kept():
    questions._kept.clear()
    yield
    questions._kept.clear()


def test_a_kept_question_finds_what_became_due_since(city):
    assert due_effects(TODAY) == []
    row = AssignmentFactory(due_date=YESTERDAY, organization=city.bureau)
    kept = dict(questions._kept)
    assert f"overdue:{row.pk}:1" in {effect.fact_key for effect in due_effects(TODAY)}
    assert questions._kept == kept


def test_another_day_is_another_question(city):
    AssignmentFactory(due_date=TODAY, organization=city.bureau)

    def overdue(day) -> bool:
        return any(effect.kind == "became_overdue" for effect in due_effects(day))

    assert [overdue(TODAY), overdue(TODAY + timedelta(days=1)), overdue(TODAY)] == [
        False,
        True,
        False,
    ]


def test_what_is_foreseen_is_what_each_day_would_find(city):
    """The week in six statements against the decider of the sweep asked day by day."""
    for days in range(-40, 14, 3):
        share = AssignmentFactory(
            item=ItemFactory(dispatched=True, urgency=("", "urgent", "special")[days % 3]),
            due_date=TODAY + timedelta(days=days),
        )
        MilestoneFactory(assignment=share, planned_date=TODAY + timedelta(days=days // 2))
        period = PeriodFactory(
            assignment=share, due_date=TODAY + timedelta(days=days // 3), label=f"p{days}"
        )
        if days % 2:
            ReportFactory(period=period, status="submitted")
        AssignmentFactory(status="pending", accept_due_date=TODAY + timedelta(days=days // 5))
    week = [TODAY + timedelta(days=number) for number in range(7)]
    seen, wanted = set(), []
    for day in week:
        new = [effect for effect in due_effects(day) if effect.fact_key not in seen]
        seen |= {effect.fact_key for effect in new}
        wanted.append((day, new))

    with CaptureQueriesContext(connection) as captured:
        foreseen = foreseen_effects(week)

    assert len(captured) <= 6
    assert len(seen) > 40
    unlit = ("light", "reason", "actual_percent", "scheduled_percent")
    for (day, found), (_day, effects) in zip(foreseen, wanted, strict=True):
        assert [replace(one, data={}) for one in found] == [
            replace(one, data={}) for one in effects
        ], day
        assert [dict(one.expects) for one in found] == [dict(one.expects) for one in effects]
        for one, other in zip(found, effects, strict=True):
            data = dict(other.data)
            if one.period_id is not None:
                data = {name: value for name, value in data.items() if name not in unlit}
            assert dict(one.data) == data, one.fact_key


def test_the_wide_sweep_asks_without_what_is_kept(city):
    AssignmentFactory(due_date=YESTERDAY, organization=city.bureau)
    usual = due_effects(TODAY)
    for key in questions._kept:
        questions._kept[key] = ("SELECT 1 WHERE 1 = 0", ())
    assert due_effects(TODAY) == []
    assert due_effects(TODAY, is_wide=True) == usual != []


def test_only_so_many_questions_are_kept(city):
    for number in range(questions.KEPT_AT_MOST + 5):
        questions.ask(number, lambda n=number: Assignment.objects.filter(pk=n))
    assert len(questions._kept) <= questions.KEPT_AT_MOST


def test_a_question_without_an_answer_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert list(questions.ask("never", lambda: Assignment.objects.none())) == []


def test_what_is_spelled_out_is_a_state():
    with pytest.raises(ValueError, match="not a state"):
        spelled_out("pending' OR '1'='1")


QUESTIONS = {
    "assignment_due_open": lambda: Assignment.objects.filter(BODY, due_date__lt=TODAY),
    "assignment_to_check": lambda: Assignment.objects.filter(WITH_OFFICE, status="approved"),
    "assignment_sent_back": lambda: _candidates(
        tuple(_reaches(TODAY, _automatic(), working_calendar()))
    ),
}


def _automatic() -> list:
    return [step for step in armed_ladder() if step.level.trigger != "manual"]


@pytest.mark.parametrize("index", QUESTIONS)
def test_the_partial_index_serves_the_question(city, index):
    if connection.vendor == "postgresql":
        # The planner of an empty table takes any index: give it ended rows to pass over.
        share = AssignmentFactory(item=ItemFactory(dispatched=True), organization=city.bureau)
        Assignment.objects.bulk_create(
            [
                Assignment(
                    item=share.item,
                    organization=share.organization,
                    role="support",
                    status="cancelled",
                    outcome="cancelled",
                    due_date=TODAY + timedelta(days=n % 400),
                    original_due_date=TODAY + timedelta(days=n % 400),
                    dispatched_date=TODAY,
                    episode_start_date=TODAY,
                    accept_due_date=TODAY,
                    objection_due_date=TODAY,
                )
                for n in range(4000)
            ]
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE supervision_assignment")
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in QUESTIONS[index]().explain()
