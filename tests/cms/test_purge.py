"""What a release purges is exactly what changes for a reader; caches in front are told."""

import http.server
import threading
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import pytest

from cms import following, kept, purge, snapshot
from supervision.services import releases as services
from tests.cms.world import accepted, crawl
from tests.factories import NOON, review_release

pytestmark = pytest.mark.django_db
MINUTES = timedelta(minutes=5)


@pytest.fixture
def pages(client):
    """All that a reader finds; a table's or a feed's own address for what no link names."""

    def read() -> dict[str, tuple[int, str]]:
        found = crawl(client, "/fragment/", *purge.shown(snapshot.read(), ["/"]))
        return {unquote(address): answer for address, answer in found.items()}

    return read


def withdrawn_item(city, world, withdraw, publish):
    withdraw(public_item=world.overdue.item.public_item, at=NOON + MINUTES)


def withdrawn_edition(city, world, withdraw, publish):
    withdraw(release=world.on_track.item.public_item.release, at=NOON + MINUTES)


def next_edition(city, world, withdraw, publish):
    """The next day: one text is new, one hidden, one corrected."""
    accepted(world.measure.lead, "已经部署。")
    at = NOON + timedelta(days=1)
    row = services.propose_release(document=world.document, by=city.publisher, at=at)
    edits = {str(world.on_track.item.uid): {"correction": "上期目标值有误。"}}
    edits[str(world.overdue.item.uid)] = {"text": "正在补报。"}
    row = services.revise_release(release=row, by=city.publisher, at=at, edits=edits)
    row = review_release(city, row, at=at)
    services.publish_release(release=row, by=city.publisher, at=at)
    following.follow_releases()


def same_day(city, world, withdraw, publish):
    """A second edition of the same day in which nothing is new."""
    publish(world.document, NOON + MINUTES)


@pytest.mark.parametrize("act", [withdrawn_item, withdrawn_edition, next_edition, same_day])
def test_what_changes_for_a_reader_is_what_is_purged(city, world, publish, withdraw, pages, act):
    publish(world.document)
    old, before = snapshot.read(), pages()

    act(city, world, withdraw, publish)

    after = pages()
    named = {unquote(address) for address in purge.addresses(old, snapshot.read(), ["/"])}
    changed = {
        address for address in {*before, *after} if before.get(address) != after.get(address)
    }
    plain = {address for address in named if "?" not in address}
    # Filters show counts of the whole list: all of them are named, and none is forgotten.
    assert {address for address in changed if "?" not in address} == plain
    assert {a for a in changed if a.startswith("/progress/?")} <= named
    assert changed and ("/" in changed) is (act is not same_day or "/" in named)


def test_without_a_set_before_everything_is_named(world, publish):
    publish(world.document)
    public = snapshot.read()

    assert purge.addresses(None, public) == set(purge.shown(public, ["/"]))
    assert purge.addresses(public, public) == set()


@pytest.fixture
def cache():
    """A cache that notes what it is told to forget."""
    told = []

    class Cache(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PURGE(self):
            told.append((self.headers["Host"], self.path))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cache)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", told
    server.shutdown()
    server.server_close()
    thread.join()


def test_caches_in_front_forget_a_withdrawn_item_in_every_mode(
    world, publish, withdraw, keeping_pages, settings, cache
):
    publish(world.document)
    settings.PUBLIC_PURGE_URLS, told = [cache[0]], cache[1]
    settings.PUBLIC_PREFIX = "/zt"
    public = world.overdue.item.public_item
    withdraw(public_item=public)

    assert {host for host, _path in told} == {"testserver"}
    paths = [path for _host, path in told]
    assert len(paths) == len(set(paths))
    for mode in ("", "/elder", "/elder/30", "/contrast", "/contrast/text-large"):
        assert f"/zt{mode}/progress/{public.slug}/" in paths
        assert f"/zt{mode}/" in paths
    other = world.on_track.item.public_item.slug
    assert f"/zt/progress/{other}/" not in paths
    assert not [path for path in paths if urlsplit(path).path == "/zt/robots.txt"]


def test_a_cache_that_is_away_stops_nothing(
    world, publish, withdraw, keeping_pages, settings, caplog
):
    publish(world.document)
    settings.PUBLIC_PURGE_URLS = ["http://127.0.0.1:9"]
    withdraw(public_item=world.overdue.item.public_item)

    assert "did not take" in caplog.text
    assert kept.marked(following.FOLLOWED)
