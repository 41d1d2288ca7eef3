"""Take a filled return workbook back."""

from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from supervision.models import Organization, Role, User
from supervision.rules.merge import Choice
from supervision.services.acts import ActRefused
from supervision.services.organizations import present_bodies
from supervision.services.workbooks import WorkbookRefused, apply_return_workbook
from supervision.spreadsheets.returns import Preview, check, read_return_workbook

# Exit codes: a bad cell, or anything else that is wrong; both sides changed a cell.
BAD_CELLS, OPEN_CONFLICTS = 1, 2


class Command(BaseCommand):
    help = "Take a filled return workbook back: all of it, or nothing when a cell is bad."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="the filled workbook, FILE.xlsx")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would do")
        parser.add_argument(
            "--as", dest="username", help="who imports; by default a liaison of the body"
        )
        parser.add_argument(
            "--take",
            choices=["file", "system"],
            help="whose value stays where both sides changed a cell; without it conflicts are "
            "listed, nothing is written, and the exit code is 2",
        )

    def handle(
        self, *, file: Path, dry_run: bool, username: str | None, take: str | None = None, **options
    ):
        chosen = {"file": Choice.MINE, "system": Choice.THEIRS}.get(take or "")
        try:
            upload = SimpleUploadedFile(file.name, file.read_bytes())
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        try:
            parsed = read_return_workbook(upload)
            user = self.person(self.bodies_of(parsed), username)
            body = user.organization
            preview = check(parsed, organization=body, section_id=user.only_section_id, take=chosen)
            self.show(preview)
            if not preview.is_acceptable:
                raise WorkbookRefused(preview)
            if dry_run:
                return
            result = apply_return_workbook(
                parsed=parsed, organization=body, by=user, at=timezone.now(), take=chosen
            )
        except WorkbookRefused as refusal:
            code = BAD_CELLS if refusal.preview.bad else OPEN_CONFLICTS
            raise CommandError(refusal.message, returncode=code) from refusal
        except ActRefused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(
            _("%(applied)s returns saved as drafts, %(unchanged)s unchanged.")
            % {"applied": result.applied, "unchanged": result.unchanged}
        )

    def bodies_of(self, parsed) -> list[Organization]:
        """The body the workbook was written for, or those that carry its work on today."""
        try:
            body = Organization.objects.get(uid=parsed.organization_uid)
        except (Organization.DoesNotExist, ValidationError) as error:
            raise CommandError(_("The body named in the workbook is not known here.")) from error
        return present_bodies([body], on=timezone.localdate())

    def person(self, bodies: list[Organization], username: str | None) -> User:
        ids = [body.pk for body in bodies]
        if username:
            user = User.objects.filter(username=username, is_active=True).first()
        elif len(bodies) == 1:
            people = User.objects.holding(Role.LIAISON, organization_id=ids[0])
            # Whoever looks after the whole body before a section's liaison.
            user = people.order_by(F("section").asc(nulls_first=True), "pk").first()
        else:
            user = None
        if user is None or user.organization_id not in ids or not user.is_body:
            raise CommandError(
                _("“%(body)s” has no such liaison; name one with --as.")
                % {"body": "、".join(str(body) for body in bodies)}
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
        for conflict in preview.conflicts:
            self.stdout.write(
                _(
                    "  ? %(sheet)s!%(cell)s %(task)s, %(heading)s: written %(exported)s; in the "
                    "system %(current)s (%(who)s, %(when)s); in the file %(edited)s"
                )
                % {
                    "sheet": conflict.sheet,
                    "cell": conflict.cell,
                    "task": conflict.task,
                    "heading": conflict.heading,
                    "exported": conflict.exported or "—",
                    "current": conflict.current or "—",
                    "edited": conflict.edited or "—",
                    "who": conflict.changed_by or "—",
                    "when": timezone.localtime(conflict.changed_at).strftime("%Y-%m-%d %H:%M")
                    if conflict.changed_at
                    else "—",
                }
            )
        for cell in preview.bad:
            self.stdout.write(
                f"  ! {cell.sheet}!{cell.cell} “{cell.value}”: {cell.reason} {cell.remedy}"
            )
        self.stdout.write(
            _(
                "To apply: %(applied)s; unchanged: %(unchanged)s; conflicts: %(conflicts)s; "
                "bad cells: %(bad)s."
            )
            % {
                "applied": len(preview.applied),
                "unchanged": preview.unchanged,
                "conflicts": len(preview.conflicts),
                "bad": len(preview.bad),
            }
        )
