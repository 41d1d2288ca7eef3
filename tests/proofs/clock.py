"""Clocks that lie: steps back, jumps, ten years ahead, through libfaketime in real processes.

Each history is a row of `manage.py` processes on one database, each under its own faked clock. A
step back of more than five minutes must freeze the sweep, a jump ahead of more than a day must ask
a person first, and no paper or fact may be written under a clock that was refused.
"""

import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from tests.proofs.common import ROOT, SHANGHAI, TODAY, Outcome, Scale, build_world, empty, noon

HISTORIES = {Scale.QUICK: 2, Scale.FIRST: 25, Scale.AIM: 1000}
STEPS = 4
# How the clock goes on from one process to the next, and whether it may be believed.
MOVES = {
    "an hour on": (timedelta(hours=1), True),
    "a minute back": (timedelta(minutes=-1), True),
    "six minutes back": (timedelta(minutes=-6), False),
    "a day back": (timedelta(days=-1), False),
    "a day and a half on": (timedelta(hours=36), False),
    "ten years on": (timedelta(days=3652), False),
}
LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
)
# One tick, its answer, and what stands in the tables after it.
TICK = """
import django, json; django.setup()
from django.utils import timezone
from tasks.clock import ClockStepped
from tasks.jobs import tick
try:
    tick(); refused = False
except ClockStepped:
    refused = True
from notifications.models import Delivery
from supervision.models import Event
from tasks.clock import last_beat
print(json.dumps({"refused": refused, "now": timezone.now().isoformat(),
    "beat": last_beat().isoformat(), "events": Event.objects.count(),
    "sent": Delivery.objects.filter(status="sent").count()}))
"""


def prove(*, seed: int, scale: Scale) -> Outcome:
    from django.db import connection

    from tests.proofs.common import forget_facts
    from tests.proofs.two_schedulers import adopt

    library = next((path for path in LIBRARIES if Path(path).exists()), None)
    if library is None:
        return Outcome(False, {}, ["libfaketime is not installed"])
    empty()
    build_world(60)
    chance = random.Random(seed)
    refused = believed = wrong = 0
    problems: list[str] = []
    for number in range(HISTORIES[scale]):
        forget_facts()
        adopt()
        connection.close()
        clock = noon(TODAY, 10)
        last = _tick(library, clock)
        history = ["start"]
        if last["refused"]:
            problems.append("the first tick was refused")
        for _ in range(STEPS):
            name = chance.choice(list(MOVES))
            history.append(name)
            offset, is_believable = MOVES[name]
            beat = datetime.fromisoformat(last["beat"]).astimezone(SHANGHAI)
            found = _tick(library, beat + offset)
            if found["refused"] == is_believable:
                wrong += 1
                problems.append(f"history {number} {history}: refused is {found['refused']}")
            if found["refused"]:
                refused += 1
                if (found["events"], found["sent"]) != (last["events"], last["sent"]):
                    wrong += 1
                    problems.append(f"history {number} {history}: written under a refused clock")
            else:
                believed += 1
            last = found
    figures = {
        "histories": HISTORIES[scale],
        "ticks": refused + believed,
        "refused": refused,
        "believed": believed,
        "wrong": wrong,
    }
    return Outcome(not problems and refused > 0 and believed > 0, figures, problems)


def _tick(library: str, clock: datetime) -> dict:
    """One tick in a process whose wall clock starts at this local moment."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "supervision.config.settings.test",
        "LD_PRELOAD": library,
        "FAKETIME": clock.astimezone(SHANGHAI).strftime("@%Y-%m-%d %H:%M:%S"),
        # Only the wall clock lies; the machine itself knows how long it has run.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "Asia/Shanghai",
    }
    done = subprocess.run(
        [sys.executable, "-c", TICK], env=environment, cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])
