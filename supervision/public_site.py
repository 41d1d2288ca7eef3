"""What the heart and the sender ask of the public site, which they must not import.

`cms` puts its own answers in place when it is ready (`cms.desk`); these are those of an
installation without public pages.
"""

from dataclasses import dataclass

from django.conf import settings

from supervision.models import Release, User


@dataclass(frozen=True)
class WaitingPages:
    """How many of the editors' pages wait for somebody, and where they are read and passed."""

    count: int
    url: str


class PublicSite:
    """Answers while there are no public pages."""

    def name(self) -> str:
        """The site's name as its pages show it."""
        return settings.SITE_FRAME["site_name"]

    def preview_url(self, release: Release, user: User) -> str:
        """Where `user` sees the public pages with an edition before its release; or nothing."""
        return ""

    def pages_to_review(self, user: User) -> WaitingPages | None:
        """The pages that wait for a review which `user` may give; None when there are none.

        At most one statement, and none for whoever reviews nothing.
        """
        return None


_site = PublicSite()


def public_site() -> PublicSite:
    return _site


def install(site: PublicSite) -> None:
    """Let `site` answer from now on. Called once, when the applications are ready."""
    global _site
    _site = site
