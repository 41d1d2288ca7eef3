"""Every page of the desk at 286 and at 28,600 assignments: the same number of statements, ≤ 12.

The pages are those of the access table: an address in it which answers a reading with a page is
opened as everybody who may. A new address therefore is in the proof as soon as it is in the table,
and it is in the table or a test fails. What answers with a file is named in DOWNLOADS.

The lights of the day are kept first, as the tick does. Each page is opened once before anything
counts: the process knows the calendar and the templates. Session, user and settings count. Times
are single ones on a shared machine, for their order of magnitude only.
"""

import csv
import statistics
import time
from pathlib import Path

from tests.proofs.common import TODAY, Outcome, Scale, noon
from tests.proofs.desk_world import LAST_MONTH, REVIEWED, build_desk

SIZES = {Scale.QUICK: (60, 200), Scale.FIRST: (286, 28_600), Scale.AIM: (286, 28_600)}
AIM = 12
TABLE = Path(__file__).resolve().parents[1] / "access_matrix.csv"
APPS = ("supervision", "notifications")
# They answer a reading with a file, not with a page.
DOWNLOADS = frozenset(
    {
        "supervision:calendar_ics",
        "supervision:export_file",
        "supervision:file",
        "supervision:letter_docx",
        "supervision:pack_file",
        "supervision:workbook_xlsx",
    }
)
# The neighbours and the second leader open what the first ones open; nobody signed in is no desk.
TWINS = frozenset(
    {"anonymous", "stranger", "other_liaison", "county_liaison", "other_leader", "second_reviewer"}
)
# An address of the table, opened with more of what it can show.
ADDED = {
    "supervision:search": ("?q=研发", "?q=研发&kind=return"),
    "supervision:items": ("?light=yellow", "?order=number"),
    "supervision:matrix": ("?q=测试",),
    "supervision:reviews": tuple(f"?kind={queue}" for queue in REVIEWED),
}


def pages() -> list[tuple[str, str, list[str]]]:
    """(address name, object, who may open it) for everything that answers a reading with 200."""
    found = []
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row.pop("address")
            is_page = row.pop("method") == "GET" and name.split(":")[0] in APPS
            if not is_page or name in DOWNLOADS:
                continue
            tag = row.pop("object")
            readers = [who for who, answer in row.items() if answer == "200" and who not in TWINS]
            if readers and tag != "other":
                found.append((name, tag, readers))
    return found


def _addresses(known: dict[tuple[str, str], str], city) -> list[tuple[str, str, str]]:
    """(label, address, who) of every page to open."""
    found = []
    for name, tag, readers in pages():
        address = known[name, tag]
        if name == "supervision:returns_of":
            address = address.replace("2026-04", LAST_MONTH["label"])
        short = name.split(":")[1]
        for who in readers:
            found.append((f"{short} ({who})", address, who))
            for more in ADDED.get(name, ()):
                found.append((f"{short}{more} ({who})", address + more, who))
    for label, address in city.more_pages:
        found.append((f"{label} (officer)", address, "officer"))
    return found


def _measure(shares: int, *, is_warm: bool = False) -> dict[str, tuple[int, float]]:
    """Page → statements and seconds; without `is_warm` each page is opened once before."""
    import time_machine
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    started = time.perf_counter()
    city, known = build_desk(shares)
    print(f"{shares:,} shares laid out in {time.perf_counter() - started:.0f} s", flush=True)
    clients = {}
    found = {}
    with time_machine.travel(noon(TODAY), tick=True):
        for label, address, who in _addresses(known, city):
            if who not in clients:
                clients[who] = Client()
                clients[who].force_login(getattr(city, who))
            client = clients[who]
            if not is_warm:
                client.get(address)
            started = time.perf_counter()
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(address)
            seconds, statements = time.perf_counter() - started, len(captured)
            if answer.status_code != 200:
                raise AssertionError(f"{address} answered {answer.status_code} to {who}")
            if not any("django_session" in one["sql"] for one in captured.captured_queries):
                raise AssertionError(f"{address}: the statements of {who} were not counted")
            found[label] = (statements, seconds)
    return found


def prove(*, seed: int, scale: Scale) -> Outcome:
    """Print page × statements at both sizes; holds when none differs and none is over the aim."""
    small, large = SIZES[scale]
    few, many = _measure(small), _measure(large, is_warm=True)
    print(f"{'page':44}{small:>8,}{large:>8,}{'time':>8}")
    rows, problems = {}, []
    for name, (statements, seconds) in few.items():
        later, long = many[name]
        ratio = round(long / seconds, 1)
        print(f"{name:44}{statements:>8}{later:>8}{ratio:>7}x")
        rows[name] = {str(small): statements, str(large): later, "time_ratio": ratio}
        if statements != later:
            problems.append(f"{name}: {statements} statements, then {later}")
        if later > AIM:
            problems.append(f"{name}: {later} statements, the aim is {AIM}")
    most = max(max(few[name][0], many[name][0]) for name in few)
    over = sum(statements > AIM for statements, _seconds in many.values())
    ratios = [row["time_ratio"] for row in rows.values()]
    figures = {
        "addresses": len({name.split(" (")[0] for name in rows}),
        "pages": len(rows),
        "most_statements": most,
        f"over_{AIM}": over,
        "time_ratio_middle": round(statistics.median(ratios), 2),
        "time_ratio_most": max(ratios),
    }
    for name, row in rows.items():
        figures[name] = f"{row[str(small)]} / {row[str(large)]}, time {row['time_ratio']}"
    return Outcome(holds=not problems, figures=figures, problems=problems)
