"""The return workbook goes through LibreOffice and comes back: nothing lost, nothing invented.

Saved anew untouched it changes nothing; edits of open cells arrive as typed; what the desk changed
meanwhile is a conflict; a locked cell is refused; the same file twice changes nothing.
"""

import random
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

from tests.proofs.common import TODAY, Outcome, Scale, empty, noon, scratch

ROWS = {Scale.QUICK: 4, Scale.FIRST: 22, Scale.AIM: 300}
LABEL = "2026-05"
TEXTS = (
    "新增四家\n验收两家",
    "=1+1",
    "+10%",
    "-3家",
    "@会议",
    "“引号”，全角１２３",
    "  前后空格  ",
    "1",
)


def prove(*, seed: int, scale: Scale) -> Outcome:
    from supervision.rules.merge import Choice
    from supervision.services.reports import open_report, save_report
    from supervision.services.workbooks import WorkbookRefused, apply_return_workbook
    from supervision.spreadsheets.returns import check
    from tests.factories import PeriodFactory, TargetFactory, build_city

    empty()
    city = build_city()
    source = random.Random(seed)
    periods = [PeriodFactory(assignment__organization=city.bureau) for _ in range(ROWS[scale])]
    for period in periods:
        item = period.assignment.item
        TargetFactory(document=item.document, clause=item.clause)
        report = open_report(period=period, by=city.liaison, at=noon(TODAY))
        save_report(
            report=report, by=city.liaison, at=noon(TODAY), progress_text=source.choice(TEXTS),
            problem_text=source.choice(TEXTS), self_percent=source.randint(0, 100),
        )  # fmt: skip
    problems: list[str] = []
    folder = scratch()
    path = folder / "month.xlsx"
    _hand_out(path, city)

    untouched = check(_parsed(_through_office(path, folder)), organization=city.bureau)
    if untouched.bad or untouched.applied or untouched.conflicts:
        problems.append(f"untouched: {untouched.bad[:2]} {len(untouched.applied)} applied")

    typed = _edit(path, source)
    edited = _through_office(path, folder)
    half = periods[: len(periods) // 2]
    for period in half:
        save_report(
            report=period.report, by=city.body_head, at=noon(TODAY, 15), progress_text="工作台改过",
        )  # fmt: skip
    preview = check(_parsed(edited), organization=city.bureau)
    if preview.bad:
        problems.append(f"bad cells: {preview.bad[:2]}")
    if len(preview.conflicts) != len(half):
        problems.append(f"{len(preview.conflicts)} conflicts instead of {len(half)}")
    if any(one.changed_by != "body_head" or not one.changed_at for one in preview.conflicts):
        problems.append("a conflict does not say who changed it when")

    def take_in(**options):
        return apply_return_workbook(
            parsed=_parsed(edited), organization=city.bureau, by=city.liaison,
            at=noon(TODAY, 16), **options,
        )  # fmt: skip

    try:
        take_in()
        problems.append("open conflicts were taken in")
    except WorkbookRefused:
        pass
    first = take_in(take=Choice.THEIRS)
    second = take_in()
    if second.applied:
        problems.append(f"the same file twice applied {second.applied}")
    wrong = 0
    for number, period in enumerate(periods):
        period.report.refresh_from_db()
        expected = "工作台改过" if period in half else typed[number].strip()
        wrong += period.report.progress_text != expected or period.report.self_percent != 50
    if wrong:
        problems.append(f"{wrong} returns differ from what was typed and decided")
    locked = _locked(path, folder, city)
    if locked != 1:
        problems.append(f"{locked} locked cells refused instead of 1")
    figures = {
        "returns": len(periods),
        "unchanged after LibreOffice": untouched.unchanged,
        "applied": first.applied,
        "conflicts": len(preview.conflicts),
        "applied the second time": second.applied,
        "wrong": wrong,
    }
    return Outcome(not problems, figures, problems)


def _hand_out(path: Path, city) -> None:
    from supervision.services.workbooks import hand_out_workbook

    file = BytesIO()
    hand_out_workbook(
        target=file, organization=city.bureau, label=LABEL, by=city.liaison, at=noon(TODAY)
    )
    path.write_bytes(file.getvalue())


def _through_office(path: Path, folder: Path) -> Path:
    """The file as LibreOffice saves it."""
    out = folder / "office"
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run(
        [
            "soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless",
            "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out), str(path),
        ],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return out / path.name


def _parsed(path: Path):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from supervision.spreadsheets.returns import read_return_workbook

    return read_return_workbook(SimpleUploadedFile(path.name, path.read_bytes()))


def _edit(path: Path, source: random.Random) -> list[str]:
    """Type a text and a percentage into every row; returns the texts."""
    from openpyxl import load_workbook

    book = load_workbook(path)
    sheet = book.worksheets[0]
    heads = {cell.value: cell.column for cell in sheet[3]}
    typed = []
    for row in range(4, sheet.max_row + 1):
        text = f"{source.choice(TEXTS)}第{row}行"
        cell = sheet.cell(row, heads["本月进展*"])
        cell.value = text
        cell.data_type = "s"
        sheet.cell(row, heads["自评进度（%）*"]).value = 50
        typed.append(text)
    book.save(path)
    return typed


def _locked(path: Path, folder: Path, city) -> int:
    from openpyxl import load_workbook

    from supervision.spreadsheets.returns import check

    book = load_workbook(path)
    sheet = book.worksheets[0]
    heads = {cell.value: cell.column for cell in sheet[3]}
    sheet.cell(4, heads["任务"]).value = "另一件事"
    other = folder / "locked.xlsx"
    book.save(other)
    return check(_parsed(_through_office(other, folder)), organization=city.bureau).refused
