"""Pages of our own among the editors' pages."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from wagtail.models import Site

from cms import next_site, open_data, snapshot
from cms.following import tree_of
from cms.models import ItemPage, SnapshotPage
from cms.templatetags.cms_tags import edition_title
from cms.views import linked_pages
from supervision import permissions
from supervision.models import Release

# The pages made from the public set alone, as the list of what comes names them.
MADE = {
    "changes": _("All changes"),
    "corrections": _("Corrections"),
    "editions": _("Editions"),
    "open_data": _("Open data"),
}


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
    pages = _figure_pages()
    found = []
    for release in Release.objects.coming().select_related("document"):
        after = snapshot.after(release, at=now)
        own = [entry for entry in after.entries if entry.document == release.content["document"]]
        editions = [row for row in after.past.editions if release in row.releases]
        found.append(
            {
                "release": release,
                "pages": [
                    *pages,
                    *((MADE[name], reverse(f"cms:{name}")) for name in linked_pages(after)),
                    *((edition_title(edition), edition.url) for edition in editions),
                    (_("Site map"), reverse("cms:site_map")),
                ],
                "files": [row for edition in editions for row in _files(edition.key)],
                "entries": [(entry, entry.slug not in public) for entry in own],
            }
        )
    return render(request, "cms/admin/next_edition.html", {"editions": found})


def _files(key: str) -> list[tuple[str, str]]:
    """The open data of an edition: name and path."""
    return [
        (
            f"{table.label} {form.upper()}",
            reverse("cms:open_data_file", args=[key, table.name, form]),
        )
        for table in open_data.TABLES.values()
        for form in open_data.FORMATS
    ]


def _figure_pages() -> list[tuple[str, str]]:
    """The live pages of the tree that show figures, items apart: title and path."""
    site = Site.objects.filter(is_default_site=True).first()
    return [
        (page.title, path)
        for path, page in (tree_of(site) if site else {}).items()
        if isinstance(page, SnapshotPage) and not isinstance(page, ItemPage)
    ]


@require_safe
@xframe_options_sameorigin
def next_address(request, uid, path: str = ""):
    """An address of the public site as it will be with the coming edition."""
    _require_publishing(request)
    base = reverse("cms_next_address", args=[uid, "/"]).removesuffix("/")
    return next_site.show(request, _coming(uid), path, base=base)
