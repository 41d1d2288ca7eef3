"""Lights read from rows: what they say, and that they cost the same for any number of rows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from supervision.models import Assignment, SupervisionItem
from supervision.overview import count_lights, light_up, light_up_items
from tests.factories import (
    TODAY,
    AssignmentFactory,
    MilestoneFactory,
    OrganizationFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("settings_loaded")]


def lamp_of(row: Assignment):
    return light_up(Assignment.objects.filter(pk=row.pk), today=TODAY)[0].lamp


@pytest.mark.parametrize(
    ("status", "due_in_days", "light", "words"),
    [
        ("in_progress", -3, "red", "逾期3天"),
        ("in_progress", 0, "yellow", "今日到期"),
        ("in_progress", 2, "yellow", "还剩2个工作日"),
        ("in_progress", 12, "blue", "还剩"),
        ("in_progress", 200, "green", "正常"),
        ("under_review", -3, "red", "逾期3天"),
        ("under_review", 1, "yellow", "申请办结"),
        ("approved", 1, "yellow", "申请办结"),
        ("completed", 5, "done", "办结"),
        ("suspended", -3, "suspended", "中止"),
        ("cancelled", -3, "grey", "撤销"),
    ],
)
def test_a_share_says_where_it_stands(status, due_in_days, light, words):
    facts = {"suspension_basis": "规划调整"} if status == "suspended" else {}
    due = TODAY + timedelta(days=due_in_days)
    row = AssignmentFactory(status=status, due_date=due, **facts)
    # Progress is not what is asked here: everything planned is done.
    MilestoneFactory(assignment=row, status="completed", planned_date=TODAY - timedelta(days=60))

    lamp = lamp_of(row)

    assert lamp.code == light
    assert words in lamp.text


def test_late_stays_late_whatever_the_dates_say():
    row = AssignmentFactory(
        status="completed", outcome="late", days_late=4, days_late_original=9, due_date=TODAY
    )

    assert lamp_of(row).code == "done_late"
    assert "逾期4天" in lamp_of(row).text


def test_silence_greys_a_calm_light_and_never_hides_a_red():
    calm = AssignmentFactory(due_date=TODAY + timedelta(days=400))
    late = AssignmentFactory(due_date=TODAY - timedelta(days=1))
    for row in (calm, late):
        MilestoneFactory(assignment=row, status="completed", planned_date=TODAY)
        PeriodFactory(assignment=row, due_date=TODAY - timedelta(days=20))

    assert lamp_of(calm).code == "grey"
    assert lamp_of(late).code == "red"
    assert lamp_of(late).verdict.is_stale_marked


def test_a_filed_return_keeps_a_light_fresh():
    row = AssignmentFactory(due_date=TODAY + timedelta(days=400))
    MilestoneFactory(assignment=row, status="completed", planned_date=TODAY)
    period = PeriodFactory(assignment=row, due_date=TODAY - timedelta(days=20))
    ReportFactory(period=period, status="submitted")

    assert lamp_of(row).code == "green"


def test_a_missed_milestone_is_named():
    row = AssignmentFactory(due_date=TODAY + timedelta(days=400))
    MilestoneFactory(assignment=row, title="出台办法", planned_date=TODAY - timedelta(days=1))

    assert lamp_of(row).code in {"yellow", "red"}
    assert "出台办法" in lamp_of(row).text or "落后" in lamp_of(row).text


def test_an_item_shows_its_shares_one_step_weaker():
    lead = AssignmentFactory(due_date=TODAY + timedelta(days=400))
    MilestoneFactory(assignment=lead, status="completed", planned_date=TODAY)
    AssignmentFactory(item=lead.item, role="county", due_date=TODAY - timedelta(days=2))

    [item] = light_up_items([lead.item], today=TODAY)

    assert item.lamp.code == "yellow"
    assert "1家" in item.lamp.text


def test_counts_name_every_light():
    AssignmentFactory(due_date=TODAY - timedelta(days=1))
    counts = count_lights(light_up(Assignment.objects.all(), today=TODAY))

    assert counts["red"] == 1
    assert counts["green"] == 0


def build(number: int) -> None:
    for _ in range(number):
        row = AssignmentFactory()
        MilestoneFactory(assignment=row)
        ReportFactory(period=PeriodFactory(assignment=row), status="approved")
        AssignmentFactory(item=row.item, role="support", organization=OrganizationFactory())


def test_the_cost_does_not_grow_with_the_rows():
    build(1)
    with CaptureQueriesContext(connection) as few:
        light_up_items(SupervisionItem.objects.all(), today=TODAY)
    build(9)
    with CaptureQueriesContext(connection) as many:
        assert len(light_up_items(SupervisionItem.objects.all(), today=TODAY)) == 10

    assert len(many) == len(few)
