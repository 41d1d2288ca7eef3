"""The packs of the monthly meetings: made once, fetched for ever, checked against their hashes."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from supervision import permissions
from supervision.models import MeetingPack, MeetingPackFile
from supervision.services.packs import is_whole, make_pack
from supervision.views.base import perform
from supervision.views.ledger import download
from supervision.views.navigation import Link, page_of

PAGE_SIZE = 12


def _require_right(user) -> None:
    if not permissions.sees_scores(user):
        raise PermissionDenied(_("Meeting packs stay with the office."))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def packs(request):
    """Every pack, the latest first; a new one is made by POST."""
    _require_right(request.user)
    if request.method == "POST":
        perform(
            request,
            lambda: make_pack(by=request.user, at=timezone.now()),
            done=_("The pack is made and will not change any more."),
        )
        return redirect("supervision:packs")
    rows = MeetingPack.objects.select_related("made_by").prefetch_related("files").defer("figures")
    context = {
        "page_obj": page_of(request, rows, PAGE_SIZE),
        "can_make": permissions.can_make_packs(request.user),
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Tables"), "/desk/ledgers/"),
            Link(_("Meeting packs")),
        ],
    }
    return render(request, "desk/workbooks/packs.html", context)


@login_required
@require_GET
def pack_file(request, uid):
    """One file of a pack; what is not what was frozen is not handed out."""
    _require_right(request.user)
    row = MeetingPackFile.objects.filter(uid=uid).first()
    if row is None or not is_whole(row):
        raise Http404
    return download(row.file.open("rb"), row.name)
