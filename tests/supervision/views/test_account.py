"""Signing in: the same answer for everybody, a lock after five failures, out by POST only."""

import pytest
import time_machine
from django.urls import reverse

from supervision.views import account
from tests.factories import NOON, PASSWORD

pytestmark = pytest.mark.django_db
SIGN_IN = reverse("supervision:sign_in")
TARGET = reverse("supervision:mine")


def sign_in(client, username, password, **extra):
    data = {"username": username, "password": password, "next": TARGET}
    return client.post(SIGN_IN, data, **extra)


def message_of(response) -> list[str]:
    return [str(error) for error in response.context["form"].non_field_errors()]


def test_the_page_warns_of_secrets(client):
    assert "涉密" in client.get(SIGN_IN).content.decode()


def test_the_right_password_opens_the_desk(client, city):
    response = sign_in(client, "liaison", PASSWORD)

    assert response.status_code == 302
    assert response.url == TARGET
    assert client.get(TARGET).status_code == 200


def test_another_site_is_not_a_target(client, city):
    client.force_login(city.liaison)
    data = {"username": "liaison", "password": PASSWORD, "next": TARGET}
    data["next"] = "https://evil.example/"
    client.logout()
    client.raise_request_exception = False
    response = client.post(SIGN_IN, data)

    assert "evil.example" not in response.headers.get("Location", "")


def test_unknown_and_known_names_get_the_same_answer(client, city):
    known = sign_in(client, "liaison", "wrong")
    unknown = sign_in(client, "nobody-here", "wrong")

    assert message_of(known) == message_of(unknown)
    assert known.status_code == unknown.status_code == 200


def test_a_closed_account_gets_the_same_answer(client, city):
    city.liaison.is_active = False
    city.liaison.save()

    right = sign_in(client, "liaison", PASSWORD)
    wrong = sign_in(client, "officer", "wrong")

    assert message_of(right) == message_of(wrong)


@pytest.mark.parametrize("name", ["liaison", "nobody-here"])
def test_five_failures_lock_for_fifteen_minutes(client, city, name, settings):
    # Redis forgets by its own clock, which no test can turn forward.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    with time_machine.travel(NOON, tick=False) as clock:
        for _attempt in range(account.MAX_FAILURES):
            wrong = sign_in(client, name, "wrong")
        locked = sign_in(client, name, PASSWORD)

        assert message_of(locked) != message_of(wrong)
        assert "15" in message_of(locked)[0]
        assert sign_in(client, name.upper(), PASSWORD).status_code == 200

        clock.shift(account.LOCK_SECONDS + 1)
        again = sign_in(client, name, PASSWORD)

    assert again.status_code == (302 if name == "liaison" else 200)
    if name != "liaison":
        assert message_of(again) == message_of(wrong)


def test_the_lock_is_for_one_name_and_one_address(client, city):
    for _attempt in range(account.MAX_FAILURES):
        sign_in(client, "liaison", "wrong", REMOTE_ADDR="2001:db8::1")

    assert sign_in(client, "liaison", PASSWORD, REMOTE_ADDR="2001:db8::2").status_code == 200
    assert sign_in(client, "officer", PASSWORD, REMOTE_ADDR="2001:db8::1").status_code == 302
    assert sign_in(client, "liaison", PASSWORD, REMOTE_ADDR="2001:db8:1::1").status_code == 302


def test_success_forgets_earlier_failures(client, city):
    for _round in range(3):
        for _attempt in range(account.MAX_FAILURES - 1):
            sign_in(client, "liaison", "wrong")
        assert sign_in(client, "liaison", PASSWORD).status_code == 302


def test_sign_out_needs_a_post(client, city):
    client.force_login(city.liaison)

    assert client.get(reverse("supervision:sign_out")).status_code == 405
    assert client.get(TARGET).status_code == 200
    assert client.post(reverse("supervision:sign_out")).url == SIGN_IN
    assert client.get(TARGET).status_code == 302


def test_the_password_is_changed_and_other_sessions_end(client, city):
    from django.test import Client

    elsewhere = Client()
    elsewhere.force_login(city.liaison)
    client.force_login(city.liaison)
    url = reverse("supervision:password")
    new = "Another-horse-10"

    wrong = client.post(url, {"old_password": "no", "new_password1": new, "new_password2": new})
    assert wrong.status_code == 200
    done = client.post(url, {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert done.status_code == 302
    assert client.get(TARGET).status_code == 200
    assert elsewhere.get(TARGET).status_code == 302


def test_strangers_cannot_change_a_password(client):
    assert client.get(reverse("supervision:password")).status_code == 302
