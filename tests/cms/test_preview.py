"""The preview shows the very page the release brings, to those who publish, and keeps nothing."""

import json
import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.urls import resolve, reverse

from cms import following, snapshot, standby
from cms.crawl import Links
from cms.models import BulletinIndexPage, BulletinPage, ItemPage, ProgressPage, SnapshotPage
from cms.modes import PLAIN, read
from cms.next_site import NOT_SHOWN
from cms.preview import mode_of
from cms.urls import urlpatterns
from supervision.models import PublicItem, Release
from supervision.services import releases as services
from tests.cms.test_wagtail import form_of
from tests.cms.world import accepted, item_of
from tests.factories import NOON, PASSWORD, review_release

pytestmark = pytest.mark.django_db
MAIN = re.compile(rb"<main.*</main>", re.S)


def content_of(answer) -> bytes:
    return MAIN.search(answer.content)[0]


@pytest.fixture
def editor(client, city, site):
    client.post(reverse("supervision:sign_in"), {"username": "publisher", "password": PASSWORD})
    return client


@pytest.fixture
def coming(city, world, publish) -> Release:
    """A second edition, read by three and not released: one item new, one gone, one done."""
    publish(world.document, NOON - timedelta(days=1))
    item_of(city, world.document, "新增的一项")
    services.withdraw_item(
        public_item=world.late.item.public_item, by=city.reviewer, at=NOON, reason="误登"
    )
    type(world.overdue.item).objects.filter(pk=world.overdue.item.pk).update(
        status="completed", outcome="late", completed_date=NOON.date()
    )
    accepted(world.overdue.lead, "本月新核定的进展。")
    row = services.propose_release(document=world.document, by=city.publisher, at=NOON)
    edits = {str(world.on_track.item.uid): {"correction": "上期数字应为三个。"}}
    row = services.revise_release(release=row, by=city.publisher, at=NOON, edits=edits)
    return review_release(city, row, at=NOON)


def previewed(editor, page, mode: str):
    address = reverse("wagtailadmin_pages:preview_on_edit", args=[page.pk])
    if hasattr(page, "body"):
        data = form_of(page, "导语", blocks=[("board", {"heading": "全部事项"})])
    else:
        data = {
            "title": page.title,
            "slug": page.slug,
            "intro": "null",
            "method": "null",
            "note": "null",
            "comments-TOTAL_FORMS": 0,
            "comments-INITIAL_FORMS": 0,
        }
    saved = editor.post(address, data)
    assert json.loads(saved.content)["is_valid"] is True
    return editor.get(address, {"mode": mode})


def address(release: Release, path: str = "/") -> str:
    path, _mark, query = path.partition("?")
    return reverse("cms_next_address", args=[release.uid, path]) + (f"?{query}" if query else "")


def walked(get, base: str = "") -> dict[str, object]:
    """Every public address, from link to link, with at most one parameter; answers by address."""
    found: dict[str, object] = {}
    todo = ["/", "/robots.txt", "/sitemap.xml", "/fragment/", "/progress/items.csv", "/search/"]
    todo += ["/progress/items.xlsx", "/elder/", "/progress/?q=院士", "/search/?q=院士", "/about/"]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found[path] = answer = get(path)
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            continue
        for link in Links(answer.content.decode()).followed:
            parts = urlsplit(urljoin(base + path, unescape(link)))
            if parts.netloc or not parts.path.startswith(f"{base}/"):
                continue
            place = parts.path.removeprefix(base)
            is_plain = read(place)[0] == PLAIN
            if not place.startswith("/static/") and is_plain and len(parse_qsl(parts.query)) <= 1:
                todo.append(place + (f"?{parts.query}" if parts.query else ""))
    return found


def whole(answer) -> bytes:
    return b"".join(answer) if answer.streaming else answer.content


def kinds_of(model) -> set[type]:
    return {
        found
        for child in model.__subclasses__()
        for found in ({child} if not child._meta.abstract else set()) | kinds_of(child)
    }


NOTE = re.compile(r'<div class="preview-note".*?</div>', re.S)


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_whole_site_is_previewed_byte_for_byte(
    request,
    client,
    city,
    editor,
    coming,
    site,
    settings,
    django_capture_on_commit_callbacks,
    is_kept,
):
    settings.SITE_URL = "http://testserver"
    if is_kept:
        request.getfixturevalue("keeping_pages")
    parent = BulletinIndexPage.objects.get()
    bulletin = parent.add_child(
        instance=BulletinPage(
            title="六月通报", slug="june", body=[("board", {"heading": "全部事项"})]
        )
    )
    following.follow_releases()
    base = address(coming, "/").removesuffix("/")
    visitor = type(client)()
    before = walked(visitor.get)
    assert (standby.load() is not None) is is_kept
    assert not [path for path, answer in before.items() if "新增的一项".encode() in whole(answer)]

    shown = walked(lambda path: editor.get(address(coming, path)), base)

    listed = editor.get(reverse("cms_next_edition")).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        services.publish_release(release=coming, by=city.publisher, at=NOON)
    after = walked(visitor.get)

    assert set(shown) == set(after)
    assert len(after) > 60
    for path, answer in after.items():
        preview = shown[path]
        assert preview.status_code == answer.status_code == 200, path
        assert "no-store" in preview["Cache-Control"], path
        told, made = whole(preview), whole(answer)
        if answer["Content-Type"].startswith("text/html"):
            told = NOTE.sub("", told.decode(), count=1).replace(base, "").encode()
            assert path == "/fragment/" or "尚未公开" in preview.content.decode(), path
        assert told == made, path
    # What differs before and after is what the preview is for.
    changed = {
        path for path in before if whole(before[path]) != whole(after.get(path, before[path]))
    }
    assert {"/", "/progress/", "/editions/", "/changes/", bulletin.url} <= changed

    # A new kind of page that shows figures, or a new address, must be among them.
    for kind in kinds_of(SnapshotPage):
        pages = kind.objects.filter(live=True)
        assert pages, kind
        assert not [page for page in pages if page.url not in shown], kind
        for page in pages:
            link = f'href="{address(coming, page.url)}"'
            assert link in listed, page.url
            assert [mode for mode, _label in page.preview_modes] == [""]
    names = {resolve(urlsplit(path).path, urlconf="cms.urls").url_name for path in shown}
    every = {pattern.name for pattern in urlpatterns}
    assert every - names <= NOT_SHOWN | {"leaving"}


def test_the_editors_preview_of_each_kind_is_the_released_page(
    client, city, editor, coming, site, settings, django_capture_on_commit_callbacks
):
    parent = BulletinIndexPage.objects.get()
    parent.add_child(
        instance=BulletinPage(
            title="六月通报", slug="june", body=[("board", {"heading": "全部事项"})]
        )
    )
    mode, shown = mode_of(coming), {}
    public = snapshot.after(coming, at=NOON)
    for kind in kinds_of(SnapshotPage):
        for page in kind.objects.filter(live=True):
            assert mode in [name for name, _label in page.preview_modes], kind
            if isinstance(page, ItemPage) and public.find(page.slug) is None:
                continue
            shown[page.url] = page.make_preview_request(
                editor.get(reverse("wagtailadmin_home")).wsgi_request, mode
            )
    visitor = type(client)(headers={"host": urlsplit(settings.SITE_URL).netloc})

    with django_capture_on_commit_callbacks(execute=True):
        services.publish_release(release=coming, by=city.publisher, at=NOON)

    assert len({path.count("/") for path in shown}) > 1
    for path, preview in shown.items():
        released = visitor.get(path)
        assert released.status_code == preview.status_code == 200, path
        assert content_of(preview) == content_of(released), path


@pytest.mark.parametrize(
    "path", ["/follow/", "/desk/", "/cms/", "/nowhere/", "/progress/?unknown=1", "//example.org/"]
)
def test_the_preview_has_no_address_the_public_has_not(editor, coming, settings, path):
    settings.FOLLOW_BY_MAIL = True
    assert editor.get(address(coming, path)).status_code == 404


def test_a_previewed_file_has_another_name_than_the_public_one(editor, coming):
    answer = editor.get(address(coming, "/progress/items.csv"))

    assert answer["Content-Disposition"] == 'attachment; filename="preview-items.csv"'


def test_elder_mode_is_previewed_too(editor, coming):
    page = editor.get(address(coming, "/elder/progress/")).content.decode()

    assert "elder.css" in page and f'href="{address(coming, "/elder/changes/")}"' not in page
    assert f"{address(coming, '/elder/progress/')}" in page
    assert 'href="/static/' in page


def test_the_editor_chooses_between_now_and_next(editor, coming, world, site):
    for page in (site, ProgressPage.objects.get(), ItemPage.objects.filter(live=True).first()):
        assert [mode for mode, _label in page.preview_modes] == ["", mode_of(coming)]
        now = previewed(editor, page, "")
        following = previewed(editor, page, mode_of(coming))
        assert now.status_code == following.status_code == 200
        for answer in (now, following):
            assert "no-store" in answer["Cache-Control"]
            assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
        assert "尚未公开" in following.content.decode()
        assert 'class="preview-note"' in now.content.decode()
    changed = previewed(editor, site, mode_of(coming)).content.decode()
    assert "新增的一项" in changed
    assert "新增的一项" not in previewed(editor, site, "").content.decode()


def test_a_preview_leaves_no_trace(client, editor, coming, site, settings, tmp_path):
    settings.PUBLIC_PAGES_DIR = str(tmp_path / "kept")
    settings.PUBLIC_KEPT_HOSTS = ["testserver"]
    visitor = type(client)()
    before = visitor.get("/").content
    rows = list(PublicItem.objects.order_by("pk").values())
    states = list(Release.objects.order_by("pk").values_list("status", "version", "released_at"))

    assert "新增的一项" in previewed(editor, site, mode_of(coming)).content.decode()

    assert visitor.get("/").content == before
    assert "新增的一项" not in visitor.get("/progress/").content.decode()
    assert list(PublicItem.objects.order_by("pk").values()) == rows
    assert states == list(
        Release.objects.order_by("pk").values_list("status", "version", "released_at")
    )
    files = [file for file in (tmp_path / "kept").rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if "新增的一项" in file.read_text("utf-8", "ignore")]


def test_an_edition_under_review_can_be_looked_at_and_a_draft_not(city, editor, world, site):
    row = services.propose_release(document=world.document, by=city.publisher, at=NOON)
    listing = reverse("cms_next_edition")
    landing = address(row)
    assert editor.get(landing).status_code == 404
    assert "目前没有正在审核" in editor.get(listing).content.decode()

    row = review_release(city, row, at=NOON, until=1)

    assert row.status == Release.Status.SECOND_REVIEW
    assert world.on_track.item.title in editor.get(landing).content.decode()
    page = editor.get(listing).content.decode()
    assert world.on_track.item.title in page and "二审" in page
    assert [mode for mode, _label in site.preview_modes] == ["", mode_of(row)]


@pytest.mark.parametrize(
    "who", [None, "officer", "office_head", "leader", "liaison", "county_head", "administrator"]
)
def test_nobody_else_sees_the_next_edition(client, city, coming, site, who):
    if who:
        client.force_login(getattr(city, who))
    slug = snapshot.after(coming, at=NOON).entries[0].slug
    edit = reverse("wagtailadmin_pages:preview_on_edit", args=[site.pk])
    for place in (
        reverse("cms_next_edition"),
        address(coming),
        address(coming, f"/progress/{slug}/"),
        address(coming, "/editions/2026-06/"),
        address(coming, "/progress/items.csv"),
        f"{edit}?mode={mode_of(coming)}",
    ):
        answer = client.get(place)
        assert answer.status_code in (302, 403), place
        assert "新增的一项" not in answer.content.decode()


def test_the_desk_leads_who_publishes_to_the_preview(client, city, coming):
    for person, is_led in ((city.publisher, True), (city.reviewer, True), (city.officer, False)):
        desk = type(client)()
        desk.force_login(person)
        for page in (
            reverse("supervision:release", args=[coming.uid]),
            reverse("supervision:release_month", args=[coming.label]),
        ):
            text = desk.get(page).content.decode()
            assert (f'href="{address(coming)}"' in text) is is_led, (person, page)
        if is_led:
            assert "尚未公开" in desk.get(address(coming)).content.decode()
