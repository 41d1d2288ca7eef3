"""Pages of the public site. Editors own the words; figures come from released editions."""

from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page

from cms import preview, snapshot
from cms.blocks import FIGURES, WORDS
from cms.filters import CHOICES, NAMES, Filters, refuse_parameters
from cms.reviews import ReleasedPageTester, ReviewedPageTester, ReviewLock
from cms.standby import Standby, ask
from supervision.public_address import public_origin


@register_setting(icon="site")
class SiteFrame(BaseSiteSetting):
    """Name and footer of every page; what is inspected on government sites.

    A blank one is filled by the installation's setting, which production requires (cms.checks).
    """

    site_name = models.CharField(_("site name"), max_length=60, blank=True)
    site_domain = models.CharField(_("domain"), max_length=120, blank=True)
    site_code = models.CharField(
        _("site code"),
        max_length=10,
        blank=True,
        validators=[
            RegexValidator(r"^(\d{10}|bm\d{8})$", _("Ten digits, or bm and eight digits."))
        ],
    )
    party_mark = models.CharField(
        _("identifier of the mark of party and government bodies"),
        max_length=32,
        blank=True,
        validators=[RegexValidator(r"^[0-9A-Fa-f]{32}$", _("32 hexadecimal digits."))],
    )
    organizer = models.CharField(_("published by"), max_length=80, blank=True)
    undertaker = models.CharField(_("run by"), max_length=80, blank=True)
    contact = models.CharField(_("contact"), max_length=120, blank=True)
    icp = models.CharField(_("ICP record"), max_length=60, blank=True)
    police = models.CharField(_("public security record"), max_length=60, blank=True)
    licence = models.TextField(_("licence of the open data"), blank=True, max_length=1000)

    panels = [
        FieldPanel(name)
        for name in (
            "site_name",
            "site_domain",
            "site_code",
            "party_mark",
            "organizer",
            "undertaker",
            "contact",
            "icp",
            "police",
            "licence",
        )
    ]

    ELEMENTS = (
        "site_name",
        "site_domain",
        "site_code",
        "party_mark",
        "organizer",
        "undertaker",
        "contact",
        "icp",
        "police",
    )

    class Meta:
        verbose_name = _("site name and footer")

    def shown(self) -> dict[str, str]:
        """What stands on the pages: the publisher's word, else the installation's setting."""
        return {name: getattr(self, name) or settings.SITE_FRAME[name] for name in self.ELEMENTS}


class StrictAddress:
    """A page that answers only to the parameters it knows; others are 404, never another copy.

    Its words become public by three reviews (`cms.reviews`).
    """

    parameters: tuple[str, ...] = ()
    workflow_lock_class = ReviewLock

    def permissions_for_user(self, user):
        return ReviewedPageTester(user, self)

    def serve(self, request, *args, **kwargs):
        if not getattr(request, "is_preview", False):
            refuse_parameters(request, self.parameters)
        return super().serve(request, *args, **kwargs)


class SnapshotPage(StrictAddress, Page):
    """A page that shows released figures."""

    class Meta:
        abstract = True

    @property
    def preview_modes(self):
        return preview.modes()

    def _get_dummy_header_url(self, original_request=None):
        # Wagtail's own site row may not know the public host; what is shown must name it.
        return public_origin() + quote(urlsplit(self.full_url or "/").path)

    def serve_preview(self, request, mode_name):
        preview.prepare(request, mode_name)
        return preview.seal(request, super().serve_preview(request, mode_name))

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        current = snapshot.shown_to(request)
        return context | {
            "snapshot": current,
            "snapshot_date": current.released_at,
            "statuses": list(snapshot.STATUSES.values()),
        }


class HomePage(SnapshotPage):
    """The landing page: one sentence with date and numbers, then what the editor placed."""

    intro = RichTextField(_("introduction"), blank=True, features=["bold", "link"])
    body = StreamField([*WORDS, *FIGURES], blank=True, verbose_name=_("content"))

    content_panels = [*Page.content_panels, FieldPanel("intro"), FieldPanel("body")]
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["cms.ProgressPage", "cms.BulletinIndexPage", "cms.TextPage"]
    max_count = 1
    template = "cms/home_page.html"

    class Meta:
        verbose_name = _("landing page")


class ProgressPage(SnapshotPage):
    """All released items: filters in the address, a table, the same list as a download."""

    intro = RichTextField(_("introduction"), blank=True, features=["bold", "link"])
    method = RichTextField(
        _("method and limits"), blank=True, features=["h3", "bold", "ul", "link"]
    )

    content_panels = [*Page.content_panels, FieldPanel("intro"), FieldPanel("method")]
    parent_page_types = ["cms.HomePage"]
    subpage_types = ["cms.ItemPage"]
    max_count = 1
    template = "cms/progress_page.html"
    parameters = NAMES

    class Meta:
        verbose_name = _("progress page")

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        entries = context["snapshot"].entries
        filters = Filters(request.GET)
        found = filters.apply(entries)
        return context | {
            "filters": filters,
            "filter_groups": filters.groups(entries, CHOICES[:2]),
            "more_filter_groups": filters.groups(entries, CHOICES[2:]),
            "found": found,
            "sections": filters.sections(entries),
            "county_rows": snapshot.Snapshot(entries=found).counties,
            "search_query": filters.words,
        }


class ItemPage(SnapshotPage):
    """One released item. The page exists only once the item was released.

    The editor may add words of explanation; every figure and state is the released copy's.
    """

    note = RichTextField(_("words of explanation"), blank=True, features=["bold", "ul", "link"])

    content_panels = [
        MultiFieldPanel([FieldPanel("title", read_only=True)], heading=_("Released item")),
        FieldPanel("note"),
    ]
    promote_panels: list = []
    parent_page_types: list = []
    subpage_types: list = []
    template = "cms/item_page.html"

    class Meta:
        verbose_name = _("item page")

    def permissions_for_user(self, user):
        return ReleasedPageTester(user, self)

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        entry = context["snapshot"].find(self.slug)
        if entry is None:
            raise Http404
        past = context["snapshot"].past
        facts = past.facts_of(self.slug)
        return context | {
            "entry": entry,
            "facts": facts,
            "texts": past.texts[self.slug],
            "corrections": [row for row in past.corrections if row.entry.slug == self.slug],
        }


class BulletinIndexPage(StrictAddress, Page):
    """The list of bulletins."""

    intro = RichTextField(_("introduction"), blank=True, features=["bold", "link"])

    content_panels = [*Page.content_panels, FieldPanel("intro")]
    parent_page_types = ["cms.HomePage"]
    subpage_types = ["cms.BulletinPage"]
    max_count = 1
    template = "cms/bulletin_index_page.html"

    class Meta:
        verbose_name = _("list of bulletins")

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)

        def read() -> list[BulletinPage]:
            return list(BulletinPage.objects.child_of(self).live().public())

        def kept(standby: Standby) -> list[BulletinPage]:
            return [page for page in standby.tree.values() if isinstance(page, BulletinPage)]

        bulletins = sorted(ask(read, kept), key=lambda page: (page.published_date, page.pk))
        return context | {"bulletins": bulletins[::-1]}


class BulletinPage(SnapshotPage):
    """A dated bulletin, such as the circular of a month."""

    published_date = models.DateField(_("date"), default=timezone.localdate)
    source = models.CharField(_("issued by"), max_length=80, blank=True)
    body = StreamField([*WORDS, *FIGURES], blank=True, verbose_name=_("content"))

    content_panels = [
        *Page.content_panels,
        FieldPanel("published_date"),
        FieldPanel("source"),
        FieldPanel("body"),
    ]
    parent_page_types = ["cms.BulletinIndexPage"]
    subpage_types: list = []
    template = "cms/bulletin_page.html"

    class Meta:
        verbose_name = _("bulletin")


class TextPage(StrictAddress, Page):
    """Method, corrections, contact: words only."""

    body = StreamField(WORDS, blank=True, verbose_name=_("content"))

    content_panels = [*Page.content_panels, FieldPanel("body")]
    parent_page_types = ["cms.HomePage"]
    subpage_types: list = []
    template = "cms/text_page.html"

    class Meta:
        verbose_name = _("text page")
