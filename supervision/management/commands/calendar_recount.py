"""Recount the dates that rest on the working calendar, by the calendar in force."""

import json

from django.core.management.base import BaseCommand
from django.utils import timezone

from supervision.services.calendar import working_calendar
from supervision.services.recount import plan_recount, recount_dates


class Command(BaseCommand):
    help = "Move the future dates the calendar in force puts elsewhere. Safe to repeat."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="list the moves, write nothing")

    def handle(self, *, dry_run: bool, **options):
        now = timezone.now()
        if dry_run:
            plan = plan_recount(calendar=working_calendar(), today=timezone.localdate(now))
            for move in plan.moves:
                self.stdout.write(
                    f"{move.key.name}\t{move.key.assignment}\t{move.old_date}\t{move.new_date}"
                )
            counts = {
                "moved": 0,
                "would_move": len(plan.moves),
                "refreshed": len(plan.refreshed),
                "refused": len(plan.refused),
            }
        else:
            done = recount_dates(by=None, at=now)
            counts = {
                "moved": done.moved,
                "bodies": done.bodies,
                "refreshed": done.refreshed,
                "refused": done.refused,
            }
        self.stdout.write(json.dumps(counts, sort_keys=True))
