"""`manage.py adopt_site`: this host may send for this database from now on."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.site import SWITCH, adopt_site, mute_reason


class Command(BaseCommand):
    help = "Adopt this database on this host: a restored copy sends nothing before."

    def handle(self, *args, **options):
        now = timezone.now()
        try:
            identity = adopt_site(now)
        except OSError as error:
            raise CommandError(
                _("The host's file cannot be written: %(error)s") % {"error": error}
            ) from None
        self.stdout.write(
            _("This host sends for the database %(identity)s from now on.") % {"identity": identity}
        )
        if mute_reason(now) == SWITCH:
            self.stdout.write(_("SEND_MAIL is off: nothing leaves until it is switched on too."))
