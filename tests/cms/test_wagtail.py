"""The publisher's own words: edited, previewed, published, rolled back; nobody else gets in."""

import json

import pytest
from django.urls import reverse
from wagtail.models import Page, Site

from cms.models import HomePage, ItemPage, ProgressPage, SiteFrame
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
INTRO = (
    '{"entityMap": {}, "blocks": [{"key": "a1b2c", "text": "%s", "type": "unstyled", '
    '"depth": 0, "inlineStyleRanges": [], "entityRanges": []}]}'
)


def form_of(page: HomePage, intro: str, *, blocks=(), publish: bool = False) -> dict:
    """What the editor's browser posts for the landing page."""
    data = {
        "title": page.title,
        "slug": page.slug,
        "intro": INTRO % intro,
        "seo_title": "",
        "search_description": "",
        "comments-TOTAL_FORMS": 0,
        "comments-INITIAL_FORMS": 0,
        "comments-MIN_NUM_FORMS": 0,
        "comments-MAX_NUM_FORMS": "",
        "body-count": len(blocks),
    }
    for number, (kind, values) in enumerate(blocks):
        data |= {
            f"body-{number}-deleted": "",
            f"body-{number}-order": number,
            f"body-{number}-type": kind,
            f"body-{number}-id": "",
        }
        data |= {f"body-{number}-value-{name}": value for name, value in values.items()}
    if publish:
        data["action-publish"] = "action-publish"
    return data


@pytest.fixture
def editor(client, city, site):
    """Signed in through the ordinary page, as a publisher does."""
    client.post(reverse("supervision:sign_in"), {"username": "publisher", "password": PASSWORD})
    return client


def test_the_publisher_edits_previews_publishes_and_goes_back(editor, client, site, world, publish):
    publish(world.document)
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])
    assert editor.get(edit).status_code == 200
    first = form_of(site, "第一版导语", publish=True)
    assert editor.post(edit, first).status_code == 302
    visitor = type(client)()
    assert "第一版导语" in visitor.get("/").content.decode()

    blocks = [
        ("notice", {"title": "停机公告", "text": INTRO % "周六维护"}),
        ("status_strip", {"heading": "总体情况"}),
    ]
    second = form_of(site, "第二版导语", blocks=blocks)
    shown = editor.post(reverse("wagtailadmin_pages:preview_on_edit", args=[site.pk]), second)
    assert json.loads(shown.content)["is_valid"] is True
    preview = editor.get(
        reverse("wagtailadmin_pages:preview_on_edit", args=[site.pk]), {"mode": ""}
    )
    assert "第二版导语" in preview.content.decode()
    assert "停机公告" in preview.content.decode()
    assert "第二版导语" not in visitor.get("/").content.decode()

    assert editor.post(edit, second | {"action-publish": "1"}).status_code == 302
    page = visitor.get("/").content.decode()
    assert "第二版导语" in page and "停机公告" in page and "总体情况" in page

    old = site.revisions.order_by("created_at", "pk").first()
    revert = reverse("wagtailadmin_pages:revisions_revert", args=[site.pk, old.pk])
    assert editor.get(revert).status_code == 200
    back = first | {"revision": old.pk, "action-publish": "1"}
    assert editor.post(edit, back).status_code == 302
    page = visitor.get("/").content.decode()
    assert "第一版导语" in page and "停机公告" not in page


def test_no_figure_or_state_can_be_typed(editor, world, publish):
    publish(world.document)
    item_page = ItemPage.objects.get(slug=world.overdue.item.public_item.slug)
    answer = editor.get(reverse("wagtailadmin_pages:edit", args=[item_page.pk]))

    assert answer.status_code == 200
    assert set(answer.context["form"].fields) <= {
        "note",
        "comment_notifications",
        "go_live_at",
        "expire_at",
    }
    before = world.overdue.item.public_item.data
    editor.post(
        reverse("wagtailadmin_pages:edit", args=[item_page.pk]),
        {
            "title": "改过的题目",
            "slug": "other",
            "status": "done",
            "note": INTRO % "说明",
            "comments-TOTAL_FORMS": 0,
            "comments-INITIAL_FORMS": 0,
            "action-publish": "1",
        },
    )
    item_page = ItemPage.objects.get(pk=item_page.pk)
    assert (item_page.title, item_page.slug) == (
        world.overdue.item.title,
        world.overdue.item.public_item.slug,
    )
    world.overdue.item.public_item.refresh_from_db()
    assert world.overdue.item.public_item.data == before


def test_no_item_page_can_be_made_by_hand(editor, site):
    parent = ProgressPage.objects.get()
    address = reverse("wagtailadmin_pages:add", args=["cms", "itempage", parent.pk])

    assert editor.get(address).status_code in (302, 403)
    assert editor.get(reverse("wagtailadmin_pages:add_subpage", args=[parent.pk])).status_code in (
        302,
        403,
    )


def test_a_copied_item_page_shows_nothing(editor, client, world, publish):
    publish(world.document)
    source = ItemPage.objects.get(slug=world.overdue.item.public_item.slug)
    editor.post(
        reverse("wagtailadmin_pages:copy", args=[source.pk]),
        {
            "new_title": "副本",
            "new_slug": "copied",
            "new_parent_page": source.get_parent().pk,
            "publish_copies": "on",
        },
    )
    visitor = type(client)()

    assert visitor.get("/progress/copied/").status_code == 404
    for address in ("/site-map/", "/sitemap.xml", "/progress/"):
        assert "copied" not in visitor.get(address).content.decode()


def test_the_footer_is_the_publishers(editor, site):
    frame = SiteFrame.objects.get(site=Site.objects.get(is_default_site=True))
    address = reverse("wagtailsettings:edit", args=["cms", "siteframe", frame.site_id])
    fields = {"site_name": "云溪市重点工作公开", "site_code": "不是编码"}

    assert "site_code" in editor.post(address, fields).context["form"].errors
    assert editor.post(address, fields | {"site_code": "1311000001"}).status_code == 302
    assert "云溪市重点工作公开" in editor.get("/").content.decode()


def cms_addresses(site) -> list[str]:
    page = ItemPage.objects.first() or site
    return [
        reverse("wagtailadmin_home"),
        reverse("wagtailadmin_explore_root"),
        reverse("wagtailadmin_explore", args=[site.pk]),
        reverse("wagtailadmin_pages:edit", args=[site.pk]),
        reverse("wagtailadmin_pages:history", args=[site.pk]),
        reverse("wagtailadmin_pages:preview_on_edit", args=[page.pk]),
        reverse("wagtailadmin_pages:copy", args=[site.pk]),
        reverse("wagtailadmin_choose_page"),
        reverse("wagtailadmin_api:pages:listing"),
        reverse("wagtaildocs:index"),
        reverse("wagtailimages:index"),
        reverse("wagtailsnippets:index"),
        reverse("wagtailusers_users:index"),
        reverse("wagtailadmin_reports:site_history"),
        reverse("wagtailadmin_sprite"),
    ]


@pytest.mark.parametrize(
    "who",
    [
        None,
        "officer",
        "office_head",
        "leader",
        "principal",
        "liaison",
        "body_head",
        "county_head",
        "auditor",
        "administrator",
        "stranger",
    ],
)
def test_nobody_without_the_duty_gets_into_the_editing_pages(client, city, site, who):
    addresses = cms_addresses(site)
    if who:
        client.force_login(getattr(city, who))
    title = Page.objects.get(pk=site.pk).title

    for address in addresses[:-1]:
        for method in (client.get, client.post):
            answer = method(address)
            assert answer.status_code in (302, 403, 405), (address, answer.status_code)
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])
    client.post(edit, form_of(site, "混进来的", publish=True))
    assert "混进来的" not in type(client)().get("/").content.decode()
    assert Page.objects.get(pk=site.pk).title == title


@pytest.mark.parametrize("address", ["/cms/", "/cms/login/", "/admin/", "/admin/login/"])
def test_there_is_one_door_to_sign_in(client, city, site, address):
    """The other doors would count no wrong passwords."""
    for method in (client.get, client.post):
        answer = method(address, {"username": "publisher", "password": PASSWORD})
        assert answer.status_code == 302
        assert "_auth_user_id" not in client.session
    last, _status = client.get(address, follow=True).redirect_chain[-1]
    assert last.startswith(reverse("supervision:sign_in"))


def test_no_password_is_reset_by_mail_from_the_editing_pages(client, city, site, mailoutbox):
    answer = client.post("/cms/password_reset/", {"email": "publisher@example.org"})

    assert answer.status_code == 404
    assert mailoutbox == []


@pytest.mark.parametrize("address", ["/cms/", "/admin/"])
def test_somebody_without_the_duty_is_told_so(client, city, site, address):
    client.force_login(city.liaison)

    assert client.get(address, follow=True).status_code == 403


def test_after_signing_in_one_comes_back_to_the_editing_pages(client, city, site):
    door, _status = client.get("/cms/", follow=True).redirect_chain[-1]

    answer = client.post(door, {"username": "publisher", "password": PASSWORD})

    assert (answer.status_code, answer.url) == (302, "/cms/")
