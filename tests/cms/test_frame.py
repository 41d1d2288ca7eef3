"""What every public page carries: headers, no cookie, tags, the banner; and what it costs."""

import re
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from wagtail.models import Page, Site

from cms import modes, snapshot, tags
from cms.models import BulletinIndexPage, BulletinPage, SiteFrame
from cms.services import sync_site
from supervision.models import Demonstration
from tests.cms.world import crawl, item_of
from tests.factories import NOON, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def full_site(site, world, publish):
    """A released edition, a bulletin, and the footer filled in."""
    SiteFrame.objects.filter(site=Site.objects.get(is_default_site=True)).update(
        site_domain="duban.example.gov.cn",
        site_code="1311000001",
        organizer="云溪市人民政府",
        party_mark="AB" * 16,
        icp="某ICP备1号",
        police="某公网安备2号",
        undertaker="督查室",
        contact="0310-1234567",
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


ELDER = modes.Mode(is_elder=True)


def html_of(client, *more) -> dict[str, str]:
    """The text of every page a reader reaches."""
    return {
        address: text.split("\n<!doctype", 1)[1]
        for address, (status, text) in crawl(client, *more).items()
        if "text/html" in text[:400] and status == 200 and "/fragment/" not in address
    }


def test_every_page_has_the_tags_of_its_kind(client, full_site):
    html = html_of(client)

    assert len([a for a in html if 3 in tags.levels_of(a)]) >= 6
    wrong = {a: found for a, text in html.items() if (found := tags.faults(a.split("?")[0], text))}
    assert wrong == {}
    pages = {
        a: t
        for a, t in html.items()
        if "?" not in a and not a.startswith(("/elder", "/contrast", "/text-"))
    }
    assert len(pages) >= 8
    assert tags.shared_titles(pages) == []


def test_a_fresh_site_and_an_older_one_have_the_moment_of_each_article(client, full_site):
    for is_older in (False, True):
        if is_older:
            # As pages were made before they were published through a revision.
            Page.objects.update(first_published_at=None)
            sync_site()
        for path in ("/about/", "/", "/progress/", "/bulletins/"):
            assert tags.faults(path, client.get(path).content.decode()) == [], (path, is_older)


@pytest.mark.parametrize(
    "pattern, wrong, fault",
    [
        ('name="PubDate"', 'name="Pubdate"', "the tag PubDate is missing"),
        ('name="Url"', 'name="url"', "the tag url must be written Url"),
        ("<h1>", "<h1></h1><h1>", "there is not exactly one heading of level one"),
        ("<title>[^<]*", "<title>", "the page has no title"),
        ('ColumnName" content="[^"]*', 'ColumnName" content="栏目名称', "ColumnName is empty or a"),
        ('ColumnType" content="[^"]*', 'ColumnType" content=" ', "ColumnType is empty or a"),
        ('PubDate" content="[^"]*', 'PubDate" content="2026-06-10 1:05', "PubDate has the wrong"),
        ('PubDate" content="[^"]*', 'PubDate" content="2026-02-30 11:05', "PubDate has the wrong"),
        ('SiteIDCode" content="[^"]*', 'SiteIDCode" content="13110', "SiteIDCode has the wrong"),
        ('SiteDomain" content="', 'SiteDomain" content="https://', "SiteDomain has the wrong"),
        ('<meta name="SiteName"', '<meta name="SiteName" content="x">\\g<0>', "more than once"),
        ('<meta name="SiteName"', '<meta name="sitename" content="x">\\g<0>', "in case only"),
        ('lang="zh-CN"', 'lang="en"', "the language of the page is not zh-CN"),
        ('rel="canonical" href="', 'rel="canonical" href="x', "Url is not the address"),
        ('ArticleTitle" content="', 'ArticleTitle" content="x', "is not the heading"),
    ],
)
def test_the_validator_sees_each_fault(client, full_site, pattern, wrong, fault):
    path = f"/progress/{full_site.on_track.item.public_item.slug}/"
    text = client.get(path).content.decode()
    assert tags.faults(path, text) == []

    spoilt = re.sub(pattern, wrong, text, count=1)
    assert spoilt != text
    with override("en"):
        assert any(fault in found for found in tags.faults(path, spoilt))


def test_the_tags_hold_under_a_portals_path(client, full_site, settings):
    """The portal's codes, its path in every link, the landing page a column of the portal."""
    settings.PUBLIC_PREFIX = "/zt/duban"
    SiteFrame.objects.update(site_name="某某市人民政府", site_code="bm12345678")

    todo, seen = ["/zt/duban/"], {}
    while todo:
        address = todo.pop()
        if address in seen:
            continue
        answer = client.get(address)
        assert answer.status_code == 200, address
        if "text/html" not in answer["Content-Type"]:
            seen[address] = ""
            continue
        seen[address] = text = answer.content.decode()
        for link in re.findall(r'(?:href|src|action)="(/[^"]*)"', text):
            assert link.startswith("/zt/duban/"), (address, link)
            if "?" not in link and "static" not in link and "." not in link:
                todo.append(link)
    pages = {a.removeprefix("/zt/duban"): t for a, t in seen.items() if t and "/fragment/" not in a}
    assert len(pages) > 20
    for path, text in pages.items():
        plain = modes.read(path)[1]
        assert tags.faults(plain, text, is_column=True) == [], path
        assert 'content="bm12345678"' in text
    data = client.get("/zt/duban/sitemap.xml").content.decode()
    assert "<loc>http://testserver/zt/duban/progress/" in data
    assert not re.findall(r"<loc>http://testserver/(?!zt/duban/)", data)


def test_the_footer_has_its_seven_elements_on_every_page(client, full_site):
    shown = SiteFrame.objects.get().shown()
    for address, text in html_of(client).items():
        foot = text[text.index("<footer") :]
        path = modes.read(address.split("?")[0])[1]
        here = quote("http://testserver" + path, safe="")
        assert f"jiucuo.html?site_code={shown['site_code']}&amp;url={here}" in foot, address
        assert f"bszs.conac.cn/sitename?method=show&amp;id={shown['party_mark']}" in foot
        assert 'href="https://beian.miit.gov.cn/"' in foot
        for name in ("site_code", "icp", "police", "organizer", "undertaker", "contact"):
            assert shown[name] in foot, (address, name)
        assert 'href="https://beian.mps.gov.cn/"' in foot


def test_no_page_sets_a_cookie_or_runs_anything_in_place(client, full_site):
    for address, (_status, text) in crawl(client).items():
        assert "set-cookie" not in text.lower(), address
        if "text/html" not in text[:400]:
            continue
        head = tags.Head(text)
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
