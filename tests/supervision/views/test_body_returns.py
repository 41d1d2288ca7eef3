"""Returns: a period on one page, rows saved each on its own, nothing typed lost."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.models import Event, ProgressReport, ReportFigure
from supervision.services.reports import save_report, submit_report
from supervision.views.assignments import return_url
from tests.factories import (
    NOON,
    AssignmentFactory,
    ItemFactory,
    PeriodFactory,
    ReportFactory,
    TargetFactory,
)

pytestmark = pytest.mark.django_db
MAY = "2026-05"
PAGE = reverse("supervision:returns_of", args=[MAY])
OLD = {"label": "2026-04", "start_date": date(2026, 4, 1), "end_date": date(2026, 4, 30)}


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def period(city):
    return PeriodFactory(assignment__organization=city.bureau)


def typed(*periods, act="save", chosen=(), **values) -> dict:
    data = {"act": act, "chosen": [str(period.uid) for period in chosen]}
    for period in periods:
        prefix = f"r{period.pk}"
        row = {"progress_text": "本月完成三项", "version": "", "self_percent": 40} | values
        data |= {f"{prefix}-{name}": value for name, value in row.items()}
    return data


def report_of(period) -> ProgressReport:
    return ProgressReport.objects.get(period=period)


@pytest.mark.parametrize(
    ("who", "listed", "shown"),
    [
        (None, 302, 302),
        ("stranger", 403, 403),
        ("officer", 403, 403),
        ("leader", 403, 403),
        ("county_head", 200, 404),
        ("liaison", 200, 200),
        ("body_head", 200, 200),
    ],
)
def test_who_sees_the_returns_of_a_body(client, city, period, who, listed, shown):
    if who:
        client.force_login(getattr(city, who))

    assert client.get(reverse("supervision:returns")).status_code == listed
    assert client.get(PAGE).status_code == shown
    assert client.post(PAGE, typed(period)).status_code == (302 if shown == 200 else shown)


def test_looking_creates_nothing_and_shows_what_was_known(client, city, period):
    target = TargetFactory(
        document=period.assignment.item.document, clause=period.assignment.item.clause
    )
    last = ReportFactory(
        period=PeriodFactory(assignment=period.assignment, **OLD),
        status="approved",
        next_text="继续推进二期",
        self_percent=37,
    )
    ReportFigure.objects.create(report=last, target=target, value=12)
    client.force_login(city.liaison)

    form = client.get(PAGE).context["rows"][0].form

    assert form["next_text"].value() == "继续推进二期"
    assert form["self_percent"].value() == 37
    assert str(form[f"figure_{target.pk}_value"].value()) == "12"
    assert not form["progress_text"].value()
    assert ProgressReport.objects.count() == 1
    assert not Event.objects.exists()


def test_a_draft_is_saved_and_opened_again(client, city, period):
    target = TargetFactory(
        document=period.assignment.item.document, clause=period.assignment.item.clause
    )
    client.force_login(city.liaison)
    data = typed(period) | {
        f"r{period.pk}-figure_{target.pk}_value": "40.5",
        f"r{period.pk}-figure_{target.pk}_note": "按旧口径",
        f"r{period.pk}-files": SimpleUploadedFile("证.pdf", b"%PDF-1.7\n%%EOF"),
    }

    assert client.post(PAGE, data).status_code == 302

    report = report_of(period)
    assert (report.status, report.progress_text) == ("draft", "本月完成三项")
    assert report.figures.get().value == 40.5
    assert report.attachments.count() == 1
    page = client.get(PAGE)
    assert "按旧口径" in page.content.decode()
    assert next(page.context["rows"][0].form.figure_rows())["rate"] is not None


def test_an_untouched_row_is_not_begun(client, city, period):
    target = TargetFactory(
        document=period.assignment.item.document, clause=period.assignment.item.clause
    )
    last = ReportFactory(
        period=PeriodFactory(assignment=period.assignment, **OLD),
        status="approved",
        self_percent=37,
    )
    ReportFigure.objects.create(report=last, target=target, value=10)
    client.force_login(city.liaison)
    form = client.get(PAGE).context["rows"][0].form
    sent = {field.html_name: field.value() for field in form if field.value() not in (None, [])}

    assert sent[f"r{period.pk}-figure_{target.pk}_value"] == 10
    client.post(PAGE, sent | {"act": "save", f"r{period.pk}-progress_text": ""})

    assert ProgressReport.objects.get() == last


def test_a_row_with_a_mistake_keeps_its_text_and_the_others_are_saved(client, city, period):
    other = PeriodFactory(assignment__organization=city.bureau)
    client.force_login(city.liaison)
    data = typed(period) | typed(other, self_percent=400, progress_text="写了很久的文字")

    response = client.post(PAGE, data)

    assert response.status_code == 200
    assert "写了很久的文字" in response.content.decode()
    assert report_of(period).progress_text == "本月完成三项"
    assert not ProgressReport.objects.filter(period=other).exists()


def test_a_bad_file_keeps_the_text_of_its_row(client, city, period):
    client.force_login(city.liaison)
    bad = {f"r{period.pk}-files": SimpleUploadedFile("坏.pdf", b"no")}

    response = client.post(PAGE, typed(period) | bad)

    page = response.content.decode()
    assert "坏.pdf" in page
    assert "本月完成三项" in page
    assert not ProgressReport.objects.exists()


@pytest.mark.parametrize("version", ["", "0"])
def test_both_texts_are_shown_when_somebody_was_faster(client, city, period, version):
    report = ReportFactory(period=period)
    save_report(report=report, by=city.body_head, at=NOON, progress_text="负责人先写的")
    client.force_login(city.liaison)

    response = client.post(PAGE, typed(period, version=version, progress_text="联络员后写的"))

    page = response.content.decode()
    assert "联络员后写的" in page
    assert "负责人先写的" in page
    assert report_of(period).progress_text == "负责人先写的"
    renewed = response.context["rows"][0].form["version"].value()
    client.post(PAGE, typed(period, version=renewed, progress_text="联络员后写的"))
    assert report_of(period).progress_text == "联络员后写的"


def test_a_lower_figure_is_kept_but_not_handed_on_without_a_reason(client, city, period):
    target = TargetFactory(
        document=period.assignment.item.document, clause=period.assignment.item.clause
    )
    last = ReportFactory(
        period=PeriodFactory(assignment=period.assignment, **OLD), status="approved"
    )
    ReportFigure.objects.create(report=last, target=target, value=12)
    client.force_login(city.liaison)
    lower = {f"r{period.pk}-figure_{target.pk}_value": "9"}

    refused = client.post(PAGE, typed(period, act="hand_on", chosen=[period]) | lower, follow=True)
    assert report_of(period).status == "draft"
    assert report_of(period).figures.get().value == 9
    assert refused.context["rows"][0].moves
    noted = {"change_reason": "口径调整", "version": report_of(period).version}
    client.post(PAGE, typed(period, act="hand_on", chosen=[period], **noted) | lower)
    report = report_of(period)
    assert (report.status, report.change_reason) == ("under_sign_off", "口径调整")
    submit_report(report=report, by=city.body_head, at=NOON)
    client.force_login(city.officer)
    assert "口径调整" in client.get(report.get_absolute_url()).content.decode()
    queue = client.get(reverse("supervision:reviews") + f"?queue=reports&open={report.uid}")
    assert "口径调整" in queue.content.decode()


def test_nearly_the_same_text_is_a_warning_only(client, city, period):
    text = "本月新增研发机构十二家，完成投资三点二亿元，已落实用地指标。"
    ReportFactory(
        period=PeriodFactory(assignment=period.assignment, **OLD),
        status="approved",
        progress_text=text,
    )
    client.force_login(city.liaison)

    assert client.post(PAGE, typed(period, progress_text=text + "完")).status_code == 302
    assert client.get(PAGE).context["rows"][0].warnings
    client.post(PAGE, typed(period, version=report_of(period).version, progress_text="全新的内容"))
    assert not client.get(PAGE).context["rows"][0].warnings


def test_chosen_rows_go_to_the_head_and_all_are_released(client, city, period):
    other = PeriodFactory(assignment__organization=city.bureau)
    client.force_login(city.liaison)
    assert client.post(PAGE, typed(period, act="release_all")).status_code == 403

    client.post(PAGE, typed(period, other, act="hand_on", chosen=[period]))
    assert (report_of(period).status, report_of(other).status) == ("under_sign_off", "draft")
    client.post(PAGE, typed(other, act="hand_on_all", version=report_of(other).version))
    assert report_of(other).status == "under_sign_off"

    client.force_login(city.body_head)
    client.post(PAGE, {"act": "release", "chosen": [str(period.uid)]})
    assert (report_of(period).status, report_of(other).status) == ("submitted", "under_sign_off")
    client.post(PAGE, {"act": "release_all"})
    assert report_of(other).status == "submitted"


def test_handing_on_without_a_text_says_why(client, city, period):
    client.force_login(city.liaison)

    response = client.post(
        PAGE,
        typed(period, act="hand_on", chosen=[period], progress_text="", problem_text="缺资金"),
        follow=True,
    )

    assert report_of(period).status == "draft"
    assert any(message.level_tag == "error" for message in response.context["messages"])
    assert "缺资金" in response.content.decode()


def test_a_skipped_period_and_work_not_signed_for_offer_no_form(client, city, period):
    PeriodFactory(assignment__organization=city.bureau, status="skipped", skip_reason="假期免报")
    PeriodFactory(assignment__organization=city.bureau, assignment__status="pending")
    client.force_login(city.liaison)

    response = client.get(PAGE)

    assert sum(row.form is not None for row in response.context["rows"]) == 1
    assert "假期免报" in response.content.decode()


def test_what_waits_for_the_person_stands_first_and_the_idle_last(client, city, period):
    def another(status):
        row = PeriodFactory(assignment__organization=city.bureau)
        ReportFactory(period=row, status=status, progress_text="本月完成三项")
        return row

    unsigned = PeriodFactory(
        assignment=AssignmentFactory(organization=city.bureau, status="assigned")
    )
    filed, waiting, returned = (
        another(status) for status in ("submitted", "under_sign_off", "returned")
    )

    def order(user):
        client.force_login(user)
        context = client.get(PAGE).context
        assert [row.period for row in context["idle_rows"]] == [unsigned]
        assert context["owed"] == 4
        return [row.period for row in context["rows"]]

    assert order(city.liaison) == [returned, period, filed, waiting]
    assert order(city.body_head) == [waiting, returned, period, filed]


def test_what_the_office_sent_back_is_shown_with_its_reason(client, city, period):
    ReportFactory(period=period, status="returned", review_opinion="数值有误请核实")
    client.force_login(city.liaison)

    assert "数值有误请核实" in client.get(PAGE).content.decode()


# One return


@pytest.mark.parametrize(
    ("status", "who", "seen"),
    [
        ("draft", "liaison", 200),
        ("draft", "body_head", 200),
        ("draft", "officer", 404),
        ("under_sign_off", "office_head", 404),
        ("submitted", "officer", 200),
        ("submitted", "leader", 404),
        ("approved", "office_head", 200),
        ("approved", "county_head", 404),
        ("approved", "stranger", 404),
        ("approved", None, 302),
    ],
)
def test_who_sees_one_return(client, city, period, status, who, seen):
    report = ReportFactory(period=period, status=status)
    if who:
        client.force_login(getattr(city, who))

    assert client.get(report.get_absolute_url()).status_code == seen


REPORT_ACTS = [
    ("draft", "ask", {}, "liaison", "under_sign_off"),
    ("under_sign_off", "release", {}, "body_head", "submitted"),
    ("under_sign_off", "refuse", {"reason": "数据不全"}, "body_head", "draft"),
    ("submitted", "approve", {"verified_percent": 35, "opinion": "属实"}, "officer", "approved"),
    (
        "submitted",
        "send_back",
        {"reason": "请补充", "reason_class": "vague"},
        "officer",
        "returned",
    ),
]


@pytest.mark.parametrize(("status", "act", "data", "who", "after"), REPORT_ACTS)
def test_acts_on_one_return(client, city, period, status, act, data, who, after):
    report = ReportFactory(period=period, status=status)
    url = reverse("supervision:report_act", args=[report.uid, act])
    client.force_login(getattr(city, "office_head" if who == "officer" else "officer"))
    assert client.post(url, data).status_code in (403, 404)
    client.force_login(city.other_head)
    assert client.post(url, data).status_code == 404
    client.force_login(getattr(city, who))
    assert client.get(url).status_code == 405
    assert url in client.get(report.get_absolute_url()).content.decode()

    assert client.post(url, data).status_code == 302

    assert report_of(period).status == after
    assert client.post(url, data).status_code in (200, 302, 404)  # a second click is no offence
    assert report_of(period).status == after


def test_a_reason_left_out_keeps_the_form_open(client, city, period):
    report = ReportFactory(period=period, status="submitted")
    client.force_login(city.officer)
    url = reverse("supervision:report_act", args=[report.uid, "approve"])

    response = client.post(url, {"verified_percent": 140, "opinion": "写好的意见"})

    assert "写好的意见" in response.content.decode()
    assert report_of(period).status == "submitted"


def test_a_class_left_out_keeps_the_return_and_the_words(client, city, period):
    report = ReportFactory(period=period, status="submitted")
    client.force_login(city.officer)
    url = reverse("supervision:report_act", args=[report.uid, "send_back"])

    response = client.post(url, {"reason": "写好的理由"})

    assert "写好的理由" in response.content.decode()
    assert report_of(period).status == "submitted"


def test_the_office_reads_what_was_handed_in_not_what_is_being_rewritten(client, city, period):
    report = ReportFactory(period=period, progress_text="报上去的文字")
    submit_report(report=report, by=city.body_head, at=NOON)
    client.force_login(city.officer)
    client.post(
        reverse("supervision:report_act", args=[report.uid, "send_back"]),
        {"reason": "请补充", "reason_class": "vague"},
    )
    assert ProgressReport.objects.get(pk=report.pk).send_back_reason == "vague"
    save_report(report=report, by=city.liaison, at=NOON, progress_text="还没写完的文字")

    for url in (report.get_absolute_url(), period.assignment.get_absolute_url()):
        page = client.get(url).content.decode()
        assert "还没写完的文字" not in page
    assert "报上去的文字" in client.get(report.get_absolute_url()).content.decode()


def test_the_pages_cost_the_same_for_ten_times_the_rows(client, city):
    client.force_login(city.body_head)
    counts = []
    for times in (1, 9):
        for _number in range(times):
            item = ItemFactory(dispatched=True)
            target = TargetFactory(document=item.document, clause=item.clause)
            row = AssignmentFactory(organization=city.bureau, item=item)
            last = ReportFactory(period=PeriodFactory(assignment=row, **OLD), status="approved")
            ReportFigure.objects.create(report=last, target=target, value=3)
            now = ReportFactory(period=PeriodFactory(assignment=row))
            ReportFigure.objects.create(report=now, target=target, value=4)
            PeriodFactory(assignment=AssignmentFactory(organization=city.bureau))
            PeriodFactory(
                assignment=row, label=f"l{row.pk}", start_date=NOON.date() - timedelta(days=9)
            )
        page = []
        for url in (PAGE, reverse("supervision:returns")):
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            page.append(len(queries))
        counts.append(page)
    assert counts[0] == counts[1]


@pytest.fixture
def many(city, monkeypatch):
    """Seven returns, three a page."""
    monkeypatch.setattr("supervision.views.returns.PAGE_SIZE", 3)
    return [
        PeriodFactory(
            assignment__organization=city.bureau,
            assignment__item=ItemFactory(dispatched=True, title=f"第{number}项", position=number),
        )
        for number in range(7)
    ]


def uids(answer) -> list[str]:
    return [str(row.period.uid) for row in answer.context["rows"]]


def test_a_large_body_reads_page_by_page_and_loses_no_row(client, city, many):
    client.force_login(city.liaison)

    pages = [client.get(PAGE, {"page": number}) for number in (1, 2, 3)]

    assert [uids(page) for page in pages] == [
        [str(one.uid) for one in many[first : first + 3]] for first in (0, 3, 6)
    ]
    assert {page.context["owed"] for page in pages} == {7}
    assert "第6项" not in pages[0].content.decode()


def test_a_submit_is_about_its_page_and_leads_back_to_it(client, city, many):
    client.force_login(city.liaison)
    for period in many:
        ReportFactory(period=period, status="draft", progress_text="本月完成一项")
    on_page = many[3:6]
    data = typed(*on_page, act="hand_on_all") | {"row": [str(one.uid) for one in on_page]}
    for period in on_page:
        data[f"r{period.pk}-version"] = report_of(period).version

    answer = client.post(PAGE + "?page=2&q=项", data)

    assert answer.url == PAGE + "?q=%E9%A1%B9&page=2"
    states = [report_of(one).status for one in many]
    assert states == ["draft"] * 3 + ["under_sign_off"] * 3 + ["draft"]


def test_the_head_releases_the_page_he_sees_and_no_other(client, city, many):
    client.force_login(city.body_head)
    for period in many:
        ReportFactory(period=period, status="under_sign_off", progress_text="本月完成一项")

    client.post(PAGE, {"act": "release_all", "row": [str(one.uid) for one in many[:3]]})

    states = [report_of(one).status for one in many]
    assert states == ["submitted"] * 3 + ["under_sign_off"] * 4


def test_turning_the_page_by_its_button_saves_what_was_typed(client, city, many):
    client.force_login(city.liaison)
    data = typed(*many[:3]) | {"row": [str(one.uid) for one in many[:3]], "go_to": "2"}
    del data["act"]

    assert client.post(PAGE, data).url == PAGE + "?page=2"

    assert [report_of(one).progress_text for one in many[:3]] == ["本月完成三项"] * 3


def test_a_mistake_on_a_further_page_is_shown_there_with_what_was_typed(client, city, many):
    client.force_login(city.liaison)
    data = typed(*many[3:6]) | {"row": [str(one.uid) for one in many[3:6]]}
    data[f"r{many[4].pk}-self_percent"] = "140"

    answer = client.post(PAGE + "?page=2", data)

    assert answer.status_code == 200
    assert sorted(uids(answer)) == sorted(str(one.uid) for one in many[3:6])
    row = next(row for row in answer.context["rows"] if row.period == many[4])
    assert row.form["self_percent"].value() == "140"
    assert row.form["progress_text"].value() == "本月完成三项"
    assert answer.context["page_obj"].number == 2


def test_a_link_to_one_return_opens_the_page_it_is_on(client, city, many):
    client.force_login(city.liaison)

    answer = client.get(return_url(many[4]))

    assert answer.context["page_obj"].number == 2
    assert str(many[4].uid) in uids(answer)


def test_returns_are_found_by_the_title_of_the_item(client, city, many):
    client.force_login(city.liaison)

    assert uids(client.get(PAGE, {"q": "第5"})) == [str(many[5].uid)]
    assert "这期报送中没有标题含此词语的事项" in client.get(PAGE, {"q": "无"}).content.decode()


def test_a_text_copied_from_another_page_is_pointed_out(client, city, many):
    text = "本月新增研发机构十二家，累计三十七家，全部通过市级认定。"
    for period in (many[0], many[6]):
        ReportFactory(period=period, status="draft", progress_text=text)
    client.force_login(city.liaison)

    row = client.get(PAGE, {"page": 3}).context["rows"][0]

    assert row.period == many[6]
    assert "第0项" in row.warnings[0]


def test_what_needs_nothing_has_pages_of_its_own(client, city, many):
    for period in many:
        PeriodFactory(
            assignment__organization=city.bureau,
            assignment__item=ItemFactory(dispatched=True, title=f"停{period.pk}"),
            status="skipped",
            skip_reason="本期免报",
        )
    client.force_login(city.liaison)

    pages = [client.get(PAGE, {"idle": number, "page": 2}) for number in (1, 3)]

    assert [len(page.context["idle_rows"]) for page in pages] == [3, 1]
    assert [uids(page) for page in pages] == [[str(one.uid) for one in many[3:6]]] * 2


def test_a_row_saved_by_itself_costs_the_same_among_many(client, city, many):
    client.force_login(city.liaison)
    address = reverse("supervision:return_draft", args=[MAY, many[0].uid])

    def statements() -> int:
        report = ProgressReport.objects.filter(period=many[0]).first()
        data = typed(many[0], version=report.version if report else "")
        with CaptureQueriesContext(connection) as captured:
            assert client.post(address, data).status_code == 200
        return len(captured)

    statements()
    few = statements()
    for _number in range(20):
        PeriodFactory(assignment__organization=city.bureau)

    assert statements() == few
