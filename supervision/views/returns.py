"""A body's returns: the list of periods, and a whole period on one page, saved row by row."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import Count, Min, Q
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from supervision.forms import body as forms
from supervision.models import (
    Assignment,
    Cause,
    ProgressReport,
    ReportPeriod,
    Role,
)
from supervision.rules.lights import Light
from supervision.services import reports as services
from supervision.services.acts import ActRefused, StaleRow
from supervision.services.files import add_attachment
from supervision.services.settings import working_calendar
from supervision.views.assignments import (
    act_links,
    return_url,
)
from supervision.views.base import local_today
from supervision.views.body import due_words, require_body
from supervision.views.navigation import chips, page_of, query_without
from supervision.views.return_rows import (
    Brief,
    Row,
    briefs_of,
    of_section,
    own_periods,
    progress_of,
    rows_of,
)

Status = ProgressReport.Status
# An ordinary body has about twenty returns a month; what is more goes on further pages.
PAGE_SIZE = 50


@login_required
@require_safe
def returns(request):
    """The periods of a body, newest first, and how far each is filed."""
    require_body(request.user)
    today = local_today()
    calendar = working_calendar()
    rows = list(
        own_periods(request.user)
        .filter(start_date__lte=today)
        .exclude(assignment__status=Assignment.Status.CANCELLED)
        .values("label")
        .annotate(
            due=Min("due_date"),
            total=Count("pk", filter=_is_owed()),
            skipped=Count("pk", filter=Q(status=ReportPeriod.Status.SKIPPED)),
            filed=Count("pk", filter=Q(report__status__in=[Status.SUBMITTED, Status.APPROVED])),
            waiting=Count("pk", filter=Q(report__status=Status.UNDER_SIGN_OFF)),
            returned=Count("pk", filter=Q(report__status=Status.RETURNED)),
        )
        .order_by("-due", "-label")
    )
    for row in rows:
        row["url"] = reverse("supervision:returns_of", args=[row["label"]])
        if row["filed"] >= row["total"]:
            row["code"], row["words"] = "done", _("All filed")
        elif row["due"] < today and row["label"] != rows[0]["label"]:
            # Long past: what is missing is on record, and may still be handed in.
            missing = row["total"] - row["filed"]
            row["code"] = Light.YELLOW
            row["words"] = ngettext(
                "%(count)s return missing", "%(count)s returns missing", missing
            ) % {"count": missing}
        else:
            row["code"], row["words"] = due_words(row["due"], today, calendar)
    return render(request, "desk/reports/returns.html", {"periods": rows})


def _is_owed() -> Q:
    """Periods for which something was written or still can be."""
    can_be = Q(report__isnull=False) | Q(assignment__status__in=Assignment.IN_HAND_STATES)
    return Q(status=ReportPeriod.Status.OPEN) & can_be


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def returns_of(request, label):
    """The returns of one period: all shares of the body on one page, of a large body on several.

    A submit is about the rows of its page, which it names, and leads back there.
    """
    require_body(request.user)
    briefs = briefs_of(request.user, label)
    if not briefs:
        raise Http404
    posted = set(request.POST.getlist("row"))
    troubled: dict[int, tuple] = {}
    if request.method == "POST":
        sent = [brief for brief in briefs if not posted or str(brief.uid) in posted]
        posted = {str(brief.uid) for brief in sent}
        rows = rows_of(request.user, label, briefs, [brief.pk for brief in sent])
        troubled = save_rows(request, rows)
        if not troubled:
            return redirect(_after(request, label))
        briefs = briefs_of(request.user, label)
    sections = list(request.user.organization.sections.filter(is_active=True))
    shown = briefs
    if sections and not troubled:
        shown = of_section(briefs, request.GET.get("section", ""))
    if wanted := request.GET.get("q", "").strip():
        shown = [brief for brief in shown if wanted.casefold() in brief.title.casefold()]
    is_head = request.user.has_role(Role.BODY_HEAD)
    shown.sort(key=lambda brief: brief.urgency(is_head=is_head))
    page = _page_of(request, [brief for brief in shown if not brief.is_idle])
    idle = page_of(request, [brief for brief in shown if brief.is_idle], PAGE_SIZE, name="idle")
    on_page = [*page.object_list, *idle.object_list]
    if troubled:
        # What was sent stays together, wherever it would stand now.
        on_page = [brief for brief in shown if str(brief.uid) in posted]
    rows = rows_of(request.user, label, briefs, [brief.pk for brief in on_page])
    for row in rows:
        if row.period.pk in troubled:
            row.form, row.theirs = troubled[row.period.pk]
        if row.period.status == ReportPeriod.Status.OPEN:
            row.links = act_links(row.assignment, request.user, back=return_url(row.period))
    today = local_today()
    due = min((brief.due_date for brief in shown), default=today)
    code, words = due_words(due, today, working_calendar())
    open_rows = [row for row in rows if row.is_editable]
    waiting = [row for row in rows if row.is_under_sign_off]
    context = {
        **progress_of(shown),
        "sections": chips(
            request,
            "section",
            [("", _("All sections"), None)]
            + [(str(row.uid), row.name, None) for row in sections]
            + [("none", _("No section"), None)],
        )
        if sections and request.user.only_section_id is None
        else [],
        "label": label,
        "rows": [row for row in rows if not row.is_idle],
        "idle_rows": [row for row in rows if row.is_idle],
        "page_obj": page,
        "idle_page": idle,
        "query": query_without(request, "page", "row"),
        "idle_query": query_without(request, "idle", "row"),
        "section": request.GET.get("section", ""),
        "q": wanted,
        "is_searched": bool(wanted) or len(briefs) > PAGE_SIZE,
        "due": due,
        "code": code,
        "words": words,
        "is_head": is_head,
        "can_act": bool(open_rows) or (is_head and bool(waiting)),
        "has_form": bool(open_rows),
    }
    return render(request, "desk/reports/returns_of.html", context)


def _page_of(request, briefs: list[Brief]) -> Page:
    """The page asked for by number, or else the one on which the named return stands."""
    if "page" not in request.GET and (uid := request.GET.get("row")):
        place = next((n for n, brief in enumerate(briefs) if str(brief.uid) == uid), 0)
        return Paginator(briefs, PAGE_SIZE).get_page(place // PAGE_SIZE + 1)
    return page_of(request, briefs, PAGE_SIZE)


def _after(request, label: str) -> str:
    """Where a submit leads: to its page with its filters, or to the page its button named."""
    address = reverse("supervision:returns_of", args=[label])
    query = query_without(request, "page", "row")
    number = request.POST.get("go_to") or request.GET.get("page", "")
    if number.isdecimal():
        query = "&".join(part for part in (query, urlencode({"page": number})) if part)
    return f"{address}?{query}" if query else address


@login_required
@require_POST
def return_draft(request, label, uid):
    """Save one row as it was typed; the answer is what the page shows beside it.

    409 when somebody else was faster: both texts are shown, nothing is overwritten. What has a
    mistake in it is named and left out, the rest is kept.
    """
    require_body(request.user)
    briefs = briefs_of(request.user, label)
    brief = next((brief for brief in briefs if brief.uid == uid), None)
    if brief is None:
        raise Http404
    (row,) = rows_of(request.user, label, briefs, [brief.pk])
    if not row.is_editable:
        return _state_of(
            request, label, uid, problems=[_("This return is out of your hands now.")], status=409
        )
    form = row.new_form(request.POST)
    form.is_valid()
    problems = [
        _("%(field)s: %(problem)s") % {"field": form.fields[name].label, "problem": text}
        for name, texts in form.errors.items()
        for text in texts
    ]
    wants = form.cleaned_data.get("is_complete", False)
    typed_on = form.cleaned_data.get("version")
    try:
        with transaction.atomic():
            report = row.report
            if form.is_touched or report is None:
                report = _store(request, row, form, typed_on)
            if report.is_marked_complete and not wants:
                report = _mark(request, report, False)
    except StaleRow as refusal:
        return _state_of(
            request,
            label,
            uid,
            problems=[refusal.message],
            theirs=_theirs(refusal.row),
            status=409,
        )
    except (ActRefused, TransitionNotAllowed, ConcurrentTransition) as refusal:
        return _state_of(request, label, uid, problems=[str(refusal)], status=409)
    if wants and not report.is_marked_complete:
        try:
            _mark(request, report, True)
        except ActRefused as refusal:
            problems.append(refusal.message)
    return _state_of(request, label, uid, problems=problems)


def _mark(request, report: ProgressReport, is_complete: bool) -> ProgressReport:
    return services.mark_report(
        report=report,
        by=request.user,
        at=timezone.now(),
        is_complete=is_complete,
        version=report.version,
    )


def _state_of(request, label, uid, *, problems=(), theirs=None, status=200) -> JsonResponse:
    """What a row and the page's count look like after it was saved, or was not."""
    briefs = briefs_of(request.user, label)
    (row,) = rows_of(
        request.user, label, briefs, [brief.pk for brief in briefs if brief.uid == uid]
    )
    row.theirs = theirs
    rates = {}
    if row.form is not None:
        rates = {
            str(figure["target"].pk): f"{figure['rate']}%" if figure["rate"] is not None else "—"
            for figure in row.form.figure_rows()
        }
    state = render_to_string(
        "desk/reports/_row_state.html", {"row": row, "problems": problems}, request
    )
    return JsonResponse(
        {
            "state": state,
            "version": row.report.version if row.report else "",
            "is_complete": row.is_marked,
            "has_moves": bool(row.moves),
            "rates": rates,
            "count": render_to_string("desk/reports/_count.html", progress_of(briefs), request),
        },
        status=status,
    )


SUBMITS = ("hand_on", "hand_on_all", "release", "release_all")


def save_rows(request, rows: list[Row]) -> dict[int, tuple]:
    """Save and, if asked, hand on each row in its own transaction.

    `hand_on` takes what is marked complete or chosen, `hand_on_all` everything written, `release`
    what the head chose, `release_all` what waits for him or is marked. Returns the rows that
    could not be saved, by period: the form with what was typed, and the text of whoever was
    faster (None if nobody was).
    """
    act = request.POST.get("act", "save")
    chosen = set(request.POST.getlist("chosen"))
    user = request.user
    if act.startswith("release") and not user.has_role(Role.BODY_HEAD):
        raise PermissionDenied(_("Your duties do not include this act."))
    troubled: dict[int, tuple] = {}
    saved = handed = refused = 0
    for row in rows:
        report = row.report
        is_marked = row.is_marked
        if row.is_editable:
            form = row.new_form(request.POST, request.FILES)
            if form.add_prefix("progress_text") not in request.POST:
                continue  # the page was opened before this row came to it
            is_marked = form.add_prefix("is_complete") in request.POST
            is_chosen = act in SUBMITS and str(row.period.uid) in chosen
            if form.is_touched or is_marked or (report is None and is_chosen):
                report = _save_row(request, row, form, troubled)
                if report is None:
                    continue
                saved += form.is_touched
            is_marked = _remark(request, row, report, is_marked)
            if is_marked is None:
                refused += 1
                continue
        if report is None or not _is_wanted(act, row, report, chosen, is_marked=is_marked):
            continue
        went = _hand_on(request, row, report, act)
        handed += went is True
        refused += went is False
    _tell(request, act, saved, handed, refused, troubled)
    return troubled


def _remark(request, row: Row, report: ProgressReport | None, is_marked: bool) -> bool | None:
    """Let the mark follow the page; None when it was refused, which is told."""
    if report is None or report.is_marked_complete == is_marked:
        return is_marked
    try:
        marked = _mark(request, report, is_marked)
    except (ActRefused, ConcurrentTransition) as refusal:
        messages.error(
            request,
            _("%(item)s: %(reason)s") % {"item": row.assignment.item.title, "reason": refusal},
        )
        return None
    report.version, report.is_marked_complete = marked.version, marked.is_marked_complete
    return is_marked


def _is_wanted(act: str, row: Row, report: ProgressReport, chosen: set, *, is_marked) -> bool:
    if act == "release_all":
        return bool(is_marked) or report.status == Status.UNDER_SIGN_OFF
    if act == "hand_on_all":
        return bool(report.progress_text.strip())
    if act not in SUBMITS:
        return False
    # For the head a mark is the writer's word; one by one he releases what he chose.
    return str(row.period.uid) in chosen or (act == "hand_on" and bool(is_marked))


def _tell(request, act: str, saved: int, handed: int, refused: int, troubled: dict) -> None:
    if saved:
        messages.success(
            request,
            ngettext("%(count)s return was saved.", "%(count)s returns were saved.", saved)
            % {"count": saved},
        )
    if handed:
        text = (
            ngettext("%(count)s return was released.", "%(count)s returns were released.", handed)
            if act.startswith("release")
            else ngettext(
                "%(count)s return was handed to the head of your body.",
                "%(count)s returns were handed to the head of your body.",
                handed,
            )
        )
        messages.success(request, text % {"count": handed})
    if not (saved or handed or refused or troubled):
        if act in SUBMITS:
            messages.warning(request, _("Nothing was submitted: mark at least one row complete."))
        else:
            messages.info(request, _("Nothing was changed, so nothing was saved."))
    if troubled:
        messages.error(
            request,
            ngettext(
                "%(count)s return was not saved; it is marked below.",
                "%(count)s returns were not saved; they are marked below.",
                len(troubled),
            )
            % {"count": len(troubled)},
        )


def _store(request, row: Row, form: forms.ReturnForm, typed_on: int | None) -> ProgressReport:
    """Write what was typed rightly; raises StaleRow when somebody wrote after `typed_on`."""
    now = timezone.now()
    existing = ProgressReport.objects.filter(period=row.period).first()
    if existing is not None and typed_on is None:
        raise StaleRow(existing)
    report = existing or services.open_report(period=row.period, by=request.user, at=now)
    return services.save_report(
        report=report,
        by=request.user,
        at=now,
        version=report.version if existing is None else typed_on,
        figures=form.figures,
        **form.texts,
    )


def _save_row(request, row: Row, form: forms.ReturnForm, troubled: dict) -> ProgressReport | None:
    """Save one row; None when it could not be, with the reason in its form."""
    if not form.is_valid():
        troubled[row.period.pk] = (form, None)
        return None
    if not form.is_touched and row.report is not None:
        return row.report
    try:
        with transaction.atomic():
            report = _store(request, row, form, form.cleaned_data["version"])
            for upload in form.cleaned_data["files"]:
                add_attachment(
                    assignment=row.assignment,
                    report=report,
                    by=request.user,
                    at=timezone.now(),
                    upload=upload,
                )
    except StaleRow as refusal:
        form.add_error(None, refusal.message)
        form.renew_version(refusal.row.version)
        troubled[row.period.pk] = (form, _theirs(refusal.row))
    except (ActRefused, TransitionNotAllowed, ConcurrentTransition) as refusal:
        form.add_error(None, str(refusal))
        troubled[row.period.pk] = (form, None)
    else:
        return report
    return None


def _theirs(report: ProgressReport) -> dict:
    """What somebody else wrote meanwhile, to be laid beside what was typed."""
    return {
        "by": report.filled_by,
        "texts": [
            (ProgressReport._meta.get_field(name).verbose_name, getattr(report, name))
            for name in ("progress_text", "problem_text", "next_text", "coordination_text")
            if getattr(report, name)
        ]
        + [(_("Own estimate (percent)"), report.self_percent)] * (report.self_percent is not None)
        + [(_("Cause of delay"), Cause(report.cause).label)] * bool(report.cause),
    }


def _hand_on(request, row: Row, report: ProgressReport, act: str) -> bool | None:
    """Hand one saved return to the head, or release it: True, False when it was refused.

    None when there is nothing to hand on any more.
    """
    service = services.submit_report if act.startswith("release") else services.ask_sign_off
    may_go = report.status in ProgressReport.EDITABLE_STATES or (
        act.startswith("release") and report.status == Status.UNDER_SIGN_OFF
    )
    if not may_go:
        return None
    try:
        service(report=report, by=request.user, at=timezone.now(), version=report.version)
    except (ActRefused, TransitionNotAllowed, ConcurrentTransition) as refusal:
        messages.error(
            request,
            _("%(item)s: %(reason)s") % {"item": row.assignment.item.title, "reason": refusal},
        )
        return False
    return True
