"""An address of a list, kept under a name."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supervision.models.base import Opaque


class SavedViewQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own; inside the office also what a colleague shares."""
        visible = Q(owner_id=user.pk)
        if user.is_office:
            visible |= Q(is_shared=True)
        return self.filter(visible)

    def in_order(self):
        return self.order_by("page", "name", "pk")


class SavedView(Opaque):
    """The filters of one page under a name; `query` holds known parameters only, in a fixed order.

    It opens nothing: the page shows each reader what that reader may see.
    """

    class Page(models.TextChoices):
        ITEMS = "items", _("Items")
        MATRIX = "matrix", _("Matrix")
        LEDGER = "ledger", _("Ledger")
        LEDGERS = "ledgers", _("Tables")
        TIMELINE = "timeline", _("Time line")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="saved_views",
        verbose_name=_("owner"),
    )
    name = models.CharField(_("name"), max_length=40)
    page = models.CharField(_("page"), max_length=10, choices=Page.choices)
    query = models.CharField(_("filters"), max_length=1_000, blank=True)
    is_shared = models.BooleanField(_("shared with the office"), default=False)
    created_at = models.DateTimeField(_("created at"), editable=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["owner", "page", "name"], name="saved_view_name")
        ]
        indexes = [
            models.Index(fields=["page"], condition=Q(is_shared=True), name="saved_view_shared")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        address = reverse(f"supervision:{self.page}")
        return f"{address}?{self.query}" if self.query else address
