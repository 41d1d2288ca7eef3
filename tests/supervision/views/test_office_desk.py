"""Leaders' instructions, urging of many, the time line, what changed since yesterday."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from notifications.models import InboxEntry
from supervision import charts
from supervision.models import Event, EventKind, SupervisionItem
from supervision.services.acts import ActRefused
from supervision.services.assignments import remind_body
from supervision.services.items import instruct_item, instruct_new_item, remind_bodies
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    DocumentFactory,
    ItemFactory,
    MilestoneFactory,
)
from tests.supervision.views.office_world import dispatched_item, many_items

pytestmark = pytest.mark.django_db
LATER = TODAY + timedelta(days=40)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


def item_in(city, status: str) -> SupervisionItem:
    outcome = {"completed": "on_time", "archived": "on_time", "cancelled": "cancelled"}
    item = ItemFactory(
        leader=city.leader,
        status=status,
        outcome=outcome.get(status, ""),
        original_due_date=TODAY,
        approved_at=NOON,
        dispatched_at=NOON,
        number="督字",
    )
    AssignmentFactory(
        item=item,
        organization=city.bureau,
        status="completed" if outcome.get(status) == "on_time" else "in_progress",
    )
    return item


@pytest.mark.parametrize(
    "status", ["draft", "under_approval", "initiated", "in_progress", "suspended"]
)
def test_an_instruction_on_an_open_item_is_put_on_record(city, status):
    item = item_in(city, status)

    instruct_item(item=item, by=city.leader, at=NOON, instruction="请于月底前拿出方案")

    event = Event.objects.get()
    assert (event.kind, event.reason) == (EventKind.INSTRUCTED, "请于月底前拿出方案")
    assert SupervisionItem.objects.get(pk=item.pk).status == status


@pytest.mark.parametrize("status", ["completed", "archived"])
def test_an_instruction_on_a_closed_item_reopens_it(city, status):
    item = item_in(city, status)
    with pytest.raises(ActRefused):
        instruct_item(item=item, by=city.leader, at=NOON, instruction="再查一次")

    instruct_item(item=item, by=city.leader, at=NOON, instruction="再查一次", due_date=LATER)

    item = SupervisionItem.objects.get(pk=item.pk)
    assert (item.status, item.due_date) == ("in_progress", LATER)
    assert item.assignments.get().status == "in_progress"
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert kinds == {EventKind.ITEM_REOPENED, EventKind.REOPENED, EventKind.INSTRUCTED}


@pytest.mark.parametrize(
    "status, text, due_date",
    [
        ("cancelled", "再查一次", LATER),
        ("in_progress", " ", None),
        ("completed", "再查一次", TODAY - timedelta(days=1)),
    ],
)
def test_an_instruction_that_makes_no_sense_is_refused(city, status, text, due_date):
    with pytest.raises(ActRefused):
        instruct_item(
            item=item_in(city, status), by=city.leader, at=NOON, instruction=text, due_date=due_date
        )

    assert not Event.objects.exists()


@pytest.mark.parametrize("who", ["officer", "office_head", "other_leader", "body_head"])
def test_only_the_leader_of_the_item_instructs(city, who):
    with pytest.raises(PermissionDenied):
        instruct_item(
            item=item_in(city, "in_progress"), by=getattr(city, who), at=NOON, instruction="办"
        )


def test_an_instruction_on_a_new_matter_drafts_an_item(
    client, city, django_capture_on_commit_callbacks
):
    document = DocumentFactory()
    client.force_login(city.leader)
    typed = {"title": "园区道路", "instruction": "尽快贯通", "document": document.pk}
    kept = client.post(reverse("supervision:instruct"), typed | {"title": ""})
    assert "尽快贯通" in kept.content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("supervision:instruct"), typed)

    item = SupervisionItem.objects.get()
    assert answer.status_code == 302
    assert (item.status, item.leader, item.requirement) == ("draft", city.leader, "尽快贯通")
    assert item.drafted_by is None
    heard = set(InboxEntry.objects.values_list("user__username", flat=True))
    assert heard >= {"officer", "office_head"}
    with pytest.raises(PermissionDenied):
        instruct_new_item(document=document, by=city.officer, at=NOON, title="题", instruction="文")


def test_the_item_s_page_offers_the_instruction(client, city):
    item = dispatched_item(city).item
    client.force_login(city.leader)
    address = reverse("supervision:item_act", args=[item.uid, "instruct"])
    assert "作出批示" in client.get(item.get_absolute_url()).content.decode()

    client.post(address, {"instruction": "加快", "version": item.version})

    assert Event.objects.get(kind=EventKind.INSTRUCTED).reason == "加快"
    client.force_login(city.officer)
    assert address not in client.get(item.get_absolute_url()).content.decode()
    assert client.post(address, {"instruction": "加快"}).status_code == 403


def test_urging_many_leaves_the_history_of_single_acts(client, city):
    late = TODAY - timedelta(days=9)
    one, two = (dispatched_item(city, due_date=late) for _number in range(2))
    calm = dispatched_item(city)
    for share in (one.lead, one.support, one.county):
        remind_body(assignment=share, by=city.officer, at=NOON, text="")
    single = list(Event.objects.order_by("pk").values_list("kind", "organization", "data"))
    client.force_login(city.officer)

    answer = client.post(
        reverse("supervision:items_dispatch"),
        {"act": "remind", "items": [two.item.uid, calm.item.uid]},
        follow=True,
    )

    many = list(
        Event.objects.filter(item=two.item)
        .order_by("pk")
        .values_list("kind", "organization", "data")
    )
    assert many == single
    assert not Event.objects.filter(item=calm.item).exists()
    assert "没有逾期单位" in " ".join(str(one) for one in answer.context["messages"])
    with pytest.raises(ActRefused):
        remind_bodies(item=two.item, by=city.officer, at=NOON)


def test_the_time_line_shows_both_dates_and_filters(client, city):
    world = dispatched_item(city, due_date=TODAY + timedelta(days=30))
    type(world.lead).objects.filter(pk=world.lead.pk).update(due_date=TODAY + timedelta(days=60))
    MilestoneFactory(assignment=world.lead, title="封顶")
    other = dispatched_item(city, title="另一事项").item
    client.force_login(city.officer)
    address = reverse("supervision:timeline")

    page = client.get(address, {"q": world.item.title})

    text = page.content.decode()
    assert [item.slip_days for item in page.context["page_obj"].object_list] == [30]
    assert "chart-slip" in text
    assert "封顶" in text
    assert "另一事项" not in text
    assert len(client.get(address).context["page_obj"].object_list) == 2
    client.force_login(city.other_leader)
    assert client.get(address).context["page_obj"].object_list == []
    assert other.status == "in_progress"


def test_a_day_outside_the_scale_stands_on_its_edge():
    scale = charts.TimelineScale(TODAY, TODAY + timedelta(days=100))

    assert scale.at(TODAY + timedelta(days=50)) == 50
    assert scale.at(TODAY - timedelta(days=9)) == 0
    assert scale.at(TODAY + timedelta(days=900)) == 100


def test_the_matrix_adds_up_both_ways(client, city):
    city.document = DocumentFactory()
    many_items(city, 3)
    client.force_login(city.officer)

    context = client.get(reverse("supervision:matrix")).context

    assert sum(item.sum.total for item in context["items"]) == context["all"]["total"] == 6
    assert sum(item.sum.red for item in context["items"]) == context["all"]["red"]
    chosen = client.get(reverse("supervision:matrix"), {"q": "没有这个"}).context
    assert chosen["items"] == []


def test_home_counts_what_changed_since_yesterday(client, city):
    share = dispatched_item(city).lead
    for kind, days in (("became_overdue", 0), ("became_overdue", 9), ("report_submitted", 0)):
        Event.objects.create(
            kind=kind,
            item=share.item,
            assignment=share,
            happened_at=NOON,
            recorded_at=NOON - timedelta(days=days),
        )
    client.force_login(city.officer)

    changes = client.get(reverse("supervision:home")).context["changes"]

    assert [(str(one["label"]), one["count"]) for one in changes] == [
        ("新增逾期", 1),
        ("报送进展", 1),
    ]
