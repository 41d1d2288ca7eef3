"""Proof that the worker runs: its beat, its lease, its sweeps."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """When a worker was last alive. Never moved back: a clock that steps back freezes the sweep."""

    name = models.SlugField(_("worker"), max_length=40, unique=True)
    beat_at = models.DateTimeField(_("last beat at"))
    # Between two ticks: the worker's processes are there, whatever its ticks do.
    pulse_at = models.DateTimeField(_("last pulse at"), null=True)
    # Which run of which machine, and how long it had been up: tells a jump from a standstill.
    boot_id = models.CharField(max_length=80, blank=True)
    uptime_seconds = models.FloatField(null=True)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name


class Lease(models.Model):
    """Who may tick, until when by the database's clock. Courtesy; unique keys are the guarantee."""

    name = models.SlugField(_("lease"), max_length=40, unique=True)
    holder = models.CharField(_("held by"), max_length=80, blank=True)
    fence = models.PositiveBigIntegerField(_("fence"), default=0)
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")

    def __str__(self) -> str:
        return self.name


class SweepRun(models.Model):
    """One sweep and what it did; quiet runs of a day share one row and are counted in `times`.

    `missed_days` are the days before `today` on which no sweep ran: more than none is an alarm.
    """

    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    today = models.DateField(_("day"))
    times = models.PositiveIntegerField(_("times"), default=1)
    counts = models.JSONField(_("counts"), default=dict)
    missed_days = models.PositiveIntegerField(_("days missed before"), default=0)
    error = models.TextField(_("error"), blank=True)
    is_wide = models.BooleanField(_("wide"), default=False)

    class Meta:
        verbose_name = _("sweep")
        verbose_name_plural = _("sweeps")
        indexes = [models.Index(fields=["-started_at"], name="sweep_latest")]

    def __str__(self) -> str:
        return f"{self.today} {self.started_at:%H:%M}"
