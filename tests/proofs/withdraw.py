"""An item is withdrawn: its addresses answer 410 within 5 s, everything else forgets it in 60 s.

Read from a web server of two processes that has shown the item before and keeps its pages on disk,
so that a copy kept anywhere would be found, by readers who go on asking meanwhile; then from the
static copy, written anew.
"""

import http.client
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from tests.proofs.common import Outcome, Scale, empty, noon, scratch
from tests.proofs.contention import _free_port, _serve, _stop, _wait

ITEMS = {Scale.QUICK: 2, Scale.FIRST: 10, Scale.AIM: 22}
ASKED = 6
ORIGIN_SECONDS, ELSEWHERE_SECONDS = 5.0, 60.0
LINGERING_SECONDS = 0.5
AIM_SECONDS = 1.0
DAY = date(2026, 6, 10)
ELSEWHERE = (
    "/",
    "/progress/",
    "/changes/",
    "/editions/2026-06/",
    "/search/?q=%E6%92%A4%E5%9B%9E",
    "/feeds/all.xml",
    "/site-map/",
    "/sitemap.xml",
    "/progress/items.csv",
    "/open-data/latest/items.csv",
    "/open-data/latest/events.json",
    "/open-data/2026-06/items.json",
)


def _get(port: int, address: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", address, headers={"Host": "localhost"})
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, text


def _until(ready, limit: float) -> float:
    """Seconds until `ready()` is true; more than `limit` when it never was."""
    started = time.monotonic()
    while time.monotonic() - started <= limit:
        if ready():
            return time.monotonic() - started
        time.sleep(0.05)
    return time.monotonic() - started


def prove(*, seed: int, scale: Scale) -> Outcome:
    """Withdraw one item after the other under reading; the slowest of each counts."""
    from django.test import override_settings

    folder = scratch() / "withdraw"
    pages = folder / "pages"
    with override_settings(PUBLIC_PAGES_DIR=str(pages), PUBLIC_KEPT_HOSTS=["localhost"]):
        return _prove(scale, folder)


def _prove(scale: Scale, folder: Path) -> Outcome:
    from django.core.management import call_command

    from cms import keeping, kept, snapshot
    from cms.services import sync_site
    from cms.site_check import withdrawn_addresses
    from supervision.models import PublicItem
    from supervision.services import releases
    from supervision.services.roles import sync_roles
    from tests.cms.world import item_of
    from tests.factories import DocumentFactory, build_city, release_edition

    empty()
    snapshot._kept.clear()
    sync_roles()
    city = build_city()
    sync_site()
    document = DocumentFactory(title="公开文件")
    for number in range(ITEMS[scale] + 2):
        item_of(city, document, f"将要撤回的事项{number:02d}号")
    release_edition(city, document, at=noon(DAY))
    keeping.keep_all()
    port = _free_port()
    server = _serve(port, TEST_PAGES_DIR=str(folder / "pages"), SITE_URL="http://localhost")
    origin, elsewhere, copied, problems = [], [], [], []
    readings = Readings(port)
    try:
        _wait(port)
        copy = folder / "copy"
        call_command("export_site", copy, stdout=io.StringIO())
        chosen = PublicItem.objects.select_related("item")[: ITEMS[scale]]
        for number, public in enumerate(chosen):
            own, title = withdrawn_addresses(public.slug), public.item.title
            # Both processes have shown it, and hold a copy if they hold any.
            for address in (*own, *ELSEWHERE) * ASKED:
                if _get(port, address)[0] != 200:
                    problems.append(f"{address} did not answer before the withdrawal")
            with readings.of(own, title):
                started = time.monotonic()
                releases.withdraw_item(
                    public_item=public,
                    by=city.reviewer,
                    at=noon(DAY, 13) + timedelta(minutes=number),
                    reason="涉及个人隐私",
                )
                origin.append(_until(partial(_all_gone, port, own), ORIGIN_SECONDS))
                elsewhere.append(_until(partial(_forgotten, port, title), ELSEWHERE_SECONDS))
                readings.are_over = True
                time.sleep(LINGERING_SECONDS)
            call_command("export_site", copy, stdout=io.StringIO())
            copied.append(time.monotonic() - started)
            problems += _left_in(copy, public.slug, title)
            for file in kept.addresses("http-localhost"):
                page = kept.read_file(file)
                if page.status == 200 and title.encode() in page.body:
                    problems.append(f"{file.name} is kept and names what is withdrawn")
    finally:
        _stop(server)
    problems += readings.came_back
    if not readings.before:
        problems.append("nobody was reading while an item was withdrawn")
    limit = AIM_SECONDS if scale is Scale.AIM else ORIGIN_SECONDS
    if max(origin) > limit:
        problems.append(f"an address still answered after {max(origin):.1f} s")
    if max(elsewhere) > (AIM_SECONDS if scale is Scale.AIM else ELSEWHERE_SECONDS):
        problems.append(f"a list still named an item after {max(elsewhere):.1f} s")
    if max(copied) > ELSEWHERE_SECONDS:
        problems.append(f"the static copy took {max(copied):.1f} s")
    figures = {
        "withdrawn": len(origin),
        "slowest_410_s": round(max(origin), 2),
        "slowest_list_s": round(max(elsewhere), 2),
        "slowest_static_copy_s": round(max(copied), 2),
        "read_meanwhile": readings.count,
        "came_back": len(readings.came_back),
    }
    return Outcome(holds=not problems, figures=figures, problems=problems)


class Readings:
    """Readers who go on asking while an item is withdrawn: what is gone must not come back."""

    def __init__(self, port: int) -> None:
        self.port, self.count, self.before = port, 0, 0
        self.came_back: list[str] = []
        self.are_over = False

    @contextmanager
    def of(self, own: list[str], title: str) -> Iterator[None]:
        """Read the item's addresses and the lists, in three threads, until the end of the block.

        From the moment `are_over` is set every word of the item counts as come back.
        """
        stop = threading.Event()
        self.are_over = False

        def read() -> None:
            while not stop.is_set():
                for address in (*own, "/", "/progress/", "/feeds/all.xml"):
                    was_over = self.are_over
                    status, text = _get(self.port, address)
                    self.count += 1
                    is_shown = title in text or (address in own and status == 200)
                    self.before += is_shown and not was_over
                    if is_shown and was_over:
                        self.came_back.append(f"{address} came back with {status}")

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        try:
            yield
        finally:
            stop.set()
            for reader in readers:
                reader.join()


def _left_in(copy: Path, slug: str, title: str) -> list[str]:
    return [
        f"the static copy still holds {path.relative_to(copy)}"
        for path in copy.rglob("*")
        if path.is_file() and (slug in str(path) or title.encode() in path.read_bytes())
    ]


def _all_gone(port: int, addresses: list[str]) -> bool:
    return all(_get(port, address)[0] == 410 for address in addresses * ASKED)


def _forgotten(port: int, title: str) -> bool:
    return not any(title in _get(port, address)[1] for address in ELSEWHERE * ASKED)
