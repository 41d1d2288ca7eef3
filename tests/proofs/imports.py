"""30,000 rows somebody else typed, one cell in twenty bad: each named, in time and in memory.

The bad cells are planted by us, so that what is named can be compared with what is wrong: none
missed, none invented. A child process measures the whole import from the bytes to the verdict.
"""

import json
import os
import random
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from tests.proofs.common import ROOT, Outcome, Scale, empty, scratch

ROWS = {Scale.QUICK: 600, Scale.FIRST: 30_000, Scale.AIM: 30_000}
BAD_SHARE = 0.05
MOST_SECONDS, MOST_MB = 60, 512
HEADS = ("序号", "工作任务", "具体要求", "牵头单位", "配合单位", "完成时限", "备注")
DATES = (
    "2017年6月底",
    "2017.6.30",
    "六月底前",
    "2017年12月31日",
    "２０１７年９月",
    "长期",
    "年底前",
)
PLANTED = (
    ("B", ""),
    ("B", "长" * 121),
    ("D", ""),
    ("D", "12号"),
    ("F", "尽快"),
    ("F", "2017-02-30"),
    ("F", ""),
    ("C", "#REF!"),
)


def prove(*, seed: int, scale: Scale) -> Outcome:
    from tests.factories import build_city

    empty()
    build_city()
    path = scratch() / "table.xlsx"
    planted = _write(path, ROWS[scale], random.Random(seed))
    found = _measure(path)
    named = {(cell["cell"]) for cell in found["bad"]}
    wordless = [cell["cell"] for cell in found["bad"] if not (cell["reason"] and cell["remedy"])]
    problems = [f"not named: {cell}" for cell in sorted(planted - named)[:5]]
    problems += [f"named without need: {cell}" for cell in sorted(named - planted)[:5]]
    problems += [f"without reason or remedy: {cell}" for cell in wordless[:5]]
    if found["seconds"] > MOST_SECONDS:
        problems.append(f"took {found['seconds']} s")
    if found["mb"] > MOST_MB or found["child_mb"] > MOST_MB:
        problems.append(f"took {found['mb']} and {found['child_mb']} MB")
    figures = {
        "rows": ROWS[scale],
        "bad cells": len(planted),
        "missed": len(planted - named),
        "invented": len(named - planted),
        "seconds": found["seconds"],
        "peak MB": found["mb"],
        "peak MB of the reading child": found["child_mb"],
    }
    return Outcome(not problems, figures, problems)


def _write(path: Path, count: int, source: random.Random) -> set[str]:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("分解表")
    sheet.append(["任务分解表"])
    sheet.append(HEADS)
    planted = set()
    for number in range(count):
        row = number + 3
        values = {
            "A": number + 1,
            "B": f"第{number + 1}项任务",
            "C": "按期完成，定期报送进展。",
            "D": source.choice(("市工信局", "市科技局\n市工信局", "市工信局及市科技局")),
            "E": source.choice(("", "桃城区、冀州区", "冀州区，桃城区等")),
            "F": source.choice((*DATES, date(2017, 6, 30))),
            "G": "",
        }
        if source.random() < BAD_SHARE:
            column, value = source.choice(PLANTED)
            values[column] = value
            planted.add(f"{column}{row}")
        sheet.append(list(values.values()))
    book.save(path)
    return planted


def _measure(path: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs.imports", str(path)],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "supervision.config.settings.test"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)


def main() -> None:
    """The measured child: from the bytes of the file to the verdict on every cell."""
    import django

    django.setup()
    from django.core.files.uploadedfile import SimpleUploadedFile

    from supervision.services.tables import open_table
    from supervision.spreadsheets.breakdown import check_table

    content = Path(sys.argv[1]).read_bytes()
    started = time.monotonic()
    check = check_table(open_table(SimpleUploadedFile("a.xlsx", content)), year=2017)
    answer = {
        "seconds": round(time.monotonic() - started, 1),
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "child_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "bad": [
            {"cell": one.cell, "reason": one.reason, "remedy": one.remedy} for one in check.bad
        ],
    }
    json.dump(answer, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
