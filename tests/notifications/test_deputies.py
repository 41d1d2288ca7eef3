"""AB角: acting for another, both names on record, four eyes of two people, messages to both."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django_fsm import TransitionNotAllowed

from notifications.models import Delivery, InboxEntry
from notifications.sending import send_pending
from supervision import permissions
from supervision.models import Delegation, Event, EventKind, Role, User
from supervision.services import items, releases
from supervision.services.acts import ActRefused, record_event
from supervision.services.assignments import accept_assignment
from supervision.services.delegations import end_delegation, grant_delegation
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    ItemFactory,
    PartyFactory,
    UserFactory,
)

HOME = reverse("supervision:home")
DEPUTIES = reverse("supervision:deputies")
ONE_DAY = timedelta(days=1)


@pytest.fixture
def now():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def colleague(city):
    return UserFactory(username="colleague", roles=["liaison"], organization=city.bureau)


def grant(user, deputy, *, days=5, by=None, start=TODAY) -> Delegation:
    return grant_delegation(
        user=user,
        deputy=deputy,
        start_date=start,
        end_date=start + timedelta(days=days),
        by=by or user,
        at=NOON,
    )


def acting(deputy, person):
    """The person as the middleware gives it to the views."""
    found = User.objects.get(pk=person.pk)
    found.deputy = deputy
    return found


# Appointing


def test_who_may_appoint_a_deputy(city, colleague):
    for by in (city.liaison, city.body_head, city.administrator):
        end_delegation(delegation=grant(city.liaison, colleague, by=by), by=by, at=NOON)
    for by in (colleague, city.other_head, city.officer, city.leader):
        with pytest.raises(PermissionDenied):
            grant(city.liaison, colleague, by=by)
    with pytest.raises(PermissionDenied):  # nor does a deputy appoint another
        grant(city.body_head, colleague, by=acting(colleague, city.body_head))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda city, other: {"deputy": city.liaison},
        lambda city, other: {"deputy": other, "days": -1},
        lambda city, other: {"deputy": other, "start": TODAY - timedelta(days=9), "days": 3},
        lambda city, other: {"deputy": city.other_liaison},
        lambda city, other: {"deputy": city.officer},
    ],
)
def test_what_cannot_be_is_refused_in_words(city, colleague, wrong):
    with pytest.raises(ActRefused):
        grant(city.liaison, **wrong(city, colleague))
    assert not Delegation.objects.exists()


def test_keepers_of_the_system_and_closed_accounts_are_no_deputies(city):
    for deputy in (city.auditor, city.administrator):
        with pytest.raises(ActRefused):
            grant(city.officer, deputy)
    gone = UserFactory(roles=["officer"], organization=city.office, is_active=False)
    with pytest.raises(ActRefused):
        grant(city.officer, gone)


def test_the_same_deputy_is_not_appointed_twice_for_a_day(city, colleague):
    grant(city.liaison, colleague)
    with pytest.raises(ActRefused):
        grant(city.liaison, colleague, start=TODAY + 3 * ONE_DAY)
    grant(city.liaison, colleague, start=TODAY + 6 * ONE_DAY)


def test_the_database_keeps_it_too(city, colleague):
    days = {"start_date": TODAY, "end_date": TODAY, "created_at": NOON, "created_by": city.liaison}
    for wrong in (
        {"deputy": city.liaison},
        {"deputy": colleague, "end_date": TODAY - ONE_DAY},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Delegation.objects.create(**{"user": city.liaison, **days, **wrong})


# Acting


def test_records_show_both_names(city, colleague):
    share = AssignmentFactory(status="pending", organization=city.bureau)
    accept_assignment(assignment=share, by=acting(colleague, city.liaison), at=NOON)
    event = Event.objects.get(kind=EventKind.ACCEPTED)
    assert (event.by, event.on_behalf_of) == (colleague, city.liaison)
    assert event.by_name == f"{colleague}代{city.liaison}"
    assert event.by_role == "liaison"


def test_a_deputy_acts_on_the_desk_until_he_stops(client, city, colleague, now):
    row = grant(city.body_head, colleague)
    client.force_login(colleague)
    assert city.body_head.display_name not in client.get(HOME, follow=True).content.decode()
    client.post(reverse("supervision:stand_in", args=[row.uid]))
    response = client.get(HOME, follow=True)
    assert response.context["user"] == city.body_head
    assert response.context["user"].deputy == colleague
    assert f"{colleague}代{city.body_head}" in response.content.decode()
    client.post(reverse("supervision:stand_down"))
    assert client.get(HOME, follow=True).context["user"] == colleague


@pytest.mark.parametrize("end", ["last day", "ended", "closed"])
def test_it_ends_by_itself(client, city, colleague, end):
    row = grant(city.body_head, colleague)
    client.force_login(colleague)
    with time_machine.travel(NOON, tick=False):
        client.post(reverse("supervision:stand_in", args=[row.uid]))
        assert client.get(HOME, follow=True).context["user"] == city.body_head
        if end == "ended":
            end_delegation(delegation=row, by=city.body_head, at=NOON)
        if end == "closed":
            city.body_head.is_active = False
            city.body_head.save()
    later = NOON + (6 * ONE_DAY if end == "last day" else timedelta(minutes=1))
    with time_machine.travel(later, tick=False):
        client.force_login(colleague)
        session = client.session
        session["stands_in"] = row.pk
        session.save()
        response = client.get(HOME, follow=True)
        assert response.context["user"] == colleague
        assert "stands_in" not in client.session


def test_nobody_stands_in_by_another_ones_delegation_or_before_its_day(
    client, city, colleague, now
):
    row = grant(city.body_head, colleague)
    later = grant(city.liaison, colleague, start=TODAY + ONE_DAY)
    for who, which in ((city.other_liaison, row), (city.liaison, row), (colleague, later)):
        client.force_login(who)
        assert client.post(reverse("supervision:stand_in", args=[which.uid])).status_code == 404
        session = client.session
        session["stands_in"] = which.pk  # even with the session forged
        session.save()
        assert client.get(HOME, follow=True).context["user"] == who


def test_a_deputy_sees_what_the_other_sees_and_no_more(client, city, now):
    """An officer who stands in for a leader loses the office's view while he does."""
    foreign = AssignmentFactory(organization=city.county)
    foreign.item.leader = city.other_leader
    foreign.item.save()
    address = reverse("supervision:assignment", args=[foreign.uid])
    row = grant(city.leader, city.officer)
    client.force_login(city.officer)
    assert client.get(address).status_code == 200
    client.post(reverse("supervision:stand_in", args=[row.uid]))
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "name", ["supervision:password", "supervision:deputies", "notifications:preferences"]
)
def test_what_is_personal_is_not_done_for_another(client, city, colleague, now, name):
    row = grant(city.body_head, colleague)
    client.force_login(colleague)
    client.post(reverse("supervision:stand_in", args=[row.uid]))
    before = User.objects.get(pk=city.body_head.pk).password
    for answer in (client.get(reverse(name)), client.post(reverse(name), {"is_sms_on": ""})):
        assert (answer.status_code, answer.url) == (302, HOME)
    assert User.objects.get(pk=city.body_head.pk).password == before
    assert Delegation.objects.count() == 1


def test_the_page_appoints_and_ends(client, city, colleague, now):
    client.force_login(city.body_head)
    typed = {"user": city.liaison.pk, "deputy": colleague.pk, "start_date": "2026-06-10"}
    wrong = client.post(DEPUTIES, typed | {"end_date": "2026-06-01"})
    assert wrong.status_code == 200 and 'value="2026-06-01"' in wrong.content.decode()
    assert client.post(DEPUTIES, typed | {"end_date": "2026-06-12"}).url == DEPUTIES
    row = Delegation.objects.get()
    client.force_login(city.other_head)
    assert str(colleague) not in client.get(DEPUTIES).content.decode()
    end = reverse("supervision:deputy_end", args=[row.uid])
    assert client.post(end).status_code == 404
    client.force_login(colleague)
    assert client.post(end).status_code == 302
    row.refresh_from_db()
    assert row.ended_by == colleague


# Four eyes


def submitted(city, drafter, deputy=None):
    item = ItemFactory(
        status="under_approval",
        submitted_at=NOON,
        drafted_by=drafter,
        drafted_by_deputy=deputy,
        leader=city.leader,
    )
    PartyFactory(item=item, organization=city.bureau)
    return item


def test_a_drafter_does_not_approve_his_own_draft_as_deputy_of_the_head(city):
    item = submitted(city, city.officer)
    with pytest.raises(PermissionDenied):
        items.approve_item(item=item, by=acting(city.officer, city.office_head), at=NOON)
    items.approve_item(item=item, by=city.office_head, at=NOON)


def test_neither_of_the_two_approves_what_one_drafted_for_the_other(city):
    """The head drafts as the officer's deputy: then neither account approves, another does."""
    both = UserFactory(roles=["officer", "office_head"], organization=city.office)
    item = items.create_item(
        document=ItemFactory().document,
        clause=None,
        kind="task",
        title="新事项",
        position=9,
        parties=[],
        by=acting(both, city.officer),
        at=NOON,
    )
    assert (item.drafted_by, item.drafted_by_deputy) == (city.officer, both)
    assert not permissions.can_approve_item(item, both)
    assert not permissions.can_approve_item(item, acting(city.officer, city.office_head))
    assert permissions.can_approve_item(item, city.office_head)
    with pytest.raises(IntegrityError), transaction.atomic():
        type(item).objects.filter(pk=item.pk).update(approved_by=both)


def test_an_author_does_not_review_his_own_edition_as_deputy(city):
    release = releases.Release(author=city.publisher, author_deputy=None)
    assert not permissions.can_review_release(release, acting(city.publisher, city.reviewer))
    assert permissions.can_review_release(release, city.reviewer)
    release = releases.Release(author=city.publisher, author_deputy=city.reviewer)
    assert not permissions.can_review_release(release, city.reviewer)


def test_who_endorsed_an_extension_does_not_grant_it_as_deputy(city):
    extension = ExtensionFactory(
        assignment=AssignmentFactory(organization=city.bureau),
        status="endorsed",
        submitted_at=NOON,
        endorsed_by=city.officer,
    )
    assert permissions.can_grant_extension(extension, city.office_head)
    assert not permissions.can_grant_extension(extension, acting(city.officer, city.office_head))


def test_the_state_still_comes_first(city):
    item = submitted(city, city.officer)
    items.approve_item(item=item, by=city.office_head, at=NOON)
    with pytest.raises(TransitionNotAllowed):
        items.approve_item(item=item, by=acting(city.officer, city.office_head), at=NOON)


# Messages


def happen(city, **fields):
    row = AssignmentFactory(organization=city.bureau, due_date=TODAY - ONE_DAY)
    return record_event(
        EventKind.REMINDED, assignment=row, at=NOON, data={"episode": 1}, **{"by": None} | fields
    )


@pytest.fixture
def stranger_deputy(city):
    """Somebody of the body with no duty in it who would hear nothing otherwise."""
    return UserFactory(
        username="standin", roles=[Role.PUBLISHER], organization=city.bureau, display_name="李代"
    )


def test_messages_reach_the_deputy_too_and_say_why(city, stranger_deputy, mailoutbox):
    grant(city.liaison, stranger_deputy)
    event = happen(city)
    entry = InboxEntry.objects.get(user=stranger_deputy, event=event)
    assert (entry.reason_code, entry.reason_params) == ("deputy", {"person": "liaison"})
    send_pending(NOON)
    mail = next(one for one in mailoutbox if one.to == ["standin@example.org"])
    assert "代liaison" in mail.body
    assert sorted(one.to[0] for one in mailoutbox)[:2] == [
        "body_head@example.org",
        "liaison@example.org",
    ]


def test_who_is_appointed_after_the_fact_still_gets_what_waits(city, stranger_deputy, mailoutbox):
    event = happen(city)
    grant(city.liaison, stranger_deputy)
    send_pending(NOON)
    assert Delivery.objects.get(event=event, recipient=stranger_deputy).status == "sent"
    assert InboxEntry.objects.filter(user=stranger_deputy).count() == 1


def test_what_no_longer_concerns_the_deputy_expires(city, stranger_deputy, mailoutbox):
    row = grant(city.liaison, stranger_deputy)
    event = happen(city)
    end_delegation(delegation=row, by=city.liaison, at=NOON)
    send_pending(NOON)
    found = Delivery.objects.get(event=event, recipient=stranger_deputy)
    assert (found.status, found.error) == ("expired", "deputy_ended")
    assert "standin@example.org" not in [one.to[0] for one in mailoutbox]


def test_what_the_person_may_no_longer_hear_the_deputy_does_not_hear_either(
    city, stranger_deputy, mailoutbox
):
    grant(city.liaison, stranger_deputy)
    event = happen(city)
    city.liaison.groups.clear()
    send_pending(NOON)
    assert set(
        Delivery.objects.filter(event=event, status="expired").values_list("error", flat=True)
    ) == {"duty"}
    assert [one.to for one in mailoutbox] == [["body_head@example.org"]]


def test_nobody_is_told_of_what_he_did_for_another(city, stranger_deputy):
    grant(city.liaison, stranger_deputy)
    event = happen(city, by=acting(stranger_deputy, city.officer))
    assert not InboxEntry.objects.filter(event=event, user=stranger_deputy).exists()


def test_two_duties_make_one_message(city, colleague):
    grant(city.body_head, colleague)
    event = happen(city)
    assert Delivery.objects.filter(event=event, recipient=colleague).count() == 1
    assert InboxEntry.objects.get(event=event, user=colleague).reason_code == "liaison"
