"""A hundred users act on one row at the same moment, over HTTP: one winner, clear answers else.

Two races: everybody accepts the same return, and everybody saves the same draft with the version
he opened. Real gunicorn processes, real sessions, all requests let go at once.
"""

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

from tests.proofs.common import ROOT, Outcome, Scale, empty, noon, scratch

USERS = {Scale.QUICK: 8, Scale.FIRST: 100, Scale.AIM: 1000}
# The answers of those who were not first, as they stand on the page.
CLEAR = (
    "该操作已不能进行", "已被他人", "他人已", "已经办理", "抢先", "请查看", "没有覆盖", "未覆盖",
)  # fmt: skip
TOKEN = "x" * 32


def prove(*, seed: int, scale: Scale) -> Outcome:
    from django.db import connection

    from supervision.models import Event, EventKind, ProgressReport, SupervisionItem
    from tests.factories import (
        AssignmentFactory,
        ClauseFactory,
        DocumentFactory,
        ItemFactory,
        PeriodFactory,
        ReportFactory,
        build_city,
    )

    empty()
    city = build_city()
    document = DocumentFactory()
    share = AssignmentFactory(
        item=ItemFactory(dispatched=True, clause=ClauseFactory(document=document), number="争"),
        organization=city.bureau,
    )
    report = ReportFactory(
        period=PeriodFactory(assignment=share), status="submitted", submitted_at=noon(_today())
    )
    draft = ItemFactory(clause=ClauseFactory(document=document), drafted_by=city.officer)
    sessions = _officers(USERS[scale])
    connection.close()
    port = _free_port()
    server = _serve(port)
    problems: list[str] = []
    figures: dict = {"users": USERS[scale]}
    try:
        _wait(port)
        races = {
            "accept": (
                f"/desk/reviews/reports/{report.uid}/approve/",
                lambda n: {"version": report.version, "opinion": f"第{n}位的意见"},
            ),
            "save": (
                f"/desk/items/{draft.uid}/edit/",
                lambda n: _draft_form(draft, n),
            ),
        }
        for name, (address, data) in races.items():
            answers = _race(port, address, data, sessions)
            problems += _judge(name, answers, figures)
    finally:
        _stop(server)
    accepted = Event.objects.filter(kind=EventKind.REPORT_APPROVED).count()
    saved = Event.objects.filter(kind=EventKind.ITEM_CHANGED, item=draft).count()
    final = ProgressReport.objects.get(pk=report.pk)
    kept = SupervisionItem.objects.get(pk=draft.pk)
    if (accepted, final.status, final.version) != (1, "approved", report.version + 1):
        problems.append(f"accepted {accepted} times, {final.status}, version {final.version}")
    if (saved, kept.version) != (1, draft.version + 1):
        problems.append(f"saved {saved} times, version {kept.version}")
    figures |= {"accepted": accepted, "saved": saved}
    return Outcome(not problems, figures, problems)


def _today():
    from django.utils import timezone

    return timezone.localdate()


def _draft_form(draft, number: int) -> dict:
    return {
        "version": draft.version,
        "title": f"第{number}位改的题目",
        "requirement": draft.requirement,
        "urgency": draft.urgency,
        "cycle": draft.cycle,
        "openness": draft.openness,
        "is_ongoing": "on",
        "party-TOTAL_FORMS": "0",
        "party-INITIAL_FORMS": "0",
        "party-MIN_NUM_FORMS": "0",
        "party-MAX_NUM_FORMS": "1000",
    }


def _officers(count: int) -> list[str]:
    """Session keys of so many supervision officers, signed in."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import Group

    from supervision.models import User

    store = import_module(settings.SESSION_ENGINE).SessionStore
    group = Group.objects.get(name="officer")
    keys = []
    for n in range(count):
        user = User.objects.create(username=f"zhengyong{n}", display_name=f"督查员{n}")
        user.set_unusable_password()
        user.save()
        user.groups.add(group)
        session = store()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        keys.append(session.session_key)
    return keys


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _serve(port: int, **environment: str) -> subprocess.Popen:
    log = (scratch() / "gunicorn.log").open("wb")
    return subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", "supervision.config.wsgi:application",
            f"--bind=127.0.0.1:{port}", "--workers=2", "--threads=16", "--worker-class=gthread",
            "--backlog=2048", "--timeout=120", "--log-level=error", "--no-control-socket",
        ],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "supervision.config.settings.test"}
        | environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )  # fmt: skip


def _stop(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


def _wait(port: int) -> None:
    for _ in range(240):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/desk/sign-in/")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError("the web server did not come up: see gunicorn.log")


def _race(port: int, address: str, data, sessions: list[str]) -> list[tuple[int, str, float]]:
    """Everybody posts at once; (status, page after redirects, seconds) of each."""
    barrier = threading.Barrier(len(sessions))
    answers: list = [None] * len(sessions)

    def run(n: int) -> None:
        body = urllib.parse.urlencode(data(n) | {"csrfmiddlewaretoken": TOKEN})
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        cookie = f"sessionid={sessions[n]}; csrftoken={TOKEN}"
        barrier.wait()
        started = time.monotonic()
        try:
            connection.request(
                "POST", address, body,
                {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie},
            )  # fmt: skip
            response = connection.getresponse()
            page = response.read().decode()
            seconds = time.monotonic() - started
            if response.status == 302:
                cookies = [cookie] + [
                    value.split(";")[0]
                    for name, value in response.getheaders()
                    if name.lower() == "set-cookie"
                ]
                connection.request(
                    "GET", response.getheader("Location"), headers={"Cookie": "; ".join(cookies)}
                )
                page = connection.getresponse().read().decode()
            answers[n] = (response.status, page, seconds)
        except OSError as error:
            answers[n] = (0, repr(error), time.monotonic() - started)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(sessions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _judge(name: str, answers: list, figures: dict) -> list[str]:
    won = [page for status, page, _seconds in answers if status == 302]
    refused = [page for status, page, _seconds in answers if status == 200]
    clear = [page for page in refused if any(words in page for words in CLEAR)]
    problems = []
    if len(won) != 1:
        problems.append(f"{name}: {len(won)} winners")
    if len(clear) != len(answers) - 1:
        other = [
            (status, page[:200]) for status, page, _seconds in answers if status not in (200, 302)
        ]
        unclear = [page for page in refused if page not in clear]
        problems.append(f"{name}: {len(clear)} clear answers; others {other[:2]}")
        if unclear:
            (scratch() / f"{name}.html").write_text(unclear[0], encoding="utf-8")
            text = unclear[0]
            start = text.find('class="message')
            problems.append(f"{name}: unclear answer: {text[start : start + 300]}")
    times = sorted(seconds for _status, _page, seconds in answers)
    figures |= {
        f"{name}: winners": len(won),
        f"{name}: clear answers": len(clear),
        f"{name}: median s": round(statistics.median(times), 2),
        f"{name}: p95 s": round(times[int(len(times) * 0.95) - 1], 2),
    }
    return problems
