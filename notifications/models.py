"""Who was told of what, why, and whether the message arrived. The inbox is the record."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supervision.models import Event


class FanOut(models.Model):
    """This event has been told to whom it concerns; written in the same transaction as the rows."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="fan_out")
    recipients = models.PositiveIntegerField(_("told to"), default=0)

    class Meta:
        verbose_name = _("fan-out")
        verbose_name_plural = _("fan-outs")

    def __str__(self) -> str:
        return str(self.event_id)


class Watermark(models.Model):
    """Up to which event the search for forgotten messages need not look again."""

    name = models.SlugField(_("name"), max_length=40, unique=True)
    event_id = models.BigIntegerField(_("event"), default=0)

    class Meta:
        verbose_name = _("watermark")
        verbose_name_plural = _("watermarks")

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"


class InboxQuerySet(models.QuerySet):
    def of(self, user):
        return self.filter(user_id=user.pk)

    def unread(self):
        return self.filter(read_at=None, done_at=None)

    def to_do(self):
        return self.filter(done_at=None)

    def done(self):
        return self.exclude(done_at=None)


class InboxEntry(models.Model):
    """One event one person should know of, and why it was this person."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="inbox_entries"
    )
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="inbox_entries")
    reason_code = models.CharField(_("why"), max_length=40)
    reason_params = models.JSONField(_("details"), default=dict, blank=True)
    created_at = models.DateTimeField(_("received at"))
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    objects = InboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("inbox entry")
        verbose_name_plural = _("inbox entries")
        constraints = [models.UniqueConstraint(fields=["user", "event"], name="inbox_once")]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="inbox_of_user"),
            models.Index(
                fields=["user"], condition=Q(read_at=None, done_at=None), name="inbox_unread"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.event}"


class SendStatus(models.TextChoices):
    PENDING = "pending", _("Waiting")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed, will be tried again")
    UNKNOWN = "unknown", _("Not known whether it arrived")
    HELD = "held", _("Held")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("No longer needed")
    DEAD = "dead", _("Given up")


class Digest(models.Model):
    """The one mail of a day to a person; the day is the local day it leaves."""

    Status = SendStatus

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digests"
    )
    date = models.DateField(_("day"))
    status = models.CharField(
        _("state"), max_length=10, choices=SendStatus.choices, default=SendStatus.PENDING
    )
    message_id = models.CharField(_("Message-ID"), max_length=120)
    claimed_by = models.CharField(_("claimed by"), max_length=80, blank=True)
    claimed_at = models.DateTimeField(_("claimed at"), null=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        constraints = [models.UniqueConstraint(fields=["user", "date"], name="digest_once_a_day")]

    def __str__(self) -> str:
        return f"{self.user} {self.date}"


class Delivery(models.Model):
    """One message to one recipient over one channel, with an honest state."""

    Status = SendStatus
    OPEN_STATES = (SendStatus.PENDING, SendStatus.FAILED, SendStatus.HELD)

    class Channel(models.TextChoices):
        DIGEST = "digest", _("Daily mail")
        MAIL = "mail", _("Mail at once")

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deliveries"
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    duty = models.CharField(_("duty"), max_length=20)
    status = models.CharField(
        _("state"), max_length=10, choices=SendStatus.choices, default=SendStatus.PENDING
    )
    digest = models.ForeignKey(
        Digest, on_delete=models.SET_NULL, null=True, blank=True, related_name="deliveries"
    )
    claimed_by = models.CharField(_("claimed by"), max_length=80, blank=True)
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["event", "recipient", "channel"], name="delivery_once")
        ]
        indexes = [
            models.Index(
                fields=["recipient"],
                condition=Q(status__in=["pending", "sending", "failed", "held"]),
                name="delivery_open",
            ),
            models.Index(fields=["status", "sent_at"], name="delivery_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.recipient}"
