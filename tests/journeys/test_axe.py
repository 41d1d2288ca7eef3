"""Every page of the desk under axe and at every width: no fault for anybody who may read it."""

import csv
from importlib import resources
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Error

from supervision.services import releases
from tests.access_world import build
from tests.cms.world import item_of
from tests.factories import (
    NOON,
    AssignmentFactory,
    DocumentFactory,
    ItemFactory,
    MilestoneFactory,
    PeriodFactory,
    release_edition,
    review_release,
)

TABLE = Path(__file__).parents[1] / "access_matrix.csv"
# Each page is read by the first who may; what a body shares with the office, by the body too.
READERS = ("liaison", "officer", "office_head", "leader", "publisher", "administrator", "auditor")
TWICE = {"supervision:home", "supervision:item", "supervision:assignment", "supervision:report"}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCRIPT = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RUN = """async tags => {
  const options = {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]};
  const found = await axe.run(document, options);
  return found.violations.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html)]);
}"""


@pytest.fixture
def pages(town):
    """Address → who reads it, for every page of the desk that answers with HTML."""
    case = item_of(town, DocumentFactory(), "公开的事项", number="甲")
    release_edition(town, case.item.document, at=NOON)
    waiting = releases.propose_release(
        document=item_of(town, DocumentFactory(), "待审的事项", number="乙").item.document,
        by=town.publisher,
        at=NOON,
    )
    review_release(town, waiting, at=NOON, until=0)
    rows = build(town, waiting, case.item.public_item.slug)
    with TABLE.open(encoding="utf-8", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["method"] == "GET"]
    found = []
    for row in table:
        if row["address"].startswith("cms:") or row["object"] == "other":
            continue
        address, _data = rows[row["address"], row["object"]]
        readers = [name for name in READERS if row[name] == "200"]
        found += [(who, address) for who in readers[: 2 if row["address"] in TWICE else 1]]
    return sorted(set(found))


def violations(page) -> list:
    page.evaluate(SCRIPT)
    return page.evaluate(RUN, TAGS)


@pytest.fixture
def page_of(browser, live_server, town):
    """`page_of("officer")`: one signed-in page of each reader, kept for the whole test."""
    opened = {}

    def run(who: str):
        if who not in opened:
            client = Client()
            client.force_login(getattr(town, who))
            context = browser.new_context(
                locale="zh-CN",
                viewport={"width": 1366, "height": 768},
                base_url=live_server.url,
                bypass_csp=True,
            )
            context.add_cookies(
                [
                    {"name": name, "value": morsel.value, "url": live_server.url}
                    for name, morsel in client.cookies.items()
                ]
            )
            opened[who] = context.new_page()
        return opened[who]

    yield run
    for page in opened.values():
        page.context.close()


def open_page(page, address: str) -> bool:
    """Go there; False when the address answers with a file instead of a page."""
    try:
        answer = page.goto(address, wait_until="load")
    except Error as error:
        if "Download is starting" in error.message or "ERR_ABORTED" in error.message:
            return False
        raise
    assert answer.status == 200, address
    return "text/html" in answer.headers["content-type"]


# Telephone, 1366 px at 200 % zoom, the wide screen; in pixels of CSS.
WIDTHS = (390, 683, 1920)
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Lights whose shape or word cannot be told from the ground when the system chooses the colours.
UNSEEN = """() => [...document.querySelectorAll(".light")].filter(light => {
  const style = getComputedStyle(light), shape = light.querySelector("svg");
  const drawn = shape ? getComputedStyle(shape).color : style.color;
  const isShown = light.getClientRects().length > 0 && light.innerText.trim() !== "";
  return isShown && [style.color, drawn].includes(style.backgroundColor);
}).length"""


def faults_of_width(page) -> list:
    """What sticks out at the side, and lights that vanish in forced colours."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        over = page.evaluate(WIDE)
        if over > 0:
            found.append((f"{width} px wide", f"{over} px too much"))
    page.set_viewport_size({"width": 1366, "height": 768})
    page.emulate_media(forced_colors="active")
    if unseen := page.evaluate(UNSEEN):
        found.append(("forced colours", f"{unseen} lights unseen"))
    page.emulate_media(forced_colors="none")
    return found


def test_axe_finds_nothing_on_any_page_of_the_desk(page_of, pages):
    faults, seen = [], 0
    for who, address in pages:
        page = page_of(who)
        if open_page(page, address):
            seen += 1
            faults += [(who, address, *one) for one in violations(page) + faults_of_width(page)]

    assert faults == []
    assert seen > 60


EMPTY = (
    ("officer", "/desk/items/?q=没有这样的事项"),
    ("officer", "/desk/matrix/?q=没有这样的事项"),
    ("officer", "/desk/timeline/?q=没有这样的事项"),
    ("officer", "/desk/reviews/?kind=close-outs"),
    ("officer", "/desk/search/?q=没有这样的词"),
    ("officer", "/desk/views/"),
    ("leader", "/desk/reviews/"),
    ("body_head", "/desk/exports/"),
)


def test_axe_finds_nothing_in_a_dialog_an_error_or_an_empty_list(page_of, town):
    item = ItemFactory(dispatched=True, leader=town.leader, drafted_by=town.officer)
    share = AssignmentFactory(item=item, organization=town.bureau)
    MilestoneFactory(assignment=share)
    period = PeriodFactory(assignment=share)
    found = {}

    # Every form of the assignment unfolded, and a dialog over the return.
    page = page_of("liaison")
    page.goto(share.get_absolute_url())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    found["unfolded"] = violations(page)
    page.goto(f"/desk/returns/{period.label}/")
    page.locator("a[data-dialog]:visible").first.click()
    page.locator("dialog[open]").wait_for()
    found["dialog"] = violations(page)

    # Forms sent empty, past the browser's own check: the mistakes stand beside the fields.
    page = page_of("officer")
    for address in ("/desk/items/new/", "/desk/ledger/"):
        page.goto(address)
        page.evaluate(
            """() => {
              const form = document.querySelector("main form[method=post]");
              form.querySelectorAll("[type=checkbox]").forEach(box => { box.checked = false; });
              form.noValidate = true;
              form.submit();
            }"""
        )
        page.locator(".field-errors").first.wait_for()
        found["mistakes", address] = violations(page)

    page.goto(share.item.get_absolute_url())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    found["the item unfolded"] = violations(page)
    for who, address in EMPTY:
        page = page_of(who)
        assert page.goto(address).status == 200, address
        page.locator(".empty").first.wait_for()
        found[who, address] = violations(page)

    assert {state: faults for state, faults in found.items() if faults} == {}
