"""Due dates pass at midnight: how long until the mark is written, with the real worker.

django-q2's cluster runs as in production, under a wall clock that libfaketime puts shortly before a
midnight, at a moment chosen by chance in the rhythm of ticks. Noticed is the moment of recording
less 00:00 local of the day after the due date.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from tests.proofs.clock import LIBRARIES
from tests.proofs.common import (
    ROOT,
    SHANGHAI,
    TODAY,
    Outcome,
    Scale,
    build_world,
    empty,
    forget_facts,
)

MIDNIGHTS = {Scale.QUICK: 1, Scale.FIRST: 5, Scale.AIM: 20}
SHARES = {Scale.QUICK: 40, Scale.FIRST: 500, Scale.AIM: 100_000}
FALLING_DUE = {Scale.QUICK: 20, Scale.FIRST: 100, Scale.AIM: 200}
PATIENCE_SECONDS = 150


def prove(*, seed: int, scale: Scale) -> Outcome:
    from django.db import connection

    from supervision.models import Assignment
    from tasks.schedules import sync_schedules
    from tests.proofs.two_schedulers import adopt

    library = next((path for path in LIBRARIES if Path(path).exists()), None)
    if library is None:
        return Outcome(False, {}, ["libfaketime is not installed"])
    empty()
    build_world(SHARES[scale], due=0, overdue=0)
    rows = list(Assignment.objects.order_by("pk").values_list("pk", flat=True))
    falling = rows[: FALLING_DUE[scale]]
    Assignment.objects.filter(pk__in=falling).update(due_date=TODAY)
    chance = random.Random(seed)
    delays: list[float] = []
    problems: list[str] = []
    for number in range(MIDNIGHTS[scale]):
        forget_facts()
        _forget_queue()
        adopt()
        sync_schedules()
        connection.close()
        # The cluster needs some seconds to come up, then ticks in a rhythm of its own.
        before = timedelta(seconds=25 + chance.uniform(0, 30))
        found = _one_midnight(library, before, len(falling))
        if len(found) != len(falling):
            problems.append(f"midnight {number}: {len(found)} of {len(falling)} noticed")
        if any(delay < 0 for delay in found):
            problems.append(f"midnight {number}: noticed before midnight")
        delays += found
    delays.sort()
    p99 = delays[max(int(len(delays) * 0.99) - 1, 0)] if delays else float("inf")
    if p99 > 60:
        problems.append(f"p99 is {p99:.1f} s")
    figures = {
        "midnights": MIDNIGHTS[scale],
        "assignments": SHARES[scale],
        "fell due": len(delays),
        "median s": round(delays[len(delays) // 2], 1) if delays else None,
        "p99 s": round(p99, 1),
        "worst s": round(delays[-1], 1) if delays else None,
    }
    return Outcome(not problems and bool(delays), figures, problems)


def _forget_queue() -> None:
    from django_q.models import OrmQ, Schedule, Task

    for model in (OrmQ, Schedule, Task):
        model.objects.all().delete()


def _one_midnight(library: str, before: timedelta, wanted: int) -> list[float]:
    """Seconds after midnight at which each mark was written."""
    from django.db import connection
    from django_q.models import Schedule

    from supervision.models import Event

    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=SHANGHAI) + timedelta(days=1)
    offset = midnight - before - datetime.now(SHANGHAI)
    Schedule.objects.update(next_run=midnight - before)
    connection.close()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "supervision.config.settings.test",
        "LD_PRELOAD": library,
        "FAKETIME": f"{offset.total_seconds():+.3f}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    cluster = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "qcluster"],
        env=environment,
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    marks = Event.objects.filter(kind="became_overdue")
    try:
        deadline = time.monotonic() + before.total_seconds() + PATIENCE_SECONDS
        while time.monotonic() < deadline and marks.count() < wanted:
            time.sleep(1)
    finally:
        cluster.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            cluster.wait(timeout=15)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(cluster.pid, signal.SIGKILL)
    return [
        (recorded_at - midnight).total_seconds()
        for recorded_at in marks.values_list("recorded_at", flat=True)
    ]
