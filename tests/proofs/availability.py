"""The database taken away under load: all that is released goes on being read, and quickly.

SQLite's file is gone; PostgreSQL first refuses, then takes every connection and never answers.
Read are the pages in every mode of reading, and filters, searches and downloads that nobody has
asked for before. Right before the database goes an item is withdrawn: its addresses answer 410 all
the while, and nothing names it.
"""

import json
import random
import re
import threading
import time
from urllib.parse import urlencode

from tests.proofs.common import Outcome, Scale
from tests.proofs.public import Site, site

AWAY_SECONDS = {Scale.QUICK: 4, Scale.FIRST: 600, Scale.AIM: 1_800}
READERS = 4
PAUSE_SECONDS = 0.02
MOST_SECONDS = 2.0
MODES = ["", "/elder", "/elder/26", "/contrast"]
GROUPS = ("kind", "status", "theme", "lead", "county", "month")
HAN = re.compile("[\u4e00-\u9fff]{2}")


def prove(*, seed: int, scale: Scale) -> Outcome:
    served = site()
    first = served.crawl(("/", "/sitemap.xml"), most_filters=0)
    released = [
        path
        for path, answer in first.items()
        if answer.status == 200 and "?" not in path and not path.startswith(("/static", "/desk"))
    ]
    words = sorted(set(HAN.findall(first["/progress/"].text)))
    gone = _withdraw(served)
    released = [path for path in released if gone not in path]
    seconds: list[float] = []
    failures: list[str] = []
    slow: list[str] = []
    asked: set[str] = set()
    span = AWAY_SECONDS[scale] / len(served.database.ways)

    def read(number: int, until: float) -> None:
        chance = random.Random(seed + number)
        while time.monotonic() < until:
            path, wanted = _next(chance, released, words, gone)
            asked.add(path)
            try:
                answer = served.get(path)
            except OSError as error:
                failures.append(f"{path}: {error}")
                continue
            seconds.append(answer.seconds)
            if answer.seconds > MOST_SECONDS:
                slow.append(f"{path}: {answer.seconds:.1f} s")
            if answer.status != wanted:
                failures.append(f"{path}: {answer.status}")
            if gone in answer.text and wanted == 200:
                failures.append(f"{path} names what is withdrawn")
            time.sleep(PAUSE_SECONDS)

    problems = []
    for way in served.database.ways:
        with served.database.away(way):
            if _database_answers(served):
                problems.append(f"the database was not away: {way}")
            before, until = served.database.asked, time.monotonic() + span
            readers = [threading.Thread(target=read, args=(n, until)) for n in range(READERS)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            if served.database.asked > before:
                problems.append(
                    f"readers asked the database {served.database.asked - before} times"
                )
        if not _database_answers(served):
            problems.append(f"the desk did not come back: {way}")
    seconds.sort()
    p99 = seconds[int(len(seconds) * 0.99) - 1] if seconds else 999
    problems += failures
    if p99 > MOST_SECONDS:
        problems.append(f"p99 {p99:.2f} s")
    if len(released) < 25 or len(words) < 50:
        problems.append(f"only {len(released)} pages and {len(words)} words")
    figures = {
        "seconds away": AWAY_SECONDS[scale],
        "ways": ", ".join(served.database.ways),
        "pages": len(released),
        "addresses": len(asked),
        "of these filters and searches": sum("?" in path for path in asked),
        "requests": len(seconds),
        "failures": len(failures),
        "p50 ms": round(seconds[len(seconds) // 2] * 1000, 1) if seconds else None,
        "p99 ms": round(p99 * 1000, 1),
        "slowest ms": round(seconds[-1] * 1000, 1) if seconds else None,
        "slow": slow[:5],
    }
    return Outcome(not problems, figures, problems)


def _database_answers(served: Site) -> bool:
    """Asked of the health page, which looks whether it does."""
    try:
        return json.loads(served.get("/healthz").text)["checks"]["database"]
    except OSError:
        return False  # no answer at all in the time a reader waits


def _withdraw(served: Site) -> str:
    """Withdraw one item as a reviewer does; its random address."""
    slug = served.item_path().split("/")[2]
    served.manage("withdraw", slug, "--as", "baomi", "--reason", "涉及个人隐私")
    return slug


def _next(chance: random.Random, released: list[str], words: list[str], gone: str):
    """An address and the status it must have."""
    turn = chance.random()
    mode = chance.choice(MODES)
    if turn < 0.05:
        own = (f"/progress/{gone}/", f"/progress/{gone}.json", f"/feeds/item/{gone}.xml")
        return mode + chance.choice(own), 410
    if turn < 0.30:
        query = {"q": chance.choice(words), "sort": chance.choice(("", "time"))}
        page = chance.choice(("/progress/", "/search/", "/progress/items.csv"))
        if page != "/search/":
            query["by"] = chance.choice(GROUPS)
        return f"{mode}{page}?{urlencode({k: v for k, v in query.items() if v})}", 200
    return mode + chance.choice(released), 200
