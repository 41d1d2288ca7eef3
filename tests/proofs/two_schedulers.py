"""Several schedulers at once, and real qcluster processes: every fact and every message once.

The simulated part runs N processes over one simulated day and the midnight in it, minute by minute
at the same moment, each with a clock of its own that is a little wrong, and none asks for the
lease: the unique keys alone have to hold. The real part starts two clusters of django-q2 on the
same database and lets them tick.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

from tests.proofs.common import (
    ROOT,
    TODAY,
    Outcome,
    Scale,
    build_world,
    compare,
    empty,
    facts_on_record,
    forget_facts,
    noon,
)

SHARES = {Scale.QUICK: 60, Scale.FIRST: 500, Scale.AIM: 500}
SCHEDULERS = {Scale.QUICK: 2, Scale.FIRST: 2, Scale.AIM: 10}
MINUTES = {Scale.QUICK: 4, Scale.FIRST: 24 * 60, Scale.AIM: 24 * 60}
CLUSTER_SECONDS = {Scale.QUICK: 0, Scale.FIRST: 75, Scale.AIM: 75}


def prove(*, seed: int, scale: Scale) -> Outcome:
    from django.db import connection

    from tasks.jobs import sweep

    empty()
    build_world(SHARES[scale])
    minutes = MINUTES[scale]
    start = noon(TODAY) if minutes > 60 else noon(TODAY, 23, 58)
    end = start + timedelta(minutes=minutes)

    sweep(TODAY, at=start)
    sweep(end.date(), at=end)
    wanted = facts_on_record()
    forget_facts()
    connection.close()

    children = [_fork(n, start, minutes) for n in range(SCHEDULERS[scale])]
    codes = [os.waitpid(pid, 0)[1] for pid in children]
    missing, extra = compare(wanted, facts_on_record())
    problems = [f"scheduler ended with {code}" for code in codes if code]
    problems += [f"lost {row}" for row in missing] + [f"doubled {row}" for row in extra]

    real = _real_clusters(CLUSTER_SECONDS[scale]) if CLUSTER_SECONDS[scale] else {}
    problems += real.pop("problems", [])
    figures = {
        "schedulers": SCHEDULERS[scale],
        "simulated minutes": minutes,
        "facts and messages": len(wanted),
        "lost": len(missing),
        "doubled": len(extra),
        **real,
    }
    return Outcome(not problems and len(wanted) > 0, figures, problems)


def _fork(number: int, start, minutes: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        from django.db import connection
        from django.utils import timezone

        from notifications.services import fan_out_missed
        from tasks.jobs import sweep

        connection.close()
        for minute in range(minutes + 1):
            # Each clock is wrong by its own number of seconds; all tick at the same moment.
            at = start + timedelta(minutes=minute, seconds=min(number * 7, 59))
            if minute == minutes:
                at = start + timedelta(minutes=minutes)
            summary = sweep(timezone.localdate(at), at=at)
            if summary["failed"]:
                print(summary, file=sys.stderr)
                os._exit(2)
            if minute % 60 == 0:
                fan_out_missed()
        code = 0
    finally:
        os._exit(code)


def _real_clusters(seconds: int) -> dict:
    """Two clusters of the queue on one database, with facts that fall due while they tick."""
    from django.db import connection
    from django.utils import timezone

    from supervision.models import Assignment, Event
    from tasks.models import Heartbeat, Lease, SweepRun
    from tasks.schedules import sync_schedules

    forget_facts()
    for model in (Heartbeat, Lease, SweepRun):
        model.objects.all().delete()
    today = timezone.localdate()
    moved = today - timedelta(days=2)
    first = Assignment.objects.order_by("pk")[:40].values_list("pk", flat=True)
    Assignment.objects.filter(pk__in=list(first)).update(due_date=moved)
    sync_schedules()
    adopt()
    connection.close()
    command = [sys.executable, str(ROOT / "manage.py"), "qcluster"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "supervision.config.settings.test"}
    clusters = [
        subprocess.Popen(
            command, env=environment, cwd=ROOT, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    problems: list[str] = []
    try:
        time.sleep(seconds)
        problems += [
            f"a cluster ended with {cluster.returncode}"
            for cluster in clusters
            if cluster.poll() is not None
        ]
    finally:
        for cluster in clusters:
            if cluster.poll() is None:
                cluster.terminate()
        for cluster in clusters:
            with contextlib.suppress(subprocess.TimeoutExpired):
                cluster.wait(timeout=20)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(cluster.pid, signal.SIGKILL)
    rows = facts_on_record()
    doubled = [row for row, n in Counter(rows).items() if n > 1]
    facts = Event.objects.exclude(fact_key=None).count()
    overdue = Event.objects.filter(kind="became_overdue", assignment_id__in=list(first)).count()
    if overdue != 40:
        problems.append(f"{overdue} of 40 overdue marks written by the real clusters")
    problems += [f"doubled by the real clusters: {row}" for row in doubled]
    return {
        "real clusters": 2,
        "their facts": facts,
        "their ticks": sum(SweepRun.objects.values_list("times", flat=True)),
        "doubled by them": len(doubled),
        "problems": problems,
    }


def adopt() -> None:
    """This database sends from this machine: its site id is the one that lies beside us."""
    import io

    from django.core.management import call_command

    call_command("adopt_site", stdout=io.StringIO())
