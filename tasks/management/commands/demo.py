"""Load the demonstration."""

import json
from datetime import date

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tasks import demonstration


class Command(BaseCommand):
    help = "Replay two years of invented work. Refused on a database that holds real work."

    def add_arguments(self, parser):
        parser.add_argument("--today", type=date.fromisoformat, help="the day it shall be")

    def handle(self, *, today: date | None, **options):
        try:
            counts = demonstration.load(today=today or timezone.localdate())
        except demonstration.RealWork as error:
            raise CommandError(f"{error} / 数据库中已有业务数据，演示数据只能装入空库。") from error
        self.stdout.write(json.dumps(counts, ensure_ascii=False, sort_keys=True))
