"""The worker's beat, its lease, and the check that the wall clock did not step back."""

import os
import socket
import time
from datetime import datetime, timedelta
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from tasks.models import Heartbeat, Lease

WORKER = "worker"
TOLERANCE = timedelta(minutes=5)
LONGEST_JUMP = timedelta(hours=24)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ClockStepped(Exception):
    """The wall clock stands before the last beat; nothing is decided until a person has looked."""

    def __init__(self, now: datetime, last_beat_at: datetime) -> None:
        super().__init__(
            f"the clock shows {now.isoformat()} but the last beat was at "
            f"{last_beat_at.isoformat()}; set the clock right, or accept it with "
            f"“manage.py heartbeat --accept-clock”"
        )


class ClockJumped(ClockStepped):
    """The wall clock went ahead by more than a day while the machine did not run that long."""

    def __init__(self, now: datetime, last_beat_at: datetime) -> None:
        Exception.__init__(
            self,
            f"the clock shows {now.isoformat()}; the last beat was at {last_beat_at.isoformat()}, "
            f"and this machine has not run for that long since: the clock was set ahead. Set it "
            f"right, or accept it with “manage.py heartbeat --accept-clock”",
        )


class LeaseLost(Exception):
    """The lease ran out and another worker holds it now; it goes on where this one stopped."""


def boot_id() -> str:
    """This run of this machine; empty where the system does not say."""
    try:
        return f"{socket.gethostname()[:40]} {BOOT_ID.read_text(encoding='ascii').strip()}"[:80]
    except OSError:
        return ""


def uptime_seconds() -> float:
    """Seconds since the machine started, sleep included, whatever the wall clock shows."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def last_beat() -> datetime | None:
    return Heartbeat.objects.filter(name=WORKER).values_list("beat_at", flat=True).first()


def check_clock(now: datetime) -> None:
    """Raise when the wall clock cannot be believed; a person accepts it or sets it right.

    ClockStepped: it stands more than five minutes before the last beat. ClockJumped: it went more
    than a day further than the machine itself has run since the last beat. After a restart of the
    machine, or on another one, a standstill and a jump look alike and the clock is believed.
    """
    row = Heartbeat.objects.filter(name=WORKER).first()
    if row is None:
        return
    if now < row.beat_at - TOLERANCE:
        raise ClockStepped(now, row.beat_at)
    if row.uptime_seconds is None or not row.boot_id or row.boot_id != boot_id():
        return
    ran = timedelta(seconds=uptime_seconds() - row.uptime_seconds)
    if now - row.beat_at - ran > LONGEST_JUMP:
        raise ClockJumped(now, row.beat_at)


def last_signs() -> tuple[datetime | None, datetime | None]:
    """The worker's last tick and its last pulse."""
    return next(iter(signs()), (None, None))


def signs() -> QuerySet:
    """The same as a list of one row, empty while no worker ever beat."""
    return Heartbeat.objects.filter(name=WORKER).values_list("beat_at", "pulse_at")


def beat(now: datetime, *, is_accepted: bool = False) -> None:
    """Write the beat, which is a pulse too; only a person's acceptance moves it back."""
    seen = {
        "beat_at": now,
        "pulse_at": now,
        "boot_id": boot_id(),
        "uptime_seconds": uptime_seconds(),
    }
    rows = Heartbeat.objects.filter(name=WORKER)
    if not is_accepted:
        rows = rows.filter(beat_at__lt=now)
    if not rows.update(**seen):
        Heartbeat.objects.get_or_create(name=WORKER, defaults=seen)


def pulse(now: datetime) -> None:
    """Show that the worker's processes live. The clock is judged by beats alone."""
    Heartbeat.objects.filter(name=WORKER).update(pulse_at=now)


def holder_name() -> str:
    return f"{socket.gethostname()[:60]}:{os.getpid()}"


def take_lease(name: str, *, holder: str, seconds: int) -> int | None:
    """The fence number when the lease is ours now, else None. Time is the database's."""
    until = Now() + timedelta(seconds=seconds)
    try:
        with transaction.atomic():
            Lease.objects.get_or_create(name=name, defaults={"expires_at": Now(), "holder": ""})
    except IntegrityError:  # somebody else was creating it
        pass
    free = Q(holder="") | Q(expires_at__lt=Now()) | Q(holder=holder)
    taken = Lease.objects.filter(free, name=name).update(
        holder=holder, fence=F("fence") + 1, expires_at=until
    )
    if not taken:
        return None
    return Lease.objects.values_list("fence", flat=True).get(name=name)


def keep_lease(name: str, *, fence: int, seconds: int) -> None:
    """Lock the lease until the end of the transaction and put off its end, in one statement.

    Raises LeaseLost when somebody has taken it since: what carries this fence may not be written.
    """
    until = Now() + timedelta(seconds=seconds)
    if not Lease.objects.filter(name=name, fence=fence).update(expires_at=until):
        raise LeaseLost(f"lease “{name}”: fence {fence} is no longer the last")


def give_back_lease(name: str, *, holder: str) -> None:
    Lease.objects.filter(name=name, holder=holder).update(holder="")
