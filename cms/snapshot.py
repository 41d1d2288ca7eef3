"""What the public may read now, built from released rows only.

Every figure of the public site comes from here. Nothing reads a live item.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.functional import cached_property

from cms.entries import CAUSES, KINDS, STATUSES, Entry, Goal, Snapshot, goal_from
from cms.history import Edition, Fact, Past, read_past
from cms.search import Index
from cms.standby import ask
from supervision.models import PublicItem, Release, public_set_key
from supervision.services.releases import as_if_released, canonical_hash

logger = logging.getLogger(__name__)

__all__ = [
    "CAUSES",
    "KINDS",
    "STATUSES",
    "Edition",
    "Entry",
    "Fact",
    "Goal",
    "PublicSet",
    "Snapshot",
    "after",
    "current",
    "goal_from",
    "read",
    "shown_to",
]


@dataclass
class PublicSet(Snapshot):
    """All that is public now, with the editions before as far as they still may be read."""

    past: Past = field(default_factory=Past)

    @property
    def changes(self) -> list[Fact]:
        """What differs from the edition before; nothing while there is only one."""
        return [fact for fact in self.past.facts if fact.is_change and fact.is_latest]

    @cached_property
    def index(self) -> Index:
        """What the search of the site looks through."""
        return Index.of(self.entries, self.past)

    def __getstate__(self) -> dict:
        """What a file keeps of it: the index is made again."""
        state = super().__getstate__()
        state.pop("index", None)
        return state


_kept: dict[tuple, PublicSet] = {}


def current() -> PublicSet:
    """What a page shows: the public set now."""
    return ask(read, lambda standby: standby.public)


def read() -> PublicSet:
    """The public set as the database has it, for all that writes.

    Two queries tell whether the copy in this process still holds.
    """
    key = public_set_key()
    if key not in _kept:
        built = _build()
        _kept.clear()
        _kept[key] = built
    return _kept[key]


def after(release: Release, *, at: datetime) -> PublicSet:
    """The public set as it will be once `release` is public. For previews; never kept."""
    return _put_together(*as_if_released(release, at=at))


def shown_to(request) -> PublicSet:
    """What this request shows: the public set, or in an editor's preview the coming one."""
    return getattr(request, "public_set", None) or current()


def _is_as_read(release: Release) -> bool:
    """Whether an edition still holds what was reviewed."""
    if canonical_hash(release.content) == release.content_hash:
        return True
    logger.error("Edition %s does not hold what was reviewed: it is not shown", release.pk)
    return False


def _is_public(row: PublicItem, release: Release) -> bool:
    """In a released edition that is younger than the item's last withdrawal."""
    if row.withdrawn_at is not None or release.status != Release.Status.RELEASED:
        return False
    return row.last_withdrawal_at is None or release.released_at > row.last_withdrawal_at


def _build() -> PublicSet:
    editions = Release.objects.exclude(released_at=None).order_by("released_at", "pk")
    rows = PublicItem.objects.with_last_withdrawal().select_related("item").order_by("number")
    return _put_together([release for release in editions if _is_as_read(release)], list(rows))


def _put_together(editions: Sequence[Release], rows: Sequence[PublicItem]) -> PublicSet:
    """`editions` oldest first, `rows` by their public number.

    An item says what its edition says of it, as three people have read it; a row that something
    else has written shows nothing.
    """
    by_pk = {release.pk: release for release in editions}
    reviewed = {
        release.pk: {data["key"]: data for data in release.content["items"]} for release in editions
    }
    releases = sorted(
        (row for row in by_pk.values() if row.status == Release.Status.RELEASED),
        key=lambda release: (release.content["document"]["issued_date"], release.pk),
    )
    rows = [row for row in rows if row.release_id in by_pk]
    entries = [
        Entry(
            number=row.number,
            slug=row.slug,
            key=key,
            data={name: value for name, value in data.items() if name != "key"},
            document=by_pk[row.release_id].content["document"],
            first_released_at=row.first_released_at,
            changed_at=row.changed_at,
        )
        for row in rows
        for key in [str(row.item.uid)]
        for data in [reviewed[row.release_id].get(key)]
        if data is not None and _is_public(row, by_pk[row.release_id])
    ]
    past = read_past(editions, rows, {entry.slug: entry for entry in entries})
    return PublicSet(entries=entries, releases=releases, past=past)
