"""The office has clocks too: what lies too long is charged to the desk it lies on."""

from datetime import timedelta

import pytest

from notifications.models import InboxEntry
from supervision.models import Event, EventKind, Release
from supervision.services import assignments as acts
from supervision.services import items as item_acts
from supervision.services import reports as report_acts
from supervision.services.effects import midnight
from supervision.services.reviewer_clocks import DESKS, apply_review, due_reviews, still_waiting
from supervision.services.settings import SHIP_LIMITS, working_calendar
from tasks.jobs import sweep
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    ItemFactory,
    MilestoneFactory,
    ObjectionFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db


def day(n):
    """The n-th working day after the fixed noon."""
    return working_calendar().add(TODAY, n)


def world(city, queue):
    """One matter that came to this desk at the fixed noon."""
    item = ItemFactory(dispatched=True, leader=city.leader)
    if queue == "approvals":
        return ItemFactory(status="under_approval", submitted_at=NOON, leader=city.leader)
    if queue in ("releases", "secrecy-reviews"):
        return Release.objects.create(
            document=item.document,
            label="2026-06",
            as_of_date=TODAY,
            status="first_review" if queue == "releases" else "third_review",
            author=city.publisher,
            created_at=NOON,
            stage_at=NOON,
        )
    share = {
        "objections": {"status": "disputed"},
        "closings": {"status": "under_review", "submitted_at": NOON, "submitted_date": TODAY},
        "checks": {"status": "approved", "submitted_at": NOON, "submitted_date": TODAY},
        "closing-sign-offs": {"status": "in_progress", "is_sign_off_requested": True},
    }.get(queue, {"status": "in_progress"})
    row = AssignmentFactory(item=item, organization=city.bureau, **share)
    if queue == "objections":
        return ObjectionFactory(assignment=row, submitted_at=NOON)
    if queue == "extensions":
        return ExtensionFactory(assignment=row, status="submitted", submitted_at=NOON)
    if queue == "decisions":
        return ExtensionFactory(
            assignment=row, status="endorsed", submitted_at=NOON, endorsed_at=NOON
        )
    if queue == "milestones":
        return MilestoneFactory(
            assignment=row,
            status="under_review",
            submitted_at=NOON,
            planned_date=day(60),
            actual_date=TODAY,
        )
    if queue in ("reports", "sign-offs"):
        period = PeriodFactory(assignment=row, due_date=day(60))
        status = "submitted" if queue == "reports" else "under_sign_off"
        report = ReportFactory(period=period, status=status, submitted_at=NOON)
        if queue == "sign-offs":
            note(EventKind.SIGN_OFF_ASKED, row, period=period)
        return report
    if queue == "checks":
        note(EventKind.APPROVED, row)
    if queue == "closing-sign-offs":
        note(EventKind.CLOSING_DRAFTED, row)
    return row


def note(kind, row, **more):
    Event.objects.create(
        kind=kind, assignment=row, item=row.item, organization=row.organization,
        happened_at=NOON, recorded_at=NOON, **more,
    )  # fmt: skip


QUEUES = [desk.code for desk in DESKS]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_desk_is_told_before_its_limit_and_marked_after_it_once(city, queue):
    world(city, queue)
    desk = next(desk for desk in DESKS if desk.code == queue)
    value = SHIP_LIMITS[desk.limit, ""][0]
    mine = [e for e in due_reviews(day(value - desk.near - 1)) if e.queue == queue]
    assert not mine or value == desk.near + 0

    for _ in range(3):
        sweep(day(value), at=NOON)
    near = Event.objects.get(kind=EventKind.REVIEW_NEAR, data__queue=queue)
    assert near.data["due_date"] == day(value).isoformat()
    assert not Event.objects.filter(kind=EventKind.REVIEW_OVERDUE, data__queue=queue).exists()

    for n in (1, 1, 30):
        sweep(day(value) + timedelta(days=n), at=NOON)
    over = Event.objects.get(kind=EventKind.REVIEW_OVERDUE, data__queue=queue)
    assert over.happened_at == midnight(day(value) + timedelta(days=1))
    assert still_waiting([near, over]) == {near.pk, over.pk}


def test_what_nobody_announced_is_marked_only(city):
    world(city, "reports")
    sweep(day(40), at=NOON)
    kinds = set(Event.objects.filter(data__queue="reports").values_list("kind", flat=True))
    assert kinds == {EventKind.REVIEW_OVERDUE}


def test_the_office_s_delay_is_told_to_the_desk_and_the_one_above_it(city):
    world(city, "reports")
    sweep(day(4), at=NOON)
    told = InboxEntry.objects.filter(event__kind=EventKind.REVIEW_OVERDUE)
    assert {entry.user for entry in told} == {city.officer, city.office_head}


def test_the_act_takes_the_matter_off_the_desk(city):
    report = world(city, "reports")
    sweep(day(2), at=NOON)
    sweep(day(4), at=NOON)
    assert InboxEntry.objects.filter(event__data__queue="reports", done_at=None).exists()
    report_acts.approve_report(report=report, by=city.officer, at=NOON)
    assert not InboxEntry.objects.filter(event__data__queue="reports", done_at=None).exists()
    assert not still_waiting(Event.objects.filter(data__queue="reports"))


def test_days_on_hold_are_not_the_desk_s(city):
    """Four of the eight days since the closing came were on hold: five are allowed."""
    row = world(city, "closings")
    row.holds.create(
        start_date=day(1),
        end_date=day(5),
        expected_end_date=day(9),
        basis="依据",
        decided_by=city.leader,
    )
    for n in (5, 6, 8, 9):
        assert [e for e in due_reviews(day(n)) if e.kind == EventKind.REVIEW_OVERDUE] == []
    (over,) = due_reviews(day(10))
    assert over.data["due_date"] == day(9).isoformat()


def test_an_approved_item_is_off_the_desk(city):
    item = world(city, "approvals")
    sweep(day(3), at=NOON)
    assert InboxEntry.objects.filter(event__item=item, done_at=None).exists()
    item_acts.send_back_item(item=item, by=city.office_head, at=NOON, opinion="补充依据")
    assert not InboxEntry.objects.filter(
        event__item=item, event__kind=EventKind.REVIEW_OVERDUE, done_at=None
    ).exists()


def test_a_second_time_on_the_desk_is_counted_anew(city):
    row = world(city, "closings")
    sweep(day(6), at=NOON)
    acts.send_back_assignment(assignment=row, by=city.officer, at=NOON, reason="材料不全")
    later = NOON + timedelta(days=30)
    acts.submit_assignment(
        assignment=row, by=city.body_head, at=later, closing_text="补齐材料，申请办结。"
    )
    sweep(day(60), at=later)
    over = Event.objects.filter(kind=EventKind.REVIEW_OVERDUE, data__queue="closings")
    assert over.count() == 2


def test_what_left_the_desk_between_deciding_and_writing_is_not_marked(city):
    report = world(city, "reports")
    (effect,) = (e for e in due_reviews(day(9)) if e.queue == "reports")
    report_acts.approve_report(report=report, by=city.officer, at=NOON)
    assert apply_review(effect, recorded_at=NOON) is None
    assert not Event.objects.filter(kind=EventKind.REVIEW_OVERDUE).exists()
