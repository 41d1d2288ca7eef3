"""`manage.py start`: really serves, really works, stops everything, leaves nobody behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def wait_for(condition, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.3)
    return False


def processes_with(marker: str) -> list[int]:
    """Processes whose environment carries the marker."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment = (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if marker.encode() in environment and state != "Z":
                found.append(int(entry.name))
    return found


@pytest.fixture
def server(tmp_path, migrated):
    """Start the whole thing on a database of its own; afterwards nothing may be left."""
    shutil.copy(migrated, tmp_path / "start.sqlite3")
    port = free_port()
    marker = f"START_TEST_MARK={tmp_path.name}-{port}"
    name, value = marker.split("=")
    environment = os.environ | {
        name: value,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'start.sqlite3'}",
        "SITE_ID_FILE": str(tmp_path / "site-id.json"),
        "DJANGO_SETTINGS_MODULE": "supervision.config.settings.dev",
        "SEND_MAIL": "false",
    }
    log = tmp_path / "start.log"
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "manage.py", "start", "--port", str(port), "--no-demo"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=log.open("a"),
            stderr=subprocess.STDOUT,
        )
        started.append(process)
        return process

    yield start, port, marker, log
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=40)
    for pid in processes_with(marker):
        os.kill(pid, signal.SIGKILL)


def test_it_serves_restarts_its_worker_and_leaves_nobody_behind(server):
    start, port, marker, log = server
    process = start()
    assert wait_for(lambda: ask(port)[0] == 200, START_SECONDS), log.read_text()
    assert ask(port)[1] == {
        "ok": True,
        "checks": {"database": True, "worker": True, "calendar": True},
    }

    def clusters() -> list[int]:
        return [
            pid
            for pid in processes_with(marker)
            if b"qcluster" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    # It says where to go only once the web server answers; that may be a moment later.
    assert wait_for(lambda: f"http://localhost:{port}/desk/" in log.read_text(), 60)
    before = set(clusters())
    os.kill(min(before), signal.SIGKILL)
    assert wait_for(lambda: set(clusters()) - before, 60), log.read_text()

    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=40) == 0, log.read_text()
    assert wait_for(lambda: not processes_with(marker), 5), processes_with(marker)

    process = start()
    assert wait_for(lambda: ask(port)[0] == 200, 60), log.read_text()
    process.terminate()
    assert process.wait(timeout=40) == 0
    assert wait_for(lambda: not processes_with(marker), 5)


def test_a_port_in_use_is_said_and_nothing_stays(server):
    start, port, marker, log = server
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = start()
        assert process.wait(timeout=START_SECONDS) != 0
    assert str(port) in log.read_text()
    assert wait_for(lambda: not processes_with(marker), 5)
