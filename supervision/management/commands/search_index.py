"""Make the search table anew from the rows, or only compare."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from supervision.services.search import rebuild_search


class Command(BaseCommand):
    help = "Put right what differs between the search table and the rows. Repeatable."

    def add_arguments(self, parser):
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 when something differs"
        )

    def handle(self, *, check: bool, **options):
        found = rebuild_search(is_dry=check)
        for kind, changes in found.items():
            self.stdout.write(
                f"{kind}: {changes.missing} missing, {changes.outdated} out of date, "
                f"{changes.surplus} without a row"
            )
        if check and any(changes.total for changes in found.values()):
            raise CommandError(_("The search table differs from the rows. Run it without --check."))
