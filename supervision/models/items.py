"""The supervised item: one clause, one number, one file."""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.base import Stateful
from supervision.models.documents import Clause, PolicyDocument
from supervision.models.organizations import Organization


class Outcome(models.TextChoices):
    """How it ended. Where it is stands in the state; the two are never mixed."""

    OPEN = "", _("Still open")
    ON_TIME = "on_time", _("Done on time")
    LATE = "late", _("Done late")
    CANCELLED = "cancelled", _("Cancelled")


class ItemQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Every item for those who supervise, own ones for leaders and bodies, none for others."""
        if permissions.sees_all_items(user):
            return self
        visible = Q(pk__in=[])
        if permissions.leads_items(user):
            visible |= Q(leader_id=user.pk)
        if user.is_body:
            mine = self.model.assignments.rel.related_model.objects.visible_to(user)
            visible |= Q(pk__in=mine.values("item_id"))
        return self.filter(visible)

    def open(self):
        return self.filter(status__in=SupervisionItem.OPEN_STATES)


class SupervisionItem(Stateful):
    """A supervised item. Its displayed light derives from its lead's assignment."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Drafted")
        UNDER_APPROVAL = "under_approval", _("Waiting for approval")
        INITIATED = "initiated", _("Initiated")
        IN_PROGRESS = "in_progress", _("In progress")
        SUSPENDED = "suspended", _("Suspended")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        ARCHIVED = "archived", _("Archived")

    class Urgency(models.TextChoices):
        NORMAL = "normal", _("Normal")
        IMPORTANT = "important", _("Important")
        URGENT = "urgent", _("Urgent")
        SPECIAL = "special", _("Most urgent")

    class Openness(models.TextChoices):
        UNDECIDED = "undecided", _("Not decided yet")
        PROACTIVE = "proactive", _("Open to the public")
        ON_REQUEST = "on_request", _("On request")
        WITHHELD = "withheld", _("Not public")

    class Cycle(models.TextChoices):
        WEEKLY = "weekly", _("Weekly")
        MONTHLY = "monthly", _("Monthly")
        QUARTERLY = "quarterly", _("Quarterly")
        HALF_YEARLY = "half_yearly", _("Half-yearly")
        ONCE = "once", _("Once")

    OPEN_STATES = frozenset(
        {
            Status.DRAFT,
            Status.UNDER_APPROVAL,
            Status.INITIATED,
            Status.IN_PROGRESS,
            Status.SUSPENDED,
        }
    )

    document = models.ForeignKey(
        PolicyDocument, on_delete=models.PROTECT, related_name="items", verbose_name=_("document")
    )
    clause = models.ForeignKey(
        Clause,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
        verbose_name=_("clause"),
    )
    number = models.CharField(_("item number"), max_length=40, null=True, unique=True, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Clause.Kind.choices)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    title = models.CharField(_("title"), max_length=120)
    requirement = models.TextField(_("what is required"), blank=True)
    urgency = models.CharField(
        _("urgency"), max_length=10, choices=Urgency.choices, default=Urgency.NORMAL
    )
    cycle = models.CharField(
        _("report cycle"), max_length=12, choices=Cycle.choices, default=Cycle.MONTHLY
    )
    light_scheme = models.ForeignKey(
        "supervision.LightSchemeRow",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
        verbose_name=_("light scheme"),
    )
    share_cycle = models.CharField(
        _("report cycle of supports and counties"),
        max_length=12,
        choices=Cycle.choices,
        blank=True,
        help_text=_("Empty: the same as the lead's."),
    )
    is_key = models.BooleanField(_("key item"), default=False)
    is_ongoing = models.BooleanField(_("ongoing, without an end date"), default=False)
    original_due_date = models.DateField(_("original due date"), null=True, blank=True)
    due_date = models.DateField(_("due date"), null=True, blank=True)
    openness = models.CharField(
        _("openness"), max_length=12, choices=Openness.choices, default=Openness.UNDECIDED
    )
    openness_basis = models.CharField(_("basis of the openness"), max_length=200, blank=True)
    is_declared_free_of_secrets = models.BooleanField(
        _("declared free of state secrets"), default=False
    )
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.DRAFT, protected=True, max_length=16
    )
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.OPEN, blank=True
    )
    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="led_items",
        verbose_name=_("leader in charge"),
    )
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="drafted_items",
        verbose_name=_("drafted by"),
    )
    # Who really drafted it, when he stood in for the drafter: neither of the two may approve.
    drafted_by_deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("drafted by the deputy"),
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="approved_items",
        verbose_name=_("approved by"),
    )
    approved_at = models.DateTimeField(_("approved at"), null=True, editable=False)
    dispatched_at = models.DateTimeField(_("dispatched at"), null=True, editable=False)
    dispatch_number = models.CharField(_("dispatch notice"), max_length=60, blank=True)
    completed_date = models.DateField(_("completed on"), null=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("supervised item")
        verbose_name_plural = _("supervised items")
        constraints = [
            models.UniqueConstraint(
                fields=["clause"],
                condition=~Q(status="cancelled"),
                name="item_once_per_clause",
            ),
            models.CheckConstraint(
                condition=Q(is_ongoing=True)
                | Q(due_date__isnull=False)
                | Q(status__in=["draft", "cancelled"]),
                name="item_due_or_ongoing",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["completed", "archived"], outcome__in=["on_time", "late"])
                | Q(status="cancelled", outcome="cancelled")
                | (~Q(status__in=["completed", "archived", "cancelled"]) & Q(outcome="")),
                name="item_outcome_matches_state",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("drafted_by")),
                name="item_not_approved_by_its_drafter",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None)
                | Q(drafted_by_deputy=None)
                | ~Q(approved_by=F("drafted_by_deputy")),
                name="item_not_approved_by_its_deputy",
            ),
        ]
        indexes = [
            models.Index(fields=["document", "position"], name="item_in_document"),
            models.Index(
                fields=["submitted_at"],
                condition=Q(status="under_approval"),
                name="item_to_approve",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number or ''} {self.title}".strip()

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("supervision:item", args=[self.uid])

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.UNDER_APPROVAL,
        permission=permissions.can_submit_item,
    )
    def submit(self, *, at: datetime):
        """Hand the draft to the approver."""
        self.submitted_at = at

    @transition(
        field=status,
        source=Status.UNDER_APPROVAL,
        target=Status.DRAFT,
        permission=permissions.can_approve_item,
    )
    def send_back(self):
        """Return the draft with an opinion."""

    @transition(
        field=status,
        source=Status.UNDER_APPROVAL,
        target=Status.INITIATED,
        permission=permissions.can_approve_item,
    )
    def approve(self, *, by, at: datetime, number: str):
        """Initiate the item: it gets its number and its original due date, once."""
        self.approved_by = by
        self.approved_at = at
        self.number = self.number or number
        self.original_due_date = self.original_due_date or self.due_date

    @transition(
        field=status,
        source=Status.INITIATED,
        target=Status.IN_PROGRESS,
        permission=permissions.can_dispatch_item,
    )
    def dispatch(self, *, at: datetime, dispatch_number: str):
        """Give the item to its bodies."""
        self.dispatched_at = at
        self.dispatch_number = dispatch_number

    @transition(
        field=status,
        source=Status.IN_PROGRESS,
        target=Status.SUSPENDED,
        permission=permissions.can_decide_on_item,
    )
    def suspend(self):
        """Stop the clocks."""

    @transition(
        field=status,
        source=Status.SUSPENDED,
        target=Status.IN_PROGRESS,
        permission=permissions.can_decide_on_item,
    )
    def resume(self):
        """Let the clocks run again."""

    @transition(
        field=status,
        source=[
            Status.DRAFT,
            Status.UNDER_APPROVAL,
            Status.INITIATED,
            Status.IN_PROGRESS,
            Status.SUSPENDED,
        ],
        target=Status.CANCELLED,
        permission=permissions.can_cancel_item,
    )
    def cancel(self, *, at: datetime):
        """End the item without a result."""
        self.outcome = Outcome.CANCELLED
        self.ended_at = at

    @transition(
        field=status,
        source=Status.IN_PROGRESS,
        target=Status.COMPLETED,
        permission=permissions.can_complete_item,
    )
    def complete(self, *, at: datetime, completed_date: date, is_late: bool):
        """Close the item out (销号); the verdict is frozen here."""
        self.completed_date = completed_date
        self.ended_at = at
        self.outcome = Outcome.LATE if is_late else Outcome.ON_TIME

    @transition(
        field=status,
        source=Status.COMPLETED,
        target=Status.ARCHIVED,
        permission=permissions.can_archive_item,
    )
    def archive(self):
        """Make the file read only."""

    @transition(
        field=status,
        source=[Status.COMPLETED, Status.ARCHIVED],
        target=Status.IN_PROGRESS,
        permission=permissions.can_decide_on_item,
    )
    def reopen(self, *, due_date: date):
        """Take the item up again with a new due date; the old verdicts stay in the events."""
        self.due_date = due_date
        self.outcome = Outcome.OPEN
        self.completed_date = None
        self.ended_at = None


class Responsibility(models.TextChoices):
    LEAD = "lead", _("Lead")
    SUPPORT = "support", _("Support")
    COUNTY = "county", _("County share")


class Party(models.Model):
    """A body as the clause names it, before dispatch: who will get an assignment, in what role.

    A collective name ("各县市区政府") is resolved into one row for each body; a name nobody could
    resolve keeps `organization` empty and blocks submission.
    """

    item = models.ForeignKey(
        SupervisionItem, on_delete=models.CASCADE, related_name="parties", verbose_name=_("item")
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("body"),
    )
    named_as = models.CharField(_("named as"), max_length=60)
    role = models.CharField(_("responsibility"), max_length=8, choices=Responsibility.choices)
    position = models.PositiveSmallIntegerField(_("order in the clause"))

    class Meta:
        verbose_name = _("named body")
        verbose_name_plural = _("named bodies")
        ordering = ["item", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["item", "organization"], name="party_once_per_item"),
            models.UniqueConstraint(
                fields=["item"], condition=Q(role="lead"), name="party_one_lead"
            ),
        ]

    def __str__(self) -> str:
        return self.named_as
