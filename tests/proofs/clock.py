"""Clocks that lie: steps back, jumps, ten years ahead, through libfaketime in real processes.

Each history is a row of ticks on one database, in a process whose wall clock libfaketime sets. A
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

from tests.proofs.common import (
    ROOT,
    SHANGHAI,
    TODAY,
    Outcome,
    Scale,
    build_world,
    empty,
    noon,
    scratch,
)

HISTORIES = {Scale.QUICK: 2, Scale.FIRST: 100, Scale.AIM: 1000}
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
# Ticks on demand, each answered with what stands in the tables after it.
WORKER = """
import json, sys
import django; django.setup()
from django.utils import timezone
from notifications.models import Delivery
from supervision.models import Event
from tasks.clock import ClockStepped, last_beat
from tasks.jobs import tick
for _line in sys.stdin:
    try:
        tick()
        refused = False
    except ClockStepped:
        refused = True
    print(json.dumps({"refused": refused, "now": timezone.now().isoformat(),
        "beat": last_beat().isoformat(), "events": Event.objects.count(),
        "sent": Delivery.objects.filter(status="sent").count()}), flush=True)
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
    worker = Worker(library)
    refused = believed = wrong = 0
    problems: list[str] = []
    for number in range(HISTORIES[scale]):
        forget_facts()
        adopt()
        connection.close()
        clock = noon(TODAY, 10)
        last = worker.tick(clock)
        history = ["start"]
        if last["refused"]:
            problems.append("the first tick was refused")
        for _ in range(STEPS):
            name = chance.choice(list(MOVES))
            history.append(name)
            offset, is_believable = MOVES[name]
            beat = datetime.fromisoformat(last["beat"]).astimezone(SHANGHAI)
            found = worker.tick(beat + offset)
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
    worker.stop()
    figures = {
        "histories": HISTORIES[scale],
        "ticks": refused + believed,
        "refused": refused,
        "believed": believed,
        "wrong": wrong,
    }
    return Outcome(not problems and refused > 0 and believed > 0, figures, problems)


class Worker:
    """A process whose wall clock is what a file says; the machine's own clocks stay true."""

    def __init__(self, library: str) -> None:
        self.file = scratch() / "faketime"
        self.file.write_text("+0\n", encoding="ascii")
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "supervision.config.settings.test",
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tick(self, clock: datetime) -> dict:
        """One tick when the wall clock shows this moment."""
        offset = round((clock - datetime.now(SHANGHAI)).total_seconds())
        self.file.write_text(f"{offset:+d}\n", encoding="ascii")
        self.process.stdin.write("tick\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        shown = datetime.fromisoformat(answer["now"])
        if abs(shown - clock) > timedelta(seconds=30):
            raise RuntimeError(f"the clock was to show {clock} and showed {shown}")
        return answer

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=30)
