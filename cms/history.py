"""What earlier editions said, as far as it may still be read: editions, facts, texts, corrections.

An earlier edition shows an item only while the item is public now, without a gap since, and only
if the edition is younger than the item's last withdrawal. A text that a later edition hides is
hidden in every edition that had it. Nothing else of an edition ever changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, gettext_lazy

from cms.entries import CAUSES, STATUSES, Entry, Snapshot
from supervision.models import PublicItem, Release

FACTS = {
    "published": gettext_lazy("Made public"),
    "status": gettext_lazy("State changed"),
    "date_moved": gettext_lazy("Date moved"),
    "milestone": gettext_lazy("Milestone reached"),
    "progress": gettext_lazy("Progress verified"),
    "corrected": gettext_lazy("Corrected"),
}


@dataclass(frozen=True)
class Fact:
    """One verified event of an item, typed, as an edition told it first.

    `day` is when it happened, `released_at` when the public could first read it.
    """

    uid: UUID
    entry: Entry
    kind: str
    text: str
    day: date
    edition: str
    released_at: datetime
    is_latest: bool
    is_change: bool
    data: Mapping[str, object] = field(default_factory=dict)

    @property
    def word(self):
        return FACTS[self.kind]

    @property
    def urn(self) -> str:
        return self.uid.urn


@dataclass(frozen=True)
class Text:
    """The progress text of one period as one edition published it, or why it is hidden."""

    period: str
    verified: date | None
    text: str
    hidden_reason: str
    edition: str
    released_at: datetime


@dataclass(frozen=True)
class Correction:
    """What an earlier edition had wrong, with the moment of the edition that says so."""

    entry: Entry
    text: str
    edition: str
    released_at: datetime


@dataclass(frozen=True)
class Tombstone:
    """A fact the public could read once and no longer can: its name and its groups, no word."""

    urn: str
    slug: str
    withdrawn_at: datetime
    groups: frozenset[tuple[str, str]]


@dataclass
class Edition(Snapshot):
    """What was public with the editions of one month, less what was withdrawn since."""

    key: str = ""
    is_latest: bool = False
    facts: list[Fact] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)

    @property
    def url(self) -> str:
        return reverse("cms:edition", args=[self.key])

    @property
    def changes(self) -> list[Fact]:
        return [fact for fact in self.facts if fact.is_change]


@dataclass
class Past:
    """Everything that was told, newest first."""

    editions: list[Edition] = field(default_factory=list)
    gone: frozenset[str] = frozenset()
    facts: list[Fact] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    texts: dict[str, list[Text]] = field(default_factory=dict)
    tombstones: list[Tombstone] = field(default_factory=list)

    def edition(self, key: str) -> Edition | None:
        return next((edition for edition in self.editions if edition.key == key), None)

    def facts_of(self, slug: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.entry.slug == slug]


def groups_of(data: Mapping) -> frozenset[tuple[str, str]]:
    """The groups an item belongs to: its theme, its units, its counties."""
    return frozenset(
        (kind, name)
        for kind, name in (
            ("theme", data["theme"]),
            ("lead", data["lead"]),
            *(("county", county["name"]) for county in data["counties"]),
        )
        if name
    )


def edition_keys(releases: Sequence[Release]) -> dict[int, str]:
    """`2026-05` for the first edition of a document in a month, `2026-05-2` for the next.

    Withdrawn ones are counted too: an address is never given to another edition.
    """
    seen: dict[tuple[int, str], int] = {}
    keys = {}
    for release in releases:
        place = (release.document_id, release.label)
        seen[place] = seen.get(place, 0) + 1
        keys[release.pk] = release.label if seen[place] == 1 else f"{release.label}-{seen[place]}"
    return keys


def read_past(
    releases: Sequence[Release], rows: Sequence[PublicItem], public: Mapping[str, Entry]
) -> Past:
    """Build the past from every edition ever released, oldest first, and all public identities."""
    keys = edition_keys(releases)
    contents = {
        release.pk: {data["key"]: data for data in release.content["items"]} for release in releases
    }
    shown: dict[int, list[Entry]] = {release.pk: [] for release in releases}
    past = Past(gone=frozenset(keys.values()))
    for row in rows:
        told = [release for release in releases if str(row.item.uid) in contents[release.pk]]
        entry = public.get(row.slug)
        kept = _run(row, releases, contents) if entry else []
        versions = _masked([contents[release.pk][str(row.item.uid)] for release in kept])
        _bury(past, row, [release for release in told if release not in kept], contents, keys)
        if entry is None:
            continue
        was, changed_at = None, row.first_released_at
        for release, data in zip(kept, versions, strict=True):
            if was is None or data != was:
                changed_at = release.released_at
            shown[release.pk].append(_entry(row, release, data, changed_at))
            past.facts += [
                Fact(
                    uid=_uid(row.slug, keys[release.pk], kind, number),
                    entry=entry,
                    kind=kind,
                    text=text,
                    day=day,
                    edition=keys[release.pk],
                    released_at=release.released_at,
                    is_latest=release.status == Release.Status.RELEASED,
                    is_change=_is_change(kind, was, release, releases),
                    data=more,
                )
                for number, (kind, text, day, more) in enumerate(_facts(row, release, data, was))
            ]
            was = data
        past.texts[row.slug] = _texts(kept, versions, keys)
        past.corrections += _corrections(entry, kept, keys)
    past.facts.sort(key=lambda fact: (fact.released_at, fact.day), reverse=True)
    past.corrections.sort(key=lambda correction: correction.released_at, reverse=True)
    past.editions = _editions(past, releases, keys, shown)
    return past


def _run(row: PublicItem, releases: Sequence[Release], contents) -> list[Release]:
    """The editions that may still show an item: from the current one back, without a gap."""
    kept: list[Release] = []
    current = next(release for release in releases if release.pk == row.release_id)
    for release in reversed(releases):
        if release.document_id != current.document_id:
            continue
        if release.status == Release.Status.WITHDRAWN:
            continue
        if str(row.item.uid) not in contents[release.pk]:
            break
        if row.last_withdrawal_at and release.released_at <= row.last_withdrawal_at:
            break
        kept.append(release)
    return kept[::-1]


def _masked(versions: Sequence[dict]) -> list[dict]:
    """The versions of an item, oldest first, without texts that a later one hides."""
    hidden: dict[str, list[dict]] = {}
    found = []
    for data in reversed(versions):
        if any(part["field"] == "progress_text" for part in data.get("hidden", ())):
            hidden[data["period"]] = data["hidden"]
        elif data["period"] in hidden and data["progress_text"]:
            data = data | {"progress_text": "", "hidden": hidden[data["period"]]}
        found.append(data)
    return found[::-1]


def _entry(row: PublicItem, release: Release, data: dict, changed_at: datetime) -> Entry:
    return Entry(
        number=row.number,
        slug=row.slug,
        key=data["key"],
        data={name: value for name, value in data.items() if name != "key"},
        document=release.content["document"],
        first_released_at=row.first_released_at,
        changed_at=changed_at,
    )


def _uid(slug: str, edition: str, kind: str, number: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"{slug}/{edition}/{kind}/{number}")


def _is_change(kind: str, was, release: Release, releases: Sequence[Release]) -> bool:
    """Whether a fact tells what is new: not the texts, and not the very first edition."""
    if kind == "published":
        return any(
            other.document_id == release.document_id and other.released_at < release.released_at
            for other in releases
        )
    return kind != "progress" and was is not None


def _facts(
    row: PublicItem, release: Release, data: dict, was: dict | None
) -> Iterator[tuple[str, str, date, dict]]:
    """Kind, sentence, day and figures of what an edition tells of an item beyond the one before."""
    day = release.as_of_date
    if was is None:
        yield (
            "published",
            gettext("Made public: {status}").format(status=STATUSES[data["status"]][0]),
            timezone.localdate(release.released_at),
            {"status": data["status"]},
        )
    elif data["status"] != was["status"]:
        ended = data["status"] in ("done", "done_late") and parse_date(data["completed_date"] or "")
        yield (
            "status",
            gettext("{old} → {new}").format(
                old=STATUSES[was["status"]][0], new=STATUSES[data["status"]][0]
            ),
            ended or day,
            {"old_status": was["status"], "status": data["status"]},
        )
    for move in data["date_changes"][len(was["date_changes"]) if was else 0 :]:
        yield (
            "date_moved",
            gettext("The due date moved from {old} to {new}: {reason}").format(
                old=move["old_date"], new=move["new_date"], reason=CAUSES[move["cause"]]
            ),
            parse_date(move["changed_date"]),
            dict(move),
        )
    before = {step["title"] for step in was["milestones"] if step["actual_date"]} if was else set()
    for step in data["milestones"]:
        if step["actual_date"] and step["title"] not in before:
            yield (
                "milestone",
                gettext("Milestone reached: {title}").format(title=step["title"]),
                parse_date(step["actual_date"]),
                {"planned_date": step["planned_date"], "actual_date": step["actual_date"]},
            )
    if data["period"] and (was is None or data["period"] != was["period"]):
        yield (
            "progress",
            gettext("The progress of {period} was verified").format(period=data["period"]),
            parse_date(data["verified_date"] or "") or day,
            {"period": data["period"]},
        )
    for correction in release.content.get("corrections", ()):
        if correction["key"] == data["key"]:
            yield (
                "corrected",
                gettext("Corrected: {text}").format(text=correction["text"]),
                timezone.localdate(release.released_at),
                {},
            )


def _texts(kept: Sequence[Release], versions: Sequence[dict], keys) -> list[Text]:
    """Each text once, under the edition that had it first; newest first."""
    found: list[Text] = []
    for release, data in zip(kept, versions, strict=True):
        reasons = [p["reason"] for p in data.get("hidden", ()) if p["field"] == "progress_text"]
        if not data["progress_text"] and not reasons:
            continue
        text = Text(
            period=data["period"],
            verified=parse_date(data["verified_date"] or ""),
            text=data["progress_text"],
            hidden_reason=reasons[0] if reasons else "",
            edition=keys[release.pk],
            released_at=release.released_at,
        )
        last = found[-1] if found else None
        if last is None or (last.period, last.text, last.hidden_reason) != (
            text.period,
            text.text,
            text.hidden_reason,
        ):
            found.append(text)
    return found[::-1]


def _corrections(entry: Entry, kept: Sequence[Release], keys) -> list[Correction]:
    return [
        Correction(entry, correction["text"], keys[release.pk], release.released_at)
        for release in kept
        for correction in release.content.get("corrections", ())
        if correction["key"] == entry.key
    ]


def _bury(past: Past, row: PublicItem, gone: Sequence[Release], contents, keys) -> None:
    """Leave a tombstone for every fact of the editions that may no longer show the item."""
    was = None
    for release in gone:
        data = contents[release.pk][str(row.item.uid)]
        moments = (row.withdrawn_at, row.last_withdrawal_at, release.withdrawn_at)
        at = max((moment for moment in moments if moment), default=release.released_at)
        for number, (kind, *_rest) in enumerate(_facts(row, release, data, was)):
            urn = _uid(row.slug, keys[release.pk], kind, number).urn
            past.tombstones.append(Tombstone(urn, row.slug, at, groups_of(data)))
        was = data


def _editions(past: Past, releases: Sequence[Release], keys, shown) -> list[Edition]:
    found: dict[str, Edition] = {}
    for release in releases:
        if not shown[release.pk]:
            continue
        edition = found.setdefault(keys[release.pk], Edition(key=keys[release.pk]))
        edition.releases.append(release)
        edition.entries = sorted(
            [*edition.entries, *shown[release.pk]], key=lambda entry: entry.number
        )
    for edition in found.values():
        edition.facts = [fact for fact in past.facts if fact.edition == edition.key]
        edition.corrections = [c for c in past.corrections if c.edition == edition.key]
    newest = sorted(found.values(), key=lambda edition: edition.released_at, reverse=True)
    if newest:
        newest[0].is_latest = True
    return newest
