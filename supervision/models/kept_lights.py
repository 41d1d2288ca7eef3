"""The light of the day of every share and item, kept so that counting costs one grouped query."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supervision.models.assignments import Assignment
from supervision.models.items import SupervisionItem


class KeptLightQuerySet(models.QuerySet):
    def of_items(self, today):
        return self.filter(assignment=None, on_date=today)

    def of_shares(self, today):
        return self.filter(assignment__isnull=False, on_date=today)


class KeptLight(models.Model):
    """What the pure rule said on a day: derived, never decided, and free to be thrown away.

    A row without `assignment` is the item's own light. Nothing frozen is read from here, and no
    page shows a light from here: it counts and sorts with it (docs/decisions/0011).
    """

    item = models.ForeignKey(
        SupervisionItem,
        on_delete=models.CASCADE,
        related_name="kept_lights",
        verbose_name=_("item"),
    )
    assignment = models.OneToOneField(
        Assignment,
        on_delete=models.CASCADE,
        null=True,
        related_name="kept_light",
        verbose_name=_("assignment"),
    )
    on_date = models.DateField(_("on the day"))
    code = models.CharField(_("light"), max_length=12)
    severity = models.PositiveSmallIntegerField(_("severity"))

    objects = KeptLightQuerySet.as_manager()

    class Meta:
        verbose_name = _("light of the day")
        verbose_name_plural = _("lights of the day")
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(assignment=None), name="kept_light_of_item"
            )
        ]
        indexes = [
            models.Index(
                fields=["on_date", "code"], condition=Q(assignment=None), name="kept_light_counts"
            )
        ]

    def __str__(self) -> str:
        return f"{self.on_date} {self.code}"
