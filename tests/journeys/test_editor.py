"""The publishing staff in Wagtail's admin: change, add, preview, have read, publish, go back."""

from playwright.sync_api import Page as Screen
from playwright.sync_api import expect

from cms.models import HomePage
from supervision.services import releases
from tests.cms.world import item_of, public_world
from tests.factories import NOON, release_edition, review_release

OLD_INTRO = "承诺了什么"
NEW_INTRO = "浏览器里改写的导语。"
READERS = ("reviewer", "second_reviewer", "third_reviewer")
# The editor is a large program; a busy machine takes its time over it.
expect.set_options(timeout=30_000)
HOME = "/cms/pages/{pk}/edit/"


def write_intro(screen: Screen, text: str) -> None:
    field = screen.locator(".public-DraftEditor-content").first
    field.click()
    screen.keyboard.press("Control+A")
    screen.keyboard.type(text)


def hand_in(screen: Screen) -> None:
    screen.locator("footer .w-dropdown__toggle").last.click()
    with screen.expect_navigation():
        screen.locator("[name=action-submit]").click()


def read_and_pass(visit) -> None:
    """Three people, each from what waits on the first page of the admin."""
    for name in READERS:
        reader = visit(name)
        reader.page.goto(reader.base + "/cms/")
        row = reader.page.locator("#awaiting-review-content, #awaiting-review-section").first
        row.get_by_role("button", name="动作").first.click()
        with reader.page.expect_navigation():
            reader.page.locator("[data-workflow-action-url*='/approve/']").first.click()


def test_an_editor_changes_previews_publishes_and_rolls_back(visit, town):
    world = public_world(town)
    release_edition(town, world.document)
    item_of(town, world.document, "下一期新增的事项")
    draft = releases.propose_release(document=world.document, by=town.publisher, at=NOON)
    review_release(town, draft, at=NOON, until=1)

    home = HOME.format(pk=HomePage.objects.get().pk)
    citizen = visit()
    citizen.go("/")
    assert OLD_INTRO in citizen.text and "政策文件" not in citizen.text

    editor = visit("publisher")
    screen = editor.page
    screen.set_default_timeout(30_000)
    screen.goto(editor.base + home)
    assert not screen.locator("[name=action-publish]").count()
    write_intro(screen, NEW_INTRO)
    screen.locator(".c-sf-add-button").first.click()
    expect(screen.locator("[role=option]").first).to_be_visible()
    choices = screen.locator("[role=option]").all_inner_texts()
    wanted = {"状态条", "较上期变化", "进展一览", "分县进展表", "目标进度图", "事项所依据的文件"}
    assert wanted <= {choice.strip() for choice in choices}
    screen.locator("[role=option]").filter(has_text="事项所依据的文件").click()
    screen.locator("[name='body-5-value-heading']").fill("政策文件")

    screen.get_by_label("预览开关").click()
    preview = screen.frame_locator("iframe.w-preview__iframe").last
    expect(preview.locator("main")).to_contain_text(NEW_INTRO)
    expect(preview.locator("main")).to_contain_text("政策文件")
    expect(preview.locator("main")).not_to_contain_text("下一期新增的事项")
    # Wagtail shows whichever preview arrives last: none may be on its way.
    screen.wait_for_load_state("networkidle")
    screen.select_option("#id_preview_mode", index=1)
    expect(preview.locator(".preview-note")).to_contain_text("尚未公开")
    expect(preview.locator("main")).to_contain_text("下一期新增的事项")
    citizen.go("/")
    assert OLD_INTRO in citizen.text and "下一期新增的事项" not in citizen.text

    hand_in(screen)
    citizen.go("/")
    assert OLD_INTRO in citizen.text
    read_and_pass(visit)
    citizen.go("/")
    assert NEW_INTRO in citizen.text and "政策文件" in citizen.text
    assert OLD_INTRO not in citizen.text

    screen.goto(editor.base + home.replace("edit", "history"))
    # The oldest draft is how the site was delivered.
    row = screen.locator("tr").filter(has_text="已保存草稿").last
    row.locator("button").first.click()
    with screen.expect_navigation():
        screen.locator("a[href*='/revert/']").first.click()
    expect(screen.locator(".public-DraftEditor-content").first).to_contain_text(OLD_INTRO)
    with screen.expect_navigation():
        screen.locator("[name=action-submit], .action-save").first.click()
    screen.goto(editor.base + home)
    hand_in(screen)
    read_and_pass(visit)
    citizen.go("/")
    assert OLD_INTRO in citizen.text
    assert NEW_INTRO not in citizen.text and "政策文件" not in citizen.text


def test_a_bureau_has_no_way_into_the_editing_pages(visit, town):

    home = HOME.format(pk=HomePage.objects.get().pk)
    for name in ("liaison", "county_head"):
        visitor = visit(name)
        visitor.expected.append("403")
        assert not visitor.page.locator("a[href^='/cms/']").count()
        for address in ("/cms/", home, "/cms/next-edition/", "/admin/"):
            answer = visitor.page.goto(visitor.base + address)
            assert answer.status == 403, address
            assert not visitor.page.locator("[name=title], #wagtail").count()
    stranger = visit()
    stranger.page.goto(stranger.base + home)
    assert stranger.path == "/desk/sign-in/"
