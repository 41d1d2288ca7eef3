"""Every table an office keeps: choose it, take it away, or fetch it when it is ready."""

from tempfile import TemporaryFile

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_fsm import can_proceed

from supervision import permissions
from supervision.forms.ledgers import TableForm
from supervision.models import ExportRun, SavedView
from supervision.services import exports as services
from supervision.services.acts import ActRefused
from supervision.views.base import local_today, perform
from supervision.views.ledger import download
from supervision.views.navigation import Link
from supervision.views.saved_views import views_of

MOST_LISTED = 50
REFRESH_SECONDS = 3


def _require_right(user) -> None:
    if not permissions.exports_ledger(user):
        raise PermissionDenied(_("Your duties do not include taking tables out."))


@login_required
@require_GET
def ledgers(request):
    """Which table, which rows, which paper, and the button."""
    _require_right(request.user)
    return _page(request, TableForm(initial=request.GET.dict(), user=request.user))


def _page(request, form):
    context = {
        "form": form,
        "saved_views": views_of(request, SavedView.Page.LEDGERS),
        "sees_packs": permissions.sees_scores(request.user),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Tables"))],
    }
    return render(request, "desk/workbooks/ledgers.html", context)


@login_required
@require_POST
def ledgers_xlsx(request):
    """A short table at once, a long one behind the page. Both are on record.

    `show` only puts the choice into the address, with the columns of the table that was chosen.
    """
    user = request.user
    _require_right(user)
    form = TableForm(request.POST, user=user)
    if "show" in request.POST:
        return redirect(f"{reverse('supervision:ledgers')}?{form.query()}#columns")
    if not form.is_valid():
        return _page(request, form)
    now = timezone.now()
    code, reason = form.cleaned_data["sheet"], form.cleaned_data["reason"]
    parameters, described = form.parameters(), form.described()
    try:
        kind = services.kind_of(code, user)
        scope = services.scope_of(parameters, user=user, at=now, kind=kind)
        title = (
            _("%(table)s of %(document)s") % {"table": kind.title, "document": scope.document}
            if scope.document
            else str(kind.title)
        )
        name = _("%(table)s %(day)s.xlsx") % {
            "table": kind.title,
            "day": local_today().isoformat(),
        }
        if services.is_long(kind, scope):
            services.request_export(
                sheet=code,
                parameters=parameters,
                title=title,
                file_name=name,
                filter_text=described,
                by=user,
                at=now,
                reason=reason,
            )
            messages.success(
                request,
                _("The table is long: it is put together behind this page. Fetch it here."),
            )
            return redirect("supervision:exports")
        file = TemporaryFile()  # noqa: SIM115 - the response closes it
        services.export_now(
            target=file,
            kind=kind,
            scope=scope,
            title=title,
            filter_text=described,
            by=user,
            at=now,
            reason=reason,
        )
    except ActRefused as refusal:
        form.add_error(None, refusal.message)
        return _page(request, form)
    file.seek(0)
    return download(file, name)


# Exports under way


@login_required
@require_GET
def exports(request):
    """One's own exports: how far, ready to fetch, or what went wrong."""
    _require_right(request.user)
    now = timezone.now()
    runs = list(ExportRun.objects.visible_to(request.user)[:MOST_LISTED])
    for run in runs:
        run.is_silent = (
            run.status in ExportRun.OPEN_STATES
            and run.beat_at is not None
            and run.beat_at < now - services.SILENT_FOR
        )
        run.can_cancel = can_proceed(run.cancel) and not run.is_cancel_asked
        run.can_restart = can_proceed(run.restart)
    context = {
        "runs": runs,
        "is_open": any(run.status in ExportRun.OPEN_STATES for run in runs),
        "refresh_seconds": REFRESH_SECONDS,
        "kept_days": services.KEPT_FOR.days,
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Tables"), "/desk/ledgers/"),
            Link(_("Exports")),
        ],
    }
    name = "desk/workbooks/_exports.html" if request.htmx else "desk/workbooks/exports.html"
    return render(request, name, context)


def _load(request, uid) -> ExportRun:
    return get_object_or_404(ExportRun.objects.visible_to(request.user), uid=uid)


@login_required
@require_GET
def export_file(request, uid):
    """The finished workbook, for whoever asked for it, as long as it is kept."""
    _require_right(request.user)
    run = _load(request, uid)
    if run.status != ExportRun.Status.READY:
        raise Http404
    return download(run.file.open("rb"), run.file_name)


@login_required
@require_POST
def export_act(request, uid, act: str):
    """Call an export off, or ask for it once more."""
    _require_right(request.user)
    run = _load(request, uid)
    acts = {
        "cancel": (services.cancel_export, _("The export is called off.")),
        "restart": (services.restart_export, _("The export begins anew.")),
    }
    if act not in acts:
        raise Http404
    service, done = acts[act]
    perform(request, lambda: service(run=run, by=request.user, at=timezone.now()), done=done)
    return redirect("supervision:exports")
