"""A breakdown table somebody else made: uploaded, looked at, understood, and only then taken in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from supervision import permissions
from supervision.forms.tables import (
    FIELD_WORDS,
    BreakdownForm,
    BreakdownUploadForm,
    answers_of,
    mapping_of,
)
from supervision.models import Organization
from supervision.services import tables as services
from supervision.services.acts import ActRefused
from supervision.services.workbooks import forget_upload, keep_upload, take_upload
from supervision.spreadsheets.breakdown import EVERY_COUNTY, UNRESOLVED, check_table
from supervision.views.navigation import Link

MOST_SHOWN = 200


def _require_right(user) -> None:
    if not permissions.can_import_tables(user):
        raise PermissionDenied(_("Your duties do not include taking tables in."))


@login_required
@require_GET
def tables(request):
    """Choose the file and say what document it is."""
    _require_right(request.user)
    return _first_page(request, BreakdownUploadForm())


def _first_page(request, form):
    context = {"form": form, "sources": form.sources(), "crumbs": _crumbs()}
    return render(request, "desk/workbooks/tables.html", context)


def _crumbs(*more: Link) -> list[Link]:
    return [
        Link(_("Home"), "/desk/"),
        Link(_("Documents"), "/desk/documents/"),
        Link(_("Take in a breakdown table"), "/desk/tables/"),
        *more,
    ]


def _look(request, form, table, token):
    """Understand the table with everything the person has said so far."""
    mapping, answers = mapping_of(request.POST), answers_of(request.POST)
    check = check_table(
        table,
        mapping=mapping,
        remembered=services.remembered_headings(form.cleaned_data["source"]),
        answers=answers,
        year=form.cleaned_data["issued_date"].year,
    )
    return check, answers


def _second_page(request, form, table, check, token, refusal: str = ""):
    if refusal:
        messages.error(request, refusal)
    context = {
        "form": form,
        "table": table,
        "check": check,
        "token": token,
        "bad": check.bad[:MOST_SHOWN],
        "bad_more": max(len(check.bad) - MOST_SHOWN, 0),
        "sample": check.rows[:5],
        "fields": FIELD_WORDS.items(),
        "missing": [FIELD_WORDS[name] for name in check.missing],
        "unresolved": UNRESOLVED,
        "every_county": EVERY_COUNTY,
        "bodies": Organization.objects.in_official_order() if check.unknown else (),
        "crumbs": _crumbs(Link(_("Preview"))),
    }
    return render(request, "desk/workbooks/table_preview.html", context)


@login_required
@require_POST
def tables_preview(request):
    """Read the table and show what it says. Nothing is written."""
    _require_right(request.user)
    token = request.POST.get("token", "")
    form = (BreakdownForm if token else BreakdownUploadForm)(request.POST, request.FILES or None)
    if not form.is_valid():
        if not token:
            return _first_page(request, form)
        return redirect("supervision:tables")
    try:
        upload = take_upload(token=token, by=request.user) if token else form.cleaned_data["file"]
        table = services.open_table(upload, request.POST.get("sheet", ""))
        if not token:
            upload.seek(0)
            token = keep_upload(content=upload.read(), by=request.user, at=timezone.now())
    except ActRefused as refusal:
        if "file" not in form.fields:
            messages.error(request, refusal.message)
            return redirect("supervision:tables")
        form.add_error("file", refusal.message)
        return _first_page(request, form)
    check, _answers = _look(request, form, table, token)
    return _second_page(request, form, table, check, token)


@login_required
@require_POST
def tables_apply(request):
    """Draft the document and its items: all of them, or none."""
    _require_right(request.user)
    token = request.POST.get("token", "")
    form = BreakdownForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say where the table comes from, and which document it is."))
        return redirect("supervision:tables")
    try:
        upload = take_upload(token=token, by=request.user)
        table = services.open_table(upload, request.POST.get("sheet", ""))
    except ActRefused as refusal:
        messages.error(request, refusal.message)
        return redirect("supervision:tables")
    check, answers = _look(request, form, table, token)
    try:
        result = services.import_table(
            check=check,
            source=form.cleaned_data["source"],
            doc_number=form.cleaned_data["doc_number"],
            title=form.cleaned_data["title"],
            issued_date=form.cleaned_data["issued_date"],
            answers=answers,
            by=request.user,
            at=timezone.now(),
        )
    except ActRefused as refusal:
        return _second_page(request, form, table, check, token, refusal.message)
    forget_upload(token=token)
    messages.success(
        request,
        _("%(count)s items were drafted. Look through them, then put the document in force.")
        % {"count": len(check.rows)},
    )
    return redirect("supervision:document", uid=result.document.uid)
