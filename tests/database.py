"""A migrated SQLite database: made once for a set of migrations, copied for every run after it.

`python -m tests.database FILE` makes one. What a copy still lacks, `migrate` adds.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT_SECONDS = 14 * 24 * 3600
LEAST_FREE_BYTES = 512 * 1024 * 1024


def fast_folder() -> str | None:
    """Memory-backed storage where there is room: what is tested is not a loss of power."""
    folder = "/dev/shm"
    if Path(folder).is_dir() and shutil.disk_usage(folder).free > LEAST_FREE_BYTES:
        return folder
    return None


def copy_to(target: Path) -> None:
    """Put a migrated database with roles and settings at `target`, made first where none is kept.

    Raises subprocess.CalledProcessError when it cannot be made.
    """
    folder = Path(tempfile.gettempdir()) / f"supervision-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / f"{_digest()}.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _drop_old(folder)
            begun = kept.with_suffix(f".{os.getpid()}")
            environment = os.environ | {"DATABASE_URL": f"sqlite:///{begun}"}
            command = [sys.executable, "-m", "tests.database", str(begun)]
            subprocess.run(command, check=True, cwd=ROOT, env=environment)
            begun.rename(kept)
        os.utime(kept)
        shutil.copyfile(kept, target)


def _digest() -> str:
    """Changes with every migration, ours or a package's."""
    found = sha256((ROOT / "requirements.lock").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:20]


def _drop_old(folder: Path) -> None:
    for path in folder.glob("*.sqlite3*"):
        if path.stat().st_mtime < time.time() - KEPT_SECONDS:
            path.unlink(missing_ok=True)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "supervision.config.settings.test"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from supervision.services.roles import sync_roles
    from supervision.services.settings import sync_settings
    from tests.factories import NOON

    call_command("migrate", verbosity=0, interactive=False)
    sync_roles()
    sync_settings(at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA journal_mode=DELETE")
    connection.close()


if __name__ == "__main__":
    main()
