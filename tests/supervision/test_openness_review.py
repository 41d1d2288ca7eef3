"""What is not public is looked at again each year, by the office, with a reason."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from notifications.models import InboxEntry
from supervision.models import Event, EventKind, PublicItem, SupervisionItem
from supervision.rules.openness import review_date
from supervision.services.acts import ActRefused
from supervision.services.items import decide_openness
from supervision.services.openness import due_reviews, remind_of_openness, review_openness
from supervision.services.releases import compose
from tests.factories import NOON, TODAY, ItemFactory

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("decided", "due"),
    [
        (date(2025, 6, 10), date(2026, 6, 10)),
        (date(2024, 2, 29), date(2025, 2, 28)),
        (date(2025, 12, 31), date(2026, 12, 31)),
    ],
)
def test_the_year_ends_on_the_same_day(decided, due):
    assert review_date(decided) == due


@pytest.fixture
def withheld(city):
    """Decided a year ago to the day."""
    item = ItemFactory(dispatched=True, title="一年前不公开的事项", leader=city.leader)
    decide_openness(
        item=item, by=city.officer, at=NOON - YEAR, openness="withheld", basis="涉及商业秘密"
    )
    item.refresh_from_db()
    return item


def test_it_is_due_on_the_day_and_not_before(city, withheld):
    ItemFactory(dispatched=True, openness="proactive")
    ItemFactory(dispatched=True, openness="undecided")

    assert due_reviews(TODAY - timedelta(days=1)) == []
    assert [(row.item, row.decided_date, row.due_date) for row in due_reviews(TODAY)] == [
        (withheld, TODAY - YEAR, TODAY)
    ]


def test_it_stays_due_when_something_else_was_changed(city, withheld):
    Event.objects.create(
        kind=EventKind.ITEM_CHANGED,
        item=withheld,
        happened_at=NOON,
        recorded_at=NOON,
        data={"title": ["甲", "乙"]},
    )

    assert [row.item for row in due_reviews(TODAY)] == [withheld]


def test_the_office_is_told_once_and_the_decision_settles_it(
    city, withheld, django_capture_on_commit_callbacks
):
    for _time in range(2):
        remind_of_openness(TODAY, at=NOON)
    assert Event.objects.filter(kind=EventKind.OPENNESS_DUE).count() == 1
    told = InboxEntry.objects.filter(event__kind=EventKind.OPENNESS_DUE)
    assert [entry.user for entry in told] == [city.officer]
    assert told.get().done_at is None

    review_openness(
        item=withheld, by=city.officer, at=NOON, is_to_be_public=False, reason="理由仍然成立"
    )

    assert told.get().done_at is not None
    withheld.refresh_from_db()
    assert (withheld.openness, withheld.openness_basis) == ("withheld", "理由仍然成立")
    assert due_reviews(TODAY) == []
    assert remind_of_openness(TODAY, at=NOON) == 0
    assert remind_of_openness(TODAY + YEAR, at=NOON + YEAR) == 1


def test_what_is_proposed_enters_the_next_edition_and_is_not_public_yet(city, withheld):
    review_openness(
        item=withheld, by=city.officer, at=NOON, is_to_be_public=True, reason="秘密期已过"
    )

    withheld.refresh_from_db()
    assert withheld.openness == SupervisionItem.Openness.PROACTIVE
    titles = [entry["title"] for entry in compose(withheld.document, as_of=TODAY)["items"]]
    assert withheld.title in titles
    assert not PublicItem.objects.filter(item=withheld).exists()


def test_it_needs_a_reason_and_the_duty(city, withheld):
    with pytest.raises(ActRefused):
        review_openness(item=withheld, by=city.officer, at=NOON, is_to_be_public=True, reason=" ")
    for person in (city.office_head, city.publisher, city.reviewer, city.leader, city.liaison):
        with pytest.raises(PermissionDenied):
            review_openness(item=withheld, by=person, at=NOON, is_to_be_public=True, reason="理由")
    decide_openness(item=withheld, by=city.officer, at=NOON, openness="proactive", basis="目录")
    withheld.refresh_from_db()
    with pytest.raises(ActRefused):
        review_openness(item=withheld, by=city.officer, at=NOON, is_to_be_public=False, reason="x")


def test_a_withdrawal_begins_the_year_anew(city, withheld):
    Event.objects.create(
        kind=EventKind.WITHDRAWN,
        item=withheld,
        happened_at=NOON - timedelta(days=30),
        recorded_at=NOON,
    )

    assert due_reviews(TODAY) == []


@time_machine.travel(NOON, tick=False)
def test_the_officer_decides_on_the_release_desk_and_the_others_see_nothing(client, city, withheld):
    listing = reverse("supervision:releases")
    for person in (city.publisher, city.reviewer):
        client.force_login(person)
        assert withheld.title not in client.get(listing).content.decode()
    client.force_login(city.office_head)
    act = reverse("supervision:openness_review", args=[withheld.uid])
    page = client.get(listing).content.decode()
    assert withheld.title in page and act not in page
    client.force_login(city.officer)
    assert act in client.get(listing).content.decode()

    refused = client.post(act, {"outcome": "", "reason": "写了一半", "version": withheld.version})
    assert refused.status_code == 200 and "写了一半" in refused.content.decode()
    done = client.post(
        act, {"outcome": "stays", "reason": "仍涉商业秘密", "version": withheld.version}
    )

    assert done.status_code == 302
    withheld.refresh_from_db()
    assert withheld.openness_basis == "仍涉商业秘密"
    assert withheld.title not in client.get(listing).content.decode()


def test_a_stale_form_keeps_what_was_typed(client, city, withheld):
    client.force_login(city.officer)
    with time_machine.travel(NOON, tick=False):
        answer = client.post(
            reverse("supervision:openness_review", args=[withheld.uid]),
            {"outcome": "stays", "reason": "理由在此", "version": withheld.version - 1},
        )

    assert answer.status_code == 200
    assert "理由在此" in answer.content.decode()
