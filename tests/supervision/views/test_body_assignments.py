"""The shared page of an assignment: who sees it, every act done and refused, nothing typed lost."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from supervision.models import (
    Assignment,
    Attachment,
    Event,
    ExtensionRequest,
    Milestone,
    ProgressReport,
    ReportPeriod,
)
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    MilestoneFactory,
    ObjectionFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\ntrailer<<>>\n%%EOF\n"
SEEN = {
    None: 302,
    "stranger": 404,
    "other_liaison": 404,
    "county_head": 404,
    "liaison": 200,
    "body_head": 200,
    "officer": 200,
    "office_head": 200,
    "leader": 200,
    "other_leader": 404,
    "auditor": 404,
}


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def share(city):
    def make(**traits):
        traits.setdefault("organization", city.bureau)
        traits.setdefault("objection_due_date", TODAY)
        return AssignmentFactory(item__leader=city.leader, **traits)

    return make


def act(client, family, row, code, **data):
    data.setdefault("version", row.version)
    return client.post(reverse(f"supervision:{family}_act", args=[row.uid, code]), data)


def plan(*steps, **extra) -> dict:
    data = {"steps-TOTAL_FORMS": 5, "steps-INITIAL_FORMS": 0, "handler_name": "王科长"}
    for number, (title, day) in enumerate(steps):
        data |= {f"steps-{number}-title": title, f"steps-{number}-planned_date": day}
        data[f"steps-{number}-weight"] = 1
    return data | extra


@pytest.mark.parametrize(("who", "status"), SEEN.items())
def test_who_sees_the_page_of_an_assignment(client, city, share, who, status):
    row = share()
    MilestoneFactory(assignment=row)
    if who:
        client.force_login(getattr(city, who))

    assert client.get(row.get_absolute_url()).status_code == status
    assert client.post(row.get_absolute_url()).status_code in (302, 405)


@pytest.mark.parametrize("status", Assignment.Status.values)
@pytest.mark.parametrize("who", ["liaison", "body_head", "officer", "office_head", "leader"])
def test_the_page_shows_every_state_and_changes_nothing(client, city, share, status, who):
    row = share(status=status)
    MilestoneFactory(assignment=row, status="draft")
    PeriodFactory(assignment=row)
    client.force_login(getattr(city, who))

    assert client.get(row.get_absolute_url()).status_code == 200

    assert not ProgressReport.objects.exists()
    assert not Event.objects.exists()


# family, state of the share, extra row, act, data, who may, the state after
ACTS = [
    ("pending", "accept", {}, "liaison", "in_progress"),
    ("pending", "accept", {}, "body_head", "in_progress"),
    ("pending", "object", {"reason": "不属本局职责"}, "body_head", "disputed"),
    ("in_progress", "draft_closing", {"closing_text": "已完成"}, "liaison", "in_progress"),
    ("in_progress", "submit", {"closing_text": "已完成"}, "body_head", "under_review"),
    ("returned", "submit", {"closing_text": "已完成"}, "body_head", "under_review"),
    ("under_review", "approve", {}, "officer", "approved"),
    ("under_review", "send_back", {"reason": "佐证不足"}, "officer", "returned"),
    ("approved", "complete", {}, "office_head", "completed"),
    ("approved", "fail_check", {"reason": "现场未见"}, "office_head", "returned"),
    (
        "in_progress",
        "suspend",
        {"basis": "上级暂缓", "expected_end_date": TODAY + timedelta(days=60)},
        "leader",
        "suspended",
    ),
    ("in_progress", "cancel", {"basis": "文件废止"}, "leader", "cancelled"),
    ("in_progress", "cancel", {"basis": "文件废止"}, "office_head", "cancelled"),
    (
        "completed",
        "reopen",
        {"instruction": "回头看", "due_date": TODAY + timedelta(days=400)},
        "leader",
        "in_progress",
    ),
    ("in_progress", "remind", {"text": "请抓紧"}, "officer", "in_progress"),
]


@pytest.mark.parametrize(("status", "code", "data", "who", "after"), ACTS)
def test_acts_on_an_assignment(client, city, share, status, code, data, who, after):
    row = share(status=status)
    client.force_login(getattr(city, who))

    shown = client.get(row.get_absolute_url()).content.decode()
    response = act(client, "assignment", row, code, **data)
    row.refresh_from_db()

    if code != "draft_closing":
        assert reverse("supervision:assignment_act", args=[row.uid, code]) in shown
    assert response.status_code == 302
    assert row.status == after
    assert Event.objects.filter(assignment=row).exists()


@pytest.mark.parametrize(("status", "code", "data", "who", "after"), ACTS)
def test_acts_are_refused_to_others(client, city, share, status, code, data, who, after):
    row = share(status=status)
    body, office = {"liaison", "body_head"}, {"officer", "office_head", "leader"}
    for name in (office if who in body else body) | {"other_head"}:
        client.force_login(getattr(city, name))
        assert act(client, "assignment", row, code, **data).status_code == (
            404 if name == "other_head" else 403
        )
    row.refresh_from_db()
    assert row.status == status
    assert not Event.objects.exists()


@pytest.mark.parametrize(("status", "code", "data", "who", "after"), ACTS)
def test_acts_too_late_say_why_and_keep_the_text(
    client, city, share, status, code, data, who, after
):
    row = share(status="cancelled")
    client.force_login(getattr(city, who))

    response = act(client, "assignment", row, code, **data)
    response = client.get(response.url) if response.status_code == 302 else response
    page = response.content.decode()

    assert "message-error" in page or "form-errors" in page
    for text in data.values():
        assert str(text) in page
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_an_act_nobody_knows_and_a_get_are_no_acts(client, city, share):
    row = share(status="pending")
    client.force_login(city.liaison)

    assert act(client, "assignment", row, "destroy").status_code == 404
    url = reverse("supervision:assignment_act", args=[row.uid, "accept"])
    assert client.get(url).status_code == 405
    row.refresh_from_db()
    assert row.status == "pending"


def test_what_was_typed_survives_a_stale_version_and_can_be_saved_then(client, city, share):
    row = share()
    client.force_login(city.liaison)
    old = row.version
    assert act(client, "assignment", row, "draft_closing", closing_text="先写的").status_code == 302

    response = act(
        client, "assignment", row, "draft_closing", version=old, closing_text="后写的报告"
    )

    assert response.status_code == 200
    assert "后写的报告" in response.content.decode()
    row.refresh_from_db()
    assert row.closing_text == "先写的"
    form = next(o for o in response.context["offers"] if o.code == "draft_closing").form
    assert int(form["version"].value()) == row.version
    act(client, "assignment", row, "draft_closing", closing_text="后写的报告")
    row.refresh_from_db()
    assert row.closing_text == "后写的报告"


def test_a_missing_reason_leaves_the_form_open(client, city, share):
    row = share(status="under_review")
    client.force_login(city.officer)

    response = act(client, "assignment", row, "send_back", reason="")

    assert response.status_code == 200
    assert any(offer.is_open for offer in response.context["offers"])


def test_open_milestones_need_a_reason(client, city, share):
    row = share()
    MilestoneFactory(assignment=row)
    client.force_login(city.body_head)

    refused = act(client, "assignment", row, "submit", closing_text="已完成工作")
    assert "已完成工作" in refused.content.decode()
    done = act(
        client, "assignment", row, "submit", closing_text="完成", open_milestones_reason="合并办理"
    )
    assert done.status_code == 302


def test_a_refused_file_undoes_the_act_too(client, city, share):
    row = share()
    client.force_login(city.body_head)
    bad = SimpleUploadedFile("x.pdf", b"no pdf")

    response = act(client, "assignment", row, "submit", closing_text="已完成", files=bad)

    assert "x.pdf" in response.content.decode()
    row.refresh_from_db()
    assert row.status == "in_progress"
    good = SimpleUploadedFile("证明.pdf", PDF)
    act(client, "assignment", row, "submit", closing_text="已完成", files=good)
    assert Attachment.objects.get().original_name == "证明.pdf"


def test_files_are_downloaded_by_those_who_see_the_assignment(client, city, share):
    row = share()
    client.force_login(city.liaison)
    act(client, "assignment", row, "files", files=SimpleUploadedFile("证明.pdf", PDF))
    url = reverse("supervision:file", args=[Attachment.objects.get().uid])

    response = client.get(url)

    assert b"".join(response.streaming_content) == PDF
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    for name, status in SEEN.items():
        client.logout()
        if name:
            client.force_login(getattr(city, name))
        assert client.get(url).status_code == status


def test_a_plan_is_filed_and_agreed_to(client, city, share):
    row = share()
    client.force_login(city.liaison)

    response = act(client, "assignment", row, "plan", **plan(("选址", TODAY), ("建设", TODAY)))

    assert response.status_code == 302
    assert row.milestones.count() == 2
    row.refresh_from_db()
    assert row.handler_name == "王科长"
    assert act(client, "assignment", row, "agree_plan").status_code == 403
    client.force_login(city.officer)
    assert act(client, "assignment", row, "agree_plan").status_code == 302
    assert {m.status for m in row.milestones.all()} == {"planned"}
    assert "agree_plan" not in client.get(row.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    "steps",
    [[], [("太晚的节点", "2027-06-01")], [("没有日期", "")], [("", TODAY)], [("乱写", "昨天")]],
)
def test_a_bad_plan_keeps_its_rows(client, city, share, steps):
    row = share()
    client.force_login(city.liaison)

    response = act(client, "assignment", row, "plan", **plan(*steps))

    page = response.content.decode()
    assert response.status_code == 200
    assert "王科长" in page
    assert all(title in page for title, _day in steps)
    assert not row.milestones.exists()


DONE = {"actual_date": TODAY, "evidence_text": "验收单"}
MILESTONE_ACTS = [
    ("planned", "start", {}, "liaison", "in_progress"),
    (
        "planned",
        "submit",
        {"actual_date": TODAY, "evidence_text": "验收单"},
        "liaison",
        "under_review",
    ),
    ("under_review", "approve", {}, "officer", "completed"),
    ("under_review", "send_back", {"reason": "请补充"}, "officer", "returned"),
    ("planned", "move", {"new_date": TODAY, "reason": "工期调整"}, "officer", "planned"),
    ("planned", "cancel", {"reason": "合并"}, "officer", "cancelled"),
]


@pytest.mark.parametrize(("status", "code", "data", "who", "after"), MILESTONE_ACTS)
def test_acts_on_a_milestone(client, city, share, status, code, data, who, after):
    step = MilestoneFactory(assignment=share(), status=status)
    others = {"liaison": "officer", "officer": "liaison"}
    client.force_login(getattr(city, others[who]))
    assert act(client, "milestone", step, code, **data).status_code == 403
    client.force_login(city.county_head)
    assert act(client, "milestone", step, code, **data).status_code == 404

    client.force_login(getattr(city, who))
    assert act(client, "milestone", step, code, **data).status_code == 302

    step = Milestone.objects.get(pk=step.pk)
    assert step.status == after
    if code == "move":
        assert step.planned_date == TODAY
        assert step.original_date != TODAY
        assert "工期调整" in client.get(step.assignment.get_absolute_url()).content.decode()


def test_a_milestone_done_in_the_future_keeps_what_was_typed(client, city, share):
    step = MilestoneFactory(assignment=share())
    client.force_login(city.liaison)
    data = {"actual_date": TODAY + timedelta(days=2), "evidence_text": "验收单据三份"}

    response = act(client, "milestone", step, "submit", **data)

    assert "验收单据三份" in response.content.decode()


def test_an_extension_from_asking_to_granting(client, city, share):
    row = share()
    data = {
        "asked_date": row.due_date + timedelta(days=60),
        "cause": "funds",
        "reason": "资金未到位",
        "progress_text": "已完成八成",
    }
    client.force_login(city.officer)
    assert act(client, "assignment", row, "extend", **data).status_code == 403
    client.force_login(city.liaison)
    early = act(client, "assignment", row, "extend", **data | {"asked_date": TODAY})
    assert "资金未到位" in early.content.decode()
    assert act(client, "assignment", row, "extend", **data).status_code == 302
    extension = ExtensionRequest.objects.get()
    assert extension.status == "draft"

    client.force_login(city.officer)
    assert act(client, "extension", extension, "endorse", opinion="x").status_code == 404
    assert "资金未到位" not in client.get(row.get_absolute_url()).content.decode()
    for who, code, extra in (
        ("body_head", "submit", {}),
        ("officer", "endorse", {"opinion": "属实"}),
        ("leader", "grant", {"granted_date": row.due_date + timedelta(days=30), "opinion": "同意"}),
    ):
        client.force_login(city.other_leader)
        assert act(client, "extension", extension, code, **extra).status_code == 404
        client.force_login(getattr(city, who))
        extension = ExtensionRequest.objects.get()
        assert act(client, "extension", extension, code, **extra).status_code == 302
    row.refresh_from_db()
    assert row.due_date == row.original_due_date + timedelta(days=30)
    page = client.get(row.get_absolute_url()).content.decode()
    assert row.original_due_date.isoformat() in page


@pytest.mark.parametrize(
    ("status", "code", "who", "data"),
    [
        ("submitted", "refuse", "officer", {"opinion": "理由不足"}),
        ("endorsed", "refuse", "leader", {"opinion": "不同意"}),
        ("submitted", "withdraw", "body_head", {}),
    ],
)
def test_an_extension_is_refused_or_withdrawn(client, city, share, status, code, who, data):
    extension = ExtensionFactory(assignment=share(), status=status)
    client.force_login(city.liaison)
    assert act(client, "extension", extension, code, **data).status_code == 403

    client.force_login(getattr(city, who))
    assert act(client, "extension", extension, code, **data).status_code == 302

    assert ExtensionRequest.objects.get().status in ("refused", "withdrawn")


def test_an_objection_is_rejected(client, city, share):
    objection = ObjectionFactory(assignment=share(status="disputed"))
    client.force_login(city.officer)
    assert act(client, "objection", objection, "reject", opinion="属你局").status_code == 403
    client.force_login(city.office_head)

    assert act(client, "objection", objection, "reject", opinion="").status_code == 200
    assert act(client, "objection", objection, "reject", opinion="属你局").status_code == 302

    objection.assignment.refresh_from_db()
    assert objection.assignment.status == "pending"


def test_an_objection_is_upheld_and_the_old_body_loses_the_row(client, city, share):
    objection = ObjectionFactory(assignment=share(status="disputed"))
    row = objection.assignment
    client.force_login(city.office_head)

    act(
        client,
        "objection",
        objection,
        "uphold",
        opinion="有理",
        organization=city.other_bureau.pk,
    )

    assert Assignment.objects.get(organization=city.other_bureau).status == "pending"
    client.force_login(city.body_head)
    assert client.get(row.get_absolute_url()).status_code == 404


def test_an_objection_is_withdrawn(client, city, share):
    objection = ObjectionFactory(assignment=share(status="disputed"))
    client.force_login(city.body_head)

    assert act(client, "objection", objection, "withdraw").status_code == 302


def test_a_period_is_skipped_and_asked_for_again(client, city, share):
    period = PeriodFactory(assignment=share())
    client.force_login(city.body_head)
    assert act(client, "period", period, "skip", reason="假期").status_code == 403
    client.force_login(city.officer)
    assert act(client, "period", period, "skip", reason="").status_code == 200
    assert act(client, "period", period, "skip", reason="假期免报").status_code == 302
    assert "假期免报" in client.get(period.assignment.get_absolute_url()).content.decode()
    assert act(client, "period", period, "unskip").status_code == 302
    assert ReportPeriod.objects.get().status == "open"


def test_drafts_of_the_body_stay_with_the_body(client, city, share):
    row = share()
    ReportFactory(period__assignment=row, status="draft", progress_text="内部草稿文字")
    client.force_login(city.liaison)
    act(client, "assignment", row, "draft_closing", closing_text="办结初稿文字")
    assert "办结初稿文字" in client.get(row.get_absolute_url()).content.decode()

    client.force_login(city.officer)
    page = client.get(row.get_absolute_url()).content.decode()

    assert "内部草稿文字" not in page
    assert "办结初稿文字" not in page


def test_the_page_costs_the_same_for_ten_times_the_rows(
    client, city, share, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def filled(times):
        row = share()
        for number in range(times):
            MilestoneFactory(assignment=row)
            first = TODAY - timedelta(days=10 * number)
            period = PeriodFactory(assignment=row, start_date=first, label=f"p{number}")
            ReportFactory(period=period, status="submitted")
            ExtensionFactory(assignment=row, status="refused")
            client.force_login(city.liaison)
            act(client, "assignment", row, "files", files=SimpleUploadedFile("证.pdf", PDF))
        return row

    counts = []
    for times in (1, 10):
        row = filled(times)
        client.force_login(city.officer)
        client.get(row.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            client.get(row.get_absolute_url())
        counts.append(len(queries))
    assert counts[0] == counts[1]
