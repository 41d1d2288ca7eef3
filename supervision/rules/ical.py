"""Deadlines as a calendar other programs read: RFC 5545, all-day events, nothing but title and day.

Lines end with CR LF and are folded at 75 octets, never inside a character.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

LINE_OCTETS = 75


@dataclass(frozen=True)
class Deadline:
    """A day on which something is due. `uid` stays the same while the thing is the same."""

    uid: str
    day: date
    title: str


def escaped(text: str) -> str:
    """A TEXT value (section 3.3.11)."""
    plain = "".join(c for c in text.replace("\r\n", "\n") if c == "\n" or c >= " ")
    for character in ("\\", ";", ","):
        plain = plain.replace(character, "\\" + character)
    return plain.replace("\n", "\\n")


def folded(line: str) -> str:
    """A content line in pieces of at most 75 octets, each after the first begun by a space."""
    pieces, piece, room = [], "", LINE_OCTETS
    for character in line:
        if len(piece.encode()) + len(character.encode()) > room:
            pieces.append(piece)
            piece, room = "", LINE_OCTETS - 1
        piece += character
    pieces.append(piece)
    return "\r\n ".join(pieces)


def calendar_text(name: str, deadlines: Iterable[Deadline], *, at: datetime, zone: str) -> str:
    """The whole calendar. `at`: when it was made; days are local dates of `zone`."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//supervision//deadlines//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        f"X-WR-TIMEZONE:{zone}",
    ]
    for one in deadlines:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{escaped(one.uid)}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{one.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{one.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{escaped(one.title)}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(folded(line) + "\r\n" for line in lines)
