"""Inspect the public site."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from cms.site_check import check_site


class Command(BaseCommand):
    help = "Crawl the public site: tags, frame, links, and whether all lists show the same items."

    def add_arguments(self, parser):
        parser.add_argument("--base-url", default="", help="the address of the site")

    def handle(self, base_url, **options):
        faults = check_site(base_url)
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError(_("{count} faults.").format(count=len(faults)))
        self.stdout.write(_("The site has no fault."))
