"""What the public may read: reviewed, released, withdrawable copies; never live rows."""

import secrets
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.base import Stateful
from supervision.models.documents import PolicyDocument
from supervision.models.items import SupervisionItem


class ReleaseQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Those who publish, and the office; bodies see the public site like everybody."""
        if permissions.sees_releases(user):
            return self
        return self.none()

    def current(self):
        """The editions whose content is public now."""
        return self.filter(status=Release.Status.RELEASED)


class Release(Stateful):
    """One edition of a document's progress: allow-listed facts, hashed, reviewed by another person.

    `content` is what was reviewed and, byte for byte, what is public after release.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Being prepared")
        UNDER_REVIEW = "under_review", _("Waiting for review")
        APPROVED = "approved", _("Approved, not yet public")
        RELEASED = "released", _("Public")
        SUPERSEDED = "superseded", _("Replaced by a later edition")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    document = models.ForeignKey(
        PolicyDocument,
        on_delete=models.PROTECT,
        related_name="releases",
        verbose_name=_("document"),
    )
    label = models.CharField(_("edition"), max_length=20)
    as_of_date = models.DateField(_("as of"))
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.DRAFT, protected=True, max_length=16
    )
    content = models.JSONField(_("content"), default=dict)
    content_hash = models.CharField(_("hash of the content"), max_length=80, blank=True)
    reviewed_hash = models.CharField(_("hash the reviewer saw"), max_length=80, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("author"),
    )
    # Who really wrote it, when he stood in for the author: neither of the two may review.
    author_deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("author's deputy"),
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("reviewer"),
    )
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True)
    released_at = models.DateTimeField(_("released at"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    created_at = models.DateTimeField(_("created at"))

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("public edition")
        verbose_name_plural = _("public editions")
        ordering = ["-as_of_date", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["document"], condition=Q(status="released"), name="release_one_current"
            ),
            models.CheckConstraint(
                condition=Q(reviewer=None) | ~Q(reviewer=F("author")),
                name="release_reviewed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(reviewer=None)
                | Q(author_deputy=None)
                | ~Q(reviewer=F("author_deputy")),
                name="release_not_reviewed_by_deputy",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "under_review", "withdrawn"])
                | Q(reviewer__isnull=False, reviewed_hash=F("content_hash")),
                name="release_is_what_was_reviewed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document} {self.label}"

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.UNDER_REVIEW,
        permission=permissions.can_propose_release,
    )
    def submit(self):
        """Hand the edition to a reviewer."""

    @transition(
        field=status,
        source=[Status.UNDER_REVIEW, Status.APPROVED],
        target=Status.DRAFT,
        permission=permissions.can_review_release,
    )
    def send_back(self):
        """Return with a reason; every step is void."""
        self.reviewer = None
        self.reviewed_hash = ""
        self.reviewed_at = None

    @transition(
        field=status,
        source=Status.UNDER_REVIEW,
        target=Status.APPROVED,
        permission=permissions.can_review_release,
    )
    def approve(self, *, by, at: datetime):
        """The reviewer has read it; the hash that was seen is stored."""
        self.reviewer = by
        self.reviewed_at = at
        self.reviewed_hash = self.content_hash

    @transition(
        field=status,
        source=Status.APPROVED,
        target=Status.RELEASED,
        permission=permissions.can_publish_release,
    )
    def release(self, *, at: datetime):
        """Make it public."""
        self.released_at = at

    @transition(
        field=status,
        source=Status.RELEASED,
        target=Status.SUPERSEDED,
        permission=permissions.can_publish_release,
    )
    def supersede(self):
        """A later edition takes its place."""

    @transition(
        field=status,
        source=Status.RELEASED,
        target=Status.WITHDRAWN,
        permission=permissions.can_withdraw_release,
    )
    def withdraw(self, *, at: datetime):
        """Take it from the public at once."""
        self.withdrawn_at = at


def new_slug() -> str:
    """A random public address: given once, never reused, says nothing."""
    return secrets.token_hex(5)


class PublicItemQuerySet(models.QuerySet):
    def public(self):
        """Items that are in a released edition now: the only road to the public site."""
        return self.filter(release__status=Release.Status.RELEASED, withdrawn_at=None)

    def withdrawn(self):
        return self.exclude(withdrawn_at=None)


class PublicItem(models.Model):
    """An item's public identity and its released facts.

    The number is given at first release, gap-free, so that it reveals nothing hidden; `data` is
    a copy of the item's part of the released edition.
    """

    item = models.OneToOneField(
        SupervisionItem, on_delete=models.PROTECT, related_name="public_item"
    )
    number = models.PositiveIntegerField(_("public number"), unique=True)
    slug = models.SlugField(_("public address"), max_length=20, unique=True, default=new_slug)
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="public_items", verbose_name=_("edition")
    )
    data = models.JSONField(_("released facts"))
    data_hash = models.CharField(_("hash"), max_length=80)
    first_released_at = models.DateTimeField(_("first released at"))
    changed_at = models.DateTimeField(_("last changed at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)

    objects = PublicItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("public item")
        verbose_name_plural = _("public items")
        ordering = ["number"]

    def __str__(self) -> str:
        return str(self.number)
