"""What changed between two texts, piece by piece, so that a reader need not compare by eye.

Chinese is compared character by character; numbers and Latin words stay whole, so that 12 → 120
shows as a changed number and not as an added nought.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# A sentence with its mark, or a line.
SENTENCE = re.compile(r"[^。！？；\n]*[。！？；\n]+|[^。！？；\n]+")
TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)*%?|[A-Za-z]+|\s+|.", re.DOTALL)
# Above so many token pairs two passages are shown as one taken out and one put in.
LARGEST_COMPARISON = 1_000_000
# A kept run this short between two changes only makes the sentence harder to read.
SHORTEST_KEPT = 1


class Change(StrEnum):
    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Piece:
    """A run of text and what happened to it."""

    change: Change
    text: str


def differences(before: str, now: str) -> list[Piece]:
    """The pieces that lead from `before` to `now`, in reading order, removed before added.

    Kept and removed pieces joined give `before`, kept and added ones `now`; no piece is empty and
    neighbours differ in kind.
    """
    found: list[Piece] = []
    old, new = SENTENCE.findall(before), SENTENCE.findall(now)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found.append(Piece(Change.KEPT, "".join(old[i1:i2])))
        else:
            found += _within(TOKEN.findall("".join(old[i1:i2])), TOKEN.findall("".join(new[j1:j2])))
    return _joined(found)


def is_same_text(before: str, now: str) -> bool:
    """Whether nothing but spaces and line ends differs."""
    return "".join(before.split()) == "".join(now.split())


def _within(old: Sequence[str], new: Sequence[str]) -> list[Piece]:
    if not old or not new or len(old) * len(new) > LARGEST_COMPARISON:
        return [Piece(Change.REMOVED, "".join(old)), Piece(Change.ADDED, "".join(new))]
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    found: list[Piece] = []
    for place, (tag, i1, i2, j1, j2) in enumerate(codes):
        is_between = 0 < place < len(codes) - 1
        is_kept = tag == "equal" and not (is_between and i2 - i1 <= SHORTEST_KEPT)
        if is_kept:
            found.append(Piece(Change.KEPT, "".join(old[i1:i2])))
        else:
            found.append(Piece(Change.REMOVED, "".join(old[i1:i2])))
            found.append(Piece(Change.ADDED, "".join(new[j1:j2])))
    return found


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Changes that touch become one removed and one added piece; empty ones fall away."""
    found: list[Piece] = []
    removed, added = "", ""
    for piece in pieces:
        if piece.change is Change.REMOVED:
            removed += piece.text
        elif piece.change is Change.ADDED:
            added += piece.text
        elif piece.text:
            found += _changed(removed, added)
            removed, added = "", ""
            if found and found[-1].change is Change.KEPT:
                found[-1] = Piece(Change.KEPT, found[-1].text + piece.text)
            else:
                found.append(piece)
    return found + _changed(removed, added)


def _changed(removed: str, added: str) -> list[Piece]:
    pair = (Piece(Change.REMOVED, removed), Piece(Change.ADDED, added))
    return [piece for piece in pair if piece.text]
