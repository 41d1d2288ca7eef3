"""A year's holiday notice as data: reads a CSV, names every problem by line, lists the oddities.

Nothing here touches the database. A problem makes the notice unusable; an oddity is shown to the
person who reviews it. Source: reliability.md, section 6.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chinese_calendar import constants
from django.utils.formats import date_format
from django.utils.translation import gettext as _

FIRST_YEAR, LAST_YEAR = 2007, 2030
ALARM_MONTH, URGENT_MONTH = 11, 12
MAX_BYTES = 200_000
MAX_LINES = 1000
# Weekdays off less make-up days: 9 to 13 in every notice since 2004.
PLAUSIBLE_NET_DAYS = range(9, 15)
# Months and days on which every notice since 2007 gives rest.
ALWAYS_REST = ((1, 1), (5, 1), (10, 1), (10, 2), (10, 3))

COLUMNS = {
    "date": ("date", "日期"),
    "is_working": ("is_working", "是否上班", "上班"),
    "name": ("name", "名称", "节日", "说明"),
}
WORKING = {"1": True, "true": True, "yes": True, "是": True, "上班": True, "班": True}
RESTING = {"0": False, "false": False, "no": False, "否": False, "休息": False, "休": False}
WORDS = WORKING | RESTING | {"放假": False}
DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")


@dataclass(frozen=True, order=True)
class NoticeDay:
    """A day on which the plain week does not hold, and the occasion."""

    date: date
    is_working: bool
    name: str = ""

    def to_json(self) -> list:
        return [self.date.isoformat(), self.is_working, self.name]

    @classmethod
    def from_json(cls, data: Sequence) -> "NoticeDay":
        return cls(date.fromisoformat(data[0]), bool(data[1]), data[2])


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with the file. `line` counts from 1, the heading included; 0: the whole."""

    line: int
    message: str

    def __str__(self) -> str:
        if not self.line:
            return self.message
        return _("Line %(line)s: %(message)s") % {"line": self.line, "message": self.message}


@dataclass(frozen=True)
class Oddity:
    """Something a reviewer should look at; `is_grave` when the notice is probably wrong."""

    message: str
    is_grave: bool = True


class NoticeFileError(ValueError):
    """The file cannot be used; `problems` holds all of them in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def missing_notices(today: date, announced_years: Iterable[int]) -> dict[int, bool]:
    """The years whose notice is missing though it is time, and whether each is urgent.

    This year's is always urgent; next year's is published in November and urgent from 1 December.
    """
    announced = set(announced_years)
    found = {} if today.year in announced else {today.year: True}
    if today.month >= ALARM_MONTH and today.year + 1 not in announced:
        found[today.year + 1] = today.month >= URGENT_MONTH
    return found


def packaged_years() -> frozenset[int]:
    """The years the installed chinesecalendar package knows."""
    return frozenset(day.year for day in constants.holidays)


def notice_of_package(year: int) -> tuple[NoticeDay, ...]:
    """The days of a year as the chinesecalendar package has them; empty when it has none."""
    names = {holiday.value: holiday.chinese for holiday in constants.Holiday}
    known = [(constants.holidays, False), (constants.workdays, True)]
    return tuple(
        sorted(
            NoticeDay(day, is_working, names.get(name, name))
            for days, is_working in known
            for day, name in days.items()
            if day.year == year
        )
    )


def read_notice(content: bytes, year: int) -> tuple[NoticeDay, ...]:
    """The days in a CSV file with the columns date, is_working, name (UTF-8 or GB 18030).

    Raises NoticeFileError with every problem: nothing of a bad file is used.
    """
    rows = _rows(content)
    problems: list[Problem] = []
    found: dict[date, tuple[int, NoticeDay]] = {}
    for line, row in rows:
        try:
            day = _day(row, year)
        except ValueError as error:
            problems.append(Problem(line, str(error)))
            continue
        first_line, before = found.setdefault(day.date, (line, day))
        if before.is_working != day.is_working:
            problems.append(
                Problem(
                    line,
                    _(
                        "%(date)s is a working day and a rest day at once; see line %(line)s. "
                        "Keep one of the two."
                    )
                    % {"date": day.date.isoformat(), "line": first_line},
                )
            )
    if not rows:
        problems.append(Problem(0, _("The file names no day at all.")))
    if problems:
        raise NoticeFileError(problems)
    return tuple(sorted(day for _line, day in found.values()))


def _rows(content: bytes) -> list[tuple[int, Mapping[str, str]]]:
    """Line number and values by column; empty lines are left out."""
    if len(content) > MAX_BYTES:
        raise NoticeFileError([Problem(0, _("The file is too large for the days of one year."))])
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise NoticeFileError([Problem(0, _("The file is no text file. Save the table as CSV."))])
    if "\0" in text:
        raise NoticeFileError([Problem(0, _("The file is no text file. Save the table as CSV."))])
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error:
        raise NoticeFileError(
            [Problem(reader.line_num, _("This line cannot be read as CSV."))]
        ) from None
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if len(lines) > MAX_LINES:
        raise NoticeFileError([Problem(0, _("The file is too large for the days of one year."))])
    if not lines:
        return []
    heading = [cell.lower() for cell in lines[0][1]]
    places = {
        column: next((heading.index(name) for name in names if name in heading), None)
        for column, names in COLUMNS.items()
    }
    missing = [column for column in ("date", "is_working") if places[column] is None]
    if missing:
        raise NoticeFileError(
            [
                Problem(
                    lines[0][0],
                    _(
                        "The heading must name the columns date, is_working, name; "
                        "missing: %(names)s."
                    )
                    % {"names": "、".join(missing)},
                )
            ]
        )
    return [
        (
            number,
            {
                column: cells[place] if place is not None and place < len(cells) else ""
                for column, place in places.items()
            },
        )
        for number, cells in lines[1:]
    ]


def _day(row: Mapping[str, str], year: int) -> NoticeDay:
    """One line as a day. Raises ValueError with a sentence for the person."""
    typed = row["date"]
    match = DAY.fullmatch(typed)
    if not match:
        raise ValueError(_("“%(typed)s” is no date. Write it like 2026-10-01.") % {"typed": typed})
    try:
        day = date(*(int(part) for part in match.groups()))
    except ValueError:
        raise ValueError(
            _("“%(typed)s” is not in any calendar; check month and day.") % {"typed": typed}
        ) from None
    if day.year != year:
        raise ValueError(
            _("%(date)s does not lie in %(year)s. Load each year by itself.")
            % {"date": day.isoformat(), "year": year}
        )
    is_working = WORDS.get(row["is_working"].lower())
    if is_working is None:
        raise ValueError(
            _("“%(typed)s” does not say whether it is worked. Write 1 for work, 0 for rest.")
            % {"typed": row["is_working"]}
        )
    return NoticeDay(day, is_working, row["name"][:40])


def oddities(days: Sequence[NoticeDay], year: int) -> list[Oddity]:
    """What looks wrong or changes nothing in a notice of `year`, the grave ones first."""
    found = []
    needless = [day.date for day in days if day.is_working and day.date.weekday() < 5]
    if needless:
        found.append(
            Oddity(
                _("Make-up days that are working days anyway and change nothing: %(dates)s.")
                % {"dates": _listed(needless)}
            )
        )
    resting = {day.date for day in days if not day.is_working}
    missing = [date(year, *day) for day in ALWAYS_REST if date(year, *day) not in resting]
    if missing:
        found.append(
            Oddity(
                _("Holidays of every year that are not rest days here: %(dates)s.")
                % {"dates": _listed(missing)}
            )
        )
    off = sum(not day.is_working and day.date.weekday() < 5 for day in days)
    worked = sum(day.is_working and day.date.weekday() >= 5 for day in days)
    if off - worked not in PLAUSIBLE_NET_DAYS:
        found.append(
            Oddity(
                _(
                    "%(off)s weekdays off and %(worked)s make-up days leave %(net)s days; in the "
                    "notices so far it was %(least)s to %(most)s. Is a day missing or doubled?"
                )
                % {
                    "off": off,
                    "worked": worked,
                    "net": off - worked,
                    "least": PLAUSIBLE_NET_DAYS.start,
                    "most": PLAUSIBLE_NET_DAYS.stop - 1,
                }
            )
        )
    weekend = [day.date for day in days if not day.is_working and day.date.weekday() >= 5]
    if weekend:
        found.append(
            Oddity(
                _("Rest days on a weekend, which change nothing: %(dates)s.")
                % {"dates": _listed(weekend)},
                is_grave=False,
            )
        )
    return found


def differences(
    old: Sequence[NoticeDay], new: Sequence[NoticeDay]
) -> list[tuple[date, bool, bool]]:
    """Days worked under one notice and not under the other: day, worked before, worked now."""
    before = {day.date: day.is_working for day in old}
    after = {day.date: day.is_working for day in new}
    return [
        (day, was, now)
        for day in sorted(before.keys() | after.keys())
        for was, now in [
            (before.get(day, day.weekday() < 5), after.get(day, day.weekday() < 5)),
        ]
        if was != now
    ]


def _listed(days: Iterable[date]) -> str:
    return "、".join(date_format(day) for day in days)
