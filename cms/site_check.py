"""What an inspection of the site would find wrong: tags, frame, links, sets that do not agree."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import quote, urlsplit

from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.models import Site

from cms import snapshot
from cms.crawl import Answer, Reader, is_asset
from cms.models import SiteFrame
from supervision.models import PublicItem

# Sections 2 and 3 of the specification of the public site.
TAGS = {
    1: ("SiteName", "SiteDomain", "SiteIDCode"),
    2: ("ColumnName", "ColumnDescription", "ColumnKeywords", "ColumnType"),
    3: ("ArticleTitle", "PubDate", "ContentSource", "Keywords", "Description"),
}
SEVERAL = frozenset({"ColumnKeywords", "ColumnType", "Keywords", "Image"})
LEFTOVERS = frozenset({"网站名称", "网站域名", "栏目名称", "描述", "关键词", "None"})
ARTICLE = re.compile(r"^(/progress/[0-9a-f]{10}/|/bulletins/.+|/editions/[^/]+/)$")
CORRECTIONS = "/corrections/"
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


class Head(HTMLParser):
    """Meta tags, headings of level one, language, title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: list[tuple[str, str]] = []
        self.headings: list[str] = []
        self.titles: list[str] = []
        self.lang = ""
        self.has_search = False
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "html":
            self.lang = given.get("lang", "")
        if tag == "meta" and "name" in given:
            self.meta.append((given["name"], given.get("content") or ""))
        if tag == "form" and given.get("role") == "search":
            self.has_search = True
        if tag in ("h1", "title"):
            self._open = tag
            (self.headings if tag == "h1" else self.titles).append("")

    def handle_endtag(self, tag):
        if tag == self._open:
            self._open = ""

    def handle_data(self, data):
        if self._open == "h1":
            self.headings[-1] += data.strip()
        if self._open == "title":
            self.titles[-1] += data.strip()


def levels_of(address: str) -> tuple[int, ...]:
    """Which levels of tags an address carries: home, column or article."""
    path = re.sub(r"^/elder(?=/)", "", urlsplit(address).path)
    if path == "/":
        return (1,)
    return (1, 2, 3) if ARTICLE.match(path) else (1, 2)


def tag_faults(address: str, head: Head) -> Iterator[str]:
    """What is wrong with the tags of a page, in words."""
    tags: dict[str, list[str]] = {}
    for name, content in head.meta:
        tags.setdefault(name, []).append(content)
    levels = levels_of(address)
    if urlsplit(address).path.endswith(CORRECTIONS) and "ArticleTitle" in tags:
        levels = (1, 2, 3)
    for level in levels:
        for name in TAGS[level]:
            if name not in tags:
                yield _("the tag {name} is missing").format(name=name)
    lower = [name.lower() for name in tags]
    for name, contents in tags.items():
        if len(contents) > 1 and name not in SEVERAL:
            yield _("the tag {name} stands more than once").format(name=name)
        if lower.count(name.lower()) > 1:
            yield _("the tag {name} is there twice, differing in case only").format(name=name)
        for content in contents:
            if not content.strip() or content.strip() in LEFTOVERS or "{{" in content:
                yield _("the tag {name} is empty or a leftover of a template").format(name=name)
    first = {name: contents[0] for name, contents in tags.items()}
    if "SiteIDCode" in first and not re.fullmatch(r"\d{10}|bm\d{8}", first["SiteIDCode"]):
        yield _("the tag {name} has the wrong form").format(name="SiteIDCode")
    if "ColumnName" in first and first["ColumnName"] == first.get("ColumnDescription"):
        yield _("the tag {name} repeats the name").format(name="ColumnDescription")
    if 3 in levels:
        if first.get("ArticleTitle") not in head.headings:
            yield _("the tag {name} is not the heading of the page").format(name="ArticleTitle")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d ([01]\d|2[0-3]):[0-5]\d", first.get("PubDate", "")):
            yield _("the tag {name} has the wrong form").format(name="PubDate")


def frame_faults(head: Head, text: str, frame: SiteFrame) -> Iterator[str]:
    """What every page must have around its content."""
    if head.lang != "zh-CN":
        yield _("the language of the page is not zh-CN")
    if len(head.headings) != 1 or not head.headings[0]:
        yield _("there is not exactly one heading of level one")
    if not head.titles or not head.titles[0]:
        yield _("the page has no title")
    if not head.has_search:
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
            head = Head(answer.text)
            found = [*tag_faults(address, head), *frame_faults(head, answer.text, frame)]
            faults += [f"{address}: {fault}" for fault in found]
            if "?" not in address and not address.startswith("/elder/"):
                twin = titles.setdefault(head.titles[0] if head.titles else "", address)
                if twin != address:
                    faults.append(f"{address}: " + _("has the title of {other}").format(other=twin))
    faults += set_faults(reader, pages)
    return list(dict.fromkeys(faults))


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
