"""Fixtures every test may use: a fixed noon, the roles, the people of a small city."""

import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as project_settings
from django.core.cache import cache
from wagtail.models import Locale, Page

from supervision.models import CalendarYear
from supervision.services.roles import sync_roles
from supervision.services.settings import sync_settings
from tests import database

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 6, 10, 12, 0, tzinfo=SHANGHAI)  # a Wednesday, a working day


# Files that keep a worker busy for long begin first, so that none of them is left for the end.
LONGEST_FIRST = (
    "test_demonstration.py",
    "test_access_matrix.py",
    "test_export_and_check.py",
    "test_worker.py",
    "test_demonstration_rules.py",
    "test_start.py",
    "test_release_gate.py",
    "test_queries.py",
    "test_proofs.py",
)


# How pages look and read is the same whatever database is behind them; Wagtail's pages are asked of
# both by test_wagtail, and of the demonstration a shorter one is replayed on both.
SEEN_ONCE = (
    "test_axe.py",
    "test_demonstration.py",
    "test_editor.py",
    "test_export_and_check.py",
    "test_guard.py",
    "test_print.py",
)
IS_SQLITE = project_settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"


def pytest_collection_modifyitems(config, items):
    place = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))
    if not IS_SQLITE:
        # The rest ran in the first round and cannot say anything else in the second.
        alike = [item for item in items if not _depends_on_the_database(item)]
        config.hook.pytest_deselected(items=alike)
        items[:] = [item for item in items if _depends_on_the_database(item)]


def _depends_on_the_database(item) -> bool:
    """Not what opens none, or makes an SQLite file of its own, or need be seen only once."""
    if item.path.name in SEEN_ONCE:
        return False
    fixtures = {"db", "transactional_db", "django_db_setup"}
    return bool(item.get_closest_marker("django_db") or fixtures & set(item.fixturenames))


@pytest.fixture(autouse=True)
def clean_cache():
    cache.clear()


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb) -> bool:
    """On SQLite the database is a copy of a migrated one: kept, and only brought up to date."""
    return django_db_keepdb or IS_SQLITE


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """A file of one's own for each worker, in memory-backed storage."""
    if not IS_SQLITE:
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix=f"tests-{os.getpid()}-", dir=database.fast_folder()))
    file = folder / "test.sqlite3"
    database.copy_to(file)
    project_settings.DATABASES["default"]["TEST"]["NAME"] = str(file)
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Roles and settings once for the whole run: the calendar is the slow part."""
    with django_db_blocker.unblock():
        sync_roles()
        sync_settings(at=NOON)


@pytest.fixture
def settings_loaded(db):
    """Roles, limits, ladder, calendar as shipped; again after a test that emptied the tables."""
    if not CalendarYear.objects.exists():
        sync_roles()
        sync_settings(at=NOON)


@pytest.fixture
def page_tree(db):
    """The root of the public pages, which a migration makes and a flush takes away."""
    if Page.get_first_root_node() is None:
        Locale.objects.get_or_create(language_code="zh-hans")
        Page.add_root(title="Root", slug="root")
        Page.get_first_root_node().add_child(instance=Page(title="Home", slug="home"))


@pytest.fixture
def city(settings_loaded):
    """A small city: office, two bureaus, two counties, and somebody in every role."""
    from tests.factories import build_city

    return build_city()
