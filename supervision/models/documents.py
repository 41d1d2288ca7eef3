"""The policy as data: documents, clauses, numeric targets."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.base import Opaque, Stateful


class DocumentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Every document for those who supervise; for a body those that give it work."""
        if permissions.sees_all_items(user):
            return self
        if user.is_body:
            # A share given to another body leaves the old one at once.
            given = self.model.objects.filter(
                items__assignments__organization_id=user.organization_id,
                items__assignments__transferred_to=None,
            )
            return self.filter(pk__in=given.values("pk"))
        if permissions.leads_items(user):
            led = self.model.objects.filter(items__leader_id=user.pk)
            return self.filter(pk__in=led.values("pk"))
        return self.none()


class PolicyDocument(Stateful):
    """A document whose clauses are supervised, such as 衡政字〔2017〕1号."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Loaded, not yet in force")
        ACTIVE = "active", _("Under supervision")
        CLOSED = "closed", _("Closed")

    doc_number = models.CharField(_("document number"), max_length=60, unique=True)
    title = models.CharField(_("title"), max_length=200)
    issuing_body = models.CharField(_("issuing body"), max_length=120)
    region_code = models.CharField(_("region code"), max_length=12)
    region_name = models.CharField(_("region"), max_length=40)
    issued_date = models.DateField(_("issued on"))
    horizon_date = models.DateField(_("horizon"))
    shift_days = models.IntegerField(
        _("days the dates were moved by"),
        default=0,
        help_text=_("Set when the plan was re-based with another issue date; 0 for real work."),
    )
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.DRAFT, protected=True, max_length=10
    )
    content_hash = models.CharField(_("hash of the data file"), max_length=80, blank=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy document")
        verbose_name_plural = _("policy documents")
        constraints = [
            models.CheckConstraint(
                condition=Q(horizon_date__gte=models.F("issued_date")), name="document_date_order"
            )
        ]

    def __str__(self) -> str:
        return self.doc_number

    @transition(
        field=status,
        source=[Status.DRAFT, Status.CLOSED],
        target=Status.ACTIVE,
        permission=permissions.can_manage_document,
    )
    def activate(self):
        """Put the document under supervision."""

    @transition(
        field=status,
        source=Status.ACTIVE,
        target=Status.CLOSED,
        permission=permissions.can_close_document,
    )
    def close(self):
        """End supervision; every item has ended."""


class Clause(Opaque):
    """One clause that gives work: a key task or a safeguard measure.

    `quoted_text` stays empty until somebody imports the document's own text.
    """

    class Kind(models.TextChoices):
        TASK = "task", _("Key task")
        MEASURE = "measure", _("Safeguard measure")

    document = models.ForeignKey(
        PolicyDocument, on_delete=models.CASCADE, related_name="clauses", verbose_name=_("document")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    number = models.CharField(_("clause number"), max_length=20)
    position = models.PositiveSmallIntegerField(_("order"))
    title = models.CharField(_("title"), max_length=120)
    theme = models.CharField(_("theme"), max_length=40, blank=True)
    summary = models.TextField(_("summary"), blank=True)
    quoted_text = models.TextField(_("quoted text"), blank=True)

    class Meta:
        verbose_name = _("clause")
        verbose_name_plural = _("clauses")
        ordering = ["document", "position"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="clause_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class Target(Opaque):
    """A numeric goal: value, unit, comparison, date, scope, and its definition (口径)."""

    class Comparison(models.TextChoices):
        AT_LEAST = "at_least", _("at least")
        REACH = "reach", _("reaches")
        INCREASE_BY = "increase_by", _("rises by")
        DECREASE_BY = "decrease_by", _("falls by")
        FULL_COVERAGE = "full_coverage", _("full coverage")
        AT_PROVINCIAL_AVERAGE = "at_provincial_average", _("reaches the provincial average")

    document = models.ForeignKey(
        PolicyDocument, on_delete=models.CASCADE, related_name="targets", verbose_name=_("document")
    )
    clause = models.ForeignKey(
        Clause,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="targets",
        verbose_name=_("clause"),
    )
    code = models.SlugField(_("code"), max_length=60)
    position = models.PositiveSmallIntegerField(_("order"))
    group = models.CharField(_("group"), max_length=60, blank=True)
    name = models.CharField(_("name"), max_length=120)
    comparison = models.CharField(_("comparison"), max_length=24, choices=Comparison.choices)
    value = models.DecimalField(_("goal"), max_digits=16, decimal_places=4, null=True, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    due_date = models.DateField(_("due"))
    scope = models.CharField(_("scope"), max_length=200, blank=True)
    definition = models.TextField(_("definition"), blank=True)

    class Meta:
        verbose_name = _("numeric goal")
        verbose_name_plural = _("numeric goals")
        ordering = ["document", "position"]
        constraints = [
            models.UniqueConstraint(fields=["document", "code"], name="target_code"),
            models.CheckConstraint(
                condition=Q(comparison="at_provincial_average") | Q(value__isnull=False),
                name="target_has_a_value",
            ),
        ]

    def __str__(self) -> str:
        return self.name
