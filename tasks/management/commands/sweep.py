"""`manage.py sweep [--today DATE] [--dry-run]`: write what is due and not on record."""

import json
from datetime import date

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from tasks.jobs import JobFailed, sweep, tick_lease


def as_date(value: str) -> date:
    """A day like 2026-06-10. Raises CommandError."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise CommandError(
            _("“%(value)s” is not a day of the calendar; write it like 2017-01-04.")
            % {"value": value}
        ) from None


class Command(BaseCommand):
    help = "Write every fact that is due and not on record; prints what was done as JSON."

    def add_arguments(self, parser):
        parser.add_argument("--today", type=as_date, metavar="DATE", help="the day to look from")
        parser.add_argument("--dry-run", action="store_true", help="say it, write nothing")
        parser.add_argument("--wide", action="store_true", help="look without any short cut")

    def handle(self, *args, today=None, dry_run=False, wide=False, **options):
        today = today or timezone.localdate()
        if dry_run:
            summary = sweep(today, is_dry_run=True, is_wide=wide)
        else:
            try:
                with tick_lease() as fence:
                    summary = sweep(today, is_wide=wide, fence=fence)
            except JobFailed:
                raise CommandError(
                    _("The worker has been sweeping for a minute; try again when it is done.")
                ) from None
        self.stdout.write(json.dumps(summary, ensure_ascii=False, indent=2))
        if summary.get("failed") or summary.get("is_frozen"):
            raise CommandError(_("Not everything could be written; see the figures above."))
