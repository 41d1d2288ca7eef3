"""The review queue by keyboard: twenty returns in twenty acts; keys that can be switched off."""

from datetime import date, timedelta

import pytest

from supervision.models import Event, ProgressReport
from tests.factories import (
    NOON,
    AssignmentFactory,
    ClauseFactory,
    DocumentFactory,
    ItemFactory,
    PeriodFactory,
    ReportFactory,
)

RETURNS = 20


@pytest.fixture
def filed(town):
    """Twenty returns that wait, each after an accepted one."""
    document = DocumentFactory()
    found = []
    for number in range(RETURNS):
        share = AssignmentFactory(
            item=ItemFactory(dispatched=True, clause=ClauseFactory(document=document)),
            organization=town.bureau,
        )
        last = PeriodFactory(assignment=share, label="2026-04", start_date=date(2026, 4, 1))
        ReportFactory(period=last, status="approved", progress_text=f"建成{number}家。")
        found.append(
            ReportFactory(
                period=PeriodFactory(assignment=share),
                status="submitted",
                progress_text=f"建成{number + 1}家。",
                submitted_at=NOON - timedelta(days=1, minutes=RETURNS - number),
            )
        )
    return found


def waiting() -> int:
    return ProgressReport.objects.filter(status="submitted").count()


def test_twenty_returns_in_twenty_acts(visit, filed):
    officer = visit("officer")
    officer.go("/desk/reviews/?kind=reports")
    acts = 0
    while waiting():
        assert acts < RETURNS
        assert officer.page.locator(".compare ins").count() == 1
        with officer.page.expect_navigation():
            officer.page.keyboard.press("a")
        officer.page.wait_for_load_state("load")
        acts += 1

    assert acts == RETURNS
    assert Event.objects.filter(kind="report_approved").count() == RETURNS


def test_percent_and_reason_by_keyboard_alone(visit, filed):
    officer = visit("officer")
    officer.go("/desk/reviews/?kind=reports")
    keys = officer.page.keyboard
    keys.press("v")
    # A letter in a field is a letter.
    keys.type("60")
    keys.press("Tab")
    keys.type("a b v n p")
    with officer.page.expect_navigation():
        keys.press("Control+Enter")
    officer.look()
    keys.press("b")
    keys.press("ArrowDown")
    keys.press("Tab")
    keys.type("数字与统计局口径不符")
    with officer.page.expect_navigation():
        keys.press("Control+Enter")
    officer.look()

    first, second = (ProgressReport.objects.get(pk=row.pk) for row in filed[:2])
    assert (first.status, first.verified_percent) == ("approved", 60)
    assert first.review_opinion == "a b v n p"
    assert (second.status, second.send_back_reason) == ("returned", "figures")
    assert waiting() == RETURNS - 2


def test_keys_can_be_switched_off_and_stay_off(visit, filed):
    officer = visit("officer")
    officer.go("/desk/reviews/?kind=reports")
    officer.page.get_by_label("启用单键快捷键").uncheck()
    officer.page.locator("h1").click()
    officer.page.keyboard.press("a")
    officer.go("/desk/reviews/?kind=reports")
    officer.page.keyboard.press("a")
    officer.page.wait_for_timeout(300)

    assert waiting() == RETURNS
    officer.page.get_by_label("启用单键快捷键").check()
    with officer.page.expect_navigation():
        officer.page.keyboard.press("a")
    assert waiting() == RETURNS - 1


def test_the_queue_needs_no_script(visit, filed):
    officer = visit("officer", has_script=False)
    officer.go("/desk/reviews/?kind=reports")
    assert officer.page.locator("[data-shortcuts]").is_hidden()

    officer.press("审核通过")

    assert waiting() == RETURNS - 1
    assert officer.path.startswith("/desk/reviews/reports/")
