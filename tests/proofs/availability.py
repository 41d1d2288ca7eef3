"""The database taken away under load: every released page goes on being read, and quickly."""

import random
import threading
import time

from tests.proofs.common import Outcome, Scale
from tests.proofs.public import site

AWAY_SECONDS = {Scale.QUICK: 4, Scale.FIRST: 600, Scale.AIM: 1_800}
READERS = 4
PAUSE_SECONDS = 0.02
MOST_SECONDS = 2.0


def prove(*, seed: int, scale: Scale) -> Outcome:
    served = site()
    released = [
        path
        for path, answer in served.crawl(("/", "/sitemap.xml"), most_filters=0).items()
        if answer.status == 200 and "?" not in path and not path.startswith(("/static", "/desk"))
    ]
    modes = ["", "/elder", "/elder/26", "/contrast"]
    seconds: list[float] = []
    failures: list[str] = []
    until = time.monotonic() + AWAY_SECONDS[scale]

    def read(number: int) -> None:
        chance = random.Random(seed + number)
        while time.monotonic() < until:
            path = chance.choice(modes) + chance.choice(released)
            try:
                answer = served.get(path)
            except OSError as error:
                failures.append(f"{path}: {error}")
                continue
            seconds.append(answer.seconds)
            if answer.status != 200:
                failures.append(f"{path}: {answer.status}")
            time.sleep(PAUSE_SECONDS)

    problems = []
    with served.without_database():
        # The desk needs the database: it shows that it is really away.
        if served.get("/healthz").status < 500:
            problems.append("the database was not away")
        readers = [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    if served.get("/desk/sign-in/").status != 200:
        problems.append("the desk did not come back")
    seconds.sort()
    p99 = seconds[int(len(seconds) * 0.99) - 1] if seconds else 999
    problems += failures
    if p99 > MOST_SECONDS:
        problems.append(f"p99 {p99:.2f} s")
    if len(released) < 25:
        problems.append(f"only {len(released)} pages")
    figures = {
        "seconds away": AWAY_SECONDS[scale],
        "pages": len(released),
        "requests": len(seconds),
        "failures": len(failures),
        "p50 ms": round(seconds[len(seconds) // 2] * 1000, 1) if seconds else None,
        "p99 ms": round(p99 * 1000, 1),
    }
    return Outcome(not problems, figures, problems)
