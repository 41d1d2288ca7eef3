"""`manage.py keep_public`: render every public page that is not of the present public set."""

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from cms.keeping import keep_all


class Command(BaseCommand):
    help = "Render the public pages that a release or an edit has made old. Safe to repeat."

    def add_arguments(self, parser):
        parser.add_argument(
            "--if-old", action="store_true", help="end at once when all pages are fresh"
        )

    def handle(self, *args, if_old=False, **options):
        result = keep_all(is_forced=not if_old)
        self.stdout.write(
            _("Pages rendered: {rendered}, of these changed: {changed}, gone: {gone}.").format(
                rendered=result.rendered, changed=len(result.changed), gone=len(result.gone)
            )
        )
