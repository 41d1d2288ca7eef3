"""Filters of the public list: in the address, shareable, removable; unknown ones are refused."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, QueryDict
from django.utils.translation import gettext_lazy as _

from cms.snapshot import KINDS, STATUSES, Entry, search

NAMES = ("kind", "status", "lead", "county", "theme", "q")


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


def _values(entry: Entry, name: str) -> list[str]:
    if name == "county":
        return [county["name"] for county in entry.counties]
    return [entry.data[name]]


LEGENDS = {
    "kind": _("Part of the document"),
    "status": _("Status"),
    "theme": _("Theme"),
    "lead": _("Lead"),
    "county": _("County"),
}


class Filters:
    """The chosen filters of one request.

    Raises Http404 for an unknown parameter or an overlong value.
    """

    def __init__(self, query: QueryDict) -> None:
        if set(query) - set(NAMES) or any(len(value) > 100 for value in query.values()):
            raise Http404
        self.chosen = {name: query[name] for name in NAMES if query.get(name)}

    def __bool__(self) -> bool:
        return bool(self.chosen)

    @property
    def query(self) -> str:
        return urlencode(sorted(self.chosen.items()))

    def apply(self, entries: Sequence[Entry]) -> list[Entry]:
        found = [entry for entry in entries if self._matches(entry)]
        return search(found, self.chosen["q"]) if "q" in self.chosen else found

    def _matches(self, entry: Entry, without: str = "") -> bool:
        return all(
            value in _values(entry, name)
            for name, value in self.chosen.items()
            if name not in ("q", without)
        )

    def _url(self, name: str, value: str | None) -> str:
        chosen = {key: val for key, val in self.chosen.items() if key != name}
        if value is not None:
            chosen[name] = value
        return "?" + urlencode(sorted(chosen.items())) if chosen else "."

    def groups(self, entries: Sequence[Entry], names: Sequence[str]) -> list[Group]:
        """Chips with the count each would show; an empty one is not offered."""
        result = []
        for name in names:
            counts: Counter = Counter()
            for entry in entries:
                if self._matches(entry, without=name):
                    counts.update(_values(entry, name))
            chosen = self.chosen.get(name)
            values = [value for value in self._order(name, counts) if counts[value]]
            if chosen and chosen not in values:
                values.append(chosen)
            chips = [
                Chip(
                    label=str(self._label(name, value)),
                    url=self._url(name, None if value == chosen else value),
                    is_active=value == chosen,
                    count=counts[value],
                )
                for value in values
            ]
            result.append(Group(str(LEGENDS[name]), chips))
        return result

    def _order(self, name: str, counts: Counter) -> list[str]:
        fixed = {"kind": list(KINDS), "status": list(STATUSES)}
        return fixed.get(name, list(counts))

    def _label(self, name: str, value: str):
        if name == "kind":
            return KINDS.get(value, value)
        if name == "status":
            return STATUSES[value][0] if value in STATUSES else value
        return value
