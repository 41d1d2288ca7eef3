"""Complete the public site."""

from django.core.management.base import BaseCommand

from cms.following import follow_words
from cms.services import sync_site


class Command(BaseCommand):
    help = "Make the public pages that are missing. Repeatable; editors' words stay."

    def handle(self, **options):
        home = sync_site()
        # Run at every deployment: new templates and settings show at once.
        follow_words()
        self.stdout.write(str(home))
