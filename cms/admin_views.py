"""Pages of our own among the editors' pages."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from cms import preview, snapshot
from cms.models import HomePage, ItemPage, ProgressPage
from supervision import permissions
from supervision.models import Release


def _require_publishing(request) -> None:
    if not permissions.sees_releases(request.user):
        raise PermissionDenied


def _coming(uid) -> Release:
    return get_object_or_404(Release.objects.coming(), uid=uid)


@require_safe
def next_edition(request):
    """The editions on their way to the public, each with the pages to look at."""
    _require_publishing(request)
    now = timezone.now()
    public = {entry.slug for entry in snapshot.current().entries}
    found = []
    for release in Release.objects.coming().select_related("document"):
        after = snapshot.after(release, at=now)
        own = [entry for entry in after.entries if entry.document == release.content["document"]]
        found.append(
            {
                "release": release,
                "entries": [(entry, entry.slug not in public) for entry in own],
            }
        )
    pages = [*HomePage.objects.live(), *ProgressPage.objects.live()]
    return render(
        request, "cms/admin/next_edition.html", {"editions": found, "public_pages": pages}
    )


@require_safe
@xframe_options_sameorigin
def next_page(request, uid, pk: int):
    """The landing page or the list of items, with the coming edition."""
    _require_publishing(request)
    mode = preview.mode_of(_coming(uid))
    for model in (HomePage, ProgressPage):
        page = model.objects.live().filter(pk=pk).first()
        if page is not None:
            return page.make_preview_request(request, mode)
    raise Http404


@require_safe
@xframe_options_sameorigin
def next_item(request, uid, slug: str):
    """An item's page with the coming edition, also of one that is not public yet."""
    _require_publishing(request)
    release = _coming(uid)
    page = ItemPage.objects.filter(slug=slug).first()
    if page is None:
        # Only in memory, for the address: nothing undisclosed exists as a page.
        parent = get_object_or_404(ProgressPage)
        page = ItemPage(slug=slug, title=slug, url_path=f"{parent.url_path}{slug}/", path="")
    return page.make_preview_request(request, preview.mode_of(release))
