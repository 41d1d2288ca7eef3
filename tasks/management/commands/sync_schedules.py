"""`manage.py sync_schedules`: apply the table of schedules. Run at every deployment."""

import json

from django.core.management.base import BaseCommand

from tasks.schedules import sync_schedules


class Command(BaseCommand):
    help = "Create, correct and remove schedules until they are those of tasks/schedules.py."

    def handle(self, *args, **options):
        self.stdout.write(json.dumps(sync_schedules()))
