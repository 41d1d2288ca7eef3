"""Letters of the office: the numbered papers, their texts as data, receipt and reply."""

from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.assignments import Assignment
from supervision.models.base import Opaque, Stateful
from supervision.models.events import Event
from supervision.models.items import SupervisionItem
from supervision.models.organizations import Organization


class LetterKind(models.TextChoices):
    """The papers of domain.md, section 7.1. Colour sheets share one number series."""

    DISPATCH_NOTICE = "dispatch_notice", _("Dispatch notice")
    URGING_BLUE = "urging_blue", _("Urging notice, blue sheet")
    URGING_YELLOW = "urging_yellow", _("Urging notice, yellow sheet")
    URGING_RED = "urging_red", _("Urging notice, red sheet")
    EXTENSION_REPLY = "extension_reply", _("Reply to an extension request")
    CIRCULAR = "circular", _("Circular")
    INTERVIEW = "interview", _("Notice of an interview")


URGING_KINDS = frozenset({LetterKind.URGING_BLUE, LetterKind.URGING_YELLOW, LetterKind.URGING_RED})


class LetterTemplate(Opaque):
    """Text and looks of one kind of letter. Letters already issued keep what they were made of.

    The body is one paragraph a line with named fields such as {item_title}; `line_pitch_points`
    is the exact line height, 28 to 30 points. `version` is raised by every change.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=LetterKind.choices, unique=True)
    series = models.SlugField(_("number series"), max_length=20, editable=False)
    prefix = models.CharField(_("prefix of the number"), max_length=12)
    issuer_name = models.CharField(_("issuer"), max_length=40)
    title = models.CharField(_("title"), max_length=80)
    body = models.TextField(_("text"))
    line_pitch_points = models.DecimalField(
        _("line pitch in points"), max_digits=4, decimal_places=2, default=Decimal("29")
    )
    has_red_head = models.BooleanField(_("with the red head"), default=True)
    copies = models.CharField(_("copies to"), max_length=200, blank=True)
    contact = models.CharField(_("contact and telephone"), max_length=80, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        verbose_name = _("letter template")
        verbose_name_plural = _("letter templates")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(line_pitch_points__gte=28, line_pitch_points__lte=30),
                name="template_line_pitch",
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


def letter_path(instance: "Letter", filename: str) -> str:
    """A random place; the name people see is the letter's number."""
    return f"letters/{instance.uid.hex[:2]}/{instance.uid.hex}"


def _to_body(user) -> Q:
    """What was sent to the user's body, or about the work of the section he is confined to."""
    to_body = Q(organization_id=user.organization_id)
    if user.only_section_id is not None:
        return to_body & Q(assignment__in=Assignment.objects.visible_to(user))
    return to_body & (Q(assignment=None) | Q(assignment__transferred_to=None))


class LetterQuerySet(models.QuerySet):
    def visible_to(self, user):
        """All for those who supervise, own items' for a leader, for a body what it was sent.

        A body reads what is addressed or copied to it, once issued; a share given to another
        body takes its letters along.
        """
        if permissions.sees_all_items(user):
            return self
        visible = Q(pk__in=[])
        if permissions.leads_items(user):
            visible |= Q(item__leader_id=user.pk)
        if user.is_body:
            body = user.organization_id
            own = Assignment.objects.visible_to(user).filter(organization_id=body)
            copied = Letter.copied_to.through.objects.filter(organization_id=body)
            visible |= Q(status__in=Letter.SENT_STATES) & (
                _to_body(user)
                | Q(pk__in=copied.values("letter_id"))
                & (Q(item=None) | Q(item__in=own.values("item_id")))
            )
        return self.filter(visible)

    def _awaited(self):
        """Issued, and about work that is still to be done."""
        return self.filter(
            Q(assignment=None) | Q(assignment__status__in=Assignment.RUNNING_STATES),
            status=Letter.Status.ISSUED,
        )

    def unsigned(self, *, today: date):
        """Not signed for by the end of the day it was to be; notices count as the work does."""
        waiting = self._awaited().exclude(kind=LetterKind.DISPATCH_NOTICE)
        return waiting.filter(received_at=None, receipt_due_date__lt=today)

    def unanswered(self, *, today: date):
        """Not answered by the end of the day it was to be."""
        return self._awaited().filter(replied_at=None, reply_due_date__lt=today)


class Letter(Stateful):
    """One paper. Its number is taken and its content frozen in the same transaction.

    `content` holds every word of the paper as it left the house; the DOCX is drawn from it once
    and its hash kept. `event` is what called for it: one letter for each.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Drafted (letter)")
        ISSUED = "issued", _("Issued")
        VOID = "void", _("Void")
        DROPPED = "dropped", _("Not issued")

    SENT_STATES = frozenset({Status.ISSUED, Status.VOID})

    kind = models.CharField(_("kind"), max_length=20, choices=LetterKind.choices)
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.DRAFT, protected=True, max_length=8
    )
    series = models.SlugField(_("number series"), max_length=20)
    year = models.PositiveSmallIntegerField(_("year"), null=True, editable=False)
    n = models.PositiveIntegerField(_("running number"), null=True, editable=False)
    number = models.CharField(  # noqa: DJ001 unique where there is one
        _("letter number"), max_length=40, null=True, unique=True, editable=False
    )
    title = models.CharField(_("title"), max_length=200)
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        related_name="letters",
        verbose_name=_("addressee"),
    )
    copied_to = models.ManyToManyField(
        Organization, related_name="copied_letters", verbose_name=_("also sent to")
    )
    item = models.ForeignKey(
        SupervisionItem,
        on_delete=models.PROTECT,
        null=True,
        related_name="letters",
        verbose_name=_("item"),
    )
    assignment = models.ForeignKey(
        Assignment,
        on_delete=models.PROTECT,
        null=True,
        related_name="letters",
        verbose_name=_("assignment"),
    )
    episode = models.PositiveIntegerField(_("episode"), null=True, editable=False)
    period = models.CharField(_("period"), max_length=20, blank=True)
    event = models.OneToOneField(
        Event,
        on_delete=models.PROTECT,
        null=True,
        related_name="letter",
        verbose_name=_("what called for it"),
    )
    content = models.JSONField(_("content"), default=dict, editable=False)
    template_version = models.PositiveIntegerField(_("version of the template"), editable=False)
    signer = models.CharField(_("signed by (letter)"), max_length=80, blank=True)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("drafted by"),
    )
    created_at = models.DateTimeField(_("created at"), editable=False)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("issued by"),
    )
    issued_at = models.DateTimeField(_("issued at"), null=True, editable=False)
    void_reason = models.TextField(_("why it is void"), blank=True)
    voided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("made void by"),
    )
    voided_at = models.DateTimeField(_("made void at"), null=True, editable=False)
    receipt_due_date = models.DateField(_("sign for it by"), null=True, editable=False)
    reply_due_date = models.DateField(_("reply by"), null=True, editable=False)
    due_receipts = models.JSONField(_("why these dates"), default=dict, editable=False)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("signed for by"),
    )
    received_at = models.DateTimeField(_("signed for at"), null=True, editable=False)
    reply_text = models.TextField(_("reply"), blank=True)
    replied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("replied by"),
    )
    replied_at = models.DateTimeField(_("replied at"), null=True, editable=False)
    docx = models.FileField(_("document file"), upload_to=letter_path, max_length=200, blank=True)
    docx_sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        constraints = [
            models.UniqueConstraint(fields=["series", "year", "n"], name="letter_number_once"),
            models.UniqueConstraint(
                fields=["kind", "period"],
                condition=Q(kind="circular", status__in=["draft", "issued"]),
                name="letter_one_circular_a_period",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["issued", "void"],
                    number__isnull=False,
                    year__isnull=False,
                    n__gte=1,
                    issued_at__isnull=False,
                )
                | Q(
                    status__in=["draft", "dropped"],
                    number=None,
                    year=None,
                    n=None,
                    issued_at=None,
                ),
                name="letter_number_when_issued",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["void", "dropped"]) | ~Q(void_reason=""),
                name="letter_void_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(replied_at=None) | (Q(received_at__isnull=False) & ~Q(reply_text="")),
                name="letter_reply_after_receipt",
            ),
            models.CheckConstraint(
                condition=Q(docx="", docx_sha256="") | (~Q(docx="") & ~Q(docx_sha256="")),
                name="letter_file_has_its_hash",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "status"], name="letter_of_body"),
            models.Index(fields=["item", "created_at"], name="letter_of_item"),
            models.Index(
                fields=["issued_at"],
                condition=Q(docx="", status__in=["issued", "void"]),
                name="letter_to_render",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number or ''} {self.title}".strip()

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("supervision:letter", args=[self.uid])

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.ISSUED,
        permission=permissions.can_issue_letter,
    )
    def issue(self, *, by, at: datetime, year: int, n: int, number: str):
        """Give the paper its number; nothing in it changes from now on."""
        self.issued_by = by
        self.issued_at = at
        self.year, self.n, self.number = year, n, number

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.DROPPED,
        permission=permissions.can_drop_letter,
    )
    def drop(self, *, by, at: datetime, reason: str):
        """Leave a draft unissued; no number was taken."""
        self.voided_by, self.voided_at, self.void_reason = by, at, reason

    @transition(
        field=status,
        source=Status.ISSUED,
        target=Status.VOID,
        permission=permissions.can_void_letter,
    )
    def void(self, *, by, at: datetime, reason: str):
        """Make an issued paper void; its number stays in the register with the reason."""
        self.voided_by, self.voided_at, self.void_reason = by, at, reason
