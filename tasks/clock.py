"""The worker's beat, its lease, and the check that the wall clock did not step back."""

import os
import socket
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from tasks.models import Heartbeat, Lease

WORKER = "worker"
TOLERANCE = timedelta(minutes=5)


class ClockStepped(Exception):
    """The wall clock stands before the last beat; nothing is decided until a person has looked."""

    def __init__(self, now: datetime, last_beat_at: datetime) -> None:
        super().__init__(
            f"the clock shows {now.isoformat()} but the last beat was at "
            f"{last_beat_at.isoformat()}; set the clock right, or accept it with "
            f"“manage.py heartbeat --accept-clock”"
        )


def last_beat() -> datetime | None:
    return Heartbeat.objects.filter(name=WORKER).values_list("beat_at", flat=True).first()


def check_clock(now: datetime) -> None:
    """Raise ClockStepped when `now` lies more than five minutes before the last beat."""
    last = last_beat()
    if last is not None and now < last - TOLERANCE:
        raise ClockStepped(now, last)


def beat(now: datetime, *, is_accepted: bool = False) -> None:
    """Write the beat; only a person's acceptance moves it back."""
    rows = Heartbeat.objects.filter(name=WORKER)
    if not is_accepted:
        rows = rows.filter(beat_at__lt=now)
    if not rows.update(beat_at=now):
        Heartbeat.objects.get_or_create(name=WORKER, defaults={"beat_at": now})


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


def give_back_lease(name: str, *, holder: str) -> None:
    Lease.objects.filter(name=name, holder=holder).update(holder="")
