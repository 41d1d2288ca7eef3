"""What happened. Page, digest and audit are all read from here; nothing here is ever edited."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supervision import permissions
from supervision.models.assignments import Assignment, Milestone
from supervision.models.documents import PolicyDocument
from supervision.models.items import SupervisionItem
from supervision.models.organizations import Organization
from supervision.models.reports import ReportPeriod


class EventKind(models.TextChoices):
    DOCUMENT_LOADED = "document_loaded", _("Policy data loaded")
    DOCUMENT_CORRECTED = "document_corrected", _("Policy data corrected")
    DOCUMENT_ACTIVATED = "document_activated", _("Document put under supervision")
    DOCUMENT_CLOSED = "document_closed", _("Document closed")
    ITEM_CREATED = "item_created", _("Item drafted")
    ITEM_CHANGED = "item_changed", _("Draft changed")
    ITEM_SUBMITTED = "item_submitted", _("Item submitted for approval")
    ITEM_SENT_BACK = "item_sent_back", _("Item sent back to its drafter")
    ITEM_APPROVED = "item_approved", _("Item initiated")
    ITEM_DISPATCHED = "item_dispatched", _("Item dispatched")
    ITEM_SUSPENDED = "item_suspended", _("Item suspended")
    ITEM_RESUMED = "item_resumed", _("Item resumed")
    ITEM_CANCELLED = "item_cancelled", _("Item cancelled")
    ITEM_COMPLETED = "item_completed", _("Item closed out")
    ITEM_ARCHIVED = "item_archived", _("Item archived")
    ITEM_REOPENED = "item_reopened", _("Item reopened")
    INSTRUCTED = "instructed", _("Instruction of a leader")
    DISPATCHED = "dispatched", _("Assigned")
    ACCEPTED = "accepted", _("Signed for")
    OBJECTED = "objected", _("Objection raised")
    OBJECTION_REJECTED = "objection_rejected", _("Objection rejected")
    OBJECTION_UPHELD = "objection_upheld", _("Objection upheld")
    OBJECTION_WITHDRAWN = "objection_withdrawn", _("Objection withdrawn")
    PLAN_FILED = "plan_filed", _("Plan filed")
    PLAN_AGREED = "plan_agreed", _("Plan agreed")
    MILESTONE_STARTED = "milestone_started", _("Milestone started")
    MILESTONE_SUBMITTED = "milestone_submitted", _("Milestone reported done")
    MILESTONE_SENT_BACK = "milestone_sent_back", _("Milestone sent back")
    MILESTONE_COMPLETED = "milestone_completed", _("Milestone verified")
    MILESTONE_MOVED = "milestone_moved", _("Milestone moved")
    MILESTONE_CANCELLED = "milestone_cancelled", _("Milestone cancelled")
    REPORT_SAVED = "report_saved", _("Return saved")
    SIGN_OFF_ASKED = "sign_off_asked", _("Return handed to the head")
    SIGN_OFF_REFUSED = "sign_off_refused", _("Return handed back by the head")
    REPORT_SUBMITTED = "report_submitted", _("Return filed")
    REPORT_SENT_BACK = "report_sent_back", _("Return sent back")
    REPORT_APPROVED = "report_approved", _("Return accepted")
    PERIOD_SKIPPED = "period_skipped", _("Period skipped")
    PERIOD_UNSKIPPED = "period_unskipped", _("Period no longer skipped")
    EXTENSION_DRAFTED = "extension_drafted", _("Extension prepared")
    EXTENSION_ASKED = "extension_asked", _("Extension asked for")
    EXTENSION_ENDORSED = "extension_endorsed", _("Extension endorsed")
    EXTENSION_GRANTED = "extension_granted", _("Extension granted")
    EXTENSION_REFUSED = "extension_refused", _("Extension refused")
    EXTENSION_WITHDRAWN = "extension_withdrawn", _("Extension withdrawn")
    CLOSING_DRAFTED = "closing_drafted", _("Closing prepared")
    SUBMITTED = "submitted", _("Completion applied for")
    SENT_BACK = "sent_back", _("Completion sent back")
    APPROVED = "approved", _("Completion found in order")
    CHECK_FAILED = "check_failed", _("Check failed")
    COMPLETED = "completed", _("Completed")
    SUSPENDED = "suspended", _("Suspended")
    RESUMED = "resumed", _("Resumed")
    CANCELLED = "cancelled", _("Cancelled")
    REOPENED = "reopened", _("Reopened")
    FILE_ADDED = "file_added", _("File added")
    NOTE = "note", _("Note")
    REMINDED = "reminded", _("Urged by the office")
    REMINDER_DUE = "reminder_due", _("Due soon")
    ACCEPT_OVERDUE = "accept_overdue", _("Not signed for in time")
    BECAME_OVERDUE = "became_overdue", _("Became overdue")
    MILESTONE_MISSED = "milestone_missed", _("Milestone missed")
    PERIOD_CLOSED = "period_closed", _("Return day passed")
    PERIOD_MADE_UP = "period_made_up", _("Return made up late")
    ESCALATED = "escalated", _("Escalated")
    ESCALATION_PROPOSED = "escalation_proposed", _("Escalation proposed")
    ESCALATION_DECIDED = "escalation_decided", _("Escalation decided")
    REVIEW_NEAR = "review_near", _("Waiting with the office, limit near")
    REVIEW_OVERDUE = "review_overdue", _("Waiting with the office over the limit")
    RULES_CHANGED = "rules_changed", _("Rules changed")
    LETTER_DRAFTED = "letter_drafted", _("Letter drafted")
    LETTER_ISSUED = "letter_issued", _("Letter issued")
    LETTER_VOIDED = "letter_voided", _("Letter made void")
    LETTER_ACCEPTED = "letter_accepted", _("Letter signed for")
    LETTER_REPLIED = "letter_replied", _("Letter answered")
    LETTER_TEMPLATE_CHANGED = "letter_template_changed", _("Letter text changed")
    RELEASE_PROPOSED = "release_proposed", _("Public edition proposed")
    RELEASE_REVISED = "release_revised", _("Public edition changed")
    RELEASE_SENT_BACK = "release_sent_back", _("Public edition sent back")
    RELEASE_APPROVED = "release_approved", _("Public edition approved")
    RELEASED = "released", _("Published")
    WITHDRAWN = "withdrawn", _("Withdrawn from the public")
    EXPORTED = "exported", _("Ledger exported")
    IMPORTED = "imported", _("Returns imported")
    TABLE_IMPORTED = "table_imported", _("Breakdown table imported")
    PACK_MADE = "pack_made", _("Meeting pack made")
    BODIES_CHANGED = "bodies_changed", _("Bodies changed")
    BODY_CHANGED = "body_changed", _("Went to another body")
    CALENDAR_DRAFTED = "calendar_drafted", _("Holiday notice loaded")
    CALENDAR_CONFIRMED = "calendar_confirmed", _("Holiday notice confirmed")
    CALENDAR_DROPPED = "calendar_dropped", _("Holiday notice dropped")
    CALENDAR_CHANGED = "calendar_changed", _("Deadlines moved by the holiday calendar")
    DATE_RECOUNTED = "date_recounted", _("Deadline recounted")
    MESSAGE_RESENT = "message_resent", _("Message sent again")
    MESSAGE_GIVEN_UP = "message_given_up", _("Message given up")
    OPENNESS_DUE = "openness_due", _("Openness to be looked at again")
    MESSAGES_RELEASED = "messages_released", _("Held messages released")
    MESSAGE_HELD = "message_held", _("Message held back")
    MESSAGE_UNHELD = "message_unheld", _("Message let go")
    ROBOT_ADDED = "robot_added", _("Group robot added")
    ROBOT_SWITCHED = "robot_switched", _("Group robot switched")
    DELEGATED = "delegated", _("Deputy appointed")
    DELEGATION_ENDED = "delegation_ended", _("Deputy dismissed")
    HELP_ASKED = "help_asked", _("Help asked of another body")
    HELP_DUE = "help_due", _("Help needed soon")
    HELP_ANSWERED = "help_answered", _("Help request answered")
    HELP_DECLINED = "help_declined", _("Help request declined")
    HELP_WITHDRAWN = "help_withdrawn", _("Help request withdrawn")
    SECTION_SET = "section_set", _("Given to a section")
    SECTIONS_CHANGED = "sections_changed", _("Sections changed")
    HANDOVER_GIVEN = "handover_given", _("Desk handed over")
    HANDOVER_TAKEN = "handover_taken", _("Desk taken over")
    HANDOVER_DROPPED = "handover_dropped", _("Handover dropped")
    ACCOUNT_CLOSED = "account_closed", _("Account closed")
    DEMONSTRATION_LOADED = "demonstration_loaded", _("Demonstration loaded")


def event_kinds():
    return EventKind.choices


class EventQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Events of what the user sees; a body reads those of its own assignments only."""
        if permissions.sees_all_items(user) or permissions.reads_audit(user):
            return self
        visible = Q(assignment__in=Assignment.objects.visible_to(user))
        if permissions.leads_items(user):
            visible |= Q(item__leader_id=user.pk)
        return self.filter(visible)

    def in_order(self):
        return self.order_by("happened_at", "pk")


class Event(models.Model):
    """One business act or one fact of the calendar, written in the same transaction as its change.

    `happened_at` is when it happened (an overdue mark: 00:00 local on the day after the due date),
    `recorded_at` when it was written. `fact_key` is unique: a fact is written once, however often
    a sweep looks. `data` holds parameters, never sentences.
    """

    Kind = EventKind

    kind = models.CharField(_("kind"), max_length=32, choices=event_kinds)
    fact_key = models.CharField(max_length=120, null=True, unique=True, editable=False)  # noqa: DJ001
    document = models.ForeignKey(
        PolicyDocument, on_delete=models.PROTECT, null=True, related_name="events"
    )
    item = models.ForeignKey(
        SupervisionItem, on_delete=models.PROTECT, null=True, related_name="events"
    )
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, null=True, related_name="events"
    )
    milestone = models.ForeignKey(
        Milestone, on_delete=models.PROTECT, null=True, related_name="events"
    )
    period = models.ForeignKey(
        ReportPeriod, on_delete=models.PROTECT, null=True, related_name="events"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="+"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    by_name = models.CharField(_("who"), max_length=80, blank=True)
    by_role = models.CharField(_("as"), max_length=80, blank=True)
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    from_state = models.CharField(_("from"), max_length=16, blank=True)
    to_state = models.CharField(_("to"), max_length=16, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    data = models.JSONField(_("details"), default=dict, blank=True)
    happened_at = models.DateTimeField(_("happened at"))
    recorded_at = models.DateTimeField(_("recorded at"))

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["item", "happened_at"], name="event_of_item"),
            models.Index(fields=["assignment", "kind"], name="event_of_assignment"),
            models.Index(fields=["recorded_at"], name="event_recorded"),
            models.Index(
                fields=["assignment"],
                condition=Q(kind="escalation_proposed"),
                name="event_proposed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.happened_at:%Y-%m-%d}"
