"""What an inspection of the site would find wrong: tags, frame, links, sets that do not agree."""

import csv
import io
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.models import Site

from cms import modes, snapshot, tags
from cms.crawl import Answer, Reader, is_asset
from cms.models import SiteFrame
from supervision.models import PublicItem

FOOTER = ("site_code", "organizer", "contact", "icp", "police")
# Records every government site links to; everything else goes through a page of warning.
REGISTERS = frozenset(
    {
        "beian.miit.gov.cn",
        "beian.mps.gov.cn",
        "www.beian.gov.cn",
        "zfwzgl.www.gov.cn",
        "bszs.conac.cn",
    }
)
ITEM = re.compile(r"/progress/([0-9a-f]{10})/")


def frame_faults(text: str, frame: SiteFrame) -> Iterator[str]:
    """What every page must have around its content."""
    if not tags.Head(text).has_search:
        yield _("the search box is missing")
    shown = frame.shown()
    for name in FOOTER:
        value = shown[name]
        label = SiteFrame._meta.get_field(name).verbose_name
        if value and value not in text:
            yield _("the footer does not show “{name}”").format(name=label)


def check_site(base_url: str = "") -> list[str]:
    """Every fault of the site, each with its address. Crawls once, in this process."""
    reader = Reader(base_url)
    pages = reader.crawl()
    frame = SiteFrame.for_site(Site.objects.get(is_default_site=True))
    faults = [
        _("the footer setting “{name}” is blank").format(
            name=SiteFrame._meta.get_field(name).verbose_name
        )
        for name in FOOTER
        if not frame.shown()[name]
    ]
    titles: dict[str, str] = {}
    for address, answer in pages.items():
        faults += [f"{address}: {fault}" for fault in _answer_faults(answer, pages)]
        if answer.is_page and answer.status == 200:
            mode, path = _place(address)
            found = tags.faults(path, answer.text, is_column=bool(settings.PUBLIC_PREFIX))
            found += frame_faults(answer.text, frame)
            faults += [f"{address}: {fault}" for fault in found]
            if "?" not in address and mode == modes.PLAIN:
                twin = titles.setdefault(" ".join(tags.Head(answer.text).titles), address)
                if twin != address:
                    faults.append(f"{address}: " + _("has the title of {other}").format(other=twin))
    faults += set_faults(reader, pages)
    return list(dict.fromkeys(faults))


def _place(address: str) -> tuple[modes.Mode, str]:
    """Mode and plain path of an address, without the portal's prefix."""
    return modes.read(urlsplit(address).path.removeprefix(settings.PUBLIC_PREFIX) or "/")


def _answer_faults(answer: Answer, pages: dict[str, Answer]) -> Iterator[str]:
    if answer.status != 200:
        yield _("answers {status}").format(status=answer.status)
    if answer.has_cookies:
        yield _("sets a cookie")
    for link in answer.links:
        if link in pages and pages[link].status != 200:
            yield _("links to {link}, which answers {status}").format(
                link=link, status=pages[link].status
            )
    for link in answer.fetched:
        if not is_asset(link) and link not in pages:
            yield _("fetches {link}, which is not of the site").format(link=link)
    for link in answer.outside:
        is_exit = answer.address.startswith("/leaving/")
        if answer.is_page and not is_exit and urlsplit(link).netloc not in REGISTERS:
            yield _("leads to {link} without a warning").format(link=link)


def set_faults(reader: Reader, pages: dict[str, Answer]) -> Iterator[str]:
    """Where the released set, the maps, the feeds, the search and the exports disagree."""
    released = set(PublicItem.objects.public().values_list("slug", flat=True))
    sitemap = pages["/sitemap.xml"].text
    table = reader.get(reverse("cms:open_data_file", args=["latest", "items", "csv"])).text
    shape = json.loads(
        reader.get(reverse("cms:open_data_file", args=["latest", "items", "json"])).text
    )
    listed = reader.get(reverse("cms:items_csv")).text
    numbers = {str(entry.number): entry.slug for entry in snapshot.current().entries}
    found = {
        _("the sitemap"): set(ITEM.findall(sitemap)),
        _("the pages that can be reached"): {
            match[1] for address in pages if (match := ITEM.fullmatch(address))
        },
        _("the feed of all changes"): set(ITEM.findall(pages["/feeds/all.xml"].text)),
        _("the search"): set(_found_by_title(reader)),
        _("the open data as CSV"): {row["slug"] for row in _rows(table)},
        _("the open data as JSON"): {row["slug"] for row in shape["rows"]},
        _("the download of the list"): {
            numbers.get(row[0], row[0])
            for row in csv.reader(io.StringIO(listed.removeprefix("\ufeff")))
            if row[0].isdigit()
        },
    }
    for name, slugs in found.items():
        for slug in sorted(released - slugs):
            yield _("{slug} is released and missing from {name}").format(slug=slug, name=name)
        for slug in sorted(slugs - released):
            yield _("{slug} is not released and stands in {name}").format(slug=slug, name=name)
    for slug in PublicItem.objects.exclude(slug__in=released).values_list("slug", flat=True):
        for address in withdrawn_addresses(slug):
            status = reader.get(address).status
            if status != 410:
                yield _("{address} is withdrawn and answers {status}").format(
                    address=address, status=status
                )


def withdrawn_addresses(slug: str) -> list[str]:
    """The addresses of one item, all of which answer 410 once it is withdrawn."""
    return [
        reverse("cms:item", args=[slug]),
        reverse("cms:item_json", args=[slug]),
        reverse("cms:feed", args=["item", slug]),
    ]


def _rows(text: str) -> csv.DictReader:
    return csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))


def _found_by_title(reader: Reader) -> Iterator[str]:
    for entry in snapshot.current().entries:
        page = reader.get(f"{reverse('cms:search')}?q={quote(entry.title)}").text
        yield from ITEM.findall(page)
