"""Texts of letters: named fields, what is wrong with a template, which words no letter may carry.

Plain functions over strings. A template's body has one paragraph a line; a field is written
{item_title}. Source: domain.md, section 7.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import IntEnum

from django.utils.translation import gettext_lazy as _

MIN_PITCH, MAX_PITCH = Decimal("28"), Decimal("30")

# What a template may name: code, meaning on the settings page.
OF_ITEM = {
    "item_title": _("title of the item"),
    "item_number": _("number of the item"),
    "source": _("document the item comes from"),
    "urgency": _("urgency of the item"),
    "leader": _("leader in charge"),
    "lead": _("lead body"),
    "supports": _("supporting bodies and counties"),
    "requirement": _("what is required"),
    "due_date": _("present due date"),
    "body": _("body the letter goes to"),
    "today": _("day of the letter"),
    "issuer": _("office that issues the letter"),
    "contact": _("contact and telephone"),
}
OF_DISPATCH = {
    "accept_due_date": _("day by which the work is to be signed for"),
    "first_report_date": _("day of the first return"),
    "report_cycle": _("how often returns are due"),
}
OF_URGING = {
    "dispatch_number": _("number of the dispatch notice"),
    "dispatched_date": _("day of dispatch"),
    "times": _("the how manieth urging it is"),
    "situation": _("how long it is overdue as of the day of the letter, or how often sent back"),
    "last_return": _("the last return and its day"),
    "receipt_due_date": _("day by which the letter is to be signed for"),
    "reply_due_date": _("day by which the letter is to be answered"),
}
OF_EXTENSION = {
    "decision": _("the decision with old and new date"),
    "asked_date": _("day asked for"),
    "reason": _("reason of the request"),
    "opinion": _("opinion of who decided"),
}
OF_INTERVIEW = {
    "situation": OF_URGING["situation"],
    "opinion": _("opinion of who decided"),
    "receipt_due_date": OF_URGING["receipt_due_date"],
}
OF_CIRCULAR = {
    "period": _("period of the circular"),
    "as_of_date": _("last day of the period"),
    "total": _("number of items"),
    "done": _("items closed out"),
    "done_share": _("their share"),
    "running": _("items under way"),
    "running_share": _("their share of all items"),
    "shares": _("assignments of all bodies"),
    "overdue": _("assignments overdue"),
    "overdue_share": _("share of the overdue assignments"),
    "laggards": _("bodies with overdue assignments"),
    "missed_returns": _("bodies that did not file the period's return"),
    "issuer": OF_ITEM["issuer"],
    "today": OF_ITEM["today"],
    "contact": OF_ITEM["contact"],
}
URGING_FIELDS = OF_ITEM | OF_URGING
FIELDS: dict[str, Mapping[str, object]] = {
    "dispatch_notice": OF_ITEM | OF_DISPATCH,
    "urging_blue": URGING_FIELDS,
    "urging_yellow": URGING_FIELDS,
    "urging_red": URGING_FIELDS,
    "extension_reply": OF_ITEM | OF_EXTENSION,
    "interview": OF_ITEM | OF_INTERVIEW,
    "circular": OF_CIRCULAR,
}
_URGING_NEEDS = ("item_title", "due_date", "situation", "reply_due_date")
NEEDED: dict[str, tuple[str, ...]] = {
    "dispatch_notice": ("item_title", "source", "lead", "requirement", "due_date"),
    "urging_blue": _URGING_NEEDS,
    "urging_yellow": _URGING_NEEDS,
    "urging_red": _URGING_NEEDS,
    "extension_reply": ("item_title", "decision"),
    "interview": ("item_title", "situation"),
    "circular": ("period", "total", "done", "done_share", "running", "running_share", "laggards"),
}

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z_]*")
# Marks of state secrecy. Words of ordinary law that contain one of them are no marks.
_SECRECY = re.compile(r"绝密|机密|(?<!商业)(?<!技术)(?<!国家)(?<!保守)秘密")

PROBLEMS = {
    "unbalanced": _("Line %(line)s: a brace is missing or too many. Fields are written {name}."),
    "unknown": _(
        "Line %(line)s: “%(name)s” is no field of this kind of letter. The fields are listed "
        "below the form."
    ),
    "missing": _("The field {%(name)s} (%(meaning)s) is missing; this letter needs it."),
    "empty": _("The text is empty."),
    "secrecy": _("The text carries “%(word)s”. State secrets never enter this system."),
    "pitch": _("The line pitch must lie between %(low)s and %(high)s points."),
    "prefix": _(
        "The prefix “%(prefix)s” must be made of letters or Chinese characters, without year, "
        "brackets or digits."
    ),
    "prefix_taken": _("The prefix “%(prefix)s” is used by another series: numbers would collide."),
}


class Level(IntEnum):
    """Levels of a body: 一、 in bold black type, （一） in script type, text."""

    TEXT = 0
    FIRST = 1
    SECOND = 2


def problem(code: str, **params: object) -> str:
    """One problem as a sentence."""
    return str(PROBLEMS[code]) % params


def template_problems(kind: str, *, title: str, body: str) -> list[str]:
    """Everything wrong with the text of a template, each named; empty when nothing is."""
    known = FIELDS[kind]
    found: list[str] = []
    used: set[str] = set()
    if not title.strip() or not body.strip():
        found.append(problem("empty"))
    for number, line in enumerate([title, *body.splitlines()]):
        names = _FIELD.findall(line)
        rest = _FIELD.sub("", line)
        if "{" in rest or "}" in rest:
            found.append(problem("unbalanced", line=number))
        for name in names:
            if name not in known:
                found.append(problem("unknown", line=number, name=name))
        used.update(names)
    for name in NEEDED[kind]:
        if name not in used:
            found.append(problem("missing", name=name, meaning=known[name]))
    word = secrecy_word([title, body])
    if word:
        found.append(problem("secrecy", word=word))
    return found


def fill(text: str, fields: Mapping[str, str], *, nothing: str) -> str:
    """The text with its fields put in; an empty field reads `nothing`.

    Raises KeyError for a field that is not given: templates are checked before they are kept.
    """
    return _FIELD.sub(lambda match: str(fields[match[1]]).strip() or nothing, text)


def paragraphs(body: str, fields: Mapping[str, str], *, nothing: str) -> list[str]:
    """The paragraphs of a body, filled. One whose fields are all empty is left out.

    A value of several lines becomes several paragraphs.
    """
    found = []
    for line in body.splitlines():
        names = _FIELD.findall(line)
        if not line.strip() or (names and not any(str(fields[name]).strip() for name in names)):
            continue
        filled = fill(line, fields, nothing=nothing)
        found += [part.strip() for part in filled.splitlines() if part.strip()]
    return found


def level_of(paragraph: str) -> Level:
    """The level a paragraph has by how it begins."""
    if re.match(r"[一二三四五六七八九十]+、", paragraph) and len(paragraph) <= 24:
        return Level.FIRST
    if re.match(r"（[一二三四五六七八九十]+）", paragraph) and len(paragraph) <= 24:
        return Level.SECOND
    return Level.TEXT


def secrecy_word(texts: Iterable[str]) -> str:
    """The first mark of state secrecy in the texts; empty when there is none."""
    for text in texts:
        match = _SECRECY.search(text)
        if match:
            return match[0]
    return ""


def is_prefix(prefix: str) -> bool:
    """Whether a series may be called so: letters only, the year and number are added."""
    return bool(prefix) and len(prefix) <= 12 and prefix.isalpha()


def width_of(text: str) -> float:
    """Width in characters of the grid; Latin letters and digits take half of one."""
    return sum(0.5 if ord(char) < 0x2E80 and char not in "“”‘’·…—" else 1 for char in text)


def title_lines(title: str, width: int) -> list[str]:
    """A title broken into lines of at most `width` characters, near the middle, at a seam.

    Seams are after particles and closing marks, so that no word is torn apart.
    """
    if width_of(title) <= width:
        return [title]
    lines = -(-width_of(title) // width)
    middle = width_of(title) / lines
    fitting = [place for place in range(1, len(title)) if width_of(title[:place]) <= width]
    seams = [
        place
        for place in fitting
        if width_of(title[place:]) <= (lines - 1) * width
        and (title[place - 1] in "的和及与、》”）" or title[place] in "《“（")
    ]
    cut = min(seams or fitting, key=lambda place: abs(width_of(title[:place]) - middle))
    return [title[:cut], *title_lines(title[cut:], width)]
