"""`make bench-public`: the public site beside a constant Django page and a static file.

The demonstration behind the web server that `manage.py start` runs, and beside it the same server
with a Django that answers one constant page of the landing page's size. All are asked in turn, in
rounds, by the same readers; medians and their ratio to the constant page count, single times do
not. Then an edition is released and an item withdrawn, and the seconds are counted until a reader
sees it. Figures go to `proof/bench-public.json`.
"""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
READERS = 4
ROUNDS, ROUND_SECONDS, WARM_SECONDS = 5, 1.5, 0.5
MOST_FRESH_SECONDS = 5.0
LENGTH = re.compile(rb"content-length: (\d+)", re.I)


def request_of(base: str, path: str, *, etag: str = "") -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {urlsplit(base).netloc}", "Connection: keep-alive"]
    lines += [f"If-None-Match: {etag}"] if etag else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Reader:
    """One kept connection, as little work for each request as possible."""

    def __init__(self, base: str) -> None:
        self.place = (urlsplit(base).hostname, urlsplit(base).port)
        self.connection: socket.socket | None = None

    def ask(self, request: bytes) -> tuple[int, int]:
        """Status and bytes of the body."""
        for _ in range(2):
            try:
                return self._ask(request)
            except OSError:
                # The server closes a connection now and then.
                self.close()
        return self._ask(request)

    def _ask(self, request: bytes) -> tuple[int, int]:
        if self.connection is None:
            self.connection = socket.create_connection(self.place)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.sendall(request)
        found = b""
        while b"\r\n\r\n" not in found:
            found += self._more()
        head, body = found.split(b"\r\n\r\n", 1)
        length = LENGTH.search(head)
        status = int(head[9:12])
        wanted = int(length[1]) if length and status != 304 else 0
        size = len(body)
        while size < wanted:
            size += len(self._more())
        if b"connection: close" in head.lower():
            self.close()
        return status, size

    def _more(self) -> bytes:
        part = self.connection.recv(65536)
        if not part:
            raise ConnectionResetError
        return part

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def measure(base: str, request: bytes, wanted: tuple[int, int], seconds: float) -> float:
    """Requests a second of all readers together; every answer is checked."""
    counts, wrong = [0] * READERS, []
    until = time.perf_counter() + seconds

    def read(number: int) -> None:
        reader = Reader(base)
        while time.perf_counter() < until:
            answer = reader.ask(request)
            if answer != wanted:
                wrong.append(answer)
                break
            counts[number] += 1
        reader.close()

    threads = [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(f"{request[:60]!r} answered {wrong[0]}, not {wanted}")
    return sum(counts) / (time.perf_counter() - started)


def throughput(served, constant: str) -> dict[str, dict]:
    """The median of each address over interleaved rounds."""
    home = served.get("/")
    pages = {
        "constant Django page": (constant, request_of(constant, "/")),
        "static file (WhiteNoise)": (
            served.base,
            request_of(served.base, "/static/supervision/public.css"),
        ),
        "landing page": (served.base, request_of(served.base, "/")),
        "landing page, elder mode": (served.base, request_of(served.base, "/elder/")),
        "item page": (served.base, request_of(served.base, served.item_path())),
        "search": (served.base, request_of(served.base, f"/search/?q={quote('企业')}")),
        "landing page unchanged (304)": (
            served.base,
            request_of(served.base, "/", etag=home.headers["etag"]),
        ),
    }
    wanted = {}
    for name, (base, request) in pages.items():
        wanted[name] = Reader(base).ask(request)
        measure(base, request, wanted[name], WARM_SECONDS)
    rates: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(ROUNDS):
        for name, (base, request) in pages.items():
            rates[name].append(measure(base, request, wanted[name], ROUND_SECONDS))
    plain = rates["constant Django page"]
    return {
        name: {
            "requests_a_second": round(statistics.median(found)),
            "of_the_constant_page": round(
                statistics.median(a / b for a, b in zip(found, plain, strict=True)), 2
            ),
            "status": wanted[name][0],
            "bytes": wanted[name][1],
        }
        for name, found in rates.items()
    }


def freshness(served) -> dict[str, float]:
    """Seconds from the commit of a release, and of a withdrawal, until a reader sees it."""
    os.environ.update(served.environment)
    import django

    django.setup()
    from django.utils import timezone

    from supervision.models import PublicItem, Release, User
    from supervision.rules.secrecy_slip import QUESTIONS
    from supervision.services import releases

    who = {user.username: user for user in User.objects.all()}
    row = Release.objects.filter(status__in=Release.ON_ITS_WAY).first()
    document = row.document if row else Release.objects.current().latest("released_at").document
    at = timezone.now()
    if row is None:
        row = releases.propose_release(document=document, by=who["fabu"], at=at)
    key = row.content["items"][0]["key"]
    told = "本期起按月公布进展。"
    row = releases.revise_release(
        release=row, by=who["fabu"], at=at, edits={key: {"correction": told}}
    )
    row = releases.submit_release(release=row, by=who["fabu"], at=at)
    slip = {"answers": dict.fromkeys(QUESTIONS, "no"), "attribute": "proactive"}
    for name in ("shenhe", "fushen", "baomi"):
        row = releases.approve_release(
            release=row, by=who[name], at=at, slip=slip | {"finding": "不涉密，可以公开。"}
        )
    result = {}
    started = time.perf_counter()
    releases.publish_release(release=row, by=who["fabu"], at=timezone.now())
    result["release_took_s"] = round(time.perf_counter() - started, 2)
    _wait(lambda: told in served.get("/corrections/").text)
    result["release_seen_after_s"] = round(time.perf_counter() - started, 2)
    public = PublicItem.objects.public().first()
    started = time.perf_counter()
    releases.withdraw_item(
        public_item=public, by=who["baomi"], at=timezone.now(), reason="涉及个人隐私"
    )
    _wait(lambda: served.get(f"/progress/{public.slug}/").status == 410)
    _wait(lambda: public.slug not in served.get("/progress/").text)
    result["withdrawal_seen_after_s"] = round(time.perf_counter() - started, 2)
    return result


def _wait(is_there) -> None:
    until = time.perf_counter() + 60
    while not is_there():
        if time.perf_counter() > until:
            raise SystemExit("nobody ever saw it")
        time.sleep(0.02)


def serve_constant(size: int) -> tuple[subprocess.Popen, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "8"]
        + ["--worker-class", "gthread", "--no-control-socket", "supervision.config.wsgi"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "tests.bench.constant", "CONSTANT_BYTES": str(size)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            Reader(base).ask(request_of(base, "/"))
            return process, base
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the constant page did not answer")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PROOF_SCRATCH"] = folder
        from tests.proofs.public import site

        served = site()
        process, constant = serve_constant(served.get("/").size)
        try:
            rates = throughput(served, constant)
        finally:
            process.terminate()
            process.wait(timeout=20)
        fresh = freshness(served)
        served.process.terminate()
        served.process.wait(timeout=20)
    for name, row in rates.items():
        print(
            f"{name:32} {row['requests_a_second']:6} a second  "
            f"{row['of_the_constant_page']:5.2f} x the constant page  ({row['bytes']} bytes)"
        )
    for name, seconds in fresh.items():
        print(f"{name:32} {seconds:6.2f} s")
    result = {
        "bench": "public",
        "rounds": ROUNDS,
        "readers": READERS,
        "rates": rates,
        "freshness": fresh,
        "is_fresh_in_time": fresh["release_seen_after_s"] <= MOST_FRESH_SECONDS,
    }
    text = json.dumps(result, ensure_ascii=False, indent=2)
    (ROOT / "proof" / "bench-public.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
