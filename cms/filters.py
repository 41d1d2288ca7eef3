"""Filters of the public list: in the address, shareable, removable; unknown ones are refused."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from cms.entries import KINDS, STATUSES, Entry
from cms.search import LONGEST_QUERY, words_of
from supervision.rules.search import fold

CHOICES = ("kind", "status", "theme", "lead", "county", "month")
NAMES = (*CHOICES, "q", "by", "sort")
ONGOING = "ongoing"
LEGENDS = {
    "kind": _("Part of the document"),
    "status": _("Status"),
    "theme": _("Theme"),
    "lead": _("Lead"),
    "county": _("County"),
    "month": _("Due in"),
}


@dataclass(frozen=True)
class Chip:
    label: str
    url: str
    is_active: bool
    count: int | None = None


@dataclass(frozen=True)
class Group:
    legend: str
    chips: list[Chip]


@dataclass(frozen=True)
class Section:
    """A part of the list under its own heading."""

    value: str
    word: str
    entries: list[Entry]


def values_of(entry: Entry, name: str) -> list[str]:
    """What an item counts under in one kind of group."""
    if name == "county":
        return [county["name"] for county in entry.counties]
    if name == "month":
        return [entry.month]
    return [entry.data[name]] if entry.data[name] else []


def label_of(name: str, value: str):
    """A group's name as the public reads it."""
    if name == "kind":
        return KINDS.get(value, value)
    if name == "status":
        return STATUSES[value][0] if value in STATUSES else value
    if name == "month" and value == ONGOING:
        return _("ongoing")
    return value


def sections_of(entries: Sequence[Entry], name: str) -> list[Section]:
    """The items in groups, in the order of the document; an empty group is not there.

    What belongs to none of the groups comes last: no item is lost by grouping.
    """
    found: dict[str, list[Entry]] = {}
    rest = []
    for entry in entries:
        values = values_of(entry, name)
        for value in values:
            found.setdefault(value, []).append(entry)
        if not values:
            rest.append(entry)
    sections = [
        Section(value, str(label_of(name, value)), found[value])
        for value in _in_order(name, list(found))
    ]
    return [*sections, Section("", str(_("Other items")), rest)] if rest else sections


def _in_order(name: str, values: list[str]) -> list[str]:
    fixed = {"kind": list(KINDS), "status": list(STATUSES)}.get(name)
    if fixed is not None:
        return sorted(values, key=lambda value: fixed.index(value) if value in fixed else 99)
    return sorted(values) if name == "month" else values


def refuse_parameters(request: HttpRequest, allowed: Sequence[str] = ()) -> None:
    """Raises Http404 for a parameter the address does not know, or one given twice."""
    if set(request.GET) - set(allowed) or any(len(v) > 1 for _k, v in request.GET.lists()):
        raise Http404


def search_entries(entries: Sequence[Entry], query: str) -> list[Entry]:
    """Entries that hold every word of the query: the exact title, then the title, then the rest."""
    words, whole = words_of(query), fold(query)
    if not words:
        return list(entries)
    ranked = []
    for entry in entries:
        title, rest = entry.haystacks
        if all(word in title or word in rest for word in words):
            in_title = all(word in title for word in words)
            ranked.append((0 if title == whole else 1 if in_title else 2, entry))
    return [entry for _rank, entry in sorted(ranked, key=lambda pair: pair[0])]


class Filters:
    """The chosen filters of one request.

    Raises Http404 for an unknown parameter, one given twice, or a value that is too long.
    """

    def __init__(self, query: QueryDict) -> None:
        if set(query) - set(NAMES) or any(len(values) > 1 for _k, values in query.lists()):
            raise Http404
        if any(len(value) > LONGEST_QUERY for value in query.values()):
            raise Http404
        self.chosen = {name: query[name] for name in CHOICES if query.get(name)}
        self.words = query.get("q", "").strip()
        self.by, self.sort = query.get("by", ""), query.get("sort", "")
        if self.by not in ("", *CHOICES) or self.sort not in ("", "time"):
            raise Http404

    def __bool__(self) -> bool:
        return bool(self.chosen or self.words)

    @property
    def query(self) -> str:
        return urlencode(sorted(self._all().items()))

    def _all(self) -> dict[str, str]:
        more = {"q": self.words, "by": self.by, "sort": self.sort}
        return self.chosen | {name: value for name, value in more.items() if value}

    def apply(self, entries: Sequence[Entry]) -> list[Entry]:
        """The items of the list, each once, in the order of the page."""
        found = (entry for section in self.sections(entries) for entry in section.entries)
        return list({entry.slug: entry for entry in found}.values())

    def sections(self, entries: Sequence[Entry]) -> list[Section]:
        """The list as the page shows it: by the chosen group, a search in one piece."""
        found = [entry for entry in entries if self._matches(entry)]
        if self.words:
            found = search_entries(found, self.words)
        if self.sort == "time":
            found.sort(key=lambda entry: entry.data["verified_date"] or "", reverse=True)
        if (self.words or self.sort) and not self.by:
            return [Section("", str(_("Found")), found)] if found else []
        return sections_of(found, self.by or "kind")

    def _matches(self, entry: Entry, without: str = "") -> bool:
        return all(
            value in values_of(entry, name)
            for name, value in self.chosen.items()
            if name != without
        )

    def url(self, name: str, value: str | None) -> str:
        """The address with one parameter set otherwise, or without it."""
        chosen = {key: val for key, val in self._all().items() if key != name}
        if value:
            chosen[name] = value
        return "?" + urlencode(sorted(chosen.items())) if chosen else "."

    def removable(self) -> list[Chip]:
        """What is chosen now, each with the address without it."""
        chips = [
            Chip(
                str(_("{name}: {value}")).format(name=LEGENDS[name], value=label_of(name, value)),
                self.url(name, None),
                is_active=True,
            )
            for name, value in self.chosen.items()
        ]
        if self.words:
            chips.append(Chip(f"“{self.words}”", self.url("q", None), is_active=True))
        return chips

    def switches(self) -> list[Chip]:
        """The ways to group the list."""
        now = self.by or "kind"
        return [
            Chip(str(LEGENDS[name]), self.url("by", name if name != "kind" else None), now == name)
            for name in CHOICES
        ]

    def orders(self) -> list[Chip]:
        first = _("By relevance") if self.words else _("As in the document")
        return [
            Chip(str(first), self.url("sort", None), not self.sort),
            Chip(str(_("Latest verified first")), self.url("sort", "time"), self.sort == "time"),
        ]

    def groups(self, entries: Sequence[Entry], names: Sequence[str]) -> list[Group]:
        """Chips with the count each would show; an empty one is not offered."""
        if self.words:
            entries = search_entries(entries, self.words)
        result = []
        for name in names:
            counts: Counter = Counter()
            for entry in entries:
                if self._matches(entry, without=name):
                    counts.update(values_of(entry, name))
            chosen = self.chosen.get(name)
            values = [value for value in _in_order(name, list(counts)) if counts[value]]
            if chosen and chosen not in values:
                values.append(chosen)
            chips = [
                Chip(
                    label=str(label_of(name, value)),
                    url=self.url(name, None if value == chosen else value),
                    is_active=value == chosen,
                    count=counts[value],
                )
                for value in values
            ]
            if chips:
                result.append(Group(str(LEGENDS[name]), chips))
        return result
