"""Dates moved for many rows at once leave the history of single acts."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from supervision.models import DateChange, Event, EventKind, ExtensionRequest, Milestone
from supervision.services.milestones import move_milestone
from supervision.services.requests import endorse_extension, grant_extension
from tests.factories import NOON, TODAY, ExtensionFactory, MilestoneFactory
from tests.supervision.views.office_world import dispatched_item

pytestmark = pytest.mark.django_db
# Each paper has its number and its address.
OWN = ("letter_number", "letter", "number")
DUE = TODAY + timedelta(days=90)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


def history(share) -> list[tuple]:
    """What the events of a share say, apart from the numbers of papers and rows."""
    events = Event.objects.filter(assignment=share).order_by("pk")
    return [
        (
            one.kind,
            one.by_id,
            one.reason,
            one.from_state,
            one.to_state,
            one.happened_at,
            {name: value for name, value in one.data.items() if name not in OWN},
        )
        for one in events
    ]


def slips(share) -> list[tuple]:
    return list(
        DateChange.objects.filter(assignment=share)
        .order_by("pk")
        .values_list("cause", "old_date", "new_date", "working_days", "reason", "agreed_by")
    )


def steps(city):
    world = dispatched_item(city, due_date=DUE)
    return world, [
        MilestoneFactory(
            assignment=share,
            title="完成招标",
            status="planned",
            planned_date=TODAY + timedelta(days=30),
            original_date=TODAY + timedelta(days=30),
        )
        for share in (world.lead, world.support)
    ]


def test_milestones_moved_together_leave_the_history_of_single_moves(client, city):
    world, (alone, together) = steps(city)
    move_milestone(
        milestone=alone,
        by=city.officer,
        at=NOON,
        new_date=alone.planned_date + timedelta(days=7),
        reason="汛期停工",
    )
    client.force_login(city.officer)

    answer = client.post(
        reverse("supervision:item_milestones", args=[world.item.uid]),
        {"chosen": [together.uid], "days": 7, "reason": "汛期停工"},
    )

    assert answer.url == reverse("supervision:item", args=[world.item.uid])
    assert history(world.support) == history(world.lead) != []
    assert slips(world.support) == slips(world.lead) != []
    moved = Milestone.objects.get(pk=together.pk)
    assert moved.planned_date == TODAY + timedelta(days=37)
    assert moved.original_date == TODAY + timedelta(days=30)


def test_a_milestone_that_cannot_move_is_named_and_the_others_move(client, city):
    world, (first, second) = steps(city)
    Milestone.objects.filter(pk=second.pk).update(planned_date=DUE)
    client.force_login(city.officer)

    answer = client.post(
        reverse("supervision:item_milestones", args=[world.item.uid]),
        {"chosen": [first.uid, second.uid], "days": 7, "reason": "汛期停工"},
        follow=True,
    )

    text = " ".join(str(message) for message in answer.context["messages"])
    assert "完成招标" in text
    assert DUE.isoformat() in text
    assert Event.objects.filter(kind=EventKind.MILESTONE_MOVED).count() == 1
    assert Milestone.objects.get(pk=second.pk).planned_date == DUE


@pytest.mark.parametrize("typed", [{"days": "7"}, {"days": "0", "reason": "汛期停工"}])
def test_what_was_typed_and_chosen_survives_a_mistake(client, city, typed):
    world, (first, _second) = steps(city)
    client.force_login(city.officer)

    page = client.post(
        reverse("supervision:item_milestones", args=[world.item.uid]),
        {"chosen": [first.uid]} | typed,
    ).content.decode()

    assert f'value="{first.uid}" checked' in page
    assert f'value="{typed["days"]}"' in page
    assert not Event.objects.filter(kind=EventKind.MILESTONE_MOVED).exists()


def test_the_milestones_of_another_item_stay(client, city):
    world, _steps = steps(city)
    _other, (elsewhere, _second) = steps(city)
    client.force_login(city.officer)

    client.post(
        reverse("supervision:item_milestones", args=[world.item.uid]),
        {"chosen": [elsewhere.uid], "days": 7, "reason": "汛期停工"},
    )

    assert Milestone.objects.get(pk=elsewhere.pk).planned_date == TODAY + timedelta(days=30)


def requests_of(city, **fields):
    """Three shares with a request each, all alike."""
    world = dispatched_item(city, due_date=TODAY + timedelta(days=20))
    return world, [
        ExtensionFactory(
            assignment=share,
            submitted_at=NOON,
            asked_by=city.body_head,
            due_date_then=share.due_date,
            asked_date=share.due_date + timedelta(days=15),
            **fields,
        )
        for share in (world.support, world.county)
    ]


def test_requests_endorsed_together_leave_the_history_of_single_ones(client, city):
    world, (alone, together) = requests_of(city)
    endorse_extension(extension=alone, by=city.officer, at=NOON, opinion="情况属实")
    client.force_login(city.officer)

    client.post(
        reverse("supervision:reviews_bulk", args=["extensions"]),
        {"act": "endorse", "chosen": [together.uid], "opinion": "情况属实"},
    )

    assert history(world.county) == history(world.support) != []
    assert ExtensionRequest.objects.get(pk=together.pk).office_opinion == "情况属实"


def test_extensions_granted_together_leave_the_history_of_single_ones(client, city):
    world, (alone, together) = requests_of(city, status="endorsed", endorsed_at=NOON)
    grant_extension(
        extension=alone,
        by=city.leader,
        at=NOON,
        granted_date=alone.asked_date,
        opinion="统一顺延",
    )
    client.force_login(city.leader)

    client.post(
        reverse("supervision:reviews_bulk", args=["extensions"]),
        {"act": "grant", "chosen": [together.uid], "opinion": "统一顺延"},
    )

    assert history(world.county) == history(world.support) != []
    assert slips(world.county) == slips(world.support) != []
    world.county.refresh_from_db()
    assert world.county.due_date == together.asked_date


def test_without_the_common_reason_nothing_is_granted_and_the_choice_stays(client, city):
    _world, (first, second) = requests_of(city, status="endorsed", endorsed_at=NOON)
    client.force_login(city.leader)

    page = client.post(
        reverse("supervision:reviews_bulk", args=["extensions"]),
        {"act": "grant", "chosen": [first.uid, second.uid], "opinion": " "},
    ).content.decode()

    for row in (first, second):
        assert f'value="{row.uid}" form="together" checked' in page
    assert not ExtensionRequest.objects.filter(status="granted").exists()
