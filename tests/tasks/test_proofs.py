"""The proofs run at a tiny size, so that they stay true to the code; `make prove` runs them whole.

What needs a worker, a web server or libfaketime for minutes stays with `make prove`.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


# The others build worlds of their own for minutes; what they lean on has tests of its own.
NAMES = ("lights", "two-schedulers", "contention", "formula")


def test_the_proofs_hold_at_a_tiny_size():
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs", "--quick", *NAMES],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "supervision.config.settings.test"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in NAMES:
        assert f"{name}: holds" in done.stdout
