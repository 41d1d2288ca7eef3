"""Atom feeds of verified events: all, a theme, a unit, a county, an item.

An entry's name never changes. What may no longer be read leaves a tombstone (RFC 6721) that names
it and says nothing.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from django.utils.translation import gettext as _

from cms.filters import values_of
from cms.history import Fact, Tombstone
from cms.snapshot import PublicSet

KINDS = ("theme", "lead", "county", "item")
GROUPS = KINDS[:3]
MOST = 200


@dataclass
class Feed:
    """One feed: what it is about, and what it tells."""

    kind: str
    key: str
    title: str
    facts: list[Fact] = field(default_factory=list)
    tombstones: list[Tombstone] = field(default_factory=list)

    @property
    def urn(self) -> str:
        return uuid5(NAMESPACE_URL, f"feed/{self.kind}/{self.key}").urn

    @property
    def updated(self) -> datetime | None:
        moments = [fact.released_at for fact in self.facts]
        return max([*moments, *(stone.withdrawn_at for stone in self.tombstones)], default=None)

    @property
    def shown(self) -> list[Fact]:
        return self.facts[:MOST]


def group_key(name: str) -> str:
    """A group's part of a feed's address: the same for the same name, plain ASCII."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def feed_of(public: PublicSet, kind: str, key: str) -> Feed | None:
    """The feed of a group or an item; None when nothing was ever public under it."""
    if kind == "all":
        return Feed("all", "", _("All verified changes"), public.past.facts, public.past.tombstones)
    if kind == "item":
        entry = public.find(key)
        if entry is None:
            return None
        stones = [stone for stone in public.past.tombstones if stone.slug == key]
        return Feed("item", key, entry.title, public.past.facts_of(key), stones)
    feed = Feed(kind, key, _("Withdrawn"))
    for fact in public.past.facts:
        for name in values_of(fact.entry, kind):
            if group_key(name) == key:
                feed.title = name
                feed.facts.append(fact)
    feed.tombstones = [
        stone
        for stone in public.past.tombstones
        if any(found == kind and group_key(name) == key for found, name in stone.groups)
    ]
    return feed if feed.facts or feed.tombstones else None


def groups_with_feeds(public: PublicSet) -> Iterator[tuple[str, str, str]]:
    """Kind, key and name of every group that has a released item, in the order of the document."""
    for kind in GROUPS:
        seen: dict[str, str] = {}
        for entry in public.entries:
            for name in values_of(entry, kind):
                seen.setdefault(name, group_key(name))
        yield from ((kind, key, name) for name, key in seen.items())
