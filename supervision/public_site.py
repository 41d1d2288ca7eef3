"""What the heart and the sender ask of the public site, which they must not import.

`cms` puts its own answers in place when it is ready (`cms.desk`); these are those of an
installation without public pages.
"""

from django.conf import settings

from supervision.models import Release, User


class PublicSite:
    """Answers while there are no public pages."""

    def name(self) -> str:
        """The site's name as its pages show it."""
        return settings.SITE_FRAME["site_name"]

    def preview_url(self, release: Release, user: User) -> str:
        """Where `user` sees the public pages with an edition before its release; or nothing."""
        return ""

    def pages_to_review(self, user: User) -> int:
        """How many of the editors' pages wait for a review that `user` may give."""
        return 0

    def reviews_url(self) -> str:
        """Where those pages are read and passed."""
        return ""


_site = PublicSite()


def public_site() -> PublicSite:
    return _site


def install(site: PublicSite) -> None:
    """Let `site` answer from now on. Called once, when the applications are ready."""
    global _site
    _site = site
