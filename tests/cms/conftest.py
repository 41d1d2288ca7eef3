"""The tree of public pages, and an edition released through the services."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import DatabaseError, connections

from cms import following, kept, snapshot, standby
from cms.services import sync_site
from supervision.models import Release
from supervision.services import releases as services
from tests.cms.world import public_world
from tests.factories import NOON, release_edition


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    """Rolled-back editions share moments and keys: no test reads another's copy."""
    settings.MEDIA_ROOT = tmp_path
    snapshot._kept.clear()
    standby.forget()
    with time_machine.travel(NOON, tick=False):
        yield
    snapshot._kept.clear()


@pytest.fixture
def site(city, page_tree):
    """The public site as the installation leaves it."""
    return sync_site()


@pytest.fixture
def world(city, site):
    """Four items that may be public, three that may not, and canaries in all that is internal."""
    return public_world(city)


@pytest.fixture
def publish(city, django_capture_on_commit_callbacks):
    """Compose, review by another person, publish; the public set follows after the commit."""

    def run(document, at: datetime = NOON) -> Release:
        with django_capture_on_commit_callbacks(execute=True):
            release = release_edition(city, document, at=at)
        _stand_by()
        return release

    return run


def _stand_by() -> None:
    """What a callback leaves for the commit comes after all others here, with a stamp of its own"""
    if kept.folder() is not None:
        following.keep_standby()


@pytest.fixture
def keeping_pages(settings, tmp_path):
    """Rendered pages are kept, in a folder of this test."""
    settings.PUBLIC_PAGES_DIR = str(tmp_path / "pages")
    settings.SITE_URL = "http://testserver"
    settings.PUBLIC_KEPT_HOSTS = ["testserver"]


@pytest.fixture
def away(monkeypatch):
    """The database is away from the moment this is called."""

    def go():
        def refuse(*args, **kwargs):
            raise DatabaseError("away")

        snapshot._kept.clear()
        monkeypatch.setattr(connections["default"], "cursor", refuse)

    return go


@pytest.fixture
def withdraw(city, django_capture_on_commit_callbacks):
    """Take one item, or a whole edition, from the public."""

    def run(public_item=None, release=None, at: datetime = NOON + timedelta(minutes=5)) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            if public_item is not None:
                services.withdraw_item(
                    public_item=public_item, by=city.reviewer, at=at, reason="涉及个人隐私"
                )
            else:
                services.withdraw_release(
                    release=release, by=city.reviewer, at=at, reason="数字有误"
                )
        _stand_by()

    return run
