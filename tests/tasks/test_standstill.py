"""After a standstill: everything made good, one message a person; a jumping clock asks first."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command

from notifications.models import Delivery
from notifications.sending import send_pending
from supervision.models import Event, EventKind, Letter, ReportPeriod
from supervision.services.acts import record_event
from supervision.services.assignments import (
    cancel_assignment,
    suspend_assignment,
)
from tasks import clock
from tasks.clock import ClockJumped, beat
from tasks.jobs import sweep, tick
from tasks.models import Heartbeat, SweepRun
from tests.factories import NOON, TODAY, AssignmentFactory, MilestoneFactory, PeriodFactory

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEFORE = date(2026, 9, 30)  # the last working day before the long holiday of October 2026
AFTER = date(2026, 10, 9)


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI)


@pytest.fixture
def ran_for(monkeypatch):
    """How long the machine has run since it started, set by the test."""

    def set_days(days: float) -> None:
        monkeypatch.setattr(clock, "uptime_seconds", lambda: days * 86400.0)

    set_days(0)
    monkeypatch.setattr(clock, "boot_id", lambda: "host one")
    return set_days


@pytest.fixture
def holiday_work(city):
    """Work of one bureau that falls due while nobody sweeps, and some that lies far behind."""
    fields = {"organization": city.bureau, "dispatched_date": date(2026, 3, 2)}
    city.due = [
        AssignmentFactory(due_date=BEFORE + timedelta(days=days), **fields) for days in range(9)
    ]
    city.soon = AssignmentFactory(due_date=date(2026, 10, 14), **fields)
    running = AssignmentFactory(due_date=date(2026, 12, 31), **fields)
    city.milestone = MilestoneFactory(assignment=running, planned_date=date(2026, 10, 3))
    city.period = PeriodFactory(
        assignment=running,
        label="2026-09",
        start_date=date(2026, 9, 1),
        end_date=date(2026, 9, 30),
        due_date=date(2026, 10, 5),
    )
    return city


def facts() -> set[str]:
    return set(Event.objects.exclude(fact_key=None).values_list("fact_key", flat=True))


def test_check_2_no_tick_for_nine_days_over_a_long_holiday(
    holiday_work, mailoutbox, ran_for, settings
):
    """Each reminder sent once or recorded as missed, none lost, none doubled, one mail a person."""
    with time_machine.travel(morning(BEFORE), tick=False):
        tick()
    mailoutbox.clear()
    Delivery.objects.all().delete()
    ran_for(9)
    with time_machine.travel(morning(AFTER), tick=False):
        result = tick()
        written = result["sweep"]["written"]
        assert written["became_overdue"] == 9
        assert written["milestone_missed"] == written["period_closed"] == 1
        assert SweepRun.objects.filter(missed_days=8).exists()
        one_each = sorted(message.to[0] for message in mailoutbox)
        assert one_each == ["body_head@example.org", "liaison@example.org"]
        before = facts(), Delivery.objects.count(), len(mailoutbox)
        for _ in range(3):
            tick()
        assert (facts(), Delivery.objects.count(), len(mailoutbox)) == before
    # The same as if somebody had swept every day.
    caught_up = facts()
    late = Event.objects.get(kind=EventKind.BECAME_OVERDUE, assignment=holiday_work.due[0])
    assert late.happened_at == datetime(2026, 10, 1, tzinfo=SHANGHAI)
    assert late.data["late_by_days"] == 8
    assert Delivery.objects.get(event=late, recipient=holiday_work.liaison).late_by_days == 8
    on_time = Event.objects.get(kind=EventKind.BECAME_OVERDUE, assignment=holiday_work.due[8])
    assert "late_by_days" not in on_time.data
    Letter.objects.all().delete()
    Event.objects.all().delete()
    for days in range(10):
        sweep(BEFORE + timedelta(days=days), at=morning(BEFORE + timedelta(days=days)))
    assert caught_up == facts()


def test_a_mail_says_how_late_it_was_written_down(holiday_work, mailoutbox, ran_for):
    with time_machine.travel(morning(AFTER), tick=False):
        tick()
    body = mailoutbox[0].body
    assert "补记" in body and "补记" in mailoutbox[0].alternatives[0][0]


def test_late_red_goes_in_the_one_merged_mail_and_a_new_one_at_once(city, mailoutbox):
    rows = [AssignmentFactory(organization=city.bureau) for _ in range(3)]
    for row in rows:
        record_event(
            EventKind.ESCALATION_PROPOSED,
            assignment=row,
            by=None,
            at=NOON,
            data={"level": 3, "is_sent": True, "episode": 1, "late_by_days": 4},
        )
    send_pending(NOON)
    assert [message.to for message in mailoutbox] == [["office_head@example.org"]]
    for row in rows:
        assert row.item.title in mailoutbox[0].body
        record_event(
            EventKind.ESCALATION_PROPOSED,
            assignment=row,
            by=None,
            at=NOON,
            data={"level": 4, "is_sent": True, "episode": 1, "late_by_days": 2},
        )
    send_pending(NOON + timedelta(minutes=1))
    assert len(mailoutbox) == 2  # today's digest has left: one more mail, not three


def test_beyond_the_horizon_a_reminder_is_on_record_and_not_sent(city, settings):
    row = AssignmentFactory(
        organization=city.bureau,
        due_date=TODAY + timedelta(days=1),
        dispatched_date=TODAY - timedelta(days=200),
    )
    settings.STALE_AFTER_DAYS = 10
    sweep(TODAY, at=NOON)
    early = Event.objects.get(fact_key=f"reminder:{row.pk}:reminder_early:1")
    assert early.data["is_sent"] is False
    assert early.data["late_by_days"] > 10
    assert not Delivery.objects.filter(event=early).exists()


def test_check_4_complete_hold_cancel_reassign_between_planning_and_sending(city, mailoutbox):
    """Nothing goes to the wrong person once the case has moved on."""
    held, cancelled, moved = (AssignmentFactory(organization=city.bureau) for _ in range(3))
    done = AssignmentFactory(organization=city.bureau, status="approved")
    for row in (held, cancelled, moved, done):
        record_event(
            EventKind.BECAME_OVERDUE, assignment=row, by=None, at=NOON, data={"episode": 1}
        )
        row.item.leader = city.leader
        row.item.save()
    suspend_assignment(
        assignment=held,
        by=city.leader,
        at=NOON,
        basis="会议纪要",
        expected_end_date=TODAY + timedelta(days=9),
    )
    cancel_assignment(assignment=cancelled, by=city.office_head, at=NOON, basis="会议纪要")
    city.liaison.organization = city.county
    city.liaison.save()
    type(moved).objects.filter(pk=moved.pk).update(organization=city.county)
    send_pending(NOON)
    overdue = Delivery.objects.filter(event__kind=EventKind.BECAME_OVERDUE)
    assert not overdue.filter(status="sent").exists()
    assert dict(
        overdue.filter(recipient=city.body_head).values_list("event__assignment", "status")
    ) == {
        held.pk: "cancelled",
        cancelled.pk: "cancelled",
        moved.pk: "expired",
        done.pk: "expired",
    }
    assert all(moved.item.title not in message.body for message in mailoutbox)


# The clock


def test_a_clock_set_ahead_asks_a_person_before_anything_is_written(city, ran_for, mailoutbox):
    AssignmentFactory(organization=city.bureau, due_date=TODAY + timedelta(days=5))
    beat(NOON)
    with time_machine.travel(NOON + timedelta(days=3650), tick=False):
        with pytest.raises(ClockJumped):
            tick()
        assert sweep(TODAY)["is_frozen"]
        with pytest.raises(CommandError, match="accept-clock"):
            call_command("send_pending")
        assert (facts(), mailoutbox) == (set(), [])
        assert "accept-clock" in SweepRun.objects.latest("pk").error
        call_command("heartbeat", "--accept-clock")
        tick()
    assert facts()


@pytest.mark.parametrize(
    ("days_on_the_clock", "days_run", "same_boot", "is_jump"),
    [
        (9, 9, True, False),  # the worker stood still, the machine ran
        (9, 0.01, False, False),  # the machine was off over the holiday
        (0.9, 0, True, False),
        (1.1, 0, True, True),
        (30, 29.5, True, False),
        (3650, 2, True, True),
    ],
)
def test_a_standstill_is_no_jump(
    db, monkeypatch, ran_for, days_on_the_clock, days_run, same_boot, is_jump
):
    beat(NOON)
    ran_for(days_run)
    if not same_boot:
        monkeypatch.setattr(clock, "boot_id", lambda: "host one, started again")
    now = NOON + timedelta(days=days_on_the_clock)
    if is_jump:
        with pytest.raises(ClockJumped):
            clock.check_clock(now)
    else:
        clock.check_clock(now)


def test_the_beat_remembers_which_machine_ran_how_long(db):
    beat(NOON)
    row = Heartbeat.objects.get()
    assert row.boot_id
    assert row.uptime_seconds > 0
    clock.check_clock(NOON + timedelta(hours=1))


def test_closed_periods_keep_their_own_day(holiday_work, ran_for):
    with time_machine.travel(morning(AFTER), tick=False):
        tick()
    event = Event.objects.get(period=ReportPeriod.objects.get(pk=holiday_work.period.pk))
    assert event.data["late_by_days"] == 3
