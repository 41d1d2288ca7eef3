"""`make bench`, second part: the ledger and the import of a table, beside bare openpyxl.

Each in a process of its own, so that its peak of memory is its own. Ratios measured side by side;
every figure goes with a check that the answer was right.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
MOST_MB = 512
# Items × bodies: small enough for three minutes, large enough that the start is no part of it.
SIZES = (22, 13), (440, 13)
# The proof `make prove-import` reads 30,000.
TABLE_ROWS = 10_000


def ledger() -> dict:
    """The whole ledger of what is in the database, once."""
    import django

    django.setup()
    from supervision.models import Assignment
    from supervision.spreadsheets.ledger import write_ledger
    from tests.bench.sweep import NOON, TODAY

    file = BytesIO()
    started = time.perf_counter()
    counts = write_ledger(
        file, assignments=Assignment.objects.all(), today=TODAY, as_of=NOON, title="台账"
    )
    return {"rows": counts.assignments, "seconds": time.perf_counter() - started}


def bare(rows: int, columns: int = 27) -> dict:
    """So many rows of so many short texts by openpyxl alone."""
    from openpyxl import Workbook

    started = time.perf_counter()
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for number in range(rows):
        sheet.append([f"第{number}行"] * columns)
    book.save(BytesIO())
    return {"rows": rows, "seconds": time.perf_counter() - started}


def table(path: str) -> dict:
    """A table of 30,000 rows, from its bytes to the verdict on every cell."""
    import django

    django.setup()
    from django.core.files.uploadedfile import SimpleUploadedFile

    from supervision.services.tables import open_table
    from supervision.spreadsheets.breakdown import check_table

    content = Path(path).read_bytes()
    started = time.perf_counter()
    check = check_table(open_table(SimpleUploadedFile("a.xlsx", content)), year=2017)
    seconds = time.perf_counter() - started
    return {"rows": len(check.rows) + len(check.bad), "seconds": seconds}


def bare_read(path: str) -> dict:
    """The same file merely read by openpyxl."""
    from openpyxl import load_workbook

    started = time.perf_counter()
    book = load_workbook(path, read_only=True)
    rows = sum(1 for _row in book.active.iter_rows(values_only=True))
    return {"rows": rows - 2, "seconds": time.perf_counter() - started}


def in_a_child(name: str, *words: str) -> dict:
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), name, *words],
        cwd=ROOT, env=os.environ.copy(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout)


def main() -> int:
    import random

    from tests.bench.sweep import check, fill, prepare

    problems = 0
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        print(f"{'':40}{'rows':>10}{'bare = 1':>12}{'peak MB':>10}")
        for items, bodies in SIZES:
            fill(items, bodies)
            found = in_a_child("ledger")
            check(found["rows"] == items * bodies, f"the ledger held {found['rows']} rows")
            beside = in_a_child("bare", str(found["rows"]))
            problems += _tell("ledger / openpyxl write-only", found, beside)
        from tests.proofs.imports import _write

        path = Path(folder) / "table.xlsx"
        _write(path, TABLE_ROWS, random.Random(1))
        found, beside = in_a_child("table", str(path)), in_a_child("bare_read", str(path))
        check(found["rows"] == beside["rows"], f"{found['rows']} of {beside['rows']} rows judged")
        problems += _tell("import, checked / openpyxl reading", found, beside)
    return 1 if problems else 0


def _tell(name: str, found: dict, beside: dict) -> int:
    ratio = found["seconds"] / beside["seconds"]
    print(f"{name:40}{found['rows']:>10}{ratio:>12.1f}{found['mb']:>10}", flush=True)
    print(f"{'':40}({found['seconds']:.1f} s)", flush=True)
    return found["mb"] > MOST_MB


if __name__ == "__main__":
    if len(sys.argv) > 1:
        jobs = {
            "ledger": ledger,
            "bare": lambda rows: bare(int(rows)),
            "table": table,
            "bare_read": bare_read,
        }
        answer = jobs[sys.argv[1]](*sys.argv[2:])
        own, children = (
            resource.getrusage(who).ru_maxrss // 1024
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        json.dump(answer | {"mb": max(own, children)}, sys.stdout)
        sys.exit(0)
    sys.exit(main())
