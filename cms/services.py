"""The tree of public pages: complete after installation, and equal to the released set."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.models import (
    GroupPagePermission,
    Page,
    Site,
    Workflow,
    WorkflowPage,
    WorkflowTask,
)

from cms import snapshot
from cms.finish import STAGES
from cms.models import (
    BulletinIndexPage,
    HomePage,
    ItemPage,
    ProgressPage,
    SiteFrame,
    TextPage,
)
from cms.reviews import PageReview
from supervision.models import Role

PUBLISHER_RIGHTS = ("add_page", "change_page", "delete_page")
DELIVERED = "Moderators approval"
# What reviewers see of a page they see by its review.
REVIEWER_RIGHTS: tuple[str, ...] = ()


@transaction.atomic
def sync_site() -> HomePage:
    """Make the site complete: home, progress, bulletins, method; roles' rights. Repeatable.

    What editors wrote is never touched; only what is missing is made.
    """
    home = HomePage.objects.first()
    if home is None:
        root = Page.get_first_root_node()
        Page.objects.filter(depth=2, slug="home").exclude(
            pk__in=HomePage.objects.values("pk")
        ).delete()
        root.refresh_from_db()
        home = root.add_child(
            instance=HomePage(
                title=_("Home"),
                slug="home",
                intro=_(
                    "<p>What was promised, where it stands, since when, and why a date moved. "
                    "Every figure comes from an edition reviewed before it was released.</p>"
                ),
                body=[
                    ("changes", {"heading": _("Changes this month"), "limit": 5}),
                    ("status_strip", {"heading": _("Where things stand")}),
                    ("board", {"heading": _("All items")}),
                    ("goals", {"heading": _("Numeric goals")}),
                    ("counties", {"heading": _("Progress by county")}),
                ],
            )
        )
    site = Site.objects.filter(is_default_site=True).first()
    if site is None:
        site = Site(hostname="localhost", is_default_site=True)
    if site.root_page_id != home.pk:
        site.root_page = home
        site.site_name = _("Progress of key tasks")
        site.save()
    SiteFrame.objects.get_or_create(site=site)
    _child(
        home,
        ProgressPage(
            title=_("Progress"),
            slug="progress",
            show_in_menus=True,
            method=_(
                "<p>States are computed from dates and accepted returns; the office verifies them. "
                "“Done late” stays done late. An original date is never overwritten.</p>"
            ),
        ),
    )
    _child(home, BulletinIndexPage(title=_("Bulletins"), slug="bulletins", show_in_menus=True))
    _child(
        home,
        TextPage(
            title=_("About this site"),
            slug="about",
            show_in_menus=True,
            body=[
                (
                    "text",
                    _(
                        "<p>The supervision office releases an edition each month. A release is "
                        "written by one person and read by three others, one after the other; a "
                        "correction is a new edition and says so.</p>"
                    ),
                )
            ],
        ),
    )
    for page in (home, *home.get_children().live().filter(first_published_at=None).specific()):
        if page.first_published_at is None:
            # In the history from the beginning: an editor can go back to how it was delivered.
            page.save_revision(log_action=True).publish()
    _sync_rights(home)
    _sync_reviews(home)
    sync_item_pages()
    return home


def _child(home: HomePage, page: Page) -> None:
    if not home.get_children().filter(slug=page.slug).exists():
        home.add_child(instance=page)


def _sync_rights(home: HomePage) -> None:
    access = Permission.objects.get(content_type__app_label="wagtailadmin", codename="access_admin")
    frame = Permission.objects.get(content_type__app_label="cms", codename="change_siteframe")
    for role, rights in ((Role.PUBLISHER, PUBLISHER_RIGHTS), (Role.REVIEWER, REVIEWER_RIGHTS)):
        group, _created = Group.objects.get_or_create(name=role.value)
        group.permissions.add(access)
        GroupPagePermission.objects.filter(group=group).exclude(
            page=home, permission__codename__in=rights
        ).delete()
        for codename in rights:
            permission = Permission.objects.get(
                content_type__app_label="wagtailcore", codename=codename
            )
            GroupPagePermission.objects.get_or_create(group=group, page=home, permission=permission)
    Group.objects.get(name=Role.PUBLISHER.value).permissions.add(frame)


def _sync_reviews(home: HomePage) -> None:
    """The three reviews of pages, by whoever reviews editions; the one road to the public."""
    link = WorkflowPage.objects.filter(page=home).select_related("workflow").first()
    workflow = link.workflow if link else Workflow.objects.create(name=_("Three reviews of a page"))
    reviewers = Group.objects.get(name=Role.REVIEWER.value)
    for number, name in enumerate(STAGES):
        step = workflow.workflow_tasks.filter(sort_order=number).first()
        if step is None:
            task = PageReview.objects.create(name=name)
            step = WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=number)
        step.task.specific.groups.set([reviewers])
    WorkflowPage.objects.update_or_create(page=home, defaults={"workflow": workflow})
    # The one Wagtail was delivered with, as long as nothing ever went through it.
    for unused in Workflow.objects.filter(name=DELIVERED, workflow_states=None):
        tasks = list(unused.tasks)
        unused.delete()
        for task in tasks:
            if not task.task_states.exists() and not task.workflow_tasks.exists():
                task.delete()


@transaction.atomic
def sync_item_pages() -> dict[str, int]:
    """One live page for each item that is public now; the others are taken off. Repeatable."""
    parent = ProgressPage.objects.first()
    result = {"created": 0, "published": 0, "unpublished": 0}
    if parent is None:
        return result
    public = {entry.slug: entry for entry in snapshot.read().entries}
    pages = {page.slug: page for page in ItemPage.objects.child_of(parent)}
    for slug, entry in public.items():
        page = pages.get(slug)
        if page is None:
            parent.add_child(instance=ItemPage(title=entry.title, slug=slug))
            parent.refresh_from_db()
            result["created"] += 1
        elif not page.live or page.title != entry.title:
            page.title = page.draft_title = entry.title
            page.save_revision().publish()
            result["published"] += 1
    for slug, page in pages.items():
        if slug not in public and page.live:
            page.unpublish()
            result["unpublished"] += 1
    return result
