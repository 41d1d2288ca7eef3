"""The preview shows the very page the release brings, to those who publish, and keeps nothing."""

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from cms import snapshot
from cms.models import ItemPage, ProgressPage
from cms.preview import mode_of
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


def test_previewed_and_released_pages_are_the_same_bytes(
    client, city, editor, coming, site, settings, django_capture_on_commit_callbacks
):
    shown = {"/": editor.get(reverse("cms_next_page", args=[coming.uid, site.pk]))}
    progress = ProgressPage.objects.get()
    shown["/progress/"] = editor.get(reverse("cms_next_page", args=[coming.uid, progress.pk]))
    after = snapshot.after(coming, at=NOON)
    assert len(after.entries) == 4
    for entry in after.entries:
        shown[entry.url] = editor.get(reverse("cms_next_item", args=[coming.uid, entry.slug]))
    visitor = type(client)(headers={"host": urlsplit(settings.SITE_URL).netloc})
    before = {address: visitor.get(address) for address in shown}
    assert "新增的一项" not in before["/progress/"].content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        services.publish_release(release=coming, by=city.publisher, at=NOON)

    for address, preview in shown.items():
        released = visitor.get(address)
        assert released.status_code == preview.status_code == 200, address
        assert content_of(preview) == content_of(released), address
        if before[address].status_code == 200:
            assert content_of(before[address]) != content_of(released), address
    page = content_of(shown["/"]).decode()
    assert "新增的一项" in page and "逾期 → 逾期完成" in page


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
    address = reverse("cms_next_page", args=[row.uid, site.pk])
    assert editor.get(address).status_code == 404
    assert "目前没有正在审核" in editor.get(listing).content.decode()

    row = review_release(city, row, at=NOON, until=1)

    assert row.status == Release.Status.SECOND_REVIEW
    assert world.on_track.item.title in editor.get(address).content.decode()
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
    for address in (
        reverse("cms_next_edition"),
        reverse("cms_next_page", args=[coming.uid, site.pk]),
        reverse("cms_next_item", args=[coming.uid, slug]),
        f"{edit}?mode={mode_of(coming)}",
    ):
        answer = client.get(address)
        assert answer.status_code in (302, 403), address
        assert "新增的一项" not in answer.content.decode()
