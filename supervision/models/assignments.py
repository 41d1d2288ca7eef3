"""One body's share of an item: its own clock, its own verdicts; and the milestones in it."""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django_fsm import GET_STATE, FSMField, transition

from supervision import permissions
from supervision.models.base import Opaque, Stateful
from supervision.models.items import Outcome, Responsibility, SupervisionItem
from supervision.models.organizations import Organization, Section, Succession


class AssignmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Own body's rows; every row for those who supervise; a leader's own items' rows.

        Whoever works in one section of a body sees the rows of that section. A body that took
        another one's place reads what ended under the former name.
        """
        if permissions.sees_all_items(user):
            return self
        visible = Q(pk__in=[])
        if permissions.leads_items(user):
            visible |= Q(item__leader_id=user.pk)
        if user.is_body:
            own = Q(organization_id__in=user.body_ids) & Q(transferred_to=None)
            if user.only_section_id is not None:
                own &= Q(section_id=user.only_section_id)
            visible |= own
        return self.filter(visible)

    def open(self):
        return self.filter(status__in=Assignment.OPEN_STATES)

    def running(self):
        """Rows whose clock runs: with the body, or handed in and waiting for the office."""
        return self.filter(status__in=Assignment.RUNNING_STATES)

    def with_the_body(self):
        """Rows that wait for the body itself; only these can become overdue."""
        return self.filter(status__in=Assignment.BODY_STATES)

    def overdue(self, *, today: date):
        return self.with_the_body().filter(due_date__lt=today)

    def with_body_on(self, day: date):
        """Each share with `body_on`, the body that had it on `day`, whoever carries it now."""
        later = BodyChange.objects.filter(assignment=OuterRef("pk"), from_date__gt=day)
        first = later.order_by("from_date", "pk").values("old")[:1]
        return self.annotate(
            body_on=Coalesce(
                Subquery(first), F("organization_id"), output_field=models.BigIntegerField()
            )
        )

    def of_body_on(self, body: Organization, day: date):
        """The shares that were this body's on `day`."""
        return self.with_body_on(day).filter(body_on=body.pk)


class Assignment(Stateful):
    """One body's share of an item.

    `original_due_date` is written at dispatch and guarded by a database trigger. `episode` is
    raised by dispatch, granted extension, resume and reopen: facts are unique within an episode.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting to be signed for")
        DISPUTED = "disputed", _("Objection to be decided")
        IN_PROGRESS = "in_progress", _("In progress")
        UNDER_REVIEW = "under_review", _("Waiting for review")
        RETURNED = "returned", _("Sent back")
        APPROVED = "approved", _("Waiting for the check")
        SUSPENDED = "suspended", _("Suspended")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")

    BODY_STATES = frozenset({Status.PENDING, Status.IN_PROGRESS, Status.RETURNED})
    # The body works on it: returns, milestones and the closing are written now.
    IN_HAND_STATES = frozenset({Status.IN_PROGRESS, Status.RETURNED})
    OFFICE_STATES = frozenset({Status.DISPUTED, Status.UNDER_REVIEW, Status.APPROVED})
    RUNNING_STATES = BODY_STATES | OFFICE_STATES
    OPEN_STATES = RUNNING_STATES | {Status.SUSPENDED}

    item = models.ForeignKey(
        SupervisionItem,
        on_delete=models.PROTECT,
        related_name="assignments",
        verbose_name=_("item"),
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="assignments",
        verbose_name=_("body"),
    )
    role = models.CharField(_("responsibility"), max_length=8, choices=Responsibility.choices)
    position = models.PositiveSmallIntegerField(_("order in the clause"), default=0)
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.PENDING, protected=True, max_length=16
    )
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.OPEN, blank=True
    )
    cycle = models.CharField(
        _("report cycle"),
        max_length=12,
        choices=SupervisionItem.Cycle.choices,
        default=SupervisionItem.Cycle.MONTHLY,
    )
    episode = models.PositiveIntegerField(_("episode"), default=1, editable=False)
    episode_start_date = models.DateField(_("episode began on"), editable=False)
    dispatched_date = models.DateField(_("dispatched on"), editable=False)
    accept_due_date = models.DateField(_("sign by"), editable=False)
    objection_due_date = models.DateField(_("object by"), editable=False)
    original_due_date = models.DateField(_("original due date"), null=True, editable=False)
    due_date = models.DateField(_("due date"), null=True, editable=False)
    due_receipt = models.JSONField(_("why this date"), default=dict, blank=True, editable=False)
    receipts = models.JSONField(_("why the other dates"), default=dict, blank=True, editable=False)
    plan_due_date = models.DateField(_("plan due"), null=True, editable=False)
    accepted_at = models.DateTimeField(_("signed at"), null=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("signed by"),
    )
    handler_name = models.CharField(_("person in charge"), max_length=40, blank=True)
    section = models.ForeignKey(
        Section,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        verbose_name=_("section"),
    )
    closing_text = models.TextField(_("closing report"), blank=True)
    is_sign_off_requested = models.BooleanField(_("closing waits for sign-off"), default=False)
    submitted_date = models.DateField(_("handed in on"), null=True, editable=False)
    submitted_at = models.DateTimeField(_("handed in at"), null=True, editable=False)
    times_returned = models.PositiveSmallIntegerField(_("times sent back"), default=0)
    reviewer_credit_days = models.PositiveIntegerField(
        _("days credited for the reviewer's delay"), default=0, editable=False
    )
    completed_date = models.DateField(_("completed on"), null=True, editable=False)
    days_late = models.PositiveIntegerField(_("days late"), null=True, editable=False)
    days_late_original = models.PositiveIntegerField(
        _("days late against the original date"), null=True, editable=False
    )
    suspended_from = models.CharField(_("state before"), max_length=16, blank=True, editable=False)
    suspended_date = models.DateField(_("suspended on"), null=True, editable=False)
    suspension_basis = models.CharField(_("basis of the suspension"), max_length=200, blank=True)
    transferred_to = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="transferred_from",
        verbose_name=_("transferred to"),
    )

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["item", "organization"],
                condition=~Q(status="cancelled"),
                name="assignment_once_per_body",
            ),
            models.UniqueConstraint(
                fields=["item"],
                condition=Q(role="lead") & ~Q(status="cancelled"),
                name="assignment_one_lead",
            ),
            models.CheckConstraint(
                condition=Q(status="completed", outcome__in=["on_time", "late"])
                | Q(status="cancelled", outcome="cancelled")
                | (~Q(status__in=["completed", "cancelled"]) & Q(outcome="")),
                name="assignment_outcome_matches_state",
            ),
            models.CheckConstraint(
                condition=~Q(status="completed")
                | Q(
                    completed_date__isnull=False,
                    days_late__isnull=False,
                    days_late_original__isnull=False,
                ),
                name="assignment_verdict_when_completed",
            ),
            models.CheckConstraint(
                condition=Q(due_date__isnull=True, original_due_date__isnull=True)
                | Q(due_date__isnull=False, original_due_date__isnull=False),
                name="assignment_original_with_due",
            ),
            models.CheckConstraint(
                condition=Q(original_due_date=None)
                | Q(original_due_date__gte=F("dispatched_date")),
                name="assignment_due_after_dispatch",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_date"],
                condition=Q(status__in=["pending", "in_progress", "returned"]),
                name="assignment_due_open",
            ),
            models.Index(
                fields=["accept_due_date"],
                condition=Q(status="pending"),
                name="assignment_accept_open",
            ),
            models.Index(
                fields=["times_returned"],
                condition=Q(times_returned__gt=0),
                name="assignment_sent_back",
            ),
            models.Index(fields=["organization", "status"], name="assignment_of_body"),
            models.Index(
                fields=["submitted_at"],
                condition=Q(status__in=["under_review", "approved"]),
                name="assignment_to_review",
            ),
            models.Index(
                fields=["status"], condition=Q(status="approved"), name="assignment_to_check"
            ),
            models.Index(
                fields=["status"], condition=Q(status="under_review"), name="assignment_handed_in"
            ),
            models.Index(
                fields=["item"],
                condition=Q(status="completed", role="lead"),
                name="assignment_lead_done",
            ),
            models.Index(
                fields=["item"],
                condition=Q(is_sign_off_requested=True),
                name="assignment_to_sign",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.organization}"

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("supervision:assignment", args=[self.uid])

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN_STATES

    @transition(
        field=status,
        source=Status.PENDING,
        target=Status.IN_PROGRESS,
        permission=permissions.can_accept,
    )
    def accept(self, *, by, at: datetime, plan_due_date: date):
        """Sign for the work."""
        self.accepted_by = by
        self.accepted_at = at
        self.plan_due_date = plan_due_date

    @transition(
        field=status,
        source=Status.PENDING,
        target=Status.DISPUTED,
        permission=permissions.can_object,
    )
    def object(self):
        """Dispute the assignment; an `Objection` carries the reason."""

    @transition(
        field=status,
        source=Status.DISPUTED,
        target=Status.PENDING,
        permission=permissions.can_decide_objection,
    )
    def reject_objection(self, *, accept_due_date: date, objection_due_date: date):
        """The body keeps the work; its time to sign starts anew."""
        self.accept_due_date = accept_due_date
        self.objection_due_date = objection_due_date

    @transition(
        field=status,
        source=Status.DISPUTED,
        target=Status.PENDING,
        permission=permissions.can_withdraw_objection,
    )
    def withdraw_objection(self):
        """The body takes its objection back."""

    @transition(
        field=status,
        source=[Status.IN_PROGRESS, Status.RETURNED],
        target=Status.UNDER_REVIEW,
        permission=permissions.can_submit,
    )
    def submit(self, *, at: datetime, on: date):
        """Apply for completion; the clock reads this date while the office has it."""
        self.submitted_at = at
        self.submitted_date = on
        self.is_sign_off_requested = False

    @transition(
        field=status,
        source=Status.UNDER_REVIEW,
        target=Status.RETURNED,
        permission=permissions.can_review,
    )
    def send_back(self, *, credit_days: int):
        """Return the closing with a reason; days the reviewer was late are credited."""
        self.reviewer_credit_days += credit_days
        self.times_returned += 1
        self.submitted_date = None
        self.submitted_at = None

    @transition(
        field=status,
        source=Status.UNDER_REVIEW,
        target=Status.APPROVED,
        permission=permissions.can_review,
    )
    def approve(self):
        """The paper is in order; the check follows."""

    @transition(
        field=status,
        source=Status.APPROVED,
        target=Status.RETURNED,
        permission=permissions.can_complete,
    )
    def fail_check(self, *, credit_days: int):
        """The check found it wanting."""
        self.reviewer_credit_days += credit_days
        self.times_returned += 1
        self.submitted_date = None
        self.submitted_at = None

    @transition(
        field=status,
        source=Status.APPROVED,
        target=Status.COMPLETED,
        permission=permissions.can_complete,
    )
    def complete(self, *, completed_date: date, days_late: int, days_late_original: int):
        """Close; on time or late is frozen here, against both dates."""
        self.completed_date = completed_date
        self.days_late = days_late
        self.days_late_original = days_late_original
        self.outcome = Outcome.LATE if days_late else Outcome.ON_TIME

    @transition(
        field=status,
        source=[
            Status.PENDING,
            Status.DISPUTED,
            Status.IN_PROGRESS,
            Status.UNDER_REVIEW,
            Status.RETURNED,
            Status.APPROVED,
        ],
        target=Status.SUSPENDED,
        permission=permissions.can_decide_on_assignment,
    )
    def suspend(self, *, on: date, basis: str):
        """Stop the clock."""
        self.suspended_from = self.status
        self.suspended_date = on
        self.suspension_basis = basis

    @transition(
        field=status,
        source=Status.SUSPENDED,
        target=GET_STATE(
            lambda self, **kwargs: self.suspended_from,
            states=[
                Status.PENDING,
                Status.DISPUTED,
                Status.IN_PROGRESS,
                Status.UNDER_REVIEW,
                Status.RETURNED,
                Status.APPROVED,
            ],
        ),
        permission=permissions.can_decide_on_assignment,
    )
    def resume(self, *, on: date, due_date: date | None):
        """Let the clock run again, the held days added; a new episode begins."""
        self.due_date = due_date
        self.episode += 1
        self.episode_start_date = on
        self.suspended_date = None
        self.suspension_basis = ""

    @transition(
        field=status,
        source=[
            Status.PENDING,
            Status.DISPUTED,
            Status.IN_PROGRESS,
            Status.UNDER_REVIEW,
            Status.RETURNED,
            Status.APPROVED,
            Status.SUSPENDED,
        ],
        target=Status.CANCELLED,
        permission=permissions.can_cancel_assignment,
    )
    def cancel(self):
        """End without a result, or by transfer to another body."""
        self.outcome = Outcome.CANCELLED

    @transition(
        field=status,
        source=Status.COMPLETED,
        target=Status.IN_PROGRESS,
        permission=permissions.can_decide_on_assignment,
    )
    def reopen(self, *, on: date, due_date: date):
        """Take the work up again in a new episode; the frozen verdict stays in the events."""
        self.due_date = due_date
        self.episode += 1
        self.episode_start_date = on
        self.outcome = Outcome.OPEN
        self.completed_date = None
        self.days_late = None
        self.days_late_original = None
        self.submitted_date = None
        self.submitted_at = None


class MilestoneQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(assignment__in=Assignment.objects.visible_to(user))

    def unfinished(self):
        return self.filter(status__in=Milestone.UNFINISHED_STATES)


class Milestone(Stateful):
    """A dated step of an assignment. Missed is not a state but a frozen fact in the events."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Planned, to be agreed")
        PLANNED = "planned", _("Agreed")
        IN_PROGRESS = "in_progress", _("Under way")
        UNDER_REVIEW = "under_review", _("Waiting for review")
        RETURNED = "returned", _("Sent back")
        COMPLETED = "completed", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    UNFINISHED_STATES = frozenset(
        {Status.DRAFT, Status.PLANNED, Status.IN_PROGRESS, Status.UNDER_REVIEW, Status.RETURNED}
    )
    BODY_STATES = frozenset({Status.PLANNED, Status.IN_PROGRESS, Status.RETURNED})

    assignment = models.ForeignKey(
        Assignment,
        on_delete=models.CASCADE,
        related_name="milestones",
        verbose_name=_("assignment"),
    )
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    title = models.CharField(_("milestone"), max_length=120)
    deliverable = models.CharField(_("deliverable"), max_length=200, blank=True)
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    original_date = models.DateField(_("originally planned for"), null=True, editable=False)
    planned_date = models.DateField(_("planned for"))
    actual_date = models.DateField(_("done on"), null=True, blank=True)
    evidence_text = models.TextField(_("evidence"), blank=True)
    receipt = models.JSONField(_("why this date"), default=dict, blank=True, editable=False)
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.DRAFT, protected=True, max_length=16
    )
    verified_date = models.DateField(_("verified on"), null=True, editable=False)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, editable=False)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ["assignment", "planned_date", "position"]
        constraints = [
            models.CheckConstraint(condition=Q(weight__gte=1), name="milestone_weight"),
            models.CheckConstraint(
                condition=~Q(status="completed") | Q(verified_date__isnull=False),
                name="milestone_verified_when_done",
            ),
        ]
        indexes = [
            models.Index(
                fields=["submitted_at"],
                condition=Q(status="under_review"),
                name="milestone_to_review",
            ),
            models.Index(
                fields=["planned_date"],
                condition=Q(status__in=["planned", "in_progress", "returned"]),
                name="milestone_due_open",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.PLANNED,
        permission=permissions.can_approve_plan,
    )
    def agree(self):
        """Agree to the step with the plan; the original date is written once."""
        self.original_date = self.planned_date

    @transition(
        field=status,
        source=Status.PLANNED,
        target=Status.IN_PROGRESS,
        permission=permissions.can_work_on_milestone,
    )
    def start(self):
        """Begin the step."""

    @transition(
        field=status,
        source=[Status.PLANNED, Status.IN_PROGRESS, Status.RETURNED],
        target=Status.UNDER_REVIEW,
        permission=permissions.can_work_on_milestone,
    )
    def submit(self, *, at: datetime, actual_date: date, evidence_text: str):
        """Report the step done."""
        self.submitted_at = at
        self.actual_date = actual_date
        self.evidence_text = evidence_text

    @transition(
        field=status,
        source=Status.UNDER_REVIEW,
        target=Status.RETURNED,
        permission=permissions.can_review_milestone,
    )
    def send_back(self):
        """Return the step with a reason."""

    @transition(
        field=status,
        source=Status.UNDER_REVIEW,
        target=Status.COMPLETED,
        permission=permissions.can_review_milestone,
    )
    def approve(self, *, verified_date: date):
        """The office has seen it."""
        self.verified_date = verified_date

    @transition(
        field=status,
        source=[Status.DRAFT, Status.PLANNED, Status.IN_PROGRESS, Status.RETURNED],
        target=Status.CANCELLED,
        permission=permissions.can_review_milestone,
    )
    def cancel(self):
        """Drop the step; its weight falls to the others, visibly."""


class DateChange(models.Model):
    """One move of a date: old, new, working days, who asked, who agreed. Never edited."""

    class Cause(models.TextChoices):
        EXTENSION = "extension", _("Extension granted")
        HOLD = "hold", _("Held days added")
        REWORK = "rework", _("Time to rework")
        REVIEW = "review", _("Late answer of the office")
        REOPEN = "reopen", _("Reopened")
        REPLAN = "replan", _("Milestone moved")
        CALENDAR = "calendar", _("Holiday calendar changed")

    assignment = models.ForeignKey(
        Assignment,
        on_delete=models.CASCADE,
        related_name="date_changes",
        verbose_name=_("assignment"),
    )
    milestone = models.ForeignKey(
        Milestone,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="date_changes",
        verbose_name=_("milestone"),
    )
    cause = models.CharField(_("cause"), max_length=12, choices=Cause.choices)
    old_date = models.DateField(_("old date"))
    new_date = models.DateField(_("new date"))
    working_days = models.IntegerField(_("working days moved"))
    reason = models.TextField(_("reason"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("asked by"),
    )
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("agreed by"),
    )
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("date change")
        verbose_name_plural = _("date changes")
        ordering = ["assignment", "changed_at", "pk"]

    def __str__(self) -> str:
        return f"{self.old_date} → {self.new_date}"


class Hold(Opaque):
    """A suspension as a row of its own: from, to, basis, days held."""

    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, related_name="holds", verbose_name=_("assignment")
    )
    start_date = models.DateField(_("from"))
    expected_end_date = models.DateField(_("expected end"))
    end_date = models.DateField(_("ended on"), null=True)
    basis = models.CharField(_("basis"), max_length=200)
    held_working_days = models.PositiveIntegerField(_("working days held"), null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(end_date=None), name="hold_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.start_date} → {self.end_date or '…'}"


class BodyChange(models.Model):
    """A share that went to another body with a change of bodies. Never edited.

    `joined_to` is set when the new body already carried the item: this share then ended and the
    other one goes on with copies of its open milestones (`added_milestones`, their keys).
    `status_before` is what a ledger of an earlier day shows.
    """

    succession = models.ForeignKey(
        Succession, on_delete=models.PROTECT, related_name="changes", verbose_name=_("change")
    )
    assignment = models.ForeignKey(
        Assignment,
        on_delete=models.CASCADE,
        related_name="body_changes",
        verbose_name=_("assignment"),
    )
    old = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("former body")
    )
    new = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("present body")
    )
    from_date = models.DateField(_("from the day"))
    status_before = models.CharField(_("state before"), max_length=16)
    joined_to = models.ForeignKey(
        Assignment,
        on_delete=models.CASCADE,
        null=True,
        related_name="joined_from",
        verbose_name=_("goes on in"),
    )
    added_milestones = models.JSONField(_("milestones taken over"), default=list, blank=True)

    class Meta:
        verbose_name = _("change of the body")
        verbose_name_plural = _("changes of the body")
        ordering = ["from_date", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["succession", "assignment"], name="body_change_once_each"
            )
        ]
        indexes = [models.Index(fields=["from_date"], name="body_change_from")]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"
