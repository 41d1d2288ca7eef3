"""What the desk and the sender of mail ask of the public site (`supervision.public_site`)."""

from django.urls import reverse
from wagtail.models import Site

from cms.models import SiteFrame
from cms.reviews import open_to
from supervision import permissions
from supervision.models import Release
from supervision.public_site import PublicSite, WaitingPages


def edits_pages(user) -> bool:
    """Whether the editors' pages open for this person; a deputy goes there as himself."""
    has_duty = user.has_role(permissions.PUBLISHER, permissions.REVIEWER)
    return has_duty and getattr(user, "deputy", None) is None


class WagtailSite(PublicSite):
    """The answers of the pages in Wagtail."""

    def name(self) -> str:
        site = Site.objects.filter(is_default_site=True).first()
        frame = SiteFrame.objects.filter(site=site).first() if site else None
        return frame.shown()["site_name"] if frame else super().name()

    def preview_url(self, release: Release, user) -> str:
        if release.status not in Release.HANDED_IN or not edits_pages(user):
            return ""
        return reverse("cms_next_address", args=[release.uid, "/"])

    def pages_to_review(self, user) -> WaitingPages | None:
        if not user.has_role(permissions.REVIEWER) or not edits_pages(user):
            return None
        count = open_to(user).count()
        return WaitingPages(count, reverse("wagtailadmin_home")) if count else None
