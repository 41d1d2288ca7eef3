"""Following the public site by mail: asked for, confirmed by the address's owner, left at once.

Source: public-site.md, section 5 (off by default; purged when not confirmed within a week).
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import Q

from supervision.models import FollowedTopic, Follower, FollowerMail, PublicItem, Release

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
