"""The worker's beat, its lease, its clock, and what the watchers see of them."""

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from django_q.models import Schedule

from notifications.models import Delivery
from supervision.models import CalendarYear, Event, SearchEntry
from supervision.services.facts import apply_effect
from supervision.services.search import rebuild_search
from tasks import clock, jobs
from tasks.clock import ClockStepped, beat, pulse, take_lease
from tasks.jobs import JobFailed, check_search, sweep, tick, tick_lease, wide_sweep
from tasks.models import Heartbeat, Lease, SweepRun
from tasks.pulse import keep_pulse
from tasks.schedules import SCHEDULES, sync_schedules
from tests.factories import NOON, TODAY, AssignmentFactory

SHANGHAI = ZoneInfo("Asia/Shanghai")


def keys() -> list[str]:
    return sorted(Event.objects.exclude(fact_key=None).values_list("fact_key", flat=True))


@pytest.fixture
def late(city):
    return AssignmentFactory(organization=city.bureau, due_date=TODAY - timedelta(days=1))


# Ticks


@time_machine.travel(NOON, tick=False)
def test_a_tick_beats_sweeps_and_sends(late, mailoutbox):
    result = tick()
    assert result["sweep"]["written"]["became_overdue"] == 1
    assert Heartbeat.objects.get().beat_at == NOON
    assert len(mailoutbox) == 2
    before = keys(), Delivery.objects.count()
    for _ in range(3):
        tick()
    assert (keys(), Delivery.objects.count(), len(mailoutbox)) == (*before, 2)
    run, quiet = SweepRun.objects.order_by("pk")
    assert (run.times, quiet.times, quiet.error) == (1, 3, "")


@time_machine.travel(NOON, tick=False)
def test_one_failing_part_does_not_stop_the_others_and_is_loud(late, monkeypatch, mailoutbox):
    monkeypatch.setattr(jobs, "fan_out_missed", lambda: 1 / 0)
    with pytest.raises(JobFailed, match="fan_out"):
        tick()
    assert keys() and len(mailoutbox) == 2
    assert Lease.objects.get().holder == ""


@time_machine.travel(NOON, tick=False)
def test_a_second_worker_leaves_the_tick_to_the_first(late, monkeypatch):
    assert take_lease("tick", holder="another:1", seconds=60) == 1
    assert "skipped" in tick()
    assert keys() == []
    Lease.objects.update(expires_at=datetime(2026, 1, 1, tzinfo=SHANGHAI))
    assert "sweep" in tick()
    assert Lease.objects.get().fence == 2


@time_machine.travel(NOON, tick=False)
def test_every_fact_carries_the_fence_of_its_lease(late):
    tick()
    tick()
    facts = Event.objects.exclude(fact_key=None)
    assert facts.count() == len(keys()) > 0
    assert {event.data["fence"] for event in facts} == {1}
    AssignmentFactory(organization=late.organization, due_date=TODAY - timedelta(days=1))
    call_command("sweep", stdout=io.StringIO())
    assert {event.data["fence"] for event in facts.all()} == {1, 3}


@time_machine.travel(NOON, tick=False)
def test_who_lost_the_lease_writes_nothing_more(late, city, monkeypatch):
    """Another worker takes the lease between two facts: the first one stops and says so."""
    AssignmentFactory(organization=city.bureau, due_date=TODAY - timedelta(days=2))
    fence = take_lease("tick", holder="slow:1", seconds=60)
    written = []

    def slow(effect, **kwargs):
        written.append(effect.fact_key)
        Lease.objects.update(expires_at=NOON - timedelta(days=1), holder="")
        assert take_lease("tick", holder="quick:2", seconds=60) == fence + 1
        return apply_effect(effect, **kwargs)

    monkeypatch.setattr(jobs, "apply_effect", slow)
    due = sum(sweep(TODAY, is_dry_run=True)["due"].values())
    summary = sweep(TODAY, fence=fence)
    assert len(written) == 1 == sum(summary["written"].values())
    assert summary["left_for_next"] == due - 1 > 0
    assert summary["failed"] == {}
    monkeypatch.undo()
    with time_machine.travel(NOON, tick=False):
        assert sum(sweep(TODAY, fence=fence + 1)["written"].values()) == due - 1


@time_machine.travel(NOON, tick=False)
def test_a_sweep_beside_the_tick_waits_for_the_lease_and_then_gives_up(late, monkeypatch):
    assert take_lease("tick", holder="another:1", seconds=60) == 1
    with pytest.raises(JobFailed, match="lease"), tick_lease(wait_seconds=0):
        pass
    monkeypatch.setattr(tick_lease.__wrapped__, "__kwdefaults__", {"wait_seconds": 0})
    with pytest.raises(CommandError):
        call_command("sweep", stdout=io.StringIO())
    assert keys() == []


def test_the_days_without_a_sweep_are_counted(late):
    for day in (1, 10):
        with time_machine.travel(datetime(2026, 6, day, 9, tzinfo=SHANGHAI), tick=False):
            sweep(timezone.localdate())
    assert SweepRun.objects.latest("pk").missed_days == 8


@time_machine.travel(NOON, tick=False)
def test_the_wide_sweep_is_quiet_when_the_sweeps_did_their_work(late):
    assert wide_sweep()["due"] == {}
    AssignmentFactory(
        status="under_review",
        due_date=TODAY - timedelta(days=3),
        submitted_date=TODAY - timedelta(days=1),
    )
    with pytest.raises(JobFailed, match="became_overdue"):
        wide_sweep()
    assert wide_sweep()["due"] == {}


def test_the_nightly_look_at_the_search_table_puts_right_what_differs_and_says_so(late):
    rebuild_search()
    assert check_search() == {}
    SearchEntry.objects.filter(item=late.item).delete()
    with pytest.raises(JobFailed, match="item"):
        check_search()
    assert check_search() == {}


# The clock


def test_a_clock_that_steps_back_freezes_the_sweep_and_says_so(late):
    beat(NOON)
    with time_machine.travel(NOON - timedelta(minutes=6), tick=False):
        with pytest.raises(ClockStepped):
            tick()
        assert sweep(TODAY)["is_frozen"]
        assert keys() == []
        assert "accept-clock" in SweepRun.objects.latest("pk").error
        assert Heartbeat.objects.get().beat_at == NOON
        call_command("heartbeat", "--accept-clock")
        tick()
    assert keys()


def test_a_small_step_back_is_no_matter(late):
    beat(NOON)
    with time_machine.travel(NOON - timedelta(minutes=4), tick=False):
        tick()
    assert keys()
    assert Heartbeat.objects.get().beat_at == NOON


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
@pytest.mark.parametrize(
    ("moment", "is_late"),
    [
        ((9, 23, 59), False),
        ((10, 0, 0), True),
        ((10, 7, 59), True),
        ((10, 8, 0), True),
    ],
)
def test_late_begins_at_midnight_here_wherever_the_server_stands(
    late, monkeypatch, zone, moment, is_late
):
    monkeypatch.setenv("TZ", zone)
    day, hour, minute = moment
    at = datetime(2026, 6, day, hour, minute, tzinfo=SHANGHAI).astimezone(ZoneInfo(zone))
    with time_machine.travel(at, tick=False):
        tick()
    assert (f"overdue:{late.pk}:1" in keys()) is is_late
    if is_late:
        event = Event.objects.get(fact_key=f"overdue:{late.pk}:1")
        assert event.happened_at == datetime(2026, 6, 10, tzinfo=SHANGHAI)


# Two at once


SEED = """
from datetime import timedelta
from supervision.services.roles import sync_roles
from supervision.services.settings import sync_settings
from tests.factories import NOON, TODAY, AssignmentFactory, build_city
sync_roles()
sync_settings(at=NOON)
city = build_city()
for days in range(12):
    AssignmentFactory(organization=city.bureau, due_date=TODAY - timedelta(days=days))
"""


def test_two_processes_at_once_write_each_fact_once(tmp_path, migrated):
    """Real processes on a database file: threads of one test share its connection's lock."""
    shutil.copy(migrated, tmp_path / "two.sqlite3")
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'two.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "supervision.config.settings.test",
    }

    def manage(*arguments) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    seeding = manage("shell", "--no-imports", "-c", SEED)
    assert seeding.wait(timeout=60) == 0, seeding.stderr.read()
    workers = [manage("sweep", "--today", TODAY.isoformat()) for _ in range(2)]
    summaries = []
    for worker in workers:
        out, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
        summaries.append(json.loads(out))
    with closing(sqlite3.connect(tmp_path / "two.sqlite3")) as database:

        def count(question: str) -> int:
            return database.execute(question).fetchone()[0]

        facts = count("SELECT count(*) FROM supervision_event WHERE fact_key IS NOT NULL")
        overdue = count("SELECT count(*) FROM supervision_event WHERE kind = 'became_overdue'")
        told = count("SELECT count(*) FROM notifications_inboxentry")
        fanned_out = count("SELECT sum(recipients) FROM notifications_fanout")
    assert overdue == 11
    assert sum(sum(summary["written"].values()) for summary in summaries) == facts
    assert told == fanned_out > 0
    third, _errors = manage("sweep", "--today", TODAY.isoformat()).communicate(timeout=60)
    assert json.loads(third)["due"] == {}


# Watchers


def health(client) -> tuple[int, dict]:
    answer = client.get("/healthz")
    return answer.status_code, answer.json()["checks"]


@time_machine.travel(NOON, tick=False)
def test_healthz_is_green_while_the_worker_beats(client, settings_loaded):
    assert health(client) == (503, {"database": True, "worker": False, "calendar": True})
    tick()
    assert health(client) == (200, {"database": True, "worker": True, "calendar": True})


def test_healthz_turns_red_within_one_interval_of_a_stopped_worker(
    client, settings_loaded, settings
):
    beat(NOON)
    last = settings.TICK_SECONDS
    for seconds, status in ((0, 200), (last, 200), (last + 1, 503), (86400, 503), (-301, 503)):
        with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
            assert health(client)[0] == status, seconds


def test_healthz_turns_red_when_a_worker_lives_without_ticking(client, settings_loaded, settings):
    beat(NOON)
    last = 3 * settings.TICK_SECONDS
    for seconds, status in ((last, 200), (last + 1, 503)):
        at = NOON + timedelta(seconds=seconds)
        pulse(at)
        with time_machine.travel(at, tick=False):
            assert health(client)[0] == status, seconds


def test_a_pulse_is_no_beat(settings_loaded):
    """A clock set ahead must not be believed because the pulse has seen it."""
    pulse(NOON)
    assert not Heartbeat.objects.exists()
    beat(NOON)
    pulse(NOON + timedelta(days=3))
    row = Heartbeat.objects.get()
    assert (row.beat_at, row.pulse_at) == (NOON, NOON + timedelta(days=3))


def test_the_pulse_outlives_a_database_that_does_not_answer(monkeypatch):
    stop, seen = threading.Event(), []

    def flaky(now):
        seen.append(now)
        if len(seen) == 1:
            raise OperationalError("gone")
        stop.set()

    monkeypatch.setattr("tasks.pulse.pulse", flaky)
    monkeypatch.setattr("tasks.pulse.connection", SimpleNamespace(close=lambda: None))
    monkeypatch.setattr("django.conf.settings.PULSE_SECONDS", 0)
    keep_pulse(stop)
    assert len(seen) == 2


def test_a_real_worker_pulses_between_ticks_and_stops_with_its_processes(tmp_path, migrated):
    """From kill -9 to red within one interval, with a cluster of its own."""
    path = tmp_path / "pulse.sqlite3"
    shutil.copy(migrated, path)
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{path}",
        "DJANGO_SETTINGS_MODULE": "supervision.config.settings.test",
        "PULSE_SECONDS": "1",
    }
    environment.pop("REDIS_URL", None)

    def question(sql: str) -> tuple | None:
        with closing(sqlite3.connect(path, timeout=10)) as database, database:
            return database.execute(sql).fetchone()

    question(
        "INSERT INTO tasks_heartbeat (name, beat_at, boot_id)"
        " VALUES ('worker', '2026-06-10 04:00:00', '')"
    )
    ask = "SELECT pulse_at FROM tasks_heartbeat"
    cluster = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        seen = set()
        until = time.monotonic() + 60
        while len(seen) < 3 and time.monotonic() < until:
            seen.add(question(ask)[0])
            time.sleep(0.3)
        assert len(seen - {None}) >= 2
    finally:
        os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait(timeout=10)
    last = question(ask)
    time.sleep(2.5)
    assert question(ask) == last


@time_machine.travel(NOON, tick=False)
def test_healthz_is_red_without_this_years_calendar(client, settings_loaded):
    beat(NOON)
    CalendarYear.objects.filter(year=2026).delete()
    assert health(client) == (503, {"database": True, "worker": True, "calendar": False})


def test_healthz_says_when_the_database_does_not_answer(client, settings_loaded, monkeypatch):
    from django.db import OperationalError

    def gone():
        raise OperationalError("password=secret host=db")

    monkeypatch.setattr("tasks.health.last_signs", gone)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert b"secret" not in answer.content


def test_the_office_sees_the_operations_and_nobody_else_pays_for_them(
    late, city, rf, django_assert_num_queries
):
    from tasks.context_processors import operations

    with time_machine.travel(NOON, tick=False):
        tick()
        request = rf.get("/")
        request.user = city.officer
        with django_assert_num_queries(0):
            context = operations(request)
        found = context["operations"]
        # The overdue mark to liaison and head, the blue sheet to the liaison.
        assert (found["sent_today"], found["is_worker_alive"], found["failed"]) == (3, True, 0)
        assert found["is_well"]
        request.user = city.liaison
        assert not operations(request)["operations"]
    with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
        request.user = city.office_head
        assert not operations(request)["operations"]["is_worker_alive"]


def test_the_card_names_what_is_wrong(city, rf):
    from django.template.loader import render_to_string

    from tasks.health import operations_summary

    CalendarYear.objects.all().delete()
    summary = operations_summary(datetime(2026, 12, 1, 9, tzinfo=SHANGHAI))
    html = render_to_string("tasks/_operations.html", {"operations": summary})
    assert html.count("light-red") >= 2
    assert "2026" in html and "2027" in html


# Schedules and commands


def test_schedules_are_applied_once_corrected_and_cleared(db):
    assert sync_schedules() == {"created": len(SCHEDULES), "changed": 0, "removed": 0}
    assert sync_schedules() == {"created": 0, "changed": 0, "removed": 0}
    Schedule.objects.filter(name="tick").update(cron="0 * * * *")
    Schedule.objects.create(name="tick", func="tasks.jobs.tick", schedule_type="I", minutes=1)
    Schedule.objects.create(name="old", func="tasks.jobs.gone", schedule_type="D")
    Schedule.objects.create(name="theirs", func="elsewhere.job", schedule_type="D")
    assert sync_schedules() == {"created": 0, "changed": 1, "removed": 2}
    assert Schedule.objects.filter(name="tick", cron="* * * * * */30").count() == 1
    assert Schedule.objects.filter(name="theirs").exists()


def test_the_sweep_command_prints_json_and_a_dry_run_leaves_no_trace(late, capsys):
    call_command("sweep", "--today", TODAY.isoformat(), "--dry-run")
    printed = json.loads(capsys.readouterr().out)
    assert printed["due"]["became_overdue"] == 1
    assert (keys(), SweepRun.objects.count(), Heartbeat.objects.count()) == ([], 0, 0)
    call_command("sweep", "--today", TODAY.isoformat())
    assert json.loads(capsys.readouterr().out)["written"] == printed["due"]


def test_a_day_that_is_none_is_refused_in_plain_words(db):
    with pytest.raises(CommandError, match="2026-02-30"):
        call_command("sweep", "--today", "2026-02-30")


def test_the_heartbeat_command_fails_when_the_worker_is_silent(db, capsys):
    with pytest.raises(CommandError):
        call_command("heartbeat")
    beat(timezone.now() - timedelta(hours=1))
    with pytest.raises(CommandError):
        call_command("heartbeat")
    beat(timezone.now())
    call_command("heartbeat")
    assert date.today().isoformat()[:4] in capsys.readouterr().out  # noqa: DTZ011


def test_the_beat_never_goes_back_by_itself(db):
    beat(NOON)
    beat(NOON - timedelta(hours=1))
    assert clock.last_beat() == NOON
