"""Numbers the office may set: limits, lights, the ladder, the calendar, number series."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from supervision import permissions
from supervision.models.base import Stateful


class DayUnit(models.TextChoices):
    WORKING_DAY = "working_day", _("working days")
    DAY = "day", _("calendar days")
    MONTH = "month", _("months")


class TimeLimit(models.Model):
    """How long something may take, e.g. `accept`: 2 working days. Source: domain.md, section 4."""

    code = models.SlugField(_("code"), max_length=40)
    urgency = models.CharField(_("urgency"), max_length=10, blank=True)
    name = models.CharField(_("name"), max_length=80)
    value = models.PositiveSmallIntegerField(_("value"))
    unit = models.CharField(_("unit"), max_length=12, choices=DayUnit.choices)
    basis = models.CharField(_("basis"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("time limit")
        verbose_name_plural = _("time limits")
        ordering = ["code", "urgency"]
        constraints = [models.UniqueConstraint(fields=["code", "urgency"], name="limit_code")]

    def __str__(self) -> str:
        return self.name


class ReturnCheck(models.Model):
    """A number against which returns are looked at as they are written, e.g. `jump_percent`: 50.

    Source: domain.md, sections 3.4 and 13. A check warns or asks for a line; it never scores.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    value = models.PositiveSmallIntegerField(_("value"))

    class Meta:
        verbose_name = _("check of returns")
        verbose_name_plural = _("checks of returns")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class LightSchemeRow(models.Model):
    """Thresholds of the lights as data; `params` feeds `rules.lights.LightScheme`."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    params = models.JSONField(_("thresholds"), default=dict)
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("light scheme")
        verbose_name_plural = _("light schemes")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="scheme_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.name


class EscalationLevel(models.Model):
    """A step of the ladder. Source: domain.md, section 6.1."""

    class Trigger(models.TextChoices):
        BEFORE = "before", _("before the due date")
        OVERDUE = "overdue", _("after the due date")
        RETURNED = "returned", _("after sending back")
        MANUAL = "manual", _("never by count")

    number = models.PositiveSmallIntegerField(_("level"))
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=40)
    trigger = models.CharField(_("trigger"), max_length=10, choices=Trigger.choices)
    offset_value = models.PositiveSmallIntegerField(_("days"), default=0)
    offset_unit = models.CharField(
        _("unit"), max_length=12, choices=DayUnit.choices, default=DayUnit.WORKING_DAY
    )
    or_returned = models.PositiveSmallIntegerField(
        _("or sent back this often"), null=True, blank=True
    )
    or_yellow_months = models.PositiveSmallIntegerField(
        _("or yellow for months running"), null=True, blank=True
    )
    or_red_months = models.PositiveSmallIntegerField(
        _("or red for months running"), null=True, blank=True
    )
    applies_from_span_days = models.PositiveSmallIntegerField(
        _("only for spans from this many working days"), default=0
    )
    audience = models.JSONField(_("who hears of it"), default=list)
    letter_kind = models.CharField(_("paper"), max_length=20, blank=True)
    is_automatic = models.BooleanField(_("automatic"), default=True)
    armed_from_date = models.DateField(_("armed from"), null=True, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("ladder step")
        verbose_name_plural = _("ladder")
        ordering = ["number", "-offset_value"]

    def __str__(self) -> str:
        return self.name


class StartLevel(models.Model):
    """At which step urging begins for items of an urgency; the first where no row says otherwise.

    Source: domain.md, section 6.1 (local rule: important items may begin at yellow, special ones
    at red).
    """

    urgency = models.CharField(_("urgency"), max_length=10, unique=True)
    number = models.PositiveSmallIntegerField(_("first level"))

    class Meta:
        verbose_name = _("start of the ladder")
        verbose_name_plural = _("starts of the ladder")
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1), name="start_level_from_one")
        ]

    def __str__(self) -> str:
        return f"{self.urgency} {self.number}"


class CalendarDay(models.Model):
    """A day on which the plain week does not hold: a rest day, or a make-up working day (调休)."""

    date = models.DateField(_("date"), unique=True)
    is_working = models.BooleanField(_("working day"))
    name = models.CharField(_("occasion"), max_length=40, blank=True)
    source = models.CharField(_("source"), max_length=80)

    class Meta:
        verbose_name = _("calendar day")
        verbose_name_plural = _("calendar")
        ordering = ["date"]

    def __str__(self) -> str:
        return self.date.isoformat()


class CalendarYear(models.Model):
    """A year whose official notice is loaded; other years are provisional and say so."""

    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    number = models.PositiveSmallIntegerField(_("notice in force"), default=1)
    fingerprint = models.CharField(_("fingerprint"), max_length=16, blank=True)
    source = models.CharField(_("source"), max_length=80)
    loaded_at = models.DateTimeField(_("loaded at"))

    class Meta:
        verbose_name = _("announced year")
        verbose_name_plural = _("announced years")
        ordering = ["year"]

    def __str__(self) -> str:
        return str(self.year)


class CalendarNotice(Stateful):
    """One version of a year's holiday notice: a draft until a second person has confirmed it.

    `days` holds [ISO date, is working, occasion]. What is in force is written to CalendarDay and
    CalendarYear, which is all the arithmetic reads. Nobody loaded the notices we ship.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Waiting for review")
        IN_FORCE = "in_force", _("In force")
        SUPERSEDED = "superseded", _("Superseded")
        DROPPED = "dropped", _("Dropped")

    year = models.PositiveSmallIntegerField(_("year"))
    number = models.PositiveSmallIntegerField(_("version"))
    title = models.CharField(_("source"), max_length=80)
    doc_number = models.CharField(_("document number"), max_length=60, blank=True)
    published_date = models.DateField(_("published on"), null=True, blank=True)
    days = models.JSONField(_("days"), default=list)
    status = FSMField(
        _("state"), choices=Status.choices, default=Status.DRAFT, protected=True, max_length=10
    )
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("loaded by"),
    )
    loaded_at = models.DateTimeField(_("loaded at"))
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("confirmed by"),
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)

    class Meta:
        verbose_name = _("holiday notice")
        verbose_name_plural = _("holiday notices")
        ordering = ["year", "number"]
        constraints = [
            models.UniqueConstraint(fields=["year", "number"], name="notice_version_of_year"),
            models.UniqueConstraint(
                fields=["year"], condition=Q(status="in_force"), name="notice_one_in_force"
            ),
            models.UniqueConstraint(
                fields=["year"], condition=Q(status="draft"), name="notice_one_draft"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["in_force", "superseded"]) | Q(confirmed_at__isnull=False),
                name="notice_confirmed_in_force",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None)
                | Q(loaded_by=None)
                | ~Q(confirmed_by=F("loaded_by")),
                name="notice_two_persons",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="notice_number_from_one"),
        ]

    def __str__(self) -> str:
        return _("Holiday notice for %(year)s, version %(number)s") % {
            "year": self.year,
            "number": self.number,
        }

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("supervision:calendar_notice", args=[self.uid])

    @property
    def label(self) -> str:
        """How receipts name it: “2026-2”."""
        return f"{self.year}-{self.number}"

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.IN_FORCE,
        permission=permissions.can_confirm_calendar,
    )
    def confirm(self, *, by, at: datetime):
        """A second person has reviewed the year."""
        self.confirmed_by = by
        self.confirmed_at = at

    @transition(field=status, source=Status.IN_FORCE, target=Status.SUPERSEDED)
    def supersede(self):
        """A later notice of the year took its place."""

    @transition(
        field=status,
        source=Status.DRAFT,
        target=Status.DROPPED,
        permission=permissions.can_drop_calendar,
    )
    def drop(self):
        """The draft was wrong."""


class NumberSeries(models.Model):
    """A gapless series per kind and year; the row is locked while a number is taken."""

    kind = models.SlugField(_("kind"), max_length=20)
    year = models.PositiveSmallIntegerField(_("year"))
    last = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        constraints = [models.UniqueConstraint(fields=["kind", "year"], name="series_of_year")]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}"


class Demonstration(models.Model):
    """A row here means: what this database shows is invented. Every page says so."""

    loaded_at = models.DateTimeField(_("loaded at"))
    today_date = models.DateField(_("day of the demonstration"))

    class Meta:
        verbose_name = _("demonstration")
        verbose_name_plural = _("demonstrations")

    def __str__(self) -> str:
        return self.today_date.isoformat()
