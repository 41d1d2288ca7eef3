"""The site as files, and the inspection that names every fault."""

import io
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.utils.html import escape
from wagtail.models import Site

from cms import site_check
from cms.models import SiteFrame
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(world, publish):
    """A released edition and a footer without a gap."""
    SiteFrame.objects.filter(site=Site.objects.get(is_default_site=True)).update(
        site_domain="duban.example.gov.cn",
        site_code="1311000001",
        organizer="云溪市人民政府",
        contact="0318-1234567",
        icp="冀ICP备00000001号",
        police="冀公网安备00000000000001号",
    )
    publish(world.document)
    return world


def broken_links(folder: Path) -> list[str]:
    wrong = []
    for page in folder.rglob("*.html"):
        for link in re.findall(r'\b(?:href|src)="([^"]*)"', page.read_text(encoding="utf-8")):
            parts = urlsplit(link)
            if parts.netloc or not parts.path:
                continue
            if link.startswith("/") or parts.query:
                wrong.append(f"{page.name}: {link}")
                continue
            target = page.parent / unquote(parts.path)
            if not (target / "index.html" if target.is_dir() else target).is_file():
                wrong.append(f"{page.relative_to(folder)}: {link}")
    return wrong


def test_the_copy_holds_every_page_and_every_link_leads_to_a_file(full, tmp_path):
    folder = tmp_path / "portal" / "column"
    call_command(
        "export_site", folder, base_url="https://portal.example/column", stdout=io.StringIO()
    )
    slug = full.overdue.item.public_item.slug

    for name in (
        "index.html",
        "progress/index.html",
        f"progress/{slug}/index.html",
        f"progress/{slug}.json",
        f"feeds/item/{slug}.xml",
        "editions/2026-06/index.html",
        "open-data/latest/items.xlsx",
        "progress/items.csv",
        "sitemap.xml",
        "static/supervision/public.css",
    ):
        assert (folder / name).is_file(), name
    assert broken_links(folder) == []
    sitemap = (folder / "sitemap.xml").read_text(encoding="utf-8")
    places = re.findall(r"<loc>([^<]+)</loc>", sitemap)
    assert places
    for place in places:
        path = place.removeprefix("https://portal.example/column/")
        assert path != place
        target = folder / path
        assert (target / "index.html" if target.is_dir() else target).is_file(), place
    home = (folder / "index.html").read_text(encoding="utf-8")
    assert "<form" not in home and "<script" not in home
    elder = (folder / "elder" / "index.html").read_text(encoding="utf-8")
    for page, other in ((home, "elder/"), (elder, "../")):
        switches = page[page.index('<nav class="modes"') : page.index("<header")]
        # No switch that leads nowhere: not a link, and not the word of one either.
        assert re.findall(r'href="([^"]*)"', switches) == [other]
        assert switches.count("<li>") == 1 and "高对比度" not in switches


def test_a_withdrawn_item_is_taken_out_of_the_copy(full, withdraw, tmp_path):
    folder = tmp_path / "copy"
    call_command("export_site", folder, stdout=io.StringIO())
    item = full.overdue.item
    withdraw(public_item=item.public_item)

    call_command("export_site", folder, stdout=io.StringIO())

    assert not (folder / "progress" / item.public_item.slug / "index.html").exists()
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in (".html", ".xml", ".json", ".csv"):
            assert item.title not in path.read_text(encoding="utf-8"), path
    assert broken_links(folder) == []


def test_a_folder_of_other_things_is_left_alone(full, tmp_path):
    (tmp_path / "letters.txt").write_text("x", encoding="utf-8")

    with pytest.raises(CommandError):
        call_command("export_site", tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def checked() -> list[str]:
    return site_check.check_site()


def test_a_whole_site_has_no_fault(full, withdraw, publish):
    publish(full.document, NOON + timedelta(days=30))
    withdraw(public_item=full.late.item.public_item, at=NOON + timedelta(days=31))
    out = io.StringIO()

    call_command("check_site", stdout=out)

    assert "没有发现问题" in out.getvalue()


def test_a_blank_footer_is_named_and_ends_with_one(full):
    SiteFrame.objects.update(icp="", site_code="")
    out = io.StringIO()

    with pytest.raises(CommandError):
        call_command("check_site", stdout=out)

    assert "ICP" in out.getvalue()
    assert "SiteIDCode" in out.getvalue()


@pytest.mark.parametrize(
    "name, old, new, word",
    [
        ("sitemap_xml", "SLUG", "0123456789", "SLUG"),
        ("feed", "SLUG", "0123456789", "0123456789"),
        ("search", "SLUG", "", "SLUG"),
        ("items_csv", "1,", "9,", "9"),
        ("home", "<h1>", "<h1></h1><h1>", "/"),
        ("home", 'name="SiteName"', 'name="sitename"', "SiteName"),
        ("home", "</main>", '<a href="https://elsewhere.example/">x</a></main>', "elsewhere"),
        ("home", "</main>", '<a href="/nowhere/">x</a></main>', "/nowhere/"),
    ],
)
def test_a_planted_fault_is_named(full, monkeypatch, name, old, new, word):
    slug = full.overdue.item.public_item.slug
    paths = {"sitemap_xml": "/sitemap.xml", "feed": "/feeds/all.xml", "search": "/search/",
             "items_csv": "/progress/items.csv", "home": "/"}  # fmt: skip
    whole = site_check.Reader.get

    def spoilt(reader, address):
        answer = whole(reader, address)
        if urlsplit(address).path == paths[name]:
            text = answer.text.replace(old.replace("SLUG", slug), new)
            answer.content = text.encode()
            answer.links, answer.fetched, answer.outside = [], [], []
            if answer.is_page or answer.kind.endswith("xml"):
                reader._note_links(answer)
        return answer

    monkeypatch.setattr(site_check.Reader, "get", spoilt)

    faults = checked()

    assert faults
    assert any(word.replace("SLUG", slug) in fault for fault in faults), faults


def test_an_item_that_answers_although_withdrawn_is_named(full, withdraw, monkeypatch):
    public = full.overdue.item.public_item
    withdraw(public_item=public)
    whole = site_check.Reader.get

    def late(reader, address):
        answer = whole(reader, address)
        if public.slug in address:
            answer.status = 200
        return answer

    monkeypatch.setattr(site_check.Reader, "get", late)

    assert any(f"/progress/{public.slug}/" in fault for fault in checked())


def test_what_is_written_is_what_the_site_says(full, client, tmp_path):
    folder = tmp_path / "copy"
    call_command("export_site", folder, stdout=io.StringIO())

    for table in ("items", "milestones", "events", "counties"):
        live = client.get(f"/open-data/latest/{table}.csv").content
        assert (folder / f"open-data/latest/{table}.csv").read_bytes() == live
    page = (folder / "progress/index.html").read_text(encoding="utf-8")
    for case in (full.on_track, full.overdue, full.late, full.measure):
        assert escape(case.item.title) in page


def test_the_copy_leaves_following_by_mail_to_the_site(full, settings, tmp_path, client):
    settings.FOLLOW_BY_MAIL = True
    assert "/follow/" in client.get("/changes/").content.decode()

    call_command("export_site", tmp_path / "copy", stdout=io.StringIO())

    assert not list((tmp_path / "copy").rglob("follow"))
    assert "follow/" not in (tmp_path / "copy/changes/index.html").read_text(encoding="utf-8")
    assert broken_links(tmp_path / "copy") == []
