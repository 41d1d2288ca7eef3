"""A desk passes to a successor: both confirm, the duty moves, history keeps its names."""

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django_fsm import TransitionNotAllowed

from notifications.models import Delivery, InboxEntry
from supervision.models import Delegation, Handover, Role, Section, User
from supervision.services.acts import ActRefused
from supervision.services.assignments import accept_assignment, remind_body
from supervision.services.handovers import (
    close_account,
    drop_handover,
    give_desk,
    prepare_handover,
    take_desk,
)
from tests.factories import NOON, TODAY, AssignmentFactory, PeriodFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def successor(city):
    return UserFactory(organization=city.bureau, username="xinren", display_name="新人")


@pytest.fixture
def share(city):
    return AssignmentFactory(organization=city.bureau, status="pending")


def prepared(city, successor, by=None, **fields) -> Handover:
    return prepare_handover(
        from_user=city.liaison, to_user=successor, by=by or city.liaison, at=NOON, **fields
    )


def fresh(user) -> User:
    return User.objects.get(pk=user.pk)


def test_the_whole_way(client, city, successor, share):
    accept_assignment(assignment=share, by=city.liaison, at=NOON)
    PeriodFactory(assignment=share)
    remind_body(assignment=share, by=city.officer, at=NOON, text="请抓紧")
    Delegation.objects.create(
        user=city.liaison,
        deputy=city.body_head,
        start_date=TODAY,
        end_date=TODAY,
        created_by=city.liaison,
        created_at=NOON,
    )
    client.force_login(city.liaison)
    begun = client.post(
        reverse("supervision:handovers"),
        {"from_user": city.liaison.pk, "to_user": successor.pk, "note": "钥匙在抽屉里"},
    )
    row = Handover.objects.get()
    assert (begun.status_code, begun.url) == (302, row.get_absolute_url())
    assert share.item.title in client.get(row.get_absolute_url()).content.decode()
    client.post(reverse("supervision:handover_act", args=[row.uid, "give"]), {"version": 0})
    client.force_login(successor)
    page = client.get(row.get_absolute_url()).content.decode()
    assert share.item.title in page and "钥匙在抽屉里" in page

    client.post(reverse("supervision:handover_act", args=[row.uid, "take"]), {"version": 1})

    row.refresh_from_db()
    assert (row.status, row.given_by, len(row.content)) == ("taken", city.liaison, 2)
    assert fresh(successor).is_body and not fresh(city.liaison).is_body
    share.refresh_from_db()
    assert share.accepted_by == city.liaison
    assert not Delegation.objects.filter(ended_at=None).exists()
    reminders = InboxEntry.objects.filter(event__kind="reminded")
    assert reminders.get(user=successor).done_at is None
    assert reminders.get(user=city.liaison).done_at is not None
    assert not Delivery.objects.filter(recipient=city.liaison, status="pending").exists()
    remind_body(assignment=share, by=city.office_head, at=NOON.replace(month=7), text="再催")
    assert InboxEntry.objects.filter(user=successor, event__kind="reminded").count() == 2
    assert InboxEntry.objects.filter(user=city.liaison, event__kind="reminded").count() == 1
    client.force_login(fresh(city.liaison))
    assert client.get(share.get_absolute_url()).status_code == 404


def test_for_an_absent_one_the_head_or_the_office_confirms(city, successor):
    row = prepared(city, successor, by=city.body_head)
    with pytest.raises(PermissionDenied):
        give_desk(handover=row, by=city.other_head, at=NOON)

    row = give_desk(handover=row, by=city.officer, at=NOON)

    assert row.given_by == city.officer
    assert take_desk(handover=row, by=successor, at=NOON).status == "taken"


def test_nobody_takes_for_the_successor_and_nobody_confirms_both_sides(city, successor):
    row = prepared(city, successor)
    with pytest.raises(TransitionNotAllowed):
        take_desk(handover=row, by=successor, at=NOON)
    row = give_desk(handover=row, by=city.liaison, at=NOON)
    for other in (city.liaison, city.body_head, city.officer):
        with pytest.raises(PermissionDenied):
            take_desk(handover=row, by=other, at=NOON)
    both = prepare_handover(
        from_user=city.body_head, to_user=city.liaison, by=city.body_head, at=NOON
    )
    both = give_desk(handover=both, by=city.body_head, at=NOON)
    assert take_desk(handover=both, by=city.liaison, at=NOON).status == "taken"
    assert fresh(city.liaison).has_role(Role.BODY_HEAD)


def test_a_deputy_gives_nobodys_desk_away(city, successor):
    city.liaison.deputy = city.body_head

    with pytest.raises(PermissionDenied):
        prepared(city, successor)


@pytest.mark.parametrize("wrong", ["self", "other_liaison", "closed"])
def test_to_whom_nothing_is_handed_over(city, successor, wrong):
    to_user = {"self": city.liaison, "other_liaison": city.other_liaison, "closed": successor}
    if wrong == "closed":
        User.objects.filter(pk=successor.pk).update(is_active=False)
        successor.refresh_from_db()

    with pytest.raises(ActRefused):
        prepared(city, to_user[wrong])


def test_one_at_a_time_and_a_dropped_one_makes_room(city, successor):
    row = prepared(city, successor)
    with pytest.raises(ActRefused):
        prepared(city, successor)
    assert drop_handover(handover=row, by=successor, at=NOON).status == "dropped"
    assert prepared(city, successor).status == "prepared"


def test_only_the_administrator_closes_the_old_account_and_only_afterwards(city, successor):
    row = give_desk(handover=prepared(city, successor), by=city.liaison, at=NOON)
    with pytest.raises(ActRefused):
        close_account(handover=row, by=city.administrator, at=NOON)
    row = take_desk(handover=row, by=successor, at=NOON)
    with pytest.raises(PermissionDenied):
        close_account(handover=row, by=city.officer, at=NOON)

    row = close_account(handover=row, by=city.administrator, at=NOON)

    assert row.closed_at == NOON
    assert not fresh(city.liaison).is_active
    with pytest.raises(ActRefused):
        close_account(handover=row, by=city.administrator, at=NOON)


def test_the_section_passes_with_the_desk(city, successor):
    section = Section.objects.create(organization=city.bureau, name="科技科")
    User.objects.filter(pk=city.liaison.pk).update(section=section)
    city.liaison.refresh_from_db()

    row = give_desk(handover=prepared(city, successor), by=city.liaison, at=NOON)
    take_desk(handover=row, by=successor, at=NOON)

    assert fresh(successor).section == section


def test_a_long_index_is_read_page_by_page_and_printed_whole(client, city, successor, monkeypatch):
    monkeypatch.setattr("supervision.views.handovers.INDEX_PAGE", 2)
    for number in range(5):
        AssignmentFactory(
            organization=city.bureau, item__title=f"第{number}项", item__dispatched=True
        )
    handover = prepared(city, successor)
    client.force_login(city.liaison)

    def shown(**query) -> list[str]:
        answer = client.get(handover.get_absolute_url(), query)
        assert answer.context["total"] == 5
        return [entry["title"] for entry in answer.context["entries"]]

    pages = [shown(page=number) for number in (1, 2, 3)]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [title for page in pages for title in page] == shown(print="all")
    assert "?print=all" in client.get(handover.get_absolute_url()).content.decode()
