"""What the kept pages do when the public set has changed: forget, mark as old, stand by."""

from django.conf import settings
from django.db import transaction
from wagtail.documents.models import Document
from wagtail.models import Page, Site

from cms import kept, moved, purge, snapshot, standby
from cms.models import ItemPage, SiteFrame, SnapshotPage
from cms.services import sync_item_pages
from cms.standby import PageRow, Standby
from supervision.context_processors import holds_demonstration
from supervision.models import PublicItem, public_set_key

# The file that says which public set was followed last.
FOLLOWED = "followed"


def follow_releases() -> None:
    """All kept is of yesterday, then nothing kept names what is withdrawn, then the tree of pages.

    In this order no page that is being rendered meanwhile brings a withdrawn item back (cms.kept).
    """
    key, old = public_set_key(), standby.load()
    kept.new_stamp()
    forget_withdrawn()
    sync_item_pages()
    kept.new_stamp()
    keep_standby()
    kept.mark(FOLLOWED, key)
    if settings.PUBLIC_PURGE_URLS:
        purge.send(purge.addresses(old and old.public, snapshot.read(), figure_pages()))


def follow_words() -> None:
    """After an editor's word: all kept is of yesterday, and the standby has the new words."""
    kept.new_stamp()
    keep_standby()


def catch_up() -> bool:
    """Follow a release whose process ended right after its commit; says whether there was one.

    The worker asks with every rendering.
    """
    if kept.folder() is None or kept.marked(FOLLOWED) == public_set_key():
        return False
    follow_releases()
    return True


def forget_withdrawn() -> int:
    """Take every kept page that is of an item not public or names it; says how many files went."""
    public = {entry.slug for entry in snapshot.read().entries}
    gone = PublicItem.objects.exclude(slug__in=public).values_list("slug", "data__title")
    return kept.forget(word for words in gone for word in words if word)


def tree_of(site: Site) -> dict[str, Page]:
    """Every live page of the site by its path, from the landing page on."""
    home = site.root_page
    start = len(home.url_path) - 1
    pages = home.get_descendants(inclusive=True).live().public().order_by("path").specific()
    return {page.url_path[start:]: page for page in pages}


def figure_pages() -> list[str]:
    """Paths of the pages of the tree that show figures of the public set, items apart."""
    site = moved.default_site()
    return [
        path
        for path, page in (tree_of(site) if site else {}).items()
        if isinstance(page, SnapshotPage) and not isinstance(page, ItemPage)
    ]


@transaction.atomic
def keep_standby() -> bool:
    """Write all that pages show; False when nothing is kept or the stamp has changed meanwhile."""
    stamp = kept.stamp()
    site = moved.default_site()
    if not stamp or site is None:
        return False
    tree = tree_of(site)
    frame = SiteFrame.for_site(site)
    public = snapshot.read()
    slugs = PublicItem.objects.exclude(slug__in=[entry.slug for entry in public.entries])
    return standby.keep(
        Standby(
            stamp=stamp,
            public=public,
            withdrawn=frozenset(slugs.values_list("slug", flat=True)),
            frame=frame.shown(),
            licence=frame.licence,
            is_demonstration=holds_demonstration(),
            rows=[
                PageRow(
                    title=page.title,
                    path=path,
                    published_at=page.last_published_at,
                    is_in_menu=path == "/" or (page.show_in_menus and path.count("/") == 2),
                )
                for path, page in tree.items()
                if not isinstance(page, ItemPage)
            ],
            tree=tree,
            moved=moved.moved(site),
            documents={str(one.pk): one.url for one in Document.objects.all()},
        )
    )
