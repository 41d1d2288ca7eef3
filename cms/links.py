"""Links that editors put into words, to a page or a document. Read without the database as well."""

from django.utils.html import escape
from wagtail.documents.rich_text import DocumentLinkHandler
from wagtail.models import Page
from wagtail.rich_text.pages import PageLinkHandler

from cms.moved import default_site
from cms.standby import ask


def _opened(attributes: list[dict], addresses: dict[str, str]) -> list[str]:
    """The opening tag of each link; without an address for what is not public (any more)."""
    found = (addresses.get(str(each.get("id"))) for each in attributes)
    return [f'<a href="{escape(address)}">' if address else "<a>" for address in found]


class PageLink(PageLinkHandler):
    """A link to a live page of the site, by its path."""

    @classmethod
    def expand_db_attributes_many(cls, attrs_list: list[dict]) -> list[str]:
        def read() -> dict[str, str]:
            site = default_site()
            if site is None:
                return {}
            root = site.root_page.url_path
            pages = Page.objects.live().public().filter(url_path__startswith=root)
            wanted = pages.filter(pk__in=[each.get("id") for each in attrs_list])
            return {
                str(pk): path[len(root) - 1 :] for pk, path in wanted.values_list("pk", "url_path")
            }

        return _opened(
            attrs_list,
            ask(read, lambda standby: {str(page.pk): path for path, page in standby.tree.items()}),
        )


class DocumentLink(DocumentLinkHandler):
    """A link to a document that an editor put in place."""

    @classmethod
    def expand_db_attributes_many(cls, attrs_list: list[dict]) -> list[str]:
        def read() -> dict[str, str]:
            rows = cls.get_model().objects.filter(pk__in=[each.get("id") for each in attrs_list])
            return {str(row.pk): row.url for row in rows}

        return _opened(attrs_list, ask(read, lambda standby: standby.documents))
