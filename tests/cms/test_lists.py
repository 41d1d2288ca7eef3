"""The public list: filters in the address, search, and downloads that equal the screen."""

import csv
import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from cms.filters import NAMES
from supervision.models import SupervisionItem
from tests.cms.world import item_of

pytestmark = pytest.mark.django_db
PAGE = "/progress/"
DANGEROUS = ("=1+1", "+1", "-1", "@SUM", "＝1", "－1", "　=1+1")


@pytest.fixture
def released(city, world, publish):
    publish(world.document)
    return world


def titles(client, query: dict | None = None) -> list[str]:
    return [entry.title for entry in client.get(PAGE, query or {}).context["found"]]


def csv_rows(client, query: dict | None = None) -> list[list[str]]:
    text = b"".join(client.get(reverse("cms:items_csv"), query or {})).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def sheet_rows(client, query: dict | None = None):
    answer = client.get(reverse("cms:items_xlsx"), query or {})
    return list(load_workbook(io.BytesIO(answer.content)).active.iter_rows())


@pytest.mark.parametrize(
    "query",
    [
        {"page": "2"},
        {"sort": "title"},
        {"status": "done", "utm_source": "x"},
        {"q": "院" * 201},
        {"lead__organization__password": "x"},
    ],
)
@pytest.mark.parametrize("address", [PAGE, "/progress/items.csv", "/progress/items.xlsx"])
def test_an_unknown_or_overlong_parameter_is_404(client, released, address, query):
    assert client.get(address, query).status_code == 404


def test_every_chip_shows_as_many_rows_as_it_says(client, released):
    page = client.get(PAGE)
    chips = [
        chip
        for name in ("filter_groups", "more_filter_groups")
        for group in page.context[name]
        for chip in group.chips
    ]

    assert len(chips) >= 8
    for chip in chips:
        assert chip.count > 0
        found = client.get(PAGE + chip.url.removeprefix(".")).context["found"]
        assert len(found) == chip.count, chip


@pytest.mark.parametrize(
    "query, expected",
    [
        ({"status": "done_late"}, ["完善科技金融服务"]),
        ({"status": "overdue"}, ["培育高新技术企业"]),
        ({"kind": "measure"}, ["强化组织领导"]),
        ({"theme": "企业培育"}, ["培育高新技术企业"]),
        ({"status": "overdue", "theme": "企业培育"}, ["培育高新技术企业"]),
        ({"status": "overdue", "kind": "measure"}, []),
        ({"status": "no-such-status"}, []),
        ({"lead": "不存在的局"}, []),
        ({"q": "院士"}, ["建设十个院士工作站"]),
        ({"q": "金融"}, ["完善科技金融服务"]),
        ({"q": "研发 四个"}, ["建设十个院士工作站"]),
        ({"q": "查无此事"}, []),
    ],
)
def test_filters_and_two_character_searches_find_what_fits(client, released, query, expected):
    assert titles(client, query) == expected
    assert [row[3] for row in csv_rows(client, query)[1:]] == expected
    assert [row[3].value for row in sheet_rows(client, query)[1:]] == expected
    page = client.get(PAGE, query).content.decode()
    assert f"{len(expected)}项" in page.replace(" ", "")
    assert ("没有符合" in page) is (expected == [])


def test_an_exact_title_comes_first(client, city, world, publish):
    first = item_of(city, world.document, "别的事项", requirement="与强化组织领导有关。").item
    SupervisionItem.objects.filter(pk=first.pk).update(position=0)
    publish(world.document)

    assert titles(client, {"q": "强化组织领导"}) == ["强化组织领导", "别的事项"]
    assert titles(client, {"q": "强化组织领导 "})[0] == "强化组织领导"


def test_full_width_and_case_are_folded(client, city, world, publish):
    item_of(city, world.document, "建设R＆D平台２０个")
    publish(world.document)

    assert titles(client, {"q": "r&d平台20"}) == ["建设R＆D平台２０个"]


@pytest.mark.parametrize("query", [{}, {"status": "overdue"}, {"q": "局"}])
def test_downloads_equal_the_list_on_the_screen(client, released, query):
    shown = [(str(entry.number), entry.title) for entry in client.get(PAGE, query).context["found"]]

    assert [(row[0], row[3]) for row in csv_rows(client, query)[1:]] == shown
    assert [(str(row[0].value), row[3].value) for row in sheet_rows(client, query)[1:]] == shown


def test_the_page_links_to_the_download_of_exactly_its_list(client, released):
    page = client.get(PAGE, {"status": "overdue", "q": "企业"}).content.decode()

    assert "/progress/items.csv?q=%E4%BC%81%E4%B8%9A&amp;status=overdue" in page


@pytest.mark.parametrize("title", DANGEROUS)
def test_no_cell_becomes_a_formula(client, city, world, publish, title):
    item_of(city, world.document, title)
    publish(world.document)

    row = next(row for row in csv_rows(client) if title in row[3])
    assert row[3] == "'" + title
    cell = next(row[3] for row in sheet_rows(client) if row[3].value == title)
    assert cell.data_type == "s"


def test_search_words_are_shown_as_text(client, released):
    page = client.get(PAGE, {"q": '"><script>alert(1)</script>'}).content.decode()

    assert "<script>alert" not in page


def test_the_names_of_parameters_are_a_fixed_list():
    assert NAMES == ("kind", "status", "theme", "lead", "county", "month", "q", "by", "sort")


@pytest.mark.parametrize("name", ["items_csv", "items_xlsx", "site_map", "sitemap_xml", "robots"])
def test_public_addresses_are_read_only(client, released, name):
    assert client.post(reverse(f"cms:{name}")).status_code == 405
    assert client.head(reverse(f"cms:{name}")).status_code == 200
