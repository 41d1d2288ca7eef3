"""Take the next step of a public edition, as somebody who may: for rehearsals and tests."""

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from supervision.models import PolicyDocument, Release, User
from supervision.rules.secrecy_slip import QUESTIONS
from supervision.services import releases
from supervision.services.acts import ActRefused


class Command(BaseCommand):
    help = (
        "Take the next step of an edition: compose, hand in, one of the three reviews, publish. "
        "It goes through the same service as the page, so no step can be left out and nobody "
        "signs twice."
    )

    def add_arguments(self, parser):
        parser.add_argument("--edition", required=True, metavar="YYYY-MM")
        parser.add_argument("--as", dest="username", required=True, metavar="USER")
        parser.add_argument("--document", metavar="NUMBER", help="if several are supervised")
        parser.add_argument("--finding", default="", help="of the secrecy review; all answers no")

    def handle(self, *, edition, username, document, finding, **options):
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(_("There is no active account “%(name)s”.") % {"name": username})
        try:
            row = self._step(self._document(document), edition, user, finding)
        except PermissionDenied:
            raise CommandError(
                _("“%(name)s” may not take the next step of this edition.") % {"name": username}
            ) from None
        except (ActRefused, TransitionNotAllowed) as refusal:
            raise CommandError(getattr(refusal, "message", None) or str(refusal)) from None
        self.stdout.write(f"{row.label} {row.status} {row.content_hash}")

    def _document(self, number) -> PolicyDocument:
        rows = PolicyDocument.objects.exclude(status=PolicyDocument.Status.DRAFT)
        if number:
            rows = rows.filter(doc_number=number)
        found = list(rows[:2])
        if len(found) != 1:
            raise CommandError(_("Name one document under supervision with --document."))
        return found[0]

    def _step(self, document: PolicyDocument, edition: str, user: User, finding: str) -> Release:
        at = timezone.now()
        row = document.releases.filter(status__in=Release.ON_ITS_WAY).first()
        if row is None:
            if edition != f"{timezone.localdate(at):%Y-%m}":
                raise CommandError(_("Only an edition of this month can be composed."))
            return releases.propose_release(document=document, by=user, at=at)
        if row.label != edition:
            raise CommandError(_("The edition on its way is %(edition)s.") % {"edition": row.label})
        if row.status == Release.Status.DRAFT:
            return releases.submit_release(release=row, by=user, at=at)
        if row.status == Release.Status.APPROVED:
            return releases.publish_release(release=row, by=user, at=at)
        slip = {
            "answers": dict.fromkeys(QUESTIONS, "no"),
            "attribute": "proactive",
            "finding": finding,
        }
        return releases.approve_release(release=row, by=user, at=at, slip=slip)
