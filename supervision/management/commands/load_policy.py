"""Load a policy document from its data file."""

from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from supervision.rules.policy_file import PolicyFileError, parse_policy_bytes
from supervision.services.documents import load_policy
from supervision.services.roles import sync_roles
from supervision.services.settings import sync_settings

DEFAULT_FILE = Path(__file__).resolve().parents[2] / "data" / "hengshui-2017-1.yaml"


class Command(BaseCommand):
    help = "Load a policy document from its data file. Repeatable: twice changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_FILE)
        parser.add_argument(
            "--issued-on", type=date.fromisoformat, help="re-base the plan on another issue date"
        )

    def handle(self, *, file: Path, issued_on: date | None, **options):
        try:
            policy = parse_policy_bytes(file.read_bytes(), filename=file.name)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        except PolicyFileError as error:
            raise CommandError(
                "\n".join([file.name, *(f"  {problem}" for problem in error.problems)])
            ) from error
        now = timezone.now()
        sync_roles()
        sync_settings(at=now)
        result = load_policy(policy=policy, at=now, issued_on=issued_on)
        for what, count in result.created.items():
            self.stdout.write(f"created {what}: {count}")
        for change in result.changes:
            self.stdout.write("changed {what} {field}: {old} -> {new}".format(**change))
        for clause, party in policy.unresolved:
            self.stdout.write(f"unresolved in {clause}: {party.name}")
        if result.is_unchanged:
            self.stdout.write("unchanged")
