"""Handing a desk to a successor, and the personal token of a calendar feed."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.base import Opaque, Stateful
from supervision.models.organizations import Organization


class HandoverQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The two persons, the head of the body, the office, and who keeps the accounts."""
        if user.has_role(permissions.OFFICER, permissions.OFFICE_HEAD, permissions.ADMINISTRATOR):
            return self
        seen = Q(from_user_id=user.pk) | Q(to_user_id=user.pk)
        if user.has_role(permissions.BODY_HEAD) and user.organization_id is not None:
            seen |= Q(organization_id=user.organization_id)
        return self.filter(seen)


class Handover(Stateful):
    """A desk passes from one person to another of the same body (交接).

    `content` is the index of what was open, frozen when it was given. The work belongs to the
    body and stays where it is; with the successor's yes the duty passes. History keeps its names.
    """

    class Status(models.TextChoices):
        PREPARED = "prepared", _("Being prepared")
        GIVEN = "given", _("Waiting for the successor")
        TAKEN = "taken", _("Handed over")
        DROPPED = "dropped", _("Dropped (handover)")

    OPEN_STATES = frozenset({Status.PREPARED, Status.GIVEN})

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="handovers", verbose_name=_("body")
    )
    from_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="handovers_given",
        verbose_name=_("hands over"),
    )
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="handovers_taken",
        verbose_name=_("takes over"),
    )
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.PREPARED, protected=True, max_length=10
    )
    note = models.CharField(_("what the successor should know"), max_length=400, blank=True)
    content = models.JSONField(_("index of what is open"), default=list, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("given by"),
    )
    given_at = models.DateTimeField(_("given at"), null=True)
    taken_at = models.DateTimeField(_("taken at"), null=True)
    closed_at = models.DateTimeField(_("account closed at"), null=True)

    objects = HandoverQuerySet.as_manager()

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_user=F("to_user")), name="handover_not_to_oneself"
            ),
            models.UniqueConstraint(
                fields=["from_user"],
                condition=Q(status__in=["prepared", "given"]),
                name="handover_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_user} → {self.to_user}"

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("supervision:handover", args=[self.uid])

    @transition(
        field=status,
        source=Status.PREPARED,
        target=Status.GIVEN,
        permission=permissions.can_give_desk,
    )
    def give(self, *, by, at: datetime, content: list):
        """Who leaves confirms the index; it is frozen."""
        self.given_by = by
        self.given_at = at
        self.content = content

    @transition(
        field=status,
        source=Status.GIVEN,
        target=Status.TAKEN,
        permission=permissions.can_take_desk,
    )
    def take(self, *, at: datetime):
        """The successor confirms the index; the duty is his from now on."""
        self.taken_at = at

    @transition(
        field=status,
        source=[Status.PREPARED, Status.GIVEN],
        target=Status.DROPPED,
        permission=permissions.can_drop_handover,
    )
    def drop(self):
        """It does not come about."""


class CalendarToken(Opaque):
    """A personal address of the deadlines as a calendar. Only the hash of the secret is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="calendar_tokens",
        verbose_name=_("account"),
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True)

    class Meta:
        verbose_name = _("calendar address")
        verbose_name_plural = _("calendar addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(revoked_at=None), name="calendar_token_one_in_use"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d}"
