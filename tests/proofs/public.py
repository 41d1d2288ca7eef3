"""What the proofs of the public site share: the demonstration served over HTTP, crawled, looked at.

Everything is asked from outside, as a visitor would: a database and a server of its own, started
once for all proofs of a run. `PROOF_DEMONSTRATION` may name the file of a demonstration to copy.
"""

import atexit
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from tests.proofs.common import ROOT, scratch
from tests.proofs.going_away import PostgresBehindAWire, SqliteFile

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START = ("/", "/sitemap.xml", "/robots.txt", "/nowhere/", "/fragment/")
LINK = re.compile(r'(?:href|src)="([^"#]*)"|<loc>([^<]*)</loc>')
MODES = ("/elder", "/contrast", "/text-")


@dataclass
class Answer:
    """One answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    text: str
    size: int
    seconds: float

    @property
    def is_page(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/html")


@dataclass
class Site:
    """A running web server with the demonstration behind it."""

    base: str
    database: SqliteFile | PostgresBehindAWire
    process: subprocess.Popen | None
    environment: dict[str, str]

    def manage(self, *arguments: str) -> None:
        """Run a command of the product on this site's database."""
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def get(self, path: str, **headers: str) -> Answer:
        request = urllib.request.Request(
            urljoin(self.base, path),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        started = time.monotonic()
        try:
            response = _opener().open(request, timeout=15)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            body = response.read()
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.headers.items()},
                body.decode("utf-8", "replace"),
                len(body),
                time.monotonic() - started,
            )

    def crawl(self, start=START, *, most_filters: int = 10_000) -> dict[str, Answer]:
        """Every address of this host that links lead to, plain mode; so many with a query."""
        todo, found, filtered = list(start), {}, 0
        while todo:
            path = todo.pop(0)
            if path in found:
                continue
            if "?" in path:
                filtered += 1
                if filtered > most_filters:
                    continue
            found[path] = answer = self.get(path)
            for one, other in LINK.findall(answer.text if answer.size < 2_000_000 else ""):
                link = (one or other).replace("&amp;", "&")
                target = urlsplit(urljoin(self.base + path, link))
                if target.netloc != urlsplit(self.base).netloc or target.path.startswith(MODES):
                    continue
                if target.query.count("=") <= 1 or target.path == "/leaving/":
                    todo.append(target.path + (f"?{target.query}" if target.query else ""))
        return found

    def item_path(self) -> str:
        return re.search(r'href="(/progress/[0-9a-f]{10}/)"', self.get("/progress/").text)[1]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


@cache
def _opener():
    return urllib.request.build_opener(_Stay)


@cache
def site() -> Site:
    """The demonstration on a free port, its public pages rendered."""
    folder = scratch() / "public"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = _database(folder)
    base = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "supervision.config.settings.dev",
        "DATABASE_URL": database.url,
        "SITE_URL": base,
        "PUBLIC_PAGES_DIR": str(folder / "pages"),
        "LOG_LEVEL": "CRITICAL",
    }

    ready = os.environ.get("PROOF_DEMONSTRATION")
    if ready:
        shutil.copy(ready, database.file)
    served = Site(base, database, None, environment)
    served.manage("migrate", "--verbosity=0")
    if not ready:
        served.manage("demo")
    served.manage("sync_site")
    served.manage("keep_public")
    served.process = process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "8"]
        + ["--worker-class", "gthread", "--no-control-socket", "supervision.config.wsgi"],
        cwd=ROOT,
        env=environment | {"DATABASE_URL": database.url_of_readers},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_end, process)
    for _ in range(200):
        try:
            served.get("/robots.txt")
            return served
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the web server did not start")


def _database(folder: Path) -> SqliteFile | PostgresBehindAWire:
    from django.db import connection

    if connection.vendor == "sqlite":
        return SqliteFile(folder / "site.sqlite3")
    return PostgresBehindAWire(f"proof_site_{os.getpid()}")


def _end(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()


@contextmanager
def browser():
    """Debian's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        try:
            yield chromium
        finally:
            chromium.close()
