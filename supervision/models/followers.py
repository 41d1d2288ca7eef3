"""People without an account who follow the public site by mail: an address, nothing else."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supervision.models.base import Opaque
from supervision.models.releases import Release


class Follower(Opaque):
    """One address. Deleted with everything that hangs on it as soon as its owner leaves."""

    email = models.EmailField(_("e-mail address"), max_length=120, unique=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")

    def __str__(self) -> str:
        return str(self.uid)


class FollowedTopic(Opaque):
    """What an address follows. Counts only once the owner of the address has confirmed it."""

    class Kind(models.TextChoices):
        ALL = "all", _("Everything")
        THEME = "theme", _("A theme")
        LEAD = "lead", _("A lead")
        COUNTY = "county", _("A county")
        ITEM = "item", _("An item")

    follower = models.ForeignKey(Follower, on_delete=models.CASCADE, related_name="topics")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    # The public address of an item, the name of any other group.
    key = models.CharField(_("what"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created at"))
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)

    class Meta:
        verbose_name = _("followed topic")
        verbose_name_plural = _("followed topics")
        constraints = [
            models.UniqueConstraint(fields=["follower", "kind", "key"], name="followed_once"),
            models.CheckConstraint(
                condition=Q(kind="all", key="") | ~Q(kind="all") & ~Q(key=""),
                name="followed_topic_names_what",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}".strip()


class FollowerMail(Opaque):
    """One mail to a follower: the request to confirm a topic, or what an edition changed.

    The text is put together when the mail leaves, from what is public at that moment.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        HELD = "held", _("Held")
        UNKNOWN = "unknown", _("Not known whether it arrived")
        DEAD = "dead", _("Given up")

    follower = models.ForeignKey(Follower, on_delete=models.CASCADE, related_name="mails")
    topic = models.ForeignKey(
        FollowedTopic, on_delete=models.CASCADE, null=True, related_name="mails"
    )
    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, null=True, related_name="follower_mails"
    )
    status = models.CharField(
        _("state"), max_length=10, choices=Status.choices, default=Status.PENDING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True)
    claimed_at = models.DateTimeField(_("claimed at"), null=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("mail to a follower")
        verbose_name_plural = _("mails to followers")
        constraints = [
            models.UniqueConstraint(
                fields=["follower", "release"],
                condition=Q(release__isnull=False),
                name="follower_one_mail_an_edition",
            ),
            models.CheckConstraint(
                condition=Q(topic__isnull=False, release__isnull=True)
                | Q(topic__isnull=True, release__isnull=False),
                name="follower_mail_is_about_one_thing",
            ),
        ]
        indexes = [models.Index(fields=["status", "created_at"], name="follower_mail_waiting")]

    def __str__(self) -> str:
        return str(self.uid)


class FollowerTally(models.Model):
    """How many mails of an edition ended how. Numbers only: they stay when an address goes.

    Without an edition: the requests to confirm an address.
    """

    class Outcome(models.TextChoices):
        SENT = "sent", _("Sent")
        UNKNOWN = "unknown", _("Not known whether it arrived")
        DEAD = "dead", _("Given up")

    release = models.ForeignKey(
        Release,
        on_delete=models.CASCADE,
        null=True,
        related_name="follower_tallies",
        verbose_name=_("Edition"),
    )
    outcome = models.CharField(_("state"), max_length=10, choices=Outcome.choices)
    number = models.PositiveIntegerField(_("number"), default=0)
    last_at = models.DateTimeField(_("last at"))

    class Meta:
        verbose_name = _("number of mails to followers")
        verbose_name_plural = _("numbers of mails to followers")
        constraints = [
            models.UniqueConstraint(
                fields=["release", "outcome"],
                condition=Q(release__isnull=False),
                name="follower_tally_once_an_edition",
            ),
            models.UniqueConstraint(
                fields=["outcome"],
                condition=Q(release__isnull=True),
                name="follower_tally_of_confirmations",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release or '–'} {self.get_outcome_display()} {self.number}"
