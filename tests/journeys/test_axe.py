"""Every page of the desk under axe: no violation for anybody who may read it."""

import csv
from importlib import resources
from pathlib import Path

import pytest
from django.test import Client

from supervision.services import releases
from tests.access_world import build
from tests.cms.world import item_of
from tests.factories import NOON, DocumentFactory, release_edition, review_release

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


def test_axe_finds_nothing_on_any_page_of_the_desk(browser, live_server, town, pages):
    contexts, faults, seen = {}, [], 0
    for who, address in pages:
        if who not in contexts:
            client = Client()
            client.force_login(getattr(town, who))
            context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768})
            context.add_cookies(
                [
                    {"name": name, "value": morsel.value, "url": live_server.url}
                    for name, morsel in client.cookies.items()
                ]
            )
            contexts[who] = context.new_page(), client
        page, client = contexts[who]
        if "text/html" not in client.get(address)["Content-Type"]:
            continue
        page.goto(live_server.url + address)
        seen += 1
        faults += [(who, address, *one) for one in violations(page)]
    for page, _client in contexts.values():
        page.context.close()

    assert faults == []
    assert seen > 60
