"""The sweep: each fact exactly once, on its day, whatever happens to the worker."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.models import Delivery, InboxEntry
from supervision.models import Assignment, EscalationLevel, Event, EventKind
from supervision.services import facts
from supervision.services.assignments import decide_escalation
from tasks.jobs import sweep
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    MilestoneFactory,
    OrganizationFactory,
    PeriodFactory,
    ReportFactory,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = TODAY - timedelta(days=90)


def share(**fields) -> Assignment:
    """A share dispatched ninety days ago; due dates that have passed are allowed."""
    return AssignmentFactory(
        organization=fields.pop("organization", OrganizationFactory()), **fields
    )


def keys() -> list[str]:
    return sorted(Event.objects.exclude(fact_key=None).values_list("fact_key", flat=True))


def noon_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)


def run(day: date = TODAY, **options) -> dict:
    return sweep(day, at=noon_of(day), **options)


@pytest.fixture
def everything(city):
    """One of each kind of fact is due on TODAY."""
    share(status="pending", accept_due_date=TODAY - timedelta(days=1))
    late = share(due_date=TODAY - timedelta(days=1), organization=city.bureau)
    share(due_date=TODAY + timedelta(days=2), organization=city.bureau)
    very_late = share(due_date=TODAY - timedelta(days=40), organization=city.county)
    planned = MilestoneFactory(
        assignment=share(organization=city.bureau), planned_date=TODAY - timedelta(days=3)
    )
    period = PeriodFactory(assignment=share(organization=city.bureau))
    return {"milestone": planned, "very_late": very_late, "late": late, "period": period}


def test_every_kind_of_fact_is_found_and_written_once(everything):
    first = run()
    assert first["written"] == {
        "accept_overdue": 1,
        "became_overdue": 2,
        "escalated": 3,
        "escalation_proposed": 1,
        "milestone_missed": 1,
        "period_closed": 1,
        "reminder_due": 6,
    }, first
    assert first["failed"] == {}
    before = keys()
    assert run()["due"] == {}
    assert keys() == before


def test_fifty_runs_of_one_day_leave_the_same_rows(everything):
    run()
    before = keys(), InboxEntry.objects.count(), Delivery.objects.count()
    assert before[1] and before[2]
    for _ in range(49):
        assert run()["written"] == {}
    assert (keys(), InboxEntry.objects.count(), Delivery.objects.count()) == before


def test_a_dry_run_says_the_same_and_writes_nothing(everything):
    before = Event.objects.count()
    dry = run(is_dry_run=True)
    assert (Event.objects.count(), InboxEntry.objects.count()) == (before, 0)
    assert dry["due"] == run()["due"]


def test_overdue_is_dated_the_morrow_of_the_due_date_however_late_the_sweep(city):
    row = share(due_date=TODAY - timedelta(days=9))
    run()
    event = Event.objects.get(fact_key=f"overdue:{row.pk}:1")
    assert timezone.localtime(event.happened_at) == noon_of(row.due_date) + timedelta(hours=12)
    assert event.recorded_at == noon_of(TODAY)


def test_the_due_date_itself_is_on_time(city):
    share(due_date=TODAY)
    assert "became_overdue" not in run()["due"]
    assert run(TODAY + timedelta(days=1))["written"]["became_overdue"] == 1


@pytest.mark.parametrize(
    "status", ["under_review", "approved", "disputed", "suspended", "completed", "cancelled"]
)
def test_what_does_not_wait_for_the_body_is_never_chased(city, status):
    row = share(status=status, due_date=TODAY - timedelta(days=30), submitted_date=LONG_AGO)
    MilestoneFactory(assignment=row, planned_date=TODAY - timedelta(days=30))
    # The office’s own clock runs on while the closing lies with it.
    office = {EventKind.REVIEW_NEAR, EventKind.REVIEW_OVERDUE}
    assert set(run()["due"]) <= office
    assert set(run(TODAY + timedelta(days=400))["due"]) <= office


def test_an_extended_share_begins_anew(city):
    row = share(due_date=TODAY - timedelta(days=10))
    run()
    Assignment.objects.filter(pk=row.pk).update(
        due_date=TODAY + timedelta(days=58), episode=2, episode_start_date=TODAY
    )
    assert run()["due"] == {}
    later = TODAY + timedelta(days=59)
    run(later)
    assert f"overdue:{row.pk}:2" in keys()
    assert f"escalated:{row.pk}:1:2" not in keys()


def test_urging_is_held_while_a_request_filed_in_time_waits(city):
    row = share(due_date=TODAY - timedelta(days=8))
    extension = ExtensionFactory(assignment=row, status="submitted")
    assert run()["written"] == {"became_overdue": 1}
    extension.refuse_at_once(by=city.officer, at=NOON, opinion="不同意")
    extension.save()
    assert run()["written"]["escalated"] == 2


def test_a_late_request_holds_nothing(city):
    ExtensionFactory(
        assignment=share(due_date=TODAY - timedelta(days=8)), status="submitted", is_late=True
    )
    assert run()["written"]["escalated"] == 2


def test_levels_in_between_have_their_own_dates_and_only_the_highest_is_sent(city):
    row = share(due_date=date(2026, 5, 8), organization=city.bureau)  # a Friday
    run()
    steps = {
        event.data["level"]: event
        for event in Event.objects.filter(assignment=row, fact_key__contains=":1")
        if event.data.get("level")
    }
    # 9 May 2026 is a make-up working Saturday.
    assert {level: timezone.localdate(event.happened_at) for level, event in steps.items()} == {
        1: date(2026, 5, 9),
        2: date(2026, 5, 14),
        3: date(2026, 5, 21),
    }
    assert {level: event.data["is_sent"] for level, event in steps.items()} == {
        1: False,
        2: False,
        3: True,
    }
    told = InboxEntry.objects.filter(event__kind=EventKind.ESCALATED)
    assert not told.exists()
    assert InboxEntry.objects.filter(event=steps[3], user=city.office_head).exists()


def test_what_follows_a_proposal_waits_for_the_decision(city):
    row = share(due_date=TODAY - timedelta(days=90))
    run()
    assert f"proposed:{row.pk}:3:1" in keys()
    assert f"proposed:{row.pk}:4:1" not in keys()
    decide_escalation(
        assignment=row, level=3, by=city.office_head, at=NOON, is_issued=True, opinion="同意"
    )
    assert run()["written"] == {"escalation_proposed": 1}
    assert f"proposed:{row.pk}:4:1" in keys()
    assert run()["due"] == {}


def test_a_reminder_out_of_date_is_recorded_as_missed_and_not_sent(city):
    row = share(due_date=TODAY - timedelta(days=1), organization=city.bureau)
    run()
    reminders = Event.objects.filter(assignment=row, kind=EventKind.REMINDER_DUE)
    assert {event.data["is_sent"] for event in reminders} == {False}
    assert not InboxEntry.objects.filter(event__in=reminders).exists()


def test_a_step_reaches_nothing_from_before_it_was_armed(city):
    EscalationLevel.objects.filter(number__in=[1, 2]).update(armed_from_date=TODAY)
    old = share(due_date=TODAY - timedelta(days=8))
    new = share(due_date=TODAY - timedelta(days=1))
    run()
    assert f"escalated:{old.pk}:1:1" not in keys()
    assert f"escalated:{old.pk}:2:1" not in keys()
    assert f"escalated:{new.pk}:1:1" in keys()
    run(TODAY + timedelta(days=10))
    assert f"proposed:{old.pk}:3:1" in keys()


def test_sent_back_twice_calls_for_the_second_urging(city):
    row = share(due_date=TODAY + timedelta(days=60), status="returned", times_returned=2)
    for day in (5, 1):
        Event.objects.create(
            kind=EventKind.SENT_BACK,
            assignment=row,
            item=row.item,
            happened_at=NOON - timedelta(days=day),
            recorded_at=NOON - timedelta(days=day),
        )
    assert run()["written"] == {"escalated": 2}
    assert run()["due"] == {}


def test_a_return_filed_on_its_day_is_filed_and_one_after_it_is_made_up(city):
    filed, late, never = (PeriodFactory() for _ in range(3))
    for period, day in ((filed, date(2026, 6, 5)), (late, date(2026, 6, 8))):
        report = ReportFactory(period=period, status="submitted", submitted_at=noon_of(day))
        report.versions.create(number=1, content={}, signed_by_name="x", submitted_at=noon_of(day))
    run()

    def found(period):
        data = Event.objects.get(fact_key=f"period:{period.pk}").data
        return data["is_filed"], data["is_made_up"], data["light"]

    assert found(filed)[:2] == (True, False)
    assert found(late)[:2] == (False, True)
    assert found(never)[:2] == (False, False)
    assert found(never)[2] in {"green", "grey", "blue", "yellow", "red"}


def test_no_return_is_owed_while_the_share_was_held(city):
    period = PeriodFactory()
    period.assignment.holds.create(
        start_date=date(2026, 6, 1),
        expected_end_date=date(2026, 6, 8),
        end_date=date(2026, 6, 8),
        basis="x",
        decided_by=city.leader,
    )
    assert run()["due"] == {}


def test_nine_days_missed_over_a_long_holiday_lose_nothing_and_double_nothing(city):
    days = [date(2026, 9, 28) + timedelta(days=n) for n in range(12)]
    for day in days:
        share(due_date=day, organization=city.bureau if day.day % 2 else city.county)
    run(date(2026, 9, 30))
    first = set(keys())
    caught_up = run(date(2026, 10, 10))
    assert caught_up["failed"] == {}
    missed = set(keys()) - first

    # The same days without the gap give the same facts.
    Delivery.objects.all().delete()
    InboxEntry.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_fanout")
        cursor.execute("DELETE FROM supervision_letter")
        cursor.execute("DELETE FROM supervision_event")
    for offset in range(13):
        run(date(2026, 9, 28) + timedelta(days=offset))
    assert set(keys()) == first | missed


@pytest.mark.parametrize("broken", range(0, 15, 2))
def test_killed_at_any_effect_and_run_again_equals_undisturbed(everything, monkeypatch, broken):
    effects = facts.due_effects(TODAY)
    assert len(effects) == 15
    wanted = sorted(effect.fact_key for effect in effects)
    real = facts.apply_effect
    calls = []

    def killed(effect, *, recorded_at):
        calls.append(effect)
        if len(calls) == broken + 1:
            raise SystemExit("killed")
        return real(effect, recorded_at=recorded_at)

    monkeypatch.setattr("tasks.jobs.apply_effect", killed)
    with pytest.raises(SystemExit):
        run()
    assert len(keys()) == broken
    monkeypatch.setattr("tasks.jobs.apply_effect", real)
    run()
    assert keys() == wanted


def test_one_bad_row_does_not_stop_the_others_and_its_ladder_waits(everything, monkeypatch):
    real = facts.apply_effect
    bad = everything["very_late"].pk

    def sometimes(effect, *, recorded_at):
        if effect.assignment_id == bad and effect.kind == EventKind.BECAME_OVERDUE:
            raise RuntimeError("broken")
        return real(effect, recorded_at=recorded_at)

    wanted = sorted(effect.fact_key for effect in facts.due_effects(TODAY))
    monkeypatch.setattr("tasks.jobs.apply_effect", sometimes)
    summary = run()
    assert summary["failed"]["became_overdue"] == 1
    assert not any(key.startswith(f"escalated:{bad}:") for key in keys())
    monkeypatch.setattr("tasks.jobs.apply_effect", real)
    run()
    assert keys() == wanted


def test_a_share_that_ends_between_deciding_and_acting_is_left_alone(everything):
    effects = facts.due_effects(TODAY)
    Assignment.objects.update(status="suspended")
    assert [facts.apply_effect(effect, recorded_at=NOON) for effect in effects] == [None] * 15
    assert keys() == []


def statements(day=TODAY) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert run(day)["due"] == {}
    return len(captured)


def test_nothing_due_costs_the_same_number_of_statements(city):
    def shares(count):
        for _ in range(count):
            share(item=lead.item, role="support", due_date=TODAY + timedelta(days=200))

    lead = share(due_date=TODAY + timedelta(days=200))
    shares(9)
    few = statements()
    shares(90)
    rows = [
        Assignment(
            item=lead.item,
            organization=OrganizationFactory(),
            role="support",
            status="in_progress",
            due_date=date(2027, 1, 31),
            original_due_date=date(2027, 1, 31),
            dispatched_date=LONG_AGO,
            episode_start_date=LONG_AGO,
            accept_due_date=LONG_AGO,
            objection_due_date=LONG_AGO,
        )
        for _ in range(900)
    ]
    Assignment.objects.bulk_create(rows)
    assert Assignment.objects.count() == 1000
    # Five of the facts, one a desk of the reviewers, and what they read of the settings.
    assert statements() == few <= 21


def test_the_wide_sweep_finds_what_was_handed_in_late_while_no_sweep_ran(city):
    row = share(
        status="under_review",
        due_date=TODAY - timedelta(days=3),
        submitted_date=TODAY - timedelta(days=1),
    )
    assert run()["due"] == {}
    assert run(is_wide=True)["written"] == {"became_overdue": 1}
    assert keys() == [f"overdue:{row.pk}:1"]
