"""Name, footer and navigation of the public site, read only when a template asks."""

from types import SimpleNamespace
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from wagtail.models import Site

from cms.models import SiteFrame


def frame(request) -> dict:
    """Name, footer, canonical address, navigation: lazily, so the workbench pays nothing."""

    def load() -> SimpleNamespace:
        frame = SiteFrame.for_request(request)
        return SimpleNamespace(**frame.shown())

    footer = SimpleLazyObject(load)
    return {
        "footer": footer,
        "site_name": SimpleLazyObject(lambda: footer.site_name),
        "site_domain": SimpleLazyObject(lambda: footer.site_domain),
        "public_nav": SimpleLazyObject(lambda: _navigation(request)),
        "canonical_url": SimpleLazyObject(lambda: canonical_url(request)),
        "is_column": bool(settings.PUBLIC_PREFIX),
        "public_search_url": reverse("cms:search"),
        "public_sitemap_url": reverse("cms:site_map"),
    }


def canonical_url(request) -> str:
    """The one address of this page: plain, without mode and filters, under the portal's prefix."""
    path = settings.PUBLIC_PREFIX + quote(request.path)
    return f"{request.scheme}://{request.get_host()}{path}"


def _navigation(request) -> list[dict]:
    site = Site.find_for_request(request)
    if site is None:
        return []
    home = site.root_page
    pages = [home, *home.get_children().live().in_menu()]
    entries = []
    for page in pages:
        url = page.get_url(request) or "/"
        is_home = page.pk == home.pk
        entries.append(
            {
                "label": page.title,
                "url": url,
                "is_current": request.path == url or (not is_home and request.path.startswith(url)),
            }
        )
    return entries
