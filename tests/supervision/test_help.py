"""Help between bodies: asked, answered, seen on both desks, reminded once, never escalated."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django_fsm import TransitionNotAllowed

from notifications.models import InboxEntry
from supervision.models import Event, HelpRequest
from supervision.services.acts import ActRefused
from supervision.services.assignments import cancel_assignment
from supervision.services.help import (
    answer_help,
    ask_help,
    decline_help,
    remind_of_help,
    withdraw_help,
)
from tests.factories import NOON, TODAY, AssignmentFactory, ItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def share(city):
    item = ItemFactory(dispatched=True, leader=city.leader)
    return AssignmentFactory(item=item, organization=city.bureau)


@pytest.fixture
def asked(city, share):
    return ask_help(
        assignment=share,
        by=city.liaison,
        at=NOON,
        organization=city.other_bureau,
        text="请提供高企名单",
        due_date=TODAY + timedelta(days=5),
    )


def inbox_of(user, *kinds) -> int:
    return InboxEntry.objects.filter(user=user, event__kind__in=kinds, done_at=None).count()


def test_the_asked_body_hears_sees_and_answers(client, city, share, asked):
    assert inbox_of(city.other_liaison, "help_asked") == 1
    client.force_login(city.other_liaison)
    desk = client.get(reverse("supervision:mine")).content.decode()
    assert asked.get_absolute_url() in desk
    assert client.get(asked.get_absolute_url()).status_code == 200
    assert client.get(share.get_absolute_url()).status_code == 404
    inbox = client.get(reverse("notifications:inbox")).content.decode()
    assert asked.get_absolute_url() in inbox

    answer = client.post(
        reverse("supervision:help_act", args=[asked.uid, "answer"]), {"text": "名单见附函"}
    )

    assert answer.status_code == 302
    asked.refresh_from_db()
    assert (asked.status, asked.answered_by) == ("answered", city.other_liaison)
    assert inbox_of(city.other_liaison, "help_asked") == 0
    assert inbox_of(city.liaison, "help_answered") == 1
    client.force_login(city.liaison)
    assert "名单见附函" in client.get(share.get_absolute_url()).content.decode()
    assert "名单见附函" in client.get(reverse("supervision:mine")).content.decode()
    client.force_login(city.officer)
    assert "名单见附函" in client.get(share.get_absolute_url()).content.decode()


def test_nothing_typed_is_lost_when_the_answer_is_refused(client, city, asked):
    withdraw_help(help_request=asked, by=city.liaison, at=NOON)
    client.force_login(city.other_liaison)

    answer = client.post(
        reverse("supervision:help_act", args=[asked.uid, "answer"]), {"text": "写了很久的答复"}
    )

    assert answer.status_code == 200
    assert "写了很久的答复" in answer.content.decode()


@pytest.mark.parametrize("act", [answer_help, decline_help])
def test_only_the_asked_body_answers_and_only_once(city, asked, act):
    for stranger in (city.liaison, city.county_liaison, city.officer):
        with pytest.raises(PermissionDenied):
            act(help_request=asked, by=stranger, at=NOON, text="答复")
    with pytest.raises(ActRefused):
        act(help_request=asked, by=city.other_head, at=NOON, text=" ")
    act(help_request=asked, by=city.other_head, at=NOON, text="答复")
    with pytest.raises(TransitionNotAllowed):
        act(help_request=asked, by=city.other_head, at=NOON, text="再答")


def test_who_may_ask_what(city, share):
    def ask(by=city.liaison, organization=city.county, text="事由", days=3, **fields):
        return ask_help(
            assignment=share,
            by=by,
            at=NOON,
            organization=organization,
            text=text,
            due_date=TODAY + timedelta(days=days),
            **fields,
        )

    for stranger in (city.other_liaison, city.officer):
        with pytest.raises(PermissionDenied):
            ask(by=stranger)
    for wrong in ({"organization": city.bureau}, {"organization": city.office}, {"text": " "}):
        with pytest.raises(ActRefused):
            ask(**wrong)
    with pytest.raises(ActRefused):
        ask(days=-1)
    assert ask(days=0).status == "asked"


def test_a_share_that_ends_takes_its_requests_along(city, share, asked):
    cancel_assignment(assignment=share, by=city.office_head, at=NOON, basis="依据")

    asked.refresh_from_db()
    assert asked.status == "withdrawn"
    assert inbox_of(city.other_liaison, "help_asked") == 0


def test_one_reminder_a_working_day_before_and_no_escalation(city, asked):
    day_before = TODAY + timedelta(days=2)  # Friday; the day itself is a Monday
    assert remind_of_help(TODAY, at=NOON) == 0

    assert remind_of_help(day_before, at=NOON) == 1
    assert remind_of_help(day_before, at=NOON) == 0
    assert remind_of_help(TODAY + timedelta(days=60), at=NOON) == 0
    assert inbox_of(city.other_liaison, "help_due") == 1
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert kinds == {"help_asked", "help_due"}
    answer_help(help_request=asked, by=city.other_liaison, at=NOON, text="答复")
    assert inbox_of(city.other_liaison, "help_due") == 0


@pytest.mark.parametrize("act", ["help", "extend", "draft_closing"])
def test_the_link_of_a_row_opens_a_page_that_works_without_script(client, city, share, act):
    client.force_login(city.liaison)
    back = reverse("supervision:returns")
    url = reverse("supervision:act_form", args=["assignment", share.uid, act])

    page = client.get(f"{url}?next={back}").content.decode()

    assert "data-dialog-content" in page
    assert f'name="next" value="{back}"' in page
    assert reverse("supervision:assignment_act", args=[share.uid, act]) in page
    elsewhere = client.get(f"{url}?next=//evil.example/").content.decode()
    assert "evil.example" not in elsewhere
    client.force_login(city.county_liaison)
    assert client.get(url).status_code == 404


def test_an_act_sent_from_the_return_page_leads_back_to_it(client, city, share):
    client.force_login(city.liaison)
    back = reverse("supervision:returns")

    answer = client.post(
        reverse("supervision:assignment_act", args=[share.uid, "help"]),
        {
            "next": back,
            "organization": city.county.pk,
            "text": "请协调用地",
            "due_date": (TODAY + timedelta(days=3)).isoformat(),
        },
    )

    assert (answer.status_code, answer.url) == (302, back)
    assert HelpRequest.objects.get().organization == city.county
