"""How long since the public site last said something new, against what inspections allow.

Pure: dates in, warnings out. Source: public-site.md, section 9; a warning comes before the limit.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Part(StrEnum):
    """What an inspection looks at."""

    HOME = "home"
    NOTICES = "notices"
    STATISTICS = "statistics"


# Days: the editor is warned after the first, the inspection's limit is the second.
LIMITS = {
    Part.HOME: (10, 14),
    Part.NOTICES: (150, 182),
    Part.STATISTICS: (70, 91),
}


@dataclass(frozen=True)
class Warning:
    """A part that has stood still: for how many calendar days, and the day the limit is over."""

    part: Part
    days: int
    limit_date: date
    is_over: bool


def warnings(last: dict[Part, date | None], today: date) -> list[Warning]:
    """Parts unchanged for too long on `today`; a part that never had anything counts for nothing.

    `last` gives the local day of each part's last change.
    """
    found = []
    for part, (warn_days, limit_days) in LIMITS.items():
        day = last.get(part)
        if day is None or (today - day).days < warn_days:
            continue
        limit_date = day + timedelta(days=limit_days)
        found.append(Warning(part, (today - day).days, limit_date, today >= limit_date))
    return found
