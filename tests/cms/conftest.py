"""The tree of public pages, and an edition released through the services."""

from datetime import datetime, timedelta

import pytest
import time_machine

from cms import snapshot
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
            return release_edition(city, document, at=at)

    return run


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

    return run
