"""Load a year of the working calendar as a draft; a person reviews and confirms it on the desk."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from supervision.models import User
from supervision.rules.calendar_file import NoticeFileError, oddities
from supervision.services.acts import ActRefused
from supervision.services.calendar import days_of
from supervision.services.notices import load_notice


class Command(BaseCommand):
    help = "Load a year's holiday notice as a draft, from the installed package or from a CSV file."

    def add_arguments(self, parser):
        parser.add_argument("year", type=int)
        parser.add_argument("--file", type=Path, help="CSV with the columns date,is_working,name")
        parser.add_argument("--title", default="", help="title of the notice")
        parser.add_argument("--number", default="", help="document number of the notice")
        parser.add_argument("--by", help="user name of the person who loads it")

    def handle(self, *, year: int, file: Path | None, title: str, number: str, by, **options):
        person = None
        if by:
            person = User.objects.filter(username=by, is_active=True).first()
            if person is None:
                raise CommandError(_("There is no active account “%(name)s”.") % {"name": by})
        try:
            notice = load_notice(
                year=year,
                by=person,
                at=timezone.now(),
                content=file.read_bytes() if file else None,
                title=title,
                doc_number=number,
            )
        except OSError as error:
            raise CommandError(
                _("The file cannot be read: %(reason)s") % {"reason": error.strerror}
            ) from error
        except (NoticeFileError, ActRefused) as error:
            raise CommandError(str(error)) from error
        for oddity in oddities(days_of(notice), year):
            self.stderr.write(oddity.message)
        self.stdout.write(
            _("%(notice)s is a draft of %(count)s days. Review and confirm it on the desk.")
            % {"notice": notice, "count": len(notice.days)}
        )
