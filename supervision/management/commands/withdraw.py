"""Take one item from the public at once."""

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from supervision.models import PublicItem, User
from supervision.services.acts import ActRefused
from supervision.services.releases import withdraw_item


class Command(BaseCommand):
    help = "Withdraw one item by its public number or address; its page then answers 410."

    def add_arguments(self, parser):
        parser.add_argument("item", help="public number or the last part of the address")
        parser.add_argument("--as", dest="username", required=True, metavar="USER")
        parser.add_argument("--reason", required=True)

    def handle(self, *, item, username, reason, **options):
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(_("There is no active account “%(name)s”.") % {"name": username})
        rows = PublicItem.objects.public()
        found = rows.filter(slug=item).first()
        if found is None and item.isdecimal():
            found = rows.filter(number=int(item)).first()
        if found is None:
            raise CommandError(
                _("Nothing public has the number or address “%(item)s”.") % {"item": item}
            )
        try:
            withdraw_item(public_item=found, by=user, at=timezone.now(), reason=reason)
        except PermissionDenied:
            raise CommandError(
                _("“%(name)s” may not withdraw what is public.") % {"name": username}
            ) from None
        except ActRefused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(found.slug)
