"""What the public may read now, built from released rows only.

Every figure of the public site comes from here. Nothing reads a live item.
"""

from dataclasses import dataclass, field

from django.utils.functional import cached_property

from cms.entries import CAUSES, KINDS, STATUSES, Entry, Goal, Snapshot, goal_from
from cms.history import Edition, Fact, Past, read_past
from cms.search import Index
from cms.standby import ask
from supervision.models import PublicItem, Release, public_set_key

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
    "current",
    "goal_from",
    "read",
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
    """What a page shows: the public set now, from the standby while the database is away."""
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


def _build() -> PublicSet:
    editions = Release.objects.exclude(released_at=None).order_by("released_at", "pk")
    by_pk = {release.pk: release for release in editions}
    rows = list(PublicItem.objects.with_last_withdrawal().select_related("item").order_by("number"))
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
    past = read_past(list(by_pk.values()), rows, {entry.slug: entry for entry in entries})
    return PublicSet(entries=entries, releases=releases, past=past)
