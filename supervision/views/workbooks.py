"""The return workbook: taken away, filled, brought back, looked at, and only then taken in."""

from io import BytesIO

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Min, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from supervision.forms.workbooks import WorkbookForm
from supervision.models import Assignment, ProgressReport, ReportPeriod
from supervision.rules.merge import Choice
from supervision.services.acts import ActRefused
from supervision.services.settings import working_calendar
from supervision.services.workbooks import (
    WorkbookRefused,
    apply_return_workbook,
    forget_upload,
    hand_out_workbook,
    keep_upload,
    take_upload,
)
from supervision.spreadsheets.returns import (
    Decision,
    check,
    read_return_workbook,
)
from supervision.views.base import local_today, perform
from supervision.views.body import due_words, require_body
from supervision.views.ledger import download
from supervision.views.navigation import Link

MOST_SHOWN = 200


def _periods(user):
    """The periods of the body that have begun."""
    return ReportPeriod.objects.visible_to(user).filter(
        assignment__organization_id=user.organization_id, start_date__lte=local_today()
    )


def _open_periods(user) -> list[dict]:
    """The periods that still take a return, the latest first."""
    today, calendar = local_today(), working_calendar()
    not_handed_in = Q(report=None) | Q(report__status__in=ProgressReport.EDITABLE_STATES)
    rows = list(
        _periods(user)
        .filter(
            not_handed_in,
            status=ReportPeriod.Status.OPEN,
            assignment__status__in=Assignment.IN_HAND_STATES,
        )
        .values("label")
        .annotate(due=Min("due_date"), count=Count("pk"))
        .order_by("-due", "-label")
    )
    for row in rows:
        row["code"], row["words"] = due_words(row["due"], today, calendar)
    return rows


@login_required
@require_GET
def workbook(request):
    """Which period to take away, and where to bring the filled workbook back."""
    require_body(request.user)
    return _page(request, WorkbookForm())


def _page(request, form, refusal: str = ""):
    context = {
        "periods": _open_periods(request.user),
        "form": form,
        "refusal": refusal,
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Return workbook"))],
    }
    return render(request, "desk/workbooks/workbook.html", context)


@login_required
@require_GET
def workbook_xlsx(request, label):
    """The workbook of one period, as things stand now."""
    require_body(request.user)
    body = request.user.organization
    if (
        not _periods(request.user)
        .filter(label=label)
        .exclude(assignment__status=Assignment.Status.CANCELLED)
        .exists()
    ):
        raise Http404
    file = BytesIO()
    written = perform(
        request,
        lambda: hand_out_workbook(
            target=file, organization=body, label=label, by=request.user, at=timezone.now()
        ),
    )
    if written is None:
        return redirect("supervision:workbook")
    file.seek(0)
    return download(file, _("Returns %(body)s %(period)s.xlsx") % {"body": body, "period": label})


@login_required
@require_POST
def workbook_preview(request):
    """Read a filled workbook and show what it would change. Nothing is written."""
    require_body(request.user)
    form = WorkbookForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form)
    upload = form.cleaned_data["file"]
    try:
        parsed = read_return_workbook(upload)
        preview = check(
            parsed,
            organization=request.user.organization,
            section_id=request.user.only_section_id,
        )
    except ActRefused as refusal:
        form.add_error("file", refusal.message)
        return _page(request, form)
    token = ""
    if not preview.bad and (preview.applied or preview.conflicts):
        upload.seek(0)
        token = keep_upload(content=upload.read(), by=request.user, at=timezone.now())
    return _preview_page(request, preview, token)


def _preview_page(request, preview, token: str):
    context = {
        "preview": preview,
        "bad": preview.bad[:MOST_SHOWN],
        "bad_more": max(len(preview.bad) - MOST_SHOWN, 0),
        "token": token,
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Return workbook"), "/desk/workbook/"),
            Link(_("Preview")),
        ],
    }
    return render(request, "desk/workbooks/preview.html", context)


def _decisions(data) -> dict[str, Decision]:
    """What was chosen for each conflict, with what stood in the system on that page."""
    found = {}
    for name, value in data.items():
        if name.startswith("choice:") and value in set(Choice):
            key = name.removeprefix("choice:")
            found[key] = Decision(Choice(value), data.get(f"seen:{key}", ""))
    return found


@login_required
@require_POST
def workbook_apply(request):
    """Take in the workbook that was previewed: all of it, or nothing."""
    require_body(request.user)
    token = request.POST.get("token", "")
    body = request.user.organization
    refused = None
    decisions = _decisions(request.POST)

    def act():
        nonlocal refused
        parsed = read_return_workbook(take_upload(token=token, by=request.user))
        try:
            result = apply_return_workbook(
                parsed=parsed,
                organization=body,
                by=request.user,
                at=timezone.now(),
                decisions=decisions,
            )
        except WorkbookRefused as refusal:
            refused = refusal.preview
            raise
        return parsed.label, result

    done = perform(request, act)
    if refused is not None:
        return _preview_page(request, refused, "" if refused.bad else token)
    if done is None:
        return redirect("supervision:workbook")
    forget_upload(token=token)
    label, result = done
    text = ngettext(
        "%(count)s return was saved as a draft from the workbook. Hand it on from here.",
        "%(count)s returns were saved as drafts from the workbook. Hand them on from here.",
        result.applied,
    )
    if result.applied:
        messages.success(request, text % {"count": result.applied})
    else:
        messages.success(request, _("Nothing was changed: the desk's values stay."))
    return redirect("supervision:returns_of", label)
