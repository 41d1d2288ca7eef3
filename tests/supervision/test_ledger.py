"""The ledger: an office's customs, no formula, own rows only, constant queries."""

import shutil
import subprocess
import zipfile
from datetime import date, timedelta
from io import BytesIO, StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from supervision.models import Assignment
from supervision.spreadsheets.layout import pieces
from supervision.spreadsheets.ledger import write_ledger
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ClauseFactory,
    ItemFactory,
    OrganizationFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db
HOSTILE = ("=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "＝1", "{=1}")


def two_chapters(city) -> list[Assignment]:
    """Two tasks of one lead, a measure of another; counties in both."""
    first = ClauseFactory()
    shares = []
    for position, (kind, lead) in enumerate(
        [("task", city.bureau), ("task", city.bureau), ("measure", city.other_bureau)], start=1
    ):
        clause = first if position == 1 else ClauseFactory(document=first.document, kind=kind)
        item = ItemFactory(dispatched=True, clause=clause, kind=kind, position=position)
        shares.append(AssignmentFactory(item=item, organization=lead, handler_name="王五"))
        for number, county in enumerate((city.county, city.other_county), start=1):
            shares.append(
                AssignmentFactory(item=item, organization=county, role="county", position=number)
            )
    return shares


def written(assignments=None, **options):
    file = BytesIO()
    counts = write_ledger(
        file,
        assignments=Assignment.objects.all() if assignments is None else assignments,
        today=options.pop("today", TODAY),
        as_of=NOON,
        title="督查台账",
        unit_name="市政府办公室督查室",
        **options,
    )
    file.seek(0)
    return load_workbook(file), counts


def texts(sheet) -> list[list[str]]:
    return [["" if v is None else str(v) for v in row] for row in sheet.iter_rows(values_only=True)]


def test_the_sheet_to_print_follows_the_customs(city):
    two_chapters(city)

    book, counts = written(filter_text="全部事项")
    sheet = book.worksheets[0]
    rows = texts(sheet)

    assert book.sheetnames == ["督查台账", "明细", "分县进展"]
    assert (counts.items, counts.assignments) == (3, 9)
    assert rows[0][0] == "督查台账"
    assert "全部事项" in rows[1][0]
    assert "2026-06-10 12:00" in rows[1][0]
    assert "市政府办公室督查室" in rows[1][0]
    assert rows[2] == [
        "序号", "编号", "事项", "来源", "牵头单位", "配合单位", "责任人", "交办日期", "办结时限",
        "进展情况", "存在问题", "下步打算", "亮灯", "备注",
    ]  # fmt: skip
    assert "重点任务（2 件）" in rows[3][0]
    assert "保障措施（1 件）" in rows[6][0]
    assert [row[0] for row in rows[4:6]] == ["1", "2"]
    assert rows[7][0] == "3"
    assert rows[4][5] == "桃城区、冀州区"
    assert rows[8][0].startswith("合计 3 件")
    assert "填报人" in rows[-1][0] and "审签人" in rows[-1][0]
    merged = {str(part) for part in sheet.merged_cells.ranges}
    assert {"A1:N1", "A2:N2", "A4:N4", "A7:N7", "E5:E6"} <= merged
    assert sheet.print_title_rows == "$3:$3"
    assert sheet.freeze_panes == "A4"
    assert sheet.page_setup.orientation == "landscape"
    assert str(sheet.page_setup.paperSize) == "9"
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.oddFooter.center.text == "第&P页 共&N页"
    margins = sheet.page_margins
    assert [round(m * 25.4) for m in (margins.top, margins.left, margins.bottom)] == [12, 10, 14]


def test_lights_are_words_with_shape_and_colour(city):
    due = {"due_date": TODAY - timedelta(days=3)}
    AssignmentFactory(item=ItemFactory(dispatched=True, **due), organization=city.bureau)
    late = AssignmentFactory(
        item=ItemFactory(dispatched=True), organization=city.bureau, status="completed",
        outcome="late", days_late=4, days_late_original=9,
    )  # fmt: skip

    book, _counts = written()
    flat = {row[5]: row for row in texts(book["明细"])[1:]}
    cells = [row[12] for row in book.worksheets[0].iter_rows(min_row=5)]

    assert cells[0].value == "■ 红灯\n逾期3天"
    assert cells[0].fill.fgColor.rgb.endswith("FDECEA")
    assert flat[late.item.title][11:13] == ["逾期办结", "逾期办结"]
    assert flat[late.item.title][18:20] == ["4", "9"]
    assert any(str(cell.value).startswith("✓ 逾期办结") for cell in cells)


def test_a_moved_date_stands_beside_the_first_one(city):
    AssignmentFactory(due_date=date(2027, 3, 1), original_due_date=date(2026, 12, 31))

    book, _counts = written()

    assert texts(book.worksheets[0])[4][8] == "2027-03-01\n（原定 2026-12-31）"
    assert texts(book["明细"])[1][15:17] == ["2026-12-31", "2027-03-01"]


def test_the_flat_sheet_has_one_row_per_item_and_body(city):
    two_chapters(city)

    sheet = written()[0]["明细"]
    rows = texts(sheet)

    assert not sheet.merged_cells.ranges
    assert len(rows) == 10
    assert len(set(rows[0])) == len(rows[0])
    assert sheet.auto_filter.ref == "A1:AA10"
    assert {row[6] for row in rows[1:]} == {"市工信局", "市科技局", "桃城区", "冀州区"}


def test_counties_are_counted_with_their_denominator(city):
    shares = two_chapters(city)
    Assignment.objects.filter(pk=shares[1].pk).update(due_date=TODAY - timedelta(days=1))

    rows = texts(written()[0]["分县进展"])

    assert rows[2] == [
        "县市区", "任务数", "办结", "其中逾期办结", "按序时", "滞后", "逾期", "未报进展或中止",
        "办结数/任务数", "完成率",
    ]  # fmt: skip
    taocheng = next(row for row in rows if row[0] == "桃城区")
    assert taocheng[1] == "3"
    assert taocheng[6] == "1"
    assert taocheng[8] == "0 / 3"
    for row in rows[3:]:
        numbers = [int(value) for value in row[1:8]]
        assert numbers[0] == numbers[1] + sum(numbers[3:])


def test_a_long_text_goes_on_in_further_rows_uncut(city):
    text = "".join(f"第{number}句话说明进展情况。" for number in range(300))
    share = AssignmentFactory(organization=city.bureau)
    ReportFactory(period=PeriodFactory(assignment=share), status="submitted", progress_text=text)

    sheet = written()[0].worksheets[0]
    parts = [row[9] for row in texts(sheet)[4:] if row[9]]

    assert len(parts) > 1
    assert "".join(parts) == text
    assert all(sheet.row_dimensions[row].height <= 409 for row in range(1, sheet.max_row + 1))


@pytest.mark.parametrize("text", ["", "短", "一\n二\n三", "字" * 999, "word " * 300])
def test_pieces_lose_nothing(text):
    found = pieces(text, 20, 10)

    assert "".join(found).replace("\n", "") == text.replace("\n", "")


def test_hostile_text_stays_text_and_nothing_is_hidden(city):
    for text in HOSTILE:
        item = ItemFactory(dispatched=True, title=text)
        share = AssignmentFactory(item=item, organization=city.bureau, handler_name=text)
        ReportFactory(
            period=PeriodFactory(assignment=share),
            status="submitted", progress_text=text, problem_text=text, next_text=text,
        )  # fmt: skip

    book, _counts = written(filter_text="=1+1", exported_by="=1+1")

    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "inlineStr", "n"}
    assert "=1+1" in {row[5] for row in texts(book["明细"])}
    assert {sheet.sheet_state for sheet in book} == {"visible"}
    assert book.properties.creator == "市政府办公室督查室"


@pytest.mark.parametrize(
    ("who", "names"),
    [
        ("officer", {"市工信局", "市科技局", "桃城区", "冀州区"}),
        ("liaison", {"市工信局"}),
        ("county_head", {"桃城区"}),
        ("stranger", set()),
    ],
)
def test_everybody_gets_the_rows_they_may_see(city, who, names):
    two_chapters(city)
    user = getattr(city, who)
    visible = Assignment.objects.visible_to(user)

    book, _counts = written(visible, body=user.organization if user.is_body else None)

    assert {row[6] for row in texts(book["明细"])[1:]} == names


def test_the_ledger_of_a_county_shows_the_light_of_its_own_share(city):
    shares = two_chapters(city)
    Assignment.objects.filter(pk=shares[0].pk).update(due_date=TODAY - timedelta(days=9))

    book, _counts = written(body=city.county)

    assert not any("红灯" in cell for row in texts(book.worksheets[0])[4:7] for cell in row)


def test_a_light_keeps_its_shares_and_their_items(city):
    shares = two_chapters(city)
    Assignment.objects.filter(pk=shares[1].pk).update(due_date=TODAY - timedelta(days=1))

    book, counts = written(light="red")

    assert (counts.items, counts.assignments) == (1, 1)
    assert texts(book["明细"])[1][6] == "桃城区"
    assert "逾期1天：桃城区" in texts(book.worksheets[0])[4][13]


def test_ten_times_the_rows_cost_the_same_queries(city):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            written()
        return len(captured)

    def grow(count):
        for _number in range(count):
            share = AssignmentFactory(organization=OrganizationFactory())
            ReportFactory(period=PeriodFactory(assignment=share), status="submitted")

    grow(2)
    queries()  # the calendar is read once
    few = queries()
    grow(18)

    assert queries() == few


def test_libreoffice_opens_it_as_designed(city, tmp_path):
    two_chapters(city)
    for number in range(40):
        item = ItemFactory(dispatched=True, title=f"事项{number}")
        AssignmentFactory(item=item, organization=city.bureau)
    path = tmp_path / "ledger.xlsx"
    call_command("export_ledger", str(path), stdout=StringIO())
    for tool in ("soffice", "pdfinfo", "pdftotext"):
        assert shutil.which(tool), f"{tool} is needed to look at what was written"

    def run(*words):
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=180).stdout

    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, path)
    run("soffice", profile, "--headless", "--convert-to", "ods", "--outdir", tmp_path, path)
    facts = run("pdfinfo", tmp_path / "ledger.pdf")
    pages = run("pdftotext", "-layout", tmp_path / "ledger.pdf", "-").split("\f")[:-1]

    width, height = (float(word) for word in facts.split("Page size:")[1].split()[0:3:2])
    assert (round(width), round(height)) == (842, 595)
    assert f"Pages:           {len(pages)}" in facts
    assert f"第1页 共{len(pages)}页" in pages[0].replace("  ", " ")
    printed = [page for page in pages if "进展情况" in page and "配合单位" in page]
    assert len(printed) >= 2, "the heading is repeated on each page of the ledger"
    content = zipfile.ZipFile(tmp_path / "ledger.ods").read("content.xml").decode()
    assert "table:formula" not in content
    assert content.count("<table:table ") == 3


def test_the_command_narrows_to_a_document_and_a_body(city, tmp_path):
    shares = two_chapters(city)
    AssignmentFactory(organization=city.county)
    path = tmp_path / "out.xlsx"
    number = shares[0].item.document.doc_number

    call_command(
        "export_ledger", str(path), document=number, organization="桃城区", stdout=StringIO()
    )

    rows = texts(load_workbook(path)["明细"])[1:]
    assert {(row[1], row[6]) for row in rows} == {(number, "桃城区")}
    assert len(rows) == 3
    for wrong in ({"document": "没有"}, {"organization": "没有"}):
        with pytest.raises(CommandError):
            call_command("export_ledger", str(path), stdout=StringIO(), **wrong)


def test_chosen_columns_stand_in_the_order_of_the_table_with_its_own_words(city):
    two_chapters(city)

    book = written(columns=["due", "item", "light"], details=["state", "body"])[0]

    printed, flat, _counties = book.worksheets
    assert [cell.value for cell in printed[3]] == ["序号", "事项", "办结时限", "亮灯"]
    assert [cell.value for cell in flat[1]] == ["序号", "承办单位", "状态"]
    whole = written()[0].worksheets[1]
    names = [cell.value for cell in whole[1]]
    for row in (2, 3):
        line = [cell.value for cell in whole[row]]
        assert [cell.value for cell in flat[row]] == [
            line[names.index(heading)] for heading in ("序号", "承办单位", "状态")
        ]
