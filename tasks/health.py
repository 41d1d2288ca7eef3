"""Whether the machinery runs: for the watcher outside and for the office's home page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Q
from django.utils import timezone

from notifications.models import Delivery, SendStatus
from notifications.sending import counted_states, named_counts
from notifications.services import red_unread
from notifications.site import identities, muted_because
from supervision.models import CalendarYear, Event, FollowerMail
from supervision.rules.calendar_file import missing_notices
from supervision.services.effects import midnight
from supervision.services.settings import working_calendar
from supervision.together import figures, read_together
from tasks.clock import TOLERANCE, last_signs, signs
from tasks.models import SweepRun


@dataclass(frozen=True)
class Health:
    """Each check by name; healthy when all hold. No secrets, no figures of the work."""

    checks: dict[str, bool]
    last_beat_at: datetime | None = None

    @property
    def is_healthy(self) -> bool:
        return all(self.checks.values())


def is_worker_alive(beat_at: datetime | None, pulse_at: datetime | None, now: datetime) -> bool:
    """A tick within three intervals and a pulse within one, neither from a future left again.

    A stopped worker is seen within one interval, one that lives and does not tick within three.
    """
    if beat_at is None or pulse_at is None:
        return False
    tick = timedelta(seconds=settings.TICK_SECONDS)
    return -TOLERANCE <= now - beat_at <= 3 * tick and -TOLERANCE <= now - pulse_at <= tick


def is_calendar_loaded(year: int) -> bool:
    return CalendarYear.objects.filter(year=year).exists()


def check_health(now: datetime) -> Health:
    """Does the database answer, does the worker beat, is this year's calendar loaded."""
    try:
        beat_at, pulse_at = last_signs()
        return Health(
            {
                "database": True,
                "worker": is_worker_alive(beat_at, pulse_at, now),
                "calendar": is_calendar_loaded(timezone.localdate(now).year),
            },
            beat_at,
        )
    except DatabaseError:
        return Health({"database": False, "worker": False, "calendar": False})


def operations_summary(now: datetime) -> dict:
    """What the office sees of the machinery: yesterday's facts, the outbox, the last beat.

    One statement, beside the calendar the page has read already.
    """
    today = timezone.localdate(now)
    today_start = midnight(today)
    yesterday = Q(happened_at__gte=today_start - timedelta(days=1), happened_at__lt=today_start)
    is_sent = Q(status=SendStatus.SENT)
    read = read_together(
        signs=signs(),
        runs=SweepRun.objects.order_by("-started_at", "-pk").values_list("error", "missed_days")[
            :1
        ],
        states=counted_states(),
        facts=figures(Event.objects.exclude(fact_key=None).filter(yesterday), count=Count("pk")),
        sent=figures(Delivery.objects.filter(is_sent, sent_at__gte=today_start), count=Count("pk")),
        unread=figures(red_unread(), count=Count("pk")),
        followers=figures(
            FollowerMail.objects.filter(status=FollowerMail.Status.HELD), count=Count("pk")
        ),
        identities=identities()[:1],
    )
    beat_at, pulse_at = next(iter(read["signs"]), (None, None))
    last_error, missed_days = next(iter(read["runs"]), ("", 0))
    counts = named_counts(read["states"])
    (due_yesterday,), (sent_today,), (unacknowledged,), (held_followers,) = (
        next(iter(read[name]), (0,)) for name in ("facts", "sent", "unread", "followers")
    )
    identity = read["identities"][0][0] if read["identities"] else None
    year = today.year
    missing = missing_notices(today, working_calendar().announced_years)
    summary = {
        "due_yesterday": due_yesterday,
        "sent_today": sent_today,
        **counts,
        "unacknowledged": unacknowledged,
        "held_followers": held_followers,
        "today": today,
        "yesterday": today - timedelta(days=1),
        "last_tick_at": beat_at,
        "is_worker_alive": is_worker_alive(beat_at, pulse_at, now),
        "last_error": last_error,
        "missed_days": missed_days,
        "is_calendar_loaded": year not in missing,
        "calendar_year": year,
        "next_year_missing": year + 1 if year + 1 in missing else None,
        "is_next_year_urgent": missing.get(year + 1, False),
        "why_muted": muted_because(identity, has_sent=counts[SendStatus.SENT] > 0),
    }
    summary["is_well"] = (
        summary["is_worker_alive"]
        and summary["is_calendar_loaded"]
        and not summary["is_next_year_urgent"]
        and not summary["last_error"]
        and not held_followers
        and not any(counts[name] for name in ("failed", "unknown", "held", "dead"))
    )
    return summary
