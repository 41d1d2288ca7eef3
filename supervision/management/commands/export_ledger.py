"""Write the ledger to a workbook."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from supervision.models import Assignment, Organization, PolicyDocument
from supervision.spreadsheets.ledger import write_ledger


class Command(BaseCommand):
    help = "Write the ledger of all items, of one document, or of one body to a workbook."

    def add_arguments(self, parser):
        parser.add_argument("out", type=Path, help="the workbook to write, OUT.xlsx")
        parser.add_argument("--document", help="number of the document, such as 衡政字〔2017〕1号")
        parser.add_argument("--organization", help="name of the body, short, full or alias")

    def handle(self, *, out: Path, document: str | None, organization: str | None, **options):
        rows = Assignment.objects.all()
        shown, title, body = [], pgettext("ledger", "Supervision ledger"), None
        if document:
            chosen = PolicyDocument.objects.filter(doc_number=document).first()
            if chosen is None:
                raise CommandError(_("No document has the number “%s”.") % document)
            rows = rows.filter(item__document=chosen)
            shown.append(chosen.doc_number)
            title = _("Supervision ledger of %(document)s") % {"document": chosen}
        if organization:
            body = Organization.objects.named(organization).in_official_order().first()
            if body is None:
                raise CommandError(_("No body has the name “%s”.") % organization)
            shown.append(body.short_name)
        try:
            counts = write_ledger(
                str(out),
                assignments=rows,
                today=timezone.localdate(),
                as_of=timezone.now(),
                title=title,
                filter_text="，".join(shown),
                unit_name=settings.OFFICE_NAME,
                body=body,
            )
        except OSError as error:
            raise CommandError(f"{out}: {error.strerror}") from error
        self.stdout.write(f"{out}: {counts.items} items, {counts.assignments} assignments")
