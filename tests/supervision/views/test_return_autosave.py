"""A row saves itself: nothing typed is lost, nobody is overwritten, mistakes are named."""

from datetime import date

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.models import Event, ProgressReport, ReportFigure
from supervision.services.reports import mark_report, save_report
from tests.factories import NOON, PeriodFactory, ReportFactory, TargetFactory

pytestmark = pytest.mark.django_db
MAY = "2026-05"
PAGE = reverse("supervision:returns_of", args=[MAY])
OLD = {"label": "2026-04", "start_date": date(2026, 4, 1), "end_date": date(2026, 4, 30)}
LONG = "本月新增研发机构十二家，完成投资三点二亿元，已落实用地指标。"


@pytest.fixture(autouse=True)
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def period(city):
    return PeriodFactory(assignment__organization=city.bureau)


def draft_url(period) -> str:
    return reverse("supervision:return_draft", args=[period.label, period.uid])


def row(period, **values) -> dict:
    values = {"progress_text": "本月完成三项", "version": ""} | values
    return {f"r{period.pk}-{name}": value for name, value in values.items()}


def report_of(period) -> ProgressReport:
    return ProgressReport.objects.get(period=period)


def test_a_row_is_saved_as_it_is_typed(client, city, period):
    client.force_login(city.liaison)

    first = client.post(draft_url(period), row(period)).json()
    again = client.post(
        draft_url(period), row(period, progress_text="本月完成四项", version=first["version"])
    )

    assert again.status_code == 200
    assert "12:00" in again.json()["state"]
    report = report_of(period)
    assert (report.progress_text, report.status) == ("本月完成四项", "draft")
    assert again.json()["version"] == report.version
    assert report.saved_at == NOON
    assert not Event.objects.exists()


def test_the_second_of_two_people_is_told_and_nothing_is_lost(client, city, period):
    client.force_login(city.liaison)
    first = client.post(draft_url(period), row(period)).json()
    save_report(
        report=report_of(period), by=city.body_head, at=NOON, progress_text="负责人改过的文字"
    )

    told = client.post(
        draft_url(period), row(period, progress_text="联络员接着写", version=first["version"])
    )

    assert told.status_code == 409
    assert "负责人改过的文字" in told.json()["state"]
    assert report_of(period).progress_text == "负责人改过的文字"
    kept = row(period, progress_text="联络员接着写", version=told.json()["version"])
    assert client.post(draft_url(period), kept).status_code == 200
    assert report_of(period).progress_text == "联络员接着写"


def test_two_people_begin_the_same_row(client, city, period):
    save_report(
        report=ReportFactory(period=period), by=city.body_head, at=NOON, progress_text="先写的"
    )
    client.force_login(city.liaison)

    assert client.post(draft_url(period), row(period, version="")).status_code == 409
    assert report_of(period).progress_text == "先写的"


def test_the_same_text_twice_is_no_conflict(client, city, period):
    """The page's own button posts what the row has just saved by itself."""
    client.force_login(city.liaison)
    client.post(draft_url(period), row(period))
    version = report_of(period).version

    answer = client.post(PAGE, row(period) | {"act": "save"})

    assert answer.status_code == 302
    assert report_of(period).version == version


def test_a_mistake_is_named_and_the_rest_is_kept(client, city, period):
    client.force_login(city.liaison)

    answer = client.post(draft_url(period), row(period, self_percent="400"))

    assert answer.status_code == 200
    assert "message-error" in answer.json()["state"]
    report = report_of(period)
    assert (report.progress_text, report.self_percent) == ("本月完成三项", None)


def test_marks_row_by_row_and_one_submit_for_all_that_are_marked(client, city, period):
    others = [PeriodFactory(assignment__organization=city.bureau) for _ in range(2)]
    client.force_login(city.liaison)
    for each in (period, others[0]):
        answer = client.post(draft_url(each), row(each, is_complete="on", progress_text=LONG))
        assert answer.json()["is_complete"]
    client.post(draft_url(others[1]), row(others[1]))

    client.post(
        PAGE,
        {"act": "hand_on"}
        | row(period, is_complete="on", progress_text=LONG, version=report_of(period).version)
        | row(others[0], is_complete="on", progress_text=LONG, version=report_of(others[0]).version)
        | row(others[1], version=report_of(others[1]).version),
    )

    states = [report_of(each).status for each in (period, *others)]
    assert states == ["under_sign_off", "under_sign_off", "draft"]
    client.force_login(city.body_head)
    client.post(PAGE, {"act": "release_all"})
    states = [report_of(each).status for each in (period, *others)]
    assert states == ["submitted", "submitted", "draft"]


def test_a_mark_needs_a_text_and_is_taken_back(client, city, period):
    client.force_login(city.liaison)

    refused = client.post(
        draft_url(period), row(period, progress_text="", problem_text="缺资金", is_complete="on")
    ).json()
    assert not refused["is_complete"]
    assert report_of(period).problem_text == "缺资金"
    marked = client.post(
        draft_url(period), row(period, is_complete="on", version=refused["version"])
    ).json()
    assert marked["is_complete"]
    assert not client.post(draft_url(period), row(period, version=marked["version"])).json()[
        "is_complete"
    ]
    assert not report_of(period).is_marked_complete


def test_an_emptied_text_takes_the_mark_away(city, period):
    report = ReportFactory(period=period)
    report = mark_report(report=report, by=city.liaison, at=NOON, is_complete=True)
    assert report.is_marked_complete

    report = save_report(report=report, by=city.liaison, at=NOON, progress_text=" ")

    assert not report.is_marked_complete


def test_a_figure_that_falls_asks_why_before_the_mark(client, city, period):
    target = TargetFactory(
        document=period.assignment.item.document, clause=period.assignment.item.clause
    )
    last = ReportFactory(
        period=PeriodFactory(assignment=period.assignment, **OLD), status="approved"
    )
    ReportFigure.objects.create(report=last, target=target, value=12)
    client.force_login(city.liaison)
    lower = {f"r{period.pk}-figure_{target.pk}_value": "9"}

    found = client.post(draft_url(period), row(period, is_complete="on") | lower).json()
    assert found["has_moves"] and not found["is_complete"]
    assert found["rates"][str(target.pk)].endswith("%")
    reason = row(
        period, is_complete="on", change_reason="按新口径剔除两家", version=found["version"]
    )
    found = client.post(draft_url(period), reason | lower).json()
    assert found["is_complete"] and not found["has_moves"]


def test_copied_texts_are_pointed_out_and_never_stopped(client, city, period):
    other = PeriodFactory(assignment__organization=city.bureau)
    ReportFactory(period=other, progress_text=LONG)
    ReportFactory(
        period=PeriodFactory(assignment=period.assignment, **OLD),
        status="submitted",
        progress_text=LONG,
    )
    client.force_login(city.liaison)

    found = client.post(
        draft_url(period), row(period, progress_text=LONG + "完", is_complete="on")
    ).json()

    assert found["state"].count("message-warning") == 2
    assert other.assignment.item.title in found["state"]
    assert found["is_complete"]


@pytest.mark.parametrize(
    ("who", "answer"),
    [("stranger", 403), ("officer", 403), ("county_liaison", 404), ("body_head", 200)],
)
def test_who_may_save_a_row(client, city, period, who, answer):
    client.force_login(getattr(city, who))

    assert client.post(draft_url(period), row(period)).status_code == answer
    assert client.get(draft_url(period)).status_code == 405


def test_what_is_handed_in_is_no_longer_saved(client, city, period):
    ReportFactory(period=period, status="submitted", progress_text="已报的文字")
    client.force_login(city.liaison)

    assert client.post(draft_url(period), row(period)).status_code == 409
    assert report_of(period).progress_text == "已报的文字"


def test_saving_a_row_costs_the_same_on_a_page_of_forty(client, city, period):
    client.force_login(city.liaison)
    counts = []
    for more in (1, 39):
        for _number in range(more):
            ReportFactory(period=PeriodFactory(assignment__organization=city.bureau))
        version = ProgressReport.objects.filter(period=period).values_list("version", flat=True)
        data = row(period, progress_text=f"第{more}版", version=version.first() or "")
        if more == 1:
            client.post(draft_url(period), data)
            data = row(period, progress_text="再写", version=report_of(period).version)
        with CaptureQueriesContext(connection) as captured:
            assert client.post(draft_url(period), data).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]
