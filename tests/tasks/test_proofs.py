"""The proofs run at a tiny size, so that they stay true to the code; `make prove` runs them whole.

What needs a worker, a web server or libfaketime for minutes stays with `make prove`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "name",
    ["lights", "two-schedulers", "contention", "import", "roundtrip", "formula", "queries"],
)
def test_the_proof_holds_at_a_tiny_size(name):
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs", "--quick", name],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "supervision.config.settings.test"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{name}: holds" in done.stdout
