"""Search of the public site: an index of two-character grams over released words only.

No database segments Chinese, so every text is folded (NFKC, full width to half, lower case) and
kept with its pairs of characters; a query is folded the same way. Nothing typed is kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext_lazy, pgettext_lazy

from cms.entries import Entry
from cms.history import Past
from supervision.rules.search import Part, excerpt, fold, mark

CLASSES = {
    "item": gettext_lazy("Item"),
    "change": pgettext_lazy("public", "Change"),
    "correction": gettext_lazy("Correction"),
}
LONGEST_QUERY = 200
MOST_WORDS = 8
SHOWN = 100


@dataclass(frozen=True)
class Document:
    """One thing that can be found."""

    kind: str
    entry: Entry
    title: str
    text: str
    day: date
    keys: tuple[str, str]


@dataclass(frozen=True)
class Hit:
    """A found thing, with the words marked. `rank` 0 is the exact title of an item, 3
    words in its text, more than 3 what was told about one."""

    document: Document
    rank: int
    title: list[Part]
    excerpt: list[Part]

    @property
    def word(self):
        return CLASSES[self.document.kind]


def grams(text: str) -> set[str]:
    """The pairs of neighbouring characters of a folded text, and its single characters."""
    return {text[place : place + 2] for place in range(len(text) - 1)} | set(text)


def words_of(query: str) -> list[str]:
    """The folded words of a query, each once; all must be found."""
    found = [fold(word) for word in query[:LONGEST_QUERY].split()]
    return list(dict.fromkeys(word for word in found if word))[:MOST_WORDS]


@dataclass
class Index:
    """Documents and, for each gram, where it stands."""

    documents: list[Document] = field(default_factory=list)
    postings: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry], past: Past) -> "Index":
        index = cls()
        for document in _documents(entries, past):
            for gram in grams("\n".join(document.keys)):
                index.postings.setdefault(gram, set()).add(len(index.documents))
            index.documents.append(document)
        return index

    def find(self, query: str, *, by_time: bool = False) -> list[Hit]:
        """Everything that holds all words of the query: the exact title first, title over text.

        By time, the latest first.
        """
        words = words_of(query)
        if not words:
            return []
        whole = fold(query)
        found = [
            (rank, document)
            for document in self._candidates(words)
            if (rank := _rank(document, words, whole)) is not None
        ]
        found.sort(key=lambda pair: pair[1].entry.number)
        found.sort(key=lambda pair: pair[1].day, reverse=True)
        if not by_time:
            found.sort(key=lambda pair: pair[0])
        return [
            Hit(document, rank, mark(document.title, words), excerpt(document.text, words))
            for rank, document in found
        ]

    def _candidates(self, words: Sequence[str]) -> list[Document]:
        wanted = set().union(*(grams(word) for word in words))
        sets = sorted((self.postings.get(gram, set()) for gram in wanted), key=len)
        places = set.intersection(*sets)
        return [self.documents[place] for place in sorted(places)]


def _rank(document: Document, words: Sequence[str], whole: str) -> int | None:
    title, text = document.keys
    if not all(word in title or word in text for word in words):
        return None
    if document.kind != "item":
        return 4 if all(word in text for word in words) else 5
    if title == whole:
        return 0
    if whole in title:
        return 1
    return 2 if all(word in title for word in words) else 3


def _documents(entries: Iterable[Entry], past: Past) -> Iterator[Document]:
    for entry in entries:
        words = [entry.summary, entry.quoted_text, entry.progress_text, entry.theme, entry.lead]
        words += [*entry.supports, *(county["name"] for county in entry.counties)]
        words += [step["title"] for step in entry.milestones]
        words += [goal.name for goal in entry.goals]
        text = "\n".join(word for word in words if word)
        day = entry.verified or entry.changed_at.date()
        yield Document("item", entry, entry.title, text, day, (fold(entry.title), fold(text)))
    for fact in past.facts:
        if fact.kind in ("status", "date_moved", "milestone") and fact.is_change:
            yield _told("change", fact.entry, fact.text, fact.day)
    for correction in past.corrections:
        day = correction.released_at.date()
        yield _told("correction", correction.entry, correction.text, day)


def _told(kind: str, entry: Entry, text: str, day: date) -> Document:
    return Document(kind, entry, entry.title, text, day, (fold(entry.title), fold(text)))
