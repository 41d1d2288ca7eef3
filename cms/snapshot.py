"""What the public may read now, built from released rows only.

Every figure of the public site comes from here. Nothing reads a live item.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max
from django.utils.functional import cached_property

from cms.entries import CAUSES, KINDS, STATUSES, Entry, Goal, Snapshot, goal_from
from cms.history import Edition, Fact, Past, read_past
from cms.search import Index
from supervision.models import PublicItem, Release
from supervision.services.releases import as_if_released

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


_kept: dict[tuple, PublicSet] = {}


def current() -> PublicSet:
    """The public set now. Two queries tell whether the copy in this process still holds."""
    stamp = Release.objects.aggregate(
        last=Max("released_at"), withdrawn=Max("withdrawn_at"), count=Count("pk")
    )
    items = PublicItem.objects.aggregate(withdrawn=Max("withdrawn_at"), changed=Max("changed_at"))
    key = (*stamp.values(), *items.values())
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


def _build() -> PublicSet:
    editions = Release.objects.exclude(released_at=None).order_by("released_at", "pk")
    rows = PublicItem.objects.with_last_withdrawal().select_related("item").order_by("number")
    return _put_together(list(editions), list(rows))


def _put_together(editions: Sequence[Release], rows: Sequence[PublicItem]) -> PublicSet:
    """`editions` oldest first, `rows` by their public number."""
    by_pk = {release.pk: release for release in editions}
    releases = sorted(
        (row for row in by_pk.values() if row.status == Release.Status.RELEASED),
        key=lambda release: (release.content["document"]["issued_date"], release.pk),
    )
    entries = [
        Entry(
            number=row.number,
            slug=row.slug,
            key=str(row.item.uid),
            data=row.data,
            document=by_pk[row.release_id].content["document"],
            first_released_at=row.first_released_at,
            changed_at=row.changed_at,
        )
        for row in rows
        if row.withdrawn_at is None and by_pk[row.release_id] in releases
    ]
    past = read_past(editions, rows, {entry.slug: entry for entry in entries})
    return PublicSet(entries=entries, releases=releases, past=past)
