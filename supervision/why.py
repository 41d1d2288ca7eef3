"""Why a date is this one: a receipt in words, with the days it skipped and a sheet of the calendar.

Reads only; `views.calendar` shows it (为什么是这一天).
"""

import calendar as months
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from supervision.models import CalendarNotice, TimeLimit
from supervision.rules.limits import DateReceipt, Unit
from supervision.rules.periods import Cycle
from supervision.rules.recount import RULE_HOLD, RULE_RETURN, RULE_REVIEW, RULE_REWORK
from supervision.services.calendar import calendar_of, days_of
from supervision.services.settings import SHIP_LIMITS

# Longer spans are told in words only.
LONGEST_SHEET_DAYS = 124
WEEKDAYS = [
    gettext_lazy("Mon"),
    gettext_lazy("Tue"),
    gettext_lazy("Wed"),
    gettext_lazy("Thu"),
    gettext_lazy("Fri"),
    gettext_lazy("Sat"),
    gettext_lazy("Sun"),
]
BASES = {
    "convention": gettext_lazy("convention of this office"),
    "local rule": gettext_lazy("local rule"),
}
GIVEN_SENTENCES = {
    "item": gettext_lazy("A definite day, set with the item. No calendar moves it."),
    "extension": gettext_lazy("A definite day, granted with an extension. No calendar moves it."),
    "reopen": gettext_lazy("A definite day, set when the work was reopened. No calendar moves it."),
    "given": gettext_lazy("A definite day, named by a person. No calendar moves it."),
}
RETURN_SENTENCES = {
    Cycle.MONTHLY: gettext_lazy(
        "A monthly return is due on day %(return_day)s of the month after the period "
        "(%(start)s to %(end)s)."
    ),
    Cycle.ONCE: gettext_lazy("A single return is due at the end of its period, on %(end)s."),
    Cycle.WEEKLY: gettext_lazy(
        "A weekly return is due on the last working day of its week (%(start)s to %(end)s)."
    ),
    Cycle.QUARTERLY: gettext_lazy(
        "A quarterly return is due on the last working day of its quarter (%(start)s to %(end)s)."
    ),
    Cycle.HALF_YEARLY: gettext_lazy(
        "A half-yearly return is due on the last working day of its half-year "
        "(%(start)s to %(end)s)."
    ),
}


@dataclass(frozen=True)
class DayWord:
    """A day and why it counts or not."""

    date: date
    word: str

    @property
    def weekday(self) -> str:
        return str(WEEKDAYS[self.date.weekday()])


@dataclass(frozen=True)
class Cell:
    """A day on a sheet: `code` chooses shape and colour, `word` says the same in one character."""

    date: date
    code: str = ""
    word: str = ""
    title: str = ""


@dataclass(frozen=True)
class Sheet:
    """One month, Monday first; None where the week belongs to another month."""

    first_date: date
    weeks: list[list[Cell | None]]


@dataclass
class Explanation:
    """A receipt in words. `base` explains the date this one was built upon."""

    date: date
    sentence: str
    start_date: date | None = None
    basis: str = ""
    rolled_from: date | None = None
    skipped: list[DayWord] = field(default_factory=list)
    made_up: list[DayWord] = field(default_factory=list)
    notices: list[CalendarNotice] = field(default_factory=list)
    missing_years: list[int] = field(default_factory=list)
    version: str = ""
    is_provisional: bool = False
    is_given: bool = False
    sheets: list[Sheet] = field(default_factory=list)
    base: "Explanation | None" = None
    limit: "Explanation | None" = None


def explain(receipt: Mapping, day: date) -> Explanation:
    """Why `day` is the date of this receipt; an empty receipt says that none was kept."""
    rule = receipt.get("rule")
    if not receipt.get("date") or receipt["date"] != day.isoformat():
        return Explanation(day, _("No receipt was kept for this date."))
    if rule in GIVEN_SENTENCES:
        return Explanation(day, str(GIVEN_SENTENCES[rule]), is_given=True)
    if rule == RULE_HOLD and "base" in receipt:
        return _held(receipt, day)
    if rule == RULE_REVIEW and "base" in receipt:
        return _credited(receipt, day)
    if rule == RULE_REWORK and "base" in receipt:
        return _reworked(receipt, day)
    if rule == RULE_RETURN:
        return _return(receipt, day)
    if "value" in receipt:
        return _limit(receipt, day)
    return Explanation(day, _("No receipt was kept for this date."))


def _limit(receipt: Mapping, day: date) -> Explanation:
    told = DateReceipt.from_json(dict(receipt))
    row = TimeLimit.objects.filter(code=told.rule).order_by("urgency").first()
    shipped = SHIP_LIMITS.get((told.rule, ""))
    name = row.name if row else str(shipped[2]) if shipped else told.rule
    basis = row.basis if row else shipped[3] if shipped else ""
    found = Explanation(
        day,
        _("%(name)s: %(length)s, counted from %(start)s; that day itself is day zero.")
        % {
            "name": name,
            "length": _length(told.value, told.unit),
            "start": date_format(told.start_date),
        },
        start_date=told.start_date,
        basis=str(BASES.get(basis, basis)),
        rolled_from=told.rolled_from,
    )
    return _with_days(found, receipt, told.start_date, day, skipped=told.skipped)


def _length(value: int, unit: Unit) -> str:
    if unit is Unit.WORKING_DAY:
        return ngettext("%(n)s working day", "%(n)s working days", value) % {"n": value}
    if unit is Unit.DAY:
        return ngettext("%(n)s day", "%(n)s days", value) % {"n": value}
    return ngettext("%(n)s month", "%(n)s months", value) % {"n": value}


def _return(receipt: Mapping, day: date) -> Explanation:
    start, end = (date.fromisoformat(receipt[name]) for name in ("start_date", "end_date"))
    found = Explanation(
        day,
        str(RETURN_SENTENCES[Cycle(receipt["cycle"])])
        % {
            "return_day": receipt["return_day"],
            "start": date_format(start),
            "end": date_format(end),
        },
        rolled_from=receipt["rolled_from"] and date.fromisoformat(receipt["rolled_from"]),
    )
    first, last = sorted((found.rolled_from or day, day))
    skipped = [date.fromisoformat(text) for text in receipt["skipped"]]
    return _with_days(found, receipt, first, last, skipped=skipped)


def _held(receipt: Mapping, day: date) -> Explanation:
    base_date = date.fromisoformat(receipt["base_date"])
    found = Explanation(
        day,
        ngettext(
            "The date before, %(date)s, plus %(n)s working day of suspension.",
            "The date before, %(date)s, plus %(n)s working days of suspension.",
            receipt["held_working_days"],
        )
        % {"date": date_format(base_date), "n": receipt["held_working_days"]},
        start_date=base_date,
        base=explain(receipt["base"], base_date),
    )
    return _with_days(found, receipt, base_date, day)


def _credited(receipt: Mapping, day: date) -> Explanation:
    base_date = date.fromisoformat(receipt["base_date"])
    found = Explanation(
        day,
        ngettext(
            "The date before, %(date)s, plus %(n)s working day the office was late with an answer.",
            "The date before, %(date)s, plus %(n)s working days the office was late with an "
            "answer.",
            receipt["credit_days"],
        )
        % {"date": date_format(base_date), "n": receipt["credit_days"]},
        start_date=base_date,
        base=explain(receipt["base"], base_date),
    )
    return _with_days(found, receipt, base_date, day)


def _reworked(receipt: Mapping, day: date) -> Explanation:
    base_date = date.fromisoformat(receipt["base_date"])
    limit = receipt["limit"]
    limit_date = date.fromisoformat(limit["date"])
    text = (
        _(
            "Time to rework what was sent back: the later of %(limit)s (the limit for reworking) "
            "and the date before, %(date)s, plus the %(n)s working days the reviewer was late."
        )
        if receipt["credit_days"]
        else _(
            "Time to rework what was sent back: the later of %(limit)s (the limit for reworking) "
            "and the date before, %(date)s."
        )
    )
    found = Explanation(
        day,
        text
        % {
            "limit": date_format(limit_date),
            "date": date_format(base_date),
            "n": receipt["credit_days"],
        },
        base=explain(receipt["base"], base_date),
        limit=explain(limit, limit_date),
    )
    _with_days(found, receipt, base_date, day, skipped=())
    found.made_up, found.sheets = [], []  # the days are shown with the two dates themselves
    return found


def _with_days(
    found: Explanation,
    receipt: Mapping,
    first: date,
    last: date,
    *,
    skipped: Iterable[date] | None = None,
) -> Explanation:
    """Add what the calendar did between two days: notices, rest days, make-up days, sheets."""
    found.version = receipt.get("calendar_version", "")
    found.is_provisional = receipt.get("is_provisional", False)
    labels = [(int(y), int(n)) for y, n in re.findall(r"(\d{4})-(\d+)(?=/|$)", found.version)]
    known = {
        (notice.year, notice.number): notice
        for notice in CalendarNotice.objects.filter(year__in=[year for year, _n in labels])
    }
    found.notices = [known[label] for label in labels if label in known]
    found.missing_years = [year for year, number in labels if number == 0]
    calendar = calendar_of(found.notices)
    names = {day.date: day.name for notice in found.notices for day in days_of(notice)}
    first, last = sorted((first, last))
    span = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    if skipped is None:
        skipped = [day for day in span[1:] if not calendar.is_working(day)]
    found.skipped = [DayWord(day, names.get(day) or _rest_word(day)) for day in skipped]
    found.made_up = [
        DayWord(day, names.get(day) or _("make-up day"))
        for day in span[1:]
        if day.weekday() >= 5 and calendar.is_working(day)
    ]
    if (last - first).days <= LONGEST_SHEET_DAYS:
        rest, worked = set(skipped), {day.date for day in found.made_up}

        def mark(day: date) -> Cell:
            if day == found.date:
                return Cell(day, "due", pgettext("calendar sheet", "due"))
            if day == found.start_date:
                return Cell(day, "start", pgettext("calendar sheet", "start"))
            if day in worked:
                return Cell(day, "work", pgettext("calendar sheet", "work"), names.get(day, ""))
            if day in rest:
                return Cell(day, "rest", pgettext("calendar sheet", "rest"), names.get(day, ""))
            if first < day < last and calendar.is_working(day) and found.start_date:
                return Cell(day, "counted")
            return Cell(day, "" if calendar.is_working(day) else "weekend")

        found.sheets = sheets(first, last, mark)
    return found


def _rest_word(day: date) -> str:
    return _("weekend") if day.weekday() >= 5 else _("holiday")


def sheets(first: date, last: date, mark: Callable[[date], Cell]) -> list[Sheet]:
    """The months from `first` to `last`, each day marked."""
    found, month = [], first.replace(day=1)
    while month <= last:
        weeks = [
            [mark(day) if day.month == month.month else None for day in week]
            for week in months.Calendar().monthdatescalendar(month.year, month.month)
        ]
        found.append(Sheet(month, weeks))
        month = (month + timedelta(days=31)).replace(day=1)
    return found


def year_sheets(notice: CalendarNotice, changed: Iterable[date] = ()) -> list[Sheet]:
    """The twelve months of a notice: rest days and make-up days, what changed underlined."""
    days = {day.date: day for day in days_of(notice)}
    different = set(changed)

    def mark(day: date) -> Cell:
        told = days.get(day)
        works = told.is_working if told else day.weekday() < 5
        name = told.name if told else ""
        extra = " cal-changed" if day in different else ""
        if works == (day.weekday() < 5):
            if told and not works:
                return Cell(day, "rest" + extra, pgettext("calendar sheet", "rest"), name)
            return Cell(day, ("" if works else "weekend") + extra, "", name)
        if works:
            return Cell(day, "work" + extra, pgettext("calendar sheet", "work"), name)
        return Cell(day, "rest" + extra, pgettext("calendar sheet", "rest"), name)

    return sheets(date(notice.year, 1, 1), date(notice.year, 12, 31), mark)
