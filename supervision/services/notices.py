"""Holiday notices: load a year as a draft, review it, confirm it by a second person, or drop it."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import CalendarNotice, EventKind, User
from supervision.rules.calendar_file import (
    FIRST_YEAR,
    LAST_YEAR,
    NoticeDay,
    differences,
    notice_of_package,
    read_notice,
)
from supervision.services.acts import (
    ActRefused,
    check_transition,
    local_date,
    lock,
    need_text,
    record_event,
    require,
    save,
)
from supervision.services.calendar import calendar_with, days_of, write_days
from supervision.services.recount import Recounted, digest_of, plan_recount, recount_dates


def load_notice(
    *,
    year: int,
    by: User | None,
    at: datetime,
    content: bytes | None = None,
    title: str = "",
    doc_number: str = "",
    published_date: date | None = None,
) -> CalendarNotice:
    """Load a year as a draft: from a CSV file, or as the chinesecalendar package knows it.

    Raises NoticeFileError naming every bad line, ActRefused, PermissionDenied.
    """
    if by is not None:
        require(permissions.can_load_calendar(by))
    _check_year(year)
    if content is None:
        days = notice_of_package(year)
        if not days:
            raise ActRefused(
                _(
                    "The installed package does not know the holidays of %(year)s yet. Load the "
                    "notice from a CSV file."
                )
                % {"year": year}
            )
        title = title or _("Notice of the State Council, by chinesecalendar")
    else:
        days = read_notice(content, year)
        title = title or _("Notice of the State Council, from a file")
    return draft_notice(
        year=year,
        days=days,
        title=title,
        by=by,
        at=at,
        doc_number=doc_number,
        published_date=published_date,
    )


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ActRefused(
            _("The calendar holds the years %(first)s to %(last)s.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )


@transaction.atomic
def draft_notice(
    *,
    year: int,
    days: Sequence[NoticeDay],
    title: str,
    by: User | None,
    at: datetime,
    doc_number: str = "",
    published_date: date | None = None,
) -> CalendarNotice:
    """Keep a notice as a draft; nothing is counted by it yet. `by` is None on the command line.

    Raises PermissionDenied, ActRefused when a draft of the year waits already or the days are those
    in force.
    """
    if by is not None:
        require(permissions.can_load_calendar(by))
    _check_year(year)
    notices = CalendarNotice.objects.select_for_update().filter(year=year)
    by_status = {notice.status: notice for notice in notices}
    if CalendarNotice.Status.DRAFT in by_status:
        raise ActRefused(
            _("A notice for %(year)s waits for review already. Confirm or drop it first.")
            % {"year": year}
        )
    in_force = by_status.get(CalendarNotice.Status.IN_FORCE)
    if in_force is not None and not differences(days_of(in_force), days):
        raise ActRefused(
            _("These are the working days of %(year)s that are in force already; nothing changes.")
            % {"year": year}
        )
    last = notices.aggregate(last=Max("number"))["last"] or 0
    notice = CalendarNotice.objects.create(
        year=year,
        number=last + 1,
        title=title,
        doc_number=doc_number,
        published_date=published_date,
        days=[day.to_json() for day in days],
        loaded_by=by,
        loaded_at=at,
    )
    _record(EventKind.CALENDAR_DRAFTED, notice, by, at)
    return notice


def _record(kind: str, notice: CalendarNotice, by, at, *, reason: str = "", **data) -> None:
    record_event(
        kind,
        by=by,
        at=at,
        to_state=notice.status,
        reason=reason,
        data={"year": str(notice.year), "number": notice.number, "notice": str(notice.uid)} | data,
    )


@transaction.atomic
def confirm_notice(
    *,
    notice: CalendarNotice,
    by: User,
    at: datetime,
    expected: str | None = None,
    version: int | None = None,
) -> Recounted:
    """Put a reviewed notice in force and move the dates that rest on it, in one transaction.

    With `expected`, the digest of the preview, only if exactly that would move. Raises
    TransitionNotAllowed, PermissionDenied (the person who loaded it), StaleRow, ActRefused.
    """
    notice = lock(notice, version=version)
    check_transition(notice.confirm, by)
    if expected is not None:
        plan = plan_recount(calendar=calendar_with(notice), today=local_date(at))
        if digest_of(plan) != expected:
            raise ActRefused(
                _(
                    "What would move has changed since you looked. Nothing was done; look at the "
                    "list again, then confirm."
                )
            )
    former = CalendarNotice.objects.select_for_update().filter(
        year=notice.year, status=CalendarNotice.Status.IN_FORCE
    )
    for old in former:
        old.supersede()
        save(old)
    notice.confirm(by=by, at=at)
    save(notice)
    write_days(notice)
    done = recount_dates(by=by, at=at, notice=notice)
    _record(EventKind.CALENDAR_CONFIRMED, notice, by, at, moved_count=done.moved)
    return done


@transaction.atomic
def drop_notice(
    *, notice: CalendarNotice, by: User, at: datetime, reason: str, version: int | None = None
) -> CalendarNotice:
    """Throw a draft away, with a reason. Raises TransitionNotAllowed, PermissionDenied."""
    notice = lock(notice, version=version)
    check_transition(notice.drop, by)
    need_text(reason)
    notice.drop()
    save(notice)
    _record(EventKind.CALENDAR_DROPPED, notice, by, at, reason=reason)
    return notice
