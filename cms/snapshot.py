"""What the public may read, built from released rows only: counts, groups, changes.

Every figure of the public site comes from here. Nothing reads a live item.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from django.db.models import Count, Max
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from supervision.models import PublicItem, Release

# code: word, light whose shape and colour it borrows
STATUSES = {
    "overdue": (pgettext_lazy("public", "Overdue"), "red"),
    "behind": (pgettext_lazy("public", "Behind"), "yellow"),
    "no_recent_report": (pgettext_lazy("public", "No recent report"), "grey"),
    "on_track": (pgettext_lazy("public", "On track"), "green"),
    "not_started": (pgettext_lazy("public", "Not started"), "grey"),
    "suspended": (pgettext_lazy("public", "Suspended"), "suspended"),
    "done_late": (pgettext_lazy("public", "Done late"), "done_late"),
    "done": (pgettext_lazy("public", "Done"), "done"),
}
KINDS = {
    "task": gettext_lazy("Key tasks"),
    "measure": gettext_lazy("Safeguard measures"),
}
CAUSES = {
    "extension": gettext_lazy("More time was granted on request"),
    "hold": gettext_lazy("The work was suspended for a time"),
    "rework": gettext_lazy("Time to rework"),
    "review": gettext_lazy("A request was answered late; the delay is not charged to the body"),
    "reopen": gettext_lazy("The item was taken up again"),
    "calendar": gettext_lazy("The official holiday calendar changed"),
}
COMPARISONS = {
    "at_least": gettext_lazy("at least {goal}{unit}"),
    "reach": gettext_lazy("{goal}{unit}"),
    "increase_by": gettext_lazy("up by {goal}{unit}"),
    "decrease_by": gettext_lazy("down by {goal}{unit}"),
    "full_coverage": gettext_lazy("full coverage"),
    "at_provincial_average": gettext_lazy("the average of the province"),
}


def normalised(text: str) -> str:
    """Text for searching: full-width digits and letters folded, case ignored."""
    return unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True)
class Goal:
    """A numeric goal with its latest released figure."""

    name: str
    group: str
    goal: str | None
    value: str | None
    unit: str
    comparison: str
    due_date: date | None
    scope: str
    definition: str

    @property
    def goal_text(self) -> str:
        return COMPARISONS[self.comparison].format(goal=self.goal or "", unit=self.unit)


@dataclass(frozen=True)
class Entry:
    """One released item."""

    number: int
    slug: str
    key: str
    data: dict
    document: dict
    first_released_at: datetime
    changed_at: datetime

    def __getattr__(self, name: str):
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def url(self) -> str:
        return reverse("cms:item", args=[self.slug])

    @property
    def status_word(self):
        return STATUSES[self.data["status"]][0]

    @property
    def light(self) -> str:
        return STATUSES[self.data["status"]][1]

    @property
    def kind_word(self):
        return KINDS[self.data["kind"]]

    def day(self, name: str) -> date | None:
        return parse_date(self.data[name]) if self.data.get(name) else None

    @property
    def due(self) -> date | None:
        return self.day("due_date")

    @property
    def original_due(self) -> date | None:
        return self.day("original_due_date")

    @property
    def verified(self) -> date | None:
        return self.day("verified_date")

    @property
    def completed(self) -> date | None:
        return self.day("completed_date")

    @property
    def moved_working_days(self) -> int:
        return sum(change["working_days"] for change in self.data["date_changes"])

    @cached_property
    def goals(self) -> list[Goal]:
        return [goal_from(data) for data in self.data["targets"]]

    @cached_property
    def county_counts(self) -> list[tuple]:
        counts = Counter(county["status"] for county in self.data["counties"])
        return [(STATUSES[code], counts[code]) for code in STATUSES if counts[code]]

    @cached_property
    def haystacks(self) -> tuple[str, str]:
        """Title and all other words, for searching."""
        words = [
            self.data["summary"],
            self.data["progress_text"],
            self.data["theme"],
            self.data["lead"],
            *self.data["supports"],
            *(county["name"] for county in self.data["counties"]),
        ]
        return normalised(self.data["title"]), normalised(" ".join(words))


def goal_from(data: dict) -> Goal:
    return Goal(**data | {"due_date": parse_date(data["due_date"] or "")})


@dataclass(frozen=True)
class Change:
    """One difference between two editions, as the public reads it."""

    entry: Entry
    text: str
    day: date


@dataclass
class Snapshot:
    """All that is public now."""

    entries: list[Entry] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    earlier: dict[int, Release] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.entries

    @property
    def as_of_date(self) -> date | None:
        return max((release.as_of_date for release in self.releases), default=None)

    @property
    def released_at(self) -> datetime | None:
        return max((release.released_at for release in self.releases), default=None)

    @property
    def documents(self) -> list[dict]:
        return [release.content["document"] for release in self.releases]

    @cached_property
    def goals(self) -> list[Goal]:
        return [goal_from(data) for release in self.releases for data in release.content["targets"]]

    def counts(self, entries: Iterable[Entry] | None = None) -> list[dict]:
        """Every status with its word, light and number, worst first."""
        found = Counter(entry.status for entry in (self.entries if entries is None else entries))
        return [
            {"code": code, "word": word, "light": light, "count": found.get(code, 0)}
            for code, (word, light) in STATUSES.items()
        ]

    @cached_property
    def counties(self) -> list[dict]:
        """Shares per county with denominators, in the official order: no ranking."""
        rows: dict[str, Counter] = {}
        for entry in self.entries:
            for county in entry.counties:
                rows.setdefault(county["name"], Counter())[county["status"]] += 1
        return [
            {
                "name": name,
                "total": sum(counts.values()),
                "counts": [counts.get(code, 0) for code in STATUSES],
                "done": counts["done"] + counts["done_late"],
            }
            for name, counts in rows.items()
        ]

    @cached_property
    def changes(self) -> list[Change]:
        """What differs from the edition before, most telling first."""
        found: list[Change] = []
        for release in self.releases:
            before = self.earlier.get(release.document_id)
            if before is None:
                continue
            old = {data["key"]: data for data in before.content["items"]}
            for entry in self.entries:
                was = old.get(entry.key)
                if was is not None:
                    found += _differences(entry, was, release.as_of_date)
        return found

    def closed_since_last(self) -> int:
        return sum(change.entry.status in ("done", "done_late") for change in self.changes)

    def find(self, slug: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.slug == slug), None)


def _differences(entry: Entry, was: dict, day: date) -> list[Change]:
    texts = []
    if entry.status != was["status"]:
        texts.append(
            gettext("{old} → {new}").format(old=STATUSES[was["status"]][0], new=entry.status_word)
        )
    for move in entry.date_changes[len(was["date_changes"]) :]:
        texts.append(
            gettext("The due date moved from {old} to {new}: {reason}").format(
                old=move["old_date"], new=move["new_date"], reason=CAUSES[move["cause"]]
            )
        )
    done_before = sum(1 for step in was["milestones"] if step["actual_date"])
    done_now = [step["title"] for step in entry.milestones if step["actual_date"]]
    texts += [
        gettext("Milestone reached: {title}").format(title=title)
        for title in done_now[done_before:]
    ]
    return [Change(entry, text, day) for text in texts]


_kept: dict[tuple, Snapshot] = {}


def current() -> Snapshot:
    """The public set now. One query tells whether the copy in this process still holds."""
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


def _build() -> Snapshot:
    releases = list(Release.objects.current().order_by("document__issued_date", "pk"))
    earlier = {}
    for release in releases:
        before = (
            Release.objects.filter(
                document_id=release.document_id, status=Release.Status.SUPERSEDED
            )
            .order_by("-released_at")
            .first()
        )
        if before is not None:
            earlier[release.document_id] = before
    public = (
        PublicItem.objects.public().filter(release__in=releases).select_related("release", "item")
    )
    entries = [
        Entry(
            number=row.number,
            slug=row.slug,
            key=str(row.item.uid),
            data=row.data,
            document=row.release.content["document"],
            first_released_at=row.first_released_at,
            changed_at=row.changed_at,
        )
        for row in public.order_by("number")
    ]
    return Snapshot(entries=entries, releases=releases, earlier=earlier)


def search(entries: Sequence[Entry], query: str) -> list[Entry]:
    """Entries that hold every word of the query; hits in the title first."""
    words = normalised(query).split()
    if not words:
        return list(entries)
    in_title, elsewhere = [], []
    for entry in entries:
        title, rest = entry.haystacks
        if all(word in title for word in words):
            in_title.append(entry)
        elif all(word in title or word in rest for word in words):
            elsewhere.append(entry)
    return in_title + elsewhere
