"""Name, footer and navigation of the public site, read only when a template asks."""

from types import SimpleNamespace
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from wagtail.models import Site

from cms.middleware import DESK
from cms.models import SiteFrame
from cms.standby import Standby, ask
from supervision.context_processors import is_demonstration


def frame(request) -> dict:
    """Name, footer, canonical address, navigation: lazily, so the workbench pays nothing."""

    def load() -> SimpleNamespace:
        shown = ask(lambda: SiteFrame.for_request(request).shown(), lambda standby: standby.frame)
        return SimpleNamespace(**shown)

    footer = SimpleLazyObject(load)
    shown = {
        "footer": footer,
        "site_name": SimpleLazyObject(lambda: footer.site_name),
        "site_domain": SimpleLazyObject(lambda: footer.site_domain),
        "public_nav": SimpleLazyObject(lambda: _navigation(request)),
        "canonical_url": SimpleLazyObject(lambda: canonical_url(request)),
        "is_column": bool(settings.PUBLIC_PREFIX),
        "public_search_url": reverse("cms:search"),
        "public_sitemap_url": reverse("cms:site_map"),
    }
    if not request.path.startswith(DESK):
        shown["is_demonstration"] = SimpleLazyObject(
            lambda: ask(lambda: is_demonstration(request), lambda standby: standby.is_demonstration)
        )
    return shown


def canonical_url(request) -> str:
    """The one address of this page: plain, without mode and filters, under the portal's prefix."""
    path = settings.PUBLIC_PREFIX + quote(request.path)
    return f"{request.scheme}://{request.get_host()}{path}"


def _navigation(request) -> list[dict]:
    """The landing page and what hangs below it in the menu."""

    def read() -> list[tuple[str, str]]:
        site = Site.find_for_request(request)
        if site is None:
            return []
        home = site.root_page
        pages = [home, *home.get_children().live().in_menu()]
        return [(page.title, page.get_url(request) or "/") for page in pages]

    def kept(standby: Standby) -> list[tuple[str, str]]:
        return [(row.title, row.path) for row in standby.rows if row.is_in_menu]

    return [
        {
            "label": title,
            "url": url,
            "is_current": request.path == url or (url != "/" and request.path.startswith(url)),
        }
        for title, url in ask(read, kept)
    ]
