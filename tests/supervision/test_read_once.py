"""A reading page asks for the settings once; an act asks for what is true at that moment."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from supervision.backends import DeskBackend
from supervision.models import TimeLimit
from supervision.read_once import reading
from supervision.services.calendar import working_calendar
from supervision.services.settings import light_schemes, limits

pytestmark = pytest.mark.django_db


def statements(*asked) -> int:
    with CaptureQueriesContext(connection) as captured:
        for one in asked:
            one()
    return len(captured)


@pytest.mark.parametrize("asked", [limits, light_schemes, working_calendar])
def test_what_a_page_has_read_it_does_not_read_again(asked):
    asked()
    assert statements(asked, asked) == 2

    with reading():
        assert statements(asked, asked) == 1

    assert statements(asked) == 1


def test_the_next_page_sees_what_has_changed_meanwhile():
    with reading():
        before = limits()["accept", ""]
        TimeLimit.objects.update_or_create(
            code="accept", urgency="", defaults={"value": 9, "unit": "working_day"}
        )
        assert limits()["accept", ""] == before

    with reading():
        assert limits()["accept", ""] == (9, "working_day")


def test_the_account_comes_with_its_body_and_roles_in_one_statement(city):
    with CaptureQueriesContext(connection) as captured:
        user = DeskBackend().get_user(city.liaison.pk)
        assert user.has_role("liaison")
        assert str(user.organization) == city.bureau.short_name

    assert len(captured) == 1
    city.liaison.is_active = False
    city.liaison.save()
    assert DeskBackend().get_user(city.liaison.pk) is None
    assert DeskBackend().get_user(0) is None


def test_an_account_without_a_role_has_none(city):
    assert DeskBackend().get_user(city.stranger.pk).role_codes == frozenset()
