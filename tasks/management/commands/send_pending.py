"""`manage.py send_pending [--release] [--adopt]`: send what waits in the outbox."""

import json

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from notifications.followers import release_held_mails
from notifications.sending import send_pending
from notifications.site import adopt_site
from tasks.clock import ClockStepped, check_clock


class Command(BaseCommand):
    help = "Send what waits and may leave now; prints what was done as JSON."

    def add_arguments(self, parser):
        parser.add_argument(
            "--release", action="store_true", help="also what was held for being unusually much"
        )
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="this host may send for this database from now on (see adopt_site)",
        )

    def handle(self, *args, release=False, adopt=False, **options):
        now = timezone.now()
        try:
            check_clock(now)
        except ClockStepped as stepped:
            raise CommandError(str(stepped)) from None
        if adopt:
            adopt_site(now)
        summary = send_pending(now, is_released=release)
        if release:
            summary["released_to_followers"] = release_held_mails()
        self.stdout.write(json.dumps(summary, ensure_ascii=False, indent=2))
