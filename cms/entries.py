"""One released item and a set of them, in the words of the public."""

from collections import Counter
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy, pgettext_lazy

from supervision.models import Release
from supervision.rules.search import fold

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
        # While it is read back from a file it has no data yet.
        if name == "data":
            raise AttributeError(name)
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

    @property
    def month(self) -> str:
        """The month it is due in, `2026-12`; `ongoing` for what has no end."""
        return (self.data["due_date"] or "")[:7] or "ongoing"

    @property
    def hidden_reasons(self) -> dict[str, str]:
        """What is not shown in public, and why."""
        return {part["field"]: part["reason"] for part in self.data.get("hidden", ())}

    @cached_property
    def haystacks(self) -> tuple[str, str]:
        """Title and all other words, folded for searching."""
        words = [
            self.data["summary"],
            self.data["quoted_text"],
            self.data["progress_text"],
            self.data["theme"],
            self.data["lead"],
            *self.data["supports"],
            *(county["name"] for county in self.data["counties"]),
            *(step["title"] for step in self.data["milestones"]),
            *(goal["name"] for goal in self.data["targets"]),
        ]
        return fold(self.data["title"]), fold("\n".join(words))


def goal_from(data: dict) -> Goal:
    return Goal(**data | {"due_date": parse_date(data["due_date"] or "")})


def _bare(release: Release) -> Release:
    """A copy without the items: an edition still holds what was withdrawn or hidden since."""
    bare = copy(release)
    bare.content = {name: release.content[name] for name in ("document", "targets")}
    bare.edits = {}
    return bare


@dataclass
class Snapshot:
    """A set of released items: all that is public now, or what an edition showed."""

    entries: list[Entry] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)

    def __getstate__(self) -> dict:
        """What a file keeps of it: of the editions no more than their document and goals."""
        return self.__dict__ | {"releases": [_bare(release) for release in self.releases]}

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

    def find(self, slug: str) -> Entry | None:
        return self._by_slug.get(slug)

    @cached_property
    def _by_slug(self) -> dict[str, Entry]:
        return {entry.slug: entry for entry in self.entries}
