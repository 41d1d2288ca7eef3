"""The ledger: choose what it shows, read it here, take it away as a workbook."""

from tempfile import TemporaryFile

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from supervision import permissions
from supervision.forms.workbooks import LedgerForm, ledger_options
from supervision.ledger_page import ledger_items, ledger_rows
from supervision.models import Assignment, SavedView
from supervision.services.files import KINDS
from supervision.services.workbooks import record_export
from supervision.spreadsheets.ledger import PRINT_COLUMNS, chosen_columns, write_ledger
from supervision.together import read_together
from supervision.views.base import local_today
from supervision.views.navigation import Link, page_of, query_without
from supervision.views.saved_views import kept_views, views_of

PAGE_SIZE = 50


def _require_right(user) -> None:
    if not permissions.exports_ledger(user):
        raise PermissionDenied(_("Your duties do not include taking the ledger out."))


@login_required
@require_GET
def ledger(request):
    """The ledger in the columns and with the filters of the address, a page at a time."""
    _require_right(request.user)
    user = request.user
    options = read_together(**ledger_options(user), views=kept_views(user, SavedView.Page.LEDGER))
    views = options.pop("views")
    form = LedgerForm(initial=request.GET.dict(), user=user, options=options)
    return _page(request, form, views)


def _shown(request, form) -> dict:
    """The rows of this page of the ledger."""
    user, today, choice = request.user, local_today(), form.chosen()
    rows = Assignment.objects.visible_to(user)
    if choice["document"] is not None:
        rows = rows.filter(item__document=choice["document"])
    body = choice["body"] if "body" in form.fields else user.organization
    if body is not None:
        rows = rows.of_body_on(body, today)
    light = choice["light"]
    items = ledger_items(rows, today=today, light=light, is_of_body=body is not None)
    page = page_of(request, items, PAGE_SIZE)
    columns = chosen_columns(PRINT_COLUMNS, form.initial["columns"])
    return {
        "page_obj": page,
        "query": query_without(request, "page"),
        "columns": columns,
        "rows": ledger_rows(
            rows,
            page.object_list,
            columns,
            today=today,
            body=body,
            light=light,
            first_number=page.start_index(),
        ),
    }


def _page(request, form, views=None):
    context = {
        **(_shown(request, form) if not form.is_bound else {}),
        "form": form,
        "chooses_columns": bool(request.GET.get("columns") or request.GET.get("details")),
        "saved_views": views_of(request, SavedView.Page.LEDGER, rows=views),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Ledger"))],
    }
    return render(request, "desk/ledger.html", context)


@login_required
@require_POST
def ledger_xlsx(request):
    """Write the ledger of what this user may see, and keep a record of it.

    `show` only puts the choice into the address, to be sent to somebody or kept as a bookmark.
    """
    user = request.user
    _require_right(user)
    form = LedgerForm(request.POST, user=user)
    if not form.is_valid():
        return _page(request, form)
    if "show" in request.POST:
        return redirect(f"{reverse('supervision:ledger')}?{form.query()}")
    rows = Assignment.objects.visible_to(user)
    document = form.cleaned_data["document"]
    if document is not None:
        rows = rows.filter(item__document=document)
    body = form.cleaned_data.get("body")
    if "body" not in form.fields:
        body = user.organization
    now, today = timezone.now(), local_today()
    filter_text = form.described(body)
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    with transaction.atomic():
        counts = write_ledger(
            file,
            assignments=rows,
            today=today,
            as_of=now,
            title=_("Supervision ledger of %(document)s") % {"document": document}
            if document
            else pgettext("ledger", "Supervision ledger"),
            filter_text=filter_text,
            unit_name=settings.OFFICE_NAME,
            body=body,
            light=form.cleaned_data["light"],
            exported_by=str(user),
            columns=form.narrowed("columns"),
            details=form.narrowed("details"),
        )
        record_export(
            by=user,
            at=now,
            rows=counts.assignments,
            filter_text=filter_text,
            document=document,
            organization=body,
        )
    file.seek(0)
    name = _("Supervision ledger %(day)s.xlsx") % {"day": today.isoformat()}
    return download(file, name)


def download(file, name: str) -> FileResponse:
    """A workbook, always as a download."""
    response = FileResponse(file, as_attachment=True, filename=name, content_type=KINDS["xlsx"])
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
