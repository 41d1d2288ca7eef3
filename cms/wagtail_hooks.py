"""What editors meet first: whether the public site is fresh."""

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.ui.components import Component

from cms import snapshot
from cms.freshness import Part, warnings
from cms.models import BulletinPage, HomePage

SENTENCES = {
    Part.HOME: _("The landing page has not changed for {days} days; its limit is {date}."),
    Part.NOTICES: _("No bulletin for {days} days; the limit is {date}."),
    Part.STATISTICS: _("No edition released for {days} days; the limit is {date}."),
}


def last_changes() -> dict:
    """The local day each part of the site last changed, from releases and published pages."""

    def day(moment):
        return timezone.localdate(moment) if moment else None

    released = day(snapshot.current().released_at)
    home = HomePage.objects.live().order_by("-last_published_at").first()
    bulletin = BulletinPage.objects.live().order_by("-published_date").first()
    notice = bulletin.published_date if bulletin else None
    edited = day(home.last_published_at) if home else None
    dated = [one for one in (released, notice, edited) if one]
    return {
        Part.HOME: max(dated, default=None),
        Part.NOTICES: notice,
        Part.STATISTICS: released,
    }


class FreshnessPanel(Component):
    """Warnings in the first place of the editors' home."""

    order = 10

    def render_html(self, parent_context):
        found = warnings(last_changes(), timezone.localdate())
        if not found:
            return format_html(
                '<section class="w-panel"><h2>{}</h2></section>', _("The public site is fresh")
            )
        lines = [
            (
                "help-critical" if warning.is_over else "help-warning",
                str(SENTENCES[warning.part]).format(
                    days=warning.days, date=warning.limit_date.isoformat()
                ),
            )
            for warning in found
        ]
        return format_html(
            '<section class="w-panel"><h2>{}</h2>{}</section>',
            _("The public site needs attention"),
            format_html_join("", '<div class="help-block {}">{}</div>', lines),
        )


@hooks.register("construct_homepage_panels")
def add_freshness(request, panels):
    panels.insert(0, FreshnessPanel())
