"""Elder mode, contrast and size live in the address; exits warn; pages are kept and forgotten."""

import re
from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import Client

from cms import keeping, kept, modes
from cms.dress import exit_address
from cms.models import HomePage, SiteFrame
from tests.cms.world import crawl
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LINK = re.compile(r'(?:href|action)="([^"]*)"')


@pytest.mark.parametrize(
    "address, prefix, rest",
    [
        ("/", "", "/"),
        ("/elder/", "/elder", "/"),
        ("/elder/22/progress/", "/elder/22", "/progress/"),
        ("/contrast/elder/30/about/", "/contrast/elder/30", "/about/"),
        ("/contrast/text-large/", "/contrast/text-large", "/"),
        ("/elder/18/", "/elder", "/18/"),
        ("/elder/contrast/", "/elder", "/contrast/"),
        ("/elderly/", "", "/elderly/"),
    ],
)
def test_a_mode_is_the_first_part_of_the_address(address, prefix, rest):
    mode, path = modes.read(address)

    assert (mode.prefix, path) == (prefix, rest)


@pytest.mark.parametrize("prefix", ["/elder", "/elder/26", "/contrast", "/contrast/elder/30"])
def test_every_link_keeps_the_mode(client, world, publish, prefix):
    publish(world.document)
    slug = world.on_track.item.public_item.slug
    for path in ("/", "/progress/", f"/progress/{slug}/", "/about/", "/site-map/", "/bulletins/"):
        page = client.get(prefix + path).content.decode()
        body = page[page.index("</nav>", page.index('class="modes"')) :]
        for link in LINK.findall(body):
            if link.startswith(("/static/", "http", "#", "?", ".", "/leaving/")):
                continue
            assert link.startswith(prefix + "/"), (path, link)
        classes = re.search(r'<body class="public ([^"]*)"', page)[1].split()
        assert ("elder" in classes) is ("elder" in prefix)
        assert ("contrast" in classes) is ("contrast" in prefix)
        assert f'rel="canonical" href="http://testserver{path}"' in page


def test_the_switches_stand_before_the_header_and_keep_the_filter(client, site):
    page = client.get("/elder/progress/?status=overdue").content.decode()
    switches = page[page.index('class="modes"') : page.index("<header")]

    assert LINK.findall(switches) == [
        "/progress/?status=overdue",
        "/contrast/elder/progress/?status=overdue",
        *(f"/elder/{points}/progress/?status=overdue" for points in (22, 26, 30)),
    ]
    assert "elder.css" in page
    assert "elder.css" not in client.get("/progress/").content.decode()


def test_a_redirect_keeps_the_mode(client, site):
    assert client.get("/elder/22/about").headers["Location"] == "/elder/22/about/"


def test_an_unknown_mode_or_parameter_is_nowhere(client, site):
    for address in (
        "/elder/23/",
        "/?page=2",
        "/about/?q=x",
        "/elder/?fbclid=1",
        "/progress/?q=a&q=b",
    ):
        answer = client.get(address)
        assert (answer.status_code, answer.get("Cache-Control")) == (404, "no-store"), address


def test_links_to_other_sites_pass_the_warning(client, site):
    page = HomePage.objects.get()
    page.intro = '<p><a href="https://other.example/a?b=1&amp;c=2">x</a></p>'
    page.save_revision().publish()

    shown = client.get("/elder/").content.decode()
    assert 'href="https://other.example' not in shown
    link = next(one for one in LINK.findall(shown) if "/leaving/" in one).replace("&amp;", "&")
    assert link == "/elder" + exit_address("https://other.example/a?b=1&c=2")
    warning = client.get(link)
    assert warning.status_code == 200
    assert 'href="https://other.example/a?b=1&amp;c=2"' in warning.content.decode()
    for wrong in (link.replace("other", "evil"), "/leaving/", "/leaving/?url=javascript:x&key=1"):
        assert client.get(wrong).status_code == 404


def test_the_fragment_shows_words_and_may_stand_in_named_frames_only(
    client, world, publish, settings
):
    publish(world.document)
    answer = client.get("/fragment/")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    text = answer.content.decode()
    assert world.overdue.item.title in text and "逾期" in text
    assert "已建成研发机构四个" not in text and "<table" not in text

    settings.PUBLIC_EMBEDDERS = ["https://www.example.gov.cn"]
    answer = client.get("/fragment/")
    assert "frame-ancestors https://www.example.gov.cn;" in answer["Content-Security-Policy"] + ";"
    assert "X-Frame-Options" not in answer.headers
    assert "frame-ancestors 'none'" in client.get("/")["Content-Security-Policy"]


def test_two_hosts(client, site, settings):
    settings.PUBLIC_HOSTS, settings.DESK_HOSTS = ["www.example"], ["desk.example"]

    def get(host, path):
        return Client(headers={"host": host}).get(path)

    assert get("www.example", "/").status_code == 200
    for path in ("/desk/", "/desk/sign-in/", "/cms/", "/admin/"):
        assert get("www.example", path).status_code == 404
    assert get("desk.example:8000", "/desk/sign-in/").status_code == 200
    assert get("desk.example", "/progress/").status_code == 404
    assert get("desk.example", "/").headers["Location"] == "/desk/"


def test_a_blank_or_wrong_element_of_the_frame_is_an_error(settings):
    complete = dict.fromkeys(SiteFrame.ELEMENTS, "x") | {
        "site_code": "bm12345678",
        "party_mark": "0aF" + "1" * 29,
        "site_domain": "www.example.gov.cn",
    }
    settings.IS_FRAME_REQUIRED, settings.SITE_FRAME = True, complete
    assert run_checks(tags=["frame"]) == []
    for name in complete:
        settings.SITE_FRAME = complete | {name: " "}
        assert [error.id for error in run_checks(tags=["frame"])] == ["cms.E001"], name
    settings.SITE_FRAME = complete | {"site_code": "123"}
    assert [error.id for error in run_checks(tags=["frame"])] == ["cms.E002"]


# Pages that are kept


def test_a_kept_page_costs_no_statement(
    client, world, publish, keeping_pages, django_assert_num_queries
):
    publish(world.document)
    for address in ("/", "/elder/22/", "/progress/?status=overdue", "/sitemap.xml"):
        first = client.get(address)
        with django_assert_num_queries(0):
            again = client.get(address)
            assert again.content == first.content
            assert again["ETag"] == first["ETag"]
            assert again["Content-Security-Policy"] == first["Content-Security-Policy"]
            not_modified = client.get(address, headers={"if-none-match": first["ETag"]})
        assert (not_modified.status_code, not_modified.content) == (304, b"")
        assert again["Cache-Control"] == "public, max-age=60"
    assert client.get("/")["ETag"] != client.get("/elder/")["ETag"]


def test_the_site_is_readable_while_the_database_is_away(world, publish, keeping_pages, away):
    publish(world.document)
    kept_pages = keeping.keep_all()
    assert kept_pages.rendered > 8
    kept.new_stamp()  # even what is of yesterday serves then
    client = Client(raise_request_exception=False)
    slug = world.on_track.item.public_item.slug
    away()

    for address in ("/", "/elder/26/", f"/progress/{slug}/", "/site-map/", "/contrast/about/"):
        assert client.get(address).status_code == 200, address
    # Nothing stands by for a stamp that nobody has rendered yet.
    missing = client.get("/progress/?status=done")
    assert missing.status_code >= 500
    assert missing["Cache-Control"] == "no-store"


def test_a_withdrawn_item_is_gone_from_what_is_kept_at_once(
    client, world, publish, withdraw, keeping_pages
):
    publish(world.document)
    keeping.keep_all()
    public = world.overdue.item.public_item
    before = crawl(client)
    withdraw(public_item=public)

    assert not [f for f in kept.addresses("http-testserver") if public.slug in f.name]
    for address in (f"/progress/{public.slug}/", f"/elder/progress/{public.slug}/"):
        answer = client.get(address)
        assert (answer.status_code, answer["Cache-Control"]) == (410, "no-store")
    table = "/open-data/latest/{}.xlsx"
    assert kept.read("http-testserver", table.format("items"), "") is None
    assert kept.read("http-testserver", table.format("milestones"), "") is not None
    after = crawl(client)
    assert not [a for a, (_s, text) in after.items() if public.slug in text or public.slug in a]
    assert [a for a, (_s, text) in before.items() if public.slug in text]


def test_what_a_release_changes_is_exactly_what_changes_in_bytes(
    city, client, world, publish, withdraw, keeping_pages
):
    """The list against two independent crawls, before and after."""
    publish(world.document)
    keeping.keep_all()

    def pages():
        return {a: body for a, (_s, body) in crawl(client, "/fragment/").items() if "?" not in a}

    before = pages()
    withdraw(public_item=world.overdue.item.public_item, at=NOON + timedelta(minutes=5))
    result = keeping.keep_all()
    after = pages()

    listed = {path for _host, path in result.changed}
    kept_kinds = {path for path in after if path in before and after[path] != before[path]}
    assert listed == kept_kinds
    assert "/" in listed and "/sitemap.xml" in listed
    other = f"/progress/{world.on_track.item.public_item.slug}/"
    assert other in after and other not in listed


def test_nothing_is_kept_of_a_foreign_host_or_a_private_answer(
    client, site, keeping_pages, settings, monkeypatch
):
    settings.ALLOWED_HOSTS = ["testserver"]
    assert Client(headers={"host": "evil.example"}).get("/").status_code == 400
    Client(headers={"host": "testserver:81"}).get("/")
    assert [f.name for f in kept.folder().iterdir() if f.is_dir()] == []

    def with_cookie(*args, **kwargs):
        answer = HttpResponse("private")
        answer.set_cookie("a", "b")
        return answer

    monkeypatch.setattr("cms.models.HomePage.serve", with_cookie)
    client.get("/")
    assert kept.addresses("http-testserver") == []


def test_an_editors_word_shows_after_the_commit(
    client, site, keeping_pages, django_capture_on_commit_callbacks
):
    client.get("/")
    with django_capture_on_commit_callbacks(execute=True):
        site.intro = "<p>新的导语</p>"
        site.save_revision().publish()

    assert "新的导语" in client.get("/").content.decode()
