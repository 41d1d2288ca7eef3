"""Write the public site as files."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from cms.site_export import ExportRefused, export_site


class Command(BaseCommand):
    help = "Write the whole public site as files below DIR; what was withdrawn is removed first."

    def add_arguments(self, parser):
        parser.add_argument("directory", type=Path)
        parser.add_argument("--base-url", default="", help="where the copy will be read")

    def handle(self, directory, base_url, **options):
        try:
            written = export_site(directory, base_url=base_url)
        except ExportRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            _("{written} files written, {removed} removed.").format(
                written=len(written.files), removed=len(written.removed)
            )
        )
