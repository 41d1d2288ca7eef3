"""How a text is folded so that it can be found, and how a hit is shown in its sentence.

Chinese has no spaces between words, so a term is looked for anywhere in the folded text: a word of
two characters is found like any other. Source: domain.md, section 9 (search across the desk).
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

LONGEST_QUERY = 60
MOST_TERMS = 6
# Between two fields of one row: a term is never found across it.
FIELD_BREAK = "\u2029"
_KEY_BREAK = "\n"
SENTENCE_ENDS = frozenset("。！？；!?;\n" + FIELD_BREAK)
ELLIPSIS = "…"


@dataclass(frozen=True)
class Part:
    """A stretch of text, and whether it is what was looked for."""

    text: str
    is_hit: bool = False


@lru_cache(maxsize=16384)
def _fold_character(character: str) -> str:
    """Full width to half width, upper to lower case; invisible characters to nothing."""
    if character == FIELD_BREAK:
        return _KEY_BREAK
    if character.isspace():
        return " "
    if unicodedata.category(character) in ("Cc", "Cf"):
        return ""
    folded = unicodedata.normalize("NFKC", character).lower()
    return " " if folded.isspace() else folded


def fold_with_places(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place it comes from.

    White space stays (as one space) between two ASCII characters only: nobody knows where a typist
    breaks a Chinese line.
    """
    characters: list[str] = []
    places: list[int] = []
    gap: int | None = None
    for place, character in enumerate(text):
        folded = _fold_character(character)
        if folded == " ":
            gap = place if gap is None else gap
            continue
        if not folded:
            continue
        if gap is not None:
            neighbours = (characters[-1] if characters else _KEY_BREAK) + folded[0]
            if neighbours.isascii() and _KEY_BREAK not in neighbours:
                characters.append(" ")
                places.append(gap)
            gap = None
        for one in folded:
            characters.append(one)
            places.append(place)
    return "".join(characters), places


def fold(text: str) -> str:
    """The text as it is looked through: NFKC, lower case, no idle white space."""
    return fold_with_places(text)[0]


def join_fields(fields: Iterable[str]) -> str:
    """Several fields of a row as one text; empty ones leave no trace."""
    return FIELD_BREAK.join(text.strip() for text in fields if text and text.strip())


def terms(query: str) -> tuple[str, ...]:
    """The folded terms of a query, each once; all of them must be found.

    White space separates. At most `LONGEST_QUERY` characters and `MOST_TERMS` terms count.
    """
    found = [fold(word) for word in query[:LONGEST_QUERY].replace(FIELD_BREAK, " ").split()]
    return tuple(dict.fromkeys(word for word in found if word))[:MOST_TERMS]


def _hits(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Stretches of `text` in which a term lies, in order, merged where they touch or overlap."""
    key, places = fold_with_places(text)
    found = []
    for word in words:
        start = key.find(word)
        while start >= 0:
            found.append((places[start], places[start + len(word) - 1] + 1))
            start = key.find(word, start + len(word))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _parts(text: str, hits: Iterable[tuple[int, int]], start: int, end: int) -> list[Part]:
    """`text[start:end]` cut at its hits."""
    found, place = [], start
    for first, last in hits:
        first, last = max(first, start), min(last, end)
        if first >= last:
            continue
        if place < first:
            found.append(Part(text[place:first]))
        found.append(Part(text[first:last], is_hit=True))
        place = last
    if place < end:
        found.append(Part(text[place:end]))
    return found


def mark(text: str, words: Sequence[str]) -> list[Part]:
    """The whole text with its hits."""
    return _parts(text, _hits(text, words), 0, len(text))


def excerpt(text: str, words: Sequence[str], *, width: int = 100) -> list[Part]:
    """The sentence of the first hit, at most about `width` characters around it, with its hits.

    Without a hit (it was in the title) the beginning of the text.
    """
    hits = _hits(text, words)
    first, last = hits[0] if hits else (0, 0)
    start = first
    while start > 0 and text[start - 1] not in SENTENCE_ENDS:
        start -= 1
    end = last
    while end < len(text) and text[end] not in SENTENCE_ENDS:
        end += 1
    if end < len(text) and text[end] not in (FIELD_BREAK, "\n"):
        end += 1
    is_cut_before = is_cut_after = False
    if end - start > width:
        room = max(width - (last - first), 0)
        new_start = max(start, first - room // 2)
        new_end = min(end, new_start + max(width, last - first))
        is_cut_before, is_cut_after = new_start > start, new_end < end
        start, end = new_start, new_end
    found = _parts(text, hits, start, end)
    if is_cut_before:
        found.insert(0, Part(ELLIPSIS))
    if is_cut_after:
        found.append(Part(ELLIPSIS))
    return found
