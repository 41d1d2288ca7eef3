"""What a body asks: more time or to be rid of work, of the office; help, of another body."""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.assignments import Assignment
from supervision.models.base import Stateful
from supervision.models.organizations import Organization
from supervision.models.reports import Cause


class OfAssignmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(assignment__in=Assignment.objects.visible_to(user))

    def open(self):
        return self.filter(status__in=self.model.OPEN_STATES)


class ExtensionRequest(Stateful):
    """A request for a later, definite date.

    Filed after the due date it is taken as late and repairs nothing.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Waiting for sign-off")
        SUBMITTED = "submitted", _("Waiting for the first opinion")
        ENDORSED = "endorsed", _("Waiting for the leader's decision")
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    OPEN_STATES = frozenset({Status.DRAFT, Status.SUBMITTED, Status.ENDORSED})

    assignment = models.ForeignKey(
        Assignment,
        on_delete=models.CASCADE,
        related_name="extensions",
        verbose_name=_("assignment"),
    )
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.DRAFT, protected=True, max_length=12
    )
    cause = models.CharField(_("cause"), max_length=12, choices=Cause.choices)
    reason = models.TextField(_("reason"))
    progress_text = models.TextField(_("progress so far"))
    due_date_then = models.DateField(_("due date at the time"), editable=False)
    asked_date = models.DateField(_("date asked for"))
    granted_date = models.DateField(_("date granted"), null=True, blank=True)
    is_late = models.BooleanField(_("asked after the due date"), default=False, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("asked by"),
    )
    submitted_at = models.DateTimeField(_("submitted at"), null=True, editable=False)
    office_opinion = models.TextField(_("opinion of the office"), blank=True)
    endorsed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("endorsed by"),
    )
    endorsed_at = models.DateTimeField(_("endorsed at"), null=True, editable=False)
    decision_opinion = models.TextField(_("decision"), blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)

    objects = OfAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("extension request")
        verbose_name_plural = _("extension requests")
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["submitted_at"],
                condition=Q(status="submitted"),
                name="extension_to_decide",
            ),
            models.Index(
                fields=["endorsed_at"], condition=Q(status="endorsed"), name="extension_to_grant"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(status__in=["draft", "submitted", "endorsed"]),
                name="extension_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(status="granted") | Q(granted_date__isnull=False),
                name="extension_granted_date",
            ),
            models.CheckConstraint(
                condition=Q(asked_date__gt=models.F("due_date_then")), name="extension_later_date"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assignment} → {self.asked_date}"

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.SUBMITTED,
        permission=permissions.can_sign_request,
    )
    def submit(self, *, at: datetime, is_late: bool):
        """Signed off and filed."""
        self.submitted_at = at
        self.is_late = is_late

    @transition(
        field=status,
        source=Status.SUBMITTED,
        target=Status.ENDORSED,
        permission=permissions.can_endorse_extension,
    )
    def endorse(self, *, by, at: datetime, opinion: str):
        """First opinion of the office; the leader decides."""
        self.endorsed_by = by
        self.endorsed_at = at
        self.office_opinion = opinion

    @transition(
        field=status,
        source=Status.SUBMITTED,
        target=Status.REFUSED,
        permission=permissions.can_endorse_extension,
    )
    def refuse_at_once(self, *, by, at: datetime, opinion: str):
        """Refused by the office."""
        self.decided_by = by
        self.decided_at = at
        self.decision_opinion = opinion

    @transition(
        field=status,
        source=Status.ENDORSED,
        target=Status.REFUSED,
        permission=permissions.can_grant_extension,
    )
    def refuse(self, *, by, at: datetime, opinion: str):
        """Refused by the leader."""
        self.decided_by = by
        self.decided_at = at
        self.decision_opinion = opinion

    @transition(
        field=status,
        source=Status.ENDORSED,
        target=Status.GRANTED,
        permission=permissions.can_grant_extension,
    )
    def grant(self, *, by, at: datetime, granted_date: date, opinion: str):
        """Granted to a definite date, which may differ from the one asked."""
        self.decided_by = by
        self.decided_at = at
        self.granted_date = granted_date
        self.decision_opinion = opinion

    @transition(
        field=status,
        source=[Status.DRAFT, Status.SUBMITTED, Status.ENDORSED],
        target=Status.WITHDRAWN,
        permission=permissions.can_withdraw_request,
    )
    def withdraw(self):
        """The body takes it back, or the assignment ended."""


class Objection(Stateful):
    """A body's objection to an assignment, inside the limit and decided once."""

    class Status(models.TextChoices):
        SUBMITTED = "submitted", _("To be decided")
        UPHELD = "upheld", _("Upheld, given to another body")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    OPEN_STATES = frozenset({Status.SUBMITTED})

    assignment = models.ForeignKey(
        Assignment,
        on_delete=models.CASCADE,
        related_name="objections",
        verbose_name=_("assignment"),
    )
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.SUBMITTED, protected=True, max_length=12
    )
    reason = models.TextField(_("reason"))
    proposed_organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("body proposed instead"),
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("submitted by"),
    )
    submitted_at = models.DateTimeField(_("submitted at"))
    decide_by_date = models.DateField(_("to be decided by"))
    receipt = models.JSONField(_("why this date"), default=dict, blank=True, editable=False)
    opinion = models.TextField(_("opinion"), blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)

    objects = OfAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("objection")
        verbose_name_plural = _("objections")
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["submitted_at"],
                condition=Q(status="submitted"),
                name="objection_to_decide",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(status="submitted"),
                name="objection_one_open",
            )
        ]

    def __str__(self) -> str:
        return str(self.assignment)

    @transition(
        field=status,
        source=Status.SUBMITTED,
        target=Status.UPHELD,
        permission=permissions.can_decide_objection_itself,
    )
    def uphold(self, *, by, at: datetime, opinion: str):
        """The body is right; another one gets the work."""
        self.decided_by = by
        self.decided_at = at
        self.opinion = opinion

    @transition(
        field=status,
        source=Status.SUBMITTED,
        target=Status.REJECTED,
        permission=permissions.can_decide_objection_itself,
    )
    def reject(self, *, by, at: datetime, opinion: str):
        """The body keeps the work."""
        self.decided_by = by
        self.decided_at = at
        self.opinion = opinion

    @transition(
        field=status,
        source=Status.SUBMITTED,
        target=Status.WITHDRAWN,
        permission=permissions.can_withdraw_request,
    )
    def withdraw(self):
        """The body takes it back."""


class HelpQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Who sees the share it is asked for, and the body that is asked."""
        visible = Q(assignment__in=Assignment.objects.visible_to(user))
        if user.is_body and user.only_section_id is None:
            visible |= Q(organization_id=user.organization_id)
        return self.filter(visible)

    def open(self):
        return self.filter(status=HelpRequest.Status.ASKED)


class HelpRequest(Stateful):
    """One body asks another for something by a day, for the sake of its own share.

    It changes no clock and nothing escalates by it; asked and answered are on record.
    """

    class Status(models.TextChoices):
        ASKED = "asked", _("Help asked for")
        ANSWERED = "answered", _("Help given")
        DECLINED = "declined", _("Help declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    OPEN_STATES = frozenset({Status.ASKED})

    assignment = models.ForeignKey(
        Assignment,
        on_delete=models.CASCADE,
        related_name="help_requests",
        verbose_name=_("assignment"),
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="help_requests",
        verbose_name=_("body asked"),
    )
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.ASKED, protected=True, max_length=12
    )
    text = models.TextField(_("what is asked for"))
    due_date = models.DateField(_("needed by"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("asked by"),
    )
    asked_at = models.DateTimeField(_("asked at"))
    answer_text = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("answered by"),
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, editable=False)

    objects = HelpQuerySet.as_manager()

    class Meta:
        verbose_name = _("help request")
        verbose_name_plural = _("help requests")
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["organization", "due_date"],
                condition=Q(status="asked"),
                name="help_to_answer",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["answered", "declined"]) | Q(answered_at__isnull=False),
                name="help_answered_at",
            )
        ]

    def __str__(self) -> str:
        return f"{self.assignment} → {self.organization}"

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("supervision:help_request", args=[self.uid])

    @transition(
        field=status,
        source=Status.ASKED,
        target=Status.ANSWERED,
        permission=permissions.can_answer_help,
    )
    def answer(self, *, by, at: datetime, text: str):
        """The other body has done what was asked, or says what it can do."""
        self._close(by, at, text)

    @transition(
        field=status,
        source=Status.ASKED,
        target=Status.DECLINED,
        permission=permissions.can_answer_help,
    )
    def decline(self, *, by, at: datetime, text: str):
        """The other body says why it will not; on record, nothing more."""
        self._close(by, at, text)

    def _close(self, by, at: datetime, text: str) -> None:
        self.answered_by = by
        self.answered_at = at
        self.answer_text = text

    @transition(
        field=status,
        source=Status.ASKED,
        target=Status.WITHDRAWN,
        permission=permissions.can_withdraw_help,
    )
    def withdraw(self):
        """No longer needed, or the share has ended."""
