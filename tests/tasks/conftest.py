"""A migrated database file, for tests that start real processes."""

from pathlib import Path

import pytest

from tests import database


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Path:
    """A migrated database with roles and settings, no items in it: tests work on copies."""
    path = tmp_path_factory.mktemp("start") / "migrated.sqlite3"
    database.copy_to(path)
    return path
