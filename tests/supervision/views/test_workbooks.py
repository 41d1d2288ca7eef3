"""The pages around workbooks: who may, what is written, what is left alone."""

from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from supervision.models import Event, EventKind, ProgressReport
from supervision.services.kept_lights import keep_lights
from tests.factories import NOON, TODAY, AssignmentFactory, PeriodFactory, ReportFactory

pytestmark = pytest.mark.django_db
LEDGER = reverse("supervision:ledger")
LEDGER_XLSX = reverse("supervision:ledger_xlsx")
WORKBOOK = reverse("supervision:workbook")
PREVIEW = reverse("supervision:workbook_preview")
APPLY = reverse("supervision:workbook_apply")
MAY_XLSX = reverse("supervision:workbook_xlsx", args=["2026-05"])


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def period(city):
    return PeriodFactory(assignment__organization=city.bureau)


def read(response):
    return load_workbook(BytesIO(b"".join(response.streaming_content)))


def bodies_in(response) -> set[str]:
    return {row[6] for row in read(response)["明细"].iter_rows(min_row=2, values_only=True)}


@pytest.mark.parametrize(
    ("who", "status", "bodies"),
    [
        (None, 302, None),
        ("stranger", 403, None),
        ("publisher", 403, None),
        ("auditor", 403, None),
        ("administrator", 403, None),
        ("officer", 200, {"市工信局", "桃城区"}),
        ("office_head", 200, {"市工信局", "桃城区"}),
        ("principal", 200, {"市工信局", "桃城区"}),
        ("leader", 200, set()),
        ("liaison", 200, {"市工信局"}),
        ("county_head", 200, {"桃城区"}),
        ("other_head", 200, set()),
    ],
)
def test_who_takes_which_rows_out(client, city, who, status, bodies):
    AssignmentFactory(organization=city.bureau)
    AssignmentFactory(organization=city.county, role="county")
    if who:
        client.force_login(getattr(city, who))

    assert client.get(LEDGER).status_code == status
    response = client.post(LEDGER_XLSX, {})
    assert response.status_code == status
    if bodies is None:
        assert not Event.objects.exists()
    else:
        assert bodies_in(response) == bodies
        assert Event.objects.get().kind == EventKind.EXPORTED


def test_a_download_is_recorded_and_looking_is_not(client, city):
    share = AssignmentFactory(
        organization=city.bureau, due_date=TODAY - timedelta(days=2), original_due_date=TODAY
    )
    AssignmentFactory(organization=city.county)
    client.force_login(city.officer)

    client.get(LEDGER)
    assert client.get(LEDGER_XLSX).status_code == 405
    assert not Event.objects.exists()

    chosen = {"document": share.item.document.uid, "light": "red", "body": city.bureau.uid}
    response = client.post(LEDGER_XLSX, chosen)

    event = Event.objects.get()
    assert (event.by, event.organization, event.document) == (
        city.officer, city.bureau, share.item.document,
    )  # fmt: skip
    assert event.data["rows"] == 1
    assert event.data["filter"] == f"{share.item.document}，市工信局，红灯"
    assert "attachment" in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_body_cannot_ask_for_another_bodys_rows(client, city):
    AssignmentFactory(organization=city.bureau)
    AssignmentFactory(organization=city.county)
    client.force_login(city.county_head)

    response = client.post(LEDGER_XLSX, {"body": city.bureau.uid})

    assert bodies_in(response) == {"桃城区"}


@pytest.mark.parametrize("typed", [{"document": "x"}, {"light": "pink"}, {"body": "x"}])
def test_a_filter_that_does_not_exist_is_told_and_nothing_leaves(client, city, typed):
    client.force_login(city.officer)

    response = client.post(LEDGER_XLSX, typed)

    assert response.context["form"].errors
    assert not Event.objects.exists()


def filled(client, text="本月完成三项", percent=40) -> SimpleUploadedFile:
    book = read(client.get(MAY_XLSX))
    book["本期进展"]["F4"] = text
    book["本期进展"]["G4"] = percent
    file = BytesIO()
    book.save(file)
    return SimpleUploadedFile("月报.xlsx", file.getvalue())


@pytest.mark.parametrize(
    ("who", "page", "book"),
    [
        (None, 302, 302),
        ("stranger", 403, 403),
        ("officer", 403, 403),
        ("leader", 403, 403),
        ("county_liaison", 200, 404),
        ("liaison", 200, 200),
        ("body_head", 200, 200),
    ],
)
def test_who_gets_the_workbook_of_a_body(client, city, period, who, page, book):
    if who:
        client.force_login(getattr(city, who))

    assert client.get(WORKBOOK).status_code == page
    assert client.get(MAY_XLSX).status_code == book
    assert client.post(PREVIEW, {}).status_code == page
    assert client.post(APPLY, {}).status_code == (302 if page == 200 else page)
    assert not Event.objects.exists()


def test_out_filled_in_looked_at_and_saved(client, city, period):
    client.force_login(city.liaison)

    seen = client.post(PREVIEW, {"file": filled(client)})

    assert "本月完成三项" in seen.content.decode()
    assert not ProgressReport.objects.exists()
    done = client.post(APPLY, {"token": seen.context["token"]}, follow=True)
    report = ProgressReport.objects.get()
    assert (report.progress_text, report.self_percent, report.status) == (
        "本月完成三项", 40, "draft",
    )  # fmt: skip
    assert "已从表格导入 1 件" in done.content.decode()
    again = client.post(APPLY, {"token": seen.context["token"]}, follow=True)
    assert "请重新上传" in again.content.decode()
    assert Event.objects.filter(kind=EventKind.IMPORTED).count() == 1


def test_one_bad_cell_stops_everything_and_says_what_to_do(client, city, period):
    client.force_login(city.liaison)

    page = client.post(PREVIEW, {"file": filled(client, percent=400)})

    text = page.content.decode()
    assert "本期进展 G4" in text
    assert "请填写 0 至 100 的整数" in text
    assert not page.context["token"]
    assert APPLY not in text
    assert not ProgressReport.objects.exists()


def test_a_change_between_the_preview_and_the_yes_is_noticed(client, city, period):
    client.force_login(city.liaison)
    seen = client.post(PREVIEW, {"file": filled(client)})
    ReportFactory(period=period, progress_text="工作台上的内容")

    page = client.post(APPLY, {"token": seen.context["token"]})

    assert "工作台上的内容" in page.content.decode()
    assert ProgressReport.objects.get().progress_text == "工作台上的内容"


@pytest.mark.parametrize("who", ["body_head", "county_head"])
def test_the_token_is_of_one_person(client, city, period, who):
    client.force_login(city.liaison)
    token = client.post(PREVIEW, {"file": filled(client)}).context["token"]
    client.force_login(getattr(city, who))

    client.post(APPLY, {"token": token})

    assert not ProgressReport.objects.exists()


def test_an_upload_is_kept_for_an_hour_and_then_forgotten(client, city, period, settings):
    client.force_login(city.liaison)
    token = client.post(PREVIEW, {"file": filled(client)}).context["token"]
    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        client.post(APPLY, {"token": token})
    assert not ProgressReport.objects.exists()


@pytest.mark.parametrize(
    "file",
    [None, SimpleUploadedFile("a.xlsx", b"x"), SimpleUploadedFile("a.exe", b"MZ")],
)
def test_a_file_that_is_none_is_answered_in_words(client, city, file):
    client.force_login(city.liaison)

    page = client.post(PREVIEW, {"file": file} if file else {})

    assert page.status_code == 200
    assert page.context["form"].errors


def test_pages_cost_the_same_with_ten_times_the_rows(client, city):
    client.force_login(city.liaison)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(WORKBOOK).status_code == 200
        return len(captured)

    PeriodFactory.create_batch(2, assignment__organization=city.bureau)
    queries()  # the calendar is read once
    few = queries()
    PeriodFactory.create_batch(18, assignment__organization=city.bureau)

    assert queries() == few


def test_the_desk_of_a_body_leads_there(client, city, period):
    client.force_login(city.liaison)

    assert f'href="{WORKBOOK}"' in client.get(reverse("supervision:mine")).content.decode()


def test_chosen_columns_are_kept_in_the_address_and_in_the_workbook(client, city):
    AssignmentFactory(organization=city.bureau)
    client.force_login(city.officer)
    chosen = {"has_columns": "1", "columns": ["due", "item"], "details": ["body", "state"]}

    kept = client.post(LEDGER_XLSX, chosen | {"show": "1"})

    assert kept.url == LEDGER + "?columns=item.due&details=body.state"
    form = client.get(kept.url).context["form"]
    assert form["columns"].value() == ["item", "due"]
    assert form["details"].value() == ["body", "state"]
    book = read(client.post(LEDGER_XLSX, chosen))
    assert [cell.value for cell in book.worksheets[0][3]] == ["序号", "事项", "办结时限"]
    assert [cell.value for cell in book.worksheets[1][1]] == ["序号", "承办单位", "状态"]
    assert "事项、办结时限" in Event.objects.get(kind=EventKind.EXPORTED).data["filter"]


def test_the_columns_of_the_ledger_are_kept_in_a_view(client, city):
    client.force_login(city.officer)
    answer = client.post(
        reverse("supervision:saved_views"),
        {"page": "ledger", "name": "简表", "columns": ["item", "due"], "details": ["body"]},
    )

    assert answer.url == LEDGER + "?columns=item.due&details=body"


def test_at_least_one_column_is_chosen(client, city):
    client.force_login(city.officer)

    answer = client.post(LEDGER_XLSX, {"has_columns": "1", "details": ["body"]})

    assert "请至少选择一列" in answer.content.decode()
    assert not Event.objects.filter(kind=EventKind.EXPORTED).exists()


def test_all_columns_and_unknown_ones_leave_the_address_short(client, city):
    client.force_login(city.officer)
    form = client.get(LEDGER + "?columns=nonsense").context["form"]
    everything = {"has_columns": "1", "columns": form["columns"].value()}
    everything["details"] = form["details"].value()

    assert client.post(LEDGER_XLSX, everything | {"show": "1"}).url == LEDGER + "?"
    assert len(everything["columns"]) == 13


# The ledger on the screen


def rows_shown(client, query: str = "") -> list[list]:
    context = client.get(LEDGER + query).context
    return [[str(cell.value) for cell in row.cells] for row in context["rows"]]


def test_the_ledger_is_read_in_the_chosen_columns(client, city):
    first = AssignmentFactory(organization=city.bureau, item__title="甲")
    AssignmentFactory(organization=city.county, item=first.item, role="county")
    AssignmentFactory(organization=city.bureau, item__title="乙")
    client.force_login(city.officer)

    assert [row[:4] for row in rows_shown(client, "?columns=item.supports.lead")] == [
        ["1", "甲", "市工信局", "桃城区"],
        ["2", "乙", "市工信局", ""],
    ]
    page = client.get(LEDGER).content.decode()
    assert first.item.get_absolute_url() in page
    assert len(client.get(LEDGER).context["columns"]) == 14


def test_the_filters_of_the_ledger_hold_on_the_screen_as_in_the_sheet(client, city):
    red = AssignmentFactory(
        organization=city.bureau, item__title="甲", due_date=TODAY - timedelta(days=3)
    )
    AssignmentFactory(organization=city.other_bureau, item__title="乙")
    client.force_login(city.officer)

    def titles(query: str) -> list[str]:
        return [row[1] for row in rows_shown(client, f"?columns=item&{query}")]

    for _kept_or_not in (False, True):
        assert titles("") == ["甲", "乙"]
        assert titles("light=red") == ["甲"]
        assert titles(f"body={city.other_bureau.uid}") == ["乙"]
        assert titles(f"light=red&body={city.other_bureau.uid}") == []
        assert titles(f"document={red.item.document.uid}") == ["甲"]
        assert titles("document=nonsense&light=nonsense") == ["甲", "乙"]
        keep_lights(TODAY)
    client.force_login(city.liaison)
    assert titles("") == ["甲"]


def test_a_page_of_the_ledger_costs_the_same_with_ten_times_the_rows(client, city):
    client.force_login(city.officer)

    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LEDGER + query).status_code == 200
        return len(captured)

    def fill(count: int) -> None:
        for share in AssignmentFactory.create_batch(count, organization=city.bureau):
            ReportFactory(period=PeriodFactory(assignment=share), status="approved")
        keep_lights(TODAY)

    document = AssignmentFactory(organization=city.bureau).item.document
    fill(3)
    wanted = ("", "?light=green", f"?body={city.bureau.uid}", f"?document={document.uid}")
    few = [[queries(query), queries(query)][1] for query in wanted]
    fill(60)

    assert [queries(query) for query in wanted] == few
    assert max(few) <= 12, few
    assert len(rows_shown(client)) == 50
    assert rows_shown(client, "?page=2")[0][0] == "51"
