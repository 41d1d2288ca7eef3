"""The inbox page: the reader's own lines, why they came, and ticking them off."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications.context_processors import unread
from notifications.models import InboxEntry
from supervision.models import EventKind
from supervision.services.acts import record_event
from tests.factories import NOON, TODAY, AssignmentFactory

INBOX = reverse("notifications:inbox")
MARK = reverse("notifications:mark")


@pytest.fixture
def late(city):
    return AssignmentFactory(organization=city.bureau, due_date=TODAY - timedelta(days=1))


def happen(row, kind=EventKind.REMINDED):
    return record_event(kind, assignment=row, by=None, at=NOON, data={"episode": 1})


def test_it_asks_to_sign_in(client, db, settings):
    settings.LOGIN_URL = "/sign-in/"
    assert client.get(INBOX).url == f"/sign-in/?next={INBOX}"


def test_each_line_says_what_and_why_and_reading_the_page_marks_nothing(client, city, late):
    happen(late, EventKind.BECAME_OVERDUE)
    client.force_login(city.liaison)
    page = client.get(INBOX).content.decode()
    assert late.item.title in page
    assert "市工信局" in page and "联络员" in page
    assert InboxEntry.objects.unread().filter(user=city.liaison).count() == 1


def test_a_stranger_and_a_neighbour_see_nothing_of_it(client, city, late):
    happen(late)
    for person in (city.stranger, city.other_liaison):
        client.force_login(person)
        assert late.item.title not in client.get(INBOX).content.decode()


@pytest.mark.parametrize(
    ("act", "to_do", "unread_left"), [("read", 1, 0), ("done", 0, 0), ("nonsense", 1, 1)]
)
def test_marking(client, city, late, act, to_do, unread_left):
    happen(late)
    entry = InboxEntry.objects.get(user=city.liaison)
    client.force_login(city.liaison)
    answer = client.post(MARK, {"act": act, "entry": [str(entry.uid)], "show": "unread"})
    assert answer.url == f"{INBOX}?show=unread"
    mine = InboxEntry.objects.of(city.liaison)
    assert (mine.to_do().count(), mine.unread().count()) == (to_do, unread_left)


def test_a_line_has_its_own_buttons_and_can_be_put_back(client, city, late):
    happen(late)
    entry = InboxEntry.objects.get(user=city.liaison)
    client.force_login(city.liaison)
    client.post(MARK, {"act": f"done:{entry.uid}"})
    assert InboxEntry.objects.of(city.liaison).done().count() == 1
    client.post(MARK, {"act": f"open:{entry.uid}", "show": "done"})
    assert InboxEntry.objects.of(city.liaison).done().count() == 0


def test_somebody_elses_entry_cannot_be_marked(client, city, late):
    happen(late)
    entry = InboxEntry.objects.get(user=city.liaison)
    client.force_login(city.body_head)
    client.post(MARK, {"act": "done", "entry": [str(entry.uid), "not-a-uid"]})
    assert InboxEntry.objects.get(pk=entry.pk).done_at is None


def test_get_changes_nothing(client, city, late):
    client.force_login(city.liaison)
    assert client.get(MARK).status_code == 405


def queries(client) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"{INBOX}?show=all").status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_grow(client, city, late):
    client.force_login(city.liaison)
    for _ in range(2):
        happen(AssignmentFactory(organization=city.bureau))
    queries(client)  # what is kept in memory is read once
    few = queries(client)
    for _ in range(25):
        happen(AssignmentFactory(organization=city.bureau))
    assert queries(client) == few


def test_the_count_is_read_only_where_it_is_shown(city, late, rf, django_assert_num_queries):
    happen(late)
    request = rf.get("/")
    request.user = city.liaison
    with django_assert_num_queries(0):
        context = unread(request)
    with django_assert_num_queries(1):
        assert context["unread_count"] == 1
        assert bool(context["unread_count"])
