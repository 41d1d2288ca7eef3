"""Lights kept of the day count and sort as the pure rule would; every act throws them away."""

import re
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.desk import lit_items, worst_first
from supervision.models import Event, KeptLight, SupervisionItem
from supervision.services.acts import record_event
from supervision.services.kept_lights import keep_lights
from supervision.services.reports import approve_report
from supervision.standing import BY_DATE, BY_NUMBER, lit_board
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ItemFactory,
    MilestoneFactory,
    OrganizationFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db
STATES = ("pending", "in_progress", "under_review", "returned", "approved", "suspended")


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def world(city):
    """Items of every colour, drafts and closed ones."""
    bodies = [OrganizationFactory(), city.bureau, OrganizationFactory()]
    for number in range(36):
        item = ItemFactory(
            dispatched=True,
            leader=city.leader,
            due_date=TODAY + timedelta(days=(-9, 0, 2, 12, 200)[number % 5]),
        )
        for place, body in enumerate(bodies):
            share = AssignmentFactory(
                item=item,
                organization=body,
                role="support" if place else "lead",
                status=(*STATES, "completed", "cancelled")[(number + place) % 8],
            )
            if number % 3 == 0:
                MilestoneFactory(assignment=share, planned_date=TODAY - timedelta(days=5))
            if number % 4 == 0:
                ReportFactory(
                    period=PeriodFactory(assignment=share),
                    status="submitted",
                    self_percent=number * 2,
                )
    ItemFactory()
    ItemFactory(status="cancelled", outcome="cancelled")
    return city


def by_rule(user) -> list[tuple[int, str]]:
    items = SupervisionItem.objects.visible_to(user).order_by("position", "pk")
    return [
        (item.pk, item.lamp.code) for item in worst_first(lit_items(items, user=user, today=TODAY))
    ]


def by_standing(user, *, size: int = 1000, **wanted) -> list[tuple[int, str]]:
    """All pages of the board, one after the other."""
    items = SupervisionItem.objects.visible_to(user).order_by("position", "pk")
    found, number, pages = [], 0, 1
    while number < pages:
        number += 1
        board = lit_board(items, user=user, today=TODAY, size=size, number=number, **wanted)
        found += [(item.pk, item.lamp.code) for item in board.page]
        pages = board.page.paginator.num_pages
    return found


@pytest.mark.parametrize("kept", ["none", "some", "all", "of yesterday"])
@pytest.mark.parametrize("who", ["officer", "leader", "principal", "other_leader", "liaison"])
def test_the_order_is_that_of_the_pure_rule(world, who, kept):
    day = TODAY - timedelta(days=1) if kept == "of yesterday" else TODAY
    if kept != "none":
        keep_lights(day, most=10 if kept == "some" else None)

    user = getattr(world, who)

    assert by_standing(user) == by_rule(user)


@pytest.mark.parametrize("kept", ["none", "some", "few", "all"])
@pytest.mark.parametrize("who", ["officer", "leader", "liaison"])
def test_page_by_page_it_is_the_same_order_and_as_many_statements(world, who, kept):
    """What acts have thrown away is lit with the page, wherever it then belongs."""
    user = getattr(world, who)
    keep_lights(TODAY)
    gone = {"none": 1, "some": 3, "few": 11, "all": 10**6}[kept]
    pks = list(SupervisionItem.objects.order_by("pk").values_list("pk", flat=True))
    if kept != "all":
        KeptLight.objects.filter(item__in=pks[::gone]).delete()
    rule = by_rule(user)
    dates = dict(SupervisionItem.objects.values_list("pk", "due_date"))

    assert by_standing(user, size=5) == rule
    number = by_standing(user, size=5, place=BY_NUMBER)
    assert number == [(pk, dict(rule)[pk]) for pk in pks if pk in dict(rule)]
    dated = by_standing(user, size=5, place=BY_DATE)
    assert sorted(dated) == sorted(rule)
    assert [dates[pk] for pk, _code in dated if dates[pk]] == sorted(
        dates[pk] for pk, _code in rule if dates[pk]
    )
    items = SupervisionItem.objects.visible_to(user).order_by("position", "pk")
    for lights in (["red"], ["yellow", "green"], ["blue"]):
        wanted = [(pk, code) for pk, code in rule if code in lights]
        assert by_standing(user, size=5, lights=lights) == wanted
        for page in ("1", "2", "99", "0", "x"):
            with CaptureQueriesContext(connection) as captured:
                board = lit_board(items, user=user, today=TODAY, lights=lights, size=4, number=page)
            assert board.codes == Counter(code for _pk, code in rule)
            place = (board.page.number - 1) * 4
            assert [item.pk for item in board.page] == [pk for pk, _ in wanted][place : place + 4]
            lit = [one for one in captured if "judged_due_date" in one["sql"]]
            assert len(lit) <= 1


def test_every_kept_light_equals_the_pure_rule(world):
    assert keep_lights(TODAY) == SupervisionItem.objects.count()

    items = lit_items(SupervisionItem.objects.all(), user=world.officer, today=TODAY)
    expected = {(item.pk, None): item.lamp.code for item in items}
    expected |= {(item.pk, row.pk): row.lamp.code for item in items for row in item.shares}
    kept = KeptLight.objects.values_list("item_id", "assignment_id", "code")
    assert {(item, share): code for item, share, code in kept} == expected
    assert len(set(expected.values())) >= 6
    assert keep_lights(TODAY) == 0


def test_an_act_throws_away_what_it_may_have_changed(world):
    keep_lights(TODAY)
    report = AssignmentFactory._meta.model.objects.filter(periods__report__status="submitted")[0]
    report = report.periods.get().report
    item = report.period.assignment.item

    approve_report(report=report, by=world.officer, at=NOON, verified_percent=1)

    assert not KeptLight.objects.filter(item=item).exists()
    assert KeptLight.objects.exists()
    assert by_standing(world.officer) == by_rule(world.officer)
    assert keep_lights(TODAY) == 1


@pytest.mark.parametrize("kind", ["rules_changed", "calendar_changed", "calendar_confirmed"])
def test_a_change_of_the_rules_throws_everything_away(world, kind):
    keep_lights(TODAY)

    record_event(kind, by=world.office_head, at=NOON)

    assert not KeptLight.objects.exists()


def test_items_of_the_last_acts_are_computed_again(world):
    """An act under way while lights were computed leaves a light that the next beat corrects."""
    keep_lights(TODAY)
    item = SupervisionItem.objects.filter(dispatched_at__isnull=False)[0]
    Event.objects.create(kind="note", item=item, happened_at=NOON, recorded_at=NOON)
    KeptLight.objects.filter(item=item).update(code="blue", severity=1)

    assert keep_lights(TODAY, at=NOON) == 1
    assert by_standing(world.officer) == by_rule(world.officer)


def test_nothing_of_a_light_is_frozen(world):
    before = Event.objects.count()

    keep_lights(TODAY)
    KeptLight.objects.all().delete()

    assert Event.objects.count() == before
    items = SupervisionItem.objects.all()
    board = lit_board(items, user=world.officer, today=TODAY, size=5)
    assert board.codes.total() == 38


@pytest.mark.parametrize("page", ["home", "items", "matrix", "timeline"])
def test_pages_light_only_what_they_show(client, world, page):
    """With the day's lights kept a page reads milestones of the rows it shows, not of all."""
    keep_lights(TODAY)
    client.force_login(world.officer)
    address = reverse(f"supervision:{page}")
    client.get(address)

    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)

    assert answer.status_code == 200
    assert len(captured) <= 12


@pytest.mark.parametrize(
    "address",
    [
        "/desk/",
        "/desk/items/",
        "/desk/items/?light=red&page=2",
        "/desk/matrix/",
        "/desk/timeline/?light=yellow",
        "/desk/ledger/?light=red",
        "/desk/ledger/?light=green",
    ],
)
@pytest.mark.parametrize("who", ["officer", "leader", "liaison"])
def test_a_page_says_the_same_whether_lights_are_kept_or_not(client, world, who, address):
    client.force_login(getattr(world, who))

    def shown() -> str:
        answer = client.get(address)
        if answer.status_code == 403:
            return ""
        assert answer.status_code == 200
        return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())

    nothing = shown()
    keep_lights(TODAY)
    everything = shown()
    pks = SupervisionItem.objects.order_by("pk").values_list("pk", flat=True)
    KeptLight.objects.filter(item__in=list(pks[::3])).delete()

    assert shown() == everything == nothing
