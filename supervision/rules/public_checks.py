"""What may never stand in a public text: pure checks that block, with the reason in words.

Source: public-site.md, section 6 (machine checks block, they do not warn).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

SECRET_MARKS = ("秘密★", "机密★", "绝密★", "内部资料", "内部文件")
FULL_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ＠．：／", "0123456789Xx@.:/")


def is_identity_number(digits: str) -> bool:
    """Whether 18 characters are built like a citizen number: region, day of birth, check digit.

    The check digit is not asked for: a number with a slip of the pen is personal all the same.
    """
    try:
        born = date.fromisoformat(f"{digits[6:10]}-{digits[10:12]}-{digits[12:14]}")
    except ValueError:
        return False
    return digits[0] != "0" and 1900 <= born.year <= 2100


def is_card_number(digits: str) -> bool:
    """Whether the check digit of a card number fits (Luhn, ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@dataclass(frozen=True)
class Finding:
    """What was found, and the words it was found in."""

    kind: Any
    text: str


def findings_in(text: str) -> Iterator[Finding]:
    """Every trace of personal data, link or mark of secrecy in a text."""
    text = text.translate(FULL_WIDTH)
    for mark in SECRET_MARKS:
        if mark in text:
            yield Finding(_("a mark of secrecy"), mark)
    for found in re.finditer(r"(?<!\d)\d{17}[\dXx](?![\dXx])", text):
        if is_identity_number(found[0]):
            yield Finding(_("an identity number"), found[0])
    for found in re.finditer(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)", text):
        yield Finding(_("a mobile number"), found[0])
    for found in re.finditer(r"(?<!\d)\d(?:[ -]?\d){15,18}(?!\d)", text):
        digits = re.sub(r"[ -]", "", found[0])
        if is_card_number(digits) and not (len(digits) == 18 and is_identity_number(digits)):
            yield Finding(_("a bank-card number"), found[0])
    for found in re.finditer(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text):
        yield Finding(_("an e-mail address"), found[0])
    for found in re.finditer(r"(?:https?|ftp)://\S+|(?<![A-Za-z0-9.])www\.[\w-]+\.\S+", text):
        yield Finding(_("a link that leaves the site"), found[0])


def texts_of(entry: Mapping[str, Any]) -> Iterable[str]:
    """Every text of one item of an edition that a person wrote."""
    yield entry["title"]
    yield entry["summary"]
    yield entry["progress_text"]
    yield from (step["title"] for step in entry["milestones"])
    yield from (part["reason"] for part in entry.get("hidden", ()))
