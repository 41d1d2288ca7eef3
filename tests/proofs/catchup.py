"""No tick for many days, then one: every fact with its own day, one merged message a person."""

import time
from collections import Counter
from datetime import timedelta

from tests.proofs.common import (
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

DAYS = {Scale.QUICK: 9, Scale.FIRST: 30, Scale.AIM: 366}
SHARES = {Scale.QUICK: 60, Scale.FIRST: 500, Scale.AIM: 10_000}


def prove(*, seed: int, scale: Scale) -> Outcome:
    from django.conf import settings
    from django.core import mail

    from notifications.models import Delivery, Digest
    from notifications.sending import send_pending
    from notifications.services import fan_out_missed
    from supervision.models import Assignment, Event
    from supervision.services.settings import working_calendar
    from tasks.jobs import sweep
    from tests.proofs.two_schedulers import adopt

    empty()
    adopt()
    days = DAYS[scale]
    build_world(SHARES[scale])
    # Dates spread over the time nobody looks, so that something falls due on every day of it.
    rows = list(Assignment.objects.order_by("pk"))
    for n, row in enumerate(rows):
        row.due_date = row.original_due_date = TODAY + timedelta(days=(n * 7) % (days + 40) - 5)
        row.dispatched_date = row.episode_start_date = TODAY - timedelta(days=60)
    Assignment.objects.bulk_update(
        rows, ["due_date", "dispatched_date", "episode_start_date"], batch_size=2000
    )
    end = working_calendar().next_working(TODAY + timedelta(days=days))

    # What the same days leave behind when every one of them is swept.
    for n in range((end - TODAY).days + 1):
        day = TODAY + timedelta(days=n)
        sweep(day, at=noon(day, 9))
    daily = {key for kind, key, *_rest in facts_on_record() if kind == "fact"}
    happened = dict(Event.objects.exclude(fact_key=None).values_list("fact_key", "happened_at"))
    forget_facts()

    sweep(TODAY, at=noon(TODAY, 9))
    before = set(Event.objects.exclude(fact_key=None).values_list("pk", flat=True))
    Delivery.objects.all().delete()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    started = time.monotonic()
    at = noon(end, 10)
    sweep(end, at=at)
    fan_out_missed()
    settings.MAIL_BREAKER_FLOOR = 1_000_000
    sending = send_pending(at)
    seconds = time.monotonic() - started

    found = {key for kind, key, *_rest in facts_on_record() if kind == "fact"}
    problems = [f"lost {key}" for key in sorted(daily - found)]
    # The months running of a light are those of the day one looks; all else must be the same.
    problems += [f"not called for daily: {key}" for key in sorted(found - daily)]
    dated = dict(Event.objects.exclude(fact_key=None).values_list("fact_key", "happened_at"))
    wrong_day = [key for key in found & daily if dated[key] != happened[key]]
    problems += [f"another day: {key} {dated[key]} {happened[key]}" for key in wrong_day]
    mails = Counter(address for message in mail.outbox for address in message.to)
    digests = Counter(Digest.objects.values_list("user_id", flat=True))
    problems += [f"{n} digests for {user}" for user, n in digests.items() if n > 1]
    open_left = Delivery.objects.filter(status__in=["pending", "sending", "failed"]).count()
    if open_left:
        problems.append(f"{open_left} messages still open: {sending}")
    late = Event.objects.exclude(pk__in=before).exclude(fact_key=None).count()
    missed, extra = compare(sorted(daily), sorted(found))
    figures = {
        "days": (end - TODAY).days,
        "assignments": SHARES[scale],
        "facts": len(found),
        "made good at once": late,
        "lost": len(missed),
        "doubled": len(extra),
        "people written to": len(mails),
        "most mails to one": max(mails.values(), default=0),
        "seconds to catch up": round(seconds, 1),
    }
    if max(mails.values(), default=0) > 1:
        problems.append(f"more than one mail: {mails.most_common(3)}")
    if scale is Scale.AIM and seconds > 60:
        problems.append(f"{seconds:.0f} s is more than a minute")
    return Outcome(not problems and late > 0 and len(mails) > 0, figures, problems)
