"""The twelve checks of reliability.md, section 11: which test is each of them.

The suite runs on SQLite and on PostgreSQL with Redis; so do the checks. A check that loses its
test fails here.
"""

import importlib

import pytest

CHECKS = {
    1: ("tests.tasks.test_sweep", "test_fifty_runs_of_one_day_leave_the_same_rows"),
    2: ("tests.tasks.test_standstill", "test_check_2_no_tick_for_nine_days_over_a_long_holiday"),
    3: ("tests.tasks.test_worker", "test_two_processes_at_once_write_each_fact_once"),
    4: (
        "tests.tasks.test_standstill",
        "test_check_4_complete_hold_cancel_reassign_between_planning_and_sending",
    ),
    5: (
        "tests.supervision.test_calendar",
        "test_a_make_up_saturday_is_counted_as_work",
        "test_a_holiday_added_later_moves_future_dates_after_a_preview",
    ),
    6: (
        "tests.notifications.test_sending",
        "test_check_6_mail_refuses_one_of_three_and_that_one_alone_is_tried_again",
    ),
    7: ("tests.tasks.test_worker", "test_late_begins_at_midnight_here_wherever_the_server_stands"),
    8: (
        "tests.supervision.test_office_rules",
        "test_a_rule_switched_on_over_two_hundred_old_cases_sends_none",
    ),
    9: (
        "tests.supervision.test_return_workbook",
        "test_check_9_two_rows_typed_in_excel_while_a_third_changes_on_the_desk",
        "test_a_row_changed_on_the_desk_meanwhile_is_a_conflict",
    ),
    10: ("tests.test_twelve_checks", "test_check_10_a_late_item_is_late_everywhere"),
    11: (
        "tests.supervision.views.test_office_items",
        "test_bulk_writes_the_same_history_as_the_single_act",
    ),
    12: (
        "tests.tasks.test_worker",
        "test_healthz_turns_red_within_one_interval_of_a_stopped_worker",
        "test_the_card_names_what_is_wrong",
    ),
}


@pytest.mark.parametrize("number", range(1, 13))
def test_every_check_has_its_test(number):
    module, *names = CHECKS[number]
    found = importlib.import_module(module)
    assert names and all(callable(getattr(found, name, None)) for name in names)


@pytest.mark.django_db
def test_check_10_a_late_item_is_late_everywhere(client, city):
    """On the page, in Excel and in the figures: done late is a word of its own."""
    from datetime import timedelta
    from io import BytesIO

    import time_machine
    from django.urls import reverse
    from openpyxl import load_workbook

    from supervision.models import Assignment
    from supervision.overview import count_lights, light_up
    from supervision.services import assignments as acts
    from tests.factories import NOON, TODAY, AssignmentFactory, ItemFactory

    due = TODAY - timedelta(days=6)
    share = AssignmentFactory(
        item=ItemFactory(dispatched=True, leader=city.leader, number="迟"),
        organization=city.bureau,
        status="in_progress",
        due_date=due,
        original_due_date=due,
        dispatched_date=due - timedelta(days=60),
        episode_start_date=due - timedelta(days=60),
    )
    acts.submit_assignment(
        assignment=share, by=city.body_head, at=NOON, closing_text="全部完成，申请办结。"
    )
    acts.approve_assignment(assignment=share, by=city.officer, at=NOON, opinion="同意")
    acts.complete_assignment(assignment=share, by=city.office_head, at=NOON, opinion="同意办结")

    rows = light_up(Assignment.objects.filter(pk=share.pk), today=TODAY)
    assert count_lights(rows)["done_late"] == 1
    client.force_login(city.officer)
    with time_machine.travel(NOON, tick=False):
        page = client.get(reverse("supervision:assignment", args=[share.uid])).content.decode()
        answer = client.post(reverse("supervision:ledger_xlsx"))
    book = load_workbook(BytesIO(b"".join(answer)))
    cells = [str(c.value or "") for sheet in book for row in sheet.iter_rows() for c in row]
    assert "办结，逾期6天" in page
    assert any("逾期办结" in text for text in cells)
    assert not any("按期办结" in text and "办结，逾期" in text for text in cells)
