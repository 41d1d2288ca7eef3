"""The calendar of deadlines: read without a session by whoever has the secret, nobody else."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.models import CalendarToken
from supervision.services.feeds import hash_of, make_token, revoke_token
from tests.factories import NOON, TODAY, AssignmentFactory, MilestoneFactory, PeriodFactory

pytestmark = pytest.mark.django_db
PAGE = reverse("supervision:calendar_feed")


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


def feed(token: str) -> str:
    return reverse("supervision:calendar_ics", args=[token])


def test_made_once_shown_once_read_without_a_session(client, city):
    share = AssignmentFactory(organization=city.bureau, due_date=TODAY + timedelta(days=9))
    other = AssignmentFactory(organization=city.county)
    MilestoneFactory(assignment=share, title="开工")
    client.force_login(city.liaison)
    address = client.post(PAGE, {"act": "make"}).context["address"]
    token = address.rsplit("/", 1)[1].removesuffix(".ics")
    assert token not in client.get(PAGE).content.decode()
    assert CalendarToken.objects.get().token_hash == hash_of(token) != token
    client.logout()

    answer = client.get(feed(token))

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    text = answer.content.decode()
    assert f"UID:share-{share.uid}" in text and "开工" in text
    assert str(other.uid) not in text
    assert not answer.cookies


def test_a_revoked_an_old_and_a_closed_one_answer_404(client, city):
    old = make_token(user=city.liaison, at=NOON)
    new = make_token(user=city.liaison, at=NOON)
    assert client.get(feed(old)).status_code == 404
    assert client.get(feed(new)).status_code == 200
    assert client.get(feed("x")).status_code == 404
    assert revoke_token(user=city.liaison, at=NOON) == 1
    assert client.get(feed(new)).status_code == 404
    again = make_token(user=city.liaison, at=NOON)
    city.liaison.is_active = False
    city.liaison.save()
    assert client.get(feed(again)).status_code == 404


@pytest.mark.parametrize("who", ["liaison", "officer", "leader"])
def test_the_feed_costs_the_same_for_forty_shares(client, city, who):
    token = make_token(user=getattr(city, who), at=NOON)
    counts = []
    for more in (1, 39):
        for _number in range(more):
            share = AssignmentFactory(organization=city.bureau, item__leader=city.leader)
            MilestoneFactory(assignment=share)
            PeriodFactory(assignment=share)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(feed(token)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]
