"""Editions of several documents: composed, read and passed on one page, each by itself."""

import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.models import PublicItem, Release
from supervision.rules.secrecy_slip import QUESTIONS
from supervision.services import releases as services
from tests.cms.world import item_of
from tests.factories import NOON, DocumentFactory

pytestmark = pytest.mark.django_db
LABEL = "2026-06"
SLIP = {
    **{f"answer_{code}": "no" for code in QUESTIONS},
    "attribute": "proactive",
    "finding": "不涉密，可以公开。",
}


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def documents(city):
    """Two with an item open to the public, one with none."""
    found = [DocumentFactory() for _number in range(3)]
    for number, document in enumerate(found[:2]):
        item_of(city, document, f"公开事项{number}")
    item_of(city, found[2], "不公开的", openness="withheld")
    return found[:2]


def page_of(client) -> str:
    return client.get(reverse("supervision:release_month", args=[LABEL])).content.decode()


def seen_on(page: str, act: str) -> list[str]:
    form = re.search(rf'action="[^"]*/months/{LABEL}/{act}/".*?</form>', page, re.S)
    return re.findall(r'name="seen" value="([^"]+)"', form[0]) if form else []


def step(client, person, act: str, **data):
    client.force_login(person)
    address = reverse("supervision:release_month_act", args=[LABEL, act])
    return client.post(address, {"seen": seen_on(page_of(client), act), **data})


def states() -> list[str]:
    return list(Release.objects.order_by("pk").values_list("status", flat=True))


def test_a_whole_month_passes_on_one_page(client, city, documents):
    client.force_login(city.publisher)
    made = client.post(reverse("supervision:release_propose"), {"document": ""})
    assert made.url == reverse("supervision:release_month", args=[LABEL])
    assert states() == ["draft", "draft"]
    page = page_of(client)
    assert "公开事项0" in page and "公开事项1" in page and "不公开的" not in page
    anchors = re.findall(r'id="item-[^"]+"', page)
    assert len(anchors) == len(set(anchors)) == 2
    assert "一页审阅办理" in client.get(reverse("supervision:releases")).content.decode()

    step(client, city.publisher, "submit")
    step(client, city.reviewer, "approve-first")
    step(client, city.second_reviewer, "approve-second")
    assert states() == ["third_review", "third_review"]
    refused = step(client, city.third_reviewer, "approve-third", finding="只写了一句")
    assert refused.status_code == 200 and "只写了一句" in refused.content.decode()
    step(client, city.third_reviewer, "approve-third", **SLIP)
    assert states() == ["approved", "approved"]
    done = step(client, city.publisher, "publish")

    assert done.url == reverse("supervision:releases")
    assert states() == ["released", "released"]
    assert PublicItem.objects.public().count() == 2
    for row in Release.objects.all():
        signed = row.steps.filter(round=row.round).order_by("stage")
        assert [one.person.username for one in signed] == [
            "publisher",
            "reviewer",
            "second_reviewer",
            "third_reviewer",
        ]
        assert {one.seen_hash for one in signed} == {row.content_hash}


def test_what_changed_since_it_was_read_is_left_out(client, city, documents):
    client.force_login(city.publisher)
    client.post(reverse("supervision:release_propose"), {"document": ""})
    step(client, city.publisher, "submit")
    client.force_login(city.reviewer)
    seen = seen_on(page_of(client), "approve-first")
    first = Release.objects.order_by("pk").first()
    services.send_back_release(release=first, by=city.reviewer, at=NOON, reason="改")
    first.refresh_from_db()
    services.submit_release(release=first, by=city.publisher, at=NOON)

    client.post(
        reverse("supervision:release_month_act", args=[LABEL, "approve-first"]), {"seen": seen}
    )

    assert states() == ["first_review", "second_review"]


def test_nobody_signs_twice_and_only_what_is_offered_is_done(client, city, documents):
    client.force_login(city.publisher)
    client.post(reverse("supervision:release_propose"), {"document": ""})
    step(client, city.publisher, "submit")
    step(client, city.reviewer, "approve-first")
    client.force_login(city.reviewer)
    assert seen_on(page_of(client), "approve-second") == []
    pairs = [f"{row.uid}:{row.version}" for row in Release.objects.all()]

    for act in ("approve-second", "approve-first", "submit"):
        client.post(reverse("supervision:release_month_act", args=[LABEL, act]), {"seen": pairs})

    assert states() == ["second_review", "second_review"]
    for act in ("withdraw", "send-back", "nonsense"):
        address = reverse("supervision:release_month_act", args=[LABEL, act])
        assert client.post(address, {"seen": pairs, "reason": "x"}).status_code == 404


def test_an_empty_month_is_no_page(client, city, documents):
    client.force_login(city.publisher)

    assert client.get(reverse("supervision:release_month", args=["2020-01"])).status_code == 404


def test_more_documents_cost_no_more_statements(client, city, documents):
    def count() -> int:
        client.force_login(city.reviewer)
        with CaptureQueriesContext(connection) as found:
            assert client.get(reverse("supervision:release_month", args=[LABEL])).status_code == 200
        return len(found)

    client.force_login(city.publisher)
    client.post(reverse("supervision:release_propose"), {"document": ""})
    few = count()
    for number in range(4):
        item_of(city, DocumentFactory(), f"另一事项{number}")
    client.force_login(city.publisher)
    client.post(reverse("supervision:release_propose"), {"document": ""})

    assert Release.objects.count() == 6
    assert count() == few <= 12
