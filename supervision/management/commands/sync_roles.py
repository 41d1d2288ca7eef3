"""Create the roles."""

from django.core.management.base import BaseCommand

from supervision.services.roles import sync_roles


class Command(BaseCommand):
    help = "Create every role's group and set its permissions. Repeatable."

    def handle(self, **options):
        for role, count in sync_roles().items():
            self.stdout.write(f"{role}: {count}")
