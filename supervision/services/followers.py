"""Following the public site by mail: asked for, confirmed by the address's owner, left at once.

Source: public-site.md, section 5 (off by default; purged when not confirmed within a week).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import Count, F, Q

from supervision.models import (
    FollowedTopic,
    Follower,
    FollowerMail,
    FollowerTally,
    PublicItem,
    Release,
)

# An address asks at most so often a day; all addresses together at most so often an hour. More
# would lend our name to somebody who floods another's letter box.
ASKED_A_DAY = 5
ASKED_AN_HOUR = 200
CONFIRM_DAYS = 7
# A new release is told for so long; a worker that stood still longer tells the next one only.
TOLD_DAYS = 7
KEEP_SENT_DAYS = 40


CONFIRM, LEAVE = "supervision.follow.confirm", "supervision.follow.leave"


def confirm_token(topic: FollowedTopic) -> str:
    """What the mail's link carries; holds for as long as an unconfirmed topic is kept."""
    return signing.dumps(topic.uid.hex, salt=CONFIRM)


def leave_token(follower: Follower) -> str:
    """Holds as long as the address is kept: who has the mail may leave, without any account."""
    return signing.dumps(follower.uid.hex, salt=LEAVE)


def read_token(token: str, *, salt: str) -> UUID | None:
    """The identifier in a token of ours; None for any other, and for one to confirm too late."""
    try:
        limit = timedelta(days=CONFIRM_DAYS) if salt == CONFIRM else None
        return UUID(signing.loads(token, salt=salt, max_age=limit))
    except (signing.BadSignature, ValueError, TypeError):
        return None


@transaction.atomic
def ask_to_follow(*, email: str, kind: str, key: str, at: datetime) -> bool:
    """Note the wish and have the address asked by mail. False when the limits are reached.

    The caller says the same to everybody: nobody learns who follows what.
    """
    email = email.strip().lower()
    asked = FollowerMail.objects.filter(topic__isnull=False)
    if asked.filter(created_at__gt=at - timedelta(hours=1)).count() >= ASKED_AN_HOUR:
        return False
    follower, _created = Follower.objects.get_or_create(email=email, defaults={"created_at": at})
    Follower.objects.select_for_update().get(pk=follower.pk)
    mine = asked.filter(follower=follower)
    if mine.filter(created_at__gt=at - timedelta(days=1)).count() >= ASKED_A_DAY:
        return False
    topic, _created = FollowedTopic.objects.get_or_create(
        follower=follower, kind=kind, key=key, defaults={"created_at": at}
    )
    waiting = mine.filter(topic=topic, status=FollowerMail.Status.PENDING)
    if topic.confirmed_at is None and not waiting.exists():
        FollowerMail.objects.create(follower=follower, topic=topic, created_at=at)
    return True


def topic_of(uid: UUID) -> FollowedTopic | None:
    """A topic by its identifier; None once it was purged or its owner left."""
    return FollowedTopic.objects.select_related("follower").filter(uid=uid).first()


@transaction.atomic
def confirm_topic(*, uid: UUID, at: datetime) -> FollowedTopic | None:
    """The owner of the address says yes. Safe to repeat; None when there is nothing to confirm."""
    FollowedTopic.objects.filter(uid=uid, confirmed_at=None).update(confirmed_at=at)
    return topic_of(uid)


def leave(*, uid: UUID) -> None:
    """Delete an address and all that hangs on it. Safe to repeat."""
    Follower.objects.filter(uid=uid).delete()


def purge_followers(*, at: datetime) -> int:
    """Delete what nobody confirmed in time, and mails long sent; says how many addresses went."""
    FollowedTopic.objects.filter(
        confirmed_at=None, created_at__lte=at - timedelta(days=CONFIRM_DAYS)
    ).delete()
    FollowerMail.objects.filter(created_at__lte=at - timedelta(days=KEEP_SENT_DAYS)).delete()
    gone = Follower.objects.filter(topics=None)
    count = gone.count()
    gone.delete()
    return count


def changed_items(release: Release) -> list[PublicItem]:
    """Items that are public now and whose facts this edition made or changed."""
    if release.status != Release.Status.RELEASED:
        return []
    return list(
        PublicItem.objects.public()
        .filter(release=release, changed_at=release.released_at)
        .order_by("number")
    )


def items_for(follower: Follower, items: list[PublicItem]) -> list[PublicItem]:
    """Those of the items that fall under a confirmed topic of the address."""
    topics = {
        (topic.kind, topic.key) for topic in follower.topics.all() if topic.confirmed_at is not None
    }
    return [item for item in items if topics & _topics_of(item)]


def _topics_of(item: PublicItem) -> set[tuple[str, str]]:
    data = item.data
    return {
        ("all", ""),
        ("item", item.slug),
        ("theme", data["theme"]),
        ("lead", data["lead"]),
        *(("county", county["name"]) for county in data["counties"]),
    }


def queue_editions(*, at: datetime) -> int:
    """A mail for every follower whom a recent edition concerns, at most one an edition.

    Asks what is public now, so it may run twice or late.
    """
    recent = Release.objects.current().filter(released_at__gt=at - timedelta(days=TOLD_DAYS))
    made = 0
    for release in recent:
        items = changed_items(release)
        if not items:
            continue
        followers = (
            Follower.objects.filter(topics__confirmed_at__lte=release.released_at)
            .exclude(Q(mails__release=release))
            .distinct()
            .prefetch_related("topics")
        )
        for follower in followers:
            if items_for(follower, items):
                _mail, is_new = FollowerMail.objects.get_or_create(
                    follower=follower, release=release, defaults={"created_at": at}
                )
                made += is_new
    return made


# What became of the mails: numbers, never an address


@dataclass
class MailRecord:
    """The mails of one edition, or the requests to confirm (`release` is None), in numbers.

    `waiting` counts what is being sent too; of these `again` failed once or more. `reasons` are
    the codes of what went wrong.
    """

    release: Release | None
    sent: int = 0
    waiting: int = 0
    again: int = 0
    held: int = 0
    unknown: int = 0
    dead: int = 0
    last_at: datetime | None = None
    reasons: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.sent + self.waiting + self.held + self.unknown + self.dead


def count_outcome(*, release: Release | None, outcome: str, at: datetime, number: int = 1) -> None:
    """Count mails that ended; the number stays when the mail and its address are deleted."""
    tally, _created = FollowerTally.objects.get_or_create(
        release=release, outcome=outcome, defaults={"last_at": at}
    )
    FollowerTally.objects.filter(pk=tally.pk).update(number=F("number") + number, last_at=at)


def mail_records(*, most: int = 12) -> list[MailRecord]:
    """The requests to confirm first, then the latest editions that had mails. Four statements."""
    told = FollowerTally.objects.exclude(release=None).values_list("release", flat=True)
    waiting = FollowerMail.objects.exclude(release=None).values_list("release", flat=True)
    releases = (
        Release.objects.filter(Q(pk__in=told) | Q(pk__in=waiting))
        .select_related("document")
        .defer("content", "edits")
        .order_by("-released_at", "-pk")[:most]
    )
    return [record for record in _records([None, *releases]) if record.total]


def mail_record(release: Release) -> MailRecord | None:
    """The mails of one edition in numbers; None while there are none."""
    (record,) = _records([release])
    return record if record.total else None


def _records(releases: Iterable[Release | None]) -> list[MailRecord]:
    found = {release and release.pk: MailRecord(release) for release in releases}
    which = Q(release__in=[pk for pk in found if pk])
    if None in found:
        which |= Q(release=None)
    for tally in FollowerTally.objects.filter(which):
        record = found[tally.release_id]
        setattr(record, tally.outcome, tally.number)
        record.last_at = max(filter(None, (record.last_at, tally.last_at)))
    status = FollowerMail.Status
    rows = FollowerMail.objects.filter(which).exclude(status=status.SENT)
    groups = rows.values("release", "status", "error").annotate(
        number=Count("pk"), again=Count("pk", filter=Q(attempts__gt=0))
    )
    for row in groups.order_by("release", "status", "error"):
        record = found[row["release"]]
        if row["status"] in (status.PENDING, status.SENDING):
            record.waiting += row["number"]
            record.again += row["again"]
        elif row["status"] == status.HELD:
            record.held += row["number"]
        if row["error"] and row["error"] not in record.reasons:
            record.reasons.append(row["error"])
    return list(found.values())
