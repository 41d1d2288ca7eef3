"""`manage.py start --port N`: everything in one foreground command; Ctrl-C stops everything."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from notifications.site import adopt_site
from supervision.models import Demonstration, PolicyDocument, SearchEntry
from supervision.services.roles import sync_roles
from supervision.services.search import rebuild_search
from supervision.services.settings import sync_settings
from tasks.clock import last_beat
from tasks.demonstration import PASSWORD, SIGN_INS
from tasks.schedules import sync_schedules

WEB_SECONDS = 60
STOP_SECONDS = 12
# A worker may hang with all its processes alive: then only the missing beat shows it.
SILENT_SECONDS = 4 * settings.TICK_SECONDS
LOOK_SECONDS = 15


class Stop(Exception):
    """Somebody asked us to end."""


class Command(BaseCommand):
    help = "Prepare the database, start the web server and the worker; Ctrl-C stops everything."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--no-demo", action="store_true", help="leave an empty database without demonstration"
        )

    def handle(self, *args, port, host, no_demo=False, **options):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        self.web = self.worker = self.long_worker = None
        try:
            shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::") else host
            # Links in mails and the pages that are kept belong to the address one really opens.
            os.environ.setdefault("SITE_URL", f"http://{shown}:{port}")
            self._prepare(no_demo=no_demo)
            self._run(host, port)
        except Stop:
            pass
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self._end()
        self.stdout.write(_("Stopped."))

    def _stop(self, number, frame):
        raise Stop

    # Preparing

    def _prepare(self, *, no_demo: bool) -> None:
        if self._has_unapplied_migrations():
            self.stdout.write(_("Preparing the database …"))
            call_command("migrate", verbosity=0, interactive=False)
        # Where collected files would lie; without it every process warns.
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
        sync_roles()
        sync_settings(at=timezone.now())
        sync_schedules()
        is_empty = not PolicyDocument.objects.exists()
        if is_empty and not no_demo:
            self.stdout.write(_("The database is empty: loading the demonstration …"))
            call_command("demo", stdout=io.StringIO())
        if is_empty:
            adopt_site(timezone.now())
        if not SearchEntry.objects.exists():
            # A database from before there was a search; afterwards every act keeps it true.
            rebuild_search()
        call_command("sync_site", stdout=io.StringIO())
        connections.close_all()

    def _has_unapplied_migrations(self) -> bool:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

    # Running

    def _run(self, host: str, port: int) -> None:
        self.web = self._start_web(host, port)
        self.worker = self._start_worker()
        self.long_worker = self._start_long_worker()
        self._wait_for_web(host, port)
        self._announce(host, port)
        looked = restarted = time.monotonic()
        while True:
            time.sleep(0.5)
            if self.web.poll() is not None:
                raise CommandError(
                    _("The web server ended by itself with code %(code)s.")
                    % {"code": self.web.returncode}
                )
            now = time.monotonic()
            is_dead = self.worker.poll() is not None
            if not is_dead and now - looked > LOOK_SECONDS:
                looked = now
                is_dead = now - restarted > SILENT_SECONDS and self._is_silent()
            if is_dead and now - restarted > 2:
                self.stderr.write(_("The worker stopped; it is started again."))
                end_group(self.worker, patience=STOP_SECONDS)
                self.worker = self._start_worker()
                restarted = time.monotonic()
            if self.long_worker.poll() is not None:
                self.stderr.write(_("The worker for long exports stopped; it is started again."))
                end_group(self.long_worker, patience=STOP_SECONDS)
                self.long_worker = self._start_long_worker()

    def _is_silent(self) -> bool:
        try:
            beat_at = last_beat()
        except DatabaseError:
            return False
        finally:
            connections.close_all()
        if beat_at is None:
            return True
        return (timezone.now() - beat_at).total_seconds() > SILENT_SECONDS

    def _start_web(self, host: str, port: int) -> subprocess.Popen:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "supervision.config.wsgi:application",
                f"--bind={host}:{port}",
                "--workers=1",
                "--threads=8",
                "--worker-class=gthread",
                f"--timeout={WEB_SECONDS}",
                "--graceful-timeout=5",
                "--log-level=warning",
                "--no-control-socket",
            ],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE},
            start_new_session=True,
        )

    def _start_worker(self) -> subprocess.Popen:
        """The queue in a session of its own: its group can be ended without ending us."""
        # The scheduler looks only every half minute; this tick makes the first beat come at once.
        async_task("tasks.jobs.tick")
        connections.close_all()
        return subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {"DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    def _start_long_worker(self) -> subprocess.Popen:
        """The queue of long exports: one process, so that two never share the memory."""
        connections.close_all()
        return subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
                "PYTHONUNBUFFERED": "1",
                "Q_CLUSTER_NAME": "long",
            },
            start_new_session=True,
        )

    def _wait_for_web(self, host: str, port: int) -> None:
        deadline = time.monotonic() + WEB_SECONDS
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        while time.monotonic() < deadline:
            if self.web.poll() is not None:
                raise CommandError(
                    _("The web server did not start; is port %(port)s in use?") % {"port": port}
                )
            try:
                urllib.request.urlopen(f"http://{shown}:{port}/healthz", timeout=2)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.2)
        raise CommandError(_("The web server did not answer within a minute."))

    def _announce(self, host: str, port: int) -> None:
        shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::") else host
        address = f"http://{shown}:{port}"
        lines = [
            "",
            _("Public site: %(url)s") % {"url": f"{address}/"},
            _("Workbench:   %(url)s") % {"url": f"{address}/desk/"},
        ]
        if Demonstration.objects.exists():
            lines += ["", _("Sign-ins of the demonstration:")]
            lines += [f"  {username:<14} {who}" for username, who in SIGN_INS]
            lines += [_("Password of all of them: %(password)s") % {"password": PASSWORD}]
        lines += ["", _("Ctrl-C stops everything.")]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

    # Ending

    def _end(self) -> None:
        for process in (self.web, self.worker, self.long_worker):
            if process is not None and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    # The main process only: a signal to the whole group hangs the queue.
                    process.terminate()
        for process in (self.web, self.worker, self.long_worker):
            if process is not None:
                end_group(process, patience=STOP_SECONDS, is_asked=True)


def end_group(process: subprocess.Popen, *, patience: float, is_asked: bool = False) -> None:
    """Ask the main process to end, wait, then make sure of every process it started."""
    if process.poll() is None:
        if not is_asked:
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
