"""The return workbook out and back: round trip, every bad cell named, all or nothing."""

import zipfile
from datetime import date
from io import BytesIO, StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from supervision.forms import body as forms
from supervision.models import Cause, Event, EventKind, ProgressReport, ReportFigure, ReportPeriod
from supervision.services.acts import ActRefused
from supervision.services.reports import open_report, save_report
from supervision.services.workbooks import WorkbookRefused, apply_return_workbook
from supervision.spreadsheets import returns
from supervision.spreadsheets.returns import (
    check,
    read_return_workbook,
    write_return_workbook,
)
from tests.factories import (
    NOON,
    AssignmentFactory,
    PeriodFactory,
    ReportFactory,
    TargetFactory,
)

pytestmark = pytest.mark.django_db
MAY = "2026-05"
PROGRESS, FIGURES, CHECK = "本期进展", "指标完成值", "数据核对"
APRIL = {"label": "2026-04", "start_date": date(2026, 4, 1), "end_date": date(2026, 4, 30)}


@pytest.fixture
def periods(city) -> list[ReportPeriod]:
    """Three returns owed by the bureau; the first has a goal whose last value is 12."""
    rows = [PeriodFactory(assignment__organization=city.bureau) for _ in range(3)]
    share = rows[0].assignment
    target = TargetFactory(
        document=share.item.document, clause=share.item.clause, definition="按年报口径"
    )
    last = ReportFactory(
        period=PeriodFactory(assignment=share, **APRIL),
        status="approved", self_percent=30, next_text="继续推进", cause="funds",
    )  # fmt: skip
    ReportFigure.objects.create(report=last, target=target, value=12)
    return rows


def exported(body):
    file = BytesIO()
    write_return_workbook(file, organization=body, label=MAY, at=NOON)
    file.seek(0)
    return load_workbook(file)


def upload_of(book, name="月报.xlsx") -> SimpleUploadedFile:
    file = BytesIO()
    book.save(file)
    return SimpleUploadedFile(name, file.getvalue())


def heads(sheet) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[3]}


def cell_of(book, sheet, row, heading):
    return book[sheet].cell(row, heads(book[sheet])[heading])


def preview_of(book, body):
    return check(read_return_workbook(upload_of(book)), organization=body)


def take_in(book, city):
    return apply_return_workbook(
        parsed=read_return_workbook(upload_of(book)),
        organization=city.bureau, by=city.liaison, at=NOON,
    )  # fmt: skip


def test_it_is_made_to_be_filled_in(city, periods):
    book = exported(city.bureau)
    sheet = book[PROGRESS]

    assert book.sheetnames == [PROGRESS, FIGURES, CHECK]
    assert {one.sheet_state for one in book} == {"visible"}
    assert all(one.protection.sheet and not one.protection.password for one in book)
    assert cell_of(book, PROGRESS, 4, "本月进展*").protection.locked is False
    assert cell_of(book, PROGRESS, 4, "任务").protection.locked is True
    assert cell_of(book, PROGRESS, 3, "本月进展*").comment.text
    assert cell_of(book, PROGRESS, 4, "自评进度（%）*").value == 30
    assert cell_of(book, PROGRESS, 4, "下步打算*").value == "继续推进"
    assert cell_of(book, PROGRESS, 4, "滞后原因*").value == "资金"
    assert cell_of(book, PROGRESS, 4, "行标识").value == str(periods[0].uid)
    assert "80" in cell_of(book, PROGRESS, 4, "目标（单位、口径）").value
    assert "按年报口径" in cell_of(book, PROGRESS, 4, "目标（单位、口径）").value
    assert cell_of(book, FIGURES, 4, "累计完成值*").value == 12
    assert cell_of(book, FIGURES, 4, "上期累计值").value == "12"
    rules = {rule.type: rule for rule in sheet.data_validations.dataValidation}
    assert "资金" in rules["list"].formula1
    assert len(rules["list"].formula1) < 256
    assert sheet.print_title_rows == "$3:$3"
    assert sheet.page_setup.orientation == "landscape"
    kinds = {cell.data_type for one in book for row in one.iter_rows() for cell in row}
    assert "f" not in kinds


def test_limits_are_those_of_the_screen():
    assert returns.LONGEST_TEXT == forms.MAX_TEXT
    assert returns.LONGEST_NOTE == 200


def test_only_what_is_owed_is_in_it(city, periods):
    ReportFactory(period=periods[1], status="submitted")
    PeriodFactory(assignment=AssignmentFactory(organization=city.bureau, status="completed"))
    PeriodFactory(assignment__organization=city.bureau, status="skipped", skip_reason="休整")
    PeriodFactory(assignment__organization=city.county)

    sheet = exported(city.bureau)[PROGRESS]

    assert {row[-1] for row in sheet.iter_rows(min_row=4, values_only=True)} == {
        str(periods[0].uid),
        str(periods[2].uid),
    }
    with pytest.raises(ActRefused):
        exported(city.other_bureau)


def test_what_was_filled_in_becomes_drafts(city, periods):
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "新增四家\n验收两家"
    cell_of(book, PROGRESS, 4, "自评进度（%）*").value = "４５％"
    cell_of(book, PROGRESS, 4, "滞后原因*").value = None
    cell_of(book, FIGURES, 4, "累计完成值*").value = "１６．５"
    cell_of(book, PROGRESS, 6, "本月进展*").value = "=1+1"
    cell_of(book, PROGRESS, 6, "本月进展*").data_type = "s"

    result = take_in(book, city)

    assert (result.applied, result.unchanged) == (2, 1)
    first = ProgressReport.objects.get(period=periods[0])
    assert first.status == "draft"
    assert first.progress_text == "新增四家\n验收两家"
    assert (first.self_percent, first.cause, first.next_text) == (45, "", "继续推进")
    assert [str(f.value) for f in first.figures.all()] == ["16.5000"]
    assert ProgressReport.objects.get(period=periods[2]).progress_text == "=1+1"
    assert not ProgressReport.objects.filter(period=periods[1]).exists()
    event = Event.objects.get(kind=EventKind.IMPORTED)
    assert event.data["rows"] == 2
    assert event.organization == city.bureau


def test_twice_the_same_file_changes_nothing(city, periods):
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "新增四家"
    take_in(book, city)
    before = ProgressReport.objects.get(period=periods[0])

    result = take_in(book, city)

    after = ProgressReport.objects.get(period=periods[0])
    assert (result.applied, result.unchanged) == (0, 3)
    assert after.version == before.version
    assert Event.objects.filter(kind=EventKind.IMPORTED).count() == 1


def put(sheet, row, heading, value, data_type=None, number_format=None):
    def change(book):
        cell = cell_of(book, sheet, row, heading)
        cell.value = value
        if data_type:
            cell.data_type = data_type
        if number_format:
            cell.number_format = number_format

    return change


def repeat_row(book):
    sheet = book[PROGRESS]
    for cell in sheet[4]:
        sheet.cell(7, cell.column).value = cell.value


def touch_check_sheet(book):
    book[CHECK]["G4"] = "另一个值"


# What somebody did to the workbook: the cell that must be named, words of the reason.
BAD = {
    "text for a percentage": (put(PROGRESS, 4, "自评进度（%）*", "四十"), "G4", "不是数字"),
    "above hundred": (put(PROGRESS, 4, "自评进度（%）*", 101), "G4", "0"),
    "below zero": (put(PROGRESS, 4, "自评进度（%）*", "－1"), "G4", "0"),
    "part of a percent": (put(PROGRESS, 4, "自评进度（%）*", 12.5), "G4", "不是整数"),
    "a date for a percentage": (
        put(PROGRESS, 4, "自评进度（%）*", date(2026, 1, 5)), "G4", "不是数字"),
    "truth for a percentage": (put(PROGRESS, 4, "自评进度（%）*", True), "G4", "不是数字"),
    "unknown cause": (put(PROGRESS, 4, "滞后原因*", "天气"), "I4", "不在列表"),
    "formula": (put(PROGRESS, 4, "本月进展*", "=A1"), "F4", "公式"),
    "formula as a number": (put(FIGURES, 4, "累计完成值*", "=SUM(1,2)"), "G4", "公式"),
    "error": (put(PROGRESS, 4, "自评进度（%）*", "#REF!", "e"), "G4", "错误值"),
    "too long": (put(PROGRESS, 4, "本月进展*", "字" * 32_000), "F4", "32000"),
    "locked title": (put(PROGRESS, 4, "任务", "别的任务"), "C4", "不可改动"),
    "locked date": (put(PROGRESS, 4, "办结时限", "2030-01-01"), "E4", "不可改动"),
    "locked goal": (put(FIGURES, 4, "目标值/单位", "不少于 1 项"), "D4", "不可改动"),
    "unknown row": (put(PROGRESS, 5, "行标识", "12345"), "L5", "不是本单位"),
    "no identifier": (put(PROGRESS, 5, "行标识", None), "L5", "不是本单位"),
    "row below the table": (put(PROGRESS, 9, "本月进展*", "补充"), "L9", "不是本单位"),
    "unknown goal": (put(FIGURES, 4, "指标标识", "abc"), "I4", "不是本单位"),
    "repeated row": (repeat_row, "L7", "重复"),
    "text for a figure": (put(FIGURES, 4, "累计完成值*", "16项"), "G4", "不是数字"),
    "negative figure": (put(FIGURES, 4, "累计完成值*", -3), "G4", "小于零"),
    "too many digits": (put(FIGURES, 4, "累计完成值*", "1.23456"), "G4", "位数过多"),
    "lower without a note": (put(FIGURES, 4, "累计完成值*", 11), "G4", "低于上期"),
    "long note": (put(FIGURES, 4, "指标说明*", "字" * 201), "H4", "201"),
    "check sheet touched": (touch_check_sheet, "G1", "数据核对"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cell_is_named_and_nothing_is_written(city, periods, name):
    change, cell, words = BAD[name]
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 6, "本月进展*").value = "这一行本身没有问题"
    change(book)

    preview = preview_of(book, city.bureau)

    assert [(bad.cell, words in bad.reason) for bad in preview.bad] == [(cell, True)]
    assert preview.bad[0].remedy
    assert len(preview.bad[0].value) <= 61
    with pytest.raises(WorkbookRefused):
        take_in(book, city)
    assert ProgressReport.objects.filter(period__label=MAY).count() == 0
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (put(PROGRESS, 4, "自评进度（%）*", 0.4, number_format="0%"), "self_percent", 40),
        (put(PROGRESS, 4, "自评进度（%）*", " 40 % "), "self_percent", 40),
        (put(PROGRESS, 4, "自评进度（%）*", 40.0), "self_percent", 40),
        (put(PROGRESS, 4, "自评进度（%）*", None), "self_percent", None),
        (put(PROGRESS, 4, "本月进展*", 2026), "progress_text", "2026"),
        (put(PROGRESS, 4, "本月进展*", date(2026, 5, 9)), "progress_text", "2026-05-09"),
        (put(PROGRESS, 4, "滞后原因*", "审批"), "cause", "approval"),
    ],
)
def test_a_value_is_understood_however_it_was_typed(city, periods, change, field, value):
    book = exported(city.bureau)
    change(book)
    labels = [str(label) for label in dict(Cause.choices).values()]
    if field == "cause" and "审批" not in labels:
        cell_of(book, PROGRESS, 4, "滞后原因*").value = labels[2]

    take_in(book, city)

    assert getattr(ProgressReport.objects.get(period=periods[0]), field) == value


def test_a_locked_date_typed_anew_is_the_same_date(city, periods):
    for shown in ("2026/12/31", "2026年12月31日", date(2026, 12, 31)):
        book = exported(city.bureau)
        cell_of(book, PROGRESS, 4, "办结时限").value = shown

        assert not preview_of(book, city.bureau).bad


def test_a_lower_figure_with_a_note_is_taken(city, periods):
    book = exported(city.bureau)
    cell_of(book, FIGURES, 4, "累计完成值*").value = 11
    cell_of(book, FIGURES, 4, "指标说明*").value = "一家注销"

    take_in(book, city)

    figure = ReportFigure.objects.get(report__period=periods[0])
    assert (int(figure.value), figure.note) == (11, "一家注销")


def test_a_row_of_another_body_is_refused(city, periods):
    theirs = PeriodFactory(assignment__organization=city.county)
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 5, "行标识").value = str(theirs.uid)

    assert [bad.cell for bad in preview_of(book, city.bureau).bad] == ["L5"]
    with pytest.raises(ActRefused):
        preview_of(exported(city.county), city.bureau)
    with pytest.raises(PermissionDenied):
        apply_return_workbook(
            parsed=read_return_workbook(upload_of(exported(city.bureau))),
            organization=city.bureau, by=city.county_head, at=NOON,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"status": "submitted"}, "待审"), ({"status": "approved"}, "")],
)
def test_a_return_handed_in_meanwhile_is_left_alone(city, periods, fields, words):
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "迟到的内容"
    ReportFactory(period=periods[0], **fields)

    preview = preview_of(book, city.bureau)

    assert [bad.cell for bad in preview.bad] == ["F4"]
    assert not preview.applied


def test_a_skipped_period_and_an_ended_task_take_nothing(city, periods):
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "一"
    cell_of(book, PROGRESS, 5, "本月进展*").value = "二"
    ReportPeriod.objects.filter(pk=periods[0].pk).update(status="skipped", skip_reason="休整")
    type(periods[1].assignment).objects.filter(pk=periods[1].assignment_id).update(
        status="suspended"
    )

    bad = preview_of(book, city.bureau).bad

    assert [cell.cell for cell in bad] == ["F4", "F5"]
    assert "免报" in bad[0].reason
    assert "中止" in bad[1].reason


def test_a_row_changed_on_the_desk_meanwhile_is_a_conflict(city, periods):
    begun = open_report(period=periods[0], by=city.liaison, at=NOON)
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "表格里的内容"
    cell_of(book, PROGRESS, 5, "本月进展*").value = "不冲突"
    save_report(report=begun, by=city.body_head, at=NOON, progress_text="工作台上的内容")

    preview = preview_of(book, city.bureau)

    assert not preview.bad
    assert [one.cell for one in preview.conflicts] == ["F4"]
    assert preview.conflicts[0].current == "工作台上的内容"
    with pytest.raises(WorkbookRefused):
        take_in(book, city)
    assert not ProgressReport.objects.filter(period=periods[1]).exists()


def test_check_9_two_rows_typed_in_excel_while_a_third_changes_on_the_desk(city, periods):
    """Check 9 of reliability.md: two applied, one kept; a collision is named by its cell."""
    begun = open_report(period=periods[2], by=city.liaison, at=NOON)
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "表格第一行"
    cell_of(book, PROGRESS, 5, "本月进展*").value = "表格第二行"
    save_report(report=begun, by=city.body_head, at=NOON, progress_text="工作台上的第三行")

    take_in(book, city)

    found = ProgressReport.objects.filter(period__in=periods)
    texts = dict(found.values_list("period_id", "progress_text"))
    assert [texts[period.pk] for period in periods] == [
        "表格第一行",
        "表格第二行",
        "工作台上的第三行",
    ]


def test_a_row_begun_on_the_desk_meanwhile_is_a_conflict(city, periods):
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 5, "本月进展*").value = "表格里的内容"
    report = open_report(period=periods[1], by=city.liaison, at=NOON)
    save_report(report=report, by=city.liaison, at=NOON, progress_text="工作台上的内容")

    assert [one.cell for one in preview_of(book, city.bureau).conflicts] == ["F5"]


def test_the_whole_import_fails_with_its_last_row(city, periods, monkeypatch):
    book = exported(city.bureau)
    for row in (4, 5, 6):
        cell_of(book, PROGRESS, row, "本月进展*").value = "有内容"
    saved = []

    def fail_at_the_third(**fields):
        saved.append(fields)
        if len(saved) == 3:
            raise ActRefused("停")
        return save_report(**fields)

    monkeypatch.setattr("supervision.services.workbooks.save_report", fail_at_the_third)
    with pytest.raises(ActRefused):
        take_in(book, city)

    assert not ProgressReport.objects.filter(period__label=MAY).exists()
    assert not Event.objects.exists()


def bomb() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("[Content_Types].xml", "<Types/>")
        container.writestr("xl/workbook.xml", b" " * 60_000_000)
    return file.getvalue()


def plain_workbook() -> bytes:
    from openpyxl import Workbook

    file = BytesIO()
    Workbook().save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"not a workbook"),
        ("a.xlsx", b""),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        ("a.csv", b"1,2"),
        ("a.xlsx", "bomb"),
        ("a.xlsx", "plain"),
    ],
)
def test_what_is_no_return_workbook_is_refused_in_words(name, content):
    content = {"bomb": bomb, "plain": plain_workbook}.get(content, lambda: content)()

    with pytest.raises(ActRefused) as refusal:
        read_return_workbook(SimpleUploadedFile(name, content))

    assert refusal.value.message


def test_a_sheet_that_says_it_is_huge_is_read_as_far_as_it_goes(city, periods):
    book = exported(city.bureau)
    book[PROGRESS].cell(1_048_576, 16_384).value = "x"
    with pytest.raises(ActRefused):
        preview_of(book, city.bureau)


def test_ten_times_the_rows_cost_the_same_queries(city):
    def grow(count):
        for _number in range(count):
            period = PeriodFactory(assignment__organization=city.bureau)
            share = period.assignment
            TargetFactory(document=share.item.document, clause=share.item.clause)
            ReportFactory(period=PeriodFactory(assignment=share, **APRIL), status="approved")

    def queries() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as out:
            book = exported(city.bureau)
        with CaptureQueriesContext(connection) as back:
            preview_of(book, city.bureau)
        return len(out), len(back)

    grow(2)
    few = queries()
    grow(18)

    assert queries() == few


def test_the_command_shows_first_and_writes_whole(city, periods, tmp_path):
    book = exported(city.bureau)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "新增四家"
    path = tmp_path / "r.xlsx"
    book.save(path)
    out = StringIO()

    call_command("import_returns", str(path), dry_run=True, stdout=out)
    assert "F4" in out.getvalue() and "新增四家" in out.getvalue()
    assert not ProgressReport.objects.filter(period__label=MAY).exists()

    call_command("import_returns", str(path), stdout=out)
    report = ProgressReport.objects.get(period=periods[0])
    assert report.filled_by == city.liaison

    cell_of(book, PROGRESS, 5, "自评进度（%）*").value = 500
    book.save(path)
    bad = StringIO()
    with pytest.raises(CommandError):
        call_command("import_returns", str(path), stdout=bad)
    assert "G5" in bad.getvalue()
    with pytest.raises(CommandError):
        call_command("import_returns", str(path), username="county_head", stdout=bad)
    with pytest.raises(CommandError):
        call_command("import_returns", str(tmp_path / "none.xlsx"), stdout=bad)
