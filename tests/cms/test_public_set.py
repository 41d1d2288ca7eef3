"""What the public can reach is what was released: no more, no earlier, no longer."""

import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from supervision.models import Milestone, PublicItem
from supervision.services.items import decide_openness, reopen_item
from supervision.services.releases import compose
from tests.cms.world import CANARY, accepted, crawl, item_of, text_of
from tests.factories import NOON, TODAY

pytestmark = pytest.mark.django_db
SEARCHES = tuple(
    f"/progress/?q={word}" for word in (CANARY, CANARY[:2], "未采纳", "草稿", "理由", "经办人")
)


def address_of(case) -> str:
    return reverse("cms:item", args=[case.item.public_item.slug])


def test_before_a_release_there_is_nothing(client, world):
    pages = crawl(client)

    assert {status for status, _text in pages.values()} == {200}
    assert "尚未发布" in pages["/"][1]
    assert not [address for address in pages if re.match(r"/progress/[0-9a-f]{10}", address)]
    for title in (world.on_track.item.title, world.overdue.item.title, CANARY):
        assert not [address for address, (_status, text) in pages.items() if title in text]
    assert PublicItem.objects.count() == 0


def test_nothing_unreleased_is_found_anywhere(client, world, publish):
    publish(world.document)

    pages = crawl(client, *SEARCHES)

    assert len(pages) > 25
    assert {status for status, _text in pages.values()} == {200}
    # The reader's own search words stand in the search box of the answer, and only there.
    leaks = []
    for address, (_status, text) in pages.items():
        text = re.sub(r'value="[^"]*"', "", re.sub(r"“[^”]*”", "", text))
        if CANARY in text:
            leaks.append(address)
    assert not leaks
    assert CANARY not in json.dumps(compose(world.document, as_of=TODAY), ensure_ascii=False)


@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_for_hidden_words_finds_nothing(client, world, publish, search):
    publish(world.document)

    answer = client.get(search)

    assert answer.status_code == 200
    assert answer.context["found"] == []


def test_numbers_have_no_gap_and_counts_no_trace_of_the_hidden(client, world, publish):
    publish(world.document)

    assert list(PublicItem.objects.values_list("number", flat=True)) == [1, 2, 3, 4]
    assert "共4项" in client.get("/").content.decode().replace(" ", "")


def test_released_items_are_in_every_list_and_map(client, world, publish):
    publish(world.document)
    pages = crawl(client)

    for case in (world.on_track, world.overdue, world.late, world.measure):
        assert pages[address_of(case)][0] == 200
        assert pages[f"/progress/{case.item.public_item.slug}.json"][0] == 200
        for address in ("/", "/progress/", "/site-map/", "/progress/items.csv"):
            assert case.item.title in pages[address][1], address
        assert case.item.title in pages["/progress/items.xlsx"][1]
    listed = set(re.findall(r"/progress/([0-9a-f]{10})/", pages["/sitemap.xml"][1]))
    assert listed == set(PublicItem.objects.public().values_list("slug", flat=True))


def test_a_live_change_waits_for_the_next_edition(client, city, world, publish):
    publish(world.document)
    before = client.get(address_of(world.on_track)).content
    item = world.on_track.item
    item.title = "改过的题目"
    item.requirement = "改过的要求"
    item.save()
    Milestone.objects.filter(assignment=world.on_track.lead, status="planned").update(
        title="改过的节点"
    )
    world.on_track.lead.periods.get(label="2026-05").report.figures.all().delete()

    assert client.get(address_of(world.on_track)).content == before
    assert "改过" not in client.get("/progress/").content.decode()

    publish(world.document, NOON + timedelta(days=1))

    page = client.get(address_of(world.on_track)).content.decode()
    assert page.count("改过的题目") >= 2
    assert "改过的节点" in page


def test_a_reopened_item_stays_done_late_until_the_next_edition(client, city, world, publish):
    publish(world.document)
    reopen_item(
        item=world.late.item,
        by=city.leader,
        at=NOON,
        instruction=f"{CANARY}批示",
        due_date=TODAY + timedelta(days=60),
    )

    assert "逾期完成" in client.get(address_of(world.late)).content.decode()

    publish(world.document, NOON + timedelta(days=1))

    page = client.get(address_of(world.late)).content.decode()
    state = re.search(r'<p class="summary-sentence">.*?</p>', page, re.S)[0]
    assert "逾期完成" not in state
    assert "逾期完成 → " in page, "what was is told in the history, not overwritten"
    assert "重新" in page or "重启" in page
    assert CANARY not in page


def test_a_withdrawn_item_is_gone_at_once_and_everywhere(client, world, publish, withdraw):
    publish(world.document)
    public = world.overdue.item.public_item
    gone = [address_of(world.overdue), f"/progress/{public.slug}.json"]

    withdraw(public_item=public)

    for address in gone:
        answer = client.get(address)
        assert answer.status_code == 410
        assert answer["Cache-Control"] == "no-store"
        assert world.overdue.item.title not in answer.content.decode()
        assert "隐私" not in answer.content.decode()
    pages = crawl(client, "/progress/?q=高新技术")
    assert set(gone).isdisjoint(pages)
    shown = {a for a, (_status, text) in pages.items() if world.overdue.item.title in text}
    assert not shown
    # What is left keeps its number; nothing is counted anew.
    assert list(PublicItem.objects.public().values_list("number", flat=True)) == [1, 3, 4]


def test_a_withdrawn_item_stays_gone_in_the_next_edition(client, world, publish, withdraw):
    publish(world.document)
    withdraw(public_item=world.overdue.item.public_item)

    publish(world.document, NOON + timedelta(days=1))

    assert client.get(address_of(world.overdue)).status_code == 410
    assert world.overdue.item.title not in client.get("/").content.decode()


def test_a_withdrawn_edition_leaves_an_empty_site(client, world, publish, withdraw):
    release = publish(world.document)
    addresses = [address_of(world.on_track), address_of(world.late)]

    withdraw(release=release)

    for address in addresses:
        answer = client.get(address)
        assert (answer.status_code, answer["Cache-Control"]) == (410, "no-store")
    pages = crawl(client)
    assert {status for status, _text in pages.values()} == {200}
    assert "尚未发布" in pages["/"][1]
    for case in (world.on_track, world.overdue, world.late, world.measure):
        assert not [a for a, (_status, text) in pages.items() if case.item.title in text]


def test_an_unknown_address_is_404_whether_or_not_an_item_hides_behind_it(client, world, publish):
    publish(world.document)
    absent = client.get("/progress/0123456789/")
    hidden = client.get(f"/progress/{str(world.hidden['withheld'].item.uid)[:8]}/")

    assert absent.status_code == hidden.status_code == 404
    assert len(absent.content) == len(hidden.content)
    assert client.get("/progress/0123456789.json").status_code == 404


def test_a_second_edition_keeps_numbers_and_addresses_and_adds_at_the_end(
    client, city, world, publish
):
    publish(world.document)
    before = dict(PublicItem.objects.values_list("item", "number"))
    slugs = dict(PublicItem.objects.values_list("item", "slug"))
    new = item_of(city, world.document, "新增的一项")
    new.item.position = 0
    new.item.save()
    decide_openness(
        item=world.hidden["undecided"].item,
        by=city.officer,
        at=NOON,
        openness="proactive",
        basis="主动公开目录",
    )

    publish(world.document, NOON + timedelta(days=1))

    after = dict(PublicItem.objects.values_list("item", "number"))
    assert {item: after[item] for item in before} == before
    assert sorted(set(after.values()) - set(before.values())) == [5, 6]
    kept = dict(PublicItem.objects.filter(item__in=slugs).values_list("item", "slug"))
    assert kept == slugs


def test_late_completion_has_its_own_word(client, world, publish):
    publish(world.document)

    for address in (address_of(world.late), "/progress/?q=科技金融"):
        page = client.get(address).content.decode()
        assert "逾期完成" in page, address
    assert "逾期完成" in text_of(client.get("/progress/items.csv?q=科技金融"))
    assert (
        json.loads(client.get(f"/progress/{world.late.item.public_item.slug}.json").content)[
            "status"
        ]
        == "done_late"
    )
    assert [e.status for e in client.get("/progress/?status=done").context["found"]] == []


def test_what_changed_since_the_last_edition_is_told(client, world, publish):
    publish(world.document)
    assert client.get("/").context["snapshot"].changes == []
    step = world.on_track.lead.milestones.get(title="完成选址")
    Milestone.objects.filter(pk=step.pk).update(
        status="completed", actual_date=TODAY, verified_date=TODAY
    )
    item = world.overdue.item
    type(item).objects.filter(pk=item.pk).update(
        status="completed", outcome="late", completed_date=TODAY
    )

    publish(world.document, NOON + timedelta(days=1))

    page = client.get("/").content.decode()
    changes = {
        (change.entry.title, change.text) for change in client.get("/").context["snapshot"].changes
    }
    assert (item.title, "逾期 → 逾期完成") in changes
    assert (world.on_track.item.title, "完成节点：完成选址") in changes
    assert "逾期 → 逾期完成" in page


def test_a_progress_text_is_the_last_accepted_one(client, world, publish):
    publish(world.document)
    accepted(
        world.overdue.lead, "后来采纳的进展", self_percent=30
    )  # accepted after the edition was composed

    assert "后来采纳" not in client.get(address_of(world.overdue)).content.decode()
    assert "已建成研发机构四个" in client.get(address_of(world.on_track)).content.decode()
