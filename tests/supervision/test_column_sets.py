"""Every table of domain.md, section 8: headings word for word, no formula, own rows."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from supervision.models import (
    Assignment,
    DateChange,
    Event,
    EventKind,
    ReportFigure,
    SavedView,
)
from supervision.services.acts import ActRefused
from supervision.services.exports import export_now, kind_of, scope_of
from supervision.spreadsheets.column_sets import (
    SHEETS,
    column_choices,
    write_sheets,
)
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ClauseFactory,
    ItemFactory,
    LetterFactory,
    MilestoneFactory,
    OrganizationFactory,
    PeriodFactory,
    ReportFactory,
    TargetFactory,
)

pytestmark = pytest.mark.django_db
HOSTILE = "=HYPERLINK(1)"
# Word for word and in order. Source: domain.md, section 8.
HEADINGS = {
    "ledger": "序号 · 编号 · 事项 · 来源 · 牵头单位 · 配合单位 · "
    "责任人 · 交办日期 · 办结时限 · 进展情况 · 存在问题 · "
    "下步打算 · 亮灯 · 备注",
    "breakdown": "序号 · 工作任务 · 具体要求 · 牵头领导 · 牵头单位 · 配合单位 · 完成时限 · 备注",
    "monthly": "序号 · 任务 · 目标值/单位 · 牵头单位 · 责任单位 · "
    "完成时限 · 本月进展 · 累计完成值 · 完成率 · "
    "序时进度 · 与序时差 · 状态 · 存在问题 · 下一步措施 · "
    "需协调事项 · 责任人 · 填报人 · 审签人 · 联系电话 · "
    "填报日期",
    "plan": "责任事项 · 具体工作内容 · 完成时间节点 · 分管负责人 · 责任部门",
    "register": "编号 · 督查内容 · 任务来源 · 收文时间 · 承办单位 · 办复要求",
    "rectification": "序号 · 问题 · 整改要求和建议 · 责任单位 · 整改期限 · 整改情况 · 是否销号",
    "extensions": "编号 · 单位 · 原定时限 · 现定时限 · 延期工作日 · "
    "累计 · 理由 · 批准人 · 批准日期",
    "urging": "文号 · 编号 · 单位 · 次数 · 逾期天数 · 发出时间 · 签收 · 回复",
    "scores": "考核项目 · 考核内容 · 基础分值 · 考核标准 · 件数 · 加分 · 扣分 · 得分",
    "counties": "县市区 · 任务数 · 办结 · 按序时 · 滞后 · 逾期 · 完成率",
}


def fill(city, count: int = 2) -> list[Assignment]:
    """Something for every table, with a text that looks like a formula in every text."""
    clause = ClauseFactory()
    shares = []
    for number in range(count):
        one = ClauseFactory(document=clause.document)
        item = ItemFactory(
            dispatched=True,
            clause=one,
            title=f"{HOSTILE}{number}",
            requirement=HOSTILE,
            leader=city.leader,
            number=f"督字{clause.pk}-{number}",
        )
        target = TargetFactory(document=clause.document, clause=one, value=20)
        for body, role in ((city.bureau, "lead"), (city.county, "county")):
            share = AssignmentFactory(
                item=item, organization=body, role=role, handler_name=HOSTILE,
                due_date=TODAY - timedelta(days=3), times_returned=2,
            )  # fmt: skip
            report = ReportFactory(
                period=PeriodFactory(assignment=share), status="submitted",
                progress_text=HOSTILE, problem_text="+1", next_text="@x", filled_by=city.liaison,
            )  # fmt: skip
            ReportFigure.objects.create(report=report, target=target, value=5)
            MilestoneFactory(assignment=share, title=HOSTILE)
            LetterFactory(assignment=share, reply_text="-1", received_at=NOON, replied_at=NOON)
            for new in (5, 9):
                DateChange.objects.create(
                    assignment=share, cause="extension", old_date=TODAY, reason=HOSTILE,
                    new_date=TODAY + timedelta(days=new), working_days=new,
                    agreed_by=city.leader, changed_at=NOON + timedelta(hours=new),
                )  # fmt: skip
            Event.objects.create(
                kind=EventKind.SENT_BACK, item=item, assignment=share, organization=body,
                reason=HOSTILE, data={"rework_due_date": "2026-06-20"},
                happened_at=NOON, recorded_at=NOON,
            )  # fmt: skip
            shares.append(share)
    return shares


def written(code: str, user, **parameters):
    kind = SHEETS[code]
    if kind.needs_period:
        parameters.setdefault("period", "2026-05")
    scope = scope_of(parameters, user=user, at=NOON, kind=kind)
    file = BytesIO()
    write_sheets(file, kind, scope, title=str(kind.title), filter_text="=1")
    return load_workbook(BytesIO(file.getvalue()))


def rows_of(sheet, head: int = 3) -> list[dict]:
    table = list(sheet.iter_rows(min_row=head, values_only=True))
    return [dict(zip(table[0], row, strict=False)) for row in table[1:]]


def flat(book, number: int = 1) -> list[dict]:
    return rows_of(book.worksheets[number], head=1)


@pytest.mark.parametrize("code", HEADINGS)
def test_headings_are_word_for_word_and_nothing_is_a_formula(city, code):
    fill(city)

    book = written(code, city.officer)

    first = book.worksheets[0]
    assert [cell.value for cell in first[3]] == HEADINGS[code].split(" · ")
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "inlineStr"}
    assert {sheet.sheet_state for sheet in book} == {"visible"}
    assert first.print_title_rows == "$3:$3"
    assert first.oddFooter.center.text == "第&P页 共&N页"
    assert "2026-06-10 12:00" in first["A2"].value
    texts = [cell.value for row in first.iter_rows() for cell in row if cell.value]
    if code != "counties":
        assert any("填报人" in str(text) for text in texts)
    assert not book.worksheets[1].merged_cells.ranges
    assert len(flat(book)) >= 1


def test_every_table_of_the_list_is_there():
    assert set(SHEETS) == set(HEADINGS)


def test_bodies_stand_in_one_cell_and_a_moved_date_is_told(city):
    share = fill(city, 1)[0]
    type(share.item).objects.filter(pk=share.item_id).update(
        original_due_date=date(2026, 1, 1), due_date=date(2026, 8, 1)
    )

    row = flat(written("breakdown", city.officer))[0]

    assert row["牵头单位"] == "市工信局"
    assert row["配合单位"] == "桃城区"
    assert row["牵头领导"] == "leader"
    assert (row["完成时限"], row["备注"]) == ("2026-08-01", "原定 2026-01-01")


def test_the_monthly_return_counts_against_goal_and_schedule(city):
    fill(city, 1)

    rows = flat(written("monthly", city.officer))

    assert len(rows) == 2
    assert rows[0]["累计完成值"] == 5
    assert rows[0]["完成率"] == 0.25
    assert "20 项" in rows[0]["目标值/单位"]
    assert rows[0]["填报日期"] == "2026-06-10"
    assert rows[0]["状态"] in ("达进度", "欠进度", "超进度", "其他")


def test_a_share_without_a_return_stands_there_empty(city):
    PeriodFactory(assignment__organization=city.bureau)

    rows = flat(written("monthly", city.officer))

    assert [row["本月进展"] for row in rows] == ["本期未报送"]


def test_extensions_add_up(city):
    fill(city, 1)

    book = written("extensions", city.officer)
    rows = flat(book)

    assert [(row["延期工作日"], row["累计"]) for row in rows] == [(5, 5), (9, 14)] * 2
    foot = [row for row in book.worksheets[0].iter_rows(values_only=True) if row[0] == "合计"]
    assert foot[0][4] == 28


def test_urging_says_which_time_and_how_late(city):
    share = fill(city, 1)[0]
    LetterFactory(assignment=share, issued_at=NOON + timedelta(days=1), kind="urging_yellow")

    rows = [r for r in flat(written("urging", city.officer)) if r["单位"] == "市工信局"]

    assert [(row["次数"], row["逾期天数"]) for row in rows] == [(1, 3), (2, 4)]
    assert rows[1]["签收"] == "未签收" and rows[1]["回复"] == "未回复"


def test_rectification_follows_the_records(city):
    share = fill(city, 1)[0]
    Event.objects.create(
        kind=EventKind.SUBMITTED, item=share.item, assignment=share,
        organization=share.organization, happened_at=NOON + timedelta(days=2), recorded_at=NOON,
    )  # fmt: skip

    first, second = flat(written("rectification", city.officer))

    assert (first["整改期限"], first["是否销号"]) == ("2026-06-20", "否")
    assert first["整改情况"].startswith("2026-06-12")
    assert second["整改情况"] == "尚未重新报送"


def test_scores_count_what_is_on_record(city):
    shares = fill(city, 2)
    for number, is_filed in enumerate((False, False, True)):
        Event.objects.create(
            kind=EventKind.PERIOD_CLOSED, item=shares[0].item, assignment=shares[0],
            organization=city.bureau, data={"is_filed": is_filed}, fact_key=f"f{number}",
            happened_at=NOON, recorded_at=NOON,
        )  # fmt: skip
    LetterFactory(assignment=shares[0], kind="urging_red")

    rows = [r for r in flat(written("scores", city.officer)) if r["章节或单位"] == "市工信局"]
    by_content = {row["考核内容"]: row for row in rows}

    assert by_content["应报未报"]["件数"] == 2
    assert by_content["应报未报"]["扣分"] == 20
    assert by_content["办结申请被退回两次以上"]["扣分"] == 4
    assert by_content["红单"]["扣分"] == 2
    assert sum(row["得分"] for row in rows) == 100 - 20 - 4 - 2
    foots = [r for r in written("scores", city.officer).worksheets[0].values if r[0] == "合计"]
    assert [foot[-1] for foot in foots] == [100 - 20 - 4 - 2, 100 - 4]


def test_scores_stay_with_those_who_supervise(city):
    for who in (city.liaison, city.county_head, city.leader):
        with pytest.raises(PermissionDenied):
            kind_of("scores", who)
    assert kind_of("scores", city.principal)


@pytest.mark.parametrize("code", sorted(set(HEADINGS) - {"scores", "counties"}))
def test_a_body_reads_its_own_rows_only(city, code):
    fill(city, 1)
    AssignmentFactory(organization=city.other_bureau)

    book = written(code, city.county_liaison, body=str(city.bureau.uid))

    text = "".join(
        str(cell.value) for sheet in book for row in sheet.iter_rows(min_row=4) for cell in row
    )
    own = {"plan": "责任部门", "monthly": "责任单位", "extensions": "单位", "urging": "单位"}
    if code in own:
        assert {row[own[code]] for row in flat(book) if row.get(own[code])} == {"桃城区"}
    assert "市科技局" not in text


def test_the_filters_are_those_of_the_screen(city):
    fill(city, 1)
    other = AssignmentFactory(
        item=ItemFactory(dispatched=True, kind="measure", number="乙"), organization=city.bureau
    )

    def numbers(**parameters):
        return {row["编号"] for row in flat(written("register", city.officer, **parameters))}

    assert len(numbers()) == 2
    assert numbers(kind="measure") == {"乙"}
    assert numbers(document=str(other.item.document.uid)) == {"乙"}
    assert numbers(leader=str(city.leader.uid)) == numbers() - {"乙"}
    assert numbers(light="red") == numbers() - {"乙"}
    assert numbers(state="completed") == set()
    with pytest.raises(ActRefused):
        numbers(document="00000000-0000-4000-8000-000000000000")


def test_paper_order_and_numbering(city):
    fill(city, 2)
    AssignmentFactory(item=ItemFactory(dispatched=True, number="丙"), organization=city.bureau)

    book = written("breakdown", city.officer, paper="a3", order="body", numbering="chapter")
    sheet = book.worksheets[0]

    assert str(sheet.page_setup.paperSize) == "8"
    bands = [row[0] for row in sheet.iter_rows(min_row=4, values_only=True) if "市" in str(row[0])]
    assert bands == ["市工信局"]
    by_chapter = written("breakdown", city.officer, numbering="chapter").worksheets[0]
    numbers = [
        row[0] for row in by_chapter.iter_rows(min_row=4, values_only=True) if type(row[0]) is int
    ]
    assert numbers == [1, 2, 1]


def test_telephone_numbers_need_a_reason(city):
    fill(city, 1)
    kind = SHEETS["plan"]
    scope = scope_of({}, user=city.officer, at=NOON, kind=kind)
    options = {"target": BytesIO(), "kind": kind, "scope": scope, "title": "办理方案"}

    with pytest.raises(ActRefused):
        export_now(**options, filter_text="", by=city.officer, at=NOON)
    export_now(**options, filter_text="", by=city.officer, at=NOON, reason="印发联络员名单")

    assert Event.objects.get(kind=EventKind.EXPORTED).reason == "印发联络员名单"


@pytest.mark.parametrize("code", HEADINGS)
def test_ten_times_the_rows_cost_the_same_queries(city, code):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            written(code, city.officer)
        return len(captured)

    fill(city, 1)
    OrganizationFactory()
    queries()
    few = queries()
    fill(city, 9)

    assert queries() == few


@pytest.mark.parametrize("code", HEADINGS)
def test_of_every_table_columns_are_chosen_sheet_by_sheet(city, code):
    """The second column of each sheet alone, in a table of several sheets of each of them."""
    fill(city, 1)
    choices = [dict(columns) for _title, columns in column_choices(SHEETS[code])]
    wanted = [list(columns)[1] for columns in choices]

    book = written(code, city.officer, columns=".".join(wanted))

    expected = [str(columns[key]) for columns, key in zip(choices, wanted, strict=True)]
    if code == "ledger":  # its third sheet, of the counties, is always whole
        heads = [book.worksheets[0][3], book.worksheets[1][1]]
    else:
        heads = [sheet[3 if n % 2 == 0 else 1] for n, sheet in enumerate(book.worksheets)]
        expected = [heading for heading in expected for _twin in (1, 2)]
    found = [
        [cell.value for cell in head if cell.value not in (None, "序号", "章节或单位")]
        for head in heads
    ]
    assert found == [[heading] for heading in expected]


def test_the_choice_of_columns_on_the_screen(client, city):
    fill(city, 1)
    client.force_login(city.officer)
    page, make = reverse("supervision:ledgers"), reverse("supervision:ledgers_xlsx")
    assert "columns" not in client.get(page).context["form"].fields

    # The table first, then its columns; what was chosen for another table does not count.
    shown = client.post(
        make, {"show": "1", "sheet": "register", "columns_of": "scores", "columns": ["0-count"]}
    )
    assert shown.url == f"{page}?sheet=register#columns"
    form = client.get(shown.url).context["form"]
    ((_title, columns),) = column_choices(SHEETS["register"])
    assert form["columns"].value() == list(dict(columns))
    assert not form.is_narrowed

    choice = {"sheet": "register", "columns_of": "register", "columns": ["0-content", "0-number"]}
    shown = client.post(make, choice | {"show": "1"})
    assert shown.url == f"{page}?sheet=register&columns=0-number.0-content#columns"
    assert client.get(shown.url).context["form"]["columns"].value() == ["0-number", "0-content"]

    answer = client.post(make, choice)
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))
    assert [cell.value for cell in book.worksheets[0][3]] == ["编号", "督查内容"]
    assert "栏目：编号、督查内容" in book.worksheets[0]["A2"].value
    none = client.post(make, choice | {"columns": []})
    assert "至少选一列" in none.content.decode()

    saved = client.post(
        reverse("supervision:saved_views"), choice | {"page": "ledgers", "name": "简表"}
    )
    assert saved.status_code == 302
    view = SavedView.objects.get(name="简表")
    form = client.get(view.get_absolute_url()).context["form"]
    assert form["columns"].value() == ["0-number", "0-content"]
