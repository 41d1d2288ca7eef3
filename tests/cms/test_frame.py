"""What every public page carries: headers, no cookie, tags, the banner; and what it costs."""

import re
from html.parser import HTMLParser

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site

from cms import snapshot
from cms.models import BulletinIndexPage, BulletinPage, SiteFrame
from supervision.models import Demonstration
from tests.cms.world import crawl, item_of
from tests.factories import NOON, TODAY

pytestmark = pytest.mark.django_db
LEVELS = {
    1: {"SiteName", "SiteDomain", "SiteIDCode"},
    2: {"ColumnName", "ColumnDescription", "ColumnKeywords", "ColumnType"},
    3: {"ArticleTitle", "PubDate", "ContentSource", "Keywords", "Description"},
}
SEVERAL = {"ColumnKeywords", "ColumnType", "Keywords"}
LEFTOVERS = {"网站名称", "网站域名", "栏目名称", "描述", "关键词", "None"}


class Head(HTMLParser):
    """Meta tags, the headings of level one, and whatever runs or styles in place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: list[tuple[str, str]] = []
        self.headings: list[str] = []
        self.inline: list[str] = []
        self.sources: list[str] = []
        self.lang = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "html":
            self.lang = given.get("lang", "")
        if tag == "meta" and "name" in given:
            self.meta.append((given["name"], given.get("content") or ""))
        if tag == "h1":
            self.headings.append("")
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(tag)
        if tag == "script" and not given.get("src"):
            self.inline.append(tag)
        if tag in ("script", "img", "iframe", "link"):
            self.sources.append(given.get("src") or given.get("href") or "")
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open == "h1" and self.headings:
            self.headings[-1] += data.strip()


def kind_of(address: str) -> set[int]:
    if address == "/":
        return {1}
    articles = r"^/(progress/[0-9a-f]{10}/$|bulletins/.+|editions/.+)"
    if re.match(articles, address):
        return {1, 2, 3}
    return {1, 2}


def faults(address: str, text: str) -> list[str]:
    """What the inspection of government sites would find wrong with the tags of a page."""
    head = Head(text)
    tags: dict[str, list[str]] = {}
    for name, content in head.meta:
        tags.setdefault(name, []).append(content)
    found = []
    for level in kind_of(address):
        found += [f"{name} is missing" for name in LEVELS[level] - set(tags)]
    for name, contents in tags.items():
        if name in SEVERAL | {"viewport"}:
            continue
        if len(contents) > 1:
            found.append(f"{name} stands twice")
    lower = [name.lower() for name in tags]
    found += [f"{name} differs only in case" for name in set(lower) if lower.count(name) > 1]
    for name, contents in tags.items():
        for content in contents:
            if not content.strip() or content.strip() in LEFTOVERS or "{{" in content:
                found.append(f"{name} is empty or a leftover: {content!r}")
    code, name = tags.get("SiteIDCode"), tags.get("ColumnName")
    if code and not re.fullmatch(r"\d{10}|bm\d{8}", code[0]):
        found.append("SiteIDCode")
    if name and tags.get("ColumnDescription") == name:
        found.append("ColumnDescription repeats the name")
    if len(head.headings) != 1 or not head.headings[0]:
        found.append(f"headings {head.headings}")
    if 3 in kind_of(address):
        if tags.get("ArticleTitle") != head.headings:
            found.append(f"ArticleTitle {tags.get('ArticleTitle')} is not {head.headings}")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d [0-2]\d:[0-5]\d", tags.get("PubDate", [""])[0]):
            found.append(f"PubDate {tags.get('PubDate')}")
    if head.lang != "zh-CN":
        found.append(f"lang {head.lang}")
    return found


@pytest.fixture
def full_site(site, world, publish):
    """A released edition, a bulletin, and the footer filled in."""
    SiteFrame.objects.filter(site=Site.objects.get(is_default_site=True)).update(
        site_domain="duban.example.gov.cn", site_code="1311000001", organizer="云溪市人民政府"
    )
    index = BulletinIndexPage.objects.get()
    index.add_child(
        instance=BulletinPage(
            title="六月通报",
            slug="june",
            published_date=TODAY,
            source="市政府办公室",
            first_published_at=NOON,
            body=[("status_strip", {"heading": "总体情况"}), ("counties", {"heading": "各县"})],
        )
    )
    publish(world.document)
    return world


def test_every_page_has_the_tags_of_its_kind(client, full_site):
    pages = crawl(client)
    html = {a: text for a, (_s, text) in pages.items() if "text/html" in text.split("\n\n")[0]}

    assert len([address for address in html if 3 in kind_of(address)]) == 6
    wrong = {address: found for address, text in html.items() if (found := faults(address, text))}
    assert wrong == {}


def test_no_page_sets_a_cookie_or_runs_anything_in_place(client, full_site):
    for address, (_status, text) in crawl(client).items():
        assert "set-cookie" not in text.lower(), address
        if "text/html" not in text[:400]:
            continue
        head = Head(text)
        assert head.inline == [], address
        assert not [s for s in head.sources if s.startswith(("http:", "https:", "//"))], address
    assert client.cookies == {}


@pytest.mark.parametrize(
    "address, status",
    [
        ("/", 200),
        ("/progress/", 200),
        ("/progress/items.csv", 200),
        ("/progress/items.xlsx", 200),
        ("/progress/?nonsense=1", 404),
        ("/progress/0123456789/", 404),
        ("/nowhere/", 404),
        ("/sitemap.xml", 200),
        ("/robots.txt", 200),
        ("/healthz", 503),
    ],
)
def test_headers_of_every_answer(client, full_site, address, status):
    answer = client.get(address)

    assert answer.status_code == status
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"]
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies


def test_a_withdrawn_page_has_the_headers_too(client, full_site, withdraw):
    withdraw(public_item=full_site.overdue.item.public_item)

    answer = client.get(f"/progress/{full_site.overdue.item.public_item.slug}/")

    assert answer.status_code == 410
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert not answer.cookies


@pytest.mark.parametrize("is_demonstration", [True, False])
def test_the_demonstration_says_so_on_every_page(client, full_site, is_demonstration):
    if is_demonstration:
        Demonstration.objects.create(loaded_at=NOON, today_date=TODAY)

    for address, (_status, text) in crawl(client, "/nowhere/").items():
        if "text/html" in text[:400]:
            assert ("演示数据" in text) is is_demonstration, address


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/progress/",
        "item",
        "json",
        "csv",
        "/sitemap.xml",
        "/changes/",
        "/editions/2026-06/",
        "/search/?q=事项",
        "/open-data/",
        "/open-data/latest/milestones.csv",
        "/feeds/all.xml",
    ],
)
def test_reading_costs_the_same_whatever_is_public(client, city, full_site, publish, address):
    public = full_site.on_track.item.public_item
    address = {
        "item": f"/progress/{public.slug}/",
        "json": f"/progress/{public.slug}.json",
        "csv": "/progress/items.csv",
    }.get(address, address)
    few = _queries(client, address)
    for number in range(36):
        item_of(city, full_site.document, f"事项{number}")
    with time_machine.travel(NOON.replace(day=11), tick=False):
        publish(full_site.document, NOON.replace(day=11))
        assert len(client.get("/progress/").context["found"]) == 40
        assert _queries(client, address) == few
    assert few <= 25


def _queries(client, address: str) -> int:
    """Statements of one request that has to read the edition afresh."""
    client.get(address)
    snapshot._kept.clear()
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
        if answer.streaming:
            b"".join(answer)
    assert answer.status_code == 200
    return len(captured)


@pytest.mark.parametrize("address", ["/", "/nowhere/"])
def test_the_site_map_and_the_search_are_one_step_away(client, site, address):
    page = client.get(address).content.decode()

    assert 'href="/site-map/"' in page
    assert "/search/" in page
