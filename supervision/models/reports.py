"""Returns: periods laid out up front, reports and their versions, figures and files."""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.assignments import Assignment, Milestone
from supervision.models.base import Opaque, Stateful
from supervision.models.documents import Target


class PeriodQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(assignment__in=Assignment.objects.visible_to(user))

    def due_by(self, day: date):
        return self.filter(status=ReportPeriod.Status.OPEN, due_date__lte=day)


class ReportPeriod(Stateful):
    """One period for which one assignment owes a return.

    Its due date never slides; only a changed holiday calendar moves it, on record.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Return owed")
        SKIPPED = "skipped", _("No return this period")

    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, related_name="periods", verbose_name=_("assignment")
    )
    label = models.CharField(_("period"), max_length=12)
    start_date = models.DateField(_("from"))
    end_date = models.DateField(_("to"))
    due_date = models.DateField(_("return due"))
    receipt = models.JSONField(_("why this date"), default=dict, blank=True, editable=False)
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.OPEN, protected=True, max_length=10
    )
    skip_reason = models.CharField(_("reason for skipping"), max_length=200, blank=True)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        verbose_name = _("report period")
        verbose_name_plural = _("report periods")
        ordering = ["assignment", "start_date"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "label"], name="period_once"),
            models.CheckConstraint(
                condition=~Q(status="skipped") | ~Q(skip_reason=""), name="period_skip_reason"
            ),
        ]
        indexes = [models.Index(fields=["due_date"], name="period_due")]

    def __str__(self) -> str:
        return self.label

    @transition(
        field=status,
        source=Status.OPEN,
        target=Status.SKIPPED,
        permission=permissions.can_skip_period,
    )
    def skip(self, *, reason: str):
        """No return is owed for this period; it stays visible as skipped."""
        self.skip_reason = reason

    @transition(
        field=status,
        source=Status.SKIPPED,
        target=Status.OPEN,
        permission=permissions.can_skip_period,
    )
    def unskip(self):
        """The return is owed after all."""
        self.skip_reason = ""


class Cause(models.TextChoices):
    """Why work is behind: fixed classes, so that they can be counted."""

    NONE = "", _("Not behind")
    FUNDS = "funds", _("Funds")
    APPROVAL = "approval", _("Approvals")
    LAND = "land", _("Land")
    CLEARANCE = "clearance", _("Expropriation and clearance")
    COOPERATION = "cooperation", _("Cooperation of others")
    POLICY = "policy", _("Change of policy")
    OTHER = "other", _("Other")


class SendBackReason(models.TextChoices):
    """Why the office sends a paper back: fixed classes, so that they can be counted."""

    FIGURES = "figures", _("Figures are wrong or follow another definition")
    VAGUE = "vague", _("Without substance, or copied from the last period")
    EVIDENCE = "evidence", _("Evidence is missing")
    UNFINISHED = "unfinished", _("Not finished as required")
    FORM = "form", _("Form or sign-off not in order")
    OTHER = "other", _("Other reason")


class ReportQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Whoever sees the assignment, but nobody outside the body sees what it has not released.

        Text that was once released stays visible in `ReportVersion`.
        """
        mine = self.filter(period__assignment__in=Assignment.objects.visible_to(user))
        if user.is_body:
            return mine
        return mine.exclude(
            status__in=[ProgressReport.Status.DRAFT, ProgressReport.Status.UNDER_SIGN_OFF]
        )


class ProgressReport(Stateful):
    """The return of one assignment for one period, in the name of the body."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Being written")
        UNDER_SIGN_OFF = "under_sign_off", _("Waiting for sign-off")
        SUBMITTED = "submitted", _("Waiting for review")
        RETURNED = "returned", _("Sent back")
        APPROVED = "approved", _("Accepted")

    EDITABLE_STATES = frozenset({Status.DRAFT, Status.RETURNED})

    period = models.OneToOneField(
        ReportPeriod, on_delete=models.CASCADE, related_name="report", verbose_name=_("period")
    )
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.DRAFT, protected=True, max_length=16
    )
    progress_text = models.TextField(_("progress"), blank=True)
    problem_text = models.TextField(_("problems"), blank=True)
    cause = models.CharField(
        _("cause of delay"), max_length=12, choices=Cause.choices, default=Cause.NONE, blank=True
    )
    next_text = models.TextField(_("next steps"), blank=True)
    coordination_text = models.TextField(_("matters to coordinate"), blank=True)
    self_percent = models.PositiveSmallIntegerField(_("own estimate, %"), null=True, blank=True)
    verified_percent = models.PositiveSmallIntegerField(_("verified, %"), null=True, blank=True)
    change_reason = models.CharField(_("why figures moved"), max_length=200, blank=True)
    is_marked_complete = models.BooleanField(_("marked complete"), default=False)
    filled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("filled in by"),
    )
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("signed off by"),
    )
    sign_off_asked_at = models.DateTimeField(_("sign-off asked at"), null=True, editable=False)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, editable=False)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("reviewed by"),
    )
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, editable=False)
    review_opinion = models.TextField(_("opinion of the office"), blank=True)
    send_back_reason = models.CharField(
        _("class of the reason for sending back"),
        max_length=12,
        choices=SendBackReason.choices,
        blank=True,
        editable=False,
    )
    created_at = models.DateTimeField(_("created at"), editable=False)
    saved_at = models.DateTimeField(_("saved at"), null=True, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("progress report")
        verbose_name_plural = _("progress reports")
        constraints = [
            models.CheckConstraint(
                condition=Q(self_percent=None) | Q(self_percent__lte=100), name="report_percent"
            ),
            models.CheckConstraint(
                condition=Q(verified_percent=None) | Q(verified_percent__lte=100),
                name="report_verified_percent",
            ),
        ]
        indexes = [
            models.Index(
                fields=["period"], condition=Q(status="under_sign_off"), name="report_to_sign"
            ),
            models.Index(
                fields=["submitted_at"],
                condition=Q(status="submitted"),
                name="report_to_review",
            ),
        ]

    def __str__(self) -> str:
        return str(self.period)

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("supervision:report", args=[self.uid])

    @transition(
        field=status,
        source=[Status.DRAFT, Status.RETURNED],
        target=Status.UNDER_SIGN_OFF,
        permission=permissions.can_write_report,
    )
    def ask_sign_off(self, *, by, at: datetime):
        """Hand the text to the head of the body."""
        self.filled_by = by
        self.sign_off_asked_at = at

    @transition(
        field=status,
        source=Status.UNDER_SIGN_OFF,
        target=Status.DRAFT,
        permission=permissions.can_sign_report,
    )
    def refuse_sign_off(self):
        """The head wants it changed."""
        self.is_marked_complete = False

    @transition(
        field=status,
        source=Status.UNDER_SIGN_OFF,
        target=Status.SUBMITTED,
        permission=permissions.can_sign_report,
    )
    def submit(self, *, by, at: datetime):
        """Released by the head, in the body's name."""
        self.signed_by = by
        self.submitted_at = at

    @transition(
        field=status,
        source=Status.SUBMITTED,
        target=Status.RETURNED,
        permission=permissions.can_review_report,
    )
    def send_back(self, *, by, at: datetime, opinion: str, reason_class: str = ""):
        """Return with a reason; the text handed in stays as a version."""
        self.is_marked_complete = False
        self.reviewed_by = by
        self.reviewed_at = at
        self.review_opinion = opinion
        self.send_back_reason = reason_class

    @transition(
        field=status,
        source=Status.SUBMITTED,
        target=Status.APPROVED,
        permission=permissions.can_review_report,
    )
    def approve(self, *, by, at: datetime, verified_percent: int | None, opinion: str):
        """Accept, optionally with a percentage the office verified itself."""
        self.reviewed_by = by
        self.reviewed_at = at
        self.verified_percent = verified_percent
        self.review_opinion = opinion
        self.send_back_reason = ""


class ReportVersion(models.Model):
    """What was handed in, word for word, each time it was handed in. Never edited."""

    report = models.ForeignKey(
        ProgressReport, on_delete=models.CASCADE, related_name="versions", verbose_name=_("report")
    )
    number = models.PositiveSmallIntegerField(_("version"))
    content = models.JSONField(_("content"))
    signed_by_name = models.CharField(_("signed off by"), max_length=80)
    submitted_at = models.DateTimeField(_("submitted at"))

    class Meta:
        verbose_name = _("version of a report")
        verbose_name_plural = _("versions of reports")
        ordering = ["report", "number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="report_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.report} v{self.number}"


class ReportFigure(models.Model):
    """A figure of a return: the cumulative value of one target, in the target's unit."""

    report = models.ForeignKey(
        ProgressReport, on_delete=models.CASCADE, related_name="figures", verbose_name=_("report")
    )
    target = models.ForeignKey(
        Target, on_delete=models.PROTECT, related_name="figures", verbose_name=_("numeric goal")
    )
    value = models.DecimalField(_("cumulative value"), max_digits=16, decimal_places=4)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        constraints = [models.UniqueConstraint(fields=["report", "target"], name="figure_once")]

    def __str__(self) -> str:
        return f"{self.target}: {self.value}"


def evidence_path(instance: "Attachment", filename: str) -> str:
    """A random place; the name the user gave is kept in the row only."""
    return f"evidence/{instance.uid.hex[:2]}/{instance.uid.hex}"


class AttachmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Files of visible assignments; those of a return only with the return itself."""
        return self.filter(
            Q(report=None) | Q(report__in=ProgressReport.objects.visible_to(user)),
            assignment__in=Assignment.objects.visible_to(user),
        )


class Attachment(Opaque):
    """A file of evidence. Served only through a checked view, always as a download."""

    assignment = models.ForeignKey(
        Assignment,
        on_delete=models.CASCADE,
        related_name="attachments",
        verbose_name=_("assignment"),
    )
    report = models.ForeignKey(
        ProgressReport,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="attachments",
        verbose_name=_("report"),
    )
    milestone = models.ForeignKey(
        Milestone,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="attachments",
        verbose_name=_("milestone"),
    )
    file = models.FileField(_("file"), upload_to=evidence_path, max_length=200)
    original_name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=8)
    size_bytes = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    uploaded_at = models.DateTimeField(_("uploaded at"))

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["uploaded_at", "pk"]

    def __str__(self) -> str:
        return self.original_name
