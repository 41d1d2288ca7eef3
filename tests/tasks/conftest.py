"""A migrated database file, for tests that start real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Path:
    """An empty, migrated database: tests work on copies."""
    path = tmp_path_factory.mktemp("start") / "migrated.sqlite3"
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{path}",
        "DJANGO_SETTINGS_MODULE": "supervision.config.settings.dev",
    }
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)
    return path
