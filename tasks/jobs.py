"""What the worker runs. Each job may run twice, late, or stop halfway (reliability.md)."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from notifications.followers import write_to_followers
from notifications.sending import send_pending
from notifications.services import fan_out_missed
from supervision.models import Event, public_set_key
from supervision.services.effects import Effect
from supervision.services.exports import look_after_exports
from supervision.services.facts import apply_effect, due_effects
from supervision.services.help import remind_of_help
from supervision.services.kept_lights import keep_lights
from supervision.services.letters import drop_lapsed_drafts, render_letters
from supervision.services.openness import remind_of_openness
from supervision.services.releases import publish_due
from supervision.services.reviewer_clocks import ReviewEffect, apply_review, due_reviews
from supervision.services.search import rebuild_search
from tasks.clock import (
    ClockStepped,
    LeaseLost,
    beat,
    check_clock,
    give_back_lease,
    holder_name,
    keep_lease,
    take_lease,
)
from tasks.models import SweepRun

logger = logging.getLogger(__name__)

TICK_LEASE = "tick"
LEASE_SECONDS = 55
# How long a sweep beside the tick waits for the tick to end.
LEASE_WAIT_SECONDS = 60
# Together below the queue's timeout, a hanging mail included.
BUDGET_SECONDS = 30
SEND_SECONDS = 10
LETTER_SECONDS = 5
# Items lit in one beat; on the first beats of a day all of them, in turns.
LIGHTS_AT_ONCE = 500


class JobFailed(Exception):
    """Some of a job's parts failed; the others were done all the same."""


def tick() -> dict:
    """One beat of the worker: the sweep of today, forgotten messages, what waits to be sent.

    Each part has its own `try`. Raises JobFailed at the end, naming the parts that failed.
    """
    now = timezone.now()
    holder = holder_name()
    try:
        check_clock(now)
    except ClockStepped as stepped:
        _record_run(timezone.localdate(now), now, {}, is_wide=False, error=str(stepped))
        raise
    beat(now)
    fence = take_lease(TICK_LEASE, holder=holder, seconds=LEASE_SECONDS)
    if fence is None:
        return {"skipped": "another worker is at it"}
    parts: dict[str, Callable[[], dict]] = {
        "sweep": lambda: sweep(timezone.localdate(), budget_seconds=BUDGET_SECONDS, fence=fence),
        "help": lambda: {"reminded": remind_of_help(timezone.localdate(), at=timezone.now())},
        "openness": lambda: {
            "reminded": remind_of_openness(timezone.localdate(), at=timezone.now())
        },
        "lights": lambda: {
            "kept": keep_lights(timezone.localdate(), at=timezone.now(), most=LIGHTS_AT_ONCE)
        },
        "letters": draw_letters,
        "editions": lambda: publish_due(at=timezone.now()),
        "public_pages": render_public_pages,
        "fan_out": fan_out_missed,
        "exports": lambda: look_after_exports(at=timezone.now()),
        "send": lambda: send_pending(timezone.now(), budget_seconds=SEND_SECONDS),
        "followers": lambda: write_to_followers(timezone.now(), budget_seconds=SEND_SECONDS),
    }
    result, failed = {}, {}
    try:
        for name, part in parts.items():
            try:
                result[name] = part()
            except Exception as error:
                logger.exception("The tick's part “%s” failed", name)
                failed[name] = str(error)
    finally:
        give_back_lease(TICK_LEASE, holder=holder)
    problems = failed or result["sweep"].get("failed")
    if problems:
        raise JobFailed(f"tick: {problems}")
    return result


@contextmanager
def tick_lease(*, wait_seconds: float = LEASE_WAIT_SECONDS) -> Iterator[int]:
    """The lease of the tick for a sweep beside it; yields the fence.

    Waits while another worker holds it. Raises JobFailed when it is not free in time.
    """
    holder = holder_name()
    until = time.monotonic() + wait_seconds
    while (fence := take_lease(TICK_LEASE, holder=holder, seconds=LEASE_SECONDS)) is None:
        if time.monotonic() >= until:
            raise JobFailed("another worker holds the lease")
        time.sleep(0.2)
    try:
        yield fence
    finally:
        give_back_lease(TICK_LEASE, holder=holder)


def render_public_pages() -> dict:
    """After a release: wake the rendering of public pages, in a job of its own.

    By its name, for the tasks know no pages; files of the folder tell whether there is need: the
    pages are of another stamp, or a process ended before its release was followed.
    """
    if not settings.PUBLIC_PAGES_DIR:
        return {}
    root = Path(settings.PUBLIC_PAGES_DIR)
    present, rendered, followed = (
        _text_of(root / name) for name in ("stamp", "rendered-for", "followed")
    )
    if present and present == rendered and followed == public_set_key():
        return {"fresh": True}
    async_task("django.core.management.call_command", "keep_public", "--if-old")
    return {"woken": True}


def _text_of(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except OSError:
        return ""


def draw_letters() -> dict:
    """Draw the files of issued letters, and drop drafts that time has overtaken."""
    dropped = drop_lapsed_drafts(at=timezone.now())
    return {"dropped": dropped, **render_letters(budget_seconds=LETTER_SECONDS)}


def sweep(
    today: date,
    *,
    at: datetime | None = None,
    is_dry_run: bool = False,
    is_wide: bool = False,
    budget_seconds: float | None = None,
    fence: int | None = None,
) -> dict:
    """Write every fact that is due as of `today` and not on record; say what was done.

    `at` is the moment of recording, now if left out. Safe to repeat and to run in two processes.
    One bad row is counted and the rest go on; the ladder of that row waits for the next sweep.
    Every fact carries `fence`, the number of the lease under which it is written; once another
    worker has taken the lease nothing more is written and the rest is left to it. Without a fence
    only the facts' keys guard, which is enough. A dry run writes nothing. The real clock is
    checked: when it stepped back the sweep freezes.
    """
    started = time.monotonic()
    recorded_at = at or timezone.now()
    if at is None:
        try:
            check_clock(recorded_at)
        except ClockStepped as stepped:
            if not is_dry_run:
                _record_run(today, recorded_at, {}, is_wide=is_wide, error=str(stepped))
            return {"today": today.isoformat(), "is_frozen": True, "reason": str(stepped)}
    effects = [*due_effects(today, is_wide=is_wide), *due_reviews(today, is_wide=is_wide)]
    due = Counter(effect.kind.value for effect in effects)
    summary = {
        "today": today.isoformat(),
        "is_dry_run": is_dry_run,
        "due": dict(sorted(due.items())),
        "written": {},
        "already_there": {},
        "failed": {},
        "left_for_next": 0,
    }
    if is_dry_run:
        return summary
    outcomes, errors, left = _apply(effects, recorded_at, started, budget_seconds, fence)
    for name in ("written", "already_there", "failed"):
        summary[name] = dict(sorted(outcomes[name].items()))
    summary["left_for_next"] = left
    # With an injected moment this is somebody else's clock (a replay): its runs are not proof
    # that the worker ran.
    if at is None:
        _record_run(today, recorded_at, summary, is_wide=is_wide, error="; ".join(errors[:20]))
    return summary


def _apply(
    effects: list[Effect | ReviewEffect],
    recorded_at: datetime,
    started: float,
    budget_seconds: float | None,
    fence: int | None,
) -> tuple[dict[str, Counter], list[str], int]:
    outcomes = {"written": Counter(), "already_there": Counter(), "failed": Counter()}
    errors: list[str] = []
    stopped: set[int] = set()
    for number, effect in enumerate(effects):
        if budget_seconds is not None and time.monotonic() - started > budget_seconds:
            return outcomes, errors, len(effects) - number
        if effect.assignment_id in stopped:
            outcomes["failed"][effect.kind.value] += 1
            continue
        try:
            event = _write(effect, recorded_at, fence)
        except LeaseLost as lost:
            logger.warning("%s; the rest is left to its holder", lost)
            return outcomes, errors, len(effects) - number
        except Exception as error:
            logger.exception("Could not write %s", effect.fact_key)
            errors.append(f"{effect.fact_key}: {error}")
            outcomes["failed"][effect.kind.value] += 1
            # One level at a time: what comes after on this row waits until this is written.
            if effect.assignment_id is not None:
                stopped.add(effect.assignment_id)
        else:
            outcomes["written" if event else "already_there"][effect.kind.value] += 1
    return outcomes, errors, 0


@transaction.atomic
def _write(effect: Effect | ReviewEffect, recorded_at: datetime, fence: int | None) -> Event | None:
    if fence is not None:
        keep_lease(TICK_LEASE, fence=fence, seconds=LEASE_SECONDS)
        effect = replace(effect, data={**effect.data, "fence": fence})
    if isinstance(effect, ReviewEffect):
        return apply_review(effect, recorded_at=recorded_at)
    return apply_effect(effect, recorded_at=recorded_at)


def _record_run(
    today: date, started_at: datetime, counts: dict, *, is_wide: bool, error: str
) -> None:
    """One row for a sweep that did something; quiet ones of a day share one and are counted."""
    last = SweepRun.objects.filter(is_wide=is_wide).order_by("-started_at", "-pk").first()
    is_same_news = (
        last is not None
        and last.today == today
        and last.error == error
        and not counts.get("written")
        and not last.counts.get("written")
    )
    if is_same_news:
        last.times += 1
        last.finished_at = timezone.now()
        last.save(update_fields=["times", "finished_at"])
        return
    previous = last.today if last is not None and last.today < today else today
    SweepRun.objects.create(
        started_at=started_at,
        finished_at=timezone.now(),
        today=today,
        counts=counts,
        missed_days=max((today - previous).days - 1, 0),
        error=error,
        is_wide=is_wide,
    )


def wide_sweep() -> dict:
    """Once a day, without any short cut: it must find nothing, what it finds is an alarm.

    The usual sweep runs first, so that only what it overlooks remains. What is found is written
    all the same. Raises JobFailed when there was something.
    """
    now = timezone.now()
    clear_old_runs(now)
    with tick_lease() as fence:
        sweep(timezone.localdate(now), fence=fence)
        fan_out_missed()
        summary = sweep(timezone.localdate(now), is_wide=True, fence=fence)
        fanned_out = fan_out_missed(is_wide=True)
    if summary.get("is_frozen") or summary["due"] or fanned_out["written"]:
        raise JobFailed(f"the wide sweep found what the sweeps before it left: {summary}")
    return summary


def check_search() -> dict:
    """Once a night: the search table beside the rows. What differs is put right and an alarm.

    Raises JobFailed when there was something.
    """
    found = {kind: asdict(changes) for kind, changes in rebuild_search().items() if changes.total}
    if found:
        raise JobFailed(f"the search table differed from the rows and was put right: {found}")
    return found


def clear_old_runs(now: datetime, *, keep_days: int = 400) -> int:
    """Drop sweeps older than the proof is kept; facts are events and stay for ever."""
    deleted, _rows = SweepRun.objects.filter(
        started_at__lt=now - timedelta(days=keep_days)
    ).delete()
    return deleted
