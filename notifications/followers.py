"""Mails to readers without an account: one to confirm, then at most one for each edition.

The same way out as all other mail (`channels.mail.hand_over`): claimed first, silent on a muted
host, tried again after a failure, never sent twice by itself.
"""

import logging
import time as clock
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from notifications.channels.base import OutcomeUnknown, PermanentFailure
from notifications.channels.mail import hand_over
from notifications.models import SendStatus
from notifications.sending import (
    BREAKER,
    CLAIM_MINUTES,
    RELEASED,
    breaker_limit,
    in_window,
    message_host,
    next_attempt,
)
from notifications.site import mute_reason
from supervision.models import FollowerMail, FollowerTally, PublicItem
from supervision.public_address import public_url
from supervision.public_site import public_site
from supervision.rules.working_days import WorkingCalendar
from supervision.services.followers import (
    CONFIRM_DAYS,
    changed_items,
    confirm_token,
    count_outcome,
    items_for,
    leave_token,
    purge_followers,
    queue_editions,
)
from supervision.services.settings import working_calendar

logger = logging.getLogger(__name__)

# A mail names this many items; the site has them all.
LONGEST = 50


def write_to_followers(now: datetime, *, budget_seconds: float | None = None) -> dict:
    """Purge what nobody confirmed, then send what waits. Safe to repeat, late or in parallel.

    A confirmation leaves at once, for somebody is waiting; an edition's mail in the window of all
    mail and under the same breaker: far more than usual waits for a person. While following is
    switched off nothing leaves and what is kept runs out all the same.
    """
    result: Counter = Counter(purged=purge_followers(at=now))
    if not settings.FOLLOW_BY_MAIL:
        return dict(result)
    result["queued"] = queue_editions(at=now)
    _give_up_stale_claims(now)
    waiting = FollowerMail.objects.filter(status=SendStatus.PENDING).filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    )
    if not waiting.exists() or mute_reason(now):
        return dict(result)
    calendar = working_calendar()
    if not in_window(now, calendar):
        waiting = waiting.filter(topic__isnull=False)
    elif held := _hold_unusual(now):
        result["held"] = held
    started = clock.monotonic()
    for pk in list(waiting.order_by("created_at", "pk").values_list("pk", flat=True)):
        if budget_seconds is not None and clock.monotonic() - started > budget_seconds:
            break
        if not _send(pk, now, calendar, result):
            break
    return dict(result)


def _hold_unusual(now: datetime) -> int:
    """Hold the editions' mails when they are far more than usual; returns how many.

    What a person let go does not count; the requests to confirm have a limit an hour of their own.
    """
    editions = FollowerMail.objects.filter(release__isnull=False)
    new = editions.filter(status=SendStatus.PENDING).exclude(error=RELEASED)
    if new.count() <= breaker_limit(now, editions):
        return 0
    held = new.update(status=SendStatus.HELD, error=BREAKER)
    logger.error("Held %s mails to followers: many more than usual", held)
    return held


def release_held_mails() -> int:
    """Let go what the breaker held of the followers' mails; returns how many."""
    held = FollowerMail.objects.filter(status=SendStatus.HELD, error=BREAKER)
    return held.update(status=SendStatus.PENDING, error=RELEASED)


def _give_up_stale_claims(now: datetime) -> None:
    """A claim nobody finished in time: the mail may have left, and is not sent again."""
    stale = FollowerMail.objects.filter(
        status=SendStatus.SENDING, claimed_at__lt=now - timedelta(minutes=CLAIM_MINUTES)
    )
    for row in stale.select_related("release"):
        with transaction.atomic():
            if stale.filter(pk=row.pk).update(status=SendStatus.UNKNOWN, error="claim"):
                count_outcome(release=row.release, outcome=SendStatus.UNKNOWN, at=now)


def _send(pk: int, now: datetime, calendar: WorkingCalendar, result: Counter) -> bool:
    """Claim and send one mail; False when the mail host cannot be reached."""
    mine = FollowerMail.objects.filter(pk=pk)
    if not mine.filter(status=SendStatus.PENDING).update(status=SendStatus.SENDING, claimed_at=now):
        return True
    row = mine.select_related("follower", "topic", "release").first()
    if row is None:  # its owner left in between
        return True
    try:
        mail = compose(row)
        if mail is None:
            row.delete()
            result["dropped"] += 1
            return True
        hand_over(mail)
    except Exception as error:
        # Never the error's own words: they may hold the address.
        logger.warning("Mail to a follower %s not sent: %s", row.uid, type(error).__name__)
        attempts = row.attempts + 1
        again = None
        if not isinstance(error, OutcomeUnknown | PermanentFailure):
            again = next_attempt(attempts, now, calendar)
        status = SendStatus.PENDING if again else SendStatus.DEAD
        if isinstance(error, OutcomeUnknown):
            status = SendStatus.UNKNOWN
        with transaction.atomic():
            mine.update(
                status=status,
                attempts=attempts,
                next_attempt_at=again,
                error=getattr(error, "code", type(error).__name__),
            )
            if status in FollowerTally.Outcome.values:
                count_outcome(release=row.release, outcome=status, at=now)
        result["failed"] += 1
        return not getattr(error, "is_down", False)
    with transaction.atomic():
        mine.update(status=SendStatus.SENT, sent_at=now, error="", next_attempt_at=None)
        count_outcome(release=row.release, outcome=SendStatus.SENT, at=now)
    result["sent"] += 1
    return True


def compose(row: FollowerMail) -> EmailMessage | None:
    """The mail as it leaves, from what is public now; None when there is nothing left to say."""
    with translation.override(settings.LANGUAGE_CODE):
        site_name = public_site().name()
        leave_url = public_url(reverse("cms:follow_leave", args=[leave_token(row.follower)]))
        context = {
            "site_name": site_name,
            "leave_url": leave_url,
            "office_name": settings.OFFICE_NAME,
        }
        if row.topic is not None:
            if row.topic.confirmed_at is not None:
                return None
            subject = _("Please confirm: changes of {site} by mail").format(site=site_name)
            context |= {
                "topic": topic_words(row.topic.kind, row.topic.key),
                "confirm_url": public_url(
                    reverse("cms:follow_confirm", args=[confirm_token(row.topic)])
                ),
                "days": CONFIRM_DAYS,
            }
            body = render_to_string("notifications/follow_confirm.txt", context)
        else:
            items = items_for(row.follower, changed_items(row.release))
            if not items:
                return None
            subject = _("{site}: {count} items changed in edition {edition}").format(
                site=site_name,
                count=len(items),
                edition=row.release.label,
            )
            context |= {
                "edition": row.release.label,
                "lines": [
                    {
                        "title": item.data["title"],
                        "url": public_url(reverse("cms:item", args=[item.slug])),
                    }
                    for item in items[:LONGEST]
                ],
                "left_out": max(len(items) - LONGEST, 0),
                "changes_url": public_url(reverse("cms:changes")),
            }
            body = render_to_string("notifications/follow_edition.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split())[:150],
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[row.follower.email],
        headers={
            "Message-ID": f"<follow-{row.uid}-{row.attempts}@{message_host()}>",
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{leave_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def topic_words(kind: str, key: str) -> str:
    """What somebody follows, in words; an item by its public title."""
    if kind == "all":
        return _("all changes")
    if kind == "item":
        public = PublicItem.objects.public().filter(slug=key).first()
        return public.data["title"] if public else _("an item that is no longer public")
    return key
