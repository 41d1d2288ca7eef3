"""Open data and feeds: stable addresses, one dictionary, cells as text, names that stay."""

import csv
import io
import json
import re
from datetime import timedelta
from xml.dom.minidom import parseString

import pytest
from openpyxl import load_workbook

from cms import feeds, snapshot
from cms.models import SiteFrame
from cms.open_data import TABLES
from tests.cms.world import item_of
from tests.factories import NOON

pytestmark = pytest.mark.django_db
# Names that were ever given stay for good; new ones are only added behind them.
GIVEN = {
    "items": "public_number slug kind clause title theme document_number issuing_body lead supports"
    " counties status status_word percent original_due_date due_date working_days_moved is_ongoing"
    " completed_date days_late next_milestone next_milestone_date verified_date period"
    " progress_text hidden_reason first_released_at changed_at",
    "milestones": "public_number slug position title original_date planned_date actual_date"
    " days_late",
    "events": "id public_number slug kind kind_word event_date edition released_at old_date"
    " new_date working_days cause text",
    "counties": "county shares overdue behind no_recent_report on_track not_started suspended"
    " done_late done",
}


def rows(client, table: str, edition: str = "latest") -> list[dict]:
    text = client.get(f"/open-data/{edition}/{table}.csv").content.decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_no_column_was_renamed_or_removed():
    for name, given in GIVEN.items():
        columns = [column.name for column in TABLES[name].columns]
        assert columns[: len(given.split())] == given.split()


@pytest.mark.parametrize("table", list(TABLES))
def test_the_three_formats_hold_the_same(client, world, publish, table):
    publish(world.document)
    found = rows(client, table)
    shape = json.loads(client.get(f"/open-data/latest/{table}.json").content)
    book = load_workbook(io.BytesIO(client.get(f"/open-data/latest/{table}.xlsx").content))
    sheet = list(book.worksheets[0].iter_rows())

    assert found
    assert set(shape) == {
        "shape", "table", "edition", "as_of_date", "released_at", "licence", "columns", "rows",
    }  # fmt: skip
    assert len(shape["rows"]) == len(found) == len(sheet) - 1
    names = [cell.value for cell in sheet[0]]
    assert names == list(found[0]) == [column["name"] for column in shape["columns"]]
    for row, cells, typed in zip(found, sheet[1:], shape["rows"], strict=True):
        assert [cell.value or "" for cell in cells] == list(row.values())
        assert all(isinstance(cell.value, str | None) for cell in cells)
        for column in shape["columns"]:
            value = typed[column["name"]]
            if column["type"] in ("integer", "number") and value is not None:
                assert isinstance(value, int | float)
    words = [cell.value for cell in book.worksheets[1]["A"]]
    assert words[1:] == names
    assert all(sheet.sheet_state == "visible" for sheet in book)


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM", "＝1", "\t=1"])
def test_no_cell_becomes_a_formula(client, city, world, publish, title):
    item_of(city, world.document, title)
    publish(world.document)

    assert any(row["title"].startswith("'") for row in rows(client, "items"))
    book = load_workbook(io.BytesIO(client.get("/open-data/latest/items.xlsx").content))
    kinds = {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row if cell.value}
    assert kinds <= {"s", "inlineStr"}


def test_the_tables_agree_with_the_pages(client, world, publish):
    publish(world.document)
    entries = client.get("/progress/").context["found"]

    assert [row["slug"] for row in rows(client, "items")] == [entry.slug for entry in entries]
    late = next(row for row in rows(client, "items") if row["title"] == "完善科技金融服务")
    assert (late["status"], late["status_word"]) == ("done_late", "逾期完成")
    for row in rows(client, "counties"):
        assert int(row["shares"]) == sum(int(row[code]) for code in snapshot.STATUSES)


def test_the_page_explains_every_column_and_the_licence(client, world, publish):
    publish(world.document)
    SiteFrame.objects.update(licence="可以自由使用，请注明来源。")
    page = client.get("/open-data/").content.decode()

    for table in TABLES.values():
        for column in table.columns:
            assert f"<code>{column.name}</code>" in page
        for form in ("csv", "xlsx", "json"):
            assert f"/open-data/latest/{table.name}.{form}" in page
            assert f"/open-data/2026-06/{table.name}.{form}" in page
    assert "可以自由使用，请注明来源。" in page
    shape = json.loads(client.get("/open-data/latest/items.json").content)
    assert shape["licence"] == "可以自由使用，请注明来源。"


@pytest.mark.parametrize(
    "address",
    [
        "/open-data/latest/users.csv",
        "/open-data/latest/items.pdf",
        "/open-data/2031-01/items.csv",
        "/feeds/theme/0123456789ab.xml",
        "/feeds/people/0123456789ab.xml",
        "/feeds/item/0123456789.xml",
    ],
)
def test_what_is_not_there_is_404(client, world, publish, address):
    publish(world.document)

    assert client.get(address).status_code == 404


def ids(client, address: str) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/atom+xml")
    text = answer.content.decode()
    parseString(text.encode())
    return re.findall(r"<entry>\s*<id>([^<]+)</id>", text)


def test_feeds_hold_each_event_under_a_name_that_stays(client, world, publish):
    publish(world.document)
    before = ids(client, "/feeds/all.xml")
    assert before and len(set(before)) == len(before)

    publish(world.document, NOON + timedelta(days=30))
    after = ids(client, "/feeds/all.xml")

    assert set(before) <= set(after)


def test_every_group_and_item_has_its_feed_and_no_other_words(client, city, world, publish):
    publish(world.document)
    public = snapshot.current()
    groups = list(feeds.groups_with_feeds(public))

    assert {kind for kind, _key, _name in groups} == {"theme", "lead", "county"}
    for kind, key, name in groups:
        mine = {f.urn for f in public.past.facts if name in _names(f.entry, kind)}
        assert set(ids(client, f"/feeds/{kind}/{key}.xml")) == mine
    for entry in public.entries:
        mine = {fact.urn for fact in public.past.facts_of(entry.slug)}
        assert set(ids(client, f"/feeds/item/{entry.slug}.xml")) == mine


def _names(entry, kind: str) -> list[str]:
    return {
        "theme": [entry.theme],
        "lead": [entry.lead],
        "county": [county["name"] for county in entry.counties],
    }[kind]
