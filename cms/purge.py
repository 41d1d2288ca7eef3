"""Which addresses a release or a withdrawal changes, and telling the caches before this site.

`shown` names everything an address says of the public set; an address is purged when that differs
between the set before and the set after, when it is new, or when it is gone. Pure but for `send`.
Filters of the list are named one at a time: caches in front forget two at once after a minute, as
every browser does (`Cache-Control`). Source: public-site.md, section 7.
"""

import hashlib
import http.client
import logging
from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import localdate

from cms import feeds
from cms import open_data as data
from cms.entries import Entry
from cms.feeds import feed_of, group_key, groups_with_feeds
from cms.filters import CHOICES, values_of
from cms.history import Correction, Edition, Fact
from cms.modes import EVERY
from cms.snapshot import PublicSet

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 2


def addresses(
    before: PublicSet | None, after: PublicSet, figure_pages: Iterable[str] = ("/",)
) -> set[str]:
    """The addresses whose text differs between two public sets: plain mode, without the prefix.

    `figure_pages` are the pages of the tree that show figures, by path. Without a set before,
    everything is named.
    """
    pages = list(figure_pages)
    old = shown(before, pages) if before is not None else {}
    new = shown(after, pages)
    return {address for address in {*old, *new} if old.get(address) != new.get(address)}


def shown(public: PublicSet, figure_pages: Iterable[str]) -> dict[str, str]:
    """Address → digest of all that it says of the set."""
    moment = public.released_at
    day = localdate(moment) if moment else None
    entries = [_entry(entry) for entry in public.entries]
    changes = [_fact(fact) for fact in public.changes]
    whole = (day, public.as_of_date, entries, changes, repr(public.goals), public.documents)
    past = public.past
    texts: dict[str, object] = dict.fromkeys(figure_pages, whole)
    texts |= {
        "/progress/": whole,
        reverse("cms:items_csv"): [(entry.number, entry.data) for entry in public.entries],
        reverse("cms:items_xlsx"): (moment, [(e.number, e.data) for e in public.entries]),
        reverse("cms:fragment"): (
            public.as_of_date,
            [(e.number, e.slug, e.title, e.status) for e in public.entries],
        ),
        reverse("cms:search"): day,
        reverse("cms:changes"): (
            day,
            [told for edition in past.editions if (told := _told(edition))],
        ),
        reverse("cms:corrections"): (day, [_correction(row) for row in past.corrections]),
        reverse("cms:editions"): (
            day,
            [
                (e.key, e.as_of_date, e.released_at, len(e.entries), len(e.changes))
                for e in past.editions
            ],
        ),
        reverse("cms:open_data"): (
            day,
            bool(public.entries),
            [edition.key for edition in past.editions],
            list(groups_with_feeds(public)),
        ),
        reverse("cms:site_map"): (
            [(entry.slug, entry.title) for entry in public.entries],
            [edition.key for edition in past.editions],
            bool(past.corrections),
            list(groups_with_feeds(public)),
        ),
        reverse("cms:sitemap_xml"): (
            day,
            bool(past.corrections),
            bool(past.facts),
            [(edition.key, localdate(edition.released_at)) for edition in past.editions],
            [(entry.slug, localdate(entry.changed_at)) for entry in public.entries],
        ),
    }
    texts["/progress/?sort=time"] = whole
    for name in CHOICES:
        texts["/progress/?" + urlencode({"by": name})] = whole
        for value in {value for entry in public.entries for value in values_of(entry, name)}:
            texts["/progress/?" + urlencode({name: value})] = whole
    for entry in public.entries:
        texts |= _of_item(public, entry)
    for edition in past.editions:
        texts[edition.url] = (
            edition.released_at,
            [_fact(fact) for fact in edition.changes],
            edition.as_of_date,
            edition.is_latest,
            [_entry(entry) for entry in edition.entries],
            [_correction(row) for row in edition.corrections],
            repr(edition.goals),
            edition.documents[0],
        )
        texts |= _tables(edition.key, edition)
    if public.entries:
        texts |= _tables(data.LATEST, public)
    texts[reverse("cms:feed_all")] = _feed(public, "all", "")
    groups = {
        (kind, group_key(name))
        for kind in feeds.GROUPS
        for fact in past.facts
        for name in values_of(fact.entry, kind)
    } | {(kind, group_key(name)) for stone in past.tombstones for kind, name in stone.groups}
    for kind, key in groups:
        texts[reverse("cms:feed", args=[kind, key])] = _feed(public, kind, key)
    return {
        address: hashlib.sha256(repr(text).encode()).hexdigest() for address, text in texts.items()
    }


def _of_item(public: PublicSet, entry: Entry) -> dict[str, object]:
    past, slug = public.past, entry.slug
    facts = [_fact(fact) for fact in past.facts_of(slug)]
    own = (entry.number, entry.data, entry.document)
    return {
        reverse("cms:item", args=[slug]): (
            localdate(public.released_at),
            public.as_of_date,
            own,
            entry.first_released_at,
            entry.changed_at,
            facts,
            [repr(text) for text in past.texts[slug]],
            [_correction(row) for row in past.corrections if row.entry.slug == slug],
        ),
        reverse("cms:item_json", args=[slug]): (own, facts),
        reverse("cms:feed", args=["item", slug]): _feed(public, "item", slug),
    }


def _tables(key: str, source: PublicSet | Edition) -> dict[str, object]:
    texts = {}
    for table in data.TABLES.values():
        rows = data.rows_of(table, source)
        for form in data.FORMATS:
            moments = () if form == "csv" else (source.released_at, source.as_of_date)
            texts[reverse("cms:open_data_file", args=[key, table.name, form])] = (rows, moments)
    return texts


def _feed(public: PublicSet, kind: str, key: str) -> tuple:
    feed = feed_of(public, kind, key)
    if feed is None:
        return ()
    stones = [(stone.urn, stone.withdrawn_at) for stone in feed.tombstones]
    return (feed.title, feed.updated, [_fact(fact) for fact in feed.shown], stones)


def _entry(entry: Entry) -> tuple:
    return (entry.number, entry.slug, entry.data)


def _fact(fact: Fact) -> tuple:
    where = (fact.entry.slug, fact.entry.title)
    return (fact.urn, fact.kind, fact.text, fact.day, fact.edition, fact.released_at, where)


def _correction(row: Correction) -> tuple:
    return (row.entry.slug, row.entry.title, row.text, row.edition, row.released_at)


def _told(edition: Edition) -> tuple:
    """What the page of all changes says of an edition: nothing when it told nothing new."""
    told = [_fact(fact) for fact in edition.facts if fact.kind != "progress"]
    return (edition.key, edition.released_at, told) if told else ()


def send(paths: Iterable[str]) -> int:
    """Tell every cache of `PUBLIC_PURGE_URLS` to forget these addresses in all modes of reading.

    One `PURGE` request for each, under the public host's name, as Varnish and nginx's purge
    modules take them. A cache that does not answer is left alone: pages expire there after a
    minute. Says how many requests were answered.
    """
    wanted = [
        f"{settings.PUBLIC_PREFIX}{mode.prefix}{path}" for path in sorted(paths) for mode in EVERY
    ]
    answered = 0
    for cache in settings.PUBLIC_PURGE_URLS:
        parts = urlsplit(cache)
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = kind[parts.scheme](parts.netloc, timeout=TIMEOUT_SECONDS)
        try:
            for host in settings.PUBLIC_KEPT_HOSTS:
                for path in wanted:
                    connection.request("PURGE", path, headers={"Host": host})
                    connection.getresponse().read()
                    answered += 1
        except (OSError, http.client.HTTPException):
            logger.exception("The cache %s did not take the list of purged addresses", parts.netloc)
        finally:
            connection.close()
    return answered
