"""Deadlines as RFC 5545: folded, escaped, all day, nothing but title and day."""

from datetime import UTC, date, datetime

from supervision.rules.ical import Deadline, calendar_text, escaped, folded

AT = datetime(2026, 6, 10, 4, 0, tzinfo=UTC)


def test_marks_are_escaped_and_control_characters_left_out():
    assert escaped("甲,乙;丙\\丁\r\n戊\x00") == "甲\\,乙\\;丙\\\\丁\\n戊"


def test_lines_are_folded_at_75_octets_and_never_inside_a_character():
    line = "SUMMARY:" + "督" * 60

    pieces = folded(line).split("\r\n")

    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert all(piece.startswith(" ") for piece in pieces[1:])
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line
    assert folded("X" * 75) == "X" * 75


def test_a_deadline_is_a_whole_day():
    text = calendar_text(
        "时限", [Deadline("share-1", date(2026, 12, 31), "到期")], at=AT, zone="Asia/Shanghai"
    )

    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART;VALUE=DATE:20261231" in lines
    assert "DTEND;VALUE=DATE:20270101" in lines
    assert "UID:share-1" in lines
    assert "DTSTAMP:20260610T040000Z" in lines
    assert not [line for line in lines if line.startswith(("DESCRIPTION", "URL", "ATTENDEE"))]
