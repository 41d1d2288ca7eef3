"""`manage.py heartbeat`: is the worker alive? Exit code 1 when it is not."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from tasks.clock import beat, last_signs
from tasks.health import is_worker_alive


class Command(BaseCommand):
    help = "Show the worker's last beat; exits with 1 when it is too old."

    def add_arguments(self, parser):
        parser.add_argument(
            "--accept-clock",
            action="store_true",
            help="the clock was set on purpose: let the sweep go on from now",
        )

    def handle(self, *args, accept_clock=False, **options):
        now = timezone.now()
        if accept_clock:
            beat(now, is_accepted=True)
        beat_at, pulse_at = last_signs()
        if beat_at is None:
            raise CommandError(_("The worker has never run."))
        moment = timezone.localtime(beat_at).strftime("%Y-%m-%d %H:%M:%S")
        if not is_worker_alive(beat_at, pulse_at, now):
            raise CommandError(
                _("The worker does not answer; its last beat was at %(moment)s.")
                % {"moment": moment}
            )
        self.stdout.write(moment)
