"""Sections: a section's liaison sees, writes and hears of its work only; the rest see all of it."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from notifications.models import InboxEntry
from supervision.models import Assignment, Event, Letter, Role, Section, User
from supervision.services.acts import ActRefused
from supervision.services.assignments import remind_body
from supervision.services.sections import place_person, save_section, set_section
from tests.factories import NOON, AssignmentFactory, LetterFactory, PeriodFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGE = reverse("supervision:sections")


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def spread(city):
    """Two sections; a share each and one of none; a liaison of the first beside the whole one."""
    city.first, city.second = (
        Section.objects.create(organization=city.bureau, name=name) for name in ("甲科", "乙科")
    )
    city.shares = [
        AssignmentFactory(organization=city.bureau, section=section)
        for section in (city.first, city.second, None)
    ]
    city.periods = [PeriodFactory(assignment=share) for share in city.shares]
    city.clerk = UserFactory(roles=[Role.LIAISON], organization=city.bureau, section=city.first)
    return city


def test_a_section_sees_its_own_rows_only(client, spread):
    mine, others = spread.shares[0], spread.shares[1:]
    assert list(Assignment.objects.visible_to(spread.clerk)) == [mine]
    for letter_of in spread.shares:
        LetterFactory(assignment=letter_of)
    assert [row.assignment for row in Letter.objects.visible_to(spread.clerk)] == [mine]
    client.force_login(spread.clerk)
    page = client.get(reverse("supervision:returns_of", args=["2026-05"]))
    assert [row.assignment for row in page.context["rows"]] == [mine]
    assert client.get(mine.get_absolute_url()).status_code == 200
    for share, period in zip(others, spread.periods[1:], strict=True):
        assert client.get(share.get_absolute_url()).status_code == 404
        draft = reverse("supervision:return_draft", args=[period.label, period.uid])
        assert client.post(draft, {}).status_code == 404
    assert client.get(PAGE).status_code == 403


def test_head_and_liaison_of_the_whole_body_see_all_and_filter(client, spread):
    for user in (spread.liaison, spread.body_head):
        assert Assignment.objects.visible_to(user).count() == 3
    client.force_login(spread.liaison)
    url = reverse("supervision:returns_of", args=["2026-05"])
    found = {
        wanted: [row.assignment for row in client.get(f"{url}?section={wanted}").context["rows"]]
        for wanted in ("", str(spread.first.uid), "none")
    }
    assert found == {
        "": spread.shares,
        str(spread.first.uid): spread.shares[:1],
        "none": spread.shares[2:],
    }


def test_a_head_with_a_section_sees_all(spread):
    head = UserFactory(
        roles=[Role.BODY_HEAD, Role.LIAISON], organization=spread.bureau, section=spread.first
    )
    assert Assignment.objects.visible_to(head).count() == 3


def test_a_section_hears_of_its_own_work_only(spread):
    for number, share in enumerate(spread.shares):
        remind_body(
            assignment=share, by=spread.officer, at=NOON + timedelta(days=number), text="请抓紧"
        )

    heard = InboxEntry.objects.filter(event__kind="reminded")
    assert [row.event.assignment for row in heard.filter(user=spread.clerk)] == spread.shares[:1]
    assert heard.filter(user=spread.liaison).count() == 3


def test_work_is_spread_on_one_page(client, spread):
    client.force_login(spread.liaison)
    data = {f"share-{share.pk}": spread.second.pk for share in spread.shares}

    assert client.post(PAGE, {"act": "spread"} | data).status_code == 302

    assert set(Assignment.objects.values_list("section", flat=True)) == {spread.second.pk}
    assert Event.objects.filter(kind="section_set").count() == 2
    client.post(PAGE, {"act": "spread"} | data)
    assert Event.objects.filter(kind="section_set").count() == 2


def test_sections_are_added_and_closed_when_empty(client, spread):
    client.force_login(spread.body_head)
    client.post(PAGE, {"act": "add", "name": "丙科", "contact_name": "王五"})
    third = Section.objects.get(name="丙科")
    assert (third.organization, third.contact_name) == (spread.bureau, "王五")
    client.post(PAGE, {"act": "switch", "section": spread.first.pk})
    spread.first.refresh_from_db()
    assert spread.first.is_active
    client.post(PAGE, {"act": "switch", "section": third.pk})
    third.refresh_from_db()
    assert not third.is_active
    with pytest.raises(ActRefused):
        save_section(organization=spread.bureau, by=spread.liaison, at=NOON, name="甲科")


def test_the_head_places_people(client, spread):
    client.force_login(spread.body_head)
    client.post(PAGE, {"act": "place", f"person-{spread.liaison.pk}": spread.second.pk})
    assert User.objects.get(pk=spread.liaison.pk).section == spread.second
    with pytest.raises(PermissionDenied):
        place_person(person=spread.clerk, section=None, by=spread.clerk, at=NOON)
    with pytest.raises(ActRefused):
        place_person(person=spread.body_head, section=spread.first, by=spread.body_head, at=NOON)


def test_a_section_of_another_body_is_no_choice(client, spread):
    foreign = Section.objects.create(organization=spread.county, name="外科")
    with pytest.raises(ActRefused):
        set_section(assignment=spread.shares[0], section=foreign, by=spread.liaison, at=NOON)
    for stranger in (spread.county_liaison, spread.officer, spread.clerk):
        with pytest.raises(PermissionDenied):
            set_section(assignment=spread.shares[0], section=None, by=stranger, at=NOON)
    client.force_login(spread.liaison)
    data = {"act": "spread", f"share-{spread.shares[0].pk}": foreign.pk}
    assert client.post(PAGE, data).status_code == 404
