"""No cell that leaves is a formula; no hostile workbook that comes in is parsed.

Every text of the world begins like a formula, half and full width. Every table is written, opened
by LibreOffice (formulas counted in its own format, pages counted), and every string looked at in
the file itself. Hostile workbooks are refused by both doors before anything parses them.
"""

import random
import shutil
import subprocess
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from tests.proofs.common import TODAY, Outcome, Scale, empty, noon, scratch

ITEMS = {Scale.QUICK: 2, Scale.FIRST: 25, Scale.AIM: 250}
HOSTILE_FILES = {Scale.QUICK: 24, Scale.FIRST: 200, Scale.AIM: 2_000}
LEADING = ("=", "+", "-", "@", "\t", "\r", "\n=", "＝", "＋", "－", "＠", "{=", " =", "　=", "'=")
TAIL = 'HYPERLINK("http://x","y")|cmd\'!A0'


def prove(*, seed: int, scale: Scale) -> Outcome:
    from supervision.services.exports import scope_of
    from supervision.spreadsheets.column_sets import SHEETS, write_sheets

    empty()
    source = random.Random(seed)
    city = _world(ITEMS[scale], source)
    problems: list[str] = []
    cells = formulas = pages = 0
    folder = scratch() / "tables"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for code, kind in SHEETS.items():
        scope = scope_of({"period": "2026-05"}, user=city.officer, at=noon(TODAY), kind=kind)
        file = BytesIO()
        write_sheets(file, kind, scope, title=f"={kind.title}", filter_text="=1+1")
        path = folder / f"{code}.xlsx"
        path.write_bytes(file.getvalue())
        found, count = _look_at(path)
        cells += count
        problems += [f"{code}: {one}" for one in found[:3]]
    for target in ("ods", "pdf"):
        _convert(folder, target)
    for code in SHEETS:
        content = zipfile.ZipFile(folder / f"{code}.ods").read("content.xml").decode()
        formulas += content.count("table:formula")
        pages += _pages(folder / f"{code}.pdf")
    if formulas:
        problems.append(f"LibreOffice found {formulas} formulas")
    refused, let_in = _hostile(HOSTILE_FILES[scale], source, city)
    problems += [f"let in: {name}" for name in let_in[:5]]
    figures = {
        "tables": len(SHEETS),
        "cells": cells,
        "formulas": formulas,
        "pages drawn by LibreOffice": pages,
        "hostile workbooks refused": refused,
        "let in": len(let_in),
    }
    return Outcome(not problems, figures, problems)


def _world(count: int, source: random.Random):
    from supervision.models import DateChange, Event, EventKind, User
    from tests.factories import (
        AssignmentFactory,
        ClauseFactory,
        DocumentFactory,
        ItemFactory,
        LetterFactory,
        MilestoneFactory,
        PeriodFactory,
        ReportFactory,
        TargetFactory,
        build_city,
    )

    def text() -> str:
        return source.choice(LEADING) + TAIL

    city = build_city()
    User.objects.update(display_name="=1+1", duty="@x", office_phone="+86-1")
    document = DocumentFactory(doc_number="=1+1〔2026〕1号")
    for number in range(count):
        clause = ClauseFactory(document=document, number=f"={number}")
        item = ItemFactory(
            dispatched=True, clause=clause, title=text(), requirement=text(), leader=city.leader,
            number=f"={number}",
        )  # fmt: skip
        TargetFactory(document=document, clause=clause, name=text()[:60], unit="=1")
        for body, role in ((city.bureau, "lead"), (city.county, "county")):
            share = AssignmentFactory(
                item=item, organization=body, role=role, handler_name="=A1",
                due_date=TODAY - timedelta(days=number % 5),
            )  # fmt: skip
            ReportFactory(
                period=PeriodFactory(assignment=share), status="submitted",
                progress_text=text(), problem_text=text(), next_text=text(),
                coordination_text=text(), filled_by=city.liaison, signed_by=city.body_head,
            )  # fmt: skip
            MilestoneFactory(assignment=share, title=text()[:120], deliverable=text()[:120])
            LetterFactory(assignment=share, reply_text=text(), received_at=noon(TODAY),
                          replied_at=noon(TODAY), received_by=city.liaison)  # fmt: skip
            DateChange.objects.create(
                assignment=share, cause="extension", old_date=TODAY, reason=text(),
                new_date=TODAY + timedelta(days=3), working_days=3, agreed_by=city.leader,
                changed_at=noon(TODAY),
            )  # fmt: skip
            Event.objects.create(
                kind=EventKind.SENT_BACK, item=item, assignment=share, organization=body,
                reason=text(), happened_at=noon(TODAY), recorded_at=noon(TODAY),
            )  # fmt: skip
    return city


def _look_at(path: Path) -> tuple[list[str], int]:
    """What in the file is neither text nor number, and how many cells it has."""
    from openpyxl import load_workbook

    problems, count = [], 0
    book = load_workbook(path)
    for sheet in book:
        if sheet.sheet_state != "visible":
            problems.append(f"{sheet.title} is hidden")
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is None:
                    continue
                count += 1
                if cell.data_type not in ("s", "n", "inlineStr"):
                    problems.append(f"{sheet.title}!{cell.coordinate} is {cell.data_type}")
    names = zipfile.ZipFile(path).namelist()
    problems += [name for name in names if "externalLink" in name or "vba" in name.lower()]
    return problems, count


def _convert(folder: Path, target: str) -> None:
    subprocess.run(
        [
            "soffice", f"-env:UserInstallation=file://{scratch()}/profile", "--headless",
            "--convert-to", target, "--outdir", str(folder),
            *(str(path) for path in sorted(folder.glob("*.xlsx"))),
        ],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip


def _pages(path: Path) -> int:
    facts = subprocess.run(
        ["pdfinfo", str(path)], check=True, capture_output=True, text=True
    ).stdout
    return int(facts.split("Pages:")[1].split()[0])


# What comes in


def _hostile(count: int, source: random.Random, city) -> tuple[int, list[str]]:
    """Both doors, return and breakdown table, on invented attacks; what was let in."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from supervision.services.acts import ActRefused
    from supervision.services.tables import open_table
    from supervision.spreadsheets.returns import read_return_workbook

    good = _plain_workbook()
    refused, let_in = 0, []
    attacks = list(ATTACKS.items())
    for number in range(count):
        name, attack = attacks[number % len(attacks)]
        content = attack(good, source)
        for door in (read_return_workbook, open_table):
            try:
                door(SimpleUploadedFile(f"a{number}.xlsx", content))
            except ActRefused:
                refused += 1
            else:
                let_in.append(f"{name} by {door.__name__}")
    return refused, let_in


def _plain_workbook() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["工作任务", "牵头单位", "完成时限"])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _with(name: str, content: bytes):
    def attack(good: bytes, source: random.Random) -> bytes:
        file = BytesIO(good)
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as container:
            container.writestr(name, content + str(source.random()).encode())
        return file.getvalue()

    return attack


def _replaced(member: str, old: bytes, new: bytes):
    def attack(good: bytes, source: random.Random) -> bytes:
        file = BytesIO()
        with (
            zipfile.ZipFile(BytesIO(good)) as before,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
        ):
            for one in before.namelist():
                content = before.read(one)
                after.writestr(one, content.replace(old, new, 1) if one == member else content)
        return file.getvalue()

    return attack


def _huge(good: bytes, source: random.Random) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.active.cell(1_000_000 + source.randint(0, 40_000), 16_000).value = "x"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
EXTERNAL = (
    b'<Relationship Id="rX" Type="http://x/externalLink" Target="http://x/a" '
    b'TargetMode="External"/></Relationships>'
)
BILLION = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">&b;'
)
ATTACKS = {
    "bomb": _with("xl/media/a.bin", b"0" * 30_000_000),
    "bomb in xml": _with("xl/bomb.xml", b"<a>" + b" " * 30_000_000),
    "macro": _with("xl/vbaProject.bin", b"x"),
    "external link": _with("xl/externalLinks/externalLink1.xml", b"<x/>"),
    "ole object": _with("xl/embeddings/oleObject1.bin", b"x"),
    "active x": _with("xl/activeX/activeX1.xml", b"<x/>"),
    "archive inside": _with("xl/media/inner.zip", b"PK\x03\x04"),
    "absolute name": _with("/etc/passwd", b"x"),
    "name upwards": _with("../../evil.xml", b"<x/>"),
    "external relation": _replaced(RELATIONS, b"</Relationships>", EXTERNAL),
    "entities": _replaced(SHEET, b"<worksheet ", BILLION + b"<worksheet "),
    "macro type": _replaced("[Content_Types].xml", b"sheet.main", b"sheet.macroEnabled.main"),
    "dde": _with("xl/x.xml", b"<ddeLink/>"),
    "huge dimensions": _huge,
    "cut off": lambda good, source: good[: source.randint(10, len(good) - 30)],
    "trailing bytes": lambda good, source: good + b"PK" + bytes([source.randint(0, 255)]) * 30,
    "old office": lambda good, source: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + good,
    "not a zip": lambda good, source: bytes(source.randint(0, 255) for _ in range(500)),
}
