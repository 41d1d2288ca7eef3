"""The working calendar: the years, the review of a notice, what moved, why a date is this one."""

from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from supervision import permissions
from supervision.forms.calendar import ConfirmForm, NoticeForm
from supervision.forms.office import ReasonForm
from supervision.history import entries, with_related
from supervision.models import (
    Assignment,
    CalendarNotice,
    DateChange,
    Event,
    EventKind,
    Milestone,
    Objection,
    ReportPeriod,
)
from supervision.rules.calendar_file import (
    FIRST_YEAR,
    LAST_YEAR,
    NoticeFileError,
    differences,
    missing_notices,
    oddities,
    packaged_years,
)
from supervision.rules.reasons import DATE_NAMES
from supervision.services.acts import ActRefused
from supervision.services.calendar import calendar_with, days_of
from supervision.services.notices import confirm_notice, drop_notice, load_notice
from supervision.services.recount import digest_of, plan_recount
from supervision.views.base import local_today, perform, posted_version
from supervision.views.navigation import Link, page_of, query_without
from supervision.why import WEEKDAYS, explain, year_sheets

PAGE_SIZE = 50
# A preview names this many moves; the count is always whole.
MOST_SHOWN = 200

OF_ASSIGNMENT = {
    "accept": "accept_due_date",
    "object": "objection_due_date",
    "plan": "plan_due_date",
    "due": "due_date",
}
OF_OTHERS = {
    "return": (ReportPeriod, "due_date"),
    "decide": (Objection, "decide_by_date"),
    "milestone": (Milestone, "planned_date"),
}


def _require_sight(user) -> None:
    if not permissions.sees_calendar(user):
        raise PermissionDenied(_("Your duties do not include the working calendar."))


@login_required
@require_safe
def calendar(request):
    """The years and where each stands."""
    _require_sight(request.user)
    return _years(request, NoticeForm(initial={"year": _wanted_year()}))


def _wanted_year() -> int:
    """The first year from this one on that has no notice in force."""
    today = local_today()
    known = _years_in_force()
    return next(
        (year for year in range(today.year, LAST_YEAR + 1) if year not in known), today.year
    )


def _years_in_force() -> set[int]:
    in_force = CalendarNotice.objects.filter(status=CalendarNotice.Status.IN_FORCE)
    return set(in_force.values_list("year", flat=True))


def _years(request, form, problems=()):
    by_year: dict[int, dict[str, CalendarNotice]] = {}
    numbers = dict(
        CalendarNotice.objects.order_by().values_list("year").annotate(count=Count("pk"))
    )
    shown = (CalendarNotice.Status.DRAFT, CalendarNotice.Status.IN_FORCE)
    for notice in CalendarNotice.objects.filter(status__in=shown).select_related(
        "loaded_by", "confirmed_by"
    ):
        by_year.setdefault(notice.year, {})[notice.status] = notice
    known, today = packaged_years(), local_today()
    in_force = {year for year, found in by_year.items() if "in_force" in found}
    missing = missing_notices(today, in_force)
    context = {
        "years": [
            {
                "year": year,
                "in_force": found.get("in_force"),
                "draft": found.get("draft"),
                "versions": numbers.get(year, 0),
                "rest": _count(found.get("in_force"), False),
                "work": _count(found.get("in_force"), True),
                "is_packaged": year in known,
                "is_this_year": year == today.year,
            }
            for year in range(LAST_YEAR, FIRST_YEAR - 1, -1)
            for found in [by_year.get(year, {})]
        ],
        "missing": list(missing.items()),
        "can_load": permissions.can_load_calendar(request.user),
        "form": form,
        "problems": problems,
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Working calendar"))],
    }
    return render(request, "desk/calendar/years.html", context)


def _count(notice: CalendarNotice | None, is_working: bool) -> int | None:
    if notice is None:
        return None
    return sum(day.is_working == is_working for day in days_of(notice))


@login_required
@require_POST
def calendar_load(request):
    """Load a year as a draft; a bad file is named line by line and nothing of it is used."""
    if not permissions.can_load_calendar(request.user):
        raise PermissionDenied(_("Your duties do not include the working calendar."))
    form = NoticeForm(request.POST, request.FILES)
    if not form.is_valid():
        return _years(request, form)
    values = form.cleaned_data
    try:
        notice = load_notice(
            year=values["year"],
            by=request.user,
            at=timezone.now(),
            content=values["file"].read() if values["file"] else None,
            title=values["title"],
            doc_number=values["doc_number"],
            published_date=values["published_date"],
        )
    except NoticeFileError as error:
        form.add_error("file", _("The file was not used. What is wrong is listed below."))
        return _years(request, form, problems=error.problems)
    except ActRefused as refusal:
        form.add_error(None, refusal.message)
        return _years(request, form)
    messages.success(request, _("The year was loaded as a draft. Now somebody reviews it."))
    return redirect(notice)


@login_required
@require_safe
def calendar_notice(request, uid):
    """One notice: its twelve months, what looks odd, what it would move."""
    _require_sight(request.user)
    return _notice(request, get_object_or_404(_notices(), uid=uid))


def _notices():
    return CalendarNotice.objects.select_related("loaded_by", "confirmed_by")


def _notice(request, notice: CalendarNotice, drop_form=None):
    user, days = request.user, days_of(notice)
    is_draft = notice.status == CalendarNotice.Status.DRAFT
    versions = list(CalendarNotice.objects.filter(year=notice.year).order_by("number"))
    before = next(
        (
            other
            for other in reversed(versions)
            if other.number < notice.number
            and other.status in (CalendarNotice.Status.IN_FORCE, CalendarNotice.Status.SUPERSEDED)
        ),
        None,
    )
    changes = differences(days_of(before), days) if before else []
    context = {
        "notice": notice,
        "is_draft": is_draft,
        "versions": versions if len(versions) > 1 else [],
        "before": before,
        "changes": changes,
        "weekday_words": WEEKDAYS,
        "sheets": year_sheets(notice, (day for day, _was, _now in changes)),
        "oddities": oddities(days, notice.year),
        "days": days,
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Working calendar"), reverse("supervision:calendar")),
            Link(str(notice)),
        ],
    }
    if is_draft:
        plan = plan_recount(calendar=calendar_with(notice), today=local_today())
        context |= {
            "moves": [
                {"move": move, "word": DATE_NAMES[move.key.name]}
                for move in plan.moves[:MOST_SHOWN]
            ],
            "moves_count": len(plan.moves),
            "left_out": max(len(plan.moves) - MOST_SHOWN, 0),
            "refused_count": len(plan.refused),
            "can_confirm": permissions.can_confirm_calendar(notice, user),
            "is_own_draft": notice.loaded_by_id == user.pk,
            "confirm_form": ConfirmForm(
                act="confirm", row=notice, initial={"expected": digest_of(plan)}
            ),
            "can_drop": permissions.can_drop_calendar(notice, user),
            "drop_form": drop_form or ReasonForm(act="drop", row=notice),
        }
    return render(request, "desk/calendar/notice.html", context)


@login_required
@require_POST
def calendar_act(request, uid, act):
    """Confirm or drop a draft."""
    _require_sight(request.user)
    notice = get_object_or_404(_notices(), uid=uid)
    if act == "confirm":
        run = partial(
            confirm_notice,
            notice=notice,
            by=request.user,
            at=timezone.now(),
            expected=request.POST.get("expected") or None,
            version=posted_version(request),
        )
        done = perform(request, run)
        if done is not None:
            messages.success(
                request,
                ngettext(
                    "The notice is in force; %(count)s deadline moved.",
                    "The notice is in force; %(count)s deadlines moved.",
                    done.moved,
                )
                % {"count": done.moved},
            )
        return redirect(notice)
    if act != "drop":
        raise Http404
    form = ReasonForm(request.POST, act="drop", row=notice)
    if not form.is_valid():
        return _notice(request, notice, drop_form=form)
    run = partial(
        drop_notice,
        notice=notice,
        by=request.user,
        at=timezone.now(),
        reason=form.cleaned_data["reason"],
        version=posted_version(request),
    )
    perform(request, run, done=_("The draft was dropped; the calendar is as it was."))
    return redirect("supervision:calendar")


@login_required
@require_safe
def calendar_moves(request):
    """The dates the calendar moved, of what the reader sees, latest first."""
    moved = (
        Event.objects.visible_to(request.user)
        .filter(kind=EventKind.DATE_RECOUNTED)
        .select_related("assignment__item", "organization", "period", "milestone")
        .order_by("-recorded_at", "-pk")
    )
    page = page_of(request, moved, PAGE_SIZE)
    for event in page.object_list:
        event.word = DATE_NAMES.get(event.data.get("date_name"), "")
    context = {
        "page_obj": page,
        "query": query_without(request, "page"),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Moved by the holiday calendar"))],
    }
    return render(request, "desk/calendar/moves.html", context)


@login_required
@require_safe
def why_date(request, field, uid):
    """Why a date of a share is this one (为什么是这一天)."""
    user, of = request.user, {}
    if field in OF_ASSIGNMENT:
        row = get_object_or_404(
            Assignment.objects.visible_to(user).select_related("item", "organization"), uid=uid
        )
        share, attribute = row, OF_ASSIGNMENT[field]
        receipt = row.due_receipt if field == "due" else row.receipts.get(field, {})
    elif field in OF_OTHERS:
        model, attribute = OF_OTHERS[field]
        row = get_object_or_404(
            model.objects.visible_to(user).select_related(
                "assignment__item", "assignment__organization"
            ),
            uid=uid,
        )
        share, receipt = row.assignment, row.receipt
        if field in ("return", "milestone"):
            of = {"period" if field == "return" else "milestone": row}
    else:
        raise Http404
    day = getattr(row, attribute)
    if day is None:
        raise Http404
    changes = DateChange.objects.none()
    if field == "due":
        changes = share.date_changes.filter(milestone=None)
    elif field == "milestone":
        changes = row.date_changes.all()
    recounts = share.events.filter(
        kind=EventKind.DATE_RECOUNTED, data__date_name=field, **of
    ).order_by("-recorded_at", "-pk")
    context = {
        "share": share,
        "item": share.item,
        "word": DATE_NAMES[field],
        "about": _about(field, row),
        "day": day,
        "weekday_words": WEEKDAYS,
        "told": explain(receipt, day),
        "changes": changes.select_related("agreed_by"),
        "original_date": share.original_due_date if field == "due" else None,
        "entries": entries(with_related(recounts)),
        "today": local_today(),
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(str(share.item), share.get_absolute_url()),
            Link(_("Why this day")),
        ],
    }
    return render(request, "desk/calendar/why.html", context)


def _about(field: str, row) -> str:
    """Which of several: the period, the milestone."""
    return str(row) if field in ("return", "milestone") else ""
