"""The return workbook is merged three ways; what both sides changed a person decides."""

from datetime import timedelta
from io import BytesIO, StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from supervision.models import (
    Event,
    EventKind,
    ProgressReport,
    ReturnWorkbook,
    Role,
    Section,
)
from supervision.rules.merge import Choice
from supervision.services.acts import ActRefused
from supervision.services.organizations import Successor, change_bodies
from supervision.services.reports import open_report, save_report
from supervision.services.workbooks import (
    WorkbookRefused,
    apply_return_workbook,
    hand_out_workbook,
)
from supervision.spreadsheets.returns import Decision, check, read_return_workbook
from tests.factories import NOON, TODAY, PeriodFactory, TargetFactory, UserFactory
from tests.supervision.test_return_workbook import (
    CHECK,
    FIGURES,
    MAY,
    PROGRESS,
    cell_of,
    upload_of,
)

pytestmark = pytest.mark.django_db
PREVIEW = reverse("supervision:workbook_preview")
APPLY = reverse("supervision:workbook_apply")
LATER = NOON + timedelta(hours=2)


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def period(city):
    row = PeriodFactory(assignment__organization=city.bureau)
    item = row.assignment.item
    TargetFactory(document=item.document, clause=item.clause)
    return row


def handed_out(city):
    file = BytesIO()
    hand_out_workbook(target=file, organization=city.bureau, label=MAY, by=city.liaison, at=NOON)
    return load_workbook(BytesIO(file.getvalue()))


def preview_of(book, city, **options):
    return check(read_return_workbook(upload_of(book)), organization=city.bureau, **options)


def take_in(book, city, **options):
    return apply_return_workbook(
        parsed=read_return_workbook(upload_of(book)),
        organization=city.bureau,
        at=LATER,
        **{"by": city.liaison} | options,
    )


def on_both_sides(city, period):
    """Text and percentage changed in the file and on the desk, next steps in the file only."""
    report = open_report(period=period, by=city.liaison, at=NOON)
    save_report(report=report, by=city.liaison, at=NOON, progress_text="原文", self_percent=10)
    book = handed_out(city)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "表格里的"
    cell_of(book, PROGRESS, 4, "自评进度（%）*").value = 20
    cell_of(book, PROGRESS, 4, "下步打算*").value = "只在表格里"
    save_report(
        report=report,
        by=city.body_head,
        at=NOON + timedelta(minutes=30),
        progress_text="工作台上的",
        self_percent=30,
        problem_text="只在工作台上",
    )
    return book


def values(period) -> tuple:
    row = ProgressReport.objects.get(period=period)
    return row.progress_text, row.self_percent, row.next_text, row.problem_text


def test_a_conflict_names_both_values_and_who_changed_it_when(city, period):
    book = on_both_sides(city, period)

    preview = preview_of(book, city)

    assert [(one.cell, one.exported, one.current, one.edited) for one in preview.conflicts] == [
        ("F4", "原文", "工作台上的", "表格里的"),
        ("G4", "10", "30", "20"),
    ]
    first = preview.conflicts[0]
    assert (first.changed_by, first.changed_at) == ("body_head", NOON + timedelta(minutes=30))
    assert first.choice is None
    assert [change.after for change in preview.applied[0].changes] == ["只在表格里"]
    assert not preview.is_acceptable
    with pytest.raises(WorkbookRefused):
        take_in(book, city)
    assert values(period) == ("工作台上的", 30, "", "只在工作台上")


def test_each_conflict_is_decided_on_its_own_and_the_rest_stays(city, period):
    book = on_both_sides(city, period)
    text, percent = (one.key for one in preview_of(book, city).conflicts)

    take_in(
        book,
        city,
        decisions={text: Decision(Choice.MINE), percent: Decision(Choice.THEIRS)},
    )

    assert values(period) == ("表格里的", 30, "只在表格里", "只在工作台上")
    event = Event.objects.get(kind=EventKind.IMPORTED)
    assert event.data["conflicts"] == {"mine": 1, "theirs": 1}


@pytest.mark.parametrize("choice", Choice)
def test_the_same_file_twice_changes_nothing_and_asks_nothing(city, period, choice):
    book = on_both_sides(city, period)
    take_in(book, city, take=choice)
    before = ProgressReport.objects.get(period=period).version

    result = take_in(book, city)

    assert (result.applied, result.unchanged) == (0, 1)
    assert not preview_of(book, city).conflicts
    assert ProgressReport.objects.get(period=period).version == before
    assert Event.objects.filter(kind=EventKind.IMPORTED).count() == 1


def test_a_figure_is_merged_cell_by_cell(city, period):
    target = period.assignment.item.document.targets.get()
    report = open_report(period=period, by=city.liaison, at=NOON)
    save_report(report=report, by=city.liaison, at=NOON, figures={target: (5, "")})
    book = handed_out(city)
    cell_of(book, FIGURES, 4, "指标说明*").value = "口径不变"
    save_report(report=report, by=city.body_head, at=NOON, figures={target: (7, "")})

    take_in(book, city)

    figure = report.figures.get()
    assert (int(figure.value), figure.note) == (7, "口径不变")


def test_what_left_the_house_cannot_be_rewritten(city, period):
    handed_out(city)

    with pytest.raises(DatabaseError), transaction.atomic():
        ReturnWorkbook.objects.update(cells={})


def test_the_systems_own_record_finds_a_check_sheet_written_anew(city, period, monkeypatch):
    book = on_both_sides(city, period)
    sheet = book[CHECK]
    for row in sheet.iter_rows(min_row=4):
        if row[6].value == "原文":
            row[6].value = "工作台上的"
    # Even somebody who could seal the file is found out by what the system kept.
    monkeypatch.setattr(
        "supervision.spreadsheets.returns.reading.constant_time_compare", lambda *two: True
    )

    preview = preview_of(book, city)

    assert [bad.cell for bad in preview.bad] == ["G1"]
    assert not preview.applied


# The screen


def upload(client, book):
    return client.post(PREVIEW, {"file": upload_of(book)})


def form_of(response, **chosen) -> dict:
    data = {"token": response.context["token"]}
    for number, conflict in enumerate(response.context["preview"].conflicts):
        data[f"seen:{conflict.key}"] = conflict.seen
        if f"c{number}" in chosen:
            data[f"choice:{conflict.key}"] = chosen[f"c{number}"]
    return data


def test_nothing_is_chosen_for_the_person(client, city, period):
    client.force_login(city.liaison)

    page = upload(client, on_both_sides(city, period)).content.decode()

    assert page.count('type="radio"') == 4
    assert "checked" not in page
    assert "工作台上的" in page and "表格里的" in page and "body_head" in page
    assert "2026-06-10 12:30" in page


def test_a_choice_survives_a_submit_that_was_not_complete(client, city, period):
    client.force_login(city.liaison)
    shown = upload(client, on_both_sides(city, period))

    again = client.post(APPLY, form_of(shown, c0="mine"))

    assert again.status_code == 200
    assert again.content.decode().count("checked") == 1
    assert values(period) == ("工作台上的", 30, "", "只在工作台上")
    done = client.post(APPLY, form_of(again, c0="mine", c1="theirs"))
    assert done.status_code == 302
    assert values(period) == ("表格里的", 30, "只在表格里", "只在工作台上")


def test_a_choice_does_not_count_when_the_desk_changed_again(client, city, period):
    client.force_login(city.liaison)
    shown = upload(client, on_both_sides(city, period))
    report = ProgressReport.objects.get(period=period)
    save_report(report=report, by=city.body_head, at=LATER, progress_text="又改了")

    again = client.post(APPLY, form_of(shown, c0="mine", c1="mine"))

    assert again.status_code == 200
    assert [one.is_stale for one in again.context["preview"].conflicts] == [True, False]
    assert "又改了" in again.content.decode()
    assert values(period)[0] == "又改了"


# The command


def test_the_command_lists_conflicts_and_takes_a_side(city, period, tmp_path):
    path = tmp_path / "r.xlsx"
    on_both_sides(city, period).save(path)
    out = StringIO()

    with pytest.raises(CommandError) as refused:
        call_command("import_returns", str(path), stdout=out)
    assert refused.value.returncode == 2
    assert "F4" in out.getvalue() and "工作台上的" in out.getvalue()
    assert "body_head" in out.getvalue()
    assert timezone.localtime(NOON + timedelta(minutes=30)).strftime("%H:%M") in out.getvalue()
    assert values(period)[0] == "工作台上的"

    call_command("import_returns", str(path), take="system", stdout=out)
    assert values(period) == ("工作台上的", 30, "只在表格里", "只在工作台上")

    book = load_workbook(path)
    cell_of(book, PROGRESS, 4, "自评进度（%）*").value = "很多"
    book.save(path)
    with pytest.raises(CommandError) as refused:
        call_command("import_returns", str(path), take="file", stdout=out)
    assert refused.value.returncode == 1


# Sections, and bodies that are no more


@pytest.fixture
def sections(city, period):
    """Two sections of the bureau with a return each; a clerk confined to the first."""
    city.first, city.second = (
        Section.objects.create(organization=city.bureau, name=name) for name in ("甲科", "乙科")
    )
    city.elsewhere = PeriodFactory(assignment__organization=city.bureau)
    for share, section in [
        (period.assignment, city.first),
        (city.elsewhere.assignment, city.second),
    ]:
        share.section = section
        share.save()
    city.clerk = UserFactory(roles=[Role.LIAISON], organization=city.bureau, section=city.first)
    return city


def rows_in(book) -> list[str]:
    sheet = book[PROGRESS]
    return [row[0].value for row in sheet.iter_rows(min_row=4, min_col=sheet.max_column)]


def test_a_sections_liaison_takes_the_rows_of_the_section_and_brings_them_back(
    client, sections, period
):
    client.force_login(sections.clerk)

    answer = client.get(reverse("supervision:workbook_xlsx", args=[MAY]))

    assert answer.status_code == 200
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))
    assert rows_in(book) == [str(period.uid)]
    cell_of(book, PROGRESS, 4, "本月进展*").value = "甲科的进展"
    page = client.post(PREVIEW, {"file": upload_of(book)})
    assert page.context["preview"].is_acceptable
    client.post(APPLY, {"token": page.context["token"]})
    assert values(period)[0] == "甲科的进展"


def test_in_the_whole_bodys_workbook_a_section_changes_its_own_rows_only(sections, period):
    book = handed_out(sections)
    mine, theirs = (4 + rows_in(book).index(str(p.uid)) for p in (period, sections.elsewhere))
    cell_of(book, PROGRESS, mine, "本月进展*").value = "甲科的进展"
    only = {"section_id": sections.clerk.only_section_id}

    assert preview_of(book, sections, **only).is_acceptable
    cell_of(book, PROGRESS, theirs, "本月进展*").value = "替乙科写的"
    preview = preview_of(book, sections, **only)

    assert [(cell.cell, cell.reason) for cell in preview.bad] == [
        (f"F{theirs}", "这份报送由本单位其他科室负责。")
    ]
    with pytest.raises(WorkbookRefused):
        take_in(book, sections, by=sections.clerk)
    take_in(book, sections)
    assert values(sections.elsewhere)[0] == "替乙科写的"


def test_a_body_takes_in_the_workbook_of_the_one_it_carries_on(city, period, tmp_path):
    book = handed_out(city)
    cell_of(book, PROGRESS, 4, "本月进展*").value = "改名前下载的"
    with pytest.raises(ActRefused, match="其他单位"):
        check(read_return_workbook(upload_of(book)), organization=city.county)
    change_bodies(
        old=[city.bureau],
        successors=[Successor("市新局", "云溪市新局")],
        from_date=TODAY,
        basis="机构改革方案",
        by=city.office_head,
        at=NOON,
        today=TODAY,
    )
    city.liaison.refresh_from_db()
    path = tmp_path / "old.xlsx"
    book.save(path)

    call_command("import_returns", str(path), stdout=StringIO())

    assert values(period)[0] == "改名前下载的"
    preview = check(read_return_workbook(upload_of(book)), organization=city.liaison.organization)
    assert preview.is_acceptable and not preview.applied


def test_a_row_that_went_elsewhere_is_passed_over_unless_it_was_changed(city, period):
    book = handed_out(city)
    share = period.assignment
    share.organization = city.county
    share.save()

    assert preview_of(book, city).unchanged == 1
    cell_of(book, PROGRESS, 4, "本月进展*").value = "已不归我"

    assert [cell.cell for cell in preview_of(book, city).bad] == ["F4"]
