"""What the site does when the public set has changed."""

from cms.services import sync_item_pages


def follow_releases(sender, release, **kwargs) -> None:
    """Make the tree of item pages equal to the released set."""
    sync_item_pages()
