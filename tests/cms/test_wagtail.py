"""The publisher's own words: edited, previewed, published, rolled back; nobody else gets in."""

import json

import pytest
from django.urls import reverse
from wagtail.models import Page, Site, Task, Workflow

from cms.models import (
    BulletinIndexPage,
    BulletinPage,
    HomePage,
    ItemPage,
    ProgressPage,
    SiteFrame,
)
from cms.reviews import open_to
from cms.services import sync_site
from supervision.models import Role
from supervision.public_site import public_site
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
INTRO = (
    '{"entityMap": {}, "blocks": [{"key": "a1b2c", "text": "%s", "type": "unstyled", '
    '"depth": 0, "inlineStyleRanges": [], "entityRanges": []}]}'
)


def form_of(page: HomePage, intro: str, *, blocks=(), submit: bool = False) -> dict:
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
    if submit:
        data["action-submit"] = "action-submit"
    return data


def read_and_sign(client, person, page, action: str = "approve", **data):
    """What the reviewer's browser posts from the list of what waits."""
    reader = type(client)()
    reader.force_login(person)
    state = Page.objects.get(pk=page.pk).current_workflow_task_state
    address = reverse("wagtailadmin_pages:workflow_action", args=[page.pk, action, state.pk])
    return reader.post(address, data)


def all_three(client, city, page) -> None:
    for person in (city.reviewer, city.second_reviewer, city.third_reviewer):
        assert read_and_sign(client, person, page).status_code in (200, 302)


@pytest.fixture
def editor(client, city, site):
    """Signed in through the ordinary page, as a publisher does."""
    client.post(reverse("supervision:sign_in"), {"username": "publisher", "password": PASSWORD})
    return client


def test_the_publisher_edits_previews_publishes_and_goes_back(
    editor, client, city, site, world, publish, django_capture_on_commit_callbacks
):
    publish(world.document)
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])
    assert editor.get(edit).status_code == 200
    first = form_of(site, "第一版导语", submit=True)
    assert editor.post(edit, first).status_code == 302
    visitor = type(client)()
    assert "第一版导语" not in visitor.get("/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        all_three(client, city, site)

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

    assert editor.post(edit, second | {"action-submit": "1"}).status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        all_three(client, city, site)
    page = visitor.get("/").content.decode()
    assert "第二版导语" in page and "停机公告" in page and "总体情况" in page

    old = next(
        row
        for row in site.revisions.order_by("created_at", "pk")
        if "第一版导语" in str(row.content)
    )
    revert = reverse("wagtailadmin_pages:revisions_revert", args=[site.pk, old.pk])
    assert editor.get(revert).status_code == 200
    assert editor.post(edit, first | {"revision": old.pk}).status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        all_three(client, city, site)
    page = visitor.get("/").content.decode()
    assert "第一版导语" in page and "停机公告" not in page


def test_a_fresh_site_has_the_three_reviews(city, site):
    steps = site.get_workflow().tasks.specific()

    assert [str(step) for step in steps] == ["一审", "二审", "三审"]
    for step in steps:
        assert [group.name for group in step.groups.all()] == [Role.REVIEWER.value]
    assert [workflow.name for workflow in Workflow.objects.all()] == ["页面三审"]
    assert {task.name for task in Task.objects.all()} == {"一审", "二审", "三审"}
    before = [step.pk for step in steps]
    assert [step.pk for step in sync_site().get_workflow().tasks] == before


@pytest.mark.parametrize("who", ["publisher", "reviewer", "superuser"])
def test_nobody_makes_words_public_alone(client, city, site, who):
    if who == "superuser":
        person = UserFactory(is_superuser=True)
    else:
        person = getattr(city, who)
    client.force_login(person)
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])

    client.post(edit, form_of(site, "未经审核") | {"action-publish": "action-publish"})

    assert "未经审核" not in type(client)().get("/").content.decode()
    assert not site.permissions_for_user(person).can_publish()


def test_a_page_needs_three_people_who_did_not_write_it(client, city, site):
    both = UserFactory(roles=(Role.PUBLISHER, Role.REVIEWER), organization=city.office)
    author = type(client)()
    author.force_login(both)
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])
    assert author.post(edit, form_of(site, "三人所读", submit=True)).status_code == 302
    state = Page.objects.get(pk=site.pk).current_workflow_task_state

    def waits_for(person) -> bool:
        return state.task.specific.get_task_states_user_can_moderate(person).exists()

    assert not waits_for(both) and not waits_for(city.publisher)
    for stranger in (both, city.publisher, city.officer, city.liaison):
        read_and_sign(client, stranger, site)
        assert Page.objects.get(pk=site.pk).current_workflow_task_state == state
    read_and_sign(client, city.reviewer, site)
    second = Page.objects.get(pk=site.pk).current_workflow_task_state
    assert second.task.name == "二审"
    read_and_sign(client, city.reviewer, site)
    assert Page.objects.get(pk=site.pk).current_workflow_task_state == second
    # While it is read nobody changes it, the readers included.
    for person in (both, city.publisher, city.third_reviewer):
        other = type(client)()
        other.force_login(person)
        other.post(edit, form_of(site, "中途改动"))
    assert "中途改动" not in str(Page.objects.get(pk=site.pk).get_latest_revision().content)


def test_an_edit_after_being_sent_back_begins_the_reviews_anew(client, city, editor, site):
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])
    editor.post(edit, form_of(site, "初稿", submit=True))
    read_and_sign(client, city.reviewer, site)
    read_and_sign(client, city.second_reviewer, site, "reject", comment="地名有误")

    editor.post(edit, form_of(site, "改稿", submit=True))

    for person in (city.reviewer, city.second_reviewer):
        read_and_sign(client, person, site)
    assert "改稿" not in type(client)().get("/").content.decode()
    read_and_sign(client, city.third_reviewer, site)
    assert "改稿" in type(client)().get("/").content.decode()


def test_a_reviewer_takes_a_wrong_bulletin_off_at_once(client, city, site):
    parent = BulletinIndexPage.objects.get()
    page = parent.add_child(instance=BulletinPage(title="错误的通报", slug="wrong", live=False))
    page.save_revision().publish()
    assert type(client)().get("/bulletins/wrong/").status_code == 200
    client.force_login(city.reviewer)

    answer = client.post(reverse("wagtailadmin_pages:unpublish", args=[page.pk]))

    assert answer.status_code == 302
    assert type(client)().get("/bulletins/wrong/").status_code == 404


def test_the_page_of_a_released_item_cannot_be_taken_off_by_hand(editor, world, publish):
    publish(world.document)
    page = ItemPage.objects.get(slug=world.overdue.item.public_item.slug)

    for name in ("unpublish", "delete", "move", "copy"):
        editor.post(reverse(f"wagtailadmin_pages:{name}", args=[page.pk]))

    assert ItemPage.objects.get(pk=page.pk).live


def test_the_reviews_of_pages_send_no_mail_past_the_outbox(client, city, editor, site, mailoutbox):
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])
    editor.post(edit, form_of(site, "导语", submit=True))
    all_three(client, city, site)

    assert mailoutbox == []


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
    client.post(edit, form_of(site, "混进来的", submit=True))
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


def test_the_desk_tells_a_reviewer_of_pages_that_wait(
    client, city, editor, site, django_assert_num_queries
):
    line = "公开网站有1个页面等您审核"
    both = UserFactory(roles=(Role.OFFICER, Role.REVIEWER), organization=city.office)

    def told(person) -> bool:
        desk = type(client)()
        desk.force_login(person)
        page = desk.get("/desk/", follow=True).content.decode()
        assert ('href="/cms/"' in page) is (line in page)
        return line in page

    people = (city.reviewer, city.second_reviewer, city.third_reviewer, both)
    assert not any(told(person) for person in people)
    editor.post(
        reverse("wagtailadmin_pages:edit", args=[site.pk]), form_of(site, "待审", submit=True)
    )
    assert all(told(person) for person in people)
    assert not any(told(person) for person in (city.publisher, city.officer, city.office_head))

    read_and_sign(client, city.reviewer, site)

    assert not told(city.reviewer) and told(city.second_reviewer) and told(both)
    with django_assert_num_queries(1):
        assert open_to(city.second_reviewer).count() == 1
    both.deputy = city.officer
    assert public_site().pages_to_review(both) is None
    read_and_sign(client, city.second_reviewer, site)
    read_and_sign(client, city.third_reviewer, site)
    assert not any(told(person) for person in people)
