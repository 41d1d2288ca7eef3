"""Who was told of what, why, and whether the message arrived. The inbox is the record."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supervision.models import Event, Organization
from supervision.models.base import Opaque


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


class SiteIdentity(models.Model):
    """Who this database is: made once, copied with every backup, compared with the host's file."""

    site_id = models.UUIDField(_("site id"), default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("site identity")
        verbose_name_plural = _("site identities")

    def __str__(self) -> str:
        return str(self.site_id)


class GroupRobot(Opaque):
    """A robot in a chat group of a body or of the office; it names body, item and link, no person.

    `address` is the key the chat product gave out and `secret` its signing key. Whoever has them
    may write into the group: they are entered once, never shown again and never logged.
    """

    class Kind(models.TextChoices):
        WECOM = "wecom", _("WeCom")
        DINGTALK = "dingtalk", _("DingTalk")
        FEISHU = "feishu", _("Feishu")

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="group_robots",
        verbose_name=_("body"),
    )
    kind = models.CharField(_("chat product"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name of the group"), max_length=40)
    address = models.CharField(_("key of the robot"), max_length=200, editable=False)
    secret = models.CharField(_("signing key"), max_length=200, blank=True, editable=False)
    is_active = models.BooleanField(_("in use"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("group robot")
        verbose_name_plural = _("group robots")
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="robot_name_in_body")
        ]

    def __str__(self) -> str:
        return self.name


class Preference(models.Model):
    """What a person chose about the copies of his inbox; duty messages know no choice."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference"
    )
    is_digest_on = models.BooleanField(_("daily mail about ordinary matters"), default=True)
    digest_time = models.TimeField(_("daily mail not before"), null=True, blank=True)
    is_sms_on = models.BooleanField(_("text message for red"), default=True)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")

    def __str__(self) -> str:
        return str(self.user)


class MessageHold(Opaque):
    """A person keeps the messages of one fact back, with a reason; the fact itself is written.

    `key` is the fact's key, known before the fact is; `event:<pk>` for what is no fact.
    """

    key = models.CharField(max_length=120, editable=False)
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("held at"))
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    released_at = models.DateTimeField(_("released at"), null=True)

    class Meta:
        verbose_name = _("held message")
        verbose_name_plural = _("held messages")
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(released_at=None), name="held_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return self.key


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
    """One message to one person or group over one channel, with an honest state.

    `late_by_days`: how many days after its day the fact was found. `resends` counts how often a
    person sent it again. `on_behalf_of`: the recipient stands in for this person.
    """

    Status = SendStatus
    OPEN_STATES = (SendStatus.PENDING, SendStatus.FAILED, SendStatus.HELD)

    class Channel(models.TextChoices):
        DIGEST = "digest", _("Daily mail")
        MAIL = "mail", _("Mail at once")
        WEBHOOK = "webhook", _("Group robot")
        SMS = "sms", _("Text message")

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="deliveries"
    )
    robot = models.ForeignKey(
        GroupRobot, on_delete=models.PROTECT, null=True, related_name="deliveries"
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    duty = models.CharField(_("duty"), max_length=20)
    is_urgent = models.BooleanField(_("at once"), default=False)
    late_by_days = models.PositiveSmallIntegerField(_("days late"), default=0)
    resends = models.PositiveSmallIntegerField(_("sent again"), default=0)
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
            models.UniqueConstraint(fields=["event", "recipient", "channel"], name="delivery_once"),
            models.UniqueConstraint(
                fields=["event", "robot", "channel"],
                condition=Q(robot__isnull=False),
                name="delivery_once_to_a_group",
            ),
            models.CheckConstraint(
                condition=Q(recipient__isnull=False, robot__isnull=True)
                | Q(recipient__isnull=True, robot__isnull=False, channel="webhook"),
                name="delivery_to_one_person_or_group",
            ),
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
        return f"{self.event} → {self.recipient or self.robot}"
