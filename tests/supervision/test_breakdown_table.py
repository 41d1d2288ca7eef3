"""A breakdown table somebody else made: understood, every bad cell named, all or nothing."""

import zipfile
from datetime import date
from io import BytesIO

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook

from supervision.models import (
    Event,
    EventKind,
    HeadingMapping,
    OrganizationAlias,
    PolicyDocument,
    SupervisionItem,
)
from supervision.services.acts import ActRefused
from supervision.services.tables import (
    TableRefused,
    import_table,
    open_table,
    remembered_headings,
)
from supervision.spreadsheets.breakdown import EVERY_COUNTY, UNRESOLVED, check_table
from tests.factories import NOON, OrganizationFactory

pytestmark = pytest.mark.django_db
HEADS = ["序号", "工作任务", "具体要求", "牵头单位", "配合单位", "完成时限", "备注"]
FACTS = {
    "source": "省厅", "doc_number": "云政发〔2017〕9号", "title": "任务分解",
    "issued_date": date(2017, 1, 4),
}  # fmt: skip


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False):
        yield


def workbook(rows, *, heads=None, merge=(), above=("2017年任务分解表",)) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "分解表"
    for line in above:
        sheet.append([line])
    sheet.append(heads or HEADS)
    for row in rows:
        sheet.append(list(row))
    for part in merge:
        sheet.merge_cells(part)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def upload(content: bytes, name="分解表.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def understood(content: bytes, **options):
    return check_table(open_table(upload(content)), year=2017, **options)


GOOD = [1, "建研发机构", "新建12家", "市工信局", "桃城区、冀州区", "2017年6月底", ""]


def row(**changes) -> list:
    names = ("seq", "title", "requirement", "lead", "support", "due", "remarks")
    return [changes.get(name, value) for name, value in zip(names, GOOD, strict=True)]


def take_in(check, city, **options):
    return import_table(
        check=check, answers=options.pop("answers", {}), by=options.pop("by", city.officer),
        at=NOON, **FACTS | options,
    )  # fmt: skip


def test_it_becomes_a_document_with_items_in_draft(city):
    check = understood(
        workbook(
            [
                ["一、重点任务"],
                GOOD,
                row(title="第二件", lead="市科技局\n市工信局", support="", due="六月底前"),
                ["二、保障措施"],
                row(title="第三件", due="长期"),
                ["合计", "3件"],
            ],
            merge=("A1:G1", "A3:G3", "A6:G6"),
        )
    )

    take_in(check, city)

    document = PolicyDocument.objects.get(doc_number=FACTS["doc_number"])
    items = list(document.items.order_by("position"))
    assert document.status == "draft"
    assert [(item.title, item.kind, item.status) for item in items] == [
        ("建研发机构", "task", "draft"),
        ("第二件", "task", "draft"),
        ("第三件", "measure", "draft"),
    ]
    assert [item.due_date for item in items] == [date(2017, 6, 30), date(2017, 6, 30), None]
    assert items[2].is_ongoing
    parties = [
        [
            (p.organization and str(p.organization), p.role)
            for p in item.parties.order_by("position")
        ]
        for item in items
    ]
    assert parties[0] == [("市工信局", "lead"), ("桃城区", "county"), ("冀州区", "county")]
    assert parties[1] == [("市科技局", "lead"), ("市工信局", "support")]
    assert check.joint_leads == 1
    assert Event.objects.get(kind=EventKind.TABLE_IMPORTED).data["rows"] == 3
    assert Event.objects.filter(kind=EventKind.DOCUMENT_LOADED).count() == 1


def test_merged_cells_are_filled_down(city):
    check = understood(
        workbook(
            [GOOD, row(title="乙", lead=None, due=None), row(title="丙", lead=None, due=None)],
            merge=("D3:D5", "F3:F5"),
        )
    )

    assert not check.bad
    assert [one.leads for one in check.rows] == [["市工信局"]] * 3
    assert {one.due_date for one in check.rows} == {date(2017, 6, 30)}


BAD = {
    "no task": (row(title=""), "B3", "缺少工作任务"),
    "long task": (row(title="长" * 121), "B3", "121"),
    "long text": (row(requirement="长" * 4001), "C3", "4001"),
    "error": (row(requirement="#REF!"), "C3", "错误值"),
    "no lead": (row(lead=""), "D3", "没有写明单位"),
    "number for a body": (row(lead="123"), "D3", "不是单位名称"),
    "no date": (row(due=""), "F3", "缺少日期"),
    "no such date": (row(due="2017-02-30"), "F3", "不是日期"),
    "words": (row(due="尽快"), "F3", "不是日期"),
    "number": (row(due=7), "F3", "不是日期"),
    "old": (row(due="1917-06-30"), "F3", "不是日期"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cell_is_named_and_nothing_is_written(city, name):
    bad, cell, words = BAD[name]

    check = understood(workbook([bad, GOOD]))

    assert [(one.sheet, one.cell) for one in check.bad] == [("分解表", cell)]
    assert words in check.bad[0].reason and check.bad[0].remedy
    with pytest.raises(TableRefused):
        take_in(check, city)
    assert not SupervisionItem.objects.exists()


def test_an_unknown_name_needs_a_persons_yes_and_becomes_an_alias(city):
    content = workbook([row(lead="市工业和信息化局"), row(title="乙", lead="某某集团")])
    first = understood(content)

    assert {one.name for one in first.unknown} == {"市工业和信息化局", "某某集团"}
    assert first.open_names == 2
    with pytest.raises(TableRefused):
        take_in(first, city)
    answers = {"市工业和信息化局": str(city.bureau.uid), "某某集团": UNRESOLVED}
    take_in(understood(content, answers=answers), city, answers=answers)

    assert OrganizationAlias.objects.get(name="市工业和信息化局").organization == city.bureau
    assert not OrganizationAlias.objects.filter(name="某某集团").exists()
    second = SupervisionItem.objects.get(title="乙")
    assert second.parties.get(role="lead").organization is None
    assert not understood(workbook([row(lead="市工业和信息化局")])).unknown


def test_a_word_for_all_counties_gives_each_of_them_a_share(city):
    other = OrganizationFactory(kind="zone", short_name="高新区")
    OrganizationFactory(kind="county", short_name="旧县", valid_to_date=date(2018, 1, 1))
    content = workbook(
        [row(lead=city.bureau.short_name, support=f"{city.county.short_name}、各县市区")]
    )
    (word,) = [one for one in understood(content).unknown if one.name == "各县市区"]
    assert word.may_be_counties and word.suggestion is None
    answers = {"各县市区": EVERY_COUNTY}

    take_in(understood(content, answers=answers), city, answers=answers)

    parties = list(SupervisionItem.objects.get().parties.order_by("position", "pk"))
    counties = [party.organization.short_name for party in parties[1:]]
    assert (parties[0].organization, parties[0].role) == (city.bureau, "lead")
    assert {party.role for party in parties[1:]} == {"county"}
    assert counties[0] == city.county.short_name
    assert sorted(counties) == sorted(["桃城区", "冀州区", other.short_name])
    assert not OrganizationAlias.objects.filter(name="各县市区").exists()


def test_headings_are_remembered_for_the_source(city):
    heads = ["序号", "干什么", "怎么干", "谁来干", "谁帮忙", "何时完", "备注"]
    content = workbook([GOOD], heads=heads)
    assert understood(content).missing
    mapping = {2: "title", 3: "requirement", 4: "lead", 5: "support", 6: "due"}

    take_in(understood(content, mapping=mapping), city)

    assert HeadingMapping.objects.get().source == "省厅"
    again = understood(
        workbook([GOOD], heads=heads), remembered=remembered_headings("省厅") | {"备注": ""}
    )
    assert {one.text: one.field for one in again.headings}["谁来干"] == "lead"


def test_only_an_officer_and_no_number_twice(city):
    check = understood(workbook([GOOD]))
    for who in (city.liaison, city.office_head, city.principal):
        with pytest.raises(PermissionDenied):
            take_in(check, city, by=who)
    take_in(check, city)
    with pytest.raises(ActRefused):
        take_in(check, city)
    assert SupervisionItem.objects.count() == 1


def test_everything_fails_with_the_last_row(city, monkeypatch):
    check = understood(workbook([GOOD, row(title="乙"), row(title="丙")]))

    def fail(*kind, **fields):
        raise ActRefused("停")

    monkeypatch.setattr("supervision.services.tables.record_event", fail)
    with pytest.raises(ActRefused):
        take_in(check, city)

    assert not PolicyDocument.objects.exists()
    assert not HeadingMapping.objects.exists()


def huge_dimensions() -> bytes:
    book = Workbook()
    book.active.append(HEADS)
    book.active.cell(1_048_576, 16_384).value = "x"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def with_member(name: str, content: bytes) -> bytes:
    file = BytesIO(workbook([GOOD]))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as container:
        container.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", huge_dimensions),
        ("a.xlsx", lambda: with_member("xl/vbaProject.bin", b"x")),
        ("a.xlsx", lambda: with_member("xl/externalLinks/externalLink1.xml", b"<x/>")),
        ("a.xlsx", lambda: with_member("xl/media/image.bin", b"0" * 60_000_000)),
        ("a.xlsx", lambda: with_member("xl/x.xml", b"<!DOCTYPE x><x/>")),
        ("a.xlsx", lambda: b"PK no workbook"),
        ("a.xlsm", lambda: workbook([GOOD])),
        ("a.pdf", lambda: b"%PDF-1.4 %%EOF"),
    ],
)
def test_hostile_files_are_refused_in_words(name, content):
    with pytest.raises(ActRefused) as refusal:
        open_table(upload(content(), name))

    assert refusal.value.message


# The screen


def posted(content=None, **more) -> dict:
    data = {**FACTS, "issued_date": "2017-01-04", **more}
    return data | ({"file": upload(content)} if content else {})


def test_uploaded_looked_at_decided_and_drafted(client, city):
    client.force_login(city.officer)
    content = workbook([row(lead="市工业和信息化局")])

    first = client.post(reverse("supervision:tables_preview"), posted(content))
    page = first.content.decode()
    assert ("市工业和信息化局" in page and "尚未" in page) or "未能识别" in page
    token = first.context["token"]
    refused = client.post(reverse("supervision:tables_apply"), posted(token=token))
    assert refused.status_code == 200
    assert not SupervisionItem.objects.exists()

    answer = {"token": token, "name": "市工业和信息化局", "body": str(city.bureau.uid)}
    again = client.post(reverse("supervision:tables_preview"), posted(**answer))
    assert f'value="{city.bureau.uid}" selected' in again.content.decode()
    done = client.post(reverse("supervision:tables_apply"), posted(**answer))

    assert done.status_code == 302
    assert SupervisionItem.objects.get().parties.first().organization == city.bureau


@pytest.mark.parametrize("who", ["liaison", "office_head", "leader", "stranger"])
def test_others_do_not_take_tables_in(client, city, who):
    client.force_login(getattr(city, who))

    for name in ("tables", "tables_preview", "tables_apply"):
        address = reverse(f"supervision:{name}")
        answer = client.get(address) if name == "tables" else client.post(address, posted())
        assert answer.status_code == 403
