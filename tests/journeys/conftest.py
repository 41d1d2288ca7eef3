"""Whole stories in a real browser. A missing browser is a failure, never a skip."""

import os
import shutil
from collections.abc import Callable
from datetime import datetime

import pytest
import time_machine
from playwright.sync_api import Browser, Error, sync_playwright

from cms import snapshot
from cms.services import sync_site
from tests.factories import NOON
from tests.journeys.visitor import Visitor

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if "/journeys/" in str(item.path):
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all stories. Its loop runs in this thread, hence the permission."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.fail("The stories need Chromium: apt install chromium")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except Error as error:
            pytest.fail(f"Chromium does not start: {error}")
        yield found
        found.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def clock(settings, tmp_path):
    """The clock of the server: it runs from noon; `clock.move_to(moment)` jumps."""
    settings.MEDIA_ROOT = tmp_path
    snapshot._kept.clear()
    with time_machine.travel(NOON, tick=True) as traveller:
        yield traveller
    snapshot._kept.clear()


@pytest.fixture
def town(transactional_db, browser, city, page_tree, clock):
    """The small city with its public site."""
    sync_site()
    return city


@pytest.fixture
def visit(browser: Browser, live_server, town):
    """`visit("officer")` signs somebody in; `visit()` is a citizen. Troubles fail the test."""
    opened: list[Visitor] = []

    def run(username: str = "", **options) -> Visitor:
        visitor = Visitor(browser, live_server.url, **options)
        opened.append(visitor)
        if username:
            visitor.sign_in(username)
        return visitor

    yield run
    troubles = [trouble for visitor in opened for trouble in visitor.close()]
    assert troubles == []


@pytest.fixture
def at(clock) -> Callable[[datetime], None]:
    """Jump to a moment."""
    return lambda moment: clock.move_to(moment)
