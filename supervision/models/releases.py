"""What the public may read: reviewed, released, withdrawable copies; never live rows."""

import secrets
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac
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

    def coming(self):
        """Handed in and not yet public: what the public reads next, if nobody sends it back."""
        return self.filter(status__in=Release.HANDED_IN).order_by("pk")


class Release(Stateful):
    """One edition of a document's progress: allow-listed facts, hashed, read by three people.

    `content` is what was reviewed and, byte for byte, what is public after release. `edits` are
    the author's own words for the public, applied to what the facts say. Any edit, and every
    sending back, begins a new `round`: the steps of the rounds before no longer count.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Being prepared")
        FIRST_REVIEW = "first_review", _("First review")
        SECOND_REVIEW = "second_review", _("Second review")
        THIRD_REVIEW = "third_review", _("Third review")
        APPROVED = "approved", _("Approved, not yet public")
        RELEASED = "released", _("Public")
        SUPERSEDED = "superseded", _("Replaced by a later edition")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    REVIEWS = (Status.FIRST_REVIEW, Status.SECOND_REVIEW, Status.THIRD_REVIEW)
    HANDED_IN = (*REVIEWS, Status.APPROVED)
    ON_ITS_WAY = (Status.DRAFT, *HANDED_IN)

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
    edits = models.JSONField(_("author's edits"), default=dict, blank=True)
    round = models.PositiveIntegerField(_("round of review"), default=1, editable=False)
    stage_at = models.DateTimeField(_("at this step since"), editable=False)
    embargo_date = models.DateField(_("not before"), null=True, blank=True)
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
                condition=~Q(status__in=["released", "superseded"]) | Q(released_at__isnull=False),
                name="release_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document} {self.label}"

    @property
    def stage(self) -> int:
        """The review it waits for, 1 to 3; 0 when it waits for none."""
        return self.REVIEWS.index(self.status) + 1 if self.status in self.REVIEWS else 0

    def signed_by(self) -> set[int]:
        """Everybody who had a hand in this round: authors, reviewers, and for whom they stood."""
        people = {self.author_id, self.author_deputy_id}
        if self.pk:
            for step in self.steps.all():
                if step.round == self.round:
                    people |= {step.person_id, step.principal_id}
        return people - {None}

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.FIRST_REVIEW,
        permission=permissions.can_propose_release,
    )
    def submit(self, *, at: datetime):
        """Hand the edition to the first reviewer."""
        self.stage_at = at

    @transition(
        field=status,
        source=[*REVIEWS, Status.APPROVED],
        target=Status.DRAFT,
        permission=permissions.can_send_back_release,
    )
    def send_back(self, *, at: datetime):
        """Return with a reason; every review step is void."""
        self._begin_anew(at)

    @transition(
        field=status,
        source=[Status.DRAFT, *REVIEWS, Status.APPROVED],
        target=Status.DRAFT,
        permission=permissions.can_propose_release,
    )
    def revise(self, *, at: datetime):
        """The author changes it; every review step is void."""
        self._begin_anew(at)

    def _begin_anew(self, at: datetime) -> None:
        self.round += 1
        self.stage_at = at

    @transition(
        field=status,
        source=Status.FIRST_REVIEW,
        target=Status.SECOND_REVIEW,
        permission=permissions.can_review_release,
    )
    def approve_first(self, *, at: datetime):
        """Wording, names, places and sensitive words are in order."""
        self.stage_at = at

    @transition(
        field=status,
        source=Status.SECOND_REVIEW,
        target=Status.THIRD_REVIEW,
        permission=permissions.can_review_release,
    )
    def approve_second(self, *, at: datetime):
        """Form, accuracy and completeness are in order."""
        self.stage_at = at

    @transition(
        field=status,
        source=Status.THIRD_REVIEW,
        target=Status.APPROVED,
        permission=permissions.can_review_release,
    )
    def approve_third(self, *, at: datetime):
        """Policy, effect and the secrecy slip are in order."""
        self.stage_at = at

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


class ReleaseStep(models.Model):
    """Who handed in or read an edition, when, and the hash of what was on the page.

    Stage 0 is the author's, 1 to 3 the reviews. `person` sat at the desk, `principal` is the one
    on whose behalf; nobody occurs twice in a round in either part. Never edited (guards.py).
    """

    class Stage(models.IntegerChoices):
        AUTHOR = 0, _("Handed in")
        FIRST = 1, _("First review")
        SECOND = 2, _("Second review")
        THIRD = 3, _("Third review")

    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, related_name="steps", verbose_name=_("public edition")
    )
    round = models.PositiveIntegerField(_("round of review"))
    stage = models.PositiveSmallIntegerField(_("step"), choices=Stage.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("who read it"),
    )
    principal = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("on whose behalf"),
    )
    signed_at = models.DateTimeField(_("signed at"))
    seen_hash = models.CharField(_("hash of what was read"), max_length=80)
    opinion = models.CharField(_("opinion"), max_length=500, blank=True)
    slip = models.JSONField(_("secrecy slip"), default=dict, blank=True)

    class Meta:
        verbose_name = _("step of a review")
        verbose_name_plural = _("steps of a review")
        ordering = ["round", "stage"]
        constraints = [
            models.UniqueConstraint(fields=["release", "round", "stage"], name="release_step_once"),
            models.UniqueConstraint(
                fields=["release", "round", "person"], name="release_step_another_person"
            ),
            models.UniqueConstraint(
                fields=["release", "round", "principal"], name="release_step_another_principal"
            ),
            models.CheckConstraint(
                condition=Q(stage__in=[0, 1, 2]) | Q(stage=3) & ~Q(slip={}),
                name="release_step_has_its_slip",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release} {self.get_stage_display()}"


def public_set_key() -> str:
    """Differs whenever the public may read something else than before: two cheap queries.

    Counts stand beside the moments, so that two acts of one moment, or a clock that stepped back,
    are told apart.
    """
    editions = Release.objects.aggregate(
        last=models.Max("released_at"),
        released=models.Count("released_at"),
        withdrawn=models.Count("withdrawn_at"),
    )
    items = PublicItem.objects.aggregate(
        last=models.Max("withdrawn_at"), withdrawn=models.Count("withdrawn_at")
    )
    return " ".join(map(str, (*editions.values(), *items.values())))


def new_slug() -> str:
    """A random public address: given once, never reused, says nothing."""
    return secrets.token_hex(5)


def slug_of(item: SupervisionItem) -> str:
    """The public address of an item: as good as random to all who lack the secret key.

    Known before the release, so that the preview shows the very addresses that come; given once,
    and kept whatever happens to the key.
    """
    return salted_hmac("supervision.public.slug", str(item.uid), algorithm="sha256").hexdigest()[
        :10
    ]


class PublicItemQuerySet(models.QuerySet):
    def public(self):
        """Items that are in a released edition now: the only road to the public site."""
        return self.filter(release__status=Release.Status.RELEASED, withdrawn_at=None)

    def withdrawn(self):
        return self.exclude(withdrawn_at=None)

    def with_last_withdrawal(self):
        """Each with `last_withdrawal_at`: what was released before then stays unread for good."""
        withdrawals = Q(item__events__kind="withdrawn")
        return self.annotate(
            last_withdrawal_at=models.Max("item__events__happened_at", filter=withdrawals)
        )


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
