"""What editors meet: whether the public site is fresh, and the next edition before its release."""

from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component
from wagtail.models import TaskState, WorkflowState
from wagtail.signals import (
    task_submitted,
    workflow_approved,
    workflow_rejected,
    workflow_submitted,
)

from cms import admin_views, snapshot
from cms.freshness import Part, warnings
from cms.links import DocumentLink, PageLink
from cms.models import BulletinPage, HomePage
from supervision import permissions

# The outbox is the one sender of mail (docs/decisions/0009); Wagtail's own mails would pass it by.
WAGTAIL_MAILS = (
    (task_submitted, TaskState, "group_approval_task_submitted_email_notification"),
    (workflow_submitted, WorkflowState, "workflow_state_submitted_email_notification"),
    (workflow_rejected, WorkflowState, "workflow_state_rejected_email_notification"),
    (workflow_approved, WorkflowState, "workflow_state_approved_email_notification"),
)
SENTENCES = {
    Part.HOME: _("The landing page has not changed for {days} days; its limit is {date}."),
    Part.NOTICES: _("No bulletin for {days} days; the limit is {date}."),
    Part.STATISTICS: _("No edition released for {days} days; the limit is {date}."),
}


@hooks.register("register_rich_text_features", order=100)  # after Wagtail's own
def register_links(features) -> None:
    features.register_link_type(PageLink)
    features.register_link_type(DocumentLink)


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


@hooks.register("register_admin_urls")
def add_addresses():
    # Asked for once, when every application is ready: Wagtail has connected its mails by now.
    for signal, sender, name in WAGTAIL_MAILS:
        signal.disconnect(sender=sender, dispatch_uid=name)
    return [
        path("next-edition/", admin_views.next_edition, name="cms_next_edition"),
        path(
            "next-edition/<uuid:uid>/at<path:path>",
            admin_views.next_address,
            name="cms_next_address",
        ),
    ]


class NextEditionItem(MenuItem):
    def is_shown(self, request):
        return permissions.sees_releases(request.user)


@hooks.register("register_admin_menu_item")
def add_next_edition():
    return NextEditionItem(
        _("The next edition"), reverse("cms_next_edition"), icon_name="view", order=150
    )
