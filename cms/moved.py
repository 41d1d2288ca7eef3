"""Addresses that a page has left: where its reader finds it now.

Editors give a page another address, or say in Wagtail where an old address leads. Readers of the
old one are sent on, in their mode of reading; what leads to another site goes over the notice.
"""

from dataclasses import dataclass

from django.db.models import Q
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Site

from cms.dress import exit_address
from cms.standby import Standby, ask


@dataclass(frozen=True)
class Moved:
    """`target` is a path of this site, also for another one: the notice stands between."""

    target: str
    is_permanent: bool


def find(path: str) -> Moved | None:
    """Where an address that answers nothing leads now; None when nobody has said."""
    old = Redirect.normalise_path(path)
    if "\0" in old:
        return None

    def kept(standby: Standby) -> Moved | None:
        return standby.moved.get(old)

    return ask(lambda: moved(default_site(), only=old).get(old), kept)


def moved(site: Site | None, *, only: str = "") -> dict[str, Moved]:
    """Every old address of the site, or one: what is said of this site stands over all sites."""
    if site is None:
        return {}
    start = len(site.root_page.url_path) - 1
    rows = Redirect.objects.filter(Q(site=site) | Q(site=None)).select_related("redirect_page")
    if only:
        rows = rows.filter(old_path=only)
    found = {}
    for row in sorted(rows, key=lambda row: (row.site_id is not None, row.pk)):
        page = row.redirect_page
        if page is not None and Redirect.normalise_path(page.url_path[start:]) == row.old_path:
            continue  # the page stands there again
        if page is not None and page.live and page.url_path.startswith(site.root_page.url_path):
            found[row.old_path] = Moved(page.url_path[start:], row.is_permanent)
        elif page is None and row.redirect_link:
            link = row.redirect_link
            is_here = link.startswith("/") and not link.startswith("//")
            found[row.old_path] = Moved(link if is_here else exit_address(link), row.is_permanent)
    return found


def default_site() -> Site | None:
    return Site.objects.filter(is_default_site=True).select_related("root_page").first()
