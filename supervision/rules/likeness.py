"""Whether a text says the same as another: character trigrams, without marks and spaces.

A near-duplicate is pointed out, never refused (domain.md, sections 3.4 and 13).
"""

import unicodedata
from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
SIZE = 3
# A few words are alike by chance: “按计划推进” says little, but it is no copied paragraph.
SHORTEST = 12


def bare(text: str) -> str:
    """The text folded (full width to half), without anything but letters, digits, characters."""
    return "".join(each for each in unicodedata.normalize("NFKC", text) if each.isalnum())


def trigrams(text: str) -> frozenset[str]:
    """Every three neighbouring characters of the bare text; empty for a short one."""
    found = bare(text)
    if len(found) < SHORTEST:
        return frozenset()
    return frozenset(found[i : i + SIZE] for i in range(len(found) - SIZE + 1))


def likeness(one: str, other: str) -> int:
    """How much of both texts together they share, in percent (Jaccard); 0 for short texts."""
    return _shared(trigrams(one), trigrams(other))


def _shared(one: frozenset[str], other: frozenset[str]) -> int:
    if not one or not other:
        return 0
    common = len(one & other)
    return common * 100 // (len(one) + len(other) - common)


def like_others(
    texts: Mapping[Key, str], *, from_percent: int, of: Collection[Key] | None = None
) -> dict[Key, Key]:
    """For each text, or those `of` some keys, the one most like it that shares `from_percent`.

    With equal shares the first.
    """
    sets = {key: trigrams(text) for key, text in texts.items()}
    keys = [key for key, found in sets.items() if found]
    wanted = set(keys if of is None else of)
    keys.sort(key=lambda key: key not in wanted)
    asked = [key for key in keys if key in wanted]
    best: dict[Key, tuple[int, Key]] = {}
    for place, one in enumerate(asked):
        for other in keys[place + 1 :]:
            small, large = sorted((len(sets[one]), len(sets[other])))
            # Sets that differ this much in size cannot share so much.
            if small * 100 < from_percent * large:
                continue
            shared = _shared(sets[one], sets[other])
            if shared < from_percent:
                continue
            for key, its_like in ((one, other), (other, one)):
                if key not in best or best[key][0] < shared:
                    best[key] = (shared, its_like)
    return {key: its_like for key, (_shared_percent, its_like) in best.items()}
