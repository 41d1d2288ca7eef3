"""Workbooks that left the house: what their cells held, what runs behind, packs of files."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.base import Opaque, Stateful
from supervision.models.organizations import Organization
from supervision.models.reports import ProgressReport


class ReturnWorkbook(Opaque):
    """A return workbook as it was written: the base of the three-way merge.

    `cells` holds the value of every cell at export by its key; `taken` what was last taken in from
    this very workbook, which is the base from then on. Only `taken` is ever changed.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("body")
    )
    label = models.CharField(_("period"), max_length=12)
    cells = models.JSONField(_("values when written"), default=dict)
    taken = models.JSONField(_("values taken in"), default=dict)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("written for"),
    )
    written_at = models.DateTimeField(_("written at"))

    class Meta:
        verbose_name = _("return workbook")
        verbose_name_plural = _("return workbooks")
        indexes = [models.Index(fields=["written_at"], name="return_workbook_written")]

    def __str__(self) -> str:
        return f"{self.organization} {self.label}"


class ReturnEdit(models.Model):
    """Who last changed one cell of a return, and when: what a conflict has to say."""

    report = models.ForeignKey(
        ProgressReport, on_delete=models.CASCADE, related_name="edits", verbose_name=_("report")
    )
    cell = models.CharField(_("cell"), max_length=60)
    by_name = models.CharField(_("who"), max_length=80)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("change of a return")
        verbose_name_plural = _("changes of returns")
        constraints = [models.UniqueConstraint(fields=["report", "cell"], name="edit_once_a_cell")]

    def __str__(self) -> str:
        return f"{self.cell} {self.by_name}"


def export_path(instance: "ExportRun", filename: str) -> str:
    """A random place; the name people see is kept in the row."""
    return f"exports/{instance.uid.hex}"


class ExportQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own, and nobody else's: the file holds what its owner may see."""
        return self.filter(owner_id=user.pk)

    def stalled(self, *, before: datetime):
        """Begun, and silent since `before`: their worker is gone."""
        return self.filter(status=ExportRun.Status.RUNNING, beat_at__lt=before)


class ExportRun(Stateful):
    """A long export on its way. The row is the truth, the queue only wakes a worker.

    `parameters` is what was chosen, by name; `attempt` is raised by every start, so that a worker
    thought dead cannot write into the run of the next one.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting for a worker")
        RUNNING = "running", _("Being put together")
        READY = "ready", _("Ready to fetch")
        FAILED = "failed", _("Did not succeed")
        CANCELLED = "cancelled", _("Called off")
        EXPIRED = "expired", _("No longer kept")

    OPEN_STATES = frozenset({Status.WAITING, Status.RUNNING})
    MOST_ATTEMPTS = 3

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="exports",
        verbose_name=_("owner"),
    )
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.WAITING, protected=True, max_length=10
    )
    sheet = models.SlugField(_("sheet"), max_length=20)
    title = models.CharField(_("title"), max_length=200)
    parameters = models.JSONField(_("choice"), default=dict)
    filter_text = models.CharField(_("filter"), max_length=300, blank=True)
    rows_total = models.PositiveIntegerField(_("rows"), default=0)
    rows_done = models.PositiveIntegerField(_("rows done"), default=0)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    is_cancel_asked = models.BooleanField(_("asked to stop"), default=False)
    error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    requested_at = models.DateTimeField(_("asked for at"))
    started_at = models.DateTimeField(_("begun at"), null=True)
    beat_at = models.DateTimeField(_("last heard of at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    expires_at = models.DateTimeField(_("kept until"), null=True)
    file = models.FileField(_("file"), upload_to=export_path, max_length=200, blank=True)
    file_name = models.CharField(_("name of the file"), max_length=200, blank=True)
    size_bytes = models.PositiveBigIntegerField(_("size"), default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["owner", "-requested_at"], name="export_of_owner"),
            models.Index(
                fields=["beat_at"],
                condition=Q(status__in=["waiting", "running"]),
                name="export_open",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="ready") | (~Q(file="") & ~Q(sha256="")),
                name="export_ready_has_a_file",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def percent(self) -> int:
        """Rows done of rows, in whole percent; 0 before they are counted."""
        if not self.rows_total:
            return 0
        return min(100, self.rows_done * 100 // self.rows_total)

    @transition(field=status, source=Status.WAITING, target=Status.RUNNING)
    def start(self, *, at: datetime):
        """A worker has it."""
        self.attempt += 1
        self.started_at = self.beat_at = at
        self.rows_done = 0

    @transition(field=status, source=Status.RUNNING, target=Status.READY)
    def finish(self, *, at: datetime, keep_for: timedelta):
        """Written whole."""
        self.finished_at = at
        self.expires_at = at + keep_for
        self.rows_done = self.rows_total

    @transition(field=status, source=Status.RUNNING, target=Status.WAITING)
    def requeue(self, *, at: datetime):
        """Its worker was lost; another begins anew."""
        self.beat_at = at
        self.rows_done = 0

    @transition(field=status, source=[Status.WAITING, Status.RUNNING], target=Status.FAILED)
    def fail(self, *, at: datetime, error: str):
        """It cannot be written, or its workers were lost too often."""
        self.finished_at = at
        self.error = error[:300]

    @transition(
        field=status,
        source=[Status.WAITING, Status.RUNNING],
        target=Status.CANCELLED,
        permission=permissions.can_handle_export,
    )
    def cancel(self, *, at: datetime):
        """The owner does not want it any more."""
        self.finished_at = at

    @transition(
        field=status,
        source=[Status.FAILED, Status.CANCELLED, Status.EXPIRED],
        target=Status.WAITING,
        permission=permissions.can_handle_export,
    )
    def restart(self, *, at: datetime):
        """Ask for the same once more, as things stand then."""
        self.requested_at = at
        self.beat_at = self.started_at = self.finished_at = self.expires_at = None
        self.attempt = self.rows_done = self.rows_total = 0
        self.error = ""
        self.is_cancel_asked = False

    @transition(field=status, source=Status.READY, target=Status.EXPIRED)
    def expire(self):
        """The file is removed; what was chosen stays, to be asked for again."""
        self.file = ""
        self.size_bytes = 0


class HeadingMapping(models.Model):
    """Which heading of somebody's table means which field, remembered under the source's name."""

    source = models.CharField(_("source"), max_length=80, unique=True)
    headings = models.JSONField(_("headings"), default=dict)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("changed by"),
    )
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("mapping of headings")
        verbose_name_plural = _("mappings of headings")
        ordering = ["source"]

    def __str__(self) -> str:
        return self.source


class Criterion(models.Model):
    """A line of the score sheet as data: which facts count, how many points each, up to what.

    `facts` names kinds of frozen events. Source: domain.md, section 11.1.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    project = models.CharField(_("assessed project"), max_length=40)
    content = models.CharField(_("what is assessed"), max_length=120)
    standard = models.CharField(_("standard"), max_length=200)
    base_points = models.DecimalField(_("base points"), max_digits=6, decimal_places=2, default=0)
    points_each = models.DecimalField(_("points each"), max_digits=6, decimal_places=2)
    most_points = models.DecimalField(
        _("at most"), max_digits=6, decimal_places=2, null=True, blank=True
    )
    fact = models.SlugField(_("what is counted"), max_length=40)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.content


class MeetingPack(Opaque):
    """The papers of one monthly meeting: frozen files, hashed one by one and together."""

    label = models.CharField(_("month"), max_length=12)
    number = models.PositiveSmallIntegerField(_("version"))
    as_of_date = models.DateField(_("as of"))
    figures = models.JSONField(_("figures"), default=dict)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("made by"),
    )
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("meeting pack")
        verbose_name_plural = _("meeting packs")
        ordering = ["-label", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["label", "number"], name="pack_number_of_month")
        ]

    def __str__(self) -> str:
        return f"{self.label} v{self.number}"


def pack_path(instance: "MeetingPackFile", filename: str) -> str:
    return f"packs/{instance.uid.hex}"


class MeetingPackFile(Opaque):
    """One file of a pack; never replaced."""

    pack = models.ForeignKey(
        MeetingPack, on_delete=models.CASCADE, related_name="files", verbose_name=_("pack")
    )
    position = models.PositiveSmallIntegerField(_("order"))
    name = models.CharField(_("name"), max_length=120)
    file = models.FileField(_("file"), upload_to=pack_path, max_length=200)
    size_bytes = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)

    class Meta:
        verbose_name = _("file of a pack")
        verbose_name_plural = _("files of packs")
        ordering = ["pack", "position"]

    def __str__(self) -> str:
        return self.name
