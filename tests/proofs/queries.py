"""Every page of the desk at 286 and at 28,600 assignments: the same number of statements, ≤ 12.

The pages are those of the access table: an address in it which answers a reading with a page is
opened as everybody who may. A new address therefore is in the proof as soon as it is in the table,
and it is in the table or a test fails. What answers with a file is named in DOWNLOADS.

Each page is opened in three states of the lights of the day: kept, as the tick leaves them; after
acts on a tenth of the items; and not kept at all, as midnight and changed rules leave them. Each is
opened once before anything counts: the process knows the calendar and the templates. Session, user
and settings count. Times are single ones on a shared machine with the lights kept, for their order
of magnitude only.
"""

import csv
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from tests.proofs.common import TODAY, Outcome, Scale, noon
from tests.proofs.desk_world import LAST_MONTH, REVIEWED, build_desk

SIZES = {Scale.QUICK: (60, 200), Scale.FIRST: (286, 28_600), Scale.AIM: (286, 28_600)}
AIM = 12
KEPT = "kept"
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
    "supervision:ledger": ("?light=green",),
    "supervision:timeline": ("?light=yellow",),
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


def _states() -> Iterator[str]:
    """The states of the lights, one after the other, by what the acts themselves call."""
    from supervision.models import EventKind, SupervisionItem
    from supervision.services.kept_lights import forget_lights

    yield KEPT
    for item in SupervisionItem.objects.order_by("pk").values_list("pk", flat=True)[::10]:
        forget_lights(EventKind.SUBMITTED, item)
    yield "after acts"
    forget_lights(EventKind.RULES_CHANGED, None)
    yield "not kept"


def _measure(shares: int, *, is_warm: bool = False) -> dict[str, dict[str, tuple[int, float]]]:
    """State of the lights → page → statements and seconds.

    Without `is_warm` each page is opened once before.
    """
    import time_machine
    from django.db import connection, reset_queries
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    started = time.perf_counter()
    city, known = build_desk(shares)
    print(f"{shares:,} shares laid out in {time.perf_counter() - started:.0f} s", flush=True)
    clients: dict[str, Client] = {}
    addresses = _addresses(known, city)
    found: dict[str, dict[str, tuple[int, float]]] = {}
    with time_machine.travel(noon(TODAY), tick=True):
        for state in _states():
            found[state] = {}
            for label, address, who in addresses:
                if who not in clients:
                    clients[who] = Client()
                    clients[who].force_login(getattr(city, who))
                client = clients[who]
                if not is_warm and state == KEPT:
                    client.get(address)
                # The log keeps the last 9,000: a full one would show nothing new.
                reset_queries()
                started = time.perf_counter()
                with CaptureQueriesContext(connection) as captured:
                    answer = client.get(address)
                seconds, statements = time.perf_counter() - started, len(captured)
                if answer.status_code != 200:
                    raise AssertionError(f"{address} answered {answer.status_code} to {who}")
                if not any("django_session" in one["sql"] for one in captured.captured_queries):
                    raise AssertionError(f"{address}: the statements of {who} were not counted")
                found[state][label] = (statements, seconds)
    return found


def prove(*, seed: int, scale: Scale) -> Outcome:
    """Print page × statements at both sizes; holds when none differs and none is over the aim."""
    small, large = SIZES[scale]
    few, many = _measure(small), _measure(large, is_warm=True)
    print(f"{'page':44}{small:>8,}{large:>8,}{'time':>8}  {'  '.join(list(few)[1:])}")
    problems, ratios, figures = [], [], {}
    for name, (statements, seconds) in few[KEPT].items():
        ratio = round(many[KEPT][name][1] / seconds, 1)
        ratios.append(ratio)
        told = []
        for state in few:
            one, other = few[state][name][0], many[state][name][0]
            told.append(f"{one} / {other}")
            if one != other:
                problems.append(f"{name}, lights {state}: {one} statements, then {other}")
            if max(one, other) > AIM:
                problems.append(f"{name}, lights {state}: {other} statements, the aim is {AIM}")
        told_later = ", ".join(
            f"{state} {text}" for state, text in zip(list(few)[1:], told[1:], strict=True)
        )
        print(f"{name:44}{statements:>8}{many[KEPT][name][0]:>8}{ratio:>7}x  {told_later}")
        figures[name] = f"{told[0]}, time {ratio}; {told_later}"
    counts = {
        state: [rows[state][name][0] for rows in (few, many) for name in rows[state]]
        for state in few
    }
    summary = {
        "addresses": len({name.split(" (")[0] for name in figures}),
        "pages": len(figures),
        "most_statements": max(max(found) for found in counts.values()),
        f"over_{AIM}": sum(count > AIM for found in counts.values() for count in found),
    }
    summary |= {f"most_statements, lights {state}": max(found) for state, found in counts.items()}
    summary |= {
        "time_ratio_middle": round(statistics.median(ratios), 2),
        "time_ratio_most": max(ratios),
    }
    return Outcome(holds=not problems, figures=summary | figures, problems=problems)
