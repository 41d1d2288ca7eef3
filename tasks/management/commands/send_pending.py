"""`manage.py send_pending [--release]`: send what waits in the outbox."""

import json

from django.core.management.base import BaseCommand
from django.utils import timezone

from notifications.services import send_pending


class Command(BaseCommand):
    help = "Send what waits and may leave now; prints what was done as JSON."

    def add_arguments(self, parser):
        parser.add_argument(
            "--release", action="store_true", help="also what was held for being unusually much"
        )

    def handle(self, *args, release=False, **options):
        summary = send_pending(timezone.now(), is_released=release)
        self.stdout.write(json.dumps(summary, ensure_ascii=False, indent=2))
