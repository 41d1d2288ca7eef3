"""What earlier editions said: kept, dated, never overwritten, and gone once withdrawn."""

import json
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from cms import snapshot
from supervision.models import DateChange, Milestone, PublicItem, SupervisionItem
from supervision.services import releases
from supervision.services.items import decide_openness
from tests.cms.world import crawl
from tests.factories import NOON, TODAY, PeriodFactory, ReportFactory, review_release

pytestmark = pytest.mark.django_db
JULY = NOON + timedelta(days=30)
AUGUST = NOON + timedelta(days=61)


def returned(assignment, label: str, text: str, at) -> None:
    """A later return that the office has accepted."""
    year, month = map(int, label.split("-"))
    period = PeriodFactory(
        assignment=assignment,
        label=label,
        start_date=date(year, month, 1),
        end_date=date(year, month, 28),
        due_date=date(year, month + 1, 5),
    )
    ReportFactory(period=period, status="approved", progress_text=text, reviewed_at=at)


def release_with(city, document, edits, at, capture) -> None:
    """An edition with the author's own words."""
    with capture(execute=True):
        row = releases.propose_release(document=document, by=city.publisher, at=at)
        row = releases.revise_release(release=row, by=city.publisher, at=at, edits=edits)
        row = review_release(city, row, at=at)
        releases.publish_release(release=row, by=city.publisher, at=at + timedelta(minutes=1))


@pytest.fixture
def two_months(city, world, publish):
    """June and July: a return more, a milestone reached, a date moved, an item done."""
    publish(world.document)
    returned(world.on_track.lead, "2026-07", "七月核定的进展。", JULY - timedelta(days=2))
    Milestone.objects.filter(assignment=world.on_track.lead, title="完成选址").update(
        status="completed", actual_date=date(2026, 7, 1), verified_date=date(2026, 7, 2)
    )
    DateChange.objects.create(
        assignment=world.measure.lead,
        cause="extension",
        old_date=date(2026, 12, 31),
        new_date=date(2027, 1, 29),
        working_days=20,
        reason="内部理由",
        agreed_by=city.leader,
        changed_at=JULY - timedelta(days=5),
    )
    SupervisionItem.objects.filter(pk=world.overdue.item.pk).update(
        status="completed", outcome="late", completed_date=date(2026, 7, 3)
    )
    publish(world.document, JULY)
    return world


def page_of(client, case) -> str:
    return client.get(reverse("cms:item", args=[case.item.public_item.slug])).content.decode()


def test_an_edition_stays_as_it_was(client, two_months):
    june = client.get("/editions/2026-06/").content.decode()
    july = client.get("/editions/2026-07/").content.decode()

    assert "2026-06期" in june and "2026-07期" in july
    row = r"培育高新技术企业.*?逾期"
    assert re.search(row, june, re.S) and "逾期完成 </span>" not in june
    assert "当时公开" in june and "现行公开内容" in july
    csv = client.get("/open-data/2026-06/items.csv").content.decode()
    assert "已建成研发机构四个" in csv and "七月核定" not in csv
    assert "七月核定" in client.get("/open-data/2026-07/items.csv").content.decode()
    assert client.get("/open-data/latest/items.csv").content == (
        client.get("/open-data/2026-07/items.csv").content
    )


def test_the_changes_tell_the_old_date_the_new_date_and_the_plain_reason(client, two_months):
    for address in ("/", "/changes/", "/editions/2026-07/"):
        page = client.get(address).content.decode()
        assert "2026-12-31" in page and "2027-01-29" in page, address
        assert str(snapshot.CAUSES["extension"]) in page, address
        assert "内部理由" not in page
    facts = snapshot.current().changes
    assert {fact.kind for fact in facts} == {"status", "milestone", "date_moved"}
    assert {fact.edition for fact in facts} == {"2026-07"}
    home = client.get("/").content.decode()
    assert home.index("本月变化") < home.index("总体进展") < home.index("全部事项")


def test_texts_of_every_edition_stand_newest_first(client, two_months):
    page = page_of(client, two_months.on_track)

    assert page.index("七月核定的进展。") < page.index("已建成研发机构四个。")
    assert 'href="/editions/2026-06/"' in page and 'href="/editions/2026-07/"' in page


def test_the_page_of_an_item_is_in_its_order(client, two_months):
    page = page_of(client, two_months.on_track)
    order = [
        "<h1>",
        "承诺事项",
        "summary-sentence",
        "公开信息",
        "基本情况",
        "节点</h2>",
        "办理记录",
    ]
    places = [page.index(word) for word in order]

    assert places == sorted(places)
    for label in (
        "索引号",
        "主题分类",
        "发文机关",
        "成文日期",
        "标题",
        "发文字号",
        "发布日期",
        "主题词",
        "有效性",
        "公开形式",
    ):
        assert f'<th scope="row">{label}</th>' in page


def test_a_hidden_text_says_why_and_is_hidden_in_the_edition_before(
    client, city, world, publish, django_capture_on_commit_callbacks
):
    publish(world.document)
    key = str(world.on_track.item.uid)
    edits = {key: {"hidden_reason": "涉及商业秘密", "correction": "上期数字应为三个。"}}
    release_with(city, world.document, edits, JULY, django_capture_on_commit_callbacks)

    for address, (_status, text) in crawl(client, "/search/?q=研发机构四个").items():
        if "search" not in address:
            assert "已建成研发机构四个" not in text, address
    assert "本段不公开：涉及商业秘密" in page_of(client, world.on_track)
    assert client.get("/search/", {"q": "研发机构四个"}).context["hits"] == []
    corrections = client.get("/corrections/").content.decode()
    assert "上期数字应为三个。" in corrections and "2026-07-10 12:01" in corrections
    assert "/corrections/" in client.get("/").content.decode()
    assert "/corrections/" in client.get("/sitemap.xml").content.decode()


def test_an_empty_list_of_corrections_is_linked_nowhere(client, world, publish):
    publish(world.document)

    for address in ("/", "/site-map/", "/sitemap.xml", "/progress/"):
        assert "/corrections/" not in client.get(address).content.decode()
    assert client.get("/corrections/").status_code == 200


def test_a_second_edition_of_a_month_has_its_own_address(client, world, publish):
    publish(world.document)
    publish(world.document, NOON + timedelta(days=1))

    keys = [edition.key for edition in snapshot.current().past.editions]
    assert keys == ["2026-06-2", "2026-06"]
    assert client.get("/editions/2026-06-2/").status_code == 200


def test_what_is_withdrawn_is_gone_from_every_edition_and_file(client, two_months, withdraw):
    item = two_months.overdue.item
    slug = item.public_item.slug
    feeds = client.get("/feeds/all.xml").content.decode()
    ids = set(re.findall(r"<id>(urn:uuid:[^<]+)</id>", feeds))
    own = {fact.urn for fact in snapshot.current().past.facts_of(slug)}
    assert own and own < ids

    withdraw(public_item=item.public_item, at=JULY + timedelta(minutes=5))

    for address in (f"/progress/{slug}/", f"/progress/{slug}.json", f"/feeds/item/{slug}.xml"):
        answer = client.get(address)
        assert (answer.status_code, answer["Cache-Control"]) == (410, "no-store")
    for address, (_status, text) in crawl(client, "/search/?q=高新").items():
        assert item.title not in text, address
    stones = set(
        re.findall(r'deleted-entry ref="([^"]+)"', client.get("/feeds/all.xml").content.decode())
    )
    assert stones == own


def test_a_text_withdrawn_once_does_not_come_back_with_a_later_release(
    client, city, two_months, publish, withdraw
):
    item = two_months.on_track.item
    withdraw(public_item=item.public_item, at=JULY + timedelta(minutes=5))
    item.refresh_from_db()
    decide_openness(item=item, by=city.officer, at=JULY, openness="proactive", basis="目录")
    returned(two_months.on_track.lead, "2026-08", "八月的进展。", AUGUST - timedelta(days=1))

    publish(two_months.document, AUGUST)

    page = page_of(client, two_months.on_track)
    assert "八月的进展。" in page
    for address, (_status, text) in crawl(client).items():
        assert "七月核定的进展" not in text, address
        assert "已建成研发机构四个" not in text, address
    assert client.get("/editions/2026-07/").status_code == 200


def test_a_withdrawn_edition_is_410_and_the_one_before_unread(client, two_months, withdraw):
    release = PublicItem.objects.first().release

    withdraw(release=release, at=JULY + timedelta(minutes=5))

    for address in ("/editions/2026-07/", "/editions/2026-06/", "/open-data/2026-07/items.csv"):
        assert client.get(address).status_code == 410, address
    assert client.get("/editions/1999-01/").status_code == 404


def test_the_history_as_data_is_that_of_the_page(client, two_months):
    public = two_months.on_track.item.public_item
    data = json.loads(client.get(f"/progress/{public.slug}.json").content)
    page = page_of(client, two_months.on_track)

    assert [row["kind"] for row in data["history"]][-1] in ("published", "milestone", "date_moved")
    for row in data["history"]:
        assert row["text"] in page


@pytest.mark.parametrize(
    "address",
    ["/changes/", "/corrections/", "/editions/", "/editions/2026-06/", "/open-data/", "/search/",
     "/feeds/all.xml", "/open-data/latest/items.csv", "/", "/about/", "/bulletins/",
     "/sitemap.xml", "/robots.txt", "/site-map/"],
)  # fmt: skip
def test_an_unknown_parameter_is_404_everywhere(client, world, publish, address):
    publish(world.document)

    assert client.get(address).status_code == 200
    assert client.get(address, {"utm_source": "x"}).status_code == 404


def test_before_a_release_the_pages_say_so(client, world):
    for address in ("/changes/", "/corrections/", "/editions/", "/open-data/", "/search/"):
        assert client.get(address).status_code == 200
    assert TODAY.isoformat() not in client.get("/editions/").content.decode()
