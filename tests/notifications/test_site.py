"""A restored copy starts muted; a new database sends without any step."""

import json
import shutil
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection

from notifications import site
from notifications.models import Delivery, SiteIdentity
from notifications.sending import send_pending
from supervision.models import EventKind
from supervision.services.acts import record_event
from tests.factories import NOON, AssignmentFactory


@pytest.fixture(autouse=True)
def host_file(settings, tmp_path):
    settings.SITE_ID_FILE = tmp_path / "var" / "site-id.json"
    return settings.SITE_ID_FILE


@pytest.fixture
def waiting(city):
    row = AssignmentFactory(organization=city.bureau)
    return record_event(EventKind.REMINDED, assignment=row, by=None, at=NOON)


def remind_again(event):
    record_event(EventKind.REMINDED, assignment=event.assignment, by=None, at=NOON)


def test_a_new_database_is_adopted_by_the_host_that_first_sends(waiting, host_file):
    assert send_pending(NOON)["is_muted"] is False
    assert len(mail.outbox) == 2
    identity = SiteIdentity.objects.get().site_id
    assert list(json.loads(host_file.read_text()).values()) == [str(identity)]


def test_a_copy_on_another_host_is_muted_until_a_person_adopts_it(waiting, host_file, capsys):
    send_pending(NOON)
    mail.outbox.clear()
    Delivery.objects.update(status="pending", sent_at=None, digest=None)
    host_file.unlink()  # the other host
    result = send_pending(NOON)
    assert (result["is_muted"], result["why_muted"], result["waiting"]) == (True, "site", 2)
    assert mail.outbox == []
    assert send_pending(NOON)["is_muted"]  # looking at it adopts nothing
    call_command("adopt_site")
    assert str(SiteIdentity.objects.get().site_id) in capsys.readouterr().out
    assert send_pending(NOON)["is_muted"] is False


def test_a_copy_beside_the_first_one_is_muted(waiting, monkeypatch):
    send_pending(NOON)
    monkeypatch.setitem(connection.settings_dict, "NAME", "/somewhere/else/copy.sqlite3")
    assert send_pending(NOON)["why_muted"] == "site"


def test_another_database_put_in_the_place_of_the_first_is_muted(waiting):
    send_pending(NOON)
    SiteIdentity.objects.all().delete()
    SiteIdentity.objects.create(created_at=NOON)
    assert send_pending(NOON)["why_muted"] == "site"


def test_a_database_that_has_sent_before_and_lost_its_identity_is_not_new(waiting):
    send_pending(NOON)
    SiteIdentity.objects.all().delete()
    assert send_pending(NOON)["why_muted"] == "site"
    assert not SiteIdentity.objects.exists()


def test_the_switch_of_the_host_comes_first(waiting, settings):
    settings.SEND_MAIL = False
    assert send_pending(NOON)["why_muted"] == "switch"
    assert not SiteIdentity.objects.exists()


def test_one_host_may_serve_two_databases(waiting, monkeypatch):
    send_pending(NOON)
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "/another/database.sqlite3")
        site.adopt_site(NOON)
        assert site.mute_reason(NOON) == ""
    assert site.mute_reason(NOON) == ""


@pytest.mark.parametrize("content", ["", "no json", "[]", "null"])
def test_a_broken_file_of_the_host_mutes(waiting, host_file, content):
    send_pending(NOON)
    host_file.write_text(content)
    assert site.mute_reason(NOON) == "site"


def test_a_file_that_cannot_be_written_mutes_and_loses_nothing(waiting, host_file):
    shutil.rmtree(host_file.parent, ignore_errors=True)
    Path(host_file.parent).write_text("a file where the folder should be")
    result = send_pending(NOON)
    assert (result["why_muted"], result["waiting"]) == ("site", 2)


def test_the_command_adopts_and_sends_in_one_go(waiting, host_file, capsys):
    SiteIdentity.objects.create(created_at=NOON)
    call_command("send_pending")
    assert json.loads(capsys.readouterr().out)["why_muted"] == "site"
    call_command("send_pending", "--adopt")
    assert json.loads(capsys.readouterr().out)["is_muted"] is False


def test_the_offices_card_says_so_in_plain_words(client, waiting, city, host_file):
    send_pending(NOON)
    host_file.unlink()
    client.force_login(city.officer)
    page = client.get("/desk/").content.decode()
    assert "恢复的副本" in page and "adopt_site" in page
    site.adopt_site(NOON)
    assert "adopt_site" not in client.get("/desk/").content.decode()
