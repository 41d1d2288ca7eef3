"""The working calendar in force, read from what confirmed notices wrote."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.utils.translation import gettext as _

from supervision.models import CalendarDay, CalendarNotice, CalendarYear
from supervision.models.small_tables import CALENDAR_YEARS, small_rows
from supervision.read_once import read_once
from supervision.rules.calendar_file import (
    FIRST_YEAR,
    LAST_YEAR,
    NoticeDay,
    notice_of_package,
)
from supervision.rules.working_days import WorkingCalendar

_calendar: dict[tuple, WorkingCalendar] = {}


@read_once
def working_calendar() -> WorkingCalendar:
    """The calendar in force; kept in the process until a notice changes it."""
    key = tuple(small_rows(CALENDAR_YEARS))
    if key not in _calendar:
        days = dict(CalendarDay.objects.values_list("date", "is_working"))
        _calendar.clear()
        _calendar[key] = _built(days, {year: number for year, number, _fingerprint in key})
    return _calendar[key]


def calendar_with(notice: CalendarNotice) -> WorkingCalendar:
    """The calendar as it would be with this notice in force."""
    calendar = working_calendar()
    days = {
        day: is_working for day, is_working in calendar.overrides.items() if day.year != notice.year
    }
    days |= {day.date: day.is_working for day in days_of(notice)}
    return _built(days, {**calendar.notices, notice.year: notice.number})


def calendar_of(notices: Iterable[CalendarNotice]) -> WorkingCalendar:
    """The calendar a receipt was written by: these notices and no other."""
    notices = list(notices)
    days = {day.date: day.is_working for notice in notices for day in days_of(notice)}
    return _built(days, {notice.year: notice.number for notice in notices})


def _built(days: dict[date, bool], numbers: dict[int, int]) -> WorkingCalendar:
    announced = frozenset(numbers)
    version = "/".join(f"{year}-{numbers[year]}" for year in sorted(numbers)) or "weekdays"
    return WorkingCalendar(
        overrides=days, version=version, announced_years=announced, notices=numbers
    )


def days_of(notice: CalendarNotice) -> tuple[NoticeDay, ...]:
    return tuple(NoticeDay.from_json(day) for day in notice.days)


def fingerprint_of(days: Sequence[NoticeDay]) -> str:
    """Changes whenever a day changes."""
    text = json.dumps([day.to_json() for day in sorted(days)], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_calendar(*, at: datetime, years: Iterable[int] | None = None) -> list[int]:
    """Ship the published notices to an empty calendar; returns the years. Repeatable.

    Only a calendar without any notice is filled: a year that is published later is loaded as a
    draft and reviewed (`services.notices`). Years an older release wrote get their notice here.
    """
    if CalendarNotice.objects.exists():
        return []
    known = {row.year: (row.source, row.loaded_at) for row in CalendarYear.objects.order_by("year")}
    if known:
        shipped = {year: _stored_days(year) for year in known}
    else:
        years = years or range(FIRST_YEAR, LAST_YEAR + 1)
        shipped = {year: days for year in sorted(years) if (days := notice_of_package(year))}
    title = _("Notice of the State Council, by chinesecalendar")
    notices = [
        CalendarNotice(
            year=year,
            number=1,
            title=known[year][0] if known else title,
            days=[day.to_json() for day in days],
            status=CalendarNotice.Status.IN_FORCE,
            loaded_at=known[year][1] if known else at,
            confirmed_at=known[year][1] if known else at,
        )
        for year, days in shipped.items()
    ]
    CalendarNotice.objects.bulk_create(notices)
    for notice in notices:
        write_days(notice)
    return [] if known else [notice.year for notice in notices]


def _stored_days(year: int) -> tuple[NoticeDay, ...]:
    rows = CalendarDay.objects.filter(date__year=year).order_by("date")
    return tuple(NoticeDay(row.date, row.is_working, row.name) for row in rows)


def write_days(notice: CalendarNotice) -> None:
    """Let the arithmetic read a notice: its days replace those of the year."""
    days = days_of(notice)
    source = notice.doc_number or notice.title
    CalendarDay.objects.filter(date__year=notice.year).delete()
    CalendarDay.objects.bulk_create(
        [
            CalendarDay(date=day.date, is_working=day.is_working, name=day.name, source=source)
            for day in days
        ]
    )
    CalendarYear.objects.update_or_create(
        year=notice.year,
        defaults={
            "number": notice.number,
            "fingerprint": fingerprint_of(days),
            "source": source,
            "loaded_at": notice.confirmed_at,
        },
    )
