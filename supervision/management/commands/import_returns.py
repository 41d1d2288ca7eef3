"""Take a filled return workbook back."""

from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from supervision.models import Organization, Role, User
from supervision.services.acts import ActRefused
from supervision.services.workbooks import WorkbookRefused, apply_return_workbook
from supervision.spreadsheets.returns import Preview, check, read_return_workbook


class Command(BaseCommand):
    help = "Take a filled return workbook back: all of it, or nothing when a cell is bad."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="the filled workbook, FILE.xlsx")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would do")
        parser.add_argument(
            "--as", dest="username", help="who imports; by default a liaison of the body"
        )

    def handle(self, *, file: Path, dry_run: bool, username: str | None, **options):
        try:
            upload = SimpleUploadedFile(file.name, file.read_bytes())
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        try:
            parsed = read_return_workbook(upload)
            body = self.body_of(parsed)
            user = self.person(body, username)
            preview = check(parsed, organization=body)
            self.show(preview)
            if preview.bad:
                raise WorkbookRefused(preview)
            if dry_run:
                return
            result = apply_return_workbook(
                parsed=parsed, organization=body, by=user, at=timezone.now()
            )
        except ActRefused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(
            _("%(applied)s returns saved as drafts, %(unchanged)s unchanged.")
            % {"applied": result.applied, "unchanged": result.unchanged}
        )

    def body_of(self, parsed) -> Organization:
        try:
            return Organization.objects.get(uid=parsed.organization_uid)
        except (Organization.DoesNotExist, ValidationError) as error:
            raise CommandError(_("The body named in the workbook is not known here.")) from error

    def person(self, body: Organization, username: str | None) -> User:
        if username:
            user = User.objects.filter(username=username, is_active=True).first()
        else:
            user = (
                User.objects.holding(Role.LIAISON, organization_id=body.pk).order_by("pk").first()
            )
        if user is None or user.organization_id != body.pk or not user.is_body:
            raise CommandError(
                _("“%(body)s” has no such liaison; name one with --as.") % {"body": body}
            )
        return user

    def show(self, preview: Preview) -> None:
        self.stdout.write(f"{preview.organization} {preview.label}")
        for row in preview.applied:
            for change in row.changes:
                self.stdout.write(
                    f"  + {change.sheet}!{change.cell} {change.heading}: "
                    f"{change.before or '—'} → {change.after or '—'}"
                )
        for cell in preview.bad:
            self.stdout.write(
                f"  ! {cell.sheet}!{cell.cell} “{cell.value}”: {cell.reason} {cell.remedy}"
            )
        self.stdout.write(
            _("To apply: %(applied)s; unchanged: %(unchanged)s; bad cells: %(bad)s.")
            % {
                "applied": len(preview.applied),
                "unchanged": preview.unchanged,
                "bad": len(preview.bad),
            }
        )
