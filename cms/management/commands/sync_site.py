"""Complete the public site."""

from django.core.management.base import BaseCommand

from cms.services import sync_site


class Command(BaseCommand):
    help = "Make the public pages that are missing. Repeatable; editors' words stay."

    def handle(self, **options):
        self.stdout.write(str(sync_site()))
