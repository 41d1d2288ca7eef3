"""The bodies' own desk: everything due by date, signing and releasing many at once."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.models import Assignment, Event, ExtensionRequest, ProgressReport
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    MilestoneFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db
MINE = reverse("supervision:mine")


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


def fill(body, times=1):
    """Something of every kind that can stand on the desk."""
    for number in range(times):
        label = f"x{number}"
        AssignmentFactory(organization=body, status="pending")
        AssignmentFactory(organization=body, plan_due_date=TODAY)
        row = AssignmentFactory(organization=body)
        MilestoneFactory(assignment=row, planned_date=TODAY - timedelta(days=3))
        MilestoneFactory(assignment=row, planned_date=TODAY + timedelta(days=2))
        MilestoneFactory(assignment=row, planned_date=TODAY + timedelta(days=90))
        PeriodFactory(assignment=row, label=label)
        AssignmentFactory(organization=body, status="returned")
        ReportFactory(status="returned", period__assignment=row, period__start_date=TODAY)
        ReportFactory(
            status="under_sign_off",
            period__assignment=AssignmentFactory(organization=body),
            sign_off_asked_at=NOON,
        )
        ExtensionFactory(
            assignment=AssignmentFactory(organization=body), status="granted", decided_at=NOON
        )
        ExtensionFactory(assignment=AssignmentFactory(organization=body), status="draft")
        AssignmentFactory(organization=body, closing_text="完成", is_sign_off_requested=True)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (None, 302),
        ("stranger", 403),
        ("officer", 403),
        ("office_head", 403),
        ("leader", 403),
        ("liaison", 200),
        ("body_head", 200),
        ("county_head", 200),
    ],
)
def test_the_desk_is_for_bodies(client, city, who, status):
    if who:
        client.force_login(getattr(city, who))

    assert client.get(MINE).status_code == status
    for name in ("accept_chosen", "release_chosen"):
        url = reverse(f"supervision:{name}")
        assert client.get(url).status_code == (405 if who else 302)
        assert client.post(url).status_code == (302 if status != 403 else 403)


def test_everything_due_stands_there_once_by_date(client, city):
    fill(city.bureau)
    client.force_login(city.liaison)

    response = client.get(MINE)

    entries = response.context["entries"]
    dates = [entry.due_date for entry in entries]
    assert dates == sorted(dates)
    assert len({entry.kind for entry in entries}) == 7
    assert all(entry.words and entry.url and entry.button for entry in entries)
    assert sum(entry.note.startswith("节点") for entry in entries) == 2
    assert not Event.objects.exists()


def test_a_neighbour_sees_nothing_of_it(client, city):
    fill(city.bureau)
    client.force_login(city.county_head)

    response = client.get(MINE)

    assert response.context["entries"] == []
    assert response.context["waiting"] == []


def test_only_the_head_is_shown_the_queue(client, city):
    fill(city.bureau)
    client.force_login(city.liaison)
    assert "release" not in client.get(MINE).content.decode()
    client.force_login(city.body_head)
    assert len(client.get(MINE).context["waiting"]) == 3
    assert reverse("supervision:release_chosen") in client.get(MINE).content.decode()


def test_one_or_all_chosen_are_signed_for(client, city):
    rows = [AssignmentFactory(organization=city.bureau, status="pending") for _n in range(3)]
    client.force_login(city.liaison)
    url = reverse("supervision:accept_chosen")

    data = {"only": str(rows[0].uid), "chosen": [str(row.uid) for row in rows]}
    client.post(url, data, follow=True)
    assert Assignment.objects.filter(status="in_progress").count() == 1
    again = client.post(url, {"chosen": [str(row.uid) for row in rows]}, follow=True)

    assert Assignment.objects.filter(status="in_progress").count() == 3
    assert len(list(again.context["messages"])) == 2  # two signed, one refused with a reason


def test_nothing_of_another_body_is_signed_for(client, city):
    row = AssignmentFactory(organization=city.other_bureau, status="pending")
    client.force_login(city.liaison)
    url = reverse("supervision:accept_chosen")

    assert client.post(url, {"only": str(row.uid)}).status_code == 404
    assert client.post(url, {"only": "nonsense"}).status_code == 404
    row.refresh_from_db()
    assert row.status == "pending"


def test_the_head_releases_all_chosen_in_one_act(client, city):
    fill(city.bureau)
    client.force_login(city.body_head)
    keys = [f"{w['key']}@{w['version']}" for w in client.get(MINE).context["waiting"]]
    url = reverse("supervision:release_chosen")

    client.post(url, {"chosen": keys})

    assert ProgressReport.objects.filter(status="submitted").count() == 1
    assert ExtensionRequest.objects.filter(status="submitted").count() == 1
    assert Assignment.objects.filter(status="under_review").count() == 1
    assert client.get(MINE).context["waiting"] == []


def test_a_paper_changed_since_it_was_read_is_not_released(client, city):
    report = ReportFactory(
        status="under_sign_off", period__assignment__organization=city.bureau, version=3
    )
    client.force_login(city.body_head)
    key = f"report:{report.uid}@2"

    client.post(reverse("supervision:release_chosen"), {"chosen": [key]})

    report.refresh_from_db()
    assert report.status == "under_sign_off"


def test_a_liaison_cannot_release(client, city):
    report = ReportFactory(status="under_sign_off", period__assignment__organization=city.bureau)
    client.force_login(city.liaison)

    response = client.post(
        reverse("supervision:release_chosen"), {"chosen": [f"report:{report.uid}@0"]}
    )

    assert response.status_code == 403


def test_the_desk_costs_the_same_for_ten_times_the_rows(client, city):
    client.force_login(city.body_head)
    counts = []
    for times in (1, 9):
        fill(city.bureau, times)
        client.get(MINE)
        with CaptureQueriesContext(connection) as queries:
            client.get(MINE)
        counts.append(len(queries))
    assert counts[0] == counts[1]
