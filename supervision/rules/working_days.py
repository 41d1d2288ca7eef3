"""Working days: weekdays, corrected both ways by the State Council's yearly notice."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, lru_cache

from chinese_calendar import constants

ONE_DAY = timedelta(days=1)
LAST_ORDINAL = date.max.toordinal()


def _is_weekday(day: date) -> bool:
    return day.weekday() < 5


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked. Years without a notice fall back to weekdays and are provisional.

    `overrides` holds rest days (False) and make-up workdays (True); every other day follows its
    weekday. `notices` says by year which of its notices is in force, counted from 1. The mappings
    are copied, so a calendar never changes under its user.
    """

    overrides: Mapping[date, bool] = field(default_factory=dict, hash=False)
    version: str = "weekdays"
    announced_years: frozenset[int] = frozenset()
    notices: Mapping[int, int] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "overrides", dict(self.overrides))
        object.__setattr__(self, "notices", dict(self.notices))

    def is_working(self, day: date) -> bool:
        return self.overrides.get(day, _is_weekday(day))

    def is_provisional(self, day: date) -> bool:
        """True while the year of `day` has no notice yet."""
        return day.year not in self.announced_years

    def version_of(self, first_year: int, last_year: int) -> str:
        """The notices a date between these years rests on: “2026-2/2027-0”, 0 while none is known.

        A calendar built without notices answers its own version.
        """
        if not self.notices:
            return self.version
        years = range(first_year, last_year + 1)
        return "/".join(f"{year}-{self.notices.get(year, 0)}" for year in years)

    def is_provisional_between(self, first_year: int, last_year: int) -> bool:
        """True while one of these years has no notice yet."""
        return not self.announced_years.issuperset(range(first_year, last_year + 1))

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; negative when `end` is earlier."""
        return self._count(end.toordinal()) - self._count(start.toordinal())

    def add(self, day: date, n: int) -> date:
        """The n-th working day after `day` (before it when negative); `day` itself when 0.

        Raises OverflowError beyond the years a date can hold.
        """
        return day if n == 0 else self._nth(day, n)

    @cached_property
    def _nth(self) -> Callable[[date, int], date]:
        """`_find`, remembering: thousands of rows ask about the same few days."""
        return lru_cache(maxsize=8192)(self._find)

    def _find(self, day: date, n: int) -> date:
        position = self._count(day.toordinal()) + n
        if n < 0 and not self.is_working(day):
            position += 1
        if not 1 <= position <= self._count(LAST_ORDINAL):
            raise OverflowError("no such working day")
        days = range(1, LAST_ORDINAL + 1)
        return date.fromordinal(days[bisect_left(days, position, key=self._count)])

    def next_working(self, day: date) -> date:
        """`day` itself if it is worked, else the next day that is."""
        return day if self.is_working(day) else self.add(day, 1)

    def previous_working(self, day: date) -> date:
        """`day` itself if it is worked, else the last one before it that is."""
        return day if self.is_working(day) else self.add(day, -1)

    def _count(self, ordinal: int) -> int:
        """Working days from 0001-01-01, a Monday, up to and including this day."""
        weeks, days = divmod(ordinal, 7)
        corrected_days, corrections = self._corrections
        return weeks * 5 + min(days, 5) + corrections[bisect_right(corrected_days, ordinal)]

    @cached_property
    def _corrections(self) -> tuple[list[int], list[int]]:
        """Ordinals of the days that differ from their weekday, and the running sum before each."""
        differing = sorted(
            (day.toordinal(), 1 if works else -1)
            for day, works in self.overrides.items()
            if works != _is_weekday(day)
        )
        sums = [0]
        for _ordinal, change in differing:
            sums.append(sums[-1] + change)
        return [ordinal for ordinal, _change in differing], sums


def announced_overrides(years: Iterable[int]) -> tuple[dict[date, bool], frozenset[int]]:
    """Rest days (False) and make-up workdays (True) of those years, and the years with a notice.

    A year the chinesecalendar package does not know contributes nothing and is not announced.
    """
    known = {day.year for day in constants.holidays}
    announced = frozenset(years) & known
    days = dict.fromkeys(constants.holidays, False) | dict.fromkeys(constants.workdays, True)
    return {day: days[day] for day in sorted(days) if day.year in announced}, announced
